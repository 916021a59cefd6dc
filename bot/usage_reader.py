"""Reading usage: what is new of one connection, asked for endpoint by endpoint, priced, and kept without a gap."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import drift
from bot.desk import Desk, skew_of
from bot.unchanged import Unchanged
from bot.usage_steps import FILLED_IN_DAYS, Step, silence, steps
from finops.frozen import frozen
from finops.periods import Period, charge_day, minute_of, moment_of
from finops.prices import PriceList, priced
from finops.registry import Connection, Credential
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, UsageRow, Width
from providers.contract import CredentialRejected, Provider, ProviderError, UnexpectedResponse
from storage.errors import AmountOutOfRange
from storage.records_live import UsageChange, UsageHealth, UsageRead

log = logging.getLogger(__name__)

# A provider counts our requests: one connection's endpoints are read a few at a time.
_AT_ONCE = 4
# More rows than this are priced beside the event loop.
_FEW_ROWS = 500
_PRICED_AGAIN_DAYS = FILLED_IN_DAYS


@frozen
class _News:
    """One reading and its rows with their prices."""

    reading: UsageReading
    rows: list[tuple[UsageRow, int, bool]]


@dataclass
class Trip:
    """One reading of one connection's usage: what it begins with, and what came of it."""

    connection: Connection
    keys: list[tuple[Credential, Secret]]
    provider: Provider
    prices: PriceList
    health: UsageHealth | None
    at: datetime
    reads: Mapping[str, UsageRead]
    troubles: list[ProviderError] = field(default_factory=list)
    newest: int | None = None
    first_seen: int | None = None
    unpriced: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    waiting: list[_News] = field(default_factory=list)

    @property
    def is_first(self) -> bool:
        """Whether nothing of it was ever read."""
        return not self.reads

    @property
    def was_read_at(self) -> datetime | None:
        """When the last reading was that succeeded."""
        return self.health.read_at if self.health else None

    @property
    def provider_at(self) -> datetime:
        """When it began, by the clock that the provider's minutes go by: those still to come are told as empty."""
        return self.at + skew_of(self.provider)

    @property
    def ends_a_day(self) -> bool:
        """Whether the last reading that succeeded was of another day, so that some day is now known to its end."""
        return self.was_read_at is None or charge_day(self.was_read_at) != charge_day(self.at)

    @property
    def available(self) -> dict[int, datetime]:
        """When what is new could have been read at the earliest, so that no alert looks faster than it is."""
        if self.first_seen is None:
            return {}
        ended = moment_of(self.first_seen + 1)
        return {self.connection.id: ended if self.was_read_at is None else max(ended, self.was_read_at)}


class UsageReader:
    """Reads what connections have used since they were last read."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unchanged = Unchanged()

    async def read(self, trip: Trip) -> None:
        """Read everything that is new, and keep it; what was in the way is noted on the trip."""
        await self._priced_again(trip)
        gate = asyncio.Semaphore(_AT_ONCE)
        # One that breaks takes the others along: nothing of a trip outlives it.
        async with asyncio.TaskGroup() as reading:
            for endpoint in Endpoint:
                reading.create_task(self._read(trip, endpoint, gate))
        await self._keep_waiting(trip)

    async def _read(self, trip: Trip, endpoint: Endpoint, gate: asyncio.Semaphore) -> None:
        """Everything new of one endpoint, oldest first, so that what is read has no gaps whenever we are stopped."""
        stored = trip.reads.get(endpoint.value)
        known = self._unchanged.known(
            trip.connection.id, endpoint, stored.read_at if stored else None, trip.prices.version
        )
        covered, newest = (stored.final_until, stored.newest_data) if stored else (None, None)
        wanted = steps(covered, minute_of(trip.provider_at), newest)
        try:
            for step in wanted:
                async with gate:
                    reading = await _asked(trip, endpoint, step, known)
                    is_told = step is wanted[0] and any(bucket.rows for bucket in reading.buckets)
                    if is_told and (silent := silence(step, newest)) is not None:
                        await self._keep(trip, [await self._news(trip, await _asked(trip, endpoint, silent, {}))])
                news = await self._news(trip, reading)
                if step is wanted[-1] and len(news.rows) <= _FEW_ROWS:
                    trip.waiting.append(news)
                else:
                    await self._keep(trip, [news])
        except ProviderError as error:
            trip.troubles.append(error)

    async def _news(self, trip: Trip, reading: UsageReading) -> _News:
        """What a reading tells, priced."""
        rows = [row for bucket in reading.buckets for row in bucket.rows]
        is_few = len(rows) <= _FEW_ROWS
        with_prices = priced(rows, trip.prices) if is_few else await asyncio.to_thread(priced, rows, trip.prices)
        return _News(reading, with_prices)

    async def _keep_waiting(self, trip: Trip) -> None:
        """Store the small readings of a trip together, for a transaction costs more than what is in it.

        Where one of them is nonsense, the others are kept one by one.
        """
        try:
            await self._keep(trip, trip.waiting)
        except UnexpectedResponse:
            for news in trip.waiting:
                try:
                    await self._keep(trip, [news])
                except UnexpectedResponse as error:
                    trip.troubles.append(error)

    async def _keep(self, trip: Trip, each: Sequence[_News]) -> None:
        """Store readings, all or none. UnexpectedResponse where counts or prices are beyond anything real."""
        one, readings = trip.connection, [(news.reading, news.rows) for news in each]
        try:
            async with self._desk.storage.writing() as store:
                changes = await store.usage.replace_each(
                    one.workspace_id, one.id, readings, trip.at, self._desk.now(), trip.provider_at
                )
        except AmountOutOfRange as error:
            raise UnexpectedResponse("usage is beyond anything real") from error
        for news, change in zip(each, changes, strict=True):
            if news.reading.width is Width.MINUTE:
                self._note(trip, news, change)

    def _note(self, trip: Trip, news: _News, change: UsageChange) -> None:
        if change.kept:
            self._unchanged.forget(trip.connection.id, news.reading.endpoint)
        else:
            self._unchanged.remember(trip.connection.id, news.reading, trip.at, trip.prices.version)
        trip.newest = max((each for each in (trip.newest, change.newest_data) if each is not None), default=None)
        if change.first_seen:
            trip.first_seen = max(trip.first_seen or 0, change.first_seen[-1])
        yesterday = minute_of(trip.at) - Width.DAY
        for row, _, is_priced in news.rows:
            if not is_priced and row.start > yesterday:
                trip.unpriced[row.endpoint, row.model].add(row.sub_account_id)

    async def _priced_again(self, trip: Trip) -> None:
        """When prices changed, what was estimated with the old ones is estimated anew, and that is logged."""
        desk, one = self._desk, trip.connection
        before, now = trip.health.price_version if trip.health else None, trip.prices.version
        if trip.is_first or before == now:
            return
        today = desk.today()
        async with desk.storage.writing() as store:
            done = await store.usage.reprice(
                one.workspace_id,
                one.id,
                Period(today - timedelta(days=_PRICED_AGAIN_DAYS), today + timedelta(days=1)),
                lambda rows: priced(rows, trip.prices),
                from_version=before,
                to_version=now,
                at=trip.at,
            )
            await drift.held_anew(desk, store, one)
        desk.lessons[one.workspace_id] += 1
        log.info(
            "history priced again",
            extra={
                "connection_id": one.id,
                "from_version": before,
                "to_version": now,
                "rows": done.rows_changed,
                "before": f"{done.before.amount:f}",
                "after": f"{done.after.amount:f}",
            },
        )


async def _asked(trip: Trip, endpoint: Endpoint, step: Step, known: Mapping[int, int]) -> UsageReading:
    """A rejected key is put behind the others; only when every key is rejected, the rejection counts."""
    for left in range(len(trip.keys), 0, -1):
        pair = trip.keys[0]
        try:
            start, end = moment_of(step.start), moment_of(step.end)
            return await trip.provider.usage(
                pair[1], endpoint, step.width, start, end, known if step.width is Width.MINUTE else None
            )
        except CredentialRejected:
            if left == 1:
                raise
            # Another endpoint may have put it back already.
            if trip.keys[0] is pair:
                trip.keys.append(trip.keys.pop(0))
    raise AssertionError("a trip has a key")
