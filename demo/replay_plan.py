"""What happens in a replay, all of it from one seed: runaways, moods of the provider, corrected bills and kills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from types import MappingProxyType
from typing import Any

DAY_MINUTES = 1440
LEAST_FACTOR, MOST_FACTOR = 5, 40
SHORTEST_HOURS, LONGEST_HOURS = 1, 8
_TRIES = 400
# A runaway is one that somebody wants to hear of: it adds this much of the day's budget at least.
_WORTH_TELLING = Decimal("0.6")


@dataclass(frozen=True, slots=True)
class Runaway:
    """From minute `begins` (counted from the beginning of the replay) to `ends`, `factor` times the usual traffic."""

    application: str
    factor: int
    begins: int
    ends: int

    @property
    def words(self) -> str:
        day, minute = divmod(self.begins, DAY_MINUTES)
        return (
            f"x{self.factor} day {day + 1} {minute // 60:02}:{minute % 60:02} +{(self.ends - self.begins) / 60:.1f} h"
        )


@dataclass(frozen=True, slots=True)
class Restatement:
    """On the first step of a day, the bill of one application on the day before is corrected."""

    day: int
    application: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL for one replica: while it may be reading, after `delay` seconds; or as soon as Slack takes a post."""

    victim: int
    is_at_post: bool
    delay: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that happens; `moods` and `kills` by step, 0 is the beginning of the first day."""

    days: int
    step_minutes: int
    runaways: tuple[Runaway, ...]
    restatements: tuple[Restatement, ...]
    moods: Mapping[int, Mapping[str, Any]]
    kills: Mapping[int, Kill]
    bill_first: frozenset[int]  # days at whose end the bill is collected before usage is read

    @property
    def steps(self) -> int:
        """Steps to the end of the last day; what comes late comes after it."""
        return self.days * DAY_MINUTES // self.step_minutes


CALM: Mapping[str, Any] = MappingProxyType(
    {"late_hours": 0, "fresh_minutes": 0, "missing_every": 0, "repeat_buckets": False}
)


def drawn(
    seed: int,
    days: int,
    count: int,
    kills: int,
    replicas: int,
    step_minutes: int,
    budgets: Mapping[str, Decimal],
    adds: Callable[[str, int, int], Decimal],
) -> Plan:
    """Draw a plan. `adds` says what an application usually spends between two minutes of the replay."""
    chance, steps = Random(seed), days * DAY_MINUTES // step_minutes
    return Plan(
        days,
        step_minutes,
        _runaways(chance, days, count, budgets, adds),
        tuple(
            Restatement(day, chance.choice(sorted(budgets)), 1 + Decimal(chance.randint(-12, 12)) / 1000)
            for day in range(1, days)
            if chance.random() < 0.3
        ),
        _moods(chance, steps),
        _kills(chance, steps, kills, replicas),
        frozenset(day for day in range(1, days + 1) if chance.random() < 0.5),
    )


def _runaways(
    chance: Random,
    days: int,
    count: int,
    budgets: Mapping[str, Decimal],
    adds: Callable[[str, int, int], Decimal],
) -> tuple[Runaway, ...]:
    found: list[Runaway] = []
    for _ in range(_TRIES):
        if len(found) == count:
            break
        application = chance.choice(sorted(budgets))
        factor = chance.randint(LEAST_FACTOR, MOST_FACTOR)
        begins = chance.randrange(60, days * DAY_MINUTES - 90)
        ends = min(begins + chance.randrange(SHORTEST_HOURS * 60, LONGEST_HOURS * 60), days * DAY_MINUTES)
        is_apart = all(
            one.application != application or ends + 60 < one.begins or one.ends + 60 < begins for one in found
        )
        midnight = (begins // DAY_MINUTES + 1) * DAY_MINUTES
        more = adds(application, begins, min(ends, midnight)) * (factor - 1)
        if is_apart and more >= budgets[application] * _WORTH_TELLING:
            found.append(Runaway(application, factor, begins, ends))
    if len(found) < count:
        raise ValueError(f"{days} days have no room for {count} runaways")
    return tuple(sorted(found, key=lambda one: one.begins))


def _moods(chance: Random, steps: int) -> dict[int, dict[str, Any]]:
    """How the provider behaves from a step on; spellings change as well, and none of it may matter."""
    moods: dict[int, dict[str, Any]] = {}
    step = 1
    while step < steps:
        length = chance.randint(3, 12)
        mood = dict(CALM) | _spelling(chance)
        if chance.random() < 0.25:
            moods[step] = mood | {"late_hours": 1, "repeat_buckets": chance.random() < 0.5}
            # Only what nobody has seen yet can be seen to fill up: the hours that are late have to pass first.
            moods[step + 3] = moods[step] | {"fresh_minutes": chance.choice((0, 4, 17))}
            length = max(length, 4)
        else:
            mood["fresh_minutes"] = chance.choice((0, 3, 9, 19))
            mood["missing_every"] = chance.choice((0, 2, 3, 5))
            mood["repeat_buckets"] = chance.random() < 0.5
            moods[step] = mood
        step += length
    moods[steps + 1] = dict(CALM)
    return moods


def _spelling(chance: Random) -> dict[str, Any]:
    return {
        "numbers": chance.choice(("number", "string")),
        "arrays": chance.choice(("both", "brackets", "bare")),
        "bucket_key": chance.choice(("results", "result")),
        "newest_first": chance.random() < 0.3,
        "exponent_zero": chance.random() < 0.5,
        "extra_keys": chance.random() < 0.7,
        "split_rows": chance.random() < 0.5,
    }


def _kills(chance: Random, steps: int, count: int, replicas: int) -> dict[int, Kill]:
    chosen = sorted(chance.sample(range(2, steps), min(count, steps - 2)))
    return {
        step: Kill(chance.randrange(replicas), number % 2 == 0, chance.random() * 0.3)
        for number, step in enumerate(chosen)
    }


def boosts(plan: Plan, anchor: datetime) -> list[tuple[str, Fraction, datetime]]:
    """What to tell the simulated provider at the beginning: traffic of the future may be decided today."""
    found = []
    for one in plan.runaways:
        found.append((one.application, Fraction(one.factor), anchor + timedelta(minutes=one.begins)))
        found.append((one.application, Fraction(1), anchor + timedelta(minutes=one.ends)))
    return found
