"""Several copies of the product, and time that passes: each thing is done once, and nothing is missed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from aiohttp import web

from demo.once import ledger, provider_total
from demo.slack.cast import TEAM_ID
from demo.stage import playing
from finops.charges import FigureState
from finops.figures import HomeReport
from finops.money import EXACT
from finops.periods import Period, charge_day
from handlers.addresses import BOT, STORAGE
from storage.records import Collection, CollectionKind
from tests.conftest import FakeClock
from tests.e2e.stages import (
    JIHOON,
    MARKETING,
    MINSU,
    Stage,
    answer_to,
    idle,
    ids,
    scene,
    set_up,
    window,
    words_of,
)  # fmt: skip

# Ten minutes before nine in Seoul: the charge day of 5 July is not closed yet by ten minutes.
BEFORE_NINE = datetime(2026, 7, 5, 23, 50, tzinfo=UTC)


async def history(stage: Stage, kind: CollectionKind) -> list[Collection]:
    """Every collection of a kind there ever was, oldest first."""
    found = []
    async with stage.product[STORAGE].reading() as store:
        [connection] = await store.connections.all(TEAM_ID)
        newest = await store.collections.latest(TEAM_ID, connection.id)
        for number in range(1, newest.id + 1 if newest else 0):
            one = await store.collections.get(TEAM_ID, number)
            found += [one] if one is not None and one.kind is kind else []
    return found


async def assert_the_ledger_is_the_bill(stage: Stage, days: int = 21) -> None:
    """By the provider's own sum, over the last `days` closed days."""
    today = charge_day(stage.product[BOT].clock())
    period = Period(today - timedelta(days=days), today)
    by_project, by_day = await ledger(stage, period)
    whole = Decimal(0)
    for amount in by_day.values():
        whole = EXACT.add(whole, amount)
    assert whole == await provider_total(stage, period)
    assert sum(by_project.values()) == whole


async def nine_strikes(*copies: web.Application) -> int:
    """Every copy looks at the same moment; how many collections that made."""
    made = await asyncio.gather(*(copy[BOT].collecting.due(copy[BOT].clock()) for copy in copies))
    return sum(made)


async def test_two_copies_do_each_thing_once(database_url: str) -> None:
    """On one database and one Slack: one team, one back-fill, one progress message, one alarm, one answer."""
    clock = FakeClock(BEFORE_NINE)
    async with scene(database_url, clock=clock) as stage, playing(stage.settings, clock) as (other, _):
        await stage.slack.connected(2, timeout_seconds=20)
        person = stage.slack.person(JIHOON)
        await person.command("/finops setup")
        await window(stage, person, ids.SETUP_TEAM)
        wish = {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
        await asyncio.gather(*(person.submits(None, wish) for _ in range(2)), return_exceptions=True)
        async with stage.product[STORAGE].reading() as store:
            assert len(await store.teams.all(TEAM_ID)) == 1
        person.closes(everything=True)
        await set_up(stage)
        assert len(await history(stage, CollectionKind.BACKFILL)) == 1
        assert len([call for call in stage.slack.calls if call.method == "chat.postMessage"]) == 1
        clock.advance(minutes=10)
        assert await nine_strikes(stage.product, other) >= 1
        await idle(stage)
        assert len(await history(stage, CollectionKind.DAILY)) == 1
        assert await nine_strikes(other, stage.product) == 0
        await assert_the_ledger_is_the_bill(stage)
        stage.openai.fail(path="/v1/organization/costs", status=401)
        await answer_to(stage, person, "/finops collect")
        await stage.slack.until(lambda: "확인 불가" in str(stage.slack.messages(MARKETING)), 30)
        await asyncio.gather(nine_strikes(stage.product, other), idle(stage))
        async with playing(stage.settings, clock):  # a third copy looks around as soon as it stands
            await stage.slack.connected(3, timeout_seconds=20)
            await stage.slack.settled()
        assert len([said for said in stage.slack.messages(MARKETING) if "확인 불가" in words_of(said)]) == 1

        def answers() -> list[str]:  # how a collection went is told in the same place, whenever that is
            said = [words_of(one) for one in stage.slack.messages(person.dm)]
            return [words for words in said if "얼마나 확실한 금액인지 보여 드립니다" in words]

        await person.says(person.dm, "도움말")
        await stage.slack.redeliver(1)
        await stage.slack.redeliver(2)
        await stage.slack.until(lambda: bool(answers()), 15)
        await stage.slack.settled()
        assert len(answers()) == 1


async def test_nine_in_the_morning_downtime_and_a_month_that_turns(quick_url: str) -> None:
    """The daily reading at nine in Seoul; three days of darkness made up for; July whole on the first of August."""
    clock = FakeClock(BEFORE_NINE)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(scene(quick_url, clock=clock))
        await set_up(stage)
        clock.advance(minutes=9, seconds=59)
        assert await nine_strikes(stage.product) == 0, "the slot of the day before is older than the connection"
        clock.advance(seconds=1)
        assert await nine_strikes(stage.product) >= 1
        await idle(stage)
        [daily] = await history(stage, CollectionKind.DAILY)
        assert daily.slot == "2026-07-06T00:00:00+00:00"
        assert daily.period.end == clock().date()
        report = await the_home(stage)
        assert (report.yesterday.state, report.yesterday.period.start) == (FigureState.PROVISIONAL, date(2026, 7, 5))
        await assert_the_ledger_is_the_bill(stage)

        await stage.product.cleanup()
        clock.advance(days=12, hours=5)  # longer than a daily reading looks back
        product, url = await stack.enter_async_context(playing(stage.settings, clock))
        stage = replace(stage, product=product, url=url)
        await stage.slack.connected(timeout_seconds=20)
        await caught_up(stage, dailies=2)
        await assert_the_ledger_is_the_bill(stage)
        assert len(await history(stage, CollectionKind.CATCH_UP)) >= 1

        clock.moment = datetime(2026, 8, 1, 0, 0, 1, tzinfo=UTC)
        await nine_strikes(stage.product)
        await caught_up(stage, dailies=3)
        await assert_the_ledger_is_the_bill(stage, days=31)
        report = await the_home(stage)
        july = Period(date(2026, 7, 1), date(2026, 8, 1))
        assert report.last_month.amount is not None
        assert report.last_month.period == july
        assert report.last_month.amount.amount == await provider_total(stage, july)
        assert report.month_to_date.amount is None, "nothing of August is closed: unknown, and never a zero"

        clock.moment -= timedelta(hours=1)
        before = await ledger(stage, july)
        await nine_strikes(stage.product)
        await answer_to(stage, stage.slack.person(JIHOON), "/finops collect")
        await idle(stage)
        assert await ledger(stage, july) == before, "a clock that jumps back loses and doubles nothing"
        slots = [one.slot for one in await history(stage, CollectionKind.DAILY)]
        assert len(slots) == len(set(slots))


async def the_home(stage: Stage) -> HomeReport:
    bot = stage.product[BOT]
    person = await bot.people.known(TEAM_ID, JIHOON)
    assert person is not None
    return await bot.reports.home(TEAM_ID, person)


async def caught_up(stage: Stage, dailies: int) -> None:
    """Wait until so many daily readings were made, and nothing waits any more."""
    async with asyncio.timeout(30):
        while len(await history(stage, CollectionKind.DAILY)) < dailies:  # noqa: ASYNC110 - the queue is in a database
            await asyncio.sleep(0.02)
    await idle(stage)
