"""The story of the product, played through the real wire: `python3 run.py demo --story runaway --json`.

A day of 마케팅팀: chatbot-experiment, about fifty dollars a day, falls into a retry loop at nine in the morning (Seoul)
and calls fifteen times as often from then on. The clock of the stage is moved through the day; the product polls,
estimates, alerts and escalates by itself, and the end of the day closes what it began.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from demo.billing import spent
from demo.budgeting import set_budget
from demo.clock import StageClock
from demo.onboarding import Say, Wish, onboard
from demo.openai.traffic import minute_of, moment_of
from demo.runaway import APPLICATION
from demo.slack.cast import JIHOON, MARKETING, MINSU, TEAM_ID
from demo.slack.journal import Call
from demo.stage import Stage
from finops.incidents import Incident
from finops.money import EXACT
from finops.periods import charge_day
from handlers.addresses import STORAGE

LIMIT = Decimal(500)
FACTOR = Fraction(15)
# Nobody waits an hour for an hour: far from a crossing the day is walked in such steps, near it in minutes.
STRIDE = timedelta(hours=2)
NEAR = timedelta(minutes=3)
PATIENCE_SECONDS = 60.0
_SOON, _QUIET_LOOKS = 0.05, 8


@dataclass(frozen=True, slots=True)
class Runaway:
    """What happened, in ISO times of the stage's clock; None for what did not happen."""

    project: str
    limit_usd: str
    breach_at: str | None
    detected_at: str | None
    delivered_at: str | None
    closed_at: str | None
    spent_usd: str | None
    root_texts: list[str]
    thread_texts: list[str]


async def runaway(stage: Stage, clock: StageClock, say: Say, application: str = APPLICATION) -> Runaway:
    """Play breach, alert, escalation and the end of the day. Raises TimeoutError when the product does not keep up."""
    person = stage.slack.person(JIHOON)
    others = [name for name in stage.openai.tenant().traffic.trace.applications if name != application][:1]
    wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, (application, *others))
    await onboard(stage, person, wish, say)
    await set_budget(stage, person, application, f"{LIMIT}", say)
    await caught_up(stage, clock)
    dawn = clock.move_to_next_day().replace(hour=0, minute=0, second=0, microsecond=0)
    stage.openai.boost(application, FACTOR, dawn)
    say(f"{application} calls {FACTOR} times as often from {dawn:%Y-%m-%d %H:%M} UTC on")
    breach = _breach(stage, application, dawn)
    for moment in _walk(dawn, breach):
        clock.advance(max(timedelta(0), moment - clock()))
        await caught_up(stage, clock)
        say(f"{clock():%H:%M} UTC, {_dollars(stage, application, dawn, clock()):.2f} dollars")
    stage.openai.boost(application, Fraction(1), clock())
    clock.move_to_next_day()
    say("the day is over")
    await caught_up(stage, clock, until_closed=True)
    return await _told(stage, application, breach, charge_day(dawn))


async def caught_up(stage: Stage, clock: StageClock, *, until_closed: bool = False) -> None:
    """Wait until usage was read at this moment of the stage's clock, and everything to be said is said."""
    since, quiet = clock(), 0
    storage = stage.product[STORAGE]
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Between reading and wanting to say something lies a moment: all must be quiet for a while.
        while quiet < _QUIET_LOOKS:
            async with storage.reading() as store:
                healths = await store.usage.healths(TEAM_ID)
                is_open = until_closed and bool(await store.incidents.open_ones(TEAM_ID))
                is_silent = await store.outbox.waiting_count() == 0
            is_read = bool(healths) and all(one.read_at is not None and one.read_at >= since for one in healths)
            quiet = quiet + 1 if is_read and is_silent and not is_open else 0
            await asyncio.sleep(_SOON)  # what we wait for is in a database


def _walk(dawn: datetime, breach: datetime | None) -> list[datetime]:
    """The moments of the day at which we look: strides, and every minute around the breach."""
    end = dawn + timedelta(hours=24) - timedelta(minutes=2)
    strides = [dawn + STRIDE * n for n in range(1, 24) if dawn + STRIDE * n < end]
    near = [] if breach is None else [breach + timedelta(minutes=n) for n in range(-1, NEAR.seconds // 60)]
    return [*sorted({*strides, *(moment for moment in near if moment < end)}), end]


def _breach(stage: Stage, application: str, dawn: datetime) -> datetime | None:
    """When the whole limit is really spent, to the minute; the provider knows, and tells nobody in advance."""
    for minute in range(1, 24 * 60):
        moment = dawn + timedelta(minutes=minute)
        if _dollars(stage, application, dawn, moment) >= LIMIT:
            return moment
    return None


def _dollars(stage: Stage, application: str, start: datetime, end: datetime) -> Decimal:
    traffic, found = stage.openai.tenant().traffic, Decimal(0)
    for model in traffic.models_of(application):
        rates = stage.openai.prices.rates(model, charge_day(start))
        if rates is not None:
            usage = traffic.happened((application, model), minute_of(start), minute_of(end))
            found = EXACT.add(found, spent(usage, rates))
    return found


async def _told(stage: Stage, application: str, breach: datetime | None, day: object) -> Runaway:
    async with stage.product[STORAGE].reading() as store:
        found = [one for one in await store.incidents.of_windows(TEAM_ID, [day]) if one.has_root]  # type: ignore[list-item]
        incident: Incident | None = found[0] if found else None
        clocks = await store.incidents.clocks(TEAM_ID, moment_of(0)) if incident else []
    root, lines = _spoken(stage, application)
    # The first loud word may be of an earlier level; what counts is the one that said the limit is spent.
    breached = next((one for one in clocks if breach is not None and one.detected_at >= breach), None)
    return Runaway(
        project=application,
        limit_usd=f"{LIMIT}",
        breach_at=_iso(breach),
        detected_at=_iso(breached.detected_at if breached else None),
        delivered_at=_iso(breached.delivered_at if breached else None),
        closed_at=_iso(incident.closed_at if incident else None),
        spent_usd=f"{incident.spent.amount.normalize(EXACT):f}" if incident else None,
        root_texts=root,
        thread_texts=lines,
    )


def _spoken(stage: Stage, application: str) -> tuple[list[str], list[str]]:
    """Every text the root message had, in order and each once in a row, and the lines of its thread."""
    said = [call for call in stage.slack.calls if call.ok and call.method in {"chat.postMessage", "chat.update"}]
    first = next((call for call in said if _is_root(call, application)), None)
    if first is None:
        return [], []
    ts = str(first.response["ts"])
    root: list[str] = []
    for call in said:
        if str(call.response.get("ts")) == ts and (not root or root[-1] != call.text):
            root.append(call.text)
    return root, [call.text for call in said if call.args.get("thread_ts") == ts]


def _is_root(call: Call, application: str) -> bool:
    return call.method == "chat.postMessage" and not call.args.get("thread_ts") and application in call.text


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
