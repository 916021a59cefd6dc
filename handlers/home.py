"""The Home tab: published when somebody opens it, and again when something they did changes it."""

from __future__ import annotations

import logging

import aiohttp
from slack_sdk.errors import SlackApiError

from blocks import bad_news, home
from blocks.answered import error_code
from bot.errors import BadNews
from handlers.guard import attempt
from handlers.visit import Visit

log = logging.getLogger(__name__)


async def publish(visit: Visit) -> None:
    """Draw the Home tab of this person. When its figures cannot be read, it says so instead of showing old ones."""
    person = await visit.person()
    t = await visit.words()
    report = await attempt(visit.bot.reports.home(visit.workspace_id, person))
    if isinstance(report, BadNews):
        await visit.client.views_publish(user_id=visit.user_id, view=home.trouble(bad_news.sentence(report, t), t))
        return
    try:
        await visit.client.views_publish(user_id=visit.user_id, view=home.view(report, t))
    except SlackApiError as error:
        if error_code(error) != "invalid_blocks":
            raise
        await visit.client.views_publish(user_id=visit.user_id, view=home.view(report, t, is_plain=True))


async def refresh(visit: Visit) -> None:
    """Draw the Home tab again after a change. The change itself stands whatever Slack says about the tab."""
    try:
        await publish(visit)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("home not refreshed", extra={"error": type(error).__name__})
