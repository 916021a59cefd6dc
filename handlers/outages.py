"""What Slack's client raises when Slack does not do what it was asked to: it refuses, hangs up, or does not answer."""

from __future__ import annotations

import aiohttp
from slack_sdk.errors import SlackApiError

from blocks.answered import error_code

SLACK_FAILS = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)
# What passes by itself. Other refusals are of what we asked: those are ours to mend.
_PASSING = frozenset(
    {
        "fatal_error",
        "internal_error",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)


def is_slacks_own(error: BaseException) -> bool:
    """Whether Slack was away or in trouble itself; a page of its gateway counts as that."""
    if isinstance(error, SlackApiError):
        return error_code(error) in _PASSING | {SlackApiError.__name__}
    return isinstance(error, aiohttp.ClientError | TimeoutError)
