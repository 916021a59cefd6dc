"""Reading one connection's bill: newest days first, each day replaced as a whole, resumable after any kind of death."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache

from bot import blindness, discovery, drift
from bot.audience import has_enabled_key
from bot.desk import Desk
from bot.errors import BadNews, BadNewsKind, OutageCode, explain
from bot.results import CollectionEvent, Failed, Finished, Progress, Told
from finops.allocation import main_currency, totals_by_currency
from finops.charges import LATE_BILL, ChargedDay
from finops.figures import CollectionProgress
from finops.money import Money
from finops.periods import Period, starts_at
from finops.registry import Connection, Credential
from finops.secret import Secret
from providers.contract import CredentialRejected, ProviderError, RateLimited, Unavailable, UnexpectedResponse
from storage import Store
from storage.errors import AmountOutOfRange, LeaseLost, SecretUnreadable
from storage.records import Collection, CollectionState

log = logging.getLogger(__name__)

# One page of a provider's bill: small enough to show progress, large enough to ask for 180 days in 26 requests.
CHUNK_DAYS = 7
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(minutes=15)
_DISCOVERY_SECONDS = 60.0


def chunks(collection: Collection) -> Iterator[Period]:
    """What is left to read, newest first: the first chart needs yesterday more than last spring."""
    end = collection.period.end - timedelta(days=collection.days_done)
    while end > collection.period.start:
        start = max(collection.period.start, end - timedelta(days=CHUNK_DAYS))
        yield Period(start, end)
        end = start


def retry_after(attempts: int, error: Exception) -> timedelta:
    """How long to leave a provider in peace: a minute, doubling to a quarter of an hour, or what it asks for."""
    doublings = min(max(attempts - 1, 0), 10)
    backoff = min(LAST_RETRY, FIRST_RETRY * (1 << doublings))
    asked = error.retry_after if isinstance(error, RateLimited) else None
    return max(backoff, timedelta(seconds=min(asked or 0.0, LAST_RETRY.total_seconds())))


def progress_of(collection: Collection, connection: Connection, total: Money | None = None) -> CollectionProgress:
    """A queue row as people are told of it."""
    return CollectionProgress(
        id=collection.id,
        connection_name=connection.name,
        kind=collection.kind.value,
        days_done=collection.days_done,
        days_total=collection.days_total,
        state=collection.state.value,
        total=total,
        told_to=collection.requested_by,
    )


@cache
def settle_memory() -> None:
    """Spare the garbage collector what the program itself consists of, from now on.

    A bill makes objects by the million, which makes the collector look through everything there is, time and again:
    a hundred milliseconds in which nobody is answered. What is loaded by now stays anyway.
    """
    gc.freeze()


@dataclass
class _Run:
    """One attempt at one collection: what it has done so far."""

    collection: Collection
    connection: Connection
    keys: list[tuple[Credential, Secret]]
    worker: str
    days_done: int
    sums: dict[str, Money] = field(default_factory=dict)
    restated_days: int = 0
    trouble: Exception | None = None

    @property
    def told(self) -> Told:
        one = self.collection
        return Told(
            one.workspace_id, one.connection_id, one.id, one.kind, one.requested_by, one.channel_id, one.message_ts
        )

    @property
    def total(self) -> Money | None:
        if not self.sums:
            return None
        return self.sums.get(main_currency(self.sums.values()), next(iter(self.sums.values())))

    def progress(self, state: CollectionState) -> CollectionProgress:
        shown = progress_of(self.collection, self.connection, self.total)
        return replace(shown, days_done=self.days_done, state=state.value)

    def add(self, amounts: Sequence[Money]) -> None:
        self.sums = totals_by_currency([*self.sums.values(), *amounts])


class Collector:
    """Works through the queue of collections, one row at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lease = timedelta(seconds=desk.policy.lease_seconds)

    async def work_one(self, worker: str) -> AsyncGenerator[CollectionEvent, None]:
        """Claim one collection and carry it out, telling of each chunk; nothing at all when none waits.

        Only one worker of all replicas gets a row. When it dies, the row is free again after the lease, and the next
        worker goes on where it stopped.
        """
        desk = self._desk
        async with desk.storage.writing() as store:
            collection = await store.collections.claim(worker, desk.now(), self._lease)
        if collection is None:
            return
        settle_memory()
        run = await self._prepared(collection, worker)
        about = {
            "workspace_id": collection.workspace_id,
            "connection_id": collection.connection_id,
            "collection_id": collection.id,
            "kind": collection.kind.value,
        }
        log.info("collection begins", extra={**about, "days_done": collection.days_done})
        try:
            async with aclosing(self._carried_out(run)) as events:
                async for event in events:
                    yield event
        except LeaseLost:
            log.warning("collection taken over by another worker", extra=about)
            return
        except (asyncio.CancelledError, GeneratorExit):
            # Shutting down: whoever works next goes on at once instead of waiting for the lease to run out.
            async with desk.storage.writing() as store:
                await store.collections.release(collection.id, worker)
            raise
        log.info("collection leaves", extra={**about, "days_done": run.days_done})

    async def _prepared(self, collection: Collection, worker: str) -> _Run:
        async with self._desk.storage.reading() as store:
            connection = await store.connections.get(collection.workspace_id, collection.connection_id)
            assert connection is not None, "the queue row names its connection by a foreign key"
            run = _Run(collection, connection, [], worker, collection.days_done)
            try:
                run.keys = await store.credentials.usable(collection.workspace_id, connection.id)
            except SecretUnreadable as error:
                run.trouble = error
            if collection.days_done:
                done = Period(collection.period.end - timedelta(days=collection.days_done), collection.period.end)
                rows = await store.charges.project_totals(collection.workspace_id, done)
                run.add([row.amount for row in rows if row.connection_id == connection.id])
        return run

    async def _carried_out(self, run: _Run) -> AsyncGenerator[CollectionEvent, None]:
        if not run.keys and run.trouble is None:
            yield await self._without_keys(run)
            return
        if run.trouble is None:
            async with aclosing(self._tried(run)) as progresses:
                async for progress in progresses:
                    yield progress
        if run.trouble is not None:
            yield await self._failed(run, run.trouble)
            return
        yield await self._finished(run)

    async def _tried(self, run: _Run) -> AsyncGenerator[Progress, None]:
        """Read what is left, chunk by chunk; what stops it is kept in `run.trouble`."""
        async with self._heartbeat(run.collection.id, run.worker):
            try:
                async with aclosing(self._chunk_by_chunk(run)) as chunk_by_chunk:
                    async for progress in chunk_by_chunk:
                        yield progress
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - whatever keeps us from the bill, people are told of it
                run.trouble = error

    async def _chunk_by_chunk(self, run: _Run) -> AsyncGenerator[Progress, None]:
        if await discovery.is_stale(self._desk, run.connection):
            await discovery.discover(self._desk, run.connection, run.keys, within_seconds=_DISCOVERY_SECONDS)
        for chunk in chunks(run.collection):
            await self._read(run, chunk)
            run.days_done += chunk.days
            async with self._desk.storage.writing() as store:
                await store.collections.advance(
                    run.collection.id, run.worker, chunk.start, run.days_done, self._desk.now()
                )
                await _asked_since(store, run)
            yield Progress(run.told, run.progress(CollectionState.RUNNING))

    async def _read(self, run: _Run, chunk: Period) -> None:
        """Store every day of the chunk. A page of nonsense is asked for again day by day, so that it spoils one day."""
        try:
            await self._with_any_key(run, chunk)
        except UnexpectedResponse as error:
            if chunk.days == 1:
                raise
            log.warning(
                "reading day by day", extra={"connection_id": run.connection.id, "provider_reference": error.reference}
            )
            first: UnexpectedResponse | None = None
            for day in reversed(list(chunk)):
                try:
                    await self._with_any_key(run, Period(day, day + timedelta(days=1)))
                except UnexpectedResponse as trouble:
                    first = first or trouble
            if first is not None:
                raise first from error

    async def _with_any_key(self, run: _Run, period: Period) -> None:
        """A rejected key is put behind the others; only when every key is rejected, the rejection counts."""
        for left in range(len(run.keys), 0, -1):
            credential, key = run.keys[0]
            try:
                await self._store(run, key, period)
            except CredentialRejected as error:
                log.warning(
                    "key rejected",
                    extra={"credential_id": credential.id, "reason": error.reason.value, "keys_left": left - 1},
                )
                if left == 1:
                    if not await self._has_other_keys(run):
                        raise
                    return await self._with_any_key(run, period)
                run.keys.append(run.keys.pop(0))
            else:
                return None
        return None

    async def _has_other_keys(self, run: _Run) -> bool:
        """Whether somebody registered or replaced a key while we read with those that are refused now: take them."""
        async with self._desk.storage.reading() as store:
            found = await store.credentials.usable(run.collection.workspace_id, run.connection.id)
        is_news = bool(found) and {one.id: key for one, key in found} != {one.id: key for one, key in run.keys}
        run.keys = found if is_news else run.keys
        return is_news

    async def _store(self, run: _Run, key: Secret, period: Period) -> None:
        desk = self._desk
        provider = desk.providers[run.connection.provider]
        # The time of asking, not of storing: of two readings that overtake each other, the later question wins.
        read_at = desk.now()
        amounts: list[Money] = []
        restated, days_told = 0, 0
        async for day in provider.charges(key, period):
            if day.day not in period:
                continue
            days_told += 1
            sums, was_restated = await self._replace(run, day, read_at)
            amounts += sums
            restated += was_restated
        if not days_told and period.end == run.collection.period.end:
            # A day without cost is told as such, and older ones may be from before there was an organization. Of the
            # newest, silence is no answer: it passed for a bill without a charge, read to its end.
            raise UnexpectedResponse("no day of those asked for", pointer="/data")
        # Counted only when the whole chunk is in: an interrupted chunk is read, and counted, again.
        run.add(amounts)
        run.restated_days += restated

    async def _replace(self, run: _Run, day: ChargedDay, read_at: datetime) -> tuple[tuple[Money, ...], bool]:
        try:
            async with self._desk.storage.writing() as store:
                if not day.charges and await self._is_late(store, run.connection, day.day):
                    return (), False
                change = await store.charges.replace_day(run.collection.workspace_id, run.connection.id, day, read_at)
        except AmountOutOfRange as error:
            raise UnexpectedResponse("a day's amounts are beyond any real bill") from error
        if not change.kept:
            await drift.learned(self._desk, run.connection, day)
        return change.totals, bool(change.restated)

    async def _is_late(self, store: Store, connection: Connection, day: date) -> bool:
        """Whether an empty bill is not there yet: taken at its word, a day that was seen to cost would read as zero."""
        workspace_id, alone = connection.workspace_id, Period(day, day + timedelta(days=1))
        if self._desk.now() - starts_at(day) >= timedelta(days=1) + LATE_BILL:
            return False
        if (connection.id, day) in await store.charges.billed_days(workspace_id, alone):
            return False  # what was billed before stays
        estimates = await store.usage.open_estimates(workspace_id, [day])
        return any(row.connection_id == connection.id and row.atto > 0 for row in estimates)

    async def _finished(self, run: _Run) -> Finished:
        desk, one = self._desk, run.collection
        async with desk.storage.writing() as store:
            await store.collections.finish(one.id, run.worker, CollectionState.DONE, None, desk.now())
            await _asked_since(store, run)
            # Usage may still be in the dark: the last of both to see again is told. Nobody sees whose last key was
            # switched off while this was read; asked once nobody else can say so of the connection.
            await store.connections.held(one.workspace_id, one.connection_id)
            since = None
            if await has_enabled_key(store, one.workspace_id, one.connection_id):
                since = await store.connections.mark_seen(one.workspace_id, one.connection_id, desk.now())
            if since is not None:
                await blindness.tell_over(store, run.connection, since, desk.now())
        if since is not None:
            log.info("connection seen again", extra={"connection_id": one.connection_id, "since": since.isoformat()})
            desk.wake_outbox.set()
        unread = await self._unread(run)
        done = replace(run.progress(CollectionState.DONE), days_done=run.days_done - len(unread))
        return Finished(run.told, done, not run.sums, run.restated_days, unread)

    async def _unread(self, run: _Run) -> tuple[date, ...]:
        """The days left out that will be asked for again: not those from before the first that was ever read."""
        one, reach = run.collection, timedelta(days=self._desk.policy.backfill_days)
        async with self._desk.storage.reading() as store:
            every = await store.charges.readings(one.workspace_id, Period(one.period.end - reach, one.period.end))
        readings = every.get(one.connection_id, {})
        first = min(readings, default=one.period.end)
        return tuple(day for day in one.period if day > first and day not in readings)

    async def _failed(self, run: _Run, error: Exception) -> Failed:
        """What could not be read. It is tried again by itself, except when only a person can mend the key.

        A mistake of ours may be gone the next time (a database that was away), and is borne like a provider that is.
        """
        desk, one = self._desk, run.collection
        news, now = explain(error), desk.now()
        if isinstance(error, CredentialRejected):
            async with desk.storage.reading() as store:
                is_wanted = await has_enabled_key(store, one.workspace_id, one.connection_id)
            return await (self._blinded(run, news, now, None) if is_wanted else self._without_keys(run))
        retry_at = now + retry_after(one.attempts, error)
        tried_for = now - one.created_at if one.attempts > 1 else timedelta()
        is_ours = not isinstance(error, ProviderError | SecretUnreadable)
        passes = is_ours or isinstance(error, Unavailable) or (isinstance(error, RateLimited) and not error.is_final)
        is_borne = passes and tried_for < desk.policy.blind_after
        return await self._blinded(run, news, now - tried_for, retry_at, is_borne=is_borne)

    async def _without_keys(self, run: _Run) -> Failed:
        news = BadNews(BadNewsKind.REFUSAL, OutageCode.KEYS_DISABLED.value)
        return await self._blinded(run, news, self._desk.now(), None)

    async def _blinded(
        self, run: _Run, news: BadNews, blind_from: datetime, retry_at: datetime | None, *, is_borne: bool = False
    ) -> Failed:
        """Put the collection aside; `is_borne`: what passes by itself within minutes makes nobody blind yet."""
        one, now, newly, told = run.collection, self._desk.now(), False, 0
        async with self._desk.storage.writing() as store:
            # The queue first and then the connection, as whoever asks for a reading: crosswise, both would wait.
            if retry_at is None:
                await store.collections.finish(one.id, run.worker, CollectionState.FAILED, news.code, now)
            else:
                # Parked: a heartbeat set so that the lease runs out exactly when it is time to ask again.
                await store.collections.heartbeat(one.id, run.worker, retry_at - self._lease)
            await _asked_since(store, run)
            if not is_borne:
                newly = await store.connections.mark_blind(one.workspace_id, one.connection_id, blind_from, news.code)
                told = await blindness.tell(store, one.workspace_id, one.connection_id, now)
            connection = await store.connections.get(one.workspace_id, one.connection_id)
        if newly:
            log.warning("connection blind", extra={"connection_id": one.connection_id, "code": news.code})
        if told:
            self._desk.wake_outbox.set()
        since = connection.blind_since if connection is not None and connection.blind_since else now
        state = CollectionState.FAILED if retry_at is None else CollectionState.QUEUED
        return Failed(run.told, run.progress(state), news, since, newly, retry_at)

    @asynccontextmanager
    async def _heartbeat(self, collection_id: int, worker: str) -> AsyncIterator[None]:
        """Keep the lease alive while a slow provider makes us wait."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._lease.total_seconds() / 3)
                async with self._desk.storage.writing() as store:
                    if not await store.collections.heartbeat(collection_id, worker, self._desk.now()):
                        return

        beating = asyncio.create_task(beat(), name=f"heartbeat of collection {collection_id}")
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def _asked_since(store: Store, run: _Run) -> None:
    """Somebody may have asked, while it ran, for what the clock had begun: then they are told."""
    one = run.collection
    run.collection = await store.collections.get(one.workspace_id, one.id) or one
