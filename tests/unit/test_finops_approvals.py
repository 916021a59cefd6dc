"""What waits for somebody's word: of a stop, of an allowance and of a budget that asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from finops.approvals import SOON, WaitingFor, asks, waits_for
from finops.budgets import BudgetAction
from finops.incidents import IncidentState
from finops.money import Money
from finops.stops import StopState
from tests.unit import saying_live
from tests.unit import stopping_said as told

JIHOON, MINSU = "U0JIHOON01", "U0MINSU001"
NOW = told.PROVED_AT


def test_a_second_persons_word_is_never_asked_of_the_first() -> None:
    """이지훈 asked: for everybody else it waits, for himself nothing does, whatever else the stop is."""
    for shown in (told.asked(), told.pending()):
        assert waits_for(shown.stop, None, JIHOON, NOW) is None
        assert waits_for(shown.stop, None, MINSU, NOW) is WaitingFor.SECOND


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (told.proved(), WaitingFor.RESTORE),
        (told.unproved(), WaitingFor.RESTORE),
        (told.requested(), None),
        (told.restoring(), None),
        (told.restored(), None),
        (told.over(), None),
    ],
)
def test_what_stands_waits_and_what_is_under_way_or_over_does_not(shown: Any, kind: WaitingFor | None) -> None:
    """Nobody is asked about what ends by itself within seconds, or has ended."""
    assert waits_for(shown.stop, None, JIHOON, NOW) is kind


def test_an_allowance_waits_once_its_time_or_nine_tenths_of_its_amount_are_used_up() -> None:
    """A day before its end; before that only where the incident's own amount says so, in the same currency."""
    stop = told.allowed().stop
    assert stop.allowed_until is not None
    assert waits_for(stop, None, JIHOON, stop.allowed_until - SOON) is WaitingFor.END
    early = stop.allowed_until - SOON - timedelta(seconds=1)
    assert waits_for(stop, None, JIHOON, early) is None
    incident = saying_live.shown().incident
    nearly = [(Money.of("757.79"), None), (Money.of("757.80"), WaitingFor.END), (Money.of("800", "EUR"), None)]
    for spent, kind in nearly:  # of $842
        assert waits_for(stop, replace(incident, spent=spent), JIHOON, early) is kind
    assert waits_for(replace(stop, state=StopState.CLOSED, closed_at=NOW), None, JIHOON, NOW) is None


def test_a_budget_asks_at_its_limit_until_somebody_acts() -> None:
    """Not below it, not where the budget only tells or stops by itself, and not once somebody decided."""
    shown = saying_live.shown()
    asking = replace(shown, budget=replace(shown.budget, action=BudgetAction.ASK))
    assert shown.percent >= 100
    assert asks(asking)
    assert not asks(replace(asking, percent=99))
    assert not asks(replace(asking, is_period_over=True))
    assert not asks(replace(shown, budget=replace(shown.budget, action=BudgetAction.NOTIFY)))
    assert not asks(replace(asking, incident=replace(asking.incident, state=IncidentState.STOPPED)))
