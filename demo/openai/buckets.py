"""Buckets: the stretch of time a page of costs or usage covers, cut where the provider cuts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from demo.openai.answers import Query, Refused

WIDTHS = {"1m": 60, "1h": 3600, "1d": 86_400}


class Bucket(NamedTuple):
    """From `start` up to `end`, in Unix seconds."""

    start: int
    end: int

    @property
    def minutes(self) -> tuple[int, int]:
        """The whole minutes inside, as traffic counts them."""
        return -(-self.start // 60), self.end // 60


@dataclass(frozen=True, slots=True)
class Page:
    """The buckets of one page, and the cursor of the next one."""

    buckets: tuple[Bucket, ...]
    next_page: str | None


def page_of(
    query: Query, width: str, limit: int, now: int, *, floors_start: bool = False, clips_end: bool = True
) -> Page:
    """Cut what was asked for into at most `limit` buckets. Without an `end_time` the last one is the running one."""
    seconds = WIDTHS[width]
    asked, asked_end = query.integer("start_time"), query.integer("end_time")
    if asked is None:
        message = "Missing required parameter: 'start_time'."
        raise Refused(400, message, param="start_time", code="missing_required_parameter")
    end = now if asked_end is None else asked_end
    if asked < 0 or end <= asked:
        raise Refused(400, "Invalid time range: start_time must be before end_time.", param="start_time")
    begin = asked // seconds * seconds if floors_start else asked
    start = query.cursor()
    buckets: list[Bucket] = []
    position = begin if start is None else start
    while position < end and len(buckets) < limit:
        stop = (position // seconds + 1) * seconds
        buckets.append(Bucket(position, min(stop, end) if clips_end else stop))
        position = stop
    return Page(tuple(buckets), query.next_page(position) if position < end else None)
