"""Burning: how fast money goes, and since when it goes three times as fast as usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops.burning import burn_per_minute, burning_since, is_unusual
from finops.money import Money

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
