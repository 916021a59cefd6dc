"""Incidents: what is said of a budget in one period. Each level once; silence changes what is said, not what is kept.

The rules, all of them pure:

- An incident is one budget on one scope in one period. Only a level above the highest one recorded (`level`) is ever
  new: amounts that fall and rise again, other limits and other levels never make a level speak twice.
- Several levels reached at once are one crossing, which names the highest and lists all.
- Levels below 75 per cent are quiet (finops.budgets.is_loud): they wait in the thread for the root message, which the
  first loud one posts. From then on the root always shows the present.
- While silenced, crossings are recorded and not said. When silence ends and a loud level rose meanwhile, one loud
  summary says it.
- The end of the period, or of the budget, closes the incident, once. A budget that comes back within the period opens
  the same incident again when a higher level is reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from finops.budgets import BudgetOn, BudgetPeriod, period_of, reached
from finops.charges import FigureState
from finops.estimates import Spent
from finops.money import Money
from finops.periods import Period, charge_day
from finops.queries import ScopeKind

Fact = str | int | bool | None | list[int]


class IncidentState(StrEnum):
    """Where an incident stands. From STOPPING to ALLOWED somebody, or its policy, acted on the spending itself."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    STOPPING = "stopping"
    STOPPED = "stopped"
    RESTORING = "restoring"
    RESTORED = "restored"
    ALLOWED = "allowed"
    CLOSED = "closed"


class EventKind(StrEnum):
    """What happened to an incident. The comment names the facts in `values`."""

    CROSSED = "crossed"  # level, levels, percent, spent, limit, currency, state
    ACKNOWLEDGED = "acknowledged"  # by
    SILENCED = "silenced"  # by, until
    SILENCE_ENDED = "silence_ended"  # by (None: it ran out), level when one rose meanwhile, percent, spent, limit, …
    BUDGET_CHANGED = "budget_changed"  # by, limit_before, currency_before, next_level, percent, spent, limit, …
    CLOSED = "closed"  # reason, percent, spent, limit, currency, state, level
    HELPFUL = "helpful"  # by
    NOT_HELPFUL = "not_helpful"  # by


class CloseReason(StrEnum):
    """Why an incident is over."""

    PERIOD_ENDED = "period_ended"
    BUDGET_DISABLED = "budget_disabled"
    BUDGET_DELETED = "budget_deleted"
    SCOPE_GONE = "scope_gone"  # the team or project is gone, excluded, or has a budget of its own now


class RootAction(StrEnum):
    """What becomes of the root message."""

    NONE = "none"
    POST = "post"
    EDIT = "edit"


class IncidentMistake(StrEnum):
    """Why something cannot be done with an incident."""

    CLOSED = "closed"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    ALREADY_SILENCED = "already_silenced"  # until the very same time
    NOT_SILENCED = "not_silenced"
    UNTIL_PASSED = "until_passed"
    PERIOD_RUNS = "period_runs"


class IncidentRefused(ValueError):
    """Somebody asked an incident for what it cannot do; nothing changed. `incident` is how it stands."""

    def __init__(self, code: IncidentMistake, incident: Incident) -> None:
        super().__init__(f"{code} (incident {incident.id}, {incident.state})")
        self.code = code
        self.incident = incident


@dataclass(frozen=True, slots=True)
class Incident:
    """One budget on one scope in one period (`window`), from its first level on.

    `level` is the highest level ever reached in the period, said or not; `spoken_level` the highest one told aloud, 0
    for none, and then there is no root message yet. `spent` is the amount the root message shows; while there is none,
    the amount of the last crossing. `since` is when it began to burn unusually, or else when it opened. `detected_at`
    and `available_at` are of the latest crossing: when we saw it, and when the provider could first have told.
    `silenced_until` outlives the state: a stopped incident may be silent too.
    """

    id: int | None
    workspace_id: str
    budget_id: int
    scope_kind: ScopeKind
    scope_id: int | None
    period: BudgetPeriod
    window: Period
    state: IncidentState
    level: int
    spoken_level: int
    limit: Money
    spent: Money
    spent_state: FigureState
    usual: Money | None
    burn_per_minute: Money | None
    since: datetime
    opened_at: datetime
    updated_at: datetime
    as_of: datetime
    detected_at: datetime
    available_at: datetime | None
    channel_id: str | None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    silenced_by: str | None = None
    silenced_until: datetime | None = None
    allowed_until: datetime | None = None
    allowed_amount: Money | None = None
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.spoken_level <= self.level:
            raise ValueError(f"no level above {self.level} was reached, so {self.spoken_level} cannot have been told")
        if (self.scope_id is None) != (self.scope_kind is ScopeKind.WORKSPACE):
            raise ValueError(f"a scope {self.scope_kind} cannot have the id {self.scope_id}")
        if (self.state is IncidentState.CLOSED) != (self.closed_at is not None):
            raise ValueError("closed is what has a time of closing, and nothing else")
        if self.state is IncidentState.ACKNOWLEDGED and self.acknowledged_by is None:
            raise ValueError("somebody acknowledged it")
        if self.state is IncidentState.SILENCED and self.silenced_until is None:
            raise ValueError("silence has an end")
        for moment in (self.since, self.opened_at, self.updated_at, self.as_of, self.detected_at):
            if moment.tzinfo is None:
                raise ValueError("the times of an incident are aware")

    @property
    def has_root(self) -> bool:
        """Whether its root message has been asked for; before that there is only its record."""
        return self.spoken_level > 0

    def is_silent(self, now: datetime) -> bool:
        """Whether crossings are kept from people just now."""
        return self.silenced_until is not None and now < self.silenced_until

    def is_over(self, now: datetime) -> bool:
        """Whether its period has ended, so that it wants closing."""
        return charge_day(now) >= self.window.end


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """Something that happened to an incident; `key` is unique within it. `values` are facts, never words.

    `is_said` events become a line of its thread; others are recorded only. `is_loud` ones are told to the channel:
    by the root message when it is posted with them, else as a broadcast line (`Change.broadcasts`).
    """

    kind: EventKind
    at: datetime
    key: str
    values: Mapping[str, Fact] = field(default_factory=dict)
    is_loud: bool = False
    is_said: bool = True

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the time of an event is aware")
        if self.is_loud and not self.is_said:
            raise ValueError("what is not said is not loud")


@dataclass(frozen=True, slots=True)
class Change:
    """An incident's new state, what happened to it, and what becomes of its root message: kept together or not at all."""

    incident: Incident
    events: tuple[IncidentEvent, ...]
    root: RootAction

    def broadcasts(self, event: IncidentEvent) -> bool:
        """Whether the event's line in the thread is to be seen in the channel too: not beside a new root message."""
        return event.is_loud and self.root is not RootAction.POST


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around an amount when it is looked at.

    `since` is when unusual burning began, None when it is not unusual. `detected_at` is when we saw the amount (None:
    now), `available_at` when the provider could first have told it. `channel_id` is for scopes without a channel.
    """

    usual: Money | None = None
    burn_per_minute: Money | None = None
    since: datetime | None = None
    detected_at: datetime | None = None
    available_at: datetime | None = None
    channel_id: str | None = None


def evaluate(incident: Incident | None, on: BudgetOn, spent: Spent, context: Context, now: datetime) -> Change | None:
    """What the present amount changes, or None when nothing does: the same facts twice change nothing twice.

    `incident` is the one of this budget and scope in the period of `now`, whatever its state; None when there is none.
    Close one whose period is over first. One of a later period (our clock runs behind) is left alone.
    """
    window = period_of(on.budget.period, charge_day(now))
    if incident is None:
        return _opened(on, spent, context, now, window)
    if (incident.budget_id, incident.scope_kind, incident.scope_id) != (on.budget.id, on.scope.kind, on.scope.id):
        raise ValueError(f"incident {incident.id} is not of budget {on.budget.id} on {on.scope}")
    if incident.window.end <= window.start:
        raise ValueError(f"incident {incident.id} is over; close it first")
    if incident.window != window:
        return None
    return _updated(incident, on, spent, context, now)


def _opened(on: BudgetOn, spent: Spent, context: Context, now: datetime, window: Period) -> Change | None:
    levels = reached(on.budget, spent.amount)
    if not levels:
        return None
    before = Incident(
        id=None,
        workspace_id=on.budget.workspace_id,
        budget_id=on.budget.id,
        scope_kind=on.scope.kind,
        scope_id=on.scope.id,
        period=on.budget.period,
        window=window,
        state=IncidentState.OPEN,
        level=0,
        spoken_level=0,
        limit=on.budget.amount,
        spent=spent.amount,
        spent_state=spent.state,
        usual=context.usual,
        burn_per_minute=context.burn_per_minute,
        since=context.since or now,
        opened_at=now,
        updated_at=now,
        as_of=spent.as_of or now,
        detected_at=context.detected_at or now,
        available_at=context.available_at,
        channel_id=_channel(on, context),
    )
    return _updated(before, on, spent, context, now)


def _updated(incident: Incident, on: BudgetOn, spent: Spent, context: Context, now: datetime) -> Change | None:
    raise NotImplementedError


def _channel(on: BudgetOn, context: Context) -> str | None:
    return on.budget.channel_id or (on.team.channel_id if on.team else None) or context.channel_id


def acknowledge(incident: Incident, by: str, now: datetime) -> Change:
    """Somebody takes care of it. Levels above still speak. Raises IncidentRefused: closed, or somebody did before."""
    raise NotImplementedError


def silence(incident: Incident, by: str, until: datetime, now: datetime) -> Change:
    """Say nothing more until then; another call moves the end. Raises IncidentRefused: closed, past, the same end."""
    raise NotImplementedError


def end_silence(incident: Incident, on: BudgetOn, now: datetime, by: str | None = None) -> Change:
    """Speak again, by whom (None: its time ran out), with one loud summary when a loud level rose meanwhile.

    Raises IncidentRefused: closed, not silenced, or nobody ends it and it still runs.
    """
    raise NotImplementedError


def budget_changed(incident: Incident, on: BudgetOn, now: datetime) -> Change:
    """Take over the limit of the budget as it is now (`updated_by` changed it). `evaluate` does so by itself."""
    raise NotImplementedError


def close(incident: Incident, reason: CloseReason, now: datetime, spent: Spent | None = None) -> Change:
    """The end, with the final amount where it is known. Raises IncidentRefused: closed already, or the period runs."""
    raise NotImplementedError


def feedback(incident: Incident, by: str, now: datetime, *, is_helpful: bool) -> IncidentEvent:
    """A person's opinion of the alert, recorded and not said; its key allows one of each kind per person."""
    raise NotImplementedError
