"""Every answer of the simulated OpenAI is valid by the published contract: a verified fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from jsonschema import ValidationError

from demo.openai import Deed
from demo.openai.usage import FAMILIES
from finops.periods import minute_of
from tests.simulators.openai_kit import MIDNIGHT, NOON, Desk, a_desk

PROJECT = "/organization/projects/{project_id}"
LIMIT = {"threshold_amount": 500, "currency": "USD", "interval": "month"}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


@pytest.mark.parametrize(
    "group_by",
    [[], ["project_id"], ["line_item"], ["project_id", "line_item"], ["project_id", "line_item", "api_key_id"]],
)
async def test_costs_answer_by_the_contract(desk: Desk, group_by: list[str]) -> None:
    page = await desk.get("/organization/costs", start_time=MIDNIGHT - timedelta(days=3), group_by=group_by)
    assert [len(bucket["results"]) > 0 for bucket in page["data"]] == [True] * 4
    desk.valid("GET /organization/costs", page)


@pytest.mark.parametrize("width", ["1m", "1h", "1d"])
async def test_completions_usage_answers_by_the_contract(desk: Desk, width: str) -> None:
    family = FAMILIES["completions"]
    page = await desk.get(
        "/organization/usage/completions",
        start_time=NOON - timedelta(hours=1),
        bucket_width=width,
        group_by=list(family.group_by),
    )
    rows = [row for bucket in page["data"] for row in bucket["results"]]
    assert {row["service_tier"] for row in rows} == {"default"}
    desk.valid("GET /organization/usage/completions", page)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "completions"])
async def test_every_other_usage_family_answers_by_the_contract(desk: Desk, name: str) -> None:
    """Quiet families answer with empty buckets; what a story adds to them has the family's own shape."""
    family = FAMILIES[name]
    quiet = await desk.get(f"/organization/usage/{name}", start_time=MIDNIGHT)
    assert [bucket["results"] for bucket in quiet["data"]] == [[]]
    desk.valid(f"GET /organization/usage/{name}", quiet)
    desk.openai.add_usage(Deed(name, "chat", minute_of(NOON) - 5, dict.fromkeys(family.metrics, 3), model="m"))
    page = await desk.get(f"/organization/usage/{name}", start_time=MIDNIGHT, group_by=list(family.group_by))
    [row] = page["data"][0]["results"]
    assert row["object"] == family.object
    assert [row[metric] for metric in family.metrics] == [3] * len(family.metrics)
    assert row["project_id"] == desk.project_id("chat")
    desk.valid(f"GET /organization/usage/{name}", page)


async def test_projects_answer_by_the_contract(desk: Desk) -> None:
    listed = await desk.get("/organization/projects")
    desk.valid("GET /organization/projects", listed)
    made = await desk.post("/organization/projects", {"name": "신규 실험"})
    desk.valid("POST /organization/projects", made)
    path = f"/organization/projects/{made['id']}"
    desk.valid(f"GET {PROJECT}", await desk.get(path))
    desk.valid(f"POST {PROJECT}", await desk.post(path, {"name": "renamed"}))
    archived = await desk.post(f"{path}/archive")
    desk.valid(f"POST {PROJECT}/archive", archived)
    assert (archived["status"], (await desk.get(path))["name"]) == ("archived", "renamed")


async def test_keys_and_people_answer_by_the_contract(desk: Desk) -> None:
    path = f"/organization/projects/{desk.project_id('chat')}"
    keys = await desk.get(f"{path}/api_keys")
    desk.valid(f"GET {PROJECT}/api_keys", keys)
    desk.valid(f"GET {PROJECT}/api_keys/{{api_key_id}}", await desk.get(f"{path}/api_keys/{keys['data'][0]['id']}"))
    personal = next(key["id"] for key in keys["data"] if key["owner"]["type"] == "user")
    deleted = await desk.delete(f"{path}/api_keys/{personal}")
    desk.valid(f"DELETE {PROJECT}/api_keys/{{api_key_id}}", deleted)
    left = await desk.get(f"{path}/api_keys")
    assert personal not in {key["id"] for key in left["data"]}
    accounts = await desk.get(f"{path}/service_accounts")
    desk.valid(f"GET {PROJECT}/service_accounts", accounts)
    gone = await desk.delete(f"{path}/service_accounts/{accounts['data'][0]['id']}")
    desk.valid(f"DELETE {PROJECT}/service_accounts/{{service_account_id}}", gone)
    assert gone["id"] not in {one["id"] for one in (await desk.get(f"{path}/service_accounts"))["data"]}
    admin_keys = await desk.get("/organization/admin_api_keys")
    desk.valid("GET /organization/admin_api_keys", admin_keys)
    one = await desk.get(f"/organization/admin_api_keys/{admin_keys['data'][0]['id']}")
    desk.valid("GET /organization/admin_api_keys/{key_id}", one)
    users = await desk.get("/organization/users")
    desk.valid("GET /organization/users", users)
    desk.valid("GET /organization/users/{user_id}", await desk.get(f"/organization/users/{users['data'][0]['id']}"))


async def test_levers_answer_by_the_contract(desk: Desk) -> None:
    path = f"/organization/projects/{desk.project_id('chat')}"
    limits = await desk.get(f"{path}/rate_limits")
    desk.valid(f"GET {PROJECT}/rate_limits", limits)
    limit = await desk.post(f"{path}/rate_limits/{limits['data'][0]['id']}", {"max_requests_per_1_minute": 1})
    desk.valid(f"POST {PROJECT}/rate_limits/{{rate_limit_id}}", limit)
    permissions = await desk.post(f"{path}/model_permissions", {"mode": "deny_list", "model_ids": ["big"]})
    desk.valid(f"POST {PROJECT}/model_permissions", permissions)
    desk.valid(f"GET {PROJECT}/model_permissions", await desk.get(f"{path}/model_permissions"))
    desk.valid(f"DELETE {PROJECT}/model_permissions", await desk.delete(f"{path}/model_permissions"))
    for where, operation in ((path, PROJECT), ("/organization", "/organization")):
        desk.valid(f"POST {operation}/spend_limit", await desk.post(f"{where}/spend_limit", LIMIT))
        desk.valid(f"GET {operation}/spend_limit", await desk.get(f"{where}/spend_limit"))
        desk.valid(f"DELETE {operation}/spend_limit", await desk.delete(f"{where}/spend_limit"))
        await desk.get(f"{where}/spend_limit", expect=404)
    assert (limit["max_requests_per_1_minute"], permissions["model_ids"]) == (1, ["big"])


async def test_the_audit_log_answers_by_the_contract_newest_first(desk: Desk) -> None:
    path = f"/organization/projects/{desk.project_id('chat')}"
    await desk.post(f"{path}/rate_limits/rl-big", {"max_requests_per_1_minute": 1})
    desk.clock.advance(minutes=1)
    await desk.post(f"{path}/archive")
    log = await desk.get("/organization/audit_logs")
    desk.valid("GET /organization/audit_logs", log)
    assert [event["type"] for event in log["data"]] == ["project.archived", "rate_limit.updated"]
    only = await desk.get("/organization/audit_logs", event_types=["rate_limit.updated"])
    assert [event["type"] for event in only["data"]] == ["rate_limit.updated"]
    later = await desk.get("/organization/audit_logs", **{"effective_at[gt]": int(NOON.timestamp())})
    assert [event["type"] for event in later["data"]] == ["project.archived"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/organization/costs", 400),
        ("/organization/costs?start_time=soon", 400),
        ("/organization/costs?start_time=1&bucket_width=1h", 400),
        ("/organization/costs?start_time=1&limit=181", 400),
        ("/organization/costs?start_time=1&group_by=colour", 400),
        ("/organization/costs?start_time=1&page=page_abc", 400),
        ("/organization/usage/completions?start_time=1&limit=32", 400),
        ("/organization/usage/completions?start_time=1&bucket_width=1h&limit=169", 400),
        ("/organization/usage/completions?start_time=1&bucket_width=1m&limit=1441", 400),
        ("/organization/projects/proj_unknown", 404),
        ("/organization/projects?limit=101", 400),
        ("/organization/projects?after=proj_unknown", 400),
        ("/organization/spend_limit", 404),
        ("/organization/nowhere", 404),
    ],
)
async def test_errors_answer_by_the_contract(desk: Desk, path: str, status: int) -> None:
    desk.valid("ErrorResponse", await desk.get(path, expect=status))


async def test_every_answer_carries_a_request_id_and_says_whose_it_is(desk: Desk) -> None:
    response = await desk.http.get("/v1/organization/projects")
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["openai-organization"] == desk.openai.organization.id


def test_the_contract_really_refuses_a_wrong_answer() -> None:
    """A validator that accepts everything would prove nothing."""
    desk = Desk(None, None, None)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        desk.valid("GET /organization/costs", {"object": "page", "data": [], "has_more": "no", "next_page": None})
