"""What bot.errors refuses about stops, in words: what happened, what still holds, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from blocks import budget_words, figures, kit
from finops.money import Money
from finops.stops import StopState
from locales import Translator

Values = Mapping[str, object]


def _under_way(values: Values, t: Translator) -> str:
    return t.gettext(
        "{person} asked for this already at {time}. Nothing was done twice; the message shows how it stands.",
        person=_person(values.get("person"), t),
        time=_time(values.get("at"), t),
    )


def _not_held(values: Values, t: Translator) -> str:
    given = str(values.get("state") or "")
    if given == StopState.RESTORING:
        return t.gettext("It is being put back at this moment, so nothing more was changed. The message follows it.")
    if given in (StopState.RESTORED, StopState.ALLOWED):
        return t.gettext("It was put back already, so nothing was changed. The message shows how it stands.")
    return t.gettext("Nothing of this is stopped, so there is nothing to put back. Limits were not changed.")


def _changed(values: Values, t: Translator) -> str:
    return t.gettext(
        "{person} changed this at {time}, after you saw it, so yours was not done. The message shows how it stands "
        "now.",
        person=_person(values.get("person"), t),
        time=_time(values.get("at"), t),
    )


def _too_old(values: Values, t: Translator) -> str:
    minutes = values.get("minutes")
    return t.ngettext(
        "This window was filled more than {count} minute ago, so nothing was stopped. Its facts are new now: look "
        "again and confirm.",
        "This window was filled more than {count} minutes ago, so nothing was stopped. Its facts are new now: look "
        "again and confirm.",
        minutes if isinstance(minutes, int) else 15,
    )


def _amount(values: Values, t: Translator) -> str:
    if values.get("mistake") == "below":
        return t.gettext("The amount must be more than what is spent already. Nothing was changed.")
    mistake = budget_words.amount_mistake(values.get("mistake"), t)
    held = t.gettext("Nothing was allowed yet.")
    return f"{mistake} {held}"


def _until(values: Values, t: Translator) -> str:
    end = values.get("end")
    if isinstance(end, datetime):
        return t.gettext(
            "Choose a time to come, at the latest {time} {zone} when the period ends.",
            time=t.moment(end),
            zone=t.zone_name(end),
        )
    return t.gettext("Choose a time to come.")


def _same_person(values: Values, t: Translator) -> str:
    given = values.get("admins")
    people = kit.mentions(given if isinstance(given, Sequence) else ()) or t.gettext("an admin")
    return t.gettext(
        "You asked for it yourself, so another person has to agree: the lead or an approver of the team, or {people}. "
        "Nothing was changed.",
        people=people,
    )


def _allowed(values: Values, t: Translator) -> str:
    amount, until = values.get("amount"), values.get("until")
    terms = [t.gettext("up to {amount}", amount=figures.short(amount, t))] if isinstance(amount, Money) else []
    if isinstance(until, datetime):
        terms.append(t.gettext("until {time} {zone}", time=t.moment(until), zone=t.zone_name(until)))
    return t.gettext(
        "*{project}* may spend for now ({terms}) and is then stopped again, so it stays with its team: otherwise "
        "nobody would stop it. Approve it once more without stopping it again (`/finops resume`), or wait until then.",
        project=_name(values, "project"), terms=kit.escape(", ".join(terms) or "-"),
    )  # fmt: skip


def _person(given: object, t: Translator) -> str:
    if given is None:
        return t.gettext("the budget's rule")
    return kit.mention(given, t.gettext("somebody"))


def _time(given: object, t: Translator) -> str:
    return t.moment(given) if isinstance(given, datetime) else "-"


def _name(values: Values, key: str) -> str:
    return kit.name(str(values.get(key) or "-"))


REFUSALS: dict[str, Callable[[Values, Translator], str]] = {
    "unknown_stop": lambda _, t: t.gettext("This stop is no longer there. Limits were not changed."),
    "stop_nothing_there": lambda v, t: t.gettext(
        "*{scope}* has no project that could be stopped: register one first with `/finops project`. Nothing was "
        "changed.",
        scope=_name(v, "scope"),
    ),
    "project_held": lambda v, t: t.gettext(
        "*{project}* is stopped, or is just being put back, so it stays with its team. Restore it first with "
        "`/finops resume`; then it can be unregistered.",
        project=_name(v, "project"),
    ),
    "project_allowed": _allowed,
    "budget_needs_two": lambda _, t: t.gettext(
        "While something that a budget limits is stopped, or waits for an approval, its rule that two people agree "
        "stays. Nothing was saved; decide about the stop first with `/finops resume`."
    ),
    "stop_reason_missing": lambda _, t: t.gettext("Say why: the reason is kept and shown in the message."),
    "stop_under_way": _under_way,
    "stop_not_held": _not_held,
    "stop_no_cheap_models": lambda _, t: t.gettext(
        "There is no cheaper model to keep: one model is used, or all cost the same. Nothing was changed; choose "
        "another action."
    ),
    "stop_changed": _changed,
    "stop_seen_gone": lambda _, t: t.gettext(
        "A project that was shown is no longer part of this: it was moved, unregistered or left out of collecting "
        "meanwhile. Nothing was stopped; look again at what would be hit now."
    ),
    "stop_too_old": _too_old,
    "approval_amount": _amount,
    "approval_until": _until,
    "approval_same_person": _same_person,
    "approval_gone": lambda _, t: t.gettext(
        "Nobody asks for an approval any more: it was decided or taken back, or nobody agreed in time. Nothing was "
        "changed; the message shows how it stands."
    ),
    "lead_missing": lambda v, t: t.gettext(
        "Nobody leads *{project}*, so there is nobody to write to. Name a lead with `/finops project`.",
        project=_name(v, "project"),
    ),
    "lead_is_you": lambda v, t: t.gettext(
        "You lead *{project}* yourself, so there is nobody to write to. Say what happened with “Tell the cause” "
        "instead.",
        project=_name(v, "project"),
    ),
    "text_missing": lambda _, t: t.gettext("Write or choose something first. Nothing was sent."),
}
