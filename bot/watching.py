"""Watching: reading every connection's usage while it happens, and knowing when we cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot import blindness, drift, unpriced, unwatched
from bot.audience import has_enabled_key
from bot.desk import Desk
from bot.errors import OutageCode, explain, outage
from bot.evaluating import Evaluating
from bot.proving import Proving
from bot.results import Polled
from bot.stop_ends import StopEnds
from bot.unwatched import Wakefulness
from bot.usage_reader import Trip, UsageReader
from finops.lateness import DAYS_ALIKE, expects_traffic, is_late, p95, seconds_late
from finops.periods import minute_of, moment_of
from finops.registry import Connection, Credential
from finops.secret import Secret
from finops.stopping import WATCHED
from finops.usage import Endpoint, Width
from providers.contract import ProviderError, UnexpectedResponse
from storage import Store
from storage.errors import SecretUnreadable
from storage.records_live import UsageHealth, UsageRead

log = logging.getLogger(__name__)

# Connections are read a few at a time, as the endpoints of each are: a provider counts our requests.
_AT_ONCE = 4
# Beyond this our minutes are not the provider's, and Slack would refuse us soon as well.
_MOST_SKEW = timedelta(minutes=5)
_BUSY_DAYS = 8
_SILENCE_MINUTES = 30
# A stop wants its proof within minutes, and a day after a restore is looked at as closely.
WATCHED_SECONDS = 60.0


class Watching:
    """Polls usage: each connection by one replica of all in each slot of time."""

    def __init__(self, desk: Desk, evaluating: Evaluating, proving: Proving, stop_ends: StopEnds) -> None:
        self._desk = desk
        self._evaluating = evaluating
        self._proving = proving
        self._stop_ends = stop_ends
        self._reader = UsageReader(desk)
        self._awake = Wakefulness()
        self._reading: set[int] = set()
        self._gate = asyncio.Semaphore(_AT_ONCE)

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
        trip = Trip(connection, keys, desk.providers[connection.provider], prices, health, desk.now(), reads)
        await self._reader.read(trip)
        if trip.unpriced:
            await unpriced.announce(desk, connection, desk.today(), trip.unpriced)
        if trip.is_first or (trip.ends_a_day and not trip.troubles):
            # Before it counts as read: whoever is killed on the way has it done by the next reading.
            await drift.learned_so_far(desk, connection)
        if trip.troubles:
            polled = await self._failed(connection, [one for one, _ in keys], _code_of(trip.troubles))
        else:
            polled = await self._succeeded(trip)
        return polled, trip.available

    async def _succeeded(self, trip: Trip) -> Polled:
        desk, one = self._desk, trip.connection
        sample = () if trip.first_seen is None else (seconds_late(trip.first_seen, trip.provider_at),)
        lateness = p95([*(trip.health.lateness_samples if trip.health else ()), *sample])
        trouble = await self._unseen(trip, lateness)
        recovered = missed = None
        is_borne = False
        async with desk.storage.writing() as store:
            if unwatched.was_left_alone(desk, one, trip.health, self._awake, trip.at):
                # It may have to be told, which takes the workspace: before the connection, as who changes its keys.
                await store.workspaces.hold(one.workspace_id)
            before = await store.healths.mark_read(one.workspace_id, one.id, trip.at, sample, trip.prices.version)
            if trouble is not None and trouble[0] is OutageCode.CLOCK_SKEW:
                since = await self._skewed_since(store, one, before, trip.at)
                trouble, is_borne = (trouble[0], since), trip.at - since < desk.policy.blind_after
            if trouble is None and one.usage_blind:
                recovered = await store.connections.mark_seen(one.workspace_id, one.id, desk.now(), sense="usage")
                if recovered is not None:
                    await blindness.tell_over(store, one, recovered, desk.now())
            elif trouble is None:
                missed = await self._missed(store, one, [key for key, _ in trip.keys], before, trip.at)
                if missed is not None:
                    await unwatched.tell(desk, store, one, missed, trip.at)
        self._awake.note(one.id, trip.at)
        if trouble is not None and is_borne:
            return Polled(one, trouble[0].value, lateness)
        if trouble is not None:
            async with desk.storage.writing() as store:
                newly = await self._blinded(store, one, *trouble)
            desk.wake_outbox.set()
            return Polled(one, trouble[0].value, lateness, newly_blind=newly)
        if recovered is not None or missed is not None:
            desk.wake_outbox.set()
        return Polled(one, "read", lateness, recovered_since=recovered, unwatched=_length(missed, trip.at))

    async def _skewed_since(self, store: Store, one: Connection, before: UsageHealth | None, at: datetime) -> datetime:
        """Since when every copy that reads it has a wrong clock; one whose clock is right ends that by reading it.

        Two copies of which one is wrong would else tell every few minutes that nobody sees, and that somebody does.
        """
        known = before.failing_since if before is not None and before.failing_code == OutageCode.CLOCK_SKEW else None
        return await store.healths.mark_failing(one.workspace_id, one.id, known or at, OutageCode.CLOCK_SKEW)

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

    async def _unseen(self, trip: Trip, lateness: timedelta | None) -> tuple[OutageCode, datetime] | None:
        """Why what was told cannot be the present, and since when: our clock is wrong, or the provider is behind."""
        if self._is_skewed(trip.connection):
            return OutageCode.CLOCK_SKEW, trip.at
        if trip.newest is None:
            return None  # connected in a quiet stretch: nothing was seen yet that could be missing now
        poll = self._desk.policy.poll_every
        if not is_late(trip.newest, trip.provider_at, lateness, expected=True, poll=poll):
            return None
        one, now = trip.connection, minute_of(trip.provider_at)
        async with self._desk.storage.reading() as store:
            busy = await store.usage.busy(one.workspace_id, one.id, now - _BUSY_DAYS * Width.DAY, now, Width.HOUR)
            # Minutes tell sooner, where we have watched for a week: how the silence began, on each of the days before.
            silent = trip.newest + 1
            for begin in range(silent - DAYS_ALIKE * Width.DAY, silent, Width.DAY):
                end = begin + _SILENCE_MINUTES
                busy += await store.usage.busy(one.workspace_id, one.id, begin, end, Width.MINUTE)
        if not expects_traffic(trip.newest, trip.provider_at, lateness, busy, poll):
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


def _code_of(troubles: Sequence[ProviderError]) -> str:
    """One code for what went wrong: what a person has to mend before what passes."""
    codes = [outage(error)[0] for error in troubles]
    mending = [code for code in codes if code not in _PASSING]
    if mending:
        return mending[0]
    if len(codes) < len(Endpoint) and all(isinstance(error, UnexpectedResponse) for error in troubles):
        return OutageCode.USAGE_UNREADABLE
    return codes[0]
