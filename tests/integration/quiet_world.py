"""A world to be away from: a bot on real storage and a provider that answers at once, without a wire in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from bot import Bot, Policy, telling
from bot.results import Polled
from bot.telling import UNWATCHED
from finops.budgets import Budget, BudgetAction, BudgetPeriod, BudgetScope, BudgetTerms
from finops.incidents import Change, Incident, RootAction
from finops.money import Money
from finops.periods import Period, charge_day, minute_of
from finops.queries import ScopeKind
from finops.registry import Connection, Person, Team
from finops.secret import Secret
from finops.usage import Endpoint, UsageReading, Width
from providers.contract import ProviderError
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.integration.beginnings import begun
from tests.integration.bot_world import MINSU, WORKSPACE, an_admin
from tests.unit import saying_live

ADMIN_KEY = "sk-" + "admin-" + "quiet0000000000000000abc1"


class QuietProvider:
    """Tells that nothing was used, unless there is trouble."""

    def __init__(self) -> None:
        self.trouble: ProviderError | None = None
        self.skew: timedelta | None = None

    async def usage(
        self, _: Secret, endpoint: Endpoint, width: Width, start: datetime, end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:  # fmt: skip
        if self.trouble is not None:
            raise self.trouble
        return UsageReading(endpoint, width, int(start.timestamp()) // 60, int(end.timestamp()) // 60, ())


@dataclass
class QuietWorld:
    """마케팅팀 with a key that has just been read with."""

    bot: Bot
    clock: FakeClock
    provider: QuietProvider
    admin: Person
    team: Team
    connection: Connection

    async def polled(self, minutes: float = 0, bot: Bot | None = None) -> Polled:
        """Time goes by, and usage is read."""
        self.clock.advance(minutes=minutes)
        [polled] = await (bot or self.bot).watching.poll_due()
        return polled

    async def back_after(self, minutes: float) -> Polled:
        """Nobody is there for a while; then a process starts and reads."""
        return await self.polled(minutes, self.started_again())

    def started_again(self) -> Bot:
        """Another process on the same database: it remembers nothing but that."""
        return Bot(self.bot.storage, {"openai": cast("Any", self.provider)}, self.clock, self.bot.policy)

    async def a_budget(self, scope: BudgetScope, scope_id: int | None, **terms: Any) -> Budget:
        wanted = BudgetTerms(scope, scope_id, BudgetPeriod.DAY, Money.of("900"), **terms)
        async with self.bot.storage.writing() as store:
            return await store.budgets.create(WORKSPACE, wanted, by=self.admin.user_id, at=self.clock())

    async def an_alert(self, *, is_wide: bool = False, days: int = 1) -> Incident:
        """The limit of the team (of everything) for so many days is reached, and letting it go on takes two."""
        kind, scope_id = (BudgetScope.WORKSPACE, None) if is_wide else (BudgetScope.TEAM, self.team.id)
        budget = await self.a_budget(kind, scope_id, action=BudgetAction.ASK, needs_two=True)
        now, day = self.clock(), charge_day(self.clock())
        given: dict[str, Any] = dict.fromkeys(("since", "opened_at", "updated_at", "as_of", "detected_at"), now)
        incident = saying_live.an_incident("950", "900", id=None, budget_id=budget.id, scope_id=self.team.id, **given)
        if is_wide:
            incident = replace(incident, scope_kind=ScopeKind.WORKSPACE, scope_id=None)
        incident = replace(incident, window=Period(day, day + timedelta(days=days)))
        async with self.bot.storage.writing() as store:
            return await telling.keep(store, Change(incident, (), RootAction.POST), None, (), now)

    async def connect(self, team: Team, organization: str, secret: str, *, is_read: bool = True) -> Connection:
        """Another organization, connected by a team. `is_read`: just now, which takes a reading by days and hours."""
        by, at = self.admin.user_id, self.clock()
        async with self.bot.storage.writing() as store:
            made = await store.connections.create(
                WORKSPACE,
                provider="openai",
                organization_id=f"org-{organization}",
                organization_name=organization,
                at=at,
            )
            await store.credentials.add(
                WORKSPACE, connection_id=made.id, team_id=team.id, secret=Secret(secret), rights=(), registered_by=by,
                at=at,
            )  # fmt: skip
            await store.projects.register(
                WORKSPACE, connection_id=made.id, team_id=team.id, projects=[(f"proj_{organization}", organization)],
                registered_by=by, at=at,
            )  # fmt: skip
            if is_read:
                end = minute_of(at)
                readings = [(UsageReading(one, Width.MINUTE, end - 60, end, ()), ()) for one in Endpoint]
                await store.usage.replace_each(WORKSPACE, made.id, readings, at)
                await store.healths.mark_read(WORKSPACE, made.id, at)
        return made

    async def more_teams(self, count: int) -> None:
        """Each with a channel and a project of its own."""
        by, at = self.admin.user_id, self.clock()
        async with self.bot.storage.writing() as store:
            for number in range(count):
                team = await store.teams.create(
                    WORKSPACE, name=f"팀 {number}", lead_user_id=MINSU.user_id, channel_id=f"C1TEAM{number:04}",
                    locale="ko-KR", approvers=(), created_by=by, at=at,
                )  # fmt: skip
                await store.projects.register(
                    WORKSPACE, connection_id=self.connection.id, team_id=team.id,
                    projects=[(f"proj_{number}", f"{number}")], registered_by=by, at=at,
                )  # fmt: skip

    async def unwatched(self) -> list[OutboxMessage]:
        """What is wanted to be said of stretches in which nobody looked."""
        async with self.bot.storage.reading() as store:
            return await store.outbox.beginning(WORKSPACE, f"{UNWATCHED}:")


@asynccontextmanager
async def a_quiet_world(storage: Storage, clock: FakeClock, policy: Policy | None = None) -> AsyncIterator[QuietWorld]:
    """As of 09:10 in Seoul."""
    clock.moment = clock.moment.replace(hour=0, minute=10)
    provider = QuietProvider()
    bot = Bot(storage, {"openai": cast("Any", provider)}, clock, policy or Policy())

    async def lived() -> tuple[Person, Team, Connection]:
        admin = await an_admin(bot)
        team = await bot.teams.create(admin, "마케팅팀", MINSU, "C0MARKET01")
        made = QuietWorld(bot, clock, provider, admin, team, cast("Any", None))
        return admin, team, await made.connect(team, "한빛소프트", ADMIN_KEY)

    yield QuietWorld(bot, clock, provider, *await begun(storage, ("a quiet world", clock()), lived))
