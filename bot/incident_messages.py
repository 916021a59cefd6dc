"""The messages of an incident, asked of the outbox within the transaction of the decision: one root, one line a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from finops.incidents import Change, Incident, IncidentEvent, RootAction
from finops.registry import Team
from storage import Store

# How the deliverer knows what to render.
ROOT_KIND = "incident"
LINE_KIND = "incident_event"


def root_key(incident_id: int) -> str:
    """The business key of the root message of an incident."""
    return f"incident:{incident_id}"


def line_key(incident_id: int, event: IncidentEvent) -> str:
    """The business key of one line of its thread."""
    return f"incident:{incident_id}:{event.key}"


def recipients(team: Team | None, admins: Sequence[str]) -> tuple[str, ...]:
    """Who is told directly when the channel takes no message: the lead and the admins, each once."""
    return tuple(dict.fromkeys([*([team.lead_user_id] if team else []), *admins]))


async def want_change(
    store: Store, incident: Incident, change: Change, people: Sequence[str], at: datetime, *, is_prompt: bool = False
) -> None:
    """Ask for everything a change says: its root message and the lines of its thread.

    `incident` is the incident as kept (with its id), `people` the recipients. The root comes first, so that lines find
    it. A root that is posted and lines that are loud are urgent and carry the two clocks. `is_prompt`: a person clicked
    and waits for the root to show it.
    """
    assert incident.id is not None
    root, workspace_id, subject = root_key(incident.id), incident.workspace_id, {"incident_id": incident.id}
    is_loud = any(event.is_loud for event in change.events)
    detected_at, available_at = (incident.detected_at, incident.available_at) if is_loud else (None, None)
    if change.root is not RootAction.NONE:
        is_post = change.root is RootAction.POST
        await store.outbox.want(
            workspace_id,
            root,
            ROOT_KIND,
            subject,
            incident.channel_id,
            people,
            urgency=1 if is_post or is_prompt else 0,
            at=at,
            detected_at=detected_at if is_post else None,
            available_at=available_at if is_post else None,
            is_prompt=is_prompt,
        )
    for event in change.events:
        if not event.is_said:
            continue
        is_broadcast = change.broadcasts(event)
        await store.outbox.want(
            workspace_id,
            line_key(incident.id, event),
            LINE_KIND,
            {**subject, "event": event.key},
            incident.channel_id,
            people,
            thread_key=root,
            is_broadcast=is_broadcast,
            urgency=1 if is_broadcast else 0,
            at=at,
            detected_at=detected_at if is_broadcast else None,
            available_at=available_at if is_broadcast else None,
        )
