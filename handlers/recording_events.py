"""Events as applications write them in JSON: read strictly, told to the field what is wrong, text thrown away."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from finops.events import FURTHEST_AHEAD, MOST_CALLS, OLDEST, RecordedCall, ToldCall
from finops.frozen import frozen
from finops.value import SCORE_UNITS, Outcome

MOST_EVENTS = 1_000
MOST_ID_LETTERS = 128
MOST_NAME_LETTERS = 100
MOST_USER_LETTERS = 256
# Of one call; an event of many has so many of each, up to MOST_OF_ALL.
MOST_TOKENS = 10**9
MOST_LATENCY_MS = 24 * 60 * 60 * 1000
MOST_OF_ALL = 10**11
_OF_EACH = {
    "input_tokens": MOST_TOKENS,
    "cached_input_tokens": MOST_TOKENS,
    "output_tokens": MOST_TOKENS,
    "latency_ms": MOST_LATENCY_MS,
}
# So many mistakes and names of dropped fields are told; who makes more finds the rest when these are mended.
_MOST_FAULTS = 100
_MOST_DROPPED = 20
_MOST_NUMBER_LETTERS = 32

_JSON = msgspec.json.Decoder(float_hook=Decimal)


class NotEvents(Exception):
    """The body is not events at all; the sentence says why, and repeats nothing of it."""


class TooManyEvents(Exception):
    """More events than one request may bring."""


@frozen
class Fault:
    """What is wrong with one field of one event, without what was written there."""

    index: int
    field: str
    problem: str

    def as_json(self) -> dict[str, Any]:
        return {"index": self.index, "field": self.field, "problem": self.problem}


@dataclass(slots=True)
class ReadEvents:
    """What a body told: either every event, or what is wrong. `dropped` counts fields that nobody here wants."""

    told: list[ToldCall] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


class Wrong(ValueError):
    """A field does not hold what it should; the sentence says what it should hold."""


def read_events(body: bytes, now: datetime) -> ReadEvents:
    """Read one event, a list of them, or {"events": [...]}. Raises NotEvents or TooManyEvents.

    Fields we do not know are dropped unread: a prompt or an answer comes no further than this.
    """
    read = ReadEvents()
    for index, each in enumerate(_listed(body)):
        if not isinstance(each, dict):
            read.faults.append(Fault(index, "", "an event is an object"))
        else:
            _read_one(index, each, now, read)
        if len(read.faults) >= _MOST_FAULTS:
            break
    if len(read.dropped) > _MOST_DROPPED:
        read.dropped = Counter(dict(read.dropped.most_common(_MOST_DROPPED)))
    return read


def _listed(body: bytes) -> list[Any]:
    try:
        found = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation):
        raise NotEvents("the body is not JSON") from None
    if isinstance(found, dict):
        found = found.get("events", [found])
    if not isinstance(found, list):
        raise NotEvents('the body is one event, a list of events, or {"events": [...]}')
    if len(found) > MOST_EVENTS:
        raise TooManyEvents(f"one request brings {MOST_EVENTS} events at the most")
    return found


def _read_one(index: int, event: Mapping[str, Any], now: datetime, read: ReadEvents) -> None:
    values: dict[str, Any] = {}
    before = len(read.faults)
    for name, value in event.items():
        reader = _READERS.get(name)
        if reader is None:
            read.dropped[name[:MOST_NAME_LETTERS]] += 1
        elif value is not None:
            try:
                values[name] = reader(value)
            except Wrong as wrong:
                read.faults.append(Fault(index, name, str(wrong)))
    if "id" not in values and not any(fault.field == "id" for fault in read.faults[before:]):
        read.faults.append(Fault(index, "id", "is missing: it makes the event count once"))
    at = values.pop("time", now)
    if problem := untimely(at, now):
        read.faults.append(Fault(index, "time", problem))
    if len(read.faults) == before:
        read.faults += [Fault(index, name, problem) for name, problem in too_much(values)]
    if len(read.faults) == before:
        event_id, user, provider = values.pop("id"), values.pop("user", ""), values.pop("provider", "")
        call = RecordedCall(event_id, values.pop("request_id", event_id), at, **values)
        read.told.append(ToldCall(call, user, provider))


def untimely(at: datetime, now: datetime) -> str | None:
    """What is wrong with when it happened, if anything is."""
    if at > now + FURTHEST_AHEAD:
        return f"is more than {FURTHEST_AHEAD.seconds // 60} minutes ahead of our clock"
    if at < now - OLDEST:
        return f"is more than {OLDEST.days} days ago"
    return None


def too_much(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which fields hold more than the calls of an event can have had, and how much that is; None tells nothing."""
    calls = values.get("calls") or 1
    return [
        (name, f"is at most {most} for each of its calls")
        for name, most in _OF_EACH.items()
        if (values.get(name) or 0) > most * calls
    ]


def text_of(value: Any, most: int) -> str:
    """A short text of one line. Nothing longer passes: these are names, and no place for a prompt."""
    if not isinstance(value, str):
        raise Wrong("is a text")
    text = unicodedata.normalize("NFC", value.strip())
    if len(text) > most:
        raise Wrong(f"has {most} letters at the most")
    if not text.isprintable():
        raise Wrong("holds a letter that cannot be printed")
    return text


def identity(value: Any) -> str:
    """An id: as given, for it must be found again."""
    text = text_of(value, MOST_ID_LETTERS)
    if not text:
        raise Wrong("is empty")
    return text


def name(value: Any) -> str:
    """The name of a task, an experiment, …"""
    return text_of(value, MOST_NAME_LETTERS)


def user_id(value: Any) -> str:
    """The application's own id of a user: a text or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if -(10**30) < value < 10**30 else ""
    return text_of(value, MOST_USER_LETTERS)


def provider_name(value: Any) -> str:
    """Whose model it was, as compared."""
    return name(value).casefold()


def moment(value: Any) -> datetime:
    """RFC 3339, with its zone."""
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            at.timestamp()  # raises where the zone takes it out of the calendar
            return at
    raise Wrong("is a time with its zone, as in 2026-11-16T09:00:00Z")


def count_of(most: int, least: int = 0) -> Callable[[Any], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(value: Any) -> int:
        if isinstance(value, Decimal) and value.is_finite() and -1 < value <= most and value == int(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Wrong(f"is a whole number from {least} to {most}")
        return value

    return read


calls = count_of(MOST_CALLS, least=1)
tokens = count_of(MOST_OF_ALL)


def milliseconds(value: Any) -> int:
    """A duration; halves of a millisecond are rounded away."""
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value <= MOST_OF_ALL:
        value = round(value)
    return tokens(value)


def outcome(value: Any) -> Outcome:
    """How it ended."""
    try:
        return Outcome(value)
    except ValueError:
        raise Wrong("is success or failure") from None


def score(value: Any) -> int:
    """A score from 0 to 1, as thousandths; a number, or the same written as a text."""
    number = value
    if isinstance(value, str) and len(value) <= _MOST_NUMBER_LETTERS:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = None
    if isinstance(number, int) and not isinstance(number, bool):
        number = Decimal(number)
    if not isinstance(number, Decimal) or not number.is_finite() or not 0 <= number <= 1:
        raise Wrong("is a number from 0 to 1")
    return round(number * SCORE_UNITS)


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": identity,
    "request_id": identity,
    "time": moment,
    "task": name,
    "intent": name,
    "experiment": name,
    "segment": name,
    "user": user_id,
    "model": name,
    "provider": provider_name,
    "calls": calls,
    "input_tokens": tokens,
    "cached_input_tokens": tokens,
    "output_tokens": tokens,
    "latency_ms": milliseconds,
    "outcome": outcome,
    "score": score,
}
FIELDS = tuple(_READERS)
