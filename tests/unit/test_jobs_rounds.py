"""Rounds: looking goes on whatever a look meets, and ends between two looks when asked to."""

from __future__ import annotations

import asyncio

from jobs.rounds import Rounds


class Looking(Rounds):
    """The first look fails, the third is held up until somebody lets it go on."""

    def __init__(self, look_every_seconds: float = 0) -> None:
        super().__init__(look_every_seconds)
        self.looks = 0
        self.is_held, self.goes_on = asyncio.Event(), asyncio.Event()
        self.finished = 0

    async def look(self) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise RuntimeError("the database was away")
        if self.looks == 3:
            self.is_held.set()
            await self.goes_on.wait()
        self.finished += 1
        return True


async def test_trouble_with_one_look_keeps_nobody_from_the_next_and_a_look_is_finished_before_it_ends() -> None:
    rounds = Looking()
    running = asyncio.create_task(rounds.run())
    await asyncio.wait_for(rounds.is_held.wait(), 10)
    rounds.stop()
    assert not running.done()
    rounds.goes_on.set()
    await asyncio.wait_for(running, 10)
    assert (rounds.looks, rounds.finished, rounds.is_stopping) == (3, 2, True)


async def test_who_waits_for_the_next_look_is_woken_to_end() -> None:
    rounds = Looking(look_every_seconds=3600)
    rounds.looks = 2
    rounds.goes_on.set()
    running = asyncio.create_task(rounds.run())
    await asyncio.wait_for(rounds.is_held.wait(), 10)
    rounds.stop()
    await asyncio.wait_for(running, 10)
    assert (rounds.looks, rounds.finished) == (3, 1)
