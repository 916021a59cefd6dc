"""The rates at which won or yen stand beside dollars: who set which, and when."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = storage.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("per_dollar", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_exchange_rates_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint("workspace_id", "id", name=op.f("uq_exchange_rates_workspace_id_id")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("exchange_rates")
