"""Our reader and the simulated OpenAI, against a bill worked out from the trace alone: three that must agree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from finops.periods import Period
from finops.secret import Secret
from providers.contract import (
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    CredentialRejected,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import RetryPolicy, http_client
from providers.openai import OpenAI
from tests.simulators.openai_kit import MIDNIGHT, Desk, a_desk, a_trace, independent_bill

QUICK = RetryPolicy(attempts=2, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001, attempt_timeout=0.3)
PERIOD = Period(MIDNIGHT.date() - timedelta(days=10), MIDNIGHT.date())
THREE_DAYS = Period(MIDNIGHT.date() - timedelta(days=3), MIDNIGHT.date())


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client(plaintext_hosts={"127.0.0.1"}) as client:
        yield client


@pytest.fixture
def openai(desk: Desk, http: httpx.AsyncClient) -> OpenAI:
    return OpenAI(http, desk.openai.url, desk.clock, QUICK)


def key_of(desk: Desk) -> Secret:
    admin_key = desk.openai.admin_key
    return admin_key if isinstance(admin_key, Secret) else Secret(str(admin_key))


SPELLINGS: list[dict[str, Any]] = [
    {},
    {"numbers": "string"},
    {"exponent_zero": True, "numbers": "string"},
    {"bucket_key": "result"},
    {"newest_first": True},
    {"split_rows": True},
    {"extra_keys": False},
    {"arrays": "bare"},
    {"arrays": "brackets"},
]


async def test_the_bill_is_the_trace_times_the_prices(
    desk: Desk, http: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    """Per day and per project, to the last digit, however the provider spells it."""
    for behaviour in SPELLINGS:
        with subtests.test(**behaviour):
            desk.openai.reset()
            desk.openai.behaviour.set(behaviour)
            openai = OpenAI(http, desk.openai.url, desk.clock, QUICK)
            names = {project.id: project.name async for project in openai.projects(key_of(desk))}
            read: dict[tuple[int, str], Decimal] = {}
            async for day in openai.charges(key_of(desk), PERIOD):
                for charge in day.charges:
                    key = ((PERIOD.end - day.day).days, names[charge.sub_account_id or ""])
                    read[key] = read.get(key, Decimal(0)) + charge.billed_cost
            assert read == independent_bill(a_trace())


@pytest.mark.parametrize("spelling", ["null", "empty"])
async def test_what_is_billed_to_no_project_belongs_to_nobody(desk: Desk, openai: OpenAI, spelling: str) -> None:
    """A scale tier: ten days at 5.25, whether the project is null or an empty text."""
    desk.openai.behaviour.set({"organization_daily_usd": "5.25", "organization_project": spelling})
    nobody = [
        charge.billed_cost
        async for day in openai.charges(key_of(desk), PERIOD)
        for charge in day.charges
        if charge.sub_account_id is None
    ]
    assert sum(nobody) == Decimal("52.50")


async def test_the_simulated_organization_is_identified(desk: Desk, openai: OpenAI) -> None:
    """Name, rights and projects of whoever owns the key."""
    identity = await openai.identify(key_of(desk))
    assert identity.rights == {USAGE_READ, MANAGEMENT_READ, MANAGEMENT_WRITE}
    assert identity.organization_id
    assert identity.project_ids == {project.id async for project in openai.projects(key_of(desk))}


FAULTS: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"status": 401}, CredentialRejected),
    ({"status": 403}, CredentialRejected),
    ({"status": 400}, UnexpectedResponse),
    ({"status": 404}, UnexpectedResponse),
    ({"status": 408}, Unavailable),
    ({"status": 409}, Unavailable),
    ({"status": 429}, RateLimited),
    ({"status": 429, "retry_after": 3600, "retry_after_is_date": True}, RateLimited),
    ({"status": 429, "code": "insufficient_quota"}, RateLimited),
    ({"status": 500}, Unavailable),
    ({"status": 503}, Unavailable),
    ({"kind": "slow"}, Unavailable),
    ({"kind": "cut_off"}, Unavailable),
    ({"kind": "drop"}, Unavailable),
    ({"kind": "nonsense_json"}, UnexpectedResponse),
    ({"kind": "wrong_shape"}, UnexpectedResponse),
    ({"kind": "html"}, UnexpectedResponse),
    ({"kind": "flat_error"}, UnexpectedResponse),
]


async def test_every_way_to_fail_has_its_error(desk: Desk, http: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    """None of them is a crash, none of them half a bill, and afterwards everything is as before."""
    for fault, expected in FAULTS:
        with subtests.test(**fault):
            desk.openai.reset()
            openai = OpenAI(http, desk.openai.url, desk.clock, QUICK)
            await desk.control("faults", fault)
            with pytest.raises(expected):
                [day async for day in openai.charges(key_of(desk), THREE_DAYS)]
            await desk.control("reset")
            days = [day async for day in openai.charges(key_of(desk), THREE_DAYS)]
            assert [day.day for day in days] == list(THREE_DAYS)
            assert days[-1].charges


def test_the_period_of_these_tests_is_closed() -> None:
    """The simulator stands at noon; we read up to its last midnight."""
    assert datetime(PERIOD.end.year, PERIOD.end.month, PERIOD.end.day, tzinfo=UTC) == MIDNIGHT
