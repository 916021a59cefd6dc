"""Voting: one vote for each person under races, closing once across copies, nobody found after it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from blocks import polls
from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.pulse import ask_pulse, pulse_of_weeks
from bot.voting import poll_key
from finops.audit import AuditKind, filter_of
from finops.polls import LATE_CLICKS, Poll, PollDraft, PollKind, voter_of
from finops.pulse import PulseState
from finops.registry import Person, Role
from storage import Storage
from storage.tables_learning import poll_votes
from tests.conftest import FakeClock
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, a_tenant, on_both_databases
from tests.unit.saying import LANGUAGES, reader

PEOPLE = 12
A_DRAFT = PollDraft("What next?", "this\nthat", "C1", MOMENT + timedelta(days=1))
KEPT = select(poll_votes.c.revision, poll_votes.c.clicked_us).order_by(poll_votes.c.revision)


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@dataclass
class Hall:
    """Two copies of the bot on one database, and a poll to vote in."""

    bots: tuple[Bot, Bot]
    storage: Storage
    clock: FakeClock
    poll: Poll

    async def votes(self, user_id: str, *chosen: str, copy: int = 0, clicked: str = "") -> tuple[str, ...]:
        """What counts then; nothing chosen is taking it back."""
        voting, mine = self.bots[copy].voting, (WORKSPACE, user_id, self.poll.id)
        voted = await (voting.vote(*mine, chosen, clicked) if chosen else voting.withdraw(*mine, clicked))
        return voted.chosen

    async def count(self) -> dict[str, int]:
        told = await self.bots[0].voting.told(WORKSPACE, self.poll.id)
        return {one.option.id: one.votes for one in told.counts}


def somebody(user_id: str = "U1", role: Role = Role.MEMBER) -> Person:
    return Person(WORKSPACE, user_id, user_id, role, "ko-KR", "Asia/Seoul", is_workspace_admin=False, seen_at=MOMENT)


@pytest.fixture
async def hall(storage: Storage, clock: FakeClock) -> Hall:
    clock.moment = MOMENT
    await a_tenant(storage, WORKSPACE)
    bots = (Bot(storage, {}, clock, Policy()), Bot(storage, {}, clock, Policy()))
    draft = PollDraft("What next?", "this\nthat\nneither", "C1", MOMENT + timedelta(days=1), is_anonymous=True)
    return Hall(bots, storage, clock, await bots[0].voting.ask(somebody(), draft))


@on_both_databases
async def test_everybody_counts_once_however_they_click(hall: Hall) -> None:
    """Double clicks and changes of mind over two copies at once: the database says what people chose last."""
    await asyncio.gather(*(hall.votes(f"U{n}", str(1 + n % 3), copy=copy) for n in range(PEOPLE) for copy in (0, 1, 0)))
    assert await hall.count() == dict(Counter(str(1 + n % 3) for n in range(PEOPLE)))
    await asyncio.gather(*(hall.votes(f"U{n}", "2", copy=n % 2) for n in range(0, PEOPLE, 3)))
    assert await hall.count() == {"1": 0, "2": PEOPLE * 2 // 3, "3": PEOPLE // 3}
    async with hall.storage.reading() as store:
        ballots = await store.polls.ballots(WORKSPACE, hall.poll.id)
        message = await store.outbox.get(WORKSPACE, poll_key(hall.poll.id))
    assert {one.revision for one in ballots} == {1, 2}
    assert {one.voted_at.minute for one in ballots} == {0}
    assert message is not None
    assert message.kind == "poll"


async def test_the_same_again_is_told_as_such(hall: Hall) -> None:
    """Whoever presses their own answer once more was told that they had changed it."""
    voting, mine = hall.bots[0].voting, (WORKSPACE, "U1", hall.poll.id)
    told = [await voting.vote(*mine, [option]) for option in ("1", "1", "2")]
    assert [(one.was_changed, one.is_same) for one in told] == [(False, False), (False, True), (True, False)]
    await voting.withdraw(*mine)
    again = await voting.vote(*mine, ["2"])
    assert (again.was_changed, again.is_same) == (False, False)


@on_both_databases
async def test_the_last_click_counts_in_whatever_order_clicks_are_handled(hall: Hall) -> None:
    """Two answers and taking it back, in each order and handled in each order, one by one and at once by two copies."""
    second = int(MOMENT.timestamp())
    wishes, expected = [("1",), (), ("3",)], dict[str, tuple[str, ...]]()
    for made, handled in zip(permutations(wishes), permutations(range(3)), strict=True):
        one, other = (f"U{way}{len(expected)}" for way in "AB")
        clicks = [(made[place], f"{second}.00000{place}") for place in handled]
        told = [await hall.votes(one, *wish, copy=n % 2, clicked=at) for n, (wish, at) in enumerate(clicks)]
        assert told[-1] == made[-1], (made, handled)
        await asyncio.gather(*(hall.votes(other, *wish, copy=n % 2, clicked=at) for n, (wish, at) in enumerate(clicks)))
        expected[one] = expected[other] = made[-1]
    count = Counter(wish[0] for wish in expected.values() if wish)
    assert await hall.count() == {"1": count["1"], "2": 0, "3": count["3"]}
    assert (await hall.bots[0].voting.told(WORKSPACE, hall.poll.id)).people == count.total() < len(expected)


@on_both_databases
async def test_of_two_clicks_at_the_same_moment_the_one_handled_last_counts(hall: Hall) -> None:
    """And a click from nowhere, or from the far future, is dated by us: it does not stand forever."""
    at = f"{int(MOMENT.timestamp())}.000001"
    assert await hall.votes("U1", "1", clicked=at) == ("1",)
    assert await hall.votes("U1", "2", clicked=at) == ("2",)
    for stamp in ("99999999999", "nan", "tomorrow"):
        await hall.votes("U2", "1", clicked=stamp)
        assert await hall.votes("U2", "3") == ("3",)


async def test_no_exact_time_outlives_the_closing(hall: Hall) -> None:
    """When the poll closes, the times of clicks and what was taken back go with the salt."""

    async def rows() -> list[tuple[Any, ...]]:
        async with hall.storage.reading() as store:
            return [tuple(row) for row in await store.polls._db.execute(KEPT)]

    at = int(MOMENT.timestamp())
    await hall.votes("U1", "1", clicked=f"{at}.000009")
    await hall.votes("U2", clicked=f"{at}.000007")
    await hall.votes("U2", "2", clicked=f"{at}.000003")
    assert await rows() == [(0, at * 1_000_000 + 7), (1, at * 1_000_000 + 9)]
    await hall.bots[0].voting.close(somebody(), hall.poll.id)
    assert await rows() == [(1, None)]


@on_both_databases
async def test_closing_races_with_votes_and_nothing_counts_after_it(hall: Hall) -> None:
    """Two copies close while people vote: one does; what was taken is counted, the rest is refused and said so."""
    hall.clock.moment = MOMENT + timedelta(hours=23)

    async def votes(n: int) -> bool:
        try:
            await hall.votes(f"U{n}", "1", copy=n % 2)
        except Refusal as refusal:
            return refusal.code is not RefusalCode.POLL_CLOSED
        return True

    async def closes(copy: int) -> int:
        try:
            await hall.bots[copy].voting.close(somebody(), hall.poll.id)
        except Refusal as refusal:
            return int(refusal.code is not RefusalCode.POLL_CLOSED)
        return 1

    before = [votes(n) for n in range(PEOPLE // 2)]
    after = [votes(n) for n in range(PEOPLE // 2, PEOPLE)]
    done = await asyncio.gather(*before, closes(0), closes(1), *after)
    closed = done.pop(PEOPLE // 2) + done.pop(PEOPLE // 2)
    assert closed == 1
    assert (await hall.count())["1"] == sum(done)


async def test_a_click_made_in_time_counts_though_it_is_handled_after_the_end(hall: Hall) -> None:
    """By the click's own time, for a minute, and until the result is out; made later, it is refused at once."""
    end, a_second = hall.poll.closes_at, timedelta(seconds=1)

    def stamp(moment: datetime) -> str:
        return f"{moment.timestamp():.6f}"

    async def is_refused(user_id: str, clicked: str) -> bool:
        with pytest.raises(Refusal) as refused:
            await hall.votes(user_id, "2", clicked=clicked)
        return refused.value.code is RefusalCode.POLL_CLOSED

    hall.clock.moment = end + LATE_CLICKS - a_second
    assert await hall.votes("U1", "1", clicked=stamp(end - a_second)) == ("1",)
    assert [await is_refused("U2", clicked) for clicked in ("", stamp(end), "nan")] == [True] * 3
    async with hall.storage.reading() as store:
        [ballot] = await store.polls.ballots(WORKSPACE, hall.poll.id)
    assert ballot.voted_at < end
    assert not (await hall.bots[0].voting.told(WORKSPACE, hall.poll.id)).is_public  # nobody sees it before it is final
    assert await hall.bots[0].voting.due() == 0
    hall.clock.moment = end + LATE_CLICKS
    assert await is_refused("U2", stamp(end - a_second))
    assert await hall.bots[0].voting.due() == 1
    assert await hall.count() == {"1": 1, "2": 0, "3": 0}
    hall.clock.moment = end + LATE_CLICKS - a_second  # closed is closed, whatever the clock says
    assert await is_refused("U2", stamp(end - a_second))


async def test_once_closed_nobody_can_be_found(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    """The salt is gone from the database, and with it whoever voted; the counts stay. No log ever named anybody."""
    caplog.set_level(logging.DEBUG)
    await hall.votes("U0VOTER001", "1")
    assert not [one for one in caplog.records if "U0VOTER001" in str(vars(one))]
    assert await hall.bots[0].voting.withdraw(WORKSPACE, "U0VOTER001", hall.poll.id)
    await hall.votes("U1", "1")
    assert (await hall.bots[0].voting.own(WORKSPACE, "U1", hall.poll.id))[1] == ("1",)
    async with hall.storage.reading() as store:
        kept = await store.polls.get(WORKSPACE, hall.poll.id)
        [ballot] = await store.polls.ballots(WORKSPACE, hall.poll.id)
    assert kept is not None
    assert kept.salt is not None
    assert ballot.voter == voter_of(kept.salt, "U1")
    hall.clock.moment = hall.poll.closes_at + LATE_CLICKS
    assert await hall.bots[0].voting.due() == 1
    assert await hall.bots[1].voting.due() == 0
    async with hall.storage.reading() as store:
        kept = await store.polls.get(WORKSPACE, hall.poll.id)
    assert kept is not None
    assert kept.salt is None
    assert (await hall.count())["1"] == 1


@on_both_databases
async def test_the_reminder_and_the_result_are_told_once(hall: Hall) -> None:
    """By whichever copy looks first; a poll nobody voted in has no result to tell."""
    assert hall.poll.remind_at is not None
    hall.clock.moment = hall.poll.remind_at
    assert await asyncio.gather(*(bot.voting.due() for bot in hall.bots)) in ([1, 0], [0, 1])
    hall.clock.moment = hall.poll.closes_at + LATE_CLICKS
    assert await asyncio.gather(*(bot.voting.due() for bot in hall.bots)) in ([1, 0], [0, 1])
    async with hall.storage.reading() as store:
        assert await store.outbox.get(WORKSPACE, f"{poll_key(hall.poll.id)}:reminder") is not None
        assert await store.outbox.get(WORKSPACE, f"{poll_key(hall.poll.id)}:result") is None


async def test_who_may_do_what(hall: Hall) -> None:
    """A stranger closes and exports nothing; hidden results are for voters; another workspace has no such poll."""
    voting = hall.bots[0].voting
    for attempt, code in (
        (voting.close(somebody("U9"), hall.poll.id), RefusalCode.NOT_POLL_OWNER),
        (voting.export(somebody("U9"), hall.poll.id), RefusalCode.NOT_POLL_OWNER),
        (voting.export(somebody("U1"), hall.poll.id), RefusalCode.POLL_HIDDEN),
        (voting.results(WORKSPACE, "U9", hall.poll.id), RefusalCode.POLL_HIDDEN),
        (voting.add_option(somebody("U9"), hall.poll.id, "other"), RefusalCode.POLL_NO_ADDING),
        (voting.vote(WORKSPACE, "U9", hall.poll.id, ["7"]), RefusalCode.POLL_CHOICE),
        (voting.vote(OTHER_WORKSPACE, "U9", hall.poll.id, ["1"]), RefusalCode.UNKNOWN_POLL),
    ):
        with pytest.raises(Refusal) as refusal:
            await attempt
        assert refusal.value.code is code
    await voting.close(somebody("U9", Role.ADMIN), hall.poll.id)
    told, ballots = await voting.export(somebody("U1"), hall.poll.id)
    assert (told.people, ballots) == (0, [])


async def test_what_is_done_to_a_poll_is_on_the_trail_and_no_vote_is(hall: Hall) -> None:
    """Who asked, closed and exported; of an anonymous poll not who added an option, and never who voted."""
    voting, asker = hall.bots[0].voting, somebody()
    named = await voting.ask(asker, replace(A_DRAFT, may_add=True))
    hidden = await voting.ask(asker, replace(A_DRAFT, may_add=True, is_anonymous=True))
    for poll in (named, hidden):
        await voting.add_option(somebody("U7ADDER"), poll.id, "neither")
        await voting.vote(WORKSPACE, "U8VOTER", poll.id, ["1"])
        await voting.withdraw(WORKSPACE, "U8VOTER", poll.id)
        await voting.vote(WORKSPACE, "U8VOTER", poll.id, ["2"])
    await voting.close(somebody("U9", Role.ADMIN), named.id)
    await voting.export(asker, named.id)
    hall.clock.moment = A_DRAFT.closes_at + LATE_CLICKS
    await voting.due()
    kinds = filter_of(AuditKind.LEARNING)
    async with hall.storage.reading() as store:
        rows = [row.entry async for row in store.audit.all(WORKSPACE, kinds)]
    assert "U8VOTER" not in str(rows)
    told = [(one.action, one.actor) for one in rows if one.subject == f"poll:{named.id}"]
    assert told == [
        ("poll.asked", "U1"), ("poll.option_added", "U7ADDER"), ("poll.closed", "U9"), ("poll.exported", "U1")
    ]  # fmt: skip
    told = [(one.action, one.actor) for one in rows if one.subject == f"poll:{hidden.id}"]
    assert told == [("poll.asked", "U1"), ("poll.option_added", None), ("poll.closed", None)]
    assert (await hall.bots[0].audit.verify(WORKSPACE)).ok


@on_both_databases
async def test_a_pulse_is_asked_once_for_each_channel_and_week(hall: Hall) -> None:
    """And never where a digest is told to people directly."""
    week = date(2026, 6, 29)
    async with hall.storage.writing() as store:
        for channel in ("C1", "C1", "C2", None):
            await ask_pulse(store, WORKSPACE, week, channel, f"digest:{channel}", "ja-JP", ["U1"], MOMENT)
    hall.clock.moment = MOMENT + timedelta(days=6)
    async with hall.storage.reading() as store:
        over = [one for one in await store.polls.over(hall.clock()) if one.kind is PollKind.PULSE]
        assert sorted(one.key or "" for one in over) == [f"pulse:{week}:C1", f"pulse:{week}:C2"]
        line = await store.outbox.get(WORKSPACE, poll_key(over[0].id))
    assert line is not None
    assert line.thread_key == "digest:C1"


async def test_the_pulse_of_a_week_is_told_when_all_its_channels_closed(hall: Hall) -> None:
    """Over its channels together: nothing while one is open, what was taken back counts for nothing."""
    week, voting = date(2026, 6, 29), hall.bots[0].voting

    async def told() -> list[tuple[date, PulseState, int, int, int]]:
        async with hall.storage.reading() as store:
            weeks = await pulse_of_weeks(store, WORKSPACE, date(2026, 7, 14))
        return [(one.week, one.state, one.good, one.fair, one.poor) for one in weeks]

    async with hall.storage.writing() as store:
        for channel, at in (("C1", MOMENT), ("C2", MOMENT + timedelta(hours=1))):
            await ask_pulse(store, WORKSPACE, week, channel, f"digest:{channel}", "", ["U1"], at)
    async with hall.storage.reading() as store:
        asked = [one for one in await store.polls.over(MOMENT + timedelta(days=7)) if one.kind is PollKind.PULSE]
    for number, choice in enumerate(("good", "good", "fair", "poor", "good", "poor")):
        await voting.vote(WORKSPACE, f"U{number}", asked[number % 2].id, [choice])
    await voting.withdraw(WORKSPACE, "U3", asked[1].id)
    later = (date(2026, 7, 6), PulseState.NOT_ASKED, 0, 0, 0)
    hall.clock.moment = asked[0].closes_at + LATE_CLICKS
    await voting.due()
    assert await told() == [(week, PulseState.OPEN, 0, 0, 0), later]
    hall.clock.moment = asked[1].closes_at + LATE_CLICKS
    await voting.due()
    assert await told() == [(week, PulseState.TOLD, 3, 1, 1), later]


@pytest.mark.parametrize("answers", [4, 5])
async def test_a_pulse_tells_nobody_before_it_closes_nor_where_few_answered(hall: Hall, answers: int) -> None:
    """As beside the digests of `/finops effect`: the message in the channel says no more than they do."""
    voting = hall.bots[0].voting
    async with hall.storage.writing() as store:
        await ask_pulse(store, WORKSPACE, date(2026, 6, 29), "C1", "digest:C1", "", ["U1"], MOMENT)
    async with hall.storage.reading() as store:
        [pulse] = [one for one in await store.polls.over(MOMENT + timedelta(days=7)) if one.kind is PollKind.PULSE]
    for number in range(answers):
        assert (await voting.vote(WORKSPACE, f"U{number}", pulse.id, ["good"])).shown is None
    with pytest.raises(Refusal) as refused:
        await voting.results(WORKSPACE, "U1", pulse.id)
    assert refused.value.code is RefusalCode.POLL_HIDDEN
    hall.clock.moment = pulse.closes_at + LATE_CLICKS
    await voting.due()
    told = await voting.told(WORKSPACE, pulse.id)
    assert (told.is_public, told.people) == (answers == 5, answers)
    for language in LANGUAGES:
        said = str(polls.root(told, reader(language)).arguments())
        assert ("100%" in said, "data_visualization" in said) == (told.is_public, told.is_public)


async def test_on_the_monday_itself_the_effect_says_that_its_week_can_still_be_answered(hall: Hall) -> None:
    """Not that nobody was asked, beside a question that has just been asked."""
    monday = datetime(2026, 7, 6, 0, 1, tzinfo=UTC)
    hall.clock.moment = monday + timedelta(minutes=5)
    async with hall.storage.writing() as store:
        await ask_pulse(store, WORKSPACE, date(2026, 6, 29), "C1", "digest:C1", "", ["U1"], monday)
    actor = somebody("U0JIHOON01", Role.ADMIN)
    report = await hall.bots[0].effects.report(actor)
    assert [(one.week, one.state) for one in report.pulse] == [(date(2026, 6, 29), PulseState.OPEN)]
