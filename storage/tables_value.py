"""The tables of value: what applications record of their calls, what people rate, and what Monday's digest was.

They share the metadata of storage.tables. None refers to a project: what its money bought outlives its registration.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy.types import TypeEngine

from finops.value import ValueSums
from storage.tables import Code, RowId, metadata, workspace_column
from storage.types import Json, UtcDateTime

# The fields of finops.value.ValueSums, in its order.
SUMS = ValueSums._fields


def _key(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]] = Code) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _sums() -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in SUMS]


event_tokens = Table(
    "event_tokens",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("project_id", BigInteger, nullable=False),
    Column("name", String, nullable=False),
    Column("token_hash", Code, nullable=False),  # SHA-256 in hex; the token itself is shown once and kept nowhere
    Column("ends_with", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", String),
    UniqueConstraint("token_hash"),
    Index(None, "workspace_id", "project_id"),
    sqlite_autoincrement=True,
)

# One row for each call, or for several alike that were told of together. Names are '' where the application gave
# none; what is NULL was not told.
value_calls = Table(
    "value_calls",
    metadata,
    _key("workspace_id"),
    _key("project_id", BigInteger),
    _key("request_id"),
    Column("charge_day", Date, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),  # of the earliest event that tells of it
    Column("task", Code, nullable=False),
    Column("intent", Code, nullable=False),
    Column("experiment", Code, nullable=False),
    Column("segment", Code, nullable=False),
    Column("model", Code, nullable=False),
    Column("user_key", Code, nullable=False),  # a keyed hash of the application's own user id
    Column("calls", BigInteger, nullable=False),
    Column("outcome", String),
    Column("outcome_at", UtcDateTime),
    Column("score", Integer),  # thousandths
    Column("score_at", UtcDateTime),
    Column("input_tokens", BigInteger),
    Column("cached_input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("latency_ms", BigInteger),
    Column("cost_nano", BigInteger),
    Column("cost_rest", BigInteger),
    sqlite_with_rowid=False,
)

# Which events were taken: kept longer than an event may be late, so that a repeated one can never count twice.
value_event_ids = Table(
    "value_event_ids",
    metadata,
    _key("workspace_id"),
    _key("project_id", BigInteger),
    _key("event_id"),
    Column("seen_on", Date, nullable=False, index=True),
    sqlite_with_rowid=False,
)

value_days = Table(
    "value_days",
    metadata,
    _key("workspace_id"),
    _key("charge_day", Date),
    _key("project_id", BigInteger),
    _key("task"),
    _key("experiment"),
    _key("segment"),
    _key("model"),
    *_sums(),
    sqlite_with_rowid=False,
)

# The same sums of a project and a whole week (by its Monday): what a digest compares, in a seventh of the rows or less.
value_weeks = Table(
    "value_weeks",
    metadata,
    _key("workspace_id"),
    _key("week", Date),
    _key("project_id", BigInteger),
    Column("newest_at", UtcDateTime, nullable=False),  # of the events that tell of the week's calls
    *_sums(),
    sqlite_with_rowid=False,
)

# What the caps are compared with. The dearest call of a day only grows.
value_users = Table(
    "value_users",
    metadata,
    _key("workspace_id"),
    _key("charge_day", Date),
    _key("project_id", BigInteger),
    _key("user_key"),
    Column("segment", Code, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("cost_rest", BigInteger, nullable=False),
    Column("dearest_call_nano", BigInteger, nullable=False),
    Column("dearest_call_rest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

ratings = Table(
    "ratings",
    metadata,
    _key("workspace_id"),
    _key("project_id", BigInteger),
    _key("week", Date),  # its Monday
    _key("user_id"),
    Column("score", Integer, nullable=False),  # thousandths
    Column("rated_at", UtcDateTime, nullable=False),
)

value_targets = Table(
    "value_targets",
    metadata,
    _key("workspace_id"),
    _key("project_id", BigInteger),
    Column("cost_per_success_nano", BigInteger, nullable=False),
    Column("cost_per_success_rest", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

caps = Table(
    "caps",
    metadata,
    _key("workspace_id"),
    _key("segment"),  # '' is everybody who is of no other
    Column("per_call_nano", BigInteger, nullable=False),
    Column("per_call_rest", BigInteger, nullable=False),
    Column("per_user_day_nano", BigInteger, nullable=False),
    Column("per_user_day_rest", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
)

digests = Table(
    "digests",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("scope_kind", String, nullable=False),
    Column("scope_id", BigInteger, nullable=False),  # 0: the scope needs none
    Column("week", Date, nullable=False),  # its Monday
    Column("computed_at", UtcDateTime, nullable=False),
    Column("facts", Json, nullable=False),
    UniqueConstraint("workspace_id", "scope_kind", "scope_id", "week"),
    sqlite_autoincrement=True,
)

digest_channels = Table(
    "digest_channels",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("channel_id", String, nullable=False),
    Column("scope_kind", String, nullable=False),
    Column("scope_id", BigInteger, nullable=False),  # 0: the scope needs none
    Column("version", String, nullable=False),
    Column("locale", String, nullable=False),
    Column("cron", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("is_mailed", Boolean, nullable=False),
    Column("is_daily", Boolean, nullable=False),
    Column("last_week", Date),  # the Monday of the newest week told there: what makes it once
    Column("last_day", Date),  # the same of the daily card
    Column("created_by", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("workspace_id", "channel_id", "scope_kind", "scope_id"),
    sqlite_autoincrement=True,
)
