"""When the charge day turns: of a day that nobody has looked at yet nothing is said, and never that it cost nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from blocks import status as told
from blocks.live import today as said_of
from finops.charges import FigureState
from finops.events import RecordedCall
from finops.queries import ScopeKind
from finops.value import Outcome
from locales import translator_for
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE
from tests.integration.watch_world import CHATBOT, MODEL, a_watched_world, collected


async def test_a_day_that_nobody_has_looked_at_yet_is_no_day_of_nothing(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """Between midnight and the first reading nobody knows; and longer where the provider cannot be read by then."""
    async with a_watched_world(quick_storage, clock) as world:
        await collected(world)
        reports, admin = world.bot.reports, world.admin
        clock.moment = datetime(2026, 7, 6, 23, 58, tzinfo=UTC)
        await world.polled()
        before = (await reports.status(WORKSPACE, admin, "today")).figure
        assert before.amount is not None
        assert before.amount.amount > 40
        clock.moment = datetime(2026, 7, 7, 0, 1, tzinfo=UTC)
        status = await reports.status(WORKSPACE, admin, "today")
        assert status.figure.is_not_yet_collected
        home = await reports.home(WORKSPACE, admin)
        assert home.live is not None
        assert home.live.today is None
        for key in world.openai.organization.admin_keys:
            key.expires_at = clock()
        clock.advance(minutes=2)
        await world.bot.watching.poll(world.connection)
        status = await reports.status(WORKSPACE, admin, "today")
        assert (status.figure.amount, status.figure.state) == (None, FigureState.BLIND)
        assert not status.figure.is_not_yet_collected
        for key in world.openai.organization.admin_keys:
            key.expires_at = None
        clock.advance(minutes=2)
        await world.bot.watching.poll(world.connection)
        status = await reports.status_of(WORKSPACE, ScopeKind.WORKSPACE, None, "today")
        assert status.figure.amount is not None
        assert 0 < status.figure.amount.amount < 1
        assert status.figure.as_of is not None
        assert clock() - status.figure.as_of <= timedelta(minutes=5)


async def test_a_day_that_nobody_can_look_at_is_told_as_it_was_seen_and_is_not_the_next_one(
    quick_storage: Storage, clock: FakeClock
) -> None:
    """A key runs out at ten in the evening.

    What was seen until then is not less than yesterday, nor was yesterday nothing. On the next day today is unknown
    since then, and says when somebody looked last with its date.
    """
    async with a_watched_world(quick_storage, clock) as world:
        await collected(world)
        clock.moment = datetime(2026, 7, 6, 13, 0, tzinfo=UTC)
        await world.polled()
        project = await world.project(CHATBOT)
        calls = [
            RecordedCall(f"{n}", f"{n}", clock(), model=MODEL, cost_nano=42_000_000, outcome=Outcome.SUCCESS)
            for n in range(9)
        ]
        async with world.bot.storage.writing() as store:
            await store.value.record(WORKSPACE, project.id, calls)
        seen = await world.bot.reports.status(WORKSPACE, world.admin, "today")
        for key in world.openai.organization.admin_keys:
            key.expires_at = clock()
        clock.advance(minutes=20)
        await world.bot.watching.poll(world.connection)
        report = await world.bot.reports.status(WORKSPACE, world.admin, "today")
        assert (report.figure.amount, report.figure.state) == (seen.figure.amount, FigureState.BLIND)
        assert seen.value.cost_per_success is not None
        assert report.value.cost_per_success == seen.value.cost_per_success
        said = str(told.message(report, translator_for("ko-KR", "Asia/Seoul")).arguments())
        assert "확인 불가" in said
        assert "직전 기간" not in said
        assert "오늘 지금까지" not in said

        clock.advance(days=1)
        await world.bot.watching.poll(world.connection)
        report = await world.bot.reports.status(WORKSPACE, world.admin, "month")
        for live in (report.live, (await world.bot.reports.home(WORKSPACE, world.admin)).live):
            assert live is not None
            assert live.today is not None
            assert (live.today.state, live.value.successes) == (FigureState.BLIND, 0)
            said = str(said_of(live.today, translator_for("ko-KR", "Asia/Seoul")))
            assert "7월 6일 22:00" in said
