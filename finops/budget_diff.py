"""Differences between two lists of budgets, so that a person sees what an import would change before it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from finops.budgets import BudgetTerms
from finops.frozen import frozen


@frozen
class BudgetChange:
    """One budget as it is and as it would be. `index` is its place in the old list."""

    index: int
    before: BudgetTerms
    after: BudgetTerms


@frozen
class BudgetDiff:
    """What would be added, changed and removed, and what stays as it is.

    `changed`, `removed` and `unchanged` together are the old list, each budget once, with its place in it; `added`,
    `changed` and `unchanged` are the new one.
    """

    added: tuple[BudgetTerms, ...]
    changed: tuple[BudgetChange, ...]
    removed: tuple[tuple[int, BudgetTerms], ...]
    unchanged: tuple[tuple[int, BudgetTerms], ...]

    @property
    def is_empty(self) -> bool:
        """Whether applying it would do nothing."""
        return not (self.added or self.changed or self.removed)


def diff(old: Sequence[BudgetTerms], new: Iterable[BudgetTerms]) -> BudgetDiff:
    """What leads from the old list to the new one; budgets of one scope and period are the same budget.

    Where a scope has several for one period, equal ones stay and the others are paired in order of amount. The order
    of either list means nothing.
    """
    waiting: defaultdict[tuple[object, ...], list[tuple[int, BudgetTerms]]] = defaultdict(list)
    for index, terms in enumerate(old):
        waiting[_place(terms)].append((index, terms))
    unchanged: list[tuple[int, BudgetTerms]] = []
    moved: list[BudgetTerms] = []
    for terms in new:
        same = next((each for each in waiting[_place(terms)] if _content(each[1]) == _content(terms)), None)
        if same is None:
            moved.append(terms)
        else:
            waiting[_place(terms)].remove(same)
            unchanged.append(same)
    for rest in waiting.values():
        rest.sort(key=lambda each: (_order(each[1]), each[0]))
    added: list[BudgetTerms] = []
    changed: list[BudgetChange] = []
    for terms in sorted(moved, key=_order):
        if waiting[_place(terms)]:
            index, before = waiting[_place(terms)].pop(0)
            changed.append(BudgetChange(index, before, terms))
        else:
            added.append(terms)
    removed = [each for rest in waiting.values() for each in rest]
    return BudgetDiff(
        tuple(added),
        tuple(sorted(changed, key=lambda change: change.index)),
        tuple(sorted(removed, key=lambda each: each[0])),
        tuple(sorted(unchanged, key=lambda each: each[0])),
    )


def _place(terms: BudgetTerms) -> tuple[object, ...]:
    return terms.scope_kind, terms.scope_id, terms.period


def _content(terms: BudgetTerms) -> tuple[object, ...]:
    return terms.amount, terms.levels, terms.action, terms.silent_below, terms.channel_id, terms.needs_two


def _order(terms: BudgetTerms) -> tuple[object, ...]:
    return (
        terms.scope_kind,
        terms.scope_id or 0,
        terms.period,
        terms.amount.currency,
        terms.amount.amount,
        terms.levels,
        terms.action,
        terms.silent_below.amount,
        terms.channel_id or "",
        terms.needs_two,
    )
