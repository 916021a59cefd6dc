"""The window of what can be stopped and what is held: with a button for each that this person may press."""

from __future__ import annotations

from blocks import ids, kit, stops
from blocks import stop_words as words
from finops.queries import ScopeKind
from finops.stop_report import StopsListed
from finops.stops import IN_FORCE, UNDER_WAY
from locales import Translator

Parts = list[kit.Block | kit.Either]
_HELD_SHOWN, _STOPPABLE_SHOWN = 15, 40


def listed(found: StopsListed, t: Translator, *, is_resume: bool = False) -> kit.View:
    """What can be stopped, with a button each, after what is held; `is_resume`: what is held, and nothing else.

    Of what only others give back it says who they are.
    """
    held = [*_held(found, t), *_others(found, t)]
    if is_resume:
        parts = [*held, kit.context(t.gettext("To stop spending instead: `/finops stop`"))]
    else:
        stoppable = _stoppable(found, t)
        parts = [*held, *([kit.divider()] if stoppable else []), *stoppable] if found.held else stoppable
    if found.lacks_groups:
        parts.append(kit.context(_without_groups(t)))
    # i18n: title of a modal, 24 characters
    title = t.gettext("Restore spending") if is_resume else t.gettext("Stop spending")
    return kit.modal(title, parts, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def _without_groups(t: Translator) -> str:
    return t.gettext(
        "Slack did not say which user groups you belong to, so what one of them may stop or restore may be missing "
        "here. Open this again in a moment."
    )


def _held(found: StopsListed, t: Translator) -> Parts:
    """What is stopped, or being put back."""
    held = found.held
    if not held and found.lacks_groups:
        return []  # nobody knows
    count = sum(shown.stop.state in UNDER_WAY for shown in held)
    if count:
        parts: Parts = [kit.header(t.ngettext("{count} stop in force", "{count} stops in force", count))]
    else:
        parts = [kit.section(t.gettext("There is no stop at present that you may restore."))]
    for shown in sorted(held, key=lambda one: one.stop.state not in UNDER_WAY)[:_HELD_SHOWN]:
        named = f"*{kit.escape(words.who(shown, t))} · {kit.escape(words.what(shown, t))}*"
        parts.append(kit.section(f"{named}\n{kit.escape(stops.state_line(shown, t))}"))
        if shown.stop.state in IN_FORCE:
            key = f"stop:{shown.stop.id}"
            parts.append(kit.actions(stops.restore_button(key, t), stops.conditional_button(key, t)))
    more = len(held) - _HELD_SHOWN
    if more > 0:
        parts.append(kit.context(t.ngettext("and {count} more", "and {count} more", more)))
    return parts


def _others(found: StopsListed, t: Translator) -> Parts:
    if not found.others:
        return []
    said = t.ngettext(
        "{count} stop is in force that is not yours to restore. Ask {people}.",
        "{count} stops are in force that are not yours to restore. Ask {people}.",
        found.others,
        people=words.people(found.ask, t),
    )
    return [kit.context(said)]


def _nothing(t: Translator) -> str:
    """True for an admin, too, who may stop everything there is."""
    return t.gettext(
        "There is no registered project here that you may stop. A team's lead, its approvers and admins may stop its "
        "projects; an admin registers them: `/finops setup`"
    )


def _stoppable(listed: StopsListed, t: Translator) -> Parts:
    found = listed.spending
    if not found and (listed.lacks_groups or listed.stoppable):
        return []  # nobody knows, or all of it is held
    if not found:
        return [kit.section(_nothing(t))]
    parts: Parts = [kit.section(t.gettext("*What can be stopped*"))]
    for one in found[:_STOPPABLE_SHOWN]:
        requests = (
            t.gettext("requests of the last hour unknown")
            if one.requests is None
            else t.ngettext("{count} request in the last hour", "{count} requests in the last hour", one.requests)
        )
        value = words.target_of(one.scope)
        button = kit.button(t.pgettext("button", "Stop"), ids.STOP_OPEN, value) if value else None
        whose = t.gettext("the whole team") if one.scope.kind is ScopeKind.TEAM else kit.name(one.team.name)
        parts.append(kit.section(f"*{kit.name(one.scope.name)}* · {whose}\n{requests}", button))
    more = len(found) - _STOPPABLE_SHOWN
    if more > 0:
        said = t.ngettext(
            "and {count} more; name it: `/finops stop NAME`", "and {count} more; name it: `/finops stop NAME`", more
        )
        parts.append(kit.context(said))
    return parts
