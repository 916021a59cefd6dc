"""Applications that are built otherwise from an hour on: what they ask moves, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.simulators.openai_kit import MIDNIGHT, Desk, a_desk

GROUPED = {"group_by": ["project_id", "model"]}
MOST = {"1d": 1, "1h": 24, "1m": 1440}
LINES = {"group_by": ["project_id", "line_item"]}
COUNTS = ("num_model_requests", "input_tokens", "input_cached_tokens", "output_tokens")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as opened:
        yield opened


async def told(desk: Desk, start: datetime, width: str, application: str = "chat") -> dict[str, list[int]]:
    """What an application asked of each model in the day after `start`, added up from buckets of a width."""
    found: dict[str, list[int]] = {}
    project = desk.openai.project(application).id
    day = {"start_time": start, "end_time": start + timedelta(days=1), "bucket_width": width, "limit": MOST[width]}
    for bucket in await desk.usage(**day, **GROUPED):
        for row in bucket["results"]:
            if row["project_id"] == project:
                counts = [row[name] for name in COUNTS]
                found[row["model"]] = [a + b for a, b in zip(found.get(row["model"], [0] * 4), counts, strict=True)]
    return found


async def test_calls_move_to_a_model_the_trace_knows_nothing_of_and_come_to_the_same(desk: Desk) -> None:
    """Hours say what minutes and days say, whether the turn came before or after they were asked for first."""
    desk.clock.advance(days=2)
    tomorrow = MIDNIGHT + timedelta(days=1)
    before = await told(desk, tomorrow, "1d", "search")
    order = {"application": "search", "percent": 80, "to_model": "big", "since": f"{tomorrow + timedelta(hours=5.5)}"}
    answer = await desk.control("turn", order)
    assert (answer["from_model"], answer["since"]) == ("small", f"{(tomorrow + timedelta(hours=6)).isoformat()}")
    after = await told(desk, tomorrow, "1d", "search")
    assert after == await told(desk, tomorrow, "1h", "search") == await told(desk, tomorrow, "1m", "search")
    assert [sum(each) for each in zip(*after.values(), strict=True)] == before["small"]
    assert 0.70 < after["big"][1] / before["small"][1] * 24 / 18 < 0.82
    assert await told(desk, MIDNIGHT, "1d", "search") == await told(desk, MIDNIGHT, "1h", "search")
    assert list(await told(desk, MIDNIGHT, "1d", "search")) == ["small"], "what was before stays as it was"
    lines = {
        row["line_item"] for row in (await desk.costs(tomorrow, tomorrow + timedelta(days=1), **LINES))[0]["results"]
    }
    assert {"big, input", "small, input"} <= lines


LINES = {"group_by": ["project_id", "line_item"]}


async def test_prompts_come_from_the_cache_and_a_loop_goes_on_in_the_new_model(desk: Desk) -> None:
    desk.clock.advance(days=2)
    tomorrow = MIDNIGHT + timedelta(days=1)
    before = await told(desk, tomorrow, "1d")
    desk.openai.boost("chat", 3, tomorrow)
    await desk.control("turn", {"application": "chat", "percent": 50, "since": f"{tomorrow}"})
    cached = await told(desk, tomorrow, "1d")
    assert [cached["big"][n] // before["big"][n] for n in (0, 1, 3)] == [3, 3, 3]
    assert cached["small"][2] / cached["small"][1] > 0.49
    await desk.control("turn", {"application": "chat", "percent": 100, "to_model": "tiny", "since": f"{tomorrow}"}, 400)
    await desk.control("turn", {"application": "chat", "percent": 100, "from_model": "big", "to_model": "small"})
    desk.clock.advance(days=1)
    later = await told(desk, tomorrow + timedelta(days=1), "1d")
    assert 0 < later["big"][0] < later["small"][0]


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ({"application": "chat", "percent": 0}, "between 1 and 100"),
        ({"application": "chat", "percent": "many"}, "many"),
        ({"application": "nobody", "percent": 5}, "unknown"),
        ({"application": "chat", "percent": 5, "from_model": "medium", "to_model": "small"}, "not medium"),
        ({"percent": 5}, "application"),
    ],
)
async def test_an_order_that_cannot_be_followed_says_so(desk: Desk, order: dict[str, Any], wrong: str) -> None:
    answer = await desk.control("turn", order, 400)
    assert wrong in answer["error"]
