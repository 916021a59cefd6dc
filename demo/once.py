"""One scripted run: onboard through the real modals, collect, and print what the ledger and the provider say."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from app import StorageError
from demo.onboarding import Say, Stuck, Wish, collected, onboard, words_of
from demo.slack import Call, Person
from demo.slack.cast import FINOPS, JIHOON, MINSU, TEAM_ID
from demo.stage import Stage
from demo.trace import Trace
from finops.money import EXACT, NANO_PLACES, Money
from finops.periods import Period, charge_day, starts_at
from handlers.addresses import BOT, STORAGE

SPOKEN = frozenset({"chat.postMessage", "chat.postEphemeral", "chat.update", "response_url"})
UNALLOCATED = "(unallocated)"


@dataclass(frozen=True, slots=True)
class Told:
    """What one run found: exact decimal strings, dollars."""

    ledger_total: str
    provider_total: str
    by_project: dict[str, str]
    by_day: dict[str, str]
    period: dict[str, str]
    currency: str
    messages: list[dict[str, Any]]
    seconds: float


async def play(stage: Stage, say: Say) -> Told:
    """이지훈 sets up one team with every project, collects, and asks `/finops status`; safe to play again."""
    began = time.monotonic()
    await require_own_keys(stage)
    person = stage.slack.person(JIHOON)
    wish = Wish("마케팅팀", FINOPS, MINSU, stage.props.marketing_key)
    await onboard(stage, person, wish, say)
    # Before collecting: a midnight that passes meanwhile must not ask about a day nobody had closed yet.
    period = compared(stage)
    _warn(stage, period, say)
    say("collecting once more by hand")
    await _answered(stage, person, "/finops collect")
    await collected(stage)
    await _answered(stage, person, "/finops status")
    say("comparing with the provider")
    by_project, by_day = await ledger(stage, period)
    return Told(
        ledger_total=plain(total(by_project)),
        provider_total=plain(await provider_total(stage, period)),
        by_project={name: plain(amount) for name, amount in sorted(by_project.items())},
        by_day={str(day): plain(amount) for day, amount in sorted(by_day.items())},
        period={"start": str(period.start), "end": str(period.end)},
        currency="USD",
        messages=[said(call) for call in stage.slack.calls if call.ok and (call.method in SPOKEN)],
        seconds=round(time.monotonic() - began, 3),
    )


async def require_own_keys(stage: Stage) -> None:
    """Raise Stuck for a database whose keys belong to other props: nothing could be collected, however long."""
    async with stage.product[STORAGE].reading() as store:
        try:
            for connection in await store.connections.all(TEAM_ID):
                await store.credentials.usable(TEAM_ID, connection.id)
        except StorageError as error:
            raise Stuck(
                "the keys in this database were made for another address of it, or in another checkout: "
                "put it back to where it was made, or name a new one"
            ) from error


def amiss(told: Told, trace: Trace) -> str | None:
    """What a run failed at, in a sentence; None when every application is registered and its ledger is the bill."""
    if unregistered := [name for name in trace.applications if name not in told.by_project]:
        return f"not set up: {', '.join(unregistered[:3])}, {len(unregistered)} in all; --verbose shows why"
    difference = EXACT.subtract(Decimal(told.ledger_total), Decimal(told.provider_total))
    if abs(difference) >= Decimal(1).scaleb(-NANO_PLACES):
        return f"the ledger and the provider's bill differ by {plain(difference)} dollars; --verbose shows why"
    return None


def compared(stage: Stage) -> Period:
    """The days that are closed now and that a first collection reaches."""
    today = charge_day(stage.product[BOT].clock())
    return Period(today - timedelta(days=stage.product[BOT].policy.backfill_days), today)


def _warn(stage: Stage, period: Period, say: Say) -> None:
    """Say it when the trace begins before the first day that is collected: both totals leave those days out."""
    trace = trace_of(stage)
    days = -(-(trace.last_hour - trace.first_hour + 1) // 24)
    if days > period.days:
        say(f"the trace has {days} days; collected and compared are the newest {period.days}, from {period.start}")


def trace_of(stage: Stage) -> Trace:
    return stage.openai.tenant().traffic.trace


async def _answered(stage: Stage, person: Person, command: str) -> None:
    """Type a command and wait for what it answers."""
    before = len(stage.slack.calls)
    await person.command(command)
    await stage.slack.until(lambda: any(call.method == "response_url" for call in stage.slack.calls[before:]), 30)


async def ledger(stage: Stage, period: Period) -> tuple[dict[str, Decimal], dict[date, Decimal]]:
    """What the product has stored: by project (of its registered name) and by day.

    Every application of the trace that is registered has its line, also when nothing was billed to it.
    """
    by_project: defaultdict[str, Decimal] = defaultdict(Decimal)
    by_day: defaultdict[date, Decimal] = defaultdict(Decimal)
    async with stage.product[STORAGE].reading() as store:
        names = {
            (project.connection_id, project.provider_project_id): project.name
            for project in await store.projects.all(TEAM_ID)
        }
        by_project |= dict.fromkeys(set(trace_of(stage).applications) & set(names.values()), Decimal(0))
        for cell in await store.charges.totals(TEAM_ID, period):
            assert cell.amount.currency == "USD"
            name = names.get((cell.connection_id, cell.sub_account_id or ""), UNALLOCATED)
            by_project[name] = EXACT.add(by_project[name], cell.amount.amount)
            by_day[cell.day] = EXACT.add(by_day[cell.day], cell.amount.amount)
    return dict(by_project), dict(by_day)


async def provider_total(stage: Stage, period: Period) -> Decimal:
    """What the provider itself bills for the period, asked without any grouping and without the product."""
    found, page = Decimal(0), None
    headers = {"Authorization": f"Bearer {stage.props.marketing_key}"}
    async with httpx.AsyncClient(base_url=stage.openai.url, headers=headers, timeout=60) as http:
        while True:
            asked = {"start_time": stamp(period.start), "end_time": stamp(period.end), "limit": 30}
            answer = await http.get("/organization/costs", params=asked | ({"page": page} if page else {}))
            body = answer.raise_for_status().json(parse_float=Decimal)
            for bucket in body["data"]:
                for row in bucket.get("results", bucket.get("result", [])):
                    found = EXACT.add(found, Decimal(row["amount"]["value"]))
            page = body.get("next_page")
            if not body.get("has_more"):
                return found


def said(call: Call) -> dict[str, Any]:
    """One thing Slack was told, as a person reads it."""
    where = call.args.get("channel") or call.args.get("user") or "response_url"
    return {"method": call.method, "channel": where, "text": call.text or words_of(call.blocks)[:300]}


def total(parts: dict[str, Decimal]) -> Decimal:
    whole = Money.zero()
    for amount in parts.values():
        whole += Money(amount)
    return whole.amount


def plain(amount: Decimal) -> str:
    """The exact decimal without an exponent and without trailing zeros."""
    return f"{amount.normalize(EXACT):f}" if amount else "0"


def stamp(day: date) -> int:
    moment: datetime = starts_at(day)
    return int(moment.timestamp())
