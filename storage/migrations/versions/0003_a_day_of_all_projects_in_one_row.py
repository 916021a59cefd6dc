"""A day of all projects in one row, so that a month of thousands of projects is asked for in milliseconds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.sheets import packed

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
KEY = ("workspace_id", "charge_day", "connection_id", "billing_currency")


def upgrade() -> None:
    key = [
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("billing_currency", CODE, nullable=False),
    ]
    sheets = op.create_table(
        "daily_sheets",
        *key,
        sa.Column("accounts", sa.LargeBinary(), nullable=False),
        sa.Column("amounts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_daily_sheets")),
    )
    costs = sa.table(
        "daily_costs",
        *(sa.column(each.name, each.type) for each in key),
        sa.column("sub_account_id"),
        sa.column("billed_cost_nano"),
        sa.column("billed_cost_rest"),
    )
    database = op.get_bind()
    told = [costs.c[name] for name in KEY]
    for day in database.execute(sa.select(*told).distinct()).all():
        mine = [column == value for column, value in zip(told, day, strict=True)]
        query = sa.select(costs.c.sub_account_id, costs.c.billed_cost_nano, costs.c.billed_cost_rest).where(*mine)
        rows = database.execute(query.order_by(costs.c.sub_account_id.collate(_BYTES[database.dialect.name]))).all()
        accounts, amounts = packed([row[0] for row in rows], [(row[1], row[2]) for row in rows])
        database.execute(sheets.insert(), {**dict(zip(KEY, day, strict=True)), "accounts": accounts, "amounts": amounts})


_BYTES = {"sqlite": "BINARY", "postgresql": "C"}


def downgrade() -> None:
    op.drop_table("daily_sheets")
