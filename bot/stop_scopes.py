"""Whose spending somebody wants to act on, and whether they may: looked up anew at each click, in their workspace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.errors import Refusal, RefusalCode
from bot.people import require_admin, require_manager
from bot.picture import Account, account_of
from bot.stop_rest import rest_of, spender, standing_on
from finops.budgets import Budget
from finops.figures import Scope
from finops.frozen import frozen
from finops.holds import Hold
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.periods import charge_day
from finops.queries import ScopeKind
from finops.registry import Person, Project, Team
from finops.stop_report import StopTarget
from finops.stopping import latest
from finops.stops import OVER, UNDER_WAY, Stop
from storage import Store


@frozen
class Aim:
    """A target as it stands now. `narrow` is what it is about itself, `wide` everything of its team (or of the
    workspace), without what is left out of collection; `stop` is the latest one about it, in whatever state; `budget`
    the incident's. `stranger` names who spends most where no stop reaches it, '' where everybody can be stopped. `top`
    is whom it is about, for whoever wants to talk about it: the first of `narrow`, or who is stopped elsewhere.
    """

    target: StopTarget
    scope: Scope
    team: Team | None
    narrow: tuple[Project, ...]
    wide: tuple[Project, ...]
    channel_id: str | None
    incident: Incident | None = None
    budget: Budget | None = None
    stop: Stop | None = None
    stranger: str = ""
    top: Project | None = None

    @property
    def needs_two(self) -> bool:
        """Whether letting spending go on takes two people."""
        return self.budget is not None and self.budget.needs_two


async def aim_of(store: Store, workspace_id: str, target: StopTarget) -> Aim:
    """Look a target up. Refused for what this workspace does not have (any more)."""
    if target.stop_id is not None:
        stop = await store.stops.get(workspace_id, target.stop_id)
        if stop is None:
            raise Refusal(RefusalCode.UNKNOWN_STOP)
        found = await _of_stop(store, workspace_id, stop)
        if found.scope.kind is not ScopeKind.PROJECT:
            found = replace(found, narrow=await held_of(store, stop, found.wide) or found.narrow)
        incident, budget = await _incident(store, workspace_id, stop.incident_id)
        channel_id = stop.channel_id or (incident.channel_id if incident is not None else None)
        return _aimed(target, found, incident, budget, stop, channel_id)
    if target.incident_id is not None:
        incident, budget = await _incident(store, workspace_id, target.incident_id)
        if incident is None:
            raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
        stop = await store.stops.of_incident(workspace_id, target.incident_id)
        if stop is not None and stop.state not in OVER and stop.scope_kind is ScopeKind.PROJECT is incident.scope_kind:
            found = await _of_stop(store, workspace_id, stop)
        else:
            found = await _of_scope(store, workspace_id, incident.scope_kind, incident.scope_id)
        if found.scope.kind is not ScopeKind.PROJECT:
            found = await _spender_of(store, workspace_id, found, incident, stop)
        return _aimed(target, found, incident, budget, stop, incident.channel_id)
    kind, _, number = target.scope.partition(":")
    scope_kind = ScopeKind.TEAM if kind == "team" else ScopeKind.PROJECT
    found = await _of_scope(store, workspace_id, scope_kind, int(number or 0))
    stop = await store.stops.of_scope(workspace_id, scope_kind, found.scope.id)
    if stop is None and scope_kind is ScopeKind.PROJECT:
        stop = await _of_earlier(store, found.narrow[0])
    # By whatever name it is asked for: a stop keeps the rules of the alert it belongs to.
    incident, budget = await _incident(store, workspace_id, None if stop is None else stop.incident_id)
    return _aimed(target, found, incident, budget, stop, None)


async def require(store: Store, actor: Person, aim: Aim, groups: Iterable[str]) -> None:
    """Refuse, naming who could, unless this person may act on the spending: the team's lead, its approvers, admins."""
    if aim.team is None:
        await require_admin(store, actor)
    else:
        await require_manager(store, actor, aim.team, groups)


@frozen
class Instead:
    """Whom to ask where somebody may not act on a stop; or where Slack does not say whether they may."""

    ask: tuple[str, ...]
    lacks_groups: bool


async def asked_instead(store: Store, actor: Person, stop: Stop, groups: Iterable[str]) -> Instead | None:
    """Whom to ask where this person may not act on a stop, as the click would refuse it; None where they may."""
    aim = await aim_of(store, actor.workspace_id, StopTarget(stop_id=stop.id))
    try:
        await require(store, actor, aim, groups)
    except Refusal as refusal:
        lead, admins = refusal.values.get("lead"), refusal.values.get("admins")
        named = [lead, *(admins if isinstance(admins, Sequence) else ())]
        ask = tuple(dict.fromkeys(str(one) for one in named if one))
        return Instead(ask, refusal.code is RefusalCode.GROUPS_UNREAD)
    return None


@frozen
class _Found:
    scope: Scope
    team: Team | None
    narrow: tuple[Project, ...]
    wide: tuple[Project, ...]
    stranger: str = ""
    top: Project | None = None


async def _of_scope(store: Store, workspace_id: str, kind: ScopeKind, scope_id: int | None) -> _Found:
    if kind is ScopeKind.WORKSPACE:
        every = _counted(await store.projects.all(workspace_id))
        return _Found(Scope(kind, None, ""), None, every, every)
    if kind is ScopeKind.TEAM:
        team = await store.teams.get(workspace_id, scope_id or 0)
        if team is None:
            raise Refusal(RefusalCode.UNKNOWN_TEAM)
        owned = _counted(await store.projects.of_team(workspace_id, team.id))
        return _Found(Scope(kind, team.id, team.name), team, owned, owned)
    project = await store.projects.get(workspace_id, scope_id or 0)
    if project is None:
        raise Refusal(RefusalCode.UNKNOWN_PROJECT, project_id=str(scope_id))
    team = await store.teams.get(workspace_id, project.team_id)
    # Whoever names a project means it, also where no budget counts it.
    owned = _counted(await store.projects.of_team(workspace_id, project.team_id), also=project)
    return _Found(Scope(kind, project.id, project.name), team, (project,), owned)


def _counted(projects: Iterable[Project], also: Project | None = None) -> tuple[Project, ...]:
    """Those that budgets count: nobody meant a project that is left out of collection."""
    return tuple(one for one in projects if not one.excluded or (also is not None and one.id == also.id))


async def _of_stop(store: Store, workspace_id: str, stop: Stop) -> _Found:
    """What a stop is about, also where its project was let go of since, or is another team's: known by what it holds.

    Where nobody answers for that any more, no team does, and administrators decide.
    """
    if stop.scope_kind is not ScopeKind.PROJECT or await store.projects.get(workspace_id, stop.scope_id or 0):
        return await _of_scope(store, workspace_id, stop.scope_kind, stop.scope_id)
    held = latest(await store.stops.holds(workspace_id, stop.id or 0))
    accounts = {account_of(one) for one in held}
    for one in await store.projects.all(workspace_id):
        if account_of(one) in accounts:
            return await _of_scope(store, workspace_id, ScopeKind.PROJECT, one.id)
    return _Found(Scope(stop.scope_kind, stop.scope_id, held[0].name if held else ""), None, (), ())


async def _of_earlier(store: Store, project: Project) -> Stop | None:
    """The stop that holds this provider project since before it was let go of and registered anew."""
    for lever in Lever:
        held = await store.stops.active_hold(
            project.workspace_id, project.connection_id, project.provider_project_id, lever
        )
        if held is not None and await store.projects.get(project.workspace_id, held.project_id) is None:
            return await store.stops.get(project.workspace_id, held.stop_id)
    return None


async def _spender_of(store: Store, workspace_id: str, found: _Found, incident: Incident, stop: Stop | None) -> _Found:
    """Of a wider scope: the project that spends most on the day of the incident, for it is what runs away.

    What is stopped already, by whomever, comes last. Under a stop that stands it is what goes on beside it, and where
    nothing does, what is held.
    """
    if stop is not None and stop.state in UNDER_WAY:
        rest = await rest_of(store, incident, stop, found.wide)
        beside = [one.project for one in rest if one.project is not None]
        stranger = rest[0].name if rest and rest[0].project is None else ""
        narrow = tuple(beside[:1]) or await held_of(store, stop, found.wide) or found.wide[:1]
        return replace(found, narrow=narrow, stranger=stranger)
    mine = {account_of(one): one for one in found.wide}
    spent = await spent_on_its_day(store, incident)
    stopped = await stopped_of(store, workspace_id, found.wide)
    before = latest(await store.stops.holds(workspace_id, stop.id or 0)) if stop is not None else []
    # Where no usage of its day is kept any more, what it was about is what was held.
    known = {account_of(one) for one in before} if not any(account in spent for account in mine) else frozenset()
    ranked = sorted(mine, key=lambda account: (account not in known, -spent.get(account, 0), mine[account].id))
    free = sorted(ranked, key=lambda account: account in stopped)
    stranger = ""
    if found.scope.kind is ScopeKind.WORKSPACE and spent:
        most = max(spent, key=lambda account: (spent[account], account in mine, account))
        stranger = "" if most in mine else (await spender(store, workspace_id, most, None)).name
    top = mine[ranked[0]] if ranked else None
    return replace(found, narrow=tuple(mine[account] for account in free[:1]), stranger=stranger, top=top)


async def spent_on_its_day(store: Store, incident: Incident) -> dict[Account, int]:
    """What each provider project of the workspace spent on the day of an incident, or the last one of its period.

    In atto-dollars, uncorrected: enough to say who spends most. Empty once the usage of that day is not kept any more.
    """
    day = min(charge_day(incident.as_of), incident.window.end - timedelta(days=1))
    spent: dict[Account, int] = {}
    for row in await store.usage.open_estimates(incident.workspace_id, [day]):
        account = (row.connection_id, row.sub_account_id)
        spent[account] = spent.get(account, 0) + row.atto
    return spent


async def stopped_of(store: Store, workspace_id: str, projects: Sequence[Project]) -> set[Account]:
    """Those of the projects, by account, that are stopped, about to be, or not put back yet, by whomever."""
    held = await standing_on(store, workspace_id, {one.connection_id for one in projects})
    return {account_of(one) for one in held if one.lever is Lever.STOP} & set(map(account_of, projects))


async def held_of(store: Store, stop: Stop, projects: Iterable[Project]) -> tuple[Project, ...]:
    """Those of the projects on which the stop has its hold, or wants it."""
    held = latest(await store.stops.holds(stop.workspace_id, stop.id or 0))
    accounts = {account_of(one) for one in held if one.is_active and one.is_wanted}
    return tuple(one for one in projects if account_of(one) in accounts)


async def refuse_held(store: Store, aim: Aim) -> None:
    """Refuse, naming who was first, where all that somebody would act on is stopped within another alert, or none."""
    if aim.stop is not None and aim.stop.state in UNDER_WAY:
        return
    holder = None
    for one in aim.narrow:
        holder = await store.stops.active_hold(one.workspace_id, one.connection_id, one.provider_project_id, Lever.STOP)
        if holder is None:
            return
    if holder is not None:
        raise await under_way(store, holder)


async def under_way(store: Store, hold: Hold) -> Refusal:
    """The refusal that names who holds it already, and since when."""
    stop = await store.stops.get(hold.workspace_id, hold.stop_id)
    return Refusal(
        RefusalCode.STOP_UNDER_WAY, person=stop.requested_by if stop is not None else None, at=hold.requested_at
    )


def seen_of(aim: Aim, project_ids: Sequence[int]) -> tuple[Project, ...]:
    """The projects that somebody was shown; refused where one of them is no longer the target's, or its team's."""
    here = {one.id: one for one in (*aim.narrow, *aim.wide)}
    if any(one not in here for one in project_ids):
        raise Refusal(RefusalCode.STOP_SEEN_GONE)
    return tuple(here[one] for one in dict.fromkeys(project_ids))


async def _incident(store: Store, workspace_id: str, incident_id: int | None) -> tuple[Incident | None, Budget | None]:
    if incident_id is None:
        return None, None
    incident = await store.incidents.get(workspace_id, incident_id)
    if incident is None:
        return None, None
    return incident, await store.budgets.get(workspace_id, incident.budget_id, even_deleted=True)


def _aimed(
    target: StopTarget,
    found: _Found,
    incident: Incident | None,
    budget: Budget | None,
    stop: Stop | None,
    channel_id: str | None,
) -> Aim:
    channel = channel_id or (found.team.channel_id if found.team else None)
    top = found.top or next(iter(found.narrow), None)
    return Aim(
        target, found.scope, found.team, found.narrow, found.wide, channel, incident, budget, stop, found.stranger, top
    )


def is_closed(aim: Aim) -> bool:
    """Whether the incident somebody clicked on is over; who names a project or team speaks of its spending instead."""
    is_clicked = not aim.target.scope
    return is_clicked and aim.incident is not None and aim.incident.state is IncidentState.CLOSED
