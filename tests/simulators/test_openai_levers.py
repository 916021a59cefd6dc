"""Levers of the simulated OpenAI really stop, slow and restore what applications spend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.simulators.openai_kit import MIDNIGHT, NOON, Desk, a_desk

CENT = {"threshold_amount": 1, "currency": "USD", "interval": "month"}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


async def requests_by_minute(desk: Desk, name: str, since: datetime, **params: Any) -> list[int]:
    buckets = await desk.usage(
        start_time=since, bucket_width="1m", project_ids=[desk.project_id(name)], limit=1440, **params
    )
    return [sum(row["num_model_requests"] for row in bucket["results"]) for bucket in buckets]


async def call(desk: Desk, name: str, model: str = "big") -> httpx.Response:
    secret = desk.openai.project(name).keys[0].secret
    body = {"model": model, "messages": [{"role": "user", "content": "hello there"}]}
    return await desk.as_key(secret, "/v1/chat/completions", "POST", **body)


def path(desk: Desk, name: str, lever: str) -> str:
    return f"/organization/projects/{desk.project_id(name)}/{lever}"


async def test_a_spend_limit_of_one_cent_stops_the_traffic_after_a_moment(desk: Desk) -> None:
    """Not at once: the limit needs a minute to spread, and what got through until then is billed."""
    desk.clock.advance(seconds=20)
    set_limit = await desk.post(path(desk, "search", "spend_limit"), CENT)
    assert set_limit["enforcement"] == {"status": "inactive"}
    desk.clock.advance(minutes=10)
    assert (await desk.get(path(desk, "search", "spend_limit")))["enforcement"] == {"status": "enforcing"}
    minutes = await requests_by_minute(desk, "search", NOON)
    assert all(minutes[:2])
    assert minutes[2:] == [0] * (len(minutes) - 2)
    assert all((await requests_by_minute(desk, "chat", NOON))[:10])


async def test_what_a_stopped_project_costs_stands_still(desk: Desk) -> None:
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=5)
    project = {"project_ids": [desk.project_id("search")], "group_by": ["project_id"]}
    [before] = await desk.costs(MIDNIGHT, MIDNIGHT + timedelta(days=1), **project)
    desk.clock.advance(hours=5)
    assert await desk.costs(MIDNIGHT, MIDNIGHT + timedelta(days=1), **project) == [before]


async def test_minutes_hours_and_days_tell_the_same_of_a_stopped_project(desk: Desk) -> None:
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(hours=20)
    only = {"project_ids": [desk.project_id("search")]}
    asked = {"start_time": MIDNIGHT, "end_time": MIDNIGHT + timedelta(days=1), **only}
    told = []
    for width, limit in (("1m", 1440), ("1h", 24), ("1d", 1)):
        buckets = await desk.usage(bucket_width=width, limit=limit, **asked)
        rows = [row for bucket in buckets for row in bucket["results"]]
        told.append(
            [sum(row[name] for row in rows) for name in ("input_tokens", "output_tokens", "num_model_requests")]
        )
    assert told[0] == told[1] == told[2]


async def test_removing_the_limit_lets_the_traffic_flow_again(desk: Desk) -> None:
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=5)
    assert (await desk.delete(path(desk, "search", "spend_limit")))["deleted"] is True
    await desk.get(path(desk, "search", "spend_limit"), expect=404)
    desk.clock.advance(minutes=5)
    minutes = await requests_by_minute(desk, "search", NOON, end_time=desk.clock())
    assert [bool(count) for count in minutes] == [True] + [False] * 5 + [True] * 4


async def test_a_limit_that_is_not_reached_stops_nothing_until_it_is(desk: Desk) -> None:
    """Month-to-date spend decides: the limit bites in the minute that reaches it, and not before."""
    [bucket] = await desk.costs(MIDNIGHT.replace(day=8), MIDNIGHT.replace(day=9), group_by=["project_id"])
    assert bucket["results"]
    spent = Decimal(0)
    for bucket in await desk.costs(MIDNIGHT.replace(day=1), group_by=["project_id"]):
        for row in bucket["results"]:
            spent += row["amount"]["value"] if row["project_id"] == desk.project_id("search") else 0
    cents = int(spent * 100) + 5
    await desk.post(path(desk, "search", "spend_limit"), {**CENT, "threshold_amount": cents})
    desk.clock.advance(hours=3)
    minutes = await requests_by_minute(desk, "search", NOON, end_time=desk.clock())
    reached = minutes.index(0)
    assert 5 < reached < 120
    assert not any(minutes[reached:])
    assert (await desk.get(path(desk, "search", "spend_limit")))["enforcement"]["status"] == "enforcing"


async def test_a_limit_reopens_at_the_turn_of_the_month() -> None:
    """A new month has spent nothing, so traffic flows until it has spent the cent again."""
    async with a_desk(now=datetime(2026, 11, 30, 23, 0, tzinfo=UTC)) as desk:
        await desk.post(path(desk, "search", "spend_limit"), CENT)
        desk.clock.advance(hours=1, minutes=10)
        since = desk.clock() - timedelta(minutes=20)
        minutes = await requests_by_minute(desk, "search", since, end_time=desk.clock())
        assert not any(minutes[:10])
        assert minutes[10] > 0
        assert minutes[-1] == 0


async def test_an_organization_limit_stops_every_project(desk: Desk) -> None:
    await desk.post("/organization/spend_limit", CENT)
    desk.clock.advance(minutes=10)
    for name in ("chat", "search"):
        minutes = await requests_by_minute(desk, name, NOON, end_time=desk.clock())
        assert [bool(count) for count in minutes] == [True] + [False] * 9
    refusal = await call(desk, "chat")
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (429, "organization_spend_limit_exceeded")


async def test_an_application_over_its_limit_is_refused_and_told_why(desk: Desk) -> None:
    assert (await call(desk, "search")).status_code == 200
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=2)
    refusal = await call(desk, "search")
    assert refusal.status_code == 429
    error = refusal.json()["error"]
    assert (error["code"], error["type"]) == ("project_spend_limit_exceeded", "insufficient_quota")
    desk.valid("ErrorResponse", refusal.json())
    assert (await call(desk, "chat")).status_code == 200


async def test_real_calls_are_usage_and_are_billed(desk: Desk) -> None:
    before = await requests_by_minute(desk, "nightly", NOON, end_time=NOON + timedelta(minutes=1))
    completion = (await call(desk, "nightly")).json()
    desk.clock.advance(minutes=1)
    after = await requests_by_minute(desk, "nightly", NOON, end_time=NOON + timedelta(minutes=1))
    assert after == [before[0] + 1]
    used = completion["usage"]
    assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]


async def test_a_denied_model_falls_silent_and_the_other_goes_on(desk: Desk) -> None:
    await desk.get(path(desk, "chat", "model_permissions"), expect=404)
    await desk.post(path(desk, "chat", "model_permissions"), {"mode": "allow_list", "model_ids": ["small"]})
    desk.clock.advance(minutes=5)
    big = await requests_by_minute(desk, "chat", NOON, models=["big"], end_time=desk.clock())
    small = await requests_by_minute(desk, "chat", NOON, models=["small"], end_time=desk.clock())
    assert (any(big), all(small)) == (False, True)
    assert (await call(desk, "chat", "big")).json()["error"]["code"] == "model_not_found"
    await desk.delete(path(desk, "chat", "model_permissions"))
    desk.clock.advance(minutes=1)
    assert (await requests_by_minute(desk, "chat", NOON, models=["big"], end_time=desk.clock()))[-1] > 0


async def test_rate_limits_slow_the_traffic_down(desk: Desk) -> None:
    changed = await desk.post(path(desk, "search", "rate_limits/rl-small"), {"max_requests_per_1_minute": 2})
    assert changed["max_requests_per_1_minute"] == 2
    desk.clock.advance(minutes=5)
    assert await requests_by_minute(desk, "search", NOON, end_time=desk.clock()) == [2] * 5
    answers = [(await call(desk, "search", "small")).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


async def test_a_token_limit_lets_whole_requests_through_only(desk: Desk) -> None:
    await desk.post(path(desk, "search", "rate_limits/rl-small"), {"max_tokens_per_1_minute": 3000})
    desk.clock.advance(minutes=3)
    buckets = await desk.usage(
        start_time=NOON, end_time=desk.clock(), bucket_width="1m", project_ids=[desk.project_id("search")]
    )
    for bucket in buckets:
        [row] = bucket["results"]
        assert row["num_model_requests"] > 0
        assert row["input_tokens"] + row["output_tokens"] <= 3000


async def test_an_archived_project_and_a_project_without_its_key_fall_silent(desk: Desk) -> None:
    await desk.post(path(desk, "search", "archive"))
    account = desk.openai.project("chat").service_account_id
    await desk.delete(path(desk, "chat", f"service_accounts/{account}"))
    desk.clock.advance(minutes=5)
    for name in ("search", "chat"):
        assert not any(await requests_by_minute(desk, name, NOON, end_time=desk.clock()))
    refusal = await call(desk, "search")
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (401, "project_archived")


async def test_a_runaway_is_stopped_by_its_limit(desk: Desk) -> None:
    """The story of the product: a boost, a limit, silence, and the bill of exactly what got through."""
    [quiet] = await requests_by_minute(desk, "search", NOON - timedelta(minutes=1), end_time=NOON)
    await desk.control("boost", {"application": "search", "factor": 15})
    desk.clock.advance(minutes=3)
    loud = await requests_by_minute(desk, "search", NOON, end_time=desk.clock())
    assert min(loud) > 8 * quiet
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=6)
    stopped = await requests_by_minute(desk, "search", NOON, end_time=desk.clock())
    assert [bool(count) for count in stopped] == [True] * 4 + [False] * 5


@pytest.mark.parametrize(
    ("lever", "body", "code"),
    [
        ("spend_limit", {}, "missing_required_parameter"),
        ("spend_limit", {**CENT, "threshold_amount": 0}, "integer_below_min_value"),
        ("spend_limit", {**CENT, "threshold_amount": "1"}, "invalid_type"),
        ("spend_limit", {**CENT, "currency": "KRW"}, "invalid_value"),
        ("spend_limit", {**CENT, "interval": "day"}, "invalid_value"),
        ("rate_limits/rl-big", {"max_requests_per_1_minute": -1}, "integer_below_min_value"),
        ("rate_limits/rl-big", {"max_requests_per_1_minute": 10_001}, "integer_above_max_value"),
        ("rate_limits/rl-big", {"max_tokens_per_1_minute": 2_000_001}, "integer_above_max_value"),
        ("rate_limits/rl-big", {"colour": 1}, "unknown_parameter"),
        ("model_permissions", {"mode": "maybe", "model_ids": []}, "invalid_value"),
        ("model_permissions", {"mode": "deny_list", "model_ids": "big"}, "invalid_type"),
    ],
)
async def test_a_lever_refuses_what_the_contract_forbids(
    desk: Desk, lever: str, body: dict[str, Any], code: str
) -> None:
    refusal = await desk.post(path(desk, "chat", lever), body, expect=400)
    assert refusal["error"]["code"] == code
    desk.valid("ErrorResponse", refusal)


async def test_unknown_levers_and_archived_projects_are_refused(desk: Desk) -> None:
    await desk.post(path(desk, "chat", "rate_limits/rl-unknown"), {"max_requests_per_1_minute": 1}, expect=404)
    await desk.delete(path(desk, "chat", "spend_limit"), expect=404)
    await desk.delete(path(desk, "chat", "model_permissions"), expect=404)
    await desk.post(path(desk, "chat", "archive"))
    refusal = await desk.post(path(desk, "chat", "spend_limit"), CENT, expect=400)
    assert refusal["error"]["code"] == "project_archived"


async def test_limits_can_be_changed_elsewhere_by_another_admin(desk: Desk) -> None:
    """On the provider's own pages: it counts like any change, and is logged as that person's where such is logged."""
    permissions = {"mode": "allow_list", "model_ids": ["small"]}
    rates = {"big": {"max_requests_per_1_minute": 5, "max_requests_per_1_day": 40}}
    order = {"project": "chat", "by": "김민수", "spend_limit": CENT, "model_permissions": permissions}
    told = await desk.control("limits", order | {"rate_limits": rates})
    [chat] = [project for project in told["projects"] if project["name"] == "chat"]
    assert (told["by"], chat["spend_limit"]["threshold_amount"]) == ("김민수", 1)
    assert chat["model_permissions"]["model_ids"] == ["small"]
    assert await desk.get(path(desk, "chat", "spend_limit")) == chat["spend_limit"]
    [big] = [limit for limit in chat["rate_limits"] if limit["model"] == "big"]
    assert (big["max_requests_per_1_minute"], big["max_requests_per_1_day"]) == (5, 40)
    log = await desk.get("/organization/audit_logs")
    desk.valid("GET /organization/audit_logs", log)
    [event] = log["data"]
    assert event["type"] == "rate_limit.updated"
    assert event["actor"]["session"]["user"]["email"] == "minsu.kim@hanbitsoft.example"
    by_minsu = await desk.get("/organization/audit_logs", actor_emails=["minsu.kim@hanbitsoft.example"])
    assert len(by_minsu["data"]) == 1
    removed = await desk.control("limits", {"project": "chat", "spend_limit": None, "model_permissions": None})
    [chat] = [project for project in removed["projects"] if project["name"] == "chat"]
    assert (chat["spend_limit"], chat["model_permissions"]) == (None, None)
    shown = (await desk.http.get("/_sim/openai/limits")).json()
    assert [project["name"] for project in shown["projects"]] == [one["name"] for one in removed["projects"]]


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({}, "missing or unknown: project"),
        ({"project": "chat", "by": "nobody"}, "missing or unknown: nobody"),
        ({"project": "chat", "spend_limit": 5}, "told as JSON objects"),
        ({"project": "chat", "spend_limit": {**CENT, "threshold_amount": 0}}, "below minimum"),
        ({"project": "chat", "spend_limit": None}, "No spend limit is configured"),
        ({"project": "chat", "rate_limits": {"x": {}}}, "Rate limit with id 'rl-x' not found"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_says_why(desk: Desk, order: dict[str, Any], sentence: str) -> None:
    assert sentence in (await desk.control("limits", order, expect=400))["error"]


async def traffic(desk: Desk, name: str, minutes: int) -> list[dict[str, int]]:
    told = (await desk.http.get("/_sim/openai/traffic", params={"project": name, "minutes": minutes})).json()
    return told["minutes"]


async def test_what_became_of_every_call_is_told_by_the_minute(desk: Desk) -> None:
    """What is asked goes on while a project is stopped: the calls are made, and refused with 429."""
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=3)
    assert (await call(desk, "search")).status_code == 429
    desk.clock.advance(minutes=1)
    points = await traffic(desk, "search", 4)
    noon = int(NOON.timestamp()) // 60
    assert [point["minute"] for point in points] == [noon + minute for minute in range(4)]
    assert [bool(point["answered"]) for point in points] == [True, False, False, False]
    assert all(point["asked"] > 5 for point in points)
    assert all(point["asked"] == point["answered"] + point["refused_429"] for point in points)
    answered = await requests_by_minute(desk, "search", NOON, end_time=desk.clock())
    assert [point["answered"] for point in points] == answered
    quiet = await traffic(desk, "chat", 4)
    assert all(point["refused"] == 0 for point in quiet)


async def test_a_model_that_is_not_allowed_is_refused_and_no_limit_was_reached(desk: Desk) -> None:
    await desk.post(path(desk, "chat", "model_permissions"), {"mode": "deny_list", "model_ids": ["big"]})
    desk.clock.advance(minutes=3)
    points = await traffic(desk, "chat", 3)
    assert any(point["refused"] for point in points)
    assert all(point["answered"] and not point["refused_429"] for point in points)


async def test_a_stopped_project_asks_for_more_while_it_runs_away(desk: Desk) -> None:
    await desk.post(path(desk, "search", "spend_limit"), CENT)
    desk.clock.advance(minutes=3)
    [calm] = await traffic(desk, "search", 1)
    await desk.control("boost", {"application": "search", "factor": 15})
    desk.clock.advance(minutes=2)
    [loud] = await traffic(desk, "search", 1)
    assert (loud["answered"], loud["refused"] > 8 * calm["refused"]) == (0, True)


@pytest.mark.parametrize("query", ["", "project=nobody", "project=chat&minutes=0", "project=chat&minutes=many"])
async def test_traffic_that_nobody_can_tell_is_refused(desk: Desk, query: str) -> None:
    assert (await desk.http.get(f"/_sim/openai/traffic?{query}")).status_code == 400


async def test_a_limit_by_the_day_holds_until_midnight(desk: Desk) -> None:
    """What was answered before the limit was set counts too, and real calls count like any."""
    [bucket] = await desk.usage(start_time=MIDNIGHT, project_ids=[desk.project_id("search")])
    so_far = bucket["results"][0]["num_model_requests"]
    await desk.post(path(desk, "search", "rate_limits/rl-small"), {"max_requests_per_1_day": so_far + 30})
    assert (await call(desk, "search", "small")).status_code == 200
    desk.clock.advance(minutes=10)
    assert sum(await requests_by_minute(desk, "search", NOON, end_time=desk.clock())) == 30
    refusal = await call(desk, "search", "small")
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    desk.clock.advance(hours=12)
    assert any(await requests_by_minute(desk, "search", MIDNIGHT + timedelta(days=1), end_time=desk.clock()))
