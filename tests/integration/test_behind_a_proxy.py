"""A machine that reaches the world through a proxy: what goes through it, and what must not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from finops.periods import Period
from finops.secret import Secret
from handlers import authorizing
from providers.http import Insecure, http_client, tls_context
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.certificates import Certificate, certificate
from tests.integration.openai_server import ADMIN_KEY, OpenAIServer
from tests.integration.test_providers_http import IMPATIENT, tls_server
from tests.integration.test_tls import answering

__all__ = ["certificate"]
KEY = Secret(ADMIN_KEY)
A_DAY = Period(date(2026, 6, 1), date(2026, 6, 2))


class Proxy:
    """Makes tunnels (CONNECT), and notes the first line of whatever it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verb, where, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0].split()
        self.asked.append(f"{verb} {where}")
        if verb == "CONNECT":
            host, _, port = where.rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        async with await asyncio.start_server(self._tunnel, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65536):
        into.write(chunk)
        await into.drain()
    into.close()


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """A proxy that the machine's environment names for everything."""
    async with Proxy().running() as proxy:
        monkeypatch.delenv("NO_PROXY")
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        yield proxy


async def test_bills_and_slack_are_reached_through_it(proxy: Proxy, certificate: Certificate, clock: FakeClock) -> None:
    """In a tunnel: the proxy learns the address, and TLS 1.3 is spoken with whom we meant."""
    ours = tls_context(str(certificate.chain))
    async with tls_server(certificate, ssl.TLSVersion.TLSv1_3) as server, http_client(tls=ours) as http:
        days = [day async for day in OpenAI(http, server.url, clock, IMPATIENT).charges(KEY, A_DAY)]
        assert [charge.billed_cost for day in days for charge in day.charges] == [3]
        openai = server.url.removeprefix("https://").removesuffix("/v1")
    async with answering(certificate.serving(ssl.TLSVersion.TLSv1_3)) as url, authorizing.clients(url, ours) as new:
        assert (await new(Secret("xoxb-" + "1-test")).auth_test())["ok"]
        slack = url.removeprefix("https://").removesuffix("/")
    assert proxy.asked == [f"CONNECT {openai}", f"CONNECT {slack}"]


async def test_what_no_tls_protects_goes_past_it(proxy: Proxy, clock: FakeClock) -> None:
    """A provider's simulator or gateway, named as an exception, stands beside us: no third one reads the key."""
    async with OpenAIServer().running() as server, http_client(plaintext_hosts={"127.0.0.1"}) as http:
        await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
    assert (len(server.asked), proxy.asked) == (1, [])


async def test_a_host_that_goes_past_it_is_no_exception_to_tls(
    proxy: Proxy, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY opened a way around the gate: a key went there in the open, named as an exception or not."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with OpenAIServer().running() as server, http_client() as http:
        with pytest.raises(Insecure, match=r"127\.0\.0\.1 without TLS"):
            await OpenAI(http, server.url, clock, IMPATIENT).project(KEY, "proj_a")
    assert (server.asked, proxy.asked) == ([], [])
