"""What a cost on Home bought, with what that rests on: how many successes, and how much of the calls."""

from __future__ import annotations

from blocks import value
from finops.value import ValueFigure, ValueSource
from locales import Translator


def lines(figure: ValueFigure, t: Translator) -> list[str]:
    """How many successes, what one of them cost and between what, then how much of the calls they are; plain text."""
    each = value.per_success(figure, t)
    if figure.source is not ValueSource.EVENTS or each is None:
        return [value.cell(figure, t)]
    return [f"{value.successes(figure, t)} · {each}", *coverage(figure, t)]


def coverage(figure: ValueFigure, t: Translator) -> list[str]:
    """How much of what the provider saw was recorded, where that is known and not all of it; one or none."""
    told = value.basis(figure, t) or value.coverage(figure, t)
    return [told] if told else []
