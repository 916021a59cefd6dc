"""Events: Home was opened, somebody wrote to us or said our name, somebody's standing in Slack changed."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from handlers import commands, home
from handlers.guard import attempt, tell
from handlers.outages import SLACK_FAILS
from handlers.visit import SLACKBOT, Visit, without_mention

log = logging.getLogger(__name__)

Heard = Callable[[Visit, Mapping[str, Any]], Awaitable[None]]


async def home_opened(visit: Visit, event: Mapping[str, Any]) -> None:
    """The Home tab is drawn each time it is looked at; the messages tab needs nothing.

    That it could not be drawn is told once an hour: whoever looks again and again sees that it is still as it was.
    """
    visit.channel_id = None
    if event.get("tab", "home") != "home":
        return
    news = await attempt(home.publish(visit))
    if news is None:
        return
    key = f"home.failed:{visit.user_id}:{visit.bot.clock():%Y-%m-%dT%H}"
    if await attempt(visit.is_first(key)) is True:
        await tell(visit, news)


async def direct_message(visit: Visit, event: Mapping[str, Any]) -> None:
    """What people type to us: the words of the command, without the command."""
    if not is_said_to_us(event):
        return
    visit.is_direct, visit.thread_ts = True, str(event.get("thread_ts") or "")
    await commands.answer(visit, str(event.get("text") or ""))


def is_said_to_us(event: Mapping[str, Any]) -> bool:
    """Whether a message is a person's, to us alone. Slack tells of our own there, too, and of every edit of them."""
    return event.get("channel_type") == "im" and not event.get("subtype") and not _is_by_a_machine(event)


async def mention(visit: Visit, event: Mapping[str, Any]) -> None:
    """`@FinOps status`: answered to the one who asked; money is nobody else's business until it is shared."""
    if _is_by_a_machine(event):
        return
    visit.thread_ts = str(event.get("thread_ts") or "")
    await commands.answer(visit, without_mention(str(event.get("text") or "")))


def _is_by_a_machine(event: Mapping[str, Any]) -> bool:
    """Whether no person wrote it: an app, or Slackbot, which reminds in its own name of what somebody asked it to."""
    return bool(event.get("bot_id")) or event.get("user") == SLACKBOT


async def changed(visit: Visit, event: Mapping[str, Any]) -> None:
    """Slack says that somebody is described differently now: of whom we know, what gives or takes rights is taken in.

    The event may come late or twice, so it is only the reason to ask; where Slack does not answer, it is believed if it
    is news. Nobody is told: nobody asked.
    """
    user = event.get("user")
    if not isinstance(user, dict):
        return
    known = await visit.bot.people.present(visit.workspace_id, visit.user_id)
    told = visit.described(user, visit.user_id)
    if known is None or (told.is_outsider is known.is_outsider and told.is_workspace_admin is known.is_workspace_admin):
        return
    try:
        now = await visit.profile(visit.user_id)
    except SLACK_FAILS as error:
        is_news = _happened_at(event) > known.seen_at.timestamp()
        log.warning("a change was not looked up", extra={"error": type(error).__name__, "is_news": is_news})
        if not is_news:
            return
        now = told
    await visit.bot.people.meet(visit.workspace_id, visit.workspace_name, now)


def _happened_at(event: Mapping[str, Any]) -> float:
    """When it happened, in seconds of Slack's clock; before everything else where that is not told."""
    told = str(event.get("event_ts") or "")
    return float(told) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", told) else 0.0


async def removed(visit: Visit, event: Mapping[str, Any]) -> None:
    """The app or its tokens are gone; installing.watch_removals has forgotten them already. Nobody is left to tell."""
    del visit, event


EVENTS: dict[str, Heard] = {
    "app_home_opened": home_opened,
    "app_mention": mention,
    "app_uninstalled": removed,
    "message": direct_message,
    "tokens_revoked": removed,
    "user_change": changed,
}
# Heard again by Slack's retries without harm: drawing Home twice draws the same Home.
REPEATABLE = frozenset({"app_home_opened", "app_uninstalled", "tokens_revoked", "user_change"})
