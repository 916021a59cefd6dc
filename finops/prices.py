"""Prices: from counts to exact amounts, in whole atto-dollars (1e-18), never in floats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from finops.usage import UsageRow

ATTOS_PER_DOLLAR = 10**18


@dataclass(frozen=True, slots=True)
class RateCard:
    """What one unit of each count costs, in atto-dollars; `source` says where the rates stand.

    The rates of parts (cached, written, audio, image) replace that of the whole for those tokens, they do not add to
    it. A rate of 0 is known to be free; what has no known price has no card at all.
    """

    source: str
    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    audio_input_tokens: int = 0
    cached_audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    cached_image_input_tokens: int = 0
    image_output_tokens: int = 0
    requests: int = 0
    quantity: int = 0
    currency: str = "USD"


class PriceList(Protocol):
    """Where rates come from."""

    @property
    def version(self) -> str:
        """Which prices these are, to be kept beside every estimate made with them."""
        ...

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        """The rates of one kind of usage on a UTC day; None when no price is known, which is not free."""
        ...


def price(row: UsageRow, card: RateCard) -> int:
    """What a row costs in atto-dollars: exact, linear in its counts, and every token priced once."""
    raise NotImplementedError


def priced(rows: Iterable[UsageRow], prices: PriceList) -> list[tuple[UsageRow, int, bool]]:
    """Each row with its price in atto-dollars and whether a price is known; (row, 0, False) where none is.

    In the order given. A card is asked for once for each kind of usage and day.
    """
    raise NotImplementedError
