"""Warnings of keys that end go through the outbox: what was told before stands there, so that nobody is told twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.types import Json, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = UtcDateTime(timezone=True)
KIND = "expiry"
_MESSAGES = sa.table(
    "messages",
    *(sa.column(name, sa.String()) for name in ("workspace_id", "key", "channel_id", "ts")),
    *(sa.column(name, TIME) for name in ("claimed_at", "sent_at")),
)
_WORKSPACES = sa.table("workspaces", sa.column("id", sa.String()))
_OUTBOX = sa.table(
    "outbox",
    *(sa.column(name, sa.String()) for name in ("workspace_id", "key", "kind", "ts", "posted_channel_id", "state")),
    *(sa.column(name, Json()) for name in ("subject", "recipients")),
    *(sa.column(name, sa.Integer()) for name in ("urgency", "version", "sent_version", "attempts")),
    *(sa.column(name, sa.Boolean()) for name in ("is_broadcast", "is_prompt", "is_uncertain")),
    *(sa.column(name, TIME) for name in ("next_at", "first_wanted_at", "wanted_at", "delivered_at", "sent_at")),
)


def upgrade() -> None:
    database, of = op.get_bind(), _MESSAGES.c
    said = (
        sa.select(_MESSAGES)
        .where(of.key.startswith(f"{KIND}:"), of.sent_at.is_not(None))
        .where(of.workspace_id.in_(sa.select(_WORKSPACES.c.id)))
        .order_by(of.sent_at, of.key)
    )
    warnings: dict[tuple[str, str], dict[str, object]] = {}
    people: dict[tuple[str, str], list[str]] = {}
    for row in database.execute(said).all():
        key, _, user_id = row.key.rpartition(":")
        _, credential_id, ends = key.split(":", 2)
        expires_at, _, mark = ends.rpartition(":")
        people.setdefault((row.workspace_id, key), []).append(user_id)
        first = {
            "workspace_id": row.workspace_id,
            "key": key,
            "kind": KIND,
            "subject": {"credential_id": int(credential_id), "expires_at": expires_at, "mark": int(mark)},
            "ts": row.ts,
            "posted_channel_id": row.channel_id,
            "state": "sent",
        }
        first |= dict.fromkeys(("version", "sent_version"), 1) | dict.fromkeys(("urgency", "attempts"), 0)
        first |= dict.fromkeys(("is_broadcast", "is_prompt", "is_uncertain"), False)
        at = dict.fromkeys(("next_at", "first_wanted_at", "wanted_at", "delivered_at", "sent_at"), row.sent_at)
        warnings.setdefault((row.workspace_id, key), first | at)
    for one, row in warnings.items():
        database.execute(_OUTBOX.insert(), row | {"recipients": people[one]})
    op.drop_table("messages")


def downgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "key", name=op.f("pk_messages")),
    )
    database, of = op.get_bind(), _OUTBOX.c
    # Copies begin as what they are copies of; who got one is named there, too.
    warnings = sa.select(_OUTBOX).where(of.kind == KIND, of.delivered_at.is_not(None), ~of.key.contains("@"))
    for row in database.execute(warnings).all():
        for user_id in row.recipients:
            said = {"key": f"{row.key}:{user_id}", "channel_id": row.posted_channel_id, "ts": row.ts}
            said |= {"workspace_id": row.workspace_id, "claimed_at": row.delivered_at, "sent_at": row.delivered_at}
            database.execute(_MESSAGES.insert(), said)
    # The version before has no words for these.
    database.execute(_OUTBOX.delete().where(of.kind == KIND))
