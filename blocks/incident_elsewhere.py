"""What other alerts hold of an incident's projects: which, by whom, since when, and the way to where it is put back."""

from __future__ import annotations

from collections.abc import Iterable

from blocks import ids, kit, stop_state
from blocks import incident_words as words
from blocks import stop_words as stopped
from blocks.incident_held import is_all_stopped
from blocks.stop_state import Look
from finops.incident_report import IncidentShown, StopUnder
from locales import Translator

Parts = list[kit.Block | kit.Either]
_SHOWN, _PROJECTS_SHOWN = 3, 10
# What would stop, or allow, what is stopped already.
_FUTILE = (ids.INCIDENT_STOP, ids.INCIDENT_APPROVE)


def parts(shown: IncidentShown, t: Translator) -> Parts:
    """A paragraph for each stop of another alert, with nothing to press: it is put back where it was made."""
    found: Parts = []
    others = shown.elsewhere.parts if shown.elsewhere is not None else ()
    for one in others[:_SHOWN]:
        found += [kit.section("\n".join(_stop(one, t))), kit.context("\n".join(_notes(one, shown, t)))]
    more = len(others) - _SHOWN
    if more > 0:
        found.append(kit.context(t.ngettext("and {count} more stop", "and {count} more stops", more)))
    return found


def button(shown: IncidentShown, t: Translator) -> kit.Block | None:
    """The way to the message that speaks for the stop, where there is one to open."""
    others = shown.elsewhere.parts if shown.elsewhere is not None else ()
    link = next((found for found in (_link(one) for one in others) if found), None)
    return kit.button(t.gettext("Open the other alert"), ids.LINK + "alert", url=link) if link else None


def without_futile(given: Iterable[kit.Block | kit.Either], shown: IncidentShown) -> Parts:
    """The parts of the incident's own stop, without the buttons that could do nothing any more."""
    if not is_all_stopped(shown):
        return list(given)
    found: Parts = []
    for part in given:
        if isinstance(part, dict) and part.get("type") == "actions":
            kept = [one for one in part["elements"] if one.get("action_id") not in _FUTILE]
            part = part | {"elements": kept}
            if not kept:
                continue
        found.append(part)
    return found


def _stop(one: StopUnder, t: Translator) -> list[str]:
    told = one.stop
    lines = [f"*{kit.escape(stopped.what(told, t))}* · {stop_state.status(told, t)}"]
    holds = told.current
    if len(holds) > 1:
        lines += [stop_state.hold_line(hold, told, t) for hold in holds[:_PROJECTS_SHOWN]]
        more = len(holds) - _PROJECTS_SHOWN
        if more > 0:
            lines.append(t.ngettext("and {count} more project", "and {count} more projects", more))
    return lines


def _notes(one: StopUnder, shown: IncidentShown, t: Translator) -> list[str]:
    """Who asked for it, and in which alert."""
    told = one.stop
    lines = [] if stop_state.look(told) is Look.REQUESTED else [stopped.request_line(told, t)]
    link = _link(one)
    if one.on is None:
        place = _linked(t.gettext("the message of the stop"), link)
        return [*lines, t.gettext("Held outside of any alert: {place}. It is restored there, too.", place=place)]
    named = words.budget_words(one.on, t)
    if one.window is not None and one.window != shown.incident.window:
        named = f"{named} · {t.days(one.window)}"
    alert = _linked(named, link)
    return [*lines, t.gettext("Held in another alert: {alert}. It is restored there, too.", alert=alert)]


def _linked(text: str, link: str | None) -> str:
    return f"<{link}|{text.replace('|', '¦')}>" if link else text


def _link(one: StopUnder) -> str | None:
    if one.place is None:
        return None
    return kit.message_link(one.stop.stop.workspace_id, *one.place)
