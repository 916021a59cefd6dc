"""What the tests of the simulated Slack share: a server, clients with retries off, and a real Bolt app to talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SimulatedSlack, SlackConfig

JSON = dict[str, Any]


def a_config(**more: Any) -> SlackConfig:
    """A Slack whose retries come at once."""
    return SlackConfig(event_retry_delays=(0.0, 0.0, 0.0), **more)


def client_of(slack: SimulatedSlack, token: str | None = None) -> AsyncWebClient:
    """slack_sdk's own client, which neither retries nor goes anywhere else."""
    return AsyncWebClient(token=token or slack.config.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refusal(call: Awaitable[Any]) -> JSON:
    """The body of the refusal a call ends with."""
    try:
        await call
    except SlackApiError as error:
        data = error.response.data
        assert isinstance(data, dict)
        return data
    raise AssertionError("Slack took it")


def bolt_for(slack: SimulatedSlack) -> AsyncApp:
    """A real Bolt app that believes this is Slack. Without a name it would look for one among all its callers."""
    return AsyncApp(name="finops", client=client_of(slack), signing_secret=slack.config.signing_secret)


@asynccontextmanager
async def over_http(slack: SimulatedSlack, app: AsyncApp) -> AsyncIterator[None]:
    """The app behind a Request URL."""
    runner = web.AppRunner(app.web_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    slack.deliver_to(f"http://{host}:{port}/slack/events")
    try:
        yield
    finally:
        slack.deliver_to(None)
        await runner.cleanup()


@asynccontextmanager
async def over_socket(slack: SimulatedSlack, app: AsyncApp) -> AsyncIterator[None]:
    """The app behind a WebSocket."""
    handler = AsyncSocketModeHandler(app, slack.config.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await slack.connected()
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def plain_app(
    slack: SimulatedSlack, answer: Callable[[web.Request], Awaitable[web.Response]]
) -> AsyncIterator[None]:
    """A Request URL without Bolt, for answers no library would give."""
    server = web.Application()
    server.router.add_post("/", answer)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    slack.deliver_to(f"http://{host}:{port}/")
    try:
        yield
    finally:
        slack.deliver_to(None)
        await runner.cleanup()


def plain(text: str) -> JSON:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def button(action_id: str, value: str = "1", **more: Any) -> JSON:
    """A button."""
    return {"type": "button", "text": plain("누르기"), "action_id": action_id, "value": value, **more}


def actions(*elements: JSON, block_id: str = "acts") -> JSON:
    """A row of elements."""
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def entry(block_id: str, element: JSON, **more: Any) -> JSON:
    """An input block whose element carries the same id."""
    element = {"action_id": block_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element, **more}


def modal(*blocks: JSON, **more: Any) -> JSON:
    """A modal with a submit button."""
    return {"type": "modal", "title": plain("설정"), "submit": plain("저장"), "blocks": list(blocks), **more}


def home(*blocks: JSON, **more: Any) -> JSON:
    """A Home view."""
    return {"type": "home", "blocks": list(blocks) or [{"type": "divider"}], **more}
