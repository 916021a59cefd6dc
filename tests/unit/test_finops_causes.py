"""Causes: a retry loop is told from more traffic, longer requests and a dearer model; and since when it burns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.causes import Activity, Cause, CauseKind, burn_per_minute, burning_since, cause, is_unusual
from finops.money import EXACT, Money

NOW = datetime(2026, 7, 3, 5, 0, tzinfo=UTC)


def did(requests: int, tokens: int, dollars: str) -> Activity:
    return Activity(requests, tokens, Money.of(dollars))


USUAL = did(100, 100_000, "50")


@pytest.mark.parametrize(
    ("today", "kind"),
    [
        (did(1500, 1_500_000, "742"), CauseKind.RETRY_LOOP),
        (did(300, 300_000, "150"), CauseKind.RETRY_LOOP),
        (did(300, 360_000, "180"), CauseKind.RETRY_LOOP),
        (did(300, 240_000, "120"), CauseKind.RETRY_LOOP),
        (did(300, 360_300, "180"), CauseKind.MORE_TRAFFIC),
        (did(299, 299_000, "150"), CauseKind.MORE_TRAFFIC),
        (did(300, 1_500_000, "750"), CauseKind.LONGER_REQUESTS),
        (did(100, 400_000, "200"), CauseKind.LONGER_REQUESTS),
        (did(110, 110_000, "742"), CauseKind.DEARER_MODEL),
        (did(118, 118_000, "59"), CauseKind.UNKNOWN),
        (did(1500, 1_500_000, "50"), CauseKind.UNKNOWN),
        (did(0, 0, "60"), CauseKind.UNKNOWN),
    ],
)
def test_the_cause_is_named_by_what_grew(today: Activity, kind: CauseKind):
    """Fifteen times the calls with the same tokens each is a retry loop; what costs no more has no cause."""
    assert cause(today, USUAL).kind is kind


def test_the_factors_are_those_of_the_story():
    """15 times the calls, the same tokens per call, a hair less per token."""
    found = cause(did(1500, 1_500_000, "742"), USUAL)
    assert found.cost_per_token_factor is not None
    assert (found.requests_factor, found.tokens_per_request_factor, round(found.cost_per_token_factor, 4)) == (
        15, 1, Decimal("0.9893"),
    )  # fmt: skip


@pytest.mark.parametrize("usual", [did(0, 0, "0"), did(0, 0, "5")])
def test_without_anything_usual_there_is_no_cause(usual: Activity):
    """Unknown, not infinite."""
    assert cause(did(1500, 1_500_000, "742"), usual) == Cause(None, None, None, CauseKind.UNKNOWN)


def test_what_has_no_tokens_can_still_be_more_traffic():
    """Images and searches; how long they are nobody knows, so it is not called a loop."""
    assert cause(did(1500, 0, "742"), did(100, 0, "50")) == Cause(Decimal(15), None, None, CauseKind.MORE_TRAFFIC)


def test_two_currencies_have_no_price_factor():
    """They are not compared; the calls still are."""
    won = Activity(100, 100_000, Money.of(70_000, "KRW"))
    assert cause(did(1500, 1_500_000, "742"), won) == Cause(Decimal(15), Decimal(1), None, CauseKind.RETRY_LOOP)


counts = st.integers(1, 10**9)
costs = st.decimals("0.01", "100000", places=9)


@given(counts, counts, costs, counts, counts, costs)
def test_the_factors_multiply_to_the_growth_of_cost(r1: int, t1: int, c1: Decimal, r2: int, t2: int, c2: Decimal):
    """Requests x tokens per request x cost per token."""
    found = cause(Activity(r1, t1, Money(c1)), Activity(r2, t2, Money(c2)))
    product = Decimal(1)
    for factor in (found.requests_factor, found.tokens_per_request_factor, found.cost_per_token_factor):
        assert factor is not None
        product = EXACT.multiply(product, factor)
    growth = EXACT.divide(c1, c2)
    assert abs(product - growth) <= growth * Decimal("1e-27")


def test_nobody_asks_less_than_nothing():
    """A negative count is a broken sum."""
    with pytest.raises(ValueError, match="less than nothing"):
        did(-1, 0, "1")
    with pytest.raises(ValueError, match="less than nothing"):
        did(1, -1, "1")


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
