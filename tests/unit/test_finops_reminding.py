"""Reminding: when an acknowledged incident asks who took it, and when it opens again; each once, never too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.budgets import BudgetPeriod
from finops.charges import FigureState
from finops.incidents import (
    Change,
    EventKind,
    Incident,
    IncidentEvent,
    IncidentState,
    RootAction,
    acknowledge,
    acted,
    end_silence,
    pinned,
    silence,
)
from finops.money import Money
from finops.periods import Period, starts_at
from finops.reminding import Beside, follow_up, opened_again
from tests.unit.breaching import NOW, TODAY, an_incident, on_team

WAIT, MINUTE = timedelta(minutes=60), timedelta(minutes=1)
WEEK = Period(TODAY - timedelta(days=TODAY.weekday()), TODAY - timedelta(days=TODAY.weekday()) + timedelta(days=7))


def taken(at: datetime = NOW, by: str = "U2", **rest: Any) -> tuple[Incident, list[IncidentEvent]]:
    """Acknowledged at that moment, with the event that says so."""
    change = acknowledge(an_incident(**rest), by, at)
    return change.incident, list(change.events)


def looked(incident: Incident, events: list[IncidentEvent], now: datetime, **beside: Any) -> Change | None:
    """A look just after usage was read, which goes on to this minute."""
    beside.setdefault("last_spent", now - MINUTE)
    return follow_up(replace(incident, as_of=now), events, Beside(**beside), WAIT, now)


def test_one_reminder_and_then_it_opens_again():
    """At one wait and at two; quietly, in the thread, each under the name of its acknowledgement."""
    incident, events = taken()
    assert looked(incident, events, NOW + WAIT - MINUTE) is None
    first = looked(incident, events, NOW + WAIT)
    assert first is not None
    [reminder] = first.events
    assert (reminder.kind, reminder.key) == (EventKind.REMINDED, f"reminded:{NOW.isoformat()}")
    assert (reminder.is_said, reminder.is_loud, first.root) == (True, False, RootAction.EDIT)
    assert (reminder.values["by"], reminder.values["seconds"], reminder.values["spent"]) == ("U2", 3600, "742")
    assert reminder.values["opens_at"] == (NOW + 2 * WAIT).isoformat()
    assert first.incident.state is IncidentState.ACKNOWLEDGED
    incident, events = first.incident, [*events, reminder]
    assert looked(incident, events, NOW + 2 * WAIT - MINUTE) is None
    second = looked(incident, events, NOW + 2 * WAIT, lead="U1")
    assert second is not None
    [ended] = second.events
    assert (ended.kind, ended.key, ended.is_loud) == (
        EventKind.UNACKNOWLEDGED,
        f"unacknowledged:{NOW.isoformat()}",
        False,
    )
    assert (ended.values["by"], ended.values["lead"], ended.values["seconds"]) == ("U2", "U1", 7200)
    after = second.incident
    assert (after.state, after.acknowledged_by, after.acknowledged_at) == (IncidentState.OPEN, None, None)
    assert opened_again(after, [*events, ended]) == ended
    assert looked(after, [*events, ended], NOW + 9 * WAIT) is None


def test_a_second_acknowledgement_begins_anew():
    """Its own reminder, under its own name; what was told of the first is no reason to be silent of the second."""
    incident, events = taken()
    for waits in (1, 2):
        change = looked(incident, events, NOW + waits * WAIT)
        assert change is not None
        incident, events = change.incident, [*events, *change.events]
    again = acknowledge(incident, "U3", NOW + 3 * WAIT)
    incident, events = again.incident, [*events, *again.events]
    assert opened_again(incident, events) is None
    assert looked(incident, events, NOW + 4 * WAIT - MINUTE) is None
    change = looked(incident, events, NOW + 4 * WAIT)
    assert change is not None
    assert (change.events[0].kind, change.events[0].values["by"]) == (EventKind.REMINDED, "U3")
    assert change.events[0].key not in {one.key for one in events}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": IncidentState.OPEN},
        {"state": IncidentState.STOPPED},
        {"state": IncidentState.ALLOWED},
        {"state": IncidentState.RESTORED},
        {"state": IncidentState.CLOSED, "closed_at": NOW},
        {"state": IncidentState.SILENCED, "silenced_until": NOW + 9 * WAIT},
        {"silenced_until": NOW + 9 * WAIT},
        {"spent": Money.of("499.99")},
        {"spent_state": FigureState.BLIND},
        {"level": 0, "spoken_level": 0},
    ],
)  # fmt: skip
def test_nothing_is_said_where_there_is_nothing_to_ask(changes: dict[str, Any]):
    """Somebody acted, silenced it, it is below its limit, nobody can look, or nobody ever heard of it."""
    incident, events = taken()
    assert looked(incident, events, NOW + WAIT) is not None
    assert looked(replace(incident, **changes), events, NOW + WAIT) is None


def test_nothing_is_said_once_the_spending_fell_silent():
    """Not since the acknowledgement, not within the last half hour, or never seen at all."""
    incident, events = taken()
    now = NOW + WAIT
    for last in (None, NOW - MINUTE, now - timedelta(minutes=31)):
        assert looked(incident, events, now, last_spent=last) is None
    assert looked(incident, events, now, last_spent=now - timedelta(minutes=30)) is not None
    assert looked(incident, events, now, is_held=True) is None


def test_nothing_is_said_of_a_period_that_is_over():
    """A day's alert at midnight, a week's on Monday; a week's goes on over the turn of a day and of a month."""
    midnight = starts_at(TODAY + timedelta(days=1))
    incident, events = taken(midnight - WAIT - MINUTE)
    last = looked(incident, events, midnight - MINUTE)
    assert last is not None
    assert last.events[0].values["opens_at"] is None  # it closes before
    assert looked(incident, events, midnight) is None
    incident, events = taken(midnight - MINUTE, period=BudgetPeriod.WEEK, window=WEEK)
    assert looked(incident, events, midnight - MINUTE + WAIT) is not None
    assert looked(incident, events, starts_at(WEEK.end)) is None
    month = Period(TODAY.replace(day=1), TODAY.replace(month=TODAY.month + 1, day=1))
    incident, events = taken(starts_at(month.end) - WAIT, period=BudgetPeriod.MONTH, window=month)
    assert looked(incident, events, starts_at(month.end)) is None


def test_whoever_does_something_is_given_another_wait():
    """Silencing, turning on again, telling the cause, a stop that was let go of: from then on it counts."""
    incident, events = taken()
    told = pinned(incident, "U2", "a test", NOW + 50 * MINUTE)
    assert looked(told.incident, [*events, *told.events], NOW + 90 * MINUTE) is None
    change = looked(told.incident, [*events, *told.events], NOW + 110 * MINUTE)
    assert change is not None
    assert (change.events[0].values["is_after_act"], change.events[0].values["seconds"]) == (True, 3600)
    assert looked(incident, events, NOW + 90 * MINUTE, acted_at=NOW + 40 * MINUTE) is None
    assert looked(incident, events, NOW + 100 * MINUTE, acted_at=NOW + 40 * MINUTE) is not None


def test_who_took_care_before_the_limit_was_reached_is_asked_a_wait_after_that():
    """The crossing has only just rung; further levels give no further time."""
    incident, events = taken()
    for minutes, level in ((90, 90), (100, 100), (150, 150)):
        crossed = IncidentEvent(EventKind.CROSSED, NOW + minutes * MINUTE, f"crossed:{level}:500", {"level": level})
        events.append(crossed)
    assert looked(incident, events, NOW + 159 * MINUTE) is None
    change = looked(incident, events, NOW + 160 * MINUTE)
    assert change is not None
    assert (change.events[0].values["seconds"], change.events[0].values["is_after_act"]) == (9600, False)
    before = replace(events[2], at=NOW - MINUTE)
    assert looked(incident, [before, events[0]], NOW + WAIT) is not None


def test_the_same_facts_twice_change_nothing_twice():
    """Whoever looks again after it was kept finds it told."""
    incident, events = taken()
    first = looked(incident, events, NOW + WAIT)
    assert first is not None
    assert looked(first.incident, [*events, *first.events], NOW + WAIT) is None


STEPS = st.lists(
    st.sampled_from([*["wait"] * 3, *["spend"] * 4, *["acknowledge"] * 2, "silence", "speak", "stop", "free", "tell"]),
    min_size=25,
    max_size=60,
)


@given(STEPS, st.integers(5, 40))
@settings(max_examples=60)
def test_whatever_people_do_each_acknowledgement_is_followed_up_at_most_once(steps: list[str], wait_minutes: int):
    """A walk of ten minutes a step, looked at twice after each: never before its time, never in quiet, never twice."""
    wait, now, last = timedelta(minutes=wait_minutes), NOW, None
    incident, events = an_incident(), list[IncidentEvent]()
    said: list[str] = []
    for step in steps:
        now += 10 * MINUTE
        last = now - MINUTE if step == "spend" else last
        change = _done(step, incident, now)
        if change is not None:
            incident, events = change.incident, [*events, *change.events]
        for _ in range(2):
            before = incident
            change = follow_up(replace(incident, as_of=now), events, Beside(last), wait, now)
            if change is None:
                continue
            incident, events = change.incident, [*events, *change.events]
            [event] = change.events
            said.append(event.key)
            assert before.state is IncidentState.ACKNOWLEDGED
            assert before.acknowledged_at is not None
            stage = 1 if event.kind is EventKind.REMINDED else 2
            assert now - before.acknowledged_at >= stage * wait
            assert last is not None
            assert last >= before.acknowledged_at
            if stage == 2:
                assert event.key.removeprefix("un").replace("acknowledged", "reminded") in said
                assert incident.state is IncidentState.OPEN
    assert len(said) == len(set(said))
    assert len({one.key for one in events}) == len(events)


def _done(step: str, incident: Incident, now: datetime) -> Change | None:
    """What somebody does, where it can be done."""
    match step:
        case "acknowledge" if incident.acknowledged_by is None:
            return acknowledge(incident, "U2", now)
        case "silence":
            return silence(incident, "U2", now + timedelta(hours=1), now)
        case "speak" if incident.silenced_until is not None:
            return end_silence(incident, on_team(), now, "U2")
        case "stop":
            return acted(incident, IncidentState.STOPPED, now)
        case "free":
            return acted(incident, None, now)
        case "tell":
            return pinned(incident, "U2", "a test", now)
    return None
