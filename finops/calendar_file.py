"""Calendar files: one appointment as RFC 5545 wants it, with the meaning RFC 5546 gives to its changes.

The same `uid` with a higher `sequence` takes the place of what a calendar holds; METHOD:CANCEL takes it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from finops.frozen import frozen

LINE_OCTETS = 75
_PRODUCT = "-//FinOps for AI//Interviews//EN"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# The domain that RFC 2606 keeps from ever receiving mail: Slack's users have no address here.
_NOWHERE = "finops.invalid"
_ADDRESS_UNSAFE = re.compile(r"[^a-z0-9.-]+")


@frozen
class Guest:
    """Somebody at an appointment: a name, and an address that stands for them (`address_of`)."""

    name: str
    address: str


@frozen
class Appointment:
    """What a calendar is told. All times are aware; `stamp` is when this was written."""

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    place: str
    organizer: Guest
    guests: Sequence[Guest]
    is_cancelled: bool = False


def address_of(user_id: str, workspace_id: str) -> str:
    """A calendar address for somebody of whom only Slack's id is known: mail to it goes nowhere."""
    local = _ADDRESS_UNSAFE.sub("", f"{user_id}.{workspace_id}".lower())
    return f"mailto:{local}@{_NOWHERE}"


def uid_of(workspace_id: str, booking_id: int) -> str:
    """How calendars know a booking, for as long as it lives."""
    return f"interview-{booking_id}.{_ADDRESS_UNSAFE.sub('', workspace_id.lower())}@{_NOWHERE}"


def calendar_file(told: Appointment) -> str:
    """The file: lines that end in CRLF, each of at most 75 octets, longer ones folded between letters."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"METHOD:{'CANCEL' if told.is_cancelled else 'REQUEST'}",
        "BEGIN:VEVENT",
        f"UID:{told.uid}",
        f"SEQUENCE:{told.sequence}",
        f"DTSTAMP:{_utc(told.stamp)}",
        f"DTSTART:{_utc(told.starts_at)}",
        f"DTEND:{_utc(told.ends_at)}",
        f"SUMMARY:{_text(told.summary)}",
        *([f"DESCRIPTION:{_text(told.description)}"] if told.description else []),
        *([f"LOCATION:{_text(told.place)}"] if told.place else []),
        f"STATUS:{'CANCELLED' if told.is_cancelled else 'CONFIRMED'}",
        "TRANSP:OPAQUE",
        f"ORGANIZER;CN={_parameter(told.organizer.name)}:{told.organizer.address}",
        *(_attendee(guest) for guest in told.guests),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _attendee(guest: Guest) -> str:
    """Who comes: they agreed in Slack, so nobody is asked to answer."""
    parameters = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE"
    return f"ATTENDEE;{parameters};CN={_parameter(guest.name)}:{guest.address}"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11): backslash, semicolon and comma escaped, line ends written as letters."""
    plain = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    for letter, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(letter, written)
    return plain


def _parameter(value: str) -> str:
    """A quoted parameter value: it may hold neither quotes nor control characters, and nothing escapes them."""
    return '"' + _CONTROL.sub("", " ".join(value.split())).replace('"', "'") + '"'


def _folded(line: str) -> Iterable[str]:
    """The line in parts of at most 75 octets; each but the first begins with a space, and no letter is cut."""
    part, octets = "", 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > LINE_OCTETS:
            yield part
            part, octets = " ", 1
        part, octets = part + letter, octets + size
    yield part
