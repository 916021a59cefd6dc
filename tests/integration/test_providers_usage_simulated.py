"""Our reader of usage and the simulated OpenAI: whatever it does, the tokens are those of the trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from finops.money import from_units
from finops.prices import priced
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width
from providers.contract import ProviderError, RateLimited, Unavailable, UnexpectedResponse
from providers.http import RetryPolicy, http_client
from providers.openai import OpenAI
from providers.price_files import parse_prices
from providers.price_list import ListPrices
from tests.simulators.openai_kit import MIDNIGHT, Desk, a_desk, a_trace, independent_bill

PATIENT = RetryPolicy(attempts=2, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001, attempt_timeout=30)
QUICK = replace(PATIENT, attempt_timeout=0.3)
DAYS = 10
PRICES = """
- {model: big, input_per_mtok: 2.50, cached_input_per_mtok: 1.25, output_per_mtok: 10}
- {model: small, input_per_mtok: 0.15, cached_input_per_mtok: 0.075, output_per_mtok: 0.60}
"""


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
    return OpenAI(http, desk.openai.url, desk.clock, PATIENT)


def key_of(desk: Desk) -> Secret:
    admin_key = desk.openai.admin_key
    return admin_key if isinstance(admin_key, Secret) else Secret(str(admin_key))


async def closed(desk: Desk, openai: OpenAI, width: Width, days: int = DAYS) -> UsageReading:
    start = MIDNIGHT - timedelta(days=days)
    return await openai.usage(key_of(desk), Endpoint.COMPLETIONS, width, start, MIDNIGHT)


SPELLINGS: list[dict[str, Any]] = [
    {},
    {"bucket_key": "result"},
    {"newest_first": True},
    {"arrays": "bare"},
    {"arrays": "brackets"},
]


async def test_usage_times_prices_is_the_bill_to_the_last_digit(
    desk: Desk, http: httpx.AsyncClient, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Per day and project: read over the wire, priced by us, held against a bill worked out from the trace alone."""
    path = tmp_path / "prices.yaml"
    path.write_text(PRICES, encoding="utf-8")
    assert len(parse_prices(PRICES, "prices.yaml")) == 2
    midnight = int(MIDNIGHT.timestamp()) // 60
    for behaviour in SPELLINGS:
        with subtests.test(**behaviour):
            desk.openai.reset()
            desk.openai.behaviour.set(behaviour)
            openai = OpenAI(http, desk.openai.url, desk.clock, PATIENT)
            names = {project.id: project.name async for project in openai.projects(key_of(desk))}
            rows = [row for bucket in (await closed(desk, openai, Width.DAY)).buckets for row in bucket.rows]
            estimate: dict[tuple[int, str], Decimal] = {}
            for row, atto, is_priced in priced(rows, ListPrices(path)):
                assert is_priced
                key = ((midnight - row.start) // 1440, names[row.sub_account_id])
                estimate[key] = estimate.get(key, Decimal(0)) + from_units(*divmod(atto, 10**9))
            assert estimate == independent_bill(a_trace())


async def test_a_spelling_that_is_not_understood_any_more_is_learnt_again(desk: Desk, openai: OpenAI) -> None:
    """A provider that changes its mind while we watch: whose usage it is stays known."""
    for arrays in ("brackets", "bare", "brackets"):
        desk.openai.behaviour.set({"arrays": arrays})
        rows = [row for bucket in (await closed(desk, openai, Width.DAY)).buckets for row in bucket.rows]
        assert rows
        assert all(row.sub_account_id and row.model for row in rows)


async def test_minutes_hours_and_days_tell_the_same(desk: Desk, openai: OpenAI) -> None:
    """Over all pages: two days are 2,880 minutes, in two pages; no token is lost between widths."""
    sums = []
    for width in Width:
        found = await closed(desk, openai, width, days=2)
        assert [bucket.start for bucket in found.buckets] == list(range(found.start, found.end, width))
        rows = [row for bucket in found.buckets for row in bucket.rows]
        sums.append((sum(row.requests for row in rows), sum(row.input_tokens + row.output_tokens for row in rows)))
    assert sums[0] == sums[1] == sums[2] != (0, 0)


async def test_searches_and_images_come_through_their_own_doors(desk: Desk, openai: OpenAI) -> None:
    """What is no completion is read as well, minute by minute."""
    for family, counts in [
        ("web_search_calls", {"num_requests": 40, "num_model_requests": 12}),
        ("images", {"images": 3, "num_model_requests": 2}),
        ("vector_stores", {"usage_bytes": 5 * 2**30}),
    ]:
        await desk.control("usage", {"family": family, "application": "chat", "counts": counts, "model": "big"})
    now = desk.clock.now
    desk.clock.advance(minutes=2)
    read = {
        endpoint: await openai.usage(key_of(desk), endpoint, Width.MINUTE, now, now + timedelta(minutes=2))
        for endpoint in Endpoint
        if endpoint is not Endpoint.COMPLETIONS
    }
    told = {
        endpoint: [(row.model, row.requests, row.quantity) for bucket in found.buckets for row in bucket.rows]
        for endpoint, found in read.items()
    }
    assert {endpoint: rows for endpoint, rows in told.items() if rows} == {
        Endpoint.WEB_SEARCH_CALLS: [("big", 12, 40)],
        Endpoint.IMAGES: [("big", 2, 3)],
        Endpoint.VECTOR_STORES: [("", 0, 5 * 1024)],
    }


async def test_a_restated_minute_is_told_anew(desk: Desk, openai: OpenAI) -> None:
    """A runaway that began twenty minutes ago is in the minutes of the last twenty."""
    since = desk.clock.now - timedelta(minutes=20)

    async def tokens() -> list[int]:
        found = await openai.usage(key_of(desk), Endpoint.COMPLETIONS, Width.MINUTE, since, desk.clock.now)
        return [sum(row.input_tokens for row in bucket.rows) for bucket in found.buckets]

    before = await tokens()
    await desk.control("boost", {"application": "chat", "factor": 15, "since": since.isoformat()})
    assert len(before) == 20
    assert all(boosted > usual for boosted, usual in zip(await tokens(), before, strict=True))


FAULTS: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"status": 429}, RateLimited),
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
    """None of them is a crash, none of them half a reading, and afterwards everything is as before."""
    for fault, expected in FAULTS:
        with subtests.test(**fault):
            desk.openai.reset()
            hurried, openai = (OpenAI(http, desk.openai.url, desk.clock, policy) for policy in (QUICK, PATIENT))
            await desk.control("faults", fault)
            with pytest.raises(expected):
                await closed(desk, hurried, Width.HOUR, days=1)
            await desk.control("reset")
            assert len((await closed(desk, openai, Width.HOUR, days=1)).buckets) == 24
