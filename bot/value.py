"""Value: what the money bought, gathered for a scope and a period; asked of daily sums, never of single calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.desk import Desk
from finops.caps import CapSeen
from finops.figures import Scope
from finops.money import Money
from finops.periods import Period
from finops.registry import Project
from finops.value import Dimension, NamedValue, ValueFigure, ValueSums
from storage import Store


class Values:
    """Answers what a scope's money bought."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def of(self, workspace_id: str, scope: Scope, period: Period, cost: Money | None = None) -> ValueFigure:
        """What a scope's money bought in a period. `cost` is what it cost, as far as the asker shows it.

        Without it, cost per success rests on the estimated cost of the recorded calls alone.
        """
        raise NotImplementedError

    async def by_project(self, workspace_id: str, period: Period) -> dict[int, ValueFigure]:
        """The same for every registered project, those without any record included (finops.value.NO_VALUE)."""
        raise NotImplementedError

    async def by(self, workspace_id: str, project_id: int, period: Period, dimension: Dimension) -> list[NamedValue]:
        """A project's value by task, experiment, segment or model, dearest first."""
        raise NotImplementedError

    async def caps_seen(
        self, workspace_id: str, period: Period, project_ids: Sequence[int] | None = None
    ) -> list[CapSeen]:
        """What calls and users cost more than the caps of their segments allow, worst first."""
        raise NotImplementedError


async def of_projects(
    store: Store, workspace_id: str, period: Period, projects: Sequence[Project], costs: Mapping[int, Money]
) -> dict[int, ValueFigure]:
    """What each project's money bought in a period, in a handful of queries however many there are.

    `costs` are what the projects cost in the period, by id. Every project of `projects` is in the answer.
    """
    raise NotImplementedError


async def of_all(
    store: Store, workspace_id: str, period: Period, projects: Sequence[Project], cost: Money | None
) -> ValueFigure:
    """The same of some projects together; `cost` is what the whole cost."""
    raise NotImplementedError


async def weekly(store: Store, workspace_id: str, weeks: Sequence[Period]) -> dict[tuple[int, date], ValueSums]:
    """What each project recorded in each week, by (project id, Monday); a week without any record is absent."""
    raise NotImplementedError
