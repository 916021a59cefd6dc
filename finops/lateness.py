"""Lateness: how long a provider's usage takes to arrive, and when its silence is too long to be believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

LEAST_PATIENCE = timedelta(minutes=15)
USUAL_POLL = timedelta(minutes=5)
DAYS_ALIKE = 7
MOST_SAMPLES = 200
_MINUTE = timedelta(minutes=1)


def seconds_late(minute: int, seen_at: datetime) -> int:
    """How long after its end the usage of an epoch minute was seen, in whole seconds; 0 of one seen too early."""
    raise NotImplementedError


def p95(samples: Sequence[int]) -> timedelta | None:
    """Within what time 95 % of the usage arrived (nearest rank), from samples in seconds; None without any."""
    raise NotImplementedError


def patience(p95_lateness: timedelta | None, poll: timedelta = USUAL_POLL) -> timedelta:
    """How long no news is no news: 15 minutes, or twice the 95th percentile and one poll, whichever is longer."""
    raise NotImplementedError


def expects_traffic(
    newest_data_minute: int | None,
    now: datetime,
    p95_lateness: timedelta | None,
    busy: Iterable[tuple[int, int]],
    poll: timedelta = USUAL_POLL,
) -> bool:
    """Whether the stretch that is silent now had usage at the same time of day on each of the last 7 days.

    The stretch runs from the newest usage to where patience begins. `busy` are buckets with usage of the last 8 days:
    epoch minute of the start and width in minutes; one counts when it lies wholly within the stretch, so that an
    hourly job is not missed between its runs. Hours alone do, and take an hour longer to find out.
    """
    raise NotImplementedError


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
    raise NotImplementedError
