"""The facts about budgets: how each stands now, what limit history recommends, and what a good first one is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta

from bot.budget_scopes import ScopeBook
from bot.incident_scopes import whose
from bot.picture import CURRENCY, Picture, account_of
from finops.budget_report import BudgetStanding, FirstStep, Place, Suggestion
from finops.budgets import (
    HISTORY_DAYS,
    USUAL_METHODS,
    Budget,
    BudgetOn,
    BudgetPeriod,
    BudgetScope,
    Usual,
    effective,
    percent_floor,
    period_of,
    recommended,
    usual,
)
from finops.figures import Scope, readings_of_all
from finops.money import Money
from finops.periods import Period
from finops.queries import ScopeKind
from finops.registry import Person, Project
from storage import Store

_FIRST_LOOKS_BACK = timedelta(days=28)


def windows(budgets: Iterable[Budget], today: date) -> list[Period]:
    """The present periods of these budgets, for a picture of what is spent in them; today where there is none."""
    found = dict.fromkeys(period_of(one.period, today) for one in budgets)
    return list(found) or [period_of(BudgetPeriod.DAY, today)]


def standings(
    budgets: Sequence[Budget], picture: Picture, book: ScopeBook, actor: Person, managed: Collection[int]
) -> list[BudgetStanding]:
    """How every budget stands. `managed` are the teams this person answers for; the picture has all `windows`."""
    at_work: dict[int, list[BudgetOn]] = {}
    for on in effective(budgets, picture.house.teams, picture.house.projects):
        at_work.setdefault(on.budget.id, []).append(on)
    return [_standing(one, at_work.get(one.id, ()), picture, book, actor, managed) for one in budgets]


def _standing(
    budget: Budget,
    at_work: Sequence[BudgetOn],
    picture: Picture,
    book: ScopeBook,
    actor: Person,
    managed: Collection[int],
) -> BudgetStanding:
    place: Place = (budget.scope_kind, budget.scope_id)
    may = book.may(actor, managed, place)
    is_ours = budget.amount.currency == CURRENCY
    if not at_work or not is_ours:
        return BudgetStanding(budget, book.choice(*place), may_change=may)
    window = period_of(budget.period, picture.today)
    fullest = max(at_work, key=lambda on: (picture.units(on.scope.kind, on.scope.id, window), -(on.scope.id or 0)))
    spent = picture.spent(fullest.scope.kind, fullest.scope.id, window)
    return BudgetStanding(
        budget,
        book.choice(*place),
        spent,
        percent_floor(spent.amount, budget.amount),
        len(at_work),
        fullest.scope if budget.scope_kind is BudgetScope.EVERY_PROJECT else None,
        may,
    )


async def suggestion(store: Store, workspace_id: str, place: Place, period: BudgetPeriod, today: date) -> Suggestion:
    """What is usual for a scope in a period, and the limit that suits it. Bills only: estimates are no history."""
    window = period_of(period, today)
    back = Period(window.start - timedelta(days=HISTORY_DAYS[period]), window.start)
    of: Scope | None = None
    if place[0] is BudgetScope.EVERY_PROJECT:
        largest = await _largest(store, workspace_id, back)
        if largest is None:
            return Suggestion(Usual(None, 0, USUAL_METHODS[period]))
        place, of = (BudgetScope.PROJECT, largest.id), Scope(ScopeKind.PROJECT, largest.id, largest.name)
    found = await whose(store, workspace_id, ScopeKind(place[0].value), place[1])
    bills = {
        one.day: one.amount
        for one in await store.charges.daily_totals(workspace_id, back, found.accounts)
        if one.amount.currency == CURRENCY
    }
    told = await store.charges.readings(workspace_id, back)
    concerned = set(told) if found.accounts is None else {account[0] for account in found.accounts}
    known = usual(bills, readings_of_all(told.get(one, {}) for one in concerned), period, today, CURRENCY)
    suits = recommended(known.amount) if known.amount is not None and known.amount.amount > 0 else None
    return Suggestion(known, suits, of)


async def first_step(
    store: Store, workspace_id: str, picture: Picture, book: ScopeBook, managed: Collection[int]
) -> FirstStep | None:
    """A daily budget for the team that was billed most, of those this person answers for; None for nobody's."""
    if not managed:
        return None
    owners = {account_of(one): one.team_id for one in picture.projects.values()}
    billed = dict.fromkeys(managed, Money.zero(CURRENCY))
    back = Period(picture.today - _FIRST_LOOKS_BACK, picture.today)
    for account, amount in await _totals(store, workspace_id, back):
        team_id = owners.get(account)
        if team_id in billed:
            billed[team_id] += amount
    top = max(billed, key=lambda team_id: (billed[team_id].amount, -team_id))
    place: Place = (BudgetScope.TEAM, top)
    suits = await suggestion(store, workspace_id, place, BudgetPeriod.DAY, picture.today)
    return FirstStep(book.choice(*place), BudgetPeriod.DAY, suits)


async def _largest(store: Store, workspace_id: str, back: Period) -> Project | None:
    """The registered project that was billed most; None when none was."""
    projects = {account_of(one): one for one in await store.projects.all(workspace_id) if not one.excluded}
    totals = await _totals(store, workspace_id, back)
    billed = [(amount.amount, -projects[account].id, account) for account, amount in totals if account in projects]
    return projects[max(billed)[2]] if billed else None


async def _totals(store: Store, workspace_id: str, back: Period) -> Iterator[tuple[tuple[int, str], Money]]:
    rows = await store.charges.project_totals(workspace_id, back)
    return (
        ((row.connection_id, row.sub_account_id or ""), row.amount) for row in rows if row.amount.currency == CURRENCY
    )
