"""Billing: what usage costs, to the last digit. The bill has one row per charge day, project and line item."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from demo.prices import Rates
from demo.trace import Usage
from finops.money import EXACT

INPUT, CACHED_INPUT, OUTPUT = "input", "cached input", "output"


class BilledLine(NamedTuple):
    """One line of the bill: so many tokens of one kind, and exactly tokens x price."""

    line_item: str
    quantity: int
    amount: Decimal


def bill(model: str, usage: Usage, rates: Rates, *, tells_cached: bool) -> tuple[BilledLine, ...]:
    """The lines of one model. Cached tokens have a line, maybe of zero, only where the source counts them."""
    kinds = [(INPUT, usage.uncached, rates.input)]
    if tells_cached or usage.cached:
        kinds.append((CACHED_INPUT, usage.cached, rates.cached_input))
    kinds.append((OUTPUT, usage.output, rates.output))
    return tuple(BilledLine(f"{model}, {kind}", tokens, cost(tokens, rate)) for kind, tokens, rate in kinds)


def cost(tokens: int, usd_per_mtok: Decimal) -> Decimal:
    """Tokens x price, exact."""
    return EXACT.multiply(Decimal(tokens), usd_per_mtok).scaleb(-6, EXACT)


def spent(usage: Usage, rates: Rates) -> Decimal:
    """What usage costs in all."""
    parts = (
        cost(usage.uncached, rates.input),
        cost(usage.cached, rates.cached_input),
        cost(usage.output, rates.output),
    )
    return EXACT.add(EXACT.add(parts[0], parts[1]), parts[2])
