"""Two organizations and two teams go through a month in which much happens.

Days are restated (to more, to less, without some of their lines), nobody looks for weeks, projects change their team,
are left out, renamed and archived, and keys are deleted.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from aiohttp import web

from bot import Bot, Policy
from bot.errors import Refusal
from finops.periods import Period
from finops.registry import Person, Project, Team
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import (
    KEY,
    OTHER_KEY,
    SECOND_KEY,
    WORKSPACE,
    Key,
    LittleOpenAI,
    Organization,
    a_bot,
    a_team,
    an_admin,
    worked,
)

ATTO = Decimal("1e-18")
AMOUNTS = (
    "0.1", "1.0600000000000001", "12.345678901234567891", "0.000000000000000001", "-0.75", "99.999999999", "0E-6176",
    "333.333333333333", "0.005", "0.0149999",
)  # fmt: skip
ITEMS = ("gpt-5.4, input", "gpt-5.4, output", "gpt-5.4, cached input", "web search tool calls", "file storage", "new")
HAPPENINGS = ("more", "less", "lines", "team", "left out", "name", "archive", "key", "away")
PERIODS = ("yesterday", "7d", "month", "last month", "last week", "50d")
AT_HOME = {"yesterday": "yesterday", "last week": "last_week", "month": "month_to_date", "last month": "last_month"}
Bill = list[tuple[str | None, str, str]]
Owned = Callable[[Project | None], bool]


class TellingOpenAI(LittleOpenAI):
    """Remembers what it told last of each day: (organization, project, line item, day) to amount."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[tuple[str, date], Bill] = {}

    async def _costs(self, request: web.Request) -> web.Response:
        response = await super()._costs(request)
        organization = self._opened(request).organization
        seconds = (int(request.query[name]) for name in ("start_time", "end_time"))
        for day in Period(*(datetime.fromtimestamp(one, UTC).date() for one in seconds)):
            if bill := organization.bill.get(day):  # an empty answer erases no day
                self.told[str(organization.id), day] = list(bill)
        return response


@dataclass
class World:
    chance: random.Random
    bot: Bot
    openai: TellingOpenAI
    clock: FakeClock
    organizations: Sequence[Organization]
    admin: Person
    teams: Sequence[Team]
    ids: dict[int, str]  # of organizations, by connection
    coming: list[str] = field(default_factory=list)

    async def goes_on(self) -> None:
        """Three things happen, days may pass, and what is due is collected."""
        for _ in range(3):
            await self.something_happens()
        await self.days_pass(self.chance.choice((0, 1, 1, 2)))
        await self.bot.collecting.due(self.clock())
        await worked(self.bot)

    async def something_happens(self) -> None:
        """Whatever may happen in a house between two mornings."""
        chance, today = self.chance, self.clock().date()
        organization, projects = chance.choice(self.organizations), await self.bot.projects.all(WORKSPACE)
        name, one = chance.choice(sorted(organization.projects)), chance.choice(projects)
        if not self.coming:  # nothing comes again before everything came
            self.coming += chance.sample(HAPPENINGS, len(HAPPENINGS))
        match self.coming.pop():
            case "name":
                organization.projects[name] += "x"
            case "archive":
                organization.archived ^= {name}
            case "team":
                await self.bot.projects.unregister(self.admin, one.id)
                [other] = [team for team in self.teams if team.id != one.team_id]
                with suppress(Refusal):  # archived meanwhile, or no key of theirs
                    await self.bot.projects.register(self.admin, other.id, [one.provider_project_id])
            case "left out":
                await (self.bot.projects.include if one.excluded else self.bot.projects.exclude)(self.admin, one.id)
            case "key":
                for credential in await self.bot.connections.of_team(WORKSPACE, self.teams[1].id):
                    if self.ids[credential.connection_id] == "org-b":
                        await self.bot.connections.delete(self.admin, credential.id)
            case "away":
                await self.days_pass(chance.choice((10, 25)))
            case what:
                for _ in range(4):
                    bill = organization.bill[today - timedelta(days=chance.randrange(1, 11))]
                    if bill:
                        project, item, amount = bill.pop(chance.randrange(len(bill)))
                        if what != "lines":
                            changed = Decimal(amount) * 3 if what == "more" else Decimal(amount) / 2
                            bill.append((project, item, str(changed)))

    async def days_pass(self, days: int) -> None:
        for _ in range(days):
            self.clock.advance(days=1)
            for one in self.organizations:
                one.bill[self.clock().date()] = a_bill(self.chance, one)

    async def whose(self) -> dict[tuple[str, str | None], Project]:
        """The projects that answer for their cost."""
        projects = await self.bot.projects.all(WORKSPACE)
        return {(self.ids[one.connection_id], one.provider_project_id): one for one in projects if not one.excluded}

    async def told(self, span: Period, is_meant: Owned) -> dict[int | None, Decimal]:
        """What the provider told last of these days, by the project that answers for it (None: nobody)."""
        owners, sums = await self.whose(), defaultdict[int | None, Decimal](Decimal)
        for (organization, day), bill in self.openai.told.items():
            for project, _, amount in bill if day in span else ():
                owner = owners.get((organization, project))
                if is_meant(owner):
                    sums[owner.id if owner else None] += Decimal(amount).quantize(ATTO)
        return {id_: amount for id_, amount in sums.items() if amount}


def a_bill(chance: random.Random, organization: Organization) -> Bill:
    """Line items may come twice; and so it is a whole bill's sum that is rounded to what is kept."""
    whose = [project for project in (*organization.projects, None) for _ in range(chance.randrange(4))]
    return [(project, chance.choice(ITEMS), chance.choice(AMOUNTS)) for project in whose]


@asynccontextmanager
async def an_eventful_month(storage: Storage, clock: FakeClock, seed: int) -> AsyncIterator[World]:
    """The world before anything happened; a seed tells the same story each time."""
    chance = random.Random(seed)
    clock.moment = datetime(2026, 6, chance.randrange(20, 30), 1, 0, tzinfo=UTC)
    first = Organization("org-a", "A", {"proj_a1": "a1", "proj_a2": "a2", "proj_a3": "a3"})
    second = Organization("org-b", "B", {"proj_b1": "b1", "proj_b2": "b2"})
    for one in (first, second):
        one.bill = {clock().date() - timedelta(days=n): a_bill(chance, one) for n in range(45)}
    async with TellingOpenAI().running() as openai, a_bot(storage, openai, clock, Policy(backfill_days=30)) as bot:
        assert isinstance(openai, TellingOpenAI)
        openai.keys |= {KEY: Key(first), SECOND_KEY: Key(first), OTHER_KEY: Key(second)}
        admin = await an_admin(bot)
        teams = [await a_team(bot, admin), await a_team(bot, admin, "data", "C0DATA0001")]
        for team, key in ((teams[0], KEY), (teams[1], SECOND_KEY), (teams[1], OTHER_KEY)):
            await bot.connections.register_key(admin, team.id, key)
        await bot.projects.register(admin, teams[0].id, ["proj_a1"])
        await bot.projects.register(admin, teams[1].id, ["proj_a2", "proj_b1"])
        await worked(bot)
        ids = {one.id: str(one.organization_id) for one in await bot.connections.all(WORKSPACE)}
        yield World(chance, bot, openai, clock, (first, second), admin, teams, ids)
