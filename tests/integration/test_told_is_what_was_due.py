"""Each level of each limit is told once and never lost, and alerts say what was spent, whatever people do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from finops.budgets import Budget
from finops.charges import FigureState
from finops.incidents import SPEAKING, EventKind, Incident, IncidentEvent, IncidentState
from finops.periods import starts_at
from finops.registry import Project
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.budget_story import ACCOUNTS, Story, a_story

# Of many, the two stories in which between them everything comes up that is looked at below.
SEEDS, STEPS = (132, 143), 40
GIVEN_UP_AFTER = timedelta(hours=6)
REPORT_EVERY = 3  # looks: it costs as much as all the rest of one
Place = tuple[int, str, str, int | None, date]
"""A budget's id, its period, whose spending it limits, and the first day of the period."""


@dataclass
class Expected:
    """What has to have become of one budget in one period."""

    limit: Decimal = Decimal(0)
    level: int = 0  # the highest one reached of this limit, told or not
    spoken: int = 0
    spent: Decimal = Decimal(0)  # as it was shown last
    silenced_until: datetime | None = None
    told: set[tuple[Decimal, int]] = field(default_factory=set)
    is_open: bool = False

    def speaks(self, budget: Budget, now: datetime, *, is_news: bool) -> list[int]:
        """What the channel hears now: a level just reached, or, after a silence, the highest that rose meanwhile."""
        rings: list[int] = []
        if is_news and self.silenced_until is None and is_loud(budget, self.level):
            self.spoken = self.level
            rings += [self.level] if (self.limit, self.level) not in self.told else []
        if self.silenced_until is not None and self.silenced_until <= now:
            self.silenced_until = None
            if self.level > self.spoken and is_loud(budget, self.level):
                self.spoken = self.level
                rings.append(self.level)
        self.told |= {(self.limit, each) for each in rings}
        return rings


@dataclass
class AtWork:
    """A budget at work on one scope, and the provider projects whose spending it limits."""

    place: Place
    budget: Budget
    accounts: set[str]


@pytest.mark.parametrize("seed", SEEDS)
async def test_each_level_is_told_once(quick_storage: Storage, clock: FakeClock, seed: int) -> None:
    story = await a_story(quick_storage, clock, seed)
    oracle = Oracle(story)
    for _ in range(STEPS):
        for _ in range(story.chance.choice((0, 0, 1, 1, 2, 3))):
            await story.somebody_does_something()
            await oracle.notices()
            if story.chance.random() < 0.7:
                await oracle.evaluates()
        await story.time_passes()
        if story.chance.random() < 0.8:
            await story.looks()
        if story.chance.random() < 0.9:
            await oracle.evaluates()
    await oracle.assert_the_closed_kept_quiet()


class Oracle:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.places: dict[Place, Expected] = {}
        self.rung: set[tuple[int, str]] = set()
        self.closed: dict[int, Incident] = {}  # as they were when they were looked at last
        self.looks = 0

    async def notices(self) -> None:
        """What people asked of alerts is known at once."""
        for one in await self.story.incidents():
            place = self.places.get(place_of(one))
            if place is None:
                continue
            if place.silenced_until is not None and one.silenced_until is None:
                # Ended by hand: what rose is said at once.
                budget = await self._budget(one.budget_id)
                rose = [place.level] if place.level > place.spoken and is_loud(budget, place.level) else []
                place.spoken = max([place.spoken, *rose])
                assert await self._rings(one) == rose, one
            place.silenced_until = one.silenced_until

    async def _budget(self, id_: int) -> Budget:
        async with self.story.bot.storage.reading() as store:
            found = await store.budgets.get(WORKSPACE, id_, even_deleted=True)
        assert found is not None
        return found

    async def evaluates(self) -> None:
        """Every budget is looked at, by one copy of the bot or by two at once; then all of it is as it has to be."""
        story = self.story
        copies = [story.bot, story.other] if story.chance.random() < 0.2 else [story.bot]
        await asyncio.gather(*(one.evaluating.evaluate(WORKSPACE) for one in copies))
        found = {place_of(one): one for one in await story.incidents()}
        work = {one.place: one for one in await self._at_work()}
        for place, at_work in work.items():
            await self._assert_at_work(at_work, found.get(place))
        self.looks += 1
        if self.looks % REPORT_EVERY == 0:
            await self._assert_report(list(work.values()))
        now_at = {place[:4]: one for place, one in work.items()}
        for place, one in found.items():
            if one.state in SPEAKING:
                asked = "acknowledged" if one.acknowledged_by else "open"
                assert one.state == ("silenced" if one.silenced_until else asked), one
            if place in work or one == self.closed.get(one.id or 0):
                continue
            if is_over(one, story.clock()) and place[:4] in now_at:
                await self._assert_over(now_at[place[:4]], one)
            else:
                await self._assert_gone(one)
            if one.state is IncidentState.CLOSED:
                self.closed[one.id or 0] = one

    async def assert_the_closed_kept_quiet(self) -> None:
        """Whoever is closed and was not looked at since has told nothing more."""
        for one in await self.story.incidents():
            if one == self.closed.get(one.id or 0):
                assert await self._rings(one) == [], one

    async def _assert_gone(self, one: Incident) -> None:
        """Of what is deleted, off, left out or gone nothing is told, and its alert is closed and says why."""
        known = self.places.setdefault(place_of(one), Expected())
        assert one.state is IncidentState.CLOSED, one
        assert await self._rings(one) == [], one
        if known.is_open and not is_over(one, self.story.clock()):
            budget = next((each for each in await self.story.budgets() if each.id == one.budget_id), None)
            wanted = "scope_gone" if budget is not None and budget.is_enabled else "budget_disabled"
            assert await self._reason(one) == ("budget_deleted" if budget is None else wanted), one
        known.is_open = False

    async def _assert_over(self, at: AtWork, one: Incident) -> None:
        """A period that is over tells what its last minutes reached by its own limit, and is closed by its own sum."""
        now, end, budget = self.story.clock(), starts_at(one.window.end), at.budget
        known, rings = self.places.setdefault(place_of(one), Expected()), await self._rings(one)
        is_open, limit = one.state is not IncidentState.CLOSED, one.limit.amount
        # One that nobody saw in time is told late, and closed by the next look.
        assert not (is_open and known.is_open) or now < end + GIVEN_UP_AFTER, one
        assert not {(limit, level) for level in rings} & known.told, one
        spent = self._sum(at.accounts, list(one.window))
        if known.is_open and budget.updated_at >= end:
            assert limit == known.limit, (one, known)
            assert not {*rings} & {*levels_reached(budget, known.spent, limit)}, (one, known, rings)
        elif known.is_open and not is_open and limit == known.limit:
            news = [each for each in levels_reached(budget, spent) if each > known.level and is_loud(budget, each)]
            hidden = (await self._events(one))[-1].values.get("rose")
            assert not news or (limit, news[-1]) in known.told or news[-1] in (*rings, hidden), (one, known)
        if known.is_open and not is_open and one.spent_state is not FigureState.BLIND:
            assert (await self._reason(one), one.spent.amount) == ("period_ended", spent), one
        known.told |= {(limit, level) for level in rings}
        known.limit, known.spent, known.is_open = limit, one.spent.amount, is_open
        known.silenced_until = one.silenced_until

    async def _assert_report(self, work: list[AtWork]) -> None:
        """`/finops budget` says of each what is spent of it, and of the fullest where it is each project for itself."""
        today, spent = self.story.clock().date(), dict[int, list[Decimal]]()
        for at in work:
            spent.setdefault(at.budget.id, []).append(self._sum(at.accounts, days_of(at.budget.period, today)))
        report = await self.story.bot.budgets.report(self.story.admin)
        for one in report.budgets:
            told = None if one.spent is None else one.spent.amount.amount
            assert told == max(spent.get(one.budget.id, []), default=None), (one, spent)

    async def _assert_at_work(self, at: AtWork, one: Incident | None) -> None:
        """The period that runs: what is reached was told or is told now, and the alert says what is so."""
        budget, limit = at.budget, at.budget.amount.amount
        spent = self._sum(at.accounts, days_of(budget.period, self.story.clock().date()))
        reached, known = levels_reached(budget, spent), self.places.get(at.place)
        if known is None and not reached:
            assert one is None, one
            return
        known = self.places.setdefault(at.place, Expected(limit))
        was_told, is_blind = known.spoken > 0, one is not None and one.spent_state is FigureState.BLIND
        level, spoken = known.level, known.spoken
        if limit > known.limit:
            shown = known.spent if is_blind else min(known.spent, spent)
            level = max((each for each in levels_reached(budget, shown) if each <= level), default=1 if was_told else 0)
            spoken = min(spoken, level)
        news = [each for each in reached if each > level]
        if known.silenced_until is None and not was_told and reached and is_loud(budget, reached[-1]):
            news = news or reached[-1:]  # kept for the thread so far: by these levels the channel has to hear of it
        is_open = known.is_open or bool(news) or (was_told and bool(reached))
        assert (one is not None and one.state is not IncidentState.CLOSED) == is_open, (one, known)
        if one is None or not is_open:
            return
        known.limit, known.level, known.spoken, known.is_open = limit, max([level, *news]), spoken, True
        rings = known.speaks(budget, self.story.clock(), is_news=bool(news))
        assert await self._rings(one) == rings, (one, budget, spent)
        if one.has_root or news:
            # Not looking is not spending less.
            assert one.spent.amount == spent or (is_blind and spent < one.spent.amount == known.spent), (one, spent)
            assert one.limit == budget.amount, one
            known.spent = one.spent.amount

    async def _rings(self, one: Incident) -> list[int]:
        """The levels that were newly told to the channel since the last time."""
        found, key = [], f"incident:{one.id}"
        async with self.story.bot.storage.reading() as store:
            events = await store.incidents.events(WORKSPACE, one.id or 0)
            wanted = {each.key: each for each in await store.outbox.beginning(WORKSPACE, key)}
        root, lines = wanted.get(key), {each.key: wanted.get(f"{key}:{each.key}") for each in events}
        is_new = root is not None and ((one.id or 0), "") not in self.rung
        for event in events:
            line = lines[event.key]
            if not event.is_loud or ((one.id or 0), event.key) in self.rung:
                continue
            assert root is not None, one
            assert line is not None, (one, event)
            assert line.is_broadcast != is_new, (one, event)
            self.rung |= {((one.id or 0), event.key), ((one.id or 0), "")}
            found.append(said_of(event))
        if is_new and not found:  # what was kept for the thread is told to the channel now
            assert root is not None
            assert root.urgency == 1, root
            self.rung.add(((one.id or 0), ""))
            found.append(one.level)
        return found

    async def _events(self, one: Incident) -> list[IncidentEvent]:
        async with self.story.bot.storage.reading() as store:
            return await store.incidents.events(WORKSPACE, one.id or 0)

    async def _reason(self, one: Incident) -> object:
        return [each for each in await self._events(one) if each.kind is EventKind.CLOSED][-1].values["reason"]

    async def _at_work(self) -> list[AtWork]:
        projects = [one for one in await self.story.projects() if not one.excluded]
        budgets = [one for one in await self.story.budgets() if one.is_enabled]
        own = {(one.scope_id, one.period) for one in budgets if one.scope_kind == "project"}
        today, found = self.story.clock().date(), []
        for budget in budgets:
            for kind, id_, accounts in self._scopes(budget, projects, own):
                start = days_of(budget.period, today)[0]
                found.append(AtWork((budget.id, budget.period.value, kind, id_, start), budget, accounts))
        return found

    def _scopes(
        self, budget: Budget, projects: list[Project], own: set[tuple[int | None, object]]
    ) -> Iterator[tuple[str, int | None, set[str]]]:
        if budget.scope_kind == "workspace":
            yield "workspace", None, set(ACCOUNTS)
        elif budget.scope_kind == "team":
            accounts = {one.provider_project_id for one in projects if one.team_id == budget.scope_id}
            yield "team", budget.scope_id, accounts
        for one in projects:
            is_own = budget.scope_kind == "project" and budget.scope_id == one.id
            is_free = budget.scope_kind == "every_project" and (one.id, budget.period) not in own
            if is_own or is_free:
                yield "project", one.id, {one.provider_project_id}

    def _sum(self, accounts: set[str], days: list[date]) -> Decimal:
        return Decimal(sum(self.story.spent(one, days) for one in accounts)) / 100


def said_of(event: IncidentEvent) -> int:
    """The level a loud line tells, its amounts being of one piece."""
    values = event.values
    level = values["level"]
    assert isinstance(level, int)
    spent, limit = Decimal(str(values["spent"])), Decimal(str(values["limit"]))
    assert values["percent"] == spent * 100 // limit
    return level


def place_of(one: Incident) -> Place:
    return one.budget_id, one.period.value, one.scope_kind.value, one.scope_id, one.window.start


def is_over(one: Incident, now: datetime) -> bool:
    return now >= starts_at(one.window.end)


def is_loud(budget: Budget, level: int) -> bool:
    return level >= 75 or level >= budget.levels[-1]


def levels_reached(budget: Budget, spent: Decimal, limit: Decimal | None = None) -> list[int]:
    levels = {*budget.levels} | ({100} if budget.action != "notify" else set())
    whole = budget.amount.amount if limit is None else limit
    return sorted(one for one in levels if spent * 100 >= whole * one and spent >= budget.floor.amount)


def days_of(period: str, today: date) -> list[date]:
    if period == "day":
        return [today]
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return [monday + timedelta(days=one) for one in range(7)]
    days = [today.replace(day=1) + timedelta(days=one) for one in range(31)]
    return [one for one in days if one.month == today.month]
