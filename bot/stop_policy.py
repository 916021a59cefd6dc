"""The policy of a budget that stops by itself: the same stop as a person's click, asked for by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.desk import Desk
from bot.picture import account_of
from bot.stop_keeping import keep
from bot.stop_rest import holders_of
from bot.stop_scopes import aim_of
from finops.budgets import Budget, BudgetOn
from finops.crossings import reached_at
from finops.incidents import SPEAKING, EventKind, Incident, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stop_report import StopTarget
from finops.stopping import Ask, extended, latest, requested, taken_again
from finops.stops import IN_FORCE, OVER, Stop, StopState
from storage import Store
from storage.errors import Conflict

STOPPABLE = frozenset({*SPEAKING, IncidentState.STOPPING, IncidentState.STOPPED, IncidentState.RESTORED})
"""The states of an incident in which nobody lets spending go on: what a person stopped of it may be less than all."""


async def was_decided(store: Store, incident: Incident, limit: Money) -> bool:
    """Whether the budget stopped the spending, or somebody let it go on, since this limit was reached.

    What was decided under another limit, or before this one was reached, says nothing of it; but what was allowed on
    terms short of it was allowed beyond it. Where no level tells when it was reached, whatever was decided counts.
    """
    workspace_id, incident_id = incident.workspace_id, incident.id or 0
    if not await store.stops.were_decided(workspace_id, incident_id):
        return False
    events = await store.incidents.events(workspace_id, incident_id)
    since = reached_at(events, limit)
    changes = (one.at for one in events if one.kind is EventKind.BUDGET_CHANGED)
    of_it = max(changes, default=incident.opened_at)
    return since is None or await store.stops.were_decided(workspace_id, incident_id, since, of_it)


async def prove_budgets(store: Store, decided: Sequence[Budget], *, is_stopping: bool) -> None:
    """Conflict where somebody changed one of these budgets since it was decided about: one that was just raised would
    speak, and stop, by its old limit. `is_stopping`: whoever raises one from here on waits, and sees what was stopped.
    """
    if not decided:
        return
    workspace_id = decided[0].workspace_id
    if is_stopping:
        await store.workspaces.hold(workspace_id)
    present = {one.id: one for one in await store.budgets.all(workspace_id)}
    for budget in decided:
        if present.get(budget.id) != budget:
            raise Conflict("budget", budget.id)


async def stop_by_policy(desk: Desk, store: Store, incident: Incident, on: BudgetOn) -> bool:
    """Stop everything the budget limits, within the transaction that saw its limit reached; whether it did.

    A project on which somebody holds the lever already is left to them. Nothing happens where nothing is left, where
    the budget stopped, or somebody let spending go on, in the moment since it was decided, or where who spends most is
    out of reach: to stop all the others would not end it. What one person asked for and no second one agreed to keeps
    nothing from being stopped, and waits on. What a person stopped within the incident becomes part of it: of some of
    the projects, the others are taken hold of too; by a gentler lever, it is changed for this one.
    """
    assert incident.id is not None, "a kept incident has an id"
    if await was_decided(store, incident, on.budget.amount):
        return False
    aim = await aim_of(store, incident.workspace_id, StopTarget(incident_id=incident.id))
    if aim.stranger:
        return False
    projects = aim.narrow if on.scope.kind is ScopeKind.PROJECT else aim.wide
    holders = await holders_of(store, projects, Lever.STOP)
    free = [one for one in projects if account_of(one) not in holders]
    if not free:
        return False
    ask = Ask(
        incident.workspace_id,
        incident.id,
        on.scope.kind,
        on.scope.id,
        incident.channel_id,
        Lever.STOP,
        reason="",
        by=None,
    )
    now, before = desk.now(), aim.stop
    if before is None or before.state in OVER:
        await keep(desk, store, requested(ask, free, now), None)
        return True
    if before.state in IN_FORCE:
        return await _taken_over(desk, store, before, ask, projects, free)
    if before.state not in (StopState.ASKED, StopState.RESTORED):
        return False
    change = taken_again(before, (), ask, free, now)
    await keep(desk, store, replace(change, stop=replace(change.stop, pending=before.pending)), before)
    return True


async def _taken_over(
    desk: Desk, store: Store, before: Stop, ask: Ask, projects: Sequence[Project], free: Sequence[Project]
) -> bool:
    """Take hold of the rest within a person's stop. One that holds gently what the budget does not limit is left."""
    now, holds = desk.now(), await store.stops.holds(before.workspace_id, before.id or 0)
    limited = {one.id for one in projects}
    standing = [one for one in latest(holds) if one.is_active and one.is_wanted]
    is_within = all(one.project_id in limited for one in standing)
    if before.lever is Lever.STOP:
        own = ask if is_within else replace(ask, scope_kind=before.scope_kind, scope_id=before.scope_id)
        change = extended(before, own, free, now)
        change = replace(change, stop=replace(change.stop, requested_by=None, requested_at=now))
    elif is_within:
        change = taken_again(before, holds, ask, free, now)
    else:
        return False
    touched = {one.id for one in change.holds}
    await keep(desk, store, change, before, [one for one in holds if one.id in touched])
    return True
