"""What a replica is asked by the replay beside its work: setting up, and looking at what it remembers.

Everything goes through the running application, and comes back as JSON: amounts as exact decimal strings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web
from sqlalchemy import text

from demo.slack.cast import JIHOON, TEAM_ID, TEAM_NAME
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.estimates import corrections
from finops.money import Money
from finops.registry import Person, Role
from handlers.addresses import BOT, STORAGE

Answer = Callable[[web.Application, Mapping[str, Any]], Awaitable[Any]]
_LOCALE, _ZONE = "ko-KR", "Asia/Seoul"
_UNPOSTED = text("SELECT count(*) FROM outbox WHERE ts IS NULL AND state IN ('waiting', 'sending')")


async def set_up(product: web.Application, given: Mapping[str, Any]) -> dict[str, Any]:
    """Teams with their lead, channel, key and projects, and a daily budget for each name in `budgets`.

    The connection's id, and the names of the budgets by id.
    """
    bot, storage = product[BOT], product[STORAGE]
    now = bot.clock()
    async with storage.writing() as store:
        await store.workspaces.ensure(
            TEAM_ID, name=TEAM_NAME, locale=_LOCALE, timezone=_ZONE, installed_by=JIHOON, at=now
        )
        admin = await store.people.remember(
            TEAM_ID,
            Person(TEAM_ID, JIHOON, "이지훈", Role.ADMIN, _LOCALE, _ZONE, is_workspace_admin=True, seen_at=now),
        )
    scopes: dict[str, tuple[BudgetScope, int]] = {}
    connection_id = 0
    for name, told in given["teams"].items():
        async with storage.writing() as store:
            team = await store.teams.create(
                TEAM_ID, name=name, lead_user_id=told["lead"], channel_id=told["channel"], locale=_LOCALE,
                approvers=(), created_by=JIHOON, at=now,
            )  # fmt: skip
        scopes[name] = (BudgetScope.TEAM, team.id)
        connection_id = (await bot.connections.register_key(admin, team.id, told["key"])).connection.id
        await bot.projects.register(admin, team.id, told["projects"])
    for project in await bot.projects.all(TEAM_ID):
        scopes[project.name] = (BudgetScope.PROJECT, project.id)
    names: dict[int, str] = {}
    async with storage.writing() as store:
        for name, amount in given["budgets"].items():
            terms = BudgetTerms(*scopes[name], BudgetPeriod.DAY, Money(Decimal(amount), "USD"))
            names[(await store.budgets.create(TEAM_ID, terms, by=JIHOON, at=now)).id] = name
    return {"connection": connection_id, "budgets": names}


async def read_at(product: web.Application, given: Mapping[str, Any]) -> dict[str, str | None]:
    """When usage was last read as a whole, and when the reading of completions was made that is stored."""
    async with product[STORAGE].reading() as store:
        health = await store.healths.get(TEAM_ID, given["connection"])
        completions = (await store.usage.reads(TEAM_ID, given["connection"])).get("completions")
    return {
        "whole": _told(health.read_at if health else None),
        "stored": _told(completions.read_at if completions else None),
    }


async def collecting(product: web.Application, _: Mapping[str, Any]) -> int:
    """How many bills are being read, or wait to be."""
    return len(await product[BOT].collecting.progress(TEAM_ID))


async def unposted(product: web.Application, _: Mapping[str, Any]) -> int:
    """How many messages stand nowhere yet."""
    async with product[STORAGE].reading() as store:
        # Asked by a replay alone: the product has no need to know what waits for its first time.
        return int((await store.outbox._db.execute(_UNPOSTED)).scalar_one())


async def unsaid(product: web.Application, _: Mapping[str, Any]) -> int:
    """The same, and what waits for an edit."""
    async with product[STORAGE].reading() as store:
        return await store.outbox.waiting_count()


async def incidents(product: web.Application, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every incident of so many days from the first one on: its budget, its day, and the clocks of its message."""
    first = date.fromisoformat(given["first"])
    days = [first + timedelta(days=number) for number in range(given["days"])]
    found = []
    async with product[STORAGE].reading() as store:
        for one in await store.incidents.of_windows(TEAM_ID, days):
            root = await store.outbox.get(TEAM_ID, f"incident:{one.id}")
            clocks = (root.detected_at, root.available_at, root.delivered_at) if root else (None, None, None)
            names = ("detected", "available", "delivered")
            told = {name: _told(moment) for name, moment in zip(names, clocks, strict=True)}
            found.append({"id": one.id, "budget": one.budget_id, "day": one.window.start.isoformat(), **told})
    return found


async def estimates(product: web.Application, given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Every estimate since a day whose bill was held against it: from usage and prices, and as corrected then."""
    first = date.fromisoformat(given["first"])
    async with product[STORAGE].reading() as store:
        samples = (await store.drifts.since(TEAM_ID, first - timedelta(days=40))).get(given["connection"], [])
        days = sorted({one.day for one in samples if one.day >= first})
        rows = await store.usage.open_estimates(TEAM_ID, days)
    # A bill is held against its estimate a day after it ended: later ones had taught nothing yet that day.
    taught = {day: corrections([one for one in samples if one.day <= day - timedelta(days=2)], day) for day in days}
    found = []
    for row in rows:
        raw = Decimal(row.atto).scaleb(-18)
        corrected = taught[row.day].of(row.sub_account_id, row.model).apply(raw)
        found.append({
            "day": row.day.isoformat(), "project": row.sub_account_id, "model": row.model,
            "raw": str(raw), "corrected": str(corrected),
        })  # fmt: skip
    return found


async def drift(product: web.Application, _: Mapping[str, Any]) -> str:
    """The product's own figure of how right its estimates are, as Home and reports show it."""
    bot = product[BOT]
    found = await bot.spending.drift(TEAM_ID)
    if found is None or found.ratio is None or found.corrected_ratio is None:
        return "The product says nothing of its estimates yet."
    return (
        f"The product itself says of its last {found.days} days: {found.ratio:+.2%} uncorrected, "
        f"{found.corrected_ratio:+.2%} corrected, {found.worst_ratio:.2%} on the worst day."
    )


LOOKS: Mapping[str, Answer] = {
    "set_up": set_up,
    "read_at": read_at,
    "collecting": collecting,
    "unposted": unposted,
    "unsaid": unsaid,
    "incidents": incidents,
    "estimates": estimates,
    "drift": drift,
}


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
