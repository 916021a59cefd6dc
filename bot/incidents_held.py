"""What is done about the spending of an incident: by a stop of its own, and by what other alerts hold of its projects.

Two alerts may speak of one project: its own budget's and its team's. Whichever of them stopped it, both tell so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import stop_facts, telling
from bot.incident_scopes import Whose, whose
from bot.picture import Account, account_of
from bot.stop_rest import beside, standing_on
from bot.stop_scopes import spent_on_its_day
from finops.budgets import BudgetOn
from finops.holds import Hold
from finops.incident_report import HeldElsewhere, StopUnder
from finops.incidents import Incident, IncidentState
from finops.levers import Lever
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stop_report import StopShown
from finops.stopping import is_firmer, part_of
from finops.stops import Stop, StopEventKind, StopState
from storage import Store


async def own_stop(store: Store, incident: Incident, found: Whose, *, with_saved: bool = True) -> StopShown | None:
    """What was done about the spending itself within this incident, the latest, and who goes on beside it."""
    assert incident.id is not None
    stop = await store.stops.of_incident(incident.workspace_id, incident.id)
    if stop is None:
        return None
    told = await stop_facts.shown(store, stop, with_saved=with_saved)
    if stop.state is not StopState.STOPPED or incident.state is IncidentState.CLOSED:
        return told
    return replace(told, rest=await beside(store, incident, stop, found.projects))


async def held_elsewhere(
    store: Store, incident: Incident, found: Whose, headline: Account | None = None
) -> HeldElsewhere | None:
    """What another alert, or nobody's, holds of the incident's projects now; None where nothing is, or it is closed.

    `headline` is who spends most; None: looked up, where that matters.
    """
    if incident.state is IncidentState.CLOSED:
        return None
    workspace_id, mine = incident.workspace_id, found.accounts
    projects: Sequence[Project] = found.projects
    if mine is None:
        connections = [one.id for one in await store.connections.all(workspace_id)]
    else:
        connections = sorted({account[0] for account in mine})
    standing = await standing_on(store, workspace_id, connections)
    by_stop: dict[int, list[Hold]] = defaultdict(list)
    for hold in standing:
        if mine is None or account_of(hold) in mine:
            by_stop[hold.stop_id].append(hold)
    stops = [await store.stops.get(workspace_id, stop_id) for stop_id in sorted(by_stop)]
    others = [one for one in stops if one is not None and one.incident_id != incident.id]
    if not others:
        return None
    parts = tuple([await _under(store, one, mine) for one in others])
    whole = _together([one.stop for one in parts])
    if mine is None:
        projects = [one for one in await store.projects.all(workspace_id) if not one.excluded]
    stopped = {account_of(one) for holds in by_stop.values() for one in holds if one.lever is Lever.STOP}
    is_all = bool(projects) and stopped.issuperset(map(account_of, projects))
    held = {account_of(one) for one in whole.current}
    most = headline or await _headline(store, incident, mine)
    # Who spends most may be out of reach of any stop, where all that can be stopped is: then nothing has ended.
    speaks = most in held or (is_all and (most is None or mine is not None))
    if speaks and whole.stop.state is StopState.STOPPED:
        whole = replace(whole, rest=await beside(store, incident, whole.stop, found.projects))
    return HeldElsewhere(whole, parts, is_all, speaks)


def frozen_at(stop: StopShown | None, elsewhere: HeldElsewhere | None, headline: Account | None) -> datetime | None:
    """When somebody stopped the spending that is explained; None where nobody did, or let it go on within bounds."""
    found = [] if elsewhere is None else [one.stop for one in elsewhere.parts]
    if stop is not None and stop.stop.allowed_until is None and stop.stop.allowed_ceiling is None:
        found.append(stop)
    held = [
        hold
        for one in found
        if one.stop.lever is Lever.STOP and one.stop.state not in (StopState.ASKED, StopState.FAILED)
        for hold in one.current
        if hold.set_at is not None and account_of(hold) == headline
    ]
    return min((one.requested_at for one in held), default=None)


async def _under(store: Store, stop: Stop, mine: Collection[Account] | None) -> StopUnder:
    """What a stop holds of these provider projects (None: whatever it holds), as if it held nothing else."""
    told = await stop_facts.shown(store, stop, with_saved=False)
    holds = tuple(one for one in told.holds if mine is None or account_of(one) in mine)
    part, asked_at = part_of(stop, holds), max((one.requested_at for one in holds if one.is_active), default=None)
    # Who asked for these: others of the stop may have been taken hold of before, or since, by somebody else.
    for event in told.events:
        if event.kind is StopEventKind.REQUESTED and event.at == asked_at:
            by = event.values.get("by")
            part = replace(part, requested_by=None if by is None else str(by), requested_at=event.at)
    told = replace(told, stop=part, holds=holds)
    incident = await store.incidents.get(stop.workspace_id, stop.incident_id) if stop.incident_id is not None else None
    if incident is None or incident.id is None or not incident.has_root:
        return StopUnder(told, place=await telling.stands_at(store, stop.workspace_id, telling.stop_key(stop.id or 0)))
    budget = await store.budgets.get(stop.workspace_id, incident.budget_id, even_deleted=True)
    its = await whose(store, stop.workspace_id, incident.scope_kind, incident.scope_id)
    return StopUnder(
        told,
        None if budget is None else BudgetOn(replace(budget, amount=incident.limit), its.scope, its.team),
        incident.window,
        await telling.stands_at(store, stop.workspace_id, telling.root_key(incident.id)),
    )


def _together(stops: Sequence[StopShown]) -> StopShown:
    """Several stops as one: of the firmest lever, for that is what keeps money from being spent."""
    firmest = stops[0]
    for one in stops[1:]:
        if is_firmer(one.stop.lever, firmest.stop.lever):
            firmest = one
    same = [one for one in stops if one.stop.lever is firmest.stop.lever]
    holds = tuple(hold for one in same for hold in one.holds)
    return replace(
        firmest,
        stop=part_of(firmest.stop, holds),
        holds=holds,
        events=tuple(sorted((event for one in same for event in one.events), key=lambda event: event.at)),
        names={user_id: name for one in same for user_id, name in one.names.items()},
    )


async def _headline(store: Store, incident: Incident, mine: Iterable[Account] | None) -> Account | None:
    """Who of these spent most on the day of the incident."""
    if incident.scope_kind is ScopeKind.PROJECT:
        return next(iter(mine or ()), None)
    spent = await spent_on_its_day(store, incident)
    known = [one for one in (spent if mine is None else mine) if spent.get(one)]
    return max(known, key=lambda account: (spent[account], account), default=None)
