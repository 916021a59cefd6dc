"""Burning: how fast money goes, since when it goes unusually fast, and who uses up a limit at that pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, TypeVar

from finops.money import EXACT, Money, total

Spender = TypeVar("Spender", bound=Any)  # anything that can be ordered: an id, or several of them

UNUSUAL_BURN = Decimal(3)
# Fewer minutes than these are no pace, and of so many of the newest ones usage may still be told.
FEWEST_MINUTES = 5


def burn_per_minute(spent: Money, minutes: int) -> Money | None:
    """The speed of spending over the last `minutes`; None of no time at all."""
    return Money(EXACT.divide(spent.amount, minutes), spent.currency) if minutes > 0 else None


def paced_over(minutes: Sequence[Money], usual: Money | None) -> range:
    """Which of the newest minutes tell how fast it goes: those since it burns unusually, else all of them.

    `minutes` are what each spent, consecutive and oldest first; `usual` is for one of them. It burns unusually when
    each five minutes up to now spent three times the usual or more, and three times what the minutes before all of
    them did on average: what is always so at this time of day is no surge. The range holds five minutes or more, as
    long as there are so many. The newest five may still fill up: those at the end that tell nothing yet, or no more
    than half of the pace before them, are left out of a surge. Where one minute spent more than two fifths of it, that
    is a lump and no pace. So it is never slower than all of them together.
    """
    whole, newest = range(len(minutes)), len(minutes) - FEWEST_MINUTES
    # Nothing told of the newest minutes is not yet nothing spent.
    end = max(newest, next((n + 1 for n in reversed(whole) if minutes[n].amount > 0), 0))
    began = _began(minutes[:end], usual) if end > FEWEST_MINUTES else None
    if began is None:
        return whole
    while end > max(newest, began + FEWEST_MINUTES):
        before = range(began, end - 1)
        if _sum(minutes, before) < _times(minutes[end - 1], 2 * len(before)):
            break
        end -= 1
    since = range(max(0, min(began, end - FEWEST_MINUTES)), end)
    spent = _sum(minutes, since)
    is_lump = _times(spent, 2) < _times(max(minutes[n] for n in since), 5)
    is_faster = _times(_sum(minutes, whole), len(since)) < _times(spent, len(whole))
    return since if is_faster and not is_lump else whole


def _began(minutes: Sequence[Money], usual: Money | None) -> int | None:
    """The minute in which the present burning began; None where it is not unusual. The first one has no before."""
    last = len(minutes)
    spent = list(accumulate(minutes, initial=Money.zero(minutes[0].currency)))

    def is_burning(since: int, until: int, began: int) -> bool:
        # Multiplied, not divided: exact, whatever the averages.
        these, length = spent[until] - spent[since], until - since
        is_more = is_unusual(_times(these, began), _times(spent[began], length))
        return is_more and is_unusual(these, None if usual is None else _times(usual, length))

    for began in range(1, last - FEWEST_MINUTES + 1):
        starts = [*range(began, last - FEWEST_MINUTES, FEWEST_MINUTES), last - FEWEST_MINUTES]
        if all(is_burning(since, since + FEWEST_MINUTES, began) for since in starts):
            # These five minutes have quiet ones, too; the largest of them is never one.
            return next(n for n in range(began, last) if is_burning(n, n + 1, began))
    return None


def _sum(minutes: Sequence[Money], window: range) -> Money:
    return total((minutes[n] for n in window), minutes[0].currency)


def _times(amount: Money, times: int) -> Money:
    return Money(EXACT.multiply(amount.amount, times), amount.currency)


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
    return _times(limit, minutes) <= _times(spent, period_minutes)


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
