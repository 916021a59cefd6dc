"""The socket: opened again whatever was wrong, as long as the bot runs, and told of in few words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from demo.slack import SimulatedSlack
from handlers import socket_mode
from tests.integration.test_front_door import FINOPS, JIHOON, folder, log_lines, serving, settings_for, slack

__all__ = ["folder", "log_lines", "slack"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_mode, "AGAIN_SECONDS", 0.01)


def told(log_lines) -> list[tuple[str, str, str | None]]:
    """What the log says of the socket, and every warning and error."""
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    return [
        (line["level"], line["event"], line.get("error"))
        for line in lines
        if (line["logger"] == "handlers.socket_mode" or line["level"] in {"warning", "error"})
        and "without TLS" not in line["event"]
    ]


async def test_whoever_is_let_in_too_late_asks_for_a_new_address(slack, folder, log_lines):
    """An address is good once, and soon: tried again when it is over, it would never be good, and we deaf for ever."""
    slack.config.socket_ticket_seconds = -1.0
    async with serving(settings_for(slack, folder, socket_mode=True)):
        await slack.until(lambda: len(slack.calls) >= 3)
        slack.config.socket_ticket_seconds = 30.0
        await slack.connected()
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
    assert told(log_lines) == [
        ("warning", "Slack's socket is away", "WSServerHandshakeError"),
        ("warning", "Slack's socket is back", None),
    ]


@pytest.mark.parametrize("code", ["internal_error", "invalid_auth"])
async def test_a_socket_that_cannot_be_had_is_said_once_and_once_that_it_can(slack, folder, log_lines, code):
    """Whoever watches the log reads two lines and no traceback, and no alarm for mistakes of ours rings."""
    slack.fail("apps.connections.open", error=code, times=5)
    async with serving(settings_for(slack, folder, socket_mode=True)) as (url, _):
        await slack.connected()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
            assert "finops_errors_total{" not in await answer.text()
    assert told(log_lines) == [
        ("warning", "Slack's socket is away", code),
        ("warning", "Slack's socket is back", None),
    ]


async def test_a_socket_that_slack_ends_is_opened_anew(slack: SimulatedSlack, folder, log_lines):
    """Slack does it every few hours; it may be away for a while just then."""
    async with serving(settings_for(slack, folder, socket_mode=True)):
        await slack.connected()
        slack.fail("apps.connections.open", error="internal_error", times=3)
        await slack.hub.socket.disconnect()
        await slack.connected()
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
    assert told(log_lines) == [
        ("info", "Slack's socket is open", None),
        ("warning", "Slack's socket is away", "internal_error"),
        ("warning", "Slack's socket is back", None),
    ]


class HeldSlack:
    """A Slack that answers with an address when it is let go."""

    ssl = None

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def apps_connections_open(self, app_token: str) -> dict[str, str]:
        del app_token
        self.asked.set()
        await self.go.wait()
        return {"url": "ws://127.0.0.1:9/link"}


async def test_ending_while_it_is_opened_is_no_mistake(log_lines):
    """Slack may ask for a new connection a moment before: nobody waits for what comes of it any more."""
    slack: Any = HeldSlack()
    socket = socket_mode.Socket("xapp-1", web_client=slack)
    connecting = asyncio.create_task(socket.connect())
    await slack.asked.wait()
    await socket.close()
    slack.go.set()
    await connecting
    assert told(log_lines) == []


async def test_no_answer_that_nobody_foresaw_leaves_the_bot_deaf(slack: SimulatedSlack, folder, log_lines):
    """A page of a gateway in plain words, with a 200, breaks Slack's library: at the start, and when it reconnects."""
    slack.fail("apps.connections.open", answer="plain", times=3)
    async with serving(settings_for(slack, folder, socket_mode=True)):
        await slack.connected()
        slack.fail("apps.connections.open", answer="plain", times=3)
        await slack.hub.socket.disconnect()
        await slack.connected()
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
    assert told(log_lines) == 2 * [
        ("warning", "Slack's socket is away", "AttributeError"),
        ("warning", "Slack's socket is back", None),
    ]
