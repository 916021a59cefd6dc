"""A small world for the bot: real storage, the real OpenAI provider, and a little OpenAI on 127.0.0.1 to talk to."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from functools import cache

from aiohttp import web

from bot import Bot, Policy
from bot.results import CollectionEvent, Profile
from bot.telling import BLIND
from finops.money import EXACT
from finops.registry import Person, Team
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width
from providers.http import RetryPolicy, http_client, tls_context
from providers.openai import OpenAI
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock

WORKSPACE = "T0FINOPS01"
JIHOON = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
MINSU = Profile("U0MINSU001", "김민수", "ko-KR", "Asia/Seoul")
SEOYEON = Profile("U0SEOYEON1", "박서연", "ko-KR", "Asia/Seoul")
# Assembled, so that no scanner takes them for somebody's keys.
KEY = "sk-" + "admin-" + "hanbit0000000000000000abc1"
SECOND_KEY = "sk-" + "admin-" + "hanbit0000000000000000abc2"
OTHER_KEY = "sk-" + "admin-" + "other00000000000000000xyz9"
ATTEMPT_ONCE = RetryPolicy(attempts=1, wait_initial=0.0, wait_jitter=0.0)


@dataclass
class Organization:
    """What one organization's Admin API would say. `bill` is amounts as written, by day, project and line item."""

    id: str | None
    name: str | None
    projects: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    bill: dict[date, list[tuple[str | None, str, str]]] = field(default_factory=dict)

    def charge(self, day: date, project_id: str | None, amount: str, line_item: str = "gpt-5.4, input") -> None:
        self.bill.setdefault(day, []).append((project_id, line_item, amount))

    def total(self, start: date, end: date) -> Decimal:
        amounts = [Decimal(row[2]) for day, rows in self.bill.items() if start <= day < end for row in rows]
        return _sum(amounts)

    def by_day(self, day: date) -> Decimal:
        return _sum([Decimal(row[2]) for row in self.bill.get(day, [])])


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    whole = Decimal(0)
    for amount in amounts:
        whole = EXACT.add(whole, amount)
    return whole


@dataclass
class Key:
    """A key the little OpenAI accepts."""

    organization: Organization
    may_manage: bool = True
    is_revoked: bool = False
    expires_at: datetime | None = None


class LittleOpenAI:
    """Answers the paths the bot uses; nobody uses anything. Trouble is told by attributes; `asked` is the journal of
    costs requests."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.asked: list[tuple[str, date, date]] = []
        self.status = 200
        self.is_nonsense_on: set[date] = set()
        self.is_silent_on: set[date] = set()
        self.costs_asked = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.gate_after = 0
        self.url = ""
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LittleOpenAI]:
        app = web.Application()
        app.router.add_get("/v1/organization/costs", self._costs)
        app.router.add_get("/v1/organization/projects", self._projects)
        app.router.add_get("/v1/organization/projects/{id}", self._project)
        app.router.add_get("/v1/organization/admin_api_keys", self._keys)
        app.router.add_post("/v1/organization/projects/{id}/spend_limit", self._nobodys)
        app.router.add_get("/v1/organization/usage/{family}", self._usage)
        app.on_response_prepare.append(self._dated)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    def _opened(self, request: web.Request, *, needs_management: bool = False) -> Key:
        key = self.keys.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if key is None or key.is_revoked:
            raise web.HTTPUnauthorized(**_error("Incorrect API key provided.", "invalid_api_key"))
        if needs_management and not key.may_manage:
            raise web.HTTPForbidden(
                **_error("You have insufficient permissions. Missing scopes: api.management.read.", "missing_scope")
            )
        return key

    async def _nobodys(self, request: web.Request) -> web.Response:
        """Whether a key may change limits is asked for a project that nobody has."""
        self._opened(request, needs_management=True)
        raise web.HTTPNotFound(**_error("No such project.", "not_found"))

    async def _costs(self, request: web.Request) -> web.Response:
        organization = self._opened(request).organization
        start = _day(request.query["start_time"])
        end = _day(request.query["end_time"])
        self.asked.append((request.headers["Authorization"][-4:], start, end))
        self.costs_asked.set()
        if self.gate is not None and len(self.asked) > self.gate_after:
            await self.gate.wait()
        if self.status != 200:
            return web.json_response(
                {"error": {"message": "no", "type": "x", "param": None, "code": None}}, status=self.status
            )
        days = [start + timedelta(days=n) for n in range((end - start).days)]
        if self.is_nonsense_on & set(days):
            return web.json_response({"object": "page", "data": "a page of nonsense"})
        buckets = [
            {
                "object": "bucket",
                "start_time": _seconds(day),
                "end_time": _seconds(day + timedelta(days=1)),
                "results": [
                    {
                        "object": "organization.costs.result",
                        "amount": {"value": amount, "currency": "usd"},
                        "line_item": line_item,
                        "project_id": project_id,
                    }
                    for project_id, line_item, amount in organization.bill.get(day, [])
                ],
            }
            for day in days
            if day not in self.is_silent_on
        ]
        page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
        return web.json_response(page, headers=_owner(organization))

    async def _usage(self, request: web.Request) -> web.Response:
        self._opened(request)
        return web.json_response({"object": "page", "data": [], "has_more": False, "next_page": None})

    async def _dated(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self.clock(), usegmt=True)

    async def _projects(self, request: web.Request) -> web.Response:
        organization = self._opened(request, needs_management=True).organization
        after = request.query.get("after")
        limit = int(request.query.get("limit", "20"))
        with_archived = request.query.get("include_archived") == "true"
        ids = sorted(one for one in organization.projects if with_archived or one not in organization.archived)
        ids = ids[ids.index(after) + 1 :] if after else ids
        data = [_told(organization, one) for one in ids[:limit]]
        page = {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(ids) > limit,
        }
        return web.json_response(page, headers=_owner(organization))

    async def _project(self, request: web.Request) -> web.Response:
        organization = self._opened(request, needs_management=True).organization
        if request.match_info["id"] not in organization.projects:
            raise web.HTTPNotFound(**_error("No such project.", "not_found"))
        return web.json_response(_told(organization, request.match_info["id"]))

    async def _keys(self, request: web.Request) -> web.Response:
        key = self._opened(request, needs_management=True)
        mine = {
            "object": "organization.admin_api_key",
            "id": "key_mine",
            "name": "finops",
            "redacted_value": "sk-admin..." + request.headers["Authorization"][-4:],
            "expires_at": int(key.expires_at.timestamp()) if key.expires_at else None,
        }
        data = [mine] if key.expires_at else []
        return web.json_response({"object": "list", "data": data, "has_more": False, "first_id": None, "last_id": None})


def _error(message: str, code: str) -> dict[str, str]:
    told = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return {"text": json.dumps(told), "content_type": "application/json"}


def _owner(organization: Organization) -> dict[str, str]:
    told = organization.id or ""
    return {"openai-organization": told, "x-request-id": "req_little"} if told else {"x-request-id": "req_little"}


def _told(organization: Organization, project_id: str) -> dict[str, object]:
    is_archived = project_id in organization.archived
    return {
        "id": project_id,
        "object": "organization.project",
        "name": organization.projects[project_id],
        "created_at": 1_700_000_000,
        "archived_at": 1_710_000_000 if is_archived else None,
        "status": "archived" if is_archived else "active",
    }


def _day(seconds: str) -> date:
    return datetime.fromtimestamp(int(seconds), UTC).date()


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def a_company(today: date, days: int) -> Organization:
    """한빛소프트: three projects and some cost nobody is named for, every day, in amounts that do not round."""
    company = Organization(
        "org-hanbit",
        None,
        {"proj_chat": "chatbot-experiment", "proj_search": "검색", "proj_batch": "batch", "proj_old": "old"},
        archived={"proj_old"},
    )
    for n in range(1, days + 1):
        day = today - timedelta(days=n)
        company.charge(day, "proj_chat", f"{n}.0600000000000001")
        company.charge(day, "proj_chat", "0.010000000000000003", "gpt-5.4, output")
        company.charge(day, "proj_search", f"0.{n:03d}")
        company.charge(day, "proj_batch", "0E-6176")
        company.charge(day, None, "0.500000001")
    return company


class FewDoors(OpenAI):
    """The real provider, asked over HTTP only where something is to be told: nine doors of nothing cost as much time
    as all the rest of a test."""

    doors: Collection[Endpoint] = (Endpoint.COMPLETIONS,)

    async def usage(
        self,
        key: Secret,
        endpoint: Endpoint,
        width: Width,
        start: datetime,
        end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:
        if endpoint in self.doors:
            return await super().usage(key, endpoint, width, start, end, known)
        return UsageReading(endpoint, width, int(start.timestamp()) // 60, int(end.timestamp()) // 60, ())


@asynccontextmanager
async def a_bot(
    storage: Storage, openai: LittleOpenAI, clock: FakeClock, policy: Policy | None = None
) -> AsyncIterator[Bot]:
    """A bot as app.py makes it, on this storage and this provider."""
    openai.clock = clock
    async with AsyncExitStack() as stack:
        client = http_client(timeout=10.0, plaintext_hosts={"127.0.0.1"}, tls=tls_context_once())
        http = await stack.enter_async_context(client)
        provider = FewDoors(http, openai.url, clock, ATTEMPT_ONCE)
        yield Bot(storage, {"openai": provider}, clock, policy or Policy())


@cache
def tls_context_once() -> ssl.SSLContext:
    """Reading the system's certificates takes longer than a test."""
    return tls_context()


async def an_admin(bot: Bot) -> Person:
    return await bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)


async def a_team(bot: Bot, admin: Person, name: str = "마케팅팀", channel: str = "C0MARKET01") -> Team:
    return await bot.teams.create(admin, name, MINSU, channel)


async def blind_told(bot: Bot) -> list[OutboxMessage]:
    """What is wanted to be said of connections that cannot be read, in the order of first wanting."""
    async with bot.storage.reading() as store:
        return await store.outbox.beginning(WORKSPACE, f"{BLIND}:")


async def worked(bot: Bot, worker: str = "worker-1") -> list[CollectionEvent]:
    """Work until the queue is empty; everything that was told."""
    told: list[CollectionEvent] = []
    while True:
        before = len(told)
        async with aclosing(bot.collecting.work_one(worker)) as events:
            told += [event async for event in events]
        if len(told) == before:
            return told
