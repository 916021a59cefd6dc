"""Faults: how a provider fails, for the next n calls or until cleared, on one path or on all of them.

The worst kinds act first and fail then: `acted_500` and `acted_drop`, with `delay_seconds` between the two. They are
for requests that change something; reads pass.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from demo.openai.answers import error_body

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATUSES = (400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504)
ACTED = ("acted_500", "acted_drop")
KINDS = ("slow", "cut_off", "drop", "nonsense_json", "wrong_shape", "html", "flat_error", *ACTED)
CONTROL = "/_sim/"
CUT_OFF = web.RequestKey("cut_off", bool)
_TEXTS: Mapping[int, tuple[str, str, str | None]] = {
    400: ("Invalid request.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: ("You have insufficient permissions for this operation.", "invalid_request_error", None),
    404: ("The requested resource was not found.", "invalid_request_error", "not_found"),
    408: ("Request timed out.", "server_error", None),
    409: ("The resource was changed by another request.", "invalid_request_error", None),
    429: ("Rate limit reached for requests", "requests", "rate_limit_exceeded"),
}
_SERVER = ("The server had an error while processing your request. Sorry about that!", "server_error", None)
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>cloudflare</body></html>"


class BadFault(ValueError):
    """A fault was described in a way that cannot be played; the text says what can be."""


@dataclass(slots=True)
class Fault:
    """One way to fail: a status or a kind, on paths that begin with `path`, `times` times (None: until cleared)."""

    path: str = "/v1/"
    status: int | None = None
    kind: str | None = None
    times: int | None = None
    method: str | None = None
    retry_after: int | None = None
    retry_after_is_date: bool = False
    delay_seconds: float = 0.0
    code: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        if self.status is None and self.kind is None and not self.delay_seconds:
            raise BadFault("a fault needs a status, a kind or delay_seconds.")
        if self.status is not None and self.status not in STATUSES:
            raise BadFault(f"status is one of {', '.join(map(str, STATUSES))}, not {self.status!r}.")
        if self.kind is not None and self.kind not in KINDS:
            raise BadFault(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if self.times is not None and (not isinstance(self.times, int) or self.times < 1):
            raise BadFault(f"times is a whole number from 1, or null for until cleared, not {self.times!r}.")

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Fault:
        try:
            return cls(**told)
        except TypeError as error:
            raise BadFault(f"a fault has the fields {', '.join(cls.__dataclass_fields__)}.") from error

    def covers(self, request: web.Request) -> bool:
        is_meant = self.kind not in ACTED or request.method in ("POST", "DELETE")
        return is_meant and request.path.startswith(self.path) and self.method in (None, request.method)


class Faults:
    """The faults that stand. The oldest that covers a request is played."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.standing: list[Fault] = []
        self.played = 0

    def add(self, fault: Fault) -> Fault:
        self.standing.append(fault)
        return fault

    def clear(self) -> None:
        self.standing.clear()

    def take(self, request: web.Request) -> Fault | None:
        """The fault this request meets, counted; None when nothing is wrong."""
        for fault in self.standing:
            if not request.path.startswith(CONTROL) and fault.covers(request):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.standing.remove(fault)
                self.played += 1
                return fault
        return None

    async def play(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        if fault.kind in ACTED:
            await handler(request)  # what is refused here was not done, and passes as the refusal it is
            await asyncio.sleep(fault.delay_seconds)
            return await _cut(request, b"", 0) if fault.kind == "acted_drop" else self._error(fault)
        if fault.delay_seconds or fault.kind == "slow":
            await asyncio.sleep(fault.delay_seconds or 30)
        if fault.status is not None:
            return self._error(fault)
        if fault.kind in (None, "slow"):
            return await handler(request)
        if fault.kind == "drop":
            return await _cut(request, b"", 0)
        if fault.kind == "cut_off":
            request[CUT_OFF] = True  # a streamed answer cuts itself
            return await _cut_off(request, await handler(request))
        return _NONSENSE[fault.kind or ""]()

    def _error(self, fault: Fault) -> web.Response:
        status = fault.status or 500
        text, kind, code = _TEXTS.get(status, _SERVER)
        headers = {}
        if fault.retry_after is not None:
            until = self._clock() + timedelta(seconds=fault.retry_after)
            value = format_datetime(until, usegmt=True) if fault.retry_after_is_date else str(fault.retry_after)
            headers["Retry-After"] = value
        body = error_body(fault.message or text, kind=kind, code=fault.code or code)
        return web.json_response(body, status=status, headers=headers)


def _html() -> web.Response:
    return web.Response(text=_HTML, content_type="text/html", status=200)


def _nonsense_json() -> web.Response:
    return web.Response(text='{"object":"page","data":[{"object":"bucket","star', content_type="application/json")


def _wrong_shape() -> web.Response:
    wrong = {"object": "page", "data": [{"object": "bucket", "start_time": "yesterday", "results": {"amount": 1}}]}
    return web.Response(text=json.dumps(wrong), content_type="application/json")


def _flat_error() -> web.Response:
    """The flat form that two examples of the contract show."""
    return web.json_response({"code": 404, "message": "The project was not found"}, status=404)


_NONSENSE = {
    "html": _html,
    "nonsense_json": _nonsense_json,
    "wrong_shape": _wrong_shape,
    "flat_error": _flat_error,
}


async def _cut_off(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    if not isinstance(whole, web.Response):
        return whole
    body = whole.body if isinstance(whole.body, bytes) else b"{}"
    return await _cut(request, body[: len(body) // 2], len(body))


async def _cut(request: web.Request, begun: bytes, promised: int) -> web.StreamResponse:
    """Send the beginning of an answer and close the connection, as a failing network does."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if begun:
        response.content_length = promised
        await response.prepare(request)
        await response.write(begun)
    if request.transport is not None:
        request.transport.close()
    return response
