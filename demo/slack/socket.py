"""Socket Mode: tickets, connections, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from aiohttp import WSMsgType, web

from demo.slack.config import SlackConfig
from demo.slack.wire import JSON, Clock

MOST_CONNECTIONS = 10
_TYPES = {"event": "events_api", "interactive": "interactive", "command": "slash_commands"}
_WITH_ANSWER = ("command", "view_submission", "block_suggestion")


class NotConnected(Exception):
    """No app is listening on a WebSocket."""


class SocketMode:
    """The WebSocket connections of the app; each payload goes to one of them."""

    def __init__(self, config: SlackConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._tickets: dict[str, datetime] = {}
        self._connections: list[web.WebSocketResponse] = []
        self._waiting: dict[str, tuple[asyncio.Future[Any], bool]] = {}
        self._turn = 0
        self._changed = asyncio.Condition()
        self.base_url = ""

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def ticket(self) -> str:
        """An address to connect to, once and soon."""
        secret = secrets.token_hex(16)
        self._tickets[secret] = self._clock() + timedelta(seconds=self._config.socket_ticket_seconds)
        return f"{self.base_url.replace('http', 'ws', 1)}/link/?ticket={secret}&app_id={self._config.app.app_id}"

    async def until_connected(self, count: int = 1, timeout_seconds: float = 5.0) -> None:
        """Wait until the app holds this many connections."""
        async with asyncio.timeout(timeout_seconds), self._changed:
            await self._changed.wait_for(lambda: len(self._connections) >= count)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to goodbye."""
        expires = self._tickets.pop(request.query.get("ticket", ""), None)
        if expires is None or self._clock() > expires:
            return web.Response(status=401, text="invalid ticket")
        socket = web.WebSocketResponse(max_msg_size=8 * 2**20)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self._connections.append(socket)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._connections),
                "debug_info": {"host": "simulated", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self._config.app.app_id},
            }
        )
        await self._say_changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(message.data)
        finally:
            if socket in self._connections:
                self._connections.remove(socket)
            await self._say_changed()
        return socket

    async def send(self, wire: str, kind: str, payload: JSON, retry_num: int, reason: str | None) -> Any:
        """Hand one payload to one connection and wait for its acknowledgement; its payload is the answer."""
        connection = self._next()
        envelope_id = str(uuid.uuid4())
        accepts = wire == "command" or kind in _WITH_ANSWER
        envelope: JSON = {
            "envelope_id": envelope_id,
            "payload": payload,
            "type": _TYPES[wire],
            "accepts_response_payload": accepts,
        }
        if wire == "event":
            envelope |= {"retry_attempt": retry_num, "retry_reason": reason or ""}
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (answered, accepts)
        try:
            await connection.send_str(json.dumps(envelope, ensure_ascii=False))
            return await asyncio.wait_for(answered, self._config.ack_seconds)
        except ConnectionError as failure:
            raise NotConnected from failure
        finally:
            self._waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come back on a new one, as Slack does every few hours; `warning` only announces."""
        for connection in list(self._connections):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "simulated"}})
            if reason != "warning":
                self._connections.remove(connection)
                await connection.close()
        await self._say_changed()

    async def close(self) -> None:
        """Close everything without a word."""
        for connection in list(self._connections):
            await connection.close()
        self._connections.clear()

    def _next(self) -> web.WebSocketResponse:
        alive = [each for each in self._connections if not each.closed]
        if not alive:
            raise NotConnected
        self._turn += 1
        return alive[self._turn % len(alive)]

    def _acknowledged(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
        if waiting is not None and not waiting[0].done():
            answered, accepts = waiting
            payload = ack.get("payload")
            # A body where none is allowed is dropped, as Slack drops it.
            answered.set_result(payload if accepts else None)

    async def _say_changed(self) -> None:
        async with self._changed:
            self._changed.notify_all()
