"""Learning: what people did and what came of it, as a person is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from finops.behaviour import Action
from finops.effects import Effect, Saving
from finops.hypotheses import AlertQuality, Judged, Ledger, Prevented
from finops.misses import Misses
from finops.periods import Period
from finops.pulse import PulseWeek


@dataclass(frozen=True, slots=True)
class ActionShown:
    """One action with the names of what it was done to ('' where it is gone), and its line of the ledger."""

    action: Action
    project: str = ""
    team: str = ""
    saving: Saving | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class DigestEffect:
    """What one weekly digest, told on `day`, changed in what the `projects` it named cost together."""

    day: date
    effect: Effect
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningReport:
    """What was done in a period, newest first, what it saved, and what that says of the three hypotheses.

    `more` counts actions that are not shown. `digests` are the period's digests that are old enough to be measured,
    newest first, the last four at most. `misses` are limits that were passed while nobody was told. `pulse` is what was
    answered below the last eight weeks' digests, oldest first; none where nobody was asked.
    """

    period: Period
    at: datetime
    actions: tuple[ActionShown, ...]
    more: int
    ledger: Ledger
    hypotheses: tuple[Judged, ...]
    prevented: Prevented
    quality: AlertQuality
    misses: Misses
    digests: tuple[DigestEffect, ...] = ()
    pulse: tuple[PulseWeek, ...] = ()
