"""Prices: the price list, opened when it is first needed and looked at again before every reading."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Protocol

from finops.prices import PriceList, RateCard


class NoPrices:
    """A price list without prices: everything used is unpriced, which is not free."""

    version = ""

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:  # noqa: ARG002 - the signature is the contract's
        return None


class ChangingList(PriceList, Protocol):
    """A price list whose files may change."""

    def refresh(self) -> tuple[str, ...]:
        """Read again what changed; what is wrong with it, and then all stays as it was."""
        ...


class PriceShelf:
    """Where the price list stands. Opening it takes half a second, so nobody does who does not need it."""

    def __init__(self, opened: Callable[[], ChangingList] | PriceList | None = None) -> None:
        self._open = opened if callable(opened) else None
        self._list: PriceList | None = None if callable(opened) else opened or NoPrices()
        self._changing: ChangingList | None = None
        self._busy = asyncio.Lock()

    async def fresh(self) -> PriceList:
        """The prices as they stand now; mistakes in a file that changed are logged, and the old prices stay."""
        if self._list is not None:
            return self._list
        async with self._busy:
            if self._changing is None:
                assert self._open is not None, "a shelf without a list knows how to open one"
                self._changing = await asyncio.to_thread(self._open)
            else:
                await asyncio.to_thread(self._changing.refresh)
        return self._changing
