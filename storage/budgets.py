"""Budgets: what may be spent, by whom and until when; deleted ones are kept for the incidents they opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, select, update

from finops.budgets import Budget, BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import to_units
from storage.errors import NotFound
from storage.ledger import money
from storage.repository import NO_ID, Repository
from storage.tables import projects, teams
from storage.tables_live import budgets

_TABLES: dict[BudgetScope, Table] = {BudgetScope.TEAM: teams, BudgetScope.PROJECT: projects}
# Asked all the time, and put together once: that takes longer than answering them.
_ALL = select(budgets).where(budgets.c.workspace_id == bindparam("of_workspace")).order_by(budgets.c.id)
_CREATE = insert(budgets).returning(*budgets.c)
_LIVING = _ALL.where(budgets.c.deleted_at.is_(None))
_ONE = _ALL.where(budgets.c.id == bindparam("this"))
_ONE_LIVING = _LIVING.where(budgets.c.id == bindparam("this"))


class Budgets(Repository):
    """Budgets, oldest first. A scope may have several for one period."""

    async def create(self, workspace_id: str, terms: BudgetTerms, *, by: str, at: datetime) -> Budget:
        """Make a budget; NotFound when this workspace has no such team or project."""
        await self._prove_scope(workspace_id, terms)
        values = _values(terms) | {
            "workspace_id": workspace_id,
            "is_enabled": True,
            "created_by": by,
            "created_at": at,
            "updated_by": by,
            "updated_at": at,
        }
        return _budget((await self._db.execute(_CREATE, values)).one())

    async def update(
        self,
        workspace_id: str,
        budget_id: int,
        *,
        terms: BudgetTerms | None = None,
        is_enabled: bool | None = None,
        by: str,
        at: datetime,
    ) -> Budget:
        """Change what is given and tell how it stands now; NotFound for what is not there, or its new scope is not."""
        values: dict[str, Any] = {"updated_by": by, "updated_at": at}
        if terms is not None:
            await self._prove_scope(workspace_id, terms)
            values |= _values(terms)
        if is_enabled is not None:
            values["is_enabled"] = is_enabled
        statement = update(budgets).where(*_living(workspace_id), budgets.c.id == budget_id).values(values)
        row = (await self._db.execute(statement.returning(*budgets.c))).one_or_none()
        if row is None:
            raise NotFound("budget", budget_id)
        return _budget(row)

    async def delete(self, workspace_id: str, budget_id: int, *, by: str, at: datetime) -> bool:
        """Take it out of force for good; False when it was not there. `get` with `even_deleted` still tells of it."""
        result = await self._db.execute(
            update(budgets)
            .where(*_living(workspace_id), budgets.c.id == budget_id)
            .values(deleted_at=at, is_enabled=False, updated_by=by, updated_at=at)
        )
        return result.rowcount == 1

    async def get(self, workspace_id: str, budget_id: int, *, even_deleted: bool = False) -> Budget | None:
        """The budget, or None. A deleted one only when asked for, and never enabled."""
        asked = {"of_workspace": workspace_id, "this": budget_id}
        row = (await self._db.execute(_ONE if even_deleted else _ONE_LIVING, asked)).one_or_none()
        return None if row is None else _budget(row)

    async def all(self, workspace_id: str, *, even_deleted: bool = False) -> list[Budget]:
        """Every budget, disabled ones too; deleted ones only when asked for, and never enabled."""
        rows = await self._db.execute(_ALL if even_deleted else _LIVING, {"of_workspace": workspace_id})
        return [_budget(row) for row in rows]

    async def _prove_scope(self, workspace_id: str, terms: BudgetTerms) -> None:
        """What a budget limits must be this workspace's: a reference to one of two tables no database checks."""
        table = _TABLES.get(terms.scope_kind)
        if table is None:
            return
        mine = select(table.c.id).where(table.c.workspace_id == workspace_id, table.c.id == terms.scope_id)
        if (await self._db.execute(mine)).one_or_none() is None:
            raise NotFound(terms.scope_kind.value, terms.scope_id)


def _living(workspace_id: str) -> tuple[Any, Any]:
    return budgets.c.workspace_id == workspace_id, budgets.c.deleted_at.is_(None)


def _values(terms: BudgetTerms) -> dict[str, Any]:
    (amount_nano, amount_rest), (floor_nano, floor_rest) = (
        to_units(each.amount) for each in (terms.amount, terms.silent_below)
    )
    return {
        "scope_kind": terms.scope_kind,
        "scope_id": terms.scope_id or NO_ID,
        "period": terms.period,
        "amount_nano": amount_nano,
        "amount_rest": amount_rest,
        "floor_nano": floor_nano,
        "floor_rest": floor_rest,
        "currency": terms.amount.currency,
        "levels": list(terms.levels),
        "action": terms.action,
        "channel_id": terms.channel_id,
        "needs_two": terms.needs_two,
    }


def _budget(row: Any) -> Budget:
    return Budget(
        id=row.id,
        workspace_id=row.workspace_id,
        scope_kind=BudgetScope(row.scope_kind),
        scope_id=row.scope_id or None,
        period=BudgetPeriod(row.period),
        amount=money(row.amount_nano, row.amount_rest, row.currency),
        levels=tuple(row.levels),
        action=BudgetAction(row.action),
        floor=money(row.floor_nano, row.floor_rest, row.currency),
        channel_id=row.channel_id,
        is_enabled=row.is_enabled,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_by=row.updated_by,
        updated_at=row.updated_at,
        needs_two=row.needs_two,
        is_deleted=row.deleted_at is not None,
    )
