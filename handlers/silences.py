"""Silences: the window that asks for how long nothing more is to be told of an alert."""

from __future__ import annotations

from blocks import bad_news, ids, incident_silence
from bot.errors import Refusal, RefusalCode, explain
from handlers import stops
from handlers.once import once
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.teams import number
from handlers.visit import Visit

_OF_ITS_TIME = frozenset({RefusalCode.SILENCE_PAST, RefusalCode.SILENCE_TOO_LONG})


async def ask(visit: Visit, value: str) -> None:
    """The window opens at once, and is filled for who may silence the alert."""
    # A menu that was sent before there was a window carries a choice after the id.
    incident_id = number(value.partition("/")[0])
    await visit.loading()
    shown = await visit.bot.incidents.silencing(await visit.person(), incident_id, await visit.groups())
    await visit.show(incident_silence.form(shown, await visit.words(), visit.bot.clock()))


async def submit(form: Form) -> Outcome:
    """Silence the alert for as long as was chosen. A time that cannot be is said at its input."""
    visit, t = form.visit, await form.visit.words()
    person, groups, incident_id = await visit.person(), await visit.groups(), stops.target_of(form).incident_id
    if incident_id is None:
        raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
    length, until = form.selected(ids.SILENCE_FOR), form.moment(ids.SILENCE_UNTIL)
    if length not in incident_silence.LENGTHS:
        length = incident_silence.USUAL

    async def act() -> None:
        if until is None:
            await visit.bot.incidents.silence(person, incident_id, length, groups)
        else:
            await visit.bot.incidents.silence_until(person, incident_id, until, groups)

    try:
        await once(form, act)
    except Refusal as refusal:
        if refusal.code not in _OF_ITS_TIME:
            raise
        said = bad_news.sentence(explain(refusal), t)
        shown = await visit.bot.incidents.silencing(person, incident_id, groups)
        again = incident_silence.form(shown, t, visit.bot.clock(), length, until, said)
        return Problem({ids.SILENCE_UNTIL: said}, again)
    shown = await visit.bot.incidents.silencing(person, incident_id, groups)
    end = shown.incident.silenced_until
    told = incident_silence.form(shown, t, visit.bot.clock()) if end is None else incident_silence.done(end, t)
    return Show(told, refreshes_home=False)
