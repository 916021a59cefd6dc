"""Money: exact whatever the size, and parts that always make the whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.money import (
    EXACT,
    CurrencyMismatch,
    Money,
    from_units,
    rounded_parts,
    to_units,
    total,
)

amounts = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=18)
# Thirty decimals is the most any export was seen to print; a sum of those is exact whatever its order.
wild_amounts = st.integers(0, 30).flatmap(
    lambda places: st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=places)
)


@pytest.mark.parametrize("nonsense", [0.1, 1, "1.00", None])
def test_money_is_made_of_a_decimal_and_nothing_else(nonsense: Any) -> None:
    """A float would be wrong already when it arrives."""
    with pytest.raises(TypeError, match="never a"):
        Money(nonsense)


@pytest.mark.parametrize("nonsense", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_money_is_finite(nonsense: str) -> None:
    """Nobody owes an infinity."""
    with pytest.raises(ValueError, match="finite"):
        Money.of(nonsense)


@pytest.mark.parametrize("nonsense", ["usd", "US", "DOLLAR", "", "U$D", "12A", "ÄÖÜ"])
def test_a_currency_is_three_capital_letters(nonsense: str) -> None:
    """OpenAI writes usd; we write USD, and only one of them is a currency here."""
    with pytest.raises(ValueError, match="capital letters"):
        Money(Decimal(1), nonsense)


@pytest.mark.parametrize(
    "meet", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b, Money.ratio_of]
)
def test_two_currencies_never_meet(meet: Any) -> None:
    """A rate is a decision, never an accident."""
    with pytest.raises(CurrencyMismatch, match="convert first"):
        meet(Money.of("3.50"), Money.of("1200", "KRW"))


def test_an_amount_that_is_no_float_sums_exactly() -> None:
    """A hundred thousand times ten cents are ten thousand dollars."""
    assert total([Money.of("0.1")] * 100_000) == Money.of("10000.0")
    assert total([]) == Money.zero()
    assert total([], "KRW") == Money.zero("KRW")


def test_money_compares_negates_and_knows_nothing_from_something() -> None:
    """Zero is false, in every spelling of zero."""
    assert -Money.of("2.50") == Money.of("-2.50")
    assert Money.of(1) < Money.of(2) <= Money.of("2.0")
    assert not Money.of("0E-6176")
    assert Money.of("-0.000000000000000001")


def test_a_share_of_nothing_does_not_exist() -> None:
    """742 of 500 is 148.4 %, and of zero there is no share."""
    assert Money.of(742).ratio_of(Money.of(500)) == Decimal("1.484")
    assert Money.of(742).ratio_of(Money.zero()) is None


@settings(max_examples=50)
@given(st.lists(wild_amounts, max_size=40))
def test_the_order_of_a_sum_does_not_matter(parts: list[Decimal]) -> None:
    """Forwards, backwards, in two halves: one total, to the last digit."""
    money = [Money(part) for part in parts]
    half = len(money) // 2
    assert total(money) == total(reversed(money)) == total(money[:half]) + total(money[half:])


@settings(max_examples=50)
@given(amounts)
def test_an_amount_survives_the_ledger(amount: Decimal) -> None:
    """Nano-units and the rest below them give back every digit down to 1e-18."""
    nano, rest = to_units(amount)
    assert 0 <= rest < 10**9
    assert from_units(nano, rest) == amount


@settings(max_examples=50)
@given(wild_amounts)
def test_beyond_the_eighteenth_decimal_the_ledger_rounds_half_to_even(amount: Decimal) -> None:
    """Providers send thirty decimals; what is dropped is half an atto-dollar at most."""
    stored = from_units(*to_units(amount))
    assert abs(stored - amount) <= Decimal("0.5e-18")
    assert stored == amount.quantize(Decimal("1e-18"), context=EXACT)


@pytest.mark.parametrize("zero", ["0", "-0", "0E-6176", "0E+6000", "0.000"])
def test_every_spelling_of_zero_is_stored_as_zero(zero: str) -> None:
    """OpenAI's decimal128 zero has six thousand places."""
    assert to_units(Decimal(zero)) == (0, 0)


@settings(max_examples=50)
@given(st.lists(amounts, max_size=200))
def test_summing_the_columns_is_summing_the_money(parts: list[Decimal]) -> None:
    """What SQL adds as integers is the exact total, and PostgreSQL's decimals of integers are no different."""
    units = [to_units(part) for part in parts]
    nano, rest = sum(n for n, _ in units), sum(r for _, r in units)
    exact = total(map(Money, parts)).amount
    assert from_units(nano, rest) == exact
    assert from_units(Decimal(nano), Decimal(rest)) == exact


def test_a_sum_of_millions_of_lines_stays_exact() -> None:
    """Ten million lines of 9.99 and a tail, added as integers."""
    nano, rest = to_units(Decimal("9.990000000123456789"))
    assert from_units(nano * 10**7, rest * 10**7) == Decimal("99900000.00123456789")


@settings(max_examples=50)
@given(st.lists(amounts, max_size=30), st.integers(0, 6))
def test_rounded_parts_make_the_rounded_whole(parts: list[Decimal], places: int) -> None:
    """On screen, too, the parts add up; and no part moves by a whole unit."""
    rounded = rounded_parts(parts, places)
    unit = Decimal(1).scaleb(-places)
    whole = total(map(Money, parts)).amount
    assert total(map(Money, rounded)).amount == whole.quantize(unit, context=EXACT)
    assert all(abs(one - part) < unit for one, part in zip(rounded, parts, strict=True))
    assert all(one.as_tuple().exponent == -places for one in rounded)


def test_rounding_gives_the_missing_cent_to_the_largest_remainder() -> None:
    """Three thirds of a dollar: the first of equals gets it."""
    third = Decimal(1) / 3
    assert rounded_parts([third, third, Decimal(1) - 2 * third], 2) == [
        Decimal("0.33"),
        Decimal("0.33"),
        Decimal("0.34"),
    ]
    assert rounded_parts([Decimal("0.335"), Decimal("0.335"), Decimal("0.33")], 2)[0] == Decimal("0.34")
    assert rounded_parts([], 2) == []
