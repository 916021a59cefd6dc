"""Watching: reading every connection's usage while it happens, and knowing when we cannot."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import blindness, drift, unpriced, unwatched
from bot.audience import has_enabled_key
from bot.desk import Desk
from bot.errors import OutageCode, explain, outage
from bot.evaluating import Evaluating
from bot.polls import BY_DAY_DAYS, Step, minute_of, moment_of, silence, steps
from bot.proving import Proving
from bot.results import Polled
from bot.stop_ends import StopEnds
from bot.unchanged import Unchanged
from bot.unwatched import Wakefulness
from finops.frozen import frozen
from finops.lateness import DAYS_ALIKE, expects_traffic, is_late, p95, seconds_late
from finops.periods import Period, charge_day
from finops.prices import PriceList, priced
from finops.registry import Connection, Credential
from finops.secret import Secret
from finops.stopping import WATCHED
from finops.usage import Endpoint, UsageReading, UsageRow, Width
from providers.contract import CredentialRejected, Provider, ProviderError, UnexpectedResponse
from storage import Store
from storage.errors import AmountOutOfRange, SecretUnreadable
from storage.records_live import UsageChange, UsageHealth, UsageRead

log = logging.getLogger(__name__)

# One connection's endpoints are read a few at a time, and so are connections: a provider counts our requests.
_AT_ONCE = 4
_CONNECTIONS_AT_ONCE = 4
# More rows than this are priced beside the event loop.
_FEW_ROWS = 500
# Beyond this our minutes are not the provider's, and Slack would refuse us soon as well.
_MOST_SKEW = timedelta(minutes=5)
_BUSY_DAYS = 8
_SILENCE_MINUTES = 30
_PRICED_AGAIN_DAYS = BY_DAY_DAYS
# A stop wants its proof within minutes, and a day after a restore is looked at as closely.
WATCHED_SECONDS = 60.0


@frozen
class _News:
    """One reading and its rows with their prices."""

    reading: UsageReading
    rows: list[tuple[UsageRow, int, bool]]


@dataclass
class _Trip:
    """One reading of one connection's usage."""

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
    was_read_at: datetime | None = None
    unpriced: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    waiting: list[_News] = field(default_factory=list)
    is_first: bool = False

    @property
    def ends_a_day(self) -> bool:
        """Whether the last reading that succeeded was of another day, so that some day is now known to its end."""
        return self.was_read_at is None or charge_day(self.was_read_at) != charge_day(self.at)


class Watching:
    """Polls usage: each connection by one replica of all in each slot of time."""

    def __init__(self, desk: Desk, evaluating: Evaluating, proving: Proving, stop_ends: StopEnds) -> None:
        self._desk = desk
        self._evaluating = evaluating
        self._proving = proving
        self._stop_ends = stop_ends
        self._unchanged = Unchanged()
        self._awake = Wakefulness()
        self._reading: set[int] = set()
        self._gate = asyncio.Semaphore(_CONNECTIONS_AT_ONCE)

    async def due(self) -> list[Connection]:
        """The connections whose reading falls to us just now: in each slot of time, to whoever asks first."""
        async with self._desk.storage.reading() as store:
            connections = await store.connections.everywhere()
            watched = await store.stops.connections_watched(self._desk.now() - WATCHED)
        free = [one for one in connections if one.id not in self._reading]
        return [one for one in free if await self._is_ours(one, is_watched=one.id in watched)]

    async def poll(self, connection: Connection) -> Polled | None:
        """Read what is new of one connection, keep it, and evaluate its workspace; None when no key is enabled."""
        self._reading.add(connection.id)
        try:
            async with self._gate:
                return await self._polled(connection)
        finally:
            self._reading.discard(connection.id)

    async def poll_due(self) -> list[Polled]:
        """Read every connection whose turn it is, and wait for all of them; what came of each."""
        polled = await asyncio.gather(*(self.poll(one) for one in await self.due()))
        return [each for each in polled if each is not None]

    async def _is_ours(self, connection: Connection, *, is_watched: bool) -> bool:
        """Whether this slot's reading of the connection falls to us. What is being stopped is read each minute."""
        now, every = self._desk.now(), self._desk.policy.poll_seconds
        if is_watched:
            every = min(every, WATCHED_SECONDS)
        slot = int(now.timestamp() // every)
        async with self._desk.storage.reading() as store:
            if not await has_enabled_key(store, connection.workspace_id, connection.id):
                return False
        async with self._desk.storage.writing() as store:
            mine = connection.workspace_id, unwatched.slots_of(connection)
            if await store.claims.once(mine[0], f"{mine[1]}{every:g}:{slot}", now):
                return True
            health = await store.healths.get(connection.workspace_id, connection.id)
            if health is not None and health.read_at is not None and health.read_at > now + _MOST_SKEW:
                # By a clock that was set back since: nobody would look until the turns it took came again.
                await store.claims.forget_ahead(*mine, now)
            return False

    async def _polled(self, connection: Connection) -> Polled | None:
        desk, workspace_id = self._desk, connection.workspace_id
        async with desk.storage.reading() as store:
            health = await store.healths.get(workspace_id, connection.id)
            reads = await store.usage.reads(workspace_id, connection.id)
            try:
                keys = await store.credentials.usable(workspace_id, connection.id)
            except SecretUnreadable as error:
                return await self._failed(connection, (), explain(error).code)
        if not keys:
            return None
        available: dict[int, datetime] = {}
        try:
            polled, available = await self._looked(connection, keys, health, reads)
        except Exception as error:  # noqa: BLE001 - nobody is left to believe that we looked, whatever kept us from it
            code = explain(error).code
            polled = await self._failed(connection, [one for one, _ in keys], code, passes=True)
        try:
            await self._evaluating.evaluate(workspace_id, available)
        finally:  # trouble with a budget keeps no stop from its proof
            await self._proving.look(workspace_id, connection.id)
        await self._stop_ends.look(workspace_id)
        return polled

    async def _looked(
        self,
        connection: Connection,
        keys: list[tuple[Credential, Secret]],
        health: UsageHealth | None,
        reads: Mapping[str, UsageRead],
    ) -> tuple[Polled, dict[int, datetime]]:
        """One reading of everything that is new: what came of it, and since when that could have been read."""
        desk = self._desk
        prices = await desk.prices.fresh()
        trip = _Trip(connection, keys, desk.providers[connection.provider], prices, health, desk.now(), reads)
        trip.is_first = not reads
        trip.was_read_at = health.read_at if health else None
        await self._priced_again(trip)
        gate = asyncio.Semaphore(_AT_ONCE)
        # One that breaks takes the others along: nothing of a trip outlives it.
        async with asyncio.TaskGroup() as reading:
            for endpoint in Endpoint:
                reading.create_task(self._read(trip, endpoint, gate))
        await self._keep_waiting(trip)
        if trip.unpriced:
            await unpriced.announce(desk, connection, desk.today(), trip.unpriced)
        if trip.is_first or (trip.ends_a_day and not trip.troubles):
            # Before it counts as read: whoever is killed on the way has it done by the next reading.
            await drift.learned_so_far(desk, connection)
        if trip.troubles:
            polled = await self._failed(connection, [one for one, _ in keys], _code_of(trip.troubles))
        else:
            polled = await self._succeeded(trip)
        return polled, _available(trip)

    async def _read(self, trip: _Trip, endpoint: Endpoint, gate: asyncio.Semaphore) -> None:
        """Everything new of one endpoint, oldest first, so that what is read has no gaps whenever we are stopped."""
        stored = trip.reads.get(endpoint.value)
        known = self._unchanged.known(
            trip.connection.id, endpoint, stored.read_at if stored else None, trip.prices.version
        )
        covered, newest = (stored.final_until, stored.newest_data) if stored else (None, None)
        wanted = steps(covered, minute_of(trip.at), newest)
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

    async def _news(self, trip: _Trip, reading: UsageReading) -> _News:
        """What a reading tells, priced."""
        rows = [row for bucket in reading.buckets for row in bucket.rows]
        is_few = len(rows) <= _FEW_ROWS
        with_prices = priced(rows, trip.prices) if is_few else await asyncio.to_thread(priced, rows, trip.prices)
        return _News(reading, with_prices)

    async def _keep_waiting(self, trip: _Trip) -> None:
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

    async def _keep(self, trip: _Trip, each: Sequence[_News]) -> None:
        """Store readings, all or none. UnexpectedResponse where counts or prices are beyond anything real."""
        one, readings = trip.connection, [(news.reading, news.rows) for news in each]
        try:
            async with self._desk.storage.writing() as store:
                changes = await store.usage.replace_each(one.workspace_id, one.id, readings, trip.at, self._desk.now())
        except AmountOutOfRange as error:
            raise UnexpectedResponse("usage is beyond anything real") from error
        for news, change in zip(each, changes, strict=True):
            if news.reading.width is Width.MINUTE:
                self._note(trip, news, change)

    def _note(self, trip: _Trip, news: _News, change: UsageChange) -> None:
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

    async def _priced_again(self, trip: _Trip) -> None:
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

    async def _succeeded(self, trip: _Trip) -> Polled:
        desk, one = self._desk, trip.connection
        sample = () if trip.first_seen is None else (seconds_late(trip.first_seen, trip.at),)
        lateness = p95([*(trip.health.lateness_samples if trip.health else ()), *sample])
        trouble = await self._unseen(trip, lateness)
        recovered = missed = None
        async with desk.storage.writing() as store:
            if unwatched.was_left_alone(desk, one, trip.health, self._awake, trip.at):
                # It may have to be told, which takes the workspace: before the connection, as who changes its keys.
                await store.workspaces.hold(one.workspace_id)
            before = await store.healths.mark_read(one.workspace_id, one.id, trip.at, sample, trip.prices.version)
            if trouble is None and one.usage_blind:
                recovered = await store.connections.mark_seen(one.workspace_id, one.id, desk.now(), sense="usage")
                if recovered is not None:
                    await blindness.tell_over(store, one, recovered, desk.now())
            elif trouble is None:
                missed = await self._missed(store, one, [key for key, _ in trip.keys], before, trip.at)
                if missed is not None:
                    await unwatched.tell(desk, store, one, missed, trip.at)
        self._awake.note(one.id, trip.at)
        if trouble is not None:
            async with desk.storage.writing() as store:
                newly = await self._blinded(store, one, *trouble)
            desk.wake_outbox.set()
            return Polled(one, trouble[0].value, lateness, newly_blind=newly)
        if recovered is not None or missed is not None:
            desk.wake_outbox.set()
        return Polled(one, "read", lateness, recovered_since=recovered, unwatched=_length(missed, trip.at))

    async def _missed(
        self, store: Store, one: Connection, keys: Sequence[Credential], before: UsageHealth | None, at: datetime
    ) -> datetime | None:
        """Since when nobody had looked, if that was long; it is remembered with what this transaction keeps."""
        since = await unwatched.missed_since(self._desk, store, one, keys, before, self._awake, at)
        if since is not None:
            await unwatched.keep(store, one, since, at)
            told = {"connection_id": one.id, "since": since.isoformat(), "until": at.isoformat()}
            log.warning("connection was not watched", extra=told)
        return since

    async def _unseen(self, trip: _Trip, lateness: timedelta | None) -> tuple[OutageCode, datetime] | None:
        """Why what was told cannot be the present, and since when: our clock is wrong, or the provider is behind."""
        if self._is_skewed(trip.connection):
            return OutageCode.CLOCK_SKEW, trip.at
        if trip.newest is None:
            return None  # connected in a quiet stretch: nothing was seen yet that could be missing now
        poll = self._desk.policy.poll_every
        if not is_late(trip.newest, trip.at, lateness, expected=True, poll=poll):
            return None
        one, now = trip.connection, minute_of(trip.at)
        async with self._desk.storage.reading() as store:
            busy = await store.usage.busy(one.workspace_id, one.id, now - _BUSY_DAYS * Width.DAY, now, Width.HOUR)
            # Minutes tell sooner, where we have watched for a week: how the silence began, on each of the days before.
            silent = trip.newest + 1
            for begin in range(silent - DAYS_ALIKE * Width.DAY, silent, Width.DAY):
                end = begin + _SILENCE_MINUTES
                busy += await store.usage.busy(one.workspace_id, one.id, begin, end, Width.MINUTE)
        if not expects_traffic(trip.newest, trip.at, lateness, busy, poll):
            return None
        return OutageCode.USAGE_LATE, moment_of(trip.newest + 1)

    async def _failed(
        self, connection: Connection, keys: Sequence[Credential], code: str, *, passes: bool = False
    ) -> Polled:
        """What passes by itself is borne for a while; what only a person can mend is told at once.

        Where nobody had looked for long before, nothing is known since then: that is told at once, too.
        """
        desk, now, one = self._desk, self._desk.now(), connection
        missed, newly, is_told = None, False, False
        async with desk.storage.writing() as store:
            before = await store.healths.get(one.workspace_id, one.id)
            if not one.usage_blind and (before is None or before.failing_since is None) and not self._is_skewed(one):
                missed = await self._missed(store, one, keys, before, now)
            since = await store.healths.mark_failing(one.workspace_id, one.id, missed or now, code)
            passes = passes or code in _PASSING or not await _are_in_use(store, one, keys)
            is_told = not passes or now - since >= desk.policy.blind_after
            if is_told:
                newly = await self._blinded(store, one, code, since)
        log.warning("usage not read", extra={"connection_id": one.id, "code": code})
        if is_told:
            desk.wake_outbox.set()
        return Polled(one, str(code), None, newly_blind=newly, unwatched=_length(missed, now))

    def _is_skewed(self, one: Connection) -> bool:
        """Whether our clock is known to be wrong: then it does not tell how long nobody looked."""
        skew = self._desk.providers[one.provider].skew
        return skew is not None and abs(skew) > _MOST_SKEW

    async def _blinded(self, store: Store, one: Connection, code: str, since: datetime) -> bool:
        """Keep that it cannot be seen, and have it told, in one transaction; whether that is new."""
        newly = await store.connections.mark_blind(one.workspace_id, one.id, since, str(code), sense="usage")
        await blindness.tell(store, one.workspace_id, one.id, self._desk.now())
        if newly:
            log.warning("connection blind", extra={"connection_id": one.id, "code": code, "sense": "usage"})
        return newly


_PASSING = frozenset(
    {
        OutageCode.RATE_LIMITED,
        OutageCode.UNAVAILABLE,
        OutageCode.UNEXPECTED_RESPONSE,
        OutageCode.USAGE_UNREADABLE,
    }
)


async def _are_in_use(store: Store, one: Connection, keys: Sequence[Credential]) -> bool:
    """Whether these are the keys we would ask with now: what is said of one that was replaced, or switched off, while
    it was asked with, says nothing of the next reading. No keys: none could be opened."""
    return not keys or set(keys) == {each for each, _ in await store.credentials.usable(one.workspace_id, one.id)}


def _length(since: datetime | None, until: datetime) -> timedelta:
    return timedelta(0) if since is None else until - since


async def _asked(trip: _Trip, endpoint: Endpoint, step: Step, known: Mapping[int, int]) -> UsageReading:
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


def _code_of(troubles: Sequence[ProviderError]) -> str:
    """One code for what went wrong: what a person has to mend before what passes."""
    codes = [outage(error)[0] for error in troubles]
    mending = [code for code in codes if code not in _PASSING]
    if mending:
        return mending[0]
    if len(codes) < len(Endpoint) and all(isinstance(error, UnexpectedResponse) for error in troubles):
        return OutageCode.USAGE_UNREADABLE
    return codes[0]


def _available(trip: _Trip) -> dict[int, datetime]:
    """When what is new could have been read at the earliest, so that no alert looks faster than it is."""
    if trip.first_seen is None:
        return {}
    ended = moment_of(trip.first_seen + 1)
    return {trip.connection.id: ended if trip.was_read_at is None else max(ended, trip.was_read_at)}
