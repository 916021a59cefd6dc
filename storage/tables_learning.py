"""The tables of learning: polls and votes, feedback, interviews, what people did and what came of it.

They share the metadata of storage.tables. What people did refers to no project: it outlives its registration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables import Code, RowId, metadata, of_same_workspace, unique_among, workspace_column
from storage.types import Json, UtcDateTime

polls = Table(
    "polls",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("channel_id", String, nullable=False),
    Column("parent_key", String),  # of the outbox message in whose thread it stands; NULL: it stands by itself
    Column("kind", String, nullable=False),
    Column("question", Text, nullable=False),
    Column("options", Json, nullable=False),  # [{"id": ..., "text": ...}] in the order shown
    Column("is_multiple", Boolean, nullable=False),
    Column("is_anonymous", Boolean, nullable=False),
    Column("may_add", Boolean, nullable=False),  # whether anybody may add an option
    Column("is_hidden", Boolean, nullable=False),  # whether results wait until one has voted
    Column("locale", String, nullable=False),
    Column("timezone", String, nullable=False),  # the zone its times are said in
    Column("closes_at", UtcDateTime, nullable=False),
    Column("remind_at", UtcDateTime),  # NULL: no reminder, or it was made
    Column("created_by", String, nullable=False),  # '': the product itself
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_by", String),  # '': the product itself, in time
    # What names anonymous voters, random for each poll and dropped when it closes: nobody can be found any more.
    Column("salt", LargeBinary),
    Column("key", Code),  # what makes it once, such as pulse:2026-11-16:C1; NULL: nothing does
    Column("deciding_by", String),  # who had it decide what comes next; NULL: nobody
    UniqueConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "key"),
    Index(None, "closed_at", "closes_at"),
    sqlite_autoincrement=True,
)

# One row for each person and poll: the database itself knows nobody twice.
poll_votes = Table(
    "poll_votes",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("poll_id", BigInteger, primary_key=True, autoincrement=False),
    Column("voter", Code, primary_key=True),  # the user's id, or what the poll's salt made of it
    Column("options", Json, nullable=False),  # ids
    Column("voted_at", UtcDateTime, nullable=False),  # of an anonymous one: the hour
    # 1 for the first vote, one more for each change; 0: taken back, kept while open so that no older click undoes it.
    Column("revision", Integer, nullable=False),
    Column("clicked_us", BigInteger),  # when the click was made; NULL once the poll is closed
    of_same_workspace("poll_id", "polls"),
    sqlite_with_rowid=False,
)

# What was decided about answers, the last word only.
decisions = Table(
    "decisions",
    metadata,
    Column("workspace_id", Code, primary_key=True),
    Column("poll_id", BigInteger, primary_key=True, autoincrement=False),
    Column("option_id", Code, primary_key=True),
    Column("state", String, nullable=False),
    Column("decided_by", String, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    of_same_workspace("poll_id", "polls"),
    sqlite_with_rowid=False,
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("user_id", String),  # NULL: no contact is wanted
    Column("category", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("contact", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("channel_id", String),  # of the message it is about; NULL: it is about none
    Column("message_ts", String),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answered_by", String),
    Column("answered_at", UtcDateTime),
    Column("answer", Text),
    Column("decided_by", String),  # who said last what becomes of it
    Column("decided_at", UtcDateTime),
    UniqueConstraint("workspace_id", "id"),
    sqlite_autoincrement=True,
)

interview_slots = Table(
    "interview_slots",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("host_user_id", String, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("place", Text, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    UniqueConstraint("workspace_id", "id"),
    Index(None, "workspace_id", "starts_at"),
    sqlite_autoincrement=True,
)

_STANDING = text("cancelled_at IS NULL")

interview_bookings = Table(
    "interview_bookings",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("slot_id", BigInteger, nullable=False),
    Column("user_id", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("booked_at", UtcDateTime, nullable=False),
    Column("cancelled_at", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("sequence", Integer, nullable=False),  # of the calendar's entry: one more with each change
    of_same_workspace("slot_id", "interview_slots"),
    UniqueConstraint("workspace_id", "id"),
    # Nobody can be booked into a time that somebody has.
    unique_among("uq_interview_bookings_standing", "workspace_id", "slot_id", where=_STANDING),
    Index(None, "workspace_id", "user_id"),
    sqlite_autoincrement=True,
)

actions = Table(
    "actions",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("at", UtcDateTime, nullable=False),
    Column("charge_day", Date, nullable=False),
    Column("kind", String, nullable=False),
    Column("project_id", BigInteger),
    Column("team_id", BigInteger),
    Column("actor", String, nullable=False),  # '': nobody knows who
    Column("source", String, nullable=False),
    Column("key", Code, nullable=False),  # what makes it once, however often it is found
    Column("details", Json, nullable=False),
    Column("preceded_kind", String),
    Column("preceded_id", BigInteger),
    Column("preceded_at", UtcDateTime),
    UniqueConstraint("workspace_id", "id"),
    UniqueConstraint("workspace_id", "key"),
    Index(None, "workspace_id", "charge_day"),
    Index(None, "workspace_id", "project_id", "charge_day"),
    sqlite_autoincrement=True,
)

savings = Table(
    "savings",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("action_id", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    # Amounts in the two integers of storage.ledger; NULL: not known.
    *(
        Column(f"{name}_{part}", BigInteger)
        for name in ("expected", "verified", "low", "high")
        for part in ("nano", "rest")
    ),
    Column("currency", String, nullable=False),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),
    Column("checked_at", UtcDateTime),
    Column("placebo_ratio", String),
    of_same_workspace("action_id", "actions"),
    UniqueConstraint("workspace_id", "action_id"),
    Index(None, "workspace_id", "state"),
    sqlite_autoincrement=True,
)
