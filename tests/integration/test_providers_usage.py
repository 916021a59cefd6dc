"""OpenAI's usage, read from a real socket that answers in every way it has been seen to, and in some it should not."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from finops.secret import Secret
from finops.usage import COUNTS, Endpoint, UsageBucket, UsageReading, UsageRow, Width
from providers import openai_usage
from providers.contract import (
    CredentialRejected,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import ADMIN_KEY, error
from tests.integration.openai_world import IMPATIENT
from tests.integration.openai_world import http as http

KEY = Secret(ADMIN_KEY)
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MINUTE = int(START.timestamp()) // 60
WHO = {"project_id": "proj_a", "api_key_id": "key_a", "model": "gpt-5", "batch": False, "service_tier": "default"}
ROW = {**WHO, "user_id": "user-1", "input_tokens": 1000, "output_tokens": 50, "num_model_requests": 2}
Answer = Callable[[Mapping[str, str]], web.Response]


@dataclass
class UsageServer:
    """Answers each request with the next of `answers`, the last one again and again."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request.query)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[UsageServer]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("/v1"))
        try:
            yield self
        finally:
            await server.close()


def page(*buckets: Mapping[str, Any], next_page: str | None = None, **more: Any) -> Answer:
    body = {"object": "page", "data": list(buckets), "has_more": next_page is not None, "next_page": next_page, **more}
    return lambda _: web.json_response(body)


def bucket(minute: int, *rows: Mapping[str, Any], width: int = 1, **more: Any) -> dict[str, Any]:
    start = minute * 60
    return {"object": "bucket", "start_time": start, "end_time": start + width * 60, "results": list(rows), **more}


def text(body: str) -> Answer:
    return lambda _: web.Response(text=body, content_type="application/json")


@pytest.fixture
async def server() -> AsyncIterator[UsageServer]:
    async with UsageServer().running() as running:
        yield running


@pytest.fixture
def openai(server: UsageServer, http: httpx.AsyncClient, clock: FakeClock) -> OpenAI:
    return OpenAI(http, server.url, clock, IMPATIENT)


@pytest.fixture
def newly(server: UsageServer, http: httpx.AsyncClient, clock: FakeClock) -> Callable[[Answer], OpenAI]:
    """A provider that knows nothing yet of how it is answered, which is always so: again for each case."""

    def opened(answer: Answer) -> OpenAI:
        server.answers, server.asked = [answer], []
        return OpenAI(http, server.url, clock, IMPATIENT)

    return opened


async def read(openai: OpenAI, endpoint: Endpoint = Endpoint.COMPLETIONS, minutes: int = 5) -> UsageReading:
    return await openai.usage(KEY, endpoint, Width.MINUTE, START, START + timedelta(minutes=minutes))


def row_of(minute: int = MINUTE, **changes: Any) -> UsageRow:
    plain = UsageRow(
        minute,
        *("completions", "proj_a", "gpt-5", "key_a", "default"),
        is_batch=False,
        requests=2,
        input_tokens=1000,
        output_tokens=50,
    )
    return plain._replace(**changes)


# --- what is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (Width.MINUTE, ("1m", "2026-11-20T10:07+00:00", "2026-11-20T10:48+00:00", "41")),
        (Width.HOUR, ("1h", "2026-11-20T10:00+00:00", "2026-11-20T11:00+00:00", "1")),
        (Width.DAY, ("1d", "2026-11-20T00:00+00:00", "2026-11-21T00:00+00:00", "1")),
    ],
)
async def test_whole_buckets_are_asked_for(
    openai: OpenAI, server: UsageServer, width: Width, expected: tuple[str, str, str, str]
) -> None:
    """A time in the middle of a bucket, of any zone, asks for that bucket: half a bucket would be taken for a whole."""
    server.answers = [page()]
    seoul = timezone(timedelta(hours=9))
    start = START + timedelta(minutes=7, seconds=31)
    found = await openai.usage(
        KEY, Endpoint.COMPLETIONS, width, start.astimezone(seoul), start + timedelta(minutes=40, seconds=1)
    )
    query = server.asked[0].query
    asked = [datetime.fromtimestamp(int(query[name]), UTC) for name in ("start_time", "end_time")]
    assert (
        query["bucket_width"],
        *(moment.isoformat(timespec="minutes") for moment in asked),
        query["limit"],
    ) == expected
    assert [found.start, found.end] == [int(moment.timestamp()) // 60 for moment in asked]
    assert query.getall("group_by[]") == ["project_id", "api_key_id", "model", "batch", "service_tier"]


@pytest.mark.parametrize(("width", "most"), [(Width.MINUTE, "1440"), (Width.HOUR, "168"), (Width.DAY, "31")])
async def test_as_many_buckets_as_the_provider_allows_are_asked_for_at_once(
    openai: OpenAI, server: UsageServer, width: Width, most: str
) -> None:
    """A hundred days, in the fewest calls."""
    server.answers = [page()]
    await openai.usage(KEY, Endpoint.EMBEDDINGS, width, START, START + timedelta(days=100))
    assert server.asked[0].query["limit"] == most


async def test_no_time_asks_nothing_and_a_time_without_a_zone_is_refused(openai: OpenAI, server: UsageServer) -> None:
    """An empty span is an empty reading without a request."""
    found = await openai.usage(KEY, Endpoint.IMAGES, Width.MINUTE, START, START)
    assert found == UsageReading(Endpoint.IMAGES, Width.MINUTE, MINUTE, MINUTE, ())
    assert server.asked == []
    with pytest.raises(ValueError, match="aware"):
        await openai.usage(KEY, Endpoint.IMAGES, Width.MINUTE, START.replace(tzinfo=None), START)


async def test_only_an_admin_key_is_sent(openai: OpenAI, server: UsageServer) -> None:
    """A project's key opens nothing here, so it does not travel."""
    with pytest.raises(CredentialRejected):
        await openai.usage(Secret("sk-proj-" + "a" * 40), Endpoint.IMAGES, Width.HOUR, START, START)
    assert server.asked == []


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "ignores"])
async def test_the_spelling_of_arrays_is_found_out_by_door_and_remembered(
    openai: OpenAI, server: UsageServer, refuses: bool
) -> None:
    """Where brackets are refused or ignored, the bare spelling is tried once and kept; other doors begin with it."""

    def answer(query: Mapping[str, str]) -> web.Response:
        if "group_by" in query:
            return page(bucket(MINUTE, ROW))(query)
        if refuses:
            return error(400, "Unknown parameter", code="unknown_parameter")
        return page(bucket(MINUTE, ROW | dict.fromkeys(WHO)))(query)

    server.answers = [answer]
    assert (await read(openai)).buckets == (UsageBucket(MINUTE, (row_of(),)),)
    assert (await read(openai)).buckets == (UsageBucket(MINUTE, (row_of(),)),)
    await read(openai, Endpoint.MODERATIONS)
    assert ["group_by" in request.query for request in server.asked] == [False, True, True, True]


async def test_rows_that_have_no_names_are_kept_without(openai: OpenAI, server: UsageServer) -> None:
    """Asked once in the other spelling; then it is known that nobody can be named. No name is ''."""
    server.answers = [page(bucket(MINUTE, ROW | dict.fromkeys(WHO)))]
    nameless = row_of(sub_account_id="", model="", api_key_id="", service_tier="")
    assert (await read(openai)).buckets == (UsageBucket(MINUTE, (nameless,)),)
    await read(openai)
    assert ["group_by" in request.query for request in server.asked] == [False, True, False]


# --- what is understood ----------------------------------------------------------------------------------------------


async def test_every_count_finds_its_place(openai: OpenAI, server: UsageServer) -> None:
    """The example of OpenAI's specification, which tells every field; who the person was is not kept."""
    example = {
        **WHO,
        "object": "organization.usage.completions.result",
        "input_tokens": 5000,
        "input_cached_tokens": 1800,
        "input_cache_write_tokens": 200,
        "input_uncached_tokens": 3000,
        "output_tokens": 1000,
        "input_text_tokens": 2500,
        "output_text_tokens": 800,
        "input_cached_text_tokens": 1500,
        "input_audio_tokens": 300,
        "input_cached_audio_tokens": 100,
        "output_audio_tokens": 110,
        "input_image_tokens": 210,
        "input_cached_image_tokens": 220,
        "output_image_tokens": 120,
        "num_model_requests": 5,
        "user_id": "user-abc",
        "batch": True,
        "service_tier": "flex",
    }
    server.answers = [page(bucket(MINUTE, example))]
    (row,) = (await read(openai)).buckets[0].rows
    assert row == UsageRow(
        MINUTE,
        *("completions", "proj_a", "gpt-5", "key_a", "flex"),
        is_batch=True,
        requests=5,
        input_tokens=5000,
        cached_input_tokens=1800,
        cache_write_tokens=200,
        output_tokens=1000,
        audio_input_tokens=300,
        cached_audio_input_tokens=100,
        audio_output_tokens=110,
        image_input_tokens=210,
        cached_image_input_tokens=220,
        image_output_tokens=120,
    )
    assert "user-abc" not in str(row)


DOORS: list[tuple[Endpoint, dict[str, int], dict[str, int]]] = [
    (Endpoint.EMBEDDINGS, {"input_tokens": 7, "num_model_requests": 3}, {"requests": 3, "input_tokens": 7}),
    (Endpoint.MODERATIONS, {"input_tokens": 7, "num_model_requests": 3}, {"requests": 3, "input_tokens": 7}),
    (Endpoint.IMAGES, {"images": 7, "num_model_requests": 3}, {"requests": 3, "quantity": 7}),
    (Endpoint.AUDIO_SPEECHES, {"characters": 7, "num_model_requests": 3}, {"requests": 3, "quantity": 7}),
    (Endpoint.AUDIO_TRANSCRIPTIONS, {"seconds": 7, "num_model_requests": 3}, {"requests": 3, "quantity": 7}),
    (Endpoint.VECTOR_STORES, {"usage_bytes": 3 * 2**30}, {"quantity": 3 * 1024}),
    (Endpoint.CODE_INTERPRETER_SESSIONS, {"num_sessions": 7}, {"quantity": 7}),
    (Endpoint.FILE_SEARCH_CALLS, {"num_requests": 7}, {"quantity": 7}),
    (Endpoint.WEB_SEARCH_CALLS, {"num_requests": 7, "num_model_requests": 3}, {"requests": 3, "quantity": 7}),
]


async def test_each_door_counts_in_its_own_way(
    server: UsageServer, newly: Callable[[Answer], OpenAI], subtests: pytest.Subtests
) -> None:
    """Images, characters, seconds, bytes, sessions and calls are quantities; requests are requests."""
    for endpoint, told, expected in DOORS:
        with subtests.test(endpoint.value):
            openai = newly(page(bucket(MINUTE, {"project_id": "proj_a", **told})))
            (row,) = (await read(openai, endpoint)).buckets[0].rows
            assert (row.endpoint, row.sub_account_id) == (endpoint, "proj_a")
            assert {name: getattr(row, name) for name in COUNTS if getattr(row, name)} == expected
            assert server.asked[0].path == f"/v1/organization/usage/{endpoint}"


@pytest.mark.parametrize("width", list(Width))
async def test_stored_bytes_count_for_as_long_as_they_were_stored(
    openai: OpenAI, server: UsageServer, width: Width
) -> None:
    """Minutes of an hour add up to that hour."""
    server.answers = [page(bucket(MINUTE // width * width, {"project_id": "p", "usage_bytes": 2**30}, width=width))]
    found = await openai.usage(KEY, Endpoint.VECTOR_STORES, width, START, START + timedelta(minutes=1))
    assert [row.quantity for bucket in found.buckets for row in bucket.rows] == [1024 * width]


async def test_what_is_null_or_unknown_is_tolerated(openai: OpenAI, server: UsageServer) -> None:
    """Old organizations tell fewer fields, new ones more; a blank row and a null list say that nothing was used."""
    sparse = {"input_tokens": 10, "output_tokens": None, "model": None, "api_key_id": "", "of_tomorrow": {"a": [1]}}
    blank = {"input_tokens": None, "output_tokens": None, "project_id": None}
    server.answers = [
        page(
            bucket(MINUTE, sparse, blank, start_time_iso="2026-11-20"),
            {"start_time": (MINUTE + 1) * 60, "end_time": None, "result": [ROW]},
            {"start_time": (MINUTE + 2) * 60, "results": None},
            bucket(MINUTE + 3, blank),
            of_tomorrow=1,
        )
    ]
    found = await read(openai)
    nameless = UsageRow(MINUTE, "completions", "", "", "", "", is_batch=False, input_tokens=10)
    assert found.buckets == (
        UsageBucket(MINUTE, (nameless,)),
        UsageBucket(MINUTE + 1, (row_of(MINUTE + 1),)),
        UsageBucket(MINUTE + 2, ()),
        UsageBucket(MINUTE + 3, ()),
    )


async def test_whole_numbers_may_be_spelled_with_a_point(openai: OpenAI, server: UsageServer) -> None:
    """59200.0 is 59200, as in OpenAI's own exports; it never passes through a sum of floats."""
    server.answers = [page(bucket(MINUTE, ROW | {"input_tokens": 59200.0, "num_model_requests": 10.0}))]
    (row,) = (await read(openai)).buckets[0].rows
    assert (row.input_tokens, row.requests) == (59200, 10)
    assert type(row.input_tokens) is int


async def test_groups_told_twice_add_up(openai: OpenAI, server: UsageServer) -> None:
    """Rows that differ only in what we do not ask for, such as the person, are both real."""
    server.answers = [page(bucket(MINUTE, ROW, ROW | {"user_id": "user-2", "input_tokens": 5}, ROW | {"batch": True}))]
    assert (await read(openai)).buckets[0].rows == (
        row_of(requests=4, input_tokens=1005, output_tokens=100),
        row_of(is_batch=True),
    )


async def test_of_a_bucket_told_twice_the_later_telling_counts(openai: OpenAI, server: UsageServer) -> None:
    """While pages are read the provider goes on counting; adding both would pay twice."""
    later = ROW | {"input_tokens": 3000}
    server.answers = [
        page(bucket(MINUTE + 1, ROW), bucket(MINUTE, ROW), next_page="two"),
        page(bucket(MINUTE + 1, later), bucket(MINUTE + 2)),
    ]
    assert (await read(openai)).buckets == (
        UsageBucket(MINUTE, (row_of(),)),
        UsageBucket(MINUTE + 1, (row_of(MINUTE + 1, input_tokens=3000),)),
        UsageBucket(MINUTE + 2, ()),
    )
    assert server.asked[1].query["page"] == "two"


async def test_a_bucket_not_told_of_is_not_there_and_one_not_asked_for_is_left_out(
    openai: OpenAI, server: UsageServer
) -> None:
    """Missing is not empty: whoever keeps usage must not erase what it holds."""
    server.answers = [page(bucket(MINUTE - 1, ROW), bucket(MINUTE + 3, ROW), bucket(MINUTE + 5, ROW))]
    assert [one.start for one in (await read(openai)).buckets] == [MINUTE + 3]


async def test_a_real_month_is_read_to_the_last_token(openai: OpenAI, server: UsageServer) -> None:
    """OpenAI's own published answer: 31 days, its first bucket cut where the question began, which was mid-day."""
    body = (Path(__file__).parents[1] / "data" / "openai_cookbook_usage_page.json").read_text("utf-8")
    server.answers = [text(body.replace('"start_time":1736616660', '"start_time":1736553600'))]
    found = await openai.usage(
        KEY, Endpoint.COMPLETIONS, Width.DAY, datetime(2025, 1, 11, tzinfo=UTC), datetime(2025, 2, 11, tzinfo=UTC)
    )
    rows = [row for bucket in found.buckets for row in bucket.rows]
    assert len(found.buckets) == 31
    assert sum(row.input_tokens for row in rows) == 16_951_009
    assert sum(row.output_tokens for row in rows) == 729_421
    assert sum(row.cached_input_tokens for row in rows) == 168_128
    assert sum(row.requests for row in rows) == 19_347


# --- what is refused -------------------------------------------------------------------------------------------------


NONSENSE: list[tuple[Answer, str]] = [
    (page(bucket(MINUTE, ROW | {"input_tokens": -1})), "/data/0/results/0/input_tokens"),
    (page(bucket(MINUTE, ROW, ROW | {"output_tokens": 0.5})), "/data/0/results/1/output_tokens"),
    (page(bucket(MINUTE, ROW | {"num_model_requests": 10**30})), "/data/0/results/0/num_model_requests"),
    (page(bucket(MINUTE, ROW | {"input_cached_tokens": 2**60})), "/data/0/results/0/input_cached_tokens"),
    (page(bucket(MINUTE, ROW | {"model": 5})), "/data/0/results/0/model"),
    (page(bucket(MINUTE, ROW | {"batch": "perhaps"})), "/data/0/results/0/batch"),
    (page(bucket(MINUTE, {"project_id": "proj_a"})), "/data/0/results/0/input_tokens"),
    (page(bucket(MINUTE, ROW | {"project_id": "a\0b"})), ""),
    (page({"start_time": MINUTE * 60}), "/data/0/results"),
    (page(bucket(MINUTE) | {"start_time": MINUTE * 60 + 1}), "/data/0/start_time"),
    (page(bucket(MINUTE, width=2)), "/data/0/end_time"),
    (page(bucket(MINUTE) | {"end_time": MINUTE * 60}), "/data/0/end_time"),
    (page(bucket(MINUTE) | {"results": {}}), "/data/0/results"),
    (page(has_more=True), "/next_page"),
    (page(next_page="again"), "/next_page"),
    (text('{"data": 5}'), "/data"),
    (text("[]"), ""),
    (text("<html>"), ""),
    (text(json.dumps({"code": 404, "message": "no"})), "/data"),
]


async def test_nonsense_is_refused_and_the_place_is_told(
    newly: Callable[[Answer], OpenAI], subtests: pytest.Subtests
) -> None:
    """Nothing of such an answer is used: usage half read is usage misread. What stood there is not repeated."""
    for number, (answer, pointer) in enumerate(NONSENSE):
        with subtests.test(number=number, pointer=pointer):
            with pytest.raises(UnexpectedResponse) as caught:
                await read(newly(answer))
            assert caught.value.pointer == pointer
            assert "proj_a" not in str(caught.value)


async def test_a_row_of_another_family_is_refused(openai: OpenAI, server: UsageServer) -> None:
    """Images without images are something else."""
    server.answers = [page(bucket(MINUTE, ROW))]
    with pytest.raises(UnexpectedResponse) as caught:
        await read(openai, Endpoint.IMAGES)
    assert caught.value.pointer == "/data/0/results/0/images"


async def test_pages_that_never_end_are_ended(openai: OpenAI, server: UsageServer) -> None:
    """Ever new cursors and never a bucket: we ask no more often than there are buckets."""
    count = iter(range(10**6))
    server.answers = [lambda query: page(next_page=f"page_{next(count)}")(query)]
    with pytest.raises(UnexpectedResponse):
        await read(openai, minutes=5)
    assert len(server.asked) <= 7


REFUSALS: list[tuple[Answer, type[ProviderError], int]] = [
    (lambda _: error(401, "Incorrect API key provided", code="invalid_api_key"), CredentialRejected, 1),
    (lambda _: error(403, "Missing scopes: api.usage.read"), CredentialRejected, 1),
    (lambda _: error(404, "no such thing"), UnexpectedResponse, 1),
    (lambda _: error(429, "slow down", code="rate_limit_exceeded"), RateLimited, 3),
    (lambda _: error(429, "slow down", headers={"Retry-After": "3600"}), RateLimited, 1),
    (lambda _: error(429, "out of money", code="insufficient_quota"), RateLimited, 1),
    (lambda _: web.json_response({"code": 429, "message": "slow down"}, status=429), RateLimited, 3),
    (lambda _: error(500, "sorry"), Unavailable, 3),
    (lambda _: web.Response(status=502, text="<html>"), Unavailable, 3),
]


async def test_every_refusal_has_its_error_and_its_patience(
    server: UsageServer, newly: Callable[[Answer], OpenAI], subtests: pytest.Subtests
) -> None:
    """What may pass is tried again within bounds; what will not is told at once."""
    for number, (answer, expected, tries) in enumerate(REFUSALS):
        with subtests.test(number=number, expected=expected.__name__):
            with pytest.raises(expected):
                await read(newly(answer))
            assert len(server.asked) == tries


async def test_trouble_on_the_way_is_not_seen(openai: OpenAI, server: UsageServer) -> None:
    """One 503 between two pages, and the reading is whole."""
    server.answers = [
        page(bucket(MINUTE, ROW), next_page="two"),
        lambda _: error(503, "sorry"),
        page(bucket(MINUTE + 1, ROW)),
    ]
    assert [one.start for one in (await read(openai)).buckets] == [MINUTE, MINUTE + 1]


# --- besides ---------------------------------------------------------------------------------------------------------


async def test_a_large_answer_is_decoded_beside_the_event_loop(
    openai: OpenAI, server: UsageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is waiting for an acknowledgement meanwhile."""
    where: list[bool] = []

    def watched(*args: Any) -> tuple[UsageRow, ...]:
        where.append(threading.current_thread() is threading.main_thread())
        return rows_of(*args)

    rows_of = openai_usage.rows_of
    monkeypatch.setattr(openai_usage, "rows_of", watched)
    large = [ROW | {"api_key_id": f"key_{n}"} for n in range(1000)]
    server.answers = [page(bucket(MINUTE, *large), next_page="two"), page(bucket(MINUTE + 1, ROW))]
    found = await read(openai)
    assert [len(one.rows) for one in found.buckets] == [1000, 1]
    assert where == [False, True]


async def test_the_providers_clock_is_noticed(openai: OpenAI, server: UsageServer, clock: FakeClock) -> None:
    """Behind by minutes, ours would look for usage of minutes that have not come, or miss the newest."""
    assert openai.skew is None

    def dated(date: str) -> Answer:
        return lambda query: _with_date(page()(query), date)

    ahead = clock() + timedelta(minutes=7)
    for date, expected in [
        (ahead.strftime("%a, %d %b %Y %H:%M:%S GMT"), timedelta(minutes=7)),
        ("yesterday", timedelta(minutes=7)),
        (clock().strftime("%a, %d %b %Y %H:%M:%S GMT"), timedelta()),
    ]:
        server.answers = [dated(date)]
        await read(openai)
        assert openai.skew == expected


def _with_date(response: web.Response, date: str) -> web.Response:
    response.headers["Date"] = date
    return response
