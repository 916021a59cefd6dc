"""What the applications of a trace record of their calls: what each call was for and how it ended. Pure.

A real application makes a hundred thousand calls a day and records each; these record one in so many, spread evenly,
so that four weeks are sent in seconds. Everything follows from the trace, the hour and the place of a call in its hour:
the same bytes in each run, and an event that is sent again is the same event.

The week in which the stage began differs from those before, so that there is something to tell of it: one application
bought much more for its money, one much less, one tells too little to be judged, and one records nothing.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from demo.trace import Trace, Usage
from finops.periods import charge_day
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

    The outcome of one in `told_in` calls is known. `experiment` runs from the week of the change on, in half the calls.
    """

    tasks: tuple[str, ...]
    segments: tuple[str, ...]
    usual: Level
    now: Level
    experiment: str = ""
    told_in: int = 1


HABITS = {
    # The winner of the week: a new prompt that people like.
    "doc-summary": Habit(
        ("contract-summary", "report-summary"), ("rnd_engineer", "sales"), Level(740, 660), Level(930, 850), "prompt-v2"
    ),
    # The one to look at: an agent that goes round in circles.
    "chatbot-experiment": Habit(
        ("order-help", "refund-help", "small-talk"), ("customer",), Level(720, 640), Level(450, 400), "agent-loop"
    ),
    "search-assistant": Habit(("search", "recommend"), ("sales", "marketing"), Level(840, 720), Level(680, 580)),
    "ad-copy-writer": Habit(("headline", "body-copy"), ("marketing",), Level(800, 700), Level(860, 760)),
    # Whether something was a fraud is known for few, much later.
    "fraud-check": Habit(("card-payment", "refund"), ("risk",), Level(910, 800), Level(910, 800), told_in=40),
}  # fmt: skip
# Whoever owns it has not connected it yet: its team is asked once a week instead.
SILENT = frozenset({"meeting-notes"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call as its application tells of it. `score` is in thousandths; None where nobody said anything."""

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
            "user": self.user,
            "model": self.model,
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
    """Of how many calls each application records one: about RECORDED_A_DAY on a usual day, each of a small trace."""
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


def monday_of(day: date) -> date:
    """The Monday that begins the week of a day."""
    return day - timedelta(days=day.weekday())


def calls_of(application: str, model: str, hour: int, usage: Usage, every: int, changed_on: date) -> Iterator[Recorded]:
    """What is recorded of one hour (counted since 1970) of an application's use of a model, in order of time.

    Of `every` calls one is recorded; `changed_on` is the Monday of the week that differs.
    """
    began = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
    habit, is_changed = habit_of(application), charge_day(began) >= changed_on
    # Which of the first calls is recorded moves from hour to hour, so that rare calls have their turn too.
    first = zlib.crc32(f"{application}\n{model}\n{hour}".encode()) % every
    for number in range(first, usage.requests, every):
        at = began + timedelta(milliseconds=(2 * number + 1) * HOUR_SECONDS * 1000 // (2 * usage.requests))
        yield _call(application, model, at, number, usage, habit, is_changed=is_changed)


def retry_of(application: str, model: str, hour: int, number: int, usage: Usage) -> Recorded:
    """The recorded call of that number that a retry loop makes in an hour of `usage`: it fails, as long as any."""
    event_id = f"{application}/{model}/{hour}/retry/{number}"
    at = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
    task, segment = habit_of(application).tasks[0], habit_of(application).segments[0]
    each = Usage(1, *(count // max(1, usage.requests) for count in usage[1:]))
    return Recorded(event_id, at, application, task, "", segment, "user-01", model, each, 300, FAILURE, None)


def tallied(events: Iterable[Recorded]) -> dict[tuple[str, date], Tally]:
    """What they add up to, by application and week (its Monday); the same event counts once."""
    found: dict[tuple[str, date], Tally] = {}
    for event in {event.id: event for event in events}.values():
        key = (event.application, monday_of(charge_day(event.at)))
        sums = found.get(key, Tally())
        found[key] = Tally(
            sums.calls + 1,
            sums.successes + (event.outcome == SUCCESS),
            sums.failures + (event.outcome == FAILURE),
            sums.scored + (event.score is not None),
            sums.score_sum + (event.score or 0),
        )
    return found


def _call(
    application: str, model: str, at: datetime, number: int, hour: Usage, habit: Habit, *, is_changed: bool
) -> Recorded:
    hour_number = int(at.timestamp()) // HOUR_SECONDS
    event_id = f"{application}/{model}/{hour_number}/{number}"
    dice = _Dice(event_id)
    is_tried = bool(habit.experiment) and is_changed and dice.below(2) == 0
    level = habit.now if is_changed else habit.usual
    is_good = dice.below(1000) < level.successes
    is_told = dice.below(habit.told_in) == 0
    size = 50 + dice.below(101)  # calls are not of one length: half of the average to one and a half
    usage = Usage(1, *(count * size // (100 * hour.requests) for count in hour[1:]))
    score = level.score + dice.below(301) - 150 + (60 if is_good else -240)
    return Recorded(
        id=event_id,
        at=at,
        application=application,
        task=habit.tasks[dice.below(len(habit.tasks))],
        experiment=habit.experiment if is_tried else "",
        segment=habit.segments[dice.below(len(habit.segments))],
        user=f"user-{1 + dice.below(24):02d}",
        model=model,
        usage=usage,
        latency_ms=300 + 9 * usage.output + dice.below(400),
        outcome=(SUCCESS if is_good else FAILURE) if is_told else None,
        # Half of those who got an answer say what they think of it.
        score=min(1000, max(0, score)) if is_told and dice.below(2) == 0 else None,
    )


class _Dice:
    """Throws that depend on a name and nothing else."""

    def __init__(self, name: str) -> None:
        self._left = hashlib.blake2b(name.encode(), digest_size=32).digest()

    def below(self, sides: int) -> int:
        """A whole number from 0 up to `sides`, which may be at most a few thousand."""
        thrown, self._left = self._left[:2], self._left[2:]
        return int.from_bytes(thrown, "big") * sides // _WHOLE
