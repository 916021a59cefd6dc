"""Over which minutes a pace is measured: since it burns unusually, and never so that it looks slower than it is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.burning import FEWEST_MINUTES, burn_per_minute, paced_over
from finops.money import Money, total

HALF_AN_HOUR = 30
WHOLE = range(HALF_AN_HOUR)
QUIET, LOOP = Money.of("0.01"), Money.of("0.15")

cents = st.integers(0, 400)
half_hours = st.lists(cents, min_size=HALF_AN_HOUR, max_size=HALF_AN_HOUR)
usuals = st.none() | st.integers(-1, 60).map(Money.of)


def money(amounts: Sequence[int]) -> list[Money]:
    return [Money.of(one) for one in amounts]


def pace(minutes: Sequence[Money], window: range) -> Fraction:
    return Fraction(total(minutes[n] for n in window).amount) / len(window)


def looping(minutes: int, tail: Sequence[Money] = ()) -> list[Money]:
    """A half hour that has looped for some minutes, the last of which are told as they are given."""
    return [QUIET] * (HALF_AN_HOUR - minutes) + [LOOP] * (minutes - len(tail)) + list(tail)


@pytest.mark.parametrize("usual", [None, QUIET, Money.zero()])
def test_a_loop_is_measured_from_the_minute_it_began_in(usual: Money | None):
    found = {minutes: paced_over(looping(minutes), usual) for minutes in range(5, HALF_AN_HOUR)}
    assert found == {minutes: range(HALF_AN_HOUR - minutes, HALF_AN_HOUR) for minutes in found}


def test_a_loop_younger_than_five_minutes_is_measured_over_five_and_a_lump_or_two_are_none():
    for minutes in (1, 2):
        assert paced_over(looping(minutes), QUIET) == WHOLE
    for minutes in (3, 4):
        assert paced_over(looping(minutes), QUIET) == range(25, 30)
    lump = [QUIET] * 27 + [Money.of(50), QUIET, QUIET]
    assert paced_over(lump, QUIET) == WHOLE


def test_what_is_always_so_at_this_time_of_day_is_no_surge_and_a_surge_on_top_of_it_is():
    """Three and a half times the mean of a day and a night is an office at work."""
    office = [Money.of("0.035")] * HALF_AN_HOUR
    assert paced_over(office, QUIET) == WHOLE
    told = [*office[:24], *[LOOP] * 6]
    assert pace(told, paced_over(told, QUIET)) == Fraction(LOOP.amount)


def test_a_job_every_ten_minutes_is_as_fast_as_it_is_on_average():
    job = [Money.of(1), *[Money.zero()] * 9]
    for shift in range(10):
        turned = [*job[shift:], *job[:shift]] * 3
        assert paced_over(turned, Money.of("0.1")) == WHOLE
        assert paced_over(turned, Money.of("0.03")) == WHOLE


@pytest.mark.parametrize("filling", range(1, 6))
def test_minutes_that_still_fill_up_and_minutes_not_told_yet_make_a_loop_no_slower(filling: int):
    """Not told at all, or less than half, is left out; a tail that fills up evenly takes an eighth at most."""
    for minutes in range(11, HALF_AN_HOUR):
        told = looping(minutes, [Money.zero()] * filling)
        assert pace(told, paced_over(told, QUIET)) == Fraction(LOOP.amount), minutes
        told = looping(minutes, [Money(LOOP.amount * (filling - n) / (filling + 1)) for n in range(filling)])
        found = pace(told, paced_over(told, QUIET))
        assert Fraction(LOOP.amount) * 7 / 8 <= found <= Fraction(LOOP.amount), minutes


def test_a_half_told_last_minute_of_a_loop_of_six_is_left_out():
    told = looping(6, [Money.of("0.075")])
    assert paced_over(told, QUIET) == range(24, 29)


def test_once_it_is_calm_for_five_minutes_the_half_hour_is_asked():
    assert paced_over([QUIET] * 15 + [LOOP] * 10 + [QUIET] * 5, QUIET) == WHOLE
    assert paced_over([Money.zero()] * HALF_AN_HOUR, None) == WHOLE
    assert paced_over([], QUIET) == range(0)
    assert paced_over([LOOP, LOOP], None) == range(2)


@given(half_hours, usuals)
def test_it_is_never_slower_than_the_half_hour_nor_faster_than_its_fastest_five_minutes(
    amounts: list[int], usual: Money | None
):
    minutes = money(amounts)
    window = paced_over(minutes, usual)
    assert set(window) <= set(WHOLE)
    assert len(window) >= FEWEST_MINUTES
    assert pace(minutes, window) >= pace(minutes, WHOLE)
    assert pace(minutes, window) <= max(pace(minutes, range(n, n + FEWEST_MINUTES)) for n in range(26))


@given(cents, usuals)
def test_of_what_is_steady_the_half_hour_is_the_pace(amount: int, usual: Money | None):
    assert paced_over(money([amount] * HALF_AN_HOUR), usual) == WHOLE


@given(half_hours, st.integers(1, 60), st.integers(1, 10**6))
def test_in_other_units_it_is_the_same_minutes(amounts: list[int], usual: int, times: int):
    found = paced_over(money(amounts), Money.of(usual))
    assert paced_over(money([one * times for one in amounts]), Money.of(usual * times)) == found


@given(st.lists(half_hours, min_size=2, max_size=4), usuals, st.randoms(use_true_random=False))
def test_whose_spending_it_is_makes_no_difference_and_the_parts_add_up(accounts, usual, chance):
    """In any order the same minutes; over them, what each spends a minute adds up to what all do."""
    window = paced_over(money([sum(each) for each in zip(*accounts, strict=True)]), usual)
    shuffled = list(accounts)
    chance.shuffle(shuffled)
    together = money([sum(each) for each in zip(*shuffled, strict=True)])
    assert paced_over(together, usual) == window
    parts = [Fraction(sum(each[n] for n in window), len(window)) for each in accounts]
    assert sum(parts) == pace(together, window)
    burn = burn_per_minute(total(together[n] for n in window), len(window))
    assert burn is not None
    assert abs(Fraction(burn.amount) - sum(parts)) < Fraction(1, 10**60)


@given(st.integers(2, 28), st.integers(4, 90))
def test_a_loop_that_goes_on_is_never_told_slower_than_a_minute_before(minutes: int, times: int):
    """From its second minute to the last quiet one of the half hour."""
    before, after = (
        pace(told, paced_over(told, Money.of(1)))
        for length in (minutes, minutes + 1)
        for told in [[Money.of(1)] * (HALF_AN_HOUR - length) + [Money.of(times)] * length]
    )
    assert before <= after
