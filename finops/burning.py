"""Burning: how fast money goes, since when it goes unusually fast, and who uses up a limit at that pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from finops.money import EXACT, Money, total

Spender = TypeVar("Spender", bound=Any)  # anything that can be ordered: an id, or several of them

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


def uses_up(spent: Money, minutes: int, limit: Money, period_minutes: int) -> bool:
    """Whether spending as in the last `minutes` (one at least) makes the whole limit within a period; reaching counts.

    Exact: nothing is divided. Raises CurrencyMismatch where the limit is in another currency.
    """
    if minutes < 1:
        raise ValueError("of no time at all there is no pace")
    pace = Money(EXACT.multiply(spent.amount, period_minutes), spent.currency)
    return Money(EXACT.multiply(limit.amount, minutes), limit.currency) <= pace


def left_running(
    spent: Mapping[Spender, Money], held: Collection[Spender], limit: Money, *, minutes: int, period_minutes: int
) -> list[Spender]:
    """Who goes on spending while others are held, most first; of equal ones the first by order.

    Nobody, as long as all of them together would not use up the whole limit within one period at the pace of the last
    `minutes`: what is always spent is no runaway. `spent` is what each spent in those minutes, `held` who is stopped.
    """
    free = {one: amount for one, amount in spent.items() if amount.amount > 0 and one not in held}
    if not free or not uses_up(total(free.values(), limit.currency), minutes, limit, period_minutes):
        return []
    return sorted(free, key=lambda one: (-free[one].amount, one))
