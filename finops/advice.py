"""Advice: the one next step of a project and of a whole week, and what it could be worth.

The rule is published in docs/digest.md; change both together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from finops.digest import Advice, AdviceKind, DigestProject, Unranked
from finops.money import EXACT, Money, total
from finops.value import ENOUGH_COVERAGE
from finops.why import Factor, Why, WhyKind

# Of a project that is not to improve, a cause is worth a word from this share of the whole on.
LEAST_WORTH = Decimal("0.01")
# More failures than this, and they are what to look at.
MANY_FAILURES = Decimal("0.10")
# Where so many times as much was lost as the cause of the cost explains, the cost's cause is not what to begin with.
OUTWEIGHS = Decimal(2)
# The whole rose by this much: worth a look even where no single cause stands out.
A_RISE = Decimal("0.10")

# What to do about a cause, and which part of the difference would be won back.
_CURES: Mapping[WhyKind, tuple[AdviceKind, Factor]] = {
    WhyKind.RETRY_LOOP: (AdviceKind.CHECK_RETRIES, Factor.REQUESTS),
    WhyKind.LONGER_PROMPTS: (AdviceKind.SHORTEN_PROMPTS, Factor.INPUT_LENGTH),
    WhyKind.DEARER_MODEL: (AdviceKind.CHEAPER_MODEL, Factor.MODEL_MIX),
    WhyKind.LOST_CACHE: (AdviceKind.RESTORE_CACHE, Factor.CACHE),
    WhyKind.BATCH_OFF: (AdviceKind.BATCH_AGAIN, Factor.TIER),
}


def cure_of(cause: WhyKind) -> AdviceKind | None:
    """What to do about a cause of more spending; None for one that has no cure we know."""
    cure = _CURES.get(cause)
    return None if cure is None else cure[0]


def of_cause(project: DigestProject) -> Advice | None:
    """What the cause of a rise calls for; None where nothing rose, or the cause has no cure we know.

    What ran away in the week is no part of it: nobody can save that again each week. What may go on is told beside it,
    by the day.
    """
    cure = None if project.why is None else _CURES.get(project.why.kind)
    if cure is None or project.why is None:
        return None
    # Where something else made each call cheaper, the part of a rise may be more than all that is left to be saved.
    part = _capped(_part(project.why, cure[1]), project.cost)
    worth = _without_runaways(part, project)
    if part is None or (worth is None and project.burning is None):
        return None
    return Advice(cure[0], project.project_id, project.name, worth, project.burning)


def of_improvable(project: DigestProject) -> Advice:
    """The next step of a project that bought less for its money than it used to: there always is one.

    It is what the cause of a rise calls for, and is worth that cause's part. Where many calls fail, it is to look at
    the failures instead: without a cause that has a cure, and where at least twice as much was lost against the
    project's own baseline as its cause explains (a loop of retries fails by itself, and stays what to begin with).
    Else, and where what may go on has cost more than that, it is to look at what moved. These are worth what the
    project would have saved at its own baseline, without what ran away; and looking at the failures no more than the
    recorded calls that failed have cost.
    """
    found, lost = of_cause(project), _lost(project)
    if found is not None and (found.kind is AdviceKind.CHECK_RETRIES or not _outweighs(lost, found.worth)):
        return found
    if _is_failing(project):
        step = Advice(AdviceKind.LOOK_AT_FAILURES, project.project_id, project.name, _capped(lost, _failed(project)))
        if project.burning is None or project.burning.beyond.amount < _worth(step):
            return step
    return found or Advice(AdviceKind.LOOK_WHY, project.project_id, project.name, lost, project.burning)


def advised(
    improve: Sequence[DigestProject], others: Sequence[DigestProject]
) -> tuple[tuple[DigestProject, ...], tuple[DigestProject, ...]]:
    """The same projects, each with its advice: those to improve always, the others where a cause has a cure."""
    return (
        tuple(replace(one, advice=of_improvable(one)) for one in improve),
        tuple(one if (step := of_cause(one)) is None else replace(one, advice=step) for one in others),
    )


def one_step(
    improve: Sequence[DigestProject],
    others: Sequence[DigestProject],
    whole: Money,
    *,
    has_budget: bool,
    increase: Decimal | None,
) -> Advice:
    """The one next step of the week, out of projects that have their own advice (`advised`).

    What is worth most comes first; then to record what the dearest silent project buys; then a budget, where none
    watches; then to look at a rise of a tenth or more. Otherwise there is nothing to do, and that is said.
    """
    least = EXACT.multiply(max(whole.amount, Decimal(0)), LEAST_WORTH)
    steps = [one.advice for one in improve if one.advice is not None]
    steps += [one.advice for one in others if one.advice is not None and _worth(one.advice) >= least]
    if steps:
        return min(steps, key=lambda step: (-_worth(step), step.project_name, step.project_id or 0))
    silent = [one for one in others if one.unranked is Unranked.NO_VALUE and one.cost.amount >= least]
    if silent:
        dearest = min(silent, key=lambda one: (-one.cost.amount, one.name, one.project_id))
        return Advice(AdviceKind.CONNECT_EVENTS, dearest.project_id, dearest.name)
    if not has_budget and whole.amount > 0:
        return Advice(AdviceKind.SET_BUDGET)
    if increase is not None and increase >= A_RISE:
        return Advice(AdviceKind.LOOK_WHY)
    return Advice(AdviceKind.NONE)


def _worth(step: Advice) -> Decimal:
    """What a step weighs: what it saves each week, and what a runaway that may go on has cost in this one."""
    each = (step.worth, None if step.burning is None else step.burning.beyond)
    return sum((one.amount for one in each if one is not None), Decimal(0))


def _part(why: Why, factor: Factor) -> Money | None:
    amount = next((part.amount for part in why.parts if part.factor is factor), None)
    return amount if amount is not None and amount.amount > 0 else None


def _is_failing(project: DigestProject) -> bool:
    success = project.value.success_ratio
    return success is not None and 1 - success >= MANY_FAILURES


def _outweighs(lost: Money | None, explained: Money | None) -> bool:
    """Whether what was lost is so much more than what the cause explains that the cause is a side matter."""
    if lost is None or explained is None or lost.currency != explained.currency:
        return False
    return lost.amount >= EXACT.multiply(explained.amount, OUTWEIGHS)


def _lost(project: DigestProject) -> Money | None:
    if project.ratio is None or project.ratio >= 1:
        return None
    if _is_by_the_bill(project):
        # A bill that is smaller by what ran away buys as much: all of that is out of what was lost.
        return _without_runaways(_share(project.cost, 1 - project.ratio), project)
    ordinary = _without_runaways(project.cost, project)
    return None if ordinary is None else _share(ordinary, 1 - project.ratio)


def _is_by_the_bill(project: DigestProject) -> bool:
    """Whether its value for money is that of its bill; of fewer recorded calls it is that of their own estimates."""
    coverage = project.value.coverage
    return coverage is not None and coverage >= ENOUGH_COVERAGE


def _share(amount: Money, share: Decimal) -> Money:
    return Money(EXACT.multiply(amount.amount, share).quantize(Decimal("1e-9"), None, EXACT), amount.currency)


def _without_runaways(amount: Money | None, project: DigestProject) -> Money | None:
    """What is left of an amount without what ran away, over or not; None where nothing is."""
    ran = [each.beyond for each in (project.runaway, project.burning) if each is not None]
    if amount is None or not ran or any(one.currency != amount.currency for one in ran):
        return amount
    left = amount - total(ran, amount.currency)
    return left if left.amount > 0 else None


def _failed(project: DigestProject) -> Money | None:
    """What the recorded calls that failed have cost; None where nobody knows, or they are less than half of all."""
    value, one = project.value, project.value.cost_per_success
    if one is None or not value.outcomes or not _is_by_the_bill(project):
        return None
    spent = EXACT.multiply(one.amount, Decimal(value.successes))
    share = EXACT.divide(Decimal(value.outcomes - value.successes), Decimal(value.outcomes))
    return _share(Money(spent, one.currency), share)


def _capped(amount: Money | None, most: Money | None) -> Money | None:
    if amount is None or most is None or most.currency != amount.currency:
        return amount
    return min(amount, most)
