"""OpenAI's bill, projects and keys, read from a real socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest
from aiohttp import web

from finops.charges import Charge, ChargedDay
from finops.periods import Period
from finops.secret import Secret
from providers import PROVIDERS
from providers.contract import (
    MANAGEMENT_READ,
    MANAGEMENT_WRITE,
    USAGE_READ,
    CredentialReason,
    CredentialRejected,
    Provider,
    ProviderError,
    ProviderProject,
    RateLimited,
    Unavailable,
    UnexpectedResponse,
)
from providers.http import RetryPolicy, http_client
from providers.openai import OpenAI
from tests.conftest import FakeClock
from tests.integration.openai_server import ADMIN_KEY, Line, OpenAIServer, always, days_from, error

KEY = Secret(ADMIN_KEY)
FIRST = date(2026, 6, 1)
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
IMPATIENT = RetryPolicy(attempts=3, budget=2.0, wait_initial=0.001, wait_max=0.002, wait_jitter=0.001)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # No TLS here: loading the system's certificates for every test would take most of the time.
    async with http_client(plaintext_hosts={"127.0.0.1"}, timeout=5, tls=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture
def openai(server: OpenAIServer, http: httpx.AsyncClient, clock: FakeClock) -> OpenAI:
    return OpenAI(http, server.url, clock, IMPATIENT)


async def bill(openai: Provider, period: Period) -> list[ChargedDay]:
    return [day async for day in openai.charges(KEY, period)]


def whole(days: list[ChargedDay]) -> Decimal:
    return sum((charge.billed_cost for day in days for charge in day.charges), Decimal(0))


# --- the bill --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("buckets_per_page", [1, 2, 5, None])
@pytest.mark.parametrize("newest_first", [False, True])
async def test_all_pages_are_read_however_the_provider_cuts_them(
    openai: OpenAI, server: OpenAIServer, buckets_per_page: int | None, newest_first: bool
) -> None:
    """Page size and direction are the provider's business: the bill is the same."""
    server.buckets_per_page, server.newest_first = buckets_per_page, newest_first
    server.lines = [Line(day, f"{n}.25") for n, day in enumerate(days_from(FIRST, 20))]
    days = await bill(openai, Period(FIRST, date(2026, 6, 21)))
    assert sorted(day.day for day in days) == days_from(FIRST, 20)
    assert whole(days) == Decimal("195.00")


async def test_a_period_of_no_days_asks_nothing(openai: OpenAI, server: OpenAIServer) -> None:
    """An empty period is an empty bill without a request."""
    assert await bill(openai, Period(FIRST, FIRST)) == []
    assert server.asked == []


@pytest.mark.parametrize("spelling", ["group_by", "group_by[]"])
@pytest.mark.parametrize("refuses_other", [False, True])
async def test_the_spelling_of_arrays_is_found_out_and_remembered(
    openai: OpenAI, server: OpenAIServer, spelling: str, refuses_other: bool
) -> None:
    """Ignored or refused, the other spelling is tried once, kept, and the bill comes back grouped."""
    server.spelling, server.refuses_other_spelling = spelling, refuses_other
    server.lines = [Line(day, "1", f"proj_{n}") for n, day in enumerate(days_from(FIRST, 14))]
    days = await bill(openai, Period(FIRST, date(2026, 6, 15)))
    assert [charge.sub_account_id for day in days for charge in day.charges] == [f"proj_{n}" for n in range(14)]
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


def day_with(row: str) -> str:
    """A page of one day of one row; grouped, so that the grouping is not what is wrong with it."""
    return f'{{"data":[{{"start_time":1780272000,"results":[{{"project_id":"p","line_item":"l",{row}}}]}}]}}'


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
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
        (day_with('"amount":{"value":1,"currency":"usd"},"quantity":"NaN"'), "/data/0/results/0/quantity"),
        (day_with('"amount":{"value":1,"currency":"usd"},"quantity_unit":"a\\u0000b"'), "/data/0/results"),
        ('{"data":' + "[" * 100_000, "/data/0"),
    ],
    ids=lambda value: value[-70:] if isinstance(value, str) else None,
)
async def test_nonsense_is_refused_and_the_place_is_named(
    openai: OpenAI, server: OpenAIServer, body: str, pointer: str
) -> None:
    """A bill half understood is a bill misread."""
    server.faults = [always(lambda: web.Response(text=body, headers={"x-request-id": "req_9"}))]
    with pytest.raises(UnexpectedResponse) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 8)))
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


# --- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "code", "reason", "scope"),
    [
        (401, "Incorrect API key provided: sk-admi***abc1.", "invalid_api_key", CredentialReason.INVALID, None),
        (401, "Your IP is not authorized to use this key.", "ip_not_authorized", CredentialReason.IP_NOT_ALLOWED, None),
        (
            403,
            "You have insufficient permissions for this operation. Missing scopes: api.usage.read.",
            None,
            CredentialReason.MISSING_SCOPE,
            "api.usage.read",
        ),
        (401, "Missing scopes: api.usage.read, api.x", None, CredentialReason.MISSING_SCOPE, "api.usage.read"),
        (403, "Country, region, or territory not supported", "unsupported_country_region_territory",
         CredentialReason.IP_NOT_ALLOWED, None),
        (403, "Forbidden", None, CredentialReason.MISSING_SCOPE, None),
    ],
)  # fmt: skip
async def test_a_refused_key_says_why(
    openai: OpenAI,
    server: OpenAIServer,
    status: int,
    message: str,
    code: str | None,
    reason: CredentialReason,
    scope: str | None,
) -> None:
    """Each reason has its own advice, and none is tried again."""
    server.faults = [always(lambda: error(status, message, code=code))]
    with pytest.raises(CredentialRejected) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert (caught.value.reason, caught.value.scope) == (reason, scope)
    assert caught.value.reference == "req_7"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body", ["", '{"error":"forbidden"}', '{"code":403,"message":"no"}', "<html>", '{"error":null}']
)
async def test_a_gateway_in_between_may_word_its_refusal_as_it_likes(
    openai: OpenAI, server: OpenAIServer, body: str
) -> None:
    """Only the status is certain."""
    server.faults = [always(lambda: web.Response(status=403, text=body))]
    with pytest.raises(CredentialRejected):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


@pytest.mark.parametrize(
    "code",
    [
        "credit_balance_exhausted",
        "organization_usage_limit_exceeded",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "insufficient_quota",
    ],
)
async def test_a_used_up_limit_is_not_asked_again(openai: OpenAI, server: OpenAIServer, code: str) -> None:
    """Waiting does not help against these."""
    server.faults = [always(lambda: error(429, "You exceeded your current quota", code=code))]
    with pytest.raises(RateLimited) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert (caught.value.is_final, caught.value.code) == (True, code)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_passing_trouble_is_tried_again(openai: OpenAI, server: OpenAIServer, status: int) -> None:
    """Two failures and an answer are an answer."""
    server.lines = [Line(FIRST, "3")]
    server.faults = [always(lambda: error(status, "later", code="slow_down"))] * 2
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 2)))) == 3
    assert len(server.asked) == 3


async def test_lasting_trouble_is_told_after_a_bounded_number_of_tries(openai: OpenAI, server: OpenAIServer) -> None:
    """We insist, and then we say so."""
    server.faults = [always(lambda: error(503, "overloaded"))] * 9
    with pytest.raises(Unavailable) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert caught.value.reference == "req_7"
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [301, 302, 307, 404, 418])
async def test_answers_nobody_promised_are_unexpected(openai: OpenAI, server: OpenAIServer, status: int) -> None:
    """A redirect is not followed: the key goes where it was sent and nowhere else."""
    server.faults = [always(lambda: web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"}))]
    with pytest.raises(UnexpectedResponse):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert len(server.asked) == 1


async def test_a_query_refused_in_both_spellings_is_unexpected(openai: OpenAI, server: OpenAIServer) -> None:
    """400 is about our question, not about the key or the hour."""
    server.faults = [always(lambda: error(400, "Invalid type for 'start_time'.", code="invalid_type"))] * 2
    with pytest.raises(UnexpectedResponse, match="invalid_type"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert len(server.asked) == 2


async def test_an_answer_cut_off_is_tried_again_and_never_half_used(openai: OpenAI, server: OpenAIServer) -> None:
    """A body shorter than promised is no body."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"data":[{"start_time":1780272000,"results":[{"amount":{"value":1')
        assert request.transport is not None
        request.transport.close()
        return response

    server.lines = [Line(FIRST, "3")]
    server.faults = [cut]
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 2)))) == 3
    server.faults = [cut] * 5
    with pytest.raises(Unavailable, match="broke off"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


async def test_a_broken_compression_is_unexpected(openai: OpenAI, server: OpenAIServer) -> None:
    """Bytes that cannot be decompressed are nonsense, not weather."""
    server.faults = [always(lambda: web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"}))]
    with pytest.raises(UnexpectedResponse, match="decompressed"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


@pytest.mark.parametrize("drips", [False, True])
async def test_a_server_that_hangs_or_drips_is_left(
    server: OpenAIServer, http: httpx.AsyncClient, clock: FakeClock, drips: bool
) -> None:
    """An attempt is bounded from its first byte to its last."""
    done = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if drips:
            await response.prepare(request)
            await response.write(b'{"data":')
        await done.wait()
        return response

    server.faults = [slow]
    openai = OpenAI(http, server.url, clock, RetryPolicy(attempts=1, attempt_timeout=0.05))
    with pytest.raises(Unavailable, match="in time"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    done.set()


async def test_a_provider_that_is_not_there_is_unavailable(http: httpx.AsyncClient, clock: FakeClock) -> None:
    """Nobody listens on that port."""
    openai = OpenAI(http, "http://127.0.0.1:1/v1", clock, IMPATIENT)
    with pytest.raises(Unavailable, match="could not be reached"):
        await bill(openai, Period(FIRST, date(2026, 6, 2)))


@pytest.mark.parametrize("header", [{"Retry-After": "1"}, {"retry-after-ms": "150"}])
async def test_a_named_waiting_time_is_kept(openai: OpenAI, server: OpenAIServer, header: dict[str, str]) -> None:
    """The provider says when; we come then, not before."""
    server.lines = [Line(FIRST, "3")]
    server.faults = [always(lambda: error(429, "Rate limit reached", code="rate_limit_exceeded", headers=header))]
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert whole(await bill(openai, Period(FIRST, date(2026, 6, 2)))) == 3
    assert loop.time() - started >= (1.0 if "Retry-After" in header else 0.15)


async def test_a_waiting_time_beyond_our_patience_is_told_at_once(
    openai: OpenAI, server: OpenAIServer, clock: FakeClock
) -> None:
    """Half an hour, as an HTTP date: we report it instead of sleeping through it."""
    until = clock.advance(minutes=30).strftime("%a, %d %b %Y %H:%M:%S GMT")
    clock.moment = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
    server.faults = [always(lambda: error(429, "Rate limit reached", headers={"Retry-After": until}))]
    with pytest.raises(RateLimited) as caught:
        await bill(openai, Period(FIRST, date(2026, 6, 2)))
    assert (caught.value.retry_after, caught.value.is_final) == (1800.0, False)
    assert len(server.asked) == 1


# --- projects and identity -------------------------------------------------------------------------------------------

CREATED = datetime(2024, 3, 26, 16, 45, 33, tzinfo=UTC)
PROJECTS = [
    {"id": f"proj_{n:03}", "object": "organization.project", "name": f"프로젝트 {n}", "created_at": 1711471533}
    for n in range(250)
]


async def test_all_projects_are_listed_archived_ones_on_request(openai: OpenAI, server: OpenAIServer) -> None:
    """Three pages of a hundred."""
    retired = {"id": "proj_old", "created_at": 1711471533, "archived_at": 1711471539, "status": "archived"}
    server.projects = [*PROJECTS, retired]
    active = [project async for project in openai.projects(KEY)]
    assert [project.id for project in active] == [str(p["id"]) for p in PROJECTS]
    assert active[7] == ProviderProject("proj_007", "프로젝트 7", is_archived=False, created_at=CREATED)
    everything = [project async for project in openai.projects(KEY, include_archived=True)]
    assert everything[-1] == ProviderProject("proj_old", "proj_old", is_archived=True, created_at=CREATED)


async def test_one_project_is_found_or_unknown(openai: OpenAI, server: OpenAIServer) -> None:
    """What this key does not know is None, and what cannot be an id is not even asked."""
    server.projects = PROJECTS
    found = await openai.project(KEY, "proj_003")
    assert found is not None
    assert found.name == "프로젝트 3"
    assert await openai.project(KEY, "proj_foreign") is None
    asked = len(server.asked)
    for nonsense in ("", "../admin_api_keys", "proj_a?x=1", "프로젝트 3", "p" * 200):
        assert await openai.project(KEY, nonsense) is None
    assert len(server.asked) == asked


async def test_identity_names_the_organization_the_key_and_its_rights(
    openai: OpenAI, server: OpenAIServer, clock: FakeClock
) -> None:
    """Everything a person needs to see that the right key was pasted."""
    server.projects = PROJECTS[:2]
    server.lines = [Line(date(2026, 7, 5), "1", "proj_spending")]
    server.admin_keys = [
        {"id": "key_1", "redacted_value": "sk-admin-...zzz9", "name": "another"},
        {"id": "key_2", "redacted_value": "sk-admin...abc1", "name": "finops", "expires_at": 1800000000},
    ]
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.organization_name) == ("org-of-the-tests", "한빛소프트")
    assert identity.rights == {USAGE_READ, MANAGEMENT_READ, MANAGEMENT_WRITE}
    assert (identity.key_name, identity.expires_at) == ("finops", datetime(2027, 1, 15, 8, 0, tzinfo=UTC))
    assert identity.project_ids == {"proj_000", "proj_001", "proj_spending"}


@pytest.mark.parametrize(
    ("lacking", "rights"),
    [
        ("api.usage.read", {MANAGEMENT_READ, MANAGEMENT_WRITE}),
        ("api.management.read", {USAGE_READ, MANAGEMENT_WRITE}),
        ("api.management.write", {USAGE_READ, MANAGEMENT_READ}),
    ],
)
async def test_a_key_says_which_of_the_rights_it_lacks(
    openai: OpenAI, server: OpenAIServer, lacking: str, rights: set[str]
) -> None:
    """A usage-only key cannot list projects; their ids are seen through the bill."""
    server.missing_scopes = frozenset({lacking})
    server.projects = PROJECTS[:1]
    server.lines = [Line(date(2026, 7, 5), "1", "proj_000")]
    identity = await openai.identify(KEY)
    assert identity.rights == rights
    assert identity.project_ids == {"proj_000"}


@pytest.mark.parametrize(
    ("header", "told"), [("org-abc", ("org-abc", None)), ("hanbit-soft", (None, "hanbit-soft")), (None, (None, None))]
)
async def test_an_organization_that_never_spent_is_told_by_its_headers(
    openai: OpenAI, server: OpenAIServer, header: str | None, told: tuple[str | None, str | None]
) -> None:
    """A header may hold an id or a name; a name is never taken for an id."""
    server.organization = header
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.organization_name) == told


async def test_a_key_is_identified_whichever_arrays_are_understood(openai: OpenAI, server: OpenAIServer) -> None:
    """A provider that refuses brackets still tells whose the key is."""
    server.spelling, server.refuses_other_spelling = "group_by", True
    server.lines = [Line(date(2026, 7, 5), "1", "proj_spending")]
    identity = await openai.identify(KEY)
    assert (identity.organization_id, identity.project_ids) == ("org-of-the-tests", {"proj_spending"})


async def test_two_keys_that_look_alike_leave_the_name_open(openai: OpenAI, server: OpenAIServer) -> None:
    """A wrong name is worse than none."""
    server.admin_keys = [{"id": f"key_{n}", "redacted_value": "sk-admin...abc1", "name": "twin"} for n in range(2)]
    assert (await openai.identify(KEY)).key_name is None


async def test_a_key_that_opens_nothing_is_rejected(openai: OpenAI, server: OpenAIServer) -> None:
    """No right at all, or a key OpenAI does not know."""
    server.missing_scopes = frozenset({"api.usage.read", "api.management.read"})
    with pytest.raises(CredentialRejected) as lacking:
        await openai.identify(KEY)
    assert (lacking.value.reason, lacking.value.scope) == (CredentialReason.MISSING_SCOPE, "api.usage.read")
    with pytest.raises(CredentialRejected) as unknown:
        await openai.identify(Secret("sk-admin-" + "aStrangerAltogether00"))
    assert unknown.value.reason is CredentialReason.INVALID


async def test_identity_is_not_guessed_while_the_provider_is_ill(openai: OpenAI, server: OpenAIServer) -> None:
    """A right that could not be checked is neither there nor missing."""
    server.faults = [always(lambda: error(500, "ill"))] * 20
    with pytest.raises(Unavailable):
        await openai.identify(KEY)


@pytest.mark.parametrize("pasted", ["sk-proj-" + "a1" * 20, "sk-svcacct-" + "a1" * 20, "sk-" + "a1" * 24, "hello"])
async def test_a_key_of_another_kind_is_never_sent(openai: OpenAI, server: OpenAIServer, pasted: str) -> None:
    """Wrong by its shape: told before any call, in every call."""
    key, period = Secret(pasted), Period(FIRST, date(2026, 6, 2))
    for call in (
        openai.identify(key),
        openai.project(key, "proj_a"),
        anext(aiter(openai.projects(key))),
        anext(aiter(openai.charges(key, period))),
    ):
        with pytest.raises(CredentialRejected) as caught:
            await call
        assert caught.value.reason is CredentialReason.WRONG_KIND
    assert server.asked == []


def test_every_provider_keeps_the_contract(http: httpx.AsyncClient, clock: FakeClock) -> None:
    """The registry opens each provider in the same way, and it calls itself by its name."""
    for name, opened in PROVIDERS.items():
        provider: Provider = opened(http, "http://127.0.0.1:1", clock)
        assert provider.name == name
    assert not issubclass(ProviderError, httpx.HTTPError)
