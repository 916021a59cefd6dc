"""The tables of what happens now: usage by the minute, budgets, incidents, and what waits to be said.

They share the metadata of storage.tables; importing anything of storage loads both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from finops.usage import COUNTS
from storage.tables import Code, RowId, metadata, of_same_workspace, workspace_column
from storage.types import Json, UtcDateTime

usage_reads = Table(
    "usage_reads",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("endpoint", Code, nullable=False),
    Column("final_until", BigInteger),
    Column("read_at", UtcDateTime),  # of the last reading by minutes
    Column("newest_data", BigInteger),
    # The unbroken stretches read minute by minute, and hour by hour or finer: [from, until), minutes since 1970.
    Column("minutes_from", BigInteger),
    Column("minutes_until", BigInteger),
    Column("hours_from", BigInteger),
    Column("hours_until", BigInteger),
    of_same_workspace("connection_id", "connections"),
    UniqueConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "connection_id", "endpoint"),
    sqlite_autoincrement=True,
)

# Who used what, told once: a minute of ten thousand projects would else repeat a megabyte of names.
usage_groups = Table(
    "usage_groups",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("read_id", BigInteger, nullable=False),
    Column("sub_account_id", Code, nullable=False),  # '' where the provider names nothing: a key holds no NULL
    Column("model", Code, nullable=False),
    Column("api_key_id", Code, nullable=False),
    Column("service_tier", Code, nullable=False),
    Column("is_batch", Boolean, nullable=False),
    of_same_workspace("read_id", "usage_reads"),
    UniqueConstraint(
        "workspace_id",
        "read_id",
        "sub_account_id",
        "model",
        "api_key_id",
        "service_tier",
        "is_batch",
        name="uq_usage_groups_told",
    ),
    sqlite_autoincrement=True,
)


def _usage(name: str, *more: Column[bool]) -> Table:
    """Usage in buckets of one width; `start` counts minutes since 1970. A poll touches one stretch of the key.

    No foreign key: storing a reading proves once what a check would prove per row.
    """
    return Table(
        name,
        metadata,
        Column("workspace_id", Code, nullable=False),
        Column("read_id", BigInteger, nullable=False),
        Column("start", BigInteger, nullable=False),
        Column("group_id", BigInteger, nullable=False),
        *(Column(each, BigInteger, nullable=False) for each in COUNTS),
        Column("estimate_nano", BigInteger, nullable=False),
        Column("estimate_rest", BigInteger, nullable=False),
        Column("unpriced", BigInteger, nullable=False),  # calls (or what else is counted) that no price is known for
        *more,
        PrimaryKeyConstraint("workspace_id", "read_id", "start", "group_id"),
        sqlite_with_rowid=False,
    )


usage_minutes = _usage("usage_minutes")
# `is_whole`: the provider told this hour or day as one, and the finer rows we may hold of it do not add up to it.
usage_hours = _usage("usage_hours", Column("is_whole", Boolean, nullable=False))
usage_days = _usage("usage_days", Column("is_whole", Boolean, nullable=False))

usage_health = Table(
    "usage_health",
    metadata,
    Column("workspace_id", String, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("read_at", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("failing_code", String),
    Column("lateness_samples", Json, nullable=False),  # seconds, newest last
    Column("price_version", String),
    of_same_workspace("connection_id", "connections"),
)

repricings = Table(
    "repricings",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("repriced_at", UtcDateTime, nullable=False),
    Column("from_version", String),
    Column("to_version", String, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("rows_changed", BigInteger, nullable=False),
    Column("before_nano", BigInteger, nullable=False),
    Column("before_rest", BigInteger, nullable=False),
    Column("after_nano", BigInteger, nullable=False),
    Column("after_rest", BigInteger, nullable=False),
    of_same_workspace("connection_id", "connections"),
    Index(None, "workspace_id", "connection_id"),
    sqlite_autoincrement=True,
)

drifts = Table(
    "drifts",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sub_account_id", Code, primary_key=True),
    Column("model", Code, primary_key=True),
    Column("billing_currency", Code, primary_key=True),
    Column("estimated_nano", BigInteger, nullable=False),
    Column("estimated_rest", BigInteger, nullable=False),
    Column("billed_nano", BigInteger, nullable=False),
    Column("billed_rest", BigInteger, nullable=False),
    Column("compared_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

unpriced = Table(
    "unpriced",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("endpoint", Code, primary_key=True),  # '' for a line item of the bill
    Column("model", Code, primary_key=True),
    Column("first_seen_at", UtcDateTime, nullable=False),
    of_same_workspace("connection_id", "connections"),
)

# A deleted budget stays, unseen: the incidents it opened still have to be told.
budgets = Table(
    "budgets",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("scope_kind", String, nullable=False),
    Column("scope_id", BigInteger, nullable=False),  # 0: the scope needs none
    Column("period", String, nullable=False),
    Column("amount_nano", BigInteger, nullable=False),
    Column("amount_rest", BigInteger, nullable=False),
    Column("floor_nano", BigInteger, nullable=False),
    Column("floor_rest", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("levels", Json, nullable=False),
    Column("action", String, nullable=False),
    Column("channel_id", String),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_by", String, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("needs_two", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("workspace_id", "id"),
    Index(None, "workspace_id", "deleted_at"),
    sqlite_autoincrement=True,
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("budget_id", BigInteger, nullable=False),
    Column("scope_kind", String, nullable=False),
    Column("scope_id", BigInteger, nullable=False),
    Column("period", String, nullable=False),
    Column("window_start", Date, nullable=False),
    Column("window_end", Date, nullable=False),
    Column("state", String, nullable=False),
    Column("level", Integer, nullable=False),
    Column("spoken_level", Integer, nullable=False),
    Column("limit_currency", String, nullable=False),
    Column("spent_currency", String, nullable=False),
    Column("limit_nano", BigInteger, nullable=False),
    Column("limit_rest", BigInteger, nullable=False),
    Column("spent_nano", BigInteger, nullable=False),
    Column("spent_rest", BigInteger, nullable=False),
    Column("spent_state", String, nullable=False),
    Column("usual_nano", BigInteger),
    Column("usual_rest", BigInteger),
    Column("burn_per_minute_nano", BigInteger),
    Column("burn_per_minute_rest", BigInteger),
    # Never filled: what was allowed is the stop's. They go when no copy runs any more that names them.
    Column("allowed_amount_nano", BigInteger),
    Column("allowed_amount_rest", BigInteger),
    Column("allowed_until", UtcDateTime),
    Column("acknowledged_by", String),
    Column("acknowledged_at", UtcDateTime),
    Column("silenced_by", String),
    Column("silenced_until", UtcDateTime),
    Column("since", UtcDateTime, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("detected_at", UtcDateTime, nullable=False),
    Column("available_at", UtcDateTime),
    Column("channel_id", String),
    of_same_workspace("budget_id", "budgets"),
    UniqueConstraint("workspace_id", "id"),
    UniqueConstraint(
        "workspace_id", "budget_id", "scope_kind", "scope_id", "period", "window_start", name="uq_incidents_of_window"
    ),
    CheckConstraint("window_start < window_end", name="window"),
    Index(None, "workspace_id", "closed_at"),
    sqlite_autoincrement=True,
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("incident_id", BigInteger, nullable=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("values", Json, nullable=False),
    Column("is_loud", Boolean, nullable=False),
    Column("is_said", Boolean, nullable=False),
    of_same_workspace("incident_id", "incidents"),
    UniqueConstraint("workspace_id", "incident_id", "key"),
    sqlite_autoincrement=True,
)

# One row is one message as it should stand; sending it, editing it and falling back are ways to get there.
outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),  # in the order of first wanting
    workspace_column(),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", Json, nullable=False),
    Column("channel_id", String),  # NULL: to the recipients alone
    Column("recipients", Json, nullable=False),
    Column("thread_key", String),
    Column("is_broadcast", Boolean, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("is_prompt", Boolean, nullable=False),  # somebody clicked and waits: an edit that is not held back
    Column("version", Integer, nullable=False),
    Column("sent_version", Integer),
    Column("ts", String),
    Column("posted_channel_id", String),
    Column("state", String, nullable=False),
    Column("is_uncertain", Boolean, nullable=False),  # an attempt may have reached Slack: look before posting again
    Column("worker", String),
    Column("leased_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("first_wanted_at", UtcDateTime, nullable=False),
    Column("wanted_at", UtcDateTime, nullable=False),
    Column("detected_at", UtcDateTime),
    Column("available_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("mailed_at", UtcDateTime),
    Column("last_error", Text),
    UniqueConstraint("workspace_id", "key"),
    Index(None, "state", "next_at"),
    Index(None, "workspace_id", "thread_key"),
    sqlite_autoincrement=True,
)
