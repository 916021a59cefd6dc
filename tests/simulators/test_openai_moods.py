"""The provider on other days: work asked as batches, buckets that are missing, buckets that come twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from demo.openai import usage
from tests.simulators.openai_kit import MIDNIGHT, NOON, Desk, a_desk

YESTERDAY = MIDNIGHT - timedelta(days=1)
GROUPED = {"group_by": ["project_id", "model", "batch"]}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as opened:
        yield opened


def tokens(buckets: list[dict[str, Any]], **wanted: Any) -> int:
    return sum(
        row["input_tokens"] + row["output_tokens"]
        for bucket in buckets
        for row in bucket["results"]
        if all(row[name] == value for name, value in wanted.items())
    )


async def test_batches_are_told_apart_and_billed_at_half_the_price_on_lines_of_their_own(desk: Desk) -> None:
    """Usage and bill agree on what was a batch: tokens are only moved, and each moved token costs half."""
    day = {"start_time": YESTERDAY, "end_time": MIDNIGHT, "bucket_width": "1d"}
    plain = await desk.usage(**day, **GROUPED)
    [plain_bill] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=["project_id", "line_item"])
    desk.openai.behaviour.set({"batch_hours": 6})
    by_day = await desk.usage(**day, **GROUPED)
    by_hour = await desk.usage(**day | {"bucket_width": "1h"}, **GROUPED)
    [bill] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=["project_id", "line_item"])

    assert tokens(by_day) == tokens(plain)
    assert 0 < tokens(by_day, batch=True) == tokens(by_hour, batch=True) == tokens(by_hour[:6])
    lines = {row["line_item"] for row in bill["results"]}
    assert {"batch | big, input", "big, input"} <= lines

    def dollars(results: list[dict[str, Any]], prefix: str = "") -> Decimal:
        return sum((row["amount"]["value"] for row in results if row["line_item"].startswith(prefix)), Decimal(0))

    saved = dollars(plain_bill["results"]) - dollars(bill["results"])
    assert saved == dollars(bill["results"], "batch | ") > 0


async def test_batches_can_be_asked_for_alone(desk: Desk) -> None:
    desk.openai.behaviour.set({"batch_hours": 6})
    day = {"start_time": YESTERDAY, "end_time": MIDNIGHT, "bucket_width": "1d"}
    apart = [tokens(await desk.usage(**day, batch=flag)) for flag in ("true", "false")]
    assert sum(apart) == tokens(await desk.usage(**day))
    assert all(apart)


async def test_fresh_buckets_go_missing_and_turn_up_after_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.openai.behaviour.set({"missing_every": 4})
    asked = {"start_time": NOON - timedelta(minutes=30), "end_time": NOON, "bucket_width": "1m"}
    told = [bucket["start_time"] // 60 for bucket in await desk.usage(**asked)]
    noon = int(NOON.timestamp()) // 60
    assert set(range(noon - 30, noon)) - set(told) == {m for m in range(noon - 15, noon) if m % 4 == 0}
    desk.clock.advance(minutes=16)
    assert len(await desk.usage(**asked)) == 30


async def test_buckets_can_come_twice(desk: Desk) -> None:
    asked = {"start_time": NOON - timedelta(minutes=5), "end_time": NOON, "bucket_width": "1m"}
    once = await desk.usage(**asked)
    desk.openai.behaviour.set({"repeat_buckets": True})
    assert await desk.usage(**asked) == [bucket for bucket in once for _ in range(2)]


async def test_while_a_long_page_is_told_others_are_served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand applications by the minute took seconds, and a window that was submitted meanwhile timed out."""
    assert usage.AT_ONCE < 1000
    monkeypatch.setattr(usage, "AT_ONCE", 1)  # few applications here: after each bucket, as with a thousand
    half_a_day = {"start_time": int(MIDNIGHT.timestamp()), "bucket_width": "1m", "limit": 720}
    told, turns = asyncio.create_task(desk.get("/organization/usage/completions", **half_a_day)), 0
    while not told.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > len((await told)["data"]) == 720
