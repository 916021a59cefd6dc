"""Amounts as people type them: what is meant is understood, and what could mean two things is asked again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from finops.amounts import AmountMistake, AmountUnusable, amount_typed, as_typed
from finops.budgets import LARGEST_AMOUNT
from finops.money import Money


@pytest.mark.parametrize(
    ("typed", "dollars"),
    [
        ("500", "500"),
        ("$500", "500"),
        ("500달러", "500"),
        ("500 달러", "500"),
        ("500ドル", "500"),
        ("500 USD", "500"),
        ("USD 500", "500"),
        ("US$1,000.50", "1000.50"),
        ("1,000.50", "1000.50"),
        ("  1,234,567 ", "1234567"),
        ("５００", "500"),
        ("1.5k", "1500"),
        ("1만 달러", "10000"),
        ("3천달러", "3000"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("900,000,000", "900000000"),
    ],
)
def test_what_people_type_is_understood(typed: str, dollars: str):
    """Signs, words, thousands and full-width digits, in three languages, to the last digit."""
    assert amount_typed(typed) == Money.of(dollars)


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ("", AmountMistake.MISSING),
        ("   ", AmountMistake.MISSING),
        ("abc", AmountMistake.UNREADABLE),
        ("오백 달러", AmountMistake.UNREADABLE),
        ("1,5", AmountMistake.UNREADABLE),  # one and a half, or fifteen
        ("1.000,50", AmountMistake.UNREADABLE),
        ("1,00,000", AmountMistake.UNREADABLE),
        ("5 00", AmountMistake.UNREADABLE),
        ("1e3", AmountMistake.UNREADABLE),
        ("NaN", AmountMistake.UNREADABLE),
        ("500 500", AmountMistake.UNREADABLE),
        ("0", AmountMistake.NOT_POSITIVE),
        ("$0.00", AmountMistake.NOT_POSITIVE),
        ("-5", AmountMistake.NOT_POSITIVE),
        ("−5", AmountMistake.NOT_POSITIVE),
        ("-$5", AmountMistake.NOT_POSITIVE),
        ("₩500", AmountMistake.CURRENCY),
        ("500만원", AmountMistake.CURRENCY),
        ("500 KRW", AmountMistake.CURRENCY),
        ("CA$500", AmountMistake.CURRENCY),
        ("€500", AmountMistake.CURRENCY),
        ("900,000,000.01", AmountMistake.TOO_LARGE),
        ("999999999999", AmountMistake.TOO_LARGE),
    ],
)
def test_what_is_no_amount_says_why(typed: str, mistake: AmountMistake):
    """Nothing is guessed where two readings differ by a factor of a thousand."""
    with pytest.raises(AmountUnusable) as refused:
        amount_typed(typed)
    assert refused.value.mistake is mistake


def test_a_floor_may_be_nothing():
    assert amount_typed("0", may_be_zero=True) == Money.zero()
    with pytest.raises(AmountUnusable):
        amount_typed("-1", may_be_zero=True)


NUMBERS = st.decimals("-1", 10**13, places=3).map("{:f}".format)
UNITS = st.sampled_from(["", " 달러", "USD", "만", "k", "m"])


@example("0")
@example("1,500.50 달러")
@given(st.text(max_size=60) | st.builds("{}{}".format, NUMBERS, UNITS))
def test_whatever_is_typed_is_an_amount_or_a_reason(typed: str):
    """No text breaks it, and what it takes for money is above zero and can be kept."""
    try:
        amount = amount_typed(typed)
    except AmountUnusable:
        return
    assert 0 < amount.amount <= LARGEST_AMOUNT


@given(st.decimals("0.000000000000000001", LARGEST_AMOUNT, places=18))
def test_an_amount_written_for_a_person_reads_as_the_same(amount: Decimal):
    """What stands in the window when a budget is opened is the budget, to the last digit."""
    assert amount_typed(as_typed(Money(amount))) == Money(amount)


@pytest.mark.parametrize(("amount", "text"), [("500", "500"), ("75.50", "75.5"), ("7.5E+1", "75"), ("1000", "1000")])
def test_an_amount_is_written_without_needless_digits(amount: str, text: str):
    assert as_typed(Money(Decimal(amount))) == text
