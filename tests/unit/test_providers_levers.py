"""What a lever is to become, and what each answer of OpenAI about one means: nothing half understood is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finops.levers import Json, Lever, LeverReading, LeverWish
from finops.secret import Secret
from providers.contract import (
    ChangeRefused,
    CredentialRejected,
    ProjectUnknown,
    ProviderActor,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import RetryPolicy
from providers.openai import OpenAI
from providers.openai_levers import target_of

NOW = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
KEY = Secret("sk-admin-" + "k3yOfTheTests0123abc1")
LIMIT = {"object": "project.spend_limit", "threshold_amount": 5000, "currency": "USD", "interval": "month"}
PROJECT = {"id": "proj_a", "object": "organization.project", "created_at": 1, "status": "active"}
NOT_SET = {"error": {"message": "No spend limit is configured.", "type": "x", "param": None, "code": None}}
QUICK = RetryPolicy(attempts=2, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001)
Told = Mapping[str, tuple[int, Any]]
WORDS = st.sampled_from(
    ["threshold_amount", "currency", "interval", "mode", "model_ids", "data", "id", "max_requests_per_1_minute"]
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["USD", "month", "allow_list", "rl-a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=6,
)


class Teller:
    """An OpenAI that answers by the end of the path and remembers what it was asked."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.asked: list[httpx.Request] = []
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), verify=False)
        self.openai = OpenAI(http, "https://api.example/v1", lambda: NOW, QUICK)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        status, body = self.told[request.url.raw_path.decode().partition("?")[0].removeprefix("/v1/organization/")]
        text = body if isinstance(body, str) else json.dumps(body)
        return httpx.Response(status, text=text, headers={"x-request-id": "req_1"})

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.asked]


def limit_answers(status: int, body: Any, project: tuple[int, Any] = (200, PROJECT)) -> Teller:
    return Teller({"projects/proj_a/spend_limit": (status, body), "projects/proj_a": project})


# --- what a lever becomes --------------------------------------------------------------------------------------------


def test_a_stop_is_one_cent_a_month() -> None:
    wish = LeverWish({})
    for former in (None, {"threshold_amount": 5000, "currency": "USD", "interval": "month"}):
        assert target_of(Lever.STOP, {"spend_limit": former}, wish) == {
            "spend_limit": {"threshold_amount": 1, "currency": "USD", "interval": "month"}
        }


@pytest.mark.parametrize(
    ("former", "stay"),
    [
        (None, ["mini", "nano"]),
        ({"mode": "deny_list", "model_ids": ["nano"]}, ["mini"]),
        ({"mode": "allow_list", "model_ids": ["big", "mini"]}, ["mini"]),
    ],
    ids=["nothing set", "one was denied", "some were allowed"],
)
def test_cheap_models_only_never_allows_what_was_not_allowed(former: Json, stay: list[str]) -> None:
    target = target_of(Lever.CHEAP, {"model_permissions": former}, LeverWish({}, ("nano", "mini")))
    assert target == {"model_permissions": {"mode": "allow_list", "model_ids": stay}}


@pytest.mark.parametrize("former", [None, {"mode": "allow_list", "model_ids": ["big"]}])
def test_cheap_models_only_without_any_model_would_be_a_stop_by_another_name(former: Json) -> None:
    wish = LeverWish({}, ("mini",) if former else ())
    with pytest.raises(ValueError, match="no model would stay"):
        target_of(Lever.CHEAP, {"model_permissions": former}, wish)


def test_calls_are_held_at_the_usual_pace_of_the_model_and_its_snapshots() -> None:
    parts: dict[str, Json] = {
        "rate_limit:rl-gpt-5": {"max_requests_per_1_minute": 500, "max_tokens_per_1_minute": 9},
        "rate_limit:rl-gpt-5-mini": {
            "max_requests_per_1_minute": 600,
            "max_requests_per_1_day": 100_000,
            "batch_1_day_max_input_tokens": 60_000,
        },
        "rate_limit:rl-tight": {"max_requests_per_1_minute": 0, "batch_1_day_max_input_tokens": 5},
        "rate_limit:rl-mute": {"max_images_per_1_minute": 3},
    }
    wish = LeverWish({"gpt-5": 4, "gpt-5-2025-08-07": 3, "gpt-5-mini-2025-08-07": 20, "tight": 9})
    assert target_of(Lever.SLOW, parts, wish) == {
        "rate_limit:rl-gpt-5": {"max_requests_per_1_minute": 7, "max_tokens_per_1_minute": 9},
        "rate_limit:rl-gpt-5-mini": {
            "max_requests_per_1_minute": 20,
            "max_requests_per_1_day": 28_800,
            "batch_1_day_max_input_tokens": 2_000,
        },
        "rate_limit:rl-tight": {"max_requests_per_1_minute": 0, "batch_1_day_max_input_tokens": 5},
        "rate_limit:rl-mute": {"max_images_per_1_minute": 3},
    }


FIELDS = (
    "max_requests_per_1_minute",
    "max_requests_per_1_day",
    "batch_1_day_max_input_tokens",
    "max_tokens_per_1_minute",
)


@settings(max_examples=20)
@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(FIELDS), st.integers(0, 10**9))),
    st.dictionaries(st.sampled_from(["a", "b", "a-2026-01-01"]), st.integers(0, 10**6)),
)
def test_slowing_never_loosens_and_names_the_same_settings(
    limits: dict[str, dict[str, Json]], pace: dict[str, int]
) -> None:
    """Every field stays or falls; a model that was used or not keeps at least one call a minute if it had one."""
    parts: dict[str, Json] = {f"rate_limit:rl-{model}": {**fields} for model, fields in limits.items()}
    target = target_of(Lever.SLOW, parts, LeverWish(pace))
    assert set(target) == set(parts)
    for part, before in parts.items():
        after = target[part]
        assert isinstance(before, dict)
        assert isinstance(after, dict)
        assert set(after) == set(before)
        assert all(isinstance(limit, int) and limit <= before[name] for name, limit in after.items())  # type: ignore[operator]
        assert (after.get(FIELDS[0], 1) == 0) == (before.get(FIELDS[0], 1) == 0)


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["5000", "5000.0", "5E+3", '"5000"'])
async def test_whole_cents_are_read_however_they_are_spelled(amount: str) -> None:
    body = f'{{"threshold_amount": {amount}, "currency": "usd", "interval": "month", "colour": [1]}}'
    reading = await limit_answers(200, body).openai.lever(KEY, "proj_a", Lever.STOP)
    assert reading == LeverReading(
        {"spend_limit": {"threshold_amount": 5000, "currency": "USD", "interval": "month"}}, None
    )
    assert isinstance(reading.parts["spend_limit"], dict)
    assert type(reading.parts["spend_limit"]["threshold_amount"]) is int


@pytest.mark.parametrize(
    ("status", "is_enforcing"), [("enforcing", True), ("inactive", False), ("warming_up", None), (None, None)]
)
async def test_a_limit_says_whether_it_bites(status: str | None, is_enforcing: bool | None) -> None:
    body = {**LIMIT, "enforcement": {"status": status}}
    assert (await limit_answers(200, body).openai.lever(KEY, "proj_a", Lever.STOP)).is_enforcing is is_enforcing


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**LIMIT, "threshold_amount": None},
        {**LIMIT, "threshold_amount": 0},
        {**LIMIT, "threshold_amount": 12.5},
        {**LIMIT, "threshold_amount": "soon"},
        {**LIMIT, "threshold_amount": True},
        {**LIMIT, "currency": ""},
        {**LIMIT, "interval": "a\u0000b"},
        {name: value for name, value in LIMIT.items() if name != "currency"},
        {name: value for name, value in LIMIT.items() if name != "interval"},
        '{"threshold_amount": 1E400000000, "currency": "USD", "interval": "month"}',
        '{"threshold_amount": NaN, "currency": "USD", "interval": "month"}',
        "<html>502</html>",
        "[]",
    ],
    ids=str,
)
async def test_a_limit_that_is_half_understood_is_not_used(body: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        await limit_answers(200, body).openai.lever(KEY, "proj_a", Lever.STOP)


async def test_nothing_set_is_told_apart_from_no_such_project() -> None:
    """Both are a 404; only where the project itself is known is there no limit."""
    assert await limit_answers(404, NOT_SET).openai.lever(KEY, "proj_a", Lever.STOP) == LeverReading(
        {"spend_limit": None}
    )
    for project in ((404, NOT_SET), (200, {**PROJECT, "status": "archived"}), (200, {**PROJECT, "archived_at": 2})):
        with pytest.raises(ProjectUnknown):
            await limit_answers(404, NOT_SET, project).openai.lever(KEY, "proj_a", Lever.STOP)


@pytest.mark.parametrize(
    "body",
    [
        "<html>404</html>",
        {"message": "Not Found"},
        {"detail": "Not Found"},
        {"error": {"message": "Invalid URL (GET /v1/…)", "type": "invalid_request_error", "code": None}},
        {"error": {"message": "Unknown", "type": "invalid_request_error", "code": "unknown_url"}},
    ],
    ids=str,
)
async def test_an_address_nobody_knows_is_not_a_limit_nobody_set(body: Any) -> None:
    """A gateway's 404 read as "no limit" would end in the removal of somebody's limit."""
    with pytest.raises(UnexpectedResponse):
        await limit_answers(404, body).openai.lever(KEY, "proj_a", Lever.STOP)


async def test_the_flat_error_of_the_documentation_is_understood_too() -> None:
    teller = limit_answers(404, {"code": 404, "message": "The limit was not found"})
    assert (await teller.openai.lever(KEY, "proj_a", Lever.STOP)).parts == {"spend_limit": None}


@pytest.mark.parametrize("project_id", ["", "..", "proj_a/../proj_b", "proj a", "x" * 200])
async def test_no_id_leads_to_another_address(project_id: str) -> None:
    teller = limit_answers(200, LIMIT)
    for call in (
        teller.openai.lever(KEY, project_id, Lever.STOP),
        teller.openai.pull(KEY, project_id, "spend_limit", None),
        teller.openai.holders(KEY, project_id),
    ):
        with pytest.raises(ProjectUnknown):
            await call
    assert teller.asked == []


async def test_equal_permissions_are_equal_readings() -> None:
    """A list of models is a set: neither order nor repetition is a change."""
    for models in (["b", "a"], ["a", "b"], ["a", "b", "a"]):
        body = {"object": "project.model_permissions", "mode": "deny_list", "model_ids": models}
        teller = Teller({"projects/proj_a/model_permissions": (200, body)})
        reading = await teller.openai.lever(KEY, "proj_a", Lever.CHEAP)
        assert reading == LeverReading({"model_permissions": {"mode": "deny_list", "model_ids": ["a", "b"]}})


@pytest.mark.parametrize("body", [{"mode": "everything", "model_ids": []}, {"mode": "allow_list"}, {"model_ids": []}])
async def test_permissions_of_an_unknown_kind_are_not_used(body: Any) -> None:
    teller = Teller({"projects/proj_a/model_permissions": (200, body)})
    with pytest.raises(UnexpectedResponse):
        await teller.openai.lever(KEY, "proj_a", Lever.CHEAP)


@pytest.mark.parametrize("wrong", [-1, 1.5, "many", True, [1], 2**60])
async def test_a_rate_limit_that_is_no_whole_number_is_not_used(wrong: Any) -> None:
    item = {"id": "rl-a", "max_requests_per_1_minute": wrong}
    teller = Teller({"projects/proj_a/rate_limits": (200, {"data": [item], "has_more": False})})
    with pytest.raises(UnexpectedResponse) as refused:
        await teller.openai.lever(KEY, "proj_a", Lever.SLOW)
    assert refused.value.pointer == "/data/0/max_requests_per_1_minute"


async def test_only_what_was_told_of_a_rate_limit_can_be_put_back() -> None:
    """Absent and null fields are no settings; a model without any setting is no part."""
    items = [
        {"id": "rl-a", "model": "a", "max_requests_per_1_minute": 5, "max_images_per_1_minute": None, "colour": "red"},
        {"id": "rl-b", "model": "b"},
    ]
    teller = Teller({"projects/proj_a/rate_limits": (200, {"data": items, "has_more": False})})
    reading = await teller.openai.lever(KEY, "proj_a", Lever.SLOW)
    assert reading == LeverReading({"rate_limit:rl-a": {"max_requests_per_1_minute": 5}})


# --- changing --------------------------------------------------------------------------------------------------------


def refused_with(code: str | None, message: str = "no") -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


CENT: Json = {"threshold_amount": 1, "currency": "USD", "interval": "month"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, refused_with("invalid_value"), ChangeRefused),
        (400, refused_with("project_archived"), ProjectUnknown),
        (401, refused_with("invalid_api_key"), CredentialRejected),
        (403, refused_with(None, "Missing scopes: api.management.write."), CredentialRejected),
        (404, refused_with("not_found"), ChangeRefused),
        (408, refused_with(None), Unavailable),
        (409, refused_with(None), Unavailable),
        (422, refused_with(None), ChangeRefused),
        (429, refused_with("rate_limit_exceeded"), RateLimited),
        (429, "slow down", RateLimited),
        (500, refused_with(None), Unavailable),
        (503, "<html>", Unavailable),
        (302, "", UnexpectedResponse),
        (400, "<html>", UnexpectedResponse),
        (403, "<html>", UnexpectedResponse),
        (404, "<html>", UnexpectedResponse),
        (200, "<html>", UnexpectedResponse),
        (200, "", UnexpectedResponse),
    ],
)
async def test_a_change_is_sent_once_and_only_a_clear_refusal_means_not_done(
    status: int, body: Any, error: type[ProviderError]
) -> None:
    teller = limit_answers(status, body)
    with pytest.raises(error) as raised:
        await teller.openai.pull(KEY, "proj_a", "spend_limit", CENT)
    assert teller.methods.count("POST") == 1
    assert json.loads(teller.asked[0].content) == CENT
    assert raised.value.reference == "req_1"


async def test_a_missing_right_is_named_as_the_provider_names_it() -> None:
    teller = limit_answers(403, refused_with(None, "Missing scopes: api.management.write. Check …"))
    with pytest.raises(CredentialRejected) as raised:
        await teller.openai.pull(KEY, "proj_a", "spend_limit", CENT)
    assert (raised.value.reason, raised.value.scope) == ("missing_scope", "api.management.write")


async def test_a_change_of_a_project_that_is_gone_says_so() -> None:
    with pytest.raises(ProjectUnknown):
        await limit_answers(404, NOT_SET, (404, NOT_SET)).openai.pull(KEY, "proj_a", "spend_limit", CENT)


async def test_removing_what_is_not_there_is_done_and_sends_no_body() -> None:
    teller = limit_answers(404, NOT_SET)
    await teller.openai.pull(KEY, "proj_a", "spend_limit", None)
    assert (teller.methods, teller.asked[0].content) == (["DELETE"], b"")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("colour", {}),
        ("spend_limit", 1),
        ("rate_limit:rl-a", None),
        ("rate_limit:", {"a": 1}),
        ("rate_limit:..", {"a": 1}),
    ],
)
async def test_what_no_lever_has_is_never_sent(part: str, value: Json) -> None:
    teller = limit_answers(200, LIMIT)
    with pytest.raises(ValueError, match=r".+"):
        await teller.openai.pull(KEY, "proj_a", part, value)
    assert teller.asked == []


async def test_a_model_of_any_name_stays_one_piece_of_the_address() -> None:
    teller = Teller({"projects/proj_a/rate_limits/rl-ft%3Agpt%2F..%2F%EB%AA%A8%EB%8D%B8%3Fx": (200, {})})
    await teller.openai.pull(KEY, "proj_a", "rate_limit:rl-ft:gpt/../모델?x", {"max_requests_per_1_minute": 1})
    assert len(teller.asked) == 1


async def test_another_kind_of_key_never_leaves_the_house() -> None:
    teller = limit_answers(200, LIMIT)
    key = Secret("sk-proj-" + "k3yOfTheTests0123abc1")
    for call in (
        teller.openai.lever(key, "proj_a", Lever.STOP),
        teller.openai.pull(key, "proj_a", "spend_limit", CENT),
        teller.openai.holders(key, "proj_a"),
        teller.openai.last_change(key, "proj_a", NOW),
    ):
        with pytest.raises(CredentialRejected):
            await call
    assert teller.asked == []


# --- who is hit, and who did it --------------------------------------------------------------------------------------


async def test_holders_show_names_and_ends_and_never_an_address_or_a_key() -> None:
    whole = "sk-proj-" + "x" * 40
    keys: list[dict[str, Any]] = [
        {"id": "key_1", "name": f"batch {whole}", "redacted_value": whole, "last_used_at": None},
        {
            "id": "key_2",
            "name": "prod",
            "redacted_value": "sk-abc...wXyZ",
            "last_used_at": 1_700_000_000,
            "owner": {"type": "user", "user": {"id": "user_1", "name": "a@b.example", "email": "a@b.example"}},
        },
        {
            "id": "key_3",
            "name": "ci",
            "redacted_value": "sk-proj-***1234",
            "last_used_at": 1_800_000_000,
            "owner": {"type": "service_account", "service_account": {"id": "svc", "name": "CI\nbot"}},
        },
    ]
    teller = Teller({"projects/proj_a/api_keys": (200, {"data": keys, "has_more": False})})
    found = await teller.openai.holders(KEY, "proj_a")
    assert [(one.key_id, one.owner, one.is_service_account, one.ends_with) for one in found] == [
        ("key_3", "CI bot", True, "1234"),
        ("key_2", "", False, "wXyZ"),
        ("key_1", "", False, ""),
    ]
    assert whole not in repr(found)
    assert teller.asked[0].url.params["owner_project_access"] == "any"


def event(at: datetime, kind: str = "rate_limit.updated", **more: Any) -> dict[str, Any]:
    actor = {"type": "session", "session": {"user": {"id": "user_1", "email": "a@b.example"}}}
    return {
        "type": kind,
        "effective_at": int(at.timestamp()),
        "project": {"id": "proj_a"},
        "actor": actor,
        kind: {"id": "rl-a"},
    } | more


def log_answers(*events: dict[str, Any], user: tuple[int, Any] = (200, {"id": "user_1", "name": "이지훈"})) -> Teller:
    return Teller({"audit_logs": (200, {"data": list(events), "has_more": False}), "users/user_1": user})


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ((200, {"id": "user_1", "name": "이지훈"}), "이지훈"),
        ((200, {"id": "user_1", "name": "a@b.example"}), "user_1"),
        ((404, NOT_SET), "user_1"),
    ],
)
async def test_the_last_change_is_told_by_name_where_there_is_one(user: tuple[int, Any], name: str) -> None:
    later, last = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    teller = log_answers(event(later), event(last, "project.archived"), event(later, "project.updated"), user=user)
    assert await teller.openai.last_change(KEY, "proj_a", NOW) == ProviderActor(name, last, "project.archived")
    assert teller.asked[0].url.params["effective_at[gt]"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize(
    "others",
    [
        event(NOW),
        event(NOW + timedelta(minutes=1), project={"id": "proj_b"}),
        event(NOW + timedelta(minutes=1), "api_key.created"),
        event(NOW + timedelta(minutes=1), project=None),
        event(NOW + timedelta(minutes=1), actor=None),
    ],
    ids=["ours, before", "another project", "another kind", "no project", "nobody"],
)
async def test_what_others_did_elsewhere_is_nobodys_change_of_this_project(others: dict[str, Any]) -> None:
    assert await log_answers(others).openai.last_change(KEY, "proj_a", NOW) is None


async def test_an_organization_without_a_log_tells_nobody() -> None:
    teller = Teller({"audit_logs": (404, NOT_SET)})
    assert await teller.openai.last_change(KEY, "proj_a", NOW) is None


async def test_what_a_key_did_is_told_by_its_owner_or_its_id() -> None:
    """A project that was archived with an Admin key is filed under the default project: its own id is told beside."""
    by_key = {
        "type": "api_key",
        "api_key": {"id": "key_9", "type": "service_account", "service_account": {"id": "svc_1"}},
    }
    at = NOW + timedelta(minutes=1)
    archived = event(at, "project.archived", project={"id": "proj_default"}, actor=by_key)
    archived["project.archived"] = {"id": "proj_a"}
    found = await log_answers(archived).openai.last_change(KEY, "proj_a", NOW)
    assert found == ProviderActor("svc_1", at, "project.archived")


# An answer as it should be, but for one field.
TELLING = st.sampled_from(
    [LIMIT, {"mode": "allow_list", "model_ids": ["a"]}, {"data": [{"id": "rl-a", "max_requests_per_1_minute": 5}]}]
)
NEARLY = st.builds(lambda told, other: {**told, **other}, TELLING, st.dictionaries(WORDS, ANY_JSON, max_size=1))


@settings(max_examples=20)
@example(LIMIT, Lever.STOP)
@given(ANY_JSON | NEARLY, st.sampled_from(list(Lever)))
async def test_whatever_is_answered_is_a_reading_or_an_error_of_the_contract(body: Any, lever: Lever) -> None:
    paths = ("spend_limit", "model_permissions", "rate_limits")
    teller = Teller({f"projects/proj_a/{path}": (200, body) for path in paths})
    try:
        reading = await teller.openai.lever(KEY, "proj_a", lever)
    except UnexpectedResponse:
        return
    assert all(isinstance(value, dict) for value in reading.parts.values())
