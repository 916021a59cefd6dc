"""A wish that nobody agrees to in time: its alert says so, once, and offers again what was pressed first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from blocks import ids, incidents
from bot import telling
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.approvals import WaitingFor
from finops.audit import AuditFilter
from finops.incidents import CloseReason, Incident, close
from finops.levers import Lever
from finops.periods import starts_at
from finops.stop_report import ApprovalWish
from finops.stops import ApprovalWay, Stop, StopChange, StopEventKind, StopState
from storage import Storage
from storage.records_live import OutboxMessage
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import WORKSPACE
from tests.integration.outbox_world import CHANNEL, Office, OneSlack, a_slack
from tests.integration.quiet_world import QuietWorld, a_quiet_world
from tests.integration.stopping_world import about
from tests.unit.saying import reader

HOUR = timedelta(hours=1)
SECOND = "U0SECOND01"


@pytest.fixture
def database_kind() -> str:
    """That a lapse is told once depends on the database; what is told does not."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> AsyncIterator[QuietWorld]:
    async with a_quiet_world(storage, clock) as made:
        yield made


def wish(world: QuietWorld) -> ApprovalWish:
    return ApprovalWish(ApprovalWay.AMOUNT, "900", world.clock() + HOUR)


async def latest(world: QuietWorld, incident: Incident) -> Stop:
    async with world.bot.storage.reading() as store:
        found = await store.stops.of_incident(WORKSPACE, incident.id or 0)
    assert found is not None
    return found


async def lines(world: QuietWorld, stop: Stop) -> list[OutboxMessage]:
    """What the thread was told of lapses."""
    async with world.bot.storage.reading() as store:
        return await store.outbox.beginning(WORKSPACE, f"stop:{stop.id}:lapsed:")


async def root(world: QuietWorld, incident: Incident) -> str:
    shown = await world.bot.incidents.shown(WORKSPACE, incident.id or 0)
    return str(incidents.root(shown, reader("en")).blocks)


async def waiting(world: QuietWorld, incident: Incident, person: str) -> list[WaitingFor]:
    """What Home says waits for somebody, of this alert."""

    async def groups() -> Iterable[str]:
        return ()

    shown = await world.bot.incidents.shown(WORKSPACE, incident.id or 0)
    found = await world.bot.home_readers.of(replace(world.admin, user_id=person), [shown], groups)
    return [one.kind for one in found.approvals]


async def test_the_alert_says_in_the_channel_that_nobody_agreed_and_offers_the_choice_again(world: QuietWorld) -> None:
    """Waiting, then lapsed: the same message edited, one quiet line below it, nobody rung; and it can be asked anew."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    await world.bot.stopping.approve(world.admin, about(incident), wish(world))
    asked = await latest(world, incident)
    assert asked.state is StopState.ASKED
    assert await waiting(world, incident, SECOND) == [WaitingFor.SECOND]
    async with a_slack(world.clock) as slack:
        office = Office(world.bot, slack, world.clock, OneSlack(slack))
        await office.rounds(office.deliverer(), 3)
        [before, *_] = slack.messages(CHANNEL)
        assert "승인 대기" in str(before["blocks"])
        world.clock.advance(minutes=61)
        with pytest.raises(Refusal) as refused:
            await world.bot.stopping.agree(second, asked.id or 0)
        assert refused.value.code is RefusalCode.APPROVAL_GONE
        assert await world.started_again().stop_ends.everywhere() == 1
        await office.rounds(office.deliverer("another"), 3)
        [after, *rest] = slack.messages(CHANNEL)
    told = str(after["blocks"])
    assert "승인 대기" not in told
    assert "*⏰ 기한 안에 동의한 사람이 없습니다* · 이지훈 요청" in told
    assert "그래서 허용된 것도, 차단된 것도 없습니다." in told
    assert [one in told for one in (ids.INCIDENT_STOP, ids.INCIDENT_APPROVE, ids.STOP_AGREE)] == [True, True, False]
    asking, line = [one for one in rest if one["text"].startswith("⏰")]
    asking = asking["text"]
    assert asking.startswith("⏰ [마케팅팀] 모든 프로젝트 · 이지훈 요청: ")
    assert "· 기한 안에 동의한 사람이 없습니다" in asking
    assert "승인 대기" not in str(rest)
    assert (line["thread_ts"], line.get("subtype"), "<@" in line["text"]) == (before["ts"], None, False)
    # The budget asks again, and whoever is asked begins anew.
    assert await waiting(world, incident, SECOND) == [WaitingFor.LIMIT]
    await world.bot.stopping.approve(second, about(incident), wish(world))
    anew = await latest(world, incident)
    assert (anew.state, anew.pending and anew.pending.by) == (StopState.ASKED, SECOND)
    assert "Nobody agreed" not in await root(world, incident)


@pytest.mark.parametrize(("ending", "sign", "said"), [
    ("agreed", "☑️", "박서연 님이 동의했습니다"),
    ("declined", "✖️", "박서연 님이 동의하지 않았습니다"),
    ("taken back", "✖️", "요청을 철회했습니다"),
    ("asked anew", "ℹ️", "다시 요청했습니다"),
    ("stopped after all", "ℹ️", "요청이 종료되었습니다"),
])  # fmt: skip
async def test_the_line_that_asks_says_what_became_of_it(world: QuietWorld, ending: str, sign: str, said: str) -> None:
    """In the channel and the thread, edited where it stands; of two people the alert names both.

    Its sign says it before the words do: what was declined does not look like what was agreed to.
    """
    incident = await world.an_alert()
    profile = Profile(SECOND, "박서연", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
    second = replace(await world.bot.people.meet(WORKSPACE, "한빛", profile), role=world.admin.role)
    await world.bot.stopping.approve(world.admin, about(incident), wish(world))
    stop_id = (await latest(world, incident)).id or 0
    async with a_slack(world.clock) as slack:
        office = Office(world.bot, slack, world.clock, OneSlack(slack))
        await office.rounds(office.deliverer(), 3)
        [asking] = [one for one in slack.messages(CHANNEL) if one["text"].startswith("⏳ [")]
        assert "승인 대기 · 이지훈 요청: 정한 금액까지 허용, $1,850까지, " in asking["text"]
        world.clock.advance(minutes=1)
        match ending:
            case "agreed":
                await world.bot.stopping.agree(second, stop_id)
            case "declined" | "taken back":
                await world.bot.stopping.decline(second if ending == "declined" else world.admin, stop_id)
            case "asked anew":
                await world.bot.stopping.approve(world.admin, about(incident), wish(world))
            case _:
                await world.bot.stopping.request(second, about(incident), Lever.STOP, "재시도 루프")
        await office.rounds(office.deliverer("another"), 3)
        [root_message, *rest] = slack.messages(CHANNEL)
    [edited] = [one for one in rest if one["ts"] == asking["ts"]]
    assert edited["text"].startswith(f"{sign} [")
    assert said in edited["text"]
    assert sum("승인 대기" in one["text"] for one in rest) == (ending == "asked anew")
    assert ("이지훈 요청, 박서연 동의" in str(root_message["blocks"])) == (ending == "agreed")


async def test_a_new_limit_that_two_agreed_on_after_a_restore_is_no_longer_waited_for(world: QuietWorld) -> None:
    """The stop is watched on, and its alert asks nobody for what was agreed."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    await world.bot.stopping.approve(world.admin, about(incident), wish(world))
    stop = await latest(world, incident)
    put_back = replace(stop, state=StopState.RESTORED, restored_at=world.clock(), pending=None)
    async with world.bot.storage.writing() as store:
        await store.stops.save(WORKSPACE, StopChange(put_back), stop)
    more = ApprovalWish(ApprovalWay.BUDGET, "2000")
    await world.bot.stopping.approve(world.admin, about(incident), more)
    assert (await latest(world, incident)).pending is not None
    await world.bot.stopping.agree(second, stop.id or 0)
    after = await latest(world, incident)
    assert (after.state, after.pending) == (StopState.RESTORED, None)
    async with world.bot.storage.reading() as store:
        told = (await store.stops.events(WORKSPACE, stop.id or 0))[-1]
    assert (told.kind, told.values["by"], told.values["asked_by"]) == (
        StopEventKind.APPROVED, SECOND, world.admin.user_id,
    )  # fmt: skip


@on_both_databases
async def test_two_replicas_say_it_once_and_what_is_held_stays_held(world: QuietWorld) -> None:
    """Both look at the same moment; the wish is gone, the stop and its levers are as they were."""
    incident = await world.an_alert()
    await world.bot.stopping.request(world.admin, about(incident), Lever.STOP, "재시도 루프")
    await world.bot.stopping.approve(world.admin, about(incident), wish(world))
    world.clock.advance(minutes=59)
    assert await world.bot.stop_ends.everywhere() == 0
    world.clock.advance(minutes=1)
    assert await waiting(world, incident, SECOND) == []
    replicas = [world.started_again() for _ in range(2)]
    assert sum(await asyncio.gather(*(one.stop_ends.everywhere() for one in replicas))) == 1
    assert await world.started_again().stop_ends.everywhere() == 0
    stop = await latest(world, incident)
    assert (stop.state, stop.pending) == (StopState.STOPPING, None)
    [line] = await lines(world, stop)
    assert (line.version, line.is_broadcast, line.urgency) == (1, False, 0)
    said = await root(world, incident)
    assert "*⏰ Nobody agreed in time*" in said
    assert "So nothing was put back." in said
    assert ids.STOP_AGREE not in said
    async with world.bot.storage.reading() as store:
        [row] = await store.audit.page(WORKSPACE, AuditFilter(nouns=("stop.lapsed",)), limit=5)
    assert (row.entry.actor, row.entry.details["state"]) == (None, "stopping")


async def test_who_does_not_agree_is_told_in_the_thread_and_written_down(world: QuietWorld) -> None:
    """The second person's no, and the first one's change of mind; a limit that was raised instead is neither."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    for person in (second, world.admin):
        await world.bot.stopping.approve(world.admin, about(incident), wish(world))
        asked = await latest(world, incident)
        await world.bot.stopping.decline(person, asked.id or 0)
        async with world.bot.storage.reading() as store:
            [row, *_] = await store.audit.page(WORKSPACE, AuditFilter(nouns=("stop.declined",)), limit=5)
            [line] = await store.outbox.beginning(WORKSPACE, f"stop:{asked.id}:declined:")
        assert (row.entry.actor, row.entry.subject) == (person.user_id, f"stop:{asked.id}")
        assert (row.entry.details["asked_by"], row.entry.details["state"]) == (world.admin.user_id, "asked")
        assert (line.version, line.is_broadcast, line.urgency) == (1, False, 0)
        world.clock.advance(minutes=1)
    more = ApprovalWish(ApprovalWay.BUDGET, "2000")
    for person in (world.admin, second):
        await world.bot.stopping.approve(person, about(incident), more)
    async with world.bot.storage.reading() as store:
        assert len(await store.audit.page(WORKSPACE, AuditFilter(nouns=("stop.declined",)), limit=5)) == 2


async def test_a_wish_that_lapses_with_its_alert_is_told_there_too(world: QuietWorld) -> None:
    """The closed alert says that nobody agreed, and not that a stop is over which never was."""
    incident = await world.an_alert()
    await world.bot.stopping.approve(world.admin, about(incident), ApprovalWish(ApprovalWay.END_OF_DAY))
    world.clock.advance(days=1)
    async with world.bot.storage.writing() as store:
        await telling.keep(store, close(incident, CloseReason.PERIOD_ENDED, world.clock()), incident, (), world.clock())
    assert await world.bot.stop_ends.everywhere() == 1
    stop = await latest(world, incident)
    assert stop.state is StopState.CLOSED
    assert len(await lines(world, stop)) == 1
    said = await root(world, incident)
    assert "*⏰ Nobody agreed in time*" in said
    assert "The stop is over" not in said


async def test_terms_and_the_wish_for_others_may_end_at_the_same_moment(world: QuietWorld) -> None:
    """The lapse is told, and what was agreed on is done: not a minute later."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    for person in (world.admin, second, second):
        await world.bot.stopping.approve(person, about(incident), wish(world))
    allowed = await latest(world, incident)
    assert (allowed.state, allowed.pending and allowed.pending.by) == (StopState.ALLOWED, SECOND)
    world.clock.advance(hours=1)
    assert await world.bot.stop_ends.everywhere() == 1
    after = await world.bot.stopping.shown(WORKSPACE, allowed.id or 0)
    assert [one.kind for one in after.events][-2:] == [StopEventKind.LAPSED, StopEventKind.ALLOWANCE_ENDED]
    assert (after.stop.state, after.stop.pending) == (StopState.STOPPING, None)


async def test_a_new_limit_is_above_what_is_spent_and_the_end_of_the_day_is_not_that_of_the_month(
    world: QuietWorld,
) -> None:
    """One that is reached already would let nothing go on; and who said a day meant a day."""
    incident = await world.an_alert(days=30)
    spent = ApprovalWish(ApprovalWay.BUDGET, f"{incident.spent.amount:f}")
    with pytest.raises(Refusal) as refused:
        await world.bot.stopping.approve(world.admin, about(incident), spent)
    assert (refused.value.code, refused.value.values["mistake"]) == (RefusalCode.APPROVAL_AMOUNT, "below")
    await world.bot.stopping.approve(world.admin, about(incident), ApprovalWish(ApprovalWay.END_OF_DAY))
    wish = (await latest(world, incident)).pending
    assert wish is not None
    assert (wish.until, wish.restops) == (starts_at(world.clock().date() + timedelta(days=1)), True)


@pytest.mark.parametrize("is_held", [False, True])
async def test_a_wish_without_a_time_lapses_with_what_it_was_about(world: QuietWorld, is_held: bool) -> None:
    """A new limit that nobody agreed to: with its alert, or with the day after the restore, it ends in no silence."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    restore, more = ApprovalWish(ApprovalWay.RESTORE), ApprovalWish(ApprovalWay.BUDGET, "2000")
    if is_held:
        await world.bot.stopping.request(world.admin, about(incident), Lever.STOP, "재시도 루프")
        for person in (world.admin, second):
            await world.bot.stopping.approve(person, about(incident), restore)
        await world.bot.holding.work_due("a test")
        assert (await latest(world, incident)).state is StopState.RESTORED
    await world.bot.stopping.approve(world.admin, about(incident), more)
    world.clock.advance(days=1)
    if not is_held:
        async with world.bot.storage.writing() as store:
            change = close(incident, CloseReason.PERIOD_ENDED, world.clock())
            await telling.keep(store, change, incident, (), world.clock())
    assert await world.bot.stop_ends.everywhere() == 1
    assert await world.bot.stop_ends.everywhere() == 0
    stop = await latest(world, incident)
    assert (stop.state, stop.pending) == (StopState.CLOSED, None)
    [line] = await lines(world, stop)
    assert (line.is_broadcast, line.urgency) == (False, 0)
    shown = await world.bot.stopping.shown(WORKSPACE, stop.id or 0)
    [lapse] = [one for one in shown.events if one.kind is StopEventKind.LAPSED]
    assert (lapse.values["asked_by"], lapse.values["action"]) == (world.admin.user_id, "budget")
    if not is_held:
        assert "*⏰ Nobody agreed in time*" in await root(world, incident)


async def test_what_waits_for_a_second_person_outlives_the_terms_it_would_replace(world: QuietWorld) -> None:
    """Allowed for an hour and asked for two: when the hour is over the wish still waits, and can be agreed to."""
    incident, second = await world.an_alert(), replace(world.admin, user_id=SECOND)
    hour, two = (replace(wish(world), until=world.clock() + n * HOUR, restops=False) for n in (1, 2))
    for person, asked in ((world.admin, hour), (second, hour), (world.admin, two)):
        await world.bot.stopping.approve(person, about(incident), asked)
    world.clock.advance(minutes=60)
    assert await world.bot.stop_ends.everywhere() == 1
    after = await latest(world, incident)
    assert (after.state, after.pending and after.pending.until) == (StopState.ASKED, two.until)
    assert ids.STOP_AGREE in await root(world, incident)
    await world.bot.stopping.agree(second, after.id or 0)
    after = await latest(world, incident)
    assert (after.state, after.allowed_until) == (StopState.ALLOWED, two.until)
