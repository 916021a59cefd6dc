"""Lateness: how long a provider's usage takes to arrive, and when its silence is too long to be believed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

LEAST_PATIENCE = timedelta(minutes=15)
USUAL_POLL = timedelta(minutes=5)
DAYS_ALIKE = 7
_MINUTES_PER_DAY = 1440


def seconds_late(minute: int, seen_at: datetime) -> int:
    """How long after its end the usage of an epoch minute was seen, in whole seconds; 0 of one seen too early."""
    return max(0, _epoch_seconds(seen_at) - 60 * (minute + 1))


def p95(samples: Sequence[int]) -> timedelta | None:
    """Within what time 95 % of the usage arrived (nearest rank), from samples in seconds; None without any."""
    seconds = percentile(samples, 95)
    return None if seconds is None else timedelta(seconds=seconds)


def percentile(samples: Collection[float], per_cent: int) -> float | None:
    """The smallest sample that `per_cent` of them (1 to 100) do not exceed, by nearest rank; None without any."""
    if not samples:
        return None
    return sorted(samples)[-(-per_cent * len(samples) // 100) - 1]


def patience(p95_lateness: timedelta | None, poll: timedelta = USUAL_POLL) -> timedelta:
    """How long no news is no news: 15 minutes, or twice the 95th percentile and one poll, whichever is longer."""
    measured = timedelta() if p95_lateness is None else 2 * p95_lateness + poll
    return max(LEAST_PATIENCE, measured)


def expects_traffic(
    newest_data_minute: int | None,
    now: datetime,
    p95_lateness: timedelta | None,
    busy: Iterable[tuple[int, int]],
    poll: timedelta = USUAL_POLL,
) -> bool:
    """Whether the stretch that is silent now had usage at the same time of day on each of the last 7 days.

    The stretch runs from the newest usage (at most a day ago) to where patience begins. `busy` are buckets with usage
    of the last 8 days: epoch minute of the start and width in minutes. One counts when it lies wholly within the
    stretch, so that an hourly job is not missed between its runs. Hours alone do, and take up to an hour longer.
    """
    end = _minute(now - patience(p95_lateness, poll))
    start = end - _MINUTES_PER_DAY
    if newest_data_minute is not None:
        start = max(start, newest_data_minute + 1)
    alike = set()
    for bucket, width in busy:
        # How many days ago the stretch began that this bucket would have to lie in.
        days = -(-(start - bucket) // _MINUTES_PER_DAY)
        if 1 <= days <= DAYS_ALIKE and bucket + width + days * _MINUTES_PER_DAY <= end:
            alike.add(days)
    return len(alike) == DAYS_ALIKE


def is_late(
    newest_data_minute: int | None,
    now: datetime,
    p95_lateness: timedelta | None,
    *,
    expected: bool,
    poll: timedelta = USUAL_POLL,
) -> bool:
    """Whether usage is later than patience allows while traffic is expected (`expects_traffic`).

    `newest_data_minute` is the epoch minute of the newest usage we hold; None when we hold none at all.
    """
    if not expected:
        return False
    return newest_data_minute is None or newest_data_minute + 1 < _minute(now - patience(p95_lateness, poll))


def _minute(moment: datetime) -> int:
    return _epoch_seconds(moment) // 60


def _epoch_seconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("lateness needs an aware time")
    return int(moment.timestamp())
