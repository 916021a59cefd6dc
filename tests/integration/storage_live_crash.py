"""A poll that dies by SIGKILL between any two of its steps: usage, the incident it opens, the message that says so.

Lived by test_storage_atomicity, and like storage_crash forks once for each step and says what stands before and after.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import KeyRing, Storage, usage
from storage.engine import normalised, open_engines
from storage.usage_rows import UsageRows
from tests.databases import WORKSPACE
from tests.integration.isolation_world import LATER, MINUTE, an_incident
from tests.integration.mortals import Rehearsed, die_after, forked, say

Poll = tuple[UsageReading, list[tuple[UsageRow, int, bool]]]


def a_poll(calls: int, groups: range) -> Poll:
    """Two minutes of some projects; other groups in the second poll than in the first, so that some go and come."""
    rows = [
        UsageRow(start, "completions", f"proj_{n}", "gpt-4o", "key", "default", is_batch=False, requests=calls)
        for start in (MINUTE, MINUTE + 61)
        for n in groups
    ]
    buckets = tuple(UsageBucket(at, tuple(row for row in rows if row.start == at)) for at in (MINUTE, MINUTE + 61))
    reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, MINUTE, MINUTE + 62, buckets)
    return reading, [(row, row.requests * 10**18, True) for row in rows]


def die_in_a_poll_after(steps: int) -> None:
    """As everywhere, and where rows go to the database in bulk."""
    count = die_after(steps)

    class Counted(UsageRows):
        async def _driver(self) -> Any:
            count()
            return await super()._driver()

    usage.UsageRows = Counted  # type: ignore[attr-defined]


async def poll(url: str, dies_after: int | None, connection_id: int, budget_id: int, team_id: int) -> None:
    """Store the second poll, open an incident and ask for its message in one transaction; None is a rehearsal."""
    async with open_engines(normalised(url)) as engines:
        storage = Storage(engines, KeyRing.generate())
        say(**await state(storage))
        if dies_after is not None:
            die_in_a_poll_after(dies_after)
        async with storage.writing() as store:
            reading, priced = a_poll(2, range(1, 4))
            at = LATER + timedelta(minutes=5)
            await store.usage.replace(WORKSPACE, connection_id, reading, priced, at, MINUTE + 62)
            incident = await store.incidents.save(WORKSPACE, an_incident(WORKSPACE, budget_id, team_id), None)
            await store.outbox.want(
                WORKSPACE, f"incident:{incident.id}", "incident", {"id": incident.id}, "C1", (), urgency=1, at=at
            )
            if dies_after is None:
                raise Rehearsed


async def state(storage: Storage) -> dict[str, int]:
    """Everything that must move together."""
    async with storage.reading() as store:
        minutes = await store.usage.recent(WORKSPACE, MINUTE)
        hours = await store.usage.hourly(WORKSPACE, MINUTE, MINUTE + 120)
        days = await store.usage.daily(WORKSPACE, an_incident(WORKSPACE, 1, 1).incident.window)
        reads = [
            read
            for connection in await store.connections.all(WORKSPACE)
            for read in (await store.usage.reads(WORKSPACE, connection.id)).values()
        ]
        incidents = await store.incidents.open_ones(WORKSPACE)
        return {
            "minutes": sum(each.requests for each in minutes),
            "hours": sum(each.requests for each in hours),
            "days": sum(each.requests for each in days),
            "groups": len({each.sub_account_id for each in days}),
            "final_until": max((read.final_until for read in reads), default=0),
            "incidents": len(incidents),
            "events": sum([len(await store.incidents.events(WORKSPACE, each.id or 0)) for each in incidents]),
            "messages": (await store.outbox.standing(WORKSPACE, LATER))[0],
        }


async def told(url: str) -> None:
    async with open_engines(normalised(url)) as engines:
        say(**await state(Storage(engines, KeyRing.generate())))


def main(url: str, *ids: str) -> None:
    connection_id, budget_id, team_id = map(int, ids)
    with suppress(Rehearsed):
        asyncio.run(poll(url, None, connection_id, budget_id, team_id))
    steps = 0
    while forked(lambda steps=steps: asyncio.run(poll(url, steps, connection_id, budget_id, team_id))):
        steps += 1
    asyncio.run(told(url))
