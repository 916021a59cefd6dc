"""Which stop an incident speaks of: its own, or one of another alert that holds the same projects."""

from __future__ import annotations

from blocks.stop_state import takes_over
from finops.incident_report import HeldElsewhere, IncidentShown
from finops.levers import Lever
from finops.stop_report import StopShown
from finops.stops import UNDER_WAY


def speaking(shown: IncidentShown) -> StopShown | None:
    """The stop that the first line is about; None where there is none, and the incident speaks for itself.

    What holds goes before what was let go of, or was allowed: that is not true of what another alert stopped since.
    """
    own, other = shown.stop, shown.elsewhere
    if own is not None and own.stop.state in UNDER_WAY:
        return own
    if other is not None and (other.speaks or _is_of_both(own, other)):
        return other.whole
    return own if takes_over(own) else None


def is_held(shown: IncidentShown) -> bool:
    """Whether something of what the incident is about is held, by whichever alert."""
    spoken = speaking(shown)
    return spoken is not None and spoken.set_count > 0


def is_all_stopped(shown: IncidentShown) -> bool:
    """Whether other alerts have left nothing to be stopped here."""
    return shown.elsewhere is not None and shown.elsewhere.is_all


def is_partly_stopped(shown: IncidentShown) -> bool:
    """Whether another alert has stopped some of what this one is about."""
    other = shown.elsewhere
    return other is not None and any(one.stop.stop.lever is Lever.STOP for one in other.parts)


def _is_of_both(own: StopShown | None, other: HeldElsewhere) -> bool:
    """Whether something the incident's own stop was about is held elsewhere now."""
    if own is None:
        return False
    return not {one.project_id for one in own.current}.isdisjoint(one.project_id for one in other.whole.current)
