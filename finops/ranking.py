"""Ranking: which projects bought most for their money, and which to improve, each against its own past or target.

The rule is published in docs/digest.md and behind the message's "how this is ranked"; change both together:

1. Value for money is successes by dollar, weighted by the mean feedback score where thirty calls or more have one, in
   the week and in two of those it is compared with: like with like.
2. It is divided by the project's own baseline: the target its team set, else the median of its trailing four weeks.
3. Ranked is who spent at least one percent of the whole, recorded at least thirty outcomes and has a baseline.
4. Best are those at or above their baseline. To improve are those below it for certain and by enough to matter: the
   upper end of the ratio's 95 % interval is below one, and the ratio is at most 0.95. Who is between is as usual and
   in neither list. At most three each, and at most half of the ranked (rounded up).
5. Chosen is by the careful end of that interval: the lower for the best, the upper for those to improve,
   so that few outcomes move nobody to the top or the bottom by chance. Ties: dearer first, then by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from finops.digest import Baseline, DigestProject, Unranked
from finops.frozen import frozen
from finops.money import EXACT, Money
from finops.value import ENOUGH_COVERAGE, Interval, ValueFigure, ValueSource

LEAST_SHARE = Decimal("0.01")
LEAST_OUTCOMES = 30
MOST_EACH = 3
# Noise is not a verdict: who is nearer to the baseline than this is as usual, however many calls prove it.
AT_MOST_BELOW = Decimal("0.95")
# A median of one week is that week.
TRAILING_WEEKS, LEAST_WEEKS = 4, 2
_ONE, _ZERO = Decimal(1), Decimal(0)
# Ratios that differ by less than a reader sees are equal.
_STEP = Decimal("0.0001")


@frozen
class Contender:
    """One project before it is ranked.

    `target` is what its team said one success may cost. `trailing` is its value per dollar (`past_of`) in each of the
    weeks before that had enough outcomes, in any order; `is_weighted`: by feedback, and so is this week's.
    `is_read`: its bill is known for every day of the week.
    """

    project_id: int
    name: str
    team_name: str
    cost: Money
    previous: Money | None
    value: ValueFigure
    target: Money | None = None
    trailing: tuple[Decimal, ...] = ()
    is_read: bool = True
    is_weighted: bool = True


class Past(NamedTuple):
    """What earlier weeks say about a project: its value per dollar in each, weighted by feedback or not."""

    per_dollar: tuple[Decimal, ...]
    is_weighted: bool


class Worth(NamedTuple):
    """Value per dollar, and between what and what it lies at 95 %."""

    per_dollar: Decimal
    interval: Interval


class Ranking(NamedTuple):
    """Who did best, who is to improve, and all others, dearest first: every contender once."""

    best: tuple[DigestProject, ...]
    improve: tuple[DigestProject, ...]
    others: tuple[DigestProject, ...]


def worth_of(value: ValueFigure, cost: Money, *, is_weighted: bool = True) -> Worth | None:
    """Successes weighted by feedback, by dollar; None where no outcome or no cost tells it.

    A score that few calls have weighs nothing: one displeased user would be the verdict on a thousand successes.

    The dollars are those of `value.cost_per_success`, so that the ranking and the figure beside it never disagree.
    Without a single success it is zero, and the interval says how much it could be all the same.
    """
    if value.source is not ValueSource.EVENTS or value.outcomes <= 0:
        return None
    weight = value.feedback if value.feedback is not None and is_weighted and _is_scored(value) else _ONE
    if value.successes > 0:
        each, between = value.cost_per_success, value.cost_per_success_interval
        if each is None or each.amount <= 0:
            return None
        high = None if between is None or between.low.amount <= 0 else EXACT.divide(weight, between.low.amount)
        low = (
            _ZERO
            if between is None or between.high is None or between.high.amount <= 0
            else EXACT.divide(weight, between.high.amount)
        )
        return Worth(EXACT.divide(weight, each.amount), Interval(low, high))
    dollars = EXACT.multiply(cost.amount, min(_ONE, value.coverage) if value.coverage is not None else _ONE)
    if dollars <= 0:
        return None
    at_most = value.success_interval.high if value.success_interval is not None else None
    high = None if at_most is None else EXACT.divide(weight * at_most * value.outcomes, dollars)
    return Worth(_ZERO, Interval(_ZERO, high))


def past_of(value: ValueFigure, weeks: Iterable[tuple[ValueFigure, Money]]) -> Past:
    """What earlier weeks with enough outcomes say, to be compared with a week in which the project bought `value`.

    Weighted by feedback only where this week and two of those have scores enough: a score that begins to be asked for
    is no loss, and one that is asked for no more no gain.
    """
    told = [(figure, cost) for figure, cost in weeks if figure.outcomes >= LEAST_OUTCOMES]
    scored = [(figure, cost) for figure, cost in told if _is_scored(figure)]
    is_weighted = _is_scored(value) and len(scored) >= LEAST_WEEKS
    found = (worth_of(*one, is_weighted=is_weighted) for one in (scored if is_weighted else told))
    return Past(tuple(worth.per_dollar for worth in found if worth is not None), is_weighted)


def _is_scored(value: ValueFigure) -> bool:
    return value.feedback is not None and value.scored >= LEAST_OUTCOMES


def is_below(project: DigestProject) -> bool:
    """Whether a ranked project bought less than its baseline, beyond what chance explains and what nobody notices."""
    if project.ratio is None or project.ratio > AT_MOST_BELOW or project.ratio_interval is None:
        return False
    high = project.ratio_interval.high
    return high is not None and high < 1


def is_as_usual(project: DigestProject) -> bool:
    """Whether a ranked project is between: not at its baseline, and not below it for certain either."""
    return project.ratio is not None and project.ratio < 1 and not is_below(project)


def ranked(contenders: Iterable[Contender], whole: Money) -> Ranking:
    """Who did best and who is to improve, whatever order they come in; `whole` is all that was spent."""
    seen = [_measured(one, whole) for one in contenders]
    open_ = [one for one in seen if one.unranked is None and one.ratio is not None]
    most = min(MOST_EACH, -(-len(open_) // 2))
    best = sorted((one for one in open_ if _at_least_its_own(one)), key=_by_lower_end)[:most]
    improve = sorted((one for one in open_ if is_below(one)), key=_by_upper_end)[:most]
    chosen = {one.project_id for one in (*best, *improve)}
    rest = (
        one if one.unranked else replace(one, unranked=Unranked.RESTED) for one in seen if one.project_id not in chosen
    )
    return Ranking(
        tuple(sorted(best, key=lambda one: (-_ratio(one), *_ties(one)))),
        tuple(sorted(improve, key=lambda one: (_ratio(one), *_ties(one)))),
        tuple(sorted(rest, key=_ties)),
    )


def _measured(one: Contender, whole: Money) -> DigestProject:
    kind, per_dollar = _baseline(one)
    worth = worth_of(one.value, one.cost, is_weighted=one.is_weighted or kind is Baseline.TARGET)
    project = DigestProject(
        project_id=one.project_id,
        name=one.name,
        team_name=one.team_name,
        cost=one.cost,
        previous=one.previous,
        value=one.value,
        baseline=kind,
    )
    reason = _reason(one, worth, per_dollar, whole)
    if reason is not None or worth is None or per_dollar is None:
        return replace(project, unranked=reason)
    high = worth.interval.high
    return replace(
        project,
        ratio=EXACT.divide(worth.per_dollar, per_dollar),
        ratio_interval=Interval(
            EXACT.divide(worth.interval.low, per_dollar), None if high is None else EXACT.divide(high, per_dollar)
        ),
    )


def _baseline(one: Contender) -> tuple[Baseline, Decimal | None]:
    """What the team wants comes first; a target in another currency says nothing about this bill."""
    target = one.target
    if target is not None and target.currency == one.cost.currency and target.amount > 0:
        return Baseline.TARGET, EXACT.divide(_ONE, target.amount)
    if len(one.trailing) >= LEAST_WEEKS and (usual := median(one.trailing)) > 0:
        return Baseline.OWN_MEDIAN, usual
    return Baseline.NONE, None


def _reason(one: Contender, worth: Worth | None, baseline: Decimal | None, whole: Money) -> Unranked | None:
    if one.cost.amount <= 0:
        return Unranked.NO_SPEND if one.is_read else Unranked.UNREAD
    if one.value.source is ValueSource.NONE:
        return Unranked.NO_VALUE
    if whole.amount > 0 and one.cost.amount < EXACT.multiply(whole.amount, LEAST_SHARE):
        return Unranked.SMALL_SPEND
    if one.value.outcomes < LEAST_OUTCOMES or one.value.outcomes < ENOUGH_COVERAGE * one.value.calls:
        return Unranked.FEW_OUTCOMES
    if worth is None:
        return Unranked.NO_PRICE
    return Unranked.NO_BASELINE if baseline is None else None


def _ratio(project: DigestProject) -> Decimal:
    assert project.ratio is not None
    return project.ratio.quantize(_STEP, None, EXACT)


def _at_least_its_own(project: DigestProject) -> bool:
    assert project.ratio is not None
    return project.ratio >= 1


def _ties(project: DigestProject) -> tuple[Decimal, str, int]:
    return -project.cost.amount, project.name, project.project_id


def _by_lower_end(project: DigestProject) -> tuple[Decimal, Decimal, Decimal, str, int]:
    assert project.ratio_interval is not None
    low = project.ratio_interval.low.quantize(_STEP, None, EXACT)
    return (-low, -_ratio(project), *_ties(project))


def _by_upper_end(project: DigestProject) -> tuple[Decimal, Decimal, Decimal, str, int]:
    assert project.ratio_interval is not None
    assert project.ratio_interval.high is not None
    return (project.ratio_interval.high.quantize(_STEP, None, EXACT), _ratio(project), *_ties(project))
