"""The history of an incident, one line for each thing that happened: in its thread, some to be seen in the channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from blocks import figures, kit
from blocks import incident_words as words
from blocks.spans import duration
from finops.charges import FigureState
from finops.incident_report import IncidentShown
from finops.incidents import CloseReason, EventKind, Fact, IncidentEvent, instant_of
from finops.money import Money
from locales import Translator

Facts = Mapping[str, Fact]
# "2 hours 1 minute" says no more than "2 hours": who looks each minute is never to the minute.
_STEP_SECONDS = 300


def line(event: IncidentEvent, shown: IncidentShown, t: Translator) -> kit.Message:
    """One thing that happened, in its own words: a broadcast line is read without its thread."""
    return kit.line(_LINES[event.kind](event, shown, t))


def closing_reason(shown: IncidentShown) -> CloseReason:
    """Why it is over; the end of the period unless something else is recorded."""
    for event in reversed(shown.events):
        if event.kind is EventKind.CLOSED:
            return CloseReason(str(event.values.get("reason") or CloseReason.PERIOD_ENDED))
    return CloseReason.PERIOD_ENDED


def closing(shown: IncidentShown, t: Translator) -> str:
    """The first line of what is over, as plain text."""
    return words.closing_line(shown, t, is_period_over=closing_reason(shown) is CloseReason.PERIOD_ENDED)


def closing_words(reason: CloseReason, t: Translator) -> str:
    """Why it is over, in a sentence."""
    return _REASONS[reason](t)


def opened_again_words(event: IncidentEvent, t: Translator) -> str:
    """Why an acknowledged incident is open again, in a sentence."""
    waited = _waited(event, t)
    if event.values.get("is_after_act"):
        return t.gettext("Open again: nothing was done for {duration} after the last step", duration=waited)
    return t.gettext("Open again: nothing was done for {duration} after it was acknowledged", duration=waited)


def money(values: Facts, key: str, currency: str = "currency") -> Money | None:
    """An amount among the facts of an event; None where it holds none."""
    given = values.get(key)
    try:
        return Money(Decimal(str(given)), str(values.get(currency))) if given is not None else None
    except (InvalidOperation, ValueError):
        return None


def _amount(values: Facts, key: str, t: Translator) -> str:
    found = money(values, key)
    return figures.short(found, t) if found is not None else "-"


def _limit(values: Facts, key: str, t: Translator, currency: str = "currency") -> str:
    found = money(values, key, currency)
    return figures.decided(found, t) if found is not None else "-"


def _percent(values: Facts, key: str, t: Translator) -> str:
    given = values.get(key)
    return t.number(given) if isinstance(given, int) else "-"


def _crossed(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    """The level that was reached, as it was then."""
    values, level = event.values, event.values.get("level")
    height = level if isinstance(level, int) else 0
    sentence = t.gettext(
        "[{scope}] {limit_name} {limit}: {level}% reached - {spent} ({percent}%)",
        scope=kit.escape(words.who(shown, t)),
        limit_name=words.limit_name(shown.budget.period, t),
        limit=_limit(values, "limit", t),
        level=t.number(height),
        spent=_amount(values, "spent", t),
        percent=_percent(values, "percent", t),
    )
    facts = [sentence, _state(values, t), _at(event, shown, t)]
    levels = values.get("levels")
    if isinstance(levels, list) and len(levels) > 1:
        named = ", ".join(f"{t.number(each)}%" for each in levels)
        facts.append(t.gettext("{levels} at once", levels=named))
    return words.sign(height) + " · ".join(fact for fact in facts if fact)


def _acknowledged(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    return t.gettext("{person} acknowledged this · {time}", person=_by(event, shown, t), time=_at(event, shown, t))


def _silenced(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    until = instant_of(event.values.get("until"))
    return t.gettext(
        "{person} silenced the alerts until {until} · {time}",
        person=_by(event, shown, t),
        until=words.when(until, shown, t) if until else "-",
        time=_at(event, shown, t),
    )


def _silence_ended(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    if event.values.get("by") is None:
        ended = t.gettext("The silence is over; alerts are on again · {time}", time=_at(event, shown, t))
    else:
        person = _by(event, shown, t)
        ended = t.gettext("{person} turned the alerts on again · {time}", person=person, time=_at(event, shown, t))
    if not isinstance(event.values.get("level"), int):
        return ended
    return f"{_risen(event, 'level', shown, t)}\n{ended}"


def _risen(event: IncidentEvent, key: str, shown: IncidentShown, t: Translator) -> str:
    """The highest level that silence hid; `key` names it among the facts."""
    return t.gettext(
        "🚨 [{scope}] {limit_name} {limit}: {level}% reached while silenced - now {spent} ({percent}%)",
        scope=kit.escape(words.who(shown, t)),
        level=_percent(event.values, key, t),
        limit_name=words.limit_name(shown.budget.period, t),
        limit=_limit(event.values, "limit", t),
        spent=_amount(event.values, "spent", t),
        percent=_percent(event.values, "percent", t),
    )


def _budget_changed(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    values = event.values
    facts = [
        t.gettext(
            "Limit changed: {before} → {after} · {person} · {time}",
            before=_limit(values, "limit_before", t, "currency_before"),
            after=_limit(values, "limit", t),
            person=_by(event, shown, t),
            time=_at(event, shown, t),
        ),
        t.gettext("now {percent}%", percent=_percent(values, "percent", t)),
    ]
    if isinstance(values.get("next_level"), int):
        facts.append(t.gettext("next alert at {level}%", level=_percent(values, "next_level", t)))
    return " · ".join(facts)


def _closed(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    values = event.values
    reason = CloseReason(str(values.get("reason") or CloseReason.PERIOD_ENDED))
    last = t.gettext(
        "last amount {spent} ({percent}%)", spent=_amount(values, "spent", t), percent=_percent(values, "percent", t)
    )
    facts = [f"✅ {closing_words(reason, t)}", last, _state(values, t), _at(event, shown, t)]
    said = " · ".join(fact for fact in facts if fact)
    return f"{_risen(event, 'rose', shown, t)}\n{said}" if isinstance(values.get("rose"), int) else said


def _opinion(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    person = _by(event, shown, t)
    if event.kind is EventKind.HELPFUL:
        return t.gettext("{person}: this alert was helpful", person=person)
    return t.gettext("{person}: this alert was not helpful", person=person)


def _by(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    given = event.values.get("by")
    return words.actor(str(given) if given is not None else None, shown, t)


def _at(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    return words.when(event.at, shown, t)


def _state(values: Facts, t: Translator) -> str:
    given = str(values.get("state") or "")
    return t.state(FigureState(given)) if given in set(FigureState) else ""


def _cause(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    """Somebody who knows told why."""
    cause = kit.name(str(event.values.get("text") or "-"), 300)
    said = t.gettext("Cause: {cause} · {person}", cause=cause, person=_by(event, shown, t))
    return f"📌 {said}"


def _reminded(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    """To who acknowledged it, and to nobody else: a line of the thread rings who is named in it."""
    person, waited = _mention("by", event, shown, t), _waited(event, t)
    if event.values.get("is_after_act"):
        asked = t.gettext("⏰ {person}, {duration} after the last step this goes on.", person=person, duration=waited)
    else:
        asked = t.gettext(
            "⏰ {person}, {duration} after you acknowledged it this goes on.", person=person, duration=waited
        )
    then = t.gettext("Stop it, approve what comes, or silence it in the message above.")
    until = instant_of(event.values.get("opens_at"))
    if until is not None:
        then += " " + t.gettext("Otherwise it opens again at {time}.", time=words.when(until, shown, t))
    return f"{asked}\n{_standing(event, shown, t)}\n{then}"


def _unacknowledged(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    """To who leads the team; where nobody does, to who had acknowledged it."""
    person = _mention("lead" if event.values.get("lead") else "by", event, shown, t)
    return f"↩️ {person} · {opened_again_words(event, t)}\n{_standing(event, shown, t)}"


def _standing(event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    """How much of what, as it was then."""
    values = event.values
    sentence = t.gettext(
        "[{scope}] {limit_name} {limit} - {spent} ({percent}%)",
        scope=kit.escape(words.who(shown, t)),
        limit_name=words.limit_name(shown.budget.period, t),
        limit=_limit(values, "limit", t),
        spent=_amount(values, "spent", t),
        percent=_percent(values, "percent", t),
    )
    return " · ".join(fact for fact in (sentence, _state(values, t), _at(event, shown, t)) if fact)


def _mention(key: str, event: IncidentEvent, shown: IncidentShown, t: Translator) -> str:
    given = event.values.get(key)
    user_id = str(given) if given is not None else None
    return kit.mention(user_id, "") or words.actor(user_id, shown, t)


def _waited(event: IncidentEvent, t: Translator) -> str:
    given = event.values.get("seconds")
    seconds = given if isinstance(given, int) else 0
    return duration(max(60, seconds if seconds < _STEP_SECONDS else seconds - seconds % _STEP_SECONDS), t)


_LINES: dict[EventKind, Callable[[IncidentEvent, IncidentShown, Translator], str]] = {
    EventKind.CROSSED: _crossed,
    EventKind.ACKNOWLEDGED: _acknowledged,
    EventKind.SILENCED: _silenced,
    EventKind.SILENCE_ENDED: _silence_ended,
    EventKind.BUDGET_CHANGED: _budget_changed,
    EventKind.CLOSED: _closed,
    EventKind.HELPFUL: _opinion,
    EventKind.NOT_HELPFUL: _opinion,
    EventKind.CAUSE_PINNED: _cause,
    EventKind.REMINDED: _reminded,
    EventKind.UNACKNOWLEDGED: _unacknowledged,
}
_REASONS: dict[CloseReason, Callable[[Translator], str]] = {
    CloseReason.PERIOD_ENDED: lambda t: t.gettext("The period of this limit is over"),
    CloseReason.BUDGET_DISABLED: lambda t: t.gettext("The budget was switched off"),
    CloseReason.BUDGET_DELETED: lambda t: t.gettext("The budget was deleted"),
    CloseReason.RESOLVED: lambda t: t.gettext("It was stopped and restored, and the day of watching it is over"),
    CloseReason.SCOPE_GONE: lambda t: t.gettext("The budget no longer applies here"),
}
