"""A spike played through the real product: read, priced, evaluated, stopped and held as in life, on a clock of its own.

What is not here is Slack: a person's click is the use case behind it, and nobody waits for a message to arrive.
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path

from benchmarks.prevented.spikes import Spike, a_provider, breach, over, untouched
from benchmarks.storms.world import ONCE, OneDoor
from bot import Bot, Policy
from bot.results import Profile
from demo.openai import SimulatedOpenAI
from demo.prices import Prices
from demo.trace import Trace
from finops.budgets import BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.holds import HoldState
from finops.incidents import Incident
from finops.levers import Lever
from finops.money import Money
from finops.prices import PriceList
from finops.registry import Connection, Person
from finops.secret import Secret
from finops.stop_report import StopTarget
from providers.http import http_client, tls_context
from storage import KeyRing, Storage, open_storage
from storage.engine import normalised, open_engines

WORKSPACE, WORKER = "T0SPIKES01", "a benchmark"
ADMIN = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
LEAD = Profile("U0MINSU001", "김민수", "ko-KR", "Asia/Seoul")
# The product's own beat, and how many bills it learns from.
POLICY = Policy(backfill_days=28)
BEAT, MINUTE = POLICY.poll_every, timedelta(minutes=1)
FAR, NEAR = timedelta(hours=1), timedelta(minutes=30)
READS_THE_ALERT = timedelta(minutes=5)
STOPPED_CENTS = 1


class Hand(StrEnum):
    """Who acts: the budget by itself, a person some minutes after the alert, or nobody."""

    POLICY = "by itself"
    PERSON = "a person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Played:
    """Dollars over the limit that were spent all the same, and when the provider took the limit of a stop."""

    over: Decimal
    limited_at: datetime | None


class Still:
    """A clock that stands until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@asynccontextmanager
async def databases(folder: Path) -> AsyncIterator[Template]:
    """A database as it is when the product was just installed, to be copied for each play."""
    template = Template(folder / "empty.db", KeyRing.generate())
    async with open_storage(f"sqlite:///{template.path}", template.ring):
        pass
    yield template


@dataclass(frozen=True, slots=True)
class Template:
    """An empty database."""

    path: Path
    ring: KeyRing

    @asynccontextmanager
    async def copied(self) -> AsyncIterator[Storage]:
        """A copy of it, gone when the block ends."""
        with tempfile.TemporaryDirectory(dir=self.path.parent) as folder:
            path = Path(folder) / "spike.db"
            shutil.copy(self.path, path)
            async with open_engines(normalised(f"sqlite:///{path}")) as engines:
                yield Storage(engines, self.ring)


async def played(spike: Spike, hand: Hand, storage: Storage, trace: Trace, prices: Prices, listed: PriceList) -> Played:
    """Play a spike to the end of its days, on an empty storage.

    `prices` are what the provider charges, `listed` what the product believes.
    """
    clock = Still(spike.set_up_at)
    openai = a_provider(spike, clock, trace, prices)
    async with openai, http_client(plaintext_hosts={"127.0.0.1"}, tls=_tls()) as http:
        bot = Bot(storage, {"openai": OneDoor(http, openai.url, clock, ONCE)}, clock, POLICY, listed)
        admin = await _set_up(bot, openai, spike, hand)
        foreseen = breach(untouched(spike, trace, prices), spike) or spike.ends
        play = _Play(spike, hand, bot, clock, openai, admin, foreseen)
        limited_at = await play.through()
    return Played(over(openai, spike), limited_at)


@dataclass
class _Play:
    """One spike and one hand on it."""

    spike: Spike
    hand: Hand
    bot: Bot
    clock: Still
    openai: SimulatedOpenAI
    admin: Person
    breach: datetime
    alerted: dict[int | None, datetime] = field(default_factory=dict)

    async def through(self) -> datetime | None:
        """Go to the end of the days; when the stop's limit stood at the provider, or None."""
        limited_at = None
        while self.clock.moment < self.spike.ends:
            await self._looked()
            cents = self.openai.project(self.spike.application).spend_limit_cents
            if limited_at is None and cents == STOPPED_CENTS:
                limited_at = self.clock.moment
            self.clock.moment = min(self.spike.ends, await self._next())
        return limited_at

    async def _looked(self) -> None:
        """What the product does in a minute, and what a person does."""
        if not await self.bot.watching.poll_due():  # a reading ends with both of these
            await self.bot.evaluating.everywhere()
            await self.bot.stop_ends.everywhere()
        if self.hand is Hand.PERSON:
            await self._pressed()
        await self.bot.holding.work_due(WORKER)

    async def _pressed(self) -> None:
        """[Stop now], so many minutes after the alert that the whole limit is spent."""
        incident = await self._alert()
        if incident is None:
            return
        if self.clock.moment >= self.alerted.setdefault(incident.id, self.clock.moment) + READS_THE_ALERT:
            async with self.bot.storage.reading() as store:
                if await store.stops.active(WORKSPACE):
                    return
            target = StopTarget(incident_id=incident.id)
            await self.bot.stopping.request(self.admin, target, Lever.STOP, "재시도 루프")

    async def _alert(self) -> Incident | None:
        async with self.bot.storage.reading() as store:
            found = await store.incidents.open_ones(WORKSPACE)
        return max((one for one in found if one.level >= 100), key=lambda one: one.id or 0, default=None)

    async def _next(self) -> datetime:
        """On the product's beat, and while something is held and not proved yet each minute.

        By the hour where nothing can happen: long before the limit is spent, once it is proved that nothing is, and
        where nobody would do anything.
        """
        now = self.clock.moment
        if self.hand is Hand.NOBODY:
            return now + FAR
        async with self.bot.storage.reading() as store:
            holds = [hold for stop in await store.stops.active(WORKSPACE)
                     for hold in await store.stops.holds(WORKSPACE, stop.id or 0)]  # fmt: skip
        if not holds:
            quiet = (self.breach - NEAR - now) // BEAT * BEAT
            return now + max(BEAT, min(FAR, quiet))
        return now + (FAR if all(one.state is HoldState.PROVED for one in holds) else MINUTE)


async def _set_up(bot: Bot, openai: SimulatedOpenAI, spike: Spike, hand: Hand) -> Person:
    """A team that owns every project, four weeks of bills, one reading of usage, and the budget of the spike."""
    admin = await bot.people.meet(WORKSPACE, "한빛소프트", ADMIN, asks_setup=True)
    await bot.people.meet(WORKSPACE, "한빛소프트", LEAD)
    connection = await _connected(bot, openai, admin)
    await bot.collecting.start_backfill(admin, connection.id)
    while await _collected_one(bot):
        pass
    await bot.watching.poll(connection)
    known_as = openai.project(spike.application).id
    [project] = [one for one in await bot.projects.all(WORKSPACE) if one.provider_project_id == known_as]
    action = BudgetAction.STOP if hand is Hand.POLICY else BudgetAction.NOTIFY
    terms = BudgetTerms(BudgetScope.PROJECT, project.id, BudgetPeriod.DAY, Money(spike.limit), action=action)
    async with bot.storage.writing() as store:
        await store.budgets.create(WORKSPACE, terms, by=admin.user_id, at=bot.clock())
    return admin


async def _connected(bot: Bot, openai: SimulatedOpenAI, admin: Person) -> Connection:
    team = await bot.teams.create(admin, "마케팅팀", LEAD, "C0MARKET01")
    organization, at = openai.organization, bot.clock()
    async with bot.storage.writing() as store:
        connection = await store.connections.create(
            WORKSPACE, provider="openai", organization_id=organization.id, organization_name=organization.name, at=at
        )
        await store.credentials.add(
            WORKSPACE, connection_id=connection.id, team_id=team.id, secret=Secret(openai.admin_key),
            rights=("usage.read",), registered_by=admin.user_id, at=at,
        )  # fmt: skip
        await store.projects.register(
            WORKSPACE, connection_id=connection.id, team_id=team.id,
            projects=[(one.id, one.application) for one in organization.projects.values()],
            registered_by=admin.user_id, at=at,
        )  # fmt: skip
    return connection


async def _collected_one(bot: Bot) -> bool:
    """Read one bill; whether there was one to be read."""
    async with aclosing(bot.collecting.work_one(WORKER)) as events:
        return bool([event async for event in events])


@cache
def _tls() -> ssl.SSLContext:
    return tls_context()
