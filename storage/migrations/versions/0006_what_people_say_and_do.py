"""What people say in polls, feedback and interviews, what they do, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
import storage.types
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CODE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = storage.types.UtcDateTime(timezone=True)
STANDING = sa.text("cancelled_at IS NULL")
MADE = ("polls", "poll_votes", "feedback", "interview_slots", "interview_bookings", "actions", "savings")


def upgrade() -> None:
    create_polls()
    create_feedback()
    create_interviews()
    create_actions()


def create_polls() -> None:
    op.create_table(
        "polls",
        *numbered(),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("parent_key", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("is_multiple", "is_anonymous", "may_add")),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("closes_at", TIME, nullable=False),
        sa.Column("remind_at", TIME, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("key", CODE, nullable=True),
        *of_workspace("polls"),
        unique("polls", "workspace_id", "id"),
        unique("polls", "workspace_id", "key"),
        sqlite_autoincrement=True,
    )
    index("polls", "closed_at", "closes_at")
    op.create_table(
        "poll_votes",
        sa.Column("workspace_id", CODE, nullable=False),
        sa.Column("poll_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voter", CODE, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("voted_at", TIME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        of_same_workspace("poll_votes", "poll_id", "polls"),
        sa.PrimaryKeyConstraint("workspace_id", "poll_id", "voter", name=op.f("pk_poll_votes")),
        sqlite_with_rowid=False,
    )


def create_feedback() -> None:
    op.create_table(
        "feedback",
        *numbered(),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=True),
        sa.Column("message_ts", sa.String(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        *of_workspace("feedback"),
        unique("feedback", "workspace_id", "id"),
        sqlite_autoincrement=True,
    )


def create_interviews() -> None:
    op.create_table(
        "interview_slots",
        *numbered(),
        sa.Column("host_user_id", sa.String(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        *of_workspace("interview_slots"),
        unique("interview_slots", "workspace_id", "id"),
        sqlite_autoincrement=True,
    )
    index("interview_slots", "workspace_id", "starts_at")
    op.create_table(
        "interview_bookings",
        *numbered(),
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("booked_at", TIME, nullable=False),
        sa.Column("cancelled_at", TIME, nullable=True),
        sa.Column("reminded_at", TIME, nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *of_workspace("interview_bookings"),
        of_same_workspace("interview_bookings", "slot_id", "interview_slots"),
        unique("interview_bookings", "workspace_id", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_interview_bookings_standing",
        "interview_bookings",
        ["workspace_id", "slot_id"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    index("interview_bookings", "workspace_id", "user_id")


def create_actions() -> None:
    op.create_table(
        "actions",
        *numbered(),
        sa.Column("at", TIME, nullable=False),
        sa.Column("charge_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", CODE, nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.Column("preceded_kind", sa.String(), nullable=True),
        sa.Column("preceded_id", sa.BigInteger(), nullable=True),
        sa.Column("preceded_at", TIME, nullable=True),
        *of_workspace("actions"),
        unique("actions", "workspace_id", "id"),
        unique("actions", "workspace_id", "key"),
        sqlite_autoincrement=True,
    )
    index("actions", "workspace_id", "charge_day")
    index("actions", "workspace_id", "project_id", "charge_day")
    amounts = [f"{name}_{part}" for name in ("expected", "verified", "low", "high") for part in ("nano", "rest")]
    op.create_table(
        "savings",
        *numbered(),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in amounts),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("checked_at", TIME, nullable=True),
        sa.Column("placebo_ratio", sa.String(), nullable=True),
        *of_workspace("savings"),
        of_same_workspace("savings", "action_id", "actions"),
        unique("savings", "workspace_id", "action_id"),
        sqlite_autoincrement=True,
    )
    index("savings", "workspace_id", "state")


def numbered() -> list[sa.Column]:
    return [sa.Column("id", ROW_ID, nullable=False), sa.Column("workspace_id", sa.String(), nullable=False)]


def index(table: str, *names: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(names)}"), table, list(names), unique=False)


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*names, name=op.f(f"uq_{table}_{'_'.join(names)}"))


def of_same_workspace(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_workspace_id_{column}")
    return sa.ForeignKeyConstraint(["workspace_id", column], [f"{other}.workspace_id", f"{other}.id"], name=name)


def of_workspace(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f(f"fk_{table}_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def downgrade() -> None:
    for table in reversed(MADE):
        op.drop_table(table)
