"""What happens live: usage by the minute and its estimates, budgets, incidents, and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = storage.types.UtcDateTime(timezone=True)
COUNTS = (
    "requests",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "audio_input_tokens",
    "cached_audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
    "cached_image_input_tokens",
    "image_output_tokens",
    "quantity",
)


def create_usage_table(name: str, *more: str) -> None:
    op.create_table(
        name,
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("read_id", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        *(sa.Column(each, sa.BigInteger(), nullable=False) for each in COUNTS),
        sa.Column("estimate_nano", sa.BigInteger(), nullable=False),
        sa.Column("estimate_rest", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        *(sa.Column(each, sa.Boolean(), nullable=False) for each in more),
        sa.PrimaryKeyConstraint("workspace_id", "read_id", "start", "group_id", name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )


def upgrade() -> None:
    create_usage_table("usage_minutes")
    create_usage_table("usage_hours", "is_whole")
    create_usage_table("usage_days", "is_whole")
    op.create_table(
        "drifts",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sub_account_id", CODE, nullable=False),
        sa.Column("model", CODE, nullable=False),
        sa.Column("billing_currency", CODE, nullable=False),
        sa.Column("estimated_nano", sa.BigInteger(), nullable=False),
        sa.Column("estimated_rest", sa.BigInteger(), nullable=False),
        sa.Column("billed_nano", sa.BigInteger(), nullable=False),
        sa.Column("billed_rest", sa.BigInteger(), nullable=False),
        sa.Column("compared_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "charge_day",
            "connection_id",
            "sub_account_id",
            "model",
            "billing_currency",
            name=op.f("pk_drifts"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_reads",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", CODE, nullable=False),
        sa.Column("final_until", sa.BigInteger(), nullable=True),
        sa.Column("read_at", TIME, nullable=True),
        sa.Column("newest_data", sa.BigInteger(), nullable=True),
        sa.Column("minutes_from", sa.BigInteger(), nullable=True),
        sa.Column("minutes_until", sa.BigInteger(), nullable=True),
        sa.Column("hours_from", sa.BigInteger(), nullable=True),
        sa.Column("hours_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connections.workspace_id", "connections.id"],
            name=op.f("fk_usage_reads_workspace_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_usage_reads_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_reads")),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_usage_reads_workspace_id_id")),
        sa.UniqueConstraint(
            "workspace_id",
            "connection_id",
            "endpoint",
            name=op.f("uq_usage_reads_workspace_id_connection_id_endpoint"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "usage_groups",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("read_id", sa.BigInteger(), nullable=False),
        sa.Column("sub_account_id", CODE, nullable=False),
        sa.Column("model", CODE, nullable=False),
        sa.Column("api_key_id", CODE, nullable=False),
        sa.Column("service_tier", CODE, nullable=False),
        sa.Column("is_batch", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "read_id"],
            ["usage_reads.workspace_id", "usage_reads.id"],
            name=op.f("fk_usage_groups_workspace_id_read_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_usage_groups_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_groups")),
        sa.UniqueConstraint(
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
    op.create_table(
        "budgets",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("amount_rest", sa.BigInteger(), nullable=False),
        sa.Column("floor_nano", sa.BigInteger(), nullable=False),
        sa.Column("floor_rest", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("levels", JSON, nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_budgets_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_budgets_workspace_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_budgets_workspace_id_deleted_at"), "budgets", ["workspace_id", "deleted_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", JSON, nullable=False),
        sa.Column("channel_id", sa.String(), nullable=True),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("thread_key", sa.String(), nullable=True),
        sa.Column("is_broadcast", sa.Boolean(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("is_prompt", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sent_version", sa.Integer(), nullable=True),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("posted_channel_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_uncertain", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("first_wanted_at", TIME, nullable=False),
        sa.Column("wanted_at", TIME, nullable=False),
        sa.Column("detected_at", TIME, nullable=True),
        sa.Column("available_at", TIME, nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("mailed_at", TIME, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_outbox_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("uq_outbox_workspace_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_state_next_at"), "outbox", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_outbox_workspace_id_thread_key"), "outbox", ["workspace_id", "thread_key"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("budget_id", sa.BigInteger(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("window_start", sa.Date(), nullable=False),
        sa.Column("window_end", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("spoken_level", sa.Integer(), nullable=False),
        sa.Column("limit_currency", sa.String(), nullable=False),
        sa.Column("spent_currency", sa.String(), nullable=False),
        sa.Column("limit_nano", sa.BigInteger(), nullable=False),
        sa.Column("limit_rest", sa.BigInteger(), nullable=False),
        sa.Column("spent_nano", sa.BigInteger(), nullable=False),
        sa.Column("spent_rest", sa.BigInteger(), nullable=False),
        sa.Column("spent_state", sa.String(), nullable=False),
        sa.Column("usual_nano", sa.BigInteger(), nullable=True),
        sa.Column("usual_rest", sa.BigInteger(), nullable=True),
        sa.Column("burn_per_minute_nano", sa.BigInteger(), nullable=True),
        sa.Column("burn_per_minute_rest", sa.BigInteger(), nullable=True),
        sa.Column("allowed_amount_nano", sa.BigInteger(), nullable=True),
        sa.Column("allowed_amount_rest", sa.BigInteger(), nullable=True),
        sa.Column("allowed_until", TIME, nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("silenced_by", sa.String(), nullable=True),
        sa.Column("silenced_until", TIME, nullable=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("as_of", TIME, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("detected_at", TIME, nullable=False),
        sa.Column("available_at", TIME, nullable=True),
        sa.Column("channel_id", sa.String(), nullable=True),
        sa.CheckConstraint("window_start < window_end", name=op.f("ck_incidents_window")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "budget_id"],
            ["budgets.workspace_id", "budgets.id"],
            name=op.f("fk_incidents_workspace_id_budget_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_incidents_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint(
            "workspace_id", "budget_id", "scope_kind", "scope_id", "window_start", name="uq_incidents_of_window"
        ),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_incidents_workspace_id_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_incidents_workspace_id_closed_at"), "incidents", ["workspace_id", "closed_at"], unique=False
    )
    op.create_table(
        "repricings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), nullable=False),
        sa.Column("repriced_at", TIME, nullable=False),
        sa.Column("from_version", sa.String(), nullable=True),
        sa.Column("to_version", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("rows_changed", sa.BigInteger(), nullable=False),
        sa.Column("before_nano", sa.BigInteger(), nullable=False),
        sa.Column("before_rest", sa.BigInteger(), nullable=False),
        sa.Column("after_nano", sa.BigInteger(), nullable=False),
        sa.Column("after_rest", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connections.workspace_id", "connections.id"],
            name=op.f("fk_repricings_workspace_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_repricings_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repricings")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_repricings_workspace_id_connection_id"), "repricings", ["workspace_id", "connection_id"], unique=False
    )
    op.create_table(
        "unpriced",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint", CODE, nullable=False),
        sa.Column("model", CODE, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connections.workspace_id", "connections.id"],
            name=op.f("fk_unpriced_workspace_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "charge_day", "connection_id", "endpoint", "model", name=op.f("pk_unpriced")
        ),
    )
    op.create_table(
        "usage_health",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("read_at", TIME, nullable=True),
        sa.Column("failing_since", TIME, nullable=True),
        sa.Column("failing_code", sa.String(), nullable=True),
        sa.Column("lateness_samples", JSON, nullable=False),
        sa.Column("price_version", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "connection_id"],
            ["connections.workspace_id", "connections.id"],
            name=op.f("fk_usage_health_workspace_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "connection_id", name=op.f("pk_usage_health")),
    )
    op.create_table(
        "incident_events",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.Column("is_loud", sa.Boolean(), nullable=False),
        sa.Column("is_said", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "incident_id"],
            ["incidents.workspace_id", "incidents.id"],
            name=op.f("fk_incident_events_workspace_id_incident_id"),
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_incident_events_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_events")),
        sa.UniqueConstraint(
            "workspace_id", "incident_id", "key", name=op.f("uq_incident_events_workspace_id_incident_id_key")
        ),
        sqlite_autoincrement=True,
    )
    op.add_column("connections", sa.Column("costs_blind_reason", sa.String(), nullable=True))
    op.add_column("connections", sa.Column("usage_blind_reason", sa.String(), nullable=True))
    # Until now only bills could be out of sight.
    op.execute("UPDATE connections SET costs_blind_reason = blind_reason WHERE blind_since IS NOT NULL")


def downgrade() -> None:
    op.drop_column("connections", "usage_blind_reason")
    op.drop_column("connections", "costs_blind_reason")
    op.drop_table("incident_events")
    op.drop_table("usage_health")
    op.drop_table("unpriced")
    op.drop_index(op.f("ix_repricings_workspace_id_connection_id"), table_name="repricings")
    op.drop_table("repricings")
    op.drop_index(op.f("ix_incidents_workspace_id_closed_at"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_index(op.f("ix_outbox_workspace_id_thread_key"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_state_next_at"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_budgets_workspace_id_deleted_at"), table_name="budgets")
    op.drop_table("budgets")
    op.drop_table("usage_groups")
    op.drop_table("usage_reads")
    op.drop_table("drifts")
    op.drop_table("usage_days")
    op.drop_table("usage_hours")
    op.drop_table("usage_minutes")
