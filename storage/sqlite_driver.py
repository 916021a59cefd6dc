"""SQLite's connections as this house uses them: one visit to their thread for each statement, where aiosqlite makes
four (open a cursor, ask, read, close it) and a fifth to begin."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from typing import Any, Self

import aiosqlite

Rows = list[Any]


def connect(database: str, **how: Any) -> Connection:
    """A connection that waits to be opened; SQLAlchemy calls this with what the address says."""
    made = Connection(lambda: made.opened(sqlite3.connect(database, **how)), iter_chunk_size=64)
    made._thread.daemon = True  # a program that ends need not wait for a database
    return made


class Connection(aiosqlite.Connection):
    """A connection that begins its transaction in the same visit as the first statement of it."""

    begin: str | None = None
    is_visited = False
    _file: sqlite3.Connection | None = None

    def opened(self, file: sqlite3.Connection) -> sqlite3.Connection:
        """Remember what is open, in the thread that opened it: whoever asked may be gone before it is told."""
        self._file = file
        return file

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread, and before it close the file: aiosqlite forgets one that opened for a cancelled task."""
        self._tx.put_nowait((None, self._close_file))
        return super().stop()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()  # a second time, mostly, which is nothing

    async def _connect(self) -> Self:
        """Open the file. Where it cannot be opened, the thread has ended before that is told: it still wants to answer,
        and a program that ends on the sentence would have closed the loop it answers to, and show a traceback."""
        try:
            await super()._connect()
        except sqlite3.Error:
            await asyncio.to_thread(self._thread.join)
            raise
        return self

    def cursor(self) -> Cursor:  # type: ignore[override]
        """A cursor that does not exist in SQLite until it is used."""
        return Cursor(self)

    async def visited(self, method: str, sql: str, parameters: Iterable[Any]) -> tuple[Any, Rows]:
        """A closed cursor and everything it had to say."""
        self.is_visited = True  # before the visit: a task that is cancelled now still has to be rolled back
        asked: tuple[Any, Rows] = await self._execute(self._visit, method, sql, parameters)  # type: ignore[no-untyped-call]
        return asked

    def _visit(self, method: str, sql: str, parameters: Iterable[Any]) -> tuple[Any, Rows]:
        if self.begin is not None:
            self._conn.execute(self.begin).close()
            self.begin = None  # only now: a statement whose BEGIN failed must never run outside of a transaction
        cursor = self._conn.cursor()
        try:
            getattr(cursor, method)(sql, parameters)
            return cursor, cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()

    async def commit(self) -> None:
        """Commit what was asked; nothing asked is nothing to commit."""
        if self.is_visited:
            await super().commit()
        self._rest()

    async def rollback(self) -> None:
        """Take back what was asked; nothing asked is nothing to take back."""
        if self.is_visited:
            await super().rollback()
        self._rest()

    def _rest(self) -> None:
        self.begin = None
        self.is_visited = False


class Cursor(aiosqlite.Cursor):
    """The answer to one statement, read whole."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, None)  # type: ignore[arg-type]
        self._own = connection
        self._rows: Rows = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        """Ask, read and close."""
        self._cursor, self._rows = await self._own.visited("execute", sql, () if parameters is None else parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Ask for each, and close."""
        self._cursor, self._rows = await self._own.visited("executemany", sql, parameters)
        return self

    async def fetchall(self) -> Rows:
        """What was read, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """It was closed in its own visit."""
