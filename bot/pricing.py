"""Unit prices: what the models that were used cost, as the estimates have it; asked by everybody, set by operators."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bot.desk import Desk
from finops.periods import Period
from finops.price_report import Kind, KindPrice, PriceReport, alike, held, named
from finops.prices import PriceList
from finops.suggest import closest
from finops.usage import Endpoint

_USED_DAYS = 30  # blocks/prices.py says it in words
# How far back a former price of a named model is looked for.
_HISTORY_DAYS = 400
_LONGEST_NAME = 100


class Pricing:
    """Answers `/finops price`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def asked(self, workspace_id: str, words: str) -> PriceReport:
        """What everything costs that was used in the last thirty days, what is spent most on first; with words that
        model alone, and what it cost before. A model nobody used is looked up in the price list, by its whole name.
        """
        words, today = words[:_LONGEST_NAME], self._desk.today()
        period = Period(today - timedelta(days=_USED_DAYS - 1), today + timedelta(days=1))
        used = await self._used(workspace_id, period)
        prices = await self._desk.prices.fresh()
        kinds = named(used, words) or _listed(prices, words, today) or alike(used, words) if words else used
        found = await asyncio.to_thread(_priced, prices, kinds, today, _HISTORY_DAYS if words else 1)
        suggestion = closest(words, sorted({kind.model for kind in used})) if words and not found else None
        return PriceReport(found, words, suggestion)

    async def _used(self, workspace_id: str, period: Period) -> Sequence[Kind]:
        spent: Counter[Kind] = Counter()
        async with self._desk.storage.reading() as store:
            for one in await store.usage.grouped(workspace_id, period):
                spent[Kind(*one.group[:4])] += one.group.atto
        return [kind for kind, _ in sorted(spent.items(), key=lambda each: (-each[1], each[0]))]


def _listed(prices: PriceList, name: str, today: date) -> list[Kind]:
    """The first kind of usage for which the list has a model of that name; a price of whatever model is none of it."""
    kinds = (Kind(endpoint.value, name.casefold()) for endpoint in Endpoint)
    own = (kind for kind in kinds if prices.card(*kind._replace(model=""), today) is None)
    return [kind for kind in own if prices.card(*kind, today) is not None][:1]


def _priced(prices: PriceList, kinds: Iterable[Kind], today: date, days: int) -> tuple[KindPrice, ...]:
    return tuple(KindPrice(kind, held(prices, kind, today, days)) for kind in kinds)
