"""What Slack's refusals mean for a message on its way: wait, look for it, speak elsewhere, or say it plainer."""

from __future__ import annotations

from enum import StrEnum

import aiohttp
from slack_sdk.errors import SlackApiError

from blocks.answered import TOO_RICH, error_code
from finops.frozen import frozen

# Without a Retry-After that can be read.
_DEFAULT_RETRY_AFTER = 1.0
_LONGEST_RETRY_AFTER = 600.0


class Trouble(StrEnum):
    """What to do about it."""

    LIMITED = "limited"  # too much was asked: not done, ask again after `retry_after`
    AWAY = "away"  # Slack was not reached: certainly not done
    UNCERTAIN = "uncertain"  # it may have been done: look for it before doing it again
    REMOVED = "removed"  # nobody lets us speak in this workspace: the token is dead
    CLOSED = "closed"  # this channel or person does not take it from us: tell somebody elsewhere
    GONE = "gone"  # the message to be edited is not there: post it anew
    THREADLESS = "threadless"  # the thread to be continued is not there
    TOO_RICH = "too_rich"  # these blocks are not understood: say it plainer
    REFUSED = "refused"  # something nobody thought of: try again, but not for ever


@frozen
class Verdict:
    """What went wrong; `code` is Slack's word for it, `retry_after` in seconds."""

    trouble: Trouble
    code: str
    retry_after: float | None = None


_MEANING: dict[Trouble, frozenset[str]] = {
    Trouble.LIMITED: frozenset({"ratelimited", "rate_limited"}),
    # Slack says no to everybody there for a while: certainly not done, and to be had later.
    Trouble.AWAY: frozenset({"external_channel_migrating", "message_limit_exceeded", "streaming_state_conflict"}),
    Trouble.UNCERTAIN: frozenset(
        {
            "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
            "update_failed",
        }
    ),
    Trouble.REMOVED: frozenset(
        {
            "accesslimited", "account_inactive", "enterprise_is_restricted", "invalid_auth", "not_allowed_token_type",
            "not_authed", "org_login_required", "team_access_not_granted", "token_expired", "token_revoked",
            "two_factor_setup_required",
        }
    ),
    # An archived channel is `is_archived` to a post and `is_inactive` to an edit.
    Trouble.CLOSED: frozenset(
        {
            "access_denied", "app_access_restricted", "cannot_dm_bot", "channel_is_limited_access",
            "channel_not_found", "ekm_access_denied", "invalid_user_combination", "is_archived", "is_inactive",
            "messages_tab_disabled", "method_not_supported_for_channel_type", "missing_scope", "no_permission",
            "not_enough_users", "not_in_channel", "restricted_action", "restricted_action_non_threadable_channel",
            "restricted_action_read_only_channel", "restricted_action_thread_locked",
            "restricted_action_thread_only_channel", "slack_connect_canvas_sharing_blocked",
            "slack_connect_file_link_sharing_blocked", "slack_connect_lists_sharing_blocked", "team_not_found",
            "user_disabled", "user_not_found", "user_not_visible", "users_not_found",
        }
    ),
    Trouble.GONE: frozenset({"block_mismatch", "cant_update_message", "edit_window_closed", "message_not_found"}),
    Trouble.THREADLESS: frozenset({"cannot_reply_to_message", "invalid_thread_ts", "thread_not_found"}),
    Trouble.TOO_RICH: TOO_RICH,
}  # fmt: skip
_TROUBLE = {code: trouble for trouble, codes in _MEANING.items() for code in codes}


class Unanswered(Exception):
    """Slack said yes without saying where the message stands."""


class NotInstalled(Exception):
    """There is no token for the workspace: the app was removed there."""


# What may go wrong between us and Slack. Anything else is a mistake of ours.
EXPECTED = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError, Unanswered, NotInstalled)


def judged(error: BaseException) -> Verdict:
    """What an error of a Slack call means; of `EXPECTED` ones only."""
    code = error_code(error)
    if isinstance(error, NotInstalled):
        return Verdict(Trouble.REMOVED, code)
    if not isinstance(error, SlackApiError):
        # A connection that was never made carried nothing; one that broke may have delivered everything.
        is_away = isinstance(error, aiohttp.ClientConnectorError | ConnectionRefusedError)
        return Verdict(Trouble.AWAY if is_away else Trouble.UNCERTAIN, code)
    status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None) or 200
    trouble = _TROUBLE.get(code, Trouble.REFUSED)
    if status == 429 or trouble is Trouble.LIMITED:
        return Verdict(Trouble.LIMITED, "ratelimited", _retry_after(error))
    if status >= 500 or code == SlackApiError.__name__:
        return Verdict(Trouble.UNCERTAIN, f"http_{status}")
    return Verdict(trouble, code)


def _retry_after(error: SlackApiError) -> float:
    headers = getattr(error.response, "headers", None) or {}
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    if isinstance(told, list | tuple):
        told = told[0] if told else ""
    try:
        return min(_LONGEST_RETRY_AFTER, max(_DEFAULT_RETRY_AFTER, float(told)))
    except ValueError:
        return _DEFAULT_RETRY_AFTER
