"""Silences: the window that asks until when nothing more is to be told of an alert."""

from __future__ import annotations

from datetime import UTC, datetime

from blocks import bad_news, ids, incident_silence
from bot.errors import Refusal, RefusalCode, explain
from handlers import stops
from handlers.once import once
from handlers.submitting import Form, Outcome, Problem, Show
from handlers.visit import Visit

_OF_ITS_TIME = frozenset({RefusalCode.SILENCE_PAST, RefusalCode.SILENCE_TOO_LONG})


async def ask(visit: Visit, incident_id: int) -> None:
    """The window opens at once, and is filled for who may silence the alert."""
    await visit.loading()
    shown = await visit.bot.incidents.silencing(await visit.person(), incident_id, await visit.groups())
    await visit.show(incident_silence.form(shown, await visit.words(), visit.bot.clock()))


async def submit(form: Form) -> Outcome:
    """Silence the alert until the time that was chosen. A time that cannot be is said at its input."""
    visit, t = form.visit, await form.visit.words()
    person, groups, incident_id = await visit.person(), await visit.groups(), stops.target_of(form).incident_id
    if incident_id is None:
        raise Refusal(RefusalCode.UNKNOWN_INCIDENT)
    now, seconds = visit.bot.clock(), form.moment(ids.SILENCE_UNTIL)
    until = now if seconds is None else datetime.fromtimestamp(seconds, UTC)

    async def act() -> None:
        await visit.bot.incidents.silence_until(person, incident_id, until, groups)

    try:
        await once(form, act)
    except Refusal as refusal:
        if refusal.code not in _OF_ITS_TIME:
            raise
        said = bad_news.sentence(explain(refusal), t)
        shown = await visit.bot.incidents.silencing(person, incident_id, groups)
        return Problem({ids.SILENCE_UNTIL: said}, incident_silence.form(shown, t, now, until, said))
    return Show(incident_silence.done(until, t), refreshes_home=False)
