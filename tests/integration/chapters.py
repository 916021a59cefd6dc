"""Chapters: how a story begins is lived once in a process and kept; the next one that begins alike reads it instead.

A chapter is a copy of the database and the provider as bytes, so no two tests ever hold the same thing. It is read
only by a world that stands exactly where the chapter before it ended: whoever did anything in between, to the
database, to the provider, to the bot or to the clock, lives it himself, as if nothing had been kept.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from tests.integration.beginnings import copied, read
from tests.integration.watch_world import World

T = TypeVar("T")


@dataclass(frozen=True)
class Chapter:
    """How everything stood at its end, and what came of it."""

    database: Path
    rest: bytes
    result: Any  # facts, which nobody can change


_KEPT: dict[tuple[str, ...], Chapter] = {}


class Story:
    """What a world lived so far, in words, as long as nothing else happened in it."""

    def __init__(self, world: World, beginning: object) -> None:
        self._world = world
        self._path = Path(str(world.bot.storage._engines.url.database))
        self._database = sqlite3.connect(self._path)
        # Only who has the master key can read what was sealed with it.
        begun = pickle.dumps((beginning, world.bot.storage._ring.to_text()))
        self._so_far: tuple[str, ...] | None = (sha256(begun).hexdigest(),)
        self._standing = self._stands()

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def sentence(self, what: str) -> Iterator[None]:
        """A small step on the way: taken each time, and known afterwards."""
        known = self._known()
        yield
        self._ends(known, what)

    async def chapter(self, what: str, lived: Callable[[], Awaitable[T]]) -> T:
        """A long step on the way: lived where nobody has yet, else read; what came of it."""
        known = self._known()
        if known is None:
            return await lived()
        kept = _KEPT.get((*known, what))
        if kept is None:
            result = await lived()
            _KEPT[*known, what] = self._kept(result)
        else:
            result = self._read(kept)
        self._ends(known, what)
        return result

    def _known(self) -> tuple[str, ...] | None:
        if self._so_far is not None and self._stands() != self._standing:
            self._so_far = None
        return self._so_far

    def _ends(self, known: tuple[str, ...] | None, what: str) -> None:
        if known is not None:
            self._so_far, self._standing = (*known, what), self._stands()

    def _stands(self) -> tuple[Any, ...]:
        """Whatever a test could have touched. The version of the database changes with whatever anybody writes."""
        [version] = self._database.execute("PRAGMA data_version").fetchone()
        openai, provider, clock = self._world.openai, self._world.provider, self._world.clock
        of_provider = pickle.dumps((openai.tenants, openai.behaviour, openai.faults.standing, list(openai.calls)))
        changed = (openai.clock is clock, provider.doors, provider._door.skew, sorted(vars(provider)))
        return (version, clock(), of_provider, *changed)

    def _kept(self, result: object) -> Chapter:
        world, openai, clock = self._world, self._world.openai, self._world.clock()
        bot = (world.provider._door.skew, world.bot.watching._awake._read)
        rest = pickle.dumps((openai.tenants, openai.behaviour, openai.calls, clock, bot))
        return Chapter(copied(self._database, self._path), rest, result)

    def _read(self, kept: Chapter) -> Any:
        """Stand where the chapter ended."""
        world, openai = self._world, self._world.openai
        read(kept.database, self._database)
        openai.tenants, openai.behaviour, openai.calls, world.clock.moment, bot = pickle.loads(kept.rest)
        openai.organization = openai.tenants[openai.organization.id].organization
        world.provider._door.skew, world.bot.watching._awake._read = bot
        return kept.result
