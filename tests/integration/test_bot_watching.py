"""Watching reads usage once for everybody, fills its gaps exactly, and says when it cannot see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot import Bot, Policy
from bot.errors import OutageCode
from demo.trace import Usage
from finops.secret import Secret
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from providers.http import http_client
from storage import Storage
from tests.conftest import FakeClock
from tests.integration.bot_world import ATTEMPT_ONCE, WORKSPACE, FewDoors, blind_told, tls_context_once
from tests.integration.read_world import a_read_world
from tests.integration.watch_world import CHATBOT, MODEL, WRITER, World, a_watched_world


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    async with a_watched_world(storage, clock) as made:
        yield made


@pytest.fixture
async def quick_world(quick_storage: Storage, clock: FakeClock) -> AsyncIterator[World]:
    """The same on SQLite only, for what does not depend on the database."""
    async with a_read_world(quick_storage, clock) as made:
        yield made


def asked(world: World, endpoint: Endpoint = Endpoint.COMPLETIONS) -> list[str]:
    """The widths asked for of one endpoint, in order."""
    queries = [call.query for call in world.openai.calls if call.path.endswith(f"/usage/{endpoint.value}")]
    return [query.partition("bucket_width=")[2].partition("&")[0] for query in queries]


async def test_the_first_reading_is_wide_and_the_next_ones_are_minutes(quick_world: World):
    """Days, hours and two hours of minutes; from then on only what is new and its tail, in one call an endpoint."""
    quick_world.provider.doors = tuple(Endpoint)
    assert (await quick_world.polled()).result == "read"
    assert asked(quick_world) == ["1d", "1h", "1m"]
    quick_world.openai.calls.clear()
    await quick_world.polled(5)
    assert asked(quick_world) == ["1m"]
    assert len(quick_world.openai.calls) == len(Endpoint)


async def test_the_estimate_is_what_was_used_at_its_price_to_the_last_digit(world: World):
    """Whatever came by day, by hour or by minute, today and yesterday are exactly what the provider will bill."""
    midnight = world.clock().replace(hour=0, minute=0)
    await world.polled()
    for minutes in (5, 5, 7, 3):
        await world.polled(minutes)
    now = world.clock()
    assert await world.estimate() == sum(world.happened(one, midnight, now) for one in (CHATBOT, WRITER))
    yesterday = midnight - timedelta(days=1)
    assert await world.estimate(yesterday.date()) == sum(
        world.happened(one, yesterday, midnight) for one in (CHATBOT, WRITER)
    )


async def test_fresh_minutes_that_fill_up_later_are_corrected_and_never_counted_twice(quick_world: World):
    """Usage of the last ten minutes is still filling up: the tail is read again until it stands still."""
    quick_world.openai.behaviour.set({"fresh_minutes": 10})
    await quick_world.polled()
    for _ in range(6):
        await quick_world.polled(5)
    quick_world.openai.behaviour.set({"fresh_minutes": 0})
    await quick_world.polled(5)
    midnight = quick_world.clock().replace(hour=0, minute=0)
    assert await quick_world.estimate() == sum(
        quick_world.happened(one, midnight, quick_world.clock()) for one in (CHATBOT, WRITER)
    )


async def test_a_gap_is_filled_whatever_its_length(quick_world: World):
    """Down for two days and two hours: every minute is counted once, and none is missing."""
    await quick_world.polled(23)
    await quick_world.polled(60 * 50 + 17)
    today = quick_world.clock().replace(hour=0, minute=0)
    for back in range(3):
        start = today - timedelta(days=back)
        end = min(start + timedelta(days=1), quick_world.clock())
        assert await quick_world.estimate(start.date()) == sum(
            quick_world.happened(one, start, end) for one in (CHATBOT, WRITER)
        )


async def test_a_slot_is_read_by_one_replica_only(world: World, storage: Storage, clock: FakeClock):
    await world.polled()
    assert await world.bot.watching.poll_due() == []
    clock.advance(minutes=5)
    first, second = await world.bot.watching.due(), await world.bot.watching.due()
    assert ([one.id for one in first], second) == ([world.connection.id], [])


async def test_what_is_told_word_for_word_as_before_is_left_out(quick_world: World):
    """Most of a tail says what it said: only the minutes that differ are decoded, priced and stored."""
    provider = quick_world.bot.watching._desk.providers["openai"]
    key, now = Secret(quick_world.openai.admin_key), quick_world.clock()
    asked_for = (key, Endpoint.COMPLETIONS, Width.MINUTE, now - timedelta(minutes=20), now)
    first = await provider.usage(*asked_for)
    assert len(first.buckets) == len(first.marks) == 20
    assert (await provider.usage(*asked_for, known=first.marks)).buckets == ()
    application = quick_world.openai.project(CHATBOT).application
    late = _minute(quick_world) - 7
    quick_world.openai.tenant().traffic.record((application, MODEL), late, Usage(3, 900, 100, 300))
    again = await provider.usage(*asked_for, known=first.marks)
    assert [bucket.start for bucket in again.buckets] == [late]
    assert again.buckets != tuple(bucket for bucket in first.buckets if bucket.start == late)


async def test_a_provider_away_for_minutes_is_borne_and_for_a_quarter_of_an_hour_is_told_once(quick_world: World):
    await quick_world.polled()
    quick_world.openai.fail(path="/v1/organization/usage/completions", status=503)
    began = quick_world.clock() + timedelta(minutes=5)
    told = [(one.result, one.newly_blind) for one in [await quick_world.polled(5) for _ in range(5)]]
    assert told == [
        ("unavailable", False), ("unavailable", False), ("unavailable", False), ("unavailable", True),
        ("unavailable", False),
    ]  # fmt: skip
    [alert] = await quick_world.bot.blindness.alerts()
    assert (alert.since, alert.code) == (began, "unavailable")
    quick_world.openai.faults.clear()
    polled = await quick_world.polled(5)
    assert (polled.result, polled.recovered_since) == ("read", began)
    [said] = await blind_told(quick_world.bot)
    assert said.channel_id == quick_world.team.channel_id
    assert (said.subject["since"], said.subject["until"]) == (began.isoformat(), quick_world.clock().isoformat())
    assert await quick_world.bot.blindness.alerts() == []
    midnight = quick_world.clock().replace(hour=0, minute=0)
    assert await quick_world.estimate() == sum(
        quick_world.happened(one, midnight, quick_world.clock()) for one in (CHATBOT, WRITER)
    )


async def test_a_refused_key_is_told_at_once(quick_world: World):
    await quick_world.polled()
    quick_world.openai.fail(path="/v1/organization/usage/completions", status=401)
    polled = await quick_world.polled(5)
    assert polled.newly_blind
    assert polled.result.startswith("key_")


async def test_one_endpoint_of_nonsense_keeps_the_others_and_is_said_as_what_it_is(
    quick_storage: Storage, clock: FakeClock
):
    """Today cannot be estimated as a whole, but what could be read is kept, and bills are collected as ever."""
    async with a_read_world(quick_storage, clock, policy=Policy(backfill_days=10, blind_after_minutes=0)) as world:
        await world.polled()
        world.provider.doors = (Endpoint.COMPLETIONS, Endpoint.IMAGES)
        world.openai.fail(path="/v1/organization/usage/images", kind="wrong_shape")
        polled = await world.polled(5)
        assert (polled.result, polled.newly_blind) == (OutageCode.USAGE_UNREADABLE, True)
        midnight = clock().replace(hour=0, minute=0)
        assert await world.estimate() == sum(world.happened(one, midnight, clock()) for one in (CHATBOT, WRITER))


async def test_counts_beyond_anything_real_are_nonsense_and_told(
    quick_storage: Storage, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """They cannot be added up exactly: not kept, and nobody is left in the dark for it; what is sound is kept."""
    async with a_read_world(quick_storage, clock, policy=Policy(backfill_days=10, blind_after_minutes=0)) as world:
        await world.polled()
        ask = world.provider.usage

        async def absurd(key: Secret, endpoint: Endpoint, *of: Any) -> UsageReading:
            told = await ask(key, endpoint, *of)
            if endpoint is not Endpoint.IMAGES:
                return told
            row = UsageRow(told.start, endpoint.value, "", "gpt-image-1", "", "", is_batch=False, quantity=2**62)
            return replace(told, buckets=(UsageBucket(told.start, (row,)),))

        monkeypatch.setattr(world.provider, "usage", absurd)
        polled = await world.polled(5)
        assert polled.newly_blind
        assert polled.result == OutageCode.USAGE_UNREADABLE
        midnight = clock().replace(hour=0, minute=0)
        assert await world.estimate() == sum(world.happened(one, midnight, clock()) for one in (CHATBOT, WRITER))


async def test_a_mistake_of_ours_that_keeps_us_from_looking_is_borne_and_told_like_an_outage(
    quick_world: World, monkeypatch: pytest.MonkeyPatch
):
    """Whatever nobody thought of: for those who trust that somebody looks it makes no difference whose fault it is."""
    await quick_world.polled()
    began = quick_world.clock() + timedelta(minutes=5)

    async def stumble(*_: object) -> None:
        raise ZeroDivisionError("no share of nothing")

    with monkeypatch.context() as patched:
        patched.setattr(quick_world.provider, "usage", stumble)
        told = [(one.result, one.newly_blind) for one in [await quick_world.polled(5) for _ in range(4)]]
    assert told == [("internal", False), ("internal", False), ("internal", False), ("internal", True)]
    [alert] = await quick_world.bot.blindness.alerts()
    assert (alert.since, alert.code) == (began, "internal")
    polled = await quick_world.polled(5)
    assert (polled.result, polled.recovered_since) == ("read", began)
    [said] = await blind_told(quick_world.bot)
    assert (said.subject["since"], said.subject["until"]) == (began.isoformat(), quick_world.clock().isoformat())


async def test_a_clock_that_is_wrong_is_said_to_be(quick_world: World):
    """Days would turn, and budgets be held against them, at another hour: a person has to set a clock."""
    await quick_world.polled()
    quick_world.openai.clock = lambda: quick_world.clock() + timedelta(minutes=9)
    told = [(one.result, one.newly_blind) for one in [await quick_world.polled(5) for _ in range(4)]]
    assert told == [(OutageCode.CLOCK_SKEW, is_told) for is_told in (False, False, False, True)]


async def test_a_copy_whose_clock_is_wrong_blinds_nobody_while_another_one_sees(quick_world: World):
    """Twenty minutes ahead, beside one that is right: a message each five minutes said that nobody sees."""
    world = quick_world

    def ahead() -> datetime:
        return world.clock() + timedelta(minutes=20)

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            http_client(timeout=10.0, plaintext_hosts={"127.0.0.1"}, tls=tls_context_once())
        )
        wrong = FewDoors(http, world.openai.url, ahead, ATTEMPT_ONCE)
        other = Bot(world.bot.storage, {"openai": wrong}, ahead, world.bot.policy, world.prices)
        found: list[str] = []
        for _ in range(12):
            world.clock.advance(minutes=5)
            for bot in (world.bot, other):
                found += [one.result for one in await bot.watching.poll_due()]
    assert min(found.count("read"), found.count(OutageCode.CLOCK_SKEW)) >= 4, "both of them read"
    assert await blind_told(world.bot) == []


async def test_usage_that_stops_arriving_is_late_and_not_zero(quick_world: World):
    """It ran in this hour on each of the last seven days, and now nothing for longer than it ever took."""
    for _ in range(3):
        await quick_world.polled(5)
    silent_since = quick_world.clock()
    quick_world.openai.behaviour.set({"late_hours": 3})
    results = [(await quick_world.polled(minutes)).result for minutes in (15, 30, 30, 30, 30)]
    assert results[0] == "read"
    assert results[-1] == OutageCode.USAGE_LATE
    [alert] = await quick_world.bot.blindness.alerts()
    assert alert.since == silent_since
    quick_world.openai.behaviour.set({"late_hours": 0})
    assert (await quick_world.polled(5)).recovered_since == silent_since


async def test_what_a_provider_tells_an_hour_late_is_counted_when_it_comes(quick_world: World):
    """Its newest hour is told as empty, and then by and by: whole in the end, not only when it catches up at once."""
    began = quick_world.clock()
    midnight = began.replace(hour=0, minute=0)
    await quick_world.polled()
    behaviour = quick_world.openai.behaviour
    for late in ({"late_hours": 1}, {}, {}, {}, {"fresh_minutes": 17}, {}, {"late_hours": 0}, {"fresh_minutes": 0}):
        behaviour.set(late)
        await quick_world.polled(30)
        if not behaviour.fresh_minutes:
            known = max(quick_world.clock() - timedelta(hours=behaviour.late_hours), began)
            used = sum(quick_world.happened(one, midnight, known) for one in (CHATBOT, WRITER))
            assert await quick_world.estimate() == used


@pytest.mark.parametrize(
    "story",
    [
        [(0, 0), *[(8, 120)] * 4, (0, 5)],  # nothing for longer than a gap may be, and then everything at once
        [(0, 0), *[(8, 120)] * 4, (8, 60), (2, 60)],  # and then all but the last two hours
        [(0, 0), *[(2, 30)] * 3, (0, 400)],  # and then nobody asked
        [(8, 0), (8, 5), (0, 5)],  # from the beginning
    ],
)
async def test_what_a_provider_told_as_empty_for_hours_is_counted_when_it_comes(
    quick_world: World, story: list[tuple[int, int]]
):
    """What it tells in the end is not only the present: a budget would never hear of the hours between."""
    quick_world.clock.advance(hours=9)
    midnight = quick_world.clock().replace(hour=0, minute=0)
    for late_hours, minutes in story:
        quick_world.openai.behaviour.set({"late_hours": late_hours})
        await quick_world.polled(minutes)
    known = quick_world.clock() - timedelta(hours=late_hours)
    used = sum(quick_world.happened(one, midnight, known) for one in (CHATBOT, WRITER))
    assert await quick_world.estimate() == used


async def test_after_a_week_of_minutes_silence_is_noticed_within_the_hour(quick_world: World):
    for _ in range(3):
        await quick_world.polled(5)
    silent = _minute(quick_world)
    for back in range(1, 8):
        start = silent - back * 1440
        row = UsageRow(
            start + 3, Endpoint.COMPLETIONS.value, "proj", MODEL, "", "", is_batch=False, requests=1, input_tokens=1000
        )
        reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, start, start + 20, (UsageBucket(row.start, (row,)),))
        async with quick_world.bot.storage.writing() as store:
            await store.usage.replace(
                WORKSPACE, quick_world.connection.id, reading, [(row, 1, True)], quick_world.clock(), final_until=None
            )
    quick_world.openai.behaviour.set({"late_hours": 1})
    results = [(await quick_world.polled(5)).result for _ in range(5)]
    assert results[1] == "read"
    assert results[-1] == OutageCode.USAGE_LATE


async def test_lateness_is_measured_of_every_minute_that_is_new(quick_world: World):
    await quick_world.polled()
    for _ in range(3):
        polled = await quick_world.polled(5)
    assert polled.lateness == timedelta(0)
    quick_world.openai.behaviour.set({"late_hours": 0, "fresh_minutes": 0})
    async with quick_world.bot.storage.reading() as store:
        health = await store.healths.get(WORKSPACE, quick_world.connection.id)
    assert health is not None
    assert len(health.lateness_samples) == 3


async def test_new_prices_are_applied_to_what_was_estimated_and_that_is_logged(quick_world: World):
    await quick_world.polled()
    before = await quick_world.estimate()
    quick_world.prices.rates = type(quick_world.prices.rates)(Decimal(5), Decimal("0.5"), Decimal(30))
    quick_world.prices.version = "2"
    await quick_world.polled(5)
    midnight = quick_world.clock().replace(hour=0, minute=0)
    used = sum(quick_world.happened(one, midnight, quick_world.clock()) for one in (CHATBOT, WRITER))
    assert await quick_world.estimate() == 2 * used
    assert before < used
    async with quick_world.bot.storage.reading() as store:
        [logged] = await store.usage.repricings(WORKSPACE, quick_world.connection.id)
    assert (logged.from_version, logged.to_version) == ("1", "2")
    assert logged.after.amount == 2 * logged.before.amount


async def test_a_model_without_a_price_is_told_once_the_same_day_to_those_who_use_it(quick_world: World):
    """Not zero and not silent: one message to the team's channel, no second one with the next poll."""
    await quick_world.polled()
    chatbot = quick_world.openai.project(CHATBOT)
    quick_world.openai.tenant().traffic.record(
        (chatbot.application, "new-model"), _minute(quick_world) + 2, Usage(3, 900, 100, 300)
    )
    for _ in range(3):
        await quick_world.polled(5)
    [wanted] = await quick_world.to_be_sent()
    assert wanted.kind == "unpriced"
    assert wanted.channel_id == quick_world.team.channel_id
    assert wanted.subject["names"] == ["new-model"]
    assert wanted.urgency == 0
    async with quick_world.bot.storage.reading() as store:
        [noted] = await store.unpriced.since(WORKSPACE, quick_world.clock().date())
    assert (noted.endpoint, noted.model) == ("completions", "new-model")


def _minute(world: World) -> int:
    return int(world.clock().timestamp()) // 60
