"""A day and the week, or the month, that begins with it are periods of one budget, too: each has its own alert."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAME = "uq_incidents_of_window"
_PLACE = ["workspace_id", "budget_id", "scope_kind", "scope_id"]


def upgrade() -> None:
    _one_for_each([*_PLACE, "period", "window_start"])


def downgrade() -> None:
    # Refused by the database where two stand: neither is thrown away for a version that knows one.
    _one_for_each([*_PLACE, "window_start"])


def _one_for_each(columns: list[str]) -> None:
    # SQLite makes the table anew, and does not tell how it counts.
    with op.batch_alter_table("incidents", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(_NAME, type_="unique")
        batch_op.create_unique_constraint(_NAME, columns)
