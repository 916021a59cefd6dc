"""Losses avoided: what a stop kept from being spent, as a range, never one number that pretends to know.

Both ends are a pace from before the stop, for as long as it held, less what is usually spent in those hours (no loss,
where it is known) and less what leaked. The careful end takes the slowest of three paces, of the last hour, its last
quarter and its last five minutes, up to when the stop was last known to hold: a runaway that was calming down, or was
young, claims no more than that. The other end takes the faster of hour and quarter, and while the stop holds it looks
ahead to the end of the charge day. What was let go of ends both: what would have come afterwards nobody kept away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from finops.frozen import frozen
from finops.money import EXACT, Money, total

_HOUR_MINUTES, _QUARTER_MINUTES, _LAST_MINUTES = 60, 15, 5
_SECONDS_PER_MINUTE = Decimal(60)
_PLACES = Decimal("0.000000001")


@frozen
class Saved:
    """What was not spent: at least `low`, at most `high` by `until`; `is_over` False while that is still to come."""

    low: Money
    high: Money
    until: datetime
    is_over: bool = True


@frozen
class Stretch:
    """The time from the stop until a moment, and what is usually spent in just those hours; None where unknown."""

    until: datetime
    usual: Money | None = None


def saved(last_hour: Sequence[Money], stopped_at: datetime, sure: Stretch, ahead: Stretch, leak: Money) -> Saved | None:
    """The loss avoided by a stop at `stopped_at`, from the estimates of the sixty minutes before, oldest first.

    It is known to have held for `sure`, and may hold for `ahead`, which is no shorter; of a stop that is over both are
    the same. `leak` was spent all the same and is taken off. None when the hour is not known whole, or nothing of the
    time ahead is left. No end is below zero, and `low` is never above `high`.
    """
    if len(last_hour) != _HOUR_MINUTES or ahead.until <= stopped_at:
        return None
    hour, quarter, last = (_pace(last_hour[-minutes:]) for minutes in (_HOUR_MINUTES, _QUARTER_MINUTES, _LAST_MINUTES))
    low = _kept(min(hour, quarter, last), stopped_at, sure, leak)
    high = _kept(max(hour, quarter), stopped_at, ahead, leak)
    # The hours ahead may be dearer as usual than the runaway was: they take nothing away from what was kept before.
    return Saved(low, max(low, high), ahead.until, is_over=sure.until >= ahead.until)


def together(parts: Iterable[Saved]) -> Saved | None:
    """What several projects' stops kept, each with its own times, as one range; None of none."""
    each = list(parts)
    if not each:
        return None
    currency = each[0].low.currency
    low, high = total((one.low for one in each), currency), total((one.high for one in each), currency)
    return Saved(low, high, max(one.until for one in each), is_over=all(one.is_over for one in each))


def _pace(minutes: Sequence[Money]) -> Decimal:
    """What was spent in a minute on average."""
    return EXACT.divide(total(minutes, minutes[0].currency).amount, Decimal(len(minutes)))


def _kept(pace: Decimal, stopped_at: datetime, stretch: Stretch, leak: Money) -> Money:
    seconds = max(0, int((stretch.until - stopped_at).total_seconds()))
    would = EXACT.divide(EXACT.multiply(pace, Decimal(seconds)), _SECONDS_PER_MINUTE)
    less = leak if stretch.usual is None else leak + stretch.usual
    amount = max(Decimal(0), EXACT.subtract(would, less.amount))
    return Money(amount.quantize(_PLACES, None, EXACT), leak.currency)
