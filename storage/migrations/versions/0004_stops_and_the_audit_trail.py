"""Stops, the levers they hold, what happened to them, and the audit trail of every act."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op

from storage import append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = storage.types.UtcDateTime(timezone=True)
HELD = sa.text("state IN ('requested', 'saved', 'set', 'proved', 'unproved')")


def upgrade() -> None:
    op.add_column("budgets", sa.Column("needs_two", sa.Boolean(), server_default=sa.false(), nullable=False))
    create_stops()
    create_holds()
    op.create_table(
        "stop_events",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("is_loud", sa.Boolean(), nullable=False),
        sa.Column("is_said", sa.Boolean(), nullable=False),
        *of_workspace("stop_events"),
        of_same_workspace("stop_events", "stop_id", "stops"),
        sa.UniqueConstraint("workspace_id", "stop_id", "key", name=op.f("uq_stop_events_workspace_id_stop_id_key")),
        sqlite_autoincrement=True,
    )
    create_audit()


def create_stops() -> None:
    op.create_table(
        "stops",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=True),
        sa.Column("lever", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", TIME, nullable=True),
        sa.Column("allowed_until", TIME, nullable=True),
        sa.Column("allowed_ceiling_nano", sa.BigInteger(), nullable=True),
        sa.Column("allowed_ceiling_rest", sa.BigInteger(), nullable=True),
        sa.Column("allowed_ceiling_currency", sa.String(), nullable=True),
        sa.Column("restops", sa.Boolean(), nullable=False),
        sa.Column("pending_by", sa.String(), nullable=True),
        sa.Column("pending_at", TIME, nullable=True),
        sa.Column("pending_way", sa.String(), nullable=True),
        sa.Column("pending_until", TIME, nullable=True),
        sa.Column("pending_amount_nano", sa.BigInteger(), nullable=True),
        sa.Column("pending_amount_rest", sa.BigInteger(), nullable=True),
        sa.Column("pending_amount_currency", sa.String(), nullable=True),
        sa.Column("pending_restops", sa.Boolean(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("cause_by", sa.String(), nullable=True),
        sa.Column("stopped_at", TIME, nullable=True),
        sa.Column("restored_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        *of_workspace("stops"),
        of_same_workspace("stops", "incident_id", "incidents"),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_stops_workspace_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_stops_workspace_id_state"), "stops", ["workspace_id", "state"], unique=False)
    op.create_index(op.f("ix_stops_workspace_id_incident_id"), "stops", ["workspace_id", "incident_id"], unique=False)


def create_holds() -> None:
    times = ("saved_at", "set_at", "enforced_at", "proved_at", "last_request_at")
    ends = ("release_at", "released_at", "first_traffic_at", "checked_at")
    op.create_table(
        "holds",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_project_id", CODE, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lever", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("former", sa.JSON(), nullable=True),
        sa.Column("target", sa.JSON(), nullable=True),
        *(sa.Column(name, TIME, nullable=True) for name in times),
        sa.Column("leak_nano", sa.BigInteger(), nullable=True),
        sa.Column("leak_rest", sa.BigInteger(), nullable=True),
        sa.Column("leak_currency", sa.String(), nullable=True),
        *(sa.Column(name, TIME, nullable=True) for name in ends),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("trouble_since", TIME, nullable=True),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        *of_workspace("holds"),
        of_same_workspace("holds", "stop_id", "stops"),
        of_same_workspace("holds", "connection_id", "connections"),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_holds_workspace_id_id")),
        sa.CheckConstraint("(former IS NULL) = (target IS NULL)", name=op.f("ck_holds_known_together")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_holds_active",
        "holds",
        ["workspace_id", "connection_id", "provider_project_id", "lever"],
        unique=True,
        sqlite_where=HELD,
        postgresql_where=HELD,
    )
    op.create_index(op.f("ix_holds_next_at"), "holds", ["next_at"], unique=False)
    op.create_index(op.f("ix_holds_workspace_id_stop_id"), "holds", ["workspace_id", "stop_id"], unique=False)
    op.create_index(
        op.f("ix_holds_workspace_id_connection_id"), "holds", ["workspace_id", "connection_id"], unique=False
    )


def create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("action", CODE, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_audit_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_heads",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_audit_heads_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_audit_heads")),
    )
    for table in append_only.TABLES:
        for statement in append_only.made(op.get_bind().dialect.name, table):
            op.execute(sa.DDL(statement))


def of_workspace(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def of_same_workspace(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{other}.workspace_id", f"{other}.id"],
        name=op.f(f"fk_{table}_workspace_id_{column}"),
    )


def downgrade() -> None:
    for table in append_only.TABLES:
        op.drop_table(table)
        for statement in append_only.dropped(op.get_bind().dialect.name, table):
            op.execute(sa.DDL(statement))
    op.drop_table("stop_events")
    op.drop_table("holds")
    op.drop_table("stops")
    op.drop_column("budgets", "needs_two")
