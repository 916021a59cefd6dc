"""Losses avoided: as long as a stop held, at paces from before it, less the usual and the leak; never below zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.losses import Saved, Stretch, saved, together
from finops.money import Money

STOPPED = datetime(2026, 7, 6, 14, 0, tzinfo=UTC)
NOTHING = Money.of(0)
hours = st.lists(st.decimals(0, 10, places=4).map(Money), min_size=60, max_size=60)
amounts = st.decimals(0, 50, places=2).map(Money)
stretches = st.integers(0, 600)


def dollars(*quarters: str) -> list[Money]:
    """An hour that burns so much in each minute of its quarters."""
    return [Money.of(each) for each in quarters for _ in range(15)]


def after(minutes: int, usual: Money | None = None) -> Stretch:
    return Stretch(STOPPED + timedelta(minutes=minutes), usual)


def test_a_runaway_that_still_grows_makes_the_hour_the_cautious_end():
    """Ten cents a minute for three quarters, a dollar in the last: two hours at each pace, less what leaked."""
    found = saved(dollars("0.1", "0.1", "0.1", "1"), STOPPED, after(120), after(120), Money.of(3))
    assert found == Saved(Money.of("36"), Money.of("117"), STOPPED + timedelta(hours=2))


def test_a_runaway_that_calms_down_claims_no_more_than_its_last_five_minutes():
    """A dollar a minute until five minutes before, then two cents: nobody knows that it would have come back."""
    hour = [*dollars("1", "1", "1", "1")[:-5], *[Money.of("0.02")] * 5]
    found = saved(hour, STOPPED, after(60), after(60), NOTHING)
    assert found is not None
    assert found.low == Money.of("1.2")
    assert found.high == Money.of("55.1")


def test_while_it_holds_the_careful_end_is_what_was_kept_so_far():
    """Ten minutes seen, the rest of the day ahead."""
    found = saved(dollars(*["1"] * 4), STOPPED, after(10), after(600), Money.of(2))
    assert found == Saved(Money.of(8), Money.of(598), STOPPED + timedelta(hours=10), is_over=False)


def test_usual_spending_is_no_loss():
    """What is spent every day anyway was not kept from being spent."""
    usual = after(60, Money.of(15))
    found = saved(dollars(*["1"] * 4), STOPPED, usual, usual, NOTHING)
    assert found is not None
    assert found.low == found.high == Money.of(45)


@given(hours, amounts, stretches, stretches, st.none() | amounts, st.none() | amounts)
def test_the_range_is_in_order_and_no_end_is_below_zero(
    hour: list[Money], leak: Money, one: int, other: int, usual: Money | None, usual_ahead: Money | None
):
    """Whatever was spent and is usual; and of no time there is nothing to say."""
    sure, ahead = after(min(one, other), usual), after(max(one, other), usual_ahead)
    found = saved(hour, STOPPED, sure, ahead, leak)
    assert (found is None) == (max(one, other) == 0)
    if found is not None:
        assert Decimal(0) <= found.low.amount <= found.high.amount
        assert found.is_over == (one == other)
        more = saved(hour, STOPPED, sure, ahead, leak + Money.of(1))
        assert more is not None
        assert more.high.amount <= found.high.amount


@given(hours, amounts, st.integers(1, 600), st.integers(0, 600))
def test_a_restore_ends_it(hour: list[Money], leak: Money, held: int, left: int):
    """Restored after so many minutes, neither end claims anything of the rest of the day."""
    restored = saved(hour, STOPPED, after(held), after(held), leak)
    holding = saved(hour, STOPPED, after(held), after(held + left), leak)
    assert restored is not None
    assert holding is not None
    assert restored.low == holding.low
    assert restored.high.amount <= holding.high.amount
    assert restored.is_over
    dearest = max(one.amount for one in hour)
    assert restored.high.amount <= dearest * held


def test_several_projects_add_up_each_with_its_own_times():
    """One restored, one held still: together they are not over."""
    one = Saved(Money.of(1), Money.of(2), STOPPED)
    other = Saved(Money.of(3), Money.of("4.5"), STOPPED + timedelta(hours=1), is_over=False)
    assert together([one, other]) == Saved(Money.of(4), Money.of("6.5"), other.until, is_over=False)
    assert together([]) is None


def test_an_hour_that_is_not_known_whole_says_nothing():
    """Unknown is not zero."""
    until = after(60)
    assert saved(dollars("1", "1", "1"), STOPPED, until, until, NOTHING) is None
    assert saved([], STOPPED, until, until, NOTHING) is None
