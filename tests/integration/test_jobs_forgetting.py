"""What is old is forgotten, what is younger by a moment is not, and an operator can see how much of what went."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select

from bot import Bot
from bot.metrics import Metrics
from bot.policy import Policy
from finops.events import RecordedCall
from finops.periods import minute_of
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from jobs import CALLS_KEPT, CLAIMS_KEPT, EVENT_IDS_KEPT, MINUTES_KEPT, VALUE_KEPT, forget_what_is_old
from jobs.outbox import KEPT
from storage import Storage, Store
from storage.tables import claims
from storage.tables_live import outbox, usage_days, usage_hours, usage_minutes
from storage.tables_value import value_calls, value_days, value_event_ids, value_users, value_weeks
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MINUTE = minute_of(MOMENT - MINUTES_KEPT)


async def there(storage: Storage, column: ColumnElement[Any]) -> list[Any]:
    """What stands in a column, in order."""
    async with storage.reading() as store:
        return sorted(await store.claims._db.scalars(select(column)))


async def some_claims(store: Store) -> None:
    await store.claims.once(WORKSPACE, "old", MOMENT - CLAIMS_KEPT - SECOND)
    await store.claims.once(WORKSPACE, "young", MOMENT - CLAIMS_KEPT)


async def some_usage(store: Store, tenant: Tenant) -> None:
    """Two minutes, of one hour or of two."""
    rows = [
        UsageRow(at, "completions", "proj_a", "gpt-5.4", "key", "default", is_batch=False, requests=1)
        for at in (MINUTE - 1, MINUTE)
    ]
    told = tuple(UsageBucket(row.start, (row,)) for row in rows)
    reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, MINUTE - 1, MINUTE + 1, told)
    await store.usage.replace(WORKSPACE, tenant.connection.id, reading, [(row, 1, True) for row in rows], MOMENT, None)


async def some_messages(store: Store) -> None:
    """Two that were sent, and one that waits for ever."""
    for key, at in (("old", MOMENT - KEPT - SECOND), ("young", MOMENT - KEPT)):
        await store.outbox.want(WORKSPACE, key, "incident", {}, "C1", (), at=at)
        [message] = await store.outbox.lease("w", at, timedelta(minutes=1), 10)
        assert await store.outbox.sent(WORKSPACE, key, "w", message.version, "C1", "1.0", at)
    await store.outbox.want(WORKSPACE, "waiting", "incident", {}, "C1", (), at=MOMENT - 2 * KEPT)


async def some_calls(store: Store, tenant: Tenant) -> None:
    """One call on the last day that each limit keeps, one on the day before; and one in the last week that goes."""
    [project], _ = await store.projects.register(
        WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id, projects=[("proj_a", "chatbot")],
        registered_by="U1", at=MOMENT,
    )  # fmt: skip
    a_call = RecordedCall("", "", MOMENT, user_key="u", cost_nano=1, cost_rest=0)
    ages = [age for kept in (CALLS_KEPT, EVENT_IDS_KEPT, VALUE_KEPT) for age in (kept, kept + DAY)]
    told = [replace(a_call, event_id=str(n), request_id=str(n), at=MOMENT - age) for n, age in enumerate(ages)]
    ended = replace(a_call, event_id="ended", request_id="ended", at=MOMENT - VALUE_KEPT - 7 * DAY)
    await store.value.record(WORKSPACE, project.id, [*told, ended])


async def test_the_job_forgets_what_is_older_than_its_limit_and_nothing_younger(
    storage: Storage, tenant: Tenant, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Of each kind something stands on both sides of the limit, a second, a minute or a day apart."""
    caplog.set_level("INFO")
    async with storage.writing() as store:
        await some_claims(store)
        await some_usage(store, tenant)
        await some_messages(store)
        await some_calls(store, tenant)
    hours, days = await there(storage, usage_hours.c.start), await there(storage, usage_days.c.start)
    metrics = Metrics()
    await forget_what_is_old(Bot(storage, {}, clock, Policy()), MOMENT, metrics)

    assert await there(storage, claims.c.key) == ["young"]
    assert await there(storage, usage_minutes.c.start) == [MINUTE]
    assert (await there(storage, usage_hours.c.start), await there(storage, usage_days.c.start)) == (hours, days)
    assert await there(storage, outbox.c.key) == ["waiting", "young"]
    today = MOMENT.date()
    ids_kept, calls_kept, sums_kept = today - EVENT_IDS_KEPT, today - CALLS_KEPT, today - VALUE_KEPT
    assert await there(storage, value_event_ids.c.seen_on) == [ids_kept]
    for table in (value_calls, value_users):
        assert await there(storage, table.c.charge_day) == [calls_kept, ids_kept - DAY, ids_kept]
    assert await there(storage, value_days.c.charge_day) == [
        sums_kept, calls_kept - DAY, calls_kept, ids_kept - DAY, ids_kept,
    ]  # fmt: skip
    # A week stays while any of its days does.
    assert (await there(storage, value_weeks.c.week))[0] == sums_kept - timedelta(days=sums_kept.weekday())

    # 4 calls and as many days of users, 6 ids, 2 days of sums, a week of them.
    rows = {"claims": 1, "usage_minutes": 1, "outbox": 1, "value": 4 + 4 + 6 + 2 + 1}
    [line] = [record for record in caplog.records if record.message == "forgot what is old"]
    assert line.__dict__["rows"] == rows
    for kind, count in rows.items():
        assert metrics.registry.get_sample_value("finops_forgotten_rows_total", {"kind": kind}) == count


async def test_where_nothing_is_old_the_line_says_so(
    storage: Storage, tenant: Tenant, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator sees that somebody looked; and what was just forgotten is not counted again."""
    caplog.set_level("INFO")
    async with storage.writing() as store:
        await some_claims(store)
    bot, metrics = Bot(storage, {}, clock, Policy()), Metrics()
    await forget_what_is_old(bot, MOMENT, metrics)
    await forget_what_is_old(bot, MOMENT, metrics)
    first, second = [record.__dict__["rows"] for record in caplog.records if record.message == "forgot what is old"]
    assert (first["claims"], set(second.values())) == (1, {0})
    assert metrics.registry.get_sample_value("finops_forgotten_rows_total", {"kind": "claims"}) == 1
    assert metrics.registry.get_sample_value("finops_forgotten_rows_total", {"kind": "value"}) == 0
