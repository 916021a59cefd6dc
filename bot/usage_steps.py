"""What to ask of usage next: by the minute where it is fresh, by the hour and day where a gap has to be filled."""

from __future__ import annotations

from typing import NamedTuple

from finops.usage import Width

# Fresh minutes go on moving for a while: what was read is read again until it is this old.
REREAD_TAIL = 20
# Months of minutes are never read: further back, hours are fine enough, and then days.
BY_MINUTE = 120
BY_HOUR_DAYS = 7  # whole ones before today
FILLED_IN_DAYS = 28  # where a connection is new: as far as anybody looks back for what is usual
LONGEST_GAP = 360

_HOUR, _DAY = int(Width.HOUR), int(Width.DAY)


class Step(NamedTuple):
    """One question: [start, end) in minutes since 1970, whole buckets of `width`."""

    width: Width
    start: int
    end: int


def steps(covered_until: int | None, now: int, newest: int | None = None) -> list[Step]:
    """The questions that bring us from `covered_until` to `now`, oldest first, touching and never overlapping.

    `covered_until` is the minute up to which everything was read, None before the first reading; `newest` the last of
    those minutes that had any usage. A provider that is behind tells empty minutes, and the last before them are still
    filling up: both are asked for again, as long as that is no longer than a gap may be. After that it may as well be
    a quiet night, and a day of it is asked for once an hour, and after a gap.

    A gap ends with finer buckets than it holds in the middle, and begins with them too: an hour of which some minutes
    are known is not asked for as an hour, because minutes and hours of the same stretch would count it twice.
    """
    today = now // _DAY * _DAY
    if covered_until is None:
        return _stretches(today - FILLED_IN_DAYS * _DAY, today, now)
    # A clock that was set back claims to have covered what has not happened yet.
    begin = min(covered_until, now) - REREAD_TAIL
    if newest is not None:
        is_an_hour_on = begin // _HOUR != (now - REREAD_TAIL) // _HOUR
        if now - newest <= LONGEST_GAP or (is_an_hour_on and begin - newest <= _DAY):
            begin = min(begin, newest + 1 - REREAD_TAIL)
    if now - covered_until <= LONGEST_GAP:
        return [Step(Width.MINUTE, begin, now)]
    hour = _up(covered_until, _HOUR)
    found = [Step(Width.MINUTE, begin, hour)]
    if hour < today - BY_HOUR_DAYS * _DAY and (day := _up(hour, _DAY)) > hour:
        found.append(Step(Width.HOUR, hour, day))
        hour = day
    return found + _stretches(hour, today, now)


def silence(asked: Step, newest: int | None) -> Step | None:
    """What lies between the newest usage and minutes that are asked for, a day of it at most; None where nothing does.

    It was told as empty. Where usage follows on it after all, that may have been a provider that was behind.
    """
    if asked.width is not Width.MINUTE or (newest is not None and newest + 1 >= asked.start):
        return None
    a_day_before = asked.start - _DAY
    return Step(
        Width.MINUTE, a_day_before if newest is None else max(newest + 1 - REREAD_TAIL, a_day_before), asked.start
    )


def _stretches(begin: int, today: int, now: int) -> list[Step]:
    by_hour = max(begin, today - BY_HOUR_DAYS * _DAY)
    by_minute = max(by_hour, (now - BY_MINUTE) // _HOUR * _HOUR)
    stretches = [
        Step(Width.DAY, begin, by_hour),
        Step(Width.HOUR, by_hour, by_minute),
        Step(Width.MINUTE, by_minute, now),
    ]
    return [step for step in stretches if step.start < step.end]


def _up(minute: int, width: int) -> int:
    return -(-minute // width) * width
