"""Decomposition: the difference of two periods split among what a cost is made of, so that the parts add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from finops.money import Money
from finops.periods import Period
from finops.prices import PriceList
from finops.why import Why


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


def explained(
    period: Period,
    compared: Period,
    now: Money,
    before: Money,
    usage_now: Sequence[UsageGroup],
    usage_before: Sequence[UsageGroup],
    prices: PriceList,
    *,
    share_before: Fraction = Fraction(1),
) -> Why:
    """Why `now` differs from `before`; of what was used before, only `share_before` counts (a mean of several days)."""
    raise NotImplementedError
