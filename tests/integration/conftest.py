"""How most stories of the bot begin: a company at its provider, a bot that reads its bills, an administrator, a team.

A file whose story begins otherwise says so with a fixture of the same name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from bot import Bot, Policy
from finops.registry import Person, Team
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    KEY,
    SECOND_KEY,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_company,
    a_team,
    an_admin,
)
from tests.integration.mortals import Mortals


@pytest.fixture(scope="session")
def mortals() -> Iterator[Mortals]:
    """Processes to be killed, of which none outlives the tests."""
    with Mortals() as made:
        yield made


@pytest.fixture
def days() -> int:
    """How many days of bill there are, and are read back."""
    return 8


@pytest.fixture
def policy(days: int) -> Policy:
    """How the bot was started."""
    return Policy(backfill_days=days)


@pytest.fixture
async def openai(clock: FakeClock, days: int) -> AsyncIterator[LittleOpenAI]:
    """The provider; two keys open the company's organization."""
    async with LittleOpenAI().running() as little:
        company = a_company(clock().date(), days)
        little.keys |= {KEY: Key(company), SECOND_KEY: Key(company)}
        yield little


@pytest.fixture
def company(openai: LittleOpenAI) -> Organization:
    """What the provider knows of the company."""
    return openai.keys[KEY].organization


@pytest.fixture
async def bot(storage: Storage, openai: LittleOpenAI, clock: FakeClock, policy: Policy) -> AsyncIterator[Bot]:
    async with a_bot(storage, openai, clock, policy) as made:
        yield made


@pytest.fixture
async def admin(bot: Bot) -> Person:
    return await begun(bot.storage, ("an administrator", bot.clock()), partial(an_admin, bot))


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    return await a_team(bot, admin)
