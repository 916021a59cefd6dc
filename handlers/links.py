"""Links: where a message stands, as Slack tells it."""

from __future__ import annotations

import logging

import aiohttp
from slack_sdk.errors import SlackApiError

from handlers.visit import Visit

log = logging.getLogger(__name__)


async def permalink(visit: Visit, channel_id: str, ts: str) -> str | None:
    """The link to a message; None where Slack does not say."""
    try:
        answer = await visit.client.chat_getPermalink(channel=channel_id, message_ts=ts)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("no link to a message", extra={"error": type(error).__name__})
        return None
    return str(answer.get("permalink") or "") or None
