"""Burning: how fast money goes, and since when it goes unusually fast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from finops.money import EXACT, Money

UNUSUAL_BURN = Decimal(3)


def burn_per_minute(spent: Money, minutes: int) -> Money | None:
    """The speed of spending over the last `minutes`; None of no time at all."""
    return Money(EXACT.divide(spent.amount, minutes), spent.currency) if minutes > 0 else None


def burning_since(buckets: Sequence[tuple[datetime, Money]], usual: Money | None) -> datetime | None:
    """Since when it burns three times the usual or more without a break; None when the latest bucket does not.

    `buckets` are consecutive, of equal length, oldest first, with their start; `usual` is for one such length. Without
    a usual amount above zero any spending is unusual. When even the first bucket burns, that is since when we know.
    """
    since = None
    for start, amount in reversed(buckets):
        if not is_unusual(amount, usual):
            break
        since = start
    return since


def is_unusual(amount: Money, usual: Money | None) -> bool:
    """Whether an amount is three times the usual or more; without a usual amount above zero, whether it is any."""
    if usual is None or usual.amount <= 0:
        return amount.amount > 0
    return EXACT.multiply(usual.amount, UNUSUAL_BURN) <= amount.amount
