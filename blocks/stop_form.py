"""The windows of stops: before one, to let spending go on, what can be stopped, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from blocks import kit
from finops.figures import Scope
from finops.incident_report import IncidentShown
from finops.money import Money
from finops.stop_report import BlastRadius, StopShown, StopsListed, StopTarget
from locales import Translator


class StopWhat(StrEnum):
    """The values of the radio STOP_WHAT: three levers (finops.levers.Lever), and two that stop no spending."""

    STOP = "stop"
    SLOW = "slow"
    CHEAP = "cheap"
    COLLECTING_OFF = "collecting_off"  # disables our Admin keys of the connection
    EXCLUDED = "excluded"  # takes the projects out of collection


class StopBreadth(StrEnum):
    """The values of the radio STOP_BREADTH, there only where a team has more projects than the target."""

    PROJECT = "project"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class StopDraft:
    """What stands in the window before a stop: chosen and typed, not judged."""

    what: str = StopWhat.STOP.value
    breadth: str = StopBreadth.PROJECT.value
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalDraft:
    """What stands in the approval window. `way` '' is what suits best; `until` None the end of the charge day."""

    way: str = ""
    amount: str = ""
    limit: str = ""
    until: datetime | None = None
    restops: bool = True


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """What the approval window says. `day_end` and `period_end` are instants; None amounts are unknown."""

    target: StopTarget
    scope: Scope
    spent: Money | None
    limit: Money | None
    percent: int | None
    day_end: datetime
    period_end: datetime | None
    requires_second: bool
    is_stopped: bool


def approval_of(shown: IncidentShown | StopShown, now: datetime) -> ApprovalFacts:
    """The facts of the approval window, from an incident (with or without a stop) or from a stop outside of any."""
    raise NotImplementedError


def confirm(radius: BlastRadius, t: Translator, draft: StopDraft | None = None, problem: str | None = None) -> kit.View:
    """The window before a stop (VIEW_STOP): who is hit, what to do, why. Metadata: target, seen (ISO time).

    A stop that is in force already is shown instead, with the ways out of it, and nothing to submit.
    """
    raise NotImplementedError


def approve(
    facts: ApprovalFacts, t: Translator, draft: ApprovalDraft | None = None, problem: str | None = None
) -> kit.View:
    """The window in which spending is let go on (VIEW_APPROVE). Metadata: target."""
    raise NotImplementedError


def listed(found: StopsListed, t: Translator, *, is_resume: bool = False) -> kit.View:
    """What can be stopped and what is held, with a button each; `is_resume` begins with what is held."""
    raise NotImplementedError


def done(shown: StopShown, t: Translator) -> kit.View:
    """After any of the windows: how the stop stands now, and where it goes on."""
    raise NotImplementedError


def collection_changed(what: StopWhat, names: Sequence[str], t: Translator) -> kit.View:
    """After COLLECTING_OFF (`names`: last characters of the keys) or EXCLUDED (`names`: projects)."""
    raise NotImplementedError
