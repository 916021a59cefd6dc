"""Shapley: how much each of seven factors moved the cost of one model's usage, in exact fractions of atto-dollars."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import product

from finops.prices import PriceList
from finops.usage_groups import RATES, Pricing, Side, Tier, UsageGroup, kinds_of, merged
from finops.why import Factor

# In the order of their bits: factor n has moved in every coalition with bit n.
FACTORS = (
    Factor.REQUESTS,
    Factor.MODEL_MIX,
    Factor.INPUT_LENGTH,
    Factor.OUTPUT_LENGTH,
    Factor.CACHE,
    Factor.TIER,
    Factor.PRICE,
)
_COUNT = len(FACTORS)
# What a factor changes counts by how many others moved before it: |S|! (6 - |S|)! / 7!, in 420ths.
_WEIGHTS = tuple(
    420 * math.factorial(n) * math.factorial(_COUNT - 1 - n) // math.factorial(_COUNT) for n in range(_COUNT)
)
# Every way in which some factors have moved (1) and the others not yet (0).
_COALITIONS = [tuple(mask >> bit & 1 for bit in range(_COUNT)) for mask in range(1 << _COUNT)]
_ZERO = Fraction(0)

# Of one matter (text, audio, images) that went in, what was cached and what was not make the whole.
_MATTERS = ((0, 1, 2), (3, 4), (5, 6), (7,), (8,), (9,))
_MATTER_OF = {kind: matter for matter, kinds in enumerate(_MATTERS) for kind in kinds}
_INPUT, _OUTPUT = (0, 1, 2), (3, 4, 5)
_CACHED_KINDS = (1, 4, 6)

_State = tuple[int, ...]
"""Which factors are as they were (0) and which as they are (1)."""


class ModelUse:
    """One model of one project in both periods: 0 is before, 1 is now. A factor that has no value has the other's.

    So a model that came has always been asked as it is now, and all of its cost is that it came.
    """

    def __init__(self, endpoint: str, model: str, sides: tuple[Side, Side], share_before: Fraction) -> None:
        self.endpoint = endpoint
        self.model = model
        self.requests = (sides[0].requests * share_before, Fraction(sides[1].requests))
        # Requests that are more or fewer in all, and requests that went to another model instead.
        self.more = self.moved = _ZERO
        self._sides = sides
        self._tiers = sorted({*sides[0].tokens, *sides[1].tokens})
        used = [side if side.requests else None for side in sides]
        known = [side or sides[1 - at] for at, side in enumerate(used)]
        # Hardly anything has audio or images: what was never told takes no part.
        self._kinds = [kind for kind in range(len(RATES)) if any(side.of_kind(kind) for side in known)]
        self._each = [[self._length(side, matter) for matter in _MATTERS] for side in known]
        self._composed = [{kind: self._part_of_matter(known, at, kind) for kind in self._kinds} for at in (0, 1)]
        self._served = [{kind: self._by_tier(known, at, kind) for kind in self._kinds} for at in (0, 1)]
        self.input_now = self.requests[1] * self.input_each(1)
        self.tokens_now = self.requests[1] * (self.input_each(1) + self.output_each(1))
        self._input, self._output = self._costs()

    @property
    def cost_now(self) -> Fraction:
        """What it is estimated to cost now."""
        return self.requests[1] * (self._input[1, 1, 1, 1] + self._output[1, 1, 1])

    @property
    def cost_before(self) -> Fraction:
        """What it is estimated to have cost before."""
        return self.requests[0] * (self._input[0, 0, 0, 0] + self._output[0, 0, 0])

    def cost_of(self, requests: int, input_: int, output: int, cache: int, tier: int, price: int) -> Fraction:
        """What it would cost with each factor as it was (0) or is (1)."""
        each = self._input[input_, cache, tier, price] + self._output[output, tier, price]
        return self.requests[requests] * each

    def input_each(self, at: int) -> Fraction:
        """Tokens that went in, by request."""
        return sum((self._each[at][matter] for matter in _INPUT), _ZERO)

    def output_each(self, at: int) -> Fraction:
        """Tokens that came out, by request."""
        return sum((self._each[at][matter] for matter in _OUTPUT), _ZERO)

    def cached_share(self, at: int) -> Fraction:
        """How much of what goes in now would have been cached."""
        whole = self.input_each(1)
        kinds = [kind for kind in _CACHED_KINDS if kind in self._kinds]
        cached = sum((self._each[1][_MATTER_OF[kind]] * self._composed[at][kind] for kind in kinds), _ZERO)
        return cached / whole if whole else _ZERO

    def batch_share(self, at: int) -> Fraction:
        """How many of the tokens were in a batch."""
        return sum((share for (_, is_batch), share in self._shares(at).items() if is_batch), _ZERO)

    def tier_growth(self) -> dict[str, Fraction]:
        """By how much of the tokens each tier grew; batch is called so."""
        grown: dict[str, Fraction] = defaultdict(Fraction)
        for at, sign in ((0, -1), (1, 1)):
            for (tier, is_batch), share in self._shares(at).items():
                grown["batch" if is_batch else tier] += sign * share
        return grown

    def requests_in(self, more: int, moved: int) -> Fraction:
        """How many there are when only the one, only the other, both or neither has happened."""
        return self.requests[0] + more * self.more + moved * self.moved

    def table(self) -> tuple[list[int], int]:
        """The cost in each coalition of factors, as whole numbers over one denominator."""
        below = math.lcm(*(each.denominator for each in (*self._input.values(), *self._output.values())))
        inputs = {key: each.numerator * (below // each.denominator) for key, each in self._input.items()}
        outputs = {key: each.numerator * (below // each.denominator) for key, each in self._output.items()}
        asked = {key: self.requests_in(*key) for key in product((0, 1), repeat=2)}
        under = math.lcm(*(each.denominator for each in asked.values()))
        counts = {key: each.numerator * (under // each.denominator) for key, each in asked.items()}
        costs = [
            counts[more, moved] * (inputs[input_, cache, tier, price] + outputs[output, tier, price])
            for more, moved, input_, output, cache, tier, price in _COALITIONS
        ]
        return costs, below * under

    def _costs(self) -> tuple[dict[_State, Fraction], dict[_State, Fraction]]:
        """What one request costs for its input and its output, with each factor before and now."""
        paid: dict[_State, Fraction] = {
            (kind, tier, price): sum(
                (
                    share * self._sides[price].rates[name][kind]
                    for share, name in zip(self._served[tier][kind], self._tiers, strict=True)
                    if share
                ),
                _ZERO,
            )
            for kind in self._kinds
            for tier, price in product((0, 1), repeat=2)
        }
        inputs, outputs = [[kind for kind in self._kinds if _MATTER_OF[kind] in side] for side in (_INPUT, _OUTPUT)]
        # What one token of each matter comes to with its cache, tier and price as they were or are.
        mixed: dict[_State, Fraction] = {
            (kind, cache, tier, price): self._composed[cache][kind] * paid[kind, tier, price]
            for kind in self._kinds
            for cache, tier, price in product((0, 1), repeat=3)
        }
        # One request: what goes in and what comes out of it.
        asked: dict[_State, Fraction] = {
            key: sum((self._each[key[0]][_MATTER_OF[kind]] * mixed[kind, *key[1:]] for kind in inputs), _ZERO)
            for key in product((0, 1), repeat=4)
        }
        answered: dict[_State, Fraction] = {
            key: sum((self._each[key[0]][_MATTER_OF[kind]] * paid[kind, *key[1:]] for kind in outputs), _ZERO)
            for key in product((0, 1), repeat=3)
        }
        return asked, answered

    @staticmethod
    def _length(side: Side, kinds: Sequence[int]) -> Fraction:
        return Fraction(side.of_kinds(kinds), side.requests) if side.requests else _ZERO

    def _part_of_matter(self, sides: Sequence[Side], at: int, kind: int) -> Fraction:
        """How much of its matter a kind is; where none went in, as in the other period."""
        kinds = _MATTERS[_MATTER_OF[kind]]
        for side in (sides[at], sides[1 - at]):
            whole = side.of_kinds(kinds)
            if whole:
                return Fraction(side.of_kind(kind), whole)
        return _ZERO

    def _by_tier(self, sides: Sequence[Side], at: int, kind: int) -> list[Fraction]:
        """How a kind's tokens were served; where there were none, as all the model's were then, or are at all."""
        every = range(len(RATES))
        for side, kinds in ((sides[at], (kind,)), (sides[at], every), (sides[1 - at], every)):
            whole = side.of_kinds(kinds)
            if whole:
                none = [0] * len(RATES)
                counts = (side.tokens.get(tier, none) for tier in self._tiers)
                return [Fraction(sum(tokens[each] for each in kinds), whole) for tokens in counts]
        return [_ZERO] * len(self._tiers)

    def _shares(self, at: int) -> dict[Tier, Fraction]:
        side = self._sides[at] if self._sides[at].requests else self._sides[1 - at]
        whole = side.of_kinds(range(len(RATES)))
        return {tier: Fraction(sum(tokens), whole) for tier, tokens in side.tokens.items()} if whole else {}


def changes(unit: ModelUse) -> list[Fraction]:
    """What each of FACTORS changed of a model's cost: they add up to the difference exactly."""
    costs, below = unit.table()
    parts = [0] * _COUNT
    for mask in range(1 << _COUNT):
        weight = _WEIGHTS[bits] if (bits := mask.bit_count()) < _COUNT else 0
        for factor in range(_COUNT):
            if not mask >> factor & 1:
                parts[factor] += weight * (costs[mask | 1 << factor] - costs[mask])
    return [Fraction(part, 420 * below) for part in parts]


def tokens_cost(
    now: Sequence[UsageGroup],
    before: Sequence[UsageGroup],
    prices: PriceList,
    ends: tuple[date, date],
    share_before: Fraction,
) -> tuple[list[ModelUse], dict[str, tuple[Fraction, Fraction]]]:
    """One project's models in both periods, and what else it used: by endpoint, the atto-dollars now and before.

    `ends` are the days after both periods; prices are looked up on their last. A model that tells tokens but no
    requests says nothing about a request, and is left out.
    """
    groups = (merged(before), merged(now))
    pricing = Pricing(prices, (ends[1] - timedelta(days=1), ends[0] - timedelta(days=1)), groups)
    models: dict[tuple[str, str], tuple[Side, Side]] = {}
    tools: dict[str, list[Fraction]] = defaultdict(lambda: [_ZERO, _ZERO])
    for at in (0, 1):
        for group in groups[at].values():
            sides = models.setdefault(group[:2], (Side(), Side()))
            tier = (group.service_tier, group.is_batch)
            sides[at].requests += group.requests
            kinds = kinds_of(group)
            if any(kinds):
                sides[at].tokens[tier] = kinds
            rest = pricing.rest(group, at)
            if rest:
                tools[group.endpoint][1 - at] += rest * (1 if at else share_before)
    by_endpoint: dict[str, list[ModelUse]] = defaultdict(list)
    for (endpoint, model), sides in models.items():
        for side in sides:
            if not side.requests:
                side.tokens.clear()
        tiers = {*sides[0].tokens, *sides[1].tokens}
        if tiers:
            for at in (0, 1):
                sides[at].rates = {tier: pricing.rates(endpoint, model, tier, at) for tier in tiers}
            by_endpoint[endpoint].append(ModelUse(endpoint, model, sides, share_before))
    for units in by_endpoint.values():
        _tell_apart(units)
    return [unit for units in by_endpoint.values() for unit in units], {
        name: (each[0], each[1]) for name, each in tools.items()
    }


def _tell_apart(units: Sequence[ModelUse]) -> None:
    """Tell requests that are more or fewer in all from those that went to another model instead.

    As many as some models lost while others gained have moved; the rest came or went where the counts did.
    """
    gained = sum((max(unit.requests[1] - unit.requests[0], _ZERO) for unit in units), _ZERO)
    lost = sum((max(unit.requests[0] - unit.requests[1], _ZERO) for unit in units), _ZERO)
    moved = min(gained, lost)
    for unit in units:
        change = unit.requests[1] - unit.requests[0]
        whole = gained if change > 0 else lost
        unit.moved = change * moved / whole if whole else _ZERO
        unit.more = change - unit.moved
