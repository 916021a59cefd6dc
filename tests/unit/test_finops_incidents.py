"""Incidents: what people may do with them, what silence hides, and that they end exactly once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from finops.budgets import BudgetPeriod
from finops.charges import FigureState
from finops.incidents import (
    Change,
    CloseReason,
    EventKind,
    IncidentEvent,
    IncidentMistake,
    IncidentRefused,
    IncidentState,
    RootAction,
    acknowledge,
    budget_changed,
    close,
    end_silence,
    feedback,
    silence,
)
from finops.money import Money
from finops.periods import Period
from finops.queries import ScopeKind
from tests.unit.breaching import NOW, TODAY, a_budget, an_incident, on_team, spent

HOUR = timedelta(hours=1)
TOMORROW = datetime(2026, 7, 4, tzinfo=UTC)


def only(change: Change) -> IncidentEvent:
    (event,) = change.events
    return event


def refusal(of: Any, *args: Any) -> IncidentMistake:
    with pytest.raises(IncidentRefused) as refused:
        of(*args)
    return refused.value.code


# --- what an incident may be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"spoken_level": 150},
        {"level": -1, "spoken_level": -1},
        {"scope_id": None},
        {"scope_kind": ScopeKind.WORKSPACE},
        {"state": IncidentState.CLOSED},
        {"closed_at": NOW},
        {"state": IncidentState.ACKNOWLEDGED},
        {"state": IncidentState.SILENCED},
        {"as_of": datetime(2026, 7, 3)},  # noqa: DTZ001 - the mistake itself
        {"silenced_until": datetime(2026, 7, 3)},  # noqa: DTZ001
    ],
)
def test_an_impossible_incident_is_not_born(wrong: dict[str, Any]):
    """A level told and never reached, an end without its time, a time of nowhere."""
    with pytest.raises(ValueError, match=r"\w"):
        an_incident(**wrong)


def test_an_event_knows_when_it_was_and_is_loud_only_if_said():
    """What is kept back cannot be shouted."""
    with pytest.raises(ValueError, match="loud"):
        IncidentEvent(EventKind.CROSSED, NOW, "crossed:100", is_loud=True, is_said=False)
    with pytest.raises(ValueError, match="aware"):
        IncidentEvent(EventKind.CROSSED, NOW.replace(tzinfo=None), "crossed:100")


# --- acknowledging ---------------------------------------------------------------------------------------------------


def test_acknowledging_is_said_once_and_not_aloud():
    """The root shows who and when; a second click finds it done."""
    change = acknowledge(an_incident(), "U2", NOW + HOUR)
    after = change.incident
    assert (after.state, after.acknowledged_by, after.acknowledged_at, after.updated_at) == (
        IncidentState.ACKNOWLEDGED, "U2", NOW + HOUR, NOW + HOUR,
    )  # fmt: skip
    assert change.root is RootAction.EDIT
    event = only(change)
    key = f"acknowledged:{(NOW + HOUR).isoformat()}"
    assert (event.kind, event.key, event.values) == (EventKind.ACKNOWLEDGED, key, {"by": "U2"})
    assert event.is_said
    assert not event.is_loud
    assert refusal(acknowledge, after, "U3", NOW + HOUR) is IncidentMistake.ALREADY_ACKNOWLEDGED


def test_acknowledging_a_silenced_or_stopped_incident_leaves_it_so():
    """The state of the spending is worth more than who looks after it."""
    silent = silence(an_incident(), "U1", NOW + HOUR, NOW).incident
    both = acknowledge(silent, "U2", NOW).incident
    assert (both.state, both.acknowledged_by) == (IncidentState.SILENCED, "U2")
    assert end_silence(both, on_team(), NOW, "U1").incident.state is IncidentState.ACKNOWLEDGED
    stopped = an_incident(state=IncidentState.STOPPED)
    assert acknowledge(stopped, "U2", NOW).incident.state is IncidentState.STOPPED


# --- silence ---------------------------------------------------------------------------------------------------------


def test_silence_has_an_end_that_can_be_moved():
    """Within a minute it is the same click of two people."""
    change = silence(an_incident(), "U2", NOW + HOUR, NOW)
    assert only(change).values == {"by": "U2", "until": "2026-07-03T06:00:00+00:00"}
    assert change.root is RootAction.EDIT
    silent = change.incident
    assert (silent.state, silent.silenced_by, silent.silenced_until) == (IncidentState.SILENCED, "U2", NOW + HOUR)
    assert silent.is_silent(NOW)
    assert not silent.is_silent(NOW + HOUR)
    twice = NOW + timedelta(seconds=59)
    assert refusal(silence, silent, "U3", twice + HOUR, twice) is IncidentMistake.ALREADY_SILENCED
    longer = silence(silent, "U3", NOW + 4 * HOUR, NOW + timedelta(seconds=1))
    assert (longer.incident.silenced_by, longer.incident.silenced_until) == ("U3", NOW + 4 * HOUR)
    assert only(longer).key != only(change).key
    assert refusal(silence, an_incident(), "U2", NOW, NOW) is IncidentMistake.UNTIL_PASSED


def test_silence_hides_nothing_of_the_state_of_the_spending():
    """A stopped incident that is silenced is still stopped, before and after."""
    stopped = an_incident(state=IncidentState.STOPPED)
    silent = silence(stopped, "U2", NOW + HOUR, NOW).incident
    assert silent.state is IncidentState.STOPPED
    assert silent.is_silent(NOW)
    spoken = end_silence(silent, on_team(), NOW + HOUR).incident
    assert (spoken.state, spoken.silenced_until, spoken.silenced_by) == (IncidentState.STOPPED, None, None)


def test_the_end_of_a_silence_in_which_nothing_rose_is_not_worth_a_line():
    """It is recorded, and the root shows that it speaks again."""
    silent = silence(an_incident(), "U2", NOW + HOUR, NOW).incident
    change = end_silence(silent, on_team(), NOW + HOUR)
    event = only(change)
    assert (event.is_said, event.is_loud, event.values["by"], event.values["level"]) == (False, False, None, None)
    assert (change.root, change.incident.state) == (RootAction.EDIT, IncidentState.OPEN)
    assert refusal(end_silence, change.incident, on_team(), NOW + HOUR) is IncidentMistake.NOT_SILENCED


def test_the_end_of_a_silence_in_which_it_rose_is_one_loud_summary():
    """With the highest level and the present amounts; the level counts as told from then on."""
    silent = silence(an_incident(), "U2", NOW + HOUR, NOW).incident
    risen = replace(silent, level=200, spent=Money.of(1001))
    change = end_silence(risen, on_team(), NOW, "U2")
    event = only(change)
    assert event.is_loud
    assert event.values == {
        "by": "U2", "level": 200, "spent": "1001", "limit": "500", "currency": "USD", "percent": 200,
        "state": "estimate",
    }  # fmt: skip
    assert change.broadcasts(event)
    assert change.incident.spoken_level == 200


def test_a_quiet_level_is_no_summary():
    """Half a budget reached in silence is nothing to shout about afterwards."""
    silent = silence(an_incident(level=50, spoken_level=0), "U2", NOW + HOUR, NOW).incident
    change = end_silence(silent, on_team(), NOW + HOUR)
    assert not only(change).is_said
    assert change.root is RootAction.NONE


def test_silence_does_not_run_out_early():
    """Only a person ends it before its time."""
    silent = silence(an_incident(), "U2", NOW + HOUR, NOW).incident
    assert refusal(end_silence, silent, on_team(), NOW + HOUR / 2) is IncidentMistake.SILENCE_RUNS
    assert end_silence(silent, on_team(), NOW + HOUR / 2, "U2").incident.state is IncidentState.OPEN


# --- the limit changes -----------------------------------------------------------------------------------------------


def test_a_changed_limit_says_who_changed_it_and_when_the_next_word_falls():
    """A higher limit is a new agreement: $742 of it is 74 per cent, and its 75 will be told. A lower one is not."""
    raised = on_team(a_budget(1000, updated_by="U9"))
    change = budget_changed(an_incident(), raised, NOW)
    event = only(change)
    assert (event.kind, event.is_said, event.is_loud) == (EventKind.BUDGET_CHANGED, True, False)
    assert event.values == {
        "by": "U9", "limit_before": "500", "currency_before": "USD", "next_level": 75,
        "spent": "742", "limit": "1000", "currency": "USD", "percent": 74, "state": "estimate",
    }  # fmt: skip
    after = change.incident
    assert (after.limit, after.level, after.spoken_level, change.root) == (Money.of(1000), 50, 50, RootAction.EDIT)
    ample = budget_changed(an_incident(), on_team(a_budget(100_000)), NOW).incident
    assert (ample.has_root, ample.level) == (True, 1)
    lowered = budget_changed(an_incident(), on_team(a_budget(400)), NOW).incident
    assert (lowered.level, lowered.spoken_level) == (100, 100)
    last = only(budget_changed(an_incident(level=300, spoken_level=300), on_team(a_budget(100)), NOW))
    assert last.values["next_level"] is None
    half = only(budget_changed(an_incident(), on_team(a_budget(400)), NOW))
    assert (half.values["percent"], half.values["next_level"]) == (185, 200), "150 is passed, and told at once"
    won = only(budget_changed(an_incident(), on_team(a_budget(Money.of(900000, "KRW"), floor=Money.zero("KRW"))), NOW))
    assert (won.values["percent"], won.values["currency"], won.values["currency_before"]) == (None, "KRW", "USD")


# --- the end ---------------------------------------------------------------------------------------------------------


def test_a_period_closes_an_incident_once_and_not_before_its_end():
    """With the final amount; the root takes its closing form, and nobody is called."""
    assert refusal(close, an_incident(), CloseReason.PERIOD_ENDED, TOMORROW - HOUR) is IncidentMistake.PERIOD_RUNS
    change = close(an_incident(), CloseReason.PERIOD_ENDED, TOMORROW, spent(815, FigureState.PROVISIONAL))
    event = only(change)
    assert (event.key, event.is_said, event.is_loud) == ("closed", True, False)
    assert event.values == {
        "reason": "period_ended", "level": 100, "spent": "815", "limit": "500", "currency": "USD", "percent": 163,
        "state": "provisional",
    }  # fmt: skip
    closed = change.incident
    assert (closed.state, closed.closed_at, change.root) == (IncidentState.CLOSED, TOMORROW, RootAction.EDIT)
    assert refusal(close, closed, CloseReason.PERIOD_ENDED, TOMORROW) is IncidentMistake.CLOSED


def test_an_incident_nobody_heard_of_ends_unheard():
    """There is no root to edit and no thread to write to; in silence the thread stays silent."""
    quiet = close(an_incident(level=50, spoken_level=0), CloseReason.PERIOD_ENDED, TOMORROW)
    assert (quiet.root, only(quiet).is_said) == (RootAction.NONE, False)
    silent = silence(an_incident(), "U2", TOMORROW + HOUR, NOW).incident
    hushed = close(silent, CloseReason.PERIOD_ENDED, TOMORROW)
    assert (hushed.root, only(hushed).is_said) == (RootAction.EDIT, False)


@pytest.mark.parametrize("reason", [CloseReason.PERIOD_ENDED, CloseReason.BUDGET_DISABLED])
def test_what_rose_in_a_silence_that_outlasts_the_period_is_said_at_its_end(reason: CloseReason):
    """The window promises one message at the end; it rings nobody, for nothing is left to do."""
    silent = silence(an_incident(), "U2", TOMORROW + HOUR, NOW).incident
    change = close(replace(silent, level=200, spent=Money.of(1001)), reason, TOMORROW)
    assert (only(change).is_said, only(change).is_loud, only(change).values["rose"]) == (True, False, 200)


@pytest.mark.parametrize("reason", [reason for reason in CloseReason if reason is not CloseReason.PERIOD_ENDED])
def test_a_budget_that_ends_closes_its_incident_at_once(reason: CloseReason):
    """Switched off, deleted, or with nothing left to watch."""
    change = close(an_incident(), reason, NOW)
    assert (change.incident.state, only(change).values["reason"]) == (IncidentState.CLOSED, reason.value)
    assert change.incident.spent == Money.of(742)


def test_a_closed_incident_refuses_everything():
    """And says how it stands, so that a stale button can explain."""
    closed = close(an_incident(), CloseReason.PERIOD_ENDED, TOMORROW).incident
    for attempt in (
        lambda: acknowledge(closed, "U2", TOMORROW),
        lambda: silence(closed, "U2", TOMORROW + HOUR, TOMORROW),
        lambda: end_silence(closed, on_team(), TOMORROW, "U2"),
        lambda: budget_changed(closed, on_team(), TOMORROW),
    ):
        with pytest.raises(IncidentRefused) as refused:
            attempt()
        assert refused.value.code is IncidentMistake.CLOSED
        assert refused.value.incident is closed


def test_an_incident_is_over_when_its_period_is():
    """A week from Monday 29 June is over on Monday 6 July, 00:00 UTC."""
    weekly = an_incident(period=BudgetPeriod.WEEK, window=Period(date(2026, 6, 29), date(2026, 7, 6)))
    assert not weekly.is_over(datetime(2026, 7, 5, 23, 59, 59, tzinfo=UTC))
    assert weekly.is_over(datetime(2026, 7, 6, tzinfo=UTC))
    assert an_incident().window.start == TODAY


def test_an_opinion_is_recorded_once_per_person_and_not_said():
    """Two people have two opinions, one person one of each kind."""
    yes, no = feedback("U2", NOW, is_helpful=True), feedback("U2", NOW, is_helpful=False)
    assert (yes.key, no.key, yes.is_said, yes.values) == ("helpful:U2", "not_helpful:U2", False, {"by": "U2"})
    assert feedback("U2", NOW + HOUR, is_helpful=True).key == yes.key
