"""The ledger: exact sums, days replaced whole, restatements kept, states told; the same on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from finops.charges import Charge, ChargedDay, DayReading
from finops.money import EXACT, Money
from finops.periods import Period
from storage import Storage
from storage.errors import AmountOutOfRange, NotFound
from storage.records import DayChange, DayProjectTotal, ProjectTotal
from tests.databases import MOMENT, OTHER_WORKSPACE, Tenant, a_tenant

DAY = date(2026, 7, 1)
WEEK = Period(DAY, DAY + timedelta(days=7))


def a_charge(
    cost: str, project: str | None = "proj_a", sku: str | None = "gpt-4o, input", day: date = DAY, currency: str = "USD"
) -> Charge:
    return Charge(day, project, sku, Decimal(cost), currency)


def a_day(*charges: Charge, day: date = DAY) -> ChargedDay:
    return ChargedDay(day, charges)


async def read(storage: Storage, tenant: Tenant, charged: ChargedDay, at: datetime = MOMENT) -> DayChange:
    async with storage.writing() as store:
        return await store.charges.replace_day(tenant.workspace_id, tenant.connection.id, charged, at)


async def reading_of(storage: Storage, tenant: Tenant, day: date = DAY) -> DayReading | None:
    async with storage.reading() as store:
        found = await store.charges.readings(tenant.workspace_id, WEEK)
    return found.get(tenant.connection.id, {}).get(day)


async def test_sums_in_sql_are_exact_to_the_eighteenth_decimal(storage: Storage, tenant: Tenant) -> None:
    """Five thousand awkward amounts add up to what Decimal says, per day, per project and in all."""
    costs = [Decimal(f"0.{n:05}{n * 7919 % 10**13:013}") for n in range(1, 5_001)]
    costs[7] = Decimal("-9007199254.740993123456789012")
    charges = [a_charge(str(cost), f"proj_{n % 7}", f"item {n}") for n, cost in enumerate(costs)]
    change = await read(storage, tenant, a_day(*charges))
    expected = Decimal(0)
    for cost in costs:
        expected = EXACT.add(expected, cost)
    assert change.totals == (Money(expected),)
    async with storage.reading() as store:
        [day] = await store.charges.daily_totals(tenant.workspace_id, WEEK)
        projects = await store.charges.project_totals(tenant.workspace_id, WEEK)
        per_day = await store.charges.totals(tenant.workspace_id, WEEK)
        [named] = await store.charges.daily_totals(
            tenant.workspace_id, WEEK, [(tenant.connection.id, f"proj_{n}") for n in range(7)]
        )
    assert day.amount == named.amount == Money(expected)
    assert sum((each.amount.amount for each in projects), Decimal(0)) == expected
    assert {(each.sub_account_id, each.amount) for each in per_day} == {
        (each.sub_account_id, each.amount) for each in projects
    }


async def test_what_is_finer_than_a_nano_dollar_is_not_lost(storage: Storage, tenant: Tenant) -> None:
    """The real pages of a provider have twenty decimals; eighteen of each line are kept."""
    await read(storage, tenant, a_day(a_charge("0.0000000004", sku="a"), a_charge("0.0000000004", sku="b")))
    async with storage.reading() as store:
        assert [each.amount for each in await store.charges.project_totals(tenant.workspace_id, WEEK)] == [
            Money.of("0.0000000008")
        ]


async def test_lines_come_back_as_they_were_billed(storage: Storage, tenant: Tenant) -> None:
    """Names, quantities, units, credits and lines without a project survive the ledger."""
    charges = (
        Charge(DAY, "proj_a", "gpt-4o, input", Decimal("1.25"), "USD", Decimal(5000000), "tokens"),
        Charge(DAY, "proj_a", "크레딧\t\\N\n", Decimal("-0.5"), "USD"),
        Charge(DAY, None, None, Decimal("0E-6176"), "USD"),
    )
    await read(storage, tenant, a_day(*charges))
    async with storage.reading() as store:
        named = await store.charges.lines(tenant.workspace_id, WEEK, tenant.connection.id, "proj_a")
        nameless = await store.charges.lines(tenant.workspace_id, WEEK, tenant.connection.id, None)
    assert sorted(named, key=lambda line: line.billed_cost, reverse=True) == list(charges[:2])
    assert nameless == [charges[2]]


async def test_a_large_day_is_stored_like_a_small_one(storage: Storage, tenant: Tenant) -> None:
    """The way through a thread and the bulk loader loses no row and no sign of text."""
    charges = [a_charge(f"{n}.5", f"proj_{n:04}", "품목 – \\ tab\t") for n in range(2_500)]
    await read(storage, tenant, a_day(*charges))
    async with storage.reading() as store:
        totals = await store.charges.project_totals(tenant.workspace_id, WEEK)
        [line] = await store.charges.lines(tenant.workspace_id, WEEK, tenant.connection.id, "proj_0042")
    assert len(totals) == 2_500
    assert line == charges[42]


async def test_currencies_are_summed_apart(storage: Storage, tenant: Tenant) -> None:
    """A bill in two currencies has two totals and no rate of exchange."""
    change = await read(storage, tenant, a_day(a_charge("1"), a_charge("2", currency="EUR"), a_charge("4", "proj_b")))
    assert change.totals == (Money.of("2", "EUR"), Money.of("5"))
    async with storage.reading() as store:
        daily = await store.charges.daily_totals(tenant.workspace_id, WEEK)
    assert [each.amount for each in daily] == [Money.of("2", "EUR"), Money.of("5")]


async def test_a_first_reading_restates_nothing(storage: Storage, tenant: Tenant) -> None:
    """News is not a correction."""
    change = await read(storage, tenant, a_day(a_charge("1.5")))
    assert (change.is_changed, change.kept, change.restated) == (True, False, ())
    assert await reading_of(storage, tenant) == DayReading(DAY, MOMENT, MOMENT, 0)


async def test_a_changed_day_is_replaced_whole_and_the_change_is_kept(storage: Storage, tenant: Tenant) -> None:
    """Per project: old, new and when; a project that left the bill went to zero."""
    later = MOMENT + timedelta(days=1)
    await read(storage, tenant, a_day(a_charge("1"), a_charge("2", "proj_b"), a_charge("4", "proj_c")))
    change = await read(storage, tenant, a_day(a_charge("1"), a_charge("2.25", "proj_b"), a_charge("8", None)), later)
    told = [(each.sub_account_id, each.old, each.new) for each in change.restated]
    assert told == [
        (None, Money.of("0"), Money.of("8")),
        ("proj_b", Money.of("2"), Money.of("2.25")),
        ("proj_c", Money.of("4"), Money.of("0")),
    ]
    async with storage.reading() as store:
        assert await store.restatements.of(tenant.workspace_id, WEEK) == list(change.restated)
        totals = await store.charges.project_totals(tenant.workspace_id, WEEK)
    assert all(each.restated_at == later for each in change.restated)
    assert {each.sub_account_id: each.amount for each in totals} == {
        "proj_a": Money.of("1"),
        "proj_b": Money.of("2.25"),
        None: Money.of("8"),
    }
    assert await reading_of(storage, tenant) == DayReading(DAY, later, later, 0)


async def test_reading_the_same_again_counts_towards_settling(storage: Storage, tenant: Tenant) -> None:
    """The day says when it last moved and how often it has not since."""
    for hours in range(3):
        change = await read(storage, tenant, a_day(a_charge("1")), MOMENT + timedelta(hours=hours))
    assert not change.is_changed
    assert await reading_of(storage, tenant) == DayReading(DAY, MOMENT + timedelta(hours=2), MOMENT, 2)
    later = MOMENT + timedelta(days=1)
    await read(storage, tenant, a_day(a_charge("1.000000001")), later)
    assert await reading_of(storage, tenant) == DayReading(DAY, later, later, 0)


async def test_the_same_money_on_other_lines_is_a_change_but_no_restatement(storage: Storage, tenant: Tenant) -> None:
    """Renamed line items move no project's cost, and the new names are what we keep."""
    await read(storage, tenant, a_day(a_charge("1", sku="old name")))
    change = await read(storage, tenant, a_day(a_charge("1", sku="new name")), MOMENT + timedelta(hours=1))
    assert change.is_changed
    assert change.restated == ()
    async with storage.reading() as store:
        [line] = await store.charges.lines(tenant.workspace_id, WEEK, tenant.connection.id, "proj_a")
    assert line.sku_id == "new name"


async def test_an_empty_reading_keeps_the_rows_and_does_not_count(storage: Storage, tenant: Tenant) -> None:
    """A late page is not a refund."""
    await read(storage, tenant, a_day(a_charge("3")))
    change = await read(storage, tenant, a_day(), MOMENT + timedelta(hours=1))
    assert change == DayChange(DAY, is_changed=False, kept=True, restated=(), totals=(Money.of("3"),))
    assert await reading_of(storage, tenant) == DayReading(DAY, MOMENT, MOMENT, 0)


async def test_an_empty_day_is_read_and_costs_nothing(storage: Storage, tenant: Tenant) -> None:
    """Read and empty differs from never read."""
    await read(storage, tenant, a_day())
    await read(storage, tenant, a_day(), MOMENT + timedelta(hours=1))
    assert await reading_of(storage, tenant) == DayReading(DAY, MOMENT + timedelta(hours=1), MOMENT, 1)
    assert await reading_of(storage, tenant, DAY + timedelta(days=1)) is None


async def test_a_reading_stamped_by_a_clock_that_ran_ahead_is_replaced(storage: Storage, tenant: Tenant) -> None:
    """A machine that believed in next year must not freeze the ledger until then."""
    await read(storage, tenant, a_day(a_charge("1")), MOMENT + timedelta(days=365))
    assert (await read(storage, tenant, a_day(a_charge("2")))).totals == (Money(Decimal(2)),)


async def test_an_older_reading_never_overwrites_a_newer_one(storage: Storage, tenant: Tenant) -> None:
    """A worker that was slow, not right."""
    await read(storage, tenant, a_day(a_charge("3")))
    change = await read(storage, tenant, a_day(a_charge("1")), MOMENT - timedelta(minutes=5))
    assert change.kept
    assert change.totals == (Money.of("3"),)


async def test_two_readings_of_one_moment_do_not_settle_a_day(storage: Storage, tenant: Tenant) -> None:
    """The same page delivered twice is one look."""
    await read(storage, tenant, a_day(a_charge("3")))
    await read(storage, tenant, a_day(a_charge("3")))
    reading = await reading_of(storage, tenant)
    assert reading is not None
    assert reading.unchanged_reads == 0


async def test_periods_are_half_open(storage: Storage, tenant: Tenant) -> None:
    """The end's day belongs to the next period, in every query."""
    for offset in range(3):
        day = DAY + timedelta(days=offset)
        await read(storage, tenant, a_day(a_charge(str(10**offset), day=day), day=day))
    period = Period(DAY, DAY + timedelta(days=2))
    account = (tenant.connection.id, "proj_a")
    async with storage.reading() as store:
        assert await store.charges.totals(tenant.workspace_id, period) == [
            DayProjectTotal(DAY, *account, Money.of("1")),
            DayProjectTotal(DAY + timedelta(days=1), *account, Money.of("10")),
        ]
        assert await store.charges.project_totals(tenant.workspace_id, period) == [
            ProjectTotal(*account, Money.of("11"))
        ]
        daily = await store.charges.daily_totals(tenant.workspace_id, period)
        assert await store.charges.daily_totals(tenant.workspace_id, period, [account]) == daily
        assert [each.amount for each in daily] == [Money.of("1"), Money.of("10")]
        assert len(await store.charges.lines(tenant.workspace_id, period, *account)) == 2
        assert await store.charges.first_day(tenant.workspace_id) == DAY
        last = await store.charges.last_read_day(tenant.workspace_id, tenant.connection.id)
        assert last == DAY + timedelta(days=2)


async def test_named_projects_are_summed_alone_also_across_connections(storage: Storage, tenant: Tenant) -> None:
    """A team's figure holds its projects and nothing else."""
    async with storage.writing() as store:
        second = await store.connections.create(
            tenant.workspace_id, provider="openai", organization_id="org-2", organization_name=None, at=MOMENT
        )
    other = Tenant(tenant.workspace_id, tenant.team_id, second)
    await read(storage, tenant, a_day(a_charge("1"), a_charge("2", "proj_b"), a_charge("4", None)))
    await read(storage, other, a_day(a_charge("8"), a_charge("16", "proj_b")))
    accounts = [(tenant.connection.id, "proj_a"), (tenant.connection.id, None), (second.id, "proj_b")]
    async with storage.reading() as store:
        [daily] = await store.charges.daily_totals(tenant.workspace_id, WEEK, accounts)
        per_project = await store.charges.project_totals(tenant.workspace_id, WEEK, accounts)
        assert await store.charges.daily_totals(tenant.workspace_id, WEEK, []) == []
    assert daily.amount == Money.of("21")
    assert sorted(each.amount.amount for each in per_project) == [1, 4, 16]


async def test_a_strangers_connection_is_not_written_to(storage: Storage, tenant: Tenant) -> None:
    """A workspace cannot put charges on another's books."""
    stranger = await a_tenant(storage, OTHER_WORKSPACE)
    async with storage.writing() as store:
        with pytest.raises(NotFound):
            await store.charges.replace_day(stranger.workspace_id, tenant.connection.id, a_day(a_charge("1")), MOMENT)
    assert await reading_of(storage, tenant) is None


async def test_an_amount_beyond_the_ledger_is_refused_not_rounded(storage: Storage, tenant: Tenant) -> None:
    """Better no day than a wrong one."""
    with pytest.raises(AmountOutOfRange):
        await read(storage, tenant, a_day(a_charge("9300000000")))
    assert await reading_of(storage, tenant) is None


async def test_a_charge_of_another_day_is_refused(storage: Storage, tenant: Tenant) -> None:
    """A day's reading speaks of that day only."""
    with pytest.raises(ValueError, match="2026-07-01 cannot hold"):
        await read(storage, tenant, a_day(a_charge("1", day=date(2026, 7, 2))))


async def test_many_projects_are_summed_alike_from_sheets_and_from_rows(storage: Storage, tenant: Tenant) -> None:
    """What is asked of few is looked up row by row, of many in the day's sheet: also after the day was restated."""
    period = Period(DAY - timedelta(days=300), DAY + timedelta(days=300))
    for digits in ("1", "7"):
        charges = [a_charge(f"0.{digits}0000000000000000{n}", f"proj_{n}") for n in range(9)]
        in_euro = [charge._replace(billing_currency="EUR", sub_account_id=None) for charge in charges[:1]]
        await read(storage, tenant, a_day(*charges, *in_euro))
    accounts = [(tenant.connection.id, name) for name in ("proj_1", "proj_8", None, "proj_unknown")]
    async with storage.reading() as store:
        for few, many in ((WEEK, period), (Period(DAY, DAY), Period(period.start, DAY))):
            for ask in (store.charges.project_totals, store.charges.daily_totals):
                assert await ask(tenant.workspace_id, few, accounts) == await ask(tenant.workspace_id, many, accounts)
                assert await ask(tenant.workspace_id, few) == await ask(tenant.workspace_id, many)
        rows = await store.charges.totals(tenant.workspace_id, period)
        sheets = await store.charges.project_totals(tenant.workspace_id, period)
    assert [(row.sub_account_id, row.amount) for row in sheets] == [
        (row.sub_account_id, row.amount)
        for row in sorted(rows, key=lambda row: (row.amount.currency, row.sub_account_id or ""))
    ]
    assert len(sheets) == 10
