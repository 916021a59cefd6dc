"""Recording by OpenTelemetry: its own SDK and exporter are the client; nothing but what is named is read."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from finops.value import ValueSums
from handlers import recording
from handlers.recording_otlp import JSON, PROTOBUF, spans_of
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant
from tests.integration.recording_world import TOKEN, Door, a_door
from tests.integration.test_front_door import log_lines
from tests.integration.test_recording import CANARY, bytes_in

__all__ = ["log_lines"]

NANO = 10**9
START = int((MOMENT - timedelta(minutes=3)).timestamp()) * NANO
CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5.4", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 3,
    "gen_ai.usage.cache_read.input_tokens": 4, "finops.task": "summary", "finops.score": 0.5, "enduser.id": "minsu",
}  # fmt: skip

# As instrumentations of the first conventions still write it.
OLD = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-5.4", "gen_ai.usage.prompt_tokens": 1}


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


@pytest.fixture
async def door(storage: Storage, tenant: Tenant, clock: FakeClock) -> AsyncIterator[Door]:
    async with a_door(storage, tenant, clock) as opened:
        yield opened


def finished(*wanted: tuple[dict[str, Any], StatusCode, int]) -> list[ReadableSpan]:
    """Spans as the SDK made them: attributes, how they ended, and how many milliseconds they took."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "web", "finops.experiment": "b"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for attributes, status, milliseconds in wanted:
        span = provider.get_tracer("test").start_span("chat gpt-5", attributes=attributes, start_time=START)
        span.add_event("gen_ai.client.inference.operation.details", {"gen_ai.output.messages": CANARY})
        span.set_status(Status(status, CANARY if status is StatusCode.ERROR else None))
        span.end(START + milliseconds * 10**6)
    provider.shutdown()
    return list(memory.get_finished_spans())


async def exported(door: Door, spans: list[ReadableSpan], token: str = TOKEN) -> SpanExportResult:
    exporter = OTLPSpanExporter(
        f"{door.url}{recording.TRACES}", headers={"Authorization": f"Bearer {token}"}, compression=Compression.Gzip,
        timeout=5,
    )  # fmt: skip
    try:
        return await asyncio.to_thread(exporter.export, spans)
    finally:
        exporter.shutdown()


async def post(door: Door, body: bytes, kind: str, **headers: str) -> tuple[int, bytes]:
    given = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind} | headers
    async with door.client.post(f"{door.url}{recording.TRACES}", data=body, headers=given) as answer:
        assert answer.content_type == kind
        return answer.status, await answer.read()


async def test_a_real_exporter_records_calls_and_no_text(door: Door, log_lines: io.StringIO, tmp_path: Path) -> None:
    """By the GenAI conventions, gzipped, twice: each call once, with its outcome; agents and tools count nothing."""
    spans = finished(
        (CHAT | {"gen_ai.input.messages": CANARY, "gen_ai.system_instructions": CANARY}, StatusCode.OK, 812),
        (CHAT | {"gen_ai.operation.name": "invoke_agent"}, StatusCode.OK, 9000),
        (CHAT | {"gen_ai.tool.call.arguments": CANARY}, StatusCode.ERROR, 100),
        (CHAT | {"finops.outcome": "failure"}, StatusCode.UNSET, 88),
        ({"http.request.method": "GET"}, StatusCode.UNSET, 1),
        (OLD, StatusCode.UNSET, 0),
    )  # fmt: skip
    assert await exported(door, spans) is SpanExportResult.SUCCESS
    assert await exported(door, spans) is SpanExportResult.SUCCESS
    assert await door.sums() == ValueSums(
        calls=4, successes=1, failures=2, scored=3, score_sum=1500, timed=4, latency_ms=1000, input_tokens=31,
        cached_input_tokens=12, output_tokens=9, priced=4, cost_nano=38_200_000_000,
    )  # fmt: skip
    async with door.storage.reading() as store:
        rows = await store.value.days(WORKSPACE, around(MOMENT))
    assert {(row.task, row.experiment, row.model) for row in rows} == {
        ("summary", "b", "gpt-5.4"),
        ("", "b", "gpt-5.4"),
    }
    page = door.metrics.page()[0].decode()
    assert 'finops_events_total{outcome="ignored"} 4.0' in page
    for place in (log_lines.getvalue().encode(), page.encode(), bytes_in(tmp_path)):
        assert CANARY.encode() not in place
    assert await exported(door, spans, "fin_" + "x" * 43) is SpanExportResult.FAILURE


async def test_a_usual_batch_with_prompts_in_it_is_not_too_large(door: Door) -> None:
    """As many spans as the SDK sends at a time, each with ten kilobytes that nobody reads; exporters drop a 413."""
    prompt = {"gen_ai.input.messages": CANARY * (10_000 // len(CANARY))}
    spans = finished(*[(CHAT | prompt, StatusCode.OK, 1)] * 512)
    assert await exported(door, spans) is SpanExportResult.SUCCESS
    assert (await door.sums()).calls == 512


async def test_a_call_costs_the_same_whoever_wrote_its_span(door: Door) -> None:
    """As these libraries write it: cached tokens cost what cached ones do, and OpenAI's price is known."""
    call = {
        "gen_ai.request.model": "gpt-5.4", "gen_ai.response.model": "gpt-5.4", "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 3,
    }  # fmt: skip
    written = {
        "AI SDK, responses": {
            "gen_ai.system": "openai.responses", "ai.usage.cachedInputTokens": 4, "ai.usage.inputTokens": 10,
        },
        "AI SDK, chat": {"gen_ai.system": "openai.chat", "ai.usage.cachedInputTokens": 4, "ai.usage.totalTokens": 13},
        "OpenLLMetry": {
            "gen_ai.system": "OpenAI", "gen_ai.usage.cache_read_input_tokens": 4, "llm.usage.total_tokens": 13,
        },
        "conventions": {"gen_ai.provider.name": "openai", "gen_ai.usage.cache_read.input_tokens": 4},
    }  # fmt: skip
    for number, (library, attributes) in enumerate(written.items(), start=1):
        spans = finished((call | attributes, StatusCode.UNSET, 0))
        assert await exported(door, spans) is SpanExportResult.SUCCESS
        sums = await door.sums()
        told = (sums.calls, sums.priced, sums.cached_input_tokens, sums.input_tokens)
        assert (library, told) == (library, (number, number, 4 * number, 10 * number))


def around(moment: Any) -> Any:
    """The days before and after, and that of a moment."""
    from finops.periods import Period

    return Period(moment.date() - timedelta(days=1), moment.date() + timedelta(days=1))


def a_json_span(**more: Any) -> dict[str, Any]:
    attributes = more.pop("attributes", CHAT)
    kinds = {str: "stringValue", float: "doubleValue", bool: "boolValue"}
    return {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "EEE19B7EC3C1B174",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 812 * 10**6),
        "status": {"code": 1},
        "attributes": [
            {"key": key, "value": {"intValue": str(value)} if type(value) is int else {kinds[type(value)]: value}}
            for key, value in attributes.items()
        ]
        if isinstance(attributes, dict)
        else attributes,
    } | more


def in_json(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


async def test_json_says_the_same_as_protobuf(door: Door) -> None:
    """Ids in hex of any case, 64-bit numbers as texts; the call is the same call, whichever way it came."""
    assert await post(door, in_json(a_json_span()), JSON) == (200, b"{}")
    once = await door.sums()
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex("5B8EFFF798038103D269B633813FC60C"), bytes.fromhex("EEE19B7EC3C1B174")
    span.start_time_unix_nano, span.end_time_unix_nano, span.status.code = START, START + 812 * 10**6, 1
    for key, value in CHAT.items():
        kind = {str: "string_value", int: "int_value", float: "double_value"}[type(value)]
        setattr(span.attributes.add(key=key).value, kind, value)
    assert spans_of(request.SerializeToString(), PROTOBUF) == spans_of(in_json(a_json_span()), JSON)
    assert await post(door, request.SerializeToString(), PROTOBUF) == (200, b"")
    assert await door.sums() == once
    assert (once.calls, once.successes, once.latency_ms, once.score_sum) == (1, 1, 812, 500)


async def test_a_later_span_may_tell_how_a_call_ended(door: Door) -> None:
    """Feedback comes in another trace: it names the call by the ids of its span."""
    feedback = {"finops.request_id": "5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174", "finops.outcome": "failure"}
    later = a_json_span(spanId="00000000000000aa", attributes=feedback, startTimeUnixNano=str(START + NANO))
    await post(door, in_json(later), JSON)
    await post(door, in_json(a_json_span(status={})), JSON)
    sums = await door.sums()
    assert (sums.calls, sums.failures, sums.latency_ms) == (1, 1, 812)


async def test_a_span_may_tell_of_many_calls_alike(door: Door) -> None:
    """Tokens are all of theirs; how long the span took says nothing of any of them."""
    await post(
        door, in_json(a_json_span(attributes=CHAT | {"finops.calls": 40, "gen_ai.usage.input_tokens": 400})), JSON
    )
    sums = await door.sums()
    assert (sums.calls, sums.successes, sums.score_sum, sums.input_tokens) == (40, 40, 20_000, 400)
    assert (sums.timed, sums.latency_ms) == (0, 0)


async def test_a_faulty_span_is_refused_and_the_others_count(door: Door, clock: FakeClock) -> None:
    """OTLP's partial success, in the form that was asked in: how many, and why the first."""
    old = str(START - 31 * 86_400 * NANO)
    faulty = [
        a_json_span(spanId="01" * 8, attributes=CHAT | {"finops.outcome": CANARY}),
        a_json_span(spanId="02" * 8, startTimeUnixNano=old),
        a_json_span(spanId="short"),
        a_json_span(spanId="03" * 8, startTimeUnixNano="0"),
        a_json_span(spanId="04" * 8, attributes=CHAT | {"finops.score": 7.0}),
        a_json_span(spanId="05" * 8, attributes=CHAT | {"gen_ai.usage.input_tokens": -1}),
        a_json_span(spanId="07" * 8, attributes=CHAT | {"gen_ai.usage.input_tokens": 10**9 + 1}),
        a_json_span(spanId="08" * 8, attributes=CHAT | {"finops.calls": 0}),
        *(
            a_json_span(spanId=f"{9 + number:02}" * 8, attributes=[{"key": "gen_ai.operation.name", "value": value}])
            for number, value in enumerate(({"stringValue": []}, {"stringValue": {}}, {"intValue": "7"}))
        ),
    ]
    status, body = await post(door, in_json(*faulty, a_json_span(spanId="06" * 8, status=None)), JSON)
    told = json.loads(body)["partialSuccess"]
    assert (status, told["rejectedSpans"]) == (200, "11")
    assert told["errorMessage"] == "finops.outcome is success or failure"
    assert (await door.sums()).calls == 1
    clock.advance(days=40)
    [span] = finished((CHAT, StatusCode.OK, 1))
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    status, body = await post(door, encode_spans([span]).SerializeToString(), PROTOBUF)
    response = ExportTraceServiceResponse.FromString(body)
    assert (status, response.partial_success.rejected_spans) == (200, 1)
    assert "30 days" in response.partial_success.error_message


async def test_nonsense_in_one_span_refuses_that_span_only(door: Door) -> None:
    """A number that is none, a shape that is none, of a span, an event or a resource: the spans beside it count."""
    chat = a_json_span()["attributes"]
    written = '{"key": "gen_ai.usage.input_tokens", "value": {"doubleValue": 1e99999999999999999999}}'
    spans: list[Any] = [
        a_json_span(attributes=[*chat, {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "x"}}]),
        a_json_span(attributes=[*chat, {"key": "finops.task", "value": {"intValue": CANARY}}]),
        a_json_span(attributes=[*chat, "HUGE"]),
        a_json_span(attributes=[*chat, 7]),
        a_json_span(attributes=[*chat, {"value": {"intValue": "7"}}]),
        a_json_span(attributes=7),
        a_json_span(events=[7]),
        a_json_span(startTimeUnixNano=CANARY),
        a_json_span(status={"code": []}),
        7,
    ]
    good = a_json_span(spanId="ab" * 8)
    ignored = a_json_span(attributes=[{"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}},
                                      {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "x"}}])  # fmt: skip
    other = {"resource": {"attributes": 7}, "scopeSpans": [{"spans": [a_json_span(spanId="cd" * 8)]}]}
    request = json.loads(in_json(*spans, good, ignored))
    request["resourceSpans"].append(other)
    status, body = await post(door, json.dumps(request).encode().replace(b'"HUGE"', written.encode()), JSON)
    told = json.loads(body)["partialSuccess"]
    assert (status, told["rejectedSpans"]) == (200, "11")
    assert told["errorMessage"] == "gen_ai.usage.input_tokens has a value that OTLP does not write"
    assert (await door.sums()).calls == 1
    for one in (*spans[:2], *spans[3:]):
        told = json.loads((await post(door, in_json(one, good), JSON))[1])["partialSuccess"]
        assert told["rejectedSpans"] == "1"
        assert CANARY not in told["errorMessage"]
        assert told["errorMessage"]


async def test_nonsense_is_declined_in_the_form_it_came_in(door: Door) -> None:
    """A retry would not mend it, so it is a 400; the body is a Status with a message."""
    bodies = (b"\xff\xff\xff", b'{"resourceSpans": 7}', b'{"resourceSpans": [{"scopeSpans": [7]}]}', b"[" * 99_999)
    bomb = gzip.compress(b"x" * 2**25, compresslevel=1)
    for kind in (PROTOBUF, JSON):
        for body in bodies:
            status, said = await post(door, body, kind)
            assert (kind, body[:40], status, b"the body is not" in said) == (kind, body[:40], 400, True)
        assert (await post(door, bomb, kind, **{"Content-Encoding": "gzip"}))[0] == 413
    # gRPC has another door, which is not here.
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/grpc"}
    async with door.client.post(f"{door.url}{recording.TRACES}", data=b"", headers=headers) as answer:
        assert (answer.status, await answer.json()) == (415, {"message": f"Content-Type is {JSON} or {PROTOBUF}."})
