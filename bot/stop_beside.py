"""The stop of a project, for whoever looks at the project: the firmest that holds it, else what it is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot import stop_facts
from bot.stop_scopes import asked_instead
from finops.approvals import is_own_wish
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Person, Project
from finops.stop_report import StopShown
from finops.stops import StopState
from storage import Store


async def stop_of(store: Store, project: Project, now: datetime) -> StopShown | None:
    """How the stop stands under which a project is held, be it its own, its team's or an alert's; or under which it
    may spend on terms. None where nobody stopped it, or it was put back for good."""
    workspace_id = project.workspace_id
    for lever in reversed(Lever):
        hold = await store.stops.active_hold(workspace_id, project.connection_id, project.provider_project_id, lever)
        stop = await store.stops.get(workspace_id, hold.stop_id) if hold is not None else None
        if stop is not None:
            return await stop_facts.shown(store, stop, with_saved=False, told_at=now)
    stop = await store.stops.of_scope(workspace_id, ScopeKind.PROJECT, project.id)
    if stop is None or stop.state is not StopState.ALLOWED:
        return None
    return await stop_facts.shown(store, stop, with_saved=False, told_at=now)


async def stop_for(
    store: Store, actor: Person, project: Project, now: datetime, groups: Iterable[str] = ()
) -> StopShown | None:
    """The same for one reader: with whom to ask where they may not give it back, for it may hold others' projects, and
    with whether the wish that waits for a second person is their own."""
    shown = await stop_of(store, project, now)
    if shown is None:
        return None
    shown = replace(shown, is_own_wish=is_own_wish(shown.stop, actor.user_id, now))
    instead = await asked_instead(store, actor, shown.stop, groups)
    if instead is None:
        return shown
    return replace(shown, ask=instead.ask, lacks_groups=instead.lacks_groups)
