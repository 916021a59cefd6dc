"""Files: sent in the direct conversation of whoever asked for them, where Slack allows it."""

from __future__ import annotations

import logging

from slack_sdk.errors import SlackApiError

from blocks.answered import error_code
from handlers.visit import Visit

log = logging.getLogger(__name__)

# What Slack answers where the app, or everybody, may send no file.
NOT_ALLOWED = frozenset(
    {
        "missing_scope",
        "not_allowed_token_type",
        "access_denied",
        "no_permission",
        "file_type_not_allowed",
        "file_upload_disabled",
        "file_upload_size_restricted",
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "posting_to_channel_denied",
        "storage_limit_reached",
    }
)


async def sent(visit: Visit, name: str, content: bytes, words: str) -> bool:
    """Send a file with a sentence beside it; False where no file may be sent here (the scope files:write)."""
    try:
        opened = await visit.client.conversations_open(users=visit.user_id)
        await visit.client.files_upload_v2(
            filename=name, content=content, channel=opened["channel"]["id"], initial_comment=words
        )
    except SlackApiError as error:
        if error_code(error) not in NOT_ALLOWED:
            raise
        log.warning("no file can be sent", extra={"error": error_code(error)})
        return False
    return True
