"""The simulated bill: exactly tokens x price by day and project, however it is asked for and however it is spelled."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from demo.openai import AdminKey, Deed, Plan
from finops.periods import minute_of
from tests.simulators.openai_kit import MIDNIGHT, NOON, Desk, a_desk, a_trace, independent_bill

BOTH = ["project_id", "line_item"]
YESTERDAY = MIDNIGHT - timedelta(days=1)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


def total(buckets: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["amount"]["value"]) for bucket in buckets for row in bucket["results"]), Decimal(0))


async def test_the_bill_is_exactly_tokens_times_price_for_every_day_and_project(desk: Desk) -> None:
    """Worked out from the rows of the trace alone, to the last digit, and again ungrouped."""
    expected = independent_bill(desk.openai.tenant().traffic.trace)
    names = {desk.project_id(name): name for name in ("chat", "search", "nightly")}
    found: dict[tuple[int, str], Decimal] = {}
    buckets = await desk.costs(MIDNIGHT - timedelta(days=20), MIDNIGHT, group_by=BOTH)
    for bucket in buckets:
        ago = (int(MIDNIGHT.timestamp()) - bucket["start_time"]) // 86_400
        for row in bucket["results"]:
            key = (ago, names[row["project_id"]])
            found[key] = found.get(key, Decimal(0)) + row["amount"]["value"]
    assert found == expected
    assert total(await desk.costs(MIDNIGHT - timedelta(days=20), MIDNIGHT)) == sum(expected.values())


async def test_the_last_hour_of_the_trace_is_the_hour_before_the_last_midnight(desk: Desk) -> None:
    before = await desk.costs(MIDNIGHT - timedelta(days=11), MIDNIGHT)
    assert [len(bucket["results"]) for bucket in before] == [0] + [1] * 10


async def test_line_items_are_named_like_the_bill_and_carry_their_tokens(desk: Desk) -> None:
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH, project_ids=[desk.project_id("nightly")])
    told = [
        (row["line_item"], row["quantity"], row["quantity_unit"], str(row["amount"]["value"].normalize()))
        for row in bucket["results"]
    ]
    assert told == [
        ("big, input", 1000, "tokens", "0.0025"),
        ("big, cached input", 0, "tokens", "0"),
        ("big, output", 100, "tokens", "0.001"),
    ]


async def test_a_model_whose_source_never_counts_cached_tokens_has_no_cached_line(desk: Desk) -> None:
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH, project_ids=[desk.project_id("chat")])
    small = [row["line_item"] for row in bucket["results"] if row["line_item"].startswith("small")]
    assert small == ["small, input", "small, output"]


async def test_dimensions_nobody_asked_for_are_null(desk: Desk) -> None:
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT)
    [row] = bucket["results"]
    assert [row[name] for name in ("project_id", "line_item", "api_key_id", "quantity", "quantity_unit")] == [None] * 5


async def test_both_spellings_of_arrays_group_the_same(desk: Desk) -> None:
    brackets = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
    assert brackets == await desk.costs(YESTERDAY, MIDNIGHT, group_by_=BOTH)
    assert len(brackets[0]["results"]) == 11


@pytest.mark.parametrize(("understood", "refused"), [("brackets", "group_by_"), ("bare", "group_by")])
async def test_a_spelling_that_is_not_understood_comes_back_ungrouped(
    desk: Desk, understood: str, refused: str
) -> None:
    desk.openai.behaviour.set({"arrays": understood})
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, **{refused: BOTH})
    assert [row["project_id"] for row in bucket["results"]] == [None]


async def test_pages_of_every_size_tell_the_same_days_once(desk: Desk) -> None:
    since = MIDNIGHT - timedelta(days=9)
    whole = await desk.costs(since, MIDNIGHT, group_by=BOTH)
    for limit in (1, 2, 7, 9):
        assert await desk.costs(since, MIDNIGHT, group_by=BOTH, limit=limit) == whole


async def test_seven_days_are_told_unless_more_are_asked_for(desk: Desk) -> None:
    page = await desk.get("/organization/costs", start_time=MIDNIGHT - timedelta(days=9), end_time=MIDNIGHT)
    assert (len(page["data"]), page["has_more"]) == (7, True)


async def test_a_cursor_is_bound_to_its_exact_query(desk: Desk) -> None:
    asked = {"start_time": MIDNIGHT - timedelta(days=9), "end_time": MIDNIGHT, "limit": 2}
    cursor = (await desk.get("/organization/costs", **asked))["next_page"]
    assert len((await desk.get("/organization/costs", **asked, page=cursor))["data"]) == 2
    for change in ({"limit": 3}, {"end_time": NOON}, {"group_by": ["project_id"]}):
        refusal = await desk.get("/organization/costs", expect=400, **{**asked, **change}, page=cursor)
        assert refusal["error"]["message"] == "Invalid page token."


async def test_a_start_that_is_not_midnight_clips_the_first_bucket(desk: Desk) -> None:
    """The clipped bucket holds what was spent from that moment, so two halves are the day."""
    cut = YESTERDAY + timedelta(hours=17, minutes=11)
    [clipped] = await desk.costs(cut, MIDNIGHT)
    assert (clipped["start_time"], clipped["end_time"]) == (int(cut.timestamp()), int(MIDNIGHT.timestamp()))
    [whole] = await desk.costs(YESTERDAY, MIDNIGHT)
    assert Decimal(0) < total([clipped]) < total([whole])
    desk.openai.behaviour.set({"costs_floor_start": True})
    assert await desk.costs(cut, MIDNIGHT) == [whole]


async def test_the_running_day_is_billed_and_grows_with_the_clock(desk: Desk) -> None:
    seen = []
    for _ in range(4):
        seen.append(total(await desk.costs(MIDNIGHT, MIDNIGHT + timedelta(days=1))))
        desk.clock.advance(minutes=1)
    assert sorted(set(seen)) == seen
    desk.clock.now = MIDNIGHT + timedelta(days=1)
    week_earlier = MIDNIGHT - timedelta(days=7)
    today = await desk.costs(MIDNIGHT, MIDNIGHT + timedelta(days=1))
    assert total(today) == total(await desk.costs(week_earlier, week_earlier + timedelta(days=1)))


async def test_late_data_is_not_there_yet(desk: Desk) -> None:
    desk.openai.behaviour.set({"late_hours": 18})
    yesterday, today = await desk.costs(YESTERDAY)
    assert today["results"] == []
    assert Decimal(0) < total([yesterday])
    desk.clock.advance(hours=6)
    closed = (await desk.costs(YESTERDAY))[0]
    assert total([yesterday]) < total([closed])


async def test_a_restated_day_moves_only_that_project_on_that_day(desk: Desk) -> None:
    before = await desk.costs(YESTERDAY - timedelta(days=1), MIDNIGHT, group_by=["project_id"])
    await desk.control("restate", {"day": "2026-11-17", "project": "search", "factor": "0.9", "delta": "-1.25"})
    after = await desk.costs(YESTERDAY - timedelta(days=1), MIDNIGHT, group_by=["project_id"])
    assert after[0] == before[0]
    amounts = [{row["project_id"]: row["amount"]["value"] for row in told[1]["results"]} for told in (before, after)]
    search = desk.project_id("search")
    assert amounts[1].pop(search) == amounts[0].pop(search) * Decimal("0.9") - Decimal("1.25")
    assert amounts[1] == amounts[0]


async def test_rows_without_a_project_are_spelled_null_or_empty(desk: Desk) -> None:
    plain = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
    for spelling, project in (("null", None), ("empty", "")):
        desk.openai.behaviour.set({"organization_daily_usd": "12.50", "organization_project": spelling})
        buckets = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
        row = buckets[0]["results"][-1]
        assert (row["project_id"], row["line_item"], row["amount"]["value"]) == (
            project,
            "Scale Tier",
            Decimal("12.50"),
        )
        assert total(buckets) == total(plain) + Decimal("12.50")


async def test_a_split_bill_has_every_line_twice_and_the_same_total(desk: Desk) -> None:
    plain = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
    desk.openai.behaviour.set({"split_rows": True})
    split = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
    assert len(split[0]["results"]) == 2 * len(plain[0]["results"])
    assert total(split) == total(plain)
    assert sum(row["quantity"] for row in split[0]["results"]) == sum(row["quantity"] for row in plain[0]["results"])


async def test_both_spellings_of_numbers_say_the_same(desk: Desk) -> None:
    asked = {
        "start_time": str(int(YESTERDAY.timestamp())),
        "end_time": str(int(MIDNIGHT.timestamp())),
        "group_by": BOTH,
    }
    spelled: dict[str, list[Any]] = {}
    for spelling in ("number", "string"):
        desk.openai.behaviour.set({"numbers": spelling, "exponent_zero": True})
        text = (await desk.http.get("/v1/organization/costs", params=asked)).text
        assert text.count("0E-6176") == 2
        rows = json.loads(text, parse_float=Decimal)["data"][0]["results"]
        spelled[spelling] = [row["amount"]["value"] for row in rows]
    assert {type(value) for value in spelled["number"]} <= {Decimal, int}
    assert [Decimal(value) for value in spelled["string"]] == spelled["number"]


async def test_old_bucket_keys_and_descending_pages_can_be_asked_of_it(desk: Desk) -> None:
    desk.openai.behaviour.set({"bucket_key": "result", "newest_first": True})
    page = await desk.get("/organization/costs", start_time=YESTERDAY)
    assert [("result" in bucket, "results" in bucket) for bucket in page["data"]] == [(True, False)] * 2
    assert page["data"][0]["start_time"] > page["data"][1]["start_time"]


async def test_extra_keys_come_and_go(desk: Desk) -> None:
    """Live answers name the organization, the project and a person's address; a product must want none of them."""
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=["project_id"])
    row = bucket["results"][0]
    assert (row["organization_name"], row["project_name"]) == ("한빛소프트", "chat")
    assert row["user_email"].endswith("@hanbitsoft.example")
    assert "start_time_iso" in bucket
    desk.openai.behaviour.set({"extra_keys": False})
    [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=["project_id"])
    assert set(bucket) == {"object", "start_time", "end_time", "results"}
    assert "organization_id" not in bucket["results"][0]


async def test_filters_by_project_and_key_leave_the_rest_out(desk: Desk) -> None:
    project = desk.openai.project("search")
    by_project = await desk.costs(YESTERDAY, MIDNIGHT, project_ids=[project.id], group_by=["project_id"])
    by_key = await desk.costs(YESTERDAY, MIDNIGHT, api_key_ids=[project.main_key_id], group_by=["project_id"])
    assert by_project == by_key
    assert [row["project_id"] for row in by_project[0]["results"]] == [project.id]


async def test_other_usage_is_billed_on_its_day(desk: Desk) -> None:
    at = minute_of(YESTERDAY) + 90
    searches = Deed(
        "web_search_calls", "chat", at, {"num_requests": 10}, line_item="web search tool calls", usd=Decimal("0.10")
    )
    before = total(await desk.costs(YESTERDAY, MIDNIGHT))
    desk.openai.add_usage(searches)
    assert total(await desk.costs(YESTERDAY, MIDNIGHT)) == before + Decimal("0.10")


async def test_a_big_organization_is_told_in_one_answer() -> None:
    """A page may be very large: it is told bucket by bucket, and nothing of it is lost."""
    rows = [f"{day * 24},app-{app:03},big,5,{1000 + app},{10 + day},7" for day in range(20) for app in range(150)]
    async with a_desk(a_trace(rows)) as desk:
        buckets = await desk.costs(MIDNIGHT - timedelta(days=20), MIDNIGHT, group_by=BOTH)
        assert sum(len(bucket["results"]) for bucket in buckets) == 20 * 150 * 3
        assert total(buckets) == sum(independent_bill(desk.openai.tenant().traffic.trace).values())


async def test_two_organizations_keep_their_bills_apart() -> None:
    other = Plan(
        a_trace(["0,chat,big,1,1000,0,0"]),
        id="org-other",
        name="다른회사",
        admin_keys=[AdminKey("sk-admin-other-0001")],
    )
    async with a_desk(others=[other]) as desk:
        desk.http.headers["Authorization"] = "Bearer sk-admin-other-0001"
        [bucket] = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
        assert total([bucket]) == Decimal("0.0025")
        assert bucket["results"][0]["project_id"] != desk.project_id("chat")


async def test_the_trace_stays_where_it_began_when_midnight_passes(desk: Desk) -> None:
    before = await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH)
    desk.clock.advance(days=3)
    assert await desk.costs(YESTERDAY, MIDNIGHT, group_by=BOTH) == before


async def test_an_anchor_pins_the_trace_to_a_day() -> None:
    anchor = datetime(2026, 11, 2, 15, tzinfo=UTC)
    async with a_desk(anchor=anchor) as desk:
        trace = desk.openai.tenant().traffic.trace
        [bucket] = await desk.costs(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))
        expected = sum(dollars for (ago, _), dollars in independent_bill(trace).items() if ago == 1)
        assert total([bucket]) == expected
        assert desk.openai.anchor.date() == date(2026, 11, 2)


async def test_costs_cannot_be_changed_by_whoever_reads_them(desk: Desk) -> None:
    response: httpx.Response = await desk.http.post("/v1/organization/costs")
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "unknown_url"
