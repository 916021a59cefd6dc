"""Every window of stops, with something in it, and all that it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blocks import kit, stop_form, stop_lead
from blocks.stop_form import StopWhat
from finops.stop_report import StopTarget
from locales import Translator
from tests.unit import saying_live
from tests.unit import stopping_said as told

VIEWS: dict[str, Callable[[Translator], kit.View]] = {
    "confirm": lambda t: stop_form.confirm(told.a_radius(), t),
    "confirm_blind": lambda t: stop_form.confirm(told.blind_radius(), t, problem="Not fresh"),
    "confirm_held": lambda t: stop_form.confirm(told.held_radius(), t),
    "approve": lambda t: stop_form.approve(
        stop_form.approval_of(saying_live.shown(budget=saying_live.a_budget(needs_two=True)), told.PROVED_AT), t
    ),
    "restore_on_terms": lambda t: stop_form.approve(
        stop_form.approval_of(told.in_incident(told.proved()), told.PROVED_AT), t
    ),
    "restore_without_budget": lambda t: stop_form.approve(stop_form.approval_of(told.proved(), told.PROVED_AT), t),
    "listed": lambda t: stop_form.listed(told.a_list(), t),
    "listed_held": lambda t: stop_form.listed(told.a_list(), t, is_resume=True),
    "listed_nothing": lambda t: stop_form.listed(told.a_list(stoppable=(), held=()), t, is_resume=True),
    "listed_without_groups": lambda t: stop_form.listed(told.a_list(stoppable=(), held=(), lacks_groups=True), t),
    "done": lambda t: stop_form.done(told.requested(), "U0SEOYEON1", t),
    "collecting_off": lambda t: stop_form.collection_changed(StopWhat.COLLECTING_OFF, ["abc1"], t),
    "excluded": lambda t: stop_form.collection_changed(StopWhat.EXCLUDED, ["chatbot-experiment"], t),
    "lead": lambda t: stop_lead.window(told.a_draft(), t),
    "lead_of_a_team": lambda t: stop_lead.window(told.a_draft(**told.OF_A_TEAM), t),
    "lead_knowing_little": lambda t: stop_lead.window(told.bare_draft(), t),
    "cause": lambda t: stop_lead.cause_window(StopTarget(incident_id=12), t),
    "sent": lambda t: stop_lead.sent("U0MINSU001", t),
    "thanks": stop_lead.thanks,
}


def texts(view: Any) -> str:
    """Every text of a surface, one after the other."""
    if isinstance(view, dict):
        own = [view["text"]] if isinstance(view.get("text"), str) else []
        own += [str(view[key]) for key in ("initial_value",) if key in view]
        return "\n".join([*own, *(texts(value) for value in view.values() if isinstance(value, dict | list))])
    return "\n".join(texts(value) for value in view)
