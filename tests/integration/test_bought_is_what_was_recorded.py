"""Every surface tells the value that was recorded, whatever happens to the bill: reports, Home, why, the digest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from finops.events import RecordedCall
from finops.figures import spoken_for
from finops.periods import Period
from finops.queries import ScopeKind
from finops.value import Outcome, ValueFigure
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.eventful_world import AT_HOME, PERIODS, Owned, World, an_eventful_month

SEEDS, STEPS = (3,), 3
LATE = (timedelta(minutes=50), timedelta(days=9))  # as often of the day that is open as of all others


@dataclass
class Made:
    """One call, or several alike, and all that was told of it, in the order it was told."""

    project_id: int
    events: list[RecordedCall]

    @property
    def day(self) -> date:
        return min(one.at for one in self.events).date()

    def counted(self) -> Counter[str]:
        calls = max(one.calls for one in self.events)
        ends = [one for one in reversed(self.events) if one.outcome is not None]
        if not ends:
            return Counter(calls=calls)
        latest = max(ends, key=lambda one: one.at)
        return Counter(calls=calls, outcomes=calls, successes=calls * (latest.outcome is Outcome.SUCCESS))


@dataclass
class Applications:
    """What the projects' applications record: late, again, and with ends that are told before the call, or changed."""

    world: World
    storage: Storage
    calls: dict[str, Made] = field(default_factory=dict)

    async def record(self) -> None:
        chance = self.world.chance
        for project in await self.world.bot.projects.all(WORKSPACE):
            fresh = [self._call(project.id) for _ in range(chance.randrange(6))]
            mine = [name for name, call in self.calls.items() if call.project_id == project.id]
            fresh += [self._end(name) for name in chance.sample(mine, min(len(mine), 3))]
            again = chance.sample(fresh, len(fresh) // 2)
            async with self.storage.writing() as store:
                await store.value.record(WORKSPACE, project.id, [*fresh, *again])

    def _call(self, project_id: int) -> RecordedCall:
        chance, name = self.world.chance, f"call-{len(self.calls)}"
        at = self.world.clock() - chance.random() * chance.choice(LATE)
        outcome = chance.choice((None, Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE))
        event = RecordedCall(name, name, at, task=chance.choice("ab"), calls=chance.choice((1, 1, 5)), outcome=outcome)
        self.calls[name] = Made(project_id, [event])
        return event

    def _end(self, name: str) -> RecordedCall:
        chance, told = self.world.chance, self.calls[name].events
        at = min(told[0].at + chance.uniform(-1, 1) * timedelta(hours=10), self.world.clock())
        told.append(RecordedCall(f"{name}/{len(told)}", name, at, outcome=chance.choice(list(Outcome))))
        return told[-1]

    async def recorded(self, span: Period, is_meant: Owned) -> dict[int, Counter[str]]:
        """What the projects that are meant recorded of these days."""
        projects = {one.id: one for one in await self.world.bot.projects.all(WORKSPACE) if not one.excluded}
        found = defaultdict[int, Counter[str]](Counter)
        for call in self.calls.values():
            if call.day in span and is_meant(projects.get(call.project_id)) and call.project_id in projects:
                found[call.project_id] += call.counted()
        return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_surface_tells_the_value_that_was_recorded(
    quick_storage: Storage, clock: FakeClock, seed: int
) -> None:
    async with an_eventful_month(quick_storage, clock, seed) as world:
        applications = Applications(world, quick_storage)
        for _ in range(STEPS):
            await applications.record()
            await world.goes_on()
            await applications.record()
            clock.advance(minutes=2)  # Home remembers the value of days that are over for a minute
            await assert_everywhere(world, applications)


async def assert_everywhere(world: World, applications: Applications) -> None:
    bot, home = world.bot, await world.bot.reports.home(WORKSPACE, world.admin)
    scopes: dict[str, Owned] = {"": lambda _: True}
    for team in world.teams:
        scopes[team.name] = lambda owner, id_=team.id: owner is not None and owner.team_id == id_  # type: ignore[misc]
    for project in await bot.projects.all(WORKSPACE):
        if not project.excluded:
            scopes[project.name] = lambda owner, id_=project.id: owner is not None and owner.id == id_  # type: ignore[misc]
    for words, is_meant in scopes.items():
        for period in ("today", world.chance.choice(PERIODS)):
            asked = f"{words} {period}".strip()
            report = await bot.reports.status(WORKSPACE, world.admin, asked)
            each = await applications.recorded(spoken_for(report.figure), is_meant)
            assert (asked, counts_of(report.value)) == (asked, together(each.values()))
            told = {one.project_id: counts_of(one.value) for one in report.breakdown.shares if one.project_id}
            assert (asked, told) == (asked, {id_: each[id_] for id_ in told})
            if period in AT_HOME and not words:
                assert (asked, getattr(home.value, AT_HOME[period])) == (asked, report.value)
            if period != "today":
                assert (asked, (await bot.why.asked(WORKSPACE, world.admin, asked)).value) == (asked, report.value)
        await assert_digest(world, applications, words, is_meant)


async def assert_digest(world: World, applications: Applications, words: str, is_meant: Owned) -> None:
    """Last week, as the report of the same week has it."""
    team = next((one for one in world.teams if one.name == words), None)
    if words and team is None:
        return  # a project has no digest of its own
    kind, id_ = (ScopeKind.TEAM, team.id) if team else (ScopeKind.WORKSPACE, None)
    monday = world.clock().date() - timedelta(days=world.clock().weekday() + 7)
    digest = (await world.bot.digests.report_of(WORKSPACE, kind, id_, monday)).digest
    report = await world.bot.reports.status(WORKSPACE, world.admin, f"{words} last week".strip())
    assert (words, digest.value) == (words, report.value)
    each = await applications.recorded(digest.week, is_meant)
    assert {one.project_id: counts_of(one.value) for one in digest.projects if one.value.calls} == each


def counts_of(figure: ValueFigure) -> Counter[str]:
    return +Counter(calls=figure.calls, outcomes=figure.outcomes, successes=figure.successes)


def together(each: Iterable[Counter[str]]) -> Counter[str]:
    return sum(each, Counter[str]())
