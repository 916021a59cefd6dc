"""Fate: when a replica dies, and who moves next, decided by a seed and by nothing else.

A replica stands at a boundary before and after each transaction and each call of the provider. There it may die, as a
killed process does: what was committed stays, what the provider did is done, and nothing else of it ever happens. And
there, while several act at once, the next one to move is drawn by lot, so that a run can be played again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from storage import Storage, Store
from storage.engine import Engines
from storage.secrets import KeyRing

# A task that was just released, or began others, stands at its next boundary after so many turns of the loop.
_TURNS = 12


class Killed(BaseException):
    """The process is gone. No `except Exception` of the product sees it, as none would see SIGKILL."""


@dataclass
class Turns:
    """Lets one move at a time while several act at once; otherwise everybody passes.

    Not `is_drawn`: the loop and the database decide who is first, as they do in real life.
    """

    chance: random.Random
    is_drawn: bool = True
    is_on: bool = False
    _waiting: list[tuple[asyncio.Future[None], bool]] = field(default_factory=list)
    _inside: dict[asyncio.Task[Any], int] = field(default_factory=dict)
    _standing: set[asyncio.Task[Any]] = field(default_factory=set)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _writer: asyncio.Task[Any] | None = None

    async def stand(self, *, wants_to_write: bool = False) -> None:
        """Wait for one's turn."""
        if not self.is_on:
            return
        task, turn = _me(), asyncio.get_running_loop().create_future()
        place = (turn, wants_to_write)
        self._waiting.append(place)
        self._standing.add(task)
        self._moved.set()
        try:
            await turn
        finally:
            self._standing.discard(task)
            if place in self._waiting:
                self._waiting.remove(place)

    @asynccontextmanager
    async def inside(self, *, writes: bool = False) -> AsyncIterator[None]:
        """What takes time between two boundaries: nobody else is let go meanwhile. Who writes, writes alone."""
        task = _me()
        self._inside[task] = self._inside.get(task, 0) + 1
        if writes and self.is_on:
            self._writer = task
        try:
            yield
        finally:
            self._inside[task] -= 1
            if not self._inside[task]:
                del self._inside[task]
            if self._writer is task and not self._inside.get(task):
                self._writer = None
            self._moved.set()

    async def play(self, acts: Sequence[Coroutine[Any, Any, None]]) -> list[BaseException]:
        """Do all of them at once, in an order drawn by lot; what they raised."""
        self.is_on = self.is_drawn and len(acts) > 1
        tasks = [asyncio.create_task(act) for act in acts]
        if not self.is_on:
            await asyncio.wait(tasks)
        while True:  # whoever a dead one had begun ends as well
            await self._settled()
            free = [one for one in self._waiting if self._writer is None or not one[1]]
            if free:
                chosen = free[self.chance.randrange(len(free))]
                self._waiting.remove(chosen)
                if not chosen[0].done():
                    chosen[0].set_result(None)
            elif all(task.done() for task in tasks):
                break
            else:
                await asyncio.sleep(0)
        self.is_on = False
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return [one for one in found if isinstance(one, BaseException)]

    async def _settled(self) -> None:
        """Until everybody stands at a boundary, or is done."""
        quiet = 0
        while quiet < _TURNS:
            self._moved.clear()
            if any(task not in self._standing for task in self._inside):
                quiet = 0
                await self._moved.wait()
            else:
                quiet += 1
                await asyncio.sleep(0)


class Fate:
    """One process's life: it dies at the `left`-th boundary from now, or not at all (None)."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.left: int | None = None
        self.is_dead = False
        self.where = ""

    async def step(self, where: str, *, wants_to_write: bool = False) -> None:
        """Stand at a boundary. Raises Killed when this is the end, and for ever after."""
        self.check()
        await self.turns.stand(wants_to_write=wants_to_write)
        self.meet(where)

    def meet(self, where: str) -> None:
        """A boundary at which nobody else may move."""
        self.check()
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.is_dead, self.where = True, where
            raise Killed(where)

    def check(self) -> None:
        """The dead do nothing."""
        if self.is_dead:
            raise Killed(self.where)


class MortalStorage(Storage):
    """A process's door to the database, which is shut the moment it dies."""

    def __init__(self, engines: Engines, ring: KeyRing, fate: Fate) -> None:
        super().__init__(engines, ring)
        self._fate = fate

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Store]:
        await self._fate.step("before a look at the database")
        async with self._fate.turns.inside(), super().reading() as store:
            yield store

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Store]:
        await self._fate.step("before a transaction", wants_to_write=True)
        async with self._fate.turns.inside(writes=True), super().writing() as store:
            yield store
            self._fate.meet("before a commit")  # what was written is rolled back, as by a lost connection
        await self._fate.step("after a commit")


def _me() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None, "everybody who acts is a task"
    return task
