"""What tests of OpenAI's administrative side share: a server on a real socket, and the provider that reads it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest

from finops.charges import ChargedDay
from finops.periods import Period
from finops.secret import Secret
from providers.contract import Provider
from providers.http import RetryPolicy, http_client
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import ADMIN_KEY, OpenAIServer

KEY = Secret(ADMIN_KEY)
FIRST = date(2026, 6, 1)
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
IMPATIENT = RetryPolicy(attempts=3, budget=2.0, wait_initial=0.001, wait_max=0.002, wait_jitter=0.001)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # No TLS here: loading the system's certificates for every test would take most of the time.
    async with http_client(plaintext_hosts={"127.0.0.1"}, timeout=5, tls=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture
def openai(server: OpenAIServer, http: httpx.AsyncClient, clock: FakeClock) -> OpenAI:
    return OpenAI(http, server.url, clock, IMPATIENT)


@pytest.fixture
def newly(server: OpenAIServer, http: httpx.AsyncClient, clock: FakeClock) -> Callable[[], OpenAI]:
    """A provider that knows nothing yet of how it is answered, of whom nothing was asked yet: again for each case."""

    def opened() -> OpenAI:
        server.asked.clear()
        return OpenAI(http, server.url, clock, IMPATIENT)

    return opened


async def bill(openai: Provider, period: Period) -> list[ChargedDay]:
    return [day async for day in openai.charges(KEY, period)]


def whole(days: list[ChargedDay]) -> Decimal:
    return sum((charge.billed_cost for day in days for charge in day.charges), Decimal(0))
