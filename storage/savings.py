"""Savings: the ledger of what actions were to save, and of what the settled bills say they did."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select, update

from finops.effects import Saving, SavingState
from finops.money import Money, to_units
from finops.periods import Period
from storage.errors import NotFound
from storage.ledger import money
from storage.repository import Repository
from storage.tables_learning import actions, savings

_AMOUNTS = ("expected", "verified", "low", "high")


class Savings(Repository):
    """One line for each action; a line that was checked is never expected again."""

    async def expect(self, workspace_id: str, found: Iterable[Saving]) -> int:
        """Open a line for each action that has none; tells how many. NotFound for an action of others."""
        count = 0
        for saving in found:
            mine = actions.c.workspace_id == workspace_id, actions.c.id == saving.action_id
            if (await self._db.execute(select(actions.c.id).where(*mine))).one_or_none() is None:
                raise NotFound("action", saving.action_id)
            statement = (
                self._insert(savings)
                .values({"workspace_id": workspace_id, "action_id": saving.action_id, **_values(saving)})
                .on_conflict_do_nothing(index_elements=["workspace_id", "action_id"])
                .returning(savings.c.id)
            )
            count += (await self._db.execute(statement)).one_or_none() is not None
        return count

    async def change(self, workspace_id: str, saving: Saving) -> bool:
        """Write down what became of a line that is still open; False when it was checked meanwhile."""
        result = await self._db.execute(
            update(savings)
            .where(savings.c.workspace_id == workspace_id, savings.c.action_id == saving.action_id)
            .where(savings.c.state == SavingState.EXPECTED.value)
            .values(_values(saving))
        )
        return result.rowcount == 1

    async def open_ones(self, workspace_id: str) -> list[Saving]:
        """The lines that wait for their bills, oldest first."""
        return await self._many(workspace_id, savings.c.state == SavingState.EXPECTED.value)

    async def of_actions(self, workspace_id: str, action_ids: Iterable[int]) -> dict[int, Saving]:
        """The lines of these actions, by action."""
        wanted = sorted(set(action_ids))
        found = await self._many(workspace_id, savings.c.action_id.in_(wanted)) if wanted else []
        return {one.action_id: one for one in found}

    async def ended_in(self, workspace_id: str, period: Period) -> list[Saving]:
        """The lines whose measured days end in a period, oldest first."""
        return await self._many(workspace_id, savings.c.to_day > period.start, savings.c.to_day <= period.end)

    async def _many(self, workspace_id: str, *conditions: ColumnElement[bool]) -> list[Saving]:
        rows = await self._db.execute(
            select(savings).where(savings.c.workspace_id == workspace_id, *conditions).order_by(savings.c.id)
        )
        return [_saving(row) for row in rows]


def _values(saving: Saving) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": saving.state.value,
        "currency": saving.currency,
        "from_day": saving.period.start,
        "to_day": saving.period.end,
        "checked_at": saving.checked_at,
        "placebo_ratio": None if saving.placebo_ratio is None else str(saving.placebo_ratio),
    }
    for name in _AMOUNTS:
        amount: Money | None = getattr(saving, name)
        nano, rest = (None, None) if amount is None else to_units(amount.amount)
        values |= {f"{name}_nano": nano, f"{name}_rest": rest}
    return values


def _saving(row: Any) -> Saving:
    told = row._mapping
    amounts = {
        name: None if told[f"{name}_nano"] is None else money(told[f"{name}_nano"], told[f"{name}_rest"], row.currency)
        for name in _AMOUNTS
    }
    return Saving(
        action_id=row.action_id,
        state=SavingState(row.state),
        period=Period(row.from_day, row.to_day),
        currency=row.currency,
        checked_at=row.checked_at,
        placebo_ratio=None if row.placebo_ratio is None else Decimal(row.placebo_ratio),
        **amounts,
    )
