"""Stops and the levers they hold: changed by one at a time, looked after by one worker at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from finops.holds import Hold, HoldState
from finops.levers import Lever
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.stops import Stop, StopChange, StopEvent
from storage import stops_rows as rows
from storage import stops_sql as sql
from storage.errors import AlreadyHeld, Conflict, NotFound
from storage.event_rows import keep_event
from storage.repository import NO_ID, Repository, across_workspaces
from storage.tables import projects
from storage.tables_live import incidents
from storage.tables_stops import holds, stop_events, stops

# What is leased for longer than this was stamped by a clock that ran ahead.
_FURTHEST_AHEAD = timedelta(hours=1)
# Nobody who waits is left alone for so long, but for a project that the provider denies: a clock ran ahead there too.
_LONGEST_WAIT = timedelta(minutes=10)


class Stops(Repository):
    """Stops with their holds and what happened to them. One active hold per provider project and lever."""

    async def open(
        self, workspace_id: str, stop: Stop, holds_of_it: Sequence[Hold], events: Iterable[StopEvent] = ()
    ) -> tuple[Stop, tuple[Hold, ...]]:
        """Keep a new stop with its holds and events; tells both with their ids, the holds in the order given.

        Raises AlreadyHeld, a Conflict that names the project, when a lever of one is held already, by whomever:
        roll back and join that one. Conflict when the incident has another stop that is not over: roll back, and go on
        from that one. NotFound when a project is not this workspace's.
        """
        if stop.workspace_id != workspace_id or stop.id is not None:
            raise ValueError(f"a new stop of {workspace_id} cannot be {stop.id} of {stop.workspace_id}")
        await self._prove_projects(workspace_id, {hold.project_id for hold in holds_of_it})
        if stop.incident_id is not None:
            await self._prove_only_one(workspace_id, stop.incident_id)
        stop_id: int = (await self._db.execute(sql.ADD_STOP, rows.stop_columns(stop))).scalar_one()
        kept: dict[int, Hold] = {}
        for place, hold in sorted(enumerate(holds_of_it), key=lambda each: _turn(each[1])):
            kept[place] = await self._add_hold(workspace_id, replace(hold, stop_id=stop_id))
        for event in events:
            await self._keep_event(workspace_id, stop_id, event)
        return replace(stop, id=stop_id), tuple(kept[place] for place in sorted(kept))

    async def save(
        self, workspace_id: str, change: StopChange, before: Stop, holds_before: Sequence[Hold] = ()
    ) -> tuple[Hold, ...]:
        """Keep a change: the stop, those of its holds that changed or are new (id None), and the events.

        `before` and `holds_before` are what it was decided on, as read; a changed hold must be among them. Raises
        Conflict when any of them no longer stands so (AlreadyHeld when a lever is held already): roll back, read
        again, decide anew. Tells the holds as kept, in the order given. A lease on a hold stays whose it is; its
        worker finds the hold changed.
        """
        stop = change.stop
        if stop.workspace_id != workspace_id or before.id is None or before.id != stop.id:
            raise ValueError(f"the change is of another stop: {stop.id}")
        read = {hold.id: hold for hold in holds_before}
        stray = [hold.id for hold in change.holds if hold.id is not None and hold.id not in read]
        if stray or any(hold.stop_id != stop.id for hold in (*holds_before, *change.holds) if hold.id is not None):
            raise ValueError(f"the change is of holds that were not read with the stop {stop.id}")
        await self._prove_unmoved_stop(before)
        for hold in sorted(holds_before, key=lambda each: each.id or 0):
            await self._prove_unmoved_hold(hold)
        await self._prove_projects(workspace_id, {hold.project_id for hold in change.holds if hold.id is None})
        await self._db.execute(sql.CHANGE_STOP, rows.stop_columns(stop) | _this(before))
        kept: dict[int, Hold] = {}
        for place, hold in sorted(enumerate(change.holds), key=lambda each: _turn(each[1])):
            if hold.id is None:
                kept[place] = await self._add_hold(workspace_id, replace(hold, stop_id=before.id))
            else:
                await self._change_hold(hold, read[hold.id])
                kept[place] = hold
        for event in change.events:
            await self._keep_event(workspace_id, before.id, event)
        return tuple(kept[place] for place in sorted(kept))

    async def get(self, workspace_id: str, stop_id: int) -> Stop | None:
        """The stop as it stands, or None."""
        found = await self._stops(sql.STOP, workspace_id, this=stop_id)
        return found[0] if found else None

    async def active(self, workspace_id: str) -> list[Stop]:
        """Every stop that is neither closed nor failed, oldest first."""
        return await self._stops(sql.STANDING, workspace_id)

    async def of_incident(self, workspace_id: str, incident_id: int) -> Stop | None:
        """The latest stop of an incident, whatever its state; None when there was none."""
        found = await self._stops(sql.OF_INCIDENT, workspace_id, of_incident=incident_id)
        return found[-1] if found else None

    async def were_decided(
        self, workspace_id: str, incident_id: int, since: datetime | None = None, allowed_since: datetime | None = None
    ) -> bool:
        """Whether, within an incident, a budget stopped by itself, or what was stopped, or would have been, was let go
        on or changed elsewhere (at `since` or later, where given; where it was let go on until a time, at
        `allowed_since` or later). What a person stopped or asked for is none of these.
        """
        mine = stops.c.workspace_id == workspace_id, stops.c.incident_id == incident_id
        by_policy: list[ColumnElement[bool]] = [stops.c.turn > 0, stops.c.requested_by.is_(None)]
        let_go: list[ColumnElement[bool]] = [stops.c.approved_at.is_not(None)]
        lost: list[ColumnElement[bool]] = [holds.c.workspace_id == workspace_id, holds.c.stop_id == stops.c.id]
        lost.append(holds.c.state == HoldState.LOST.value)
        if since is not None:
            by_policy.append(stops.c.requested_at >= since)
            on_terms = and_(stops.c.allowed_until.is_not(None), stops.c.approved_at >= (allowed_since or since))
            let_go.append(or_(stops.c.approved_at >= since, on_terms))
            lost.append(holds.c.updated_at >= since)
        decided = or_(and_(*by_policy), and_(*let_go), exists().where(*lost))
        return (await self._db.execute(select(stops.c.id).where(*mine, decided).limit(1))).one_or_none() is not None

    async def of_scope(self, workspace_id: str, scope_kind: ScopeKind, scope_id: int | None) -> Stop | None:
        """The latest stop of a scope that is neither closed nor failed, or None."""
        found = await self._stops(sql.OF_SCOPE, workspace_id, kind=scope_kind.value, scope=scope_id or NO_ID)
        return found[-1] if found else None

    async def events(self, workspace_id: str, stop_id: int) -> list[StopEvent]:
        """What happened to it, in order."""
        found = await self._db.execute(sql.EVENTS, {"of_workspace": workspace_id, "of_stop": stop_id})
        return [rows.event_of(row) for row in found.mappings()]

    async def add_event(self, workspace_id: str, stop_id: int, event: StopEvent) -> bool:
        """Keep something that happened beside the states; False when its key is there already.

        NotFound when this workspace has no such stop.
        """
        asked = {"of_workspace": workspace_id, "this": stop_id}
        if (await self._db.execute(sql.STOP_ID, asked)).one_or_none() is None:
            raise NotFound("stop", stop_id)
        return await self._keep_event(workspace_id, stop_id, event)

    async def hold(self, workspace_id: str, hold_id: int) -> Hold | None:
        """The hold as it stands, or None."""
        found = await self._holds(sql.HOLD, workspace_id, this=hold_id)
        return found[0] if found else None

    async def holds(self, workspace_id: str, stop_id: int) -> list[Hold]:
        """Every hold of a stop, whatever its state, oldest first."""
        return await self._holds(sql.OF_STOP, workspace_id, of_stop=stop_id)

    async def held_on(self, workspace_id: str, connection_id: int, since: datetime) -> list[Hold]:
        """The holds of one organization that are active, or were released at `since` or later; oldest first."""
        return await self._holds(sql.HELD_ON, workspace_id, of_connection=connection_id, since=since)

    async def set_within(self, workspace_id: str, period: Period, lever: Lever) -> list[Hold]:
        """The holds of a lever that were set on one of these charge days, however they stand now; oldest first."""
        begun, ended = starts_at(period.start), starts_at(period.end)
        return await self._holds(sql.SET_WITHIN, workspace_id, of_lever=lever.value, begun=begun, ended=ended)

    async def once_held(
        self, workspace_id: str, connection_id: int, provider_project_id: str, lever: Lever
    ) -> list[Hold]:
        """The holds of a lever of one provider project that ended, however they did; the latest first."""
        whose = {"of_connection": connection_id, "of_project": provider_project_id, "of_lever": lever.value}
        return (await self._holds(sql.ONCE_HELD, workspace_id, **whose))[::-1]

    async def active_hold(
        self, workspace_id: str, connection_id: int, provider_project_id: str, lever: Lever
    ) -> Hold | None:
        """The one hold that is active on this lever of this provider project, or None."""
        whose = {"of_connection": connection_id, "of_project": provider_project_id, "of_lever": lever.value}
        found = await self._holds(sql.HELD_NOW, workspace_id, **whose)
        return found[0] if found else None

    @across_workspaces("a worker looks after the holds of any workspace")
    async def any_due(self, now: datetime) -> bool:
        """Whether `due` would find anything: reading disturbs nobody who writes."""
        return (await self._db.execute(sql.ANY_DUE, _due(now))).one_or_none() is not None

    @across_workspaces("a worker looks after the holds of any workspace; the hold says whose it is")
    async def due(self, now: datetime, limit: int, worker: str, lease: timedelta) -> list[Hold]:
        """Take at most `limit` holds whose time to be looked at has come: those that are under way first, then those
        that only want a look whether they still stand, each the longest due first.

        Each goes to one worker until it is let go, or until `lease` passes in silence.
        """
        ids = (await self._db.scalars(sql.DUE, _due(now, lease) | {"most": limit})).all()
        if not ids:
            return []
        taken = await self._db.execute(sql.LEASE, {"these": ids, "worker": worker, "leased_until": now + lease})
        found = {row["id"]: rows.hold_of(row) for row in taken.mappings()}
        return [found[each] for each in ids]

    @across_workspaces("a worker looks after the holds of any workspace; the hold says whose it is")
    async def keep_hold(self, hold: Hold, before: Hold, worker: str) -> None:
        """Keep what a look at a hold found; the lease stays.

        Raises Conflict when another worker has it, nobody has it any more, or it no longer stands as `before`: roll
        back and let it go. `before` may be what was kept last: amounts compare as they are stored.
        """
        if hold.id is None or hold.id != before.id or hold.workspace_id != before.workspace_id:
            raise ValueError(f"the change is of another hold: {hold.id}")
        # The stop first, as `save` does: two who take the same two rows in two orders would wait for each other.
        await self._db.execute(sql.HOLD_STOP, {"of_workspace": before.workspace_id, "this": before.stop_id})
        row = await self._prove_unmoved_hold(before)
        if row["worker"] != worker:
            raise Conflict("hold", hold.id)
        await self._change_hold(hold, before)

    @across_workspaces("a worker looks after the holds of any workspace; the hold says whose it is")
    async def is_leased(self, hold_id: int, worker: str, now: datetime) -> bool:
        """Whether the hold is `worker`'s now."""
        asked = {"this": hold_id, "who": worker, "now": now}
        return (await self._db.execute(sql.IS_LEASED, asked)).one_or_none() is not None

    @across_workspaces("a worker looks after the holds of any workspace; the hold says whose it is")
    async def let_go(self, hold_id: int, worker: str) -> None:
        """Give a lease back, so that the next look need not wait for its end; nothing happens when it is not ours."""
        await self._db.execute(sql.LET_GO, {"this": hold_id, "who": worker})

    @across_workspaces("whoever polls, polls for every workspace")
    async def connections_watched(self, since: datetime) -> set[int]:
        """The ids of connections whose usage must be seen each minute.

        These have a hold that is active and not proved, or that was released after `since`.
        """
        return set(await self._db.scalars(sql.WATCHED, {"since": since}))

    async def _prove_only_one(self, workspace_id: str, incident_id: int) -> None:
        """Two who stop, or approve, within one incident in the same moment would each have a stop of it."""
        its = select(incidents.c.id).where(incidents.c.workspace_id == workspace_id, incidents.c.id == incident_id)
        await self._db.execute(its.with_for_update())
        standing = await self._stops(sql.STANDING_OF_INCIDENT, workspace_id, of_incident=incident_id)
        if standing:
            raise Conflict("stop", standing[-1].id)

    async def _prove_projects(self, workspace_id: str, project_ids: set[int]) -> None:
        """What is held must be this workspace's, and nobody lets go of it (Projects.unregister) before we have kept it:
        no reference says so, for a project may be let go of once it is given back what it was."""
        if not project_ids:
            return
        mine = select(projects.c.id).where(projects.c.workspace_id == workspace_id, projects.c.id.in_(project_ids))
        shared = mine.order_by(projects.c.id).with_for_update(read=True, key_share=True)
        missing = project_ids - set(await self._db.scalars(shared))
        if missing:
            raise NotFound("project", min(missing))

    async def _add_hold(self, workspace_id: str, hold: Hold) -> Hold:
        if hold.workspace_id != workspace_id or hold.id is not None:
            raise ValueError(f"a new hold of {workspace_id} cannot be {hold.id} of {hold.workspace_id}")
        hold_id: int | None = await self._db.scalar(sql.adding_hold(self._db.dialect.name), rows.hold_columns(hold))
        if hold_id is None:
            raise await self._already_held(hold)
        await self._end_watch(hold)
        return replace(hold, id=hold_id)

    async def _end_watch(self, hold: Hold) -> None:
        """Who looked after an earlier hold of this lever, and would take this one's setting for its own left behind,
        looks no more; one that is looking just now finds its hold changed before it acts."""
        earlier = and_(
            holds.c.workspace_id == hold.workspace_id,
            holds.c.connection_id == hold.connection_id,
            holds.c.provider_project_id == hold.provider_project_id,
            holds.c.lever == hold.lever.value,
            holds.c.state == HoldState.RELEASED.value,
        )
        await self._db.execute(update(holds).where(earlier).values(next_at=None, updated_at=hold.requested_at))

    async def _change_hold(self, hold: Hold, before: Hold) -> None:
        if hold.is_active and not before.is_active and await self._standing(hold) is not None:
            raise await self._already_held(hold)
        try:
            await self._db.execute(sql.CHANGE_HOLD, rows.hold_columns(hold) | _this(before))
        except IntegrityError as problem:
            if hold.is_active and not before.is_active:  # somebody else was faster by a moment
                raise AlreadyHeld(hold.lever, hold.name, None) from problem
            raise

    async def _standing(self, hold: Hold) -> Hold | None:
        return await self.active_hold(hold.workspace_id, hold.connection_id, hold.provider_project_id, hold.lever)

    async def _already_held(self, hold: Hold) -> AlreadyHeld:
        standing = await self._standing(hold)
        return AlreadyHeld(hold.lever, hold.name, None if standing is None else standing.id)

    async def _prove_unmoved_stop(self, before: Stop) -> None:
        """Nobody changes it from here to the end of our transaction; Conflict when somebody has since it was read."""
        row = (await self._db.execute(sql.STOP_HELD, _this(before))).mappings().one_or_none()
        if row is None or not rows.unmoved(row, rows.stop_columns(before)):
            raise Conflict("stop", before.id)

    async def _prove_unmoved_hold(self, before: Hold) -> RowMapping:
        row = (await self._db.execute(sql.HOLD_HELD, _this(before))).mappings().one_or_none()
        if row is None or not rows.unmoved(row, rows.hold_columns(before)):
            raise Conflict("hold", before.id)
        return row

    async def _keep_event(self, workspace_id: str, stop_id: int, event: StopEvent) -> bool:
        return await keep_event(self._db, stop_events, workspace_id, "stop_id", stop_id, event)

    async def _stops(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Stop]:
        found = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [rows.stop_of(row) for row in found.mappings()]

    async def _holds(self, query: Select[Any], workspace_id: str, **asked: Any) -> list[Hold]:
        found = await self._db.execute(query, {"of_workspace": workspace_id, **asked})
        return [rows.hold_of(row) for row in found.mappings()]


def _this(one: Stop | Hold) -> dict[str, Any]:
    return {"of_workspace": one.workspace_id, "this": one.id}


def _due(now: datetime, lease: timedelta = _FURTHEST_AHEAD) -> dict[str, datetime]:
    return {"now": now, "ahead": now + max(_FURTHEST_AHEAD, lease), "too_late": now + _LONGEST_WAIT}


def _turn(hold: Hold) -> tuple[int, str, str]:
    """All who take several holds take them in this order, so that no two wait for each other."""
    return hold.connection_id, hold.provider_project_id, hold.lever
