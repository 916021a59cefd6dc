"""Decisions: what becomes of the answers of polls, one row for each that something was decided about."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from finops.decisions import Decision, DecisionState
from storage.errors import NotFound
from storage.repository import Repository
from storage.tables_learning import decisions, polls


class Decisions(Repository):
    """The last decision about each answer; the ones before are on the audit trail."""

    async def set(self, workspace_id: str, decision: Decision) -> bool:
        """Keep a decision in place of an earlier one; False when it was so already. NotFound without the poll."""
        mine = polls.c.workspace_id == workspace_id, polls.c.id == decision.poll_id
        if await self._db.scalar(select(polls.c.id).where(*mine)) is None:
            raise NotFound("poll", decision.poll_id)
        key = {"workspace_id": workspace_id, "poll_id": decision.poll_id, "option_id": decision.option_id}
        given = {"state": decision.state.value, "decided_by": decision.by, "decided_at": decision.at}
        made = self._insert(decisions).values(key | given)
        changed = made.on_conflict_do_update(
            index_elements=list(key), set_=given, where=decisions.c.state != decision.state.value
        )
        return await self._db.scalar(changed.returning(decisions.c.state)) is not None

    async def clear(self, workspace_id: str, poll_id: int, option_id: str) -> bool:
        """Have nothing decided about an answer; False when nothing was."""
        result = await self._db.execute(
            delete(decisions).where(
                decisions.c.workspace_id == workspace_id,
                decisions.c.poll_id == poll_id,
                decisions.c.option_id == option_id,
            )
        )
        return result.rowcount == 1

    async def of_polls(self, workspace_id: str, poll_ids: Sequence[int]) -> list[Decision]:
        """What was decided about the answers of these polls."""
        rows = await self._db.execute(
            select(decisions)
            .where(decisions.c.workspace_id == workspace_id, decisions.c.poll_id.in_(poll_ids))
            .order_by(decisions.c.poll_id, decisions.c.option_id)
        )
        return [
            Decision(row.poll_id, row.option_id, DecisionState(row.state), row.decided_by, row.decided_at)
            for row in rows
        ]
