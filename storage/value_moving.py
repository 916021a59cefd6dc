"""What a batch of recorded calls moves: the sums of days and weeks, and what users spent, by exactly the difference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import add, neg
from typing import Any

from finops.events import Call
from finops.periods import charge_day, monday_of
from finops.value import ValueSums

_DAY_KEY = ("charge_day", "task", "experiment", "segment", "model")


@dataclass
class UserMoves:
    """By how much one user's day moves. The dearest call is a maximum, which only grows."""

    segment: str = ""
    calls: int = 0
    cost_nano: int = 0
    cost_rest: int = 0
    dearest: tuple[int, int] = (0, 0)


@dataclass
class Moves:
    """Differences of sums. Add up, and nothing is counted twice however often a call is told of."""

    days: dict[tuple[Any, ...], ValueSums] = field(default_factory=dict)
    weeks: dict[date, ValueSums] = field(default_factory=dict)
    newest: dict[date, datetime] = field(default_factory=dict)
    users: defaultdict[tuple[date, str], UserMoves] = field(default_factory=lambda: defaultdict(UserMoves))

    def replace(self, before: Call | None, after: Call, told_at: datetime) -> None:
        """A call is now known as `after`, which was known as `before`; `told_at` is the time of the newest event."""
        for sign, call in ((-1, before), (1, after)):
            if call is not None:
                self._move(sign, call, told_at)

    def _move(self, sign: int, call: Call, told_at: datetime) -> None:
        day, by = charge_day(call.at), call.sums()
        if sign < 0:
            by = ValueSums._make(map(neg, by))
        key, week = (day, call.task, call.experiment, call.segment, call.model), monday_of(day)
        self.days[key] = _added(self.days.get(key), by)
        self.weeks[week] = _added(self.weeks.get(week), by)
        self.newest[week] = max(told_at, self.newest.get(week, told_at))
        if call.user_key:
            user = self.users[day, call.user_key]
            user.calls += by.calls
            user.cost_nano += by.cost_nano
            user.cost_rest += by.cost_rest
            if sign > 0:
                user.segment = call.segment or user.segment
                user.dearest = max(user.dearest, call.cost_of_one)

    def day_rows(self) -> list[dict[str, Any]]:
        """The days that move, as rows to add."""
        return [dict(zip(_DAY_KEY, key, strict=True)) | sums._asdict() for key, sums in self.days.items() if any(sums)]

    def week_rows(self) -> list[dict[str, Any]]:
        """The weeks that move, as rows to add, with the time of the newest event."""
        return [{"week": week, "newest_at": self.newest[week]} | sums._asdict() for week, sums in self.weeks.items()]

    def user_rows(self) -> list[dict[str, Any]]:
        """What users' days move by, as rows to add."""
        return [
            {
                "charge_day": day,
                "user_key": user_key,
                "segment": user.segment,
                "calls": user.calls,
                "cost_nano": user.cost_nano,
                "cost_rest": user.cost_rest,
                "dearest_call_nano": user.dearest[0],
                "dearest_call_rest": user.dearest[1],
            }
            for (day, user_key), user in self.users.items()
        ]

    @property
    def emptied(self) -> list[date]:
        """The days from which a call moved away, so that something may have come to nothing."""
        gone = {key[0] for key, sums in self.days.items() if sums.calls < 0}
        return sorted(gone | {day for (day, _), user in self.users.items() if user.calls < 0})


def _added(held: ValueSums | None, by: ValueSums) -> ValueSums:
    return by if held is None else ValueSums._make(map(add, held, by))
