"""How the bot hears: one Bolt listener per kind of payload, a dictionary behind each, nothing slow before an ack."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from blocks import ids, kit
from bot import Bot
from bot.errors import BadNews
from handlers import checking, collecting, commands, keys, projects, setup, status, teams
from handlers.guard import Work, attempt, guarded, too_busy
from handlers.hearing import EVENTS, REPEATABLE, home_opened
from handlers.submitting import Form, Handler, Submitting
from handlers.visit import Visit, visit_of

__all__ = ["ACTIONS", "COMMANDS", "EVENTS", "OPTIONS", "VIEWS", "Work", "register"]

log = logging.getLogger(__name__)

Click = Callable[[Visit, str], Awaitable[None]]
Search = Callable[[Visit, str], Awaitable[list[kit.Block]]]
OPTIONS_WITHIN_SECONDS = 2.5
SOCKET_MODE = "socket_mode"  # how Bolt calls a request that came through the socket
_ANY = re.compile(r".*", re.DOTALL)

COMMANDS: dict[str, Click] = {"/finops": commands.answer}
ACTIONS: dict[str, Click] = {
    ids.SETUP_NEXT: lambda visit, _: setup.next_step(visit),
    ids.TEAM_MANAGE: lambda visit, _: teams.manage(visit),
    ids.TEAM_NEW: lambda visit, _: setup.new_team(visit),
    ids.TEAM_EDIT: teams.edit,
    ids.TEAM_APPROVERS: teams.approvers,
    ids.KEY_MANAGE: lambda visit, _: keys.manage(visit),
    ids.KEY_TEAM: keys.manage,
    ids.KEY_NEW: keys.new,
    ids.KEY_REPLACE: keys.replace,
    ids.KEY_DISABLE: keys.disable,
    ids.KEY_ENABLE: keys.enable,
    ids.KEY_DELETE: keys.delete,
    ids.PROJECT_MANAGE: lambda visit, _: projects.manage(visit),
    ids.PROJECT_TEAM: projects.manage,
    ids.PROJECT_NEW: projects.new,
    ids.PROJECT_FIND: projects.found,
    ids.PROJECT_EDIT: projects.edit,
    ids.PROJECT_EXCLUDE: projects.exclude,
    ids.PROJECT_INCLUDE: projects.include,
    ids.PROJECT_UNREGISTER: projects.unregister,
    ids.COLLECT_NOW: lambda visit, _: collecting.now(visit),
    ids.STATUS_SHOW: status.show,
    ids.STATUS_SHARE: status.share,
    ids.STATUS_REFRESH: status.refresh,
    ids.HELP_SHOW: lambda visit, _: commands.show_help(visit),
    ids.DOCTOR_SHOW: lambda visit, _: checking.examine(visit),
    ids.DOCTOR_PING: lambda visit, _: checking.ping(visit),
}
VIEWS: dict[str, Handler] = {
    ids.SETUP_TEAM: setup.submit_team,
    ids.SETUP_KEY: setup.submit_key,
    ids.SETUP_KEY_DONE: setup.submit_key_done,
    ids.SETUP_PROJECTS: setup.submit_projects,
    ids.VIEW_TEAM_EDIT: teams.submit_edit,
    ids.VIEW_TEAM_APPROVERS: teams.submit_approvers,
    ids.VIEW_KEY_REPLACE: keys.submit_replacement,
    ids.VIEW_PROJECT_EDIT: projects.submit_edit,
}
OPTIONS: dict[str, Search] = {
    ids.PROJECTS: projects.offered,
    ids.PROJECT_FIND: projects.registered,
}
# What others see or what changes something: done once, however often a click is made or delivered. The rest opens a
# window, for which a click is good once anyhow, or only answers again.
ONCE = frozenset(
    {
        ids.STATUS_SHARE,
        ids.COLLECT_NOW,
        ids.KEY_DISABLE,
        ids.KEY_ENABLE,
        ids.KEY_DELETE,
        ids.PROJECT_EXCLUDE,
        ids.PROJECT_INCLUDE,
        ids.PROJECT_UNREGISTER,
    }
)


def register(slack: AsyncApp, bot: Bot) -> Work:
    """Listen to everything manifest.yml asks for. The returned work is to be drained at shutdown."""
    work = Work()
    submitting = Submitting(work)

    async def on_command(
        ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, req: AsyncBoltRequest
    ) -> None:
        await ack()
        answer = COMMANDS.get(body.get("command", ""), commands.answer)
        visit, text = visit_of(bot, body, context, client), str(body.get("text") or "")
        visit.came_by_socket = req.mode == SOCKET_MODE
        work.later(visit.user_id, partial(guarded, visit, lambda v: answer(v, text)), partial(too_busy, visit))

    async def on_action(
        ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, req: AsyncBoltRequest
    ) -> None:
        await ack()
        visit = visit_of(bot, body, context, client)
        visit.came_by_socket = req.mode == SOCKET_MODE
        for action in body.get("actions", []):
            click = ACTIONS.get(action.get("action_id", ""))
            if click is not None:
                work.later(visit.user_id, partial(guarded, visit, _clicked(click, action)), partial(too_busy, visit))

    async def on_view(
        ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        handler = VIEWS.get(view.get("callback_id", ""))
        if handler is None:
            await ack()
            return
        await submitting.answer(Form.of(visit_of(bot, body, context, client), view), handler, ack)

    async def on_options(
        ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        found: list[kit.Block] = []
        search = OPTIONS.get(body.get("action_id", ""))
        if search is not None:
            finding = work.start(_found(search, visit_of(bot, body, context, client), str(body.get("value") or "")))
            await asyncio.wait({finding}, timeout=OPTIONS_WITHIN_SECONDS)
            found = finding.result() if finding.done() else []
        await ack(options=found)

    async def on_event(
        body: dict[str, Any], event: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient
    ) -> None:
        heard = EVENTS.get(event.get("type", ""))
        if heard is not None:
            visit, event_id = visit_of(bot, body, context, client), str(body.get("event_id") or "")
            # Whoever opens Home is shown figures that all who wait for them share.
            stand = work.together if heard is home_opened else work.later
            stand(visit.user_id, partial(guarded, visit, _heard(heard, event, event_id)))

    slack.command(_ANY)(on_command)
    slack.action(_ANY)(on_action)
    slack.view(_ANY)(on_view)
    slack.options(_ANY)(on_options)
    slack.event(_ANY)(on_event)
    return work


def _clicked(click: Click, action: Mapping[str, Any]) -> Callable[[Visit], Awaitable[None]]:
    """One click, once: a message or window that Slack delivers again does nothing again."""
    action_id, value = str(action.get("action_id")), _value(action)

    async def run(visit: Visit) -> None:
        visit.clicked_at = str(action.get("action_ts") or "")
        # Two clicks on one shared report carry the same mark; elsewhere a second click is a second wish.
        which = value if action_id == ids.STATUS_SHARE else visit.clicked_at
        if action_id in ONCE and not await visit.is_first(f"click:{visit.user_id}:{action_id}:{which}"):
            return
        await click(visit, value)

    return run


def _heard(
    heard: Callable[[Visit, Mapping[str, Any]], Awaitable[None]], event: Mapping[str, Any], event_id: str
) -> Callable[[Visit], Awaitable[None]]:
    async def run(visit: Visit) -> None:
        if event.get("type") not in REPEATABLE and event_id and not await visit.is_first(f"event:{event_id}"):
            return
        await heard(visit, event)

    return run


async def _found(search: Search, visit: Visit, words: str) -> list[kit.Block]:
    """The entries of a menu. A menu can show no sentence: what goes wrong is logged and shows as nothing found."""
    found = await attempt(search(visit, words))
    return [] if isinstance(found, BadNews) else found


def _value(action: Mapping[str, Any]) -> str:
    """What a button carries, or what was picked in a menu."""
    option = action.get("selected_option") or {}
    return str(action.get("value") or option.get("value") or "")
