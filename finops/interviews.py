"""Interviews: times that are offered, the ones that are booked, and when both sides are reminded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from finops.frozen import frozen

LENGTHS = (15, 20, 30, 45, 60, 90)
MOST_AT_ONCE = 20
FURTHEST = timedelta(days=180)
LONGEST_PLACE = 300
LONGEST_NOTE = 500
DAY_BEFORE, HOUR_BEFORE = timedelta(days=1), timedelta(hours=1)
_SEPARATORS = re.compile(r"[,;\s、，]+")
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?")


@frozen
class Slot:
    """A time somebody offers for an interview. `place` is a link or a room, '' where none was named."""

    id: int
    workspace_id: str
    host_user_id: str
    starts_at: datetime
    ends_at: datetime
    place: str
    created_by: str
    created_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


@frozen
class Booking:
    """Somebody's appointment. `sequence` counts its changes, as calendars want it; a move keeps the booking."""

    id: int
    workspace_id: str
    slot_id: int
    user_id: str
    note: str
    booked_at: datetime
    cancelled_at: datetime | None
    reminded_at: datetime | None
    sequence: int


@frozen
class Meeting:
    """A booking with the time it is booked for."""

    slot: Slot
    booking: Booking

    def other(self, user_id: str) -> str:
        """Whom this person meets."""
        return self.booking.user_id if user_id == self.slot.host_user_id else self.slot.host_user_id


@frozen
class Offered:
    """A time as whoever offers it sees it: with who booked it, None while it is free."""

    slot: Slot
    booking: Booking | None


@frozen
class Board:
    """What one person sees of interviews; times to come only, soonest first.

    `mine` is their own appointment, `free` what they may book, `offered` what they host or, as an admin, all there is.
    """

    mine: Meeting | None
    free: tuple[Slot, ...]
    offered: tuple[Offered, ...]
    may_offer: bool


class Happened(StrEnum):
    """What a message about an interview tells."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"  # by whoever offered it
    DAY = "day"
    HOUR = "hour"


@frozen
class OfferWish:
    """What an admin filled in: a day and its times as typed, in the time zone `zone`."""

    host_user_id: str
    day: date
    times: str
    minutes: int
    place: str
    zone: str


class OfferMistake(StrEnum):
    """What is wrong with the times of an offer."""

    NO_TIME = "no_time"  # word: what is no time of a day; '' where there is none at all
    NO_SUCH_TIME = "no_such_time"  # word: the clocks skip it on that day
    PAST = "past"  # word
    TOO_FAR = "too_far"
    TOO_MANY = "too_many"
    OVERLAP = "overlap"  # word: it begins before another of the same host ends


class BadOffer(ValueError):
    """An offer that cannot be made; `word` is the typed time it is about, '' where it is about all."""

    def __init__(self, mistake: OfferMistake, word: str = "") -> None:
        super().__init__(mistake.value)
        self.mistake = mistake
        self.word = word


def offered_times(
    wish: OfferWish, now: datetime, taken: Sequence[tuple[datetime, datetime]] = ()
) -> list[tuple[datetime, datetime]]:
    """Beginning and end of every time of an offer, in UTC, soonest first.

    `taken` are times its host offers already. Raises BadOffer. A time that the clocks of the zone show twice is the
    first of the two; ZoneInfoNotFoundError where there is no such zone.
    """
    zone = ZoneInfo(wish.zone)
    words = [word for word in _SEPARATORS.split(wish.times.strip()) if word]
    if not words:
        raise BadOffer(OfferMistake.NO_TIME)
    if len(words) > MOST_AT_ONCE:
        raise BadOffer(OfferMistake.TOO_MANY)
    found: list[tuple[datetime, datetime, str]] = []
    for word in words:
        start = _moment(wish.day, _time_of(word), zone)
        if start is None:
            raise BadOffer(OfferMistake.NO_SUCH_TIME, word)
        if start <= now:
            raise BadOffer(OfferMistake.PAST, word)
        if start > now + FURTHEST:
            raise BadOffer(OfferMistake.TOO_FAR, word)
        found.append((start, start + timedelta(minutes=wish.minutes), word))
    every = sorted([*found, *((start, end, "") for start, end in taken)])
    for (_, ended, before), (start, _, word) in pairwise(every):
        if start < ended and (word or before):
            raise BadOffer(OfferMistake.OVERLAP, word or before)
    return [(start, end) for start, end, _ in sorted(found)]


def due(meeting: Meeting, now: datetime) -> Happened | None:
    """The reminder both sides are owed now: an hour before, else a day before; each once.

    Whoever booked within that time knows, and is not reminded. What was missed is told late, but never after the
    beginning, and an hour before nobody is told of the day before any more.
    """
    start, booking = meeting.slot.starts_at, meeting.booking
    if booking.cancelled_at is not None or now >= start:
        return None
    for what, before in ((Happened.HOUR, HOUR_BEFORE), (Happened.DAY, DAY_BEFORE)):
        at = start - before
        if now >= at:
            was_told = booking.reminded_at is not None and booking.reminded_at >= at
            return None if was_told or booking.booked_at >= at else what
    return None


def _time_of(word: str) -> time:
    found = _TIME.fullmatch(word)
    if found is None or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise BadOffer(OfferMistake.NO_TIME, word)
    return time(int(found[1]), int(found[2] or 0))


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """That time of that day in UTC; None where the clocks of the zone skip it."""
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None) else None
