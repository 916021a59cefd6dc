"""From the provider's usage to what Slack shows: a reminder in the thread, then the message with its buttons again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from blocks import ids
from bot import Policy
from bot.metrics import Metrics
from demo.slack import SimulatedSlack
from finops.budgets import BudgetScope
from jobs.watcher import Watcher
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.outbox_world import Office, OneSlack
from tests.integration.watch_world import WRITER, World, a_steady_trace, a_watched_world


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock) as simulated:
        yield simulated


@pytest.fixture
async def world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    policy, trace = Policy(backfill_days=1), a_steady_trace(2)
    async with a_watched_world(quick_storage, clock, policy=policy, trace=trace) as made:
        yield made


async def test_what_somebody_took_care_of_and_goes_on_asks_in_the_thread_and_opens_again(
    world: World, slack: SimulatedSlack, clock: FakeClock
) -> None:
    """Two posts in two hours, both in the thread and in no channel, naming one person each; the buttons are back."""
    await world.a_budget(BudgetScope.TEAM, world.team.id, "30")
    await world.polled()
    world.openai.boost(WRITER, 60, clock())
    await world.polled(35)
    [incident] = await world.incidents()
    office, watcher = Office(world.bot, slack, clock, OneSlack(slack)), Watcher(world.bot, Metrics(), clock)
    deliverer = office.deliverer()
    await world.bot.incidents.acknowledge(world.admin, incident.id or 0)
    await office.rounds(deliverer, 6)
    before = len(slack.calls)
    for _ in range(2):
        await world.polled(60)
        await watcher.evaluate()
        await watcher.evaluate()
        await office.rounds(deliverer, 6)
    posted = [one for one in slack.calls[before:] if one.method == "chat.postMessage" and one.ok]
    said = [one for one in posted if "지출이 계속되고 있습니다" in one.text or "다시 열렸습니다" in one.text]
    root = await world.root(incident)
    assert root is not None
    assert [(one.args.get("thread_ts"), bool(one.args.get("reply_broadcast"))) for one in said] == [
        (root.ts, False)
    ] * 2
    assert f"<@{world.admin.user_id}>" in said[0].text
    assert f"<@{world.team.lead_user_id}>" in said[1].text
    edited = [one for one in slack.calls if one.method == "chat.update" and one.ok][-1]
    assert "확인 후 2시간 동안 조치가 없어 다시 열렸습니다" in str(edited.args)
    assert ids.MORE_ACKNOWLEDGE in str(edited.args)
