"""Importing budgets: what a file would change, worked out under the same eyes that later change it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from bot.acts import budget_facts, changes_of
from bot.audit import Act, record_all
from bot.budget_files import FileRefused, read
from bot.budget_scopes import ScopeBook
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.two_people import refuse_fewer
from finops.budget_diff import diff
from finops.budget_report import ImportPlan
from finops.budgets import Budget, BudgetTerms, changed_at
from finops.incidents import Fact
from storage import Store


async def planned(store: Store, workspace_id: str, text: str) -> tuple[ImportPlan, list[Budget]]:
    """What a file would change, and the budgets it speaks of, to which the places in the difference point.

    Disabled budgets and those whose scope is gone are nobody's business here. Refused with every mistake in the file.
    """
    book = ScopeBook(await store.teams.all(workspace_id), await store.projects.all(workspace_id))
    every = await store.budgets.all(workspace_id)
    budgets = [one for one in every if book.is_spoken_of(one)]
    try:
        wanted = read(text, book)
    except FileRefused as refused:
        raise Refusal(RefusalCode.BUDGET_FILE, mistakes=refused.mistakes) from refused
    changes = diff([one.terms for one in budgets], wanted)
    every_terms = [*(one.terms for one in budgets), *wanted]
    names = {(one.scope_kind, one.scope_id): book.choice(one.scope_kind, one.scope_id) for one in every_terms}
    return ImportPlan(changes, names, _mark(budgets, wanted), len(every) - len(budgets)), budgets


async def carried_out(
    desk: Desk, store: Store, workspace_id: str, plan: ImportPlan, budgets: Sequence[Budget], by: str
) -> None:
    """Make the difference true and record each part of it, within one transaction: all of it or nothing.

    Refused when two people would no longer have to agree to what is held, or asked for, at this moment.
    """
    now, changes = desk.now(), plan.diff
    weaker = {budgets[one.index].id for one in changes.changed if one.before.needs_two and not one.after.needs_two}
    await refuse_fewer(store, workspace_id, weaker)
    acts: list[Act] = []

    def did(action: str, budget_id: int, terms: BudgetTerms, before: BudgetTerms | None = None) -> None:
        facts = _facts(plan, terms)
        more = {} if before is None else changes_of(_facts(plan, before), facts)
        acts.append(Act(action, f"budget:{budget_id}", {**facts, **more, "is_import": True}))

    for index, terms in changes.removed:
        await store.budgets.delete(workspace_id, budgets[index].id, by=by, at=changed_at(budgets[index], now))
        did("budget.deleted", budgets[index].id, terms)
    for change in changes.changed:
        old = budgets[change.index]
        await store.budgets.update(workspace_id, old.id, terms=change.after, by=by, at=changed_at(old, now))
        did("budget.changed", old.id, change.after, change.before)
    for terms in changes.added:
        made = await store.budgets.create(workspace_id, terms, by=by, at=now)
        did("budget.created", made.id, terms)
    if acts:
        counts = {name: len(getattr(changes, name)) for name in ("added", "changed", "removed")}
        await record_all(desk, store, workspace_id, by, [*acts, Act("budgets.imported", "", counts)])


def _facts(plan: ImportPlan, terms: BudgetTerms) -> dict[str, Fact]:
    scope = plan.names.get((terms.scope_kind, terms.scope_id))
    return budget_facts(terms, scope.name if scope is not None else "")


def _mark(budgets: Iterable[Budget], wanted: Iterable[BudgetTerms]) -> str:
    """Another as soon as any of the budgets, or what is wanted, is another."""
    whole = "\n".join([*(f"{one.id} {one.updated_at.isoformat()}" for one in budgets), *map(repr, wanted)])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
