"""The pulse over weeks: how many called the digest helpful, told only where enough people answered.

Fewer than five answers say much about single people, so that such a week is told as too few and nothing else. It is not
added to a neighbour: what two weeks said together, less what one of them says a week later, would be the other one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from finops.frozen import frozen
from finops.periods import Period, week_of
from finops.polls import PULSE_LEAST

WEEKS, LEAST = 8, PULSE_LEAST
_WEEK = timedelta(days=7)


class PulseState(StrEnum):
    """What can be said of a week."""

    TOLD = "told"
    FEW = "few"  # fewer than five answered
    OPEN = "open"  # somewhere it can still be answered; until then results are nobody's to see
    NOT_ASKED = "not_asked"


@frozen
class PulseTally:
    """What was answered below the digests of a week, in one channel or in several; whether it still can be."""

    week: date
    is_open: bool
    good: int = 0
    fair: int = 0
    poor: int = 0


@frozen
class PulseWeek:
    """One week, named by the Monday that the digest's week began with. Counts are 0 unless the week is told."""

    week: date
    state: PulseState
    good: int = 0
    fair: int = 0
    poor: int = 0

    @property
    def answers(self) -> int:
        """How many answered; whoever reads the digest in two channels may twice."""
        return self.good + self.fair + self.poor

    @property
    def share(self) -> Decimal | None:
        """The share that called it helpful; None where that is not told."""
        return Decimal(self.good) / self.answers if self.state is PulseState.TOLD else None

    @property
    def days(self) -> Period:
        """The digest's week."""
        return Period(self.week, self.week + _WEEK)


def pulse_weeks(until: date) -> tuple[date, ...]:
    """The Mondays of the last eight weeks whose digest was due before a day, oldest first.

    A week's digest is told on the Monday after it.
    """
    monday = week_of(until - timedelta(days=1)).start
    return tuple(monday - _WEEK * back for back in range(WEEKS, 0, -1))


def pulse_of(until: date, tallies: Iterable[PulseTally]) -> tuple[PulseWeek, ...]:
    """The last eight weeks, oldest first, from the first on that was asked about; none where nobody was asked."""
    by_week: dict[date, list[PulseTally]] = defaultdict(list)
    for tally in tallies:
        by_week[tally.week].append(tally)
    weeks = [_week(monday, by_week.get(monday, [])) for monday in pulse_weeks(until)]
    first = next((n for n, one in enumerate(weeks) if one.state is not PulseState.NOT_ASKED), len(weeks))
    return tuple(weeks[first:])


def _week(monday: date, tallies: list[PulseTally]) -> PulseWeek:
    if not tallies:
        return PulseWeek(monday, PulseState.NOT_ASKED)
    if any(one.is_open for one in tallies):
        return PulseWeek(monday, PulseState.OPEN)
    good, fair, poor = (sum(getattr(one, name) for one in tallies) for name in ("good", "fair", "poor"))
    if good + fair + poor < LEAST:
        return PulseWeek(monday, PulseState.FEW)
    return PulseWeek(monday, PulseState.TOLD, good, fair, poor)
