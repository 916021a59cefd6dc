"""The message about a runaway: understood in two seconds, always the present, history in its thread."""

from __future__ import annotations

from dataclasses import replace

from blocks import charts, exchange, ids, incident_silence, kit, reviews, stop_state, stops, value
from blocks import incident_elsewhere as elsewhere
from blocks import incident_words as words
from blocks import stop_words as stopped
from blocks.incident_detail import view as detail
from blocks.incident_held import is_all_stopped, is_partly_stopped, speaking
from blocks.incident_thread import closing, closing_reason, closing_words, line, opened_again_words
from blocks.stop_state import Look
from finops.budgets import WHOLE, BudgetAction
from finops.incident_report import IncidentShown
from finops.incidents import SPEAKING, EventKind, Incident, IncidentState
from finops.reminding import opened_again
from finops.stop_report import StopShown
from finops.stops import StopState
from locales import Translator

__all__ = ["closed", "detail", "line", "mail", "root"]

Parts = list[kit.Block | kit.Either]
# What a thumb carries after the incident's id: up, down.
OPINIONS = ("good", "bad")
_OTHERS_SHOWN = 3
# Stops under which the speed measured before says nothing; and those that have no button for the lead of their own.
_WITHOUT_PACE = (Look.HELD, Look.PROVED, Look.RESTORING, Look.RESTORED)
_WITHOUT_LEAD = (Look.ASKED, Look.REQUESTED, Look.RESTORING)


def root(shown: IncidentShown, t: Translator) -> kit.Message:
    """The root message: who, how much, against what, how unusual; then why, what may be done, and the picture."""
    if shown.incident.state is IncidentState.CLOSED:
        return closed(shown, t)
    first, second = words.two_lines(shown, t)
    parts: Parts = [kit.header(first), kit.section(kit.escape(words.second_line(shown, t)))]
    stop, beside = _stop(shown), elsewhere.parts(shown, t)
    if stop is not None:
        own = elsewhere.without_futile(stops.parts(stop, t, _others(shown, t)), shown)
        parts += [*own, *beside] if speaking(shown) is shown.stop else [*beside, *own]
        parts += [kit.section(_story(shown, t)), *_notes(shown, t)]
    else:
        wish = stops.lapsed(shown.stop, t) if shown.stop is not None else []
        parts += [*beside, *wish, kit.section(_story(shown, t)), *_notes(shown, t)]
        # Named, for the message is edited every half minute: "stop" must not miss because the amount has just moved.
        parts.append(kit.actions(*_first(shown, t), *_others(shown, t), block_id=f"incident_{shown.incident.id}"))
    # i18n: title of a chart, 50 characters
    title = t.gettext("Last 7 days and today ({currency})", currency=shown.limit.currency)
    parts += charts.trend(shown.trend, t, None if shown.is_period_over else title)
    parts.append(kit.context(_foot(shown, t)))
    parts.append(_feedback(shown.incident, t))
    return _message(first, second, parts)


def closed(shown: IncidentShown, t: Translator) -> kit.Message:
    """The root message when its period is over, or its budget is: the last amount, calmly, and the way to more."""
    first, second = closing(shown, t), words.second_line(shown, t)
    parts: Parts = [kit.header(first), kit.section(kit.escape(second))]
    found = words.cause(shown.cause, t)
    if found:
        parts.append(kit.section(kit.escape(found)))
    more: tuple[kit.Block | None, ...] = (_detail_button(shown.incident, t), _budget_button(shown, t))
    reason = closing_words(closing_reason(shown), t)
    # i18n: {reason} is: The period of this limit is over
    told = t.gettext("{reason}. The provider's bill settles the amount within days.", reason=reason)
    parts.append(kit.context("\n".join([told, *_told_cause(shown, t)])))
    if shown.stop is not None:
        parts += stops.story(shown.stop, t)
        more = (*more, stops.cause_button(shown.stop, t))
    if shown.stop is not None or shown.percent >= WHOLE:
        more = (*more, reviews.button(shown.incident.id, t))
    parts.append(kit.actions(*more))
    parts += charts.trend(shown.trend, t)
    parts.append(kit.context(_foot(shown, t)))
    parts.append(_feedback(shown.incident, t))
    return _message(first, second, parts)


def mail(shown: IncidentShown, t: Translator, link: str | None = None) -> tuple[str, str]:
    """The same facts as a mail: subject and plain text. `link` opens the message in Slack."""
    is_closed = shown.incident.state is IncidentState.CLOSED
    first = closing(shown, t) if is_closed else words.headline(shown, t)
    told = [first, words.second_line(shown, t), ""]
    held = words.stop_line(shown, t)
    if held:
        told += [held, ""]
    if not is_closed:
        told += [said for said in (words.cause(shown.cause, t), words.pace(shown, t)) if said]
    facts = (words.period_line(shown, t), words.usual_line(shown, t), value.line(shown.value, t), _unpriced(shown, t))
    told += [*filter(None, facts), *map(kit.unmarked, _converted(shown, t))]
    told.append("")
    if link:
        told += [t.gettext("Open the message in Slack: {link}", link=link), ""]
    told.append(t.gettext("You get this by mail because the message could not be delivered in Slack in time."))
    return first, "\n".join(told) + "\n"


def thanks(t: Translator) -> kit.Message:
    """The answer to an opinion: only its giver sees it."""
    said = t.gettext("Thank you, noted. It helps to choose better levels for these alerts.")
    return kit.message(said, [kit.context(said)])


def _message(first: str, second: str, parts: Parts) -> kit.Message:
    """Two lines for the phone and the screen reader: the same that eyes see first."""
    text = kit.clip(f"{kit.escape(first)}\n{kit.escape(second)}", kit.FALLBACK_TEXT)
    return replace(kit.message(text, parts), text=text)


def _story(shown: IncidentShown, t: Translator) -> str:
    """Why, and where it leads; where spending is held, or was until a moment ago, there is no speed to speak of."""
    found = words.cause(shown.cause, t)
    spoken = speaking(shown)
    is_held = spoken is not None and stop_state.look(spoken) in _WITHOUT_PACE
    if found and is_held:
        return f"*{kit.escape(found)}*"
    pace = kit.escape(words.pace(shown, t))
    return f"*{kit.escape(found)}*\n{pace}" if found else pace


def _told_cause(shown: IncidentShown, t: Translator) -> list[str]:
    """What somebody who knows told, as long as no stop tells it."""
    if shown.stop is not None and shown.stop.stop.cause:
        return []
    for event in reversed(shown.events):
        if event.kind is EventKind.CAUSE_PINNED:
            cause = kit.name(str(event.values.get("text") or "-"), stopped.REASON)
            by = event.values.get("by")
            person = kit.escape(words.actor(str(by) if by else None, shown, t))
            return [t.gettext("Cause: {cause} · {person}", cause=cause, person=person)]
    return []


def _notes(shown: IncidentShown, t: Translator) -> Parts:
    """Who does what about it, and what to know before trusting the amount; nothing on most days."""
    lines = [*_doings(shown, t)]
    is_open = _stop(shown) is None and not is_all_stopped(shown)
    if shown.budget.action is BudgetAction.ASK and _is_at_limit(shown) and is_open:
        lines.insert(0, t.gettext("This budget asks at its limit: approve what comes, or stop it."))
    if shown.stranger and _is_at_limit(shown) and _stop(shown) is None:
        lines.insert(0, stopped.stranger_words(shown.stranger, t))
    # Under a new limit an incident that was told goes on from a level below every real one: nothing of it was said.
    said, level = shown.incident.spoken_level, shown.level_now or 0
    if said > level and said >= shown.budget.told_levels[0]:
        lines.append(
            t.gettext(
                "An earlier alert said {level}%; the amount was restated since and is lower now.",
                level=t.number(said),
            )
        )
    unpriced = _unpriced(shown, t)
    if unpriced:
        lines.append(unpriced)
    if shown.other_budgets:
        others = [words.budget_words(on, t) for on in shown.other_budgets[:_OTHERS_SHOWN]]
        lines.append(t.gettext("Other limits reached as well: {budgets}", budgets=", ".join(others)))
    lines += _told_cause(shown, t)
    if shown.stop is not None and shown.stop.stop.state is StopState.CLOSED:
        lines += stops.over(shown.stop, t)
    return [kit.context("\n".join(lines))] if lines else []


def _doings(shown: IncidentShown, t: Translator) -> list[str]:
    """`Acknowledged · 이지훈 · 14:03`, or why nobody's name stands there any more."""
    incident, found = shown.incident, []
    if incident.acknowledged_at is not None:
        found.append(
            t.gettext(
                ":eyes: Acknowledged · {person} · {time}",
                person=words.actor(incident.acknowledged_by, shown, t),
                time=words.when(incident.acknowledged_at, shown, t),
            )
        )
    opened = opened_again(incident, shown.events) if incident.state in SPEAKING else None
    if opened is not None:
        # Whoever looks wonders where the name went that stood here.
        at = words.when(opened.at, shown, t)
        found.append(f":leftwards_arrow_with_hook: {opened_again_words(opened, t)} · {at}")
    if incident.silenced_until is not None:
        found.append(
            t.gettext(
                ":no_bell: Silenced until {time} · {person}. What happens is still recorded.",
                person=words.actor(incident.silenced_by, shown, t),
                time=words.when(incident.silenced_until, shown, t),
            )
        )
    return found


def _unpriced(shown: IncidentShown, t: Translator) -> str:
    if not shown.spent.unpriced:
        return ""
    return t.gettext("△ Some usage has no known price and is not in this amount: the real one is higher.")


def _first(shown: IncidentShown, t: Translator) -> list[kit.Block | None]:
    """At the limit the two that decide about the spending itself; below it somebody only takes care.

    Where other alerts have stopped everything there is, the way there is all that is left.
    """
    if _is_at_limit(shown):
        if is_all_stopped(shown):
            return [elsewhere.button(shown, t)]
        return [_stop_button(shown, t), _approve_button(shown, t)]
    if shown.incident.acknowledged_at is not None:
        return []
    key = str(shown.incident.id)
    return [kit.button(t.pgettext("button", "Acknowledge"), ids.INCIDENT_ACKNOWLEDGE, key, style="primary")]


def _stop_button(shown: IncidentShown, t: Translator) -> kit.Block:
    """Red where something runs away that nobody holds."""
    key = f"incident:{shown.incident.id}"
    if not shown.may_stop:
        # i18n: a button where none of our keys has the right to stop: it says so, and leads to who can help.
        return kit.button(t.gettext("No right to stop - ask for it"), ids.INCIDENT_STOP, key)
    if not is_partly_stopped(shown):
        return kit.button(t.gettext("Stop now"), ids.INCIDENT_STOP, key, style="danger")
    is_quiet = speaking(shown) is not None and not (shown.elsewhere and shown.elsewhere.whole.rest)
    # i18n: a button where another alert has stopped some of the projects: it stops of the others who spends most.
    return kit.button(t.gettext("Stop another one"), ids.INCIDENT_STOP, key, style=None if is_quiet else "danger")


def _approve_button(shown: IncidentShown, t: Translator) -> kit.Block:
    key = f"incident:{shown.incident.id}"
    return kit.button(t.pgettext("button", "Approve"), ids.INCIDENT_APPROVE, key, style="primary")


def _is_at_limit(shown: IncidentShown) -> bool:
    return shown.percent >= WHOLE


def _others(shown: IncidentShown, t: Translator) -> list[kit.Block | None]:
    """What is always there: the details, silence, and the menu of what is rarer."""
    return [_detail_button(shown.incident, t), incident_silence.button(shown.incident, t), _menu(shown, t)]


def _menu(shown: IncidentShown, t: Translator) -> kit.Block:
    """The rarer actions, at most five: what stands in the row already is not among them."""
    stop, is_calm = _stop(shown), not _is_at_limit(shown)
    entries: list[tuple[str, str]] = []
    if stop is None and is_calm:
        entries += [] if is_all_stopped(shown) else [(ids.MORE_STOP, t.gettext("Stop now"))]
    elif shown.incident.acknowledged_at is None:
        entries.append((ids.MORE_ACKNOWLEDGE, t.pgettext("button", "Acknowledge")))
    if stop is None or stop_state.look(stop) in _WITHOUT_LEAD:
        entries.append((ids.MORE_LEAD, t.gettext("Message the lead")))
    if stop is None or stop_state.look(stop) is not Look.RESTORED or stop.stop.cause:
        entries.append((ids.MORE_CAUSE, t.gettext("Tell the cause")))
    if not shown.budget.is_deleted:
        entries.append((ids.MORE_BUDGET, t.gettext("Change budget")))
    entries.append((ids.MORE_RUNBOOK, t.gettext("Steps to take")))
    options = [kit.option(text, f"{shown.incident.id}/{name}") for name, text in entries]
    return {"type": "overflow", "action_id": ids.INCIDENT_MORE, "options": options}


def _stop(shown: IncidentShown) -> StopShown | None:
    """What is done about the spending, unless it is over and the incident speaks for itself again."""
    return shown.stop if shown.stop is not None and shown.stop.stop.state is not StopState.CLOSED else None


def _detail_button(incident: Incident, t: Translator) -> kit.Block:
    return kit.button(t.gettext("See details"), ids.INCIDENT_DETAIL, str(incident.id))


def _budget_button(shown: IncidentShown, t: Translator) -> kit.Block | None:
    if shown.budget.is_deleted:
        return None
    return kit.button(t.gettext("Change budget"), ids.INCIDENT_BUDGET, str(shown.incident.id))


def _foot(shown: IncidentShown, t: Translator) -> str:
    facts = (words.period_line(shown, t), words.usual_line(shown, t), value.line(shown.value, t))
    return "\n".join([kit.escape(" · ".join(fact for fact in facts if fact)), *_converted(shown, t)])


def _converted(shown: IncidentShown, t: Translator) -> list[str]:
    """The amount of the first line in the other currency, and at which rate; that line itself stays in dollars."""
    told = exchange.beside(t.money(shown.spent.amount), shown.spent.amount, shown.exchange, t)
    return [f"{told} · {rate}" for rate in exchange.lines(shown.exchange, [shown.spent.amount], t)]


def _feedback(incident: Incident, t: Translator) -> kit.Either:
    good, bad = t.pgettext("button", "Helpful"), t.pgettext("button", "Not helpful")
    return kit.feedback(
        ids.INCIDENT_FEEDBACK, (good, f"{incident.id}/{OPINIONS[0]}"), (bad, f"{incident.id}/{OPINIONS[1]}")
    )
