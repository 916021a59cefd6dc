"""Learning: what people did and what came of it, as a person is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from finops import spreadsheets
from finops.behaviour import Action
from finops.effects import Effect, Saving
from finops.frozen import frozen
from finops.hypotheses import AlertQuality, Judged, Ledger, Prevented
from finops.misses import Misses
from finops.money import Money
from finops.periods import Period
from finops.pulse import PulseWeek
from finops.spreadsheets import safe, second


@frozen
class ActionShown:
    """One action with the names of what it was done to ('' where it is gone), and its line of the ledger."""

    action: Action
    project: str = ""
    team: str = ""
    saving: Saving | None = None
    effect: Effect | None = None


@frozen
class DigestEffect:
    """What one weekly digest, told on `day`, changed in what the `projects` it named cost together."""

    day: date
    effect: Effect
    projects: tuple[str, ...] = ()


@frozen
class LearningReport:
    """What was done in a period, newest first, what it saved, and what that says of the three hypotheses.

    `more` counts actions that are not shown. `digests` are the period's digests that are old enough to be measured,
    newest first, the last four at most. `misses` are limits that were passed while nobody was told. `pulse` is what was
    answered below the last eight weeks' digests, oldest first; none where nobody was asked.
    """

    period: Period
    at: datetime
    actions: tuple[ActionShown, ...]
    more: int
    ledger: Ledger
    hypotheses: tuple[Judged, ...]
    prevented: Prevented
    quality: AlertQuality
    misses: Misses
    digests: tuple[DigestEffect, ...] = ()
    pulse: tuple[PulseWeek, ...] = ()


_COLUMNS = (
    "charge_day", "at", "action", "project", "team", "by", "found_in", "answers", "told_at", "saving", "currency",
    "expected", "verified", "low", "high", "from_day", "to_day", "checked_at",
)  # fmt: skip


def exported(actions: Iterable[ActionShown]) -> bytes:
    """A CSV for spreadsheets: a line for each action with its line of the ledger.

    Amounts are exact. What nobody knows, an expected saving that nobody foretold for one, is empty and never 0. The
    days are the first and the last of those that are measured.
    """
    rows: list[tuple[str, ...]] = [_COLUMNS]
    for shown in actions:
        done, saving = shown.action, shown.saving
        told = ("", "") if done.preceded is None else (done.preceded.kind.value, second(done.preceded.at))
        ledger = [""] * 9
        if saving is not None:
            amounts = (_amount(each) for each in (saving.expected, saving.verified, saving.low, saving.high))
            days = saving.period.start.isoformat(), (saving.period.end - timedelta(days=1)).isoformat()
            checked = "" if saving.checked_at is None else second(saving.checked_at)
            ledger = [saving.state.value, saving.currency, *amounts, *days, checked]
        names = (safe(each) for each in (shown.project, shown.team, done.actor))
        rows.append((done.day.isoformat(), second(done.at), done.kind.value, *names, done.source.value, *told, *ledger))
    return spreadsheets.file(rows)


def _amount(money: Money | None) -> str:
    return "" if money is None else f"{money.amount:f}"
