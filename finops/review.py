"""Reviews: what happened in an alert, in order, and how long it took from the first word to the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from finops.incident_report import IncidentShown
from finops.incidents import EventKind
from finops.stops import StopEventKind

_TOLD = frozenset(
    {
        StopEventKind.REQUESTED,
        StopEventKind.SET,
        StopEventKind.PROVED,
        StopEventKind.RESTORED,
        StopEventKind.FIRST_TRAFFIC,
    }
)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something worth telling afterwards. `kind` is None where it began to surge; `level` is that of a crossing."""

    at: datetime
    kind: EventKind | StopEventKind | None
    level: int | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What the draft of a review is made from; `lead_user_id` is who would answer for what follows from it."""

    shown: IncidentShown
    lead_user_id: str | None
    lead_name: str

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The story in order; of what happened to several projects the first, of levels reached at once the highest."""
        shown, found = self.shown, dict[tuple[object, ...], Moment]()
        if shown.since != shown.incident.opened_at:
            found[None, 0] = Moment(shown.since, None)
        for event in shown.events:
            if event.kind is EventKind.CROSSED:
                level = event.values["level"]
                assert isinstance(level, int), "a level is a per cent"
                found.setdefault((event.kind, level), Moment(event.at, event.kind, level))
        for done in () if shown.stop is None else shown.stop.events:
            if done.kind in _TOLD:
                by = done.values.get("by")
                found.setdefault((done.kind,), Moment(done.at, done.kind, by=None if by is None else str(by)))
        return tuple(sorted(found.values(), key=lambda one: one.at))

    @property
    def lasted(self) -> timedelta | None:
        """From the first word of it until it was put back, else until it was seen to be over; None: it was not."""
        first = _first(self.moments, EventKind.CROSSED)
        last = _first(self.moments, StopEventKind.RESTORED) or _first(self.moments, StopEventKind.PROVED)
        return last - first if first is not None and last is not None and last > first else None


def _first(moments: Iterable[Moment], kind: EventKind | StopEventKind) -> datetime | None:
    return next((one.at for one in moments if one.kind is kind), None)
