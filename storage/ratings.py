"""What people say of value: weekly ratings, targets, and caps that a workspace set for itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from finops.caps import SEED_CAPS, Cap
from finops.money import Money, to_units
from finops.periods import Period
from storage.errors import NotFound
from storage.ledger import money
from storage.records_value import Rating, ValueTarget
from storage.repository import Repository
from storage.tables import projects
from storage.tables_value import caps, ratings, value_targets

# Asked with every figure of value, and put together once: that takes longer than answering it.
_BETWEEN = (
    select(ratings)
    .where(ratings.c.workspace_id == bindparam("of_workspace"))
    .where(ratings.c.week >= bindparam("first"), ratings.c.week < bindparam("after"))
    .order_by(ratings.c.week, ratings.c.project_id, ratings.c.user_id)
)


class Ratings(Repository):
    """One answer for each person, project and week."""

    async def give(
        self, workspace_id: str, project_id: int, week: date, user_id: str, score: int, at: datetime
    ) -> None:
        """Write down an answer, in the place of the same person's earlier one.

        NotFound when this workspace has no such project; ValueError where the week is no Monday or the score no score.
        """
        if week.weekday() != 0 or not 0 <= score <= 1000:
            raise ValueError(f"a rating needs a Monday and a score of 0 to 1000, not {week} and {score}")
        await _prove_project(self, workspace_id, project_id)
        insert = self._insert(ratings).values(
            workspace_id=workspace_id, project_id=project_id, week=week, user_id=user_id, score=score, rated_at=at
        )
        key = ["workspace_id", "project_id", "week", "user_id"]
        await self._db.execute(insert.on_conflict_do_update(index_elements=key, set_={"score": score, "rated_at": at}))

    async def take_back(self, workspace_id: str, project_id: int, week: date, user_id: str) -> bool:
        """Forget an answer; False when there is none."""
        mine = ratings.c.workspace_id == workspace_id, ratings.c.project_id == project_id
        gone = delete(ratings).where(*mine, ratings.c.week == week, ratings.c.user_id == user_id)
        return (await self._db.execute(gone)).rowcount == 1

    async def of_week(self, workspace_id: str, week: date) -> dict[int, list[Rating]]:
        """Everybody's answers of a week (by its Monday), by project."""
        rows = await self._db.execute(
            select(ratings)
            .where(ratings.c.workspace_id == workspace_id, ratings.c.week == week)
            .order_by(ratings.c.project_id, ratings.c.user_id)
        )
        found: dict[int, list[Rating]] = {}
        for row in rows:
            one = Rating(row.project_id, row.week, row.user_id, row.score, row.rated_at)
            found.setdefault(one.project_id, []).append(one)
        return found

    async def between(self, workspace_id: str, mondays: Period) -> list[Rating]:
        """Everybody's answers of the weeks whose Monday lies in a period, oldest week first."""
        asked = {"of_workspace": workspace_id, "first": mondays.start, "after": mondays.end}
        rows = await self._db.execute(_BETWEEN, asked)
        return [Rating(row.project_id, row.week, row.user_id, row.score, row.rated_at) for row in rows]


class ValueTargets(Repository):
    """What a success may cost, by project."""

    async def all(self, workspace_id: str) -> dict[int, ValueTarget]:
        """Every target of the workspace, by project."""
        rows = await self._db.execute(select(value_targets).where(value_targets.c.workspace_id == workspace_id))
        return {row.project_id: _target(row) for row in rows}

    async def get(self, workspace_id: str, project_id: int) -> ValueTarget | None:
        """A project's target, or None."""
        mine = value_targets.c.workspace_id == workspace_id, value_targets.c.project_id == project_id
        row = (await self._db.execute(select(value_targets).where(*mine))).one_or_none()
        return None if row is None else _target(row)

    async def set(
        self, workspace_id: str, project_id: int, cost_per_success: Money | None, *, by: str, at: datetime
    ) -> None:
        """Set a project's target, or take it away (None). NotFound when this workspace has no such project."""
        mine = value_targets.c.workspace_id == workspace_id, value_targets.c.project_id == project_id
        if cost_per_success is None:
            await self._db.execute(delete(value_targets).where(*mine))
            return
        await _prove_project(self, workspace_id, project_id)
        nano, rest = to_units(cost_per_success.amount)
        values = {
            "cost_per_success_nano": nano,
            "cost_per_success_rest": rest,
            "currency": cost_per_success.currency,
            "set_by": by,
            "set_at": at,
        }
        insert = self._insert(value_targets).values(workspace_id=workspace_id, project_id=project_id, **values)
        await self._db.execute(insert.on_conflict_do_update(index_elements=["workspace_id", "project_id"], set_=values))


class Caps(Repository):
    """What one call and one user's day may cost, by segment: the seeded ones, with a workspace's own in their place."""

    async def all(self, workspace_id: str) -> Mapping[str, Cap]:
        """What holds in the workspace, by segment."""
        rows = await self._db.execute(select(caps).where(caps.c.workspace_id == workspace_id).order_by(caps.c.segment))
        return {**SEED_CAPS, **{row.segment: _cap(row) for row in rows}}

    async def set(self, workspace_id: str, cap: Cap) -> None:
        """Let a cap hold in the workspace from now on. Both amounts are of one currency."""
        (call_nano, call_rest), (day_nano, day_rest) = (
            to_units(each.amount) for each in (cap.per_call, cap.per_user_day)
        )
        values = {
            "per_call_nano": call_nano,
            "per_call_rest": call_rest,
            "per_user_day_nano": day_nano,
            "per_user_day_rest": day_rest,
            "currency": cap.per_call.currency,
        }
        insert = self._insert(caps).values(workspace_id=workspace_id, segment=cap.segment, **values)
        await self._db.execute(insert.on_conflict_do_update(index_elements=["workspace_id", "segment"], set_=values))


async def _prove_project(repository: Repository, workspace_id: str, project_id: int) -> None:
    mine = select(projects.c.id).where(projects.c.workspace_id == workspace_id, projects.c.id == project_id)
    if (await repository._db.execute(mine)).one_or_none() is None:
        raise NotFound("project", project_id)


def _target(row: Any) -> ValueTarget:
    amount = money(row.cost_per_success_nano, row.cost_per_success_rest, row.currency)
    return ValueTarget(row.project_id, amount, row.set_by, row.set_at)


def _cap(row: Any) -> Cap:
    per_call = money(row.per_call_nano, row.per_call_rest, row.currency)
    return Cap(row.segment, per_call, money(row.per_user_day_nano, row.per_user_day_rest, row.currency))
