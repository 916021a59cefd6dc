"""Usage: whatever a provider tells, and however often, minutes, hours and days agree with each other and with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops.money import from_units
from finops.periods import Period
from finops.usage import COUNTS, Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage, Store
from storage.errors import AmountOutOfRange, NotFound
from storage.records_live import UsageChange, UsageSum
from storage.usage_rollups import VALUES
from storage.usage_sums import stretches
from tests.databases import WORKSPACE, Tenant, a_tenant

NOW = datetime(2026, 7, 6, 14, 0, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // 60
DAY = date(2026, 7, 6)
TODAY = MINUTE - MINUTE % 1440
WEEK = Period(DAY - timedelta(days=6), DAY + timedelta(days=1))
# Not a whole number of nano-units, so that something is carried all the time.
ATTO = 1_234_567_890_999_999_999
Buckets = Mapping[int, Sequence[UsageRow]]


def a_row(start: int, account: str = "proj_a", requests: int = 1, model: str = "gpt-4o", **counts: int) -> UsageRow:
    key = f"key_{account}"
    return UsageRow(start, "completions", account, model, key, "default", is_batch=False, requests=requests, **counts)


def priced(rows: Iterable[UsageRow], price: int = ATTO) -> list[tuple[UsageRow, int, bool]]:
    """So much for each call; nobody knows what "new-model" costs."""
    return [(row, 0, False) if row.model == "new-model" else (row, row.requests * price, True) for row in rows]


async def tell(
    store: Store,
    tenant: Tenant,
    buckets: Buckets,
    width: Width = Width.MINUTE,
    *,
    start: int | None = None,
    end: int | None = None,
    read_at: datetime = NOW,
    final_until: int | None = None,
) -> UsageChange:
    """Let the provider tell these buckets, in a reading that may reach further than they do."""
    told = tuple(UsageBucket(at, tuple(rows)) for at, rows in sorted(buckets.items()))
    first = min(buckets, default=MINUTE) if start is None else start
    last = max(buckets, default=MINUTE) + width if end is None else end
    reading = UsageReading(Endpoint.COMPLETIONS, width, first, last, told)
    rows = priced(row for bucket in told for row in bucket.rows)
    return await store.usage.replace(tenant.workspace_id, tenant.connection.id, reading, rows, read_at, final_until)


def summed(sums: Iterable[UsageSum], width: int = 1) -> dict[tuple[int, str], tuple[int, int]]:
    """Calls and atto-dollars by bucket and project."""
    calls: Counter[tuple[int, str]] = Counter()
    attos: Counter[tuple[int, str]] = Counter()
    for each in sums:
        calls[each.start - each.start % width, each.sub_account_id] += each.requests
        attos[each.start - each.start % width, each.sub_account_id] += each.atto
    return {key: (calls[key], attos[key]) for key in calls}


async def minutes(store: Store, tenant: Tenant, account: str | None = None) -> list[UsageSum]:
    mine = None if account is None else [(tenant.connection.id, account)]
    every = await store.usage.recent(tenant.workspace_id, TODAY - 2880, mine)
    return [each for each in every if each.connection_id == tenant.connection.id]


async def hours(store: Store, tenant: Tenant) -> list[UsageSum]:
    every = await store.usage.hourly(tenant.workspace_id, TODAY - 2880, TODAY + 2880)
    return [each for each in every if each.connection_id == tenant.connection.id]


async def days(store: Store, tenant: Tenant) -> list[UsageSum]:
    every = await store.usage.daily(tenant.workspace_id, WEEK)
    return [each for each in every if each.connection_id == tenant.connection.id]


FIRST = TODAY - 90  # before midnight, so that readings reach into two days
ACCOUNTS = ["", "proj_a", "proj_b"]
a_bucket = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(0, 4)), max_size=4)
a_reading = st.dictionaries(st.integers(0, 11), a_bucket, max_size=6)
_NUMBERS = count(1)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=st.lists(a_reading, max_size=7))
async def test_whatever_is_told_hours_are_their_minutes_and_days_their_hours(
    storage: Storage, readings: list[dict[int, list[tuple[str, int]]]]
) -> None:
    """Late, restated, repeated, missing and empty buckets: each minute is what was told of it last, and all adds up."""
    workspace_id = f"T{next(_NUMBERS):09}"
    tenant = await a_tenant(storage, workspace_id)
    last: dict[tuple[int, str], tuple[int, int]] = {}
    for number, reading in enumerate(readings):
        # Twenty minutes apart: over midnight and several hours.
        buckets = {
            FIRST + 20 * at: [a_row(FIRST + 20 * at, account, calls) for account, calls in rows]
            for at, rows in reading.items()
        }
        for start, rows in buckets.items():
            if any(row.requests for row in rows):
                last = {key: told for key, told in last.items() if key[0] != start}
                for account in {row.sub_account_id for row in rows}:
                    calls = sum(row.requests for row in rows if row.sub_account_id == account)
                    last |= {(start, account): (calls, calls * ATTO)} if calls else {}
        async with storage.writing() as store:
            await tell(store, tenant, buckets, read_at=NOW + timedelta(minutes=number))
    async with storage.reading() as store:
        by_minute, by_hour, by_day = await minutes(store, tenant), await hours(store, tenant), await days(store, tenant)
        everything = await store.usage.activity(workspace_id, FIRST - 7, FIRST + 24 * 60 + 13)
    assert summed(by_minute) == last
    assert summed(by_hour) == summed(by_minute, 60)
    assert summed(by_day) == summed(by_hour, 1440)
    assert sum(each.atto for each in everything) == sum(atto for _, atto in last.values())


A_WORLD = st.dictionaries(st.integers(0, 4 * 60 - 1), st.integers(1, 3), max_size=12)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=A_WORLD,
    wide=st.sampled_from([Width.HOUR, Width.DAY]),
    order=st.permutations(range(3)),
    hole=st.integers(0, 239),
)
async def test_the_widths_may_be_read_in_any_order_and_nothing_counts_twice(
    storage: Storage, world: dict[int, int], wide: Width, order: list[int], hole: int
) -> None:
    """A back-fill by hours or days and readings by minutes before, after or around it come to what was used."""
    tenant = await a_tenant(storage, f"T{next(_NUMBERS):09}")
    first = TODAY - 1440
    used = {first + at: calls for at, calls in world.items()}

    async def told(store: Store, start: int, end: int, width: Width) -> None:
        buckets: dict[int, list[UsageRow]] = {at: [] for at in range(start - start % width, end, width)}
        for minute, calls in used.items():
            if minute - minute % width in buckets:
                buckets[minute - minute % width].append(a_row(minute - minute % width, requests=calls))
        await tell(store, tenant, buckets, width, start=start, end=end)

    steps = [
        (first, first + 1440, wide),
        (first, first + hole, Width.MINUTE),
        (first + hole, first + 300, Width.MINUTE),
    ]
    async with storage.writing() as store:
        for step in order:
            await told(store, *steps[step])
    async with storage.reading() as store:
        assert sum(each.requests for each in await days(store, tenant)) == sum(used.values())
        assert sum(each.requests for each in await minutes(store, tenant)) == sum(used.values())
        if wide is Width.HOUR:
            expected = Counter[int]()
            for minute, calls in used.items():
                expected[minute - minute % 60] += calls
            assert {each.start: each.requests for each in await hours(store, tenant)} == expected


async def test_hours_that_only_a_back_fill_told_stay_as_it_told_them(storage: Storage, tenant: Tenant) -> None:
    """A few minutes of an hour do not stand for the hour, nor add to it; all of its minutes do."""
    hour = TODAY + 60
    async with storage.writing() as store:
        await tell(store, tenant, {hour: [a_row(hour, requests=60)]}, Width.HOUR)
        await tell(store, tenant, {hour + 50: [a_row(hour + 50, requests=7)]}, end=hour + 70)
        assert [each.requests for each in await hours(store, tenant)] == [60]
        await tell(store, tenant, {hour + 65: [a_row(hour + 65, requests=5)]}, start=hour + 50, end=hour + 80)
        assert [each.requests for each in await hours(store, tenant)] == [60, 5]
        change = await tell(store, tenant, {hour + 9: [a_row(hour + 9, requests=3)]}, start=hour, end=hour + 80)
        assert [each.requests for each in await hours(store, tenant)] == [10, 5]
        assert [each.requests for each in await days(store, tenant)] == [15]
        assert change.rows_changed == 1
        # Now that minutes tell all of it, the hour told as one is no news, and neither is one not over yet.
        await tell(store, tenant, {hour: [a_row(hour, requests=60)]}, Width.HOUR)
        await tell(store, tenant, {MINUTE: [a_row(MINUTE, requests=99)]}, Width.HOUR)
        await tell(store, tenant, {TODAY: [a_row(TODAY, requests=99)]}, Width.DAY)
        assert [each.requests for each in await hours(store, tenant)] == [10, 5]
        assert [each.requests for each in await days(store, tenant)] == [15]


async def test_an_hour_told_as_one_gives_way_to_minutes_that_tell_nothing_of_it(
    storage: Storage, tenant: Tenant
) -> None:
    """Once minutes cover it, they are what is known of it, though not one of them had any usage."""
    hour = TODAY + 60
    async with storage.writing() as store:
        await tell(store, tenant, {hour: [a_row(hour, requests=60)]}, Width.HOUR)
        await tell(store, tenant, {}, start=hour + 20, end=hour + 80)
        assert [each.requests for each in await hours(store, tenant)] == [60]
        await tell(store, tenant, {}, start=hour, end=hour + 20)
        assert (await hours(store, tenant), await days(store, tenant)) == ([], [])


async def test_what_did_not_change_is_not_written_and_what_went_is_gone(storage: Storage, tenant: Tenant) -> None:
    """A re-read tail of the same is no change; a group that a bucket tells no more leaves it, and the roll-ups."""
    buckets = {MINUTE: [a_row(MINUTE), a_row(MINUTE, "proj_b", 2)], MINUTE + 1: [a_row(MINUTE + 1)]}
    async with storage.writing() as store:
        assert (await tell(store, tenant, buckets)).rows_changed == 3
        again = await tell(store, tenant, buckets, read_at=NOW + timedelta(minutes=5))
        assert (again.rows_changed, again.newest_data, again.first_seen) == (0, MINUTE + 1, ())
        later = {MINUTE: [a_row(MINUTE, "proj_b", 2)], MINUTE + 1: [], MINUTE + 2: [a_row(MINUTE + 2)]}
        change = await tell(store, tenant, later, read_at=NOW + timedelta(minutes=6))
        assert (change.rows_changed, change.newest_data, change.first_seen) == (2, MINUTE + 2, (MINUTE + 2,))
        assert summed(await minutes(store, tenant)) == {
            (MINUTE, "proj_b"): (2, 2 * ATTO),
            (MINUTE + 1, "proj_a"): (1, ATTO),
            (MINUTE + 2, "proj_a"): (1, ATTO),
        }
        await tell(
            store, tenant, {MINUTE: [a_row(MINUTE)], MINUTE + 1: [a_row(MINUTE + 1)]}, read_at=NOW + timedelta(hours=1)
        )
        assert [each.sub_account_id for each in await hours(store, tenant)] == ["proj_a"]


async def test_a_reading_that_was_overtaken_is_set_aside(storage: Storage, tenant: Tenant) -> None:
    """Two copies poll at once: the older answer does not undo the newer; one from a clock that ran ahead may."""
    async with storage.writing() as store:
        await tell(store, tenant, {MINUTE: [a_row(MINUTE, requests=5)]}, read_at=NOW)
        late = await tell(store, tenant, {MINUTE: [a_row(MINUTE, requests=3)]}, read_at=NOW - timedelta(minutes=1))
        assert (late.kept, late.rows_changed) == (True, 0)
        await tell(store, tenant, {MINUTE: [a_row(MINUTE, requests=4)]}, read_at=NOW - timedelta(days=1))
        assert [each.requests for each in await minutes(store, tenant)] == [4]


async def test_how_far_was_read_is_kept_with_what_was_read(storage: Storage, tenant: Tenant) -> None:
    """The next poll begins where this one ended; a connection that was never read has no such place."""
    async with storage.writing() as store:
        assert await store.usage.reads(WORKSPACE, tenant.connection.id) == {}
        await tell(store, tenant, {MINUTE: [a_row(MINUTE)]}, final_until=MINUTE - 20)
        await tell(store, tenant, {}, start=MINUTE, end=MINUTE + 5, read_at=NOW + timedelta(minutes=5))
        [read] = (await store.usage.reads(WORKSPACE, tenant.connection.id)).values()
    assert (read.endpoint, read.final_until, read.newest_data) == ("completions", MINUTE - 20, MINUTE)
    assert read.read_at == NOW + timedelta(minutes=5)


async def test_what_has_no_price_is_counted_apart(storage: Storage, tenant: Tenant) -> None:
    """An unknown model adds nothing to the estimate, and says how many calls are missing from it."""
    rows = [
        a_row(MINUTE, requests=3),
        a_row(MINUTE, requests=4, model="new-model"),
        a_row(MINUTE, "proj_b", 0, "new-model", quantity=9),
    ]
    async with storage.writing() as store:
        await tell(store, tenant, {MINUTE: rows})
        found = await store.usage.open_estimates(WORKSPACE, [DAY, DAY - timedelta(days=1)])
    assert [(each.sub_account_id, each.model, each.atto, each.unpriced, each.requests) for each in found] == [
        ("proj_a", "gpt-4o", 3 * ATTO, 0, 3),
        ("proj_a", "new-model", 0, 4, 4),
        ("proj_b", "new-model", 0, 9, 0),
    ]
    assert {(each.connection_id, each.day) for each in found} == {(tenant.connection.id, DAY)}


async def test_activity_may_be_asked_by_project_and_key_over_any_stretch(storage: Storage, tenant: Tenant) -> None:
    """Whole days and hours from the roll-ups and the rest from minutes: each minute counts once."""
    used = [TODAY - 1441, TODAY - 1440, TODAY - 1, TODAY, TODAY + 59, TODAY + 60, TODAY + 61]
    async with storage.writing() as store:
        buckets = {at: [a_row(at, input_tokens=10, output_tokens=1), a_row(at, "proj_b")] for at in used}
        await tell(store, tenant, buckets)
    mine = [(tenant.connection.id, "proj_a"), (tenant.connection.id, None)]
    async with storage.reading() as store:
        for start, end, calls in [(TODAY - 1440, TODAY + 61, 5), (TODAY + 59, TODAY + 60, 1), (TODAY, TODAY, 0)]:
            found = await store.usage.activity(WORKSPACE, start, end, mine, by_key=True)
            assert [(each.requests, each.tokens, each.api_key_id) for each in found] == (
                [(calls, 11 * calls, "key_proj_a")] if calls else []
            )
        assert sum(each.requests for each in await store.usage.activity(WORKSPACE, TODAY - 1440, TODAY + 61)) == 10
        assert len(await store.usage.recent(WORKSPACE, TODAY, mine)) == 4
        busy = await store.usage.busy(WORKSPACE, tenant.connection.id, TODAY - 1440, TODAY + 61, Width.MINUTE)
        assert busy == [(at, 1) for at in used[1:-1]]
        busy = await store.usage.busy(WORKSPACE, tenant.connection.id, TODAY - 120, TODAY + 90, Width.HOUR)
        assert busy == [(TODAY - 60, 60), (TODAY, 60), (TODAY + 60, 60)]


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_a_stretch_is_cut_into_whole_buckets_without_gap_or_overlap(start: int, length: int) -> None:
    """The coarsest roll-up that fits tells each part."""
    told = sorted((part for part in stretches(start, start + length)), key=lambda part: part[1])
    assert [minute for _, first, last in told for minute in range(first, last)] == list(range(start, start + length))
    assert all(first % width == 0 and (last - first) % width == 0 for width, first, last in told)


async def test_prices_may_change_and_history_follows_and_says_so(storage: Storage, tenant: Tenant) -> None:
    """Minutes, hours told as one and days told as one are priced again, each dollar once, and it is logged."""
    yesterday = TODAY - 1440
    async with storage.writing() as store:
        await tell(store, tenant, {yesterday - 1440: [a_row(yesterday - 1440, requests=10)]}, Width.DAY)
        await tell(store, tenant, {yesterday + 60: [a_row(yesterday + 60, requests=5)]}, Width.HOUR)
        known = {at: [a_row(at), a_row(at, model="new-model")] for at in (yesterday + 300, TODAY, MINUTE - 1)}
        await tell(store, tenant, known)
        told = await store.usage.reprice(
            WORKSPACE,
            tenant.connection.id,
            WEEK,
            lambda rows: [(row, row.requests * 2 * ATTO, True) for row in rows],
            from_version="1",
            to_version="2",
            at=NOW,
        )
        assert (told.before.amount, told.after.amount) == (from_units(0, 18 * ATTO), from_units(0, 42 * ATTO))
        assert told.rows_changed == 8
        assert await store.usage.repricings(WORKSPACE, tenant.connection.id) == [told]
        by_minute, by_hour, by_day = await minutes(store, tenant), await hours(store, tenant), await days(store, tenant)
        assert sum(each.atto for each in by_minute) == 12 * ATTO
        assert sum(each.atto for each in by_hour) == 22 * ATTO
        assert sum(each.atto for each in by_day) == 42 * ATTO
        assert sum(each.unpriced for each in (*by_minute, *by_hour, *by_day)) == 0
        health = await store.healths.get(WORKSPACE, tenant.connection.id)
        assert health is not None
        assert health.price_version == "2"


async def test_old_minutes_are_forgotten_and_their_sums_are_not(storage: Storage, tenant: Tenant) -> None:
    """Ninety days of minutes, hours and days for good; history without minutes is still priced anew."""
    async with storage.writing() as store:
        await tell(store, tenant, {at: [a_row(at)] for at in (TODAY, TODAY + 1, TODAY + 60)})
        assert await store.usage.forget_minutes_before(TODAY + 60) == 2
        assert [each.start for each in await minutes(store, tenant)] == [TODAY + 60]
        assert [each.requests for each in await hours(store, tenant)] == [2, 1]
        await store.usage.reprice(
            WORKSPACE, tenant.connection.id, WEEK, lambda rows: priced(rows, 2 * ATTO),
            from_version=None, to_version="2", at=NOW,
        )  # fmt: skip
        assert [each.atto for each in await hours(store, tenant)] == [4 * ATTO, 2 * ATTO]
        assert [each.atto for each in await days(store, tenant)] == [6 * ATTO]


async def test_the_newest_minute_that_cost_something_is_told_of_whom_it_is_asked(
    storage: Storage, tenant: Tenant
) -> None:
    """Calls that cost nothing say nothing; whose price nobody knows do; nor does another workspace's usage."""
    other = await a_tenant(storage, "T0OTHER001")
    free, a, b = (a_row(MINUTE + 9, requests=0), a_row(MINUTE + 1), a_row(MINUTE + 2, "proj_b", model="new-model"))
    async with storage.writing() as store:
        await tell(store, tenant, {MINUTE + 1: [a], MINUTE + 2: [b], MINUTE + 9: [free]})
        await tell(store, other, {MINUTE + 5: [a_row(MINUTE + 5)]})
    mine = [(tenant.connection.id, name) for name in ("proj_a", "proj_b", "proj_c")]
    asked = [(MINUTE, None), (MINUTE, mine), (MINUTE + 2, mine[1:]), (MINUTE, mine[:1]), (MINUTE + 2, mine[:1])]
    asked += [(MINUTE, mine[2:]), (MINUTE + 3, None)]
    async with storage.reading() as store:
        told = [await store.usage.newest_spent(WORKSPACE, *each) for each in asked]
    assert told == [MINUTE + 2, MINUTE + 2, MINUTE + 2, MINUTE + 1, None, None, None]


async def test_failing_polls_are_told_since_when_and_lateness_is_remembered(storage: Storage, tenant: Tenant) -> None:
    """The first failure counts until a poll succeeds; two hundred samples of lateness are kept, the newest."""
    mine = WORKSPACE, tenant.connection.id
    async with storage.writing() as store:
        assert await store.healths.get(*mine) is None
        assert await store.healths.mark_failing(*mine, NOW, "unavailable") == NOW
        assert await store.healths.mark_failing(*mine, NOW + timedelta(minutes=5), "rejected") == NOW
        before = await store.healths.mark_read(*mine, NOW + timedelta(minutes=9), range(150), "1")
        assert before is not None
        assert (before.read_at, before.failing_since) == (None, NOW)
        before = await store.healths.mark_read(*mine, NOW + timedelta(minutes=10), range(150))
        assert before is not None
        assert (before.read_at, before.failing_since) == (NOW + timedelta(minutes=9), None)
        [health] = await store.healths.all(WORKSPACE)
    assert (health.failing_since, health.failing_code, health.price_version) == (None, None, "1")
    assert health.read_at == NOW + timedelta(minutes=10)
    assert health.lateness_samples == (*range(100, 150), *range(150))


async def test_a_reading_that_could_not_be_added_up_exactly_is_refused(storage: Storage, tenant: Tenant) -> None:
    """Neither a number beyond reason nor another workspace's connection leaves anything behind."""
    stranger = await a_tenant(storage, "T0OTHER001")
    async with storage.writing() as store:
        for calls in (10**16, -1):
            with pytest.raises(AmountOutOfRange):
                await tell(store, tenant, {MINUTE: [a_row(MINUTE, requests=calls)]})
        with pytest.raises(NotFound):
            await tell(store, Tenant(WORKSPACE, 1, stranger.connection), {MINUTE: [a_row(MINUTE)]})
        with pytest.raises(ValueError, match="did not tell"):
            await tell(store, tenant, {MINUTE: [a_row(MINUTE + 1)]})
        assert await minutes(store, tenant) == []


async def test_names_of_every_script_and_sign_come_back_as_they_were(storage: Storage, tenant: Tenant) -> None:
    """Provider's names are data: quotes, braces, backslashes and emoji included, many at once too."""
    names = ['a"b', "{}", "back\\slash", "NULL", "", "프로젝트 🎉", "tab\there", "a,b", "'; --", *map(str, range(600))]
    async with storage.writing() as store:
        await tell(store, tenant, {MINUTE: [a_row(MINUTE, name) for name in names]})
        assert sorted(each.sub_account_id for each in await minutes(store, tenant)) == sorted(names)
        [one] = await minutes(store, tenant, "back\\slash")
    assert one.requests == 1
    assert VALUES[: len(COUNTS)] == COUNTS


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(st.sampled_from(["silent", "told"]), min_size=3, max_size=3), min_size=1, max_size=4))
async def test_readings_kept_together_leave_what_readings_kept_one_by_one_leave(
    storage: Storage, rounds: list[list[str]]
) -> None:
    """Three endpoints, read again and again, some of them silent: both ways know the same, and how far it was read."""
    number = next(_NUMBERS)
    one = await a_tenant(storage, f"T{number:09}")
    other = await a_tenant(storage, f"U{number:09}")
    for at, told in enumerate(rounds):
        start = MINUTE + 30 * at
        readings = []
        for endpoint, what in zip(list(Endpoint)[:3], told, strict=True):
            rows = [a_row(start)._replace(endpoint=endpoint.value)] if what == "told" else []
            buckets = (UsageBucket(start, tuple(rows)),)
            readings.append((UsageReading(endpoint, Width.MINUTE, start - 20, start + 30, buckets), priced(rows)))
        read_at = NOW + timedelta(minutes=at)
        async with storage.writing() as store:
            changes = await store.usage.replace_each(one.workspace_id, one.connection.id, readings, read_at)
            apart = [
                await store.usage.replace(other.workspace_id, other.connection.id, told, rows, read_at, told.end)
                for told, rows in readings
            ]
        assert changes == apart
    async with storage.reading() as store:
        known = [await store.usage.reads(each.workspace_id, each.connection.id) for each in (one, other)]
        assert known[0] == known[1]
        assert {name: read.final_until for name, read in known[0].items()} == {
            endpoint.value: MINUTE + 30 * len(rounds) for endpoint in list(Endpoint)[:3]
        }
        assert len(await minutes(store, one)) == len(await minutes(store, other))


async def test_silence_overtaken_by_a_newer_reading_is_set_aside(storage: Storage, tenant: Tenant) -> None:
    """A replica that was held up does not move back how far was read."""
    silence = UsageReading(Endpoint.IMAGES, Width.MINUTE, MINUTE, MINUTE + 5, ())
    for read_at in (NOW, NOW + timedelta(minutes=5), NOW + timedelta(minutes=1)):
        async with storage.writing() as store:
            [change] = await store.usage.replace_each(
                tenant.workspace_id, tenant.connection.id, [(silence, [])], read_at
            )
    assert change.kept
    async with storage.reading() as store:
        reads = await store.usage.reads(tenant.workspace_id, tenant.connection.id)
    assert reads["images"].read_at == NOW + timedelta(minutes=5)
