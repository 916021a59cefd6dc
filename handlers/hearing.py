"""Events: Home was opened, somebody wrote to us or said our name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from handlers import commands, home
from handlers.visit import Visit, without_mention

Heard = Callable[[Visit, Mapping[str, Any]], Awaitable[None]]


async def home_opened(visit: Visit, event: Mapping[str, Any]) -> None:
    """The Home tab is drawn each time it is looked at; the messages tab needs nothing."""
    visit.channel_id = None
    if event.get("tab", "home") == "home":
        await home.publish(visit)


async def direct_message(visit: Visit, event: Mapping[str, Any]) -> None:
    """What people type to us: the words of the command, without the command."""
    if event.get("channel_type") != "im" or event.get("subtype") or event.get("bot_id"):
        return
    visit.is_direct = True
    await commands.answer(visit, str(event.get("text") or ""))


async def mention(visit: Visit, event: Mapping[str, Any]) -> None:
    """`@FinOps status`: answered to the one who asked; money is nobody else's business until it is shared."""
    if event.get("bot_id"):
        return
    await commands.answer(visit, without_mention(str(event.get("text") or "")))


async def removed(visit: Visit, event: Mapping[str, Any]) -> None:
    """The app or its tokens are gone; installing.watch_removals has forgotten them already. Nobody is left to tell."""
    del visit, event


EVENTS: dict[str, Heard] = {
    "app_home_opened": home_opened,
    "app_mention": mention,
    "app_uninstalled": removed,
    "message": direct_message,
    "tokens_revoked": removed,
}
# Heard again by Slack's retries without harm: drawing Home twice draws the same Home.
REPEATABLE = frozenset({"app_home_opened", "app_uninstalled", "tokens_revoked"})
