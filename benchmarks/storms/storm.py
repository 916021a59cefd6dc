"""A storm: what people, the provider, the clock and death do to the product in one run, all of it drawn from a seed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.storms.checks import FINAL_STATES, at_any_moment, in_the_end, look
from benchmarks.storms.fate import Killed
from benchmarks.storms.weather import Outcome, Weather, limit_of
from benchmarks.storms.world import CHEAP, DEAR, Replica, World
from bot.errors import Refusal
from demo.openai import ALL_RIGHTS, KeyState
from finops.budgets import Budget, BudgetAction
from finops.levers import Lever
from finops.registry import Person
from finops.stop_report import ApprovalWish, StopTarget
from finops.stops import UNDER_WAY, ApprovalWay, Stop
from storage.stops_sql import STOPS

MOST_WRITES = 40  # of one round of work: three parts of a lever, some of them again
Click = Coroutine[Any, Any, None]


class Storm(Weather):
    """One run on one world. `children` is the database's address where some work is done by processes that die."""

    def __init__(self, world: World, seed: int, acts: int, children: str = "") -> None:
        super().__init__(world, seed)
        self.acts = acts
        self.children = children
        self.asked: set[int] = set()
        self.people = (world.admin, world.lead)

    async def run(self) -> Outcome:
        """Rage, calm down, and judge."""
        begun, world, outcome = time.perf_counter(), self.world, self.outcome
        await self._set_before()
        for number in range(self.acts):
            act = self.chance.choices([one for one, _ in self._menu()], [weight for _, weight in self._menu()])[0]
            outcome.told.append(f"{number} {world.clock.moment:%d %H:%M:%S} {act.__name__.strip('_')}")
            await act()
            wrong = [f"after act {number} ({act.__name__}): {one}" for one in at_any_moment(world, await look(world))]
            wrong += world.openai.truth.wrong
            outcome.wrong += wrong
            if wrong:
                break
        await self._calm()
        verdict = await in_the_end(world, self.asked)
        outcome.wrong += verdict.wrong
        outcome.counts += world.counts
        outcome.counts["restores"] = verdict.restores
        outcome.counts["exact"] = verdict.exact
        outcome.counts["lost"] = verdict.lost
        outcome.counts["hanging"] = verdict.hanging
        outcome.counts["messages"] = verdict.messages
        outcome.counts["races"] = world.openai.truth.races
        outcome.counts["writes"] = world.openai.truth.writes
        outcome.faults = world.openai.faults.counts
        outcome.wrong = list(dict.fromkeys(outcome.wrong))
        outcome.seconds = time.perf_counter() - begun
        return outcome

    def _menu(self) -> tuple[tuple[Callable[[], Awaitable[None]], int], ...]:
        return (
            (self._stop, 5), (self._ten_clicks, 1), (self._let_go_on, 4), (self._second, 2), (self._work, 10),
            (self._everything_at_once, 3), (self._watch, 2), (self._fault, 7), (self._clear, 2), (self._elsewhere, 3),
            (self._keys, 2), (self._time, 5), (self._retry, 1), (self._outsider, 1),
        )  # fmt: skip

    # --- before ------------------------------------------------------------------------------------------------------

    async def _set_before(self) -> None:
        """What people had set before us, and the rules of the budgets."""
        world, chance = self.world, self.chance
        for project in world.projects:
            here = project.provider_project_id
            cents = chance.choice((None, None, 1, chance.randint(2, 10**7)))
            if cents is not None:
                world.openai.limits_of().set_spend_limit(world.openai.organization.projects[here], limit_of(cents))
            if chance.random() < 0.4:
                world.openai.organization.projects[here].model_permissions = self._permissions()
            for model in (DEAR, CHEAP):
                if chance.random() < 0.4:
                    limits = {"max_requests_per_1_minute": chance.randint(1, 9000)}
                    if chance.random() < 0.5:
                        limits["max_requests_per_1_day"] = chance.randint(1, 10**6)
                    world.openai.organization.projects[here].rate_limits[model] = limits
            world.openai.truth.begin(world.openai.standing(here))
        for budget in await self._budgets():
            terms = replace(
                budget.terms,
                action=BudgetAction.STOP if chance.random() < 0.25 else BudgetAction.ASK,
                needs_two=chance.random() < 0.3,
            )
            await self._change_budget(budget, terms)

    async def _budgets(self) -> list[Budget]:
        async with self.world.storage.reading() as store:
            return await store.budgets.all(self.world.workspace_id)

    async def _change_budget(self, budget: Budget, terms: Any) -> None:
        world = self.world
        at = max(world.clock(), budget.updated_at + timedelta(microseconds=1))
        async with world.storage.writing() as store:
            await store.budgets.update(world.workspace_id, budget.id, terms=terms, by=world.admin.user_id, at=at)

    # --- people ------------------------------------------------------------------------------------------------------

    async def _stop(self) -> None:
        """One or two people stop something."""
        count = self.chance.choice((1, 1, 2))
        if self.children and self.chance.random() < 0.5:
            await self._child(f"stop {self._target()}")
            return
        await self._round([self._stopping(self.chance.choice(self.people)) for _ in range(count)])
        if self.chance.random() < 0.7:
            await self._work()

    async def _ten_clicks(self) -> None:
        """Somebody presses the same button ten times."""
        person, target, lever = self.chance.choice(self.people), self._target(), Lever.STOP
        await self._round([self._stopping(person, target, lever, is_wide=False) for _ in range(10)])

    async def _let_go_on(self) -> None:
        """Somebody, or two, approve or restore."""
        stops = await self._stops()
        if not stops:
            return
        chosen = self.chance.choice(stops)
        if self.children and self.chance.random() < 0.5:
            await self._child(f"restore {chosen.id}")
            return
        count = self.chance.choice((1, 1, 1, 2))
        await self._round([self._approving(self.chance.choice(self.people), chosen) for _ in range(count)])
        if self.chance.random() < 0.6:
            await self._work()

    async def _second(self) -> None:
        """The second person's word, where one is asked for."""
        for stop in await self._stops():
            if stop.pending is not None:
                person, replica = self.chance.choice(self.people), self._any()
                call = replica.bot.stopping.agree if self.chance.random() < 0.7 else replica.bot.stopping.decline
                await self._round([self._clicked(replica, call(person, stop.id or 0))])
                return

    async def _retry(self) -> None:
        """Somebody mended what stood in the way, or thinks so."""
        stops = await self._stops(even_over=True)
        if stops:
            replica, stop = self._any(), self.chance.choice(stops)
            call = replica.bot.stopping.retry(self.chance.choice(self.people), stop.id or 0)
            await self._round([self._clicked(replica, call)])

    async def _outsider(self) -> None:
        """Somebody who may not."""
        world, replica = self.world, self._any()
        for call in [
            replica.bot.stopping.request(world.outsider, self._target(), Lever.STOP, "놀라서"),
            *(replica.bot.stopping.restore(world.outsider, one.id or 0) for one in (await self._stops())[:1]),
        ]:
            try:
                await call
            except Refusal:
                self.world.counts["refused"] += 1
            else:
                self.outcome.wrong.append("somebody stopped or restored what they may not")

    async def _stopping(
        self,
        person: Person,
        target: StopTarget | None = None,
        lever: Lever | None = None,
        *,
        is_wide: bool | None = None,
    ) -> None:
        replica, wide = self._any(), self.chance.random() < 0.3 if is_wide is None else is_wide
        lever = lever or self.chance.choices((Lever.STOP, Lever.CHEAP, Lever.SLOW), (6, 2, 2))[0]
        call = replica.bot.stopping.request(person, target or self._target(), lever, "재시도 루프", is_wide=wide)

        async def noted() -> None:
            shown = await call
            self.world.counts["stops"] += 1
            self.asked.add(shown.stop.id or 0)

        await self._clicked(replica, noted())

    async def _approving(self, person: Person, stop: Stop) -> None:
        replica, chance = self._any(), self.chance
        way = chance.choices(list(ApprovalWay), (2, 3, 1, 4))[0]
        until = self.world.clock() + timedelta(minutes=chance.choice((5, 20, 90)))
        amount = {ApprovalWay.AMOUNT: chance.choice(("0.5", "5", "500")), ApprovalWay.BUDGET: "100000"}.get(way, "")
        wish = ApprovalWish(way, amount, until, restops=chance.random() < 0.6)
        by_incident = stop.incident_id is not None and chance.random() < 0.5
        target = StopTarget(incident_id=stop.incident_id) if by_incident else StopTarget(stop_id=stop.id)
        self.world.counts["approvals"] += 1
        if way is ApprovalWay.RESTORE and chance.random() < 0.5:
            await self._clicked(replica, replica.bot.stopping.restore(person, stop.id or 0))
        else:
            await self._clicked(replica, replica.bot.stopping.approve(person, target, wish))

    def _target(self) -> StopTarget:
        world = self.world
        scopes = [f"project:{one.id}" for one in world.projects] + [f"team:{world.team.id}"]
        incidents = [StopTarget(incident_id=one) for one in world.incident_ids]
        return self.chance.choice([*incidents, *incidents, *(StopTarget(scope=one) for one in scopes)])

    async def _clicked(self, replica: Replica, call: Coroutine[Any, Any, Any]) -> None:
        """A click ends in what was asked for, in a refusal, or with the death of who heard it: never in a bug."""
        try:
            await call
        except Refusal as refused:
            self.world.counts["refused"] += 1
            self.outcome.told.append(f"    refused: {refused.code}")
        except Exception as error:  # noqa: BLE001 - whatever else it is, it is a bug
            self.outcome.wrong.append(f"a click ended in {type(error).__name__}: {error}")

    # --- the product's own work --------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """One or two copies look after what is due."""
        chosen = self.chance.choice((self.world.replicas, self.world.replicas, self.world.replicas[:1]))
        before = self.world.openai.truth.writes
        await self._round([self._working(one) for one in chosen])
        if self.world.openai.truth.writes - before > MOST_WRITES:
            self.outcome.wrong.append("the provider was hammered: the same was written again and again")

    async def _working(self, replica: Replica) -> None:
        if self.children and self.chance.random() < 0.5:
            await self._child("work")
        else:
            await replica.bot.holding.work_due(replica.name)

    async def _child(self, order: str) -> None:
        """A process of its own does it, and may be killed in mid-work by nothing less than SIGKILL."""
        world = self.world
        world.born += 1
        dies_at = self.chance.choice((0, *range(1, 26)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.storms.child", self.children, world.storage_parts[1].to_text(),
            world.openai.url, world.workspace_id, f"child-{world.born}", world.clock().isoformat(), str(dies_at), order,
            cwd=Path(__file__).parents[2], env={"PATH": os.environ.get("PATH", "")}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, words = await process.communicate()
        if process.returncode == -signal.SIGKILL:
            world.counts["kills"] += 1
            world.counts["killed by SIGKILL"] += 1
        elif process.returncode:
            self.outcome.wrong.append(f"a process broke: {words.decode()[-600:]}")

    async def _everything_at_once(self) -> None:
        """People click while levers move and ends are looked for."""
        acts = [self._working(one) for one in self.world.replicas]
        acts.append(self._ending(self._any()))
        stops = [stop for stop in await self._stops() if self.chance.random() < 0.6]
        acts += [self._approving(self.chance.choice(self.people), stop) for stop in stops]
        if self.chance.random() < 0.6:
            acts.append(self._stopping(self.chance.choice(self.people)))
        await self._round(acts)

    async def _watch(self) -> None:
        """A minute goes by and usage is read, by one copy or by both at once."""
        await self.world.advance(minutes=1)
        chosen = self.chance.choice((self.world.replicas, [self._any()], [self._any()]))
        await self._round([self._polling(one) for one in chosen])

    async def _polling(self, replica: Replica) -> None:
        await replica.bot.watching.poll(self.world.connection)
        await self._ending(replica)

    async def _ending(self, replica: Replica) -> None:
        await replica.bot.evaluating.evaluate(self.world.workspace_id)
        await replica.bot.stop_ends.look(self.world.workspace_id)

    async def _round(self, acts: list[Click]) -> None:
        """Let all of them happen at once; a copy may die of it, and another one rises."""
        world = self.world
        if self.chance.random() < 0.45:
            self._any().fate.left = self.chance.randint(1, 8 + 6 * len(acts))
        for error in await world.turns.play(acts):
            if not _is_death(error):
                raise error
        for one in list(world.replicas):
            one.fate.left = None
            if one.fate.is_dead:
                self.outcome.told.append(f"    {one.name} died {one.fate.where}")
                world.rise(one)

    def _any(self) -> Replica:
        return self.chance.choice(self.world.replicas)

    async def _stops(self, *, even_over: bool = False) -> list[Stop]:
        async with self.world.storage.reading() as store:
            if even_over:
                return await store.stops._stops(STOPS, self.world.workspace_id)
            return await store.stops.active(self.world.workspace_id)

    # --- after -------------------------------------------------------------------------------------------------------

    async def _calm(self) -> None:
        """Everything works again, everything is put back, and days go by until nothing is left to do."""
        world = self.world
        await self._clear()
        [key] = self.keys
        key.rights, key.state = ALL_RIGHTS, KeyState.ACTIVE
        for budget in await self._budgets():
            await self._change_budget(budget, replace(budget.terms, action=BudgetAction.ASK))
        for name in (one.name for one in world.projects):
            world.openai.boost(name, 1)
        await world.advance(minutes=8)
        for _ in range(6):
            for _ in range(3):
                is_held = await self._restored()
                await world.advance(minutes=6)
                await self._worked_off()
                if not is_held:
                    break
            # Nobody calls any more: the provider need not decide every minute of these days.
            world.openai.tenant().levers._months.clear()
            await world.advance(hours=25)
            await self._ending(world.replicas[0])
            if all(one.state in FINAL_STATES for one in await self._stops(even_over=True)):
                await self._worked_off()
                return

    async def _worked_off(self) -> None:
        for _ in range(4):
            if not sum([await one.bot.holding.work_due(one.name) for one in self.world.replicas]):
                return

    async def _restored(self) -> bool:
        """Whoever may puts back what is held, the second one agrees where it takes two; whether anything was."""
        stopping = self.world.replicas[0].bot.stopping
        held = [one for one in await self._stops() if one.state in UNDER_WAY]
        for stop in held:
            for person in self.people:
                try:
                    await stopping.restore(person, stop.id or 0)
                except Refusal as refused:
                    self.outcome.told.append(f"    in the end refused: {refused.code}")
        return bool(held)


def _is_death(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_death(one) for one in error.exceptions)
    return isinstance(error, Killed)
