"""Traffic: what every application asks of every model, at any time: the trace, then its live continuation.

Time is counted in whole minutes since 1970, because a minute is the finest the provider tells of. The trace ends with
the last UTC midnight; after that, every hour repeats the same weekday's hour one week earlier. An hour is split into
minutes by a fixed pattern, so minutes, hours and days always add up to each other exactly.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from demo.openai.behaviour import Behaviour
from demo.openai.turns import Turn, turned
from demo.trace import NOTHING, Series, Trace, Usage
from finops.periods import minute_of, starts_at

HOUR, DAY, WEEK_HOURS = 60, 1440, 168
_ONCE = Fraction(1)

Key = tuple[str, str]  # application, model


class Boost(NamedTuple):
    """From a minute on, an application makes `factor` times the requests it would have made."""

    since: int
    factor: Fraction


def day_minute(day: date) -> int:
    """The minute at which a charge day begins."""
    return minute_of(starts_at(day))


class Traffic:
    """All usage of one organization. `behaviour` says how much of the newest is visible yet."""

    def __init__(self, trace: Trace, anchor: datetime, behaviour: Behaviour) -> None:
        self.trace = trace
        self.behaviour = behaviour
        self.live_from = minute_of(anchor)
        self.starts_at = self.live_from - (trace.last_hour - trace.first_hour + 1) * HOUR
        length = trace.last_hour - trace.first_hour + 1
        self._period = min(WEEK_HOURS, max(24, length // 24 * 24))
        self._shift = self.live_from // HOUR - 1 - trace.last_hour
        self.series: dict[Key, Series] = {(one.application, one.model): one for one in trace.series}
        self._models: dict[str, tuple[str, ...]] = {}
        for application, model in self.series:
            self._models[application] = (*self._models.get(application, ()), model)
        self._boosts: dict[str, list[Boost]] = {}
        self._turns: dict[str, list[Turn]] = {}
        self._held: dict[Key, dict[int, Usage]] = {}  # minutes in which a lever decided what got through
        self._recorded: dict[Key, dict[int, Usage]] = {}  # real calls to the simulated inference
        self._touched_from: dict[Key, int] = {}  # before this minute, whole hours are as planned
        self._days: dict[Key, dict[int, Usage]] = {}  # as planned
        self._closed_days: dict[Key, dict[int, Usage]] = {}  # as it happened, where something interfered

    def models_of(self, application: str) -> tuple[str, ...]:
        return self._models.get(application, ())

    def tells_cached(self, key: Key) -> bool:
        return self.series[key].tells_cached

    # -- what would happen if nobody interfered

    def planned_hour(self, key: Key, hour: int) -> Usage:
        """The trace's hour, or its repetition one or more weeks later with every turn taken by then."""
        turns = self._turns.get(key[0])
        if turns is None or hour < turns[0].since:
            return self._repeated(key, hour)
        asked = {model: self._repeated((key[0], model), hour) for model in self._models[key[0]]}
        return turned(hour, asked, turns)[key[1]]

    def _repeated(self, key: Key, hour: int) -> Usage:
        live_hour = self.live_from // HOUR
        if hour >= live_hour:
            hour = live_hour - self._period + (hour - live_hour) % self._period
        return self.series[key].hours.get(hour - self._shift, NOTHING)

    def planned(self, key: Key, minute: int) -> Usage:
        """One minute with boosts, before any lever.

        The hour is multiplied and then split: at night an application asks less than once a minute, and a loop that
        multiplied its minutes would rest in most of them.
        """
        return self._part(key, minute, minute + 1, self.factor(key[0], minute))

    def unboosted(self, key: Key, start: int, end: int, times: Fraction = _ONCE) -> Usage:
        """What would happen from `start` up to `end` if nobody interfered, `times` over: as a boost multiplies it."""
        if times == 1:
            return self._plain(key, start, end)
        stops = [*range((start // HOUR + 1) * HOUR, end, HOUR), end]
        return _sum(self._part(key, begin, stop, times) for begin, stop in pairwise([start, *stops]))

    def factor(self, application: str, minute: int) -> Fraction:
        """The boost that holds in a minute: the last one that began."""
        begun = [boost for boost in self._boosts.get(application, ()) if boost.since <= minute]
        return begun[-1].factor if begun else Fraction(1)

    # -- interference

    def boost(self, application: str, factor: Fraction, since: int) -> None:
        """From `since` on, multiply what the application asks, whatever was said of later minutes; 1 ends it.

        Never rewrites the trace.
        """
        since = max(since, self.live_from)
        before = [boost for boost in self._boosts.get(application, []) if boost.since < since]
        self._boosts[application] = [*before, Boost(since, factor)]
        self._touch(((application, model) for model in self.models_of(application)), since)

    def turn(self, turn: Turn) -> None:
        """Build an application otherwise from an hour on, which is never one that lies in the trace.

        Turns of one application are told in the order of their hours.
        """
        turn = turn._replace(since=max(turn.since, self.live_from // HOUR))
        if turn.to_model:
            self._meet((turn.application, turn.to_model))
        self._turns.setdefault(turn.application, []).append(turn)
        keys = [(turn.application, model) for model in self.models_of(turn.application)]
        for boost in self._boosts.get(turn.application, ())[:1]:
            self._touch(keys, boost.since)
        for days in (remembered.get(key, {}) for remembered in (self._days, self._closed_days) for key in keys):
            for day in [day for day in days if day >= turn.since * HOUR // DAY]:
                del days[day]

    def hold(self, key: Key, minute: int, let_through: Usage) -> None:
        """Record what a lever let through in a minute."""
        self._held.setdefault(key, {})[minute] = let_through
        self._touch((key,), minute)

    def record(self, key: Key, minute: int, usage: Usage) -> None:
        """Add a real call to the simulated inference."""
        self._meet(key)
        minutes = self._recorded.setdefault(key, {})
        minutes[minute] = minutes.get(minute, NOTHING).plus(usage)
        self._touch((key,), minute)

    def _meet(self, key: Key) -> None:
        """A model that the trace knows nothing of."""
        if key not in self.series:
            self.series[key] = Series(*key, hours={}, tells_cached=True)
            self._models[key[0]] = (*self.models_of(key[0]), key[1])

    def _touch(self, keys: Iterable[Key], minute: int) -> None:
        for key in keys:
            self._touched_from[key] = min(minute, self._touched_from.get(key, minute))
            closed = self._closed_days.get(key, {})
            for day in [day for day in closed if day >= minute // DAY]:
                del closed[day]

    # -- what happened, and is visible

    def visible_until(self, now: int) -> int:
        return now - self.behaviour.late_hours * HOUR

    def between(self, key: Key, start: int, end: int, now: int) -> Usage:
        """What can be seen, at minute `now`, of the minutes from `start` up to `end`."""
        until = self.visible_until(now)
        return self._seen(key, start, min(end, until), until, self.behaviour.fresh_minutes)

    def parts(self, key: Key, start: int, end: int, now: int) -> Iterator[tuple[bool, Usage]]:
        """The same, taken apart: whether it was asked as batches, and how much of it."""
        batch = self.behaviour.batch_hours * HOUR
        if not batch:
            yield False, self.between(key, start, end, now)
            return
        told = {True: NOTHING, False: NOTHING}
        while start < end:
            into = start % DAY
            stop = min(end, start - into + (batch if into < batch else DAY))
            told[into < batch] = told[into < batch].plus(self.between(key, start, stop, now))
            start = stop
        yield from told.items()

    def happened(self, key: Key, start: int, end: int) -> Usage:
        """What really happened from `start` up to `end`, whether it can be seen yet or not."""
        return self._seen(key, start, end, end, 0)

    def _seen(self, key: Key, start: int, end: int, until: int, filling: int) -> Usage:
        if end <= start:
            return NOTHING
        exact_from = min(self._touched_from.get(key, end), until - filling)
        if end <= exact_from:
            return self._plain(key, start, end)
        split = max(start, exact_from)
        found = self._plain(key, start, split)
        while split < end:
            if split % DAY == 0 and split + DAY <= min(end, until - filling):
                found = found.plus(self._closed_day(key, split // DAY))
                split += DAY
                continue
            found = found.plus(self._visible_minute(key, split, until, filling))
            split += 1
        return found

    def _closed_day(self, key: Key, day: int) -> Usage:
        closed = self._closed_days.setdefault(key, {})
        if day not in closed:
            closed[day] = _sum(self.minute(key, minute) for minute in range(day * DAY, day * DAY + DAY))
        return closed[day]

    def minute(self, key: Key, minute: int) -> Usage:
        """What really happened in one minute."""
        held = self._held.get(key)
        usage = held[minute] if held and minute in held else self.planned(key, minute)
        recorded = self._recorded.get(key)
        return usage.plus(recorded[minute]) if recorded and minute in recorded else usage

    def _visible_minute(self, key: Key, minute: int, until: int, filling: int) -> Usage:
        usage, age = self.minute(key, minute), until - minute
        return usage if age > filling else usage.scaled(age, filling + 1)

    def _plain(self, key: Key, start: int, end: int) -> Usage:
        """Untouched minutes: whole days from memory, whole hours from the plan, the ends split."""
        found = NOTHING
        while start < end:
            if start % DAY == 0 and end - start >= DAY:
                found = found.plus(self._plain_day(key, start // DAY))
                start += DAY
                continue
            stop = min(end, (start // HOUR + 1) * HOUR)
            found = found.plus(self._part(key, start, stop))
            start = stop
        return found

    def _plain_day(self, key: Key, day: int) -> Usage:
        days = self._days.get(key)
        if days is None:
            days = self._days[key] = self._trace_days(key)
        if day not in days and day * DAY >= self.live_from:
            days[day] = _sum(self.planned_hour(key, hour) for hour in range(day * 24, day * 24 + 24))
        return days.get(day, NOTHING)

    def _trace_days(self, key: Key) -> dict[int, Usage]:
        """Every day of the trace in one pass; a big trace is asked for all of them."""
        days: dict[int, Usage] = {}
        for hour, usage in self.series[key].hours.items():
            day = (hour + self._shift) // 24
            seen = days.get(day)
            days[day] = usage if seen is None else seen.plus(usage)
        return days

    def _part(self, key: Key, start: int, end: int, factor: Fraction = _ONCE) -> Usage:
        """A part of one planned hour, `factor` times."""
        hour = start // HOUR
        usage = self.planned_hour(key, hour)
        if factor != 1:
            usage = usage.scaled(factor.numerator, factor.denominator)
        first, last = start - hour * HOUR, end - hour * HOUR
        if usage is NOTHING or (first == 0 and last == HOUR):
            return usage
        shape = _shape(key, hour)
        return _first_minutes(usage, shape, last).minus(_first_minutes(usage, shape, first))


def _sum(usages: Iterable[Usage]) -> Usage:
    found = NOTHING
    for usage in usages:
        found = found.plus(usage)
    return found


def _first_minutes(usage: Usage, shape: tuple[int, ...], minutes: int) -> Usage:
    """The first `minutes` of an hour. Tokens follow requests, so a minute without requests has no tokens."""
    part, whole = shape[minutes], shape[HOUR]
    if usage.requests:
        part, whole = usage.requests * part // whole, usage.requests
        return Usage(part, *(count * part // whole for count in usage[1:]))
    return Usage(0, *(count * part // whole for count in usage[1:]))


@lru_cache(maxsize=8192)
def _shape(key: Key, hour: int) -> tuple[int, ...]:
    """How far through its hour's work an application is after 0, 1 … 60 minutes; uneven, and always the same."""
    state = zlib.crc32(f"{key[0]}\n{key[1]}\n{hour}".encode())
    reached, shape = 0, [0]
    for _ in range(HOUR):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        reached += 60 + (state >> 16) % 81
        shape.append(reached)
    return tuple(shape)
