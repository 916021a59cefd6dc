"""What all repositories share: the connection of one transaction, upserts on both databases, names as compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

# Readings overtake each other by minutes. One from further ahead was stamped by a clock that has been set right since.
OVERTAKEN_AT_MOST = timedelta(hours=1)
Method = TypeVar("Method", bound=Callable[..., Any])
_ALONE = text("SELECT pg_advisory_xact_lock(:lock)")
Insert: TypeAlias = "postgresql.Insert | sqlite.Insert"


def inserting(dialect: str, table: Table) -> Insert:
    """An insert that can say ON CONFLICT: both databases spell it alike, SQLAlchemy in two places.

    The place of the other database is not even read: that takes a fortieth of the start.
    """
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


NO_ID = 0
"""The id of a scope that needs none: what is compared holds no NULL."""


class Lock(IntEnum):
    """What copies of this program do one after another. Any numbers, the same in every copy and each its own."""

    MIGRATING = 4_603_002_001
    SENDING = 4_603_002_002
    COLLECTING = 4_603_002_003


async def alone(connection: AsyncConnection, lock: Lock) -> None:
    """Wait for others who do the same; they wait for the end of our transaction. PostgreSQL's: on SQLite one writes."""
    await connection.execute(_ALONE, {"lock": lock.value})


class Repository:
    """One noun's rows within one transaction. Every query names its workspace, or says why it does not."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def _alone(self, lock: Lock) -> None:
        if self._db.dialect.name == "postgresql":
            await alone(self._db, lock)

    def _insert(self, table: Table) -> Insert:
        return inserting(self._db.dialect.name, table)


def across_workspaces(reason: str) -> Callable[[Method], Method]:
    """Mark a query that deliberately looks at every workspace; a test refuses any other without a workspace id."""

    def mark(method: Method) -> Method:
        method.across_workspaces = reason  # type: ignore[attr-defined]
        return method

    return mark


def compared(name: str) -> str:
    """A name as people mean it: spelling variants of Unicode, letter case and outer spaces do not make two names."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold()).strip()
