"""Reviews: what happened in an alert, in order, and how long it took from the first word to the way back."""

from __future__ import annotations

from datetime import datetime, timedelta

from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.incidents import EventKind
from finops.stops import StopEventKind

LONGEST_REVIEW = 2500
_TOLD = frozenset(
    {
        StopEventKind.REQUESTED,
        StopEventKind.SET,
        StopEventKind.PROVED,
        StopEventKind.RESTORED,
        StopEventKind.FIRST_TRAFFIC,
    }
)
_BEGINS = frozenset({StopEventKind.REQUESTED, StopEventKind.ALLOWANCE_ENDED})
_OVER = frozenset({StopEventKind.PROVED, StopEventKind.RESTORED})


@frozen
class Moment:
    """Something worth telling afterwards. `kind` is None where it began to surge; `level` is that of a crossing."""

    at: datetime
    kind: EventKind | StopEventKind | None
    level: int | None = None
    by: str | None = None


@frozen
class Review:
    """What the draft of a review is made from; `lead_user_id` is who would answer for what follows from it."""

    shown: IncidentShown
    lead_user_id: str | None
    lead_name: str

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The story in order; of what happened to several projects the first, and so each time it was stopped."""
        shown, found = self.shown, dict[tuple[object, ...], Moment]()
        if shown.since != shown.incident.opened_at:
            found[None, 0] = Moment(shown.since, None)
        for event in shown.events:
            if event.kind is EventKind.CROSSED:
                level = event.values["level"]
                assert isinstance(level, int), "a level is a per cent"
                found.setdefault((event.kind, level), Moment(event.at, event.kind, level))
        turn = 0
        for done in () if shown.stop is None else sorted(shown.stop.events, key=lambda one: one.at):
            turn += done.kind in _BEGINS
            if done.kind in _TOLD:
                by = done.values.get("by")
                found.setdefault((done.kind, turn), Moment(done.at, done.kind, by=None if by is None else str(by)))
        return tuple(sorted(found.values(), key=lambda one: one.at))

    @property
    def lasted(self) -> timedelta | None:
        """From the first word of it until it was put back for good, else seen to be over; None: it was not."""
        moments = self.moments
        first = next((one.at for one in moments if one.kind is EventKind.CROSSED), None)
        last = max((one.at for one in moments if one.kind in _OVER), default=None)
        return last - first if first is not None and last is not None and last > first else None
