"""The two addresses at which applications record their calls: our own JSON, and OpenTelemetry's traces.

An answer of 200 means committed. Nothing of a body is logged, and no fault repeats what was written.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.metrics import Answer, Metrics
from bot.recording import DatabaseAway, Recording, TooMuchWaiting, UnknownToken
from handlers import recording_otlp as otlp
from handlers.recording_events import NotEvents, TooManyEvents, read_events
from handlers.recording_spans import told_by
from storage.records_value import EventToken

EVENTS, TRACES = "/v1/events", "/v1/traces"
MOST_EVENT_BYTES = 2**20
# As much as a collector takes: an exporter sends 512 spans at a time, and many carry prompts, which we do not read.
MOST_TRACE_BYTES = 20 * 2**20
# Whoever waits longer should come again: what is committed meanwhile does not count twice.
ANSWER_SECONDS = 10
COME_AGAIN_SECONDS = 2
_READ_APART_BYTES = 2**16
_UNPACKED_APART_BYTES = 2**12  # packed: it may be a thousand times as much
_PACKED = frozenset({"gzip", "deflate"})
_ENCODINGS = _PACKED | {"", "identity"}
_GZIP_OR_DEFLATE = 32  # zlib's word for: whichever it is
# Reading may take a hundred times as much memory as what is read, and goes on when its request has given up: two at
# once, and the threads in which mail is sent and keys are turned are left to those.
_APART = ThreadPoolExecutor(2, thread_name_prefix="reading")

Read = TypeVar("Read")


class Declined(Exception):
    """What is answered in the place of success."""

    def __init__(self, status: int, code: str, message: str, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message, more

    @property
    def headers(self) -> dict[str, str]:
        if self.status == web.HTTPUnauthorized.status_code:
            return {"WWW-Authenticate": 'Bearer realm="events"'}
        if self.status in {web.HTTPTooManyRequests.status_code, web.HTTPServiceUnavailable.status_code}:
            return {"Retry-After": str(COME_AGAIN_SECONDS)}
        return {}


async def receive_events(recording: Recording, metrics: Metrics, request: web.Request) -> web.Response:
    """Record events written in JSON; all of the request or nothing of it."""
    with metrics.recording("events") as answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                told = await _events(recording, metrics, request)
            answer.status = 200
            return web.json_response(told)
        except (Declined, TimeoutError) as problem:
            declined = _declined(problem, answer)
            body = {"error": declined.code, "message": declined.message, **(declined.more or {})}
            return _last_word(web.json_response(body, status=declined.status, headers=declined.headers))


async def receive_traces(recording: Recording, metrics: Metrics, request: web.Request) -> web.Response:
    """Record the calls of models among OpenTelemetry's spans; spans that tell of none are taken and forgotten."""
    kind = request.content_type
    with metrics.recording("traces") as answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await _traces(recording, metrics, request)
            answer.status = 200
            return web.Response(body=body, content_type=kind)
        except (Declined, TimeoutError) as problem:
            declined = _declined(problem, answer)
            kind = kind if kind in {otlp.PROTOBUF, otlp.JSON} else otlp.JSON
            said = otlp.trouble(kind, declined.message)
            response = web.Response(body=said, content_type=kind, status=declined.status, headers=declined.headers)
            return _last_word(response)


async def _events(recording: Recording, metrics: Metrics, request: web.Request) -> dict[str, Any]:
    token = await _token(recording, request)
    _prove_type(request, {otlp.JSON})
    body = await _body(request, MOST_EVENT_BYTES)
    try:
        read = await _apart(body, read_events, recording.now())
    except NotEvents as problem:
        raise Declined(400, "not_events", str(problem)) from None
    except TooManyEvents as problem:
        raise Declined(413, "too_many_events", str(problem)) from None
    if read.faults:
        metrics.recorded("refused", len({fault.index for fault in read.faults}))
        faults = {"faults": [fault.as_json() for fault in read.faults]}
        raise Declined(422, "faulty_events", "Nothing was recorded: mend these and send all of them again.", faults)
    recorded = await _recorded(recording, metrics, token, read.told)
    return {"accepted": recorded[0], "repeated": recorded[1], "dropped_fields": dict(sorted(read.dropped.items()))}


async def _traces(recording: Recording, metrics: Metrics, request: web.Request) -> bytes:
    token = await _token(recording, request)
    kind = _prove_type(request, {otlp.PROTOBUF, otlp.JSON})
    try:
        spans = await _apart(await _body(request, MOST_TRACE_BYTES), otlp.spans_of, kind)
    except otlp.NotTraces as problem:
        raise Declined(400, "not_traces", str(problem)) from None
    except otlp.TooManySpans:
        raise Declined(413, "too_many_spans", f"one request brings {otlp.MOST_SPANS} spans at the most") from None
    read = told_by(spans, recording.now())
    if read.told:
        await _recorded(recording, metrics, token, read.told)
    metrics.recorded("refused", read.refused)
    metrics.recorded("ignored", read.ignored)
    return otlp.answer(kind, read.refused, read.why)


async def _recorded(recording: Recording, metrics: Metrics, token: EventToken, told: list[Any]) -> tuple[int, int]:
    try:
        recorded = await recording.record(token, told)
    except TooMuchWaiting:
        raise Declined(429, "too_much_waiting", "More events wait than can be written soon: come again.") from None
    except DatabaseAway:
        raise Declined(503, "database_away", "The events could not be written: come again.") from None
    except UnknownToken:
        raise _unknown() from None
    metrics.recorded("accepted", recorded.accepted)
    metrics.recorded("repeated", recorded.repeated)
    return recorded


async def _token(recording: Recording, request: web.Request) -> EventToken:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer":
        raise _unknown()
    try:
        return await recording.token(text.strip())
    except UnknownToken:
        raise _unknown() from None
    except DatabaseAway:
        raise Declined(503, "database_away", "The token could not be looked up: come again.") from None


def _unknown() -> Declined:
    return Declined(401, "unknown_token", "Send a token that is in force, as `Authorization: Bearer fin_…`.")


def _prove_type(request: web.Request, taken: set[str]) -> str:
    if request.content_type not in taken:
        raise Declined(415, "unsupported_type", f"Content-Type is {' or '.join(sorted(taken))}.")
    if request.headers.get("Content-Encoding", "").casefold() not in _ENCODINGS:
        raise Declined(415, "unsupported_encoding", "Content-Encoding is gzip, or none.")
    return request.content_type


async def _body(request: web.Request, most: int) -> bytes:
    """The body, unpacked; refused before more than it may hold is read, packed or unpacked.

    It is unpacked here (SERVED): aiohttp unpacks what nobody reads as well, on the loop and without an end, for anybody
    who sends it, with a token or without.
    """
    too_large = Declined(413, "too_large", f"A request has {most} bytes at the most, unpacked.")
    unreadable = Declined(400, "unreadable", "The body is not what Content-Encoding says.")
    if (request.content_length or 0) > most:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > most:
                raise too_large
    except (HttpProcessingError, web.RequestPayloadError):
        raise unreadable from None
    if request.headers.get("Content-Encoding", "").casefold() not in _PACKED:
        return bytes(body)
    packed, is_small = bytes(body), len(body) < _UNPACKED_APART_BYTES
    loop = asyncio.get_running_loop()
    unpacked = _unpacked(packed, most) if is_small else await loop.run_in_executor(_APART, _unpacked, packed, most)
    if unpacked is None:
        raise unreadable
    if len(unpacked) > most:
        raise too_large
    return unpacked


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """What was packed, as far as it is looked at: one byte more than `most`. None where it is not packed at all."""
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | _GZIP_OR_DEFLATE)
    try:
        unpacked = unpacking.decompress(packed, most + 1)
    except zlib.error:
        return None
    is_whole = unpacking.eof and not unpacking.unused_data
    return unpacked if is_whole or len(unpacked) > most else None


async def _apart(body: bytes, read: Callable[[bytes, Any], Read], other: datetime | str) -> Read:
    """Read what is large in another thread: nobody else should wait while a megabyte is taken apart."""
    if len(body) < _READ_APART_BYTES:
        return read(body, other)
    return await asyncio.get_running_loop().run_in_executor(_APART, read, body, other)


def _last_word(response: web.Response) -> web.Response:
    """What was declined may have a body that nobody read, or that cannot be read: the connection ends with it."""
    if response.status in {400, 413, 415}:
        response.force_close()
    return response


def _declined(problem: BaseException, answer: Answer) -> Declined:
    declined = (
        problem if isinstance(problem, Declined) else Declined(503, "too_slow", "That took too long: come again.")
    )
    answer.status = declined.status
    return declined
