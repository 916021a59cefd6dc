"""Who may enter the simulated OpenAI, and how the others are told that they may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from demo.openai import MANAGEMENT_READ, USAGE_READ, AdminKey, KeyState
from demo.openai.organization import redacted
from tests.simulators.openai_kit import NOON, Desk, a_desk

COSTS = f"/v1/organization/costs?start_time={int(NOON.timestamp()) - 86_400}"
PROJECTS = "/v1/organization/projects"
FULL, USAGE_ONLY, READ_ONLY = "sk-admin-full-0abc1", "sk-admin-usage-0abc2", "sk-admin-reader-0abc3"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    keys = [
        AdminKey(FULL, name="FinOps bot"),
        AdminKey(USAGE_ONLY, rights=frozenset({USAGE_READ})),
        AdminKey(READ_ONLY, rights=frozenset({USAGE_READ, MANAGEMENT_READ})),
        AdminKey("sk-admin-short-0abc4", expires_at=NOON + timedelta(hours=1)),
    ]
    async with a_desk(admin_keys=keys, idle_projects=["sandbox"]) as running:
        yield running


async def test_a_key_with_every_right_opens_costs_and_projects(desk: Desk) -> None:
    assert [(await desk.as_key(FULL, path)).status_code for path in (COSTS, PROJECTS)] == [200, 200]


async def test_a_usage_only_key_reads_costs_and_is_told_which_right_it_lacks(desk: Desk) -> None:
    assert (await desk.as_key(USAGE_ONLY, COSTS)).status_code == 200
    refusal = await desk.as_key(USAGE_ONLY, PROJECTS)
    assert refusal.status_code == 403
    assert "Missing scopes: api.management.read." in refusal.json()["error"]["message"]
    desk.valid("ErrorResponse", refusal.json())


async def test_a_reading_key_changes_nothing(desk: Desk) -> None:
    refusal = await desk.as_key(READ_ONLY, PROJECTS, "POST", name="new")
    assert (refusal.status_code, "api.management.write" in refusal.text) == (403, True)
    assert len((await desk.get("/organization/projects"))["data"]) == 4


@pytest.mark.parametrize("secret", [None, "sk-admin-unknown-9999", "hello", "sk-proj-unknown-9999"])
async def test_a_wrong_key_is_refused_without_repeating_it(desk: Desk, secret: str | None) -> None:
    refusal = await desk.as_key(secret, COSTS)
    assert refusal.status_code == 401
    assert secret is None or secret not in refusal.text
    desk.valid("ErrorResponse", refusal.json())


async def test_a_project_key_opens_no_part_of_the_organization(desk: Desk) -> None:
    for key in desk.openai.project("chat").keys:
        refusal = await desk.as_key(key.secret, COSTS)
        assert refusal.status_code == 403
        assert "Missing scopes: api.usage.read." in refusal.json()["error"]["message"]


async def test_an_admin_key_calls_no_model(desk: Desk) -> None:
    refusal = await desk.as_key(FULL, "/v1/chat/completions", "POST", model="big", messages=[])
    assert (refusal.status_code, "model.request" in refusal.text) == (403, True)


async def test_a_revoked_or_expired_key_is_a_wrong_key(desk: Desk) -> None:
    assert (await desk.as_key("sk-admin-short-0abc4", COSTS)).status_code == 200
    desk.clock.advance(hours=1)
    assert (await desk.as_key("sk-admin-short-0abc4", COSTS)).json()["error"]["code"] == "invalid_api_key"
    await desk.control("keys/revoke", {"ends_with": "abc2"})
    assert (await desk.as_key(USAGE_ONLY, COSTS)).status_code == 401
    assert [key.state for key in desk.openai.organization.admin_keys][1] is KeyState.REVOKED


async def test_a_key_can_be_made_while_the_server_runs(desk: Desk) -> None:
    made = await desk.control("keys", {"rights": ["api.usage.read"], "ends_with": "zzz9", "expires_in_seconds": 60})
    assert made["secret"].endswith("zzz9")
    assert (await desk.as_key(made["secret"], COSTS)).status_code == 200
    assert (await desk.as_key(made["secret"], PROJECTS)).status_code == 403
    desk.clock.advance(seconds=60)
    assert (await desk.as_key(made["secret"], COSTS)).status_code == 401


async def test_admin_keys_are_listed_by_their_ends_only(desk: Desk) -> None:
    listed = await desk.get("/organization/admin_api_keys")
    first = listed["data"][0]
    assert (first["redacted_value"], first["name"]) == ("sk-admin-***abc1", "FinOps bot")
    text = (await desk.http.get("/v1/organization/admin_api_keys")).text
    assert FULL not in text
    assert USAGE_ONLY not in text


async def test_no_key_stays_in_the_list_of_calls(desk: Desk) -> None:
    await desk.as_key(FULL, COSTS)
    response = await desk.http.get("/_sim/openai/calls")
    assert FULL not in response.text
    assert response.json()["calls"][-1]["key_ends_with"] == "abc1"


def test_redacting_shows_the_kind_and_the_end_of_a_key() -> None:
    assert redacted("sk-admin-abcdefgh1234") == "sk-admin-***1234"
    assert redacted("whatever-it-is-5678") == "***5678"
    assert redacted("short") == "***"


async def test_hundreds_of_projects_are_walked_page_by_page() -> None:
    names = [f"team-{number:03}" for number in range(230)]
    async with a_desk(idle_projects=names) as desk:
        found: list[str] = []
        page = await desk.get("/organization/projects", limit=100)
        while True:
            found += [project["name"] for project in page["data"]]
            if not page["has_more"]:
                break
            page = await desk.get("/organization/projects", limit=100, after=page["last_id"])
        assert sorted(found) == sorted([*names, "chat", "nightly", "search"])
        assert len(await _first_page(desk)) == 20


async def _first_page(desk: Desk) -> list[object]:
    return list((await desk.get("/organization/projects"))["data"])


async def test_archived_projects_are_shown_only_when_asked_for(desk: Desk) -> None:
    sandbox = desk.openai.project("sandbox")
    await desk.post(f"/organization/projects/{sandbox.id}/archive")
    names = [project["name"] for project in (await desk.get("/organization/projects"))["data"]]
    assert "sandbox" not in names
    every = await desk.get("/organization/projects", include_archived="true")
    assert [one["status"] for one in every["data"] if one["name"] == "sandbox"] == ["archived"]
    again = await desk.post(f"/organization/projects/{sandbox.id}/archive", expect=400)
    assert again["error"]["code"] == "project_archived"


async def test_projects_have_the_same_ids_in_every_run(desk: Desk) -> None:
    async with a_desk() as other:
        assert other.project_id("chat") == desk.project_id("chat")


async def test_a_new_project_of_a_taken_name_is_another_project(desk: Desk) -> None:
    made = await desk.post("/organization/projects", {"name": "chat"})
    assert made["id"] != desk.project_id("chat")
    buckets = await desk.costs(NOON - timedelta(days=1), NOON, group_by=["project_id"])
    assert made["id"] not in {row["project_id"] for bucket in buckets for row in bucket["results"]}


async def test_a_key_of_a_service_account_is_deleted_with_the_account(desk: Desk) -> None:
    project = desk.openai.project("chat")
    path = f"/organization/projects/{project.id}"
    refusal = await desk.delete(f"{path}/api_keys/{project.main_key_id}", expect=400)
    assert "service account" in refusal["error"]["message"]
    await desk.delete(f"{path}/service_accounts/{project.service_account_id}")
    assert (await desk.get(f"{path}/service_accounts"))["data"] == []
    assert [key["owner"]["type"] for key in (await desk.get(f"{path}/api_keys"))["data"]] == ["user"]
