"""The two addresses of recorded calls on a real socket, over a real database, with a project and its token."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web

from bot import Bot, Clock, Policy
from bot.metrics import Metrics
from finops.events import token_hash
from finops.periods import Period, charge_day
from finops.prices import RateCard
from finops.registry import Project
from finops.value import ValueSums
from handlers import addresses, recording
from storage import Storage
from tests.databases import WORKSPACE, Tenant

TOKEN = "fin_" + "0123456789" * 4 + "abc"
DOLLAR_A_TOKEN = 10**18


class Prices:
    """A dollar a token for gpt-5.4, nothing known of any other."""

    version = "1"

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        if (endpoint, model) != ("completions", "gpt-5.4"):
            return None
        return RateCard("test", DOLLAR_A_TOKEN, DOLLAR_A_TOKEN // 10, 0, DOLLAR_A_TOKEN * 2)


@dataclass
class Door:
    """A served application, and a client of it."""

    url: str
    bot: Bot
    storage: Storage
    client: aiohttp.ClientSession
    project: Project
    metrics: Metrics

    async def post(
        self, body: Any = None, path: str = recording.EVENTS, token: str = TOKEN, **more: Any
    ) -> tuple[int, Any]:
        """What is answered: the status, and the JSON."""
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        given = {"data": io.BytesIO(more.pop("data"))} if "data" in more else {"json": body}
        async with self.client.post(f"{self.url}{path}", headers=headers, **given, **more) as answer:
            self.headers = answer.headers
            return answer.status, await answer.json()

    async def sums(self) -> ValueSums:
        """All that is recorded of the project around the day of the clock."""
        today = charge_day(self.bot.clock())
        async with self.storage.reading() as store:
            period = Period(today - timedelta(days=60), today + timedelta(days=2))
            return (await store.value.sums(WORKSPACE, period)).get(self.project.id, ValueSums())

    @property
    async def cost(self) -> Decimal:
        """The estimate of all that is recorded, in dollars."""
        sums = await self.sums()
        return Decimal(sums.cost_nano) / 10**9


@asynccontextmanager
async def a_door(storage: Storage, tenant: Tenant, clock: Clock) -> AsyncIterator[Door]:
    """Serve, with one project whose token is TOKEN."""
    bot = Bot(storage, {}, clock, Policy(), Prices())
    async with storage.writing() as store:
        [project], _ = await store.projects.register(
            tenant.workspace_id, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[("proj_a", "chatbot")], registered_by="U1", at=clock(),
        )  # fmt: skip
        await store.event_tokens.add(
            tenant.workspace_id, project_id=project.id, name="web", token_hash=token_hash(TOKEN),
            ends_with=TOKEN[-4:], by="U1", at=clock(),
        )  # fmt: skip
    app = web.Application()
    app[addresses.BOT], app[addresses.METRICS] = bot, Metrics()
    app.add_routes([web.post(recording.EVENTS, addresses.events), web.post(recording.TRACES, addresses.traces)])
    runner = web.AppRunner(app, access_log=None, **addresses.SERVED)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with aiohttp.ClientSession() as client:
            yield Door(f"http://{host}:{port}", bot, storage, client, project, app[addresses.METRICS])
    finally:
        await runner.cleanup()
