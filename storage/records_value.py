"""What storage tells of value: tokens of applications, ratings of people, targets."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from finops.frozen import frozen
from finops.money import Money


class Recorded(NamedTuple):
    """What became of a batch of events: how many were new, and how many had been taken before."""

    accepted: int
    repeated: int


@frozen
class EventToken:
    """A token with which an application records its calls, without the token: only its last letters are kept.

    `last_used_at` may be minutes old. A revoked one records nothing.
    """

    id: int
    workspace_id: str
    project_id: int
    name: str
    ends_with: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None


@frozen
class Rating:
    """What one person said of one project's week (by its Monday); `score` is in thousandths: 0, 500 or 1000."""

    project_id: int
    week: date
    user_id: str
    score: int
    rated_at: datetime


@frozen
class ValueTarget:
    """What a success of a project may cost, as its team said."""

    project_id: int
    cost_per_success: Money
    set_by: str
    set_at: datetime
