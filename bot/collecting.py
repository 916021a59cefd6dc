"""Collecting: what is read when, who may ask for it, and what waits in the queue that all replicas share."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.audience import has_enabled_key, not_left, teams_of
from bot.audit import Act, record_all
from bot.collector import Collector, progress_of
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.keys import owner_name
from bot.people import People
from bot.results import CollectionEvent, CollectionStarted
from bot.schedule import latest_slot
from finops.charges import FigureState, day_state
from finops.figures import CollectionProgress
from finops.incidents import Fact
from finops.periods import Period
from finops.registry import Connection, Person
from finops.roles import may_manage_team
from storage import Store
from storage.records import Collection, CollectionKind, CollectionState

log = logging.getLogger(__name__)

_FIRST = "first"


class Collecting:
    """Keeps the queue filled and works through it. `Bot.wake` is set whenever something new waits."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people
        self._collector = Collector(desk)
        # The newest slot known to be queued, by connection: most looks end here, without a question to the database.
        self._queued: dict[int, datetime] = {}

    async def queue_backfill(self, store: Store, actor: Person, connection_id: int) -> Collection | None:
        """Queue the first reading of a connection, together with what it follows from; None when it was queued before.

        Whoever registers projects and dies before `start_backfill` leaves a reading behind that somebody takes up.
        """
        today = self._desk.today()
        return await store.collections.add(
            actor.workspace_id,
            connection_id=connection_id,
            kind=CollectionKind.BACKFILL,
            slot=_FIRST,
            period=Period(today - timedelta(days=self._desk.policy.backfill_days), today),
            requested_by=actor.user_id,
            at=self._desk.now(),
        )

    async def start_backfill(self, actor: Person, connection_id: int) -> CollectionProgress | None:
        """Queue the first reading of a connection, newest days first; None when it was read before.

        Asking again while it waits or runs answers with its progress; after a failure it goes on where it stopped.
        """
        desk = self._desk
        async with desk.storage.writing() as store:
            connection = await store.connections.get(actor.workspace_id, connection_id)
            if connection is None:
                raise Refusal(RefusalCode.UNKNOWN_CONNECTION)
            row = await self.queue_backfill(store, actor, connection_id)
            if row is None:
                row = await self._resumed(store, connection, actor.user_id)
            if row is not None:
                await self._retry_now(store, connection)
        if row is None:
            return None
        desk.wake.set()
        return progress_of(row, connection)

    async def start_manual(self, actor: Person) -> CollectionStarted:
        """Read the recent days of every connection this person answers for, now, and tell them what came of it.

        What waits already is not doubled, unless somebody else is told of it.
        """
        desk = self._desk
        started: list[CollectionProgress] = []
        without_key: list[Connection] = []
        acts: list[Act] = []
        async with desk.storage.reading() as store:
            connections = await store.connections.all(actor.workspace_id)
            allowed = await self._answers_for(store, actor, connections)
            allowed = not_left(allowed, await store.credentials.all(actor.workspace_id))
        if connections and not allowed:
            await self._people.require_admin(actor)
        if not allowed:
            raise Refusal(RefusalCode.NOTHING_TO_COLLECT)
        async with desk.storage.writing() as store:
            active = await store.collections.active(actor.workspace_id)
            for connection in allowed:
                if not await has_enabled_key(store, connection.workspace_id, connection.id):
                    without_key.append(connection)
                    continue
                waiting = [row for row in active if row.connection_id == connection.id]
                await self._retry_now(store, connection)
                row = await self._theirs(store, waiting, actor)
                is_waiting = row is not None
                row = row or await self._add_manual(store, connection, actor.user_id)
                if row is not None:
                    started.append(progress_of(row, connection))
                    days = f"{row.period.start}/{row.period.end}"
                    name = owner_name(connection.organization_name, connection.organization_id)
                    facts: dict[str, Fact] = {"organization": name, "days": days, "waited": is_waiting}
                    acts.append(Act("collection.requested", f"connection:{connection.id}", facts))
            await record_all(desk, store, actor.workspace_id, actor.user_id, acts)
        desk.wake.set()
        return CollectionStarted(tuple(started), tuple(without_key))

    async def after_key_change(self, connection: Connection, actor: Person) -> bool:
        """A key works again: read what was missed, and go on with a back-fill that had failed. True when queued."""
        desk = self._desk
        if connection.blind_since is None:
            return False
        async with desk.storage.writing() as store:
            if not await store.collections.latest(connection.workspace_id, connection.id):
                return False  # never collected: the first project starts the back-fill
            await self._retry_now(store, connection)
            manual = await self._add_manual(store, connection, actor.user_id)
            resumed = await self._resumed(store, connection, actor.user_id)
        desk.wake.set()
        return manual is not None or resumed is not None

    async def progress(self, workspace_id: str) -> tuple[CollectionProgress, ...]:
        """What runs or waits in a workspace, oldest first."""
        async with self._desk.storage.reading() as store:
            connections = {one.id: one for one in await store.connections.all(workspace_id)}
            rows = await store.collections.active(workspace_id)
        return tuple(progress_of(row, connections[row.connection_id]) for row in rows)

    async def due(self, now: datetime) -> int:
        """Queue the daily reading of every connection, once for each slot across all replicas; how many were new.

        A slot missed while nothing ran is made up for as soon as somebody asks. What the daily reading does not reach
        is queued as catch-up: days missed during a longer downtime, and older days not yet seen to stand still.
        """
        slot = latest_slot(self._desk.policy.collect_cron, self._desk.policy.collect_timezone, now)
        if slot is None:
            return 0
        async with self._desk.storage.reading() as store:
            connections = await store.connections.everywhere()
        queued = 0
        for connection in connections:
            # The back-fill of a new connection covers what the slots before it would have read.
            if connection.created_at <= slot and self._queued.get(connection.id) != slot:
                async with self._desk.storage.writing() as store:
                    queued += await self._queue_slot(store, connection, slot, now)
        if queued:
            log.info("collections queued", extra={"slot": slot.isoformat(), "count": queued})
            self._desk.wake.set()
        return queued

    def work_one(self, worker: str) -> AsyncGenerator[CollectionEvent, None]:
        """Claim one waiting collection and carry it out, telling of each chunk; yields nothing when none waits."""
        return self._collector.work_one(worker)

    async def _queue_slot(self, store: Store, connection: Connection, slot: datetime, now: datetime) -> int:
        workspace_id, name = connection.workspace_id, slot.isoformat()
        latest = await store.collections.latest(workspace_id, connection.id, CollectionKind.DAILY)
        if latest is not None and latest.slot == name:
            self._queued[connection.id] = slot
            return 0
        if latest is not None and _is_open(latest):
            # One from before is being retried; once it is through, this slot is still to be had.
            return 0
        if not await has_enabled_key(store, workspace_id, connection.id):
            return 0
        today = self._desk.today()
        daily = Period(today - timedelta(days=self._desk.policy.reread_days), today)
        rows = [await self._add(store, connection, CollectionKind.DAILY, name, daily, now)]
        backfill = await store.collections.latest(workspace_id, connection.id, CollectionKind.BACKFILL)
        if backfill is not None and backfill.state is CollectionState.FAILED:
            rows.append(await self._resumed(store, connection, backfill.requested_by))
        older = await self._older_days(store, connection, backfill, daily.start, now)
        if older is not None:
            rows.append(await self._add(store, connection, CollectionKind.CATCH_UP, name, older, now))
        return sum(row is not None for row in rows)

    async def _older_days(
        self, store: Store, connection: Connection, backfill: Collection | None, until: date, now: datetime
    ) -> Period | None:
        """The stretch before `until` that needs another look: never read, or not yet seen twice without a change."""
        last = await store.charges.last_read_day(connection.workspace_id, connection.id)
        if last is None:
            return None
        # Back to the last day that was read, however long that is ago.
        reach = Period(min(until - timedelta(days=self._desk.policy.backfill_days), last), until)
        readings = (await store.charges.readings(connection.workspace_id, reach)).get(connection.id, {})
        if not readings:
            return None
        start = min(readings)
        if backfill is not None and backfill.state is not CollectionState.DONE:
            # What the back-fill has still to read is its business.
            start = max(start, backfill.period.end - timedelta(days=backfill.days_done))
        known = Period(min(start, until), until)
        unsure = [day for day in known if day_state(readings.get(day), now) is not FigureState.SETTLED]
        return Period(min(unsure), max(unsure) + timedelta(days=1)) if unsure else None

    async def _resumed(self, store: Store, connection: Connection, requested_by: str | None) -> Collection | None:
        """The back-fill that is open, or what is left of one that failed, queued again; None when it was completed."""
        latest = await store.collections.latest(connection.workspace_id, connection.id, CollectionKind.BACKFILL)
        if latest is None or latest.state is CollectionState.DONE:
            return None
        if _is_open(latest):
            return latest
        return await store.collections.add(
            connection.workspace_id,
            connection_id=connection.id,
            kind=CollectionKind.BACKFILL,
            slot=f"after:{latest.id}",
            period=Period(latest.period.start, latest.period.end - timedelta(days=latest.days_done)),
            requested_by=requested_by,
            at=self._desk.now(),
        )

    async def _theirs(self, store: Store, waiting: list[Collection], actor: Person) -> Collection | None:
        """What waits or runs and is told to this person: asked for by them, or by the clock and theirs from now on."""
        for row in reversed(waiting):
            if row.requested_by == actor.user_id:
                return row
        for row in waiting:
            is_recent = row.kind is CollectionKind.DAILY
            if is_recent and await store.collections.adopt(row.workspace_id, row.id, actor.user_id):
                return replace(row, requested_by=actor.user_id)
        return None

    async def _add_manual(self, store: Store, connection: Connection, requested_by: str) -> Collection | None:
        """The recent days, and all days since the last one that was read."""
        today = self._desk.today()
        start = today - timedelta(days=self._desk.policy.reread_days)
        last = await store.charges.last_read_day(connection.workspace_id, connection.id)
        if last is not None:
            start = min(start, last + timedelta(days=1))
        return await store.collections.add(
            connection.workspace_id,
            connection_id=connection.id,
            kind=CollectionKind.MANUAL,
            slot=f"{self._desk.now().isoformat()} {requested_by}",
            period=Period(start, today),
            requested_by=requested_by,
            at=self._desk.now(),
        )

    async def _retry_now(self, store: Store, connection: Connection) -> None:
        """Let what waits for its next try after a failure be tried at once: a person is asking.

        Its lease runs out now; a worker that happens to be trying already yields to the next.
        """
        is_blind = connection.blind_since is not None
        long_ago = self._desk.now() - timedelta(seconds=2 * self._desk.policy.lease_seconds)
        for row in await store.collections.active(connection.workspace_id):
            is_retried = is_blind or row.attempts > 1
            if row.connection_id == connection.id and row.worker is not None and is_retried:
                await store.collections.heartbeat(row.id, row.worker, long_ago)

    async def _add(
        self, store: Store, connection: Connection, kind: CollectionKind, slot: str, period: Period, now: datetime
    ) -> Collection | None:
        return await store.collections.add(
            connection.workspace_id,
            connection_id=connection.id,
            kind=kind,
            slot=slot,
            period=period,
            requested_by=None,
            at=now,
        )

    async def _answers_for(self, store: Store, actor: Person, connections: list[Connection]) -> list[Connection]:
        if actor.is_admin:
            return connections
        teams = await store.teams.all(actor.workspace_id)
        managed = {team.id for team in teams if may_manage_team(actor, team)}
        return [
            one
            for one in connections
            if managed & {team.id for team in await teams_of(store, actor.workspace_id, one.id)}
        ]


def _is_open(row: Collection) -> bool:
    return row.state in {CollectionState.QUEUED, CollectionState.RUNNING}
