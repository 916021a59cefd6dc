"""Our clients of Slack's Web API: what they wait for, and what they leave to whoever asked."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SimulatedSlack
from demo.slack.cast import FINOPS
from finops.secret import Secret
from handlers.authorizing import RATE_LIMIT_RETRIES, clients


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as simulated:
        yield simulated


@pytest.fixture
async def client(slack: SimulatedSlack) -> AsyncIterator[AsyncWebClient]:
    async with clients(slack.api_url, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as new:
        yield new(Secret(slack.config.bot_token))


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; nobody sleeps here."""
    waits: list[float] = []

    async def pass_by(seconds: float) -> None:
        waits.append(int(seconds))

    monkeypatch.setattr("slack_sdk.http_retry.builtin_async_handlers.asyncio.sleep", pass_by)
    return waits


async def test_a_short_limit_is_waited_out(slack: SimulatedSlack, client: AsyncWebClient, waited: list[float]) -> None:
    slack.fail("chat.postMessage", error="ratelimited", retry_after=3, times=RATE_LIMIT_RETRIES)
    await client.chat_postMessage(channel=FINOPS, text="a")
    assert waited == [3] * RATE_LIMIT_RETRIES
    assert [message["text"] for message in slack.messages(FINOPS)] == ["a"]


@pytest.mark.parametrize("seconds", [11, 60, 3600, 10**9])
async def test_a_long_limit_holds_nobody(
    slack: SimulatedSlack, client: AsyncWebClient, waited: list[float], seconds: int
) -> None:
    """A storm of 429 took every place among everybody's work, and stretched the reading of a bill to an hour."""
    slack.fail("chat.update", error="ratelimited", retry_after=seconds, times="always")
    ts = str((await client.chat_postMessage(channel=FINOPS, text="a"))["ts"])
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_update(channel=FINOPS, ts=ts, text="b")
    assert (waited, [call.method for call in slack.calls]) == ([], ["chat.postMessage", "chat.update"])
