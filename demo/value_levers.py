"""The levers of the applications' events: connecting them by hand, sending the past, switching, and on to Monday.

And the colleague who copies a new token out of the window in Slack: it is shown there once, and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError, web

from demo.lab_words import said_by, words
from demo.monday import OnToMonday
from demo.slack import SimulatedSlack
from demo.slack.state import Change
from demo.value_sender import TOKEN, Applications, NotTaken

Deed = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


def routes(applications: Applications, to_monday: OnToMonday) -> list[web.RouteDef]:
    """`/_sim/value` says what is recorded; `/_sim/value/token`, `/past` and `/live` change it.

    `/_sim/monday` goes on to Monday, `/_sim/life` lives on for weeks.
    """

    async def token(told: Mapping[str, Any]) -> Mapping[str, Any]:
        name = str(told.get("application", ""))
        await applications.connect(name, str(told.get("token", "")).strip())
        return {"message": words("{name}: 지금부터 기록합니다.", name=name)}

    async def past(told: Mapping[str, Any]) -> Mapping[str, Any]:
        if not applications.connected:
            raise NotTaken(words("이벤트 토큰이 있는 애플리케이션이 없습니다. 프로젝트 창에서 토큰을 먼저 만드세요."))
        sent = await applications.tell_past(told.get("application"))
        return {"accepted": sent, "message": words("과거 4주 기록 {count}건을 보냈습니다.", count=f"{sent:,}")}

    async def live(told: Mapping[str, Any]) -> Mapping[str, Any]:
        applications.switch(is_on=bool(told.get("is_on", True)))
        return {"is_on": applications.is_on}

    async def monday(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"now": (await to_monday()).isoformat()}

    async def life(_: Mapping[str, Any]) -> Mapping[str, Any]:
        if to_monday.life is None:
            raise NotTaken(words("이 무대에는 사람이 없습니다."))
        return {"message": await to_monday.life(), "now": to_monday.clock().isoformat()}

    async def state(_: web.Request) -> web.Response:
        return web.json_response(told_of(applications))

    return [
        web.get("/_sim/value", state),
        web.post("/_sim/value/token", _answering(token)),
        web.post("/_sim/value/past", _answering(past)),
        web.post("/_sim/value/live", _answering(live)),
        web.post("/_sim/monday", _answering(monday)),
        web.post("/_sim/life", _answering(life)),
    ]


@asynccontextmanager
async def recording(slack: SimulatedSlack, applications: Applications) -> AsyncIterator[None]:
    """The applications live until the block ends, and somebody looks for their tokens."""
    watch_windows(slack, applications)
    live = asyncio.create_task(applications.run(), name="applications")
    try:
        yield
    finally:
        live.cancel()


def told_of(applications: Applications) -> dict[str, Any]:
    """Who records, how much, and what is wrong with whom; no token."""
    return {
        "is_on": applications.is_on,
        "applications": [
            {"application": name, "accepted": one.count, "trouble": one.trouble or None}
            for name, one in applications.connected.items()
        ],
    }


def watch_windows(slack: SimulatedSlack, applications: Applications) -> None:
    """From now on, let every application have the token that is shown to somebody in a window about it."""

    def look(change: Change) -> None:
        if change.event.get("type") != "views" or not change.event["views"]:
            return
        words = json.dumps(change.event["views"][-1], ensure_ascii=False)
        token = TOKEN.search(words)
        if token is None or any(one.token == token[0] for one in applications.connected.values()):
            return
        name = named_in(words, applications.names)
        if name is not None:
            applications.hand(name, token[0])

    slack.world.watchers.append(look)


def named_in(words: str, names: tuple[str, ...]) -> str | None:
    """The one application that some words name as a word of its own; None when there is none, or are several."""
    found = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words)]
    return found[0] if len(found) == 1 else None


def _answering(deed: Deed) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            told = await request.json() if request.can_read_body else {}
            return web.json_response({"ok": True} | dict(await deed(told if isinstance(told, dict) else {})))
        except (NotTaken, ValueError) as error:
            return web.json_response({"ok": False, "error": said_by(error)}, status=400)
        except (ClientError, OSError, TimeoutError) as error:
            return web.json_response({"ok": False, "error": repr(error)}, status=503)

    return handle
