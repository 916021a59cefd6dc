"""A runaway at the push of a button: a retry loop that has burned for twenty minutes when the provider first tells.

Real usage arrives late, and in one go. So the loop begins a little in the past, strong enough that today's total
stands where the story wants it, and goes on just as strong until somebody stops it: a loop does not tire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from aiohttp import web

from demo.billing import spent
from demo.openai import SimulatedOpenAI
from demo.openai.traffic import Traffic, day_minute, minute_of, moment_of
from demo.trace import Usage
from finops.money import EXACT
from finops.periods import charge_day

APPLICATION = "chatbot-experiment"
TOTALS = (Decimal(742), Decimal(1010), Decimal(1520))  # 148 %, over 200 % and over 300 % of 500 dollars
LATE_MINUTES = 20
PACE = Fraction(15)


class NoRunaway(ValueError):
    """The application cannot run away; the text says why."""


@dataclass(frozen=True, slots=True)
class Runaway:
    """What one push did: today's total of the application in dollars, from the minute `since` on."""

    application: str
    total: Decimal
    since: int


def start(openai: SimulatedOpenAI, application: str = APPLICATION) -> Runaway:
    """Let the application's loop burn up to the next of TOTALS. Raises NoRunaway when it asks nothing at all."""
    tenant, now = openai.tenant(), minute_of(openai.clock())
    traffic, today = tenant.traffic, charge_day(openai.clock())
    if not traffic.models_of(application):
        others = ", ".join(traffic.trace.applications)
        raise NoRunaway(f"no application {application!r} in this trace; there are: {others}")
    first = max(day_minute(today), traffic.live_from)
    already = _dollars(openai, traffic, application, first, now)
    # Whole requests land a little short of a step: the next push means the next step.
    total = next((step for step in TOTALS if step > already + 1), EXACT.multiply(already, Decimal(2)))
    since = max(first, now - LATE_MINUTES)
    before = _dollars(openai, traffic, application, first, since)
    usual = _planned(openai, traffic, application, since, now)
    if not usual:
        raise NoRunaway(f"{application} asks nothing just now; try again in a minute")
    openai.boost(application, max(PACE, Fraction(total - before) / Fraction(usual)), moment_of(since))
    return Runaway(application, total, since)


def end(openai: SimulatedOpenAI, application: str = APPLICATION) -> None:
    """From now on the application asks what it always did."""
    openai.boost(application, Fraction(1), openai.clock())


def routes(openai: SimulatedOpenAI) -> list[web.RouteDef]:
    """`POST /_sim/runaway` begins one, `DELETE` ends it; `{"application": …}` names another application."""

    async def handle(request: web.Request) -> web.Response:
        told: Mapping[str, Any] = await request.json() if request.can_read_body else {}
        application = str(told.get("application", APPLICATION))
        try:
            if request.method == "DELETE":
                end(openai, application)
                return web.json_response({"ok": True, "application": application})
            begun = start(openai, application)
        except (NoRunaway, KeyError) as error:
            return web.json_response({"ok": False, "error": str(error)}, status=400)
        return web.json_response(
            {"ok": True, "application": begun.application, "total_usd": str(begun.total), "since_minute": begun.since}
        )

    return [web.post("/_sim/runaway", handle), web.delete("/_sim/runaway", handle)]


def _dollars(openai: SimulatedOpenAI, traffic: Traffic, application: str, start: int, end: int) -> Decimal:
    """What the application has really cost between two minutes."""
    keys = [(application, model) for model in traffic.models_of(application)]
    return _cost(openai, {key[1]: traffic.happened(key, start, end) for key in keys})


def _planned(openai: SimulatedOpenAI, traffic: Traffic, application: str, start: int, end: int) -> Decimal:
    """What it would have cost without any boost."""
    return _cost(
        openai,
        {model: traffic.unboosted((application, model), start, end) for model in traffic.models_of(application)},
    )


def _cost(openai: SimulatedOpenAI, by_model: Mapping[str, Usage]) -> Decimal:
    today, found = charge_day(openai.clock()), Decimal(0)
    for model, usage in by_model.items():
        if (rates := openai.prices.rates(model, today)) is not None:
            found = EXACT.add(found, spent(usage, rates))
    return found
