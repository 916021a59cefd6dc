"""What tests of stops share: a runaway, the limit its project had before, and minutes that go by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import field, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import pytest

from bot import Policy
from demo.openai import ALL_RIGHTS
from demo.openai.limits import Limits
from demo.trace import Trace
from finops.budgets import Budget, BudgetScope
from finops.incident_report import IncidentShown
from finops.incidents import Incident
from finops.levers import Lever
from finops.registry import Person, Project, Role, Team
from finops.stop_report import ApprovalWish, BlastRadius, StopShown, StopTarget
from finops.stops import ApprovalWay, StopEventKind
from storage import Storage
from tests.conftest import FakeClock
from tests.integration import watch_world
from tests.integration.bot_world import WORKSPACE as WORKSPACE
from tests.integration.chapters import Story
from tests.integration.watch_world import CHATBOT as CHATBOT
from tests.integration.watch_world import WRITER as WRITER
from tests.integration.watch_world import a_watched_world

FORMER_CENTS = 100_000
FORMER = {"spend_limit": {"currency": "USD", "interval": "month", "threshold_amount": FORMER_CENTS}}
WORKER = "a test"

Subject: TypeAlias = Incident | StopShown | Project | Team


class World(watch_world.World):
    """A watched world in which 이지훈, who is the admin, stops what runs away and gives it back."""

    story: Story = field(init=False)

    @property
    def second(self) -> Person:
        """Who may agree to what the admin asks for: the team's lead."""
        return replace(self.admin, user_id=self.team.lead_user_id, role=Role.MEMBER)

    # -- at the provider

    async def surge(self, name: str = CHATBOT, times: int = 15) -> None:
        """So many times the usual calls for forty minutes, read twice."""
        await self.story.chapter(f"{name} surges {times} times", partial(self._surged, name, times))

    async def _surged(self, name: str, times: int) -> None:
        await self.polled()
        self.openai.boost(name, times, self.clock())
        for minutes in (35, 5):
            await self.polled(minutes)

    def limited(self, name: str = CHATBOT, cents: int = FORMER_CENTS) -> None:
        """The limit that the project had before anybody here did anything, or that somebody set elsewhere."""
        tenant, project = self.openai.tenant(), self.openai.project(name)
        body = {"threshold_amount": cents, "currency": "USD", "interval": "month"}
        with self.story.sentence(f"{name} is limited to {cents}"):
            limits = Limits(tenant.organization, tenant.levers, self.openai.behaviour, self.clock())
            limits.set_spend_limit(project, body)

    def cents(self, name: str = CHATBOT) -> int | None:
        """The spend limit as the provider has it."""
        return self.openai.project(name).spend_limit_cents

    def without(self, *rights: str) -> None:
        """The key loses rights at the provider; none named: it has all of them again."""
        keys = self.openai.organization.admin_keys
        keys[0] = replace(keys[0], rights=ALL_RIGHTS - set(rights))

    # -- what happens

    async def runaway(self, *, limit: str = "6", **terms: object) -> Incident:
        """Fifteen times the usual calls, until the whole limit and more is spent."""
        project = await self.project(CHATBOT)
        await self.a_budget(BudgetScope.PROJECT, project.id, limit, **terms)
        await self.surge()
        [incident] = await self.incidents()
        assert incident.level >= 100
        return incident

    async def a_budget(self, scope: BudgetScope, scope_id: int | None, amount: str, **terms: object) -> Budget:
        with self.story.sentence(f"a budget of {scope} {scope_id}: {amount}, {terms}"):
            return await super().a_budget(scope, scope_id, amount, **terms)

    async def acted(self) -> None:
        """What is due at the provider is done."""
        await self.bot.holding.work_due(WORKER)

    async def watched(self, minutes: int, *, after: int = 0) -> None:
        """Minute after minute goes by; usage is read, levers looked after.

        `after` so many in which nobody looked: what was asked for before them is done at once.
        """
        if after:
            await self.acted()
        self.clock.advance(minutes=after)
        for _ in range(minutes):
            self.clock.advance(minutes=1)
            if not await self.bot.watching.poll_due():
                # A reading does both by itself.
                await self.bot.evaluating.everywhere()
                await self.bot.stop_ends.everywhere()
            await self.acted()

    # -- what people do

    async def stopped(self, what: Subject, lever: Lever = Lever.STOP, **more: Any) -> StopShown:
        """The admin asks for a stop, and it is set: as far as the provider lets us."""
        asked = f"{lever} for {about(what)}, {more}"
        return await self.story.chapter(asked, partial(self._stopped, about(what), lever, more))

    async def _stopped(self, what: StopTarget, lever: Lever, more: Mapping[str, Any]) -> StopShown:
        shown = await self.bot.stopping.request(self.admin, what, lever, "재시도 루프", **more)
        await self.acted()
        return await self.again(shown)

    async def restore(self, shown: StopShown) -> StopShown:
        """The admin asks for what was before."""
        return await self.bot.stopping.restore(self.admin, shown.stop.id or 0)

    async def approve(
        self,
        what: Subject,
        way: ApprovalWay,
        amount: str = "",
        *,
        hours: float = 0,
        **more: Any,
    ) -> StopShown | None:
        """The admin lets spending go on; None where only the budget was changed. `hours` from now end an AMOUNT."""
        if hours:
            more["until"] = self.clock() + timedelta(hours=hours)
        return await self.bot.stopping.approve(self.admin, about(what), ApprovalWish(way, amount, **more))

    # -- how it stands

    async def window(self, what: Subject, **more: Any) -> BlastRadius:
        """What the window before a stop says to the admin."""
        return await self.bot.stopping.preview(self.admin, about(what), **more)

    async def alert(self, incident: Incident) -> IncidentShown:
        """What the message of an incident has to say."""
        return await self.bot.incidents.shown(WORKSPACE, incident.id or 0)

    async def again(self, shown: StopShown) -> StopShown:
        """A stop as it stands now."""
        return await self.bot.stopping.shown(WORKSPACE, shown.stop.id or 0)

    async def incident_now(self) -> Incident:
        """The newest incident as it stands now."""
        return (await self.incidents())[-1]


@asynccontextmanager
async def a_stopping_world(
    storage: Storage, clock: FakeClock, *, limited: tuple[str, ...] = (), policy: Policy | None = None,
    trace: Trace | None = None,
) -> AsyncIterator[World]:  # fmt: skip
    """A watched world; the projects named in `limited` have a limit of their own."""
    async with a_watched_world(storage, clock, policy=policy, trace=trace) as made:
        world = World(**vars(made))
        world.story = Story(world, (trace, policy, clock()))
        with closing(world.story):
            for name in limited:
                world.limited(name)
            yield world


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_stopping_world(quick_storage, clock) as made:
        yield made


def about(what: Subject) -> StopTarget:
    """What a button of an alert, of a stop, of a project or a team is about."""
    if isinstance(what, Incident):
        return StopTarget(incident_id=what.id)
    if isinstance(what, StopShown):
        return StopTarget(stop_id=what.stop.id)
    if isinstance(what, Team):
        return StopTarget(scope=f"team:{what.id}")
    return StopTarget(scope=f"project:{what.id}")


def kinds(shown: StopShown) -> list[StopEventKind]:
    """What happened to a stop, in order."""
    return [one.kind for one in shown.events]
