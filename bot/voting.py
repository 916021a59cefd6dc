"""Voting: ask a channel, take each person's vote once, close in time, tell how it ended; the pulse below a digest."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People
from bot.telling import ROUTINE
from finops.frozen import frozen
from finops.incidents import Fact
from finops.keys import contains_key
from finops.polls import (
    LATE_CLICKS,
    SALT_BYTES,
    Ballot,
    Poll,
    PollDraft,
    PollKind,
    PollMistake,
    PollShown,
    PollUnusable,
    check_closing,
    clicked_at,
    clicked_us,
    parse_options,
    parse_question,
    reminder,
    shown,
    voting_time,
    with_option,
)
from finops.registry import Person
from storage import Store

log = logging.getLogger(__name__)

# What the outbox holds: a poll's message, and a line of its thread (`line` in the subject: one of the two below).
POLL, POLL_LINE = "poll", "poll_line"
POLL_REMINDER, POLL_RESULT = "reminder", "result"
LISTED = 10

Parsed = TypeVar("Parsed")


@frozen
class Voted:
    """What a click came to: what counts now, whether it took an earlier one's place, and how a hidden poll stands.

    `is_same`: the earlier one was no other. `chosen` is empty where the vote is taken back. `shown` is None where
    everybody sees that in the message.
    """

    poll: Poll
    shown: PollShown | None
    chosen: tuple[str, ...]
    was_changed: bool
    is_same: bool = False


@frozen
class Listed:
    """A poll in a list, and where its message stands: None until it was posted."""

    shown: PollShown
    channel_id: str | None
    ts: str | None


def poll_key(poll_id: int) -> str:
    """The name of a poll's message in the outbox; the lines of its thread name it."""
    return f"poll:{poll_id}"


class Voting:
    """Asks, counts and closes. Anybody may ask and vote; whoever asked, and administrators, may close and export."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def ask(self, actor: Person, draft: PollDraft) -> Poll:
        """Post a poll. Refuses POLL_QUESTION, POLL_OPTIONS, POLL_CLOSES (each with the mistake) and CHANNEL_MISSING."""
        now = self._desk.now()
        question = _typed(RefusalCode.POLL_QUESTION, draft.question, parse_question)
        options = _typed(RefusalCode.POLL_OPTIONS, draft.options, parse_options)
        _usable(RefusalCode.POLL_CLOSES, lambda: check_closing(draft.closes_at, now))
        if not draft.channel_id:
            raise Refusal(RefusalCode.CHANNEL_MISSING)
        poll = Poll(
            id=0,
            workspace_id=actor.workspace_id,
            channel_id=draft.channel_id,
            parent_key=None,
            kind=draft.kind,
            question=question,
            options=options,
            is_multiple=draft.is_multiple,
            is_anonymous=draft.is_anonymous,
            may_add=draft.may_add,
            is_hidden=draft.is_hidden,
            locale="",
            timezone="",
            closes_at=draft.closes_at,
            remind_at=reminder(now, draft.closes_at),
            created_by=actor.user_id,
            created_at=now,
            salt=secrets.token_bytes(SALT_BYTES) if draft.is_anonymous else None,
        )
        async with self._desk.storage.writing() as store:
            kept = await store.polls.add(actor.workspace_id, poll)
            assert kept is not None, "without a key nothing stands in its way"
            await want_message(store, kept, now)
            await self._record(store, kept, actor.user_id, "poll.asked", {"channel": kept.channel_id})
        log.info("poll asked", extra={"workspace_id": actor.workspace_id, "poll_id": kept.id})
        self._desk.wake_outbox.set()
        return kept

    async def vote(
        self, workspace_id: str, user_id: str, poll_id: int, chosen: Sequence[str], clicked: str = ""
    ) -> Voted:
        """Take a person's vote in place of their earlier one; the same again changes nothing, nor does an older click.

        `clicked` is when Slack says it was, '' where it does not: now. What was clicked in time counts also where it is
        handled after the end, as long as the result was not told. What counts now is told. Refuses UNKNOWN_POLL,
        POLL_CLOSED and POLL_CHOICE. Nothing that names an anonymous voter is logged.
        """
        now = self._desk.now()
        async with self._desk.storage.writing() as store:
            poll = await self._open(store, workspace_id, poll_id, now, clicked=clicked)
            options = poll.chosen(chosen)
            if options is None:
                raise Refusal(RefusalCode.POLL_CHOICE)
            voted = await self._cast(store, poll, user_id, options, clicked, now)
        return await self._beside_the_others(voted)

    async def withdraw(self, workspace_id: str, user_id: str, poll_id: int, clicked: str = "") -> Voted:
        """Take a vote back, unless a later click stands. Refuses UNKNOWN_POLL and POLL_CLOSED."""
        now = self._desk.now()
        async with self._desk.storage.writing() as store:
            poll = await self._open(store, workspace_id, poll_id, now, clicked=clicked)
            voted = await self._cast(store, poll, user_id, (), clicked, now)
        return await self._beside_the_others(voted)

    async def _cast(
        self, store: Store, poll: Poll, user_id: str, options: tuple[str, ...], clicked: str, now: datetime
    ) -> Voted:
        """Keep what was clicked, unless somebody's later click was handled before it."""
        voter = poll.voter(user_id)
        assert voter is not None, "an open poll has its salt"
        # What is handled after the end was clicked before it, and that is when it was voted.
        given = now if now < poll.closes_at else clicked_at(clicked, now)
        mine, at, when = (poll.workspace_id, poll.id, voter), voting_time(poll, given), clicked_us(clicked, now)
        before = await store.polls.ballot(*mine, is_held=True)
        if options:
            stands = await store.polls.vote(*mine, options, at, when)
        else:
            stands = await store.polls.withdraw(*mine, at, when)
        if not stands:
            later = await store.polls.ballot(*mine)
            return Voted(poll, None, later.options if later is not None else (), was_changed=True)
        is_same = before is not None and before.options == options
        if not is_same and (before is not None or options):
            await want_message(store, poll, now)
        return Voted(poll, None, options, was_changed=before is not None and not is_same, is_same=is_same)

    async def _beside_the_others(self, voted: Voted) -> Voted:
        self._desk.wake_outbox.set()
        poll = voted.poll
        is_told = poll.is_hidden and voted.chosen and poll.kind is not PollKind.PULSE
        return replace(voted, shown=await self.told(poll.workspace_id, poll.id)) if is_told else voted

    async def own(self, workspace_id: str, user_id: str, poll_id: int) -> tuple[Poll, tuple[str, ...]]:
        """An open poll and what this person chose so far. Refuses UNKNOWN_POLL and POLL_CLOSED."""
        async with self._desk.storage.reading() as store:
            poll = await self._found(store, workspace_id, poll_id)
            self._check_open(poll, self._desk.now())
            ballot = await self._ballot(store, poll, user_id)
        return poll, () if ballot is None else ballot.options

    async def add_option(self, actor: Person, poll_id: int, text: str) -> Poll:
        """Offer one more answer. Refuses UNKNOWN_POLL, POLL_CLOSED, POLL_NO_ADDING and POLL_OPTIONS (mistake)."""
        now = self._desk.now()
        async with self._desk.storage.writing() as store:
            poll = await self._open(store, actor.workspace_id, poll_id, now, is_alone=True)
            if not poll.may_add:
                raise Refusal(RefusalCode.POLL_NO_ADDING)
            options = _typed(RefusalCode.POLL_OPTIONS, text, lambda typed: with_option(poll.options, typed))
            await store.polls.set_options(actor.workspace_id, poll_id, options)
            await want_message(store, poll, now, is_prompt=True)
            if poll.is_anonymous:  # whoever adds an answer most likely chooses it
                await self._record(store, poll, None, "poll.option_added")
            else:
                added: dict[str, Fact] = {"option": options[-1].text}
                await self._record(store, poll, actor.user_id, "poll.option_added", added)
        self._desk.wake_outbox.set()
        return poll

    async def told(self, workspace_id: str, poll_id: int) -> PollShown:
        """A poll and how it stands, for its own message. Refuses UNKNOWN_POLL."""
        async with self._desk.storage.reading() as store:
            poll = await self._found(store, workspace_id, poll_id)
            return shown(poll, await store.polls.ballots(workspace_id, poll_id), self._desk.now())

    async def results(self, workspace_id: str, user_id: str, poll_id: int) -> PollShown:
        """How a poll stands, for one person's eyes. Refuses POLL_HIDDEN while they have not voted in a hidden one."""
        async with self._desk.storage.reading() as store:
            poll = await self._found(store, workspace_id, poll_id)
            found = shown(poll, await store.polls.ballots(workspace_id, poll_id), self._desk.now())
            if not found.is_told or (not found.is_public and await self._ballot(store, poll, user_id) is None):
                raise Refusal(RefusalCode.POLL_HIDDEN)
        return found

    async def close(self, actor: Person, poll_id: int) -> PollShown:
        """Close it before its time. Refuses UNKNOWN_POLL, POLL_CLOSED and NOT_POLL_OWNER."""
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            poll = await self._found(store, actor.workspace_id, poll_id)
        await self._require_owner(actor, poll)
        if not await self._close(poll, actor.user_id, now):
            raise Refusal(RefusalCode.POLL_CLOSED)
        return await self.told(actor.workspace_id, poll_id)

    async def export(self, actor: Person, poll_id: int) -> tuple[PollShown, list[Ballot]]:
        """A poll with its votes, for a file. Refuses UNKNOWN_POLL, NOT_POLL_OWNER, and POLL_HIDDEN until it closes."""
        async with self._desk.storage.reading() as store:
            poll = await self._found(store, actor.workspace_id, poll_id)
            ballots = await store.polls.ballots(actor.workspace_id, poll_id)
        await self._require_owner(actor, poll)
        found = shown(poll, ballots, self._desk.now())
        if not found.is_public:
            raise Refusal(RefusalCode.POLL_HIDDEN)
        async with self._desk.storage.writing() as store:
            await self._record(store, poll, actor.user_id, "poll.exported")
        log.info("poll exported", extra={"poll_id": poll_id, "user_id": actor.user_id})
        return found, ballots

    async def latest(self, workspace_id: str) -> list[Listed]:
        """What was asked last, newest first, and where each stands."""
        found = []
        async with self._desk.storage.reading() as store:
            for poll in await store.polls.latest(workspace_id, LISTED):
                ballots = await store.polls.ballots(workspace_id, poll.id)
                message = await store.outbox.get(workspace_id, poll_key(poll.id))
                where = (None, None) if message is None else (message.posted_channel_id, message.ts)
                found.append(Listed(shown(poll, ballots, self._desk.now()), *where))
        return found

    def may_manage(self, actor: Person, poll: Poll) -> bool:
        """Whether this person may close and export it."""
        return actor.is_admin or (bool(poll.created_by) and poll.created_by == actor.user_id)

    async def due(self) -> int:
        """Close what is over and make the reminders that are due; how many. Each once, whoever of all copies asks."""
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            over, waiting = await store.polls.over(now - LATE_CLICKS), await store.polls.to_remind(now)
        count = 0
        for poll in over:
            count += await self._close(poll, "", now)
        for poll in waiting:
            async with self._desk.storage.writing() as store:
                if await store.polls.take_reminder(poll.workspace_id, poll.id):
                    await _want_line(store, poll, POLL_REMINDER, now)
                    count += 1
        if count:
            self._desk.wake_outbox.set()
        return count

    async def _close(self, poll: Poll, by: str, now: datetime) -> bool:
        async with self._desk.storage.writing() as store:
            if not await store.polls.close(poll.workspace_id, poll.id, by, now):
                return False
            await want_message(store, poll, now, is_prompt=True)
            if poll.kind is not PollKind.PULSE and await store.polls.voted(poll.workspace_id, poll.id):
                await _want_line(store, poll, POLL_RESULT, now)
            if poll.kind is not PollKind.PULSE:
                await self._record(store, poll, by or None, "poll.closed")
        log.info("poll closed", extra={"workspace_id": poll.workspace_id, "poll_id": poll.id})
        self._desk.wake_outbox.set()
        return True

    async def _record(
        self, store: Store, poll: Poll, actor: str | None, action: str, details: Mapping[str, Fact] | None = None
    ) -> None:
        """Write down what was done to a poll; never what somebody voted, nor that they did."""
        facts: dict[str, Fact] = {"name": poll.question, "is_anonymous": poll.is_anonymous, **(details or {})}
        await record(self._desk, store, poll.workspace_id, actor, action, f"poll:{poll.id}", facts)

    async def _open(
        self, store: Store, workspace_id: str, poll_id: int, now: datetime, *, is_alone: bool = False, clicked: str = ""
    ) -> Poll:
        poll = await store.polls.hold(workspace_id, poll_id, is_alone=is_alone)
        if poll is None:
            raise Refusal(RefusalCode.UNKNOWN_POLL)
        self._check_open(poll, now, clicked)
        return poll

    @staticmethod
    async def _found(store: Store, workspace_id: str, poll_id: int) -> Poll:
        poll = await store.polls.get(workspace_id, poll_id)
        if poll is None:
            raise Refusal(RefusalCode.UNKNOWN_POLL)
        return poll

    @staticmethod
    def _check_open(poll: Poll, now: datetime, clicked: str = "") -> None:
        if not poll.takes(clicked_at(clicked, now), now):
            raise Refusal(RefusalCode.POLL_CLOSED)

    @staticmethod
    async def _ballot(store: Store, poll: Poll, user_id: str) -> Ballot | None:
        voter = poll.voter(user_id)
        return None if voter is None else await store.polls.ballot(poll.workspace_id, poll.id, voter)

    async def _require_owner(self, actor: Person, poll: Poll) -> None:
        if not self.may_manage(actor, poll):
            admins = await self._people.admins(actor.workspace_id)
            raise Refusal(RefusalCode.NOT_POLL_OWNER, owner=poll.created_by, admins=admins)


async def want_message(
    store: Store, poll: Poll, at: datetime, people: Sequence[str] = (), *, is_prompt: bool = False
) -> None:
    """Have its message drawn anew: many votes in a short time are one edit."""
    await store.outbox.want(
        poll.workspace_id,
        poll_key(poll.id),
        POLL,
        {"poll_id": poll.id},
        poll.channel_id,
        people or ((poll.created_by,) if poll.created_by else ()),
        thread_key=poll.parent_key,
        urgency=ROUTINE,
        at=at,
        is_prompt=is_prompt,
    )


async def _want_line(store: Store, poll: Poll, line: str, at: datetime) -> None:
    key = poll_key(poll.id)
    await store.outbox.want(
        poll.workspace_id,
        f"{key}:{line}",
        POLL_LINE,
        {"poll_id": poll.id, "line": line},
        poll.channel_id,
        (poll.created_by,) if poll.created_by else (),
        thread_key=key,
        urgency=ROUTINE,
        at=at,
    )


def _typed(code: RefusalCode, text: str, parse: Callable[[str], Parsed]) -> Parsed:
    if contains_key(text):
        raise Refusal(code, mistake=PollMistake.SECRET, words="")
    return _usable(code, lambda: parse(text))


def _usable(code: RefusalCode, parse: Callable[[], Parsed]) -> Parsed:
    try:
        return parse()
    except PollUnusable as problem:
        raise Refusal(code, mistake=problem.mistake, words=problem.words) from problem
