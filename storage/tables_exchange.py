"""The table of exchange rates: every decision about a currency beside dollars, in the metadata of storage.tables."""

from __future__ import annotations

from sqlalchemy import Column, Date, String, Table, Text, UniqueConstraint

from storage.tables import RowId, metadata, workspace_column
from storage.types import UtcDateTime

# Never changed: the newest row is what holds, and the others are what a past figure was converted with.
exchange_rates = Table(
    "exchange_rates",
    metadata,
    Column("id", RowId, primary_key=True),
    workspace_column(),
    Column("currency", String),  # NULL, as the two below: dollars alone from then on
    Column("per_dollar", String),  # plain digits: a database's own decimals would round, or add zeros
    Column("day", Date),
    Column("source", Text, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    UniqueConstraint("workspace_id", "id"),
    sqlite_autoincrement=True,
)
