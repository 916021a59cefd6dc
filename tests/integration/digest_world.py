"""Three weeks of bills and recorded calls of 마케팅팀, up to Monday 6 July 2026: one project to praise, one to mend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot import Bot, Policy
from finops.charges import Charge, ChargedDay
from finops.digest import DigestChannel
from finops.events import RecordedCall
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.registry import Person
from finops.value import Outcome
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant, a_tenant
from tests.integration.beginnings import begun
from tests.integration.live_world import JIHOON

WEEK = Period(date(2026, 6, 29), date(2026, 7, 6))
MONDAY_NINE = starts_at(WEEK.end)
# What each project costs a day, and how many of its forty recorded calls a week succeed: usually, and in this week.
PROJECTS: Mapping[str, tuple[str, int, int]] = {
    "chatbot": ("50", 30, 12),
    "doc-summary": ("30", 20, 36),
    "search": ("20", 32, 32),
    "meeting-notes": ("10", 0, 0),  # records nothing
}
CALLS, WEEKS = 40, 3


@dataclass
class World:
    """The clock stands at Monday 09:00 in Seoul; whoever asks first makes the usual places, long before."""

    bot: Bot
    clock: FakeClock
    storage: Storage
    tenant: Tenant
    admin: Person
    projects: Mapping[str, int]

    def replica(self) -> Bot:
        """Another copy of the bot on the same database."""
        return Bot(self.storage, {}, self.clock, Policy())

    async def bill(self, day: date, amounts: Mapping[str | None, str]) -> None:
        """One reading of one day: what each provider project (None: nobody) cost."""
        async with self.storage.writing() as store:
            await store.charges.replace_day(
                WORKSPACE, self.tenant.connection.id, ChargedDay(day, _lines(day, amounts)), self.clock()
            )

    async def usual_places(self) -> None:
        """Everything was decided weeks ago: what is due is due."""
        now, self.clock.moment = self.clock.moment, MOMENT - timedelta(days=40)
        await self.bot.digests.waiting()
        self.clock.moment = now

    async def places(self) -> list[DigestChannel]:
        async with self.storage.reading() as store:
            return await store.digest_channels.of_workspace(WORKSPACE)

    async def place(self, kind: ScopeKind) -> DigestChannel:
        return next(one for one in await self.places() if one.scope is kind)

    async def wanted(self, keys: Iterable[str]) -> list[OutboxMessage | None]:
        async with self.storage.reading() as store:
            return [await store.outbox.get(WORKSPACE, key) for key in keys]

    async def row(self, key: str) -> OutboxMessage:
        [found] = await self.wanted([key])
        assert found is not None, key
        return found

    def root(self, kind: ScopeKind = ScopeKind.TEAM, week: Period = WEEK, place: str = "C0MARKET01") -> str:
        scope_id = self.tenant.team_id if kind is ScopeKind.TEAM else 0
        return f"digest:{week.start}:{kind}:{scope_id}:{place if kind is ScopeKind.TEAM else 'admins'}"


async def a_week(
    storage: Storage, clock: FakeClock, *, unread: Iterable[date] = (), with_value: bool = True, with_bills: bool = True
) -> World:
    """The world as of Monday 09:00; days in `unread` could not be read."""
    clock.moment = MONDAY_NINE
    bot, skipped = Bot(storage, {}, clock, Policy()), frozenset(unread)

    async def lived() -> tuple[Tenant, Person, tuple[tuple[str, int], ...]]:
        return await _lived(bot, skipped, with_value=with_value, with_bills=with_bills)

    tenant, admin, ids = await begun(storage, ("a week", skipped, with_value, with_bills), lived)
    world = World(bot, clock, storage, tenant, admin, dict(ids))
    await world.usual_places()
    return world


async def _lived(
    bot: Bot, skipped: Collection[date], *, with_value: bool, with_bills: bool
) -> tuple[Tenant, Person, tuple[tuple[str, int], ...]]:
    storage = bot.storage
    tenant = await a_tenant(storage)
    admin = await bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    async with storage.writing() as store:
        found, _ = await store.projects.register(
            WORKSPACE, connection_id=tenant.connection.id, team_id=tenant.team_id,
            projects=[(f"proj_{name}", name) for name in PROJECTS], registered_by=admin.user_id, at=MOMENT,
        )  # fmt: skip
    ids = {one.name: one.id for one in found}
    amounts: dict[str | None, str] = {f"proj_{name}": cost for name, (cost, _, _) in PROJECTS.items()}
    days = [WEEK.end - timedelta(days=number + 1) for number in range(7 * WEEKS if with_bills else 0)]
    async with storage.writing() as store:
        for day in days:
            if day not in skipped:
                bill = ChargedDay(day, _lines(day, amounts | {None: "1"}))
                await store.charges.replace_day(WORKSPACE, tenant.connection.id, bill, bot.clock())
        for name, (_, usual, now) in PROJECTS.items() if with_value else ():
            calls = [call for back in range(WEEKS) for call in _calls(name, back, now if back == 0 else usual)]
            if usual:
                await store.value.record(WORKSPACE, ids[name], calls)
    return tenant, admin, tuple(ids.items())


def _lines(day: date, amounts: Mapping[str | None, str]) -> tuple[Charge, ...]:
    return tuple(Charge(day, who, "gpt-5.4, input", Decimal(amount), "USD") for who, amount in amounts.items())


def _calls(name: str, weeks_back: int, successes: int) -> list[RecordedCall]:
    """Forty calls of one week, a cent each; so many of them end well."""
    at = starts_at(WEEK.start) - timedelta(days=7 * weeks_back)
    return [
        RecordedCall(
            event_id=f"{name}-{weeks_back}-{number}",
            request_id=f"{name}-{weeks_back}-{number}",
            at=at + timedelta(hours=4 * number),
            task="answer",
            model="gpt-5.4",
            outcome=Outcome.SUCCESS if number < successes else Outcome.FAILURE,
            cost_nano=10**7,
            cost_rest=0,
        )
        for number in range(CALLS)
    ]
