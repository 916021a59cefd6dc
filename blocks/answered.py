"""What Slack answered when it did not do what it was asked."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

# The blocks of a message are not known there, or more than Slack takes together: the plain version is neither.
TOO_RICH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "too_many_attachments"}
)


def error_code(error: BaseException) -> str:
    """Slack's word for what went wrong, or the kind of failure on the way there."""
    # An HTTP 500 of Slack's gateway is no JSON: its data is text, and asking it for a key would be our crash.
    told = getattr(error.response, "data", error.response) if isinstance(error, SlackApiError) else None
    return str(told["error"]) if isinstance(told, dict) and "error" in told else type(error).__name__


def is_too_rich(error: BaseException) -> bool:
    """Whether a message may be taken in plainer blocks."""
    return error_code(error) in TOO_RICH
