"""The second person: what one asks for waits until another one agrees, somebody takes it back, or its time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from finops.incidents import Fact
from finops.stopping import Allowance, StopMistake, StopRefused, approval, period_over
from finops.stops import Pending, Stop, StopChange, StopEvent, StopEventKind, StopState


def second_asked(stop: Stop, pending: Pending) -> StopChange:
    """An approval that needs two people: the first one asks for the second."""
    values: dict[str, Fact] = {"by": pending.by, **_terms(pending)}
    event = StopEvent(StopEventKind.SECOND_ASKED, pending.at, asked_key(pending), values, is_loud=True)
    return StopChange(replace(stop, pending=pending, updated_at=pending.at), (), (event,))


def asked_key(pending: Pending) -> str:
    """The key of the event that tells of a wish."""
    return f"second_asked:{pending.at.isoformat()}"


def second_of(stop: Stop, by: str) -> Pending:
    """What the second person agrees to. Raises StopRefused: nobody asks, or it is the one who asked."""
    if stop.pending is None:
        raise StopRefused(StopMistake.NOBODY_ASKS, stop)
    if stop.pending.by == by:
        raise StopRefused(StopMistake.SAME_PERSON, stop)
    return stop.pending


def declined(stop: Stop, by: str, now: datetime) -> StopChange:
    """The second person does not agree, or the first one takes it back: everything stays as it is, which is told."""
    if stop.pending is None:
        raise StopRefused(StopMistake.NOBODY_ASKS, stop)
    values: dict[str, Fact] = {"by": by, **_facts(stop, stop.pending)}
    event = StopEvent(StopEventKind.DECLINED, now, f"declined:{stop.pending.at.isoformat()}", values)
    return StopChange(_over(stop, now), (), (event,))


def has_lapsed(stop: Stop, now: datetime) -> bool:
    """Whether somebody asked for a second person, and nobody agreed before the time it was asked for was over."""
    return stop.pending is not None and stop.pending.is_past(now)


def lapsed(stop: Stop, now: datetime) -> StopChange:
    """Nobody agreed in time: everything stays as it is, which is told, but rings nobody.

    Raises StopRefused where no wish has lapsed.
    """
    if not has_lapsed(stop, now):
        raise StopRefused(StopMistake.NOBODY_ASKS, stop)
    return unanswered(stop, now)


def unanswered(stop: Stop, now: datetime) -> StopChange:
    """The same of a wish, with a time or without one, when what it was about is over. Raises StopRefused: there is
    none."""
    pending = stop.pending
    if pending is None:
        raise StopRefused(StopMistake.NOBODY_ASKS, stop)
    # With the moment it was asked at, for another wish may lapse after it; and without `by`: nobody did this.
    event = StopEvent(StopEventKind.LAPSED, now, f"lapsed:{pending.at.isoformat()}", _facts(stop, pending))
    return StopChange(_over(stop, now), (), (event,))


def raised(stop: Stop, by: str, terms: Allowance, now: datetime) -> StopChange:
    """The second person agreed to a new limit, which takes the place of what was allowed or asked for; nothing is held.

    A stop that was put back is watched on. Raises StopRefused where nobody asks, or it is the one who asked.
    """
    pending = second_of(stop, by)
    after = period_over(stop, now).stop
    if stop.state is StopState.RESTORED:
        after = replace(stop, pending=None, updated_at=now)
    return StopChange(after, (), (approval(by, terms, now, pending.by),))


def _facts(stop: Stop, pending: Pending) -> dict[str, Fact]:
    return {"asked_by": pending.by, **_terms(pending), "state": stop.state.value}


def _terms(pending: Pending) -> dict[str, Fact]:
    return {
        "action": pending.way.value,
        "until": pending.until.isoformat() if pending.until else None,
        "amount": f"{pending.amount.amount:f}" if pending.amount else None,
        "currency": pending.amount.currency if pending.amount else None,
    }


def _over(stop: Stop, now: datetime) -> Stop:
    """The stop without the wish; of one that was only asked for nothing is left."""
    after = replace(stop, pending=None, updated_at=now)
    return replace(after, state=StopState.CLOSED, closed_at=now) if stop.state is StopState.ASKED else after
