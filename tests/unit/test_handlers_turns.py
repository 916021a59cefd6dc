"""Turns: answers to Slack come first, everybody's work is done in a fair order, and too much is said to be too much."""

from __future__ import annotations

import asyncio
from functools import partial

from handlers import turns
from handlers.guard import Work
from handlers.turns import Job, Turns


class Desk:
    """Jobs that begin and end when the test says so."""

    def __init__(self, **limits: int) -> None:
        self.begun: list[Job] = []
        self.done: list[str] = []
        self.turns = Turns(self.begun.append, **limits)

    async def _do(self, name: str) -> None:
        self.done.append(name)

    def job(self, name: str) -> Job:
        return partial(self._do, name)

    async def ends_one(self) -> None:
        """The oldest job under way is done."""
        await self.begun.pop(0)()
        self.turns.done()

    async def ends_all(self) -> list[str]:
        while self.begun:
            await self.ends_one()
        return self.done


async def test_whoever_asks_a_hundred_things_delays_only_themselves() -> None:
    """One line for each person, served in turn."""
    desk = Desk()
    for name in ("a1", "a2", "a3", "a4", "a5", "b1", "c1"):
        desk.turns.join(name[0], desk.job(name))
    assert await desk.ends_all() == ["a1", "a2", "a3", "b1", "c1", "a4", "a5"]


async def test_only_a_few_compute_at_once() -> None:
    """More at once would only make every acknowledgement wait."""
    desk = Desk()
    for number in range(10):
        desk.turns.join(str(number), desk.job(str(number)))
    assert len(desk.begun) == turns.AT_ONCE
    assert len(desk.turns) == 10 - turns.AT_ONCE
    await desk.ends_one()
    assert len(desk.begun) == turns.AT_ONCE


async def test_jobs_that_wait_for_others_hold_nobody_up() -> None:
    """While our thread is idle, another one begins every few milliseconds."""
    work, go = Work(), asyncio.Event()
    begun = asyncio.Queue[int]()

    async def waits(number: int) -> None:
        begun.put_nowait(number)
        await go.wait()

    for number in range(6):
        work.later("U1", partial(waits, number))
    assert [await asyncio.wait_for(begun.get(), 2) for _ in range(6)] == list(range(6))
    go.set()
    await work.drain(1)


async def test_in_a_rush_work_waits_for_calmer_moments_and_is_all_done_then() -> None:
    """Requests by the hundred a second: the answers to Slack come first."""
    desk = Desk()
    for number in range(50):  # all within the first look: far more than RUSH_PER_SECOND
        desk.turns.join(f"U{number}", desk.job(str(number)))
    desk.turns._look()
    await desk.ends_one()
    await desk.ends_one()
    assert desk.begun == []
    desk.turns.hurry()
    assert len(await desk.ends_all()) == 50


async def test_too_much_is_said_once_to_each_and_at_once() -> None:
    """Nobody is left without an answer, and saying so does not become the work."""
    desk = Desk(most_waiting=3)
    for number in range(5):
        desk.turns.join("a", desk.job(f"a{number}"), desk.job("a is told"))
    for _ in range(3):
        desk.turns.join("b", desk.job("b0"), desk.job("b is told"))
    assert len(desk.turns) == 4
    assert await desk.ends_all() == ["a0", "a1", "b is told", "a2", "a3", "a4"]


async def test_shutting_down_does_what_waits_and_drops_what_is_too_late() -> None:
    """A command that was acknowledged is answered before the lights go out, if there is time."""
    work, done = Work(), list[int]()

    async def job(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    for number in range(20):
        work.later("U1", partial(job, number))
    await work.drain(2)
    assert (sorted(done), work.count) == (list(range(20)), 0)

    async def hangs() -> None:
        await asyncio.Event().wait()

    for _ in range(turns.AT_MOST + 5):
        work.later("U1", hangs)
    await work.drain(0.01)
    assert work.count == 0


async def test_work_that_shares_its_effort_is_done_together() -> None:
    """Everybody who opens Home at one moment boards the same reading of figures."""
    work, all_here = Work(), asyncio.Barrier(10)

    async def boards() -> None:
        await all_here.wait()

    for number in range(10):
        work.together(f"U{number}", boards)
    await asyncio.wait_for(work.drain(5), 5)
    assert (work.count, all_here.broken) == (0, False)
