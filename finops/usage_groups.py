"""Groups of usage: what was asked of one model in one way over a period, and what a token of it cost then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from finops.prices import PriceList, RateCard

# The kinds of tokens, by the names their rates have.
RATES = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "audio_input_tokens",
    "cached_audio_input_tokens",
    "image_input_tokens",
    "cached_image_input_tokens",
    "output_tokens",
    "audio_output_tokens",
    "image_output_tokens",
)
_ZERO, _ONE = Fraction(0), Fraction(1)

Tier = tuple[str, bool]
"""How it was served: the service tier, and whether in a batch."""
Key = tuple[str, str, str, bool]
"""Endpoint, model, service tier, and whether in a batch."""


class UsageGroup(NamedTuple):
    """What was asked of one model in one way over a period; counts as finops.usage.UsageRow has them.

    `atto` is what it is estimated to have cost (1e-18 of a dollar), and `unpriced` counts what no price was known for.
    """

    endpoint: str
    model: str
    service_tier: str
    is_batch: bool
    requests: int = 0
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
    atto: int = 0
    unpriced: int = 0


def kinds_of(group: UsageGroup) -> list[int]:
    """The tokens of a group by kind, each once; cut to their whole as finops.prices.price cuts them."""
    whole = group.input_tokens
    cached = min(group.cached_input_tokens, whole)
    written = min(group.cache_write_tokens, whole - cached)
    audio = min(group.audio_input_tokens, whole - cached - written)
    image = min(group.image_input_tokens, whole - cached - written - audio)
    cached_audio = min(group.cached_audio_input_tokens, cached)
    cached_image = min(group.cached_image_input_tokens, cached - cached_audio)
    audio_out = min(group.audio_output_tokens, group.output_tokens)
    image_out = min(group.image_output_tokens, group.output_tokens - audio_out)
    text = whole - cached - written - audio - image
    out = group.output_tokens - audio_out - image_out
    cached_text = cached - cached_audio - cached_image
    return [text, cached_text, written, audio, cached_audio, image, cached_image, out, audio_out, image_out]


@dataclass(slots=True)
class Side:
    """One period of one model, by tier: tokens by kind, and what a token of each kind costs in atto-dollars."""

    requests: int = 0
    tokens: dict[Tier, list[int]] = field(default_factory=dict)
    rates: dict[Tier, list[Fraction]] = field(default_factory=dict)

    def of_kind(self, kind: int) -> int:
        """How many tokens of a kind."""
        return sum(tokens[kind] for tokens in self.tokens.values())

    def of_kinds(self, kinds: Iterable[int]) -> int:
        """How many tokens of some kinds."""
        return sum(map(self.of_kind, kinds))


def merged(groups: Iterable[UsageGroup]) -> dict[Key, UsageGroup]:
    """The groups by their key, those that share it added up."""
    found: dict[Key, UsageGroup] = {}
    for group in groups:
        seen = found.get(group[:4])
        added = None if seen is None else map(int.__add__, seen[4:], group[4:])
        found[group[:4]] = group if added is None else UsageGroup._make((*group[:4], *added))
    return found


class Pricing:
    """What a token cost in each period: the list's rates, times what the stored estimate differs from them by.

    The estimate was made day by day, may have been corrected by what bills taught, and is what is to be explained. A
    price that is known in one period only is taken for both; without any, the estimate is spread over all tokens.
    """

    def __init__(
        self,
        prices: PriceList,
        days: tuple[date, date],
        groups: tuple[Mapping[Key, UsageGroup], Mapping[Key, UsageGroup]],
    ) -> None:
        self._prices = prices
        self._days = days
        self._groups = groups

    def rates(self, endpoint: str, model: str, tier: Tier, at: int) -> list[Fraction]:
        """Atto-dollars for one token of each kind."""
        key = (endpoint, model, *tier)
        card = self._card(key, at)
        factor = _first(self._factor(key, at), self._factor(key, 1 - at))
        if card is not None and factor is not None:
            return [getattr(card, name) * factor for name in RATES]
        return [_first(self._flat(key, at), self._flat(key, 1 - at)) or _ZERO] * len(RATES)

    def rest(self, group: UsageGroup, at: int) -> Fraction:
        """What a group cost beside its tokens."""
        kinds, key = kinds_of(group), group[:4]
        if not any(kinds):
            if group.unpriced and (card := self._card(key, at)) is not None:
                return Fraction(group.quantity * card.quantity)
            return Fraction(group.atto)
        card, factor = self._card(key, at), self._factor(key, at)
        return group.quantity * card.quantity * factor if card is not None and factor is not None else _ZERO

    def _card(self, key: Key, at: int) -> RateCard | None:
        cards = (self._prices.card(*key, self._days[at]), self._prices.card(*key, self._days[1 - at]))
        return cards[0] if cards[0] is not None else cards[1]

    def _factor(self, key: Key, at: int) -> Fraction | None:
        """The estimate by the list's price; None where the group was not used or the two have nothing in common."""
        group, card = self._groups[at].get(key), self._card(key, at)
        if group is None or card is None:
            return None
        if group.unpriced:
            return _ONE
        listed = sum(count * getattr(card, name) for count, name in zip(kinds_of(group), RATES, strict=True))
        listed += group.quantity * card.quantity
        if listed:
            return Fraction(group.atto, listed)
        return None if group.atto else _ONE

    def _flat(self, key: Key, at: int) -> Fraction | None:
        group = self._groups[at].get(key)
        tokens = 0 if group is None else sum(kinds_of(group))
        return Fraction(group.atto, tokens) if group is not None and tokens else None


def _first(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    return other if one is None else one
