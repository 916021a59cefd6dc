"""Losses avoided: what a stop kept from being spent, as a range, never one number that pretends to know.

Expected spending from the stop to the end of the charge day, at the pace of the last hour before it and at that of its
last quarter: the range lies between the two. A runaway younger than an hour makes the hour the cautious end, one that
is calming down already the quarter. Usual spending is not a loss and is taken off both ends where it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.money import EXACT, Money

_QUARTER_MINUTES = 15
_SECONDS_PER_MINUTE = Decimal(60)


@dataclass(frozen=True, slots=True)
class Saved:
    """What was not spent until `until`: between `low` and `high`; `middle`, one of them, is the last hour's pace."""

    low: Money
    middle: Money
    high: Money
    until: datetime


def saved(
    last_hour: Sequence[Money], stopped_at: datetime, until: datetime, leak: Money, usual_per_minute: Money | None
) -> Saved | None:
    """The loss avoided by a stop at `stopped_at`, from the estimates of the sixty minutes before, oldest first.

    `leak` was spent all the same and is taken off. None when the hour is not known whole, or nothing is left of the
    time. No end is below zero.
    """
    if len(last_hour) != 4 * _QUARTER_MINUTES or until <= stopped_at:
        return None
    minutes = EXACT.divide(Decimal(int((until - stopped_at).total_seconds())), _SECONDS_PER_MINUTE)
    currency = leak.currency
    usual = usual_per_minute.amount if usual_per_minute is not None else Decimal(0)

    def kept(total: Decimal, over_minutes: int) -> Money:
        pace = EXACT.subtract(EXACT.divide(total, Decimal(over_minutes)), usual)
        amount = EXACT.subtract(EXACT.multiply(pace, minutes), leak.amount)
        return Money(max(Decimal(0), amount).quantize(Decimal("0.000000001")), currency)

    hour = kept(_sum(last_hour), len(last_hour))
    quarter = kept(_sum(last_hour[-_QUARTER_MINUTES:]), _QUARTER_MINUTES)
    return Saved(low=min(hour, quarter), middle=hour, high=max(hour, quarter), until=until)


def _sum(amounts: Sequence[Money]) -> Decimal:
    whole = Decimal(0)
    for one in amounts:
        whole = EXACT.add(whole, one.amount)
    return whole
