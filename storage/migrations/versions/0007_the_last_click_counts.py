"""When a vote was clicked, while its poll is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("poll_votes", sa.Column("clicked_us", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    # What was taken back counted for nothing; the code before knows no such rows.
    op.execute("DELETE FROM poll_votes WHERE revision = 0")
    op.drop_column("poll_votes", "clicked_us")
