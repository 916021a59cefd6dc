"""When a vote was clicked, while its poll is open; who decided about feedback, and when."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = storage.types.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("poll_votes", sa.Column("clicked_us", sa.BigInteger(), nullable=True))
    op.add_column("feedback", sa.Column("decided_by", sa.String(), nullable=True))
    op.add_column("feedback", sa.Column("decided_at", TIME, nullable=True))


def downgrade() -> None:
    op.drop_column("feedback", "decided_at")
    op.drop_column("feedback", "decided_by")
    # What was taken back counted for nothing; the code before knows no such rows.
    op.execute("DELETE FROM poll_votes WHERE revision = 0")
    op.drop_column("poll_votes", "clicked_us")
