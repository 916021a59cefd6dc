"""Budgets: seen with what is spent of them, made, changed, switched off, recommended, and kept as a file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from bot import budget_facts as facts
from bot import budget_imports as imports
from bot import telling, value_beside
from bot.acts import budget_facts, changes_of, scope_name
from bot.audit import record
from bot.budget_files import written
from bot.budget_scopes import ScopeBook
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.incident_scopes import recipients_of, whose
from bot.people import People, lead_of
from bot.spending import Spending
from bot.teams import Teams
from bot.two_people import refuse_fewer
from finops.amounts import AmountUnusable, amount_typed
from finops.budget_report import (
    OPERATOR,
    BudgetsReport,
    BudgetStanding,
    ImportPlan,
    Place,
    ScopeChoice,
    Suggestion,
    in_order,
    place_of,
)
from finops.budgets import (
    Budget,
    BudgetAction,
    BudgetMistake,
    BudgetPeriod,
    BudgetRefused,
    BudgetScope,
    BudgetTerms,
    changed_at,
)
from finops.frozen import frozen
from finops.incidents import Fact
from finops.registry import Person
from storage import Store
from storage.errors import NotFound

log = logging.getLogger(__name__)

SEARCH_LIMIT = 100
_OF_SOMEBODY = frozenset({BudgetScope.TEAM, BudgetScope.PROJECT})


@frozen
class BudgetWish:
    """What a person chose and typed, not judged yet. `scope` is a `ScopeChoice.key`; amounts as they were typed."""

    scope: str
    period: str
    amount: str
    levels: Sequence[int]
    action: str = BudgetAction.NOTIFY.value
    floor: str = ""
    channel_id: str = ""
    needs_two: bool = False


class Budgets:
    """What people decide about budgets. Whoever manages a team decides for it and its projects; admins for all."""

    def __init__(self, desk: Desk, people: People, teams: Teams, spending: Spending) -> None:
        self._desk = desk
        self._people = people
        self._teams = teams
        self._spending = spending

    # --- looking -----------------------------------------------------------------------------------------------------

    async def report(self, actor: Person, groups: Iterable[str] = (), covering: str = "") -> BudgetsReport:
        """Every budget with what is spent of it now, or those with a say in one scope (a `ScopeChoice.key`). For all.

        Where there is no budget yet, with a good first one for those who may make it.
        """
        workspace_id = actor.workspace_id
        managed = await self._managed(actor, groups)
        place, today = place_of(covering), self._desk.today()
        async with self._desk.storage.reading() as store:
            budgets = await store.budgets.all(workspace_id)
            picture = await self._spending.picture(store, workspace_id, facts.windows(budgets, today))
            book = ScopeBook(picture.house.teams, picture.house.projects)
            found = facts.standings(budgets, picture, book, actor, managed)
            found = await value_beside.of_budgets(store, workspace_id, found, picture)
            first = None if budgets else await facts.first_step(store, workspace_id, picture, book, managed)
            admins = [one.user_id for one in await store.people.admins(workspace_id)]
            owner = book.team_of(place) if place is not None else None
            lead = await lead_of(store, workspace_id, owner.lead_user_id) if owner else None
        if place is not None:
            found = [one for one in found if book.covers(one.budget, place)]
        may_add = actor.is_admin or (bool(managed) if place is None else book.may(actor, managed, place))
        return BudgetsReport(
            budgets=in_order(found),
            covering=book.choice(*place) if place is not None else None,
            may_add=may_add,
            is_admin=actor.is_admin,
            changers=tuple(dict.fromkeys([*([lead] if lead else []), *admins])),
            first=first,
        )

    async def get(self, workspace_id: str, budget_id: int) -> Budget:
        """The budget, or a refusal when somebody deleted it meanwhile."""
        async with self._desk.storage.reading() as store:
            return await _found(store, workspace_id, budget_id)

    async def require(self, actor: Person, scope: str, groups: Iterable[str] = ()) -> None:
        """Refuse, naming who could, unless this person may make budgets for the scope (a `ScopeChoice.key`)."""
        place = place_of(scope)
        if place is None:
            raise Refusal(RefusalCode.BUDGET_SCOPE_MISSING)
        await self._require(actor, place, groups, is_new=True)

    async def open(self, actor: Person, budget_id: int, groups: Iterable[str] = ()) -> BudgetStanding:
        """One budget as it stands, for those who may change it; a polite refusal for everybody else."""
        workspace_id = actor.workspace_id
        standing = await self._changeable(actor, budget_id, groups)
        async with self._desk.storage.reading() as store:
            every = await store.budgets.all(workspace_id)
            mine = facts.windows([standing.budget], self._desk.today())
            picture = await self._spending.picture(store, workspace_id, mine)
            book = ScopeBook(picture.house.teams, picture.house.projects)
            # Which projects a default works on depends on the others of its period.
            alike = [one for one in every if one.period is standing.budget.period]
            found = facts.standings(alike, picture, book, actor, ())
        known = next((one for one in found if one.budget.id == budget_id), None)
        if known is None:
            raise Refusal(RefusalCode.UNKNOWN_BUDGET)
        return replace(known, may_change=True)

    async def suggestion(self, workspace_id: str, scope: str, period: str) -> Suggestion | None:
        """What is usual for a scope in a period and the limit that suits it; None while one of them is not chosen."""
        place = place_of(scope)
        if place is None or period not in set(BudgetPeriod):
            return None
        async with self._desk.storage.reading() as store:
            return await facts.suggestion(store, workspace_id, place, BudgetPeriod(period), self._desk.today())

    async def choices(
        self, actor: Person, words: str, groups: Iterable[str] = (), *, is_looking: bool = False
    ) -> list[ScopeChoice]:
        """What this person may limit and whose name holds the words, at most 100; `is_looking`: whatever there is."""
        managed = await self._managed(actor, groups)
        book = await self._book(actor.workspace_id)
        found = book.search(words)
        if not is_looking:
            found = [one for one in found if book.may(actor, managed, one.place)]
        return found[:SEARCH_LIMIT]

    async def choice(self, workspace_id: str, scope: str) -> ScopeChoice | None:
        """What a menu's key names, by name; None for what is no key."""
        place = place_of(scope)
        return None if place is None else (await self._book(workspace_id)).choice(*place)

    async def named(self, workspace_id: str, words: str) -> ScopeChoice:
        """The team or project of that name; refused with a guess when there is none."""
        book = await self._book(workspace_id)
        return book.meant(words)

    # --- deciding ----------------------------------------------------------------------------------------------------

    async def create(self, actor: Person, wish: BudgetWish, groups: Iterable[str] = ()) -> Budget:
        """Make a budget. Refused when what was typed makes none, or when the very same one is there already."""
        terms = terms_of(wish)
        workspace_id = actor.workspace_id
        await self._require(actor, (terms.scope_kind, terms.scope_id), groups, is_new=True)
        async with self._desk.storage.writing() as store:
            await store.workspaces.hold(workspace_id)
            _refuse_twin(await store.budgets.all(workspace_id), terms)
            try:
                budget = await store.budgets.create(workspace_id, terms, by=actor.user_id, at=self._desk.now())
            except NotFound as error:
                raise Refusal(RefusalCode.BUDGET_SCOPE_GONE) from error
            facts = budget_facts(terms, await scope_name(store, workspace_id, terms))
            await self._recorded(store, actor, "budget.created", budget, facts)
        log.info("budget made", extra={"budget_id": budget.id, "user_id": actor.user_id})
        return budget

    async def update(
        self, actor: Person, budget_id: int, wish: BudgetWish, seen_at: str, groups: Iterable[str] = ()
    ) -> Budget:
        """Change a budget. Refused when somebody changed it since `seen_at` (its `updated_at`, in ISO 8601), and when
        two people would no longer have to agree to what is held, or asked for, at this moment.
        """
        terms = terms_of(wish)
        workspace_id = actor.workspace_id
        before = await self._changeable(actor, budget_id, groups)
        if before.scope.place != (terms.scope_kind, terms.scope_id):
            await self._require(actor, (terms.scope_kind, terms.scope_id), groups, is_new=True)
        async with self._desk.storage.writing() as store:
            await store.workspaces.hold(workspace_id)
            present = await _found(store, workspace_id, budget_id)
            if present.updated_at.isoformat() != seen_at:
                raise Refusal(RefusalCode.BUDGET_CHANGED, person=present.updated_by, at=present.updated_at)
            _refuse_twin([one for one in await store.budgets.all(workspace_id) if one.id != budget_id], terms)
            if present.needs_two and not terms.needs_two:
                await refuse_fewer(store, workspace_id, {budget_id})
            try:
                at = changed_at(present, self._desk.now())
                budget = await store.budgets.update(workspace_id, budget_id, terms=terms, by=actor.user_id, at=at)
            except NotFound as error:
                raise Refusal(RefusalCode.BUDGET_SCOPE_GONE) from error
            facts = budget_facts(terms, await scope_name(store, workspace_id, terms))
            changes = changes_of(budget_facts(present.terms, before.scope.name), facts)
            if changes:
                await self._recorded(store, actor, "budget.changed", budget, {**facts, **changes})
        log.info("budget changed", extra={"budget_id": budget_id, "user_id": actor.user_id})
        return budget

    async def switch(
        self, actor: Person, budget_id: int, groups: Iterable[str] = (), *, is_enabled: bool
    ) -> BudgetStanding:
        """Switch a budget off, or on again; nothing of it is lost."""
        before = await self._changeable(actor, budget_id, groups)
        async with self._desk.storage.writing() as store:
            await store.workspaces.hold(actor.workspace_id)
            present = await _found(store, actor.workspace_id, budget_id)
            at = changed_at(present, self._desk.now())
            budget = await store.budgets.update(
                actor.workspace_id, budget_id, is_enabled=is_enabled, by=actor.user_id, at=at
            )
            action = "budget.enabled" if is_enabled else "budget.disabled"
            await self._recorded(store, actor, action, budget, budget_facts(budget.terms, before.scope.name))
        log.info("budget switched", extra={"budget_id": budget_id, "user_id": actor.user_id, "is_enabled": is_enabled})
        return replace(before, budget=budget)

    async def delete(self, actor: Person, budget_id: int, groups: Iterable[str] = ()) -> BudgetStanding:
        """Take a budget out of force for good; how it stood. What it told stays, without the way to change it."""
        before = await self._changeable(actor, budget_id, groups)
        at = changed_at(before.budget, self._desk.now())
        async with self._desk.storage.writing() as store:
            await store.workspaces.hold(actor.workspace_id)
            if not await store.budgets.delete(actor.workspace_id, budget_id, by=actor.user_id, at=at):
                raise Refusal(RefusalCode.UNKNOWN_BUDGET)
            facts = budget_facts(before.budget.terms, before.scope.name)
            await self._recorded(store, actor, "budget.deleted", before.budget, facts)
            for one in await store.incidents.open_ones(actor.workspace_id):
                if one.budget_id == budget_id and one.has_root:
                    found = await whose(store, actor.workspace_id, one.scope_kind, one.scope_id)
                    people = await recipients_of(store, actor.workspace_id, found)
                    await telling.want_root(store, one, people, at)
        log.info("budget deleted", extra={"budget_id": budget_id, "user_id": actor.user_id})
        return before

    # --- files -------------------------------------------------------------------------------------------------------

    async def export_text(self, actor: Person) -> str:
        """Every budget in force as YAML. For admins."""
        await self._people.require_admin(actor)
        return await self.as_file(actor.workspace_id)

    async def import_diff(self, actor: Person, text: str) -> ImportPlan:
        """What a file would change; nothing is changed. For admins; refused with every mistake in the file."""
        await self._people.require_admin(actor)
        return await self.plan(actor.workspace_id, text)

    async def import_apply(self, actor: Person, text: str, mark: str) -> ImportPlan:
        """Change what the plan of that mark said; where anything is different by now, tell the new plan and no more."""
        await self._people.require_admin(actor)
        return await self.apply(actor.workspace_id, text, mark, by=actor.user_id)

    async def as_file(self, workspace_id: str) -> str:
        """`export_text` for the operator at the machine."""
        async with self._desk.storage.reading() as store:
            book = ScopeBook(await store.teams.all(workspace_id), await store.projects.all(workspace_id))
            budgets = await store.budgets.all(workspace_id)
        return written([one.terms for one in budgets if book.is_spoken_of(one)], book)

    async def plan(self, workspace_id: str, text: str) -> ImportPlan:
        """`import_diff` for the operator at the machine."""
        async with self._desk.storage.reading() as store:
            return (await imports.planned(store, workspace_id, text))[0]

    async def apply(self, workspace_id: str, text: str, mark: str, *, by: str = OPERATOR) -> ImportPlan:
        """`import_apply` for the operator at the machine."""
        async with self._desk.storage.writing() as store:
            await store.workspaces.hold(workspace_id)
            plan, budgets = await imports.planned(store, workspace_id, text)
            if plan.mark != mark:
                return plan
            await imports.carried_out(self._desk, store, workspace_id, plan, budgets, by)
        log.info("budgets imported", extra={"workspace_id": workspace_id, "user_id": by})
        return replace(plan, is_applied=True)

    # --- who may -----------------------------------------------------------------------------------------------------

    async def _changeable(self, actor: Person, budget_id: int, groups: Iterable[str]) -> BudgetStanding:
        """A budget this person may change; refused, naming who could, when they may not."""
        async with self._desk.storage.reading() as store:
            budget = await _found(store, actor.workspace_id, budget_id)
        place: Place = (budget.scope_kind, budget.scope_id)
        await self._require(actor, place, groups)
        return BudgetStanding(budget, (await self._book(actor.workspace_id)).choice(*place), may_change=True)

    async def _require(self, actor: Person, place: Place, groups: Iterable[str], *, is_new: bool = False) -> None:
        team = (await self._book(actor.workspace_id)).team_of(place)
        if team is not None:
            await self._teams.require_manager(actor, team.id, groups)
        elif is_new and place[0] in _OF_SOMEBODY:
            raise Refusal(RefusalCode.BUDGET_SCOPE_GONE)
        else:
            await self._people.require_admin(actor)

    async def _recorded(
        self, store: Store, actor: Person, action: str, budget: Budget, facts: Mapping[str, Fact]
    ) -> None:
        await record(self._desk, store, actor.workspace_id, actor.user_id, action, f"budget:{budget.id}", facts)

    async def _managed(self, actor: Person, groups: Iterable[str]) -> Collection[int]:
        return frozenset(team.id for team in await self._teams.managed_by(actor, groups))

    async def _book(self, workspace_id: str) -> ScopeBook:
        async with self._desk.storage.reading() as store:
            return ScopeBook(await store.teams.all(workspace_id), await store.projects.all(workspace_id))


def terms_of(wish: BudgetWish) -> BudgetTerms:
    """What a person typed as the terms of a budget. Refused with the first thing that is wrong, in the form's order."""
    place = place_of(wish.scope)
    if place is None or wish.period not in set(BudgetPeriod) or wish.action not in set(BudgetAction):
        raise Refusal(RefusalCode.BUDGET_SCOPE_MISSING)
    try:
        amount = amount_typed(wish.amount)
    except AmountUnusable as error:
        raise Refusal(RefusalCode.BUDGET_AMOUNT, mistake=error.mistake.value) from error
    try:
        floor = amount_typed(wish.floor, may_be_zero=True) if wish.floor.strip() else None
    except AmountUnusable as error:
        raise Refusal(RefusalCode.BUDGET_FLOOR, mistake=error.mistake.value) from error
    if floor is not None and amount < floor:
        raise Refusal(RefusalCode.BUDGET_FLOOR, mistake="above")
    if place[0] is BudgetScope.WORKSPACE and not wish.channel_id:
        raise Refusal(RefusalCode.BUDGET_CHANNEL_MISSING)
    levels = tuple(sorted(wish.levels))
    action, channel_id = BudgetAction(wish.action), wish.channel_id or None
    try:
        return BudgetTerms(
            *place, BudgetPeriod(wish.period), amount, levels, action, floor or None, channel_id, wish.needs_two
        )
    except BudgetRefused as error:
        code = RefusalCode.BUDGET_LEVELS if error.mistake is BudgetMistake.LEVELS else RefusalCode.BUDGET_SCOPE_MISSING
        raise Refusal(code) from error


def _refuse_twin(budgets: Iterable[Budget], terms: BudgetTerms) -> None:
    """A second budget of one scope, period and amount says nothing new: it was saved twice, or forgotten."""
    wanted = (terms.scope_kind, terms.scope_id, terms.period, terms.amount)
    for one in budgets:
        if (one.scope_kind, one.scope_id, one.period, one.amount) == wanted:
            raise Refusal(RefusalCode.BUDGET_EXISTS)


async def _found(store: Store, workspace_id: str, budget_id: int) -> Budget:
    budget = await store.budgets.get(workspace_id, budget_id)
    if budget is None:
        raise Refusal(RefusalCode.UNKNOWN_BUDGET)
    return budget
