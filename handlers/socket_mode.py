"""The door for Slack that needs no public address: a socket that we open, and open again for as long as we run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from blocks.answered import error_code
from bot.metrics import Metrics
from handlers.outages import SLACK_FAILS

log = logging.getLogger(__name__)

PING_SECONDS = AGAIN_SECONDS = 10.0
CROWDED_SECONDS = 60.0  # whom Slack finds too hasty: it means a minute, whatever it says


class Socket(SocketModeClient):
    """Slack's client, but each try has an address of its own, and trouble is told once.

    An address is good once, and soon. Theirs tries a first one that failed for ever, and so stays deaf where Slack or
    the network was away just then; and it tells of each try, with a traceback.
    """

    _away_since: float | None = None
    _why = ""

    async def connect(self) -> None:
        """Connect, however long that takes."""
        while not self.closed:
            try:
                await self._begin_session()
            except Exception as error:  # noqa: BLE001 - whatever it is: who gives up is deaf for as long as we run
                if self.closed:
                    return
                self._tell_away(error)
                await asyncio.sleep(CROWDED_SECONDS if error_code(error) == "ratelimited" else AGAIN_SECONDS)
            else:
                self._tell_back()
                self._watch_session()
                return

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Connect anew, unless the connection is well; who is connecting already does so for everybody."""
        if self.connect_operation_lock.locked():
            return
        async with self.connect_operation_lock:
            if force or not await self.is_connected():
                await self.connect()

    async def _begin_session(self) -> None:
        """Leave the old session first, for Slack counts them, and open one at a new address."""
        self.auto_reconnect_enabled = False
        if self.current_session is not None:
            with suppress(*SLACK_FAILS):
                await self.current_session.close()
        answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        tls = self.web_client.ssl if self.web_client.ssl is not None else True
        self.current_session = await self.aiohttp_client_session.ws_connect(
            answer["url"], autoping=False, heartbeat=self.ping_interval, proxy=self.proxy, ssl=tls
        )
        await self.current_session.ping(f"sdk-ping-pong:{time.time()}".encode())  # whose answer their monitor waits for

    def _watch_session(self) -> None:
        """Hear what comes, and watch that it goes on coming: one of each, for what they watch is the session."""
        self.stale, self.last_ping_pong_time = False, None
        self.auto_reconnect_enabled = self.default_auto_reconnect_enabled
        for former in (self.current_session_monitor, self.message_receiver):
            if former is not None:
                former.cancel()
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())

    def _tell_away(self, error: BaseException) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
        if (why := error_code(error)) != self._why:
            self._why = why
            unforeseen = None if isinstance(error, SLACK_FAILS) else error
            log.warning("Slack's socket is away", extra={"error": why}, exc_info=unforeseen)

    def _tell_back(self) -> None:
        seconds = None if self._away_since is None else round(time.monotonic() - self._away_since)
        self._away_since, self._why = None, ""
        if seconds is None:
            log.info("Slack's socket is open")
        else:
            log.warning("Slack's socket is back", extra={"seconds": seconds})


class SocketDoor:
    """Socket Mode: no public address needed. Build it inside the running loop."""

    def __init__(self, slack: AsyncApp, app_token: str, metrics: Metrics) -> None:
        self._slack, self._metrics = slack, metrics
        self._socket = Socket(app_token, logger=slack.logger, web_client=slack.client, ping_interval=PING_SECONDS)
        self._socket.socket_mode_request_listeners.append(self._handle)

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        with self._metrics.answering("socket") as answer:
            started = time.time()
            response = await run_async_bolt_app(self._slack, request)
            answer.status = response.status
            await send_async_response(client, request, response, started)

    async def is_open(self) -> bool:
        """Whether Slack can reach us through this door now."""
        return await self._socket.is_connected()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[SocketDoor]:
        """Connect in the background (Slack may be away when we start: it is tried again) and close at the end."""
        connecting = asyncio.create_task(self._socket.connect(), name="socket-mode-connect")
        try:
            yield self
        finally:
            connecting.cancel()  # before what it connects through is closed under its hands
            with suppress(asyncio.CancelledError):
                await connecting
            await self._socket.close()  # type: ignore[no-untyped-call]
