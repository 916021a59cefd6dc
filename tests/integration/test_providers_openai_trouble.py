"""OpenAI refuses, fails, hangs or asks for patience: after a bounded number of tries it is told by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

import httpx
import pytest
from aiohttp import web

from finops.periods import Period
from providers.contract import CredentialReason, CredentialRejected, RateLimited, Unavailable, UnexpectedResponse
from providers.http import RetryPolicy
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import Line, OpenAIServer, always, error
from tests.integration.openai_world import FIRST, IMPATIENT, bill, whole
from tests.integration.openai_world import http as http
from tests.integration.openai_world import newly as newly
from tests.integration.openai_world import openai as openai
from tests.integration.openai_world import server as server

REFUSALS: list[tuple[int, str, str | None, CredentialReason, str | None]] = [
    (401, "Incorrect API key provided: sk-admi***abc1.", "invalid_api_key", CredentialReason.INVALID, None),
    (401, "Your IP is not authorized to use this key.", "ip_not_authorized", CredentialReason.IP_NOT_ALLOWED, None),
    (
        403,
        "You have insufficient permissions for this operation. Missing scopes: api.usage.read.",
        None,
        CredentialReason.MISSING_SCOPE,
        "api.usage.read",
    ),
    (401, "Missing scopes: api.usage.read, api.x", None, CredentialReason.MISSING_SCOPE, "api.usage.read"),
    (403, "Country, region, or territory not supported", "unsupported_country_region_territory",
     CredentialReason.IP_NOT_ALLOWED, None),
    (403, "Forbidden", None, CredentialReason.MISSING_SCOPE, None),
]  # fmt: skip


async def test_a_refused_key_says_why(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Each reason has its own advice, and none is tried again."""
    for status, message, code, reason, scope in REFUSALS:
        with subtests.test(message):
            server.faults = [always(partial(error, status, message, code=code))]
            with pytest.raises(CredentialRejected) as caught:
                await bill(newly(), Period(FIRST, date(2026, 6, 2)))
            assert (caught.value.reason, caught.value.scope) == (reason, scope)
            assert caught.value.reference == "req_7"
            assert len(server.asked) == 1


async def test_a_gateway_in_between_may_word_its_refusal_as_it_likes(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Only the status is certain."""
    for body in ("", '{"error":"forbidden"}', '{"code":403,"message":"no"}', "<html>", '{"error":null}'):
        with subtests.test(body):
            server.faults = [always(partial(web.Response, status=403, text=body))]
            with pytest.raises(CredentialRejected):
                await bill(newly(), Period(FIRST, date(2026, 6, 2)))


async def test_a_used_up_limit_is_not_asked_again(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Waiting does not help against these."""
    for code in (
        "credit_balance_exhausted",
        "organization_usage_limit_exceeded",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "insufficient_quota",
    ):
        with subtests.test(code):
            server.faults = [always(partial(error, 429, "You exceeded your current quota", code=code))]
            with pytest.raises(RateLimited) as caught:
                await bill(newly(), Period(FIRST, date(2026, 6, 2)))
            assert (caught.value.is_final, caught.value.code) == (True, code)
            assert len(server.asked) == 1


async def test_passing_trouble_is_tried_again(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Two failures and an answer are an answer."""
    server.lines = [Line(FIRST, "3")]
    for status in (408, 409, 429, 500, 502, 503, 504):
        with subtests.test(status=status):
            server.faults = [always(partial(error, status, "later", code="slow_down"))] * 2
            assert whole(await bill(newly(), Period(FIRST, date(2026, 6, 2)))) == 3
            assert len(server.asked) == 3


async def test_lasting_trouble_is_told_after_a_bounded_number_of_tries(openai: OpenAI, server: OpenAIServer) -> None:
    """We insist, and then we say so."""
    server.faults = [always(lambda: error(503, "overloaded"))] * 9
    with pytest.raises(Unavailable) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert caught.value.reference == "req_7"
    assert len(server.asked) == 3


async def test_answers_nobody_promised_are_unexpected(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """A redirect is not followed: the key goes where it was sent and nowhere else."""
    elsewhere = {"Location": "http://127.0.0.1:1/"}
    for status in (301, 302, 307, 404, 418):
        with subtests.test(status=status):
            server.faults = [always(partial(web.Response, status=status, headers=elsewhere))]
            with pytest.raises(UnexpectedResponse):
                await bill(newly(), Period(FIRST, date(2026, 6, 2)))
            assert len(server.asked) == 1


async def test_a_query_refused_in_both_spellings_is_unexpected(openai: OpenAI, server: OpenAIServer) -> None:
    """400 is about our question, not about the key or the hour."""
    server.faults = [always(lambda: error(400, "Invalid type for 'start_time'.", code="invalid_type"))] * 2
    with pytest.raises(UnexpectedResponse, match="invalid_type"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert len(server.asked) == 2


async def test_an_answer_cut_off_is_tried_again_and_never_half_used(openai: OpenAI, server: OpenAIServer) -> None:
    """A body shorter than promised is no body."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"data":[{"start_time":1780272000,"results":[{"amount":{"value":1')
        assert request.transport is not None
        request.transport.close()
        return response

    server.lines = [Line(FIRST, "3")]
    server.faults = [cut]
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 2)))) == 3
    server.faults = [cut] * 5
    with pytest.raises(Unavailable, match="broke off"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


async def test_a_broken_compression_is_unexpected(openai: OpenAI, server: OpenAIServer) -> None:
    """Bytes that cannot be decompressed are nonsense, not weather."""
    server.faults = [always(lambda: web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"}))]
    with pytest.raises(UnexpectedResponse, match="decompressed"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


@pytest.mark.parametrize("drips", [False, True])
async def test_a_server_that_hangs_or_drips_is_left(
    server: OpenAIServer, http: httpx.AsyncClient, clock: FakeClock, drips: bool
) -> None:
    """An attempt is bounded from its first byte to its last."""
    done = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if drips:
            await response.prepare(request)
            await response.write(b'{"data":')
        await done.wait()
        return response

    server.faults = [slow]
    openai = OpenAI(http, server.url, clock, RetryPolicy(attempts=1, attempt_timeout=0.05))
    with pytest.raises(Unavailable, match="in time"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    done.set()


async def test_a_provider_that_is_not_there_is_unavailable(http: httpx.AsyncClient, clock: FakeClock) -> None:
    """Nobody listens on that port."""
    openai = OpenAI(http, "http://127.0.0.1:1/v1", clock, IMPATIENT)
    with pytest.raises(Unavailable, match="could not be reached"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


@pytest.mark.parametrize("header", [{"Retry-After": "1"}, {"retry-after-ms": "150"}])
async def test_a_named_waiting_time_is_kept(openai: OpenAI, server: OpenAIServer, header: dict[str, str]) -> None:
    """The provider says when; we come then, not before."""
    server.lines = [Line(FIRST, "3")]
    server.faults = [always(lambda: error(429, "Rate limit reached", code="rate_limit_exceeded", headers=header))]
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 2)))) == 3
    assert loop.time() - started >= (1.0 if "Retry-After" in header else 0.15)


async def test_a_waiting_time_beyond_our_patience_is_told_at_once(
    openai: OpenAI, server: OpenAIServer, clock: FakeClock
) -> None:
    """Half an hour, as an HTTP date: we report it instead of sleeping through it."""
    until = clock.advance(minutes=30).strftime("%a, %d %b %Y %H:%M:%S GMT")
    clock.moment = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
    server.faults = [always(lambda: error(429, "Rate limit reached", headers={"Retry-After": until}))]
    with pytest.raises(RateLimited) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert (caught.value.retry_after, caught.value.is_final) == (1800.0, False)
    assert len(server.asked) == 1
