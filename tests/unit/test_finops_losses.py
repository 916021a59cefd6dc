"""Losses avoided: a range from the last hour and its last quarter, never below zero, and unknown where it is that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.losses import saved
from finops.money import Money

STOPPED = datetime(2026, 7, 6, 14, 0, tzinfo=UTC)
NOTHING = Money.of(0)
hours = st.lists(st.decimals(0, 10, places=4).map(Money), min_size=60, max_size=60)
leaks = st.decimals(0, 50, places=2).map(Money)


def dollars(*quarters: str) -> list[Money]:
    """An hour that burns so much in each minute of its quarters."""
    return [Money.of(each) for each in quarters for _ in range(15)]


def test_a_runaway_that_still_grows_makes_the_hour_the_cautious_end():
    """Ten cents a minute for three quarters, a dollar in the last: two hours at each pace, less what leaked."""
    found = saved(dollars("0.1", "0.1", "0.1", "1"), STOPPED, STOPPED + timedelta(hours=2), Money.of(3), None)
    assert found is not None
    assert (found.low, found.high) == (Money.of("36"), Money.of("117"))
    assert found.middle == found.low


def test_usual_spending_is_no_loss():
    """What is spent every day anyway was not kept from being spent."""
    found = saved(dollars(*["1"] * 4), STOPPED, STOPPED + timedelta(hours=1), NOTHING, Money.of("0.25"))
    assert found is not None
    assert found.low == found.high == Money.of(45)


@given(hours, leaks, st.integers(-10, 10_000))
def test_the_range_holds_its_middle_and_no_end_is_below_zero(hour: list[Money], leak: Money, minutes: int):
    """Whatever was spent; and of no time there is nothing to say."""
    found = saved(hour, STOPPED, STOPPED + timedelta(minutes=minutes), leak, None)
    assert (found is None) == (minutes <= 0)
    if found is not None:
        assert Decimal(0) <= found.low.amount <= found.middle.amount <= found.high.amount
        more = saved(hour, STOPPED, STOPPED + timedelta(minutes=minutes), leak + Money.of(1), None)
        assert more is not None
        assert more.high.amount <= found.high.amount


def test_an_hour_that_is_not_known_whole_says_nothing():
    """Unknown is not zero."""
    until = STOPPED + timedelta(hours=1)
    assert saved(dollars("1", "1", "1"), STOPPED, until, NOTHING, None) is None
    assert saved([], STOPPED, until, NOTHING, None) is None
