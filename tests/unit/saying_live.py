"""Incidents to talk about: 742 of 500 against a usual 50 at 14:00 in Seoul, and everything around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.budgets import DEFAULT_LEVELS, Budget, BudgetAction, BudgetOn, BudgetPeriod, BudgetScope, Usual, UsualMethod
from finops.charges import FigureState
from finops.estimates import Correction, CorrectionBasis, Spent
from finops.figures import DayFigure, Scope, Share, breakdown_of
from finops.incident_report import IncidentDetail, IncidentShown
from finops.incidents import EventKind, Fact, Incident, IncidentEvent, IncidentState
from finops.money import Money
from finops.periods import Period
from finops.queries import ScopeKind
from finops.stop_report import AffectedKey
from finops.why import Factor, UsualHours, Why, WhyKind, WhyPart
from tests.unit.saying import NOW, TEAM

# 14:00 in Seoul and Tokyo.
AT = datetime(2026, 7, 6, 5, 0, tzinfo=UTC)
SINCE = datetime(2026, 7, 6, 4, 40, tzinfo=UTC)
DAY = Period(date(2026, 7, 6), date(2026, 7, 7))
NAMES = {"U0JIHOON01": "이지훈", "U0MINSU001": "김민수"}
TEAM_SCOPE = Scope(ScopeKind.TEAM, 1, "마케팅팀")
PROJECT_SCOPE = Scope(ScopeKind.PROJECT, 1, "chatbot-experiment")
LOOP = Why(
    period=DAY,
    compared=Period(date(2026, 6, 29), date(2026, 7, 6)),
    now=Money.of(742),
    before=Money.of(50),
    parts=(
        WhyPart(Factor.REQUESTS, Money.of("693.5"), Decimal(1000), Decimal(14900), Decimal("14.9")),
        WhyPart(Factor.INPUT_LENGTH, Money.of("-1.5"), Decimal(1000), Decimal(998), Decimal("0.998")),
        WhyPart(Factor.OUTPUT_LENGTH, Money.zero(), Decimal(200), Decimal(200), Decimal(1)),
    ),
    kind=WhyKind.RETRY_LOOP,
    covered=Decimal(1),
    hours=UsualHours(SINCE, AT, 7),
)


def a_budget(amount: str = "500", period: BudgetPeriod = BudgetPeriod.DAY, **more: Any) -> Budget:
    given: dict[str, Any] = {
        "id": 3,
        "workspace_id": "T0FINOPS01",
        "scope_kind": BudgetScope.TEAM,
        "scope_id": 1,
        "period": period,
        "amount": Money.of(amount),
        "levels": DEFAULT_LEVELS,
        "action": BudgetAction.NOTIFY,
        "floor": Money.zero(),
        "channel_id": None,
        "is_enabled": True,
        "created_by": "U0JIHOON01",
        "created_at": NOW,
        "updated_by": "U0JIHOON01",
        "updated_at": NOW,
    }
    return Budget(**(given | more))


def an_incident(spent: str = "742", limit: str = "500", level: int = 100, **more: Any) -> Incident:
    given: dict[str, Any] = {
        "id": 12,
        "workspace_id": "T0FINOPS01",
        "budget_id": 3,
        "scope_kind": ScopeKind.TEAM,
        "scope_id": 1,
        "period": BudgetPeriod.DAY,
        "window": DAY,
        "state": IncidentState.OPEN,
        "level": level,
        "spoken_level": level,
        "limit": Money.of(limit),
        "spent": Money.of(spent),
        "spent_state": FigureState.ESTIMATE,
        "usual": Money.of("50"),
        "burn_per_minute": Money.of("2.1"),
        "since": SINCE,
        "opened_at": AT - timedelta(minutes=10),
        "updated_at": AT,
        "as_of": AT,
        "detected_at": AT,
        "available_at": AT,
        "channel_id": "C0MARKET01",
    }
    return Incident(**(given | more))


def a_spent(amount: str = "742", *, unpriced: bool = False, **more: Any) -> Spent:
    given: dict[str, Any] = {
        "amount": Money.of(amount),
        "state": FigureState.ESTIMATE,
        "as_of": AT,
        "estimated": Money.of(amount),
        "unpriced": unpriced,
        "drift_margin": Decimal("0.02"),
    }
    return Spent(**(given | more))


def a_week_and_today(today: str = "742") -> tuple[DayFigure, ...]:
    amounts = ("48.2", "51", "49.75", "50", "12.4", "9.1", "50.6")
    points = [
        DayFigure(DAY.start - timedelta(days=7 - n), Money.of(amount), FigureState.SETTLED if n < 4 else state)
        for n, amount in enumerate(amounts)
        for state in (FigureState.PROVISIONAL,)
    ]
    return (*points, DayFigure(DAY.start, Money.of(today), FigureState.ESTIMATE))


def shown(**changes: Any) -> IncidentShown:
    """$742 of $500, usually $50, at 14:00: the golden message."""
    given: dict[str, Any] = {
        "incident": an_incident(),
        "budget": a_budget(),
        "scope": TEAM_SCOPE,
        "team": TEAM,
        "headline_project": PROJECT_SCOPE,
        "spent": a_spent(),
        "percent": 148,
        "usual": Usual(Money.of("50"), 28, UsualMethod.DAYS),
        "increase": Decimal("13.84"),
        "since": SINCE,
        "next_level": 150,
        "next_at": AT + timedelta(minutes=4),
        "cause": LOOP,
        "trend": a_week_and_today(),
        "names": NAMES,
    }
    return IncidentShown(**(given | changes))


def warned() -> IncidentShown:
    """$390 of $500: 75 % reached, the limit expected at 15:20."""
    return shown(
        incident=an_incident("390", level=75),
        spent=a_spent("390"),
        percent=78,
        increase=Decimal("6.8"),
        breach_at=AT + timedelta(minutes=80),
        next_level=90,
        next_at=AT + timedelta(minutes=40),
        trend=a_week_and_today("390"),
    )


def acknowledged() -> IncidentShown:
    """Taken over by 이지훈 at 14:03."""
    return shown(
        incident=an_incident(
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_by="U0JIHOON01",
            acknowledged_at=AT + timedelta(minutes=3),
            updated_at=AT + timedelta(minutes=3),
        )
    )


def opened_again() -> IncidentShown:
    """Nobody acted for two hours after it was acknowledged."""
    at = AT + timedelta(hours=2)
    ended = event(EventKind.UNACKNOWLEDGED, at, by="U0MINSU001", lead="U0SEOYEON1", seconds=7260, is_after_act=False)
    taken = event(EventKind.ACKNOWLEDGED, AT, by="U0MINSU001")
    return shown(incident=an_incident(updated_at=at), events=(taken, ended))


def silenced() -> IncidentShown:
    """Silent until 15:03 at 김민수's wish, with everything else there is to say."""
    return shown(
        incident=an_incident(
            "612",
            level=150,
            state=IncidentState.SILENCED,
            acknowledged_by="U0JIHOON01",
            acknowledged_at=AT + timedelta(minutes=3),
            silenced_by="U0MINSU001",
            silenced_until=AT + timedelta(minutes=63),
        ),
        spent=a_spent("612", unpriced=True),
        percent=122,
        other_budgets=(
            BudgetOn(a_budget("10000", BudgetPeriod.MONTH, id=4, scope_kind=BudgetScope.WORKSPACE, scope_id=None),
                     Scope(ScopeKind.WORKSPACE, None, ""), None),
        ),
    )  # fmt: skip


def newcomer() -> IncidentShown:
    """A project's own weekly budget, with no history, no cause and no chart."""
    return shown(
        incident=an_incident(
            "101.25", "100", scope_kind=ScopeKind.PROJECT, scope_id=1, period=BudgetPeriod.WEEK, burn_per_minute=None,
            window=Period(date(2026, 7, 6), date(2026, 7, 13)), usual=None,
        ),
        budget=a_budget("100", BudgetPeriod.WEEK, scope_kind=BudgetScope.PROJECT),
        scope=PROJECT_SCOPE,
        headline_project=PROJECT_SCOPE,
        spent=a_spent("101.25"),
        percent=101,
        usual=Usual(None, 0, UsualMethod.WEEKS),
        increase=None,
        next_level=None,
        next_at=None,
        cause=None,
        trend=(),
    )  # fmt: skip


def over(reason: str = "period_ended") -> IncidentShown:
    """The next charge day has begun; the incident closed at $812."""
    end = datetime(2026, 7, 7, 0, 0, 30, tzinfo=UTC)
    closing = event(EventKind.CLOSED, end, reason=reason, spent="812", percent=162, state="estimate", level=150)
    return shown(
        incident=an_incident(
            "812", level=150, state=IncidentState.CLOSED, closed_at=end, updated_at=end, as_of=end
        ),
        spent=a_spent("812", as_of=end),
        percent=162,
        increase=Decimal("15.24"),
        trend=a_week_and_today("812"),
        events=(closing,),
    )  # fmt: skip


def event(kind: EventKind, at: datetime = AT, **values: Fact) -> IncidentEvent:
    """Something that happened, with the amounts every such record holds."""
    money: dict[str, Fact] = {"limit": "500", "currency": "USD", "state": "estimate", "spent": "742", "percent": 148}
    return IncidentEvent(kind, at, f"{kind}:test", money | values)


EVENTS = {
    "quiet": event(EventKind.CROSSED, level=50, levels=[50], spent="262.4", percent=52),
    "jump": event(EventKind.CROSSED, level=100, levels=[75, 90, 100]),
    "warning": event(EventKind.CROSSED, level=75, levels=[75], spent="390", percent=78),
    "acknowledged": event(EventKind.ACKNOWLEDGED, by="U0JIHOON01"),
    "silenced": event(EventKind.SILENCED, by="U0MINSU001", until=(AT + timedelta(hours=1)).isoformat()),
    "silence_ran_out": event(EventKind.SILENCE_ENDED, by=None, level=150, spent="761", percent=152),
    "silence_ended": event(EventKind.SILENCE_ENDED, by="U0STRANGER"),
    "budget_changed": event(
        EventKind.BUDGET_CHANGED, by="U0JIHOON01", limit_before="500", currency_before="USD", limit="800", percent=92,
        next_level=100,
    ),
    "closed": event(EventKind.CLOSED, reason="period_ended", spent="812", percent=162, level=150),
    "closed_silent": event(
        EventKind.CLOSED, reason="period_ended", spent="812", percent=162, level=150, rose=150
    ),
    "closed_deleted": event(EventKind.CLOSED, reason="budget_deleted", spent="812", percent=162, level=150),
    "helpful": event(EventKind.HELPFUL, by="U0JIHOON01"),
    "not_helpful": event(EventKind.NOT_HELPFUL, by="U0MINSU001"),
    "cause": event(EventKind.CAUSE_PINNED, by="U0MINSU001", text="재시도 로직 버그"),
    "reminded": event(
        EventKind.REMINDED, by="U0MINSU001", seconds=3641, is_after_act=False, spent="803", percent=160,
        opens_at=(AT + timedelta(hours=1)).isoformat(),
    ),
    "reminded_after_act": event(
        EventKind.REMINDED, by="U0MINSU001", seconds=3600, is_after_act=True, spent="803", percent=160, opens_at=None,
    ),
    "open_again": event(
        EventKind.UNACKNOWLEDGED, by="U0MINSU001", lead="U0SEOYEON1", seconds=7260, is_after_act=False, spent="861",
        percent=172,
    ),
    "open_again_without_lead": event(
        EventKind.UNACKNOWLEDGED, by="U0MINSU001", lead=None, seconds=4321, is_after_act=True, spent="861", percent=172,
    ),
    "closed_resolved": event(EventKind.CLOSED, reason="resolved", spent="812", percent=162, level=150),
}  # fmt: skip


def _share(name: str, amount: str) -> Share:
    return Share(name, name, Money.of(amount))


def a_detail(**changes: Any) -> IncidentDetail:
    """What stands behind the golden message."""
    start = datetime(2026, 7, 6, 0, 0, tzinfo=UTC)
    hours = [(start + timedelta(hours=n), Money.of(amount)) for n, amount in enumerate(("2.1", "2", "2.4", "2.2"))]
    given: dict[str, Any] = {
        "shown": shown(),
        "day": DAY.start,
        "hours": (*hours, (start + timedelta(hours=4), Money.of("733.3"))),
        "models": breakdown_of([_share("gpt-5.4", "740.5"), _share("text-embedding-3-small", "1.5")]),
        "keys": breakdown_of([_share("key_abc123", "741"), _share("key_def456", "1")]),
        "holders": {"key_abc123": AffectedKey("bot *운영*", "5491", "", is_service_account=True, last_used_at=None)},
        "projects": breakdown_of([_share("chatbot-experiment", "735"), _share("ad-copy-writer", "7")]),
        "requests": 148_400,
        "tokens": 212_000_000,
        "provider_project_id": "proj_chatbot",
        "correction": Correction(Decimal("1.008"), 14, CorrectionBasis.PROJECT),
        "lateness_seconds": 250.0,
    }
    return IncidentDetail(**(given | changes))


def bare_detail() -> IncidentDetail:
    """A connection that is new: nothing measured, nothing compared."""
    return replace(a_detail(), shown=newcomer(), hours=(), models=None, keys=None, projects=None, requests=None,
                   tokens=None, provider_project_id=None, correction=None, lateness_seconds=None,
                   unpriced=("gpt-9-mystery",))  # fmt: skip
