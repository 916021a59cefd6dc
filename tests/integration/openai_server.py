"""A small OpenAI on a real socket: a bill with state, and whatever misbehaviour a test asks for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from aiohttp import web
from aiohttp.test_utils import TestServer

# Assembled, so that no scanner takes it for a leak.
ADMIN_KEY = "sk-admin-" + "k3yOfTheTests0123abc1"
DAY = 86_400
Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Line:
    """One row of the bill as it goes over the wire: `value` is the JSON text of the number."""

    day: date
    value: str
    project_id: str | None = "proj_a"
    line_item: str | None = "gpt-5, input"


@dataclass
class OpenAIServer:
    """Answers like OpenAI; `spelling` is the only form of arrays it understands (None: both)."""

    lines: list[Line] = field(default_factory=list)
    projects: list[dict[str, object]] = field(default_factory=list)
    admin_keys: list[dict[str, object]] = field(default_factory=list)
    organization: str | None = None
    spelling: str | None = None
    refuses_other_spelling: bool = False
    buckets_per_page: int | None = None
    newest_first: bool = False
    missing_scopes: frozenset[str] = frozenset()
    faults: list[Misbehaviour] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def costs(self, request: web.Request) -> web.Response:
        query = request.query
        start, end = int(query["start_time"]), int(query["end_time"])
        groups = {*query.getall("group_by", []), *query.getall("group_by[]", [])}
        if self.spelling is not None:
            if self.refuses_other_spelling and any(
                name.startswith("group_by") and name != self.spelling for name in query
            ):
                return error(400, "Unknown parameter", code="unknown_parameter")
            groups = set(query.getall(self.spelling, []))
        limit = min(int(query["limit"]), self.buckets_per_page or 180)
        starts = sorted(range(start, end, DAY), reverse=self.newest_first)
        first = int(query.get("page", "page_0").removeprefix("page_"))
        shown = starts[first : first + limit]
        has_more = first + limit < len(starts)
        page = {
            "object": "page",
            "data": [self._bucket(moment, groups) for moment in shown],
            "has_more": has_more,
            "next_page": f"page_{first + limit}" if has_more else None,
        }
        text = json.dumps(page).replace('"<\\"', '"').replace('\\">"', '"').replace('"<', "").replace('>"', "")
        return web.Response(text=text, content_type="application/json")

    def _bucket(self, start: int, groups: set[str]) -> dict[str, object]:
        day = datetime.fromtimestamp(start, UTC).date()
        rows = [
            {
                "object": "organization.costs.result",
                "amount": {"value": f"<{line.value}>", "currency": "usd"},
                "project_id": line.project_id if "project_id" in groups else None,
                "line_item": line.line_item if "line_item" in groups else None,
                "organization_id": "org-of-the-tests",
                "organization_name": "한빛소프트",
                "user_email": "someone@example.com",
                "user_id": "user-1",
            }
            for line in self.lines
            if line.day == day
        ]
        return {"object": "bucket", "start_time": start, "end_time": start + DAY, "results": rows}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.faults:
            return await self.faults.pop(0)(request)
        if request.headers.get("Authorization") != f"Bearer {ADMIN_KEY}":
            return error(401, "Incorrect API key provided", code="invalid_api_key")
        path = request.path.removeprefix("/v1/organization/")
        scope = "api.usage.read" if path == "costs" else "api.management.read"
        if request.method != "GET":
            scope = "api.management.write"
        if scope in self.missing_scopes:
            return error(403, f"You have insufficient permissions for this operation. Missing scopes: {scope}.")
        headers = {"openai-organization": self.organization} if self.organization else {}
        if path == "costs":
            response = await self.costs(request)
        elif path == "admin_api_keys":
            response = listed(self.admin_keys, request)
        elif path == "projects":
            archived = request.query.get("include_archived") == "true"
            shown = [p for p in self.projects if archived or p.get("status") != "archived"]
            response = listed(shown, request)
        else:
            found = [p for p in self.projects if p["id"] == path.removeprefix("projects/")]
            response = web.json_response(found[0]) if found else error(404, "No such project")
        response.headers.update(headers)
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[OpenAIServer]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("/v1"))
        try:
            yield self
        finally:
            await server.close()


def listed(items: list[dict[str, object]], request: web.Request) -> web.Response:
    ids = [item["id"] for item in items]
    first = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
    page = items[first : first + int(request.query.get("limit", "20"))]
    last = page[-1]["id"] if page else None
    return web.json_response(
        {"object": "list", "data": page, "last_id": last, "has_more": bool(page) and last != ids[-1]}
    )


def error(status: int, message: str, *, code: str | None = None, headers: dict[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return web.json_response(body, status=status, headers={"x-request-id": "req_7", **(headers or {})})


def always(response: Callable[[], web.Response]) -> Misbehaviour:
    """A fault that is one plain answer."""

    async def misbehave(_: web.Request) -> web.StreamResponse:
        return response()

    return misbehave


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]
