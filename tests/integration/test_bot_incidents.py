"""What people do about an incident: one click, one action, seen by all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from blocks import incident_detail, reviews
from blocks import incidents as speak
from bot import telling
from bot.errors import Refusal, RefusalCode
from bot.incidents import Silence, until
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import Charge, ChargedDay, FigureState
from finops.incidents import EventKind, IncidentState
from finops.money import Money
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.why import Factor, WhyKind
from jobs.outbox import KEPT
from locales import translator_for
from storage import Storage
from storage.records_live import OutboxState
from storage.tables_live import usage_days, usage_hours
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, on_both_databases
from tests.integration.live_world import (
    ACCOUNT,
    ATTO_PER_DOLLAR,
    MODEL,
    TODAY,
    TWO_O_CLOCK,
    World,
    a_row,
    a_runaway,
    neighbour_of,
    used,
)

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


async def delivered(world: World) -> list[str]:
    """Slack takes everything that waits; the keys, in order."""
    keys = []
    while True:
        now = world.clock()
        async with world.storage.writing() as store:
            found = await store.outbox.lease("test", now, timedelta(minutes=1), 10, [])
            for one in found:
                await store.outbox.sent(WORKSPACE, one.key, "test", one.version, "C0MARKET01", f"{one.id}.0", now)
        if not found:
            return keys
        keys += [one.key for one in found]


@on_both_databases
async def test_the_golden_message_comes_out_of_storage_word_for_word(world: World) -> None:
    """$742 of $500 against $50 at 14:00, from usage rows and bills to the first two lines."""
    incident_id = await world.breached()
    shown = await world.bot.incidents.shown(WORKSPACE, incident_id)
    assert speak.root(shown, translator_for("ko-KR", "Asia/Seoul")).text == (
        "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)\n"
        "chatbot-experiment · 평소($50) 대비 1,384% 증가 · 추정 · 14:00 기준"
    )
    assert shown.spent.amount == Money.of("742")
    assert (shown.percent, shown.increase) == (148, Decimal("13.84"))
    assert (shown.usual.amount, shown.usual.days) == (Money.of("50"), 28)


async def test_who_was_silent_until_it_surged_surges_since_that_minute(storage: Storage, clock: FakeClock) -> None:
    """Its first usage is the first minute there is, not as far back as minutes are known: the hour was told instead."""
    world = await a_runaway(storage, clock, spent="0")
    began, end = TWO_O_CLOCK - timedelta(minutes=40), TWO_O_CLOCK
    minutes = range(int(began.timestamp()) // 60, int(end.timestamp()) // 60)
    price = 700 * ATTO_PER_DOLLAR // len(minutes)
    await used(storage, world.tenant, {one: [(a_row(one, 10), price)] for one in minutes}, end)
    [incident] = await world.evaluate()
    assert incident.since == began


async def test_the_cause_is_a_retry_loop_at_fifteen_times_the_calls(world: World) -> None:
    """$742 against $50 is 14.84 times the calls; since it surges, against the same hours of the week before."""
    shown = await world.bot.incidents.shown(WORKSPACE, await world.breached())
    assert shown.cause is not None
    assert shown.cause.kind is WhyKind.RETRY_LOOP
    changes = {part.factor: part.change for part in shown.cause.parts}
    requests = changes[Factor.REQUESTS]
    assert requests is not None
    assert abs(requests - Decimal("14.84")) < Decimal("0.1")
    assert {changes[Factor.INPUT_LENGTH], changes[Factor.OUTPUT_LENGTH]} == {1}
    t = translator_for("ko-KR")
    assert "호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심" in str(speak.root(shown, t).blocks)
    assert f"{t.clock(shown.since)}부터 급증" in str(speak.root(shown, t).blocks)


async def test_why_it_happened_is_known_when_its_day_is_billed_too(world: World) -> None:
    """A review is drafted the day after: the bill is there by then, and says neither who called nor how often."""
    incident_id = await world.breached()
    before = (await world.bot.incidents.shown(WORKSPACE, incident_id)).cause
    assert before is not None
    bill = ChargedDay(TODAY, (Charge(TODAY, ACCOUNT, f"{MODEL}, input", Decimal(800), "USD"),))
    async with world.storage.writing() as store:
        now = world.clock.advance(days=1)
        await store.charges.replace_day(WORKSPACE, world.tenant.connection.id, bill, now)
    review = await world.bot.reviews.draft(world.admin, incident_id)
    assert review.shown.cause == before
    assert review.shown.headline_project is not None
    assert "• …" not in reviews.prepared(review, translator_for("ko-KR"))


async def test_the_chart_shows_seven_bills_and_todays_estimate(world: World) -> None:
    """Each day with its state."""
    shown = await world.bot.incidents.shown(WORKSPACE, await world.breached())
    assert [point.amount for point in shown.trend] == [Money.of("50")] * 7 + [Money.of("742")]
    assert shown.trend[-1].state is FigureState.ESTIMATE
    assert FigureState.ESTIMATE not in [point.state for point in shown.trend[:-1]]


async def test_the_chart_knows_of_which_day_it_has_a_part_alone(world: World) -> None:
    """Of two organizations one was not read, and no usage tells what it may have cost: the bar is too short."""
    partly = TODAY - timedelta(days=3)
    async with world.storage.writing() as store:
        other = await store.connections.create(
            WORKSPACE, provider="openai", organization_id="org-2", organization_name="둘째", at=MOMENT
        )
        for number in range(1, 8):
            if TODAY - timedelta(days=number) != partly:
                empty = ChargedDay(TODAY - timedelta(days=number), ())
                await store.charges.replace_day(WORKSPACE, other.id, empty, MOMENT)
        terms = BudgetTerms(BudgetScope.WORKSPACE, None, BudgetPeriod.DAY, Money.of("500"), channel_id="C0MARKET01")
        await store.budgets.create(WORKSPACE, terms, by=world.admin.user_id, at=MOMENT)
        midnight = int(starts_at(partly).timestamp()) // 60
        for table in (usage_hours, usage_days):
            of_day = table.c.start.between(midnight, midnight + 1439)
            await store.usage._db.execute(delete(table).where(of_day))
    [_, everything] = sorted(await world.evaluate(), key=lambda one: one.scope_kind is ScopeKind.WORKSPACE)
    assert everything.id is not None
    trend = (await world.bot.incidents.shown(WORKSPACE, everything.id)).trend
    assert [point.day for point in trend if point.unread_days] == [partly]
    assert [point.amount for point in trend[:-1]] == [Money.of("50")] * 7


async def test_the_details_add_up_to_what_the_message_says(world: World) -> None:
    """Hours, models, keys and projects: each of them comes to the same $742."""
    detail = await world.bot.incidents.detail(WORKSPACE, await world.breached())
    spent = detail.shown.spent.amount
    assert sum((amount.amount for _, amount in detail.hours), Decimal(0)) == spent.amount
    assert [hour for hour, _ in detail.hours] == [datetime(2026, 7, 6, hour, tzinfo=UTC) for hour in range(5)]
    for breakdown in (detail.models, detail.keys, detail.projects):
        assert breakdown is not None
        assert breakdown.total == spent
    assert detail.requests == 742 * 30
    assert detail.tokens == detail.requests * 1400
    assert detail.provider_project_id == "proj_chat"
    assert detail.projects is not None
    assert detail.projects.shares[0].name == "chatbot-experiment"


async def test_the_details_say_which_hours_stand_against_which(world: World) -> None:
    """A factor that moved from 10 to 148 says nothing by itself: since the surge, and the same hours of seven days."""
    detail = await world.bot.incidents.detail(WORKSPACE, await world.breached())
    cause = detail.shown.cause
    assert cause is not None
    assert cause.hours is not None
    assert (cause.hours.start, cause.hours.end, cause.hours.days) == (detail.shown.since, TWO_O_CLOCK, 7)
    t = translator_for("ko-KR", "Asia/Seoul")
    said = str(incident_detail.view(detail, t))
    assert f"{t.moment(detail.shown.since)}~{t.clock(TWO_O_CLOCK)} KST, 직전 7일 같은 시간대 평균과 비교" in said
    assert f"{t.money(cause.now)}, 평소 {t.money(cause.before)}" in said


async def test_today_is_answered_with_the_estimate_and_its_parts(world: World) -> None:
    """`/finops status today` before any bill: how much, by whom, as an estimate; Home shows the alert first."""
    await world.breached()
    report = await world.bot.reports.status(WORKSPACE, world.admin, "today")
    assert (report.figure.amount, report.figure.state) == (Money.of("742"), FigureState.ESTIMATE)
    assert report.increase is None
    assert [(share.name, share.amount) for share in report.breakdown.shares] == [
        ("chatbot-experiment", Money.of("742"))
    ]
    month = await world.bot.reports.status(WORKSPACE, world.admin, "마케팅팀 month")
    assert month.figure.amount == Money.of("250")
    assert month.live is not None
    assert month.live.today is not None
    assert month.live.today.amount == Money.of("742")
    home = await world.bot.reports.home(WORKSPACE, world.member)
    assert home.live is not None
    assert [shown.percent for shown in home.live.incidents] == [148]
    assert home.live.incident_count == 1


async def test_one_click_acknowledges_for_everybody(world: World) -> None:
    """The root is drawn anew at once, the thread has its line, and nobody is asked twice."""
    incident_id = await world.breached()
    await delivered(world)
    world.clock.advance(minutes=3)
    await world.bot.incidents.acknowledge(world.member, incident_id)
    incident = await world.incident(incident_id)
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, world.member.user_id)
    assert incident.acknowledged_at is not None
    async with world.storage.reading() as store:
        root = await store.outbox.get(WORKSPACE, telling.root_key(incident_id))
    assert root is not None
    assert (root.state, root.is_prompt) == (OutboxState.WAITING, True)
    assert world.bot.wake_outbox.is_set()
    line = f"incident:{incident_id}:acknowledged:{incident.acknowledged_at.isoformat()}"
    assert await delivered(world) == [f"incident:{incident_id}", line]
    shown = await world.bot.incidents.shown(WORKSPACE, incident_id)
    assert "확인함 · 박서연 · 14:03" in str(speak.root(shown, translator_for("ko-KR")).blocks)


async def test_an_acknowledged_alert_that_goes_on_rising_says_each_level_aloud_once(world: World) -> None:
    """150, 200 and 300 % after somebody took care of it: a broadcast line each, however often anybody looks."""
    incident_id = await world.breached()
    await world.bot.incidents.acknowledge(world.member, incident_id)
    await delivered(world)
    for amount, level in (("10", 150), ("250", 200), ("500", 300)):
        world.clock.advance(minutes=1)
        await world.spend(amount)
        await world.evaluate()
        await world.evaluate()
        key = telling.event_key(incident_id, f"crossed:{level}:500")
        async with world.storage.reading() as store:
            line = await store.outbox.get(WORKSPACE, key)
        assert line is not None
        assert (line.is_broadcast, line.urgency) == (True, telling.URGENT)
        world.clock.advance(minutes=1)
        assert [one for one in await delivered(world) if "crossed" in one] == [key]
    incident = await world.incident(incident_id)
    assert (incident.state, incident.level, incident.spoken_level) == (IncidentState.ACKNOWLEDGED, 300, 300)
    await world.spend("500")
    await world.evaluate()
    assert [one for one in await delivered(world) if "crossed" in one] == []


@on_both_databases
async def test_two_clicks_are_one_action_and_the_second_learns_who_was_first(world: World) -> None:
    """At the same moment or later; one's own second click is simply done."""
    incident_id = await world.breached()
    both = (world.admin, world.lead)
    answers = await asyncio.gather(
        *(world.bot.incidents.acknowledge(one, incident_id) for one in both), return_exceptions=True
    )
    [refused] = [answer for answer in answers if answer is not None]
    assert isinstance(refused, Refusal)
    first = both[answers.index(None)]
    assert refused.code is RefusalCode.INCIDENT_ACKNOWLEDGED
    assert refused.values["person"] == first.user_id
    await world.bot.incidents.acknowledge(first, incident_id)
    async with world.storage.reading() as store:
        events = await store.incidents.events(WORKSPACE, incident_id)
    assert [event.kind for event in events].count(EventKind.ACKNOWLEDGED) == 1


async def test_a_stale_button_has_the_message_drawn_anew(world: World) -> None:
    """Whoever pressed it is told why nothing happened, and everybody sees the present."""
    incident_id = await world.breached()
    await world.bot.incidents.acknowledge(world.admin, incident_id)
    await delivered(world)
    with pytest.raises(Refusal):
        await world.bot.incidents.acknowledge(world.lead, incident_id)
    assert await delivered(world) == [f"incident:{incident_id}"]


async def test_silence_is_for_those_who_answer_for_the_team(world: World) -> None:
    """The lead and admins may; a member is told who can, and nothing changes."""
    incident_id = await world.breached()
    with pytest.raises(Refusal) as refused:
        await world.bot.incidents.silence(world.member, incident_id, "1h")
    assert refused.value.code is RefusalCode.NOT_TEAM_MANAGER
    assert refused.value.values["lead"] == world.lead.user_id
    assert refused.value.values["admins"] == (world.admin.user_id,)
    assert (await world.incident(incident_id)).silenced_until is None
    await world.bot.incidents.silence(world.lead, incident_id, "1h")
    incident = await world.incident(incident_id)
    assert (incident.state, incident.silenced_until) == (IncidentState.SILENCED, TWO_O_CLOCK + timedelta(hours=1))


async def test_silence_hides_messages_and_keeps_records_and_ends_with_one_summary(world: World) -> None:
    """150 % is reached in silence: on record at once, told when somebody turns the alerts on again."""
    incident_id = await world.breached()
    await world.bot.incidents.silence(world.admin, incident_id, "4h")
    await delivered(world)
    world.clock.advance(minutes=5)
    await world.spend("100")
    await world.evaluate()
    async with world.storage.reading() as store:
        crossed = [
            event for event in await store.incidents.events(WORKSPACE, incident_id) if event.kind is EventKind.CROSSED
        ]
    assert [event.values["level"] for event in crossed] == [100, 150]
    assert not crossed[-1].is_said
    assert all("crossed:150" not in key for key in await delivered(world))
    await world.bot.incidents.end_silence(world.lead, incident_id)
    told = [key for key in await delivered(world) if "silence_ended" in key]
    assert len(told) == 1
    with pytest.raises(Refusal) as refused:
        await world.bot.incidents.end_silence(world.admin, incident_id)
    assert refused.value.code is RefusalCode.INCIDENT_NOT_SILENCED


async def test_an_opinion_counts_once_and_two_bad_ones_offer_better_levels(world: World) -> None:
    """From those who may change the budget; a member's two thumbs open nothing."""
    incident_id = await world.breached()
    judge = world.bot.incidents.feedback
    first = await judge(world.admin, incident_id, is_helpful=False)
    again = await judge(world.admin, incident_id, is_helpful=False)
    assert (first.is_new, first.budget_id) == (True, None)
    assert (again.is_new, again.budget_id) == (False, None)
    second = await judge(world.lead, incident_id, is_helpful=False)
    assert (second.budget_id, second.unhelpful) == (world.budget.id, (incident_id, incident_id))
    third = await judge(world.member, incident_id, is_helpful=False)
    assert (third.is_new, third.budget_id) == (True, None)
    async with world.storage.reading() as store:
        kept = [event.kind for event in await store.incidents.events(WORKSPACE, incident_id)]
    assert kept.count(EventKind.NOT_HELPFUL) == 3


async def test_a_good_opinion_between_two_bad_ones_is_no_row(world: World) -> None:
    """Bad, good, bad: nobody is asked for other levels."""
    incident_id = await world.breached()
    for person, is_helpful in ((world.admin, False), (world.member, True), (world.lead, False)):
        world.clock.advance(seconds=1)
        taken = await world.bot.incidents.feedback(person, incident_id, is_helpful=is_helpful)
        assert taken.budget_id is None


async def test_the_share_of_opinions_counts_each_person_once_by_their_last_word(world: World) -> None:
    """Of three who found one alert helpful and one who did not at first, it made two opinions, half of them good."""
    incident_id = await world.breached()
    for person, is_helpful in (
        (world.admin, False), (world.lead, True), (world.member, True), (world.admin, True),
    ):  # fmt: skip
        world.clock.advance(seconds=1)
        await world.bot.incidents.feedback(person, incident_id, is_helpful=is_helpful)
    stranger = replace(world.member, user_id="U0OTHER001")
    await world.bot.incidents.feedback(stranger, incident_id, is_helpful=False)
    async with world.storage.reading() as store:
        quality = await world.bot.effects.quality(store, WORKSPACE, Period(TODAY, TODAY + timedelta(days=1)), ())
    assert (quality.helpful, quality.not_helpful, quality.precision) == (3, 1, Decimal("0.75"))


async def test_who_changed_their_mind_may_change_it_back(world: World) -> None:
    """And is thanked for nothing that is not kept; the same word twice is one, also where two clicks meet."""
    incident_id, said = await world.breached(), list[bool]()
    for is_helpful in (True, False, False, True, False):
        world.clock.advance(seconds=1)
        said.append((await world.bot.incidents.feedback(world.member, incident_id, is_helpful=is_helpful)).is_new)
    assert said == [True, True, False, True, True]
    judge = world.bot.incidents.feedback
    met = await asyncio.gather(*(judge(world.member, incident_id, is_helpful=True) for _ in range(2)))
    assert sorted(one.is_new for one in met) == [False, True]
    async with world.storage.reading() as store:
        quality = await world.bot.effects.quality(store, WORKSPACE, Period(TODAY, TODAY + timedelta(days=1)), ())
    assert (quality.helpful, quality.not_helpful) == (1, 0)


async def test_nothing_is_shown_or_done_for_another_workspace(world: World) -> None:
    """An id that belongs to others is an id of nothing."""
    incident_id, stranger = await world.breached(), neighbour_of(world.admin)
    for attempt in (
        world.bot.incidents.shown(stranger.workspace_id, incident_id),
        world.bot.incidents.detail(stranger.workspace_id, incident_id),
        world.bot.incidents.acknowledge(stranger, incident_id),
        world.bot.incidents.silence(stranger, incident_id, "1h"),
        world.bot.incidents.end_silence(stranger, incident_id),
        world.bot.incidents.feedback(stranger, incident_id, is_helpful=True),
        world.bot.incidents.budget_of(stranger.workspace_id, incident_id),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.code is RefusalCode.UNKNOWN_INCIDENT
    assert (await world.incident(incident_id)).acknowledged_by is None


async def test_no_review_waits_for_a_thread_that_is_forgotten(world: World) -> None:
    """The button of an old message stands for ever; what was to go below it was promised, and waited without end."""
    incident_id = await world.breached()
    await delivered(world)
    due = world.clock().date() + timedelta(days=107)
    world.clock.advance(days=100)
    async with world.storage.writing() as store:
        assert await store.outbox.forget_before(world.clock() - KEPT)
    for attempt in (
        world.bot.reviews.draft(world.admin, incident_id),
        world.bot.reviews.post(world.admin, incident_id, "배치 한도", world.admin.user_id, due),
    ):
        with pytest.raises(Refusal) as refused:
            await attempt
        assert refused.value.code is RefusalCode.INCIDENT_CLOSED
    async with world.storage.reading() as store:
        assert await store.outbox.waiting_count() == 0


async def test_a_closed_incident_takes_no_clicks(world: World) -> None:
    """The next charge day has begun; the message says how it ended, and so does the refusal."""
    incident_id = await world.breached()
    world.clock.moment = datetime(2026, 7, 7, 7, 0, tzinfo=UTC)
    await world.evaluate()
    assert (await world.incident(incident_id)).state is IncidentState.CLOSED
    with pytest.raises(Refusal) as refused:
        await world.bot.incidents.acknowledge(world.admin, incident_id)
    assert refused.value.code is RefusalCode.INCIDENT_CLOSED
    shown = await world.bot.incidents.shown(WORKSPACE, incident_id)
    assert speak.root(shown, translator_for("ko-KR")).text.startswith(
        "✅ [마케팅팀] 일일 한도 $500 기간 종료 - 최종 $742"
    )


@pytest.mark.parametrize(
    ("length", "end"),
    [
        (Silence.HALF_AN_HOUR, datetime(2026, 7, 6, 5, 30, tzinfo=UTC)),
        (Silence.FOUR_HOURS, datetime(2026, 7, 6, 9, 0, tzinfo=UTC)),
        (Silence.TOMORROW, datetime(2026, 7, 7, 0, 0, tzinfo=UTC)),
    ],
)
def test_tomorrow_is_nine_o_clock_where_the_workspace_is(length: Silence, end: datetime) -> None:
    """14:00 in Seoul on the sixth: until 09:00 on the seventh there, which is midnight in UTC."""
    assert until(length, TWO_O_CLOCK, SEOUL) == end
