"""Every way in which the simulated OpenAI fails on demand, and that it stops failing when told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from jsonschema import ValidationError

from tests.simulators.openai_kit import NOON, Desk, a_desk, a_trace

COSTS = f"/v1/organization/costs?start_time={int(NOON.timestamp()) - 3 * 86_400}"
PROJECTS = "/v1/organization/projects"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
async def test_a_status_is_played_in_the_words_of_the_contract(desk: Desk, status: int) -> None:
    await desk.control("faults", {"status": status})
    response = await desk.http.get(COSTS)
    assert response.status_code == status
    desk.valid("ErrorResponse", response.json())


async def test_a_fault_ends_after_its_times(desk: Desk) -> None:
    desk.openai.fail(status=500, times=2)
    assert [(await desk.http.get(COSTS)).status_code for _ in range(3)] == [500, 500, 200]
    assert desk.openai.faults.played == 2


async def test_a_fault_without_times_stands_until_it_is_cleared(desk: Desk) -> None:
    desk.openai.fail(status=503)
    assert [(await desk.http.get(COSTS)).status_code for _ in range(3)] == [503] * 3
    assert (await desk.http.delete("/_sim/openai/faults")).json() == {"ok": True, "faults": [], "played": 3}
    assert (await desk.http.get(COSTS)).status_code == 200


async def test_a_fault_stays_on_its_path_and_method(desk: Desk) -> None:
    desk.openai.fail(status=500, path="/v1/organization/costs")
    desk.openai.fail(status=409, path="/v1/organization/projects", method="POST")
    assert (await desk.http.get(COSTS)).status_code == 500
    assert (await desk.http.get(PROJECTS)).status_code == 200
    assert (await desk.http.post(PROJECTS, json={"name": "x"})).status_code == 409


async def test_faults_are_played_in_the_order_they_were_given(desk: Desk) -> None:
    desk.openai.fail(status=500, times=1)
    desk.openai.fail(status=429, times=1)
    assert [(await desk.http.get(COSTS)).status_code for _ in range(3)] == [500, 429, 200]


async def test_retry_after_is_told_in_seconds_or_as_a_date(desk: Desk) -> None:
    desk.openai.fail(status=429, retry_after=7, times=1)
    desk.openai.fail(status=429, retry_after=7, retry_after_is_date=True, times=1)
    desk.openai.fail(status=429, times=1)
    told = [(await desk.http.get(COSTS)).headers.get("retry-after") for _ in range(3)]
    assert told[0] == "7"
    assert (parsedate_to_datetime(told[1] or "") - NOON).total_seconds() == 7
    assert told[2] is None


async def test_a_fault_may_carry_its_own_code(desk: Desk) -> None:
    desk.openai.fail(status=429, code="credit_balance_exhausted", message="You have no credits left.")
    assert (await desk.http.get(COSTS)).json()["error"]["code"] == "credit_balance_exhausted"


@pytest.mark.parametrize("path", [COSTS, PROJECTS])
async def test_an_answer_can_be_cut_off_in_the_middle(desk: Desk, path: str) -> None:
    desk.openai.fail(kind="cut_off", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await desk.http.get(path)
    assert (await desk.http.get(path)).status_code == 200


async def test_a_connection_can_be_dropped_without_a_word(desk: Desk) -> None:
    desk.openai.fail(kind="drop", times=1)
    with pytest.raises(httpx.TransportError):
        await desk.http.get(COSTS)


LIMIT = {"threshold_amount": 500, "currency": "USD", "interval": "month"}


async def test_a_change_can_be_made_and_answered_like_a_failure(desk: Desk) -> None:
    """The worst of failures: who repeats blindly acts twice, who believes it never learns."""
    address = f"{PROJECTS}/{desk.project_id('chat')}/spend_limit"
    await desk.control("faults", {"kind": "acted_500", "times": 1})
    assert (await desk.http.get(address)).status_code == 404  # a read passes and does not use it up
    failed = await desk.http.post(address, json=LIMIT)
    assert failed.status_code == 500
    desk.valid("ErrorResponse", failed.json())
    assert (await desk.http.get(address)).json()["threshold_amount"] == 500
    desk.openai.fail(kind="acted_drop", times=1)
    with pytest.raises(httpx.TransportError):
        await desk.http.delete(address)
    assert (await desk.http.get(address)).status_code == 404


async def test_a_change_can_be_made_and_its_answer_come_too_late(desk: Desk) -> None:
    address = f"{PROJECTS}/{desk.project_id('chat')}/spend_limit"
    desk.openai.fail(kind="acted_drop", delay_seconds=30, times=1)
    with pytest.raises(httpx.ReadTimeout):
        await desk.http.post(address, json=LIMIT, timeout=0.1)
    assert (await desk.http.get(address)).status_code == 200


async def test_what_is_refused_was_not_done_whatever_fault_stands(desk: Desk) -> None:
    desk.openai.fail(kind="acted_500", times=1)
    address = f"{PROJECTS}/{desk.project_id('chat')}/spend_limit"
    assert (await desk.http.post(address, json={**LIMIT, "threshold_amount": 0})).status_code == 400


async def test_an_answer_can_be_slower_than_a_client_waits(desk: Desk) -> None:
    desk.openai.fail(kind="slow", times=1)
    with pytest.raises(httpx.ReadTimeout):
        await desk.http.get(COSTS, timeout=httpx.Timeout(10, read=0.05))  # only the answer is what is waited for
    desk.openai.fail(delay_seconds=0.01, times=1)
    assert (await desk.http.get(COSTS)).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("html", 200), ("nonsense_json", 200), ("flat_error", 404)])
async def test_an_answer_can_be_something_else_altogether(desk: Desk, kind: str, status: int) -> None:
    desk.openai.fail(kind=kind, times=1)
    response = await desk.http.get(COSTS)
    assert response.status_code == status
    assert '"has_more"' not in response.text


async def test_an_answer_can_be_json_of_the_wrong_shape(desk: Desk) -> None:
    desk.openai.fail(kind="wrong_shape", times=1)
    with pytest.raises(ValidationError, match=r"'yesterday' is not of type 'integer'|is a required property"):
        desk.valid("GET /organization/costs", (await desk.http.get(COSTS)).json())


@pytest.mark.parametrize(
    ("order", "body", "sentence"),
    [
        ("faults", {}, "a fault needs a status, a kind or delay_seconds"),
        ("faults", {"status": 418}, "status is one of"),
        ("faults", {"kind": "sulk"}, "kind is one of slow, cut_off"),
        ("faults", {"status": 500, "times": 0}, "times is a whole number from 1"),
        ("faults", {"status": 500, "colour": "red"}, "a fault has the fields path, status"),
        ("behaviour", {"mood": "bad"}, "no such behaviour: mood"),
        ("restate", {"project": "chat"}, "missing or unknown: day"),
        ("restate", {"day": "someday"}, "not understood"),
        ("restate", {"day": "2026-11-17", "delta": "1"}, "a delta needs the project"),
        ("restate", {"day": "2026-11-17", "factor": "x"}, "factor is a number such as 1.25"),
        ("boost", {"application": "chat"}, "missing or unknown: factor"),
        ("boost", {"application": "chat", "factor": 2, "since": "2026-11-18T10:00:00"}, "a time needs a zone"),
        ("boost", {"application": "chat", "factor": -1}, "factor is zero or more"),
        ("keys", {"rights": ["everything"]}, "rights are among"),
        ("usage", {"family": "completions"}, "completions come from the trace"),
    ],
)
async def test_a_wrong_order_is_refused_with_a_sentence(
    desk: Desk, order: str, body: dict[str, Any], sentence: str
) -> None:
    refusal = await desk.control(order, body, expect=400)
    assert refusal["ok"] is False
    assert sentence in refusal["error"]


async def test_a_fault_never_touches_the_control_room(desk: Desk) -> None:
    desk.openai.fail(status=500, path="/")
    assert (await desk.http.get("/_sim/openai/faults")).status_code == 200


async def test_reset_brings_back_a_provider_without_moods(desk: Desk) -> None:
    plain = (await desk.http.get(COSTS)).text
    desk.openai.fail(status=500)
    await desk.control("behaviour", {"numbers": "string", "late_hours": 40})
    await desk.control("restate", {"day": "2026-11-17", "factor": "2"})
    await desk.control("reset")
    assert (await desk.http.get(COSTS)).text == plain


async def test_the_state_names_the_keys_and_projects_to_try(desk: Desk) -> None:
    state = (await desk.http.get("/_sim/openai/state")).json()
    [organization] = state["organizations"]
    assert state["url"] == desk.openai.url
    assert organization["admin_keys"][0]["secret"] == desk.openai.admin_key
    assert [project["name"] for project in organization["projects"]] == ["chat", "nightly", "search"]


async def test_usage_can_be_added_over_http(desk: Desk) -> None:
    order = {
        "family": "embeddings",
        "application": "chat",
        "counts": {"input_tokens": 900, "num_model_requests": 3},
        "model": "text-embedding-3-small",
        "at": "2026-11-18T09:30:00Z",
        "usd": "0.02",
    }
    await desk.control("usage", order)
    [bucket] = await desk.usage("embeddings", start_time=NOON.replace(hour=0), models=["text-embedding-3-small"])
    assert [row["input_tokens"] for row in bucket["results"]] == [900]
    [other] = await desk.usage("embeddings", start_time=NOON.replace(hour=0), models=["another"])
    assert other["results"] == []


async def test_every_call_is_remembered_with_what_it_met(desk: Desk) -> None:
    desk.openai.fail(status=500, times=1)
    await desk.http.get(COSTS)
    await desk.http.get(PROJECTS)
    assert [(call.path, call.status) for call in desk.openai.calls] == [
        ("/v1/organization/costs", 500),
        ("/v1/organization/projects", 200),
    ]


async def test_a_server_that_is_not_running_has_no_address() -> None:
    async with a_desk(a_trace(["0,chat,big,1,1,1,0"])) as desk:
        openai = desk.openai
    with pytest.raises(RuntimeError, match="not running"):
        _ = openai.url
