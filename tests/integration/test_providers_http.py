"""The way out: TLS 1.3 or nothing, plaintext only by name, and no secret in anything that goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from finops.periods import Period
from finops.secret import Secret
from providers.contract import ProviderError, RateLimited, Unavailable, UnexpectedResponse
from providers.http import Insecure, RetryPolicy, http_client, retried, seconds_until, tls_context
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.certificates import Certificate, certificate
from tests.integration.openai_server import ADMIN_KEY, Line, OpenAIServer, always, error

__all__ = ["certificate"]
KEY = Secret(ADMIN_KEY)
IMPATIENT = RetryPolicy(attempts=2, budget=2.0, wait_initial=0.001, wait_max=0.002, wait_jitter=0.001)
A_DAY = Period(date(2026, 6, 1), date(2026, 6, 2))


@asynccontextmanager
async def tls_server(certificate: Certificate, version: ssl.TLSVersion) -> AsyncIterator[OpenAIServer]:
    """The small OpenAI behind TLS of exactly one version."""
    openai = OpenAIServer(lines=[Line(date(2026, 6, 1), "3")])
    app = web.Application()
    app.router.add_get("/{path:.*}", openai.answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=certificate.serving(version))
    openai.url = str(server.make_url("/v1"))
    try:
        yield openai
    finally:
        await server.close()


async def test_tls_1_3_is_spoken(certificate: Certificate, clock: FakeClock) -> None:
    """The control: the same certificate, the right version, and the bill comes."""
    async with (
        tls_server(certificate, ssl.TLSVersion.TLSv1_3) as server,
        http_client(tls=tls_context(str(certificate.chain))) as http,
    ):
        days = [day async for day in OpenAI(http, server.url, clock, IMPATIENT).charges(KEY, A_DAY)]
    assert [charge.billed_cost for day in days for charge in day.charges] == [3]


async def test_anything_older_than_tls_1_3_is_refused(certificate: Certificate, clock: FakeClock) -> None:
    """A server that offers TLS 1.2 at most never sees a request, whether it says why or just hangs up."""
    async with (
        tls_server(certificate, ssl.TLSVersion.TLSv1_2) as server,
        http_client(tls=tls_context(str(certificate.chain))) as http,
    ):
        with pytest.raises(Unavailable, match=r"TLS 1\.3"):
            await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
    assert server.asked == []


async def test_an_old_server_that_explains_itself_is_not_asked_again(
    certificate: Certificate, clock: FakeClock
) -> None:
    """The alert "protocol version" is final: TLS 1.3 will not come by waiting."""
    context = certificate.serving(ssl.TLSVersion.TLSv1_2)
    greeted = 0

    def greet(listener: socket.socket) -> None:
        nonlocal greeted
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            greeted += 1
            with connection, contextlib.suppress(ssl.SSLError, OSError):
                context.wrap_socket(connection, server_side=True).close()

    # A blocking server on a thread: asyncio's own hangs up without sending the alert.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        try:
            async with http_client(tls=tls_context(str(certificate.chain))) as http:
                url = f"https://127.0.0.1:{listener.getsockname()[1]}"
                with pytest.raises(Insecure, match=r"TLS 1\.3"):
                    await OpenAI(http, url, clock, IMPATIENT).project(KEY, "proj_a")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(2)
    assert greeted == 1


async def test_a_certificate_nobody_vouches_for_is_refused(certificate: Certificate, clock: FakeClock) -> None:
    """Signed by itself and not named by us: no request, no second try."""
    async with tls_server(certificate, ssl.TLSVersion.TLSv1_3) as server, http_client() as http:
        with pytest.raises(Insecure, match="certificate is not trusted"):
            await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
    assert server.asked == []


async def test_plaintext_is_refused_unless_the_host_is_named(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused with what to do about it; allowed only by name, and said in the log once."""
    async with OpenAIServer().running() as server:
        async with http_client(plaintext_hosts={"localhost"}) as http:
            with pytest.raises(Insecure, match=r"127\.0\.0\.1 without TLS"):
                await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
        assert server.asked == []
        async with http_client(plaintext_hosts={"127.0.0.1"}) as http:
            for _ in range(3):
                await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
    told = [record for record in caplog.records if "plaintext" in record.message]
    assert [(record.levelname, getattr(record, "host", None)) for record in told] == [("WARNING", "127.0.0.1")]


async def test_an_address_that_is_no_web_address_is_refused(clock: FakeClock) -> None:
    """No request, no retry, no crash."""
    async with http_client() as http:
        with pytest.raises(Insecure):
            await OpenAI(http, "ftp://127.0.0.1", clock, IMPATIENT).project(KEY, "proj_a")


# --- waiting ---------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Mon, 06 Jul 2026 01:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 06 Jul 2026 01:00:30 -0000"}, 30.0),
        ({"retry-after": "Mon, 06 Jul 2026 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "99999999999999999999"}, None),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
    ],
)
def test_the_waiting_time_is_read_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds, an HTTP date; and nothing from nonsense."""
    assert seconds_until(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_us(text: str) -> None:
    """Whatever stands in Retry-After, the answer is a time that is not negative, or none."""
    seconds = seconds_until({"retry-after": text, "retry-after-ms": text}, NOW)
    assert seconds is None or seconds >= 0


async def test_insisting_is_bounded_in_count_and_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """So many attempts and no more; an hour's outage is not a thousand warnings, for who reads tells it once."""
    calls = 0

    async def ill() -> None:
        nonlocal calls
        calls += 1
        raise Unavailable("ill")

    with pytest.raises(Unavailable), caplog.at_level(logging.DEBUG):
        await retried(ill, RetryPolicy(attempts=4, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001))
    assert calls == 4
    told = [(line.levelname, line.message, line.__dict__.get("problem")) for line in caplog.records]
    assert told == [("DEBUG", "asked again", "ill")] * 3


async def test_insisting_is_bounded_in_time() -> None:
    """When the budget is spent the last error is the answer, however many attempts were left."""
    calls = 0

    async def limited() -> None:
        nonlocal calls
        calls += 1
        raise RateLimited("slow down", retry_after=0.04)

    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(RateLimited):
        await retried(limited, RetryPolicy(attempts=1000, budget=0.2))
    assert 2 <= calls <= 5
    assert loop.time() - started < 1


@pytest.mark.parametrize("final", [UnexpectedResponse("nonsense"), Insecure("no"), RateLimited("quota", is_final=True)])
async def test_what_time_does_not_mend_is_not_tried_again(final: ProviderError) -> None:
    """One call, one error."""
    calls = 0

    async def fail() -> None:
        nonlocal calls
        calls += 1
        raise final

    with pytest.raises(type(final)):
        await retried(fail, IMPATIENT)
    assert calls == 1


# --- the canary ------------------------------------------------------------------------------------------------------

CANARY = "CANARYinTheCoalMine"
CANARY_KEY = Secret(f"sk-admin-{CANARY}0042")


def everything_said_by(failure: BaseException) -> str:
    """The error, its attributes, its chain, and every variable of every frame it passed through.

    The bytes a provider sent are not ours to clean; nothing prints them.
    """
    said: list[str] = []
    seen: set[int] = set()
    chain: list[BaseException] = [failure]
    while chain:
        one = chain.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        assert not isinstance(one, httpx.HTTPError), "httpx errors carry the request, and the request carries the key"
        said += [repr(one), str(one), repr(one.args), repr(vars(one)), *traceback.format_exception(one)]
        frame = one.__traceback__
        while frame is not None:
            if "/tests/" not in frame.tb_frame.f_code.co_filename:
                said += [repr(value) for value in frame.tb_frame.f_locals.values() if not isinstance(value, bytes)]
            frame = frame.tb_next
        chain += [linked for linked in (one.__cause__, one.__context__) if linked is not None]
    return "\n".join(said)


async def test_no_failure_gives_the_key_away(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """Every way to fail, with a key that would be recognised anywhere: in errors, frames, reprs and logs."""
    caplog.set_level(logging.DEBUG)

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "50"})
        await response.prepare(request)
        assert request.transport is not None
        request.transport.close()
        return response

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    quoted = f"Incorrect API key provided: {CANARY_KEY.reveal()}"
    faults = [
        *(always(lambda status=status: error(status, quoted, code=CANARY_KEY.reveal()[:70])) for status in
          (400, 401, 403, 404, 418, 429, 500)),
        always(lambda: web.Response(text=quoted)),
        always(lambda: web.json_response({"data": quoted})),
        always(lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})),
        always(lambda: web.Response(body=b"x", headers={"Content-Encoding": "gzip"})),
        cut,
        hang,
    ]  # fmt: skip
    quick = RetryPolicy(attempts=2, wait_initial=0.001, wait_max=0.001, wait_jitter=0.001, attempt_timeout=0.1)
    failures: list[BaseException] = []
    async with OpenAIServer().running() as server, http_client(plaintext_hosts={"127.0.0.1"}) as http:
        openai = OpenAI(http, server.url, clock, quick)
        for fault in faults:
            server.faults = [fault] * 4
            with pytest.raises(ProviderError) as caught:
                [day async for day in openai.charges(CANARY_KEY, A_DAY)]
            failures.append(caught.value)
        server.faults = [faults[1]] * 9
        with pytest.raises(ProviderError) as caught:
            await openai.identify(CANARY_KEY)
        failures.append(caught.value)
        for url in (server.url.replace("127.0.0.1", "localhost"), "http://127.0.0.1:1", "https://127.0.0.1:1"):
            with pytest.raises(ProviderError) as caught:
                await OpenAI(http, url, clock, quick).project(CANARY_KEY, "proj_a")
            failures.append(caught.value)
        assert CANARY not in repr(openai) + repr(vars(openai))
    for failure in failures:
        assert CANARY not in everything_said_by(failure)
    logged = [f"{record.getMessage()} {vars(record)!r}" for record in caplog.records]
    assert any("asked again" in line for line in logged), "the log was listened to"
    assert not [line for line in logged if CANARY in line]
