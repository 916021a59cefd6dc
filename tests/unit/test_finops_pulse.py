"""The pulse over weeks: enough answers or none, nothing of what is still open, and nothing that can be subtracted."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.pulse import LEAST, WEEKS, PulseState, PulseTally, pulse_of, pulse_weeks

MONDAY = date(2026, 7, 6)
counts = st.integers(0, 4)
tallies = st.lists(
    st.builds(
        PulseTally,
        week=st.integers(0, WEEKS + 2).map(lambda back: MONDAY - timedelta(days=7 * back)),
        is_open=st.booleans(),
        good=counts,
        fair=counts,
        poor=counts,
    ),
    max_size=20,
)


@given(tallies, st.integers(1, 7))
def test_a_week_is_told_with_five_answers_at_least_and_alone(given_: list[PulseTally], days: int) -> None:
    """What a week says depends on no other week and no other day it is asked on, so nothing can be subtracted."""
    weeks = pulse_of(MONDAY + timedelta(days=days), given_)
    for one in weeks:
        mine = [tally for tally in given_ if tally.week == one.week]
        answers = sum(tally.good + tally.fair + tally.poor for tally in mine)
        assert (one.state is PulseState.NOT_ASKED) == (not mine)
        assert (one.state is PulseState.TOLD) == (answers >= LEAST and not any(tally.is_open for tally in mine))
        assert one.answers == (answers if one.state is PulseState.TOLD else 0)
        assert (one.share is None) == (one.state is not PulseState.TOLD)
    assert not weeks or weeks[0].state is not PulseState.NOT_ASKED


def test_the_last_eight_digests_are_those_told_before_the_day() -> None:
    """The digest of a week is told on the Monday after it: on that very Monday it is not due yet before the day."""
    assert pulse_weeks(MONDAY + timedelta(days=1))[-1] == MONDAY - timedelta(days=7)
    assert pulse_weeks(MONDAY)[-1] == MONDAY - timedelta(days=14)
    assert len(pulse_weeks(MONDAY)) == WEEKS
    [told] = pulse_of(MONDAY, [PulseTally(MONDAY - timedelta(days=14), is_open=False, good=4, fair=1)])
    assert told.share == Decimal("0.8")
    assert pulse_of(MONDAY, []) == ()
