"""Our levers against the simulated OpenAI: what was before is read, another setting written, and what was put back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo.openai.organization import Project
from finops.levers import Json, Lever, LeverReading, LeverWish, changed_parts
from finops.secret import Secret
from providers.contract import (
    ChangeRefused,
    CredentialReason,
    CredentialRejected,
    ProjectUnknown,
    ProviderActor,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import RetryPolicy, http_client
from providers.openai import OpenAI
from tests.simulators.openai_kit import NOON, Desk, a_desk

QUICK = RetryPolicy(attempts=2, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001, attempt_timeout=5)
HASTY = replace(QUICK, attempt_timeout=0.1)  # for those whose answer must not come in time
CENT: Json = {"threshold_amount": 1, "currency": "USD", "interval": "month"}
WISH = LeverWish({"small": 7}, ("small",))
LIMIT, PERMISSIONS = "spend_limit", "model_permissions"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # Nothing here is encrypted: reading the machine's certificates would take longer than the tests.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with http_client(plaintext_hosts={"127.0.0.1"}, tls=tls) as client:
        yield client


@pytest.fixture
def openai(desk: Desk, http: httpx.AsyncClient) -> OpenAI:
    return OpenAI(http, desk.openai.url, desk.clock, QUICK)


@pytest.fixture
def hasty(desk: Desk, http: httpx.AsyncClient) -> OpenAI:
    return OpenAI(http, desk.openai.url, desk.clock, HASTY)


def key_of(desk: Desk) -> Secret:
    return Secret(desk.openai.admin_key)


async def key_with(desk: Desk, *rights: str) -> Secret:
    return Secret((await desk.control("keys", {"rights": list(rights)}))["secret"])


def sent(desk: Desk) -> list[str]:
    """The methods of all requests that change something, in order."""
    return [call.method for call in desk.openai.calls if call.method in ("POST", "DELETE")]


MODELS = st.sets(st.sampled_from(["big", "small", "모델/7 β"]), max_size=3).map(sorted)
NUMBER = st.integers(0, 10**7)
FORMER = st.fixed_dictionaries(
    {
        "spend_limit": st.none() | st.builds(dict, threshold_amount=st.integers(1, 10**9)),
        "model_permissions": st.none()
        | st.builds(dict, mode=st.sampled_from(["allow_list", "deny_list"]), model_ids=MODELS),
        "rate_limits": st.dictionaries(
            st.sampled_from(["big", "small"]),
            st.fixed_dictionaries(
                {},
                optional={
                    # Never above the organization's.
                    "max_requests_per_1_minute": st.integers(0, 10_000),
                    "max_tokens_per_1_minute": st.integers(0, 2_000_000),
                    "max_requests_per_1_day": NUMBER,
                    "batch_1_day_max_input_tokens": NUMBER,
                },
            ).filter(bool),
        ),
    }
)


def everything(project: Project) -> tuple[Any, ...]:
    """All that is set on a project, from the inside of the provider; a list of models is a set."""
    policy = project.model_permissions
    named = None if policy is None else (policy["mode"], frozenset(policy["model_ids"]))
    return project.spend_limit_cents, named, {model: dict(limits) for model, limits in project.rate_limits.items()}


async def put(openai: OpenAI, desk: Desk, project: Project, wanted: LeverReading, lever: Lever) -> None:
    """Write every part that stands otherwise, as the executor does."""
    present = await openai.lever(key_of(desk), project.id, lever)
    for part in changed_parts(wanted.parts, present.parts):
        await openai.pull(key_of(desk), project.id, part, wanted.parts[part])


@settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(former=FORMER)
@example(
    former={
        "spend_limit": {"threshold_amount": 1},
        "model_permissions": {"mode": "deny_list", "model_ids": ["big", "모델/7 β"]},
        "rate_limits": {"big": {"max_requests_per_1_minute": 0, "batch_1_day_max_input_tokens": 10**7}},
    }
)
async def test_whatever_was_set_is_put_back_exactly(desk: Desk, openai: OpenAI, former: dict[str, Any]) -> None:
    """Read, set, read back as set, put back, read back as it was; and the provider's own books say so too."""
    project = desk.openai.project("chat")
    project.spend_limits, project.model_permissions, project.rate_limits = [], None, {}
    limit = former["spend_limit"] and {**former["spend_limit"], "currency": "USD", "interval": "month"}
    told = {"project": "chat", "rate_limits": former["rate_limits"]}
    told |= {name: value for name, value in ((LIMIT, limit), (PERMISSIONS, former[PERMISSIONS])) if value}
    await desk.control("limits", told)
    for lever in Lever:
        before, inside = await openai.lever(key_of(desk), project.id, lever), everything(project)
        try:
            target = LeverReading(openai.target(lever, before.parts, WISH))
        except ValueError:
            assert lever is Lever.CHEAP
            continue
        await put(openai, desk, project, target, lever)
        assert (await openai.lever(key_of(desk), project.id, lever)).parts == target.parts
        await put(openai, desk, project, before, lever)
        assert (await openai.lever(key_of(desk), project.id, lever)).parts == before.parts
        assert _plain(everything(project)) == _plain(inside)


def _plain(inside: tuple[Any, ...]) -> tuple[Any, ...]:
    """With the defaults spelled out: a limit put back is told like one never touched."""
    cents, policy, limits = inside
    defaults = {"max_requests_per_1_minute": 10_000, "max_tokens_per_1_minute": 2_000_000}
    return cents, policy, {model: {**defaults, **limits.get(model, {})} for model in ("big", "small")}


async def test_a_stop_says_when_it_bites_and_says_nothing_once_it_is_gone(desk: Desk, openai: OpenAI) -> None:
    """Set, it is not enforced before it has spread; removed, there is nothing that could say so."""
    key, project = key_of(desk), desk.project_id("search")
    assert await openai.lever(key, project, Lever.STOP) == LeverReading({LIMIT: None})
    await openai.pull(key, project, LIMIT, CENT)
    assert await openai.lever(key, project, Lever.STOP) == LeverReading({LIMIT: CENT}, is_enforcing=False)
    desk.clock.advance(minutes=2)
    assert await openai.lever(key, project, Lever.STOP) == LeverReading({LIMIT: CENT}, is_enforcing=True)
    await openai.pull(key, project, LIMIT, None)
    assert await openai.lever(key, project, Lever.STOP) == LeverReading({LIMIT: None})


async def test_hundreds_of_models_are_read_page_by_page(desk: Desk, openai: OpenAI) -> None:
    traffic = desk.openai.tenant().traffic
    one = next(iter(traffic.series.values()))
    traffic.series.update({("chat", f"model-{number:03}"): one for number in range(250)})
    reading = await openai.lever(key_of(desk), desk.project_id("chat"), Lever.SLOW)
    assert len(reading.parts) == 252
    assert reading.parts["rate_limit:rl-model-249"] == {
        "max_requests_per_1_minute": 10_000,
        "max_tokens_per_1_minute": 2_000_000,
    }
    assert len([call for call in desk.openai.calls if "rate_limits" in call.path]) == 3


# --- trouble ---------------------------------------------------------------------------------------------------------


FAULTS: list[tuple[dict[str, Any], type[Exception], bool]] = [
    ({"kind": "acted_500"}, Unavailable, True),
    ({"kind": "acted_drop"}, Unavailable, True),
    ({"kind": "drop"}, Unavailable, False),
    ({"status": 500}, Unavailable, False),
    ({"status": 503}, Unavailable, False),
    ({"status": 409}, Unavailable, False),
    ({"status": 429, "retry_after": 7}, RateLimited, False),
    ({"status": 400}, ChangeRefused, False),
    ({"status": 403}, CredentialRejected, False),
    ({"kind": "cut_off"}, Unavailable, True),
    ({"kind": "html"}, UnexpectedResponse, False),
    ({"kind": "nonsense_json"}, UnexpectedResponse, False),
]


CHANGES: list[tuple[str, Json, Json]] = [("POST", None, CENT), ("DELETE", CENT, None)]


async def test_a_change_is_sent_once_whatever_happens_and_reading_tells_what_became_of_it(
    desk: Desk, openai: OpenAI, subtests: pytest.Subtests
) -> None:
    for (fault, error, is_done), (method, former, wanted) in product(FAULTS, CHANGES):
        with subtests.test(method=method, **fault):
            desk.openai.reset()
            await openai.pull(key_of(desk), desk.project_id("chat"), LIMIT, former)
            desk.openai.fail(**fault, method=method, times=1)
            with pytest.raises(error):
                await sent_once(desk, openai, wanted)
            await holds(desk, openai, method, wanted if is_done else former)


@pytest.mark.parametrize(
    ("fault", "is_done"), [({"kind": "acted_drop", "delay_seconds": 5}, True), ({"kind": "slow"}, False)], ids=str
)
async def test_so_is_one_whose_answer_does_not_come_in_time(
    desk: Desk, openai: OpenAI, hasty: OpenAI, fault: dict[str, Any], is_done: bool
) -> None:
    """It is still being answered when we have long given up: what is told of it is what reading says."""
    for method, former, wanted in CHANGES:
        await openai.pull(key_of(desk), desk.project_id("chat"), LIMIT, former)
        desk.openai.fail(**fault, method=method, times=1)
        with pytest.raises(Unavailable):
            await sent_once(desk, hasty, wanted)
        await holds(desk, openai, method, wanted if is_done else former)


async def sent_once(desk: Desk, openai: OpenAI, wanted: Json) -> None:
    """One change, from which on requests are counted."""
    desk.openai.calls.clear()
    await openai.pull(key_of(desk), desk.project_id("chat"), LIMIT, wanted)


async def holds(desk: Desk, openai: OpenAI, method: str, amount: Json) -> None:
    """What stands after a change that failed, and that it met its fault and was sent once."""
    # Read first: on a busy machine a client may have lost patience before what it sent was looked at.
    assert (await openai.lever(key_of(desk), desk.project_id("chat"), Lever.STOP)).parts == {LIMIT: amount}
    assert desk.openai.faults.standing == []
    assert sent(desk) in ([method], [])  # one that is still being answered slowly is not in the book yet


async def test_a_slow_down_says_for_how_long(desk: Desk, openai: OpenAI) -> None:
    desk.openai.fail(status=429, retry_after=7, method="POST", times=1)
    with pytest.raises(RateLimited) as raised:
        await openai.pull(key_of(desk), desk.project_id("chat"), LIMIT, CENT)
    assert raised.value.retry_after == 7


async def test_reading_goes_on_after_one_failure_and_ends_within_bounds(
    desk: Desk, openai: OpenAI, hasty: OpenAI
) -> None:
    """A read is safe to repeat; a provider that hangs is given up."""
    key, project = key_of(desk), desk.project_id("chat")
    desk.openai.fail(status=500, times=1)
    assert (await openai.lever(key, project, Lever.STOP)).parts == {LIMIT: None}
    desk.openai.fail(kind="slow")
    with pytest.raises(Unavailable):
        await hasty.lever(key, project, Lever.STOP)


async def test_nonsense_is_no_reading(desk: Desk, openai: OpenAI, subtests: pytest.Subtests) -> None:
    for kind, lever in product(("nonsense_json", "wrong_shape", "html"), Lever):
        with subtests.test(kind=kind, lever=lever):
            desk.openai.reset()
            desk.openai.fail(kind=kind, path="/v1/organization/projects/")
            with pytest.raises(UnexpectedResponse):
                await openai.lever(key_of(desk), desk.project_id("chat"), lever)


async def test_a_key_that_may_only_read_reads_and_is_told_what_it_lacks(desk: Desk, openai: OpenAI) -> None:
    key, project = await key_with(desk, "api.management.read"), desk.project_id("chat")
    assert (await openai.lever(key, project, Lever.STOP)).parts == {LIMIT: None}
    assert len(await openai.holders(key, project)) == 2
    for part, value in ((LIMIT, CENT), (LIMIT, None), ("rate_limit:rl-big", {"max_requests_per_1_minute": 1})):
        with pytest.raises(CredentialRejected) as raised:
            await openai.pull(key, project, part, value)
        assert (raised.value.reason, raised.value.scope) == (
            CredentialReason.MISSING_SCOPE,
            "api.management.write",
        )
    assert desk.openai.project("chat").spend_limits == []


async def test_a_key_that_sees_usage_only_cannot_even_look(desk: Desk, openai: OpenAI) -> None:
    key = await key_with(desk, "api.usage.read")
    with pytest.raises(CredentialRejected) as raised:
        await openai.lever(key, desk.project_id("chat"), Lever.STOP)
    assert raised.value.scope == "api.management.read"


async def test_an_unknown_project_has_no_levers(desk: Desk, openai: OpenAI) -> None:
    for lever in Lever:
        with pytest.raises(ProjectUnknown):
            await openai.lever(key_of(desk), "proj_unknown", lever)
    for part, value in ((LIMIT, CENT), (PERMISSIONS, {"mode": "allow_list", "model_ids": []})):
        with pytest.raises(ProjectUnknown):
            await openai.pull(key_of(desk), "proj_unknown", part, value)
    with pytest.raises(ProjectUnknown):
        await openai.holders(key_of(desk), "proj_unknown")


async def test_an_archived_project_has_no_levers(desk: Desk, openai: OpenAI) -> None:
    key, project = key_of(desk), desk.project_id("chat")
    await desk.post(f"/organization/projects/{project}/archive")
    with pytest.raises(ProjectUnknown):
        await openai.lever(key, project, Lever.STOP)
    for value in (CENT, None):
        with pytest.raises(ProjectUnknown):
            await openai.pull(key, project, LIMIT, value)


async def test_a_model_without_limits_here_is_refused_and_the_project_is_known(desk: Desk, openai: OpenAI) -> None:
    with pytest.raises(ChangeRefused) as raised:
        await openai.pull(key_of(desk), desk.project_id("chat"), "rate_limit:rl-x", {"max_requests_per_1_minute": 1})
    assert raised.value.code == "not_found"


async def test_two_changes_at_once_end_in_one_of_them(desk: Desk, openai: OpenAI) -> None:
    """The provider keeps the last; nobody reads a mixture."""
    key, project = key_of(desk), desk.project_id("chat")
    amounts: list[Json] = [{**dict(CENT), "threshold_amount": cents} for cents in (1, 500)]  # type: ignore[arg-type]
    await asyncio.gather(*(openai.pull(key, project, LIMIT, amount) for amount in amounts))
    assert (await openai.lever(key, project, Lever.STOP)).parts[LIMIT] in amounts


# --- who is hit, and who did it --------------------------------------------------------------------------------------


async def test_the_keys_of_a_project_are_told_with_their_owners_and_last_use(desk: Desk, openai: OpenAI) -> None:
    project = desk.openai.project("chat")
    project.keys[1].last_used_at = NOON + timedelta(hours=1)  # a person's; the traffic comes from the service account
    found = await openai.holders(key_of(desk), project.id)
    assert [(one.name, one.is_service_account, one.ends_with) for one in found] == [
        ("chat ci", False, project.keys[1].secret[-4:]),
        ("chat production", True, project.keys[0].secret[-4:]),
    ]
    assert found[0].owner == "이지훈"
    assert found[1].owner == "chat service"
    assert "@" not in repr(found)
    assert all(key.secret not in repr(found) for key in project.keys)


async def test_somebody_who_changes_a_limit_elsewhere_is_named(desk: Desk, openai: OpenAI) -> None:
    """Rate limits are logged; a spend limit that was removed is not, and nobody is accused."""
    key, project = key_of(desk), desk.project_id("chat")
    await openai.pull(key, project, LIMIT, CENT)
    await openai.pull(key, project, "rate_limit:rl-big", {"max_requests_per_1_minute": 1})
    since = NOON
    assert await openai.last_change(key, project, since) is None
    desk.clock.advance(minutes=5)
    await desk.control("limits", {"project": "chat", "by": "박서연", "spend_limit": None})
    assert await openai.last_change(key, project, since) is None
    changed = {"big": {"max_requests_per_1_minute": 900}}
    await desk.control("limits", {"project": "chat", "by": "박서연", "rate_limits": changed})
    at = NOON + timedelta(minutes=5)
    assert await openai.last_change(key, project, since) == ProviderActor("박서연", at, "rate_limit.updated")
    assert await openai.last_change(key, desk.project_id("search"), since) is None


async def test_what_people_did_is_told_and_what_programs_did_to_limits_is_not(desk: Desk, openai: OpenAI) -> None:
    """Our own key changed a limit, a person changed another and made the log name the project."""
    key, project = key_of(desk), desk.project_id("chat")
    await openai.pull(key, project, "rate_limit:rl-big", {"max_requests_per_1_minute": 1})
    since = NOON
    desk.clock.advance(minutes=5)
    changed = {"big": {"max_requests_per_1_minute": 900}}
    await desk.control("limits", {"project": "chat", "by": "박서연", "rate_limits": changed})
    [told] = await openai.changes(key, since)
    assert (told.kind, told.at, told.project_ids) == ("rate_limit.updated", NOON + timedelta(minutes=5), {project})
    assert told.id
    assert told.name == "박서연"
    assert await openai.changes(key, NOON + timedelta(minutes=5)) == ()
    desk.openai.fail(path="/v1/organization/users/", status=403, times=9)
    [nameless] = await openai.changes(key, since)
    assert nameless.name.startswith("user-")
    assert "@" not in nameless.name
