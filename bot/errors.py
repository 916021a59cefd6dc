"""Bad news as data: what we refuse, what is out, what is our own fault. The wording lives in blocks/bad_news.py.

Refusal        a person asked for something that cannot be done; `code` and `values` say what and why
ProviderError  a provider refused a key, is slow, is away or talks nonsense (see providers/contract.py)
anything else  our bug: logged with its traceback under the reference the person is shown
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from enum import StrEnum

from finops.frozen import frozen
from providers.contract import (
    CredentialReason,
    CredentialRejected,
    ProviderError,
    RateLimited,
    UnexpectedResponse,
)

log = logging.getLogger(__name__)

# No 0/O or 1/I/L: people read these aloud.
_REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_REFERENCE_LENGTH = 6


class RefusalCode(StrEnum):
    """Every refusal there is. The comment names the values that come with it."""

    NOT_ADMIN = "not_admin"  # admins: tuple of user ids
    NO_ADMIN_YET = "no_admin_yet"  # nobody administers this workspace yet; a Slack admin has to ask for set-up
    NOT_TEAM_MANAGER = "not_team_manager"  # team, lead (user id; None: could not either), admins: tuple of user ids
    GROUPS_UNREAD = "groups_unread"  # as above; Slack does not say who is in a user group that approves for the team
    TEAM_NAME_MISSING = "team_name_missing"
    TEAM_NAME_TOO_LONG = "team_name_too_long"  # limit
    TEAM_NAME_TAKEN = "team_name_taken"  # team
    CHANNEL_MISSING = "channel_missing"
    LANGUAGE_UNKNOWN = "language_unknown"
    LEAD_IS_BOT = "lead_is_bot"  # user_id
    LEAD_IS_GUEST = "lead_is_guest"  # user_id
    APPROVER_IS_BOT = "approver_is_bot"  # user_id
    APPROVER_IS_GUEST = "approver_is_guest"  # user_id
    UNKNOWN_TEAM = "unknown_team"  # somebody removed it meanwhile
    UNKNOWN_CREDENTIAL = "unknown_credential"  # somebody deleted it meanwhile
    UNKNOWN_CONNECTION = "unknown_connection"
    NOT_A_KEY = "not_a_key"
    KEY_OF_PROJECT = "key_of_project"
    KEY_OF_SERVICE_ACCOUNT = "key_of_service_account"
    KEY_OF_USER = "key_of_user"
    KEY_OF_ANTHROPIC = "key_of_anthropic"
    KEY_OF_SOMETHING_ELSE = "key_of_something_else"
    KEY_CANNOT_READ_COSTS = "key_cannot_read_costs"  # rights: tuple of the rights it has
    KEY_ALREADY_REGISTERED = "key_already_registered"  # team, ends_with
    KEY_OF_OTHER_ORGANIZATION = "key_of_other_organization"  # registered, pasted: organization names or ids
    NO_KEY = "no_key"  # team: it has no enabled key to ask with
    NOTHING_CHOSEN = "nothing_chosen"
    UNKNOWN_PROJECT = "unknown_project"  # project_id
    ARCHIVED_PROJECT = "archived_project"  # project_id, project
    PROJECT_HELD = "project_held"  # project: its spending is held, or being put back; it cannot be let go of yet
    PROJECT_ALLOWED = (
        "project_allowed"  # project, until (datetime | None), amount (Money | None): it is stopped again then
    )
    PROJECT_NOT_VERIFIABLE = "project_not_verifiable"  # project_id: our keys may not list projects, no cost names it
    NOTHING_TO_COLLECT = "nothing_to_collect"
    UNKNOWN_INCIDENT = "unknown_incident"
    INCIDENT_CLOSED = "incident_closed"
    INCIDENT_ACKNOWLEDGED = "incident_acknowledged"  # person (user id), at: datetime
    INCIDENT_SILENCED = "incident_silenced"  # person (user id), until: datetime
    INCIDENT_NOT_SILENCED = "incident_not_silenced"
    SILENCE_PAST = "silence_past"
    SILENCE_TOO_LONG = "silence_too_long"  # days: how many at most
    UNKNOWN_BUDGET = "unknown_budget"  # somebody deleted it meanwhile
    BUDGET_CHANGED = "budget_changed"  # person (user id), at: datetime; somebody saved it while it was open here
    BUDGET_EXISTS = "budget_exists"  # the same scope, period and amount
    BUDGET_SCOPE_MISSING = "budget_scope_missing"
    BUDGET_SCOPE_GONE = "budget_scope_gone"  # somebody removed the team or project meanwhile
    BUDGET_AMOUNT = "budget_amount"  # mistake (finops.amounts.AmountMistake)
    BUDGET_FLOOR = "budget_floor"  # mistake (as above), or "above": more than the budget
    BUDGET_LEVELS = "budget_levels"
    BUDGET_CHANNEL_MISSING = "budget_channel_missing"  # the whole workspace has no channel of its own
    BUDGET_NEEDS_TWO = "budget_needs_two"  # two must agree until what is held, or asked for, is decided
    BUDGET_FILE = "budget_file"  # mistakes: tuple of finops.budget_report.MistakeInFile
    UNKNOWN_STOP = "unknown_stop"
    STOP_NOTHING_THERE = "stop_nothing_there"  # scope: no project of it could be stopped
    STOP_REASON_MISSING = "stop_reason_missing"
    STOP_UNDER_WAY = "stop_under_way"  # person (user id, None: the budget's policy), at: datetime
    STOP_NOT_HELD = "stop_not_held"  # state (finops.stops.StopState): there is nothing to let go of
    STOP_NO_CHEAP_MODELS = "stop_no_cheap_models"  # the project uses one model, or all cost the same
    STOP_CHANGED = "stop_changed"  # person (user id or None), at: datetime, state; something was done since it was seen
    STOP_SEEN_GONE = "stop_seen_gone"  # a project that was shown is no longer part of the target
    STOP_TOO_OLD = "stop_too_old"  # minutes: the window was filled so long ago that its facts may be wrong
    APPROVAL_AMOUNT = "approval_amount"  # mistake (finops.amounts.AmountMistake), or "below": not above what is spent
    APPROVAL_UNTIL = "approval_until"  # end: datetime or None; not in the future, or after the period ends
    APPROVAL_SAME_PERSON = "approval_same_person"  # another person has to agree; admins: tuple of user ids
    APPROVAL_GONE = "approval_gone"  # nobody asks for an approval any more
    LEAD_MISSING = "lead_missing"  # project: nobody leads it
    LEAD_IS_YOU = "lead_is_you"  # project: who wants to write to its lead is its lead
    TEXT_MISSING = "text_missing"
    UNKNOWN_TRIAL = "unknown_trial"  # a test alert from long ago
    UNKNOWN_DIGEST = "unknown_digest"  # somebody removed it, or it was never made
    DIGEST_CHANNEL_TAKEN = "digest_channel_taken"  # channel: this digest is told there already ('' the usual place)
    WEEK_OPEN = "week_open"  # monday: date; the week has not ended yet
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - somebody revoked it meanwhile
    TOKEN_NAME_MISSING = "token_name_missing"  # noqa: S105
    TOKENS_FULL = "tokens_full"  # limit: so many tokens are in force
    TARGET_AMOUNT = "target_amount"  # mistake (finops.amounts.AmountMistake)
    EXCHANGE_RATE = "exchange_rate"  # mistake (finops.exchange.RateMistake), currency: the one chosen
    CAPS_LINE = "caps_line"  # line: the first that is no cap
    RATING_TOO_OLD = "rating_too_old"
    UNKNOWN_POLL = "unknown_poll"
    POLL_CLOSED = "poll_closed"
    POLL_HIDDEN = "poll_hidden"  # results are for those who voted, and for all once it is closed
    POLL_CHOICE = "poll_choice"  # nothing chosen, or an option that the poll does not have
    POLL_NO_ADDING = "poll_no_adding"
    POLL_QUESTION = "poll_question"  # mistake (finops.polls.PollMistake)
    POLL_OPTIONS = "poll_options"  # mistake (as above), words: the option it is about
    POLL_CLOSES = "poll_closes"  # mistake (as above)
    NOT_POLL_OWNER = "not_poll_owner"  # owner (user id, '' the product), admins: tuple of user ids
    UNKNOWN_FEEDBACK = "unknown_feedback"
    FEEDBACK_ANSWERED = "feedback_answered"  # person (user id), at: datetime
    FEEDBACK_WITHOUT_CONTACT = "feedback_without_contact"  # nobody knows whom to answer
    UNKNOWN_SLOT = "unknown_slot"  # withdrawn, begun, or one's own
    SLOT_TAKEN = "slot_taken"  # somebody else booked it a moment before
    INTERVIEW_BOOKED = "interview_booked"  # at: datetime; one appointment for each person
    UNKNOWN_BOOKING = "unknown_booking"  # given up, moved, over, or somebody else's
    INTERVIEW_TIMES = "interview_times"  # mistake (finops.interviews.OfferMistake), word: the time it is about or ''
    UNKNOWN_SCOPE = "unknown_scope"  # words, suggestion (str or None), choices: tuple of names
    SEVERAL_SCOPES = "several_scopes"  # words, choices: tuple of the names that begin so
    UNKNOWN_PERIOD = "unknown_period"  # words, suggestion (str or None)


# Those that say: you may not. The others are about what was typed, or about what changed meanwhile.
RIGHTS = frozenset(
    {
        RefusalCode.NOT_ADMIN,
        RefusalCode.NO_ADMIN_YET,
        RefusalCode.NOT_TEAM_MANAGER,
        RefusalCode.APPROVAL_SAME_PERSON,
        RefusalCode.NOT_POLL_OWNER,
    }
)


class OutageCode(StrEnum):
    """What a provider did to us. `KEY_*` are for the owner of the key to mend, the others pass by themselves."""

    KEY_REJECTED = "key_rejected"
    KEY_WRONG_KIND = "key_wrong_kind"
    KEY_LACKS_RIGHT = "key_lacks_right"  # scope
    KEY_ADDRESS_REFUSED = "key_address_refused"
    KEYS_DISABLED = "keys_disabled"  # nobody's fault: every key of the connection was disabled or deleted by a person
    RATE_LIMITED = "rate_limited"  # retry_after: seconds or None
    UNAVAILABLE = "unavailable"
    UNEXPECTED_RESPONSE = "unexpected_response"  # pointer
    USAGE_UNREADABLE = "usage_unreadable"  # costs are told, usage is not understood: we see the bill, not the spending
    USAGE_LATE = "usage_late"  # the provider answers, but has told nothing new for longer than it ever took
    CLOCK_SKEW = "clock_skew"  # our clock and the provider's disagree: the minutes we ask for are not the ones we mean
    INTERNAL = "internal"


class BadNewsKind(StrEnum):
    """Whose turn it is: the person's (REFUSAL), the provider's (OUTAGE) or ours (BUG)."""

    REFUSAL = "refusal"
    OUTAGE = "outage"
    BUG = "bug"


class Refusal(Exception):
    """A request that cannot be granted, as a code and values. Saying it in words is blocks/bad_news.py's work."""

    def __init__(self, code: RefusalCode, **values: object) -> None:
        super().__init__(code.value)
        self.code = code
        self.values: dict[str, object] = values


@frozen
class BadNews:
    """Something to be told to a person. `reference` finds the log line; a refusal needs none."""

    kind: BadNewsKind
    code: str
    values: dict[str, object] = field(default_factory=dict)
    reference: str | None = None


_KEY_TROUBLE = {
    CredentialReason.INVALID: OutageCode.KEY_REJECTED,
    CredentialReason.WRONG_KIND: OutageCode.KEY_WRONG_KIND,
    CredentialReason.MISSING_SCOPE: OutageCode.KEY_LACKS_RIGHT,
    CredentialReason.IP_NOT_ALLOWED: OutageCode.KEY_ADDRESS_REFUSED,
}


_noted: ContextVar[list[Refusal] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[Refusal]]:
    """What somebody who asks within it is refused for lack of rights, wherever that is explained: each refusal once."""
    found: list[Refusal] = []
    before = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(before)


def explain(error: BaseException) -> BadNews:
    """Tell what went wrong as data. Anything but a refusal is logged once under the reference it returns."""
    if isinstance(error, Refusal):
        noted = _noted.get()
        if noted is not None and error.code in RIGHTS and error not in noted:
            noted.append(error)
        return BadNews(BadNewsKind.REFUSAL, error.code.value, error.values)
    reference = new_reference()
    if isinstance(error, ProviderError):
        code, values = outage(error)
        log.warning(
            "provider trouble",
            extra={"reference": reference, "code": code.value, "provider_reference": error.reference},
        )
        return BadNews(BadNewsKind.OUTAGE, code.value, values, reference)
    log.error("unexpected failure", exc_info=error, extra={"reference": reference})
    return BadNews(BadNewsKind.BUG, OutageCode.INTERNAL.value, {}, reference)


def outage(error: ProviderError) -> tuple[OutageCode, dict[str, object]]:
    """The code and values of a provider's trouble."""
    if isinstance(error, CredentialRejected):
        return _KEY_TROUBLE[error.reason], {"scope": error.scope}
    if isinstance(error, RateLimited):
        return OutageCode.RATE_LIMITED, {"retry_after": error.retry_after}
    if isinstance(error, UnexpectedResponse):
        return OutageCode.UNEXPECTED_RESPONSE, {"pointer": error.pointer}
    return OutageCode.UNAVAILABLE, {}


def new_reference() -> str:
    """Six letters a person can read out and a developer can search the log for."""
    return "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(_REFERENCE_LENGTH))
