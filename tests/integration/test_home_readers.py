"""What waits for whom on Home: through a real runaway, a stop, two people and an allowance."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import Policy
from bot.stop_beside import stop_of
from finops.approvals import HomeReader, WaitingFor
from finops.budgets import BudgetAction
from finops.incident_report import IncidentShown
from finops.owners import Because
from finops.registry import Person, Role
from finops.stop_report import ApprovalWish
from finops.stops import ApprovalWay, StopState
from handlers import home
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import (
    KEY,
    SEOYEON,
    WORKSPACE,
    Key,
    LittleOpenAI,
    a_bot,
    a_company,
    a_team,
    an_admin,
    worked,
)
from tests.integration.stopping_world import CHATBOT, World, about
from tests.integration.stopping_world import world as world
from tests.unit.listening import SEOYEON as REPORTER
from tests.unit.listening import FakeSlack, a_visit

GROUP, EMMA = "S0FINANCE1", "U0EMMA0001"


class Groups:
    """Slack, asked who is in a user group: Emma in those she holds; and of which groups it was asked."""

    def __init__(self, *held: str) -> None:
        self.held = held
        self.asked: list[str] = []

    async def __call__(self, group: str) -> frozenset[str]:
        self.asked.append(group)
        return frozenset({EMMA} if group in self.held else ())


async def home_of(
    world: World, person: Person, groups: Groups | None = None, incidents: Sequence[IncidentShown] = (),
    open_count: int = 0,
) -> HomeReader:  # fmt: skip
    return await world.bot.home_readers.of(person, incidents, groups or Groups(), open_count=open_count)


def kinds(reader: HomeReader) -> list[WaitingFor]:
    return [one.kind for one in reader.approvals]


async def test_everything_that_waits_is_shown_to_those_who_decide_and_to_nobody_else(world: World) -> None:
    """A budget asks; it is stopped; the restore needs two; it is allowed on terms; each time the others see nothing."""
    admin, bot = world.admin, world.bot
    member = replace(admin, user_id=EMMA, role=Role.MEMBER)
    second = replace(admin, user_id="U0MINSU001")
    assert await home_of(world, admin) == HomeReader(manages=True)

    incident = await world.runaway(action=BudgetAction.ASK, needs_two=True)
    live = (await bot.reports.home(WORKSPACE, admin)).live
    assert live is not None
    assert kinds(await home_of(world, admin, incidents=live.incidents)) == [WaitingFor.LIMIT]
    assert await home_of(world, member, incidents=live.incidents) == HomeReader()
    # Of many alerts Home shows the worst; whoever is asked about another one is asked all the same.
    assert kinds(await home_of(world, admin, open_count=live.incident_count)) == [WaitingFor.LIMIT]

    shown = await world.stopped(incident)
    [one] = (await home_of(world, admin, incidents=live.incidents)).approvals
    assert (one.kind, one.stop and one.stop.stop.id, one.place) == (WaitingFor.RESTORE, shown.stop.id, None)
    assert one.stop is not None
    assert one.stop.told_at == world.clock()  # so that the times of a stop of another day have their date
    async with bot.storage.reading() as store:
        held = await stop_of(store, await world.project(CHATBOT), world.clock())
    assert held is not None
    assert held.stop.id == shown.stop.id

    await world.restore(shown)
    assert kinds(await home_of(world, second)) == [WaitingFor.SECOND]
    own = await home_of(world, admin)
    assert (kinds(own), [one.stop and one.stop.stop.id for one in own.asked], own.asked_count) == (
        [],
        [shown.stop.id],
        1,
    )
    assert not (await home_of(world, second)).asked
    assert not (await home_of(world, member)).asked
    beside = [(await bot.project_details.stop_of(one, (await world.project(CHATBOT)).id))[1] for one in (admin, second)]
    assert [one and one.is_own_wish for one in beside] == [True, False]
    await bot.stopping.decline(second, shown.stop.id or 0)

    until = world.clock() + timedelta(hours=1)
    wish = ApprovalWish(ApprovalWay.AMOUNT, "900", until, restops=True)
    for person in (admin, second):
        await bot.stopping.approve(person, about(incident), wish)
    await world.acted()
    async with bot.storage.reading() as store:
        stop = await store.stops.get(WORKSPACE, shown.stop.id or 0)
        allowed = await stop_of(store, await world.project(CHATBOT), world.clock())
    assert stop is not None
    assert stop.state is StopState.ALLOWED
    assert allowed is not None
    assert kinds(await home_of(world, admin)) == [WaitingFor.END]
    assert await home_of(world, member) == HomeReader()


async def test_a_wish_whose_time_is_over_asks_nobody_and_keeps_nothing_from_being_decided(world: World) -> None:
    """The stop waits for a restore again, and who asks for one begins anew instead of agreeing to what is past."""
    admin, bot = world.admin, world.bot
    second = replace(admin, user_id="U0MINSU001")
    incident = await world.runaway(action=BudgetAction.ASK, needs_two=True)
    stop_id = (await world.stopped(incident)).stop.id or 0
    await world.approve(incident, ApprovalWay.AMOUNT, "900", hours=1)
    assert kinds(await home_of(world, second)) == [WaitingFor.SECOND]
    assert (await home_of(world, admin)).asked_count == 1
    world.clock.advance(hours=2)
    for person in admin, second:
        assert kinds(await home_of(world, person)) == [WaitingFor.RESTORE]
        assert not (await home_of(world, person)).asked
    asked = (await bot.stopping.restore(second, stop_id)).stop
    assert (asked.state, asked.pending and asked.pending.by) == (StopState.STOPPED, second.user_id)


async def test_what_home_offers_an_approver_of_a_group_depends_on_their_rights_and_not_on_what_waits(
    world: World,
) -> None:
    """The settings are there while nothing waits, and Slack is asked once for however many look; never for an admin."""
    team = (await world.bot.teams.all(WORKSPACE))[0]
    await world.bot.teams.update(world.admin, team.id, approvers=[GROUP])
    member = replace(world.admin, user_id=EMMA, role=Role.MEMBER)
    other, guest = replace(member, user_id="U0OTHER001"), replace(member, role=Role.OUTSIDER)
    slack = Groups(GROUP)
    assert await home_of(world, world.admin, slack) == HomeReader(manages=True)
    assert await home_of(world, guest, slack) == HomeReader()
    assert slack.asked == []
    assert await asyncio.gather(*[home_of(world, member, slack)] * 3) == [HomeReader(manages=True)] * 3
    assert await home_of(world, other, slack) == HomeReader()
    assert slack.asked == [GROUP]
    await world.stopped(await world.runaway())
    assert len((await home_of(world, member, slack)).approvals) == 1
    assert (await home_of(world, other, slack)).approvals == ()
    assert slack.asked == [GROUP] * 2  # the runaway took longer than an answer holds
    world.clock.advance(minutes=5)
    left = Groups()
    assert (await home_of(world, member, left), left.asked) == (HomeReader(), [GROUP])


async def test_home_says_so_where_slack_does_not_tell_the_readers_user_groups(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a group is not shown as nothing to whoever may be one of it; a group that is gone has nobody."""
    await world.bot.teams.update(world.admin, world.team.id, approvers=[GROUP])
    await world.stopped(await world.runaway())
    slack, told = FakeSlack(), []
    for trouble in ("ratelimited", "no_such_subteam", "timeout"):
        if trouble == "timeout":
            monkeypatch.setattr(slack, "usergroups_users_list", _late)
        else:
            slack.refuses["usergroups.users.list"] = trouble
        world.clock.advance(minutes=5)
        await home.publish(a_visit(world.bot, slack, REPORTER))  # type: ignore[arg-type]
        told.append("사용자 그룹을 확인하지 못해" in str(slack.told("views.publish")[-1]["view"]))
    assert told == [True, False, True]


async def _late(**_: object) -> None:
    raise TimeoutError


async def test_costs_without_a_team_are_listed_until_somebody_registers_them(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Each with the name the provider gives it and who may own it; registered, it is gone at the next look."""
    async with LittleOpenAI().running() as openai:
        company = a_company(clock().date(), 3)
        openai.keys[KEY] = Key(company)
        async with a_bot(quick_storage, openai, clock, Policy(backfill_days=3)) as bot:
            admin = await an_admin(bot)
            team = await a_team(bot, admin)
            await bot.connections.register_key(admin, team.id, KEY)
            await bot.projects.register(admin, team.id, ["proj_chat"])
            await worked(bot)

            async def told() -> HomeReader:
                top = (await bot.reports.home(WORKSPACE, admin)).top
                found = await bot.home_readers.of(admin, (), Groups(), unowned_of=top.total)
                [rest] = [share.amount for share in top.shares if share.is_unallocated]
                assert found.unowned_count == len(found.unowned)
                assert sum(one.amount.amount for one in found.unowned) == rest.amount, "as in the table above it"
                return found

            before = await told()
            named = [one for one in before.unowned if one.name]
            assert {(one.team, one.suggested and one.suggested.because) for one in named} == {(team.name, Because.KEY)}
            member = replace(admin, role=Role.MEMBER, user_id="U9")
            whole = (await bot.reports.home(WORKSPACE, admin)).top.total
            assert await bot.home_readers.of(member, (), Groups(), unowned_of=whole) == HomeReader()

            # A lead is told whose it may be; what is registered is registered for a team of their own.
            await bot.teams.create(admin, "데이터팀", SEOYEON, "C0FINOPS01")
            lead = await bot.people.meet(WORKSPACE, "한빛소프트", SEOYEON)
            others = await bot.home_readers.of(lead, (), Groups(), unowned_of=whole)
            assert (others.unowned, others.unowned_team, before.unowned_team) == (before.unowned, None, team.id)

            # A bill that was read a moment ago: while one is collected, Home is drawn with every step.
            company.charge(clock().date() - timedelta(days=1), "proj_search", "77.5")
            await bot.collecting.start_manual(admin)
            await worked(bot)
            assert max(one.amount.amount for one in (await told()).unowned) > 77

            await bot.projects.register_all(admin, team.id)
            assert {one.name for one in (await told()).unowned} == {""}
