"""Billing: what usage costs, to the last digit. The bill has one row per charge day, project and line item."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from demo.prices import Prices, Rates
from demo.trace import Trace, TraceError, Usage
from finops.money import EXACT

INPUT, CACHED_INPUT, OUTPUT = "input", "cached input", "output"
# A ledger adds up nano-dollars, and counts, in whole numbers of 64 bits.
MOST_USD, MOST_COUNTED = Decimal(9_000_000_000), 9 * 10**18


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


def require_countable(trace: Trace, prices: Prices, day: date) -> None:
    """Raise TraceError when a trace is more, at the prices of `day`, than any ledger adds up: its tokens are wrong."""
    found: list[tuple[Decimal, int, str]] = []
    for series in trace.series:
        rates = prices.rates(series.model, day)
        usage = Usage(*map(sum, zip(*series.hours.values(), strict=True)))
        amount = Decimal(0) if rates is None else spent(usage, rates)
        found.append(
            (amount, max(usage.requests, usage.input, usage.output), f"{series.application} with {series.model}")
        )
    whole, counted = sum((one[0] for one in found), Decimal(0)), sum(one[1] for one in found)
    if whole > MOST_USD or counted > MOST_COUNTED:
        _, _, which = max(found, key=itemgetter(0 if whole > MOST_USD else 1))
        raise TraceError(
            f"the trace comes to {whole:,.0f} dollars and {counted:,} tokens; a ledger adds up {MOST_USD:,} and "
            f"{MOST_COUNTED:,}. Most of it is {which}: look at its requests, input_tokens and output_tokens."
        )
