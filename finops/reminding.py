"""Reminding: an acknowledged incident whose spending goes on reminds who took care of it, then opens itself again.

- Both only while it is acknowledged and nothing else, its period runs, the limit is reached, and money is seen to go.
- The first comes a wait after the acknowledgement, after what somebody did since, or after the limit was reached,
  whichever was last; the second a wait after the first.
- Each once for an acknowledgement: its moment is part of their names, so that the next one begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from finops.budgets import WHOLE
from finops.charges import FigureState
from finops.frozen import frozen
from finops.incidents import (
    Change,
    EventKind,
    Fact,
    Incident,
    IncidentEvent,
    IncidentState,
    change_of,
    facts_of,
)

GOES_ON = timedelta(minutes=30)
"""Usage as old as this, seen from the latest look, still says that spending goes on."""
# What somebody does about it, or what ends it for a while: from then on the wait begins anew.
_ACTS = frozenset(
    {
        EventKind.SILENCED,
        EventKind.SILENCE_ENDED,
        EventKind.BUDGET_CHANGED,
        EventKind.CAUSE_PINNED,
        EventKind.CLOSED,
    }
)


@frozen
class Beside:
    """What is known beside an acknowledged incident and its events.

    `last_spent` is when the newest minute began in which its scope is known to have spent; None: none is. `acted_at` is
    when a stop of its own changed last. `is_held`: somebody holds the spending, or waits for a second person's word.
    `lead` is the user id of who leads the team, to be told when it opens again; None where nobody does.
    """

    last_spent: datetime | None = None
    acted_at: datetime | None = None
    is_held: bool = False
    lead: str | None = None


def is_waited_out(incident: Incident, wait: timedelta, now: datetime) -> bool:
    """Whether an incident may have to be followed up: what is known of it alone does not speak against it."""
    at, limit = incident.acknowledged_at, incident.limit
    if incident.state is not IncidentState.ACKNOWLEDGED or at is None or not incident.has_root:
        return False
    if incident.is_over(now) or incident.silenced_until is not None or incident.spent_state is FigureState.BLIND:
        return False
    return incident.spent.currency == limit.currency and limit <= incident.spent and at + wait <= now


def follow_up(
    incident: Incident, events: Iterable[IncidentEvent], beside: Beside, wait: timedelta, now: datetime
) -> Change | None:
    """The reminder, or the incident open again; None where neither is due. `events` are all of the incident's.

    The same facts twice change nothing twice: what was kept is among the events of the next look.
    """
    at = incident.acknowledged_at
    if at is None or beside.is_held or not is_waited_out(incident, wait, now):
        return None
    events = list(events)
    mine = [one for one in events if one.at >= at]
    acts = [one.at for one in mine if one.kind in _ACTS]
    if beside.acted_at is not None:
        acts.append(beside.acted_at)
    idle_since = max([at, *acts])
    reminded = [one.at for one in mine if one.key == _key(EventKind.REMINDED, at)]
    since = max([idle_since, *_over_since(events), *reminded])
    if since + wait > now or not _goes_on(incident, beside.last_spent, since):
        return None
    values: dict[str, Fact] = {
        "by": incident.acknowledged_by,
        "seconds": int((now - idle_since).total_seconds()),
        "is_after_act": idle_since > at,
        **facts_of(incident),
    }
    if not reminded:
        # Where the period ends before, it is closed then, and nothing opens.
        values["opens_at"] = (now + wait).isoformat() if not incident.is_over(now + wait) else None
        event = IncidentEvent(EventKind.REMINDED, now, _key(EventKind.REMINDED, at), values)
        return change_of(incident, replace(incident, updated_at=now), event)
    values["lead"] = beside.lead
    event = IncidentEvent(EventKind.UNACKNOWLEDGED, now, _key(EventKind.UNACKNOWLEDGED, at), values)
    after = replace(incident, state=IncidentState.OPEN, acknowledged_by=None, acknowledged_at=None, updated_at=now)
    return change_of(incident, after, event)


def opened_again(incident: Incident, events: Iterable[IncidentEvent]) -> IncidentEvent | None:
    """How its last acknowledgement ended by itself; None while somebody takes care of it, or nobody ever did."""
    if incident.acknowledged_at is not None:
        return None
    return next((one for one in reversed(list(events)) if one.kind is EventKind.UNACKNOWLEDGED), None)


def _over_since(events: Iterable[IncidentEvent]) -> list[datetime]:
    """When the limit was reached, as far as a level says so: who took care before has only just heard of that."""
    levels = ((one.at, one.values.get("level")) for one in events if one.kind is EventKind.CROSSED)
    return [min(over)] if (over := [at for at, level in levels if isinstance(level, int) and level >= WHOLE]) else []


def _goes_on(incident: Incident, last_spent: datetime | None, since: datetime) -> bool:
    return last_spent is not None and last_spent >= max(since, incident.as_of - GOES_ON)


def _key(kind: EventKind, acknowledged_at: datetime) -> str:
    return f"{kind}:{acknowledged_at.isoformat()}"
