"""What a story came to: its times from the product's memory, its limits from the provider, its words from Slack.

The provider is asked by itself, past the product: whether a limit is back is not for the product to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx

from demo.billing import spent
from demo.slack.cast import MARKETING, TEAM_ID
from demo.slack.journal import Call
from demo.stage import Stage
from finops.holds import Hold
from finops.incidents import Incident
from finops.money import EXACT
from finops.periods import charge_day, minute_of, moment_of, starts_at
from finops.stops import Stop
from handlers.addresses import STORAGE

Json = dict[str, Any]
_THOUSAND = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Limits:
    """The project's spend limit as the provider tells it (None: there is none): before, under and after the stop."""

    before: Json | None
    stopped: Json | None
    after: Json | None


@dataclass(frozen=True, slots=True)
class Runaway:
    """What happened, in ISO times of the stage's clock and dollars as decimal strings; None for what did not happen.

    `leak_usd` is what the product says was spent after the stop was asked for, `leak_billed_usd` what the provider
    counts from the minute of the request on. Limits are the provider's own JSON, read past the product.
    """

    project: str
    limit_usd: str
    breach_at: str | None
    detected_at: str | None
    delivered_at: str | None
    stop_requested_at: str | None
    limit_set_at: str | None
    enforced_at: str | None
    proved_at: str | None
    leak_usd: str | None
    leak_billed_usd: str | None
    approved_at: str | None
    restored_at: str | None
    first_traffic_at: str | None
    closed_at: str | None
    spent_usd: str | None
    limit_before: Json | None
    limit_stopped: Json | None
    limit_after: Json | None
    is_restored_exactly: bool
    cause: str | None
    root_texts: list[str]
    thread_texts: list[str]


async def told(
    stage: Stage, application: str, breach: datetime | None, day: date, limits: Limits, limit: Decimal
) -> Runaway:
    """Read it all back; `day` is the charge day of the runaway, `limit` its budget."""
    incident, stop, hold = await _records(stage, day)
    async with stage.product[STORAGE].reading() as store:
        clocks = await store.incidents.clocks(TEAM_ID, moment_of(0)) if incident else []
    root, lines = _spoken(stage, application)
    # The first loud word may be of an earlier level; what counts is the one that said the limit is spent.
    breached = next((one for one in clocks if breach is not None and one.detected_at >= breach), None)
    leaked_until = hold.proved_at if hold else None
    return Runaway(
        project=application,
        limit_usd=f"{limit}",
        breach_at=_iso(breach),
        detected_at=_iso(breached.detected_at if breached else None),
        delivered_at=_iso(breached.delivered_at if breached else None),
        stop_requested_at=_iso(stop.requested_at if stop else None),
        limit_set_at=_iso(hold.set_at if hold else None),
        enforced_at=_iso(hold.enforced_at if hold else None),
        proved_at=_iso(leaked_until),
        leak_usd=_plain(hold.leak.amount) if hold and hold.leak is not None else None,
        leak_billed_usd=_plain(dollars(stage, application, stop.requested_at, leaked_until))
        if stop and leaked_until
        else None,
        approved_at=_iso(stop.approved_at if stop else None),
        restored_at=_iso(hold.released_at if hold else None),
        first_traffic_at=_iso(hold.first_traffic_at if hold else None),
        closed_at=_iso(incident.closed_at if incident else None),
        spent_usd=_plain(incident.spent.amount) if incident else None,
        limit_before=limits.before,
        limit_stopped=limits.stopped,
        limit_after=limits.after,
        is_restored_exactly=limits.before == limits.after,
        cause=stop.cause if stop else None,
        root_texts=root,
        thread_texts=lines,
    )


async def _records(stage: Stage, day: date) -> tuple[Incident | None, Stop | None, Hold | None]:
    """The day's incident that people were told of, its stop and the last hold of that."""
    async with stage.product[STORAGE].reading() as store:
        found = [one for one in await store.incidents.of_windows(TEAM_ID, [day]) if one.has_root]
        incident = found[0] if found else None
        stop = await store.stops.of_incident(TEAM_ID, incident.id or 0) if incident else None
        holds = await store.stops.holds(TEAM_ID, stop.id or 0) if stop else []
    return incident, stop, max(holds, key=lambda one: one.id or 0, default=None)


# -- the provider


async def spend_limit(stage: Stage, application: str) -> Json | None:
    """The project's spend limit, asked of the provider itself; None when it says that there is none."""
    async with _asking(stage) as http:
        answer = await http.get(_limit_of(stage, application))
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    found: Json = answer.raise_for_status().json()
    return found


async def set_former_limit(stage: Stage, application: str, most: Decimal) -> None:
    """Give the project a limit as an admin would have, long ago: the next thousand dollars over `most`."""
    cents = int((most // _THOUSAND + 1) * _THOUSAND * 100)
    body = {"threshold_amount": cents, "currency": "USD", "interval": "month"}
    async with _asking(stage) as http:
        (await http.post(_limit_of(stage, application), json=body)).raise_for_status()


def _asking(stage: Stage) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {stage.props.marketing_key}"}
    return httpx.AsyncClient(base_url=stage.openai.url, headers=headers, timeout=30)


def _limit_of(stage: Stage, application: str) -> str:
    return f"/organization/projects/{stage.openai.project(application).id}/spend_limit"


def dollars(stage: Stage, application: str, start: datetime, end: datetime) -> Decimal:
    """What the application really spends between two moments, to the minute; the provider knows, and nobody else."""
    traffic, found = stage.openai.tenant().traffic, Decimal(0)
    for model in traffic.models_of(application):
        rates = stage.openai.prices.rates(model, charge_day(start))
        if rates is not None:
            usage = traffic.happened((application, model), minute_of(start), minute_of(end))
            found = EXACT.add(found, spent(usage, rates))
    return found


def month_so_far(stage: Stage, application: str, until: datetime) -> Decimal:
    """What the application spends in the month of a moment, up to it."""
    first = charge_day(until).replace(day=1)
    traffic = stage.openai.tenant().traffic
    return dollars(stage, application, max(starts_at(first), moment_of(traffic.starts_at)), until)


# -- Slack


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
    is_new = call.method == "chat.postMessage" and not call.args.get("thread_ts")
    return is_new and call.args.get("channel") == MARKETING and application in call.text


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize(EXACT):f}" if amount else "0"
