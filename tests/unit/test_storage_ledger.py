"""Preparing a day: sorted rows whose sums are the bill's, whatever the bill looks like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.charges import Charge, ChargedDay
from finops.money import EXACT, all_to_units, from_units, to_units
from storage.day_lines import prepare
from storage.day_sums import summed
from storage.ledger import _as_text

DAY = date(2026, 7, 1)
amounts = st.decimals(min_value=-10_000, max_value=10_000, places=18)
names = st.none() | st.sampled_from(["proj_a", "proj_b", "프로젝트", "", "a\tb\\N"])
charges = st.builds(Charge, st.just(DAY), names, names, amounts, st.sampled_from(["USD", "EUR"]), st.none(), st.none())
days = st.lists(charges, max_size=20)


@given(days)
def test_lines_projects_and_totals_all_add_up_to_the_bill(bill: list[Charge]) -> None:
    """Three tables, one truth, to the eighteenth decimal and in every currency."""
    prepared = prepare(ChargedDay(DAY, tuple(bill)))
    lines, sums = list(prepared.each()), summed(prepared)
    for currency in ("USD", "EUR"):
        billed = Decimal(0)
        for charge in bill:
            if charge.billing_currency == currency:
                billed = EXACT.add(billed, charge.billed_cost)
        mine = [line for line in lines if line[1] == currency]
        projects = [units for (_, each), units in sums.costs.items() if each == currency]
        assert from_units(sum(line[3] for line in mine), sum(line[4] for line in mine)) == billed
        assert from_units(sum(nano for nano, _ in projects), sum(rest for _, rest in projects)) == billed
        assert from_units(*sums.totals.get(currency, (0, 0))) == billed
        assert all(0 <= rest < 10**9 for _, rest in projects)


@given(days)
def test_rows_stand_in_the_order_of_the_key_and_no_key_twice(bill: list[Charge]) -> None:
    """Sorted writes are fast, and a repeated line is added, not lost."""
    keys = [line[:3] for line in prepare(ChargedDay(DAY, tuple(bill))).each()]
    assert keys == sorted(set(keys))


@given(days)
def test_the_order_of_a_bill_does_not_matter(bill: list[Charge]) -> None:
    """A provider may shuffle its lines: nothing moved."""
    shuffled = tuple(reversed(bill))
    assert prepare(ChargedDay(DAY, tuple(bill))) == prepare(ChargedDay(DAY, shuffled))


@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False), max_size=20))
def test_many_amounts_become_units_as_each_alone_would(amounts: list[Decimal]) -> None:
    """The quick way for columns rounds as the careful way for one amount."""
    assert list(zip(*all_to_units(amounts), strict=True)) == [to_units(amount) for amount in amounts]


def test_text_that_looks_like_copy_syntax_is_escaped() -> None:
    """A project named like a null, with tabs and line breaks, stays one field of one row."""
    assert _as_text(["a\tb", None, "\\N", "한\r\n글", "a\tb"]) == ["a\\tb", "\\N", "\\\\N", "한\\r\\n글", "a\\tb"]
