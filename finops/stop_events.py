"""What is to be told of a hold's change: one event for each fact, under a key that says it once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from finops.holds import FINAL, STANDING, Hold, HoldState
from finops.incidents import Fact
from finops.levers import Lever, next_lever
from finops.stops import StopEvent, StopEventKind


def told_of(before: Hold, after: Hold, now: datetime, facts: Mapping[str, Fact]) -> Iterable[StopEvent]:
    """The events of one hold's change; `facts` are further values of what is told."""
    named: dict[str, Fact] = {"project": after.name, "project_id": after.project_id, **facts}
    firmer = next_lever(after.lever)
    firm: dict[str, Fact] = {"next_lever": firmer.value if firmer else None}
    mark = f"{after.id}"
    if after.told_at is not None and after.told_at != before.told_at and after.state is not HoldState.FAILED:
        is_loud = after.trouble in FINAL or before.told_at is not None
        values = named | {
            "trouble": after.trouble.value if after.trouble else None,
            "is_letting_go": not after.is_wanted,
        }
        yield StopEvent(StopEventKind.TROUBLE, now, f"trouble:{mark}:{now.isoformat()}", values, is_loud=is_loud)
    if after.enforced_at is not None and before.enforced_at is None and before.state in STANDING and before.is_wanted:
        seconds = _between(after.requested_at, after.enforced_at)
        yield StopEvent(StopEventKind.ENFORCED, now, f"enforced:{mark}", named | {"seconds": seconds}, is_said=False)
    if before.state is HoldState.PROVED and after.state is HoldState.SET:
        # A spend limit counts from zero when a month begins; other levers hold in any month.
        since = before.proved_at if after.lever is Lever.STOP else None
        is_turn = since is not None and since.strftime("%Y%m") != now.strftime("%Y%m")
        key = f"reopened:{mark}:{now.isoformat()}"
        yield StopEvent(StopEventKind.REOPENED, now, key, named | {"is_month_turn": is_turn}, is_loud=not is_turn)
    if before.first_traffic_at is None and after.first_traffic_at is not None:
        yield StopEvent(StopEventKind.FIRST_TRAFFIC, after.first_traffic_at, f"first_traffic:{mark}", named)
    if before.state is after.state:
        return
    leak: dict[str, Fact] = {
        "leak": f"{after.leak.amount:f}" if after.leak is not None else None,
        "currency": after.leak.currency if after.leak is not None else None,
        "unpriced": after.leak_unpriced,
    }
    last = after.last_request_at.isoformat() if after.last_request_at else None
    match after.state:
        case HoldState.SET if before.state is HoldState.SAVED:
            seconds = _between(after.requested_at, now)
            yield StopEvent(StopEventKind.SET, now, f"set:{mark}", named | {"seconds": seconds})
        case HoldState.PROVED:
            values = named | leak | {"last_request_at": last}
            yield StopEvent(StopEventKind.PROVED, now, f"proved:{mark}:{now.isoformat()}", values)
        case HoldState.UNPROVED:
            values = named | leak | firm
            yield StopEvent(StopEventKind.UNPROVED, now, f"unproved:{mark}:{now.isoformat()}", values, is_loud=True)
        case HoldState.FAILED:
            values = named | firm | {"trouble": after.trouble.value if after.trouble else None}
            yield StopEvent(StopEventKind.FAILED, now, f"failed:{mark}", values, is_loud=True)
        case HoldState.LOST:
            yield StopEvent(StopEventKind.LOST, now, f"lost:{mark}", named | firm, is_loud=True)
        case HoldState.RELEASED:
            seconds = _between(after.release_at or now, now)
            if after.release_at is None:
                return  # an earlier turn's, or one that was cut short
            yield StopEvent(StopEventKind.RESTORED, now, f"restored:{mark}", named | {"seconds": seconds})


def _between(asked_at: datetime, at: datetime) -> int:
    """Whole seconds from one to the other; none where a clock was put back in between."""
    return max(0, int((at - asked_at).total_seconds()))
