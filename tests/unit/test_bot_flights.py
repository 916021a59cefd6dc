"""A crowd costs two answers, and nobody is told what was true before they asked."""

from __future__ import annotations

import asyncio

import pytest

from bot.flights import Flights


class Tower:
    """Work that ends when it is let go; counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self, key: str) -> str:
        self.begun += 1
        number = self.begun
        await self.go.wait()
        return f"{key} {number}"


async def test_those_who_ask_meanwhile_share_the_next_answer():
    """The first gets the first; everyone who came while it was worked out gets the second, together."""
    tower = Tower()
    flights = Flights(tower)
    first = asyncio.create_task(flights.get("home"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.create_task(flights.get("home")) for _ in range(50)]
    await asyncio.sleep(0)
    assert tower.begun == 1
    tower.go.set()
    assert await first == "home 1"
    assert set(await asyncio.gather(*later)) == {"home 2"}
    assert await flights.get("home") == "home 3"


async def test_keys_do_not_wait_for_each_other():
    tower = Tower()
    flights = Flights(tower)
    one, other = asyncio.create_task(flights.get("a")), asyncio.create_task(flights.get("b"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert tower.begun == 2
    tower.go.set()
    assert {await one, await other} == {"a 1", "b 2"}


async def test_one_who_gives_up_does_not_turn_the_others_back():
    tower = Tower()
    flights = Flights(tower)
    impatient, patient = asyncio.create_task(flights.get("a")), asyncio.create_task(flights.get("a"))
    await asyncio.sleep(0)
    impatient.cancel()
    tower.go.set()
    assert await patient == "a 1"
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_failure_reaches_those_on_board_and_nobody_after():
    answers = iter([ZeroDivisionError("storm"), None])

    async def fly(key: str) -> str:
        if trouble := next(answers):
            raise trouble
        return key

    flights = Flights(fly)
    with pytest.raises(ZeroDivisionError):
        await flights.get("a")
    assert await flights.get("a") == "a"
