"""The tables: every row knows its workspace, and can only point at rows of the same workspace.

Here: the registry, the ledger and the work on it. What happens live is in storage.tables_live, in the same metadata.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import TextClause

from storage.types import Json, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column called exactly INTEGER, and gives a deleted row's number away again
# unless told (sqlite_autoincrement): an old button in Slack must never act on a newer row.
RowId = BigInteger().with_variant(Integer(), "sqlite")
# Ids and codes compare byte by byte on both databases: a language's rules would sort three times slower.
Code = String().with_variant(String(collation="C"), "postgresql")


def workspace_column() -> Column[str]:
    return Column("workspace_id", String, ForeignKey("workspaces.id"), nullable=False)


def of_same_workspace(column: str, table: str) -> ForeignKeyConstraint:
    """A reference that carries the workspace along: a row of one workspace cannot name a row of another."""
    return ForeignKeyConstraint(["workspace_id", column], [f"{table}.workspace_id", f"{table}.id"])


def unique_among(name: str, *columns: str, where: TextClause) -> Index:
    """An index that keeps rows apart among those of which `where` holds, on both databases.

    PostgreSQL's word for it is said as the index is made there: saying it earlier reads that part of SQLAlchemy.
    """
    index = Index(name, *columns, unique=True, sqlite_where=where)

    @event.listens_for(index, "before_create")
    def say_so(_index: Index, connection: Connection, **_: object) -> None:
        if connection.dialect.name == "postgresql":
            index.dialect_options["postgresql"]["where"] = where

    return index


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("locale", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("installed_by", String),
    Column("created_at", UtcDateTime, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("workspace_id", String, ForeignKey("workspaces.id"), primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("locale", String, nullable=False),
    Column("timezone", String, nullable=False),
    Column("is_workspace_admin", Boolean, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

teams = Table(
    "teams",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("name", String, nullable=False),
    # The name as compared: Unicode-normalised and case-folded, so "Data" and "data" cannot both exist.
    Column("name_key", String, nullable=False),
    Column("lead_user_id", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("locale", String, nullable=False),
    Column("approvers", Json, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "name_key"),
    sqlite_autoincrement=True,
)

connections = Table(
    "connections",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("provider", String, nullable=False),
    Column("organization_id", String),
    Column("organization_name", String),
    Column("blind_since", UtcDateTime),
    Column("blind_reason", String),
    Column("collected_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # Bills and usage are two senses: either may fail alone. NULL: it sees.
    Column("costs_blind_reason", String),
    Column("usage_blind_reason", String),
    UniqueConstraint("workspace_id", "id"),
    # Two teams registering keys of one organization at the same moment still share one connection.
    UniqueConstraint("workspace_id", "provider", "organization_id"),
    sqlite_autoincrement=True,
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("team_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("ends_with", String, nullable=False),
    Column("rights", Json, nullable=False),
    Column("state", String, nullable=False),
    Column("registered_by", String, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    of_same_workspace("connection_id", "connections"),
    of_same_workspace("team_id", "teams"),
    Index(None, "workspace_id", "connection_id"),
    Index(None, "workspace_id", "team_id"),
    sqlite_autoincrement=True,
)

projects = Table(
    "projects",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("team_id", BigInteger, nullable=False),
    # Copied from the connection, so that the database itself refuses a second owner of one provider project.
    Column("provider", String, nullable=False),
    Column("provider_project_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("environment", String),
    Column("service", String),
    Column("cost_center", String),
    Column("lead_user_id", String),
    Column("excluded", Boolean, nullable=False),
    Column("registered_by", String, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    of_same_workspace("connection_id", "connections"),
    of_same_workspace("team_id", "teams"),
    UniqueConstraint("workspace_id", "provider", "provider_project_id"),
    Index(None, "workspace_id", "team_id"),
    sqlite_autoincrement=True,
)

known_projects = Table(
    "known_projects",
    metadata,
    Column("workspace_id", String, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True),
    Column("provider_project_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("is_archived", Boolean, nullable=False),
    # Name and id as searched: normalised and case-folded, because LOWER() knows only ASCII on SQLite.
    Column("search_key", String, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    of_same_workspace("connection_id", "connections"),
)

# The ledger. No foreign key on the two big tables: replace_day proves once a day what a check would prove per row.
charges = Table(
    "charges",
    metadata,
    Column("workspace_id", Code, nullable=False),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("charge_day", Date, primary_key=True),
    Column("sub_account_id", Code, primary_key=True),  # '' when the bill names no project: a key holds no NULL
    Column("billing_currency", Code, primary_key=True),
    Column("sku_id", Code, primary_key=True),  # '' when the bill names no line item
    Column("billed_cost_nano", BigInteger, nullable=False),
    Column("billed_cost_rest", BigInteger, nullable=False),
    Column("consumed_quantity", Text),
    Column("consumed_unit", String),
    sqlite_with_rowid=False,
)

# Day first: a week of two thousand projects is one stretch of the key, and a day is replaced in one place.
daily_costs = Table(
    "daily_costs",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sub_account_id", Code, primary_key=True),
    Column("billing_currency", Code, primary_key=True),
    Column("billed_cost_nano", BigInteger, nullable=False),
    Column("billed_cost_rest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# The same sums, all projects of a day in one row: a month of two thousand projects is read as thirty rows. What they
# hold is packed and unpacked in storage/sheets.py.
daily_sheets = Table(
    "daily_sheets",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("billing_currency", Code, primary_key=True),
    Column("accounts", LargeBinary, nullable=False),
    Column("amounts", LargeBinary, nullable=False),
)

daily_totals = Table(
    "daily_totals",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("billing_currency", Code, primary_key=True),
    Column("billed_cost_nano", BigInteger, nullable=False),
    Column("billed_cost_rest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What each name on the bill came to, all projects together: a month by line item is some hundred rows.
daily_items = Table(
    "daily_items",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("charge_day", Date, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("billing_currency", Code, primary_key=True),
    Column("sku_id", Code, primary_key=True),
    Column("billed_cost_nano", BigInteger, nullable=False),
    Column("billed_cost_rest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

day_readings = Table(
    "day_readings",
    metadata,
    Column("workspace_id", String, primary_key=True),
    Column("connection_id", BigInteger, primary_key=True, autoincrement=False),
    Column("charge_day", Date, primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("unchanged_reads", Integer, nullable=False),
    of_same_workspace("connection_id", "connections"),
    sqlite_with_rowid=False,
)

restatements = Table(
    "restatements",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("charge_day", Date, nullable=False),
    Column("sub_account_id", String, nullable=False),
    Column("billing_currency", String, nullable=False),
    Column("old_cost_nano", BigInteger, nullable=False),
    Column("old_cost_rest", BigInteger, nullable=False),
    Column("new_cost_nano", BigInteger, nullable=False),
    Column("new_cost_rest", BigInteger, nullable=False),
    Column("restated_at", UtcDateTime, nullable=False),
    of_same_workspace("connection_id", "connections"),
    Index(None, "workspace_id", "charge_day"),
    sqlite_autoincrement=True,
)

collections = Table(
    "collections",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("connection_id", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("slot", String, nullable=False),
    Column("period_start", Date, nullable=False),
    Column("period_end", Date, nullable=False),
    Column("next_day", Date, nullable=False),
    Column("days_done", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("error", String),
    Column("requested_by", String),
    Column("channel_id", String),
    Column("message_ts", String),
    Column("worker", String),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("heartbeat_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    of_same_workspace("connection_id", "connections"),
    UniqueConstraint("workspace_id", "connection_id", "kind", "slot"),
    CheckConstraint("period_start <= period_end", name="period"),
    Index(None, "state", "id"),
    sqlite_autoincrement=True,
)

claims = Table(
    "claims",
    metadata,
    Column("workspace_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False, index=True),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", String, primary_key=True),
    Column("slot", String, primary_key=True),
    Column("worker", String, nullable=False),
    Column("state", String, nullable=False),
    Column("heartbeat_at", UtcDateTime, nullable=False),
)

# Slack's ids are '' where there is none: a key holds no NULL.
installations = Table(
    "installations",
    metadata,
    Column("enterprise_id", String, primary_key=True),
    Column("team_id", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("app_id", String),
    Column("enterprise_name", String),
    Column("team_name", String),
    Column("is_enterprise_install", Boolean, nullable=False),
    Column("bot_id", String),
    Column("bot_user_id", String),
    Column("bot_scopes", Json, nullable=False),
    Column("user_scopes", Json, nullable=False),
    Column("token_type", String),
    Column("bot_token", LargeBinary),
    Column("bot_refresh_token", LargeBinary),
    Column("bot_token_expires_at", UtcDateTime),
    Column("user_token", LargeBinary),
    Column("user_refresh_token", LargeBinary),
    Column("user_token_expires_at", UtcDateTime),
    Column("installed_at", UtcDateTime, nullable=False),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", String, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)
