"""Feedback: what people tell the makers of this product, who may answer, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from finops.frozen import frozen

LONGEST_TEXT = 3000
LONGEST_ANSWER = 3000


class FeedbackCategory(StrEnum):
    """What somebody wants to say."""

    BUG = "bug"
    IDEA = "idea"
    QUESTION = "question"
    PRAISE = "praise"


class FeedbackState(StrEnum):
    """What became of it."""

    NEW = "new"
    PLANNED = "planned"
    DONE = "done"
    DECLINED = "declined"


@frozen
class FeedbackDraft:
    """What somebody filled in. `channel_id` and `message_ts` name the message it is about, None where it is none."""

    category: FeedbackCategory
    text: str
    may_contact: bool
    channel_id: str | None = None
    message_ts: str | None = None


@frozen
class Feedback:
    """What somebody said. Who did not want to be asked about it is not kept: `user_id` is None then."""

    id: int
    workspace_id: str
    user_id: str | None
    category: FeedbackCategory
    text: str
    state: FeedbackState
    channel_id: str | None
    message_ts: str | None
    created_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def can_be_answered(self) -> bool:
        """Whether somebody waits for an answer that nobody gave."""
        return self.user_id is not None and self.answered_at is None
