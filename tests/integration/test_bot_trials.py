"""Who may have a test alert sent, how many there are of it, and what the check-up says from then on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot import Bot
from bot.errors import Refusal, RefusalCode
from bot.results import Finding, FindingCode, Level
from bot.trials import trial_of
from finops.registry import Person, Team
from finops.trials import KIND, Trial
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    MINSU,
    SEOYEON,
    WORKSPACE,
    a_team,
)


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


async def found(bot: Bot) -> Finding | None:
    return next((one for one in await bot.doctor.examine(WORKSPACE) if one.code is FindingCode.TRIAL), None)


async def kept(bot: Bot) -> list[Trial]:
    async with bot.storage.reading() as store:
        return [trial_of(one) for one in await store.outbox.newest_of(WORKSPACE, KIND, 9)]


async def stands(bot: Bot, trial: Trial) -> None:
    """Slack has taken it."""
    async with bot.storage.writing() as store:
        [leased] = await store.outbox.lease("w", bot.clock(), bot.clock() - bot.clock(), 9)
        await store.outbox.sent(WORKSPACE, trial.key, "w", leased.version, trial.channel_id, "1.1", bot.clock())


async def test_whoever_manages_the_team_may_and_nobody_else(bot: Bot, team: Team):
    lead, member = [await bot.people.meet(WORKSPACE, "한빛소프트", who) for who in (MINSU, SEOYEON)]
    assert (await bot.trials.send(lead, team.id)).asked_by == MINSU.user_id
    with pytest.raises(Refusal) as refused:
        await bot.trials.send(member, team.id)
    assert refused.value.code is RefusalCode.NOT_TEAM_MANAGER
    with pytest.raises(Refusal) as unknown:
        await bot.trials.press(WORKSPACE, MINSU.user_id, "incident:1", None)
    assert unknown.value.code is RefusalCode.UNKNOWN_TRIAL
    async with bot.storage.reading() as store:
        acts = [row.entry async for row in store.audit.all(WORKSPACE) if row.entry.action == "team.tested"]
    assert [(one.actor, one.subject) for one in acts] == [(MINSU.user_id, f"team:{team.id}")]


@on_both_databases
async def test_two_wishes_at_once_are_one_and_one_that_was_refused_is_tried_anew(
    bot: Bot, admin: Person, team: Team, clock: FakeClock
):
    def ticking() -> datetime:
        clock.advance(seconds=0.001)
        return clock()

    busy = Bot(bot.storage, {}, ticking, bot.policy)
    lead = await bot.people.meet(WORKSPACE, "한빛소프트", MINSU)
    await asyncio.gather(*(busy.trials.send(person, team.id) for person in (admin, lead, admin, lead)))
    [first] = await kept(bot)
    assert (await bot.trials.send(admin, team.id)).key == first.key
    async with bot.storage.writing() as store:
        await store.outbox.lease("w", clock(), clock() - clock(), 9)
        await store.outbox.dead(WORKSPACE, first.key, "w", "is_archived")
        assert (await store.outbox.standing(WORKSPACE, clock()))[2] == 0, "the doctor tells of it on its own"
    finding = await found(bot)
    assert finding is not None
    assert (finding.level, finding.values["trouble"]) == (Level.WARN, "is_archived")
    clock.advance(seconds=5)
    again = await bot.trials.send(admin, team.id)
    assert (again.key, again.trouble) == (first.key, None)
    assert [one.trouble for one in await kept(bot)] == [None], "what is told is of this time, not of the last"
    await stands(bot, again)
    clock.advance(minutes=2)
    assert (await bot.trials.send(admin, team.id)).key != first.key, "another test of what stood already"


async def test_the_check_up_says_what_was_never_proved_until_a_press(bot: Bot, admin: Person, clock: FakeClock):
    """And for good: when the message is long forgotten, it is still known that clicks came back."""
    assert await found(bot) is None, "no team, no channel to try"
    team = await a_team(bot, admin)
    never = await found(bot)
    assert never is not None
    assert (never.level, never.values) == (Level.WARN, {})
    trial = await bot.trials.send(admin, team.id)
    await stands(bot, trial)
    waiting = await found(bot)
    assert waiting is not None
    assert (waiting.level, waiting.values["state"]) == (Level.WARN, "delivered")
    pressed = await bot.trials.press(WORKSPACE, SEOYEON.user_id, trial.key, clock())
    assert pressed.is_first
    second = await bot.trials.press(WORKSPACE, MINSU.user_id, trial.key, clock())
    assert (second.is_first, second.trial.pressed_by) == (False, SEOYEON.user_id)
    for days in (0, 400):
        clock.advance(days=days)
        async with bot.storage.writing() as store:
            await store.claims.forget_before(clock())
            if days:
                await store.outbox.lease("w", clock(), clock() - clock(), 9)
                await store.outbox.dead(WORKSPACE, trial.key, "w", "x")
                assert await store.outbox.forget_before(clock()) == 1
        finding = await found(bot)
        assert finding is not None
        assert finding.level is Level.OK
    assert finding.values == {}


async def test_a_clock_that_was_set_back_keeps_nobody_from_trying(
    bot: Bot, admin: Person, team: Team, clock: FakeClock
):
    """What was asked for by a clock a day ahead is no wish of a moment ago; two presses are one all the same."""
    ahead = await bot.trials.send(admin, team.id)
    await stands(bot, ahead)
    clock.moment -= timedelta(days=1)
    again = await bot.trials.send(admin, team.id)
    assert again.key != ahead.key
    clock.advance(seconds=5)
    assert (await bot.trials.send(admin, team.id)).key == again.key
    clock.moment -= timedelta(seconds=10)
    assert (await bot.trials.send(admin, team.id)).key == again.key, "the clocks of two replicas differ a little"
