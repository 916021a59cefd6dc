"""What a cost is explained from: usage by the way it was asked for, and the bill by its line items, exact on both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from finops.charges import Charge, ChargedDay
from finops.money import Money
from finops.periods import Period, starts_at
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from finops.usage_groups import UsageGroup
from storage import Storage
from tests.databases import OTHER_WORKSPACE, WORKSPACE, Tenant, a_tenant

NOW = datetime(2026, 7, 6, 14, 0, tzinfo=UTC)
DAY = date(2026, 7, 3)
WEEK = Period(DAY, DAY + timedelta(days=3))
START = int(starts_at(DAY).timestamp()) // 60
# Not a whole number of nano-units, so that something is carried all the time.
ATTO = 1_234_567_890_999_999_999


def used(start: int, account: str, key: str, tier: str = "default", *, batch: bool = False) -> UsageRow:
    return UsageRow(start, "completions", account, "gpt-4o", key, tier, batch, 2, 100, 40, 0, 20)


def times(group: UsageGroup, count: int) -> UsageGroup:
    return UsageGroup._make((*group[:4], *(each * count for each in group[4:])))


async def tell(storage: Storage, tenant: Tenant, rows: list[UsageRow]) -> None:
    """What the provider told by the hour."""
    starts = sorted({row.start for row in rows})
    buckets = tuple(UsageBucket(at, tuple(row for row in rows if row.start == at)) for at in starts)
    reading = UsageReading(Endpoint.COMPLETIONS, Width.HOUR, starts[0], starts[-1] + 60, buckets)
    priced = [(row, ATTO, True) for row in rows]
    async with storage.writing() as store:
        await store.usage.replace(tenant.workspace_id, tenant.connection.id, reading, priced, NOW, None)


async def test_usage_is_told_by_the_way_it_was_asked_for(storage: Storage):
    """Keys are added up; projects, tiers and batch are kept apart; nothing of another workspace, nothing of before."""
    tenant, other = await a_tenant(storage, WORKSPACE), await a_tenant(storage, OTHER_WORKSPACE)
    mine = tenant.connection.id
    await tell(
        storage,
        tenant,
        [
            used(START - 60, "proj_a", "key_1"),
            used(START, "proj_a", "key_1"),
            used(START, "proj_a", "key_2"),
            used(START + 60, "proj_a", "key_1", batch=True),
            used(START + 60, "proj_a", "key_1", "priority"),
            used(START + 1440, "proj_b", "key_1"),
        ],
    )
    await tell(storage, other, [used(START, "proj_a", "key_1")])
    two = UsageGroup("completions", "gpt-4o", "default", is_batch=False)
    two = two._replace(requests=4, input_tokens=200, cached_input_tokens=80, output_tokens=40, atto=2 * ATTO)
    one = two._replace(requests=2, input_tokens=100, cached_input_tokens=40, output_tokens=20, atto=ATTO)
    expected = [
        (mine, "proj_a", two),
        (mine, "proj_a", one._replace(is_batch=True)),
        (mine, "proj_a", one._replace(service_tier="priority")),
        (mine, "proj_b", one),
    ]
    async with storage.reading() as store:
        told = await store.usage.grouped(WORKSPACE, WEEK)
        of_a = await store.usage.grouped(WORKSPACE, WEEK, [(mine, "proj_a")])
        nobody = await store.usage.grouped(WORKSPACE, WEEK, [(mine, "proj_c")])
        same = await store.usage.same_hours(WORKSPACE, START + 2880, 3, {0: 60, 60: 15}, [(mine, "proj_a")])
        later = await store.usage.same_hours(WORKSPACE, START + 2880, 3, {120: 60})
        between = await store.usage.grouped_between(WORKSPACE, START, START + 60, [(mine, "proj_a")])
    assert told == expected
    assert of_a == expected[:3]
    assert nobody == []
    # Two days with usage; of the hour after midnight all sixty minutes count, of the next a quarter.
    assert same == (2, [
        (mine, "proj_a", times(two, 60)),
        (mine, "proj_a", times(one._replace(is_batch=True), 15)),
        (mine, "proj_a", times(one._replace(service_tier="priority"), 15)),
    ])  # fmt: skip
    assert later == (3, [])
    assert between == expected[:1]


async def test_the_bill_is_told_by_its_line_items(storage: Storage):
    """Days and projects are added up to the last digit; currencies are kept apart, and no name is a name too."""
    tenant, other = await a_tenant(storage, WORKSPACE), await a_tenant(storage, OTHER_WORKSPACE)
    amount = Decimal("0.123456789123456789")
    lines = [("proj_a", "gpt-4o, input", "USD"), ("proj_b", "gpt-4o, input", "USD"), ("proj_b", None, "USD")]
    for who in (tenant, other):
        for day in (DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)):
            charges = tuple(Charge(day, account, sku, amount, currency) for account, sku, currency in lines)
            async with storage.writing() as store:
                await store.charges.replace_day(who.workspace_id, who.connection.id, ChargedDay(day, charges), NOW)
    mine = tenant.connection.id
    async with storage.reading() as store:
        whole = await store.charges.by_line_item(WORKSPACE, WEEK)
        of_a = await store.charges.by_line_item(WORKSPACE, WEEK, [(mine, "proj_a")])
        of_many = await store.charges.by_line_item(WORKSPACE, WEEK, [(mine, f"proj_{n}") for n in ["a", *range(900)]])
        nobody = await store.charges.by_line_item(WORKSPACE, WEEK, [(mine + 1000, "proj_a")])
        nothing = await store.charges.by_line_item(WORKSPACE, Period(DAY + timedelta(days=9), DAY + timedelta(days=12)))
    assert whole == [(None, Money(2 * amount)), ("gpt-4o, input", Money(4 * amount))]
    assert of_a == of_many == [("gpt-4o, input", Money(2 * amount))]
    assert nobody == nothing == []
