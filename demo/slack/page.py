"""The browser page's side: what is on a person's screen, live changes, and what the person does there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from demo.slack.cast import JIHOON, Channel, User
from demo.slack.hub import Hub
from demo.slack.page_files import PageFiles
from demo.slack.state import Change, shown
from demo.slack.wire import JSON, ApiError

Deed = Callable[[JSON], Awaitable[JSON]]


class Page:
    """Serves `demo/page/` and speaks its protocol under `/_page/`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._world = hub.world
        self._screens: set[web.WebSocketResponse] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put the page's addresses into the server."""
        PageFiles().add_routes(router)
        router.add_get("/_page/state", self._state)
        router.add_get("/_page/live", self._live)
        deeds: dict[str, Deed] = {
            "message": self._message,
            "command": self._command,
            "action": self._action,
            "submit": self._submit,
            "close": self._close,
            "options": self._options,
            "home": self._home,
            "read": self._read,
            "shortcut": self._shortcut,
        }
        for name, deed in deeds.items():
            router.add_post(f"/_page/{name}", _answering(deed))

    async def close(self) -> None:
        """Let every open page go."""
        for screen in list(self._screens):
            await screen.close()

    async def _state(self, request: web.Request) -> web.StreamResponse:
        try:
            user = self._world.user(request.query.get("user") or JIHOON)
        except ApiError as refusal:
            return web.json_response(refusal.body(), status=404)
        return web.json_response(self.state(user))

    def state(self, user: User) -> JSON:
        """Everything on one person's screen."""
        world, app = self._world, self._world.config.app
        home = world.homes.get(user.id)
        here = [channel for channel in world.channels.values() if world.visible_to(user.id, channel)]
        return {
            "workspace": {"id": world.team_id, "name": world.team_name, "domain": world.team_domain},
            "me": {**_user_row(user), "locale": user.locale, "tz": user.tz, "is_admin": user.is_admin},
            "users": [_user_row(each) for each in world.users.values()],
            "usergroups": [{"id": each.id, "name": each.name, "handle": each.handle} for each in world.groups.values()],
            "channels": [self.row(user, each) for each in here if not (each.is_im or each.is_mpim)],
            "dms": [self.row(user, each) for each in here if each.is_im or each.is_mpim],
            "messages": {each.id: self._said(user, each) for each in here if user.id in each.members},
            "home": home.body if home else None,
            "views": world.stack(user.id),
            "commands": [
                {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
                for each in app.commands
            ],
            "shortcuts": [{"callback_id": callback_id, "name": name} for callback_id, name in app.shortcuts],
            "app": {"name": app.name, "id": app.app_id, "bot_user_id": app.bot_user_id, "bot_id": app.bot_id},
            "lab": world.lab,
        }

    def row(self, user: User, channel: Channel) -> JSON:
        """A line of the side bar."""
        bot = self._world.config.app.bot_user_id
        row: JSON = {
            "id": channel.id,
            "name": channel.name,
            "is_member": user.id in channel.members,
            "is_private": channel.is_private,
            "is_archived": channel.is_archived,
            "has_app": bot in channel.members,
            "unread": self._unread(user, channel),
            "topic": channel.topic,
        }
        if channel.is_im:
            other = next(iter(channel.members - {user.id}), user.id)
            row |= {"user_id": other, "bot": other == bot, "name": self._world.users[other].real_name}
        return row

    def _unread(self, user: User, channel: Channel) -> int:
        if user.id not in channel.members:
            return 0
        last = float(self._world.read.get((user.id, channel.id), "0"))
        messages = self._world.messages[channel.id]
        return sum(float(each["ts"]) > last and each.get("user") != user.id for each in messages)

    def _said(self, user: User, channel: Channel) -> list[JSON]:
        said = self._world.messages[channel.id] + self._world.ephemerals[(user.id, channel.id)]
        return [shown(channel.id, each) for each in sorted(said, key=lambda each: str(each["ts"]))]

    async def _live(self, request: web.Request) -> web.StreamResponse:
        user_id = request.query.get("user", "")
        if user_id not in self._world.users:
            return web.json_response({"ok": False, "error": "user_not_found"}, status=404)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        news: asyncio.Queue[JSON] = asyncio.Queue()

        def watch(change: Change) -> None:
            event = self._for(user_id, change)
            if event is not None:
                news.put_nowait(event)

        self._world.watchers.append(watch)
        self._screens.add(socket)
        teller = asyncio.create_task(_tell(socket, news))
        try:
            async for _ in socket:
                pass
        finally:
            teller.cancel()
            self._screens.discard(socket)
            self._world.watchers.remove(watch)
        return socket

    def _for(self, user_id: str, change: Change) -> JSON | None:
        if change.audience not in (None, user_id):
            return None
        channel = self._world.channels.get(change.channel or "")
        if channel is not None and user_id not in channel.members:
            return None
        if change.event["type"] == "channel":
            told = self._world.channels[change.event["channel"]["id"]]
            return {"type": "channel", "channel": self.row(self._world.user(user_id), told)}
        return change.event

    # -- deeds

    async def _message(self, body: JSON) -> JSON:
        said = self._hub.interactions.say(body["user"], body["channel"], str(body["text"]), body.get("thread_ts"))
        return {"ok": True, "message": said}

    async def _command(self, body: JSON) -> JSON:
        return await self._hub.interactions.command(body["user"], body["channel"], str(body["text"]))

    async def _action(self, body: JSON) -> JSON:
        return await self._hub.interactions.action(body["user"], body["container"], body["action"], body.get("state"))

    async def _submit(self, body: JSON) -> JSON:
        return await self._hub.modals.submit(body["user"], body["view_id"], body.get("values") or {})

    async def _close(self, body: JSON) -> JSON:
        return self._hub.modals.close(body["user"], body["view_id"], everything=bool(body.get("clear")))

    async def _options(self, body: JSON) -> JSON:
        ids = body["block_id"], body["action_id"], str(body.get("value") or "")
        return await self._hub.modals.options(body["user"], body["container"], *ids)

    async def _home(self, body: JSON) -> JSON:
        self._world.user(body["user"])
        self._hub.interactions.open_home(body["user"], body.get("tab", "home"))
        return {"ok": True}

    async def _read(self, body: JSON) -> JSON:
        self._world.read[(body["user"], body["channel"])] = self._world.stamps.next()
        return {"ok": True}

    async def _shortcut(self, body: JSON) -> JSON:
        where = body.get("channel"), str(body.get("message_ts") or "")
        return await self._hub.interactions.shortcut(body["user"], body["callback_id"], *where)


def _user_row(user: User) -> JSON:
    words = user.real_name.split()
    initials = "".join(each[0] for each in words[:2]) if len(words) > 1 else user.real_name[:1]
    row = {"id": user.id, "name": user.real_name, "handle": user.name, "initials": initials, "color": f"#{user.color}"}
    return {**row, "title": user.title, "is_bot": user.is_bot, "locale": user.locale}


def _answering(deed: Deed) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            body: Any = await request.json()
            return web.json_response(await deed(body))
        except ApiError as refusal:
            return web.json_response(refusal.body())
        except (ValueError, KeyError, TypeError) as wrong:
            return web.json_response({"ok": False, "error": "bad_request", "message": repr(wrong)}, status=400)

    return answer


async def _tell(socket: web.WebSocketResponse, news: asyncio.Queue[JSON]) -> None:
    await socket.send_json({"type": "hello"})
    while not socket.closed:
        await socket.send_json(await news.get())
