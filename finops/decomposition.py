"""Decomposition: the difference of two periods split among what a cost is made of, so that the parts add up to it.

The method is Shapley's: each factor's part is what it changes on average over every order in which the factors could
have moved one by one. It needs no residual, it does not depend on an order, and swapping the periods turns the signs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from finops.frozen import frozen
from finops.money import ATTO_PLACES, EXACT, Money, rounded_parts
from finops.periods import Period
from finops.prices import PriceList
from finops.shapley import FACTORS, ModelUse, changes, tokens_cost
from finops.usage_groups import UsageGroup
from finops.why import Factor, Why, WhyPart
from finops.why_kind import beside_of, kind_of

__all__ = ["UsageGroup", "explained", "explained_together"]

# One model carries a change in requests when this much of it is its own: it is named, and its requests are told.
_CARRIES = Fraction(4, 5)
_TOLD = Context(prec=12, rounding=ROUND_HALF_EVEN)
_ZERO, _ONE = Fraction(0), Fraction(1)
_ATTOS = 10**ATTO_PLACES

UsageOfBoth = tuple[Sequence[UsageGroup], Sequence[UsageGroup]]
"""What one project used in the period, and in the one compared with."""


def explained(
    period: Period,
    compared: Period,
    now: Money,
    before: Money,
    usage_now: Sequence[UsageGroup],
    usage_before: Sequence[UsageGroup],
    prices: PriceList,
    *,
    share_before: Fraction = _ONE,
) -> Why:
    """Why `now` differs from `before`; of what was used before, only `share_before` counts (a mean of several days)."""
    return explained_together(
        period, compared, now, before, [(usage_now, usage_before)], prices, share_before=share_before
    )


def explained_together(
    period: Period,
    compared: Period,
    now: Money,
    before: Money,
    usages: Iterable[UsageOfBoth],
    prices: PriceList,
    *,
    share_before: Fraction = _ONE,
) -> Why:
    """Why several projects together moved: each is taken apart for itself, and the parts are added up.

    So a call that one project makes more and another makes less is no change of model. Amounts and estimates are
    dollars; the parts add up to the difference to the last digit of it.
    """
    days = (period.end, compared.end)
    units: list[ModelUse] = []
    tools: dict[str, Fraction] = defaultdict(Fraction)
    estimated = [_ZERO, _ZERO]
    for used_now, used_before in usages:
        found, other = tokens_cost(used_now, used_before, prices, days, share_before)
        units += found
        for endpoint, (later, earlier) in other.items():
            tools[endpoint] += later - earlier
            estimated[0] += later
            estimated[1] += earlier
    whole: dict[Factor, Fraction] = dict.fromkeys(FACTORS, _ZERO)
    by_model: dict[Factor, dict[str, Fraction]] = {factor: defaultdict(Fraction) for factor in FACTORS}
    for unit in units:
        estimated[0] += unit.cost_now
        estimated[1] += unit.cost_before
        for factor, amount in zip(FACTORS, changes(unit), strict=True):
            whole[factor] += amount
            by_model[factor][unit.model] += amount
    whole[Factor.TOOLS] = sum(tools.values(), _ZERO)
    billed = (_atto(now), _atto(before))
    whole[Factor.UNEXPLAINED] = (billed[0] - estimated[0]) - (billed[1] - estimated[1])
    told = _Told([unit for unit in units if unit.endpoint == _leading(units)], by_model, tools)
    parts = [_part(factor, told, amount, whole) for factor, amount in _amounts(whole, now - before).items()]
    parts.sort(key=lambda part: -abs(part.amount.amount))
    covered = _covered(billed, (estimated[0], estimated[1]))
    less = 1 if billed[0] > billed[1] else 0  # the period that cost less
    unread = _decimal(max(_ZERO, billed[less] - estimated[less]) / _ATTOS)
    kind = kind_of(now, before, parts, covered, unread)
    beside = beside_of(kind, now, before, parts, _mix_of_all(told))
    return Why(period, compared, now, before, tuple(parts), kind, covered, beside)


def _atto(money: Money) -> Fraction:
    return Fraction(money.amount) * Fraction(_ATTOS)


def _covered(billed: tuple[Fraction, Fraction], estimated: tuple[Fraction, Fraction]) -> Decimal | None:
    """How much of both periods' cost usage accounts for, neither too little nor too much."""
    whole = abs(billed[0]) + abs(billed[1])
    if not whole:
        return None
    missed = abs(billed[0] - estimated[0]) + abs(billed[1] - estimated[1])
    return _decimal(max(_ZERO, 1 - missed / whole))


def _leading(units: Sequence[ModelUse]) -> str:
    """The kind of usage whose cost moved most: a call there and a call elsewhere are not counted together."""
    moved: dict[str, Fraction] = defaultdict(Fraction)
    costs: dict[str, Fraction] = defaultdict(Fraction)
    for unit in units:
        moved[unit.endpoint] += unit.cost_now - unit.cost_before
        costs[unit.endpoint] += unit.cost_now + unit.cost_before
    return max(costs, key=lambda endpoint: (abs(moved[endpoint]), costs[endpoint], endpoint), default="")


def _amounts(whole: Mapping[Factor, Fraction], difference: Money) -> dict[Factor, Money]:
    """Whole atto-units that add up to the difference; what lies beyond them stays with the largest part."""
    rounded = rounded_parts([_wide(amount) for amount in whole.values()], ATTO_PLACES)
    amounts = dict(zip(whole, rounded, strict=True))
    largest = max(amounts, key=lambda factor: abs(amounts[factor]))
    left = difference.amount
    for amount in rounded:
        left = EXACT.subtract(left, amount)
    amounts[largest] = EXACT.add(amounts[largest], left)
    return {factor: Money(amount, difference.currency) for factor, amount in amounts.items()}


def _wide(atto: Fraction) -> Decimal:
    return EXACT.divide(Decimal(atto.numerator), Decimal(atto.denominator)).scaleb(-ATTO_PLACES, EXACT)


def _decimal(value: Fraction) -> Decimal:
    """A ratio or mean to twelve digits, to be told."""
    return _TOLD.divide(Decimal(value.numerator), Decimal(value.denominator))


@frozen
class _Told:
    """What the factors' own values are read from: the models of the leading kind of usage."""

    units: Sequence[ModelUse]
    by_model: Mapping[Factor, Mapping[str, Fraction]]
    tools: Mapping[str, Fraction]

    def mean(self, value: Callable[[ModelUse, int], Fraction], weight: Callable[[ModelUse], Fraction]) -> _Pair | None:
        """A factor before and now at what is used now, like with like: another mix of models does not move it."""
        whole = sum((weight(unit) for unit in self.units), _ZERO)
        if not whole:
            return None
        before, now = (sum((value(unit, at) * weight(unit) for unit in self.units), _ZERO) / whole for at in (0, 1))
        return before, now

    def requests(self, model: str | None = None) -> _Pair:
        """How many were made of one model or of all, before and now."""
        mine = [unit for unit in self.units if model is None or unit.model == model]
        return sum((unit.requests[0] for unit in mine), _ZERO), sum((unit.requests[1] for unit in mine), _ZERO)

    def mover(self, factor: Factor, amount: Fraction) -> str | None:
        """The model whose part is the largest of those that point where the whole does."""
        signed = {model: part * (1 if amount >= 0 else -1) for model, part in self.by_model[factor].items() if part}
        return max(signed, key=lambda model: (signed[model], model), default=None)


_Pair = tuple[Fraction, Fraction]
_NONE: _Pair = (_ZERO, _ZERO)


def _part(factor: Factor, told: _Told, amount: Money, whole: Mapping[Factor, Fraction]) -> WhyPart:
    part, moved = WhyPart(factor, amount), whole[factor]
    match factor:
        case Factor.REQUESTS:
            return _requests(part, told, moved)
        case Factor.MODEL_MIX:
            subject = told.mover(factor, moved)
            all_before, all_now = told.requests()
            before, now = told.requests(subject)
            shares = (_over(before, all_before), _over(now, all_now))
            return replace(part, subject=subject, before=shares[0], now=shares[1]) if subject else part
        case Factor.INPUT_LENGTH:
            return _valued(part, told.mean(lambda unit, at: unit.input_each(at), lambda unit: unit.requests[1]))
        case Factor.OUTPUT_LENGTH:
            return _valued(part, told.mean(lambda unit, at: unit.output_each(at), lambda unit: unit.requests[1]))
        case Factor.CACHE:
            shares_ = told.mean(lambda unit, at: unit.cached_share(at), lambda unit: unit.input_now)
            return _valued(part, shares_, is_share=True)
        case Factor.TIER:
            batched = told.mean(lambda unit, at: unit.batch_share(at), lambda unit: unit.tokens_now)
            return replace(_valued(part, batched, is_share=True), subject=_tier(told))
        case Factor.PRICE:
            pair = _price(told)
            return replace(part, change=_over(pair[1], pair[0]), subject=told.mover(factor, moved))
        case Factor.TOOLS:
            signed = {name: amount_ * (1 if moved >= 0 else -1) for name, amount_ in told.tools.items() if amount_}
            return replace(part, subject=max(signed, key=lambda name: (signed[name], name), default=None))
    return part


def _requests(part: WhyPart, told: _Told, moved: Fraction) -> WhyPart:
    subject = told.mover(Factor.REQUESTS, moved)
    own = told.by_model[Factor.REQUESTS].get(subject or "", _ZERO)
    carries = len({unit.model for unit in told.units}) > 1 and moved and own / moved >= _CARRIES
    if subject not in {unit.model for unit in told.units}:
        carries = False
    return replace(_valued(part, told.requests(subject if carries else None)), subject=subject if carries else None)


def _mix_of_all(told: _Told) -> WhyPart | None:
    """By how much the shares models have of all requests moved the cost, whether any went from one to another or not.

    Named by the model whose share grew most of those that moved it that way; None where there is nothing to compare.
    """
    uses: dict[str, tuple[_Pair, _Pair]] = {}
    for unit in told.units:
        (was, is_), (cost_was, cost_is) = uses.get(unit.model, (_NONE, _NONE))
        uses[unit.model] = (
            (was + unit.requests[0], is_ + unit.requests[1]),
            (cost_was + unit.cost_before, cost_is + unit.cost_now),
        )
    before, now = told.requests()
    if not before or not now:
        return None
    # Each model's requests at what they cost on the mean of both periods: only their shares move.
    costs = {model: _mean_cost(asked, cost) for model, (asked, cost) in uses.items()}
    shares = {model: (was / before, is_ / now) for model, ((was, is_), _) in uses.items()}
    usual = sum((share[0] * costs[model] for model, share in shares.items()), _ZERO)
    moved = {model: (share[1] - share[0]) * (costs[model] - usual) for model, share in shares.items()}
    whole = sum(moved.values(), _ZERO)
    sign = 1 if whole > 0 else -1
    towards = [model for model in shares if moved[model] * sign > 0]
    if not towards:
        return None
    subject = max(towards, key=lambda model: (shares[model][1] > shares[model][0], moved[model] * sign, model))
    [amount] = rounded_parts([_wide(whole * now)], ATTO_PLACES)
    first, last = map(_decimal, shares[subject])
    return WhyPart(Factor.MODEL_MIX, Money(amount), first, last, subject=subject)


def _mean_cost(asked: _Pair, cost: _Pair) -> Fraction:
    """What one request of a model costs, on the mean of the periods it was asked in."""
    each = [cost[at] / asked[at] for at in (0, 1) if asked[at]]
    return sum(each, _ZERO) / len(each) if each else _ZERO


def _valued(part: WhyPart, pair: _Pair | None, *, is_share: bool = False) -> WhyPart:
    """A part with its factor's values; a share has no ratio that one would say."""
    if pair is None:
        return part
    change = None if is_share else _over(pair[1], pair[0])
    return replace(part, before=_decimal(pair[0]), now=_decimal(pair[1]), change=change)


def _over(now: Fraction, before: Fraction) -> Decimal | None:
    return _decimal(now / before) if before > 0 else None


def _price(told: _Told) -> _Pair:
    """What is used now would have cost at the prices before, and what it costs."""
    before = sum((unit.cost_of(1, 1, 1, 1, 1, 0) for unit in told.units), _ZERO)
    return before, sum((unit.cost_now for unit in told.units), _ZERO)


def _tier(told: _Told) -> str | None:
    """The tier whose share of the tokens grew most; '' is the standard one."""
    grown: dict[str, Fraction] = defaultdict(Fraction)
    for unit in told.units:
        for tier, share in unit.tier_growth().items():
            grown[tier] += share * unit.tokens_now
    name = max(grown, key=lambda tier: (grown[tier], tier), default=None)
    return name if name is not None and grown[name] > 0 else None
