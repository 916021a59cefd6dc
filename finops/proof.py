"""Proof: whether spending really ended after a lever was set, read from usage minutes, and what it cost until then.

A minute is final once the provider has had its usual lateness to tell of it. Five final minutes in a row without a
call, after the lever was set, are the proof. Calls in minutes well after it was set are proof of the opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from finops.frozen import frozen
from finops.periods import minute_of, moment_of
from finops.usage import Endpoint

CALLED = frozenset(Endpoint) - {Endpoint.VECTOR_STORES}
"""The kinds of usage that a call makes, and that end with the calls; what is stored costs without any."""
QUIET_MINUTES = 5
# A limit takes a while to spread through the provider: calls within it are the leak, not a failure.
SPREADING = timedelta(minutes=5)
# Not proved by then, people are told loudly.
DEADLINE = timedelta(minutes=15)
_SHORTEST_LATENESS, _LONGEST_LATENESS = timedelta(minutes=1), timedelta(minutes=9)
_UNKNOWN_LATENESS = timedelta(minutes=5)


class Verdict(StrEnum):
    """What usage says about a lever."""

    WAITING = "waiting"
    PROVED = "proved"
    GOES_ON = "goes_on"  # calls go on long after it was set
    UNSEEN = "unseen"  # the time is over, and usage could not be seen


@frozen
class Seen:
    """What usage told since a stop was asked for. `calls` are requests by epoch minute; minutes without any are absent.

    `read_until` is the epoch minute up to which usage was read; `lateness` within what time 95 % of it arrives (None:
    not measured).
    """

    calls: Mapping[int, int]
    read_until: int
    lateness: timedelta | None


def seen_until(read: Mapping[str, int]) -> int:
    """The epoch minute up to which every kind of call was read, given how far each endpoint was.

    Calls may go on at any of them, also at one that was never used before: where one cannot be read, or was never
    read (0), nothing is known to be quiet.
    """
    return min(read.get(one, 0) for one in CALLED)


def final_until(seen: Seen, now: datetime) -> int:
    """The epoch minute before which every minute is final."""
    lateness = _UNKNOWN_LATENESS if seen.lateness is None else seen.lateness
    lateness = min(max(lateness, _SHORTEST_LATENESS), _LONGEST_LATENESS)
    return min(seen.read_until, minute_of(now - lateness))


def unread(read: Mapping[str, int], seen: Seen, set_at: datetime) -> tuple[tuple[Endpoint, ...], datetime | None]:
    """Which kinds of call were not read far enough for a proof, least read first, and since when the first was not.

    None where it was never read. `read` as in `seen_until`; nothing is missing where all were read far enough.
    """
    needed = _quiet_from(seen, set_at) + QUIET_MINUTES
    short = sorted((until, one.value) for one in CALLED if (until := read.get(one, 0)) < needed)
    since = moment_of(short[0][0]) if short and short[0][0] else None
    return tuple(Endpoint(one) for _, one in short), since


def verdict(seen: Seen, set_at: datetime, now: datetime) -> Verdict:
    """What usage says about a lever that was set at `set_at`."""
    if final_until(seen, now) - _quiet_from(seen, set_at) >= QUIET_MINUTES:
        return Verdict.PROVED
    if now - set_at < DEADLINE:
        return Verdict.WAITING
    has_spread = minute_of(set_at + SPREADING)
    if _quiet_from(seen, set_at) > has_spread:
        return Verdict.GOES_ON
    return Verdict.UNSEEN


def _quiet_from(seen: Seen, set_at: datetime) -> int:
    """The first minute from which on nothing was seen: the first whole one under the lever, or after the last call."""
    first = minute_of(set_at) + 1
    return max((minute + 1 for minute, calls in seen.calls.items() if calls and minute >= first), default=first)


def last_request_at(seen: Seen, since: datetime) -> datetime | None:
    """The end of the last minute with a call since then; None when there was none."""
    start = minute_of(since)
    last = max((minute for minute, calls in seen.calls.items() if calls and minute >= start), default=None)
    return None if last is None else moment_of(last + 1)
