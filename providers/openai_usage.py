"""Reading OpenAI's usage: ten doors of one shape, by minute, hour or day, all pages of a span or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from types import MappingProxyType

from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width, keeping_everything
from providers.contract import UnexpectedResponse
from providers.http import Answer, Params
from providers.openai_pages import PAGE, Bucket, Page, off_loop, page_after
from providers.openai_usage_wire import GROUPINGS, rows_of
from providers.openai_wire import QueryRefused, decoded

WIDTHS = {Width.MINUTE: "1m", Width.HOUR: "1h", Width.DAY: "1d"}
MOST_BUCKETS = {Width.MINUTE: 1440, Width.HOUR: 168, Width.DAY: 31}
Ask = Callable[[str, Params], Awaitable[Answer]]
Told = dict[int, tuple[int, tuple[UsageRow, ...] | None]]
"""Buckets by their first minute: a fingerprint, and the rows unless the asker has them."""


@dataclass(slots=True)
class UsageReader:
    """Reads usage through whatever asks the provider, and remembers how each door wants its arrays spelled."""

    _settled: dict[Endpoint, str] = field(default_factory=dict)
    _nameless: set[Endpoint] = field(default_factory=set)
    _first: str = "group_by[]"

    async def read(
        self,
        ask: Ask,
        endpoint: Endpoint,
        width: Width,
        start: datetime,
        end: datetime,
        known: Mapping[int, int] | None = None,
    ) -> UsageReading:
        """What `endpoint` tells of [start, end), widened to whole buckets; less those told just as `known` has them."""
        first, last = _minutes(start, width, is_end=False), _minutes(end, width, is_end=True)
        told = await self._told(ask, endpoint, width, first, last, known or {}) if first < last else {}
        buckets = tuple(UsageBucket(minute, rows) for minute, (_, rows) in sorted(told.items()) if rows is not None)
        marks = {minute: mark for minute, (mark, _) in told.items()}
        return UsageReading(endpoint, width, first, max(first, last), buckets, marks)

    async def _told(
        self, ask: Ask, endpoint: Endpoint, width: Width, start: int, end: int, known: Mapping[int, int]
    ) -> Told:
        """All buckets. A spelling that is not understood any more is learnt again: rows without names are nobody's."""
        spelling = self._settled.get(endpoint)
        if spelling is not None:
            with suppress(QueryRefused):
                found = await _pages(ask, endpoint, width, start, end, spelling, known)
                if endpoint in self._nameless or _is_grouped(found) is not False:
                    return found
        return await self._learnt(ask, endpoint, width, start, end)

    async def _learnt(self, ask: Ask, endpoint: Endpoint, width: Width, start: int, end: int) -> Told:
        """All buckets; rows that come back without any name are asked for once more in the other spelling."""
        first = self._first
        other = "group_by" if first == "group_by[]" else "group_by[]"
        try:
            found = await _pages(ask, endpoint, width, start, end, first)
        except QueryRefused:
            found = await _pages(ask, endpoint, width, start, end, other)
            self._settle(endpoint, other)
            return found
        is_grouped = _is_grouped(found)
        if is_grouped is None:
            return found  # nothing used, nothing learnt
        if not is_grouped:
            try:
                again = await _pages(ask, endpoint, width, start, end, other)
            except QueryRefused:
                again = {}
            if _is_grouped(again):
                self._settle(endpoint, other)
                return again
            # Neither spelling brings names: these rows really have none. Do not ask twice again.
            self._nameless.add(endpoint)
        self._settle(endpoint, first)
        return found

    def _settle(self, endpoint: Endpoint, spelling: str) -> None:
        self._settled[endpoint] = self._first = spelling


async def _pages(
    ask: Ask,
    endpoint: Endpoint,
    width: Width,
    start: int,
    end: int,
    spelling: str,
    known: Mapping[int, int] = MappingProxyType({}),
) -> Told:
    """Every bucket of every page by its first minute; of a bucket told twice, the later telling."""
    count = (end - start) // width
    params: Params = [
        ("start_time", str(start * 60)),
        ("end_time", str(end * 60)),
        ("bucket_width", WIDTHS[width]),
        *((spelling, dimension) for dimension in GROUPINGS[endpoint]),
        ("limit", str(min(count, MOST_BUCKETS[width]))),
    ]
    told: Told = {}
    seen: set[str] = set()
    paging: Params = []
    while True:
        answer = await ask(f"usage/{endpoint.value}", [*params, *paging])
        decode = partial(_decoded, answer, endpoint, width, start, end, known)
        page, found = await off_loop(answer.body, decode)
        told |= found
        following = page_after(page, seen, count, answer.reference)
        if following is None:
            return told
        paging = [("page", following)]


def _decoded(
    answer: Answer, endpoint: Endpoint, width: Width, start: int, end: int, known: Mapping[int, int]
) -> tuple[Page, Told]:
    """One page, and its buckets by their first minute. A bucket at a time, so that other threads get their turn."""
    reference = answer.reference
    if b"\\" in answer.body and b"\\u0000" in answer.body:  # PostgreSQL cannot keep it in a text
        raise UnexpectedResponse("a text with a zero in it", reference=reference)
    with keeping_everything():
        page = decoded(PAGE, answer.body, "", reference)
        told: Told = {}
        for index, bucket in enumerate(page.data):
            pointer = f"/data/{index}"
            minute = _minute_of(bucket, width, start, end, pointer, reference)
            if minute is not None:
                mark = hash(bytes(bucket.results or bucket.result))
                is_known = known.get(minute) == mark
                rows = None if is_known else rows_of(bucket, endpoint, width, minute, pointer, reference)
                told[minute] = (mark, rows)
        return page, told


def _minute_of(bucket: Bucket, width: Width, start: int, end: int, pointer: str, reference: str | None) -> int | None:
    """The first minute of a bucket; None when it is none of those asked for."""
    minute, seconds = divmod(bucket.start_time, 60)
    if not start <= minute < end:
        return None
    if seconds or (minute - start) % width:
        where = f"{pointer}/start_time"
        raise UnexpectedResponse("not the start of a bucket", pointer=where, reference=reference)
    # The bucket that is still running may end "now".
    if bucket.end_time is not None and not 0 < bucket.end_time - bucket.start_time <= width * 60:
        raise UnexpectedResponse("not one whole bucket", pointer=f"{pointer}/end_time", reference=reference)
    return minute


def _is_grouped(told: Told) -> bool | None:
    """Whether any row names its project, key or model; None when there are no rows to tell by."""
    rows = [row for _, rows in told.values() for row in rows or ()]
    return any(row.sub_account_id or row.api_key_id or row.model for row in rows) if rows else None


def _minutes(moment: datetime, width: Width, *, is_end: bool) -> int:
    """The bucket boundary at or before a moment, or at or after it; refuses naive times."""
    if moment.tzinfo is None:
        raise ValueError("usage is read between aware times")
    seconds = moment.timestamp()
    buckets = int(seconds // (width * 60))
    return (buckets + (is_end and seconds > buckets * width * 60)) * width


# A Date header tells whole seconds.
_DATE_TELLS = timedelta(seconds=1)


def skew_of(answer: Answer, sent: datetime, now: datetime, before: timedelta | None) -> timedelta | None:
    """How far the clock of whoever answered is ahead of ours, by its Date header; `before` when it tells none.

    It was written between `sent` and `now`: a slow answer, or a machine that slept meanwhile, is no wrong clock.
    """
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return before
    if told.tzinfo is None:
        return before
    return min(timedelta(0), told + _DATE_TELLS - sent) if told < now else told - now
