"""Whose token answers: remembered for a while, looked up once, forgotten at once when revoked."""

from __future__ import annotations

import asyncio

import pytest
from slack_sdk.oauth.installation_store import Installation

from handlers import authorizing
from handlers.authorizing import Authorizer, Clients, NotInstalled, Place
from tests.conftest import FakeClock


class Source:
    """Installations by place; counts how often it is asked, and can be made to wait."""

    def __init__(self, *places: Place) -> None:
        self.places = set(places)
        self.asked: list[Place] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def installed(self, place: Place) -> Installation | None:
        self.asked.append(place)
        await self.gate.wait()
        if place not in self.places:
            return None
        return Installation(team_id=place.team_id, bot_token=f"xoxb-{place.team_id}", user_id="U1", bot_id="B1")


HERE = Place(None, "T1")


async def test_a_second_question_is_answered_from_memory(clock: FakeClock):
    """One look-up serves every request of the next ten minutes."""
    source = Source(HERE)
    authorizer = Authorizer(source, clock)
    first = await authorizer.at(HERE)
    clock.advance(minutes=9)
    assert await authorizer.at(HERE) is first
    assert source.asked == [HERE]


async def test_memory_expires(clock: FakeClock):
    """A token that another copy of the bot renewed is noticed within ten minutes."""
    source = Source(HERE)
    authorizer = Authorizer(source, clock)
    await authorizer.at(HERE)
    clock.advance(minutes=10)
    await authorizer.at(HERE)
    assert len(source.asked) == 2


async def test_memory_is_bounded(clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    """Ten thousand workspaces do not grow the process: the one not asked for longest goes first."""
    monkeypatch.setattr(authorizing, "REMEMBERED_AT_MOST", 2)
    places = [Place(None, f"T{n}") for n in range(3)]
    source = Source(*places)
    authorizer = Authorizer(source, clock)
    await authorizer.at(places[0])
    await authorizer.at(places[1])
    await authorizer.at(places[0])
    await authorizer.at(places[2])
    await authorizer.at(places[0])
    assert source.asked == places
    await authorizer.at(places[1])
    assert source.asked == [*places, places[1]]


async def test_simultaneous_questions_are_one_look_up(clock: FakeClock):
    """A burst after start-up asks once, not once per request: a refresh token works only once."""
    source = Source(HERE)
    source.gate.clear()
    authorizer = Authorizer(source, clock)
    burst = asyncio.gather(*(authorizer.at(HERE) for _ in range(20)))
    await asyncio.sleep(0)
    source.gate.set()
    assert len({id(result) for result in await burst}) == 1
    assert source.asked == [HERE]


async def test_a_revoked_token_is_forgotten_at_once(clock: FakeClock):
    """After tokens_revoked nothing is sent with the old token."""
    source = Source(HERE, Place("E1", None))
    authorizer = Authorizer(source, clock)
    await authorizer.at(HERE)
    source.places.clear()
    authorizer.forget(None, "T1")
    assert await authorizer.at(HERE) is None
    with pytest.raises(NotInstalled):
        await Clients(authorizer, lambda token: pytest.fail(f"a client was made with {token}")).of("T1")


async def test_a_token_that_slack_refuses_is_asked_for_anew(clock: FakeClock):
    """Another copy of the bot was told of the end and of the new beginning; this one finds it out by speaking."""
    source, told = Source(HERE), []
    clients = Clients(Authorizer(source, clock), lambda token: told.append(token))  # type: ignore[arg-type,func-returns-value]
    for _ in range(2):
        await clients.of("T1")
    assert source.asked == [HERE]
    clients.forget("T1")
    await clients.of("T1")
    assert source.asked == [HERE, HERE]


async def test_absence_is_not_remembered(clock: FakeClock):
    """A workspace that installs the app works at its next click."""
    source = Source()
    authorizer = Authorizer(source, clock)
    assert await authorizer.at(HERE) is None
    source.places.add(HERE)
    found = await authorizer.at(HERE)
    assert found is not None
    assert found.bot_token == "xoxb-T1"
