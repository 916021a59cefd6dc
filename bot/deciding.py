"""Deciding: what was voted to come next, what administrators make of it, and what telling people changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.audit import record
from bot.desk import Desk
from bot.effects import Effects
from bot.errors import Refusal, RefusalCode
from bot.people import People
from finops.decisions import DecidedPoll, Decision, Decisions, DecisionState, decided
from finops.incidents import Fact
from finops.learning import LearningReport
from finops.polls import Poll, PollKind, shown
from finops.registry import Person
from storage import Store

# So many polls are looked at for the file, and so many of them stand on the page.
MOST_POLLS, PAGE_POLLS = 50, 5
# What telling people changed moves with the bills, a few times a day: each decision on the page need not ask anew.
_LEARNED_FOR = timedelta(minutes=5)


class Deciding:
    """The page of decisions. Everybody may read and take it along; only administrators decide."""

    def __init__(self, desk: Desk, people: People, effects: Effects) -> None:
        self._desk = desk
        self._people = people
        self._effects = effects
        self._learned: dict[str, LearningReport] = {}

    async def page(self, actor: Person) -> Decisions:
        """What was voted and decided, and what changed because people were told."""
        async with self._desk.storage.reading() as store:
            found = await self._polls(store, actor.workspace_id, PAGE_POLLS)
            feedback = await store.feedback.counts(actor.workspace_id)
        return replace(found, feedback=feedback, learned=await self._effect(actor))

    async def export(self, actor: Person) -> tuple[DecidedPoll, ...]:
        """The polls with every answer, for a file; empty where none has closed."""
        async with self._desk.storage.reading() as store:
            found = (await self._polls(store, actor.workspace_id, MOST_POLLS)).polls
        if found:
            async with self._desk.storage.writing() as store:
                details: dict[str, Fact] = {"polls": len(found)}
                await record(
                    self._desk, store, actor.workspace_id, actor.user_id, "decision.exported", "decisions", details
                )
        return found

    async def decide(self, actor: Person, poll_id: int, option_id: str, state: DecisionState | None) -> None:
        """Say what becomes of an answer; None: nothing is decided. The same again changes nothing.

        For admins. Refuses UNKNOWN_POLL for a poll that is open or decides nothing, and for an answer it does not have.
        """
        await self._people.require_admin(actor)
        workspace_id, now = actor.workspace_id, self._desk.now()
        async with self._desk.storage.writing() as store:
            poll = await store.polls.get(workspace_id, poll_id)
            option = None if poll is None else next((one for one in poll.options if one.id == option_id), None)
            if poll is None or option is None or poll.closed_at is None or not poll.decides:
                raise Refusal(RefusalCode.UNKNOWN_POLL)
            if state is None:
                is_news = await store.decisions.clear(workspace_id, poll_id, option_id)
            else:
                is_news = await store.decisions.set(
                    workspace_id, Decision(poll_id, option_id, state, actor.user_id, now)
                )
            if is_news:
                details: dict[str, Fact] = {
                    "name": poll.question,
                    "option": option.text,
                    "state": "open" if state is None else state.value,
                }
                subject = f"poll:{poll_id}"
                await record(self._desk, store, workspace_id, actor.user_id, "decision.changed", subject, details)

    async def mark(self, actor: Person, poll_id: int, *, decides: bool) -> Poll:
        """Have a poll decide what comes next, or not. For admins; what asks for it by its kind always decides."""
        await self._people.require_admin(actor)
        workspace_id = actor.workspace_id
        async with self._desk.storage.writing() as store:
            is_news = await store.polls.mark(workspace_id, poll_id, actor.user_id if decides else None)
            poll = await store.polls.get(workspace_id, poll_id)
            if poll is None or poll.kind is PollKind.PULSE:
                raise Refusal(RefusalCode.UNKNOWN_POLL)
            if is_news:
                action = "poll.marked" if decides else "poll.unmarked"
                details: dict[str, Fact] = {"name": poll.question}
                await record(self._desk, store, workspace_id, actor.user_id, action, f"poll:{poll_id}", details)
        return poll

    async def _polls(self, store: Store, workspace_id: str, most: int) -> Decisions:
        now = self._desk.now()
        every = await store.polls.deciding(workspace_id, MOST_POLLS)
        made = await store.decisions.of_polls(workspace_id, [one.id for one in every])
        met = {one.by: await store.people.get(workspace_id, one.by) for one in {one.by: one for one in made}.values()}
        named = [replace(one, name=person.name) if (person := met[one.by]) is not None else one for one in made]
        closed = sorted((one for one in every if one.closed_at is not None), key=_closed, reverse=True)
        ranked = [
            decided(shown(one, await store.polls.ballots(workspace_id, one.id), now), named) for one in closed[:most]
        ]
        is_open = tuple(one for one in every if one.is_open(now))
        return Decisions(now, tuple(ranked), is_open, max(0, len(closed) - most))

    async def _effect(self, actor: Person) -> LearningReport:
        known = self._learned.get(actor.workspace_id)
        if known is None or self._desk.now() - known.at > _LEARNED_FOR:
            known = self._learned[actor.workspace_id] = await self._effects.report(actor)
        return known


def _closed(poll: Poll) -> tuple[datetime, int]:
    assert poll.closed_at is not None
    return poll.closed_at, poll.id
