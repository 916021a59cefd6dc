"""Differences between lists of budgets: nothing is forgotten, nothing is invented, the order does not matter."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from finops.budget_diff import BudgetChange, BudgetDiff, diff
from finops.budgets import BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money

DAILY = BudgetTerms(BudgetScope.TEAM, 1, BudgetPeriod.DAY, Money.of(500))
WEEKLY = replace(DAILY, period=BudgetPeriod.WEEK, amount=Money.of(2500))
WHOLE = BudgetTerms(BudgetScope.WORKSPACE, None, BudgetPeriod.MONTH, Money.of(10_000))


def test_a_diff_names_what_is_added_changed_removed_and_kept():
    """Budgets are known by scope and period; the place in the old list comes along."""
    raised = replace(DAILY, amount=Money.of(600))
    assert diff([WHOLE, DAILY, WEEKLY], [raised, WHOLE, replace(WHOLE, period=BudgetPeriod.DAY)]) == BudgetDiff(
        added=(replace(WHOLE, period=BudgetPeriod.DAY),),
        changed=(BudgetChange(1, DAILY, raised),),
        removed=((2, WEEKLY),),
        unchanged=((0, WHOLE),),
    )


def test_the_same_list_in_another_order_is_no_change():
    """Nor are 500 and 500.00, or no floor and a floor of zero."""
    spelled = replace(DAILY, amount=Money.of("500.00"), floor=Money.zero())
    assert diff([DAILY, WHOLE], [WHOLE, spelled]).is_empty
    assert not diff([DAILY], []).is_empty
    assert diff([], []).is_empty


def test_levels_action_floor_and_currency_are_changes():
    """Every decision counts."""
    for changed in (
        replace(DAILY, levels=(100,)),
        replace(DAILY, action=BudgetAction.STOP),
        replace(DAILY, floor=Money.of(5)),
        replace(DAILY, needs_two=True),
        replace(DAILY, amount=Money.of(500, "EUR")),
    ):
        assert diff([DAILY], [changed]).changed == (BudgetChange(0, DAILY, changed),)


def test_several_budgets_of_one_scope_and_period_are_paired_by_amount():
    """The equal ones stay; of the others the smaller becomes the smaller."""
    small, large = replace(DAILY, amount=Money.of(100)), replace(DAILY, amount=Money.of(900))
    found = diff(
        [large, DAILY, small], [replace(DAILY, amount=Money.of(1000)), DAILY, replace(DAILY, amount=Money.of(90))]
    )
    assert [(change.index, change.after.amount) for change in found.changed] == [(0, Money.of(1000)), (2, Money.of(90))]
    assert found.unchanged == ((1, DAILY),)


terms = st.builds(
    BudgetTerms,
    st.just(BudgetScope.PROJECT),
    st.integers(1, 2),
    st.sampled_from(BudgetPeriod),
    st.sampled_from([1, 2, 3]).map(lambda amount: Money(Decimal(amount))),
    st.sampled_from([(100,), (50, 100)]),
    st.sampled_from(BudgetAction),
    st.sampled_from([None, Money.zero(), Money.of(1)]),
    needs_two=st.booleans(),
)


def content(budgets: list[BudgetTerms]) -> list[str]:
    return sorted(repr(replace(each, floor=each.silent_below)) for each in budgets)


@given(st.lists(terms, max_size=8), st.lists(terms, max_size=8), st.randoms())
def test_applying_a_diff_gives_the_new_list(old: list[BudgetTerms], new: list[BudgetTerms], random: object):
    """Every old budget is in one part, every new one too; shuffling either list changes nothing of it."""
    found = diff(old, new)
    places = [*(each.index for each in found.changed), *(n for n, _ in (*found.removed, *found.unchanged))]
    assert sorted(places) == list(range(len(old)))
    assert all(old[each.index] == each.before for each in found.changed)
    assert all(old[n] == each for n, each in (*found.removed, *found.unchanged))
    applied = [*found.added, *(each.after for each in found.changed), *(each for _, each in found.unchanged)]
    assert content(applied) == content(new)
    assert all(content([each.before]) != content([each.after]) for each in found.changed)
    assert diff(new, new).is_empty
    shuffled = list(new)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = diff(old, shuffled)
    assert content([each.after for each in again.changed]) == content([each.after for each in found.changed])
    assert content(list(again.added)) == content(list(found.added))
