"""What the applications of a stage record after its clock was moved on: what was let through, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from demo.openai import SimulatedOpenAI
from demo.openai.limits import Limits
from demo.prices import ListPrices
from demo.trace import parse_trace
from demo.value_sender import Applications
from tests.conftest import FakeClock

ROWS = [f"{hour},loop,gpt-4o,40,4000000,400000" for hour in range(48)]
TOKEN = f"fin_{'a' * 43}"


async def test_a_stopped_application_records_nothing_of_the_days_its_clock_was_moved_over() -> None:
    """Nobody had asked the provider meanwhile what it let through: a week behind a limit was told as a good one."""
    clock = FakeClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
    openai = SimulatedOpenAI(
        parse_trace(["hour,application,model,requests,input_tokens,output_tokens", *ROWS]), ListPrices(), clock
    )
    told: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        found = (await request.json())["events"]
        told.extend(found)
        return web.json_response({"accepted": len(found)})

    product = web.Application()
    product.router.add_post("/v1/events", take)
    async with TestServer(product) as server:
        applications = Applications(openai, clock, str(server.make_url("")).rstrip("/"))
        await applications.connect("loop", TOKEN)
        clock.advance(hours=2)
        before = await applications.catch_up()
        assert before == len(told) > 0
        tenant, project = openai.tenant(), openai.project("loop")
        cent = {"threshold_amount": 1, "currency": "USD", "interval": "month"}
        Limits(tenant.organization, tenant.levers, openai.behaviour, clock()).set_spend_limit(project, cent)
        clock.advance(minutes=5)
        await applications.catch_up()
        told.clear()
        clock.advance(hours=30)
        assert await applications.catch_up() == 0
        assert told == []
