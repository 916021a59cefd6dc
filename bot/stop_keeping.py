"""Keeping a stop: its change, its holds, its events, what its incident shows and what is to be said, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import telling
from bot.audit import record
from bot.desk import Desk
from bot.incidents_beside import redraw_beside
from finops.holds import Hold, HoldState
from finops.incidents import Incident, acted
from finops.levers import Lever
from finops.periods import charge_day, starts_at
from finops.queries import ScopeKind
from finops.stop_second import asked_key
from finops.stopping import incident_state
from finops.stops import Pending, Stop, StopChange, StopEvent
from storage import Store
from storage.records_live import OutboxState


async def keep(
    desk: Desk, store: Store, change: StopChange, before: Stop | None, holds_before: Sequence[Hold] = ()
) -> Stop:
    """Keep a change of the stop `before` (None: it is new) with everything that follows from it; the stop as kept.

    Raises storage.errors.Conflict when somebody changed the stop, one of the holds or the incident meanwhile, or holds
    the same lever on one of the projects: nothing of this transaction may then remain.
    """
    workspace_id, at = change.stop.workspace_id, desk.now()
    if before is None:
        stop, _ = await store.stops.open(workspace_id, change.stop, change.holds, change.events)
    else:
        await store.stops.save(workspace_id, change, before, holds_before)
        stop = change.stop
    assert stop.id is not None, "a kept stop has an id"
    people = await audience(store, stop)
    incident = await _of(store, stop)
    is_loud = any(event.is_loud for event in change.events)
    if incident is not None:
        shown = acted(incident, incident_state(stop), at)
        if shown is not None:
            await telling.keep(store, shown, incident, people, at, is_prompt=True)
        else:
            await telling.want_root(store, incident, people, at)
    else:
        await telling.want_stop(store, stop, people, at, is_urgent=before is None or is_loud)
    await redraw_beside(store, stop, change, at)
    for event in change.events:
        if event.is_said:
            await _want_line(store, stop, incident, event, people, at)
    if before is not None and before.pending is not None and stop.pending != before.pending:
        await _want_settled(store, stop, before.pending, at)
    for event in change.events:
        by = event.values.get("by")
        actor = None if by is None else str(by)
        await record(desk, store, workspace_id, actor, f"stop.{event.kind}", f"stop:{stop.id}", event.values)
    return stop


async def redraw_own(store: Store, before: Hold, at: datetime) -> None:
    """Have the message of a stop outside of any incident drawn anew where it stands: what it kept from being spent
    grows until its day ends. `before` is the hold as it was when it was last seen to stand.

    The message of an incident is drawn anew with each reading.
    """
    if before.lever is not Lever.STOP or before.state is not HoldState.PROVED or before.set_at is None:
        return
    if (before.checked_at or before.set_at) >= starts_at(charge_day(before.set_at) + timedelta(days=1)):
        return
    stop = await store.stops.get(before.workspace_id, before.stop_id)
    own = await store.outbox.get(before.workspace_id, telling.stop_key(before.stop_id))
    if stop is not None and own is not None and own.ts is not None and await _of(store, stop) is None:
        await telling.want_stop(store, stop, await audience(store, stop), at, is_urgent=False, is_prompt=False)


async def audience(store: Store, stop: Stop) -> tuple[str, ...]:
    """Whom to tell directly where the channel cannot be used: whoever leads it, then the administrators."""
    project = team = None
    if stop.scope_kind is ScopeKind.PROJECT:
        project = await store.projects.get(stop.workspace_id, stop.scope_id or 0)
        team = await store.teams.get(stop.workspace_id, project.team_id) if project else None
    elif stop.scope_kind is ScopeKind.TEAM:
        team = await store.teams.get(stop.workspace_id, stop.scope_id or 0)
    return telling.recipients(project, team, await store.people.admins(stop.workspace_id))


async def _of(store: Store, stop: Stop) -> Incident | None:
    if stop.incident_id is None:
        return None
    incident = await store.incidents.get(stop.workspace_id, stop.incident_id)
    return incident if incident is not None and incident.has_root else None


async def _want_settled(store: Store, stop: Stop, pending: Pending, at: datetime) -> None:
    """Have the line that asks for a second person drawn anew where it stands: nobody is asked any more."""
    asking = await store.outbox.get(stop.workspace_id, f"{telling.stop_key(stop.id or 0)}:{asked_key(pending)}")
    if asking is None or (asking.ts is None and asking.state is OutboxState.DEAD):
        return  # of long ago, or given up: it would be posted now
    await store.outbox.want(
        stop.workspace_id,
        asking.key,
        asking.kind,
        asking.subject,
        asking.channel_id,
        asking.recipients,
        thread_key=asking.thread_key,
        is_broadcast=asking.is_broadcast,
        at=at,
        is_prompt=True,
    )


async def _want_line(
    store: Store, stop: Stop, incident: Incident | None, event: StopEvent, people: Sequence[str], at: datetime
) -> None:
    assert stop.id is not None
    root = telling.stop_key(stop.id) if incident is None or incident.id is None else telling.root_key(incident.id)
    await store.outbox.want(
        stop.workspace_id,
        f"{telling.stop_key(stop.id)}:{event.key}",
        telling.STOP_EVENT,
        {"stop_id": stop.id, "event": event.key},
        stop.channel_id if incident is None else incident.channel_id,
        people,
        thread_key=root,
        is_broadcast=event.is_loud,
        urgency=telling.URGENT if event.is_loud else telling.ROUTINE,
        at=at,
        is_prompt=True,
    )
