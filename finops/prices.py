"""Prices: from counts to exact amounts, in whole atto-dollars (1e-18), never in floats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from finops.frozen import frozen
from finops.usage import MINUTES_PER_DAY, UsageRow, keeping_everything

ATTOS_PER_DOLLAR = 10**18
_EPOCH = date(1970, 1, 1).toordinal()


@frozen
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
    """What a row costs in atto-dollars: exact, linear in its counts, and every token priced once.

    Tokens are taken out of the whole part by part. Parts that add up to more than their whole, which no provider
    should tell, are cut to it, so that nothing is paid twice.
    """
    whole = row.input_tokens
    cached = min(row.cached_input_tokens, whole)
    written = min(row.cache_write_tokens, whole - cached)
    audio = min(row.audio_input_tokens, whole - cached - written)
    image = min(row.image_input_tokens, whole - cached - written - audio)
    cached_audio = min(row.cached_audio_input_tokens, cached)
    cached_image = min(row.cached_image_input_tokens, cached - cached_audio)
    audio_out = min(row.audio_output_tokens, row.output_tokens)
    image_out = min(row.image_output_tokens, row.output_tokens - audio_out)
    return (
        (whole - cached - written - audio - image) * card.input_tokens
        + (cached - cached_audio - cached_image) * card.cached_input_tokens
        + written * card.cache_write_tokens
        + audio * card.audio_input_tokens
        + image * card.image_input_tokens
        + cached_audio * card.cached_audio_input_tokens
        + cached_image * card.cached_image_input_tokens
        + (row.output_tokens - audio_out - image_out) * card.output_tokens
        + audio_out * card.audio_output_tokens
        + image_out * card.image_output_tokens
        + row.quantity * card.quantity
    )


def priced(rows: Iterable[UsageRow], prices: PriceList) -> list[tuple[UsageRow, int, bool]]:
    """Each row with its price in atto-dollars and whether a price is known; (row, 0, False) where none is.

    In the order given. A card is asked for once for each kind of usage and day.
    """
    with keeping_everything():
        return _priced(rows, prices)


def _priced(rows: Iterable[UsageRow], prices: PriceList) -> list[tuple[UsageRow, int, bool]]:
    # The sums of `price` for rows of text only, which nearly all are, without its calls: there are very many rows.
    cards: dict[tuple[str, str, str, bool, int], tuple[RateCard, int, int, int, int, int] | None] = {}
    found: list[tuple[UsageRow, int, bool]] = []
    add = found.append
    for row in rows:
        (start, endpoint, _, model, _, tier, is_batch, _, whole, cached, written, out, a, b, c, d, e, f, quantity) = row
        key = (endpoint, model, tier, is_batch, start // MINUTES_PER_DAY)
        try:
            rates = cards[key]
        except KeyError:
            rates = cards[key] = _rates(prices.card(endpoint, model, tier, is_batch, _day(start)))
        if rates is None:
            add((row, 0, False))
        elif a or b or c or d or e or f or cached + written > whole:
            add((row, price(row, rates[0]), True))
        else:
            _, per_input, less_cached, more_written, per_output, per_quantity = rates
            atto = whole * per_input + out * per_output
            if cached or written:
                atto += written * more_written - cached * less_cached
            if quantity:
                atto += quantity * per_quantity
            add((row, atto, True))
    return found


def _rates(card: RateCard | None) -> tuple[RateCard, int, int, int, int, int] | None:
    if card is None:
        return None
    less_cached = card.input_tokens - card.cached_input_tokens
    more_written = card.cache_write_tokens - card.input_tokens
    return card, card.input_tokens, less_cached, more_written, card.output_tokens, card.quantity


def _day(start: int) -> date:
    return date.fromordinal(_EPOCH + start // MINUTES_PER_DAY)
