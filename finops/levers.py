"""Levers: what a provider lets us do about a project's spending, gentlest first, and the settings behind each.

A lever is a few named settings of the provider (its parts). What they were before is kept, so that letting go puts
back exactly that; a part that was not set at all (None) is removed again, never replaced by a big number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from statistics import median_high

from finops.frozen import frozen
from finops.money import EXACT
from finops.usage import MINUTES_PER_DAY

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
Parts = Mapping[str, Json]
"""A lever's settings at the provider by name; None: not set there at all."""

# A model is cheap when it costs at most this share of the dearest one that the project uses.
_CHEAP_SHARE = Decimal("0.25")


class Lever(StrEnum):
    """Gentlest first: calls held at the usual pace, only cheap models, no calls at all."""

    SLOW = "slow"
    CHEAP = "cheap"
    STOP = "stop"


@frozen
class LeverReading:
    """A lever as it stands at the provider. `is_enforcing`: it says it refuses calls now; None: it does not say."""

    parts: Parts
    is_enforcing: bool | None = None


@frozen
class LeverWish:
    """What a lever needs to know to be set: the usual pace of calls a minute by model, and the models that stay."""

    pace: Mapping[str, int]
    models: tuple[str, ...] = ()


def next_lever(lever: Lever) -> Lever | None:
    """The next firmer one, offered when this one did not end the spending; None: by hand at the provider only."""
    order = list(Lever)
    following = order.index(lever) + 1
    return order[following] if following < len(order) else None


def usual_pace(calls: Mapping[int, int]) -> int:
    """Calls a minute on a usual day, rounded up; `calls` are those of each hour with any, by its first epoch minute.

    That is the pace of the middle day, of two the faster: the day of an earlier runaway is not "usual". There must be
    one hour at least.
    """
    days: dict[int, list[int]] = defaultdict(list)
    for start, count in calls.items():
        days[start // MINUTES_PER_DAY].append(count)
    return median_high(-(-sum(hours) // (60 * len(hours))) for hours in days.values())


def cheap_models(cost_per_call: Mapping[str, Decimal]) -> tuple[str, ...]:
    """The models that stay with "cheap models only": at most a quarter of the dearest one's cost a call, and always
    the cheapest; in order of name. Empty where there is no choice: fewer than two models, or all cost the same."""
    known = {model: cost for model, cost in cost_per_call.items() if cost > 0}
    if len(known) < 2 or min(known.values()) == max(known.values()):
        return ()
    most = EXACT.multiply(max(known.values()), _CHEAP_SHARE)
    cheapest = min(known, key=lambda model: (known[model], model))
    return tuple(sorted({cheapest, *(model for model, cost in known.items() if cost <= most)}))


def changed_parts(parts: Parts, present: Parts) -> Sequence[str]:
    """The names of those parts that stand otherwise at the provider, in order."""
    return [name for name, value in parts.items() if present.get(name) != value]
