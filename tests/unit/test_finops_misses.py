"""Misses: a period over its limit of which nobody was told in time, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import FigureState
from finops.incidents import EventKind, IncidentEvent
from finops.misses import Ended, Judgement, Misses, judge, miss
from finops.money import Money
from finops.periods import starts_at
from tests.unit.breaching import TODAY, a_budget, an_incident, on_team

WINDOW = an_incident().window
START, END = starts_at(WINDOW.start), starts_at(WINDOW.end)
LAST = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def ended(spent: object = 742, state: FigureState = FigureState.SETTLED, *, days: int = 4, **budget: Any) -> Ended:
    """$742 of $500 by the bill, of a budget that is a day older than the period."""
    return Ended(
        on_team(a_budget(**budget)),
        WINDOW,
        Money.of(str(spent)),
        state,
        START - timedelta(days=1),
        END + timedelta(days=days),
    )


def crossed(level: int, at: datetime, *, is_said: bool = True) -> IncidentEvent:
    is_loud = is_said and level >= 75
    values = {"level": level, "levels": [level]}
    return IncidentEvent(EventKind.CROSSED, at, f"crossed:{level}:500", values, is_loud, is_said)


def silenced(at: datetime, until: datetime) -> IncidentEvent:
    values = {"by": "U1", "until": until.isoformat()}
    return IncidentEvent(EventKind.SILENCED, at, f"silenced:{at.isoformat()}", values)


def spoke_again(at: datetime, level: int | None) -> IncidentEvent:
    is_loud = level is not None
    return IncidentEvent(EventKind.SILENCE_ENDED, at, f"ended:{at.isoformat()}", {"level": level}, is_loud, is_loud)


NOON = START + 12 * HOUR


@pytest.mark.parametrize(
    ("events", "judgement"),
    [
        ([], Judgement.MISSED),
        ([crossed(90, NOON)], Judgement.MISSED),
        ([crossed(100, NOON)], Judgement.TOLD),
        ([crossed(150, END - 2 * LAST)], Judgement.TOLD),
        ([crossed(100, END - LAST)], Judgement.MISSED),  # seen after the end, recorded in the last instant
        ([crossed(90, NOON), crossed(100, END + HOUR)], Judgement.MISSED),
        ([silenced(NOON, NOON + HOUR), crossed(100, NOON, is_said=False)], Judgement.SILENCED),
        ([silenced(NOON, END + HOUR)], Judgement.SILENCED),
        ([silenced(NOON, NOON + HOUR), spoke_again(NOON + HOUR, None)], Judgement.MISSED),
        ([silenced(NOON, END + HOUR), spoke_again(NOON + HOUR, None)], Judgement.MISSED),
        ([silenced(NOON, NOON + HOUR), spoke_again(NOON + HOUR, 100)], Judgement.TOLD),
    ],
)
def test_told_is_what_was_loud_before_the_end(events: list[IncidentEvent], judgement: Judgement) -> None:
    assert judge(ended(), events) is judgement


def test_touching_the_limit_is_reaching_it_and_nothing_below_is_missed() -> None:
    assert judge(ended(500), []) is Judgement.MISSED
    assert judge(ended("499.99"), []) is Judgement.WITHIN
    assert judge(ended(floor=Money.of(1000)), []) is Judgement.WITHIN
    assert judge(ended(levels=(50, 200)), []) is Judgement.WITHIN


def test_what_cannot_be_known_is_told_apart() -> None:
    assert judge(ended(state=FigureState.BLIND), []) is Judgement.BLIND
    assert judge(ended(state=FigureState.ESTIMATE), []) is Judgement.BLIND
    assert judge(ended(state=FigureState.ESTIMATE, days=2), []) is Judgement.EARLY
    assert judge(ended(state=FigureState.BLIND, days=2), []) is Judgement.BLIND
    assert judge(replace(ended(), since=START), []) is Judgement.CHANGED
    assert not Misses(judged=3, blind=1).is_whole
    assert not Misses(judged=3, changed=1).is_whole
    assert not Misses(judged=3, early=1).is_whole
    assert not Misses().is_whole
    assert Misses(judged=3).is_whole


def test_a_miss_says_whose_limit_when_and_by_how_much() -> None:
    found = miss(ended())
    assert (found.scope.name, found.window.start) == (on_team().scope.name, TODAY)
    assert (found.spent, found.limit) == (Money.of(742), Money.of(500))


moments = st.integers(min_value=0, max_value=30 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
happenings = st.one_of(
    st.builds(crossed, st.sampled_from((50, 75, 90, 100, 150, 300)), moments, is_said=st.booleans()),
    st.builds(lambda at, hours: silenced(at, at + hours * HOUR), moments, st.integers(1, 30)),
    st.builds(spoke_again, moments, st.sampled_from((None, 90, 100, 200))),
)


@given(
    st.lists(happenings, max_size=6),
    st.sampled_from((100, 150, 300)),
    st.integers(min_value=0, max_value=24 * 60 - 1),
    st.integers(min_value=0, max_value=5000),
    st.sampled_from(FigureState),
)
def test_a_period_with_a_told_limit_is_never_a_miss(
    others: list[IncidentEvent], level: int, minute: int, spent: int, state: FigureState
) -> None:
    told = crossed(level, START + timedelta(minutes=minute))
    events = sorted([*others, told], key=lambda one: one.at)
    assert judge(ended(spent, state), events) is not Judgement.MISSED


@given(st.lists(happenings, max_size=6), st.integers(min_value=0, max_value=5000))
def test_a_miss_is_above_the_limit_and_nothing_loud_told_it_in_time(events: list[IncidentEvent], spent: int) -> None:
    events = sorted(events, key=lambda one: one.at)
    if judge(ended(spent), events) is Judgement.MISSED:
        assert spent >= 500
        assert not any(one.is_loud and one.at < END - LAST and (one.values["level"] or 0) >= 100 for one in events)  # type: ignore[operator]
