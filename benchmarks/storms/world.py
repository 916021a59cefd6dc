"""The world of a storm: a company with two runaway projects and two open incidents, and copies that live and die."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from benchmarks.storms.fate import Fate, MortalStorage, Turns
from benchmarks.storms.provider import Mood, Part, StormyOpenAI, Wire
from bot import Bot, Policy
from bot.results import Profile
from demo.openai import ALL_RIGHTS, MANAGEMENT_WRITE, AdminKey
from demo.prices import FilePrices, Rates
from demo.trace import Trace, parse_trace
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.levers import Json
from finops.money import Money
from finops.prices import RateCard
from finops.registry import Connection, Person, Project, Role, Team
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width
from providers.http import RetryPolicy
from providers.openai import OpenAI
from storage import KeyRing, Storage, open_storage
from storage.engine import normalised, open_engines

WORKSPACE = "T0STORM001"
CHATBOT, WRITER = "chatbot-experiment", "ad-copy-writer"
DEAR, CHEAP = "gpt-5.4", "gpt-5.4-mini"
PRICES = {
    DEAR: Rates(Decimal("2.5"), Decimal("0.25"), Decimal(15)),
    CHEAP: Rates(Decimal("0.25"), Decimal(0), Decimal(1)),
}
# A Thursday evening: midnight is four hours away, and the month's end a day later.
BEGIN = datetime(2026, 7, 30, 20, 0, tzinfo=UTC)
RUNAWAY_MINUTES = 40
BASE = "http://openai.storm/v1"
# What fails is tried again by the product's own machine, where we see it; within one call nothing is.
ONCE = RetryPolicy(attempts=1, wait_initial=0.0, wait_jitter=0.0)
POLICY = Policy(backfill_days=10)
# Assembled, so that no scanner takes them for somebody's keys.
FULL_KEY, READING_KEY = "-".join(("sk", "admin", "storm0000full")), "-".join(("sk", "admin", "storm0000read"))
ADMIN = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
LEAD = Profile("U0MINSU001", "김민수", "ko-KR", "Asia/Seoul")
OUTSIDER = Profile("U0SEOYEON1", "박서연", "ko-KR", "Asia/Seoul")


class StormClock:
    """Time that a storm moves, and that never stands still: no two looks at it are the same moment."""

    def __init__(self, moment: datetime = BEGIN) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        self.moment += timedelta(microseconds=100)
        return self.moment


class WrittenPrices:
    """The provider's own prices, as the product's list."""

    version = "storm"

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        rates = PRICES.get(model)
        if endpoint != Endpoint.COMPLETIONS or rates is None:
            return None
        prices = (rates.input, rates.cached_input, rates.output)
        per_input, per_cached, per_output = (int(one * 10**12) for one in prices)
        return RateCard("storm", input_tokens=per_input, cached_input_tokens=per_cached, output_tokens=per_output)


class OneDoor(OpenAI):
    """The real provider, which asks for usage only where there is any."""

    async def usage(
        self, key: Secret, endpoint: Endpoint, width: Width, start: datetime, end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:  # fmt: skip
        if endpoint is Endpoint.COMPLETIONS:
            return await super().usage(key, endpoint, width, start, end, known)
        return UsageReading(endpoint, width, int(start.timestamp()) // 60, int(end.timestamp()) // 60, ())


@cache
def a_trace() -> Trace:
    """The same calls in every hour of nine days: the chatbot of two models, the writer of one."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    for hour in range(9 * 24):
        rows.append(f"{hour},{CHATBOT},{DEAR},100,100000,50000,10000")
        rows.append(f"{hour},{CHATBOT},{CHEAP},100,100000,50000,10000")
        rows.append(f"{hour},{WRITER},{DEAR},100,100000,50000,10000")
    return parse_trace(rows)


def an_openai(clock: StormClock) -> StormyOpenAI:
    """A fresh provider, both of whose applications have been running away for a while."""
    keys = (AdminKey(FULL_KEY), AdminKey(READING_KEY, name="read", rights=ALL_RIGHTS - {MANAGEMENT_WRITE}))
    openai = StormyOpenAI(a_trace(), FilePrices("storm", PRICES), clock, admin_keys=keys)
    since = clock() - timedelta(minutes=RUNAWAY_MINUTES)
    for name in (CHATBOT, WRITER):
        openai.boost(name, Fraction(15), since)
    return openai


class Replica:
    """One copy of the product: a bot whose doors shut when it dies."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.fate = Fate(world.turns)
        storage = MortalStorage(*world.storage_parts, self.fate)
        wire = Wire(world.openai, self.fate, world.moods, name)
        # Never closed: there is nothing behind it.
        http = httpx.AsyncClient(transport=wire, trust_env=False, timeout=None)
        provider = OneDoor(http, BASE, world.clock, ONCE)
        self.bot = Bot(storage, {"openai": provider}, world.clock, POLICY, WrittenPrices())


@dataclass
class World:
    """Everything of one run. `storage` is the judge's own: nothing dies behind it."""

    storage: Storage
    workspace_id: str
    clock: StormClock
    openai: StormyOpenAI
    chance: random.Random
    turns: Turns
    admin: Person
    lead: Person
    outsider: Person
    team: Team
    connection: Connection
    projects: tuple[Project, Project]
    incident_ids: tuple[int, ...]
    moods: list[Mood] = field(default_factory=list)
    replicas: list[Replica] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    born: int = 0

    @property
    def storage_parts(self) -> tuple[Any, KeyRing]:
        return self.storage._engines, self.storage._ring

    def begin(self) -> None:
        """Two copies of the product come to life, and the provider begins to watch us."""
        self.openai.before_write = self._must_be_stored
        self.replicas = [self._new(), self._new()]

    def end(self) -> None:
        """Let go of everything large: aiohttp remembers every application it ever served, and with it its provider."""
        self.openai.before_write = None
        self.openai.tenants.clear()
        self.replicas.clear()

    def rise(self, replica: Replica) -> None:
        """A copy that died is started anew, as another process."""
        self.counts["kills"] += 1
        self.counts[f"killed {replica.fate.where}"] += 1
        self.replicas[self.replicas.index(replica)] = self._new()

    async def advance(self, **parts: float) -> None:
        self.clock.moment += timedelta(**parts)
        await self.openai.land()

    def project_of(self, part: Part) -> Project:
        return next(one for one in self.projects if one.provider_project_id == part.project_id)

    def _new(self) -> Replica:
        self.born += 1
        return Replica(self, f"copy-{self.born}")

    async def _must_be_stored(self, part: Part, value: Json) -> None:
        """What we send must be a target, or a former state, that was committed before it was sent."""
        project = self.project_of(part)
        async with self.storage.reading() as store:
            held = await store.stops.held_on(
                self.workspace_id, project.connection_id, self.clock() - timedelta(hours=25)
            )
        mine = [
            one for one in held
            if one.provider_project_id == part.project_id and one.lever is part.lever and one.former is not None
        ]  # fmt: skip
        stored = [side[part.name] for one in mine for side in (one.former, one.target) if side and part.name in side]
        if value not in stored:
            self.openai.truth.wrong.append(f"{part.name} was sent {value}, which no hold has stored")


@dataclass(frozen=True, slots=True)
class Template:
    """A database in which everything is set up, to be copied for each run."""

    path: Path
    ring: KeyRing

    @classmethod
    async def made(cls, folder: Path) -> Template:
        template = cls(folder / "template.db", KeyRing.generate())
        async with open_storage(f"sqlite:///{template.path}", template.ring) as storage:
            await settled(storage, WORKSPACE)
        return template

    @asynccontextmanager
    async def copied(self, folder: Path, name: str) -> AsyncIterator[Storage]:
        """A copy, open until the block ends, and then gone."""
        path = folder / f"{name}.db"
        shutil.copy(self.path, path)
        try:
            async with open_engines(normalised(f"sqlite:///{path}")) as engines:
                yield Storage(engines, self.ring)
        finally:
            for end in ("", "-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)


async def settled(storage: Storage, workspace_id: str) -> None:
    """A workspace with its people, keys, projects and budgets, whose usage was read once: two incidents are open."""
    clock = StormClock()
    openai = an_openai(clock)
    wire = Wire(openai, Fate(Turns(random.Random(0))), [], "settler")
    async with httpx.AsyncClient(transport=wire, trust_env=False) as http:
        bot = Bot(storage, {"openai": OneDoor(http, BASE, clock, ONCE)}, clock, POLICY, WrittenPrices())
        admin = await bot.people.meet(workspace_id, "한빛소프트", ADMIN, asks_setup=True)
        for one in (LEAD, OUTSIDER):
            await bot.people.meet(workspace_id, "한빛소프트", one)
        team = await bot.teams.create(admin, "마케팅팀", LEAD, "C0MARKET01")
        organization, at = openai.organization, clock()
        async with storage.writing() as store:
            connection = await store.connections.create(
                workspace_id, provider="openai", organization_id=organization.id, organization_name=None, at=at
            )
            for secret in (FULL_KEY, READING_KEY):
                await store.credentials.add(
                    workspace_id, connection_id=connection.id, team_id=team.id, secret=Secret(secret),
                    rights=("usage.read",), registered_by=admin.user_id, at=at,
                )  # fmt: skip
            named = [(openai.project(name).id, name) for name in (CHATBOT, WRITER)]
            await store.projects.register(
                workspace_id, connection_id=connection.id, team_id=team.id, projects=named,
                registered_by=admin.user_id, at=at,
            )  # fmt: skip
            [chatbot, _] = await _projects(store, workspace_id)
            for scope, scope_id, amount in (
                (BudgetScope.PROJECT, chatbot.id, "20"), (BudgetScope.TEAM, team.id, "40"),
            ):  # fmt: skip
                terms = BudgetTerms(scope, scope_id, BudgetPeriod.DAY, Money.of(amount))
                await store.budgets.create(workspace_id, terms, by=admin.user_id, at=at)
        await bot.watching.poll(connection)


async def _projects(store: Any, workspace_id: str) -> list[Project]:
    found: list[Project] = await store.projects.all(workspace_id)
    return sorted(found, key=lambda one: one.name != CHATBOT)


async def a_world(storage: Storage, workspace_id: str, seed: int, *, is_drawn: bool = True) -> World:
    """The world of one seed, on a database in which it was settled."""
    chance, clock = random.Random(seed), StormClock()
    async with storage.reading() as store:
        people = [await store.people.get(workspace_id, one.user_id) for one in (ADMIN, LEAD, OUTSIDER)]
        [team] = await store.teams.all(workspace_id)
        [connection] = await store.connections.all(workspace_id)
        chatbot, writer = await _projects(store, workspace_id)
        incidents = tuple(one.id or 0 for one in await store.incidents.open_ones(workspace_id))
    admin, lead, outsider = (one for one in people if one is not None)
    world = World(
        storage, workspace_id, clock, an_openai(clock), chance, Turns(chance, is_drawn), admin,
        replace(lead, role=Role.MEMBER), outsider, team, connection, (chatbot, writer), incidents,
    )  # fmt: skip
    world.begin()
    return world
