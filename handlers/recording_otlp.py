"""OTLP over HTTP as it crosses the wire: protobuf or JSON in, the same out. Nothing but READ attributes is taken."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, TypeVar

import msgspec

from handlers.recording_spans import READ, UNREADABLE, Span

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MOST_SPANS = 10_000
# OTLP's JSON writes 64-bit integers as texts; an enum is a number, though its name is seen, too.
_STATUSES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_MOST_DIGITS = 20
_WRONG_SHAPE = (TypeError, ValueError, AttributeError, KeyError)
_NO_SPAN = "a span has ids, times in nanoseconds, a status and attributes, as OTLP writes them in JSON"
_NO_RESOURCE = "the resource of a span has attributes, as OTLP writes them in JSON"

T = TypeVar("T")


class NotTraces(Exception):
    """The body is no export of traces; the sentence says why, and repeats nothing of it."""


class TooManySpans(Exception):
    """More spans, or resources or scopes to hold them, than one request may bring."""


def _number(written: str) -> Any:
    try:
        return Decimal(written)
    except InvalidOperation:  # an exponent that no number of ours has: this attribute's fault, and nobody else's
        return UNREADABLE


_DECODER = msgspec.json.Decoder(float_hook=_number)


def spans_of(body: bytes, content_type: str) -> list[Span]:
    """Every span of an export request, each that is at fault saying so. Raises NotTraces or TooManySpans."""
    return _from_protobuf(body) if content_type == PROTOBUF else _from_json(body)


def answer(content_type: str, refused: int = 0, why: str = "") -> bytes:
    """The answer to an export: all was taken, or so many spans were not and why."""
    if content_type == JSON:
        partial = {"rejectedSpans": str(refused), "errorMessage": why}
        return json.dumps({"partialSuccess": partial} if refused else {}).encode()
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    response = ExportTraceServiceResponse()
    if refused:
        response.partial_success.rejected_spans = refused
        response.partial_success.error_message = why
    return bytes(response.SerializeToString())


def trouble(content_type: str, why: str) -> bytes:
    """What OTLP wants in the body of an error: a google.rpc.Status with a message."""
    if content_type == JSON:
        return json.dumps({"message": why}).encode()
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess

    # On the wire this is that Status: both write their message as field 2, and nothing else is set.
    return bytes(ExportTracePartialSuccess(error_message=why).SerializeToString())


def _from_protobuf(body: bytes) -> list[Span]:
    # Imported when the first trace comes: most applications send none, and it would take a part of every start.
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise NotTraces("the body is not an ExportTraceServiceRequest in protobuf") from None
    resources = [(_taken(each.resource.attributes), each) for each in _bounded(request.resource_spans)]
    scopes = _bounded((shared, scope) for shared, resource in resources for scope in resource.scope_spans)
    spans = []
    for shared, span in _bounded((shared, span) for shared, scope in scopes for span in scope.spans):
        attributes = shared | _taken(span.attributes)
        for happened in span.events:
            attributes |= _taken(happened.attributes)
        spans.append(
            Span(
                span.trace_id.hex(),
                span.span_id.hex(),
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                span.status.code,
                attributes,
            )
        )
    return spans


def _bounded(found: Iterable[T]) -> list[T]:
    """What was found; of too many none is made: an empty span is two bytes on the wire, and hundreds as an object."""
    few = list(islice(found, MOST_SPANS + 1))
    if len(few) > MOST_SPANS:
        raise TooManySpans
    return few


def _taken(attributes: Iterable[Any]) -> dict[str, Any]:
    """The attributes that are read, of a protobuf message."""
    found = {}
    for each in attributes:
        if each.key in READ:
            kind = each.value.WhichOneof("value")
            value = getattr(each.value, kind) if kind in {"string_value", "int_value", "bool_value"} else None
            found[each.key] = Decimal(repr(each.value.double_value)) if kind == "double_value" else value
    return {key: value for key, value in found.items() if value is not None}


def _from_json(body: bytes) -> list[Span]:
    try:
        resources = [(_shared(each), each) for each in _bounded(_list(_DECODER.decode(body), "resourceSpans"))]
        scopes = _bounded((shared, scope) for shared, resource in resources for scope in _list(resource, "scopeSpans"))
        spans = _bounded((shared, span) for shared, scope in scopes for span in _list(scope, "spans"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotTraces("the body is not JSON") from None
    except _WRONG_SHAPE:
        raise NotTraces("the body is not an ExportTraceServiceRequest in JSON") from None
    return [_json_span(shared, span) for shared, span in spans]


def _shared(resource: Any) -> dict[str, Any] | None:
    """The attributes of a resource; None where they have no shape that could be read."""
    try:
        return _named(_list(_object(resource, "resource"), "attributes"))
    except _WRONG_SHAPE:
        return None


def _json_span(shared: dict[str, Any] | None, span: Any) -> Span:
    """One span; at fault where it, or its resource, is not shaped like one, so that the others still count."""
    if shared is None:
        return Span.at_fault(_NO_RESOURCE)
    try:
        return _shaped(shared, span)
    except _WRONG_SHAPE:
        return Span.at_fault(_NO_SPAN)


def _shaped(shared: dict[str, Any], span: Any) -> Span:
    attributes = shared | _named(_list(span, "attributes"))
    for happened in _list(span, "events"):
        attributes |= _named(_list(happened, "attributes"))
    status = _object(span, "status").get("code", 0)
    return Span(
        _hex(span.get("traceId", ""), 32),
        _hex(span.get("spanId", ""), 16),
        _whole(span.get("startTimeUnixNano", 0)),
        _whole(span.get("endTimeUnixNano", 0)),
        _STATUSES.get(status, 0) if isinstance(status, str) else _whole(status),
        attributes,
    )


def _named(attributes: list[Any]) -> dict[str, Any]:
    """The attributes that are read, of JSON."""
    found: dict[str, Any] = {}
    for each in attributes:
        if each["key"] not in READ:
            continue
        value = each.get("value") or {}
        for kind in ("stringValue", "doubleValue", "boolValue"):
            if kind in value:
                found[each["key"]] = value[kind]
        if "intValue" in value:
            found[each["key"]] = _whole_or_not(value["intValue"])
    return found


def _list(of: Any, key: str) -> list[Any]:
    found = of.get(key) or []
    if not isinstance(found, list):
        raise TypeError
    return found


def _object(of: Any, key: str) -> dict[str, Any]:
    found = of.get(key) or {}
    if not isinstance(found, dict):
        raise TypeError
    return found


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > _MOST_DIGITS:
        raise TypeError
    return int(value)


def _whole_or_not(value: Any) -> Any:
    try:
        return _whole(value)
    except (TypeError, ValueError):
        return UNREADABLE


def _hex(value: Any, digits: int) -> str:
    """An id in small letters; '' where it is no id, so that this span alone is refused."""
    if not isinstance(value, str) or len(value) != digits:
        return ""
    try:
        return bytes.fromhex(value).hex()
    except ValueError:
        return ""
