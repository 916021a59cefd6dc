"""Turns: from an hour on, an application is built otherwise: another model answers, or prompts come from the cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from demo.trace import NOTHING, Usage

HUNDRED = 100


class Turn(NamedTuple):
    """From the hour `since` (counted from 1970) on, `percent` of what is asked goes another way.

    To `to_model`, away from `from_model`; or, where no model is named, of the uncached input to the cache.
    """

    application: str
    since: int
    percent: int
    from_model: str = ""
    to_model: str = ""


def turned(hour: int, asked: Mapping[str, Usage], turns: Iterable[Turn]) -> dict[str, Usage]:
    """What an application asks of each model in an hour once its turns, in their order, are taken.

    Nothing is lost on the way: what one model is asked less, the other is asked more, to the token.
    """
    found = dict(asked)
    for turn in turns:
        if hour < turn.since:
            continue
        if turn.to_model:
            moved = found.get(turn.from_model, NOTHING).scaled(turn.percent, HUNDRED)
            found[turn.from_model] = found.get(turn.from_model, NOTHING).minus(moved)
            found[turn.to_model] = found.get(turn.to_model, NOTHING).plus(moved)
        else:
            found = {model: _cached(usage, turn.percent) for model, usage in found.items()}
    return found


def _cached(usage: Usage, percent: int) -> Usage:
    hit = usage.uncached * percent // HUNDRED
    return usage._replace(uncached=usage.uncached - hit, cached=usage.cached + hit)
