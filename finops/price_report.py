"""Unit prices as people ask for them: what each model costs, since when, and what it cost before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from finops.frozen import frozen
from finops.prices import PriceList, RateCard

_DAY = timedelta(days=1)
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class Kind(NamedTuple):
    """One way of using a model: the endpoint, the model ('' where the endpoint has none), the tier, and in a batch."""

    endpoint: str
    model: str
    service_tier: str = ""
    is_batch: bool = False


@frozen
class Held:
    """The rates that hold from a day on; `since` None: already on the first day that was looked at.

    `card` None: no price is known, which is not free.
    """

    card: RateCard | None
    since: date | None


@frozen
class KindPrice:
    """What one kind of usage costs, the newest price first."""

    kind: Kind
    prices: tuple[Held, ...]

    @property
    def card(self) -> RateCard | None:
        """What it costs now."""
        return self.prices[0].card


@frozen
class PriceReport:
    """Kinds of usage and their prices. `asked` is the model that was named, '' where all that were used are told.

    `suggestion` is the name that was probably meant, where nothing is known of the one that was asked.
    """

    prices: tuple[KindPrice, ...]
    asked: str = ""
    suggestion: str | None = None


def held(prices: PriceList, kind: Kind, today: date, days: int) -> tuple[Held, ...]:
    """The prices of the last `days` days (one at least) up to today, the newest first; neighbours always differ.

    A price that is the same in a newer list is the same price. A day without one before the first says nothing.
    """
    found: list[Held] = []
    day, card = today, prices.card(*kind, today)
    for _ in range(days - 1):
        before = prices.card(*kind, day - _DAY)
        if _rates(before) != _rates(card):
            found.append(Held(card, day))
            card = before
        day -= _DAY
    if card is not None or not found:
        found.append(Held(card, None))
    return tuple(found)


def _rates(card: RateCard | None) -> RateCard | None:
    return None if card is None else replace(card, source="")


def named(used: Iterable[Kind], words: str) -> list[Kind]:
    """The kinds of usage of the model of that name, or of a dated version of it; letter case does not matter."""
    asked = words.casefold()
    return [kind for kind in used if asked in (name := kind.model.casefold(), _DATE.sub("", name))]


def alike(used: Iterable[Kind], words: str) -> list[Kind]:
    """The kinds of usage of models whose name the words begin, else of those they are a part of."""
    used, asked = list(used), words.casefold()
    begun = [kind for kind in used if kind.model.casefold().startswith(asked)]
    return begun or [kind for kind in used if asked in kind.model.casefold()]
