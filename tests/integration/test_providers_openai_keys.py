"""OpenAI's projects, and whose a key is, read from a real socket."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from finops.periods import Period
from finops.secret import Secret
from providers.contract import (
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    CredentialReason,
    CredentialRejected,
    ProviderProject,
    Unavailable,
)
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import Line, OpenAIServer, always, error
from tests.integration.openai_world import FIRST, KEY
from tests.integration.openai_world import http as http
from tests.integration.openai_world import openai as openai
from tests.integration.openai_world import server as server

CREATED = datetime(2024, 3, 26, 16, 45, 33, tzinfo=UTC)
PROJECTS = [
    {"id": f"proj_{n:03}", "object": "organization.project", "name": f"프로젝트 {n}", "created_at": 1711471533}
    for n in range(250)
]


async def test_all_projects_are_listed_archived_ones_on_request(openai: OpenAI, server: OpenAIServer) -> None:
    """Three pages of a hundred."""
    retired = {"id": "proj_old", "created_at": 1711471533, "archived_at": 1711471539, "status": "archived"}
    server.projects = [*PROJECTS, retired]
    active = [project async for project in openai.projects(KEY)]
    assert [project.id for project in active] == [str(p["id"]) for p in PROJECTS]
    assert active[7] == ProviderProject("proj_007", "프로젝트 7", is_archived=False, created_at=CREATED)
    everything = [project async for project in openai.projects(KEY, include_archived=True)]
    assert everything[-1] == ProviderProject("proj_old", "proj_old", is_archived=True, created_at=CREATED)


async def test_one_project_is_found_or_unknown(openai: OpenAI, server: OpenAIServer) -> None:
    """What this key does not know is None, and what cannot be an id is not even asked."""
    server.projects = PROJECTS
    found = await openai.project(KEY, "proj_003")
    assert found is not None
    assert found.name == "프로젝트 3"
    assert await openai.project(KEY, "proj_foreign") is None
    asked = len(server.asked)
    for nonsense in ("", "../admin_api_keys", "proj_a?x=1", "프로젝트 3", "p" * 200):
        assert await openai.project(KEY, nonsense) is None
    assert len(server.asked) == asked


async def test_identity_names_the_organization_the_key_and_its_rights(
    openai: OpenAI, server: OpenAIServer, clock: FakeClock
) -> None:
    """Everything a person needs to see that the right key was pasted."""
    server.projects = PROJECTS[:2]
    server.lines = [Line(date(2026, 7, 5), "1", "proj_spending")]
    server.admin_keys = [
        {"id": "key_1", "redacted_value": "sk-admin-...zzz9", "name": "another"},
        {"id": "key_2", "redacted_value": "sk-admin...abc1", "name": "finops", "expires_at": 1800000000},
    ]
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.organization_name) == ("org-of-the-tests", "한빛소프트")
    assert identity.rights == {USAGE_READ, MANAGEMENT_READ, MANAGEMENT_WRITE}
    assert (identity.key_name, identity.expires_at) == ("finops", datetime(2027, 1, 15, 8, 0, tzinfo=UTC))
    assert identity.project_ids == {"proj_000", "proj_001", "proj_spending"}


@pytest.mark.parametrize(
    ("lacking", "rights"),
    [
        ("api.usage.read", {MANAGEMENT_READ, MANAGEMENT_WRITE}),
        ("api.management.read", {USAGE_READ, MANAGEMENT_WRITE}),
        ("api.management.write", {USAGE_READ, MANAGEMENT_READ}),
    ],
)
async def test_a_key_says_which_of_the_rights_it_lacks(
    openai: OpenAI, server: OpenAIServer, lacking: str, rights: set[str]
) -> None:
    """A usage-only key cannot list projects; their ids are seen through the bill."""
    server.missing_scopes = frozenset({lacking})
    server.projects = PROJECTS[:1]
    server.lines = [Line(date(2026, 7, 5), "1", "proj_000")]
    identity = await openai.identify(KEY)
    assert identity.rights == rights
    assert identity.project_ids == {"proj_000"}


@pytest.mark.parametrize(
    ("header", "told"), [("org-abc", ("org-abc", None)), ("hanbit-soft", (None, "hanbit-soft")), (None, (None, None))]
)
async def test_an_organization_that_never_spent_is_told_by_its_headers(
    openai: OpenAI, server: OpenAIServer, header: str | None, told: tuple[str | None, str | None]
) -> None:
    """A header may hold an id or a name; a name is never taken for an id."""
    server.organization = header
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.organization_name) == told


async def test_a_key_is_identified_whichever_arrays_are_understood(openai: OpenAI, server: OpenAIServer) -> None:
    """A provider that refuses brackets still tells whose the key is."""
    server.spelling, server.refuses_other_spelling = "group_by", True
    server.lines = [Line(date(2026, 7, 5), "1", "proj_spending")]
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.project_ids) == ("org-of-the-tests", {"proj_spending"})


async def test_two_keys_that_look_alike_leave_the_name_open(openai: OpenAI, server: OpenAIServer) -> None:
    """A wrong name is worse than none."""
    server.admin_keys = [{"id": f"key_{n}", "redacted_value": "sk-admin...abc1", "name": "twin"} for n in range(2)]
    assert (await openai.identify(KEY)).key_name is None


async def test_a_key_that_opens_nothing_is_rejected(openai: OpenAI, server: OpenAIServer) -> None:
    """No right at all, or a key OpenAI does not know."""
    server.missing_scopes = frozenset({"api.usage.read", "api.management.read"})
    with pytest.raises(CredentialRejected) as lacking:
        await openai.identify(KEY)
    assert (lacking.value.reason, lacking.value.scope) == (CredentialReason.MISSING_SCOPE, "api.usage.read")
    with pytest.raises(CredentialRejected) as unknown:
        await openai.identify(Secret("sk-admin-" + "aStrangerAltogether00"))
    assert unknown.value.reason is CredentialReason.INVALID


async def test_identity_is_not_guessed_while_the_provider_is_ill(openai: OpenAI, server: OpenAIServer) -> None:
    """A right that could not be checked is neither there nor missing."""
    server.faults = [always(lambda: error(500, "ill"))] * 20
    with pytest.raises(Unavailable):
        await openai.identify(KEY)


@pytest.mark.parametrize("pasted", ["sk-proj-" + "a1" * 20, "sk-svcacct-" + "a1" * 20, "sk-" + "a1" * 24, "hello"])
async def test_a_key_of_another_kind_is_never_sent(openai: OpenAI, server: OpenAIServer, pasted: str) -> None:
    """Wrong by its shape: told before any call, in every call."""
    key, period = Secret(pasted), Period(FIRST, date(2026, 6, 2))
    for call in (
        openai.identify(key),
        openai.project(key, "proj_a"),
        anext(aiter(openai.projects(key))),
        anext(aiter(openai.charges(key, period))),
    ):
        with pytest.raises(CredentialRejected) as caught:
            await call
        assert caught.value.reason is CredentialReason.WRONG_KIND
    assert server.asked == []
