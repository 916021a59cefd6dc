"""Charges: what a provider billed for one charge day, in FOCUS names, and how far a figure can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from finops.money import EXACT

SETTLES_AFTER = timedelta(hours=72)
SETTLES_UNCHANGED_READS = 2


class FigureState(StrEnum):
    """How far a figure can be trusted; always shown beside it."""

    ESTIMATE = "estimate"
    PROVISIONAL = "provisional"
    SETTLED = "settled"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a provider's bill for one charge day (a UTC day).

    FOCUS names: `sub_account_id` is the provider's project (None when it names none), `sku_id` its line item as
    spelled on the bill (None when ungrouped), `billed_cost` exact and possibly negative (credits).
    """

    charge_day: date
    sub_account_id: str | None
    sku_id: str | None
    billed_cost: Decimal
    billing_currency: str = "USD"
    consumed_quantity: Decimal | None = None
    consumed_unit: str | None = None


@dataclass(frozen=True, slots=True)
class ChargedDay:
    """Every charge of one day, as one reading of the provider told it. Replaces the day as a whole or not at all."""

    day: date
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class DayReading:
    """What we know about our readings of one charge day of one connection."""

    day: date
    read_at: datetime
    changed_at: datetime
    unchanged_reads: int


def merged(charges: Iterable[Charge]) -> list[Charge]:
    """Add up repeated lines (same day, project, line item, unit and currency): each of them is money."""
    found: dict[tuple[date, str, str, str, str], Charge] = {}
    for charge in charges:
        key = (
            charge.charge_day,
            charge.sub_account_id or "",
            charge.sku_id or "",
            charge.billing_currency,
            charge.consumed_unit or "",
        )
        seen = found.get(key)
        found[key] = charge if seen is None else _added(seen, charge)
    return [found[key] for key in sorted(found)]


def _added(one: Charge, other: Charge) -> Charge:
    quantities = [q for q in (one.consumed_quantity, other.consumed_quantity) if q is not None]
    return Charge(
        one.charge_day,
        one.sub_account_id,
        one.sku_id,
        EXACT.add(one.billed_cost, other.billed_cost),
        one.billing_currency,
        sum(quantities, Decimal(0)) if quantities else None,
        one.consumed_unit,
    )


def day_state(reading: DayReading | None, now: datetime) -> FigureState:
    """Settled: the day closed more than 72 h ago and did not move in two reads. Never read: blind, never zero."""
    if reading is None:
        return FigureState.BLIND
    closed_at = datetime(reading.day.year, reading.day.month, reading.day.day, tzinfo=now.tzinfo) + timedelta(days=1)
    if reading.read_at - closed_at > SETTLES_AFTER and reading.unchanged_reads >= SETTLES_UNCHANGED_READS:
        return FigureState.SETTLED
    return FigureState.PROVISIONAL
