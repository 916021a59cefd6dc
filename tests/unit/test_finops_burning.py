"""Burning: how fast money goes, since when it goes three times as fast as usual, and who uses up a limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.burning import burn_per_minute, burning_since, is_unusual, left_running, uses_up
from finops.money import CurrencyMismatch, Money

NOW = datetime(2026, 7, 3, 5, 0, tzinfo=UTC)


def test_burn_is_spending_by_time():
    """And of no time, unknown."""
    assert burn_per_minute(Money.of(110), 10) == Money.of(11)
    assert burn_per_minute(Money.of(110), 0) is None


def series(*amounts: str) -> list[tuple[datetime, Money]]:
    return [(NOW + timedelta(minutes=5 * n), Money.of(each)) for n, each in enumerate(amounts)]


@pytest.mark.parametrize(
    ("amounts", "since"),
    [
        (("1", "1", "3", "50", "3"), 2),
        (("1", "9", "1", "3", "3"), 3),
        (("9", "9", "9", "9", "9"), 0),
        (("9", "9", "9", "9", "2.99"), None),
        ((), None),
    ],
)
def test_burning_began_where_the_last_unbroken_run_did(amounts: tuple[str, ...], since: int | None):
    """Three times the usual or more; when the latest bucket is calm again it does not burn."""
    expected = None if since is None else NOW + timedelta(minutes=5 * since)
    assert burning_since(series(*amounts), Money.of(1)) == expected


@pytest.mark.parametrize("usual", [None, Money.zero(), Money.of(-1)])
def test_where_nothing_is_usual_any_spending_is_unusual(usual: Money | None):
    """A new project that begins to spend began then."""
    assert burning_since(series("0", "0", "0.01", "5"), usual) == NOW + timedelta(minutes=10)
    assert not is_unusual(Money.zero(), usual)


def test_reaching_the_limit_within_the_period_uses_it_up():
    """$2.50 in 15 minutes is $240 in a day, to the last digit; of no time there is no pace, and no rate between two."""
    assert uses_up(Money.of("2.50"), 15, Money.of(240), 1440)
    assert not uses_up(Money.of("2.499999999999999999"), 15, Money.of(240), 1440)
    with pytest.raises(ValueError, match="no pace"):
        uses_up(Money.of(1), 0, Money.of(1), 1440)
    with pytest.raises(CurrencyMismatch):
        uses_up(Money.of(1), 15, Money.of(1, "KRW"), 1440)


spent_by = st.dictionaries(
    st.integers(1, 6), st.decimals("-2", "50", places=3, allow_nan=False).map(Money), max_size=6
)  # fmt: skip
limits = st.decimals("0", "9999", places=2, allow_nan=False).map(Money)


@given(spent_by, st.sets(st.integers(1, 6)), limits, st.integers(1, 60), st.integers(1, 44_640), st.integers(1, 6))
@settings(max_examples=40, deadline=None, database=None)
def test_who_runs_on_is_everybody_free_or_nobody(
    spent: dict[int, Money], held: set[int], limit: Money, minutes: int, period: int, also: int
):
    """All who spend and are not held, most first, where their pace together makes the limit; holding more adds none."""
    found = left_running(spent, held, limit, minutes=minutes, period_minutes=period)
    free = {one: Fraction(money.amount) for one, money in spent.items() if money.amount > 0 and one not in held}
    reaches = sum(free.values()) * Fraction(period, minutes) >= Fraction(limit.amount)
    assert found == (sorted(free, key=lambda one: (-free[one], one)) if reaches else [])
    assert set(left_running(spent, held | {also}, limit, minutes=minutes, period_minutes=period)) <= set(found) - {also}
