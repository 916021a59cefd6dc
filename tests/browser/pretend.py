"""A server that speaks the page's protocol and nothing else, so that the page can be tested alone."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from yarl import URL

from demo.slack.page_files import PageFiles

JSON = dict[str, Any]


@dataclass
class PretendSlack:
    """Says what it was told to say, and remembers everything the page sent."""

    state: JSON
    url: str = ""
    visits: set[int] = field(default_factory=set)
    posts: list[tuple[str, JSON]] = field(default_factory=list)
    answers: dict[str, Callable[[JSON], JSON]] = field(default_factory=dict)
    sights: dict[str, JSON] = field(default_factory=dict)
    holds: dict[str, asyncio.Event] = field(default_factory=dict)
    lines: set[web.WebSocketResponse] = field(default_factory=set)
    _arrived: asyncio.Queue[tuple[str, JSON]] = field(default_factory=asyncio.Queue)
    _runner: web.AppRunner | None = None
    _visit: int = 0

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        app = web.Application()
        PageFiles().add_routes(app.router)
        app.router.add_get("/_page/state", self._state)
        app.router.add_get("/_page/live", self._live)
        app.router.add_get("/_sim/{path:.*}", self._sight)
        app.router.add_post("/{path:.*}", self._post)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every line and stop listening."""
        await self.hang_up()
        if self._runner:
            await self._runner.cleanup()

    async def _state(self, request: web.Request) -> web.Response:
        me = request.query.get("user") or self.state["users"][0]["id"]
        known = {user["id"]: user for user in self.state["users"]}
        return web.json_response({**self.state, "me": known.get(me, self.state["users"][0])})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        self.lines.add(line)
        async for message in line:
            if message.type is WSMsgType.ERROR:
                break
        self.lines.discard(line)
        return line

    async def _sight(self, request: web.Request) -> web.Response:
        """What the simulated provider tells of itself, by path."""
        return web.json_response(self.sights.get(request.path, {"ok": False}))

    async def _post(self, request: web.Request) -> web.Response:
        if int(URL(request.headers["Referer"]).query["visit"]) not in self.visits:
            return web.json_response({"ok": True})  # a tab that was left speaks of what is over
        body = await request.json()
        path = f"/{request.match_info['path']}"
        self.posts.append((path, body))
        self._arrived.put_nowait((path, body))
        if path in self.holds:
            await self.holds[path].wait()
        answer = self.answers.get(path)
        return web.json_response(answer(body) if answer else {"ok": True})

    async def tell(self, event: JSON) -> None:
        """Send a live event to every open page, keeping what it says for the next reload.

        A page that is being left does not hear it.
        """
        if event["type"] == "views":
            self.state["views"] = event["views"]
        if event["type"] == "home":
            self.state["home"] = event["view"]
        for line in list(self.lines):
            with contextlib.suppress(ConnectionError):
                await line.send_json(event)

    def welcome(self) -> int:
        """The number of somebody's visit, who is heard until it is over."""
        self._visit += 1
        self.visits.add(self._visit)
        return self._visit

    async def hang_up(self) -> None:
        """Cut every live line."""
        for line in list(self.lines):
            await line.close()

    async def next(self, path: str) -> JSON:
        """The next body posted to a path; others are passed over."""

        async def wait() -> JSON:
            while True:
                arrived, body = await self._arrived.get()
                if arrived == path:
                    return body

        return await asyncio.wait_for(wait(), 5)

    def forget(self, state: JSON) -> None:
        """Begin again with a state of its own."""
        self.state = copy.deepcopy(state)
        self.posts.clear()
        self.answers.clear()
        self.sights.clear()
        self.holds.clear()
        while not self._arrived.empty():
            self._arrived.get_nowait()
