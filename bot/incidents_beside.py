"""The messages of other alerts about the same projects: what a stop changes shows in each of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot import telling
from bot.incident_scopes import recipients_of, whose
from bot.picture import account_of
from finops.holds import Hold
from finops.incidents import Incident
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stopping import latest
from finops.stops import Stop, StopChange, StopEventKind
from storage import Store

_DECIDED = (StopEventKind.REQUESTED, StopEventKind.APPROVED)


async def redraw_beside(store: Store, stop: Stop, change: StopChange, at: datetime) -> None:
    """Have the messages of other open alerts about what a stop holds drawn anew after its change; nothing is posted.

    Call it inside the transaction of the decision. What a person decided shows at once; what follows from it is told
    together with what else comes to be shown there.
    """
    workspace_id = stop.workspace_id
    others = [
        one for one in await store.incidents.open_ones(workspace_id) if one.has_root and one.id != stop.incident_id
    ]
    if not others:
        return
    held = latest(await store.stops.holds(workspace_id, stop.id or 0))
    if not change.holds and not any(hold.is_active for hold in held):
        return
    is_prompt = any(event.kind in _DECIDED for event in change.events)
    projects = await _projects(store, workspace_id, held)
    for one in others:
        if _concerns(one, projects):
            found = await whose(store, workspace_id, one.scope_kind, one.scope_id)
            people = await recipients_of(store, workspace_id, found)
            await telling.want_root(store, one, people, at, is_prompt=is_prompt)


def _concerns(incident: Incident, projects: Iterable[Project]) -> bool:
    match incident.scope_kind:
        case ScopeKind.WORKSPACE:
            return True
        case ScopeKind.TEAM:
            return any(one.team_id == incident.scope_id for one in projects)
    return any(one.id == incident.scope_id for one in projects)


async def _projects(store: Store, workspace_id: str, held: Iterable[Hold]) -> list[Project]:
    """The projects that are held, also where one was let go of since and registered anew, for another team maybe."""
    accounts = {account_of(one) for one in held}
    return [one for one in await store.projects.all(workspace_id) if account_of(one) in accounts]
