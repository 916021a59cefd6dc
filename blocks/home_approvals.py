"""My approvals on Home: what waits for this reader's word, each with the button of its message and the way there; and
what this reader asked for, which waits for another's."""

from __future__ import annotations

from blocks import ids, kit, stops
from blocks import incident_words as incidents
from blocks import stop_words as words
from blocks.stop_beside import agree_button, wish_of
from blocks.stop_state import Look, look
from finops.approvals import ApprovalShown, HomeReader, WaitingFor
from finops.incident_report import IncidentShown
from finops.stop_report import StopShown
from finops.stops import Pending
from locales import Translator

Parts = list[kit.Block | kit.Either]


def approvals(reader: HomeReader, t: Translator) -> Parts:
    """What waits for this person, the most pressing first; nothing where nothing does."""
    if reader.is_unread:
        said = t.gettext("Your approvals could not be read just now. Each of them stands in its channel as well.")
        return [kit.context(said)]
    unsaid: Parts = [kit.context(_without_groups(t))] if reader.lacks_groups else []
    parts: Parts = []
    if reader.approvals:
        parts.append(kit.header(t.ngettext("My approvals · {count}", "My approvals · {count}", reader.count)))
        for one in reader.approvals:
            parts += _one(one, t)
        more = reader.count - len(reader.approvals)
        if more > 0:
            said = t.ngettext(
                "and {count} more, which stands in its channel", "and {count} more, which stand in their channels", more
            )
            parts.append(kit.context(said))
    if reader.asked:
        parts.append(kit.header(t.ngettext("My requests · {count}", "My requests · {count}", reader.asked_count)))
        for one in reader.asked:
            parts += _asked(one, t)
        more = reader.asked_count - len(reader.asked)
        if more > 0:
            parts.append(kit.context(t.ngettext("and {count} more request", "and {count} more requests", more)))
    return [*parts, *unsaid, kit.divider()] if parts else unsaid


def _without_groups(t: Translator) -> str:
    return t.gettext(
        "Slack did not say which user groups you belong to, so what waits for one of them may be missing here. "
        "It stands in its channel as well."
    )


def _one(one: ApprovalShown, t: Translator) -> Parts:
    if one.stop is None:
        return _at_limit(one, one.incident, t) if one.incident is not None else []
    shown, pending = one.stop, one.stop.stop.pending
    if one.kind is WaitingFor.SECOND and pending is not None:
        told, button = _second(shown, pending, t)
    elif one.kind is WaitingFor.END:
        told = kit.escape(stops.state_line(shown, t))
        button = kit.button(t.gettext("Change the terms"), ids.STOP_APPROVE, _key(shown))
    else:
        told, button = kit.escape(stops.state_line(shown, t)), _held(shown, t)
    return [kit.section(_lines(f"{_named(shown, t)}  {_wanted(one.kind, shown, t)}", told, one, t), button)]


def _second(shown: StopShown, pending: Pending, t: Translator) -> tuple[str, kit.Block]:
    """Who asks for what, and the button that lets it take effect, after one question."""
    person = kit.escape(words.actor(pending.by, shown, t))
    told = t.gettext("⏳ {person} asks: {wish}", person=person, wish=kit.escape(wish_of(shown, pending, t)))
    return told, agree_button(shown, pending, t)


def _asked(one: ApprovalShown, t: Translator) -> Parts:
    """What this reader asked for: that it waits for another, and until when; there is nothing for them to press."""
    pending = one.stop.stop.pending if one.stop is not None else None
    if one.stop is None or pending is None:
        return []
    told = t.gettext("⏳ You asked: {wish}", wish=kit.escape(wish_of(one.stop, pending, t)))
    return [kit.section(_lines(f"{_named(one.stop, t)}  {_awaited(pending, t)}", told, one, t))]


def _awaited(pending: Pending, t: Translator) -> str:
    """Whose word is missing, and when it would come too late."""
    if pending.until is None:
        return t.gettext("waits for another approver to agree")
    until = f"{t.moment(pending.until)} {t.zone_name(pending.until)}"
    return t.gettext("waits for another approver to agree until {time}", time=until)


def _named(shown: StopShown, t: Translator) -> str:
    return f"*{kit.escape(words.who(shown, t))} · {kit.escape(words.what(shown, t))}*"


def _held(shown: StopShown, t: Translator) -> kit.Block:
    """Put it back; where spending goes on in spite of the stop, the next firmer lever is what is wanted."""
    if look(shown) is Look.UNPROVED and shown.next_lever is not None:
        return kit.button(words.lever_name(shown.next_lever, t), ids.STOP_FIRMER, _key(shown), style="danger")
    return stops.restore_button(_key(shown), t)


def _at_limit(one: ApprovalShown, shown: IncidentShown, t: Translator) -> Parts:
    """A budget that asks: the two who decide about the spending itself, as in its message."""
    key = f"incident:{shown.incident.id}"
    asked = t.gettext("Approve what comes, or stop it")
    stop = kit.button(t.gettext("Stop now"), ids.INCIDENT_STOP, key, style="danger")
    approve = kit.button(t.pgettext("button", "Approve"), ids.INCIDENT_APPROVE, key)
    first = f"*{kit.escape(incidents.headline(shown, t))}*"
    return [kit.section(_lines(first, asked, one, t)), kit.actions(stop, approve)]


def _lines(first: str, told: str, one: ApprovalShown, t: Translator) -> str:
    if not one.link:
        return f"{first}\n{told}"
    opens = t.gettext("Open the message")
    return f"{first}\n{told} · <{kit.harmless(one.link)}|{opens}>"


def _key(shown: StopShown) -> str:
    return f"stop:{shown.stop.id}"


def _wanted(kind: WaitingFor, shown: StopShown, t: Translator) -> str:
    """What this reader is asked for, in a word or two."""
    if kind is WaitingFor.SECOND:
        return t.gettext("needs your agreement")
    if kind is WaitingFor.END:
        return t.gettext("allowed, ends soon")
    return t.gettext("needs a firmer step") if look(shown) is Look.UNPROVED else t.gettext("restore it?")
