"""A runaway at the push of a button: a retry loop that has burned for twenty minutes when the provider first tells.

Real usage arrives late, and in one go. So the loop begins a little in the past, strong enough that today's total
stands where the story wants it, and goes on just as strong until somebody stops it: a loop does not tire.

Some pasts are no longer to be had: yesterday was told, and what a limit decided about a minute stays decided. Then it
all comes in the minutes that are left, or in the one that runs, and goes on as if it had had its twenty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from aiohttp import web

from demo.billing import spent
from demo.lab_words import Words, said_by, words
from demo.openai import SimulatedOpenAI
from demo.openai.traffic import HOUR, Traffic, day_minute
from demo.trace import Usage
from finops.money import EXACT
from finops.periods import charge_day, minute_of, moment_of

APPLICATION = "chatbot-experiment"
# 148 %, over 200 % and over 300 % of 500 dollars. Whole requests land a little short of them, and an alert cuts what
# follows the point: of 742 itself it said 741, beside a bar of 742.
TOTALS = (Decimal("742.2"), Decimal("1010.2"), Decimal("1520.2"))
LATE_MINUTES = 20
PACE = Fraction(15)
_FINE = Fraction(1_000_000)


class NoRunaway(ValueError):
    """The application cannot run away; the text says why."""


@dataclass(frozen=True, slots=True)
class Runaway:
    """What one push did: today's total of the application in dollars, from the minute `since` on, reached at `until`.

    `is_refused` when a spend limit refuses the calls as things stand: then nothing is spent.
    """

    application: str
    total: Decimal
    since: int
    until: int
    is_refused: bool


def start(openai: SimulatedOpenAI, application: str = APPLICATION) -> Runaway:
    """Let the application's loop burn up to the next of TOTALS. Raises NoRunaway when it asks nothing at all."""
    tenant, now = openai.tenant(), minute_of(openai.clock())
    traffic, levers, today = tenant.traffic, tenant.levers, charge_day(openai.clock())
    if not traffic.models_of(application):
        others = ", ".join(traffic.trace.applications)
        raise NoRunaway(
            words("{name}: 이 트레이스에 없는 애플리케이션입니다. 있는 것: {others}", name=application, others=others)
        )
    levers.advance(now)
    project = openai.project(application)
    first = max(day_minute(today), traffic.live_from)
    already = _dollars(openai, traffic, application, first, now)
    # Whole requests land a little short of a step: the next push means the next step.
    total = next((step for step in TOTALS if step > already + 1), EXACT.multiply(already, Decimal(2)))
    since = max(first, now - LATE_MINUTES, levers.decided_until(project))
    until = _asked_by(openai, traffic, application, since, now)
    missing = Fraction(EXACT.subtract(total, _dollars(openai, traffic, application, first, since)))
    usual = _planned(openai, traffic, application, since, until)
    openai.boost(application, max(PACE, missing / usual), moment_of(since))
    if until - since < LATE_MINUTES:
        coming = _planned(openai, traffic, application, until, until + LATE_MINUTES)
        pace = missing / coming if coming else PACE
        openai.boost(application, max(PACE, pace), moment_of(until))
    is_refused = levers.blocks(project, now) or levers.organization_blocks(now)
    return Runaway(application, total, since, until, is_refused)


def end(openai: SimulatedOpenAI, application: str = APPLICATION) -> None:
    """From now on the application asks what it always did."""
    openai.boost(application, Fraction(1), openai.clock())


def routes(openai: SimulatedOpenAI) -> list[web.RouteDef]:
    """`POST /_sim/runaway` begins one, `DELETE` ends it; `{"application": …}` names another application."""

    async def handle(request: web.Request) -> web.Response:
        asked: Mapping[str, Any] = await request.json() if request.can_read_body else {}
        application = str(asked.get("application", APPLICATION))
        try:
            if request.method == "DELETE":
                end(openai, application)
                return web.json_response({"ok": True, "application": application})
            begun = start(openai, application)
        except (NoRunaway, KeyError) as error:
            return web.json_response({"ok": False, "error": said_by(error)}, status=400)
        told_back = {"total_usd": str(begun.total), "since_minute": begun.since, "until_minute": begun.until}
        message = _message(begun, minute_of(openai.clock()))
        return web.json_response({"ok": True, "application": begun.application, "message": message} | told_back)

    return [web.post("/_sim/runaway", handle), web.delete("/_sim/runaway", handle)]


def _message(begun: Runaway, now: int) -> Words:
    """What a person at the drawer is to expect."""
    name, amount = begun.application, f"${begun.total:,.0f}"
    if begun.is_refused:
        refused = "{name}: 지금 차단되어 있어 늘어난 호출이 429로 거부됩니다. 지출을 보려면 먼저 복구하세요."
        return words(refused, name=name)
    if begun.until > now:
        soon = "{name}: {minutes}분 안에 오늘 {amount}에 이릅니다. '5분 뒤로'를 누르면 바로 볼 수 있습니다."
        return words(soon, name=name, minutes=begun.until - now, amount=amount)
    return words("{name}: 오늘 지출이 {amount}입니다. 곧 감지됩니다.", name=name, amount=amount)


def _asked_by(openai: SimulatedOpenAI, traffic: Traffic, application: str, since: int, now: int) -> int:
    """The minute by which the application has asked something since `since`: now, or the end of the next it asks in.

    Raises NoRunaway when that is more than an hour away.
    """
    for until in range(now, now + HOUR + 1):
        if until > since and _planned(openai, traffic, application, since, until):
            return until
    raise NoRunaway(words("{name}: 지금은 호출이 없습니다. '1시간 뒤로' 간 다음 다시 시작하세요.", name=application))


def _dollars(openai: SimulatedOpenAI, traffic: Traffic, application: str, start: int, end: int) -> Decimal:
    """What the application has really cost between two minutes."""
    keys = [(application, model) for model in traffic.models_of(application)]
    return _cost(openai, {key[1]: traffic.happened(key, start, end) for key in keys})


def _planned(openai: SimulatedOpenAI, traffic: Traffic, application: str, start: int, end: int) -> Fraction:
    """What it would have cost without any boost, to parts of a call: what a loop multiplies is no whole number."""
    models = traffic.models_of(application)
    many = {model: traffic.unboosted((application, model), start, end, _FINE) for model in models}
    return Fraction(_cost(openai, many)) / _FINE


def _cost(openai: SimulatedOpenAI, by_model: Mapping[str, Usage]) -> Decimal:
    today, found = charge_day(openai.clock()), Decimal(0)
    for model, usage in by_model.items():
        if (rates := openai.prices.rates(model, today)) is not None:
            found = EXACT.add(found, spent(usage, rates))
    return found
