"""A wish that waits for a second person, and what became of it: whose it was, and what stayed as it was."""

from __future__ import annotations

from itertools import dropwhile

from blocks import kit
from blocks import stop_words as words
from blocks.incident_thread import money
from finops.incidents import instant_of
from finops.stop_report import StopShown
from finops.stops import ApprovalWay, StopEvent, StopEventKind, StopState
from locales import Translator

_ENDS = frozenset({StopEventKind.SECOND_ASKED, StopEventKind.APPROVED, StopEventKind.DECLINED, StopEventKind.LAPSED})
# What is decided after it, or ends the stop, is what there is to say instead.
_LATER = frozenset(
    {
        StopEventKind.REQUESTED,
        StopEventKind.SECOND_ASKED,
        StopEventKind.APPROVED,
        StopEventKind.ALLOWANCE_ENDED,
        StopEventKind.CLOSED,
    }
)


def lapse_of(shown: StopShown) -> StopEvent | None:
    """The wish that lapsed, as long as nobody decided anything after it; None where there is none."""
    for event in reversed(shown.events):
        if event.kind is StopEventKind.LAPSED:
            return event
        if event.kind in _LATER:
            return None
    return None


def lapse_words(shown: StopShown, t: Translator) -> str | None:
    """`Nobody agreed in time · asked by 이지훈 · allow until the end of the day`, and what stayed, as mrkdwn."""
    event = lapse_of(shown)
    if event is None:
        return None
    person, wish = _asked_by(event, shown, t), _wish(event, shown, t)
    said = t.gettext("*⏰ Nobody agreed in time* · asked by {person} · {wish}", person=person, wish=wish)
    return f"{said}\n{_stayed(event, t)}"


def asked_line(event: StopEvent, shown: StopShown, t: Translator) -> str:
    """That somebody asks for a second person, as a line of the thread; once that is over, what became of it."""
    given = {
        "who": kit.escape(words.who(shown, t)),
        "what": kit.escape(words.what(shown, t)),
        "person": _person(event.values.get("by"), shown, t),
        "wish": _wish(event, shown, t),
    }
    pending = shown.stop.pending
    if pending is not None and pending.at == event.at:
        return t.gettext(
            "⏳ [{who}] {what}: waiting for approval. {person} asks: {wish}. Another approver has to agree.", **given
        )
    sign, outcome = _outcome(event, shown, t)
    return t.gettext("{sign} [{who}] {what}: {person} asked: {wish}. {outcome}", sign=sign, outcome=outcome, **given)


def _outcome(event: StopEvent, shown: StopShown, t: Translator) -> tuple[str, str]:
    """What became of a wish, by the first thing that ended it: the sign its own line has, and the words."""
    after = dropwhile(lambda one: one.key != event.key, shown.events)
    ended = next((one for one in after if one.kind in _ENDS and one.key != event.key), None)
    if ended is None:
        return "ℹ️", t.gettext("This is no longer asked.")
    given = {"person": _person(ended.values.get("by"), shown, t), "time": words.exact(ended.at, shown, t)}
    match ended.kind:
        case StopEventKind.APPROVED:
            return "☑️", t.gettext("{person} agreed · {time}", **given)
        case StopEventKind.DECLINED if ended.values.get("by") == event.values.get("by"):
            return "✖️", t.gettext("Taken back · {time}", time=given["time"])
        case StopEventKind.DECLINED:
            return "✖️", t.gettext("{person} did not agree · {time}", **given)
        case StopEventKind.LAPSED:
            return "⏰", t.gettext("Nobody agreed in time.")
    return "ℹ️", t.gettext("Asked anew · {time}", time=given["time"])


def lapsed_line(event: StopEvent, shown: StopShown, t: Translator) -> str:
    """The same as a line of the thread, which is read without its message."""
    said = t.gettext(
        "⏰ [{who}] {what}: nobody agreed in time. {person} asked: {wish}.",
        who=kit.escape(words.who(shown, t)),
        what=kit.escape(words.what(shown, t)),
        person=_asked_by(event, shown, t),
        wish=_wish(event, shown, t),
    )
    return f"{said} {_stayed(event, t)}"


def declined_line(event: StopEvent, shown: StopShown, t: Translator) -> str:
    """That somebody did not agree, or took their own wish back, as a line of the thread."""
    by, asked_by = event.values.get("by"), event.values.get("asked_by")
    given = {
        "who": kit.escape(words.who(shown, t)),
        "what": kit.escape(words.what(shown, t)),
        "person": _person(by, shown, t),
        "wish": _wish(event, shown, t),
    }
    if by == asked_by:
        said = t.gettext("✖️ [{who}] {what}: {person} took the request back: {wish}.", **given)
    else:
        asker = _asked_by(event, shown, t)
        said = t.gettext("✖️ [{who}] {what}: {person} did not agree. {asker} asked: {wish}.", asker=asker, **given)
    return f"{said} {_stayed(event, t)}"


def _wish(event: StopEvent, shown: StopShown, t: Translator) -> str:
    way = str(event.values.get("action") or "")
    said = words.way_name(ApprovalWay(way), t) if way in set(ApprovalWay) else t.gettext("let spending go on")
    terms = words.allowance(instant_of(event.values.get("until")), money(event.values, "amount"), shown, t)
    return kit.escape(", ".join([said, *terms]))


def _stayed(event: StopEvent, t: Translator) -> str:
    """What nothing came of: as it stood at that moment, whatever came after."""
    match event.values.get("state"):
        case StopState.ASKED:
            return t.gettext("So nothing was allowed, and nothing was stopped.")
        case StopState.STOPPING | StopState.STOPPED:
            return t.gettext("So nothing was put back.")
        case StopState.ALLOWED:
            return t.gettext("So what was allowed before stayed as it was.")
    return t.gettext("So nothing was changed.")


def _asked_by(event: StopEvent, shown: StopShown, t: Translator) -> str:
    return _person(event.values.get("asked_by"), shown, t)


def _person(user_id: object, shown: StopShown, t: Translator) -> str:
    return kit.escape(words.actor(str(user_id), shown, t)) if user_id else t.gettext("somebody")
