"""A house in which people do everything to budgets and alerts, while usage and bills are told late, in pieces and anew.

What was spent is kept here as the provider told it, and asked for by nobody but the oracle.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bot import Bot, Policy
from bot.budgets import BudgetWish
from bot.errors import Refusal
from finops.budgets import DEFAULT_LEVELS, Budget
from finops.charges import Charge, ChargedDay
from finops.incidents import Incident, IncidentState
from finops.periods import starts_at
from finops.registry import Connection, Person, Project, Team
from finops.secret import Secret
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from providers.contract import ProviderProject
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE, a_team, an_admin

ACCOUNTS = ("proj_a", "proj_b", "proj_c", "proj_d")
ATTO_PER_CENT = 10**16
HISTORY_DAYS = 40
PASSING = (1, 5, 5, 20, 20, 59, 61, 61, 180, 480, 1440, 3000)  # minutes
LEVELS = (DEFAULT_LEVELS, DEFAULT_LEVELS, (100,), (50,), (80, 100, 120), (30, 60))
PERIODS = ("day", "day", "week", "month")
# A bill that is read sooner after its day is not written to its end.
WRITTEN_AFTER = timedelta(hours=6)
# Of an older day without a bill nobody knows.
BILLED_BY = timedelta(days=6)


@dataclass
class Story:
    chance: random.Random
    bot: Bot
    other: Bot  # another copy
    clock: FakeClock
    admin: Person
    teams: Sequence[Team]
    connection: Connection
    told: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))  # cents by minute and account
    late: list[tuple[int, str, int]] = field(default_factory=list)
    billed: dict[date, dict[str, int]] = field(default_factory=dict)
    # No two houses are alike: how often people do what, how long nobody does anything, and between which limits.
    weights: list[int] = field(default_factory=list)
    passing: tuple[int, ...] = PASSING
    amounts: tuple[str, ...] = ()

    # --- what the provider tells -------------------------------------------------------------------------------------

    def spent(self, account: str, days: Sequence[date]) -> int:
        """What an account spent in these days as the provider told it, in cents: a bill stands for its day."""
        whole = sum(self.billed[day].get(account, 0) for day in days if day in self.billed)
        for minute, amounts in self.told.items():
            day = datetime.fromtimestamp(minute * 60, UTC).date()
            whole += amounts.get(account, 0) if day in days and day not in self.billed else 0
        return whole

    async def time_passes(self) -> None:
        chance, before = self.chance, self.clock()
        self.clock.advance(minutes=chance.choice(self.passing))
        first, last = (int(one.timestamp()) // 60 for one in (before, self.clock()))
        for _ in range(chance.randrange(5)):
            self.late.append(
                (chance.randrange(first, last), chance.choice(ACCOUNTS), chance.choice((7, 100, 450, 450, 900)))
            )

    async def looks(self) -> None:
        """What the provider tells by now is read: some of it may come later, some of it is told anew."""
        chance, now, news = self.chance, self.clock(), set[int]()
        for one in list(self.late):
            if chance.random() < 0.8:
                minute, account, cents = one
                self.late.remove(one)
                self.told[minute][account] = self.told[minute].get(account, 0) + cents
                news.add(minute)
        if self.told and chance.random() < 0.2:
            minute = chance.choice(sorted(self.told))
            account = chance.choice(sorted(self.told[minute]))
            self.told[minute][account] = self.told[minute][account] * chance.choice((1, 3)) // 2 + 1
            news.add(minute)
        bills = await self._bills(now)
        async with self.bot.storage.writing() as store:
            for minute in sorted(news):
                rows = [(a_row(minute, name), cents * ATTO_PER_CENT, True) for name, cents in self.told[minute].items()]
                bucket = UsageBucket(minute, tuple(row for row, *_ in rows))
                reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, minute, minute + 1, (bucket,))
                await store.usage.replace(WORKSPACE, self.connection.id, reading, rows, now, minute + 1)
            for bill in bills:
                await store.charges.replace_day(WORKSPACE, self.connection.id, bill, now)
            await store.healths.mark_read(WORKSPACE, self.connection.id, now)

    async def _bills(self, now: datetime) -> list[ChargedDay]:
        found, chance = [], self.chance
        for back in range(1, HISTORY_DAYS):
            day = now.date() - timedelta(days=back)
            age = now - starts_at(day) - timedelta(days=1)
            if age < WRITTEN_AFTER or (day in self.billed and chance.random() < 0.98):
                continue
            if day not in self.billed and age < BILLED_BY and chance.random() < 0.7:
                continue
            amounts = {}
            for account in ACCOUNTS:
                cents = self.spent(account, [day])
                amounts[account] = max(1, cents * chance.choice((8, 10, 10, 10, 13)) // 10)
            self.billed[day] = amounts
            lines = [
                Charge(day, name, "gpt-5.4, input", Decimal(cents) / 100, "USD") for name, cents in amounts.items()
            ]
            found.append(ChargedDay(day, tuple(lines)))
        return found

    # --- what people do ----------------------------------------------------------------------------------------------

    async def somebody_does_something(self) -> None:
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "make": self.make, "amount": self.change_amount, "terms": self.change_terms, "switch": self.switch,
            "delete": self.delete, "silence": self.silence, "speak": self.speak, "acknowledge": self.acknowledge,
            "exclude": self.exclude, "move": self.move, "file": self.file,
        }  # fmt: skip
        if not self.weights:
            self.weights += [self.chance.choice((0, 1, 1, 3, 8)) for _ in acts]
            self.weights[0] = max(1, self.weights[0])
        self.clock.advance(seconds=1)
        name = self.chance.choices(list(acts), self.weights)[0]
        with suppress(Refusal):
            await acts[name]()

    async def budgets(self) -> list[Budget]:
        async with self.bot.storage.reading() as store:
            return await store.budgets.all(WORKSPACE)

    async def projects(self) -> list[Project]:
        return await self.bot.projects.all(WORKSPACE)

    async def incidents(self) -> list[Incident]:
        days = [self.clock().date() - timedelta(days=back) for back in range(HISTORY_DAYS)]
        async with self.bot.storage.reading() as store:
            return await store.incidents.of_windows(WORKSPACE, days)

    async def make(self) -> None:
        chance, budgets = self.chance, await self.budgets()
        if len(budgets) > 7:
            return
        wish = self._wish(self._a_scope(await self.projects()), chance.choice(PERIODS), self._an_amount(None))
        await self.bot.budgets.create(self.admin, wish)

    def _a_scope(self, projects: Sequence[Project]) -> str:
        scopes = ["workspace", "every_project", *(f"team:{one.id}" for one in self.teams)]
        return self.chance.choice([*scopes, *(f"project:{one.id}" for one in projects)])

    def _wish(self, scope: str, period: str, amount: str, **more: object) -> BudgetWish:
        chance = self.chance
        terms: dict[str, object] = {
            "levels": chance.choice(LEVELS),
            "action": chance.choice(("notify", "notify", "ask")),
            "floor": chance.choice(("", "", "", "3")),
            "channel_id": "C0FINANCE1" if scope == "workspace" else "",
        } | more
        return BudgetWish(scope, period, amount, **terms)  # type: ignore[arg-type]

    def _an_amount(self, before: Decimal | None) -> str:
        chance = self.chance
        if self.amounts and before is not None:
            return chance.choice(self.amounts)
        now = sum(self.spent(one, [self.clock().date()]) for one in ACCOUNTS)
        if now > 400 and chance.random() < 0.4:
            return str(Decimal(now) * chance.choice((3, 8, 10, 11, 14)) / 1000)
        if before is None or chance.random() < 0.2:
            return str(Decimal(chance.choice((500, 1000, 2500, 4500, 10000, 30000))) / 100)
        return f"{max(Decimal(4), before * Decimal(chance.choice(('0.5', '0.8', '1.2', '2', '3')))):.2f}"

    async def _one(self) -> Budget | None:
        budgets = await self.budgets()
        return self.chance.choice(budgets) if budgets else None

    async def change_amount(self) -> None:
        if (one := await self._one()) is not None:
            await self._change(one, amount=self._an_amount(one.amount.amount))

    async def change_terms(self) -> None:
        if (one := await self._one()) is None:
            return
        wish = self._wish(self._a_scope(await self.projects()), self.chance.choice(PERIODS), str(one.amount.amount))
        what = self.chance.choice(("period", "levels", "action", "floor", "scope"))
        await self._change(one, **{what: getattr(wish, what)})

    async def _change(self, one: Budget, **new: object) -> None:
        same: dict[str, object] = {
            "period": one.period.value,
            "amount": str(one.amount.amount),
            "levels": one.levels,
            "action": one.action.value,
            "floor": str(one.floor.amount) if one.floor else "",
            "channel_id": one.channel_id or "C0FINANCE1",
        }
        wish = BudgetWish(**({"scope": _scope(one)} | same | new))  # type: ignore[arg-type]
        await self.bot.budgets.update(self.admin, one.id, wish, one.updated_at.isoformat())

    async def file(self) -> None:
        """All budgets are written, changed by hand, and taken in again."""
        text = await self.bot.budgets.export_text(self.admin)
        head, *blocks = text.split("  - scope")
        if blocks and self.chance.random() < 0.3:
            blocks.pop(self.chance.randrange(len(blocks)))
        if not blocks:
            return
        at = self.chance.randrange(len(blocks))
        amount = self._an_amount(Decimal(self.chance.choice((5, 10, 20))))
        blocks[at] = re.sub(r'amount: "[^"]*"', f'amount: "{amount} USD"', blocks[at])
        text = "  - scope".join([head, *blocks])
        plan = await self.bot.budgets.import_diff(self.admin, text)
        done = await self.bot.budgets.import_apply(self.admin, text, plan.mark)
        assert done.is_applied

    async def switch(self) -> None:
        if (one := await self._one()) is not None:
            await self.bot.budgets.switch(self.admin, one.id, is_enabled=not one.is_enabled)

    async def delete(self) -> None:
        if (one := await self._one()) is not None:
            await self.bot.budgets.delete(self.admin, one.id)

    async def _an_incident(self) -> int:
        found = [one for one in await self.incidents() if one.has_root and one.state is not IncidentState.CLOSED]
        return (self.chance.choice(found).id or 0) if found else 0

    async def silence(self) -> None:
        if one := await self._an_incident():
            end = self.clock() + timedelta(minutes=self.chance.choice((30, 60, 240, 1000, 4000)))
            await self.bot.incidents.silence_until(self.admin, one, end)

    async def speak(self) -> None:
        if one := await self._an_incident():
            await self.bot.incidents.end_silence(self.admin, one)

    async def acknowledge(self) -> None:
        if one := await self._an_incident():
            await self.bot.incidents.acknowledge(self.admin, one)

    async def exclude(self) -> None:
        if projects := await self.projects():
            one = self.chance.choice(projects)
            await (self.bot.projects.include if one.excluded else self.bot.projects.exclude)(self.admin, one.id)

    async def move(self) -> None:
        """A project is let go of, and perhaps taken by a team."""
        chance, name = self.chance, self.chance.choice(ACCOUNTS)
        for one in await self.projects():
            if one.provider_project_id == name:
                await self.bot.projects.unregister(self.admin, one.id)
        if chance.random() < 0.7:
            team = chance.choice(self.teams)
            await self.bot.projects.register(self.admin, team.id, [name])


def _scope(one: Budget) -> str:
    return one.scope_kind.value if one.scope_id is None else f"{one.scope_kind.value}:{one.scope_id}"


def a_row(minute: int, account: str) -> UsageRow:
    told = {"input_tokens": 1000, "output_tokens": 400}
    return UsageRow(
        minute, Endpoint.COMPLETIONS.value, account, "gpt-5.4", "key_1", "default", is_batch=False, requests=1, **told
    )


async def a_story(storage: Storage, clock: FakeClock, seed: int) -> Story:
    """The house before anything happened; a seed tells the same story each time."""
    chance = random.Random(seed)
    clock.moment = datetime(2026, 6, chance.randrange(22, 30), chance.randrange(24), 3, tzinfo=UTC)
    bot, other = (Bot(storage, {}, clock, Policy()) for _ in range(2))
    admin = await an_admin(bot)
    teams = [await a_team(bot, admin), await a_team(bot, admin, "data", "C0DATA0001")]
    async with storage.writing() as store:
        connection = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-1", organization_name="A", at=clock()
        )
        for team in teams:
            await store.credentials.add(
                WORKSPACE, connection_id=connection.id, team_id=team.id, secret=Secret(f"sk-admin-{team.id}"),
                rights=("management.read", "usage.read"), registered_by=admin.user_id, at=clock(),
            )  # fmt: skip
        known = [ProviderProject(one, one) for one in ACCOUNTS]
        await store.known_projects.remember(WORKSPACE, connection.id, known, clock())
    story = Story(chance, bot, other, clock, admin, teams, connection)
    story.passing = chance.choice((PASSING, PASSING[:7], PASSING[:9], PASSING[6:]))
    story.amounts = chance.choice(((), (), ("5", "10"), ("4", "5", "6", "10", "20")))
    await bot.projects.register(admin, teams[0].id, list(ACCOUNTS[:2]))
    await bot.projects.register(admin, teams[1].id, list(ACCOUNTS[2:3]))
    await story.looks()
    return story
