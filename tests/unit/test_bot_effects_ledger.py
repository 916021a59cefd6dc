"""Lines of the ledger of savings: which of those that were found are opened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.effects_ledger import apart
from finops.behaviour import Action, ActionKind, ActionSource
from finops.effects import Saving, SavingState
from finops.money import Money
from finops.periods import Period

AT = datetime(2026, 7, 6, 5, tzinfo=UTC)
DAY = Period(date(2026, 7, 6), date(2026, 7, 7))


def asked(number: int, stop_id: int) -> tuple[Action, Saving]:
    """A stop that was asked for, and what it kept."""
    action = Action(
        AT + timedelta(minutes=number), DAY.start, ActionKind.STOPPED, ActionSource.TRAIL, f"trail:{number}",
        project_id=1, details={"stop_id": stop_id}, id=number,
    )  # fmt: skip
    return action, Saving(number, SavingState.EXPECTED, DAY, expected=Money.of("13.93"))


def test_what_a_stop_kept_is_one_line_however_often_it_was_asked_for() -> None:
    """Allowed again and stopped again it is one stop, which says once, for all of it, what it kept."""
    first, again, other = asked(1, 7), asked(2, 7), asked(3, 8)
    assert apart([again, other, first], []) == [first[1], other[1]]
    assert apart([again, other], [first]) == [other[1]]
