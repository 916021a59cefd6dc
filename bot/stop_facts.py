"""What is known around a stop: who is hit, how it stands, and what it kept from being spent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.desk import Desk
from bot.key_holders import affected, holders
from bot.lever_wishes import usual_of
from bot.picture import account_of, money_of
from bot.rights import asked_again, within_reach
from bot.stop_rest import holders_of
from bot.stop_savings import saved_by
from bot.stop_scopes import Aim, held_of
from finops.figures import Scope
from finops.levers import Lever, LeverWish, next_lever
from finops.money import Money
from finops.periods import minute_of
from finops.queries import ScopeKind
from finops.registry import CredentialState, Person, Project, Team
from finops.stop_report import (
    AffectedKey,
    AffectedProject,
    BlastRadius,
    Stoppable,
    StopShown,
)
from finops.stops import UNDER_WAY, Stop, StopState
from storage import Store
from storage.records_live import UsageSum

_HOUR = 60
# A person waits in front of an hourglass: what a provider has not told by then is unknown.
_PATIENCE_SECONDS = 6.0
_ASKED_AT_ONCE = 6
# More than this in one window would be read by nobody; the others are counted.
_KEYS_ASKED_OF = 30


async def radius(desk: Desk, aim: Aim) -> BlastRadius:
    """Who and what a stop would hit, as the database and the provider tell it now."""
    now = desk.now()
    projects = tuple(dict.fromkeys([*aim.narrow, *aim.wide]))
    stop = aim.stop if aim.stop is not None and aim.stop.state in UNDER_WAY else None
    workspace_id = projects[0].workspace_id if projects else ""
    async with desk.storage.reading() as store:
        seen = await _seen(store, desk, projects)
        used_until = min(seen.values(), default=now)
        used = await _last_hour(store, projects, used_until)
        active = await holders_of(store, projects, Lever.STOP)
        its = await held_of(store, stop, aim.narrow) if stop is not None else ()
        wishes = [await usual_of(store, workspace_id, account_of(one), minute_of(now)) for one in aim.narrow]
        credentials = [
            one
            for connection_id in sorted({one.connection_id for one in aim.narrow})
            for one in await store.credentials.of_connection(workspace_id, connection_id)
        ]
    # In force for what was clicked on; what it does not hold can be stopped beside it.
    is_all = all(one in its or account_of(one) in active for one in aim.narrow)
    held = stop if stop is not None and (is_all or stop.state is StopState.RESTORING) else None
    helpless = {one.connection_id for one in aim.narrow} - within_reach(credentials)
    keys, reached = await asyncio.gather(
        _keys_of(desk, projects[:_KEYS_ASKED_OF]),
        asked_again(desk, workspace_id, helpless, within_seconds=_PATIENCE_SECONDS),
    )
    affected = {
        one.id: AffectedProject(
            project_id=one.id,
            name=one.name,
            provider_project_id=one.provider_project_id,
            lead_user_id=one.lead_user_id or (aim.team.lead_user_id if aim.team else None),
            requests=_requests(used, one) if one.connection_id in seen else None,
            spent=_spent(used, one) if one.connection_id in seen else None,
            keys=keys.get(one.id),
            is_held=account_of(one) in active,
        )
        for one in projects
    }
    pace = sum(sum(wish.pace.values()) for wish in wishes)
    return BlastRadius(
        target=aim.target,
        scope=aim.scope,
        team=aim.team,
        projects=tuple(affected[one.id] for one in aim.narrow),
        team_projects=tuple(affected[one.id] for one in aim.wide),
        # What a stop in force does not hold yet is held by the same lever.
        levers=_levers(wishes) if stop is None or held is not None else (stop.lever,),
        cheap_models=tuple(sorted({model for wish in wishes for model in wish.models})),
        usual_pace=pace or None,
        seen_at=now,
        used_until=used_until,
        held=held,
        connection_keys=tuple((one.id, one.ends_with) for one in credentials if one.state is CredentialState.ENABLED),
        may_stop=helpless <= reached,
        stranger=aim.stranger,
    )


async def shown(store: Store, stop: Stop, *, with_saved: bool = True, told_at: datetime | None = None) -> StopShown:
    """A stop as it stands, with the names of everybody who did something about it; `told_at` as StopShown has it."""
    assert stop.id is not None
    workspace_id = stop.workspace_id
    scope, team = await _scope_of(store, stop)
    holds = await store.stops.holds(workspace_id, stop.id)
    events = await store.stops.events(workspace_id, stop.id)
    acted = {
        stop.requested_by,
        stop.approved_by,
        stop.cause_by,
        *(str(by) for event in events for name in ("by", "asked_by") if (by := event.values.get(name))),
    }
    if stop.pending is not None:
        acted.add(stop.pending.by)
    names = {}
    for user_id in sorted(one for one in acted if one):
        person = await store.people.get(workspace_id, user_id)
        if person is not None:
            names[user_id] = person.name
    needs_two, incident = False, None
    if stop.incident_id is not None:
        incident = await store.incidents.get(workspace_id, stop.incident_id)
        if incident is not None:
            budget = await store.budgets.get(workspace_id, incident.budget_id, even_deleted=True)
            needs_two = budget is not None and budget.needs_two
    return StopShown(
        stop=stop,
        scope=scope,
        team=team,
        holds=tuple(holds),
        events=tuple(events),
        names=names,
        requires_second=needs_two,
        next_lever=next_lever(stop.lever),
        saved=await saved_by(store, stop, holds) if with_saved else None,
        incident=incident,
        told_at=told_at,
    )


async def stoppable(store: Store, desk: Desk, teams: Iterable[Team], projects: Iterable[Project]) -> list[Stoppable]:
    """Projects of these teams, those with most calls in the last hour first."""
    by_team = {one.id: one for one in teams}
    mine = [one for one in projects if one.team_id in by_team]
    if not mine:
        return []
    seen = await _seen(store, desk, mine)
    rows = await _last_hour(store, mine, min(seen.values(), default=desk.now()))
    found = [
        Stoppable(
            Scope(ScopeKind.PROJECT, one.id, one.name),
            by_team[one.team_id],
            _requests(rows, one) if one.connection_id in seen else None,
        )
        for one in mine
    ]
    return sorted(found, key=lambda one: (-(one.requests or 0), one.scope.name, one.scope.id or 0))


async def lead_name(store: Store, workspace_id: str, user_id: str) -> str:
    """What a person is called, as far as we know."""
    person: Person | None = await store.people.get(workspace_id, user_id)
    return person.name if person is not None else ""


async def _scope_of(store: Store, stop: Stop) -> tuple[Scope, Team | None]:
    kind, scope_id = stop.scope_kind, stop.scope_id
    if kind is ScopeKind.WORKSPACE:
        return Scope(kind, None, ""), None
    if kind is ScopeKind.TEAM:
        team = await store.teams.get(stop.workspace_id, scope_id or 0)
        return Scope(kind, scope_id, team.name if team else ""), team
    project = await store.projects.get(stop.workspace_id, scope_id or 0)
    if project is None:
        return Scope(kind, scope_id, ""), None
    return Scope(kind, project.id, project.name), await store.teams.get(stop.workspace_id, project.team_id)


async def _keys_of(desk: Desk, projects: Sequence[Project]) -> dict[int, tuple[AffectedKey, ...] | None]:
    gate = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def one(project: Project) -> tuple[int, tuple[AffectedKey, ...] | None]:
        async with gate:
            found = await holders(desk, project.workspace_id, account_of(project), _PATIENCE_SECONDS)
            return project.id, None if found is None else tuple(map(affected, found))

    return dict(await asyncio.gather(*(one(project) for project in projects)))


async def _seen(store: Store, desk: Desk, projects: Sequence[Project]) -> dict[int, datetime]:
    """When the usage of their connections was read; of one that is missing nobody knows what happens there now."""
    if not projects:
        return {}
    mine = {one.connection_id for one in projects}
    readings = {one.connection_id: one.read_at for one in await store.healths.all(projects[0].workspace_id)}
    oldest = desk.now() - desk.policy.stale_after
    return {id_: at for id_, at in readings.items() if id_ in mine and at is not None and at >= oldest}


async def _last_hour(store: Store, projects: Sequence[Project], until: datetime) -> list[UsageSum]:
    """What they used in the hour before a reading."""
    if not projects:
        return []
    end = minute_of(until)
    accounts = [account_of(one) for one in projects]
    return await store.usage.activity(projects[0].workspace_id, end - _HOUR, end, accounts)


def _levers(wishes: Sequence[LeverWish]) -> tuple[Lever, ...]:
    """What can be chosen: cheap models only where there is a choice of models."""
    found = [Lever.STOP, Lever.SLOW]
    if any(wish.models for wish in wishes):
        found.append(Lever.CHEAP)
    return tuple(found)


def _of(rows: Iterable[UsageSum], project: Project) -> list[UsageSum]:
    return [row for row in rows if (row.connection_id, row.sub_account_id) == account_of(project)]


def _requests(rows: Iterable[UsageSum], project: Project) -> int:
    return sum(row.requests for row in _of(rows, project))


def _spent(rows: Iterable[UsageSum], project: Project) -> Money:
    return money_of(sum(row.atto for row in _of(rows, project)))
