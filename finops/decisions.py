"""Decisions: what was voted to come next, and what became of it.

A poll decides when it asks what comes next (`next_feature`), or an administrator says that it does. A vote is advice:
what is decided about an answer is an administrator's, told beside the votes with who said so and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum

from finops import spreadsheets
from finops.feedback import FeedbackState
from finops.frozen import frozen
from finops.learning import LearningReport
from finops.polls import Count, Poll, PollShown
from finops.spreadsheets import safe, second

TOP = 3


class DecisionState(StrEnum):
    """What becomes of an answer; without a decision it has none."""

    PLANNED = "planned"
    DOING = "doing"
    DONE = "done"
    DECLINED = "declined"


@frozen
class Decision:
    """What was decided about one answer of a poll, by whom and when; `name` is what they are called, '' not known."""

    poll_id: int
    option_id: str
    state: DecisionState
    by: str
    at: datetime
    name: str = ""


@frozen
class Ranked:
    """An answer in its place: `place` counts from 1, and answers with equal votes share it (`is_tied`)."""

    place: int
    is_tied: bool
    count: Count
    decision: Decision | None = None


@frozen
class DecidedPoll:
    """A closed poll that decides, its answers by votes; those nobody chose stand last."""

    shown: PollShown
    answers: tuple[Ranked, ...]

    @property
    def poll(self) -> Poll:
        return self.shown.poll

    @property
    def top(self) -> tuple[Ranked, ...]:
        """The first three places that anybody voted for, all that share them, and what else was decided about."""
        return tuple(one for one in self.answers if (one.place <= TOP and one.count.votes) or one.decision is not None)


@frozen
class Decisions:
    """What was voted and decided, the poll that closed last first; `open` polls decide when they close.

    `more` closed polls are older than those of `polls`. `feedback` counts what people said by what became of it.
    `learned` is what `/finops effect` says, as of its own `at`.
    """

    at: datetime
    polls: tuple[DecidedPoll, ...]
    open: tuple[Poll, ...]
    more: int = 0
    feedback: Mapping[FeedbackState, int] = field(default_factory=dict)
    learned: LearningReport | None = None


def decided(shown: PollShown, decisions: Iterable[Decision]) -> DecidedPoll:
    """Rank a poll's answers and lay beside each what was decided. Nobody's name is kept with a vote."""
    by_option = {one.option_id: one for one in decisions if one.poll_id == shown.poll.id}
    votes = [count.votes for count in shown.counts]
    answers = [
        Ranked(
            place=1 + sum(other > count.votes for other in votes),
            is_tied=votes.count(count.votes) > 1,
            count=replace(count, voters=()),
            decision=by_option.get(count.option.id),
        )
        for count in shown.counts
    ]
    return DecidedPoll(shown, tuple(sorted(answers, key=lambda one: one.place)))


def exported(polls: Sequence[DecidedPoll]) -> bytes:
    """A CSV for spreadsheets: a line for each answer of each poll, with what was decided about it; counts only."""
    rows: list[tuple[object, ...]] = [
        ("question", "closed_at", "voters_in_all", "place", "option", "votes", "decision", "decided_by", "decided_at")
    ]
    for poll in polls:
        closed = poll.poll.closed_at
        head = (safe(poll.poll.question), "" if closed is None else second(closed), poll.shown.people)
        for one in poll.answers:
            made = one.decision
            decision = ("", "", "") if made is None else (made.state.value, safe(made.by), second(made.at))
            rows.append((*head, one.place, safe(one.count.option.text), one.count.votes, *decision))
    return spreadsheets.file(rows)
