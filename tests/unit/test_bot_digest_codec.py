"""A digest that is kept comes back as it was: to the last digit, with its zones, also after the words have grown."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.digest_codec import decoded, encoded
from finops.axes import Axes, Axis, AxisShare
from finops.charges import FigureState
from finops.digest import Advice, AdviceKind, Baseline, Digest, DigestProject, Unranked
from finops.figures import DayFigure, Figure, Scope, ScopeKind
from finops.money import Money
from finops.periods import Period
from finops.value import Interval, MoneyInterval, ValueFigure, ValueSource
from finops.why import Factor, Why, WhyKind, WhyPart

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**9), max_value=10**9)
ratios = st.none() | st.decimals(allow_nan=False, allow_infinity=False)
money = st.builds(Money, amounts, st.sampled_from(["USD", "KRW"]))
days = st.dates(date(2024, 1, 1), date(2030, 1, 1))
periods = st.builds(lambda day, length: Period(day, day + timedelta(days=length)), days, st.integers(0, 31))
zones = st.sampled_from([UTC, ZoneInfo("Asia/Seoul"), timezone(timedelta(hours=-3, minutes=-30))])
moments = st.builds(datetime.fromtimestamp, st.integers(1_700_000_000, 1_900_000_000), zones)
states, small, words = st.sampled_from(FigureState), st.integers(0, 10**12), st.text(max_size=12)
figures = st.builds(Figure, st.none() | money, periods, states, st.none() | moments, small, st.none() | moments, small)
intervals = st.builds(Interval, amounts, ratios)
values = st.builds(
    ValueFigure, st.sampled_from(ValueSource), small, small, small, ratios, st.none() | intervals, ratios, small,
    st.none() | money, st.none() | st.builds(MoneyInterval, money, st.none() | money), ratios, st.none() | moments,
)  # fmt: skip
parts = st.builds(WhyPart, st.sampled_from(Factor), money, ratios, ratios, ratios, st.none() | words)
whys = st.builds(
    Why, periods, periods, money, money, st.lists(parts, max_size=3).map(tuple), st.sampled_from(WhyKind), ratios
)
advices = st.builds(Advice, st.sampled_from(AdviceKind), st.none() | small, words, st.none() | money)
projects = st.builds(
    DigestProject, small, words, words, money, st.none() | money, values, st.sampled_from(Baseline), ratios,
    st.none() | intervals, st.none() | st.sampled_from(Unranked), st.none() | whys, st.none() | advices,
)  # fmt: skip
several = st.lists(projects, max_size=2).map(tuple)
shares = st.builds(AxisShare, st.sampled_from(Axis), money, ratios, st.none() | st.tuples(amounts, amounts))
digests = st.builds(
    Digest,
    st.builds(Scope, st.sampled_from(ScopeKind), st.none() | small, words), periods, moments, figures, figures, ratios,
    values, several, several, several,
    st.lists(st.builds(DayFigure, days, st.none() | money, states, small, small), max_size=3).map(tuple),
    st.none() | st.builds(Axes, st.lists(shares, max_size=2).map(tuple), money), st.none() | whys, advices,
    st.none() | money, st.booleans(),
)  # fmt: skip


@given(digests)
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_what_is_kept_comes_back_exactly(digest: Digest):
    facts = json.loads(json.dumps(encoded(digest)))
    assert decoded(facts) == digest
    assert encoded(decoded(facts)) == facts


def a_digest() -> Digest:
    week = Period(date(2026, 6, 29), date(2026, 7, 6))
    nothing = Figure(None, week, FigureState.BLIND, None, unread_days=7)
    return Digest(
        Scope(ScopeKind.WORKSPACE, None, ""), week, datetime(2026, 7, 6, tzinfo=UTC), nothing, nothing, None,
        ValueFigure(ValueSource.NONE), (), (), (), (), None, None, Advice(AdviceKind.NONE),
    )  # fmt: skip


def test_what_is_at_its_default_is_not_kept_and_words_of_a_later_version_are_left():
    facts = encoded(a_digest())
    assert "unallocated" not in facts
    assert facts["week"] == "2026-06-29/2026-07-06"
    assert decoded({**facts, "of_a_later_version": {"a": 1}}) == a_digest()


def test_what_is_missing_and_has_no_default_is_refused():
    facts = encoded(a_digest())
    del facts["total"]
    with pytest.raises(KeyError, match="total"):
        decoded(facts)


def test_digits_are_kept_as_written():
    facts = encoded(a_digest())
    facts["unallocated"] = "0.10"
    assert str(decoded(facts).unallocated) == str(Money(Decimal("0.10")))
