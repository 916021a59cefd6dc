"""Deciding: administrators do, once, on the trail; everybody reads the same page."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot import Bot, Policy
from bot.errors import Refusal, RefusalCode
from bot.results import Profile
from finops.audit import AuditKind, filter_of
from finops.decisions import DecisionState
from finops.feedback import FeedbackCategory, FeedbackDraft, FeedbackState
from finops.polls import Poll, PollDraft, PollKind
from finops.registry import Person, Role
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, OTHER_WORKSPACE, WORKSPACE, a_tenant, on_both_databases


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


def somebody(user_id: str = "U9", role: Role = Role.MEMBER, workspace_id: str = WORKSPACE) -> Person:
    return Person(workspace_id, user_id, user_id, role, "ko-KR", "Asia/Seoul", is_workspace_admin=False, seen_at=MOMENT)


ADMIN, OTHER_ADMIN, MEMBER = somebody("U1", Role.ADMIN), somebody("U2", Role.ADMIN), somebody()
STRANGER = somebody("U1", Role.ADMIN, OTHER_WORKSPACE)


@pytest.fixture
async def bot(storage: Storage, clock: FakeClock) -> Bot:
    clock.moment = MOMENT
    await a_tenant(storage, WORKSPACE)
    return Bot(storage, {}, clock, Policy(first_admins=frozenset({"U1"})))


async def asked(bot: Bot, kind: PollKind = PollKind.NEXT_FEATURE, *, closes: bool = True) -> Poll:
    """A poll in which three of four voted for the second answer."""
    draft = PollDraft("What next?", "this\nthat\nneither", "C1", MOMENT + timedelta(days=1), kind, is_anonymous=True)
    poll = await bot.voting.ask(ADMIN, draft)
    for number, choice in enumerate("2212"):
        await bot.voting.vote(WORKSPACE, f"U1{number}", poll.id, [choice])
    if closes:
        await bot.voting.close(ADMIN, poll.id)
    return poll


async def refused(work: object) -> RefusalCode:
    with pytest.raises(Refusal) as refusal:
        await work  # type: ignore[misc]
    return refusal.value.code


@on_both_databases
async def test_what_is_decided_stands_beside_the_votes_and_on_the_trail(bot: Bot) -> None:
    """Two administrators at once: one word stands, both are on the trail; the same again changes nothing."""
    poll = await asked(bot)
    for state in (DecisionState.PLANNED, DecisionState.PLANNED, DecisionState.DOING):
        await bot.deciding.decide(ADMIN, poll.id, "2", state)
    await asyncio.gather(
        bot.deciding.decide(ADMIN, poll.id, "1", DecisionState.DECLINED),
        bot.deciding.decide(OTHER_ADMIN, poll.id, "1", DecisionState.DONE),
    )
    await bot.deciding.decide(ADMIN, poll.id, "3", DecisionState.DONE)
    await bot.deciding.decide(ADMIN, poll.id, "3", None)
    [told] = (await bot.deciding.page(MEMBER)).polls
    first, second = told.top
    assert first.decision is not None
    assert (first.count.option.text, first.count.votes, first.decision.state) == ("that", 3, DecisionState.DOING)
    assert (first.decision.by, first.decision.at) == ("U1", bot.clock())
    assert second.decision is not None
    rows = await bot.audit.export(ADMIN, filter_of(AuditKind.LEARNING), "csv")
    trail = [row.entry for row in rows if row.entry.action == "decision.changed"]
    states = [(one.details["option"], one.details["state"]) for one in trail]
    assert states[:2] == [("that", "planned"), ("that", "doing")]
    assert sorted(states[2:4]) == [("this", "declined"), ("this", "done")]
    assert states[4:] == [("neither", "done"), ("neither", "open")]
    last = next(one for one in reversed(trail) if one.details["option"] == "this")
    assert (second.decision.by, second.decision.state) == (last.actor, last.details["state"])
    assert {one.subject for one in trail} == {f"poll:{poll.id}"}


async def test_who_may_decide_about_what(bot: Bot) -> None:
    """Nobody but administrators, about answers of closed polls of their own workspace that decide something."""
    profile = Profile("U1", "U1", "ko-KR", "Asia/Seoul", is_workspace_admin=True, is_bot=False, is_guest=False)
    await bot.people.meet(WORKSPACE, "x", profile, asks_setup=True)
    closed, still_open = await asked(bot), await asked(bot, closes=False)
    custom = await asked(bot, PollKind.CUSTOM)
    deciding, planned = bot.deciding, DecisionState.PLANNED
    assert await refused(deciding.decide(MEMBER, closed.id, "1", planned)) is RefusalCode.NOT_ADMIN
    assert await refused(deciding.mark(MEMBER, custom.id, decides=True)) is RefusalCode.NOT_ADMIN
    for actor, poll_id, option in (
        (ADMIN, still_open.id, "1"),
        (ADMIN, custom.id, "1"),
        (ADMIN, closed.id, "9"),
        (ADMIN, 10**15, "1"),
        (STRANGER, closed.id, "1"),
    ):
        assert await refused(deciding.decide(actor, poll_id, option, planned)) is RefusalCode.UNKNOWN_POLL
    assert await refused(deciding.mark(STRANGER, custom.id, decides=True)) is RefusalCode.UNKNOWN_POLL
    page = await deciding.page(MEMBER)
    assert [one.poll.id for one in page.polls] == [closed.id]
    assert [one.id for one in page.open] == [still_open.id]


async def test_an_administrator_has_another_poll_decide(bot: Bot) -> None:
    """And no longer; what was decided about it comes back with it."""
    custom = await asked(bot, PollKind.CUSTOM)
    for decides in (True, True, False, True):
        await bot.deciding.mark(ADMIN, custom.id, decides=decides)
        assert [one.poll.id for one in (await bot.deciding.page(MEMBER)).polls] == [custom.id] * decides
        if decides:
            await bot.deciding.decide(ADMIN, custom.id, "2", DecisionState.PLANNED)
    [told] = await bot.deciding.export(MEMBER)
    assert [one.decision is not None for one in told.answers] == [True, False, False]
    rows = await bot.audit.export(ADMIN, filter_of(AuditKind.LEARNING), "csv")
    acts = [one.entry.action for one in rows if one.entry.action not in ("poll.asked", "poll.closed")]
    assert acts == ["poll.marked", "decision.changed", "poll.unmarked", "poll.marked", "decision.exported"]


async def test_the_page_tells_feedback_and_what_telling_changed(bot: Bot, clock: FakeClock) -> None:
    """By state, and as `/finops effect` has it, asked once for the decisions of a few minutes; empty is no error."""
    empty = await bot.deciding.page(MEMBER)
    assert (empty.polls, empty.open, empty.feedback) == ((), (), {})
    assert await bot.deciding.export(MEMBER) == ()
    for mark in "ab":
        await bot.feedback.give(MEMBER, FeedbackDraft(FeedbackCategory.IDEA, "…", may_contact=False), mark)
    await bot.feedback.decide(ADMIN, 1, FeedbackState.PLANNED)
    page = await bot.deciding.page(ADMIN)
    assert page.feedback == {FeedbackState.NEW: 1, FeedbackState.PLANNED: 1}
    assert page.learned is empty.learned
    clock.advance(minutes=6)
    later = (await bot.deciding.page(ADMIN)).learned
    assert later is not None
    assert empty.learned is not None
    assert later.at - empty.learned.at == timedelta(minutes=6)
    assert len(later.hypotheses) == 3
