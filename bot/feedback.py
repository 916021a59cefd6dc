"""Feedback: kept, told to those who look after it, and answered once to whoever said it."""

from __future__ import annotations

from datetime import datetime

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People
from bot.telling import ROUTINE
from finops.feedback import LONGEST_ANSWER, LONGEST_TEXT, Feedback, FeedbackDraft, FeedbackState
from finops.registry import Person
from storage import Store

# What the outbox holds: the message to those who look after it, and the answer. Their subjects hold the feedback's id.
FEEDBACK, FEEDBACK_ANSWER = "feedback", "feedback_answer"


class Feedbacks:
    """Where people say what they think, and hear what becomes of it.

    It is told in the operator's channel (`Policy.feedback_channel`); where there is none, or it is closed to us, to
    the administrators directly. Only administrators decide and answer.
    """

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def give(self, actor: Person, draft: FeedbackDraft, mark: str) -> Feedback | None:
        """Keep what somebody says and have it told; None where `mark` (one for each form) was given before.

        Where no contact is wanted nothing of who said it is kept, and the mark must not tell it either.
        """
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        text = draft.text.strip()[:LONGEST_TEXT]
        if not text:
            raise Refusal(RefusalCode.TEXT_MISSING)
        cleaned = FeedbackDraft(draft.category, text, draft.may_contact, draft.channel_id, draft.message_ts)
        async with desk.storage.writing() as store:
            if not await store.claims.once(workspace_id, f"feedback:{mark}", now):
                return None
            kept = await store.feedback.add(workspace_id, cleaned, actor.user_id, now)
            await self._want(store, kept, now)
        desk.wake_outbox.set()
        return kept

    async def told(self, workspace_id: str, feedback_id: int) -> Feedback:
        """What was said, for messages about it; refused where nothing has this id."""
        async with self._desk.storage.reading() as store:
            return await _found(store, workspace_id, feedback_id)

    async def shown(self, actor: Person, feedback_id: int) -> Feedback:
        """What was said, for those who decide about it."""
        await self._people.require_admin(actor)
        return await self.told(actor.workspace_id, feedback_id)

    async def decide(self, actor: Person, feedback_id: int, state: FeedbackState) -> Feedback:
        """Say what becomes of it; its message shows it. The same again changes nothing."""
        await self._people.require_admin(actor)
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            is_news = await store.feedback.set_state(workspace_id, feedback_id, state, by=actor.user_id, at=now)
            kept = await _found(store, workspace_id, feedback_id)
            if is_news:
                await self._want(store, kept, now)
                subject, details = f"feedback:{feedback_id}", {"state": state.value}
                await record(desk, store, workspace_id, actor.user_id, "feedback.decided", subject, details)
        desk.wake_outbox.set()
        return kept

    async def answer(self, actor: Person, feedback_id: int, text: str) -> Feedback:
        """Answer whoever said it, directly; the first answer is the one. Refused where no contact is wanted."""
        await self._people.require_admin(actor)
        said = text.strip()[:LONGEST_ANSWER]
        if not said:
            raise Refusal(RefusalCode.TEXT_MISSING)
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            is_first = await store.feedback.answer(workspace_id, feedback_id, said, by=actor.user_id, at=now)
            kept = await _found(store, workspace_id, feedback_id)
            if kept.user_id is None:
                raise Refusal(RefusalCode.FEEDBACK_WITHOUT_CONTACT)
            if not is_first:
                raise Refusal(RefusalCode.FEEDBACK_ANSWERED, person=kept.answered_by, at=kept.answered_at)
            await self._want(store, kept, now)
            await store.outbox.want(
                workspace_id,
                f"feedback:{feedback_id}:answer",
                FEEDBACK_ANSWER,
                {"feedback_id": feedback_id},
                None,
                [kept.user_id],
                urgency=ROUTINE,
                at=now,
                is_prompt=True,
            )
            await record(desk, store, workspace_id, actor.user_id, "feedback.answered", f"feedback:{feedback_id}")
        desk.wake_outbox.set()
        return kept

    async def _want(self, store: Store, kept: Feedback, at: datetime) -> None:
        """Have it told, or its message drawn anew."""
        admins = await store.people.admins(kept.workspace_id)
        await store.outbox.want(
            kept.workspace_id,
            f"feedback:{kept.id}",
            FEEDBACK,
            {"feedback_id": kept.id},
            self._desk.policy.feedback_channel or None,
            [one.user_id for one in admins],
            urgency=ROUTINE,
            at=at,
            is_prompt=True,
        )


async def _found(store: Store, workspace_id: str, feedback_id: int) -> Feedback:
    kept = await store.feedback.get(workspace_id, feedback_id)
    if kept is None:
        raise Refusal(RefusalCode.UNKNOWN_FEEDBACK)
    return kept
