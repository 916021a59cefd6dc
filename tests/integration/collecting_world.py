"""What tests of collecting share: a company of sixteen days, its team and administrator, and a bot that collects."""

from __future__ import annotations

from datetime import date

import pytest

from bot import Bot, Policy
from finops.periods import Period
from finops.registry import Person, Team
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    KEY,
    WORKSPACE,
    Organization,
    worked,
)

TODAY = date(2026, 7, 6)
DAYS = 16  # of back-fill: two whole chunks and a short one


@pytest.fixture
def days() -> int:
    return DAYS


@pytest.fixture
def policy() -> Policy:
    """Trouble is told at once."""
    return Policy(backfill_days=DAYS, blind_after_minutes=0)


async def connected(bot: Bot, admin: Person, team: Team, key: str = KEY) -> int:
    return (await bot.connections.register_key(admin, team.id, key)).connection.id


async def backfilled(bot: Bot, admin: Person, team: Team) -> int:
    """The company's bill as it is at first, read to its end; its connection. What is to be another bill comes after."""

    async def lived() -> int:
        connection_id = await connected(bot, admin, team)
        await bot.projects.register(admin, team.id, ["proj_chat"])
        await worked(bot)
        return connection_id

    return await begun(bot.storage, ("backfilled", admin, team), lived)


async def assert_ledger_is_the_bill(bot: Bot, company: Organization, start: date, end: date) -> None:
    async with bot.storage.reading() as store:
        totals = await store.charges.daily_totals(WORKSPACE, Period(start, end))
        per_project = await store.charges.totals(WORKSPACE, Period(start, end))
    assert {one.day: one.amount.amount for one in totals} == {
        day: company.by_day(day) for day in Period(start, end) if company.bill.get(day)
    }
    for one in totals:
        parts = [row.amount.amount for row in per_project if row.day == one.day]
        assert sum(parts) == one.amount.amount
