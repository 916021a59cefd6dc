"""The bill as a file: the ledger's own lines, of one moment, of nobody else."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from finops.bill_file import BillFile
from finops.charges import Charge, ChargedDay, FigureState
from finops.money import Money
from finops.registry import Person, Role
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, Tenant, a_tenant, on_both_databases

TODAY = MOMENT.date()
LAST = TODAY.replace(day=1) - timedelta(days=1)  # the last day of the month before
SMALL = Decimal("0.000000000000000001")


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


def somebody(workspace_id: str = WORKSPACE) -> Person:
    return Person(
        workspace_id, "U9", "U9", Role.MEMBER, "ko-KR", "Asia/Seoul", is_workspace_admin=False, seen_at=MOMENT
    )


async def billed(storage: Storage, tenant: Tenant, day: date, *charges: Charge) -> None:
    async with storage.writing() as store:
        for hours in (100, 101, 102):  # read after it settled, and unmoved twice
            at = MOMENT + timedelta(hours=hours)
            await store.charges.replace_day(tenant.workspace_id, tenant.connection.id, ChargedDay(day, charges), at)


@pytest.fixture
async def tenant(storage: Storage, clock: FakeClock) -> Tenant:
    """마케팅팀 with proj_a and the excluded proj_x, proj_b only discovered; two days of last month and one of this."""
    clock.moment = MOMENT + timedelta(hours=103)
    tenant = await a_tenant(storage)
    async with storage.writing() as store:
        (_, excluded), _ = await store.projects.register(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[("proj_a", '=HYPERLINK("x")'), ("proj_x", "out")], registered_by="U1", at=MOMENT,
        )  # fmt: skip
        await store.projects.update(WORKSPACE, excluded.id, excluded=True)
    for day, cost in ((LAST - timedelta(days=1), Decimal(7)), (LAST, SMALL), (LAST + timedelta(days=1), Decimal(900))):
        await billed(
            storage, tenant, day,
            Charge(day, "proj_a", "gpt-5.4, input", cost, "USD", Decimal(12), "tokens"),
            Charge(day, "proj_a", "gpt-5.4, output", Decimal("-0.25")),
            Charge(day, "proj_x", "gpt-5.4, input", Decimal(1)),
            Charge(day, None, "@credit", Decimal("-0.5")),
        )  # fmt: skip
    return tenant


@pytest.fixture
def bot(storage: Storage, tenant: Tenant, clock: FakeClock) -> Bot:
    return Bot(storage, {}, clock, Policy())


def rows(file: BillFile) -> list[dict[str, str]]:
    assert file.content is not None
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))


@on_both_databases
async def test_last_months_bill_is_the_ledger_line_by_line(bot: Bot, storage: Storage) -> None:
    """All of it adds up to what every figure says, exactly; names are words, and whoever took it is on the trail."""
    file, figure = await bot.exporting.bill(somebody(), "")
    told = rows(file)
    assert file.name == f"finops-costs-{LAST.replace(day=1)}-{LAST}.csv"
    assert [row["ChargePeriodStart"][:10] for row in told] == [str(LAST - timedelta(days=1))] * 4 + [str(LAST)] * 4
    total = Decimal(7) + SMALL + 2 * Decimal("0.25")
    assert file.totals == (Money(total),) == (figure.amount,)
    assert sum((Decimal(row["BilledCost"]) for row in told), Decimal(0)) == total
    assert {row["x_State"] for row in told} == {"settled"}
    assert (figure.state, figure.unread_days) == (FigureState.PROVISIONAL, LAST.day - 2)  # of the month, few were read
    nobodys, ours, _, excluded = told[:4]
    assert (nobodys["SkuId"], nobodys["SubAccountId"], nobodys["x_Team"]) == ("'@credit", "", "")
    assert (ours["SubAccountName"], ours["x_Team"], ours["ConsumedQuantity"]) == ('\'=HYPERLINK("x")', "마케팅팀", "12")
    assert (excluded["SubAccountName"], excluded["x_Team"], excluded["x_State"]) == ("out", "", "settled")
    async with storage.reading() as store:
        [row] = [row async for row in store.audit.all(WORKSPACE)]
    assert (row.entry.action, row.entry.subject, row.entry.actor) == ("bill.exported", "workspace", "U9")
    assert row.entry.details == {
        "lines": 8, "from_day": str(LAST.replace(day=1)), "to_day": str(LAST + timedelta(days=1))
    }  # fmt: skip


async def test_a_team_and_a_period_in_words_give_its_own_lines(bot: Bot, storage: Storage) -> None:
    """As `/finops status` reads them: what is taken out of collecting is no team's; a typo is refused with a guess."""
    file, figure = await bot.exporting.bill(somebody(), "마케팅팀 지난달")
    assert {row["SubAccountId"] for row in rows(file)} == {"proj_a"}
    assert file.totals == (figure.amount,) == (Money(Decimal("6.5") + SMALL),)
    status = await bot.reports.status(WORKSPACE, somebody(), "마케팅팀 지난달")
    assert (status.figure.amount, status.figure.state) == (figure.amount, figure.state)
    one, _ = await bot.exporting.bill(somebody(), f"proj_a {LAST}")
    assert [row["BilledCost"] for row in rows(one)] == ["0.000000000000000001", "-0.25"]
    for words, code in (("마케텅팀", RefusalCode.UNKNOWN_SCOPE), ("last mnth", RefusalCode.UNKNOWN_PERIOD)):
        with pytest.raises(Refusal) as refused:
            await bot.exporting.bill(somebody(), words)
        assert refused.value.code is code
        assert refused.value.values["suggestion"]


async def test_without_lines_there_is_no_file_and_nothing_on_the_trail(bot: Bot, storage: Storage) -> None:
    """Of days never read, of a team without projects, and of another workspace with its own bill and none of ours."""
    async with storage.writing() as store:
        await store.teams.create(
            WORKSPACE, name="빈팀", lead_user_id="U1", channel_id="C1", locale="ko", approvers=(), created_by="U1",
            at=MOMENT,
        )  # fmt: skip
    for words in ("yesterday", "빈팀"):
        file, _ = await bot.exporting.bill(somebody(), words)
        assert (file.lines, file.content, file.totals) == (0, None, ())
    other = await a_tenant(storage, OTHER_WORKSPACE, "org-2")
    file, figure = await bot.exporting.bill(somebody(OTHER_WORKSPACE), "")
    assert (file.lines, file.content, figure.amount) == (0, None, None)
    await billed(storage, other, LAST, Charge(LAST, "proj_a", "theirs", Decimal(3)))
    file, _ = await bot.exporting.bill(somebody(OTHER_WORKSPACE), "")
    assert [(row["SkuId"], row["SubAccountName"], row["x_Team"]) for row in rows(file)] == [("theirs", "", "")]
    async with storage.reading() as store:
        assert [row async for row in store.audit.all(WORKSPACE)] == []


async def test_a_long_bill_is_packed_and_one_too_long_for_a_spreadsheet_is_not_written(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.exporting.PACKED_FROM", 8)
    file, _ = await bot.exporting.bill(somebody(), "")
    assert file.content is not None
    assert file.name.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.read(file.name.replace(".zip", ".csv")).count(b"\r\n") == 9
    monkeypatch.setattr("bot.exporting.MOST_LINES", 7)
    file, _ = await bot.exporting.bill(somebody(), "")
    assert (file.lines, file.content) == (8, None)
