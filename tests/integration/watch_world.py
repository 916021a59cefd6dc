"""A world to watch: the bot on real storage, and the real simulated OpenAI with a small steady traffic behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial

from bot import Bot, Policy
from bot.results import Polled
from bot.telling import event_key, root_key
from demo.openai import SimulatedOpenAI
from demo.openai.organization import AdminKey
from demo.prices import FilePrices, Rates
from demo.trace import Trace, parse_trace
from finops.budgets import Budget, BudgetPeriod, BudgetScope, BudgetTerms
from finops.incidents import Incident
from finops.money import Money
from finops.periods import Period
from finops.prices import RateCard
from finops.registry import Connection, Person, Project, Team
from finops.secret import Secret
from finops.usage import Endpoint
from providers.http import http_client
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.integration.beginnings import begun
from tests.integration.bot_world import (
    ATTEMPT_ONCE,
    KEY,
    WORKSPACE,
    FewDoors,
    a_team,
    an_admin,
    tls_context_once,
    worked,
)

CHATBOT, WRITER = "chatbot-experiment", "ad-copy-writer"
MODEL = "gpt-5.4"
RATES = Rates(Decimal("2.5"), Decimal("0.25"), Decimal(15))
# A dollar an hour and a quarter: 100 calls of 1,000 tokens in (a tenth cached) and 500 out.
A_DAY = {CHATBOT: Decimal("24.66"), WRITER: Decimal("24.66")}
DAYS = 12


class WrittenPrices:
    """The provider's own prices, as the product's list; `version` may be changed, and so may the rates."""

    def __init__(self, rates: Rates = RATES, version: str = "1") -> None:
        self.rates = rates
        self.version = version

    def card(self, endpoint: str, model: str, service_tier: str, is_batch: bool, day: date) -> RateCard | None:
        if endpoint != Endpoint.COMPLETIONS or model != MODEL:
            return None
        return RateCard(
            "test",
            input_tokens=_attos(self.rates.input),
            cached_input_tokens=_attos(self.rates.cached_input),
            output_tokens=_attos(self.rates.output),
        )


def _attos(dollars_per_million: Decimal) -> int:
    return int(dollars_per_million * 10**12)


@cache
def a_steady_trace(days: int = DAYS, applications: tuple[str, ...] = (CHATBOT, WRITER), model: str = MODEL) -> Trace:
    """The same hundred calls in every hour, of every application."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    rows += [
        f"{hour},{application},{model},100,100000,50000,10000"
        for hour in range(days * 24)
        for application in applications
    ]
    return parse_trace(rows)


@dataclass
class World:
    """마케팅팀 owns both applications; nothing was read yet."""

    bot: Bot
    clock: FakeClock
    openai: SimulatedOpenAI
    provider: FewDoors
    prices: WrittenPrices
    admin: Person
    team: Team
    connection: Connection

    async def polled(self, minutes: float = 0) -> Polled:
        """Time goes by, and usage is read."""
        self.clock.advance(minutes=minutes)
        [polled] = await self.bot.watching.poll_due()
        return polled

    async def project(self, name: str) -> Project:
        known_as = self.openai.project(name).id
        [found] = [one for one in await self.bot.projects.all(WORKSPACE) if one.provider_project_id == known_as]
        return found

    async def a_budget(self, scope: BudgetScope, scope_id: int | None, amount: str, **terms: object) -> Budget:
        wanted = replace(BudgetTerms(scope, scope_id, BudgetPeriod.DAY, Money.of(amount)), **terms)  # type: ignore[arg-type]
        async with self.bot.storage.writing() as store:
            return await store.budgets.create(WORKSPACE, wanted, by=self.admin.user_id, at=self.clock())

    async def estimate(self, day: date | None = None) -> Decimal:
        """Everything estimated of a day, uncorrected."""
        async with self.bot.storage.reading() as store:
            rows = await store.usage.open_estimates(WORKSPACE, [day or self.clock().date()])
        return Decimal(sum(row.atto for row in rows)).scaleb(-18)

    async def incidents(self) -> list[Incident]:
        """Every incident of the last weeks, whatever its state, oldest first."""
        today = self.clock().date()
        async with self.bot.storage.reading() as store:
            return await store.incidents.of_windows(WORKSPACE, [today - timedelta(days=n) for n in range(40)])

    async def root(self, incident: Incident) -> OutboxMessage | None:
        """The root message wanted for an incident."""
        async with self.bot.storage.reading() as store:
            return await store.outbox.get(WORKSPACE, root_key(incident.id or 0))

    async def lines(self, incident: Incident) -> list[OutboxMessage]:
        """The lines wanted in the thread of an incident, in the order of wanting."""
        async with self.bot.storage.reading() as store:
            events = await store.incidents.events(WORKSPACE, incident.id or 0)
            found = [await store.outbox.get(WORKSPACE, event_key(incident.id or 0, one.key)) for one in events]
        return sorted((one for one in found if one is not None), key=lambda one: one.id)

    async def to_be_sent(self) -> list[OutboxMessage]:
        """What a deliverer would take now."""
        async with self.bot.storage.writing() as store:
            return await store.outbox.lease("a test", self.clock(), timedelta(), 1000)

    def happened(self, application: str, since: datetime, until: datetime) -> Decimal:
        """What an application really used between two minutes, at the provider's prices."""
        minutes = (int(since.timestamp()) // 60, int(until.timestamp()) // 60)
        used = self.openai.tenant().traffic.happened((application, MODEL), *minutes)
        return (used.uncached * RATES.input + used.cached * RATES.cached_input + used.output * RATES.output) / 1_000_000


@asynccontextmanager
async def a_watched_world(
    storage: Storage, clock: FakeClock, *, policy: Policy | None = None, trace: Trace | None = None
) -> AsyncIterator[World]:
    """Everything set up and both applications registered; bills are not collected unless asked for."""
    prices = WrittenPrices()
    charged = FilePrices("test", {MODEL: RATES, "new-model": RATES})
    openai = SimulatedOpenAI(trace or a_steady_trace(), charged, clock, admin_keys=(AdminKey(KEY),))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(openai)
        client = http_client(timeout=10.0, plaintext_hosts={"127.0.0.1"}, tls=tls_context_once())
        http = await stack.enter_async_context(client)
        provider = FewDoors(http, openai.url, clock, ATTEMPT_ONCE)
        bot = Bot(storage, {"openai": provider}, clock, policy or Policy(backfill_days=10), prices)
        beginning = ("a watched company", *openai.organization.projects, clock())
        company = await begun(storage, beginning, partial(_furnished, bot, openai))
        yield World(bot, clock, openai, provider, prices, *company)


async def _furnished(bot: Bot, openai: SimulatedOpenAI) -> tuple[Person, Team, Connection]:
    admin = await an_admin(bot)
    team = await a_team(bot, admin)
    return admin, team, await _connected(bot, openai, team, bot.clock())


async def _connected(bot: Bot, openai: SimulatedOpenAI, team: Team, at: datetime) -> Connection:
    """A key and both applications, put in place without asking the provider: that is proved elsewhere."""
    by, organization = team.created_by, openai.organization
    named = [(one.id, one.application) for one in organization.projects.values()]
    async with bot.storage.writing() as store:
        connection = await store.connections.create(
            WORKSPACE, provider="openai", organization_id=organization.id, organization_name=organization.name, at=at
        )
        await store.credentials.add(
            WORKSPACE, connection_id=connection.id, team_id=team.id, secret=Secret(openai.admin_key),
            rights=("management.read", "management.write", "usage.read"), registered_by=by, at=at,
        )  # fmt: skip
        await store.projects.register(
            WORKSPACE, connection_id=connection.id, team_id=team.id,
            projects=[one for one in named if one[1] in (CHATBOT, WRITER)], registered_by=by, at=at,
        )  # fmt: skip
    return connection


async def collected(world: World) -> None:
    """Every bill that waits to be read is read; at first, those of the last ten days."""
    await world.bot.collecting.start_backfill(world.admin, world.connection.id)
    await worked(world.bot)


def day_of(day: date) -> Period:
    return Period(day, day + timedelta(days=1))
