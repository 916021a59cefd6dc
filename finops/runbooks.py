"""Runbooks: what to do about a surge of spending, in order, and how far those who see to it have come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from finops.frozen import frozen


class RunbookStep(StrEnum):
    """Where cost comes from, what of it nobody needs, how the rest costs less, what keeps it from coming back."""

    TRACE = "trace"
    CUT = "cut"
    CHEAPEN = "cheapen"
    PREVENT = "prevent"


@frozen
class StepState:
    """How a step stands since somebody last ticked or unticked it. `turns` counts how often that was."""

    is_done: bool
    by: str
    at: datetime
    turns: int = 1


@frozen
class Runbook:
    """The steps below one alert, put there by `by`. A step that nobody touched has no state."""

    incident_id: int
    by: str
    states: Mapping[RunbookStep, StepState]

    def is_done(self, step: RunbookStep) -> bool:
        """Whether somebody ticked it, and nobody took that back."""
        return step in self.states and self.states[step].is_done

    @property
    def done_count(self) -> int:
        """How many steps are done, of all there are."""
        return sum(self.is_done(step) for step in RunbookStep)

    def after(self, step: RunbookStep, by: str, at: datetime, *, is_done: bool) -> Runbook:
        """The runbook with one step ticked or unticked; itself where that changes nothing: the first one counts."""
        if self.is_done(step) is is_done:
            return self
        turns = self.states[step].turns + 1 if step in self.states else 1
        return Runbook(self.incident_id, self.by, {**self.states, step: StepState(is_done, by, at, turns)})
