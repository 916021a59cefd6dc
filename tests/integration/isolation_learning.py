"""Every query about polls, decisions, feedback and interviews, as a stranger of another workspace would make it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from finops.decisions import Decision, DecisionState
from finops.feedback import FeedbackState
from storage import Store
from tests.databases import MOMENT

LATER = MOMENT + timedelta(days=1)

ATTEMPTS: dict[str, Callable[[Store, str, Any], Awaitable[Any]]] = {
    "Feedbacks.answer": lambda s, w, b: s.feedback.answer(w, b.feedback_id, "no", by="U9", at=LATER),
    "Feedbacks.get": lambda s, w, b: s.feedback.get(w, b.feedback_id),
    "Feedbacks.newest": lambda s, w, b: s.feedback.newest(w, 9),
    "Feedbacks.set_state": lambda s, w, b: s.feedback.set_state(
        w, b.feedback_id, FeedbackState.DONE, by="U9", at=LATER
    ),
    "Interviews.book": lambda s, w, b: s.interviews.book(w, b.booking.slot_id, "U9", "", MOMENT),
    "Interviews.cancel": lambda s, w, b: s.interviews.cancel(w, b.booking.id, b.booking.slot_id, MOMENT),
    "Interviews.coming": lambda s, w, b: s.interviews.coming(w, MOMENT),
    "Interviews.hold": lambda s, w, b: s.interviews.hold(w, "U0MINSU001"),
    "Interviews.hold_slot": lambda s, w, b: s.interviews.hold_slot(w, b.booking.slot_id),
    "Interviews.meeting": lambda s, w, b: s.interviews.meeting(w, b.booking.id),
    "Interviews.move": lambda s, w, b: s.interviews.move(w, b.booking.id, b.booking.slot_id, "", MOMENT),
    "Interviews.of_slot": lambda s, w, b: s.interviews.of_slot(w, b.booking.slot_id),
    "Interviews.slot": lambda s, w, b: s.interviews.slot(w, b.booking.slot_id),
    "Interviews.standing": lambda s, w, b: s.interviews.standing(w, "U2", MOMENT),
    "Interviews.take_reminder": lambda s, w, b: s.interviews.take_reminder(w, b.booking, MOMENT),
    "Interviews.withdraw": lambda s, w, b: s.interviews.withdraw(w, b.booking.slot_id, MOMENT),
    "Polls.ballot": lambda s, w, b: s.polls.ballot(w, b.poll_id, "voter"),
    "Polls.ballots": lambda s, w, b: s.polls.ballots(w, b.poll_id),
    "Polls.close": lambda s, w, b: s.polls.close(w, b.poll_id, "U9", LATER),
    "Polls.get": lambda s, w, b: s.polls.get(w, b.poll_id),
    "Polls.hold": lambda s, w, b: s.polls.hold(w, b.poll_id, is_alone=True),
    "Polls.latest": lambda s, w, b: s.polls.latest(w, 9),
    "Decisions.clear": lambda s, w, b: s.decisions.clear(w, b.poll_id, "1"),
    "Decisions.of_polls": lambda s, w, b: s.decisions.of_polls(w, [b.poll_id]),
    "Decisions.set": lambda s, w, b: s.decisions.set(
        w, Decision(b.poll_id, "2", DecisionState.DONE, by="U9", at=LATER)
    ),
    "Feedbacks.counts": lambda s, w, b: s.feedback.counts(w),
    "Polls.deciding": lambda s, w, b: s.polls.deciding(w, 9),
    "Polls.mark": lambda s, w, b: s.polls.mark(w, b.poll_id, "U9"),
    "Polls.pulses": lambda s, w, b: s.polls.pulses(w, "", "~"),
    "Polls.set_options": lambda s, w, b: s.polls.set_options(w, b.poll_id, []),
    "Polls.take_reminder": lambda s, w, b: s.polls.take_reminder(w, b.poll_id),
    "Polls.vote": lambda s, w, b: s.polls.vote(w, b.poll_id, "voter", ["2"], LATER, 2),
    "Polls.voted": lambda s, w, b: s.polls.voted(w, b.poll_id),
    "Polls.withdraw": lambda s, w, b: s.polls.withdraw(w, b.poll_id, "voter", LATER, 2),
}
