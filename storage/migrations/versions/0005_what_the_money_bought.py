"""What applications record of their calls, what people rate, and what Monday's digest was."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = storage.types.UtcDateTime(timezone=True)
SUMS = (
    "calls", "successes", "failures", "scored", "score_sum", "timed", "latency_ms", "input_tokens",
    "cached_input_tokens", "output_tokens", "priced", "cost_nano", "cost_rest",
)  # fmt: skip
MADE = (
    "daily_items",
    "event_tokens", "value_calls", "value_event_ids", "value_days", "value_weeks", "value_users", "ratings",
    "value_targets", "caps", "digests", "digest_channels",
)  # fmt: skip


def upgrade() -> None:
    create_items()
    create_tokens()
    create_calls()
    create_sums()
    create_what_people_say()
    create_digests()


def create_items() -> None:
    """What each name on the bill came to, day by day; of the bills that are there already as well."""
    key = ("workspace_id", "charge_day", "connection_id", "billing_currency", "sku_id")
    op.create_table(
        "daily_items",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("billing_currency", CODE, nullable=False),
        sa.Column("sku_id", CODE, nullable=False),
        sa.Column("billed_cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("billed_cost_rest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_daily_items")),
        sqlite_with_rowid=False,
    )
    op.execute(
        """
        INSERT INTO daily_items (
            workspace_id, charge_day, connection_id, billing_currency, sku_id, billed_cost_nano, billed_cost_rest
        )
        SELECT workspace_id, charge_day, connection_id, billing_currency, sku_id,
            CAST(SUM(billed_cost_nano) AS BIGINT) + CAST(SUM(billed_cost_rest) AS BIGINT) / 1000000000,
            CAST(SUM(billed_cost_rest) AS BIGINT) % 1000000000
        FROM charges GROUP BY workspace_id, charge_day, connection_id, billing_currency, sku_id
        """
    )


def create_tokens() -> None:
    op.create_table(
        "event_tokens",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", CODE, nullable=False),
        sa.Column("ends_with", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        *of_workspace("event_tokens"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_event_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_event_tokens_workspace_id_project_id"), "event_tokens", ["workspace_id", "project_id"], unique=False
    )


def create_calls() -> None:
    op.create_table(
        "value_calls",
        *keys("workspace_id", project_id=sa.BigInteger(), request_id=CODE),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        *(sa.Column(name, CODE, nullable=False) for name in ("task", "intent", "experiment", "segment", "model")),
        sa.Column("user_key", CODE, nullable=False),
        *amounts("calls"),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("outcome_at", TIME, nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("score_at", TIME, nullable=True),
        *amounts("input_tokens", "cached_input_tokens", "output_tokens", "latency_ms", nullable=True),
        *amounts("cost_nano", "cost_rest", nullable=True),
        key("value_calls", "workspace_id", "project_id", "request_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_value_calls_charge_day"), "value_calls", ["charge_day"], unique=False)
    op.create_table(
        "value_event_ids",
        *keys("workspace_id", project_id=sa.BigInteger(), event_id=CODE),
        sa.Column("seen_on", sa.Date(), nullable=False),
        key("value_event_ids", "workspace_id", "project_id", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_value_event_ids_seen_on"), "value_event_ids", ["seen_on"], unique=False)


def create_sums() -> None:
    names = ("task", "experiment", "segment", "model")
    op.create_table(
        "value_days",
        *keys("workspace_id", charge_day=sa.Date(), project_id=sa.BigInteger(), **dict.fromkeys(names, CODE)),
        *amounts(*SUMS),
        key("value_days", "workspace_id", "charge_day", "project_id", *names),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "value_weeks",
        *keys("workspace_id", week=sa.Date(), project_id=sa.BigInteger()),
        sa.Column("newest_at", TIME, nullable=False),
        *amounts(*SUMS),
        key("value_weeks", "workspace_id", "week", "project_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "value_users",
        *keys("workspace_id", charge_day=sa.Date(), project_id=sa.BigInteger(), user_key=CODE),
        sa.Column("segment", CODE, nullable=False),
        *amounts("calls", "cost_nano", "cost_rest", "dearest_call_nano", "dearest_call_rest"),
        key("value_users", "workspace_id", "charge_day", "project_id", "user_key"),
        sqlite_with_rowid=False,
    )


def create_what_people_say() -> None:
    op.create_table(
        "ratings",
        *keys("workspace_id", project_id=sa.BigInteger(), week=sa.Date(), user_id=CODE),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("rated_at", TIME, nullable=False),
        key("ratings", "workspace_id", "project_id", "week", "user_id"),
    )
    op.create_table(
        "value_targets",
        *keys("workspace_id", project_id=sa.BigInteger()),
        *amounts("cost_per_success_nano", "cost_per_success_rest"),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        key("value_targets", "workspace_id", "project_id"),
    )
    op.create_table(
        "caps",
        *keys("workspace_id", segment=CODE),
        *amounts("per_call_nano", "per_call_rest", "per_user_day_nano", "per_user_day_rest"),
        sa.Column("currency", sa.String(), nullable=False),
        key("caps", "workspace_id", "segment"),
    )


def create_digests() -> None:
    op.create_table(
        "digests",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("computed_at", TIME, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        *of_workspace("digests"),
        sa.UniqueConstraint(
            "workspace_id",
            "scope_kind",
            "scope_id",
            "week",
            name=op.f("uq_digests_workspace_id_scope_kind_scope_id_week"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "digest_channels",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("cron", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("is_mailed", sa.Boolean(), nullable=False),
        sa.Column("is_daily", sa.Boolean(), nullable=False),
        sa.Column("last_week", sa.Date()),
        sa.Column("last_day", sa.Date()),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *of_workspace("digest_channels"),
        sa.UniqueConstraint(
            "workspace_id",
            "channel_id",
            "scope_kind",
            "scope_id",
            name=op.f("uq_digest_channels_workspace_id_channel_id_scope_kind_scope_id"),
        ),
        sqlite_autoincrement=True,
    )


def keys(workspace_id: str, **others: sa.types.TypeEngine) -> list[sa.Column]:
    each = {workspace_id: CODE} | others
    return [sa.Column(name, kind, autoincrement=False, nullable=False) for name, kind in each.items()]


def amounts(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names, name=op.f(f"pk_{table}"))


def of_workspace(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def downgrade() -> None:
    for table in reversed(MADE):
        op.drop_table(table)
