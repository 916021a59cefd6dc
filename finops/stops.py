"""Stops: a person's, or a budget's, decision about a scope's spending, from the click to the note of the next day.

One stop holds a lever on every project of its scope (finops.holds). An approval lets go of them, for a while or for
good, and an allowance that ends takes hold again. The incident behind a stop, if any, shows its state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from finops.frozen import frozen
from finops.holds import Hold
from finops.incidents import Fact
from finops.levers import Lever
from finops.money import Money
from finops.queries import ScopeKind


class StopState(StrEnum):
    """Where a stop stands as a whole."""

    ASKED = "asked"  # nothing is stopped, nor allowed: an approval waits for its second person
    STOPPING = "stopping"  # levers are being set
    STOPPED = "stopped"  # at least one is set, and none is under way but those in trouble
    RESTORING = "restoring"  # levers are being put back
    RESTORED = "restored"  # all are back; watched for a day
    ALLOWED = "allowed"  # spending may go on until a time or an amount
    FAILED = "failed"  # nothing is held: nothing could be set, or all of it was changed elsewhere
    CLOSED = "closed"


IN_FORCE = frozenset({StopState.STOPPING, StopState.STOPPED})
"""The states in which spending is stopped, or is just being: nobody lets it go on."""
UNDER_WAY = IN_FORCE | {StopState.RESTORING}
"""The states in which something of ours stands at a provider, or may."""
OVER = frozenset({StopState.FAILED, StopState.CLOSED})
"""The states in which nothing of it goes on: whoever stops anew begins another stop."""


class StopEventKind(StrEnum):
    """What happened to a stop. The comment names the facts in `values`; amounts are plain decimal strings."""

    REQUESTED = "requested"  # by (None: the budget's policy), lever, projects, reason
    JOINED = "joined"  # by; somebody asked for what is under way already
    SET = "set"  # project, seconds (from the request)
    ENFORCED = "enforced"  # project, seconds
    TROUBLE = "trouble"  # project, trouble, is_letting_go
    FAILED = "failed"  # project, trouble, next_lever
    # project, leak, currency, unpriced (how many calls leak lacks: nobody knows their price), last_request_at (None: no
    # call since), minutes
    PROVED = "proved"
    # project, reason ("usage_goes_on" | "usage_unseen"), leak, currency, unpriced, next_lever; where it could not be
    # seen: unread (kinds of usage, commas between), unread_since (None: never read)
    UNPROVED = "unproved"
    LOST = "lost"  # project, by (the provider's actor, None: it does not say), at
    REOPENED = "reopened"  # project, is_month_turn: calls again although the lever stands
    SECOND_ASKED = "second_asked"  # by, action, until, amount: another person has to agree
    # asked_by, action, until, amount, state (the stop's, which stays as it was but for "asked"): nobody agreed in time
    LAPSED = "lapsed"
    DECLINED = "declined"  # by, and as for LAPSED: somebody did not agree, or whoever asked took it back
    # by, way ("end_of_day" | "amount" | "budget" | "restore"), until, amount, restops; asked_by (`by` agreed)
    APPROVED = "approved"
    RESTORED = "restored"  # project, kept (parts left as somebody else made them), seconds
    FIRST_TRAFFIC = "first_traffic"  # project
    SURGED = "surged"  # project, amount, usual, currency: spending unusually again within a day of the restore
    # reason ("time" | "amount"), restops; instead, where that was agreed and nothing is left to take hold of: "held"
    # (another stop has it) | "nothing"
    ALLOWANCE_ENDED = "allowance_ended"
    CAUSE_PINNED = "cause_pinned"  # by, text
    CLOSED = "closed"  # saved_low, saved_high, currency (None: cannot be said), leak, unpriced


class ApprovalWay(StrEnum):
    """How somebody lets spending go on."""

    END_OF_DAY = "end_of_day"
    AMOUNT = "amount"  # so much more until a time
    BUDGET = "budget"  # a new limit
    RESTORE = "restore"  # as it was before, without condition


@frozen
class StopEvent:
    """Something that happened to a stop; `key` is unique within it. `values` are facts, never words.

    `is_said` events become a line of the thread; `is_loud` ones are shown in the channel as well.
    """

    kind: StopEventKind
    at: datetime
    key: str
    values: Mapping[str, Fact] = field(default_factory=dict)
    is_loud: bool = False
    is_said: bool = True


@frozen
class Pending:
    """An approval that waits for a second person: what the first one asked for."""

    by: str
    at: datetime
    way: ApprovalWay
    until: datetime | None = None
    amount: Money | None = None
    restops: bool = False

    def is_past(self, now: datetime) -> bool:
        """Whether the time it asked for is over, so that nobody can agree to it any more."""
        return self.until is not None and self.until <= now


@frozen
class Stop:
    """One decision about one scope's spending. `incident_id` None: outside of any incident.

    `requested_by` None is the budget's own policy. `turn` counts how often it took hold: 0 for an approval before
    anything was stopped. While ALLOWED, spending may go on until `allowed_until`, or until the incident's amount
    reaches `allowed_ceiling`; then `restops` says whether it takes hold again. `cause` is the pinned explanation.
    """

    id: int | None
    workspace_id: str
    incident_id: int | None
    scope_kind: ScopeKind
    scope_id: int | None
    channel_id: str | None
    lever: Lever
    state: StopState
    reason: str
    requested_by: str | None
    requested_at: datetime
    updated_at: datetime
    turn: int = 1
    approved_by: str | None = None
    approved_at: datetime | None = None
    allowed_until: datetime | None = None
    allowed_ceiling: Money | None = None
    restops: bool = False
    pending: Pending | None = None
    cause: str | None = None
    cause_by: str | None = None
    stopped_at: datetime | None = None
    restored_at: datetime | None = None
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.state is StopState.CLOSED) != (self.closed_at is not None):
            raise ValueError("closed is what has a time of closing, and nothing else")
        if self.state is StopState.ALLOWED and self.allowed_until is None and self.allowed_ceiling is None:
            raise ValueError("an allowance has an end")


@frozen
class StopChange:
    """A stop's new state with those of its holds that changed, and what happened: kept together or not at all."""

    stop: Stop
    holds: tuple[Hold, ...] = ()
    events: tuple[StopEvent, ...] = ()
