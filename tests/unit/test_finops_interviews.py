"""Interviews and calendar files: times as people mean them, reminders once, and what a real parser reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from blocks import interviews as words
from finops.calendar_file import LINE_OCTETS, Appointment, Guest, address_of, calendar_file, uid_of
from finops.interviews import BadOffer, Booking, Happened, Meeting, OfferMistake, OfferWish, Slot, due, offered_times
from locales import translator_for

NOW = datetime(2026, 7, 6, 1, tzinfo=UTC)
WISH = OfferWish("U0JIHOON01", date(2026, 7, 8), "10:00, 14:30", 30, "회의실 3", "Asia/Seoul")
HOST, VISITOR = Guest("이지훈", address_of("U0JIHOON01", "T1")), Guest('佐藤 "사쿠라"', address_of("U0SAKURA01", "T1"))
TOLD = Appointment(
    uid=uid_of("T1", 7),
    sequence=0,
    stamp=NOW,
    starts_at=datetime(2026, 7, 8, 1, tzinfo=UTC),
    ends_at=datetime(2026, 7, 8, 1, 30, tzinfo=UTC),
    summary="FinOps 인터뷰: 이지훈, 佐藤",
    description="첫째, 다이제스트; 둘째\\셋째\n다음 줄",
    place="https://meet.example.com/a,b;c",
    organizer=HOST,
    guests=(HOST, VISITOR),
)


def a_meeting(starts_in: timedelta, *, booked_ago: timedelta = timedelta(days=9)) -> Meeting:
    start = NOW + starts_in
    slot = Slot(1, "T1", "U1", start, start + timedelta(minutes=30), "", "U1", NOW)
    return Meeting(slot, Booking(1, "T1", 1, "U2", "", NOW - booked_ago, None, None, 0))


def test_times_are_meant_in_the_zone_of_whoever_offers_them() -> None:
    """14:30 in Seoul is 05:30 UTC, and the soonest comes first however they were typed."""
    found = offered_times(replace(WISH, times="14:30 10"), NOW)
    assert found == [
        (datetime(2026, 7, 8, 1, tzinfo=UTC), datetime(2026, 7, 8, 1, 30, tzinfo=UTC)),
        (datetime(2026, 7, 8, 5, 30, tzinfo=UTC), datetime(2026, 7, 8, 6, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("change", "mistake", "word"),
    [
        ({"times": " , "}, OfferMistake.NO_TIME, ""),
        ({"times": "10:00, noon"}, OfferMistake.NO_TIME, "noon"),
        ({"times": "24:00"}, OfferMistake.NO_TIME, "24:00"),
        ({"times": "10:00, 10:15"}, OfferMistake.OVERLAP, "10:15"),
        ({"times": "11:15"}, OfferMistake.OVERLAP, "11:15"),
        ({"times": "10:45"}, OfferMistake.OVERLAP, "10:45"),
        ({"day": date(2026, 7, 6), "times": "10:00"}, OfferMistake.PAST, "10:00"),
        ({"day": date(2027, 7, 6)}, OfferMistake.TOO_FAR, ""),
        ({"times": " ".join(f"{hour}" for hour in range(21))}, OfferMistake.TOO_MANY, ""),
        # On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00.
        ({"day": date(2026, 3, 29), "times": "02:30", "zone": "Europe/Berlin"}, OfferMistake.NO_SUCH_TIME, "02:30"),
    ],
)
def test_an_offer_that_cannot_be_made_says_which_time_it_is_about(
    change: dict[str, object], mistake: OfferMistake, word: str
) -> None:
    """All of it or nothing; the host's other times count as well."""
    taken = [(datetime(2026, 7, 8, 2, tzinfo=UTC), datetime(2026, 7, 8, 2, 30, tzinfo=UTC))]
    now = datetime(2026, 3, 1, tzinfo=UTC) if "zone" in change else NOW
    with pytest.raises(BadOffer) as bad:
        offered_times(replace(WISH, **change), now, taken)  # type: ignore[arg-type]
    assert bad.value.mistake is mistake
    assert bad.value.word in (word, "10:00" if mistake is OfferMistake.TOO_FAR else word)
    for language in ("ko", "en", "ja"):
        said = words.mistake_words(mistake.value, bad.value.word, translator_for(language))
        assert bad.value.word in said or mistake is OfferMistake.TOO_FAR


def test_both_sides_are_reminded_a_day_and_an_hour_before_and_never_after() -> None:
    """What was told is not told again; whoever booked within that time knows; the beginning ends it."""
    hours = {hour: due(a_meeting(timedelta(hours=hour)), NOW) for hour in (25, 24, 2, 1, 0, -1)}
    assert hours == {25: None, 24: Happened.DAY, 2: Happened.DAY, 1: Happened.HOUR, 0: None, -1: None}
    soon = a_meeting(timedelta(hours=2), booked_ago=timedelta(hours=1))
    assert due(soon, NOW) is None
    assert due(soon, NOW + timedelta(hours=1)) is Happened.HOUR
    told = replace(soon.booking, booked_at=NOW - timedelta(days=9), reminded_at=NOW - timedelta(hours=3))
    assert due(Meeting(soon.slot, told), NOW) is None
    assert due(Meeting(soon.slot, told), NOW + timedelta(hours=1)) is Happened.HOUR
    assert due(Meeting(soon.slot, replace(told, cancelled_at=NOW)), NOW + timedelta(hours=1)) is None


def test_a_calendar_reads_what_was_meant() -> None:
    """A maintained parser finds every letter, the instants, both people, and how to replace or remove it."""
    for is_cancelled, method, status in ((False, "REQUEST", "CONFIRMED"), (True, "CANCEL", "CANCELLED")):
        text = calendar_file(replace(TOLD, is_cancelled=is_cancelled, sequence=3))
        calendar = Calendar.from_ical(text)
        [event] = calendar.walk("VEVENT")
        assert (calendar["METHOD"], calendar["VERSION"], event["STATUS"]) == (method, "2.0", status)
        assert (event["UID"], event["SEQUENCE"]) == (uid_of("T1", 7), 3)
        assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (TOLD.starts_at, TOLD.ends_at)
        assert (event["SUMMARY"], event["DESCRIPTION"]) == (TOLD.summary, TOLD.description)
        assert event["LOCATION"] == TOLD.place
        assert [guest.params["CN"] for guest in event["ATTENDEE"]] == ["이지훈", "佐藤 '사쿠라'"]
        assert event["ORGANIZER"] == "mailto:u0jihoon01.t1@finops.invalid"
        assert not event.errors
        assert not calendar.errors


@settings(max_examples=25)
@given(st.text(max_size=300), st.text(max_size=120), st.text(min_size=1, max_size=60))
def test_whatever_is_typed_stays_inside_its_line(note: str, place: str, name: str) -> None:
    """Lines end in CRLF, hold at most 75 octets, cut no letter, and nobody can write a line of their own."""
    told = replace(TOLD, description=note, place=place, guests=(HOST, Guest(name, VISITOR.address)))
    text = calendar_file(told)
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.encode().split(b"\r\n")[:-1]
    assert all(len(line) <= LINE_OCTETS and line.decode() for line in lines)
    [event] = Calendar.from_ical(text).walk("VEVENT")
    assert event["UID"] == told.uid
    assert len(event["ATTENDEE"]) == 2
    assert not event.errors
