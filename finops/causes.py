"""Causes: whether more was asked, longer, or of a dearer model; and since when it burns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from finops.money import EXACT, Money

RETRY_LOOP_REQUESTS = Decimal(3)
SAME_LENGTH = (Decimal("0.8"), Decimal("1.2"))
# Smaller factors are everyday weather, not a cause.
TELLING_FACTOR = Decimal("1.2")
UNUSUAL_BURN = Decimal(3)


class CauseKind(StrEnum):
    """Why more is spent than usual, in one word."""

    RETRY_LOOP = "retry_loop"  # three times the requests or more, each as long as ever: a machine repeats itself
    MORE_TRAFFIC = "more_traffic"
    LONGER_REQUESTS = "longer_requests"
    DEARER_MODEL = "dearer_model"
    UNKNOWN = "unknown"  # nothing to compare with, or nothing that stands out


@dataclass(frozen=True, slots=True)
class Activity:
    """What was asked in a stretch of time and what it cost. Compare only stretches of equal length."""

    requests: int
    tokens: int
    cost: Money

    def __post_init__(self) -> None:
        if self.requests < 0 or self.tokens < 0:
            raise ValueError(f"nobody asks less than nothing: {self.requests} requests, {self.tokens} tokens")


@dataclass(frozen=True, slots=True)
class Cause:
    """How cost grew: the three factors multiply to it. 15 is fifteen times; None where there is nothing to divide."""

    requests_factor: Decimal | None
    tokens_per_request_factor: Decimal | None
    cost_per_token_factor: Decimal | None
    kind: CauseKind


def cause(today: Activity, usual: Activity) -> Cause:
    """Why `today` costs more than `usual`, a stretch of equal length.

    A retry loop is three times the requests or more while each is as long as ever (within a fifth); else the cause is
    the factor that grew most, if it grew by a fifth at least. What costs no more than usual has no cause.
    """
    requests = _factor(Decimal(today.requests), Decimal(usual.requests))
    length = _factor(_each(today.tokens, today.requests), _each(usual.tokens, usual.requests))
    if today.cost.currency != usual.cost.currency:
        return Cause(requests, length, None, _kind(requests, length, None))
    price = _factor(_per(today.cost, today.tokens), _per(usual.cost, usual.tokens))
    kind = _kind(requests, length, price) if usual.cost < today.cost else CauseKind.UNKNOWN
    return Cause(requests, length, price, kind)


def _kind(requests: Decimal | None, length: Decimal | None, price: Decimal | None) -> CauseKind:
    if requests is not None and length is not None and requests >= RETRY_LOOP_REQUESTS:
        least, most = SAME_LENGTH
        if least <= length <= most:
            return CauseKind.RETRY_LOOP
    factors = (
        (requests, CauseKind.MORE_TRAFFIC),
        (length, CauseKind.LONGER_REQUESTS),
        (price, CauseKind.DEARER_MODEL),
    )
    grown = [(factor, kind) for factor, kind in factors if factor is not None and factor >= TELLING_FACTOR]
    # Of equal factors the first: more was asked before it was longer or dearer.
    return max(grown, key=lambda each: each[0])[1] if grown else CauseKind.UNKNOWN


def _each(tokens: int, requests: int) -> Decimal | None:
    return EXACT.divide(Decimal(tokens), Decimal(requests)) if requests else None


def _per(cost: Money, tokens: int) -> Decimal | None:
    return EXACT.divide(cost.amount, Decimal(tokens)) if tokens else None


def _factor(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    if now is None or before is None or before <= 0:
        return None
    return EXACT.divide(now, before)


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
