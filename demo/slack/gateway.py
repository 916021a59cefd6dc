"""The door of the Web API: reading a call as it comes over the wire, asking who it is, answering as Slack does."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from demo.slack.api import METHODS
from demo.slack.api.request import Method, Request
from demo.slack.arguments import Arguments
from demo.slack.faults import Fault
from demo.slack.hub import Hub
from demo.slack.journal import Call
from demo.slack.state import shown
from demo.slack.tokens import Token
from demo.slack.wire import JSON, ApiError


class Gateway:
    """Answers `/api/{method}` and `/hooks/…`, and writes every call down."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        name = request.match_info["method"]
        call = Call(name, {}, self._hub.clock(), headers=dict(request.headers), http_method=request.method)
        headers = {"Date": format_datetime(call.at.astimezone(UTC), usegmt=True)}
        fault: Fault | None = None
        try:
            args, token_value = await _read(request, METHODS.get(name))
            call.args, call.token = args, token_value
            fault = self._hub.faults.take(name, args)
            if fault is not None:
                await _stumble(fault, request)
            call.response = {"ok": True, **await self._do(name, args, token_value, request, headers)}
            call.message = self._message_of(name, args, call.response)
            if fault is not None and fault.drop_connection == "after":
                _hang_up(request)
        except ApiError as refusal:
            call.response = refusal.body()
        except _RateLimited as limited:
            call.status, call.response = 429, {"ok": False, "error": "ratelimited"}
            headers["Retry-After"] = str(limited.seconds)
        except _Status as broken:
            call.status, call.response = broken.status, {"ok": False, "error": f"http_{broken.status}"}
            return web.Response(status=broken.status, text="")
        except ConnectionResetError:
            call.status, call.response = 0, {"ok": False, "error": "connection_dropped"}
            raise
        finally:
            await self._hub.journal.add(call)
        if fault is not None and fault.answer is not None:
            return await _odd(request, fault.answer, json.dumps(call.response))
        return web.json_response(call.response, status=call.status, headers=headers)

    async def _do(
        self, name: str, args: JSON, token_value: str | None, request: web.Request, headers: dict[str, str]
    ) -> JSON:
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method", req_method=name)
        caller = self._caller(method, token_value)
        if caller is not None:
            headers["x-oauth-scopes"] = ",".join(caller.scopes)
        if method.scopes:
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        wait = self._hub.limiter.wait(name, method.tier, args.get("channel"))
        if wait:
            raise _RateLimited(wait)
        lower = {header.lower(): value for header, value in request.headers.items()}
        asked = Request(self._hub, name, Arguments(args), caller, lower)
        if method.scopes:
            asked.need(*method.scopes)
        return await method.handler(asked)

    def _message_of(self, name: str, args: JSON, response: JSON) -> JSON | None:
        world = self._hub.world
        if name == "chat.postEphemeral":
            channel_id = str(args["channel"])
            whispered = world.ephemeral(channel_id, str(args["user"]), response["message_ts"])
            return shown(channel_id, whispered) if whispered else None
        message = response.get("message")
        return shown(response["channel"], message) if message and name in ("chat.postMessage", "chat.update") else None

    def _caller(self, method: Method, token_value: str | None) -> Token | None:
        if method.token is None:
            return None
        caller = self._hub.tokens.look_up(token_value)
        if caller.kind != method.token:
            raise ApiError("not_allowed_token_type")
        return caller

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """One use of a `response_url`."""
        call = Call("response_url", {}, self._hub.clock(), headers=dict(request.headers))
        try:
            call.args, _ = await _read(request, None)
            fault = self._hub.faults.take("response_url", call.args)
            if fault is not None:
                await _stumble(fault, request)
            call.message = self._hub.hooks.use(request.match_info["secret"], call.args).get("message")
            call.response = {"ok": True}
        except ApiError as refusal:
            call.response = refusal.body()
            call.status = 404 if refusal.code in ("no_service", "expired_url", "used_url") else 400
        except _RateLimited as limited:
            call.status, call.response = 429, {"ok": False, "error": "ratelimited"}
            headers = {"Retry-After": str(limited.seconds)}
            return web.json_response(call.response, status=429, headers=headers)
        except _Status as broken:
            call.status, call.response = broken.status, {"ok": False, "error": f"http_{broken.status}"}
            return web.Response(status=broken.status)
        finally:
            await self._hub.journal.add(call)
        if not call.ok:
            self._hub.complain("response_url", f"{call.error} {call.response}")
        return web.json_response(call.response, status=call.status)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, to an address given out before."""
        ticket = self._hub.uploads.get(request.match_info["file"])
        content = await _content(request)
        if ticket is None or ticket["state"] != "waiting" or not content:
            return web.Response(status=400, text="invalid upload")
        ticket |= {"state": "uploaded", "size": len(content)}
        self._hub.contents[ticket["id"]] = content
        return web.Response(text=f"OK - {len(content)}")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file that was shared, to be kept: whatever is in it, no browser runs it here."""
        known = self._hub.world.files.get(request.match_info["file"])
        content = self._hub.contents.get(request.match_info["file"])
        if known is None or content is None:
            return web.Response(status=404, text="file_not_found")
        kept = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=content, content_type="application/octet-stream", headers=kept)


class _RateLimited(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Status(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _stumble(fault: Fault, request: web.Request) -> None:
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.drop_connection == "before":
        _hang_up(request)
    if fault.status == 429 or fault.error == "ratelimited":
        raise _RateLimited(fault.retry_after)
    if fault.status is not None:
        raise _Status(fault.status)
    if fault.error is not None:
        raise ApiError(fault.error)


async def _odd(request: web.Request, kind: str, body: str) -> web.StreamResponse:
    """What arrives instead of the answer: a gateway's page, half of it as if it were all, or a line that breaks."""
    if kind == "html":
        return web.Response(text="<html><body><h1>We'll be back soon</h1></body></html>", content_type="text/html")
    if kind == "plain":
        return web.Response(text="We'll be back soon")
    half = body[: len(body) // 2].encode()
    if kind == "truncated":
        return web.Response(body=half, content_type="application/json")
    begun = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await begun.prepare(request)
    await begun.write(half)
    _abort(request)
    return begun


def _hang_up(request: web.Request) -> None:
    _abort(request)
    raise ConnectionResetError


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _read(request: web.Request, method: Method | None) -> tuple[JSON, str | None]:
    """The arguments and the token of a call, wherever Slack lets them stand."""
    args: JSON = dict(request.query)
    header = request.headers.get("Authorization", "")
    token = header[7:].strip() if header.lower().startswith("bearer ") else None
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            given = _json(await request.text())
            if method is None or method.takes_json:
                args |= given  # a token in a JSON body counts for nothing
                args.pop("token", None)
        else:
            form = await request.post()
            args |= {name: value for name, value in form.items() if isinstance(value, str)}
    if token is None and isinstance(args.get("token"), str):
        token = args["token"]
    args.pop("token", None)
    return args, token


async def _content(request: web.Request) -> bytes:
    """The bytes of a file: the whole body, or the one file of a form, as `curl -F` and Slack's SDK for Node send it."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for field in (await request.post()).values():
        if isinstance(field, web.FileField):
            return field.file.read()
    return b""


def _json(text: str) -> JSON:
    try:
        given: Any = json.loads(text)
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(given, dict):
        raise ApiError("json_not_object")
    return given
