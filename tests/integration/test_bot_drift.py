"""Drift: each bill teaches the next estimates, and only bills that are whole teach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot import drift as drifting
from demo.prices import Rates
from finops.charges import Charge, ChargedDay, FigureState
from finops.estimates import CorrectionBasis, DriftSample
from finops.periods import starts_at
from finops.queries import ScopeKind
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import WORKSPACE, worked
from tests.integration.read_world import World, a_read_world
from tests.integration.watch_world import CHATBOT, MODEL, RATES, WRITER, day_of


@pytest.fixture
async def quick(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_read_world(quick_storage, clock) as made:
        yield made


async def samples(world: World) -> list[DriftSample]:
    async with world.bot.storage.reading() as store:
        return (await store.drifts.since(WORKSPACE, date(2026, 1, 1))).get(world.connection.id, [])


async def test_estimates_at_the_right_price_are_the_bill_whichever_was_read_first(quick: World) -> None:
    """Bills before usage (a new connection) are compared when usage comes; later ones as they are read."""
    await quick.collected()
    assert await samples(quick) == []
    await quick.polled()
    found = await samples(quick)
    today = quick.clock().date()
    # Yesterday's bill was read within the hour of its end: it may not be whole yet, and teaches nothing.
    assert {one.day for one in found} == {today - timedelta(days=back) for back in range(2, 11)}
    assert all(one.estimated == one.billed > 0 and one.model == MODEL for one in found)
    drift = await quick.bot.spending.drift(WORKSPACE)
    assert drift is not None
    assert (drift.ratio, drift.corrected_ratio) == (0, 0)


async def test_a_first_reading_killed_before_it_learned_is_made_up_for_by_the_next(
    quick: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its usage is stored by then, so the next is not the first any more; the bills of weeks have taught nothing."""
    await quick.collected()

    async def killed(*_: object) -> int:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(drifting, "learned_so_far", killed)
        with pytest.raises(asyncio.CancelledError):
            await quick.bot.watching.poll_due()
    assert await samples(quick) == []
    await quick.polled(5)
    assert len({one.day for one in await samples(quick)}) == 9


async def test_a_day_whose_usage_was_not_read_to_its_end_teaches_when_it_is(quick: World) -> None:
    """After a downtime the bill may be there first; half a day of usage beside it looked like a price twice too low."""
    await quick.polled()
    day = quick.clock().date()
    quick.clock.moment = datetime(2026, 7, 7, 7, 0, tzinfo=UTC)
    await quick.collected()
    assert day not in {one.day for one in await samples(quick)}
    await quick.polled()
    found = [one for one in await samples(quick) if one.day == day]
    assert found
    assert all(one.estimated == one.billed > 0 for one in found)


async def test_a_wrong_price_is_corrected_by_what_bills_taught_and_said(quick: World) -> None:
    """Listed a quarter too dear: the uncorrected estimate is off, the corrected one is the bill."""
    quick.prices.rates = Rates(*(rate * Decimal("1.25") for rate in (RATES.input, RATES.cached_input, RATES.output)))
    await quick.collected()
    await quick.polled()
    today = quick.clock().date()
    midnight = quick.clock().replace(hour=0, minute=0)
    chatbot = await quick.project(CHATBOT)
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.PROJECT, chatbot.id, day_of(today))
    assert abs(spent.amount.amount - quick.happened(CHATBOT, midnight, quick.clock())) < Decimal("1e-8")
    drift = await quick.bot.spending.drift(WORKSPACE)
    assert drift is not None
    assert drift.ratio == Decimal("0.25")
    async with quick.bot.storage.reading() as store:
        taught = (await quick.bot.spending.taught(store, WORKSPACE))[quick.connection.id]
    correction = taught.corrections.of(chatbot.provider_project_id, MODEL)
    assert (correction.ratio, correction.basis) == (Decimal("0.8"), CorrectionBasis.PROJECT)


async def test_a_bill_read_again_is_compared_again_and_known_at_once(quick: World) -> None:
    """Yesterday's bill, whole the next morning, changes what is known of estimates without a restart."""
    await quick.collected()
    await quick.polled()
    before = await quick.bot.spending.drift(WORKSPACE)
    yesterday = quick.clock().date() - timedelta(days=1)
    quick.openai.restate(yesterday, CHATBOT, factor=Decimal("1.5"))
    quick.clock.moment = datetime(2026, 7, 7, 0, 30, tzinfo=UTC)
    await quick.polled()
    await quick.bot.collecting.due(quick.clock())
    await quick.collected()
    assert yesterday in {one.day for one in await samples(quick)}
    after = await quick.bot.spending.drift(WORKSPACE)
    assert before is not None
    assert after is not None
    assert before.billed / before.estimated == 1
    assert after.billed > after.estimated


async def test_an_empty_bill_is_late_and_the_estimate_goes_on_speaking(quick: World) -> None:
    """The day is over, its bill was asked for and told nothing: that is not a day without cost."""
    await quick.polled()
    today = quick.clock().date()
    quick.clock.moment = datetime(2026, 7, 7, 7, 30, tzinfo=UTC)
    await quick.polled()
    async with quick.bot.storage.writing() as store:
        empty = ChargedDay(today, ())
        await store.charges.replace_day(WORKSPACE, quick.connection.id, empty, quick.clock())
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.WORKSPACE, None, day_of(today))
    assert spent.amount == spent.estimated
    assert spent.amount.amount == await quick.estimate(today) > 0
    assert today not in {one.day for one in await samples(quick)}


async def test_an_empty_bill_of_a_day_with_usage_is_nowhere_a_day_without_cost(quick: World) -> None:
    """Nine in Seoul is midnight in UTC, and no bill may be there yet; what is there in the end is no restatement."""
    await quick.collected()
    quick.clock.moment = datetime(2026, 7, 6, 23, 0, tzinfo=UTC)
    await quick.polled()
    quick.openai.behaviour.set({"late_hours": 30})
    quick.clock.moment = datetime(2026, 7, 7, 0, 0, 5, tzinfo=UTC)
    await quick.bot.collecting.due(quick.clock())
    await worked(quick.bot)
    status = await quick.bot.reports.status(WORKSPACE, quick.admin, "yesterday")
    assert (status.figure.amount, status.figure.state, status.figure.unread_days) == (None, FigureState.BLIND, 1)
    quick.openai.behaviour.set({"late_hours": 0})
    quick.clock.moment += timedelta(days=1)
    await quick.bot.collecting.due(quick.clock())
    await worked(quick.bot)
    day = date(2026, 7, 6)
    status = await quick.bot.reports.status(WORKSPACE, quick.admin, "2026-07-06")
    assert status.figure.amount is not None
    assert status.figure.amount.amount == sum(
        quick.happened(one, starts_at(day), starts_at(day) + timedelta(days=1)) for one in (CHATBOT, WRITER)
    )
    async with quick.bot.storage.reading() as store:
        assert await store.restatements.of(WORKSPACE, day_of(day)) == []


async def test_what_is_explained_of_a_day_is_what_is_said_of_it_everywhere(quick: World) -> None:
    """Its bill was read before it was whole, and usage knows more by now: a budget counts that, a report the bill."""
    await quick.polled()
    quick.openai.behaviour.set({"late_hours": 2})
    quick.clock.moment = datetime(2026, 7, 7, 0, 0, 5, tzinfo=UTC)
    await quick.collected()
    quick.openai.behaviour.set({"late_hours": 0})
    quick.clock.moment = datetime(2026, 7, 7, 3, 0, tzinfo=UTC)
    await quick.polled()
    told = (await quick.bot.reports.status(WORKSPACE, quick.admin, "yesterday")).figure
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.WORKSPACE, None, told.period)
    assert told.amount is not None
    assert spent.amount.amount > told.amount.amount
    report = await quick.bot.why.asked(WORKSPACE, quick.admin, "yesterday")
    assert (report.why.now, report.why.before) == (told.amount, report.previous.amount)
    assert sum(one.why.difference.amount for one in report.movers) == report.why.difference.amount


async def test_a_line_of_the_bill_that_no_usage_explains_is_told(quick: World) -> None:
    """A model that is billed and in no estimate: the estimate lacks it, and its team should know."""
    await quick.polled()
    yesterday = quick.clock().date() - timedelta(days=1)
    chatbot = await quick.project(CHATBOT)

    def line(item: str) -> Charge:
        return Charge(yesterday, chatbot.provider_project_id, item, Decimal(1), "USD")

    items = ("gpt-9-preview, output", f"{MODEL}, input", "web search tool calls")
    day = ChargedDay(yesterday, tuple(line(item) for item in items))
    desk = quick.bot.watching._desk
    await drifting.learned(desk, quick.connection, day)
    await drifting.learned(desk, quick.connection, day)
    [told] = await quick.to_be_sent()
    assert (told.kind, told.channel_id) == ("unpriced", quick.team.channel_id)
    assert told.subject["names"] == ["gpt-9-preview, output"]


async def test_what_bills_taught_of_a_wrong_price_is_not_held_against_the_right_one(quick: World) -> None:
    """Listed a quarter too dear, corrected by what bills taught, then set right: that is not corrected once more."""
    wrong = Rates(*(rate * Decimal("1.25") for rate in (RATES.input, RATES.cached_input, RATES.output)))
    quick.prices.rates = wrong
    await quick.collected()
    await quick.polled()
    compared = {one.day for one in await samples(quick)}
    await quick.bot.spending.drift(WORKSPACE)  # what is remembered of the lessons has to go as well
    quick.prices.rates, quick.prices.version = RATES, "2"
    await quick.polled(5)
    midnight, chatbot = quick.clock().replace(hour=0, minute=0), await quick.project(CHATBOT)
    spent = await quick.bot.spending.spent(WORKSPACE, ScopeKind.PROJECT, chatbot.id, day_of(quick.clock().date()))
    assert abs(spent.amount.amount - quick.happened(CHATBOT, midnight, quick.clock())) < Decimal("1e-8")
    found = await samples(quick)
    assert {one.day for one in found} == compared
    assert all(one.estimated == one.billed > 0 for one in found)
