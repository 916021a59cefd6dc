"""What may be done about an alert from the window of its details: the buttons and menu entries of its message."""

from __future__ import annotations

from blocks import ids, kit
from blocks.incident_held import is_all_stopped
from finops.budgets import WHOLE
from finops.incident_report import IncidentShown
from finops.incidents import IncidentState
from finops.stops import OVER
from locales import Translator


def row(shown: IncidentShown, t: Translator) -> list[kit.Block]:
    """At the limit, as long as nobody acted, the two that decide; then the lead, the cause and the budget.

    Who may not is told so at the click, as in the channel. Nothing is left to do about an alert that is over.
    """
    incident = shown.incident
    if incident.state is IncidentState.CLOSED:
        return []
    key, number = f"incident:{incident.id}", str(incident.id)
    is_open = not shown.is_period_over and (shown.stop is None or shown.stop.stop.state in OVER)
    is_open = is_open and not is_all_stopped(shown)
    found: list[kit.Block | None] = []
    if is_open and shown.percent >= WHOLE:
        found.append(kit.button(t.gettext("Stop now"), ids.INCIDENT_STOP, key, style="danger"))
        found.append(kit.button(t.pgettext("button", "Approve"), ids.INCIDENT_APPROVE, key))
    found.append(kit.button(t.gettext("Message the lead"), ids.INCIDENT_LEAD, key))
    found.append(kit.button(t.gettext("Tell the cause"), ids.STOP_CAUSE, key))
    if not shown.budget.is_deleted:
        found.append(kit.button(t.gettext("Change budget"), ids.INCIDENT_BUDGET, number))
    return [kit.actions(*found)]
