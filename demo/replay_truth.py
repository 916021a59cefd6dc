"""What must have been said: worked out from the simulated provider's truth alone, never from the product's figures.

For each budget and day it is known how much could be seen at each reading. The product corrects its estimates by what
bills taught, to within one per cent: a level that lies that near to an amount may be told at this reading or the next.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from demo.billing import spent
from demo.openai import SimulatedOpenAI
from demo.openai.traffic import day_minute
from demo.openai.usage import MISSING_MINUTES
from demo.trace import NOTHING, Usage
from finops.periods import minute_of, moment_of

LEVELS = (50, 75, 90, 100, 150, 200, 300)
LOUD = 75
ACCURACY = Decimal("0.01")
# Nothing older changes any more: an hour late, twenty minutes of filling up.
_LATE_MINUTES = 80


@dataclass(frozen=True, slots=True)
class Limit:
    """A daily budget of a replay: what it is called in messages, and whose spending it limits."""

    name: str
    applications: tuple[str, ...]
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Reached:
    """A level of a day: the first reading that may have told it, and the first that must have (None: none did)."""

    level: int
    may: int
    must: int | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What one budget must have made the product say about one day."""

    limit: Limit
    day: date
    levels: tuple[Reached, ...]  # all that may have been told, ascending
    lines: int  # one for each reading at which new levels were reached

    @property
    def must_speak(self) -> bool:
        """Whether a level that is told aloud was reached."""
        return any(one.level >= LOUD and one.must is not None for one in self.levels)

    @property
    def may_speak(self) -> bool:
        return any(one.level >= LOUD for one in self.levels)


@dataclass
class Truth:
    """Follows the readings of the product and keeps what each of them could see."""

    openai: SimulatedOpenAI
    limits: Sequence[Limit]
    step_minutes: int
    readings: list[int] = field(default_factory=list)  # minutes
    _told: dict[tuple[str, str, int], Decimal] = field(default_factory=dict)
    _done: set[tuple[str, str, int]] = field(default_factory=set)  # told in full
    _sums: defaultdict[tuple[str, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    _seen: defaultdict[tuple[str, date], list[tuple[int, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    def read(self, now: int) -> None:
        """The product read all usage at this minute: what it was told, by the behaviours as they stand."""
        if self.readings and now <= self.readings[-1]:
            return
        self.readings.append(now)
        # Two readings in a row may have failed.
        oldest = now - _LATE_MINUTES - 3 * self.step_minutes
        traffic, behaviour = self.openai.tenant().traffic, self.openai.behaviour
        until = now - 60 * behaviour.late_hours
        for application, model in traffic.series:
            for minute in range(max(oldest, traffic.live_from), until):
                is_missing = behaviour.missing_every and minute % behaviour.missing_every == 0
                is_missing = is_missing and now - minute <= MISSING_MINUTES
                if is_missing or (application, model, minute) in self._done:
                    continue
                usage = traffic.minute((application, model), minute)
                age = until - minute
                if age <= behaviour.fresh_minutes:
                    usage = Usage(*(count * age // (behaviour.fresh_minutes + 1) for count in usage))
                else:
                    self._done.add((application, model, minute))
                if usage != NOTHING:
                    self._keep(application, model, minute, usage)
        for limit in self.limits:
            for day in {_day_of(now - 1), _day_of(oldest)}:
                amount = sum((self._sums[one, day] for one in limit.applications), Decimal(0))
                self._seen[limit.name, day].append((len(self.readings) - 1, amount))

    def _keep(self, application: str, model: str, minute: int, usage: Usage) -> None:
        day, key = _day_of(minute), (application, model, minute)
        rates = self.openai.prices.rates(model, day)
        assert rates is not None, "the provider has a price for everything"
        is_batch = minute - day_minute(day) < 60 * self.openai.behaviour.batch_hours
        cost = spent(usage, rates.of_batch() if is_batch else rates)
        self._sums[application, day] += cost - self._told.get(key, Decimal(0))
        self._told[key] = cost

    def expected(self) -> list[Expected]:
        """Every budget on every day, oldest first, whether something was to be said or not."""
        by_name = {limit.name: limit for limit in self.limits}
        return [
            _expected(by_name[name], day, seen)
            for (name, day), seen in sorted(self._seen.items(), key=lambda each: (each[0][1], each[0][0]))
        ]

    def reading_at(self, moment: datetime) -> int:
        """The number of the last reading before a moment."""
        return bisect_left(self.readings, minute_of(moment) + 1) - 1

    def spent(self, application: str, day: date) -> Decimal:
        """What was seen of a day in the end."""
        return self._sums[application, day]


def _expected(limit: Limit, day: date, seen: Sequence[tuple[int, Decimal]]) -> Expected:
    levels = []
    for level in LEVELS:
        amount = limit.amount * level / 100
        may = next((number for number, spending in seen if spending * (1 + ACCURACY) >= amount), None)
        must = next((number for number, spending in seen if spending * (1 - ACCURACY) >= amount), None)
        if may is not None:
            levels.append(Reached(level, may, must))
    firsts = [
        next((number for number, spending in seen if spending * 100 >= limit.amount * level), None) for level in LEVELS
    ]
    return Expected(limit, day, tuple(levels), len({number for number in firsts if number is not None}))


def usual(openai: SimulatedOpenAI, application: str, start: int, end: int) -> Decimal:
    """What an application spends between two minutes since 1970 when nobody interferes."""
    traffic, found = openai.tenant().traffic, Decimal(0)
    for model in traffic.models_of(application):
        position = start
        while position < end:
            day = _day_of(position)
            stop = min(end, day_minute(day + timedelta(days=1)))
            rates = openai.prices.rates(model, day)
            assert rates is not None, "the provider has a price for everything"
            found += spent(traffic.unboosted((application, model), position, stop), rates)
            position = stop
    return found


def limits_of(openai: SimulatedOpenAI, teams: Mapping[str, Sequence[str]], times: Decimal, days: int) -> list[Limit]:
    """A daily budget for every application and every team: so many times its dearest usual day, in whole dollars."""
    groups: dict[str, tuple[str, ...]] = {one: (one,) for applications in teams.values() for one in applications}
    groups |= {team: tuple(applications) for team, applications in teams.items()}
    found = []
    for name, applications in groups.items():
        first = openai.tenant().traffic.live_from
        each = [
            sum((usual(openai, one, start, start + 1440) for one in applications), Decimal(0))
            for start in range(first, first + min(days, 7) * 1440, 1440)
        ]
        found.append(Limit(name, applications, Decimal(max(1, round(max(each) * times)))))
    return found


def _day_of(minute: int) -> date:
    return moment_of(minute).date()
