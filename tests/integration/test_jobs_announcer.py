"""Jobs tell each thing once, to those it concerns, through a strict simulated Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_mock import MockerFixture
from slack_sdk.web.async_client import AsyncWebClient

import jobs
from bot import Bot, Policy
from bot.results import Finished, Progress
from bot.settings import Settings
from demo.slack import SimulatedSlack
from finops.registry import Person, Team
from jobs.announcer import Announcer
from jobs.worker import Worker, guarded
from storage import KeyRing
from storage.records import CollectionState
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import (
    KEY,
    WORKSPACE,
    LittleOpenAI,
    a_team,
    blind_told,
    worked,
)

TODAY = date(2026, 7, 6)
CHANNEL = "C0MARKET01"


class OneWorkspace:
    """The clients app.py hands out, for one workspace."""

    def __init__(self, slack: SimulatedSlack) -> None:
        self._client = AsyncWebClient(token=slack.config.bot_token, base_url=slack.api_url, retry_handlers=[])

    async def of(self, workspace_id: str) -> AsyncWebClient:
        if workspace_id != WORKSPACE:
            raise LookupError(workspace_id)
        return self._client

    def forget(self, workspace_id: str) -> None:
        """There is one token, and it stays."""


@pytest.fixture
def database_kind() -> str:
    """What is said does not depend on the database; that it is said once does, and asks for both."""
    return "sqlite"


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock) as simulated:
        yield simulated


@pytest.fixture
def policy(days: int) -> Policy:
    return Policy(backfill_days=days, blind_after_minutes=0)


@pytest.fixture
async def team(bot: Bot, admin: Person) -> Team:
    made = await a_team(bot, admin, channel=CHANNEL)
    await bot.connections.register_key(admin, made.id, KEY)
    return made


@pytest.fixture
def announcer(bot: Bot, slack: SimulatedSlack) -> Announcer:
    return Announcer(bot, OneWorkspace(slack), edit_every_seconds=0.0)


@pytest.fixture
def settings(slack: SimulatedSlack, ring: KeyRing, tmp_path: object) -> Settings:
    environ = slack.client_settings() | {
        "FINOPS_KEYS": ring.to_text(),
        "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/unused.db",
    }
    return Settings.from_env(environ)


async def announced(bot: Bot, announcer: Announcer, worker: str = "worker") -> None:
    while await Worker(bot, announcer, worker).work_one():
        pass


def calls(slack: SimulatedSlack, method: str) -> list[str]:
    return [call.text for call in slack.calls if call.method == method and call.ok]


@on_both_databases
@pytest.mark.parametrize("days", [16])
async def test_progress_is_one_direct_message_that_ends_as_the_first_chart(
    bot: Bot, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team
):
    """Posted once, edited as days arrive, a chart at the end; and the asker's Home tab keeps up with it."""
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await announced(bot, announcer)
    assert len(calls(slack, "chat.postMessage")) == 1
    updates = [call for call in slack.calls if call.method == "chat.update" and call.ok]
    assert len(updates) == 3  # two more chunks and the end
    assert any(block["type"] == "data_visualization" for block in updates[-1].blocks)
    published = [call for call in slack.calls if call.method == "views.publish"]
    assert len(published) == 4  # with every chunk, and at the end
    assert all(call.ok and call.args["user_id"] == admin.user_id for call in published)
    assert slack.complaints == []


async def test_edits_keep_a_pace_a_person_can_read(bot: Bot, slack: SimulatedSlack, admin: Person, team: Team):
    await bot.projects.register(admin, team.id, ["proj_chat"])
    await announced(bot, Announcer(bot, OneWorkspace(slack), edit_every_seconds=3600))
    assert (len(calls(slack, "chat.postMessage")), len(calls(slack, "chat.update"))) == (1, 1)


async def test_a_workspace_without_charts_gets_the_same_facts_in_words(
    bot: Bot, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team
):
    await bot.projects.register(admin, team.id, ["proj_chat"])
    events = bot.collecting.work_one("worker")
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                slack.fail("chat.update", error="invalid_blocks")
            await announcer.tell(event)
    last = [call for call in slack.calls if call.method == "chat.update"][-1]
    assert last.ok
    assert not any(block["type"] == "data_visualization" for block in last.blocks)


async def test_what_nobody_asked_for_is_told_to_nobody(
    bot: Bot, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team, clock: FakeClock
):
    """The daily reading makes no noise."""
    clock.moment = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
    await bot.collecting.due(clock())
    await announced(bot, announcer)
    assert [call.method for call in slack.calls] == []


async def test_a_failed_backfill_says_so_to_the_one_who_waits(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team,
    clock: FakeClock,
):  # fmt: skip
    """The progress message says what happened and when it goes on; the next try edits the same message."""
    await bot.projects.register(admin, team.id, ["proj_chat"])
    openai.status = 503
    await announced(bot, announcer)
    posted = [call for call in slack.calls if call.method == "chat.postMessage" and call.ok]
    assert [call.args["channel"] for call in posted] == [admin.user_id]
    assert [one.channel_id for one in await blind_told(bot)] == [CHANNEL]  # the team's, for the deliverer
    openai.status = 200
    clock.advance(minutes=2)
    await announced(bot, Announcer(bot, OneWorkspace(slack), edit_every_seconds=0.0))
    assert len(calls(slack, "chat.postMessage")) == 1


@pytest.mark.parametrize("refused", ["message_not_found", "edit_window_closed", "is_inactive", "ratelimited"])
async def test_the_end_is_told_though_the_progress_cannot_be_edited(
    bot: Bot, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team, refused: str
):
    """Deleted, too old, edited too often: whoever saw it begin sees it end, once."""
    await bot.projects.register(admin, team.id, ["proj_chat"])
    slack.fail("chat.update", error=refused, times="always")
    await announced(bot, announcer)
    begun, ended = calls(slack, "chat.postMessage")
    assert begun != ended
    last = [call for call in slack.calls if call.method == "chat.postMessage"][-1]
    assert any(block["type"] == "data_visualization" for block in last.blocks)


async def test_a_failure_that_lasts_is_told_anew_once(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team,
    clock: FakeClock,
):  # fmt: skip
    """Each try again would be a message of its own."""
    await bot.projects.register(admin, team.id, ["proj_chat"])
    events = bot.collecting.work_one("worker")
    async with aclosing(events):
        async for event in events:
            await announcer.tell(event)
            slack.fail("chat.update", error="edit_window_closed", times="always")
            openai.status = 418
    for _ in range(4):
        clock.advance(minutes=20)
        await announced(bot, announcer)
    assert len(calls(slack, "chat.postMessage")) == 2


async def test_slack_being_away_never_stops_a_collection(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team
):
    await bot.projects.register(admin, team.id, ["proj_chat"])
    slack.fail("*", error="internal_error", times="always")
    await announced(bot, announcer)
    assert len(slack.calls) == 2, "the beginning and the end: nobody waits for Slack at every step"
    async with bot.storage.reading() as store:
        row = await store.collections.latest(WORKSPACE, 1)
    assert row is not None
    assert row.state is CollectionState.DONE


async def test_everything_runs_by_itself_from_the_moment_projects_are_chosen(
    bot: Bot, slack: SimulatedSlack, admin: Person, team: Team, clock: FakeClock, settings: Settings
):
    """Workers are woken, the message arrives, Home is drawn; closing leaves nothing running."""
    async with jobs.running(bot, OneWorkspace(slack), clock, settings, poll_seconds=60.0):
        await bot.projects.register(admin, team.id, ["proj_chat"])
        while await bot.collecting.progress(WORKSPACE):
            await slack.next("views.publish", timeout_seconds=20)
    assert len(calls(slack, "chat.postMessage")) == 1
    assert await bot.collecting.progress(WORKSPACE) == ()


async def test_a_missed_slot_is_made_up_for_at_start(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, admin: Person, team: Team, clock: FakeClock,
    settings: Settings,
):  # fmt: skip
    clock.moment = datetime(2026, 7, 9, 5, 0, tzinfo=UTC)
    openai.asked.clear()
    openai.costs_asked.clear()
    async with jobs.running(bot, OneWorkspace(slack), clock, settings, poll_seconds=60.0):
        await openai.costs_asked.wait()
    assert openai.asked[0][2] == date(2026, 7, 9)


async def test_a_clock_that_is_put_back_stops_nobody_from_looking(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, admin: Person, team: Team, clock: FakeClock,
    settings: Settings, mocker: MockerFixture,
):  # fmt: skip
    """By an hour, as the scheduler sees it: the morning's bill was read an hour late, and what ended went on."""
    machine = mocker.patch("apscheduler.schedulers.base.datetime")  # it goes by no other clock
    machine.now.side_effect = datetime.now
    async with jobs.running(bot, OneWorkspace(slack), clock, settings, poll_seconds=60.0, look_seconds=0.02):
        await openai.costs_asked.wait()
        machine.now.side_effect = lambda zone: datetime.now(zone) - timedelta(hours=1)
        while await bot.collecting.progress(WORKSPACE):
            await slack.next("views.publish", timeout_seconds=20)
        openai.costs_asked.clear()
        openai.asked.clear()
        clock.advance(days=1)
        await openai.costs_asked.wait()
    assert openai.asked[0][2] == date(2026, 7, 7)


@pytest.mark.parametrize("days", [16])
async def test_shutting_down_in_mid_backfill_gives_the_rest_back_at_once(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, admin: Person, team: Team, announcer: Announcer
):
    """What is stored is kept, the row is free without waiting for a lease, and the next process goes on there."""
    await bot.projects.register(admin, team.id, ["proj_chat"])
    worker = Worker(bot, announcer, "leaving")
    worker.stop()
    assert await worker.work_one()
    [left] = await bot.collecting.progress(WORKSPACE)
    assert (left.state, left.days_done) == ("queued", 7)
    told = await worked(bot, "staying")
    assert [event.collection.days_done for event in told if isinstance(event, Progress)] == [14, 16]


async def test_a_worker_survives_what_nobody_thought_of(caplog: pytest.LogCaptureFixture):
    """The failure is logged once with a reference; the worker comes back for more."""

    async def stumble() -> bool:
        raise ZeroDivisionError("share of nothing")

    assert not await guarded(stumble)
    [record] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert record.__dict__["reference"]


async def test_no_message_of_ours_holds_a_key(
    bot: Bot, openai: LittleOpenAI, slack: SimulatedSlack, announcer: Announcer, admin: Person, team: Team,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    caplog.set_level("DEBUG")
    await bot.projects.register(admin, team.id, ["proj_chat"])
    openai.keys[KEY].is_revoked = True
    await announced(bot, announcer)
    said = "\n".join([*(str(call.args) for call in slack.calls), *(str(one.__dict__) for one in caplog.records)])
    assert "abc1" not in said.replace("hanbit", "")
    assert KEY not in said
