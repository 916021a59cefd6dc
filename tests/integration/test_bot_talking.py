"""Feedback and interviews: kept as promised, one booking for each time and person, everybody told once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.feedback import FEEDBACK, FEEDBACK_ANSWER
from bot.interviews import INTERVIEW
from finops.feedback import FeedbackCategory, FeedbackDraft, FeedbackState
from finops.interviews import Happened, OfferWish, Slot
from finops.registry import Person
from storage import Storage
from storage.engine import normalised, open_engines
from storage.records_live import OutboxMessage
from storage.tables import metadata
from tests.conftest import FakeClock
from tests.databases import on_both_databases
from tests.integration.bot_world import JIHOON, MINSU, SEOYEON, WORKSPACE

IDEA = FeedbackDraft(FeedbackCategory.IDEA, "  예측도 보고 싶습니다\n", may_contact=True)
WISH = OfferWish(JIHOON.user_id, date(2026, 7, 8), "10:00 11:00", 30, " 회의실  3 ", "Asia/Seoul")


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
def bot(storage: Storage, clock: FakeClock) -> Bot:
    return Bot(storage, {}, clock, Policy(feedback_channel="C0TRIAGE01"))


@pytest.fixture
async def jihoon(bot: Bot) -> Person:
    return await bot.people.meet(WORKSPACE, "한빛", JIHOON, asks_setup=True)


@pytest.fixture
async def minsu(bot: Bot, jihoon: Person) -> Person:
    return await bot.people.meet(WORKSPACE, "한빛", MINSU)


@pytest.fixture
async def seoyeon(bot: Bot, jihoon: Person) -> Person:
    return await bot.people.meet(WORKSPACE, "한빛", SEOYEON)


@pytest.fixture
async def slots(bot: Bot, jihoon: Person) -> list[Slot]:
    return await bot.interviews.offer(jihoon, WISH)


async def said(bot: Bot, kind: str) -> list[OutboxMessage]:
    """What waits to be told of this kind, in the order in which it was wanted."""
    found = []
    async with bot.storage.writing() as store:
        while taken := await store.outbox.lease("test", bot.clock(), timedelta(minutes=5), 50):
            for one in taken:
                await store.outbox.sent(one.workspace_id, one.key, "test", one.version, "C1", one.key, bot.clock())
            found += taken
    return sorted((one for one in found if one.kind == kind), key=lambda one: one.id)


def told(messages: Sequence[OutboxMessage]) -> list[tuple[str, str]]:
    return sorted((str(one.subject["what"]), one.recipients[0]) for one in messages)


async def refused(work: object) -> RefusalCode:
    with pytest.raises(Refusal) as refusal:
        await work  # type: ignore[misc]
    return refusal.value.code


@on_both_databases
async def test_feedback_is_told_once_and_answered_once(bot: Bot, jihoon: Person, minsu: Person) -> None:
    """The same form twice is one message; the state is its edit; of all answers the first goes out."""
    kept, again = await asyncio.gather(*(bot.feedback.give(minsu, IDEA, "V1") for _ in range(2)))
    first = kept or again
    assert first is not None
    assert [kept, again].count(None) == 1
    assert (first.text, first.user_id) == ("예측도 보고 싶습니다", minsu.user_id)
    [message] = await said(bot, FEEDBACK)
    assert (message.channel_id, message.recipients) == ("C0TRIAGE01", (jihoon.user_id,))

    assert await refused(bot.feedback.decide(minsu, first.id, FeedbackState.DONE)) is RefusalCode.NOT_ADMIN
    assert (await bot.feedback.decide(jihoon, first.id, FeedbackState.PLANNED)).state is FeedbackState.PLANNED
    assert [one.version for one in await said(bot, FEEDBACK)] == [2]
    await bot.feedback.decide(jihoon, first.id, FeedbackState.PLANNED)
    assert await said(bot, FEEDBACK) == []
    decided = await bot.feedback.told(WORKSPACE, first.id)
    assert (decided.decided_by, decided.decided_at) == (jihoon.user_id, bot.clock())

    answers = await asyncio.gather(
        *(bot.feedback.answer(jihoon, first.id, f"답 {n}") for n in range(3)), return_exceptions=True
    )
    refusals = [one.code for one in answers if isinstance(one, Refusal)]
    assert refusals == [RefusalCode.FEEDBACK_ANSWERED] * 2
    [answer] = await said(bot, FEEDBACK_ANSWER)
    assert answer.recipients == (minsu.user_id,)
    assert (await bot.feedback.told(WORKSPACE, first.id)).answer in {"답 0", "답 1", "답 2"}
    assert await refused(bot.feedback.told("T0OTHER001", first.id)) is RefusalCode.UNKNOWN_FEEDBACK


async def test_without_contact_no_row_says_who_it_was(
    bot: Bot, jihoon: Person, seoyeon: Person, database_url: str
) -> None:
    """Her id stands in the table of people, where she was met, and in no other; nobody can answer her."""
    kept = await bot.feedback.give(seoyeon, replace(IDEA, may_contact=False), "V2")
    assert kept is not None
    assert await refused(bot.feedback.answer(jihoon, kept.id, "누구신가요")) is RefusalCode.FEEDBACK_WITHOUT_CONTACT
    where = set()
    async with open_engines(normalised(database_url)) as engines, engines.reading.connect() as connection:
        for table in metadata.sorted_tables:
            rows = (await connection.execute(text(f"SELECT * FROM {table.name}"))).all()
            if any(seoyeon.user_id in repr(row) for row in rows):
                where.add(table.name)
    assert where == {"people"}
    assert await said(bot, FEEDBACK_ANSWER) == []


@on_both_databases
async def test_of_ten_who_want_one_time_one_has_it(bot: Bot, slots: list[Slot]) -> None:
    """The others are refused and have nothing; the host is told of one."""
    people = [await bot.people.meet(WORKSPACE, "한빛", replace(MINSU, user_id=f"U0PERSON{n:02}")) for n in range(10)]
    answers = await asyncio.gather(
        *(bot.interviews.book(one, slots[0].id, "") for one in people), return_exceptions=True
    )
    assert Counter(one.code if isinstance(one, Refusal) else "booked" for one in answers) == {
        "booked": 1,
        RefusalCode.SLOT_TAKEN: 9,
    }
    assert told(await said(bot, INTERVIEW)) == [("booked", JIHOON.user_id)]


@on_both_databases
async def test_one_person_has_one_appointment_however_fast_they_click(
    bot: Bot, slots: list[Slot], minsu: Person
) -> None:
    """Two windows submitted at once, for two times: the second is told of the first."""
    answers = await asyncio.gather(*(bot.interviews.book(minsu, slot.id, "") for slot in slots), return_exceptions=True)
    assert [one.code for one in answers if isinstance(one, Refusal)] == [RefusalCode.INTERVIEW_BOOKED]
    assert len((await bot.interviews.board(minsu)).free) == 1


@on_both_databases
async def test_an_appointment_is_moved_given_up_and_withdrawn(
    bot: Bot, jihoon: Person, minsu: Person, seoyeon: Person, slots: list[Slot]
) -> None:
    """It stays the same booking with a higher sequence; what somebody left is free; the other side is told."""
    first, second = slots
    assert (first.starts_at, first.place) == (datetime(2026, 7, 8, 1, tzinfo=UTC), "회의실 3")
    booked = (await bot.interviews.book(minsu, first.id, "다이제스트")).meeting
    assert await refused(bot.interviews.book(seoyeon, first.id, "")) is RefusalCode.SLOT_TAKEN
    assert await refused(bot.interviews.book(jihoon, second.id, "")) is RefusalCode.UNKNOWN_SLOT
    moved = await bot.interviews.book(minsu, second.id, "가격", booked.booking.id)
    assert (moved.what, moved.left, moved.meeting.slot) == (Happened.MOVED, first, second)
    assert (moved.meeting.booking.id, moved.meeting.booking.sequence) == (booked.booking.id, 1)
    hers = (await bot.interviews.book(seoyeon, first.id, "")).meeting.booking
    assert await refused(bot.interviews.book(seoyeon, second.id, "", hers.id)) is RefusalCode.SLOT_TAKEN
    assert await refused(bot.interviews.book(seoyeon, second.id, "", booked.booking.id)) is RefusalCode.UNKNOWN_BOOKING
    assert await refused(bot.interviews.cancel(seoyeon, booked.booking.id)) is RefusalCode.UNKNOWN_BOOKING
    assert await refused(bot.interviews.meeting(seoyeon, booked.booking.id)) is RefusalCode.UNKNOWN_BOOKING

    assert await refused(bot.interviews.withdraw(minsu, first.id)) is RefusalCode.NOT_ADMIN
    gone = await bot.interviews.withdraw(jihoon, first.id)
    assert gone is not None
    assert gone.meeting.booking.sequence == 1
    assert await refused(bot.interviews.withdraw(jihoon, first.id)) is RefusalCode.UNKNOWN_SLOT
    assert (await bot.interviews.cancel(minsu, booked.booking.id)).meeting.booking.sequence == 2
    assert await refused(bot.interviews.cancel(minsu, booked.booking.id)) is RefusalCode.UNKNOWN_BOOKING
    assert [one.id for one in (await bot.interviews.board(seoyeon)).free] == [second.id]
    host, guest = JIHOON.user_id, SEOYEON.user_id
    assert told(await said(bot, INTERVIEW)) == [
        ("booked", host), ("booked", host), ("cancelled", host), ("moved", host), ("withdrawn", guest)
    ]  # fmt: skip


async def test_whoever_hosted_the_time_that_was_left_may_take_it_out_of_their_calendar(
    bot: Bot, jihoon: Person, minsu: Person, seoyeon: Person, slots: list[Slot]
) -> None:
    """One message each: it takes place with the one host, and no longer with the other; nobody else's business."""
    [other, *_] = await bot.interviews.offer(jihoon, replace(WISH, host_user_id=seoyeon.user_id))
    booked = (await bot.interviews.book(minsu, slots[0].id, "")).meeting.booking
    await bot.interviews.book(minsu, other.id, "", booked.id)
    there = [await bot.interviews.meeting(one, booked.id, slots[0].id) for one in (minsu, seoyeon, jihoon)]
    assert [(found.slot.id, is_on) for found, is_on in there] == [
        (other.id, True), (other.id, True), (slots[0].id, False)
    ]  # fmt: skip
    assert await refused(bot.interviews.meeting(jihoon, booked.id)) is RefusalCode.UNKNOWN_BOOKING
    assert await refused(bot.interviews.meeting(jihoon, booked.id, other.id)) is RefusalCode.UNKNOWN_BOOKING
    assert told(await said(bot, INTERVIEW)) == [
        ("booked", jihoon.user_id), ("cancelled", jihoon.user_id), ("moved", seoyeon.user_id)
    ]  # fmt: skip


@on_both_databases
async def test_both_are_reminded_once_however_many_look(
    bot: Bot, clock: FakeClock, minsu: Person, slots: list[Slot]
) -> None:
    """A day before and an hour before; moved, it is reminded of anew; given up, nobody is."""
    booked = (await bot.interviews.book(minsu, slots[0].id, "")).meeting.booking
    await said(bot, INTERVIEW)
    clock.advance(days=1, minutes=-1)
    assert await bot.interviews.remind() == 0
    both = [JIHOON.user_id, MINSU.user_id]
    clock.advance(minutes=1)
    assert sum(await asyncio.gather(*(bot.interviews.remind() for _ in range(3)))) == 1
    reminders = await said(bot, INTERVIEW)
    assert told(reminders) == [("day", one) for one in both]
    clock.advance(hours=23)
    assert sum(await asyncio.gather(*(bot.interviews.remind() for _ in range(3)))) == 1
    assert told(await said(bot, INTERVIEW)) == [("hour", one) for one in both]
    hour = (booked.id, slots[0].id, Happened.HOUR)
    assert await bot.interviews.told(WORKSPACE, *hour) is not None
    await bot.interviews.cancel(minsu, booked.id)
    assert await bot.interviews.told(WORKSPACE, *hour) is None
    assert await bot.interviews.remind() == 0


async def test_only_admins_offer_and_never_what_overlaps(bot: Bot, jihoon: Person, minsu: Person) -> None:
    """Two who offer the same times of the same person at once: one of them is refused, and nothing of it remains."""
    assert await refused(bot.interviews.offer(minsu, WISH)) is RefusalCode.NOT_ADMIN
    answers = await asyncio.gather(*(bot.interviews.offer(jihoon, WISH) for _ in range(2)), return_exceptions=True)
    assert [one.code for one in answers if isinstance(one, Refusal)] == [RefusalCode.INTERVIEW_TIMES]
    assert len((await bot.interviews.board(minsu)).free) == 2
    assert (await bot.interviews.board(minsu)).offered == ()


@on_both_databases
async def test_a_time_withdrawn_while_somebody_moves_away_from_it_takes_nothing_from_them(
    bot: Bot, jihoon: Person, minsu: Person, slots: list[Slot]
) -> None:
    """Whichever comes first, either the appointment stands at its new time or its owner was told that it is off."""
    first, second = slots
    booked = (await bot.interviews.book(minsu, first.id, "")).meeting.booking
    moved, withdrawn = await asyncio.gather(
        bot.interviews.book(minsu, second.id, "", booked.id),
        bot.interviews.withdraw(jihoon, first.id),
        return_exceptions=True,
    )
    stands = (await bot.interviews.board(minsu)).mine
    if isinstance(moved, Refusal):
        assert stands is None
        assert not isinstance(withdrawn, BaseException)
        assert withdrawn is not None
    else:
        assert stands is not None
        assert stands.slot == second
        assert withdrawn is None
