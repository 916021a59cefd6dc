"""Feedback: what people said, what became of it, and the one answer that was given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update

from finops.feedback import Feedback, FeedbackCategory, FeedbackDraft, FeedbackState
from storage.repository import Repository
from storage.tables_learning import feedback


class Feedbacks(Repository):
    """One row for each time somebody said something."""

    async def add(self, workspace_id: str, draft: FeedbackDraft, user_id: str, at: datetime) -> Feedback:
        """Keep what somebody said; who said it only where they may be contacted."""
        statement = (
            insert(feedback)
            .values(
                workspace_id=workspace_id,
                user_id=user_id if draft.may_contact else None,
                category=draft.category.value,
                text=draft.text,
                contact=draft.may_contact,
                status=FeedbackState.NEW.value,
                channel_id=draft.channel_id,
                message_ts=draft.message_ts,
                created_at=at,
            )
            .returning(*feedback.c)
        )
        return _feedback((await self._db.execute(statement)).one())

    async def get(self, workspace_id: str, feedback_id: int) -> Feedback | None:
        """What was said under this id, or None."""
        mine = feedback.c.workspace_id == workspace_id, feedback.c.id == feedback_id
        row = (await self._db.execute(select(feedback).where(*mine))).one_or_none()
        return None if row is None else _feedback(row)

    async def newest(self, workspace_id: str, limit: int) -> list[Feedback]:
        """What was said last, newest first."""
        rows = await self._db.execute(
            select(feedback).where(feedback.c.workspace_id == workspace_id).order_by(feedback.c.id.desc()).limit(limit)
        )
        return [_feedback(row) for row in rows]

    async def counts(self, workspace_id: str) -> dict[FeedbackState, int]:
        """How much was said, by what became of it."""
        rows = await self._db.execute(
            select(feedback.c.status, func.count())
            .where(feedback.c.workspace_id == workspace_id)
            .group_by(feedback.c.status)
        )
        return {FeedbackState(status): count for status, count in rows}

    async def set_state(
        self, workspace_id: str, feedback_id: int, state: FeedbackState, *, by: str, at: datetime
    ) -> bool:
        """Say what became of it; False when it was so already, or nothing has this id."""
        result = await self._db.execute(
            update(feedback)
            .where(feedback.c.workspace_id == workspace_id, feedback.c.id == feedback_id)
            .where(feedback.c.status != state.value)
            .values(status=state.value, decided_by=by, decided_at=at)
        )
        return result.rowcount == 1

    async def answer(self, workspace_id: str, feedback_id: int, text: str, *, by: str, at: datetime) -> bool:
        """Keep the answer: True for exactly one of all who answer, and never where nobody may be contacted."""
        result = await self._db.execute(
            update(feedback)
            .where(feedback.c.workspace_id == workspace_id, feedback.c.id == feedback_id)
            .where(feedback.c.answered_at.is_(None), feedback.c.user_id.is_not(None))
            .values(answer=text, answered_by=by, answered_at=at)
        )
        return result.rowcount == 1


def _feedback(row: Any) -> Feedback:
    return Feedback(
        id=row.id,
        workspace_id=row.workspace_id,
        user_id=row.user_id,
        category=FeedbackCategory(row.category),
        text=row.text,
        state=FeedbackState(row.status),
        channel_id=row.channel_id,
        message_ts=row.message_ts,
        created_at=row.created_at,
        answer=row.answer,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
