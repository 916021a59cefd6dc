"""Interviews: times that administrators offer, booked, moved and given up by anybody, each time by one person only."""

from __future__ import annotations

from datetime import datetime

from bot.audit import record
from bot.desk import Desk
from bot.errors import Refusal, RefusalCode
from bot.people import People, require_admin
from bot.telling import ROUTINE
from finops.frozen import frozen
from finops.incidents import Fact
from finops.interviews import (
    DAY_BEFORE,
    LONGEST_NOTE,
    LONGEST_PLACE,
    BadOffer,
    Board,
    Happened,
    Meeting,
    OfferWish,
    Slot,
    due,
    offered_times,
)
from finops.registry import Person
from storage import Store

# What the outbox holds. Its subject: booking_id, slot_id, what (finops.interviews.Happened), by, to (user ids).
INTERVIEW = "interview"
REMINDERS = frozenset({Happened.DAY, Happened.HOUR})


@frozen
class Changed:
    """What became of an appointment. `left` is the time it was moved away from, None where it was not."""

    what: Happened
    meeting: Meeting
    left: Slot | None = None


class Interviews:
    """Who meets whom, and when. Whoever did something is not told of it; the other side is."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def board(self, actor: Person) -> Board:
        """What this person sees: their appointment, what is free, and what they host; an admin all that is offered."""
        now = self._desk.now()
        async with self._desk.storage.reading() as store:
            coming = await store.interviews.coming(actor.workspace_id, now)
            mine = await store.interviews.standing(actor.workspace_id, actor.user_id, now)
        return Board(
            mine=mine,
            free=tuple(one.slot for one in coming if one.booking is None and one.slot.host_user_id != actor.user_id),
            offered=tuple(one for one in coming if actor.is_admin or one.slot.host_user_id == actor.user_id),
            may_offer=actor.is_admin,
        )

    async def offer(self, actor: Person, wish: OfferWish) -> list[Slot]:
        """Offer times: all of them or none. An admin's to do, for themselves or for somebody else as host."""
        await self._people.require_admin(actor)
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            await store.interviews.hold(workspace_id, wish.host_user_id)
            coming = await store.interviews.coming(workspace_id, now)
            taken = [(o.slot.starts_at, o.slot.ends_at) for o in coming if o.slot.host_user_id == wish.host_user_id]
            try:
                times = offered_times(wish, now, taken)
            except BadOffer as bad:
                raise Refusal(RefusalCode.INTERVIEW_TIMES, mistake=bad.mistake.value, word=bad.word) from bad
            place = " ".join(wish.place.split())[:LONGEST_PLACE]
            made = await store.interviews.offer(
                workspace_id, times, host=wish.host_user_id, place=place, by=actor.user_id, at=now
            )
            details: dict[str, Fact] = {"count": len(made), "host": wish.host_user_id}
            await record(desk, store, workspace_id, actor.user_id, "interview.offered", f"slot:{made[0].id}", details)
        return made

    async def book(self, actor: Person, slot_id: int, note: str, moves: int | None = None) -> Changed:
        """Book a time, or move the booking `moves` there. One appointment to come for each person.

        Of all who want the same time one has it; the others are refused, and keep what they had.
        """
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        said = note.strip()[:LONGEST_NOTE]
        async with desk.storage.writing() as store:
            await store.interviews.hold(workspace_id, actor.user_id)
            mine = await store.interviews.standing(workspace_id, actor.user_id, now)
            if moves is None and mine is not None:
                raise Refusal(RefusalCode.INTERVIEW_BOOKED, at=mine.slot.starts_at)
            if moves is not None and (mine is None or mine.booking.id != moves):
                raise Refusal(RefusalCode.UNKNOWN_BOOKING)
            slot = await store.interviews.hold_slot(workspace_id, slot_id)
            if slot is None or slot.withdrawn_at or slot.starts_at <= now or slot.host_user_id == actor.user_id:
                raise Refusal(RefusalCode.UNKNOWN_SLOT)
            left = mine.slot if mine is not None else None
            changed = Changed(
                Happened.MOVED if mine is not None else Happened.BOOKED,
                await _kept(store, actor, slot, said, now, mine),
                left if left is not None and left.id != slot.id else None,
            )
            await self._tell_change(store, changed, actor.user_id, now)
        desk.wake_outbox.set()
        return changed

    async def cancel(self, actor: Person, booking_id: int) -> Changed:
        """Give up one's own appointment; the time is free again."""
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        async with desk.storage.writing() as store:
            await store.interviews.hold(workspace_id, actor.user_id)
            meeting = await store.interviews.meeting(workspace_id, booking_id)
            if meeting is None or meeting.booking.user_id != actor.user_id or meeting.slot.starts_at <= now:
                raise Refusal(RefusalCode.UNKNOWN_BOOKING)
            changed = await self._cancelled(store, meeting, Happened.CANCELLED, actor.user_id, now)
            if changed is None:
                raise Refusal(RefusalCode.UNKNOWN_BOOKING)
        desk.wake_outbox.set()
        return changed

    async def withdraw(self, actor: Person, slot_id: int) -> Changed | None:
        """Offer a time no longer: its host or an admin. Whoever had booked it is told; None where nobody had."""
        desk, workspace_id, now = self._desk, actor.workspace_id, self._desk.now()
        changed = None
        async with desk.storage.writing() as store:
            slot = await store.interviews.hold_slot(workspace_id, slot_id)
            if slot is None or slot.starts_at <= now:
                raise Refusal(RefusalCode.UNKNOWN_SLOT)
            if slot.host_user_id != actor.user_id:
                await require_admin(store, actor)
            if not await store.interviews.withdraw(workspace_id, slot_id, now):
                raise Refusal(RefusalCode.UNKNOWN_SLOT)
            meeting = await store.interviews.of_slot(workspace_id, slot_id)
            if meeting is not None:
                changed = await self._cancelled(store, meeting, Happened.WITHDRAWN, actor.user_id, now)
            await record(desk, store, workspace_id, actor.user_id, "interview.withdrawn", f"slot:{slot_id}")
        desk.wake_outbox.set()
        return changed

    async def meeting(self, actor: Person, booking_id: int, slot_id: int = 0) -> tuple[Meeting, bool]:
        """An appointment for one of the two whose it is, and whether it takes place.

        Whoever hosts the time `slot_id`, which it was moved away from, gets it as it was: it does not take place there.
        """
        async with self._desk.storage.reading() as store:
            found = await store.interviews.meeting(actor.workspace_id, booking_id)
            left = await store.interviews.slot(actor.workspace_id, slot_id)
        if found is not None and actor.user_id in (found.booking.user_id, found.slot.host_user_id):
            return found, found.booking.cancelled_at is None
        if found is not None and left is not None and left.host_user_id == actor.user_id:
            return Meeting(left, found.booking), False
        raise Refusal(RefusalCode.UNKNOWN_BOOKING)

    async def told(self, workspace_id: str, booking_id: int, slot_id: int, what: Happened) -> Meeting | None:
        """What a message is about, with the time it told of; None for a reminder of what is not to be any more."""
        async with self._desk.storage.reading() as store:
            meeting = await store.interviews.meeting(workspace_id, booking_id)
            slot = await store.interviews.slot(workspace_id, slot_id)
        if meeting is None or slot is None:
            return None
        is_off = meeting.booking.cancelled_at is not None or meeting.slot.id != slot.id
        if what in REMINDERS and (is_off or slot.starts_at <= self._desk.now()):
            return None
        return Meeting(slot, meeting.booking)

    async def names(self, workspace_id: str, *user_ids: str) -> dict[str, str]:
        """What these people are called, as far as we met them."""
        async with self._desk.storage.reading() as store:
            found = {user_id: await store.people.get(workspace_id, user_id) for user_id in user_ids}
        return {user_id: person.name for user_id, person in found.items() if person is not None}

    async def remind(self) -> int:
        """Have both sides of every appointment reminded that is due, each once; how many appointments it were."""
        desk, now, count = self._desk, self._desk.now(), 0
        async with desk.storage.reading() as store:
            soon = await store.interviews.soon(now, DAY_BEFORE)
        for meeting in soon:
            what = due(meeting, now)
            if what is None:
                continue
            async with desk.storage.writing() as store:
                if not await store.interviews.take_reminder(meeting.booking.workspace_id, meeting.booking, now):
                    continue  # another copy of the bot did, or it was moved meanwhile
                for user_id in (meeting.booking.user_id, meeting.slot.host_user_id):
                    await _want(store, meeting, what, "", user_id, now)
            count += 1
        if count:
            desk.wake_outbox.set()
        return count

    async def _cancelled(self, store: Store, meeting: Meeting, what: Happened, by: str, at: datetime) -> Changed | None:
        """Give it up and tell the other side; None where it was given up, or moved away, a moment before."""
        workspace_id, booking_id = meeting.booking.workspace_id, meeting.booking.id
        if not await store.interviews.cancel(workspace_id, booking_id, meeting.slot.id, at):
            return None
        now = await store.interviews.meeting(workspace_id, booking_id)
        assert now is not None
        changed = Changed(what, now)
        await self._tell_change(store, changed, by, at)
        return changed

    async def _tell_change(self, store: Store, changed: Changed, by: str, at: datetime) -> None:
        """Tell the others: the host, whoever booked, and the host of the time that was left for somebody else's."""
        meeting = changed.meeting
        for user_id in {meeting.slot.host_user_id, meeting.booking.user_id} - {by}:
            await _want(store, meeting, changed.what, by, user_id, at)
        left = changed.left
        if left is not None and left.host_user_id != meeting.slot.host_user_id:
            await _want(store, Meeting(left, meeting.booking), Happened.CANCELLED, by, left.host_user_id, at)


async def _kept(store: Store, actor: Person, slot: Slot, note: str, at: datetime, mine: Meeting | None) -> Meeting:
    if mine is None:
        booked = await store.interviews.book(actor.workspace_id, slot.id, actor.user_id, note, at)
        if booked is None:
            raise Refusal(RefusalCode.SLOT_TAKEN)
        return Meeting(slot, booked)
    if not await store.interviews.move(actor.workspace_id, mine.booking.id, slot.id, note, at):
        raise Refusal(RefusalCode.SLOT_TAKEN)
    moved = await store.interviews.meeting(actor.workspace_id, mine.booking.id)
    assert moved is not None
    return moved


async def _want(store: Store, meeting: Meeting, what: Happened, by: str, to: str, at: datetime) -> None:
    booking, slot = meeting.booking, meeting.slot
    await store.outbox.want(
        booking.workspace_id,
        f"interview:{booking.id}:{booking.sequence}:{what.value}:{slot.id}:{to}",
        INTERVIEW,
        {"booking_id": booking.id, "slot_id": slot.id, "what": what.value, "by": by, "to": to},
        None,
        [to],
        urgency=ROUTINE,
        at=at,
        is_prompt=True,
    )
