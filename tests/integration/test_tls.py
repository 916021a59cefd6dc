"""TLS 1.3 both ways: what we serve refuses anything older, and so do we when Slack's side offers no better."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientConnectionError, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from bot.settings import Settings
from finops.secret import Secret
from handlers import authorizing, door
from providers.http import tls_context
from storage import KeyRing
from tests.house.tree import ROOT
from tests.integration.certificates import Certificate, certificate

__all__ = ["certificate"]


@asynccontextmanager
async def answering(context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """A server that says yes to everything; its address."""

    async def yes(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "team_id": "T0FINOPS01"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", yes)
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


def at_most(certificate: Certificate, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that trusts the certificate and knows no newer TLS."""
    context = ssl.create_default_context(cafile=str(certificate.chain))
    context.maximum_version = version
    return context


async def test_what_we_serve_speaks_tls_1_3_and_nothing_older(certificate: Certificate, tmp_path: Path) -> None:
    """With the operator's certificate; a client of yesterday is turned away before it says a word."""
    settings = Settings.from_env(
        {
            "SLACK_BOT_TOKEN": "xoxb-" + "1-test",
            "SLACK_SIGNING_SECRET": "0123456789abcdef" * 2,
            "FINOPS_KEYS": KeyRing.generate().to_text(),
            "FINOPS_TLS_CERTIFICATE": str(certificate.chain),
            "FINOPS_TLS_KEY": str(certificate.key),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'unused.db'}",
        }
    )
    async with answering(door.serving_tls(settings)) as url:
        today = at_most(certificate, ssl.TLSVersion.TLSv1_3)
        async with ClientSession(connector=TCPConnector(ssl=today)) as session, session.get(url) as answer:
            assert answer.status == 200
        yesterday = at_most(certificate, ssl.TLSVersion.TLSv1_2)
        async with ClientSession(connector=TCPConnector(ssl=yesterday)) as session:
            with pytest.raises(ClientConnectionError):
                await session.get(url)


@pytest.mark.parametrize("has_tls", [False, True])
async def test_a_container_is_well_while_it_answers_with_tls_or_without_at_any_port(
    certificate: Certificate, has_tls: bool
) -> None:
    """One that serves TLS itself, or at another port, was unhealthy for ever, and started anew for it."""
    [command] = re.findall(r"(?s)HEALTHCHECK .*?CMD (\[.*?\])\n", (ROOT / "Dockerfile").read_text())
    _, *words = json.loads(command)
    async with answering(certificate.serving(ssl.TLSVersion.TLSv1_3) if has_tls else None) as url:
        environ = {"PORT": str(urlsplit(url).port)}
        environ |= {"FINOPS_TLS_CERTIFICATE": str(certificate.chain)} if has_tls else {}
        ended = []
        for asked in (environ, environ | {"PORT": "1"}):
            process = await asyncio.create_subprocess_exec(
                sys.executable, *words, env=asked, stderr=asyncio.subprocess.DEVNULL
            )
            ended.append(await process.wait())
    assert ended == [0, 1]


async def test_slack_is_spoken_to_in_tls_1_3_or_not_at_all(certificate: Certificate) -> None:
    """No token leaves the house over anything older."""
    ours = tls_context(str(certificate.chain))
    async with answering(certificate.serving(ssl.TLSVersion.TLSv1_3)) as url, authorizing.clients(url, ours) as new:
        assert (await new(Secret("xoxb-" + "1-test")).auth_test())["ok"]
    async with answering(certificate.serving(ssl.TLSVersion.TLSv1_2)) as url, authorizing.clients(url, ours) as new:
        with pytest.raises(ClientConnectionError):
            await new(Secret("xoxb-" + "1-test")).auth_test()
