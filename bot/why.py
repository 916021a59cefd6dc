"""Why it moved: two periods of any scope set side by side, in a handful of queries whatever its size."""

from __future__ import annotations

from collections.abc import Collection

from bot.desk import Desk
from bot.spending import Spending
from finops.figures import Scope
from finops.periods import Period
from finops.queries import ScopeKind
from finops.registry import Person
from finops.why import Why, WhyReport
from storage import Store


class Whys:
    """Answers `/finops why`, and tells the digest, the windows and the alerts the same."""

    def __init__(self, desk: Desk, spending: Spending) -> None:
        self._desk = desk
        self._spending = spending

    async def asked(self, workspace_id: str, person: Person, text: str) -> WhyReport:
        """Why spending moved, as asked in words: `[team|project] [period]`. Refuses words it cannot place."""
        raise NotImplementedError

    async def asked_again(
        self, workspace_id: str, kind: ScopeKind, scope_id: int | None, period_name: str
    ) -> WhyReport:
        """The same for a scope and period named by a button; refused when the team or project is gone."""
        raise NotImplementedError

    async def of(self, workspace_id: str, scope: Scope, period: Period, compared: Period | None = None) -> Why:
        """Why a scope's spending moved; compared with the period of equal length before, today with the usual."""
        async with self._desk.storage.reading() as store:
            return await self.of_scope(store, workspace_id, scope, period, compared)

    async def of_scope(
        self, store: Store, workspace_id: str, scope: Scope, period: Period, compared: Period | None = None
    ) -> Why:
        """The same within a transaction that is open already."""
        raise NotImplementedError

    async def of_projects(
        self, store: Store, workspace_id: str, project_ids: Collection[int], period: Period, compared: Period
    ) -> dict[int, Why]:
        """Why each of these projects moved, in a handful of queries for all; one that is gone is absent."""
        raise NotImplementedError
