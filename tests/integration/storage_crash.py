"""A process that dies by SIGKILL after its n-th statement, for every n: run by test_storage_atomicity.

Forks once per statement, so that Python's imports are paid once. Prints one JSON line per death: what stands in the
database afterwards. The last line is the run that lived.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, event

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from storage import KeyRing, open_storage

DAY = date(2026, 7, 1)
OLD_MOMENT = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
WORKSPACE = "T0FINOPS01"


def a_day(cost: str, lines: int) -> ChargedDay:
    return ChargedDay(DAY, tuple(Charge(DAY, f"proj_{n}", "gpt-4o", Decimal(cost)) for n in range(lines)))


async def replace(url: str, collection_id: int, connection_id: int, dies_after: int) -> None:
    """Store a new reading of the day and advance the queue, dying after `dies_after` statements of the transaction."""
    ring = KeyRing.generate()
    async with open_storage(url, ring) as storage:
        seen = 0

        def count(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen > dies_after:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        async with storage.writing() as store:
            at = OLD_MOMENT + timedelta(days=1)
            await store.charges.replace_day(WORKSPACE, connection_id, a_day("2", 300), at)
            await store.collections.advance(collection_id, "worker", DAY + timedelta(days=1), 1, at)


async def state(url: str, collection_id: int, connection_id: int) -> dict[str, Any]:
    """Everything that must move together."""
    period = Period(DAY, DAY + timedelta(days=1))
    async with open_storage(url, KeyRing.generate()) as storage, storage.reading() as store:
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


def main() -> None:
    url, collection_id, connection_id = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for statements in range(100):
        child = os.fork()
        if child == 0:
            asyncio.run(replace(url, collection_id, connection_id, statements))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        after = asyncio.run(state(url, collection_id, connection_id))
        sys.stdout.write(json.dumps({"killed": killed, "status": status} | after) + "\n")
        if not killed:
            return


if __name__ == "__main__":
    main()
