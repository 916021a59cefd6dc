"""When a vote was clicked, while its poll is open; who decided about feedback and about answers, and when."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = storage.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("poll_votes", sa.Column("clicked_us", sa.BigInteger(), nullable=True))
    op.add_column("feedback", sa.Column("decided_by", sa.String(), nullable=True))
    op.add_column("feedback", sa.Column("decided_at", TIME, nullable=True))
    op.add_column("polls", sa.Column("deciding_by", sa.String(), nullable=True))
    op.create_table(
        "decisions",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("poll_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("option_id", CODE, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "poll_id"],
            ["polls.workspace_id", "polls.id"],
            name=op.f("fk_decisions_workspace_id_poll_id"),
        ),
        sa.PrimaryKeyConstraint("workspace_id", "poll_id", "option_id", name=op.f("pk_decisions")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("decisions")
    op.drop_column("polls", "deciding_by")
    op.drop_column("feedback", "decided_at")
    op.drop_column("feedback", "decided_by")
    # What was taken back counted for nothing; the code before knows no such rows.
    op.execute("DELETE FROM poll_votes WHERE revision = 0")
    op.drop_column("poll_votes", "clicked_us")
