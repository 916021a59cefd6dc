"""Recording events over HTTP: strict, each once, committed before it is acknowledged, and no text comes in."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot import recording as bot_recording
from bot.settings import Settings
from finops.value import ValueSums
from handlers import addresses
from storage import KeyRing, Storage
from storage.value import Value
from tests.conftest import FakeClock
from tests.databases import Tenant
from tests.integration.recording_world import TOKEN, Door, a_door
from tests.integration.test_front_door import log_lines

__all__ = ["log_lines"]

CANARY = "우리-고객-김철수의-상담-내용-canary"


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


@pytest.fixture
async def door(storage: Storage, tenant: Tenant, clock: FakeClock) -> AsyncIterator[Door]:
    async with a_door(storage, tenant, clock) as opened:
        yield opened


A_CALL: dict[str, Any] = {
    "id": "e1", "time": "2026-07-06T09:59:00+09:00", "task": "summary", "intent": "refund", "experiment": "b",
    "segment": "sales", "user": "minsu@example.com", "model": "gpt-5.4", "provider": "OpenAI", "input_tokens": 10,
    "cached_input_tokens": 4, "output_tokens": 3, "latency_ms": 812.4, "outcome": "success", "score": "0.875",
}  # fmt: skip


async def test_an_event_is_recorded_with_all_it_tells(door: Door) -> None:
    """Tokens are priced: 6 at a dollar, 4 cached at ten cents, 3 out at two dollars."""
    assert await door.post(A_CALL) == (200, {"accepted": 1, "repeated": 0, "dropped_fields": {}})
    assert await door.sums() == ValueSums(
        calls=1, successes=1, scored=1, score_sum=875, timed=1, latency_ms=812, input_tokens=10, cached_input_tokens=4,
        output_tokens=3, priced=1, cost_nano=12_400_000_000,
    )  # fmt: skip
    assert await door.cost == Decimal("12.4")


async def test_one_event_a_list_or_an_object_of_them(door: Door) -> None:
    """Whatever a client finds natural, packed or not; a repeated one is told apart.

    And counted: an operator sees how many came, what became of them, and how fast we answered.
    """
    assert (await door.post([{"id": "1"}, {"id": "2"}, {"id": "1"}]))[1]["repeated"] == 1
    assert (await door.post({"events": [{"id": "2"}, {"id": "3", "outcome": "failure"}]}))[1]["accepted"] == 1
    packed = gzip.compress(json.dumps([{"id": "4"}]).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json; charset=utf-8"}
    assert (await door.post(data=packed, headers=headers))[0] == 200
    assert (await door.post([]))[1] == {"accepted": 0, "repeated": 0, "dropped_fields": {}}
    assert (await door.post([{"id": "5"}, {}]))[0] == 422
    assert await door.sums() == ValueSums(calls=4, failures=1)
    page = door.metrics.page()[0].decode()
    for outcome, count in (("accepted", 4), ("repeated", 2), ("refused", 1)):
        assert f'finops_events_total{{outcome="{outcome}"}} {count}.0' in page
    assert 'finops_events_seconds_count{door="events",status="200"} 4.0' in page


async def test_one_event_may_tell_of_many_calls_alike(door: Door) -> None:
    """The outcome and the score are each one's; tokens, latency and cost are all of theirs; the end is told apart."""
    of_many = {"calls": 50, "model": "gpt-5.4", "input_tokens": 100, "output_tokens": 20, "latency_ms": 5000}
    await door.post([{"id": "1", "outcome": "success"}, {"id": "2", "request_id": "1"} | of_many])
    await door.post([{"id": "3", "calls": 50, "outcome": "failure", "score": 0.5}, {"id": "3", "calls": 9}])
    assert await door.sums() == ValueSums(
        calls=100, successes=50, failures=50, scored=50, score_sum=25_000, timed=50, latency_ms=5000, input_tokens=100,
        output_tokens=20, priced=50, cost_nano=140 * 10**9,
    )  # fmt: skip


async def test_an_outcome_told_later_belongs_to_its_call(door: Door) -> None:
    """And may come first: feedback of a user, hours after or in another process."""
    await door.post({"id": "o", "request_id": "r", "outcome": "success", "time": "2026-07-06T01:05:00Z"})
    await door.post({"id": "c", "request_id": "r", "model": "gpt-5.4", "input_tokens": 2})
    await door.post({"id": "s", "request_id": "r", "score": 1})
    sums = await door.sums()
    assert (sums.calls, sums.successes, sums.score_sum, sums.input_tokens) == (1, 1, 1000, 2)


FAULTS = [
    ({}, "id"),
    ({"id": ""}, "id"),
    ({"id": "x" * 129}, "id"),
    ({"id": "\x00"}, "id"),
    ({"id": 7}, "id"),
    ({"id": "1", "time": "2026-07-06T10:00:00"}, "time"),
    ({"id": "1", "time": "0001-01-01T00:00:00+14:00"}, "time"),
    ({"id": "1", "time": "2026-07-06T01:10:01Z"}, "time"),
    ({"id": "1", "time": "2026-06-06T00:59:59Z"}, "time"),
    ({"id": "1", "time": 1_780_000_000}, "time"),
    ({"id": "1", "task": "two\nlines"}, "task"),
    ({"id": "1", "task": "x" * 101}, "task"),
    ({"id": "1", "model": ["gpt"]}, "model"),
    ({"id": "1", "user": True}, "user"),
    ({"id": "1", "input_tokens": -1}, "input_tokens"),
    ({"id": "1", "output_tokens": 1.5}, "output_tokens"),
    ({"id": "1", "output_tokens": True}, "output_tokens"),
    ({"id": "1", "input_tokens": 10**30}, "input_tokens"),
    ({"id": "1", "latency_ms": "fast"}, "latency_ms"),
    ({"id": "1", "calls": 0}, "calls"),
    ({"id": "1", "calls": True}, "calls"),
    ({"id": "1", "calls": 10**6 + 1}, "calls"),
    ({"id": "1", "calls": 2, "latency_ms": 2 * 86_400_000 + 1}, "latency_ms"),
    ({"id": "1", "output_tokens": 10**9 + 1}, "output_tokens"),
    ({"id": "1", "outcome": "maybe"}, "outcome"),
    ({"id": "1", "outcome": {}}, "outcome"),
    ({"id": "1", "score": 1.01}, "score"),
    ({"id": "1", "score": "NaN"}, "score"),
    ({"id": "1", "score": "sNaN"}, "score"),
    ({"id": "1", "score": "x" * 40}, "score"),
    ("text", ""),
]


async def test_each_fault_is_told_by_place_and_nothing_is_recorded(door: Door) -> None:
    """One faulty event refuses the whole request, with the index and field of every fault, repeating no value.

    What lies on the edge is no fault: bounds belong to the range, null is not told, and numbers may be written as
    programs write them.
    """
    events: list[Any] = [{"id": "good"}, *(event for event, _ in FAULTS)]
    status, answer = await door.post(events)
    assert status == 422
    assert [(fault["index"], fault["field"]) for fault in answer["faults"]] == [
        (index, field) for index, (_, field) in enumerate(FAULTS, start=1)
    ]
    assert await door.sums() == ValueSums()
    edges = [
        {"id": "x" * 128, "time": "2026-07-06T01:10:00Z", "task": None, "score": None},
        {"id": "2", "time": "2026-06-06T01:00:00Z", "user": 12345, "input_tokens": 3.0},
        {"id": "3", "score": 0, "latency_ms": 0, "output_tokens": 10**9},
        {"id": "4", "calls": 10**6, "latency_ms": 10**11, "output_tokens": 10**11},
    ]
    assert (await door.post(edges))[0] == 200


PACKED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
DECLINED: list[tuple[dict[str, Any], int]] = [
    ({"token": "fin_" + "x" * 43}, 401),
    ({"token": "nonsense"}, 401),
    ({"headers": {"Authorization": f"Basic {TOKEN}"}}, 401),
    ({"headers": {"Authorization": ""}}, 401),
    ({"data": b"id=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
    ({"data": b"{}", "headers": {"Content-Type": "application/json", "Content-Encoding": "zstd-9"}}, 415),
    ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
    ({"data": b'"text"', "headers": {"Content-Type": "application/json"}}, 400),
    ({"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400),
    ({"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, 400),
    ({"data": b"{}", "headers": {"Content-Type": "application/json", "Content-Encoding": "br"}}, 415),
    ({"data": b"no gzip", "headers": PACKED}, 400),
    ({"data": gzip.compress(b"[]")[:-9], "headers": PACKED}, 400),
    ({"data": gzip.compress(b"[]") + b"more", "headers": PACKED}, 400),
    ({"body": [{"id": str(n)} for n in range(1001)]}, 413),
    ({"data": b" " * (2**20 + 1), "headers": {"Content-Type": "application/json"}}, 413),
]


async def test_what_cannot_be_taken_is_declined(door: Door) -> None:
    """Each with its own status, and a body that says why."""
    # Small as it comes, and 64 MB once unpacked.
    bomb = gzip.compress(b" " * 2**26, compresslevel=1)
    for request_of, status in [*DECLINED, ({"data": bomb, "headers": PACKED}, 413)]:
        answered, body = await door.post(**request_of)
        assert (answered, set(body)) == (status, {"error", "message"}), request_of
    assert await door.sums() == ValueSums()


async def test_a_revoked_token_is_refused_at_once(door: Door, clock: FakeClock) -> None:
    """It worked a moment ago."""
    assert (await door.post({"id": "1"}))[0] == 200
    async with door.storage.writing() as store:
        [token] = await store.event_tokens.of_project(door.project.workspace_id, door.project.id)
        assert token.last_used_at == clock()
        await store.event_tokens.revoke(door.project.workspace_id, token.id, by="U1", at=clock())
    assert (await door.post({"id": "2"}))[0] == 401
    assert "WWW-Authenticate" in door.headers


async def test_text_is_dropped_and_its_absence_can_be_proved(
    door: Door, log_lines: io.StringIO, tmp_path: Path
) -> None:
    """Prompts, answers and whom they are about: in no log line, no answer, no metric and no byte of the database."""
    smells = ("prompt", "messages", "input", "output", "completion", "content", "answer", "response", "text", "frob")
    event = {"id": "1", "user": CANARY, "outcome": "success"} | {name: [{"content": CANARY}] for name in smells}
    status, answer = await door.post([event, event | {"id": "2"}])
    assert (status, answer["accepted"]) == (200, 2)
    assert answer["dropped_fields"] == dict.fromkeys(sorted(smells), 2)
    for faulty in ({"id": CANARY * 9}, {"id": "3", "outcome": CANARY}, {"id": "3", "time": CANARY}, {CANARY: 1}):
        status, told = await door.post(faulty)
        assert status == 422
        assert CANARY not in json.dumps(told, ensure_ascii=False)
    headers = {"Content-Type": "application/json"}
    status, told = await door.post(data=f'{{"id": "{CANARY}'.encode(), headers=headers)
    assert CANARY not in json.dumps(told, ensure_ascii=False)
    assert CANARY not in log_lines.getvalue()
    assert CANARY.encode() not in door.metrics.page()[0]
    stored = bytes_in(tmp_path)
    assert b"value_calls" in stored
    assert CANARY.encode() not in stored
    assert TOKEN.encode() not in stored


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("finops.db*"))


async def test_a_user_has_one_name_here_and_it_is_not_theirs(door: Door) -> None:
    """What a user spends can be added up without knowing who it is."""
    await door.post([{"id": "1", "user": "minsu"}, {"id": "2", "user": "minsu"}, {"id": "3", "user": "seoyeon"}])
    name = door.storage.pseudonyms(door.project.workspace_id, door.project.id)
    other = door.storage.pseudonyms(door.project.workspace_id, door.project.id + 1)
    assert len({name("minsu"), name("minsu"), name("seoyeon"), other("minsu")}) == 3


async def test_many_requests_share_a_transaction(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is written the others gather, and each is told what became of its own."""
    written: list[int] = []
    gate, record_all = asyncio.Event(), Value.record_all

    async def counted(self: Value, workspace_id: str, project_id: int, batches: Any) -> Any:
        written.append(len(batches))
        await gate.wait()
        return await record_all(self, workspace_id, project_id, batches)

    monkeypatch.setattr(Value, "record_all", counted)
    told = ([{"id": f"{n}"}, {"id": f"{n // 2}b"}] for n in range(16))
    posted = [asyncio.create_task(door.post(events)) for events in told]
    while sum(written) + len(door.bot.recording.waiting) < 16:  # noqa: ASYNC110 - the queue makes no sound
        await asyncio.sleep(0)
    gate.set()
    answers = await asyncio.gather(*posted)
    assert {status for status, _ in answers} == {200}
    assert (sum(body["accepted"] for _, body in answers), sum(body["repeated"] for _, body in answers)) == (24, 8)
    assert sum(written) == 16
    assert len(written) <= 2


async def test_too_much_waiting_is_said_and_passes(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with a time to come again, before the queue grows; who waited is written."""
    monkeypatch.setattr(bot_recording, "MOST_WAITING", 2)
    gate, entered = asyncio.Event(), asyncio.Event()
    record_all = Value.record_all

    async def slow(self: Value, *given: Any) -> Any:
        entered.set()
        await gate.wait()
        return await record_all(self, *given)

    monkeypatch.setattr(Value, "record_all", slow)
    first = asyncio.create_task(door.post({"id": "1"}))
    await entered.wait()
    two = [asyncio.create_task(door.post({"id": f"{n}"})) for n in (2, 3)]
    while len(door.bot.recording.waiting) < 2:  # noqa: ASYNC110 - the queue makes no sound
        await asyncio.sleep(0)
    status, body = await door.post({"id": "4"})
    assert (status, body["error"], door.headers["Retry-After"]) == (429, "too_much_waiting", "2")
    gate.set()
    assert [status for status, _ in await asyncio.gather(first, *two)] == [200] * 3
    assert (await door.post({"id": "4"}))[0] == 200
    assert (await door.sums()).calls == 4


async def test_a_database_that_is_away_is_said_and_nothing_counts_twice(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 where it is not known to be written; sent again, it counts once."""
    record_all = Value.record_all
    away = OperationalError("", {}, OSError("gone"))

    async def gone(self: Value, *given: Any) -> Any:
        raise away

    monkeypatch.setattr(Value, "record_all", gone)
    status, body = await door.post({"id": "1"})
    assert (status, body["error"]) == (503, "database_away")
    assert "Retry-After" in door.headers
    monkeypatch.setattr(Value, "record_all", record_all)
    assert (await door.post({"id": "1"}))[1]["accepted"] == 1


async def test_whoever_waits_too_long_is_told_to_come_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer comes within seconds; what is written after it still counts once."""
    monkeypatch.setattr("handlers.recording.ANSWER_SECONDS", 0.05)
    gate = asyncio.Event()
    record_all = Value.record_all

    async def slow(self: Value, *given: Any) -> Any:
        await gate.wait()
        return await record_all(self, *given)

    monkeypatch.setattr(Value, "record_all", slow)
    assert (await door.post({"id": "1"}))[0] == 503
    gate.set()
    monkeypatch.setattr("handlers.recording.ANSWER_SECONDS", 10)
    assert (await door.post({"id": "1"}))[0] == 200
    assert (await door.sums()).calls == 1


async def test_one_projects_end_does_not_lose_anothers_events(
    door: Door, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """Requests share a transaction, not their fate."""
    async with door.storage.reading() as store:
        [token] = await store.event_tokens.of_project(door.project.workspace_id, door.project.id)
    gone = type(token)(99, token.workspace_id, 99, "gone", "x", "U1", clock())
    record, told = door.bot.recording.record, (await _told(clock), await _told(clock))
    results = await asyncio.gather(
        record(token, told[0]), record(gone, told[1]), record(token, told[1]), return_exceptions=True
    )
    assert [type(result).__name__ for result in results] == ["Recorded", "UnknownToken", "Recorded"]


async def _told(clock: FakeClock) -> Any:
    from handlers.recording_events import read_events

    clock.advance(seconds=1)
    return read_events(json.dumps({"id": str(clock())}).encode(), clock()).told


async def test_a_month_later_nothing_can_be_replayed(door: Door, clock: FakeClock) -> None:
    """The id of an event is kept for longer than the event itself is taken."""
    await door.post(A_CALL)
    clock.advance(days=29)
    assert (await door.post(A_CALL))[1]["repeated"] == 1
    clock.advance(days=2)
    assert (await door.post(A_CALL))[0] == 422
    async with door.storage.writing() as store:
        day = clock().date()
        await store.value.forget_before(day - timedelta(days=90), day - timedelta(days=35), day - timedelta(days=1098))
    assert (await door.post(A_CALL))[0] == 422


def test_both_addresses_are_served_without_a_door_for_slack(tmp_path: Path) -> None:
    """Slack may come by a socket; applications come by HTTP all the same."""
    served = addresses.routes(
        Settings.from_env({
            "SLACK_BOT_TOKEN": "-".join(("xoxb", "1")),
            "SLACK_APP_TOKEN": "-".join(("xapp", "1")),
            "FINOPS_KEYS": KeyRing.generate().to_text(),
            "DATABASE_URL": f"sqlite:///{tmp_path}/x",
        })
    )  # fmt: skip
    assert {"/v1/events", "/v1/traces"} <= {route.path for route in served}
