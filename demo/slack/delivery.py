"""Handing payloads to the app: signed over HTTP, or over Socket Mode; three seconds to answer either way."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp

from demo.slack.config import SlackConfig
from demo.slack.journal import Delivery, Journal
from demo.slack.socket import NotConnected, SocketMode
from demo.slack.wire import JSON, Clock

Wire = str  # "event", "interactive" or "command"


def signed(secret: str, timestamp: int, body: str) -> str:
    """The `X-Slack-Signature` of a body."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def written(wire: Wire, payload: JSON) -> tuple[str, str]:
    """The body and its content type as Slack sends them."""
    if wire == "event":
        return json.dumps(payload, ensure_ascii=False), "application/json"
    fields = payload if wire == "command" else {"payload": json.dumps(payload, ensure_ascii=False)}
    return urlencode(fields), "application/x-www-form-urlencoded"


class Courier:
    """Carries payloads to the app and notes what came back."""

    def __init__(self, config: SlackConfig, clock: Clock, journal: Journal, socket: SocketMode) -> None:
        self._config = config
        self._clock = clock
        self._journal = journal
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None
        self.url: str | None = None

    async def open(self) -> None:
        """Be ready to send."""
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Stop sending."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def deliver(
        self, wire: Wire, kind: str, payload: JSON, retry_num: int = 0, reason: str | None = None
    ) -> Delivery:
        """Deliver once; never raises, the answer or the failure is in the delivery."""
        transport = "http" if self.url else "socket"
        delivery = Delivery(kind, payload, self._clock(), transport, retry_num=retry_num)
        started = time.monotonic()
        try:
            if self.url:
                headers = {} if not retry_num else _retry_headers(retry_num, reason)
                await self._over_http(delivery, wire, headers)
            else:
                delivery.answer = await self._socket.send(wire, kind, payload, retry_num, reason)
                delivery.ok = True
        except TimeoutError:
            delivery.error = "operation_timeout"
        except (NotConnected, aiohttp.ClientError):
            delivery.error = "dispatch_failed"
        delivery.seconds = time.monotonic() - started
        await self._journal.add_delivery(delivery)
        return delivery

    async def forge(self, wire: Wire, payload: JSON, how: str) -> int:
        """Deliver over HTTP as an impostor would (`signature`, `stale`, `unsigned`): the status the app gave."""
        delivery = Delivery("forged", payload, self._clock(), "http")
        await self._over_http(delivery, wire, {}, how)
        return delivery.status or 0

    async def _over_http(
        self, delivery: Delivery, wire: Wire, headers: Mapping[str, str], forgery: str | None = None
    ) -> None:
        assert self._session is not None, "start the simulated Slack first"
        assert self.url is not None, "deliver_to(url) first"
        body, content_type = written(wire, delivery.payload)
        sent = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", **headers}
        if forgery != "unsigned":
            # The app compares with its own clock, so this one is the real one whatever day the workspace plays.
            timestamp = int(time.time()) - (600 if forgery == "stale" else 0)
            secret = "forged" if forgery == "signature" else self._config.signing_secret
            sent |= {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": signed(secret, timestamp, body)}
        async with asyncio.timeout(self._config.ack_seconds):
            async with self._session.post(
                self.url, data=body.encode(), headers=sent, allow_redirects=False
            ) as response:
                text = await response.text()
                delivery.status = response.status
                if response.status != 200:
                    delivery.error = "http_service_error" if response.status >= 500 else "http_client_error"
                    if response.headers.get("X-Slack-No-Retry") == "1":
                        delivery.answer = "no-retry"
                    return
                delivery.answer = _read(text, response.content_type)
                delivery.ok = True


def _read(text: str, content_type: str) -> Any:
    if not text:
        return None
    if content_type == "application/json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _retry_headers(retry_num: int, reason: str | None) -> dict[str, str]:
    return {"X-Slack-Retry-Num": str(retry_num), "X-Slack-Retry-Reason": reason or "unknown_error"}
