"""Line items by axis: what kind of thing each name on a bill stands for, by rules; what no rule knows is unmapped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from finops.axes import BESIDE, Axes, Axis, AxisShare
from finops.estimates import split_line_item
from finops.money import EXACT, Money, rounded_parts, total

# What the field calls usual, as shares of a bill.
TYPICAL = {
    Axis.INPUT: (Decimal("0.40"), Decimal("0.60")),
    Axis.OUTPUT: (Decimal("0.20"), Decimal("0.30")),
    Axis.EMBEDDING: (Decimal("0.05"), Decimal("0.15")),
    Axis.TOOLS: (Decimal("0.05"), Decimal("0.10")),
    Axis.STORAGE: (Decimal("0.05"), Decimal("0.10")),
}
_RATIO_PLACES = 3
_INPUT_KINDS = ("input", "cache write", "cache writes")
# Making a model one's own; using it afterwards ("ft-gpt-4o, input") is input and output like any other.
_TRAINED = frozenset(("training", "tuning", "fine-tuning", "finetuning"))
# Compute that is bought by the session or the hour.
_COMPUTE = frozenset(("code", "container", "containers", "interpreter", "session", "sessions"))
_STORED = frozenset(("storage", "vector", "stored"))
_CALLED = frozenset(("call", "calls", "search", "tool", "tools"))
# Models that are billed by what they make or by what they hear, whatever the name of the line is.
_MAKES, _HEARS = ("dall-e", "gpt-image", "sora", "tts"), ("whisper", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")


@lru_cache(maxsize=4096)
def axis_of(line_item: str | None) -> Axis:
    """What a line item is for. A name that does not say (a product, a model alone, a credit) is UNMAPPED."""
    item = split_line_item(line_item)
    model, kind = item.model.casefold(), item.kind
    words = frozenset((line_item or "").casefold().replace("|", " ").replace(",", " ").split())
    if kind == "credit":
        return Axis.UNMAPPED
    if words & _TRAINED:
        return Axis.TRAINING
    if "embedding" in model or "embeddings" in words:
        return Axis.EMBEDDING
    if kind.endswith("output"):
        return Axis.OUTPUT
    if kind.endswith(_INPUT_KINDS):
        return Axis.INPUT
    if not model or kind not in ("", "audio", "images"):
        return _by_words(words)
    if kind == "images" or model.startswith(_MAKES):
        return Axis.OUTPUT
    return Axis.INPUT if kind == "audio" and model.startswith(_HEARS) else _by_words(words)


def _by_words(words: frozenset[str]) -> Axis:
    if words & _COMPUTE or (words & _STORED and not words & {"search"}):
        return Axis.STORAGE
    return Axis.TOOLS if words & _CALLED else Axis.UNMAPPED


def axes_of(lines: Iterable[tuple[str | None, Money]], currency: str = "USD") -> Axes:
    """The lines of a bill, all of one currency, by axis: each of the five, and what is none of them where there is any.

    A credit makes the whole smaller, but is no kind of thing one pays for: the ratios are shares of what was charged,
    and an axis below zero has none.
    """
    by_axis: dict[Axis, list[Money]] = defaultdict(list)
    for name, amount in lines:
        by_axis[axis_of(name)].append(amount)
    amounts = {axis: total(by_axis[axis], currency) for axis in Axis}
    charged = [axis for axis in Axis if amounts[axis].amount > 0]
    whole = total((amounts[axis] for axis in charged), currency)
    exact = [EXACT.divide(amounts[axis].amount, whole.amount) for axis in charged]
    ratios = dict(zip(charged, rounded_parts(exact, _RATIO_PLACES), strict=True))
    zero = Decimal(0) if charged else None
    return Axes(
        shares=tuple(
            AxisShare(
                axis=axis,
                amount=amounts[axis],
                ratio=ratios.get(axis, zero if not amounts[axis] else None),
                typical=TYPICAL.get(axis),
            )
            for axis in Axis
            if axis not in BESIDE or by_axis[axis]
        ),
        total=total(amounts.values(), currency),
    )
