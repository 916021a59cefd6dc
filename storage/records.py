"""What storage tells beyond the registry: sums, changes of a day, the queue, installations."""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime
from enum import StrEnum

from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period
from finops.secret import Secret


class CollectionKind(StrEnum):
    """Why a collection was queued."""

    BACKFILL = "backfill"
    DAILY = "daily"
    CATCH_UP = "catch_up"
    MANUAL = "manual"


class CollectionState(StrEnum):
    """Queued and running collections are worked on; done and failed ones are history."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@frozen
class Collection:
    """One reading of one connection's bill, day by day: resumable at `next_day` after any kind of death."""

    id: int
    workspace_id: str
    connection_id: int
    kind: CollectionKind
    slot: str
    period: Period
    next_day: date
    days_done: int
    state: CollectionState
    error: str | None
    requested_by: str | None
    channel_id: str | None
    message_ts: str | None
    worker: str | None
    attempts: int
    created_at: datetime
    heartbeat_at: datetime | None
    finished_at: datetime | None

    @property
    def days_total(self) -> int:
        return self.period.days


@frozen
class DayProjectTotal:
    """The exact sum of one charge day of one provider project in one currency (None: the bill named no project)."""

    day: date
    connection_id: int
    sub_account_id: str | None
    amount: Money


@frozen
class ProjectTotal:
    """The exact sum of a period for one provider project in one currency."""

    connection_id: int
    sub_account_id: str | None
    amount: Money


@frozen
class DayTotal:
    """The exact sum of one charge day in one currency."""

    day: date
    amount: Money


@frozen
class Restated:
    """The provider changed its mind about a day we had already read: old, new and when we learned of it."""

    connection_id: int
    day: date
    sub_account_id: str | None
    old: Money
    new: Money
    restated_at: datetime

    @property
    def difference(self) -> Money:
        return self.new - self.old


@frozen
class DayChange:
    """What one reading did to one stored day.

    `kept` is true when the reading was set aside and the stored rows stay: it was empty where we hold charges (a late
    page, not a refund), or older than the reading we already have. `totals` are the day's sums as they now stand, one
    per currency.
    """

    day: date
    is_changed: bool
    kept: bool
    restated: tuple[Restated, ...]
    totals: tuple[Money, ...]


@frozen
class Installation:
    """One person's installation of the app: what Slack's OAuth answered. Tokens are sealed at rest and masked in print.

    Org-wide installations have no `team_id`. `user_id` is the person who installed.
    """

    app_id: str | None
    enterprise_id: str | None
    enterprise_name: str | None
    team_id: str | None
    team_name: str | None
    is_enterprise_install: bool
    user_id: str
    bot_token: Secret | None
    bot_id: str | None
    bot_user_id: str | None
    bot_scopes: tuple[str, ...]
    installed_at: datetime
    bot_refresh_token: Secret | None = None
    bot_token_expires_at: datetime | None = None
    user_token: Secret | None = None
    user_scopes: tuple[str, ...] = field(default=())
    user_refresh_token: Secret | None = None
    user_token_expires_at: datetime | None = None
    token_type: str | None = None
