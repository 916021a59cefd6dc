"""The policy of a budget that stops by itself: the same stop as a person's click, asked for by nobody."""

from __future__ import annotations

from dataclasses import replace

from bot.desk import Desk
from bot.stop_keeping import keep
from bot.stop_scopes import aim_of
from finops.budgets import BudgetOn
from finops.crossings import reached_at
from finops.incidents import SPEAKING, Incident, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.queries import ScopeKind
from finops.stop_report import StopTarget
from finops.stopping import Ask, requested, taken_again
from finops.stops import StopState
from storage import Store

STOPPABLE = frozenset({*SPEAKING, IncidentState.RESTORED})
"""The states of an incident on whose spending nobody acts, or does any more."""
_OVER = frozenset({StopState.FAILED, StopState.CLOSED})


async def was_decided(store: Store, incident: Incident, limit: Money) -> bool:
    """Whether somebody, or the budget, stopped or allowed the spending since this limit was reached.

    What was decided under another limit, or before this one was reached, says nothing of it. Where no level tells when
    that was, whatever was decided counts.
    """
    workspace_id, incident_id = incident.workspace_id, incident.id or 0
    if not await store.stops.were_decided(workspace_id, incident_id):
        return False
    since = reached_at(await store.incidents.events(workspace_id, incident_id), limit)
    return since is None or await store.stops.were_decided(workspace_id, incident_id, since)


async def stop_by_policy(desk: Desk, store: Store, incident: Incident, on: BudgetOn) -> None:
    """Stop everything the budget limits, within the transaction that saw its limit reached.

    A project on which somebody holds the lever already is left to them. Nothing happens where nothing is left, where
    somebody stopped, or allowed, in the moment since it was decided, or where who spends most is out of reach: to stop
    all the others would not end it. What one person asked for and no second one agreed to keeps nothing from being
    stopped, and waits on.
    """
    assert incident.id is not None, "a kept incident has an id"
    if await was_decided(store, incident, on.budget.amount):
        return
    aim = await aim_of(store, incident.workspace_id, StopTarget(incident_id=incident.id))
    if aim.stranger:
        return
    projects = aim.narrow if on.scope.kind is ScopeKind.PROJECT else aim.wide
    free = [
        one
        for one in projects
        if await store.stops.active_hold(one.workspace_id, one.connection_id, one.provider_project_id, Lever.STOP)
        is None
    ]
    if not free:
        return
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
    now, waiting = desk.now(), aim.stop
    if waiting is None or waiting.state in _OVER:
        await keep(desk, store, requested(ask, free, now), None)
        return
    if waiting.state not in (StopState.ASKED, StopState.RESTORED):
        return
    change = taken_again(waiting, (), ask, free, now)
    await keep(desk, store, replace(change, stop=replace(change.stop, pending=waiting.pending)), waiting)
