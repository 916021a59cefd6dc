"""Value in words: what the money bought, said beside every cost."""

from __future__ import annotations

from finops.value import ValueFigure
from locales import Translator


def line(figure: ValueFigure, t: Translator) -> str:
    """The value of a scope in one line of plain text (escape it for mrkdwn): successes and what one of them cost."""
    raise NotImplementedError


def cell(figure: ValueFigure, t: Translator) -> str:
    """The same for a cell of a table: what one success cost, the ratings, or that nothing is recorded."""
    raise NotImplementedError
