"""The bill as a file: every digit of it, whatever anybody called anything."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from finops.bill_file import COLUMNS, DayBill, Owner, Writing, exact, file_name
from finops.charges import Charge, FigureState
from finops.money import EXACT, Money
from finops.periods import Period

DAY, AT = date(2026, 6, 30), datetime(2026, 7, 6, 1, 2, 3, tzinfo=UTC)
NAMES = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(("=1+1", "+x", "-x", "@x", '"a",b\r\nc', " =x")))
AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=18)
CHARGES = st.builds(
    Charge, st.just(DAY), NAMES, NAMES, AMOUNTS, st.sampled_from(("USD", "EUR")),
    st.one_of(st.none(), st.decimals(0, 10**9, places=3)), NAMES,
)  # fmt: skip


def a_bill(*charges: Charge, name: str = "한빛소프트") -> DayBill:
    return DayBill(DAY, "openai", "org-1", name, FigureState.SETTLED, AT, charges)


def written(*bills: DayBill, is_packed: bool = False) -> Writing:
    writing = Writing("bill", AT, is_packed=is_packed)
    for bill in bills:
        writing.add(bill, {"proj_1": Owner("chatbot", "마케팅팀")})
    return writing


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@settings(max_examples=40, deadline=None)
@given(st.lists(CHARGES, max_size=8))
def test_the_rows_add_up_to_the_total_to_the_last_digit_and_hold_no_formula(charges: list[Charge]) -> None:
    """Every line is a row, whatever stands in its names; what a spreadsheet would calculate is a word."""
    writing = written(a_bill(*charges))
    told = rows(writing.done())
    sums: dict[str, Decimal] = {}
    for row in told:
        assert "e" not in row["BilledCost"].casefold()
        before = sums.get(row["BillingCurrency"], Decimal(0))
        sums[row["BillingCurrency"]] = EXACT.add(before, Decimal(row["BilledCost"]))
        for name in ("SkuId", "SubAccountId", "SubAccountName", "ConsumedUnit", "x_Team"):
            assert not row[name].lstrip(" ").startswith(("=", "+", "-", "@"))
    assert {one.currency: one.amount for one in writing.totals()} == sums
    assert writing.lines == len(charges) == len(told)
    assert [Decimal(row["BilledCost"]) for row in told] == [one.billed_cost for one in charges]


def test_a_row_says_whose_it_is_how_sure_and_when_it_was_read() -> None:
    """What nobody knows is empty and never zero; the file begins with the mark that Excel needs for Korean."""
    known = Charge(DAY, "proj_1", "gpt-5.4, input", Decimal("0.000000000000000001"), "USD", Decimal("1E+3"), "tokens")
    content = written(a_bill(known, Charge(DAY, None, None, Decimal("-2.50")), name="=cmd()")).done()
    assert content.startswith(b"\xef\xbb\xbfChargePeriodStart,")
    assert content.count(b"\r\n") == 3
    first, second = rows(content)
    assert tuple(first) == COLUMNS
    assert list(first.values()) == [
        "2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z", "0.000000000000000001", "USD", "1000", "tokens",
        "gpt-5.4, input", "proj_1", "chatbot", "org-1", "'=cmd()", "openai", "마케팅팀", "settled",
        "2026-07-06T01:02:03Z",
    ]  # fmt: skip
    assert (second["BilledCost"], second["x_Team"], second["ConsumedQuantity"], second["SkuId"]) == ("-2.5", "", "", "")


def test_a_long_file_is_packed_and_holds_the_same() -> None:
    bills = [a_bill(Charge(DAY, "proj_1", f"item {number}", Decimal(number))) for number in range(3)]
    plain, packed = written(*bills), written(*bills, is_packed=True)
    assert (plain.name, packed.name) == ("bill.csv", "bill.zip")
    with zipfile.ZipFile(io.BytesIO(packed.done())) as archive:
        assert archive.testzip() is None
        assert archive.read("bill.csv") == plain.done()
        assert archive.getinfo("bill.csv").compress_type == zipfile.ZIP_DEFLATED
    assert packed.totals() == (Money.of(3),)


def test_numbers_are_plain_digits_and_the_name_says_the_days() -> None:
    assert [exact(Decimal(one)) for one in ("10", "1.500", "-0.10", "1E-9", "0", "0.000")] == [
        "10", "1.5", "-0.1", "0.000000001", "0", "0",
    ]  # fmt: skip
    assert file_name(Period(date(2026, 6, 1), date(2026, 7, 1))) == "finops-costs-2026-06-01-2026-06-30"
    assert file_name(Period(DAY, date(2026, 7, 1))) == "finops-costs-2026-06-30"
