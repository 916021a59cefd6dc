"""Incidents: one budget on one scope in one period, what people do about it, and how it ends.

Amounts move it in finops.crossings. Silence changes what is said, never what is recorded. The end of the period, or of
the budget, closes an incident, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from finops.budgets import BudgetOn, BudgetPeriod, is_loud, percent_floor, reached
from finops.charges import FigureState
from finops.estimates import Spent
from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period, charge_day
from finops.queries import ScopeKind

Fact = str | int | bool | None | list[int]


def instant_of(fact: object) -> datetime | None:
    """The instant that a fact tells; None where it tells none."""
    try:
        found = datetime.fromisoformat(str(fact)) if fact is not None else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


# Below every level worth naming, and above the zero of an incident that nobody has heard of.
_TOLD = 1
# Two people who press "30 minutes" within a minute mean one silence.
_SAME_END = timedelta(minutes=1)
# Whoever wants to hear nothing for longer wants another limit.
LONGEST_SILENCE = timedelta(days=7)


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


SPEAKING = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.SILENCED)
"""Nobody acts on the spending: whether it is told aloud depends on what people asked for."""
HELD_OPEN = frozenset({IncidentState.STOPPING, IncidentState.STOPPED, IncidentState.RESTORING, IncidentState.RESTORED})
"""Somebody acted on the spending: neither the end of the period nor of the budget ends it, but the next day's note."""


class EventKind(StrEnum):
    """What happened to an incident. The comment names the facts in `values`; the amounts are those of `facts_of`."""

    CROSSED = "crossed"  # level, levels, and the amounts
    ACKNOWLEDGED = "acknowledged"  # by
    SILENCED = "silenced"  # by, until
    SILENCE_ENDED = "silence_ended"  # by (None: it ran out), level (None: none rose meanwhile), and the amounts
    BUDGET_CHANGED = "budget_changed"  # by, limit_before, currency_before, next_level (None: no more), and the amounts
    CLOSED = "closed"  # reason, level, rose (a level that silence hid), and the amounts
    HELPFUL = "helpful"  # by
    NOT_HELPFUL = "not_helpful"  # by
    CAUSE_PINNED = "cause_pinned"  # by, text
    # Of these two, by: whose acknowledgement it was; seconds since anybody did something, is_after_act: other than
    # acknowledging; and the amounts.
    REMINDED = "reminded"  # opens_at (None: its period ends before)
    UNACKNOWLEDGED = "unacknowledged"  # lead (None: nobody leads the team)


OPINIONS = (EventKind.HELPFUL, EventKind.NOT_HELPFUL)


class CloseReason(StrEnum):
    """Why an incident is over."""

    PERIOD_ENDED = "period_ended"
    BUDGET_DISABLED = "budget_disabled"
    BUDGET_DELETED = "budget_deleted"
    SCOPE_GONE = "scope_gone"  # the team or project is gone, excluded, or has a budget of its own now
    RESOLVED = "resolved"  # it was stopped, put back, and a day went by


class RootAction(StrEnum):
    """What becomes of the root message."""

    NONE = "none"
    POST = "post"
    EDIT = "edit"


class IncidentMistake(StrEnum):
    """Why something cannot be done with an incident."""

    CLOSED = "closed"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    ALREADY_SILENCED = "already_silenced"  # until the same minute
    NOT_SILENCED = "not_silenced"
    SILENCE_RUNS = "silence_runs"
    UNTIL_PASSED = "until_passed"
    UNTIL_TOO_FAR = "until_too_far"  # more than LONGEST_SILENCE ahead
    PERIOD_RUNS = "period_runs"


class IncidentRefused(ValueError):
    """Somebody asked an incident for what it cannot do; nothing changed. `incident` is how it stands."""

    def __init__(self, code: IncidentMistake, incident: Incident) -> None:
        super().__init__(f"{code} (incident {incident.id}, {incident.state})")
        self.code = code
        self.incident = incident


@frozen
class Incident:
    """One budget on one scope in one period (`window`), from its first level on.

    `level` is the highest level reached of this limit, said or not; `spoken_level` the highest one told aloud, 0 for
    none, and then there is no root message yet. `spent` is the amount the root message shows; while there is none, the
    amount of the last crossing. `since` is when it began to burn unusually, or else when it opened. `detected_at`
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
        needed = (self.since, self.opened_at, self.updated_at, self.as_of, self.detected_at)
        for moment in (*needed, self.silenced_until, self.available_at, self.closed_at):
            if moment is not None and moment.tzinfo is None:
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


@frozen
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


@frozen
class Change:
    """An incident's new state, what happened, and what becomes of its root message: kept together or not at all."""

    incident: Incident
    events: tuple[IncidentEvent, ...]
    root: RootAction

    def broadcasts(self, event: IncidentEvent) -> bool:
        """Whether the event's line in the thread is to be seen in the channel too: not beside a new root message."""
        return event.is_loud and self.root is not RootAction.POST


def acknowledge(incident: Incident, by: str, now: datetime) -> Change:
    """Somebody takes care of it; levels above still speak. Raises IncidentRefused: closed, or somebody did before."""
    _refuse_closed(incident)
    if incident.acknowledged_by is not None:
        raise IncidentRefused(IncidentMistake.ALREADY_ACKNOWLEDGED, incident)
    state = IncidentState.ACKNOWLEDGED if incident.state is IncidentState.OPEN else incident.state
    after = replace(incident, state=state, acknowledged_by=by, acknowledged_at=now, updated_at=now)
    # With its moment, for an acknowledgement may end and another one come.
    key = f"acknowledged:{now.isoformat()}"
    return change_of(incident, after, IncidentEvent(EventKind.ACKNOWLEDGED, now, key, {"by": by}))


def silence(incident: Incident, by: str, until: datetime, now: datetime) -> Change:
    """Say nothing more until then; another call moves the end.

    Raises IncidentRefused: closed, past, more than LONGEST_SILENCE ahead, the same end.
    """
    _refuse_closed(incident)
    if until <= now:
        raise IncidentRefused(IncidentMistake.UNTIL_PASSED, incident)
    if until - now > LONGEST_SILENCE:
        raise IncidentRefused(IncidentMistake.UNTIL_TOO_FAR, incident)
    if incident.silenced_until is not None and abs(until - incident.silenced_until) < _SAME_END:
        raise IncidentRefused(IncidentMistake.ALREADY_SILENCED, incident)
    state = IncidentState.SILENCED if incident.state in SPEAKING else incident.state
    after = replace(incident, state=state, silenced_by=by, silenced_until=until, updated_at=now)
    values: dict[str, Fact] = {"by": by, "until": until.isoformat()}
    return change_of(incident, after, IncidentEvent(EventKind.SILENCED, now, f"silenced:{now.isoformat()}", values))


def end_silence(incident: Incident, on: BudgetOn, now: datetime, by: str | None = None) -> Change:
    """Speak again, by whom (None: its time ran out), with one loud summary when a loud level rose meanwhile.

    Raises IncidentRefused: closed, not silenced, or nobody ends it and its time runs.
    """
    _refuse_closed(incident)
    if incident.silenced_until is None:
        raise IncidentRefused(IncidentMistake.NOT_SILENCED, incident)
    if by is None and incident.is_silent(now):
        raise IncidentRefused(IncidentMistake.SILENCE_RUNS, incident)
    rose = incident.level > incident.spoken_level and is_loud(on.budget, incident.level)
    after = replace(
        incident,
        state=speaking_state(incident, None) if incident.state in SPEAKING else incident.state,
        silenced_by=None,
        silenced_until=None,
        spoken_level=incident.level if rose else incident.spoken_level,
        updated_at=now,
    )
    values: dict[str, Fact] = {"by": by, "level": incident.level if rose else None, **facts_of(after)}
    key = f"silence_ended:{now.isoformat()}"
    # That nothing happened is worth no line: the root shows that it speaks again.
    return change_of(incident, after, IncidentEvent(EventKind.SILENCE_ENDED, now, key, values, rose, rose))


def budget_changed(incident: Incident, on: BudgetOn, now: datetime, before: Money | None = None) -> Change:
    """Take over the limit of the budget as it is now; `updated_by` changed it. Evaluating does so by itself.

    A lower limit leaves said what was said: only a level above the highest one recorded will speak. A higher limit is
    a new agreement: the levels of it that are not reached yet will speak, `next_level` in the event's facts first.
    `before` is what was known to be spent when it changed, where `incident` shows more by now: what was reached in
    the same look is news.
    """
    _refuse_closed(incident)
    level, spoken = _levels_under(incident, on, incident.spent if before is None else before)
    after = replace(incident, limit=on.budget.amount, level=level, spoken_level=spoken, updated_at=now)
    facts = facts_of(after)
    percent = facts["percent"]
    # What is passed already is told at once: "now 311%, next alert at 100%" contradicts itself.
    passed = max(after.level, percent) if isinstance(percent, int) else after.level
    values: dict[str, Fact] = {
        "by": on.budget.updated_by,
        "limit_before": f"{incident.limit.amount:f}",
        "currency_before": incident.limit.currency,
        "next_level": next((level for level in on.budget.told_levels if level > passed), None),
        **facts,
    }
    key = f"budget_changed:{now.isoformat()}"
    return change_of(incident, after, IncidentEvent(EventKind.BUDGET_CHANGED, now, key, values))


def _levels_under(incident: Incident, on: BudgetOn, before: Money) -> tuple[int, int]:
    """The recorded and the spoken level to go on from under the budget's limit.

    `_TOLD` where something was told, but nothing of this limit.
    """
    limit = on.budget.amount
    if limit.currency == incident.limit.currency and limit <= incident.limit:
        return incident.level, incident.spoken_level
    levels: tuple[int, ...] = ()
    if before.currency == incident.spent.currency == limit.currency:
        # Known is what was reached before and is reached still; and no level that was never recorded.
        known = reached(on.budget, min(before, incident.spent))
        levels = tuple(level for level in known if level <= incident.level)
    level = max(levels, default=_TOLD if incident.has_root else 0)
    return level, min(incident.spoken_level, level)


def close(incident: Incident, reason: CloseReason, now: datetime, spent: Spent | None = None) -> Change:
    """The end, with the final amount where it is known. Raises IncidentRefused: closed already, or the period runs.

    Evaluate the final amount first: usage arrives late, and the last minutes of a period may have crossed a level.
    Its silence ends with it, also one that was to last longer: what rose meanwhile is said, without a sound.
    """
    _refuse_closed(incident)
    is_period = reason is CloseReason.PERIOD_ENDED
    if is_period and not incident.is_over(now):
        raise IncidentRefused(IncidentMistake.PERIOD_RUNS, incident)
    final = {} if spent is None else seen(incident, spent)
    after = replace(incident, state=IncidentState.CLOSED, closed_at=now, updated_at=now, **final)
    rose = after.level if incident.is_silent(now) and after.level > after.spoken_level else None
    values: dict[str, Fact] = {"reason": reason.value, "level": after.level, **facts_of(after)}
    if rose is not None:
        values["rose"] = rose
    key = "closed" if is_period else f"closed:{now.isoformat()}"
    is_said = incident.has_root and (rose is not None or not incident.is_silent(now))
    return change_of(incident, after, IncidentEvent(EventKind.CLOSED, now, key, values, is_said=is_said))


def feedback(by: str, now: datetime, before: Iterable[IncidentEvent] = (), *, is_helpful: bool) -> IncidentEvent:
    """A person's opinion of the alert, recorded and not said. After what happened `before` it has a key of its own, for
    who changed their mind may change it back; two clicks at once have the same.
    """
    kind = EventKind.HELPFUL if is_helpful else EventKind.NOT_HELPFUL
    times = sum(one.kind is kind and one.values.get("by") == by for one in before)
    return IncidentEvent(kind, now, f"{kind}:{by}:{times}" if times else f"{kind}:{by}", {"by": by}, is_said=False)


def acted(incident: Incident, state: IncidentState | None, now: datetime) -> Change | None:
    """The incident shows what is done about its spending; None: nothing any more, it speaks as before.

    None as the result when it shows that already, or is closed.
    """
    wanted = state or (
        incident.state if incident.state in SPEAKING else speaking_state(incident, incident.silenced_until)
    )
    if incident.state in (IncidentState.CLOSED, wanted):
        return None
    return change_of(incident, replace(incident, state=wanted, updated_at=now))


def pinned(incident: Incident, by: str, text: str, now: datetime) -> Change:
    """Somebody says why it happened, also once it is over."""
    event = IncidentEvent(EventKind.CAUSE_PINNED, now, f"cause:{now.isoformat()}", {"by": by, "text": text})
    return change_of(incident, replace(incident, updated_at=now), event)


def facts_of(incident: Incident) -> dict[str, Fact]:
    """The amounts an event keeps, frozen: plain decimal strings; `percent` None where currencies differ."""
    same = incident.spent.currency == incident.limit.currency
    return {
        "spent": f"{incident.spent.amount:f}",
        "limit": f"{incident.limit.amount:f}",
        "currency": incident.limit.currency,
        "percent": percent_floor(incident.spent, incident.limit) if same else None,
        "state": incident.spent_state.value,
    }


def seen(incident: Incident, spent: Spent) -> dict[str, Any]:
    """The present amount by field of the incident. Blindness keeps the higher one: not looking is not spending less."""
    amount = spent.amount
    if spent.state is FigureState.BLIND and amount.currency == incident.spent.currency and amount < incident.spent:
        amount = incident.spent
    return {"spent": amount, "spent_state": spent.state, "as_of": spent.as_of or incident.as_of}


def speaking_state(incident: Incident, silenced_until: datetime | None) -> IncidentState:
    """The state of an incident on whose spending nobody acted: silenced, acknowledged or open."""
    if silenced_until is not None:
        return IncidentState.SILENCED
    return IncidentState.OPEN if incident.acknowledged_by is None else IncidentState.ACKNOWLEDGED


def change_of(before: Incident, after: Incident, *events: IncidentEvent) -> Change:
    """The change with its root action: posted with the first word told aloud, edited from then on."""
    if not after.has_root:
        return Change(after, events, RootAction.NONE)
    return Change(after, events, RootAction.EDIT if before.has_root else RootAction.POST)


def _refuse_closed(incident: Incident) -> None:
    if incident.state is IncidentState.CLOSED:
        raise IncidentRefused(IncidentMistake.CLOSED, incident)
