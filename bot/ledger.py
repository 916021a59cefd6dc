"""Ledger: what the bills of a scope say of a period, and how far every connection of it was read for that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime

from finops.allocation import main_currency
from finops.charges import DayReading
from finops.figures import DayFigure, Figure, figure_of, readings_of_all, trend_of
from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period
from finops.registry import Connection, Credential
from storage.records import DayTotal


@frozen
class Ledger:
    """The daily sums of one stretch of days in one currency, and when each connection of the scope was read.

    `keyed` are the connections that somebody wants read, `expected` those of them that have been read before.
    `together` remembers how several were read as one: most periods count the same ones, and Home asks for many.
    """

    days: Mapping[date, Money]
    readings: Mapping[int, Mapping[date, DayReading]]
    blind: Mapping[int, datetime]
    keyed: Collection[int]
    expected: Collection[int]
    now: datetime
    currency: str
    together: dict[frozenset[int], Mapping[date, DayReading]] = field(default_factory=dict)

    def figures(self, period: Period, before: Period) -> tuple[Figure, Figure]:
        """What a period came to, and the one it is compared with."""
        counting = self._counting(period, before)
        read = self._read(counting)
        blind = min((at for one, at in self.blind.items() if one in counting or one in self.keyed), default=None)
        now, then = (figure_of(one, self.days, read, self.now, self.currency, blind) for one in (period, before))
        return now, then

    def trend(self, period: Period, before: Period) -> tuple[DayFigure, ...]:
        """The same period day by day."""
        read = self._read(self._counting(period, before))
        return trend_of(period, self.days, read, self.now, self.currency)

    def _read(self, counting: frozenset[int]) -> Mapping[date, DayReading]:
        if counting not in self.together:
            self.together[counting] = readings_of_all(self.readings[one] for one in counting)
        return self.together[counting]

    def _counting(self, *periods: Period) -> frozenset[int]:
        """The connections of which a day has to be read to be known: all that were read in one of these periods, too.

        Whatever else is asked for at the same time is no matter, so that a period is told the same everywhere: where
        all keys of a connection were deleted for good, days are missing beside those on which it was still read, and
        later no more.
        """
        read = (one for one, days in self.readings.items() if any(day in each for each in periods for day in days))
        return frozenset(read).union(self.expected)


def ledger_of(
    connections: Sequence[Connection],
    credentials: Iterable[Credential],
    days: Iterable[DayTotal],
    readings: Mapping[int, Mapping[date, DayReading]],
    now: datetime,
) -> Ledger:
    """What is known of the bills of these connections, in their main currency."""
    days = list(days)
    currency = main_currency(day.amount for day in days)
    keyed = {credential.connection_id for credential in credentials}
    return Ledger(
        days={day.day: day.amount for day in days if day.amount.currency == currency},
        readings={one.id: readings.get(one.id, {}) for one in connections},
        blind={one.id: one.blind_since for one in connections if one.blind_since is not None},
        keyed=keyed,
        # One that is only being connected does not make everybody's figures doubtful (its progress is shown), nor does
        # one whose keys were all deleted for good.
        expected={one.id for one in connections if one.collected_at is not None and one.id in keyed},
        now=now,
        currency=currency,
    )


def spanning(periods: Iterable[Period]) -> Period:
    """The shortest stretch that holds all of them."""
    each = list(periods)
    return Period(min(one.start for one in each), max(one.end for one in each))
