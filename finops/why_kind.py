"""The cause in one word, by a rule that anybody can check; docs/why.md publishes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finops.money import EXACT, Money
from finops.why import Beside, Factor, WhyKind, WhyPart

RETRY_LOOP_REQUESTS = Decimal(3)
SAME_LENGTH = (Decimal("0.8"), Decimal("1.2"))
# A difference is nothing to speak of while it is both less than a tenth and less than a dollar.
UNCHANGED_RATIO, UNCHANGED_AMOUNT = Decimal("0.1"), Decimal(1)
# Of what usage covers less than half of, only the whole can be told.
LEAST_COVERED = Decimal("0.5")

# The mean cost of a request moved beyond these: requests alone no longer say how the cost did.
SAME_COST_EACH = (Decimal("0.9"), Decimal("1.1"))

LENGTHS = (Factor.INPUT_LENGTH, Factor.OUTPUT_LENGTH)
# What moves a cost beside requests and the mix of models, and the causes that are requests.
_OTHERS = (*LENGTHS, Factor.CACHE, Factor.TIER, Factor.PRICE, Factor.TOOLS)
_BY_REQUESTS = (WhyKind.RETRY_LOOP, WhyKind.MORE_TRAFFIC, WhyKind.LESS_TRAFFIC)
_TOLD = Context(prec=12, rounding=ROUND_HALF_EVEN)
_UP: Mapping[Factor, WhyKind] = {
    Factor.REQUESTS: WhyKind.MORE_TRAFFIC,
    Factor.INPUT_LENGTH: WhyKind.LONGER_PROMPTS,
    Factor.OUTPUT_LENGTH: WhyKind.LONGER_ANSWERS,
    Factor.MODEL_MIX: WhyKind.DEARER_MODEL,
    Factor.CACHE: WhyKind.LOST_CACHE,
    Factor.TIER: WhyKind.DEARER_TIER,
    Factor.PRICE: WhyKind.DEARER_PRICE,
    Factor.TOOLS: WhyKind.MORE_TOOLS,
}
_DOWN: Mapping[Factor, WhyKind] = {
    Factor.REQUESTS: WhyKind.LESS_TRAFFIC,
    Factor.INPUT_LENGTH: WhyKind.SHORTER_PROMPTS,
    Factor.OUTPUT_LENGTH: WhyKind.SHORTER_ANSWERS,
    Factor.MODEL_MIX: WhyKind.CHEAPER_MODEL,
    Factor.CACHE: WhyKind.GAINED_CACHE,
    Factor.TIER: WhyKind.CHEAPER_TIER,
    Factor.PRICE: WhyKind.CHEAPER_PRICE,
    Factor.TOOLS: WhyKind.FEWER_TOOLS,
}


def kind_of(
    now: Money, before: Money, parts: Iterable[WhyPart], covered: Decimal | None, unread: Decimal = Decimal(0)
) -> WhyKind:
    """The first of these that holds: begun, ended, unchanged, unknown, retry loop; else what the largest part says.

    Only parts that point where the difference does name it. What went in and what came out of a request are
    weighed as one, its length, and the larger of the two names it. Of equal parts, the first. `unread` is what was
    billed, in the period that cost less, beyond what its usage tells.
    """
    difference = (now - before).amount
    if before.amount <= 0 < now.amount:
        return WhyKind.BEGUN
    if now.amount <= 0 < before.amount:
        return WhyKind.ENDED
    is_small = abs(difference) < EXACT.multiply(abs(before.amount), UNCHANGED_RATIO)
    if not difference or (is_small and abs(difference) < UNCHANGED_AMOUNT):
        return WhyKind.UNCHANGED
    if covered is None or covered < LEAST_COVERED:
        return WhyKind.UNKNOWN
    by_factor = {part.factor: part for part in parts}
    main = _main(by_factor, 1 if difference > 0 else -1)
    if main is None or main.factor is Factor.UNEXPLAINED or _is_taken_back(main, by_factor, unread):
        return WhyKind.UNKNOWN
    if difference > 0 and main.factor is Factor.REQUESTS and _is_a_loop(main, by_factor):
        return WhyKind.RETRY_LOOP
    return _named(main, is_rise=difference > 0)


def beside_of(kind: WhyKind, now: Money, before: Money, parts: Iterable[WhyPart], mix: WhyPart | None) -> Beside | None:
    """What is to be said beside requests as a cause: where the mean cost of a request moved, what moved it most.

    `mix` is by how much another mix of models, of all requests, moved the cost. None where requests and cost moved
    alike, and where the requests told are one model's: nobody holds those against the whole.
    """
    by_factor = {part.factor: part for part in parts}
    requests = by_factor.get(Factor.REQUESTS)
    if kind not in _BY_REQUESTS or requests is None or requests.subject is not None or not requests.change:
        return None
    change = EXACT.divide(EXACT.divide(now.amount, before.amount), requests.change)
    least, most = SAME_COST_EACH
    if least <= change <= most:
        return None
    others = {factor: part for factor, part in by_factor.items() if factor in _OTHERS}
    main = _main(others | ({Factor.MODEL_MIX: mix} if mix is not None else {}), 1 if change > 1 else -1)
    change = _TOLD.plus(change)
    return Beside(change) if main is None else Beside(change, _named(main, is_rise=change > 1), main)


def _named(main: WhyPart, *, is_rise: bool) -> WhyKind:
    """What a part of a rise, or of a fall, is called."""
    if main.factor is Factor.TIER and main.before is not None and main.now is not None:
        if is_rise and main.now < main.before:
            return WhyKind.BATCH_OFF
        if not is_rise and main.before < main.now:
            return WhyKind.BATCH_ON
    return (_UP if is_rise else _DOWN)[main.factor]


def _main(parts: Mapping[Factor, WhyPart], sign: int) -> WhyPart | None:
    """The part that says most about a difference of that sign."""
    towards = {factor: part.amount.amount * sign for factor, part in parts.items()}
    length = sum((towards.get(factor, Decimal(0)) for factor in LENGTHS), Decimal(0))
    weights = {factor: length if factor in LENGTHS else weight for factor, weight in towards.items() if weight > 0}
    main = max(weights, key=lambda factor: (weights[factor], towards[factor]), default=None)
    return None if main is None else parts[main]


def _is_taken_back(main: WhyPart, parts: Mapping[Factor, WhyPart], unread: Decimal) -> bool:
    """Whether usage that was never read takes back more than half of what would name the difference.

    Before a first connection usage is not read as far back as bills are: few of the earlier days held against all of
    the later ones are six times the requests, for a bill that is the same. A credit is no such thing.
    """
    untold = parts.get(Factor.UNEXPLAINED)
    if untold is None or (untold.amount.amount > 0) is (main.amount.amount > 0):
        return False
    return 2 * min(abs(untold.amount.amount), unread) > abs(main.amount.amount)


def tokens_each(parts: Mapping[Factor, WhyPart], *, now: bool) -> Decimal | None:
    """Tokens of a request, what went in and what came out; None where nothing tells."""
    lengths = [parts.get(factor) for factor in LENGTHS]
    values = [part.now if now else part.before for part in lengths if part is not None]
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def length_change(parts: Mapping[Factor, WhyPart]) -> Decimal | None:
    """How much longer each request is, by model, like with like: 1 is as long as ever."""
    before, now = tokens_each(parts, now=False), tokens_each(parts, now=True)
    return EXACT.divide(now, before) if now is not None and before else None


def _is_a_loop(requests: WhyPart, parts: Mapping[Factor, WhyPart]) -> bool:
    length = length_change(parts)
    if requests.change is None or length is None:
        return False
    least, most = SAME_LENGTH
    return requests.change >= RETRY_LOOP_REQUESTS and least <= length <= most
