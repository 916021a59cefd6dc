"""Charges: what a provider billed for one charge day, in FOCUS names, and how far a figure can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from finops.frozen import frozen
from finops.money import EXACT
from finops.periods import starts_at

SETTLES_AFTER = timedelta(hours=72)
SETTLES_UNCHANGED_READS = 2
# An empty bill of a day on which usage was seen is a late bill, as long as the day is this young.
LATE_BILL = timedelta(hours=72)


class FigureState(StrEnum):
    """How far a figure can be trusted; always shown beside it."""

    ESTIMATE = "estimate"
    PROVISIONAL = "provisional"
    SETTLED = "settled"
    BLIND = "blind"

    @property
    def trust(self) -> int:
        """Its place in the order of trust: blind 0, estimate 1, provisional 2, settled 3."""
        return _TRUST[self]


_TRUST = {FigureState.BLIND: 0, FigureState.ESTIMATE: 1, FigureState.PROVISIONAL: 2, FigureState.SETTLED: 3}


def weakest(states: Iterable[FigureState]) -> FigureState:
    """The state of a figure made of several: a chain is as strong as its weakest link. Of nothing: blind."""
    return min(states, key=lambda state: state.trust, default=FigureState.BLIND)


class Charge(NamedTuple):
    """One line of a provider's bill for one charge day (a UTC day).

    FOCUS names: `sub_account_id` is the provider's project (None when it names none), `sku_id` its line item as
    spelled on the bill (None when ungrouped), `billed_cost` exact and possibly negative (credits). A tuple, because
    bills have millions of lines and a dataclass takes four times as long to make.
    """

    charge_day: date
    sub_account_id: str | None
    sku_id: str | None
    billed_cost: Decimal
    billing_currency: str = "USD"
    consumed_quantity: Decimal | None = None
    consumed_unit: str | None = None


@frozen
class ChargedDay:
    """Every charge of one day, as one reading of the provider told it. Replaces the day as a whole or not at all."""

    day: date
    charges: tuple[Charge, ...]


@frozen
class DayReading:
    """What we know about our readings of one charge day of one connection."""

    day: date
    read_at: datetime
    changed_at: datetime
    unchanged_reads: int


def merged(charges: Iterable[Charge]) -> list[Charge]:
    """Add up repeated lines (same day, project, line item and currency: each is money), sorted by that key.

    The key is the ledger's: no two charges of the result share it. A quantity survives only where every line tells
    one in the same unit: 5 tokens and 3 images are not 8 of anything.
    """
    found: dict[tuple[date, str, str, str], Charge] = {}
    for charge in charges:
        key = (charge[0], charge[1] or "", charge[2] or "", charge[4])
        seen = found.get(key)
        found[key] = charge if seen is None else _added(seen, charge)
    return [found[key] for key in sorted(found)]


def _added(one: Charge, other: Charge) -> Charge:
    same_unit = one.consumed_unit == other.consumed_unit
    quantity = None
    if same_unit and one.consumed_quantity is not None and other.consumed_quantity is not None:
        quantity = EXACT.add(one.consumed_quantity, other.consumed_quantity)
    return one._replace(
        sub_account_id=one.sub_account_id or None,
        sku_id=one.sku_id or None,
        billed_cost=EXACT.add(one.billed_cost, other.billed_cost),
        consumed_quantity=quantity,
        consumed_unit=one.consumed_unit if quantity is not None else None,
    )


def day_state(reading: DayReading | None, now: datetime) -> FigureState:
    """Settled: read more than 72 h after the day closed and unmoved in two reads. Never read: blind, never zero.

    `now` guards against a clock that ran ahead: a reading from the future settles nothing.
    """
    if reading is None:
        return FigureState.BLIND
    closed_at = starts_at(reading.day) + timedelta(days=1)
    old_enough = min(reading.read_at, now) - closed_at > SETTLES_AFTER
    if old_enough and reading.unchanged_reads >= SETTLES_UNCHANGED_READS:
        return FigureState.SETTLED
    return FigureState.PROVISIONAL
