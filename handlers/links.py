"""Links: where a message stands, as Slack tells it."""

from __future__ import annotations

import logging

from handlers.outages import SLACK_FAILS
from handlers.visit import Visit

log = logging.getLogger(__name__)


async def permalink(visit: Visit, channel_id: str, ts: str) -> str | None:
    """The link to a message; None where Slack does not say."""
    try:
        answer = await visit.client.chat_getPermalink(channel=channel_id, message_ts=ts)
    except SLACK_FAILS as error:
        log.info("no link to a message", extra={"error": type(error).__name__})
        return None
    return str(answer.get("permalink") or "") or None
