"""Statements compiled once in the life of the program: every door to a database asks much the same."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy.util import LRUCache

Key = tuple[Any, ...]


class Compiled(MutableMapping[Key, Any]):
    """What SQLAlchemy asks for by dialect object and statement, kept by the dialect's driver and the statement.

    Left to itself, each engine compiles for itself, and reading, writing and migrating are engines of their own.
    """

    def __init__(self, capacity: int) -> None:
        self._kept: LRUCache[Key, Any] = LRUCache(capacity)

    def __getitem__(self, key: Key) -> Any:
        return self._kept[_anywhere(key)]

    def get(self, key: Key, default: Any = None) -> Any:
        """The compiled statement; `default` where it was not met yet."""
        return self._kept.get(_anywhere(key), default)

    def __setitem__(self, key: Key, compiled: Any) -> None:
        self._kept[_anywhere(key)] = compiled

    def __delitem__(self, key: Key) -> None:
        del self._kept[_anywhere(key)]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _anywhere(key: Key) -> Key:
    dialect, *statement = key
    return (dialect.name, dialect.driver, *statement)


COMPILED = Compiled(capacity=2000)
