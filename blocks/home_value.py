"""What a cost on Home bought, with what that rests on: how many successes, and how much of the calls."""

from __future__ import annotations

from blocks import value
from finops.value import ValueFigure, ValueSource
from locales import Translator


def lines(figure: ValueFigure, t: Translator) -> list[str]:
    """The cost of a success, then how many there were and how much of the calls they speak for; plain text."""
    if figure.source is not ValueSource.EVENTS or figure.cost_per_success is None:
        return [value.cell(figure, t)]
    amount = t.gettext("{amount} a success", amount=value.each(figure.cost_per_success, t))
    return [amount, " · ".join([value.successes(figure, t), *coverage(figure, t)])]


def coverage(figure: ValueFigure, t: Translator) -> list[str]:
    """How much of what the provider saw was recorded, where that is known and not all of it; one or none."""
    told = value.basis(figure, t) or value.coverage(figure, t)
    return [told] if told else []
