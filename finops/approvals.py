"""Approvals: what waits for somebody's word: a second person's, a limit that asks, a stop, an allowance that ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from finops.budgets import WHOLE, BudgetAction
from finops.frozen import frozen
from finops.incident_report import IncidentShown
from finops.incidents import Incident, IncidentState
from finops.money import EXACT
from finops.owners import Unowned
from finops.stop_report import StopShown
from finops.stopping import outlives
from finops.stops import Stop, StopState

# Whoever looks at it in the afternoon decides about what ends at the next turn of the charge day.
SOON = timedelta(days=1)
_NEARLY = Decimal("0.9")
_UNDECIDED = frozenset({IncidentState.OPEN, IncidentState.ACKNOWLEDGED})


class WaitingFor(StrEnum):
    """What somebody is asked for, the most pressing first."""

    SECOND = "second"  # agrees, or not, to what another one asked for
    LIMIT = "limit"  # a budget that asks is at its limit: let it go on, or stop it
    RESTORE = "restore"  # something is stopped
    END = "end"  # spending is allowed on terms, and those are nearly used up


@frozen
class ApprovalShown:
    """One thing that waits for its reader: `stop` is given but for LIMIT, and `incident` for that one.

    `place` is the channel and the time of its message (None: it stands in no channel), and `link` opens that.
    """

    kind: WaitingFor
    stop: StopShown | None = None
    incident: IncidentShown | None = None
    place: tuple[str, str] | None = None
    link: str = ""


@frozen
class HomeReader:
    """What Home says to one person alone: the first of `count` things that wait for them, and whether they answer for a
    team. `asked` are the first of `asked_count` wishes of their own that wait for a second person. `is_unread`: what
    waits could not be read, which is not the same as nothing; `lacks_groups`: Slack did not say which user groups they
    belong to, and what waits for one of those is not among it.

    `unowned` are the largest of `unowned_count` costs that no team answers for, told to whoever registers projects;
    `unowned_team` is the first suggested team they may register for, None where that is no team of theirs.
    """

    approvals: tuple[ApprovalShown, ...] = ()
    count: int = 0
    manages: bool = False
    is_unread: bool = False
    lacks_groups: bool = False
    unowned: tuple[Unowned, ...] = ()
    unowned_count: int = 0
    unowned_team: int | None = None
    asked: tuple[ApprovalShown, ...] = ()
    asked_count: int = 0


def waits_for(stop: Stop, incident: Incident | None, reader: str, now: datetime) -> WaitingFor | None:
    """What a stop that is not over wants of a person who may decide about it; None: nothing, or only of others.

    `incident` is the stop's own: how much was spent under an allowance is known of that alone.
    """
    if stop.pending is not None and not stop.pending.is_past(now):
        return WaitingFor.SECOND if stop.pending.by != reader else None
    if stop.state is StopState.STOPPED:
        return WaitingFor.RESTORE
    if stop.state is StopState.ALLOWED and _ends_soon(stop, incident, now):
        return WaitingFor.END
    return None


def is_own_wish(stop: Stop, reader: str, now: datetime) -> bool:
    """Whether what this person asked for still waits for a second one."""
    return stop.pending is not None and stop.pending.by == reader and not stop.pending.is_past(now)


def asks(shown: IncidentShown) -> bool:
    """Whether a budget that asks is at its limit and nobody has decided yet, here or in another alert.

    The incident's own stop is not looked at.
    """
    if shown.budget.action is not BudgetAction.ASK or shown.incident.state not in _UNDECIDED or shown.is_period_over:
        return False
    is_settled = shown.elsewhere is not None and shown.elsewhere.is_all
    return shown.percent >= WHOLE and not is_settled


def _ends_soon(stop: Stop, incident: Incident | None, now: datetime) -> bool:
    """Within a day, or with nine tenths of the ceiling spent."""
    if stop.allowed_until is not None and stop.allowed_until - now <= SOON:
        return True
    ceiling = stop.allowed_ceiling
    if ceiling is None or incident is None or incident.spent.currency != ceiling.currency:
        return False
    if outlives(stop, incident):
        return False
    return incident.spent.amount >= EXACT.multiply(ceiling.amount, _NEARLY)
