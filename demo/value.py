"""What the applications of a trace record of their calls: what they were for and how they ended. Pure.

A real application makes a hundred thousand calls a day, and need not tell of each apart: an event tells of many alike.
So do these, with some thirty events a day, and four weeks are sent in seconds. The events of a day tell of all its
calls and of every token. Everything follows from the trace, the day and the place of a call in it: the same bytes in
each run, and an event that is sent again is the same event.

The week in which the stage began differs from those before, so that there is something to tell of it: one application
bought much more for its money, one much less, one tells too little to be judged, and one records nothing.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from demo.trace import NOTHING, Trace, Usage
from finops.events import MOST_CALLS
from finops.periods import charge_day, monday_of
from finops.value import SCORE_UNITS

RECORDED_A_DAY = 32
HOUR_SECONDS = 3600
SUCCESS, FAILURE = "success", "failure"
_WHOLE = 1 << 16


class Level(NamedTuple):
    """How well calls end, in thousandths: how many succeed, and the score that people give on average."""

    successes: int
    score: int


@dataclass(frozen=True, slots=True)
class Habit:
    """What one application does with its calls: `usual` before the week of the change, `now` from then on.

    Where `told_in` is more than 1, one event in so many tells how a single call ended, and nobody knows of the others.
    `experiment` runs from the week of the change on, in half the calls. One event in `lost_in` is never sent.
    """

    tasks: tuple[str, ...]
    segments: tuple[str, ...]
    usual: Level
    now: Level
    experiment: str = ""
    told_in: int = 1
    lost_in: int = 0


HABITS = {
    # The winner of the week: a new prompt that people like.
    "doc-summary": Habit(
        ("contract-summary", "report-summary"), ("rnd_engineer", "sales"), Level(740, 660), Level(930, 850), "prompt-v2"
    ),
    # The one to look at: an agent that goes round in circles.
    "chatbot-experiment": Habit(
        ("order-help", "refund-help", "small-talk"), ("customer",), Level(720, 640), Level(450, 400), "agent-loop"
    ),
    # One of its ten servers is not connected yet.
    "search-assistant": Habit(
        ("search", "recommend"), ("sales", "marketing"), Level(840, 720), Level(680, 580), lost_in=10
    ),
    "ad-copy-writer": Habit(("headline", "body-copy"), ("marketing",), Level(800, 700), Level(860, 760)),
    # Whether something was a fraud is known for few, much later.
    "fraud-check": Habit(("card-payment", "refund"), ("risk",), Level(910, 800), Level(910, 800), told_in=40),
}  # fmt: skip
# Whoever owns it has not connected it yet: its team is asked once a week instead.
SILENT = frozenset({"meeting-notes"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """`usage.requests` calls alike as their application tells of them, at the time of the last.

    `usage` and `latency_ms` are all of theirs; `user` is '' where they were not one person's. `score` is
    in thousandths; None where nobody said anything.
    """

    id: str
    at: datetime
    application: str
    task: str
    experiment: str
    segment: str
    user: str
    model: str
    usage: Usage
    latency_ms: int
    outcome: str | None
    score: int | None

    def body(self) -> dict[str, Any]:
        """The event as `POST /v1/events` takes it."""
        told = {
            "id": self.id,
            "time": self.at.isoformat().replace("+00:00", "Z"),
            "task": self.task,
            "segment": self.segment,
            "user": self.user or None,
            "model": self.model,
            "calls": self.usage.requests,
            "input_tokens": self.usage.input,
            "cached_input_tokens": self.usage.cached,
            "output_tokens": self.usage.output,
            "latency_ms": self.latency_ms,
            "experiment": self.experiment or None,
            "outcome": self.outcome,
            "score": None if self.score is None else f"{Decimal(self.score) / SCORE_UNITS}",
        }
        return {name: value for name, value in told.items() if value is not None}


class Tally(NamedTuple):
    """What some events add up to; `score_sum` in thousandths."""

    calls: int = 0
    successes: int = 0
    failures: int = 0
    scored: int = 0
    score_sum: int = 0


def one_in(trace: Trace) -> dict[str, int]:
    """How many calls an event of each application tells of: RECORDED_A_DAY events on a usual day, or one a call."""
    requests: Counter[str] = Counter()
    for series in trace.series:
        requests[series.application] += sum(usage.requests for usage in series.hours.values())
    days = max(1, (trace.last_hour - trace.first_hour + 1) // 24)
    return {name: max(1, count // (days * RECORDED_A_DAY)) for name, count in requests.items()}


def habit_of(application: str) -> Habit:
    """What an application does; one that nobody wrote a part for has quiet habits of its own."""
    known = HABITS.get(application)
    if known is not None:
        return known
    part = zlib.crc32(application.encode())
    usual = Level(700 + part % 200, 600 + part // 200 % 200)
    drift = part // 40_000 % 41 - 20
    return Habit(("answer",), ("staff",), usual, Level(usual.successes + drift, usual.score + drift))


def calls_of(
    application: str, model: str, day: int, hours: Sequence[Usage], every: int, changed_on: date
) -> Iterator[Recorded]:
    """What is recorded of a UTC day (counted since 1970) of an application's use of a model, in order of time.

    `hours` are what it used in each. An event tells of about `every` calls, and all events together of all of them, to
    the token, but for what the application's habit loses; `changed_on` is the Monday of the week that differs.
    """
    requests = sum(usage.requests for usage in hours)
    count = max(-(-requests // MOST_CALLS), requests // every, 1) if requests else 0
    habit, before = habit_of(application), (0, NOTHING)
    for index in range(count):
        until = requests * (index + 1) // count
        # Calls are not of one length: an event has as much of its neighbours' tokens as falls to it.
        swing = _Dice(f"{application}/{model}/{day}/{index}").below(501) - 250 if index + 1 < count else 0
        used = _used(hours, until * 1000 + (until - before[0]) * swing)
        usage = used.minus(before[1])._replace(requests=until - before[0])
        before = until, used
        if habit.lost_in and (day + index) % habit.lost_in == 0:
            continue
        hour, number = _place(hours, until - 1)
        name = f"{application}/{model}/{24 * day + hour}/{number}"
        at = datetime.fromtimestamp((24 * day + hour) * HOUR_SECONDS, UTC)
        at += timedelta(milliseconds=(2 * number + 1) * HOUR_SECONDS * 1000 // (2 * hours[hour].requests))
        yield from _told(application, model, name, at, usage, habit, is_changed=charge_day(at) >= changed_on)


def retry_of(application: str, model: str, hour: int, number: int, usage: Usage, calls: int) -> Recorded:
    """The event of that number of a retry loop, in an hour of `usage`: so many calls, all fail, each as long as any."""
    event_id = f"{application}/{model}/{hour}/retry/{number}"
    at = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
    task, segment = habit_of(application).tasks[0], habit_of(application).segments[0]
    used = Usage(calls, *(calls * (count // max(1, usage.requests)) for count in usage[1:]))
    return Recorded(event_id, at, application, task, "", segment, "user-01", model, used, 300 * calls, FAILURE, None)


def tallied(events: Iterable[Recorded]) -> dict[tuple[str, date], Tally]:
    """What they add up to, by application and week (its Monday); the same event counts once."""
    found: dict[tuple[str, date], Tally] = {}
    for event in {event.id: event for event in events}.values():
        key = (event.application, monday_of(charge_day(event.at)))
        sums = found.get(key, Tally())
        calls = event.usage.requests
        found[key] = Tally(
            sums.calls + calls,
            sums.successes + calls * (event.outcome == SUCCESS),
            sums.failures + calls * (event.outcome == FAILURE),
            sums.scored + calls * (event.score is not None),
            sums.score_sum + calls * (event.score or 0),
        )
    return found


def _used(hours: Sequence[Usage], thousandths: int) -> Usage:
    """The tokens of the first calls of a day, counted in thousandths of a call; `requests` mean nothing here."""
    found = NOTHING
    for usage in hours:
        if thousandths < 1000 * usage.requests:
            return found.plus(usage.scaled(thousandths, 1000 * usage.requests))
        found, thousandths = found.plus(usage), thousandths - 1000 * usage.requests
    return found


def _place(hours: Sequence[Usage], number: int) -> tuple[int, int]:
    """In which hour the call of that number in the day is made, and its number in that."""
    for hour, usage in enumerate(hours):
        if number < usage.requests:
            return hour, number
        number -= usage.requests
    raise ValueError("the day has no such call")


def _told(
    application: str, model: str, event_id: str, at: datetime, usage: Usage, habit: Habit, *, is_changed: bool
) -> Iterator[Recorded]:
    """The event of some calls alike; two, where the end of only one of them is known."""
    dice = _Dice(event_id)
    is_tried = bool(habit.experiment) and is_changed and dice.below(2) == 0
    level = habit.now if is_changed else habit.usual
    is_good = dice.below(1000) < level.successes
    is_told = dice.below(habit.told_in) == 0
    score = level.score + dice.below(301) - 150 + (60 if is_good else -240)
    calls, user = usage.requests, f"user-{1 + dice.below(24):02d}"
    whole = Recorded(
        id=event_id,
        at=at,
        application=application,
        task=habit.tasks[dice.below(len(habit.tasks))],
        experiment=habit.experiment if is_tried else "",
        segment=habit.segments[dice.below(len(habit.segments))],
        user="" if calls > 1 else user,
        model=model,
        usage=usage,
        latency_ms=calls * (300 + dice.below(400)) + 9 * usage.output,
        outcome=(SUCCESS if is_good else FAILURE) if is_told else None,
        # Half of those who got an answer say what they think of it.
        score=min(1000, max(0, score)) if is_told and dice.below(2) == 0 else None,
    )
    if not is_told or habit.told_in == 1 or calls == 1:
        yield whole
        return
    one, slow = usage.scaled(1, calls), whole.latency_ms // calls
    yield replace(whole, id=f"{event_id}/known", user=user, usage=one, latency_ms=slow)
    yield replace(whole, usage=usage.minus(one), latency_ms=whole.latency_ms - slow, outcome=None, score=None)


class _Dice:
    """Throws that depend on a name and nothing else."""

    def __init__(self, name: str) -> None:
        self._left = hashlib.blake2b(name.encode(), digest_size=32).digest()

    def below(self, sides: int) -> int:
        """A whole number from 0 up to `sides`, which may be at most a few thousand."""
        thrown, self._left = self._left[:2], self._left[2:]
        return int.from_bytes(thrown, "big") * sides // _WHOLE
