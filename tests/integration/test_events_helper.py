"""The helper that applications copy: what it is told arrives, and our trouble is never its caller's."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from finops.value import ValueSums
from storage import Storage
from tests.databases import Tenant
from tests.house.tree import ROOT
from tests.integration.recording_world import TOKEN, Door, a_door

PATH = ROOT / "docs" / "finops_events.py"


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


@pytest.fixture(scope="module")
def helper() -> Any:
    """The file as it stands, imported as an application imports it."""
    spec = importlib.util.spec_from_file_location("finops_events", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def door(storage: Storage, tenant: Tenant) -> AsyncIterator[Door]:
    """The helper tells the real time, so this server goes by it."""
    async with a_door(storage, tenant, lambda: datetime.now(UTC)) as opened:
        yield opened


def test_it_is_short_and_needs_nothing() -> None:
    """Nobody should have to install or review much in order to be measured."""
    text = PATH.read_text()
    assert sum(bool(line.strip()) and '"""' not in line for line in text.splitlines()) <= 44
    assert re.findall(r"^import (.*?)  #", text, re.MULTILINE) == [
        "json, queue, threading, time, urllib.error, urllib.request, uuid"
    ]


async def test_what_it_is_told_arrives(helper: Any, door: Door) -> None:
    """A call, and later its end by the id that the helper gave; what cannot be sent at all is dropped and counted."""
    recorder = helper.Recorder(door.url, TOKEN)
    call = recorder.record(task="summary", model="gpt-5.4", input_tokens=10, output_tokens=3, prompt=object())
    recorder.record(request_id=call, outcome="success", score=0.9)
    circle: dict[str, Any] = {}
    circle["itself"] = circle
    recorder.record(task=circle)
    await asyncio.to_thread(recorder.flush)
    sums = await door.sums()
    assert (sums.calls, sums.successes, sums.score_sum, sums.input_tokens) == (1, 1, 900, 10)
    assert recorder.dropped == 1


async def test_a_faulty_event_takes_no_other_with_it(helper: Any, door: Door) -> None:
    """The server refuses a whole batch; the helper sends the rest of it again."""
    recorder = helper.Recorder(door.url, TOKEN, pause=0)
    for outcome in ("success", "maybe", "failure"):
        recorder.record(outcome=outcome)
    await asyncio.to_thread(recorder.flush)
    assert await door.sums() == ValueSums(calls=2, successes=1, failures=1)
    assert recorder.dropped == 1


async def test_nor_does_one_that_makes_the_whole_request_unreadable_or_too_long(helper: Any, door: Door) -> None:
    """A score that is no number is no JSON, nor is half a letter; and long texts are dropped unread, but not unsent."""
    recorder = helper.Recorder(door.url, TOKEN, pause=0)
    for number in range(40):
        recorder.record(outcome="success", prompt="가" * 10_000)
        if number % 13 == 0:
            recorder.record(score=float("nan"))
    recorder.record(user="\ud800")
    recorder.record(prompt="가" * 200_000)
    await asyncio.to_thread(recorder.flush, 20)
    assert await door.sums() == ValueSums(calls=40, successes=40)
    assert recorder.dropped == 6


async def test_a_wrong_token_is_not_tried_for_ever(helper: Any, door: Door) -> None:
    """What will never be taken makes room."""
    recorder = helper.Recorder(door.url, "fin_" + "x" * 43)
    recorder.record(outcome="success")
    await asyncio.to_thread(recorder.flush)
    assert recorder.dropped == 1


async def test_our_outage_costs_the_caller_nothing(helper: Any) -> None:
    """Nobody listens, then a server fails, another answers in its place, then it works: no call raises or waits, and
    what fits arrives once."""
    taken: list[Any] = []
    failing = [web.Response(status=422, text="<html>not your server</html>"), web.Response(status=503)]

    async def take(request: web.Request) -> web.Response:
        if failing:
            return failing.pop()
        taken.extend(await request.json())
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/v1/events", take)
    runner = web.AppRunner(app)
    await runner.setup()
    probe = web.TCPSite(runner, "127.0.0.1", 0)
    await probe.start()
    port = runner.addresses[0][1]
    await probe.stop()
    recorder = helper.Recorder(f"http://127.0.0.1:{port}/", TOKEN, most_waiting=5, pause=0.001)
    began = asyncio.get_running_loop().time()
    ids = [recorder.record(outcome="success") for _ in range(2_000)]
    assert asyncio.get_running_loop().time() - began < 5
    assert 0 < recorder.dropped < 2_000
    kept = 2_000 - recorder.dropped
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    await asyncio.to_thread(recorder.flush, 10)
    await runner.cleanup()
    assert failing == []
    arrived = [each["id"] for each in taken]
    assert len(arrived) == len(set(arrived)) == kept
    assert set(arrived) <= set(ids)
