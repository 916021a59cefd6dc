"""A process that dies by SIGKILL between any two statements that write: lived by test_storage_atomicity.

Forks once for each. Every process first says what the death before it left behind; last is said what stands after the
one that lived.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from storage import KeyRing, Storage
from storage.engine import normalised, open_engines
from tests.integration.mortals import Rehearsed, die_after, forked, say

DAY = date(2026, 7, 1)
OLD_MOMENT = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
WORKSPACE = "T0FINOPS01"


def a_day(cost: str, lines: int) -> ChargedDay:
    return ChargedDay(DAY, tuple(Charge(DAY, f"proj_{n}", "gpt-4o", Decimal(cost)) for n in range(lines)))


async def replace(url: str, collection_id: int, connection_id: int, dies_after: int | None) -> None:
    """Store a new reading of the day and advance the queue, dying in between; None is a rehearsal, and undone."""
    async with open_engines(normalised(url)) as engines:
        storage = Storage(engines, KeyRing.generate())
        if dies_after is not None:
            say(**await state(storage, collection_id, connection_id))
            die_after(dies_after)
        async with storage.writing() as store:
            at = OLD_MOMENT + timedelta(days=1)
            await store.charges.replace_day(WORKSPACE, connection_id, a_day("2", 300), at)
            await store.collections.advance(collection_id, "worker", DAY + timedelta(days=1), 1, at)
            if dies_after is None:
                raise Rehearsed


async def state(storage: Storage, collection_id: int, connection_id: int) -> dict[str, Any]:
    """Everything that must move together."""
    period = Period(DAY, DAY + timedelta(days=1))
    async with storage.reading() as store:
        [total] = await store.charges.daily_totals(WORKSPACE, period)
        projects = await store.charges.project_totals(WORKSPACE, period)
        lines = await store.charges.lines(WORKSPACE, period, connection_id, "proj_0")
        reading = (await store.charges.readings(WORKSPACE, period))[connection_id][DAY]
        collection = await store.collections.get(WORKSPACE, collection_id)
        assert collection is not None
        return {
            "total": f"{total.amount.amount:.0f}",
            "projects": f"{sum((each.amount.amount for each in projects), Decimal(0)):.0f}",
            "line": f"{lines[0].billed_cost:.0f}",
            "restated": len(await store.restatements.of(WORKSPACE, period)),
            "read_at": reading.read_at.isoformat(),
            "days_done": collection.days_done,
        }


async def told(url: str, collection_id: int, connection_id: int) -> None:
    async with open_engines(normalised(url)) as engines:
        say(**await state(Storage(engines, KeyRing.generate()), collection_id, connection_id))


def main(url: str, collection_id: str, connection_id: str) -> None:
    mine = url, int(collection_id), int(connection_id)
    with suppress(Rehearsed):
        asyncio.run(replace(*mine, None))
    steps = 0
    while forked(lambda steps=steps: asyncio.run(replace(*mine, steps))):
        steps += 1
    asyncio.run(told(*mine))
