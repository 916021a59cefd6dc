"""Exchange: exact to the unit, the same for cost and credit, never for another currency, never without its age."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finops.exchange import (
    LONGEST_SOURCE,
    OLD_AFTER_DAYS,
    PLAUSIBLE,
    Beside,
    Converter,
    Rate,
    RateChange,
    RateMistake,
    RateUnusable,
    converter,
    rate_typed,
)
from finops.money import CurrencyMismatch, Money, total

DAY = date(2026, 11, 20)
WON = Rate(Beside.KRW, Decimal("1375.5"), DAY)
amounts = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=18)
rates = st.builds(
    Rate,
    st.sampled_from(Beside),
    st.decimals(Decimal(50), Decimal(5000), allow_nan=False, allow_infinity=False, places=6),
    st.just(DAY),
)


@example(Decimal(1), WON)  # half a won
@example(Decimal(-1), WON)
@given(amounts, rates)
def test_a_conversion_lies_within_half_a_unit_of_the_exact_product(amount: Decimal, rate: Rate) -> None:
    """Checked with fractions, which know no rounding; half a unit itself goes away from zero."""
    found = rate.of(Money(amount))
    exact = Fraction(amount) * Fraction(rate.per_dollar)
    off = Fraction(found.amount) - exact
    assert found.currency == rate.currency.value
    assert found.amount == found.amount.to_integral_value()
    assert abs(off) <= Fraction(1, 2)
    if abs(off) == Fraction(1, 2):
        assert abs(found.amount) > abs(exact)


@given(amounts, rates)
def test_a_credit_is_exactly_the_opposite_of_the_same_cost(amount: Decimal, rate: Rate) -> None:
    """Signs may be mixed on a bill; a refund of what was paid leaves nothing."""
    assert rate.of(Money(-amount)).amount == -rate.of(Money(amount)).amount


@given(amounts, amounts, rates)
def test_more_dollars_are_never_less_of_anything(one: Decimal, other: Decimal, rate: Rate) -> None:
    """Rounding does not turn two amounts around."""
    low, high = sorted((one, other))
    assert rate.of(Money(low)) <= rate.of(Money(high))


@given(st.lists(amounts, max_size=8), rates)
def test_converted_parts_may_miss_the_whole_by_their_own_rounding_alone(parts: list[Decimal], rate: Rate) -> None:
    """Why only wholes are converted: each part may be half a unit off, and the whole half a unit of its own."""
    whole = rate.of(total(Money(part) for part in parts))
    summed = total((rate.of(Money(part)) for part in parts), rate.currency.value)
    assert abs((summed - whole).amount) <= Decimal(len(parts) + 1) / 2


@pytest.mark.parametrize(
    ("amount", "per_dollar", "found"),
    [
        ("742", "1375.5", 1020621),
        ("1", "1375.5", 1376),
        ("-1", "1375.5", -1376),
        ("3", "1375.5", 4127),  # half to even would say 4126
        ("742", "155.02", 115025),
        ("0.0003", "1375.5", 0),
        ("123456789.123456789", "1375.5", 169814813439),
    ],
)
def test_golden_conversions(amount: str, per_dollar: str, found: int) -> None:
    """By hand."""
    assert Rate(Beside.KRW, Decimal(per_dollar), DAY).of(Money.of(amount)).amount == found


@pytest.mark.parametrize("currency", ["EUR", "KRW", "JPY"])
def test_what_was_not_billed_in_dollars_is_never_converted(currency: str) -> None:
    """The rate of one currency says nothing about another."""
    with pytest.raises(CurrencyMismatch, match="says nothing"):
        WON.of(Money.of(1, currency))
    assert Converter(WON, DAY).of(Money.of(1, currency)) is None


def test_nothing_stands_beside_what_is_unknown_or_nothing() -> None:
    """Unknown is not zero won, and zero is zero in every currency."""
    assert Converter(WON, DAY).of(None) is None
    assert Converter(WON, DAY).of(Money.zero()) is None


@pytest.mark.parametrize("nonsense", [1375.5, 1375, "1375.5"])
def test_a_rate_is_never_a_float(nonsense: Any) -> None:
    """It would be wrong already when it arrives."""
    with pytest.raises(TypeError, match="never a"):
        Rate(Beside.KRW, nonsense, DAY)


@pytest.mark.parametrize("nonsense", ["0", "-1375.5", "NaN", "Infinity"])
def test_a_rate_is_more_than_nothing(nonsense: str) -> None:
    """Whoever made it, and from whatever row."""
    with pytest.raises(ValueError, match="more than nothing"):
        Rate(Beside.KRW, Decimal(nonsense), DAY)


@pytest.mark.parametrize(("days", "is_old"), [(-1, False), (0, False), (OLD_AFTER_DAYS, False), (8, True)])
def test_a_rate_is_old_after_a_week(days: int, is_old: bool) -> None:
    """From then on its age is told; a day that begins earlier in the east is no age."""
    held = Converter(WON, DAY + timedelta(days=days))
    assert (held.is_old, held.age_days) == (is_old, max(0, days))


def test_nobody_asked_for_a_currency_until_somebody_did() -> None:
    """Before the first decision, and after one for dollars alone, there is no converter."""
    now = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert converter(None, now) is None
    assert converter(RateChange(None, "U1", now), now) is None
    assert converter(RateChange(WON, "U1", now), now) == Converter(WON, date(2026, 11, 22))


@pytest.mark.parametrize(
    ("currency", "text", "found"),
    [
        ("KRW", "1375.5", "1375.5"),
        ("KRW", " 1,375.50 ", "1375.5"),
        ("KRW", "1,375.50원", "1375.5"),
        ("KRW", "₩1375", "1375"),
        ("KRW", "1 USD = 1,375.50 KRW", "1375.5"),
        ("KRW", "1500.00", "1500"),
        ("JPY", "155.02円", "155.02"),
        ("JPY", "￥155", "155"),
        ("JPY", "１５５．０２", "155.02"),
    ],
)
def test_a_rate_is_read_as_people_type_it(currency: str, text: str, found: str) -> None:
    """And kept in one way, so that the same rate is the same."""
    rate = rate_typed(currency, text, DAY, "", DAY)
    assert f"{rate.per_dollar:f}" == found


@pytest.mark.parametrize(
    ("currency", "text", "mistake"),
    [
        ("EUR", "0.9", RateMistake.CURRENCY),
        ("", "1375.5", RateMistake.CURRENCY),
        ("KRW", " ", RateMistake.MISSING),
        ("KRW", "많이", RateMistake.UNREADABLE),
        ("KRW", "1.375,50", RateMistake.UNREADABLE),
        ("KRW", "1,3755", RateMistake.UNREADABLE),
        ("KRW", "155円", RateMistake.UNREADABLE),
        ("KRW", "NaN", RateMistake.UNREADABLE),
        ("KRW", "1e3", RateMistake.UNREADABLE),
        ("KRW", "0", RateMistake.NOT_POSITIVE),
        ("KRW", "-1375.5", RateMistake.NOT_POSITIVE),
        ("KRW", "13.75", RateMistake.IMPLAUSIBLE),
        ("KRW", "137550", RateMistake.IMPLAUSIBLE),
        ("KRW", "0.000727", RateMistake.IMPLAUSIBLE),
        ("KRW", "155.02", RateMistake.IMPLAUSIBLE),
        ("JPY", "1375.5", RateMistake.IMPLAUSIBLE),
        ("JPY", "155.1234567", RateMistake.TOO_FINE),
    ],
)
def test_what_is_no_rate_is_refused_for_its_reason(currency: str, text: str, mistake: RateMistake) -> None:
    """Nobody's report is a hundred times too small because a point slipped."""
    with pytest.raises(RateUnusable) as refused:
        rate_typed(currency, text, DAY, "", DAY)
    assert refused.value.mistake is mistake


@pytest.mark.parametrize(
    ("day", "mistake"), [(None, RateMistake.DAY_MISSING), (DAY + timedelta(days=1), RateMistake.DAY_AHEAD)]
)
def test_a_rate_has_a_day_that_has_come(day: date | None, mistake: RateMistake) -> None:
    """Tomorrow's rate is a guess."""
    with pytest.raises(RateUnusable) as refused:
        rate_typed("KRW", "1375.5", day, "", DAY)
    assert refused.value.mistake is mistake


def test_a_source_is_one_short_line() -> None:
    """It stands in a line of small print."""
    assert rate_typed("KRW", "1375.5", DAY, " 하나은행\n 고시 ", DAY).source == "하나은행 고시"
    assert len(rate_typed("KRW", "1375.5", DAY, "x" * 999, DAY).source) == LONGEST_SOURCE


@pytest.mark.parametrize("currency", Beside)
@given(data=st.data())
def test_whatever_is_plausible_is_kept_to_the_last_digit(currency: Beside, data: st.DataObject) -> None:
    """Typed, read, and written again: the same number."""
    low, high = PLAUSIBLE[currency]
    typed = data.draw(st.decimals(low, high, allow_nan=False, allow_infinity=False, places=6))
    assert rate_typed(currency, f"{typed:f}", DAY, "", DAY).per_dollar == typed
