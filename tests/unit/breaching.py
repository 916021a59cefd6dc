"""A budget of $500 a day on the marketing team, and what may become of it; for tests of incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finops.budgets import DEFAULT_LEVELS, Budget, BudgetAction, BudgetOn, BudgetPeriod, BudgetScope, period_of
from finops.charges import FigureState
from finops.estimates import Spent
from finops.figures import Scope
from finops.incidents import Incident, IncidentState
from finops.money import Money
from finops.queries import ScopeKind
from finops.registry import Team

NOW = datetime(2026, 7, 3, 5, 0, tzinfo=UTC)
TODAY = NOW.date()
TEAM = Team(1, "T1", "마케팅팀", "U1", "C1", "ko", (), "U1", NOW)


def a_budget(amount: Money | Decimal | int | str = 500, **rest: Any) -> Budget:
    """$500 a day for team 1 unless told otherwise."""
    terms: dict[str, Any] = {
        "id": 1,
        "workspace_id": "T1",
        "scope_kind": BudgetScope.TEAM,
        "scope_id": 1,
        "period": BudgetPeriod.DAY,
        "amount": amount if isinstance(amount, Money) else Money.of(amount),
        "levels": DEFAULT_LEVELS,
        "action": BudgetAction.NOTIFY,
        "floor": Money.zero(),
        "channel_id": None,
        "is_enabled": True,
        "created_by": "U1",
        "created_at": NOW,
        "updated_by": "U1",
        "updated_at": NOW,
    }
    return Budget(**terms | rest)


def on_team(budget: Budget | None = None) -> BudgetOn:
    """The budget at work on the team."""
    return BudgetOn(budget or a_budget(), Scope(ScopeKind.TEAM, 1, TEAM.name), TEAM)


def spent(
    amount: Money | Decimal | int | str, state: FigureState = FigureState.ESTIMATE, as_of: datetime | None = NOW
) -> Spent:
    """What is spent so far, all of it estimated."""
    money = amount if isinstance(amount, Money) else Money.of(amount)
    return Spent(money, state, as_of, money, unpriced=False, drift_margin=Decimal("0.02"))


def an_incident(**rest: Any) -> Incident:
    """$742 of $500 today, told aloud at 100 per cent, unless told otherwise."""
    facts: dict[str, Any] = {
        "id": 7,
        "workspace_id": "T1",
        "budget_id": 1,
        "scope_kind": ScopeKind.TEAM,
        "scope_id": 1,
        "period": BudgetPeriod.DAY,
        "window": period_of(BudgetPeriod.DAY, TODAY),
        "state": IncidentState.OPEN,
        "level": 100,
        "spoken_level": 100,
        "limit": Money.of(500),
        "spent": Money.of(742),
        "spent_state": FigureState.ESTIMATE,
        "usual": Money.of(50),
        "burn_per_minute": Money.of(11),
        "since": NOW,
        "opened_at": NOW,
        "updated_at": NOW,
        "as_of": NOW,
        "detected_at": NOW,
        "available_at": None,
        "channel_id": "C1",
    }
    return Incident(**facts | rest)
