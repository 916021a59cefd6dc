"""Periods: the one calendar. A charge day is a UTC day; weeks run Monday to Sunday; months are UTC months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from finops.frozen import frozen


@frozen
class Period:
    """Charge days from `start` up to, not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a period cannot end ({self.end}) before it starts ({self.start})")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range(self.days))

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def before(self) -> Period:
        """The period of the same length that ends where this one starts."""
        return Period(self.start - timedelta(days=self.days), self.start)


def charge_day(moment: datetime) -> date:
    """The charge day a moment falls into. Refuses naive times: a day without a zone is nobody's day."""
    if moment.tzinfo is None:
        raise ValueError("a charge day needs an aware time")
    return moment.astimezone(UTC).date()


def starts_at(day: date) -> datetime:
    """The instant a charge day begins (00:00 UTC, 09:00 in Seoul and Tokyo)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def minute_of(moment: datetime) -> int:
    """The minute since 1970 that a moment lies in."""
    return int(moment.timestamp()) // 60


def moment_of(minute: int) -> datetime:
    """The instant at which a minute begins."""
    return datetime.fromtimestamp(minute * 60, UTC)


def monday_of(day: date) -> date:
    """The first day of the charge week that holds a day."""
    return day - timedelta(days=day.weekday())


def week_of(day: date) -> Period:
    """The charge week that holds a day: Monday to Sunday."""
    monday = monday_of(day)
    return Period(monday, monday + timedelta(days=7))
