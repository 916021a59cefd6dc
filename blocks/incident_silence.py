"""Silence: the button of an alert, the window that asks for how long, and what of the alert goes on being told."""

from __future__ import annotations

from datetime import datetime

from blocks import figures, ids, kit
from blocks import incident_words as words
from finops.incident_report import IncidentShown
from finops.incidents import LONGEST_SILENCE, Incident
from finops.periods import starts_at
from locales import Translator

# bot.incidents knows how long each is.
LENGTHS = ("30m", "1h", "4h", "tomorrow")
USUAL = LENGTHS[1]


def button(incident: Incident, t: Translator) -> kit.Block:
    """The way to hear nothing of an alert for a while, and back while that lasts.

    It opens a window: a menu in the message would go on showing what somebody chose in it, though they were refused,
    changed their mind, or the silence is over; and an entry that is shown cannot be chosen again.
    """
    key = str(incident.id)
    if incident.silenced_until is not None:
        return kit.button(t.gettext("Alerts on again"), ids.INCIDENT_END_SILENCE, key)
    return kit.button(t.gettext("Silence alerts"), ids.INCIDENT_SILENCE, key)


def form(
    shown: IncidentShown, t: Translator, now: datetime, length: str = USUAL, until: datetime | None = None,
    problem: str | None = None,
) -> kit.View:  # fmt: skip
    """The window that asks for how long (VIEW_SILENCE), and says what silence does. Metadata: target.

    `length` and `until`, a time of one's own choice that takes its place, are what stands in it.
    """
    incident = shown.incident
    parts: list[kit.Block] = [kit.alert(problem)] if problem else []
    parts.append(kit.section(_about(shown, t)))
    if incident.silenced_until is not None:
        said = t.gettext(
            "Silenced until {time} · {person}. What you choose takes its place.",
            time=words.when(incident.silenced_until, shown, t),
            person=words.actor(incident.silenced_by, shown, t),
        )
        parts.append(kit.alert(said, "info"))
    parts += [_length(length, t), _until(until, now, t), kit.section(_effects(shown, t))]
    return kit.modal(
        # i18n: title of a modal, 24 characters
        t.gettext("Silence alerts"),
        parts,
        # i18n: button of a modal, 24 characters
        submit=t.pgettext("button", "Silence"),
        close=t.gettext("Cancel"),
        callback_id=ids.VIEW_SILENCE,
        metadata={"target": f"incident:{incident.id}"},
    )


def _length(chosen: str, t: Translator) -> kit.Block:
    said = [
        t.gettext("for 30 minutes"),
        t.gettext("for 1 hour"),
        t.gettext("for 4 hours"),
        t.gettext("until tomorrow 09:00"),
    ]
    options = [kit.option(text, name) for text, name in zip(said, LENGTHS, strict=True)]
    initial = options[LENGTHS.index(chosen)]
    element: kit.Block = {"type": "radio_buttons", "options": options, "initial_option": initial}
    return kit.input_block(ids.SILENCE_FOR, t.gettext("How long"), element)


def _until(chosen: datetime | None, now: datetime, t: Translator) -> kit.Block:
    element: kit.Block = {"type": "datetimepicker"}
    if chosen is not None:
        element["initial_date_time"] = int(chosen.timestamp())
    hint = t.gettext(
        "Takes the place of the choice above. {days} days at most: until {time} {zone}.",
        days=t.number(LONGEST_SILENCE.days),
        time=t.moment(now + LONGEST_SILENCE),
        zone=t.zone_name(now + LONGEST_SILENCE),
    )
    return kit.input_block(ids.SILENCE_UNTIL, t.gettext("Until another time"), element, hint=hint, is_optional=True)


def done(until: datetime, t: Translator) -> kit.View:
    """The window once nothing more is told until then."""
    said = t.gettext(
        "Silenced until {time} {zone}. The alert says so to everybody, and has the button that turns alerts on again.",
        time=t.moment(until),
        zone=t.zone_name(until),
    )
    return kit.modal(
        t.gettext("Silence alerts"), [kit.alert(said, "success")], close=t.gettext("Close"), callback_id=ids.VIEW_INFO
    )


def _about(shown: IncidentShown, t: Translator) -> str:
    """Whose limit, how much of it is spent, how sure that is and of when."""
    first = t.gettext(
        "[{scope}] {limit_name} {limit} - {spent} ({percent}%)",
        scope=kit.escape(words.who(shown, t)),
        limit_name=words.limit_name(shown.budget.period, t),
        limit=figures.decided(shown.limit, t),
        spent=figures.short(shown.spent.amount, t),
        percent=t.number(shown.percent),
    )
    facts = (words.whose(shown), t.state(shown.spent.state), words.as_of(shown, t))
    return f"*{first}*\n{kit.escape(' · '.join(fact for fact in facts if fact))}"


def _effects(shown: IncidentShown, t: Translator) -> str:
    """What is hidden, what is not, and where it ends by itself: in the words of what the house does."""
    end = starts_at(shown.incident.window.end)
    said = [
        t.gettext(
            "*Hidden until then:* messages about further levels, the limit itself among them, and reminders to whoever "
            "acknowledged this alert."
        ),
        t.gettext(
            "*Kept all the same:* each level that is reached is recorded, the alert goes on showing the present "
            "amount, and at the end one message tells the highest level reached meanwhile."
        ),
        t.gettext(
            "*Never hidden:* messages about stops, also about one that failed. A budget that stops by itself does so "
            "all the same."
        ),
        t.gettext(
            "*For this alert alone:* its period ends {time} {zone}, and the alert of the next one speaks.",
            time=t.moment(end),
            zone=t.zone_name(end),
        ),
    ]
    return "\n".join(f"• {line}" for line in said)
