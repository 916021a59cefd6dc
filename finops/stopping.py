"""Stopping: how a stop goes on when a lever was set, failed, was let go, when somebody approves or an allowance ends.

The stop's own state follows from its holds. An event has a key, so that whoever works on the same fact, twice or on
two machines, says it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from finops.estimates import Spent
from finops.frozen import frozen
from finops.holds import STANDING, Hold, HoldState
from finops.incidents import Fact, Incident, IncidentState
from finops.levers import Lever
from finops.losses import Saved
from finops.money import EXACT, Money
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stop_events import told_of
from finops.stops import ApprovalWay, Stop, StopChange, StopEvent, StopEventKind, StopState

# After a restore we look twice as hard for so long; then the next day's note closes it.
WATCHED = timedelta(hours=24)
LONGEST_REASON = 500

_MIRRORED = {
    StopState.ASKED: None,
    StopState.STOPPING: IncidentState.STOPPING,
    StopState.STOPPED: IncidentState.STOPPED,
    StopState.RESTORING: IncidentState.RESTORING,
    StopState.RESTORED: IncidentState.RESTORED,
    StopState.ALLOWED: IncidentState.ALLOWED,
    StopState.FAILED: None,
    StopState.CLOSED: None,
}


class StopMistake(StrEnum):
    """Why something cannot be done with a stop."""

    NOT_HELD = "not_held"
    NOBODY_ASKS = "nobody_asks"
    SAME_PERSON = "same_person"


class StopRefused(ValueError):
    """Somebody asked a stop for what it cannot do; nothing changed."""

    def __init__(self, code: StopMistake, stop: Stop) -> None:
        super().__init__(f"{code} (stop {stop.id}, {stop.state})")
        self.code = code
        self.stop = stop


@frozen
class Ask:
    """Who wants what stopped, and why. `by` None: the budget's own policy."""

    workspace_id: str
    incident_id: int | None
    scope_kind: ScopeKind
    scope_id: int | None
    channel_id: str | None
    lever: Lever
    reason: str
    by: str | None


@frozen
class Allowance:
    """On which terms spending may go on. Both ends None: without condition."""

    way: ApprovalWay
    until: datetime | None = None
    ceiling: Money | None = None
    restops: bool = False


def incident_state(stop: Stop) -> IncidentState | None:
    """What an incident shows of its stop; None: nobody acts on the spending (any more)."""
    return _MIRRORED[stop.state]


def may_stop_by_itself(limit: Money, spent: Spent) -> bool:
    """Whether a policy may stop now: the limit is reached even if the estimated part is wrong by all of its margin.

    Never on an amount in another currency. Where some of it cannot be looked at, what is known decides: more may have
    been spent, not less.
    """
    if spent.amount.currency != limit.currency:
        return False
    doubt = EXACT.multiply(spent.estimated.amount, spent.drift_margin)
    return EXACT.subtract(spent.amount.amount, doubt) >= limit.amount


def requested(ask: Ask, projects: Sequence[Project], now: datetime) -> StopChange:
    """A new stop that wants its lever on each of these projects; ids are given when it is kept."""
    stop = Stop(
        id=None,
        workspace_id=ask.workspace_id,
        incident_id=ask.incident_id,
        scope_kind=ask.scope_kind,
        scope_id=ask.scope_id,
        channel_id=ask.channel_id,
        lever=ask.lever,
        state=StopState.STOPPING,
        reason=ask.reason,
        requested_by=ask.by,
        requested_at=now,
        updated_at=now,
    )
    values: dict[str, Fact] = {
        "by": ask.by,
        "lever": ask.lever.value,
        "projects": len(projects),
        "project": projects[0].name if len(projects) == 1 else None,
        "reason": ask.reason,
    }
    return StopChange(
        stop, _holds(stop, projects, now), (StopEvent(StopEventKind.REQUESTED, now, "requested:1", values),)
    )


def taken_again(stop: Stop, holds: Iterable[Hold], ask: Ask, projects: Sequence[Project], now: datetime) -> StopChange:
    """Take hold anew within a stop: with a firmer lever, or after a restore or in spite of an allowance.

    What an earlier turn still holds is let go of; its own lever is another one.
    """
    change = requested(ask, projects, now)
    turn = stop.turn + 1
    again = replace(
        stop,
        scope_kind=ask.scope_kind,
        scope_id=ask.scope_id,
        lever=ask.lever,
        state=StopState.STOPPING,
        reason=ask.reason,
        requested_by=ask.by,
        requested_at=now,
        turn=turn,
        pending=None,
        allowed_until=None,
        allowed_ceiling=None,
        restored_at=None,
        updated_at=now,
    )
    old = tuple(_let_go(hold, now) for hold in latest(holds) if hold.is_active and hold.is_wanted)
    events = tuple(replace(event, key=f"requested:{turn}") for event in change.events)
    return StopChange(again, (*old, *_holds(again, projects, now)), events)


def extended(stop: Stop, ask: Ask, projects: Sequence[Project], now: datetime) -> StopChange:
    """Take hold of further projects within a stop that stands, with its lever; what it holds stays held.

    Whoever was asked to agree to let go of less is no longer asked.
    """
    change = requested(ask, projects, now)
    wider = replace(
        stop, scope_kind=ask.scope_kind, scope_id=ask.scope_id, state=StopState.STOPPING, pending=None, updated_at=now
    )
    events = tuple(replace(event, key=f"requested:{stop.turn}:{now.isoformat()}") for event in change.events)
    return StopChange(wider, _holds(wider, projects, now), events)


def is_firmer(lever: Lever, than: Lever) -> bool:
    """Whether a lever holds more firmly than another."""
    order = list(Lever)
    return order.index(lever) > order.index(than)


def tried_again(stop: Stop, holds: Iterable[Hold], now: datetime) -> StopChange:
    """Somebody mended what stood in the way: what is in trouble is tried at once."""
    stuck = tuple(
        replace(hold, next_at=now, attempts=0) for hold in holds if hold.is_active and hold.trouble is not None
    )
    return StopChange(replace(stop, updated_at=now), stuck)


def asked(ask: Ask, now: datetime) -> Stop:
    """What carries an approval where nothing was stopped before; `turn` 0."""
    change = requested(ask, (), now)
    return replace(change.stop, state=StopState.ASKED, turn=0)


def progressed(
    stop: Stop,
    holds: Iterable[Hold],
    before: Hold,
    after: Hold,
    now: datetime,
    facts: Mapping[str, Fact] | None = None,
) -> StopChange:
    """What follows from one hold having changed; `holds` are all of the stop as they stood, that one among them.

    `facts` are further values of what is to be told: `kept` parts, `by` whom a lever was lost, `reason`.
    """
    current = [after if one.id == after.id else one for one in latest(holds)]
    events = tuple(told_of(before, after, now, facts or {}))
    if after not in current:
        # Of an earlier turn: it is let go of in silence, unless it cannot be.
        troubles = tuple(event for event in events if event.kind is StopEventKind.TROUBLE)
        return StopChange(replace(stop, updated_at=now), (after,), troubles)
    state = _state_of(stop, current)
    moved = replace(
        stop,
        state=state,
        stopped_at=stop.stopped_at or (now if state is StopState.STOPPED else None),
        restored_at=now if _is_new(stop, state, StopState.RESTORED, StopState.ALLOWED) else stop.restored_at,
        pending=None if state is StopState.FAILED else stop.pending,  # nothing is left that anybody could agree to
        updated_at=now,
    )
    return StopChange(moved, (after,), events)


def latest(holds: Iterable[Hold]) -> list[Hold]:
    """The last hold of each project: those before belong to earlier turns."""
    found: dict[int, Hold] = {}
    for hold in sorted(holds, key=lambda one: one.id or 0):
        found[hold.project_id] = hold
    return list(found.values())


def part_of(stop: Stop, holds: Iterable[Hold]) -> Stop:
    """The stop as it stands for some of its projects alone; `holds` are those of its holds that are theirs."""
    return replace(stop, state=_state_of(stop, latest(holds)))


def approved(
    stop: Stop, holds: Iterable[Hold], by: str, terms: Allowance, now: datetime, asked_by: str | None = None
) -> StopChange:
    """Let spending go on, on these terms: what is held is let go of. `asked_by`: with whose wish `by` agreed.

    Raises StopRefused where there is nothing to let go of and no allowance to give.
    """
    active = [hold for hold in latest(holds) if hold.is_active and hold.is_wanted]
    has_end = terms.until is not None or terms.ceiling is not None
    if not active and (not has_end or stop.state is StopState.RESTORING):
        raise StopRefused(StopMistake.NOT_HELD, stop)
    after = replace(
        stop,
        state=StopState.RESTORING if active else StopState.ALLOWED,
        approved_by=by,
        approved_at=now,
        allowed_until=terms.until,
        allowed_ceiling=terms.ceiling,
        restops=terms.restops,
        pending=None,
        updated_at=now,
    )
    event = approval(by, terms, now, asked_by)
    return StopChange(after, tuple(_let_go(hold, now) for hold in active), (event,))


def approval(by: str, terms: Allowance, now: datetime, asked_by: str | None = None) -> StopEvent:
    """That somebody let spending go on, and on which terms."""
    values: dict[str, Fact] = {
        "by": by,
        "way": terms.way.value,
        "until": terms.until.isoformat() if terms.until else None,
        "amount": f"{terms.ceiling.amount:f}" if terms.ceiling else None,
        "currency": terms.ceiling.currency if terms.ceiling else None,
        "restops": terms.restops,
        "asked_by": asked_by,
    }
    return StopEvent(StopEventKind.APPROVED, now, f"approved:{now.isoformat()}", values)


def allowance_is_over(stop: Stop, spent: Money | None, now: datetime) -> str | None:
    """ "time" or "amount" when an allowance has come to its end, else None."""
    if stop.state is not StopState.ALLOWED:
        return None
    if stop.allowed_until is not None and now >= stop.allowed_until:
        return "time"
    ceiling = stop.allowed_ceiling
    if ceiling is not None and spent is not None and spent.currency == ceiling.currency and spent >= ceiling:
        return "amount"
    return None


def outlives(stop: Stop, incident: Incident) -> bool:
    """Whether spending was let go on after the incident's period: that ends on its own terms, counted from then on."""
    return stop.approved_at is not None and incident.is_over(stop.approved_at)


def allowance_ended(
    stop: Stop, reason: str, projects: Sequence[Project], now: datetime, *, is_held: bool = False
) -> StopChange:
    """Take hold again where that was agreed; else the stop is over, and its incident speaks again.

    `is_held`: nothing is left to take hold of, for another stop has it all. What somebody asked a second person for
    meanwhile waits on.
    """
    is_kept = stop.restops and bool(projects)
    values: dict[str, Fact] = {"reason": reason, "restops": is_kept, "projects": len(projects), "turn": stop.turn}
    if stop.restops and not projects:
        values["instead"] = "held" if is_held else "nothing"
    key = f"allowance_ended:{stop.turn}:{stop.approved_at.isoformat() if stop.approved_at else ''}"
    event = StopEvent(StopEventKind.ALLOWANCE_ENDED, now, key, values, is_loud=True)
    if is_kept:
        again = replace(
            stop,
            state=StopState.STOPPING,
            turn=stop.turn + 1,
            requested_by=None,
            requested_at=now,
            allowed_until=None,
            allowed_ceiling=None,
            restored_at=None,
            updated_at=now,
        )
        return StopChange(again, _holds(again, projects, now), (event,))
    if stop.pending is not None:
        waiting = replace(stop, state=StopState.ASKED, allowed_until=None, allowed_ceiling=None, updated_at=now)
        return StopChange(waiting, (), (event,))
    return StopChange(_closed(stop, now), (), (event,))


def period_over(stop: Stop, now: datetime) -> StopChange:
    """An allowance whose budget's period ended: a new period has a new limit, and nothing is taken hold of again."""
    return StopChange(_closed(stop, now))


def is_to_be_closed(stop: Stop, now: datetime) -> bool:
    """Whether the day after a restore is over."""
    return stop.state is StopState.RESTORED and stop.restored_at is not None and now - stop.restored_at >= WATCHED


def closed(stop: Stop, kept: Saved | None, leak: Money | None, now: datetime, unpriced: int = 0) -> StopChange:
    """The next day's note: what the stop kept from being spent, as a range, and what leaked.

    `unpriced` calls have no known price, and are not in `leak`.
    """
    values: dict[str, Fact] = {
        "saved_low": f"{kept.low.amount:f}" if kept else None,
        "saved_high": f"{kept.high.amount:f}" if kept else None,
        "currency": kept.low.currency if kept else leak.currency if leak is not None else None,
        "leak": f"{leak.amount:f}" if leak is not None else None,
        "unpriced": unpriced,
        "cause": stop.cause,
    }
    event = StopEvent(StopEventKind.CLOSED, now, "closed", values)
    return StopChange(_closed(stop, now), (), (event,))


def kept_of(events: Iterable[StopEvent]) -> tuple[Money, Money] | None:
    """What `closed` noted as kept from being spent, at least and at most; None where no note tells."""
    for event in events:
        low, high, currency = (event.values.get(name) for name in ("saved_low", "saved_high", "currency"))
        if event.kind is StopEventKind.CLOSED and isinstance(low, str) and isinstance(high, str):
            return Money.of(low, str(currency)), Money.of(high, str(currency))
    return None


def cause_pinned(stop: Stop, by: str, text: str, now: datetime) -> StopChange:
    """Somebody who knows says why; the last word counts, and each is kept in the thread."""
    event = StopEvent(StopEventKind.CAUSE_PINNED, now, f"cause:{now.isoformat()}", {"by": by, "text": text})
    return StopChange(replace(stop, cause=text, cause_by=by, updated_at=now), (), (event,))


def _closed(stop: Stop, now: datetime) -> Stop:
    return replace(stop, state=StopState.CLOSED, closed_at=now, updated_at=now, pending=None)


def _holds(stop: Stop, projects: Sequence[Project], now: datetime) -> tuple[Hold, ...]:
    return tuple(
        Hold(
            id=None,
            workspace_id=stop.workspace_id,
            stop_id=stop.id or 0,
            project_id=project.id,
            connection_id=project.connection_id,
            provider_project_id=project.provider_project_id,
            name=project.name,
            lever=stop.lever,
            state=HoldState.REQUESTED,
            is_wanted=True,
            requested_at=now,
            updated_at=now,
            next_at=now,
        )
        for project in projects
    )


def _let_go(hold: Hold, now: datetime) -> Hold:
    return replace(
        hold, is_wanted=False, release_at=now, next_at=now, attempts=0, told_at=None, trouble=None, trouble_since=None,
        updated_at=now,
    )  # fmt: skip


def _state_of(stop: Stop, holds: Sequence[Hold]) -> StopState:
    """Where a stop stands, from where the last hold of each of its projects stands."""
    wanted = [hold for hold in holds if hold.is_active and hold.is_wanted]
    if wanted:
        is_waiting = any(hold.state not in STANDING and hold.trouble is None for hold in wanted)
        is_held = any(hold.state in STANDING for hold in wanted)
        return StopState.STOPPED if is_held and not is_waiting else StopState.STOPPING
    if any(hold.is_active for hold in holds):
        return StopState.RESTORING if any(hold.release_at for hold in holds) else StopState.STOPPING
    if any(hold.state is HoldState.RELEASED for hold in holds):
        if stop.state in (StopState.RESTORED, StopState.ALLOWED, StopState.CLOSED):
            return stop.state
        has_end = stop.allowed_until is not None or stop.allowed_ceiling is not None
        return StopState.ALLOWED if has_end else StopState.RESTORED
    return StopState.FAILED


def _is_new(stop: Stop, state: StopState, *wanted: StopState) -> bool:
    return state in wanted and stop.state is not state
