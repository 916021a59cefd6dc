"""Estimates: usage times price, held against the bill each morning and corrected by what that taught."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, reduce

from finops.charges import Charge, FigureState
from finops.frozen import frozen
from finops.money import ATTO_PLACES, EXACT, Money

TRAILING_DAYS = 14
SAMPLE_DAYS = 2 * TRAILING_DAYS
"""So many days of samples tell a drift: each day is corrected by what the trailing days before it had taught."""
LEAST_RATIO, MOST_RATIO = Decimal("0.5"), Decimal(2)
# What an estimate may be wrong by as long as no bill has told otherwise, and what it may be at the very best.
MARGIN_UNMEASURED, LEAST_MARGIN, MOST_MARGIN = Decimal("0.2"), Decimal("0.01"), Decimal("0.5")
_ATTO = Decimal(1).scaleb(-ATTO_PLACES)
_RATIO_UNIT = Decimal("1e-9")


@frozen
class DriftSample:
    """One day of one project and model: what we estimated from usage and list prices (uncorrected), what was billed.

    Model '' holds what cannot be told by model: tools, storage, and names that only one side knows.
    """

    day: date
    sub_account_id: str
    model: str
    estimated: Decimal
    billed: Decimal


class CorrectionBasis(StrEnum):
    """Where a correction comes from: this model in this project, this model anywhere, or nowhere yet."""

    PROJECT = "project"
    MODEL = "model"
    NONE = "none"


@frozen
class Correction:
    """What to multiply an estimate by, from 0.5 to 2; `days` is how many days taught it."""

    ratio: Decimal
    days: int
    basis: CorrectionBasis

    def __post_init__(self) -> None:
        if not LEAST_RATIO <= self.ratio <= MOST_RATIO:
            raise ValueError(f"a correction is from {LEAST_RATIO} to {MOST_RATIO}, not {self.ratio}")

    def apply(self, estimate: Decimal) -> Decimal:
        """The corrected estimate, rounded half-even to 18 decimals as amounts are kept."""
        return EXACT.multiply(estimate, self.ratio).quantize(_ATTO, None, EXACT)


UNCORRECTED = Correction(Decimal(1), 0, CorrectionBasis.NONE)


@frozen
class Corrections:
    """The corrections of one connection that hold on one day."""

    by_project: Mapping[tuple[str, str], Correction]
    by_model: Mapping[str, Correction]

    def of(self, sub_account_id: str, model: str) -> Correction:
        """The correction for a project's model, as usage names it: its own, else the model's anywhere, else none."""
        key = model_key(model)
        return self.by_project.get((sub_account_id, key)) or self.by_model.get(key) or UNCORRECTED


@frozen
class Drift:
    """How far estimates lay from the bill over `days` days, before and after correction (as it stood each morning).

    `worst_ratio` is the largest distance of one corrected day from its bill: 0.03 is 3 per cent.
    """

    days: int
    estimated: Decimal
    corrected: Decimal
    billed: Decimal
    worst_ratio: Decimal

    @property
    def ratio(self) -> Decimal | None:
        """By how much the uncorrected estimate was too high (0.008 is 0.8 per cent; negative: too low)."""
        return _over(self.estimated, self.billed)

    @property
    def corrected_ratio(self) -> Decimal | None:
        """By how much the corrected estimate was too high."""
        return _over(self.corrected, self.billed)


@frozen
class Spent:
    """What a scope has spent in a period so far. `estimated` is the part of `amount` that is our own estimate.

    `unpriced` when some usage has no price, so that more was spent than `amount` says. An estimate may be wrong by
    `drift_margin` of itself (0.05 is 5 per cent). `as_of` is until when we know; None when we know nothing.
    """

    amount: Money
    state: FigureState
    as_of: datetime | None
    estimated: Money
    unpriced: bool
    drift_margin: Decimal

    def __post_init__(self) -> None:
        if self.estimated.currency != self.amount.currency:
            raise ValueError("a part of an amount is of the same currency")
        if self.drift_margin < 0:
            raise ValueError(f"a margin is not below zero: {self.drift_margin}")
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise ValueError("what is known is known as of an aware time")


@frozen
class LineItem:
    """A line of a bill taken apart: "priority | gpt-5.6-sol, output, long context". '' where it does not say.

    `kind` is in small letters: input, cached input, image output, tool, storage, credit, product, …
    """

    model: str
    kind: str
    prefix: str
    suffix: str


# As the last part of a line item: what was counted. Anything else there is taken as it is spelled.
_KINDS = frozenset(("input", "cached input", "cache writes", "cache write", "output", "audio", "images"))
_MODALITIES = ("audio", "image", "text", "video")
_CREDIT = frozenset(("credit", "credits", "discount", "grant", "refund"))
_TOOL = frozenset(("call", "calls", "interpreter", "search", "session", "sessions", "tool", "tools"))
# How a request was served; usage tells it too, so these lines belong to the model's own usage. Others ("evals") do not.
_TIERS = frozenset(("", "batch", "default", "fast", "flex", "priority", "scale", "standard"))
_MODEL = re.compile(r"\S*\d\S*|\S+-(?:latest|preview)")
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


@lru_cache(maxsize=4096)
def split_line_item(line_item: str | None) -> LineItem:
    """Take a line item apart; whatever is not a model of its own (tools, storage, credits) has the model ''."""
    before, _, rest = (line_item or "").rpartition("|")
    prefix = " | ".join(part.strip() for part in before.casefold().split("|"))
    parts = [part.strip() for part in rest.split(",")]
    if len(parts) == 1:
        return _whole(parts[0], prefix)
    kinds = [_kind(part) for part in parts]
    # A name may hold commas, and something may follow the kind: the last part that we know decides, else the second.
    at = next((n for n in range(len(parts) - 1, 0, -1) if kinds[n] in _KINDS), 1)
    model, _, modality = ", ".join(parts[:at]).rpartition(" ")
    if not model or modality.casefold() not in _MODALITIES:
        return LineItem(", ".join(parts[:at]), kinds[at], prefix, ", ".join(parts[at + 1 :]).casefold())
    return LineItem(model, f"{modality.casefold()} {kinds[at]}", prefix, ", ".join(parts[at + 1 :]).casefold())


def _whole(text: str, prefix: str) -> LineItem:
    """A line item without a comma: a kind, a model alone, or the name of something that is no model."""
    words = frozenset(text.casefold().split())
    if _kind(text) in _KINDS:
        return LineItem("", _kind(text), prefix, "")
    if _MODEL.fullmatch(text):
        return LineItem(text, "", prefix, "")
    kinds = (("credit", words & _CREDIT), ("storage", words & {"storage"}), ("tool", words & _TOOL), ("product", words))
    return LineItem("", next((kind for kind, found in kinds if found), ""), prefix, "")


def _kind(part: str) -> str:
    return part.casefold().replace("_", " ").removesuffix(" tokens")


def model_key(model: str) -> str:
    """A model's name as bills and usage are matched by: small letters, every tuning of one base model together.

    Usage says "ft:gpt-4o-2024-08-06:acme::id", the bill "ft-gpt-4o-2024-08-06".
    """
    key = model.strip().casefold()
    return "ft-" + key.split(":")[1] if key.startswith("ft:") else key


# By project and model, and by model over all projects (None): estimated and billed.
_Key = tuple[str | None, str]
_Pair = tuple[Decimal, Decimal]
_NOTHING: _Pair = (Decimal(0), Decimal(0))


def _by_day(samples: Iterable[DriftSample], today: date, days: int) -> dict[date, dict[_Key, _Pair]]:
    """The samples of the `days` before today, summed by day. '' is a mixture: it has no sum by model."""
    first = today - timedelta(days=days)
    found: defaultdict[date, dict[_Key, _Pair]] = defaultdict(dict)
    for sample in samples:
        if first <= sample.day < today:
            sums, amounts = found[sample.day], (sample.estimated, sample.billed)
            keys: tuple[_Key, ...] = ((sample.sub_account_id, sample.model), (None, sample.model))
            for key in keys if sample.model else keys[:1]:
                before = sums.get(key)
                sums[key] = amounts if before is None else _added(before, amounts)
    return found


def _added(one: _Pair, other: _Pair) -> _Pair:
    return EXACT.add(one[0], other[0]), EXACT.add(one[1], other[1])


class _Trail:
    """The sums of a window of days; days come in and go out again, exactly."""

    def __init__(self) -> None:
        self._sums: dict[_Key, tuple[_Pair, int]] = {}

    def enter(self, day: Mapping[_Key, _Pair]) -> None:
        for key, amounts in day.items():
            sums, days = self._sums.get(key, (_NOTHING, 0))
            self._sums[key] = (_added(sums, amounts), days + 1)

    def leave(self, day: Mapping[_Key, _Pair]) -> None:
        for key, (estimated, billed) in day.items():
            sums, days = self._sums[key]
            self._sums[key] = ((EXACT.subtract(sums[0], estimated), EXACT.subtract(sums[1], billed)), days - 1)

    def ratio(self, key: _Key) -> tuple[Decimal, int] | None:
        """What to multiply by and how many days say so; None while nothing was estimated, or of a mixture."""
        (estimated, billed), days = self._sums.get(key, (_NOTHING, 0))
        if estimated <= 0 or not key[1]:
            return None
        ratio = EXACT.divide(billed, estimated).quantize(_RATIO_UNIT, None, EXACT)
        return min(max(ratio, LEAST_RATIO), MOST_RATIO), days

    def corrections(self) -> Corrections:
        by_project: dict[tuple[str, str], Correction] = {}
        by_model: dict[str, Correction] = {}
        for key in self._sums:
            found, (sub_account_id, model) = self.ratio(key), key
            if found is None:
                continue
            if sub_account_id is None:
                by_model[model] = Correction(*found, CorrectionBasis.MODEL)
            else:
                by_project[sub_account_id, model] = Correction(*found, CorrectionBasis.PROJECT)
        return Corrections(by_project, by_model)


def corrections(samples: Iterable[DriftSample], today: date) -> Corrections:
    """What the 14 days before `today` teach about one connection: the sum billed by the sum estimated, from 0.5 to 2.

    Model '' is a mixture and stays uncorrected. A million samples take seconds: keep the result for the day.
    """
    trail = _Trail()
    for day in _by_day(samples, today, TRAILING_DAYS).values():
        trail.enter(day)
    return trail.corrections()


def compare(
    estimates: Mapping[tuple[str, str], Decimal], charges: Iterable[Charge], day: date, currency: str = "USD"
) -> list[DriftSample]:
    """Hold the uncorrected estimates of one day, by (sub-account id, model), against that day's charges.

    Models are named by `model_key`. The samples' estimates add up to the given ones exactly, and so do the charges but
    for credits (a gift is no error of ours) and other currencies. A model that only one side knows is put to ''.
    """
    estimated: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    billed: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for (sub_account_id, model), amount in estimates.items():
        _add(estimated[sub_account_id], model_key(model), amount)
    for charge in charges:
        item = split_line_item(charge.sku_id)
        if charge.charge_day == day and charge.billing_currency == currency and item.kind != "credit":
            own = all(part in _TIERS for part in item.prefix.split(" | "))
            _add(billed[charge.sub_account_id or ""], model_key(item.model) if own else "", charge.billed_cost)
    samples = []
    for sub_account_id in sorted({*estimated, *billed}):
        ours, theirs = estimated[sub_account_id], _named_as(billed[sub_account_id], estimated[sub_account_id])
        both = (ours.keys() & theirs.keys()) - {""}
        samples += [DriftSample(day, sub_account_id, model, ours[model], theirs[model]) for model in sorted(both)]
        rest = [_sum(each[model] for model in each.keys() - both) for each in (ours, theirs)]
        if any(rest):
            samples.append(DriftSample(day, sub_account_id, "", *rest))
    return samples


def _named_as(billed: Mapping[str, Decimal], estimated: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The bill by the names usage has: "gpt-4o" is "gpt-4o-2024-08-06" where there is only one it can be."""
    undated: defaultdict[str, list[str]] = defaultdict(list)
    for model in estimated.keys() - billed.keys():
        undated[_DATED.sub("", model)].append(model)
    named: dict[str, Decimal] = {}
    for model, amount in billed.items():
        found = [] if model in estimated else undated[_DATED.sub("", model)]
        _add(named, found[0] if len(found) == 1 else model, amount)
    return named


def _add(amounts: dict[str, Decimal], key: str, amount: Decimal) -> None:
    amounts[key] = EXACT.add(amounts.get(key, Decimal(0)), amount)


def drift(samples: Iterable[DriftSample], today: date) -> Drift | None:
    """How far estimates of the 14 days before `today` lay from the bill; None without any.

    Give SAMPLE_DAYS of them: each day is corrected by what the 14 days before it had taught.
    """
    by_day = _by_day(samples, today, SAMPLE_DAYS)
    trail = _Trail()
    days: list[tuple[Decimal, Decimal, Decimal]] = []
    for ago in range(SAMPLE_DAYS, 0, -1):
        day = today - timedelta(days=ago)
        if ago <= TRAILING_DAYS and day in by_day:
            days.append(_day_drift(by_day[day], trail))
        trail.enter(by_day.get(day, {}))
        trail.leave(by_day.get(day - timedelta(days=TRAILING_DAYS), {}))
    if not days:
        return None
    estimated, corrected, billed = (_sum(day[n] for day in days) for n in range(3))
    distances = (_over(corrected, billed) for _, corrected, billed in days)
    worst = max((distance.copy_abs() for distance in distances if distance is not None), default=Decimal(0))
    return Drift(len(days), estimated, corrected, billed, worst)


def _day_drift(day: Mapping[_Key, _Pair], known: _Trail) -> tuple[Decimal, Decimal, Decimal]:
    estimated = corrected = billed = Decimal(0)
    for key, amounts in day.items():
        if key[0] is not None:
            ratio, _ = known.ratio(key) or known.ratio((None, key[1])) or (Decimal(1), 0)
            estimated = EXACT.add(estimated, amounts[0])
            corrected = EXACT.add(corrected, EXACT.multiply(amounts[0], ratio))
            billed = EXACT.add(billed, amounts[1])
    return estimated, corrected, billed


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


def drift_margin(measured: Drift | None) -> Decimal:
    """What an estimate may be wrong by: its worst corrected day, 0.01 at least and 0.5 at most; unmeasured 0.2."""
    if measured is None:
        return MARGIN_UNMEASURED
    return min(max(measured.worst_ratio, LEAST_MARGIN), MOST_MARGIN)


def _over(estimated: Decimal, billed: Decimal) -> Decimal | None:
    return EXACT.divide(EXACT.subtract(estimated, billed), billed) if billed > 0 else None
