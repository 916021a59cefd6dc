"""A runaway in storage: a month of $50 between 09:00 and 14:00 in Seoul, then a day of $742 in the same hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from bot import Bot, Policy
from bot.results import Profile
from finops.budgets import Budget, BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import Charge, ChargedDay
from finops.incidents import Incident
from finops.money import Money
from finops.periods import starts_at
from finops.registry import Person, Project
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant, a_tenant
from tests.integration.beginnings import begun

JIHOON = Profile("U0JIHOON01", "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
MINSU = Profile("U0MINSU001", "김민수", "ko-KR", "Asia/Seoul")
SEOYEON = Profile("U0SEOYEON1", "박서연", "ko-KR", "Asia/Seoul")
TODAY = date(2026, 7, 6)
TWO_O_CLOCK = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
# Five hours a day at ten dollars each; a call costs a thirtieth of a dollar.
BUSY_HOURS, USUAL_CALLS, CALLS_PER_DOLLAR = 5, 300, 30
MODEL, KEY_ID, ACCOUNT = "gpt-5.4", "key_abc123", "proj_chat"
ATTO_PER_DOLLAR = 10**18
HISTORY_DAYS = 28


@dataclass
class World:
    """마케팅팀 with chatbot-experiment and a daily budget of $500; the clock stands at 14:00 in Seoul."""

    bot: Bot
    clock: FakeClock
    storage: Storage
    tenant: Tenant
    project: Project
    budget: Budget
    admin: Person
    lead: Person
    member: Person

    async def evaluate(self) -> list[Incident]:
        """Look at every budget as after a poll; the incidents that are open then."""
        await self.bot.evaluating.evaluate(WORKSPACE)
        async with self.storage.reading() as store:
            return await store.incidents.open_ones(WORKSPACE)

    async def breached(self) -> int:
        """The same where one incident opens; its id."""
        [incident] = await self.evaluate()
        assert incident.id is not None
        return incident.id

    async def spend(self, dollars: str, until: datetime | None = None) -> None:
        """The loop goes on: so much in the minute before `until` (the clock's)."""
        end = until or self.clock()
        minute = _minute(end) - 1
        row = a_row(minute, int(Decimal(dollars) * CALLS_PER_DOLLAR))
        await used(self.storage, self.tenant, {minute: [(row, int(Decimal(dollars) * ATTO_PER_DOLLAR))]}, end)

    async def incident(self, incident_id: int) -> Incident:
        async with self.storage.reading() as store:
            found = await store.incidents.get(WORKSPACE, incident_id)
        assert found is not None
        return found


async def a_runaway(storage: Storage, clock: FakeClock, spent: str = "742") -> World:
    """Everything in place and nothing evaluated yet."""
    clock.moment = TWO_O_CLOCK
    bot = Bot(storage, {}, clock, Policy())
    facts = await begun(storage, ("a runaway", spent), partial(_lived, bot, Decimal(spent)))
    return World(bot, clock, storage, *facts)


async def _lived(bot: Bot, spent: Decimal) -> tuple[Tenant, Project, Budget, Person, Person, Person]:
    storage = bot.storage
    tenant = await a_tenant(storage)
    admin, lead, member = [
        await bot.people.meet(WORKSPACE, "한빛소프트", who, asks_setup=True) for who in (JIHOON, MINSU, SEOYEON)
    ]
    async with storage.writing() as store:
        [project], _ = await store.projects.register(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[(ACCOUNT, "chatbot-experiment")], registered_by=admin.user_id, at=MOMENT,
        )  # fmt: skip
        terms = BudgetTerms(BudgetScope.TEAM, tenant.team_id, BudgetPeriod.DAY, Money.of("500"))
        budget = await store.budgets.create(WORKSPACE, terms, by=admin.user_id, at=MOMENT)
        for number in range(1, HISTORY_DAYS + 1):
            day = TODAY - timedelta(days=number)
            bill = ChargedDay(day, (Charge(day, ACCOUNT, f"{MODEL}, input", Decimal(50), "USD"),))
            await store.charges.replace_day(WORKSPACE, tenant.connection.id, bill, MOMENT)
    await _history(storage, tenant)
    await _today(storage, tenant, spent)
    return tenant, project, budget, admin, lead, member


async def _history(storage: Storage, tenant: Tenant) -> None:
    """The week before, hour by hour."""
    midnight = _minute(starts_at(TODAY))
    busy = [midnight - day * 1440 + hour * 60 for day in range(1, 8) for hour in range(BUSY_HOURS)]
    price = USUAL_CALLS * ATTO_PER_DOLLAR // CALLS_PER_DOLLAR
    hours = {start: [(a_row(start, USUAL_CALLS), price)] for start in sorted(busy)}
    await used(storage, tenant, hours, starts_at(TODAY), Width.HOUR)


async def _today(storage: Storage, tenant: Tenant, spent: Decimal) -> None:
    """As many calls of the same price as make `spent` since midnight, every fifth minute; to the last digit."""
    first, last = _minute(starts_at(TODAY)), _minute(TWO_O_CLOCK)
    calls = int(spent * CALLS_PER_DOLLAR)
    minutes = range(first + 4, last, 5)
    counts = [calls // len(minutes) + (number < calls % len(minutes)) for number in range(len(minutes))]
    rows = [a_row(minute, count) for minute, count in zip(minutes, counts, strict=True)]
    priced = {row.start: [(row, row.requests * ATTO_PER_DOLLAR // CALLS_PER_DOLLAR)] for row in rows}
    rest = int(spent * ATTO_PER_DOLLAR) - sum(atto for [(_, atto)] in priced.values())
    [(row, atto)] = priced[last - 1]
    priced[last - 1] = [(row, atto + rest)]
    await used(storage, tenant, priced, TWO_O_CLOCK)


def a_row(start: int, requests: int) -> UsageRow:
    tokens = {"input_tokens": 1000 * requests, "output_tokens": 400 * requests}
    return UsageRow(
        start,
        Endpoint.COMPLETIONS.value,
        ACCOUNT,
        MODEL,
        KEY_ID,
        "default",
        is_batch=False,
        requests=requests,
        **tokens,
    )


async def used(
    storage: Storage,
    tenant: Tenant,
    priced: dict[int, list[tuple[UsageRow, int]]],
    read_at: datetime,
    width: Width = Width.MINUTE,
) -> None:
    buckets = tuple(UsageBucket(start, tuple(row for row, _ in rows)) for start, rows in sorted(priced.items()))
    reading = UsageReading(Endpoint.COMPLETIONS, width, min(priced), max(priced) + width, buckets)
    prices = [(row, atto, True) for rows in priced.values() for row, atto in rows]
    async with storage.writing() as store:
        await store.usage.replace(WORKSPACE, tenant.connection.id, reading, prices, read_at, max(priced) + width)
        await store.healths.mark_read(WORKSPACE, tenant.connection.id, read_at)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def neighbour_of(person: Person) -> Person:
    """The same person in another workspace."""
    return replace(person, workspace_id="T0OTHER001")
