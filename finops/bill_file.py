"""A bill as a file: every line as the provider billed it, exact, in columns that a spreadsheet reads.

Where FOCUS has a name for a column it is used; that does not make the file an export by FOCUS.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import IO

from finops import spreadsheets
from finops.charges import Charge, FigureState
from finops.figures import Scope
from finops.frozen import frozen
from finops.money import EXACT, Money
from finops.periods import Period, starts_at
from finops.queries import NamedPeriod
from finops.spreadsheets import safe

COLUMNS = (
    "ChargePeriodStart", "ChargePeriodEnd", "BilledCost", "BillingCurrency", "ConsumedQuantity", "ConsumedUnit",
    "SkuId", "SubAccountId", "SubAccountName", "BillingAccountId", "BillingAccountName", "ServiceProviderName",
    "x_Team", "x_State", "x_ReadAt",
)  # fmt: skip
# What a spreadsheet holds is 1,048,576 rows.
MOST_LINES = 1_000_000
# From here on the file is packed: what is held in memory and sent is a tenth of it.
PACKED_FROM = 50_000


@frozen
class Owner:
    """Whose a provider project is: its name here or at the provider, and its team; '' where nobody knows."""

    name: str = ""
    team: str = ""


@frozen
class DayBill:
    """One day of one provider organization: its lines, how far they can be trusted, and when they were read."""

    day: date
    provider: str
    organization_id: str
    organization_name: str
    state: FigureState
    read_at: datetime | None
    charges: Iterable[Charge]


@frozen
class BillFile:
    """A bill that was asked for as a file, put together at `at`.

    `lines` counts its rows and `totals` are their exact sums, one for each currency, in the order of their codes.
    `content` is None where there is no file: no lines, or more than MOST_LINES.
    """

    scope: Scope
    query: NamedPeriod
    at: datetime
    lines: int
    totals: tuple[Money, ...] = ()
    name: str = ""
    content: bytes | None = None


class Writing:
    """A file being put together, day by day: what is held is the file as it will be sent."""

    def __init__(self, name: str, at: datetime, *, is_packed: bool) -> None:
        self._held = io.BytesIO()
        self._packing: zipfile.ZipFile | None = None
        self._into: IO[bytes] = self._held
        self.name = f"{name}.csv"
        if is_packed:
            inside = zipfile.ZipInfo(self.name, date_time=at.astimezone(UTC).timetuple()[:6])
            inside.compress_type = zipfile.ZIP_DEFLATED
            self._packing = zipfile.ZipFile(self._held, "w")
            self._into = self._packing.open(inside, "w")
            self.name = f"{name}.zip"
        self._into.write(spreadsheets.file([COLUMNS]))
        self.lines = 0
        self._sums: dict[str, Decimal] = {}

    def add(self, bill: DayBill, owners: Mapping[str | None, Owner]) -> None:
        """Write one day. `owners` are those of its organization's projects. Slow for large days: for a thread."""
        start, end = (_time(starts_at(day)) for day in (bill.day, bill.day + timedelta(days=1)))
        account = (safe(bill.organization_id), safe(bill.organization_name), safe(bill.provider))
        read_at = "" if bill.read_at is None else _time(bill.read_at)
        state = bill.state.value
        # A bill repeats its names: each is looked at once.
        names: dict[str | None, str] = {None: ""}
        rows: list[tuple[str, ...]] = []
        for charge in bill.charges:
            owner = owners.get(charge.sub_account_id, _NOBODY)
            before = self._sums.get(charge.billing_currency, _NOTHING)
            self._sums[charge.billing_currency] = EXACT.add(before, charge.billed_cost)
            quantity = "" if charge.consumed_quantity is None else exact(charge.consumed_quantity)
            told = (charge.consumed_unit, charge.sku_id, charge.sub_account_id, owner.name, owner.team)
            unit, sku, project, project_name, team = [
                names[each] if each in names else names.setdefault(each, safe(each or "")) for each in told
            ]
            rows.append(
                (
                    start, end, exact(charge.billed_cost), charge.billing_currency, quantity, unit, sku, project,
                    project_name, *account, team, state, read_at,
                )
            )  # fmt: skip
        self.lines += len(rows)
        self._into.write(spreadsheets.lines(rows).encode())

    def totals(self) -> tuple[Money, ...]:
        """The exact sum of everything written so far, for each currency."""
        return tuple(Money(amount, currency) for currency, amount in sorted(self._sums.items()))

    def done(self) -> bytes:
        """The whole file; nothing can be added any more."""
        if self._packing is not None:
            self._into.close()
            self._packing.close()
        return self._held.getvalue()


_NOBODY, _NOTHING = Owner(), Decimal(0)


def file_name(period: Period) -> str:
    """What the file of a period is called, without its ending."""
    last = period.end - timedelta(days=1)
    days = (period.start,) if last <= period.start else (period.start, last)
    return "-".join(("finops-costs", *(day.isoformat() for day in days)))


def exact(amount: Decimal) -> str:
    """A number as plain digits, all that it has and no zeros behind them: never rounded, never `1E-9`."""
    digits = f"{amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
