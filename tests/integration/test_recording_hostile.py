"""Exports that are made to be dear: what they take of memory has an end, whatever is packed into them."""

from __future__ import annotations

import asyncio
import gzip
import threading
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from handlers import recording, recording_otlp
from handlers.recording_otlp import JSON, PROTOBUF
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import Tenant
from tests.integration.recording_world import TOKEN, Door, a_door

MANY = 100_000
MEGABYTE = 2**20


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


@pytest.fixture
async def door(storage: Storage, tenant: Tenant, clock: FakeClock) -> AsyncIterator[Door]:
    async with a_door(storage, tenant, clock) as opened:
        yield opened


def in_protobuf() -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(MANY):
        scope.spans.add()
    return bytes(request.SerializeToString())


def in_json() -> bytes:
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}' % b",".join([b"{}"] * MANY)


@pytest.mark.parametrize(("kind", "body", "most"), [(PROTOBUF, in_protobuf(), 8), (JSON, in_json(), 16)])
async def test_of_too_many_spans_none_is_made(door: Door, kind: str, body: bytes, most: int) -> None:
    """Two bytes are an empty span: twenty megabytes of them, twenty kilobytes as sent, took gigabytes."""
    headers = {"Content-Type": kind, "Content-Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"}
    await door.post({}, recording.TRACES)  # what is imported and looked up once
    tracemalloc.start()
    try:
        async with door.client.post(f"{door.url}{recording.TRACES}", data=gzip.compress(body), headers=headers) as no:
            assert no.status == 413
        assert tracemalloc.get_traced_memory()[1] < most * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("of", ["resourceSpans", "scopeSpans"])
async def test_what_holds_spans_is_counted_as_they_are(door: Door, of: str) -> None:
    many: Any = {of: [{}] * 10_001}
    body = many if of == "resourceSpans" else {"resourceSpans": [many]}
    status, _ = await door.post(body, recording.TRACES)
    assert status == 413


async def test_two_are_read_at_once_and_the_others_wait(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    third, met = threading.Barrier(3), []

    def reading(body: bytes, kind: str) -> list[Any]:
        try:
            third.wait(0.3)
            met.append(body)
        except threading.BrokenBarrierError:
            pass
        return []

    monkeypatch.setattr(recording_otlp, "spans_of", reading)
    large = {"resourceSpans": [], "more": "x" * 2**17}
    answers = await asyncio.gather(*(door.post(large, recording.TRACES) for _ in range(4)))
    assert ([status for status, _ in answers], met) == ([200] * 4, [])
