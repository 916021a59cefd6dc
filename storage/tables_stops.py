"""The tables of stopping: stops, the levers they hold, what happened to them, and the audit trail of every act.

They share the metadata of storage.tables.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

import storage.tables_live  # noqa: F401 - stops point at incidents
from finops.holds import ACTIVE, HoldState
from storage import append_only
from storage.tables import Code, RowId, metadata, of_same_workspace, unique_among, workspace_column
from storage.types import UtcDateTime

# Kept as the very text that was written, in its order: what a provider's setting was, and what a hash was made of.
Verbatim = JSON(none_as_null=True)

stops = Table(
    "stops",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("incident_id", BigInteger),
    Column("scope_kind", String, nullable=False),
    Column("scope_id", BigInteger, nullable=False),  # 0: the scope needs none
    Column("channel_id", String),
    Column("lever", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", String),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("approved_by", String),
    Column("approved_at", UtcDateTime),
    Column("allowed_until", UtcDateTime),
    Column("allowed_ceiling_nano", BigInteger),
    Column("allowed_ceiling_rest", BigInteger),
    Column("allowed_ceiling_currency", String),
    Column("restops", Boolean, nullable=False),
    # An approval that waits for a second person; NULL: none does.
    Column("pending_by", String),
    Column("pending_at", UtcDateTime),
    Column("pending_way", String),
    Column("pending_until", UtcDateTime),
    Column("pending_amount_nano", BigInteger),
    Column("pending_amount_rest", BigInteger),
    Column("pending_amount_currency", String),
    Column("pending_restops", Boolean),
    Column("cause", Text),
    Column("cause_by", String),
    Column("stopped_at", UtcDateTime),
    Column("restored_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    of_same_workspace("incident_id", "incidents"),
    UniqueConstraint("workspace_id", "id"),
    Index(None, "workspace_id", "state"),
    Index(None, "workspace_id", "incident_id"),
    sqlite_autoincrement=True,
)

_HELD = text("state IN ({})".format(", ".join(f"'{state}'" for state in HoldState if state in ACTIVE)))

# No reference to the project: one that is let go of must still be given back what it was.
holds = Table(
    "holds",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("stop_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("connection_id", BigInteger, nullable=False),
    Column("provider_project_id", Code, nullable=False),
    Column("name", String, nullable=False),
    Column("lever", String, nullable=False),
    Column("state", String, nullable=False),
    Column("is_wanted", Boolean, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("former", Verbatim),
    Column("target", Verbatim),
    Column("saved_at", UtcDateTime),
    Column("set_at", UtcDateTime),
    Column("enforced_at", UtcDateTime),
    Column("proved_at", UtcDateTime),
    Column("last_request_at", UtcDateTime),
    Column("leak_nano", BigInteger),
    Column("leak_rest", BigInteger),
    Column("leak_currency", String),
    Column("leak_unpriced", BigInteger),
    Column("release_at", UtcDateTime),
    Column("released_at", UtcDateTime),
    Column("first_traffic_at", UtcDateTime),
    Column("checked_at", UtcDateTime),
    Column("trouble", String),
    Column("trouble_since", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("worker", String),
    Column("leased_until", UtcDateTime),
    of_same_workspace("stop_id", "stops"),
    of_same_workspace("connection_id", "connections"),
    UniqueConstraint("workspace_id", "id"),
    CheckConstraint("(former IS NULL) = (target IS NULL)", name="known_together"),
    # Two who would each keep the other's setting as "what was before" could never be undone.
    unique_among("uq_holds_active", "workspace_id", "connection_id", "provider_project_id", "lever", where=_HELD),
    Index(None, "next_at"),
    Index(None, "workspace_id", "stop_id"),
    Index(None, "workspace_id", "connection_id"),
    sqlite_autoincrement=True,
)

stop_events = Table(
    "stop_events",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("stop_id", BigInteger, nullable=False),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("values", Verbatim, nullable=False),
    Column("is_loud", Boolean, nullable=False),
    Column("is_said", Boolean, nullable=False),
    of_same_workspace("stop_id", "stops"),
    UniqueConstraint("workspace_id", "stop_id", "key"),
    sqlite_autoincrement=True,
)

# Written once, never changed, never removed: the database itself refuses (storage.append_only).
audit = Table(
    "audit",
    metadata,
    Column("workspace_id", Code, ForeignKey("workspaces.id"), nullable=False),
    Column("seq", BigInteger, autoincrement=False, nullable=False),  # from 1, without a gap
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String),  # NULL: the product itself
    Column("action", Code, nullable=False),
    Column("subject", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("details", Verbatim, nullable=False),
    Column("prev_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    PrimaryKeyConstraint("workspace_id", "seq"),
)

# The end of each workspace's trail: sealed, so that a cut-off end cannot pass for the end.
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("workspace_id", Code, ForeignKey("workspaces.id"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

for _dialect in append_only.DIALECTS:
    for _table in (audit, audit_heads):
        for _moment, _statements in (
            ("after_create", append_only.made(_dialect, _table.name)),
            ("after_drop", append_only.dropped(_dialect, _table.name)),
        ):
            for _statement in _statements:
                _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
                event.listen(_table, _moment, _ddl.execute_if(dialect=_dialect))
