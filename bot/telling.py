"""Telling: what a decision wants said, put in the outbox within the decision's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.errors import Refusal, RefusalCode
from finops.incidents import Change, Incident, IncidentEvent, RootAction
from finops.registry import Person, Project, Team
from finops.stops import Stop
from storage import Store

INCIDENT, INCIDENT_EVENT, UNPRICED = "incident", "incident_event", "unpriced"
BLIND, UNWATCHED = "blind", "unwatched"
STOP, STOP_EVENT, STOP_LEAD = "stop", "stop_event", "stop_lead"
REVIEW, RUNBOOK = "review", "runbook"
URGENT, ROUTINE = 1, 0


def root_key(incident_id: int) -> str:
    """The name of an incident's root message in the outbox; the lines of its thread name it."""
    return f"incident:{incident_id}"


def event_key(incident_id: int, event: str) -> str:
    """The name of one line of an incident's thread; `event` is the event's own key."""
    return f"{root_key(incident_id)}:{event}"


def stop_key(stop_id: int) -> str:
    """The name of a stop: of its own root message, when no incident has one for it, and of the lines about it."""
    return f"stop:{stop_id}"


async def require_root(store: Store, workspace_id: str, incident_id: int) -> None:
    """Refuse where the message of an alert is forgotten: a line below it would wait for ever."""
    if await store.outbox.get(workspace_id, root_key(incident_id)) is None:
        raise Refusal(RefusalCode.INCIDENT_CLOSED)


async def stands_at(store: Store, workspace_id: str, key: str) -> tuple[str, str] | None:
    """The channel and time of a message that everybody of its channel can open; None where it never stood there."""
    message = await store.outbox.get(workspace_id, key)
    if message is None or message.ts is None or message.posted_channel_id != message.channel_id:
        return None
    return None if message.channel_id is None else (message.channel_id, message.ts)


def recipients(project: Project | None, team: Team | None, admins: Sequence[Person]) -> tuple[str, ...]:
    """Whom to tell directly where a channel cannot be used: whoever leads it, then the administrators."""
    leads = (project.lead_user_id if project else None, team.lead_user_id if team else None)
    return tuple(dict.fromkeys([*(one for one in leads if one), *(one.user_id for one in admins)]))


async def keep(
    store: Store,
    change: Change,
    before: Incident | None,
    people: Sequence[str],
    at: datetime,
    *,
    is_prompt: bool = False,
) -> Incident:
    """Keep a change of the incident `before` (None: it is new) with its events and messages; the incident as kept.

    Raises storage.errors.Conflict when somebody changed it meanwhile: nothing of this transaction may then remain.
    `people` are told directly where the channel cannot be used. `is_prompt`: a person clicked and waits to see it.
    """
    incident = await store.incidents.save(change.incident.workspace_id, change, before)
    assert incident.id is not None, "a kept incident has an id"
    if change.root is RootAction.NONE:
        return incident  # its lines wait with it: a thread without a root is no place to read
    is_new = change.root is RootAction.POST
    is_loud = any(event.is_loud for event in change.events)
    await store.outbox.want(
        incident.workspace_id,
        root_key(incident.id),
        INCIDENT,
        {"incident_id": incident.id},
        incident.channel_id,
        people,
        urgency=URGENT if is_new or is_loud else ROUTINE,
        at=at,
        detected_at=incident.detected_at if is_new else None,
        available_at=incident.available_at if is_new else None,
        is_prompt=is_prompt,
    )
    lines = await store.incidents.events(incident.workspace_id, incident.id) if is_new else change.events
    for event in lines:
        if event.is_said:
            await _want_line(store, incident, change, event, people, at)
    return incident


async def want_root(
    store: Store, incident: Incident, people: Sequence[str], at: datetime, *, is_prompt: bool = True
) -> None:
    """Have an incident's message drawn anew: somebody clicked, or something was done that it shows.

    At once, or, not `is_prompt`, together with what else comes to be shown there.
    """
    assert incident.id is not None
    await store.outbox.want(
        incident.workspace_id,
        root_key(incident.id),
        INCIDENT,
        {"incident_id": incident.id},
        incident.channel_id,
        people,
        at=at,
        is_prompt=is_prompt,
    )


async def want_stop(
    store: Store, stop: Stop, people: Sequence[str], at: datetime, *, is_urgent: bool, is_prompt: bool = True
) -> None:
    """Have the message of a stop outside of any incident posted, or drawn anew.

    At once, or, not `is_prompt`, together with what else comes to be shown there.
    """
    assert stop.id is not None
    await store.outbox.want(
        stop.workspace_id,
        stop_key(stop.id),
        STOP,
        {"stop_id": stop.id},
        stop.channel_id,
        people,
        urgency=URGENT if is_urgent else ROUTINE,
        at=at,
        is_prompt=is_prompt,
    )


async def _want_line(
    store: Store, incident: Incident, change: Change, event: IncidentEvent, people: Sequence[str], at: datetime
) -> None:
    assert incident.id is not None
    is_broadcast = change.broadcasts(event)
    await store.outbox.want(
        incident.workspace_id,
        event_key(incident.id, event.key),
        INCIDENT_EVENT,
        {"incident_id": incident.id, "event": event.key},
        incident.channel_id,
        people,
        thread_key=root_key(incident.id),
        is_broadcast=is_broadcast,
        urgency=URGENT if is_broadcast else ROUTINE,
        at=at,
        # Beside a new root message the root is what rings; the line only keeps the story.
        detected_at=incident.detected_at if is_broadcast else None,
        available_at=incident.available_at if is_broadcast else None,
    )
