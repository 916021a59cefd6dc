"""Interviews: times that are offered and who booked them; the database lets nobody book what somebody has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from finops.interviews import Booking, Meeting, Offered, Slot
from storage.repository import Repository, across_workspaces
from storage.tables import people
from storage.tables_learning import interview_bookings, interview_slots

_slots, _bookings = interview_slots.c, interview_bookings.c
_STANDS = _bookings.cancelled_at.is_(None)
_BOTH = (
    *(column.label(f"slot_{column.name}") for column in _slots),
    *(column.label(f"booking_{column.name}") for column in _bookings),
)


class Interviews(Repository):
    """Slots and bookings."""

    async def hold(self, workspace_id: str, user_id: str) -> None:
        """Let everything else that this person books, moves or offers wait until the transaction ends."""
        mine = people.c.workspace_id == workspace_id, people.c.user_id == user_id
        await self._db.execute(select(people.c.user_id).where(*mine).with_for_update())

    async def offer(
        self,
        workspace_id: str,
        times: Sequence[tuple[datetime, datetime]],
        *,
        host: str,
        place: str,
        by: str,
        at: datetime,
    ) -> list[Slot]:
        """Offer these times."""
        made = []
        for starts_at, ends_at in times:
            values = {
                "workspace_id": workspace_id,
                "host_user_id": host,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "place": place,
                "created_by": by,
                "created_at": at,
            }
            row = (await self._db.execute(insert(interview_slots).values(values).returning(*_slots))).one()
            made.append(Slot(**row._mapping))
        return made

    async def slot(self, workspace_id: str, slot_id: int) -> Slot | None:
        """The offered time under this id, withdrawn or not."""
        asked = select(interview_slots).where(_slots.workspace_id == workspace_id, _slots.id == slot_id)
        row = (await self._db.execute(asked)).one_or_none()
        return None if row is None else Slot(**row._mapping)

    async def hold_slot(self, workspace_id: str, slot_id: int) -> Slot | None:
        """The same, for whoever is about to change it: everybody else who wants to waits."""
        asked = select(interview_slots).where(_slots.workspace_id == workspace_id, _slots.id == slot_id)
        row = (await self._db.execute(asked.with_for_update())).one_or_none()
        return None if row is None else Slot(**row._mapping)

    async def coming(self, workspace_id: str, now: datetime) -> list[Offered]:
        """Every time to come that is still offered, with who booked it; soonest first."""
        asked = (
            select(*_BOTH)
            .select_from(interview_slots.outerjoin(interview_bookings, and_(_same(), _STANDS)))
            .where(_slots.workspace_id == workspace_id, _slots.withdrawn_at.is_(None), _slots.starts_at > now)
            .order_by(_slots.starts_at, _slots.id)
        )
        rows = (await self._db.execute(asked)).all()
        return [Offered(_slot(row), None if row.booking_id is None else _booking(row)) for row in rows]

    async def standing(self, workspace_id: str, user_id: str, now: datetime) -> Meeting | None:
        """The appointment to come that this person has booked; None when there is none."""
        asked = _meetings().where(_slots.workspace_id == workspace_id, _bookings.workspace_id == workspace_id)
        rows = await self._db.execute(asked.where(_bookings.user_id == user_id, _STANDS, _slots.starts_at > now))
        row = rows.first()
        return None if row is None else _meeting(row)

    async def meeting(self, workspace_id: str, booking_id: int) -> Meeting | None:
        """A booking, cancelled or not, with the time it is or was for."""
        asked = _meetings().where(_slots.workspace_id == workspace_id, _bookings.id == booking_id)
        row = (await self._db.execute(asked)).one_or_none()
        return None if row is None else _meeting(row)

    async def of_slot(self, workspace_id: str, slot_id: int) -> Meeting | None:
        """The booking that a time stands under, or None while it is free."""
        asked = _meetings().where(_slots.workspace_id == workspace_id, _slots.id == slot_id, _STANDS)
        row = (await self._db.execute(asked)).one_or_none()
        return None if row is None else _meeting(row)

    async def book(self, workspace_id: str, slot_id: int, user_id: str, note: str, at: datetime) -> Booking | None:
        """Book a time: for exactly one of all who try while it is free; None for the others."""
        if await self.slot(workspace_id, slot_id) is None:
            return None
        values = {
            "workspace_id": workspace_id,
            "slot_id": slot_id,
            "user_id": user_id,
            "note": note,
            "booked_at": at,
            "sequence": 0,
        }
        statement = (
            self._insert(interview_bookings)
            .values(values)
            .on_conflict_do_nothing(index_elements=["workspace_id", "slot_id"], index_where=_STANDS)
            .returning(*_bookings)
        )
        row = (await self._db.execute(statement)).one_or_none()
        return None if row is None else Booking(**row._mapping)

    async def move(self, workspace_id: str, booking_id: int, slot_id: int, note: str, at: datetime) -> bool:
        """Let a booking stand for another time, reminders and all; False where that one is taken or this one gone."""
        change = (
            update(interview_bookings)
            .where(_bookings.workspace_id == workspace_id, _bookings.id == booking_id, _STANDS)
            .values(slot_id=slot_id, note=note, booked_at=at, reminded_at=None, sequence=_bookings.sequence + 1)
        )
        try:
            async with self._db.begin_nested():
                return (await self._db.execute(change)).rowcount == 1
        except IntegrityError:
            return False

    async def cancel(self, workspace_id: str, booking_id: int, slot_id: int, at: datetime) -> bool:
        """Give a booking of this time up: True for exactly one of all who do, False where it was moved meanwhile."""
        result = await self._db.execute(
            update(interview_bookings)
            .where(_bookings.workspace_id == workspace_id, _bookings.id == booking_id, _STANDS)
            .where(_bookings.slot_id == slot_id)
            .values(cancelled_at=at, sequence=_bookings.sequence + 1)
        )
        return result.rowcount == 1

    async def withdraw(self, workspace_id: str, slot_id: int, at: datetime) -> bool:
        """Offer a time no longer: True for exactly one of all who say so."""
        result = await self._db.execute(
            update(interview_slots)
            .where(_slots.workspace_id == workspace_id, _slots.id == slot_id, _slots.withdrawn_at.is_(None))
            .values(withdrawn_at=at)
        )
        return result.rowcount == 1

    @across_workspaces("whoever reminds, reminds in every workspace; each row says whose it is")
    async def soon(self, now: datetime, within: timedelta) -> list[Meeting]:
        """Every appointment that stands and begins within that time, soonest first."""
        asked = _meetings().where(_STANDS, _slots.withdrawn_at.is_(None))
        asked = asked.where(_slots.starts_at > now, _slots.starts_at <= now + within)
        rows = await self._db.execute(asked.order_by(_slots.starts_at, _bookings.id))
        return [_meeting(row) for row in rows]

    async def take_reminder(self, workspace_id: str, booking: Booking, at: datetime) -> bool:
        """Note that both sides are reminded now: True for one of all who read it as it was when `booking` was read."""
        before = _bookings.reminded_at
        result = await self._db.execute(
            update(interview_bookings)
            .where(_bookings.workspace_id == workspace_id, _bookings.id == booking.id, _STANDS)
            .where(_bookings.sequence == booking.sequence)
            .where(before.is_(None) if booking.reminded_at is None else before == booking.reminded_at)
            .values(reminded_at=at)
        )
        return result.rowcount == 1


def _same() -> Any:
    return and_(_bookings.workspace_id == _slots.workspace_id, _bookings.slot_id == _slots.id)


def _meetings() -> Select[Any]:
    return select(*_BOTH).select_from(interview_slots.join(interview_bookings, _same()))


def _slot(row: Row[Any]) -> Slot:
    return Slot(**{column.name: row._mapping[f"slot_{column.name}"] for column in _slots})


def _booking(row: Row[Any]) -> Booking:
    return Booking(**{column.name: row._mapping[f"booking_{column.name}"] for column in _bookings})


def _meeting(row: Row[Any]) -> Meeting:
    return Meeting(_slot(row), _booking(row))
