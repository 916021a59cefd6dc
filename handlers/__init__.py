"""How the bot hears: one place for each kind of payload, a dictionary behind each, nothing slow before an ack."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse

from blocks import kit
from bot import Bot
from bot.errors import BadNews
from handlers import asking, commands
from handlers.guard import Work, attempt, guarded, too_busy
from handlers.hearing import EVENTS, REPEATABLE, direct_message, home_opened, is_said_to_us
from handlers.submitting import Form, Submitting
from handlers.switchboard import ACTIONS, COMMANDS, ONCE, OPTIONS, SHARED, SHORTCUTS, VIEWS, Click, Search
from handlers.visit import Visit, visit_of

__all__ = ["ACTIONS", "COMMANDS", "EVENTS", "ONCE", "OPTIONS", "SHORTCUTS", "VIEWS", "Work", "register"]

log = logging.getLogger(__name__)

OPTIONS_WITHIN_SECONDS = 2.5
SOCKET_MODE = "socket_mode"  # how Bolt calls a request that came through the socket


def register(slack: AsyncApp, bot: Bot) -> Work:
    """Listen to everything manifest.yml asks for. The returned work is to be drained at shutdown."""
    work = Work()
    slack.use(Reception(bot, work))
    return work


class Reception(AsyncMiddleware):
    """Where every payload that Bolt has verified and authorized arrives.

    A middleware and not five listeners: to try a listener, Bolt prepares every argument a listener could ask for, which
    costs more than all the rest of an acknowledgement.
    """

    def __init__(self, bot: Bot, work: Work) -> None:
        self._bot = bot
        self._work = work
        self._submitting = Submitting(work)
        self._kinds: dict[str, Callable[[AsyncBoltRequest, AsyncAck], Awaitable[None]]] = {
            "block_actions": self._action,
            "view_submission": self._view,
            "block_suggestion": self._options,
            "event_callback": self._event,
            "message_action": self._shortcut,
        }

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt calls by name
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        kind = self._command if "command" in req.body else self._kinds.get(str(req.body.get("type")))
        if kind is None:
            return await next()  # nothing we ask Slack for; Bolt says so in the log
        ack = req.context.ack
        await kind(req, ack)
        return ack.response

    def _visit(self, req: AsyncBoltRequest) -> Visit:
        visit = visit_of(self._bot, req.body, req.context, req.context.client)
        visit.came_by_socket = req.mode == SOCKET_MODE
        return visit

    async def _command(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        answer = COMMANDS.get(req.body["command"], commands.answer)
        visit, text = self._visit(req), str(req.body.get("text") or "")
        self._work.later(visit.user_id, partial(guarded, visit, lambda v: answer(v, text)), partial(too_busy, visit))

    async def _action(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        visit = self._visit(req)
        for action in req.body.get("actions", []):
            click = ACTIONS.get(action.get("action_id", ""))
            if click is not None:
                work = partial(guarded, visit, _clicked(click, action))
                self._work.later(visit.user_id, work, partial(too_busy, visit))

    async def _shortcut(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        answer, body = SHORTCUTS.get(req.body.get("callback_id", "")), req.body
        if answer is not None:
            visit = self._visit(req)
            work = partial(guarded, visit, lambda v: answer(v, body))
            self._work.later(visit.user_id, work, partial(too_busy, visit))

    async def _view(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        view = req.body["view"]
        handler = VIEWS.get(view.get("callback_id", ""))
        if handler is None:
            await ack()
            return
        form = Form.of(self._visit(req), view)
        asking.by_window(form.visit, view["callback_id"], form.ids)
        await self._submitting.answer(form, handler, ack)

    async def _options(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        found: list[kit.Block] = []
        search = OPTIONS.get(req.body.get("action_id", ""))
        if search is not None:
            finding = self._work.start(_found(search, self._visit(req), str(req.body.get("value") or "")))
            await asyncio.wait({finding}, timeout=OPTIONS_WITHIN_SECONDS)
            found = finding.result() if finding.done() else []
        await ack(options=found)

    async def _event(self, req: AsyncBoltRequest, ack: AsyncAck) -> None:
        await ack()
        event: dict[str, Any] = req.body["event"]
        heard = EVENTS.get(event.get("type", ""))
        if heard is not None and (heard is not direct_message or is_said_to_us(event)):
            visit, event_id = self._visit(req), str(req.body.get("event_id") or "")
            # Whoever opens Home is shown figures that all who wait for them share.
            stand = self._work.together if heard is home_opened else self._work.later
            stand(visit.user_id, partial(guarded, visit, _heard(heard, event, event_id)))


def _clicked(click: Click, action: Mapping[str, Any]) -> Callable[[Visit], Awaitable[None]]:
    """One click, once: a message or window that Slack delivers again does nothing again."""
    action_id, value = str(action.get("action_id")), _value(action)

    async def run(visit: Visit) -> None:
        visit.clicked_at = str(action.get("action_ts") or "")
        # Two clicks on one shared report carry the same mark; elsewhere a second click is a second wish.
        which = value if action_id in SHARED else visit.clicked_at
        key, is_done = f"click:{visit.user_id}:{action_id}:{which}", False
        if action_id in ONCE and not await visit.is_first(key):
            return
        asking.by_click(visit, action_id, value)
        try:
            await click(visit, value)
            is_done = True
        finally:
            if action_id in SHARED and not is_done:
                await visit.take_back(key)  # whoever is told that it failed presses the very same again

    return run


def _heard(
    heard: Callable[[Visit, Mapping[str, Any]], Awaitable[None]], event: Mapping[str, Any], event_id: str
) -> Callable[[Visit], Awaitable[None]]:
    # A mention is an event once more when its message is edited: who asked was answered, and a poll stands there.
    is_mention = event.get("type") == "app_mention" and event.get("ts")
    key = f"mention:{event.get('channel')}:{event['ts']}" if is_mention else event_id and f"event:{event_id}"

    async def run(visit: Visit) -> None:
        if event.get("type") not in REPEATABLE and key and not await visit.is_first(key):
            return
        await heard(visit, event)

    return run


async def _found(search: Search, visit: Visit, words: str) -> list[kit.Block]:
    """The entries of a menu. A menu can show no sentence: what goes wrong is logged and shows as nothing found."""
    found = await attempt(search(visit, words))
    return [] if isinstance(found, BadNews) else found


def _value(action: Mapping[str, Any]) -> str:
    """What a button carries, or what was picked in a menu; of boxes to tick the block's name and what is ticked."""
    if action.get("type") == "checkboxes":
        ticked = [str(option.get("value")) for option in action.get("selected_options") or ()]
        return f"{action.get('block_id')}={','.join(ticked)}"
    option = action.get("selected_option") or {}
    return str(action.get("value") or option.get("value") or "")
