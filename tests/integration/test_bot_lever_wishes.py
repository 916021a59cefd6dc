"""What is usual of a project where somebody slows it down: its ordinary days, and never the runaway of a week ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.lever_wishes import usual_of
from finops.periods import minute_of
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage
from tests.databases import WORKSPACE, a_tenant

NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
TODAY = NOW.replace(hour=0)


def an_hour(day: int, hour: int, requests: int) -> UsageBucket:
    start = minute_of(TODAY - timedelta(days=day) + timedelta(hours=hour))
    row = UsageRow(start, "completions", "proj_chat", "m", "key", "default", is_batch=False, requests=requests)
    return UsageBucket(start, (row,))


async def test_a_runaway_of_the_week_before_is_not_the_usual_pace(storage: Storage) -> None:
    """Sixty calls an hour, and sixty thousand for three: to slow it down let forty-nine times the usual through."""
    tenant = await a_tenant(storage)
    loud = {(3, 12), (3, 13), (3, 14)}
    hours = [(day, hour) for day in range(7, 0, -1) for hour in range(9, 18)]
    buckets = tuple(an_hour(*at, 60_000 if at in loud else 60) for at in hours)
    reading = UsageReading(
        Endpoint.COMPLETIONS, Width.HOUR, buckets[0].start, buckets[-1].start + int(Width.HOUR), buckets
    )
    connection_id = tenant.connection.id
    async with storage.writing() as store:
        priced = [(row, 0, True) for bucket in buckets for row in bucket.rows]
        await store.usage.replace(WORKSPACE, connection_id, reading, priced, NOW, reading.end)
    async with storage.reading() as store:
        wish = await usual_of(store, WORKSPACE, (connection_id, "proj_chat"), minute_of(NOW))
    assert wish.pace == {"m": 1}
