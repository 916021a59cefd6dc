"""Preparing a day: sorted rows whose sums are the bill's, whatever the bill looks like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.charges import Charge, ChargedDay
from finops.money import EXACT, from_units
from storage.ledger import _copy_text, prepare

DAY = date(2026, 7, 1)
amounts = st.decimals(min_value=-10_000, max_value=10_000, places=18)
names = st.none() | st.sampled_from(["proj_a", "proj_b", "프로젝트", "", "a\tb\\N"])
charges = st.builds(Charge, st.just(DAY), names, names, amounts, st.sampled_from(["USD", "EUR"]), st.none(), st.none())
days = st.lists(charges, max_size=20)


@given(days)
def test_rows_add_up_to_the_bill(bill: list[Charge]) -> None:
    """No cent is lost or gained on the way into integers, in every currency."""
    rows = prepare("T1", 1, ChargedDay(DAY, tuple(bill)))
    for currency in ("USD", "EUR"):
        billed = Decimal(0)
        for charge in bill:
            if charge.billing_currency == currency:
                billed = EXACT.add(billed, charge.billed_cost)
        mine = [row for row in rows if row[4] == currency]
        assert from_units(sum(row[6] for row in mine), sum(row[7] for row in mine)) == billed


@given(days)
def test_rows_stand_in_the_order_of_the_key_and_no_key_twice(bill: list[Charge]) -> None:
    """Sorted writes are fast, and a repeated line is added, not lost."""
    keys = [row[1:6] for row in prepare("T1", 1, ChargedDay(DAY, tuple(bill)))]
    assert keys == sorted(set(keys))


@given(days)
def test_the_order_of_a_bill_does_not_matter(bill: list[Charge]) -> None:
    """A provider may shuffle its lines: nothing moved."""
    shuffled = tuple(reversed(bill))
    assert prepare("T1", 1, ChargedDay(DAY, tuple(bill))) == prepare("T1", 1, ChargedDay(DAY, shuffled))


def test_text_that_looks_like_copy_syntax_is_escaped() -> None:
    """A project named like a null, with tabs and line breaks, stays one field of one row."""
    [text] = _copy_text([("a\tb", 1, None, "\\N", "한\r\n글")])
    assert text.decode() == "a\\tb\t1\t\\N\t\\\\N\t한\\r\\n글\n"
