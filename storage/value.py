"""Value: what applications recorded of their calls, each once, and the sums of it by day and week."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from finops.caps import UserDay
from finops.events import RecordedCall
from finops.money import Money
from finops.periods import Period
from finops.value import ValueRow, ValueSums
from storage.records_value import Recorded
from storage.repository import Repository, across_workspaces


class Value(Repository):
    """Calls are written once; days and weeks are their sums, in the same transaction. Figures are read from sums."""

    async def record(self, workspace_id: str, project_id: int, calls: Sequence[RecordedCall]) -> Recorded:
        """Write down what a project's application tells: all of it or, with any error, nothing.

        An event whose id was taken before counts as repeated and changes nothing. NotFound when this workspace has no
        such project. Give several projects in the order of workspace and id: then no two transactions wait in a circle.
        """
        raise NotImplementedError

    async def days(
        self, workspace_id: str, period: Period, project_ids: Collection[int] | None = None
    ) -> list[ValueRow]:
        """What was recorded of the days of a period, by every name, in the order of the table's key."""
        raise NotImplementedError

    async def sums(
        self, workspace_id: str, period: Period, project_ids: Collection[int] | None = None
    ) -> dict[int, ValueSums]:
        """What each project recorded in a period, in one query; a project without any record is absent."""
        raise NotImplementedError

    async def weekly(self, workspace_id: str, weeks: Sequence[Period]) -> dict[tuple[int, date], ValueSums]:
        """What each project recorded in each week, by (project, Monday); absent where nothing was.

        ValueError where a period is not the seven days from a Monday.
        """
        raise NotImplementedError

    async def users_over(
        self,
        workspace_id: str,
        period: Period,
        per_call: Money,
        per_user_day: Money,
        project_ids: Collection[int] | None = None,
    ) -> list[UserDay]:
        """Days of users that cost more than `per_user_day`, or had a call above `per_call`; in the key's order.

        Ask with the lowest caps of all segments, and let finops.caps.seen hold each against its own.
        """
        raise NotImplementedError

    async def last_event_at(self, workspace_id: str, project_id: int) -> datetime | None:
        """When the newest call that a project recorded was made; None when it recorded none for ninety days."""
        raise NotImplementedError

    @across_workspaces("what is old is swept everywhere")
    async def forget_before(self, calls: date, ids: date, days: date) -> int:
        """Drop calls and users of charge days before `calls`, event ids seen before `ids`, and sums before `days`."""
        raise NotImplementedError
