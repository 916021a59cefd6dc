"""Stops to talk about: asked for at 14:03:22, set at 14:03:25, proved at 14:14, and everything that can go wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.budgets import BudgetPeriod
from finops.charges import FigureState
from finops.figures import Scope
from finops.holds import Hold, HoldState, HoldTrouble
from finops.incident_report import IncidentShown
from finops.incidents import Fact, IncidentState
from finops.levers import Lever
from finops.losses import Saved
from finops.money import Money
from finops.periods import Period
from finops.queries import ScopeKind
from finops.stop_report import (
    AffectedKey,
    AffectedProject,
    BlastRadius,
    LeadDraft,
    Stoppable,
    StopShown,
    StopsListed,
    StopTarget,
)
from finops.stops import ApprovalWay, Pending, Stop, StopEvent, StopEventKind, StopState
from tests.unit import saying_live
from tests.unit.saying import TEAM

# 14:03:22 in Seoul and Tokyo.
ASKED_AT = datetime(2026, 7, 6, 5, 3, 22, tzinfo=UTC)
SET_AT = ASKED_AT + timedelta(seconds=3)
LAST_CALL = datetime(2026, 7, 6, 5, 9, tzinfo=UTC)
PROVED_AT = datetime(2026, 7, 6, 5, 14, tzinfo=UTC)
RESTORED_AT = datetime(2026, 7, 6, 6, 10, 4, tzinfo=UTC)
DAY_END = datetime(2026, 7, 7, 0, 0, tzinfo=UTC)
NAMES = {"U0JIHOON01": "이지훈", "U0MINSU001": "김민수"}
PROJECT = Scope(ScopeKind.PROJECT, 1, "chatbot-experiment")
SAVED = Saved(Money.of("180"), Money.of("260"), RESTORED_AT)
LIMIT = {"spend_limit": {"threshold_amount": 100_000, "currency": "USD", "interval": "month"}}
CENT = {"spend_limit": {"threshold_amount": 1, "currency": "USD", "interval": "month"}}


def a_stop(state: StopState = StopState.STOPPED, **more: Any) -> Stop:
    given: dict[str, Any] = {
        "id": 5,
        "workspace_id": "T0FINOPS01",
        "incident_id": 12,
        "scope_kind": ScopeKind.PROJECT,
        "scope_id": 1,
        "channel_id": "C0MARKET01",
        "lever": Lever.STOP,
        "state": state,
        "reason": "재시도 루프로 보입니다",
        "requested_by": "U0JIHOON01",
        "requested_at": ASKED_AT,
        "updated_at": PROVED_AT,
    }
    return Stop(**(given | more))


def a_hold(state: HoldState = HoldState.PROVED, number: int = 1, name: str = "chatbot-experiment", **more: Any) -> Hold:
    is_known = state not in (HoldState.REQUESTED, HoldState.FAILED)
    given: dict[str, Any] = {
        "id": number,
        "workspace_id": "T0FINOPS01",
        "stop_id": 5,
        "project_id": number,
        "connection_id": 1,
        "provider_project_id": f"proj_{number}",
        "name": name,
        "lever": Lever.STOP,
        "state": state,
        "is_wanted": state not in (HoldState.RELEASED, HoldState.FAILED, HoldState.LOST),
        "requested_at": ASKED_AT,
        "updated_at": PROVED_AT,
        "next_at": None,
        "former": LIMIT if is_known else None,
        "target": CENT if is_known else None,
        "set_at": SET_AT if is_known else None,
        "leak": Money.of("1.84") if state in (HoldState.PROVED, HoldState.UNPROVED, HoldState.RELEASED) else None,
        "last_request_at": LAST_CALL if state in (HoldState.PROVED, HoldState.UNPROVED) else None,
        "released_at": RESTORED_AT if state is HoldState.RELEASED else None,
    }
    return Hold(**(given | more))


def shown(stop: Stop | None = None, *holds: Hold, **more: Any) -> StopShown:
    given: dict[str, Any] = {
        "stop": stop or a_stop(),
        "scope": PROJECT,
        "team": TEAM,
        "holds": holds or (a_hold(),),
        "names": NAMES,
        "incident": saying_live.an_incident(),
    }
    return StopShown(**(given | more))


def requested() -> StopShown:
    return shown(a_stop(StopState.STOPPING), a_hold(HoldState.REQUESTED))


def held() -> StopShown:
    return shown(a_stop(), a_hold(HoldState.SET))


def proved() -> StopShown:
    return shown(saved=SAVED)


def unproved() -> StopShown:
    """Usage goes on under the firmest lever."""
    return shown(a_stop(), a_hold(HoldState.UNPROVED))


def slowed() -> StopShown:
    """Usage goes on, and there is a firmer lever."""
    return shown(a_stop(lever=Lever.SLOW), a_hold(HoldState.UNPROVED, lever=Lever.SLOW), next_lever=Lever.CHEAP)


def partly() -> StopShown:
    """Two of three are held; the third does not answer."""
    third = a_hold(HoldState.SAVED, 3, "chatbot", trouble=HoldTrouble.UNAVAILABLE, trouble_since=SET_AT)
    return shown(
        a_stop(scope_kind=ScopeKind.TEAM), a_hold(), a_hold(HoldState.SET, 2, "ad-copy-writer"), third,
        scope=Scope(ScopeKind.TEAM, 1, TEAM.name),
    )  # fmt: skip


def no_right() -> StopShown:
    return shown(a_stop(StopState.FAILED), a_hold(HoldState.FAILED, trouble=HoldTrouble.NO_RIGHT))


def lost() -> StopShown:
    """Somebody raised the limit in the provider's console."""
    return shown(a_stop(StopState.FAILED), a_hold(HoldState.LOST), events=(EVENTS["lost"],))


def asked() -> StopShown:
    """Nothing was stopped yet, and an approval waits for its second person."""
    pending = Pending("U0JIHOON01", ASKED_AT, ApprovalWay.AMOUNT, DAY_END, Money.of("842"), restops=True)
    return shown(a_stop(StopState.ASKED, turn=0, reason="", pending=pending), requires_second=True, holds=())


def pending() -> StopShown:
    """Stopped, and the restore waits for its second person."""
    wish = Pending("U0JIHOON01", PROVED_AT, ApprovalWay.RESTORE)
    return shown(a_stop(pending=wish), requires_second=True)


def lapsed() -> StopShown:
    """Nobody agreed, and nothing was ever stopped."""
    wish = replace(asked().stop, state=StopState.CLOSED, pending=None, closed_at=DAY_END, updated_at=DAY_END)
    return shown(wish, requires_second=True, events=(EVENTS["lapsed_asked"],), holds=())


def lapsed_restore() -> StopShown:
    """Nobody agreed, and what is held stays held."""
    return shown(a_stop(updated_at=DAY_END), requires_second=True, events=(EVENTS["lapsed"],))


def restoring() -> StopShown:
    stop = a_stop(StopState.RESTORING, approved_by="U0MINSU001", approved_at=RESTORED_AT, updated_at=RESTORED_AT)
    return shown(stop, a_hold(is_wanted=False, release_at=RESTORED_AT))


def restored(**more: Any) -> StopShown:
    stop = a_stop(
        StopState.RESTORED, approved_by="U0MINSU001", approved_at=RESTORED_AT, restored_at=RESTORED_AT,
        updated_at=RESTORED_AT, **more,
    )  # fmt: skip
    return shown(stop, a_hold(HoldState.RELEASED), saved=SAVED)


def allowed() -> StopShown:
    stop = a_stop(
        StopState.ALLOWED, approved_by="U0MINSU001", approved_at=RESTORED_AT, allowed_until=DAY_END,
        allowed_ceiling=Money.of("842"), restops=True, updated_at=RESTORED_AT,
    )  # fmt: skip
    return shown(stop, a_hold(HoldState.RELEASED))


def over() -> StopShown:
    end = RESTORED_AT + timedelta(days=1)
    stop = a_stop(
        StopState.CLOSED, approved_by="U0MINSU001", restored_at=RESTORED_AT, closed_at=end, updated_at=end,
        cause="재시도 로직 버그", cause_by="U0MINSU001",
    )  # fmt: skip
    return shown(stop, a_hold(HoldState.RELEASED), saved=SAVED)


def event(kind: StopEventKind, moment: datetime = PROVED_AT, /, **values: Fact) -> StopEvent:
    named: dict[str, Fact] = {"project": "chatbot-experiment", "project_id": 1}
    return StopEvent(kind, moment, f"{kind}:test", named | values)


EVENTS: dict[str, StopEvent] = {
    "requested": event(
        StopEventKind.REQUESTED, ASKED_AT, by="U0JIHOON01", lever="stop", projects=1, reason="재시도 루프"
    ),
    "by_policy": event(
        StopEventKind.REQUESTED, ASKED_AT, by=None, lever="stop", projects=3, project=None, reason=""
    ),
    "joined": event(StopEventKind.JOINED, SET_AT, by="U0MINSU001"),
    "set": event(StopEventKind.SET, SET_AT, seconds=3),
    "enforced": event(StopEventKind.ENFORCED, seconds=40),
    "trouble": event(StopEventKind.TROUBLE, trouble="unavailable", is_letting_go=False),
    "trouble_back": event(StopEventKind.TROUBLE, trouble="no_right", is_letting_go=True),
    "failed": event(StopEventKind.FAILED, trouble="no_right", next_lever=None),
    "proved": event(StopEventKind.PROVED, leak="1.84", currency="USD", last_request_at=LAST_CALL.isoformat()),
    "proved_at_once": event(StopEventKind.PROVED, leak="0", currency="USD", last_request_at=None),
    "proved_unpriced": event(
        StopEventKind.PROVED, leak="1.84", currency="USD", unpriced=3, last_request_at=LAST_CALL.isoformat()
    ),
    "unproved": event(
        StopEventKind.UNPROVED, reason="usage_goes_on", leak="12.5", currency="USD", next_lever=None
    ),
    "unseen": event(StopEventKind.UNPROVED, reason="usage_unseen", leak=None, currency=None, next_lever="stop"),
    "unseen_images": event(
        StopEventKind.UNPROVED, reason="usage_unseen", leak=None, currency=None, next_lever="stop", unread="images",
        unread_since=SET_AT.isoformat(),
    ),
    "lost": event(StopEventKind.LOST, by=None, at=None, next_lever=None),
    "lost_by": event(StopEventKind.LOST, by="Kim <admin>", at=PROVED_AT.isoformat()),
    "month_turn": event(StopEventKind.REOPENED, is_month_turn=True),
    "reopened": event(StopEventKind.REOPENED, is_month_turn=False),
    "second_asked": event(StopEventKind.SECOND_ASKED, by="U0JIHOON01", action="restore"),
    "lapsed": event(
        StopEventKind.LAPSED, DAY_END, asked_by="U0JIHOON01", action="end_of_day", until=DAY_END.isoformat(),
        state="stopped",
    ),
    "lapsed_asked": event(
        StopEventKind.LAPSED, DAY_END, asked_by="U0JIHOON01", action="amount", until=DAY_END.isoformat(), state="asked",
        amount="842", currency="USD",
    ),
    "lapsed_terms": event(
        StopEventKind.LAPSED, DAY_END, asked_by="U0JIHOON01", action="amount", until=DAY_END.isoformat(),
        state="allowed",
    ),
    "declined": event(
        StopEventKind.DECLINED, by="U0MINSU001", asked_by="U0JIHOON01", action="restore", until=None, state="stopped"
    ),
    "taken_back": event(
        StopEventKind.DECLINED, by="U0JIHOON01", asked_by="U0JIHOON01", action="restore", until=None, state="asked"
    ),
    "approved": event(
        StopEventKind.APPROVED, RESTORED_AT, by="U0MINSU001", way="amount", until=DAY_END.isoformat(), amount="842",
        currency="USD", restops=True,
    ),
    "approved_restore": event(StopEventKind.APPROVED, RESTORED_AT, by="U0MINSU001", way="restore", restops=False),
    "restored": event(StopEventKind.RESTORED, RESTORED_AT, seconds=4),
    "restored_kept": event(StopEventKind.RESTORED, RESTORED_AT, kept="spend_limit", seconds=4),
    "first_traffic": event(StopEventKind.FIRST_TRAFFIC, RESTORED_AT),
    "surged": event(StopEventKind.SURGED, amount="120", usual="8", currency="USD"),
    "allowance_time": event(StopEventKind.ALLOWANCE_ENDED, DAY_END, reason="time", restops=True),
    "allowance_amount": event(StopEventKind.ALLOWANCE_ENDED, reason="amount", restops=False),
    "cause": event(StopEventKind.CAUSE_PINNED, by="U0MINSU001", text="재시도 로직 버그"),
    "closed": event(
        StopEventKind.CLOSED, DAY_END, saved_low="180.2", saved_high="260.9", currency="USD", leak="1.84",
        cause="재시도 로직 버그",
    ),
    "closed_unknown": event(
        StopEventKind.CLOSED, DAY_END, saved_low=None, saved_high=None, currency=None, leak=None, cause=None
    ),
}  # fmt: skip


def in_incident(stop: StopShown, state: IncidentState = IncidentState.STOPPED, **more: Any) -> IncidentShown:
    """$744 of $500, with what is done about it."""
    incident = saying_live.an_incident("744", state=state, updated_at=PROVED_AT, as_of=PROVED_AT, **more)
    return saying_live.shown(incident=incident, spent=saying_live.a_spent("744"), stop=stop, next_at=None)


def a_key(number: int = 1, **more: Any) -> AffectedKey:
    given: dict[str, Any] = {
        "name": f"prod-{number}",
        "ends_with": f"ab{number}",
        "owner": "박서연",
        "is_service_account": False,
        "last_used_at": ASKED_AT - timedelta(minutes=number),
    }
    return AffectedKey(**(given | more))


def a_project(number: int = 1, name: str = "chatbot-experiment", **more: Any) -> AffectedProject:
    given: dict[str, Any] = {
        "project_id": number,
        "name": name,
        "provider_project_id": f"proj_{number}",
        "lead_user_id": "U0MINSU001",
        "requests": 18_432,
        "spent": Money.of("45.2"),
        "keys": (a_key(1), a_key(2, owner="", is_service_account=True, last_used_at=None)),
    }
    return AffectedProject(**(given | more))


def a_radius(**more: Any) -> BlastRadius:
    one = a_project()
    blind = a_project(2, "ad-copy-writer", requests=None, spent=None, keys=None, lead_user_id=None)
    given: dict[str, Any] = {
        "target": StopTarget(incident_id=12),
        "scope": PROJECT,
        "team": TEAM,
        "projects": (one,),
        "team_projects": (one, blind, a_project(3, "batch")),
        "levers": (Lever.SLOW, Lever.CHEAP, Lever.STOP),
        "cheap_models": ("gpt-4.1-nano", "gpt-4o-mini"),
        "usual_pace": 12,
        "seen_at": ASKED_AT,
        "used_until": ASKED_AT,
        "connection_keys": ((1, "abc1"),),
    }
    return BlastRadius(**(given | more))


def blind_radius() -> BlastRadius:
    """Nothing can be seen: nothing is called zero."""
    one = a_project(requests=None, spent=None, keys=None, lead_user_id=None)
    return a_radius(
        projects=(one,), team_projects=(one,), levers=(Lever.STOP,), cheap_models=(), usual_pace=None,
        connection_keys=(), team=None,
    )  # fmt: skip


def held_radius() -> BlastRadius:
    return a_radius(held=a_stop(lever=Lever.SLOW))


def a_draft(**more: Any) -> LeadDraft:
    given: dict[str, Any] = {
        "target": StopTarget(incident_id=12),
        "lead_user_id": "U0MINSU001",
        "lead_name": "김민수",
        "project": "chatbot-experiment",
        "spent": Money.of("742"),
        "limit": Money.of("500"),
        "percent": 148,
        "increase": Decimal("13.84"),
        "cause": saying_live.LOOP,
        "is_stopped": True,
        "state": FigureState.ESTIMATE,
        "as_of": ASKED_AT,
    }
    return LeadDraft(**(given | more))


OF_A_TEAM: dict[str, Any] = {
    "spent": Money.of("312"),
    "period": BudgetPeriod.WEEK,
    "window": Period(date(2026, 7, 6), date(2026, 7, 13)),
    "scope": Scope(ScopeKind.TEAM, 1, TEAM.name),
    "whole": Money.of("742"),
}


def bare_draft() -> LeadDraft:
    return a_draft(
        spent=None, limit=None, percent=None, increase=None, cause=None, is_stopped=False, lead_name="U0MINSU001"
    )


def a_list(**more: Any) -> StopsListed:
    given: dict[str, Any] = {
        "stoppable": (
            Stoppable(Scope(ScopeKind.TEAM, 1, TEAM.name), TEAM, 20_000),
            Stoppable(PROJECT, TEAM, 18_432),
            Stoppable(Scope(ScopeKind.PROJECT, 2, "ad-copy-writer"), TEAM, None),
        ),
        "held": (proved(), replace(restored(), scope=Scope(ScopeKind.PROJECT, 4, "search"))),
    }
    return StopsListed(**(given | more))
