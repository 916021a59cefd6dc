"""Misses: looks back at every budget's periods that are over, and asks of each that went over whether it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.picture import CURRENCY, Picture, money_of
from bot.spending import Spending
from finops.budgets import Budget, BudgetOn, BudgetPeriod, BudgetScope, effective, period_of
from finops.charges import weakest
from finops.incidents import Incident, IncidentEvent
from finops.misses import Ended, Judgement, Misses, is_bill, judge, miss, tells
from finops.money import to_atto
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from storage import Store

Windows = Mapping[BudgetPeriod, Sequence[Period]]


async def misses_of(store: Store, spending: Spending, workspace_id: str, period: Period, today: date) -> Misses:
    """The misses among the periods of budgets that ended in a time; of a `today` that is not over nothing is said."""
    every = await store.budgets.all(workspace_id, even_deleted=True)
    kinds = {one.period for one in every if one.is_enabled and tells(one)}
    windows = {kind: _ended(kind, period, today) for kind in sorted(kinds)}
    distinct = sorted({one for each in windows.values() for one in each}, key=lambda one: (one.start, one.end))
    if not distinct:
        return Misses()
    picture = await spending.picture(store, workspace_id, distinct)
    seen = await asyncio.to_thread(_looked_at, every, windows, picture)
    starts = {one.window.start for one in seen.over}
    known = await store.incidents.of_windows(workspace_id, starts) if starts else []
    incidents = {_place_of(one): one for one in known}
    found = []
    for ended in seen.over:
        incident = incidents.get(_place(ended))
        events: Sequence[IncidentEvent] = ()
        if incident is not None and incident.id is not None:
            events = await store.incidents.events(workspace_id, incident.id)
        if judge(ended, events) is Judgement.MISSED:
            found.append(miss(ended))
    found.sort(key=lambda one: (one.window.end, one.spent - one.limit), reverse=True)
    return Misses(tuple(found), seen.judged, seen.early, seen.blind, seen.changed)


@dataclass(slots=True)
class _Seen:
    """Periods counted, and those above their limit, whose alerts are to be looked at; `judged` counts these too."""

    over: list[Ended]
    judged: int = 0
    early: int = 0
    blind: int = 0
    changed: int = 0


def _looked_at(every: Sequence[Budget], windows: Windows, picture: Picture) -> _Seen:
    """A budget for each of thousands of projects has a hundred thousand days in three months: few are worth a look."""
    seen = _Seen([])
    since_of = _own_changes(every)
    for on in effective(every, picture.house.teams, picture.house.projects):
        budget, scope = on.budget, on.scope
        if budget.amount.currency != CURRENCY or not tells(budget):
            continue
        since = _since(on, picture, since_of)
        least = max(to_atto(budget.amount.amount), to_atto(budget.floor.amount))
        connections = _connections(on, picture)
        for window in windows[budget.period]:
            if budget.created_at >= starts_at(window.end):
                continue
            sums = picture.sums(window)
            state = weakest(sums.looks[one].state for one in connections if one in sums.looks)
            units = picture.units_in(sums, scope.kind, scope.id)
            if since < starts_at(window.start) and is_bill(state) and units < least:
                seen.judged += 1
                continue
            _count(seen, Ended(on, window, money_of(units), state, since, picture.now))
    return seen


def _count(seen: _Seen, ended: Ended) -> None:
    match judge(ended, ()):
        case Judgement.CHANGED:
            seen.changed += 1
        case Judgement.EARLY:
            seen.early += 1
        case Judgement.BLIND:
            seen.blind += 1
        case Judgement.MISSED:
            seen.judged += 1
            seen.over.append(ended)
        case _:
            seen.judged += 1


def _own_changes(every: Sequence[Budget]) -> dict[tuple[int | None, BudgetPeriod], datetime]:
    """When a project's own budget for a period, in force or not any more, changed last."""
    found: dict[tuple[int | None, BudgetPeriod], datetime] = {}
    for one in every:
        if one.scope_kind is BudgetScope.PROJECT:
            key = one.scope_id, one.period
            found[key] = max(one.updated_at, found.get(key, one.updated_at))
    return found


def _since(on: BudgetOn, picture: Picture, own: Mapping[tuple[int | None, BudgetPeriod], datetime]) -> datetime:
    """Since when the budget limits what it limits now: a default leaves out projects while they have their own."""
    told = [on.budget.updated_at]
    if on.scope.kind is ScopeKind.PROJECT and on.scope.id in picture.projects:
        told.append(picture.projects[on.scope.id].registered_at)
    if on.budget.scope_kind is BudgetScope.EVERY_PROJECT and (on.scope.id, on.budget.period) in own:
        told.append(own[on.scope.id, on.budget.period])
    return max(told)


def _connections(on: BudgetOn, picture: Picture) -> set[int]:
    accounts = picture.accounts(on.scope.kind, on.scope.id)
    if accounts is None:
        return {one.id for one in picture.house.connections}
    return {connection_id for connection_id, _ in accounts}


def _ended(kind: BudgetPeriod, period: Period, today: date) -> list[Period]:
    """The periods whose last day is one of the time's and over."""
    return [one for one in _windows(kind, period) if one.end <= min(period.end, today) and one.end > period.start]


def _windows(kind: BudgetPeriod, period: Period) -> Iterator[Period]:
    day = period.start
    while day < period.end:
        window = period_of(kind, day)
        yield window
        day = window.end


def _place(ended: Ended) -> tuple[int, ScopeKind, int | None, Period]:
    return ended.on.budget.id, ended.on.scope.kind, ended.on.scope.id, ended.window


def _place_of(incident: Incident) -> tuple[int, ScopeKind, int | None, Period]:
    return incident.budget_id, incident.scope_kind, incident.scope_id, incident.window
