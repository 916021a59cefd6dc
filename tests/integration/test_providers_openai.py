"""OpenAI's bill, read from a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import product

import httpx
import pytest
from aiohttp import web

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from providers import PROVIDERS
from providers.contract import Provider, ProviderError, UnexpectedResponse
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import Line, OpenAIServer, always, days_from
from tests.integration.openai_world import FIRST, KEY, bill, whole
from tests.integration.openai_world import http as http
from tests.integration.openai_world import newly as newly
from tests.integration.openai_world import openai as openai
from tests.integration.openai_world import server as server


async def test_every_day_of_the_period_is_told_once_and_to_the_last_digit(openai: OpenAI, server: OpenAIServer) -> None:
    """Both spellings of a number keep every digit, and a day without rows is told as empty, not left out."""
    server.lines = [Line(FIRST, "0.10000000000000000555"), Line(date(2026, 6, 2), '"0.0600000000000000000001"')]
    server.lines.append(Line(date(2026, 5, 31), "99"))
    days = await bill(openai, Period(FIRST, date(2026, 6, 4)))
    assert days == [
        ChargedDay(FIRST, (Charge(FIRST, "proj_a", "gpt-5, input", Decimal("0.10000000000000000555")),)),
        ChargedDay(
            date(2026, 6, 2),
            (Charge(date(2026, 6, 2), "proj_a", "gpt-5, input", Decimal("0.0600000000000000000001")),),
        ),
        ChargedDay(date(2026, 6, 3), ()),
    ]


async def test_all_pages_are_read_however_the_provider_cuts_them(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Page size and direction are the provider's business: the bill is the same."""
    server.lines = [Line(day, f"{n}.25") for n, day in enumerate(days_from(FIRST, 20))]
    for buckets_per_page, newest_first in product((1, 2, 5, None), (False, True)):
        with subtests.test(buckets_per_page=buckets_per_page, newest_first=newest_first):
            server.buckets_per_page, server.newest_first = buckets_per_page, newest_first
            days = await bill(newly(), Period(FIRST, date(2026, 6, 21)))
            assert sorted(day.day for day in days) == days_from(FIRST, 20)
            assert whole(days) == Decimal("195.00")


async def test_a_period_of_no_days_asks_nothing(openai: OpenAI, server: OpenAIServer) -> None:
    """An empty period is an empty bill without a request."""
    assert await bill(openai, Period(FIRST, FIRST)) == []
    assert server.asked == []


async def test_the_spelling_of_arrays_is_found_out_and_remembered(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """Ignored or refused, the other spelling is tried once, kept, and the bill comes back grouped."""
    server.lines = [Line(day, "1", f"proj_{n}") for n, day in enumerate(days_from(FIRST, 14))]
    for spelling, refuses_other in product(("group_by", "group_by[]"), (False, True)):
        with subtests.test(spelling=spelling, refuses_other=refuses_other):
            server.spelling, server.refuses_other_spelling = spelling, refuses_other
            days = await bill(newly(), Period(FIRST, date(2026, 6, 15)))
            told = [charge.sub_account_id for day in days for charge in day.charges]
            assert told == [f"proj_{n}" for n in range(14)]
            wrong = [request for request in server.asked if spelling not in request.query]
            assert len(wrong) == (1 if spelling == "group_by" else 0)


async def test_a_missing_grouping_is_noticed_on_a_later_page_too(openai: OpenAI, server: OpenAIServer) -> None:
    """When the first pages are empty nothing can be told from them; no day is told twice all the same."""
    server.spelling, server.buckets_per_page = "group_by", 2
    server.lines = [Line(date(2026, 6, 5), "7.5", "proj_late")]
    days = await bill(openai, Period(FIRST, date(2026, 6, 8)))
    assert [day.day for day in days] == days_from(FIRST, 7)
    assert [charge.sub_account_id for day in days for charge in day.charges] == ["proj_late"]


async def test_costs_of_nobody_are_kept_as_nobodys(openai: OpenAI, server: OpenAIServer) -> None:
    """Rows that have no project and no line item whatever we ask are money without an owner; we ask twice only once."""
    server.lines = [Line(day, "2", None, None) for day in days_from(FIRST, 14)]
    days = await bill(openai, Period(FIRST, date(2026, 6, 15)))
    assert whole(days) == 28
    assert {charge.sub_account_id for day in days for charge in day.charges} == {None}
    assert len(server.asked) == 3


async def test_a_day_told_twice_is_refused(openai: OpenAI, server: OpenAIServer) -> None:
    """Each telling replaces the day, so half a day could pass for a whole one."""
    bucket = '{"start_time":1780272000,"end_time":1780358400,"results":[]}'
    server.faults = [always(lambda: web.Response(text=f'{{"data":[{bucket},{bucket}],"has_more":false}}'))]
    with pytest.raises(UnexpectedResponse) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 8)))
    assert caught.value.pointer == "/data/1"


async def test_pages_that_run_in_a_circle_are_refused(openai: OpenAI, server: OpenAIServer) -> None:
    """A cursor that comes back would keep us reading for ever."""
    server.faults = [always(lambda: web.Response(text='{"data":[],"has_more":true,"next_page":"page_a"}'))] * 3
    with pytest.raises(UnexpectedResponse, match="circle"):
        await bill(openai, Period(FIRST, date(2026, 6, 8)))


async def test_a_bill_of_ever_new_pages_is_ended(openai: OpenAI, server: OpenAIServer) -> None:
    """Ever new cursors and never a day: we ask no more often than there are days."""
    pages = (f'{{"data":[],"has_more":true,"next_page":"page_{number}"}}' for number in range(10**6))
    server.faults = [always(lambda: web.Response(text=next(pages)))] * 1_000
    with pytest.raises(UnexpectedResponse, match="circle"):
        await bill(openai, Period(FIRST, date(2026, 6, 8)))
    assert len(server.asked) <= 9


async def test_a_list_of_ever_new_pages_is_ended(
    openai: OpenAI, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same projects under ever new cursors: no more pages are asked for than anybody has."""
    monkeypatch.setattr("providers.openai_door.MOST_PAGES", 20)
    item = '{"id":"proj_a","name":"a"}'
    pages = (f'{{"data":[{item}],"has_more":true,"last_id":"cursor_{number}"}}' for number in range(10**6))
    server.faults = [always(lambda: web.Response(text=next(pages)))] * 1_000
    with pytest.raises(UnexpectedResponse, match="circle"):
        _ = [project async for project in openai.projects(KEY)]
    assert len(server.asked) <= 21


async def test_an_empty_page_is_not_the_end_of_a_list_that_goes_on(openai: OpenAI, server: OpenAIServer) -> None:
    """What was filtered leaves a page empty; a list that breaks off is not told as if it were whole."""
    empty = '{"data":[],"has_more":true,"last_id":"proj_9"}'
    last = '{"data":[{"id":"proj_b","name":"b"}],"has_more":false}'
    server.faults = [always(lambda: web.Response(text=empty)), always(lambda: web.Response(text=last))]
    assert [project.id async for project in openai.projects(KEY)] == ["proj_b"]
    assert server.asked[-1].query["after"] == "proj_9"
    server.faults = [always(lambda: web.Response(text='{"data":[],"has_more":true}'))]
    with pytest.raises(UnexpectedResponse) as caught:
        _ = [project async for project in openai.projects(KEY)]
    assert caught.value.pointer == "/data"


def day_with(row: str) -> str:
    """A page of one day of one row; grouped, so that the grouping is not what is wrong with it."""
    return f'{{"data":[{{"start_time":1780272000,"results":[{{"project_id":"p","line_item":"l",{row}}}]}}]}}'


NONSENSE = [
    ("", ""),
    ("<html>not JSON</html>", ""),
    ("[]", ""),
    ('{"error":{"message":"x"}}', "/data"),
    ('{"data":[{"start_time":1780272000}]}', "/data/0/results"),
    ('{"data":[{"start_time":1780272000,"results":null}]}', "/data/0/results"),
    ('{"data":[{"start_time":1780272001,"results":[]}]}', "/data/0/start_time"),
    ('{"data":[{"start_time":"1780272000","results":[]}]}', "/data/0/start_time"),
    ('{"data":[{"start_time":1780272000,"end_time":1780272000,"results":[]}]}', "/data/0/end_time"),
    ('{"data":[{"start_time":1780272000,"end_time":1780300000,"results":[]}]}', "/data/0/end_time"),
    ('{"data":[{"start_time":1780272000,"end_time":1780444800,"results":[]}]}', "/data/0/end_time"),
    (day_with('"amount":null'), "/data/0/results/0/amount"),
    (day_with('"quantity":3'), "/data/0/results/0/amount"),
    (day_with('"amount":{"value":1}'), "/data/0/results/0/amount/currency"),
    *(
        (day_with(f'"amount":{{"value":{value},"currency":"usd"}}'), "/data/0/results/0/amount/value")
        for value in ("null", "true", '"12,50"', '"NaN"', '"Infinity"', "1e999999", "9000000000", '""', "[]")
    ),
    (day_with('"amount":{"value":1,"currency":"dollars"}'), "/data/0/results/0/amount/currency"),
    *(
        (day_with(f'"amount":{{"value":1,"currency":"usd"}},"quantity":{quantity}'), "/data/0/results/0/quantity")
        for quantity in ('"NaN"', '"-Infinity"', "1e400000000", "-1e24")
    ),
    (day_with('"amount":{"value":1,"currency":"usd"},"quantity_unit":"a\\u0000b"'), "/data/0/results"),
    ('{"data":' + "[" * 100_000, "/data/0"),
]


async def test_nonsense_is_refused_and_the_place_is_named(
    server: OpenAIServer, newly: Callable[[], OpenAI], subtests: pytest.Subtests
) -> None:
    """A bill half understood is a bill misread."""
    for body, pointer in NONSENSE:
        with subtests.test(body[-70:]):
            server.faults = [always(partial(web.Response, text=body, headers={"x-request-id": "req_9"}))]
            with pytest.raises(UnexpectedResponse) as caught:
                await bill(newly(), Period(FIRST, date(2026, 6, 8)))
            if not body.endswith("["):
                assert caught.value.pointer == pointer
            assert caught.value.reference == "req_9"
            assert len(server.asked) == 1, "nonsense is not asked for again"


async def test_the_running_day_may_end_now(openai: OpenAI, server: OpenAIServer, clock: FakeClock) -> None:
    """A bucket that is shorter than a day is a day only while that day is still running."""
    clock.moment = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    body = '{"data":[{"start_time":1780272000,"end_time":1780300000,"results":[]}]}'
    server.faults = [always(lambda: web.Response(text=body))]
    assert await bill(openai, Period(FIRST, date(2026, 6, 2))) == [ChargedDay(FIRST, ())]


async def test_big_days_are_read_off_the_loop_and_pages_shrink(
    openai: OpenAI, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a week is large, the next page asks for fewer days; what is read stays the same."""
    monkeypatch.setattr("providers.openai.PAGE_BYTES", 400_000)
    server.lines = [Line(day, "0.01", f"proj_{n:04}") for day in days_from(FIRST, 14) for n in range(400)]
    days = await bill(openai, Period(FIRST, date(2026, 6, 15)))
    assert whole(days) == Decimal("56.00")
    assert [int(request.query["limit"]) for request in server.asked] == [7, 3, 3, 1]


async def test_stopping_half_way_leaves_the_client_usable(openai: OpenAI, server: OpenAIServer) -> None:
    """Whoever stops listening, or is cancelled while waiting, leaves nothing behind."""
    server.lines = [Line(day, "1") for day in days_from(FIRST, 7)]
    reading = openai.charges(KEY, Period(FIRST, date(2026, 6, 8)))
    assert (await anext(reading)).day == FIRST
    await reading.aclose()  # type: ignore[attr-defined]
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await never.wait()
        return web.Response()

    server.faults = [hang]
    task = asyncio.create_task(bill(openai, Period(FIRST, date(2026, 6, 8))))
    await asyncio.wait_for(arrived.wait(), 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    never.set()
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 8)))) == 7


def test_every_provider_keeps_the_contract(http: httpx.AsyncClient, clock: FakeClock) -> None:
    """The registry opens each provider in the same way, and it calls itself by its name."""
    for name, opened in PROVIDERS.items():
        provider: Provider = opened(http, "http://127.0.0.1:1", clock)
        assert provider.name == name
    assert not issubclass(ProviderError, httpx.HTTPError)
