"""The history of a stop, one line for each thing that happened: in its thread, some to be seen in the channel."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from blocks import figures, kit
from blocks import stop_words as words
from blocks.incident_thread import money
from blocks.stop_gone import denied_words
from blocks.stop_lapse import asked_line, declined_line, lapsed_line
from blocks.stop_state import state_line
from finops.holds import Hold, HoldTrouble
from finops.incidents import instant_of
from finops.levers import Lever
from finops.money import Money
from finops.stop_report import StopShown
from finops.stops import ApprovalWay, StopEvent, StopEventKind
from locales import Translator

_MENTION = re.compile(r"<@(\w+)>")


def line(event: StopEvent, shown: StopShown, t: Translator) -> kit.Message:
    """One thing that happened, in its own words: a broadcast line is read without its thread."""
    return kit.line(_LINES[event.kind](event, shown, t))


def mail(event: StopEvent, shown: StopShown, t: Translator, link: str | None = None) -> tuple[str, str]:
    """The same as a mail: subject and plain text, with how the stop stands now. `link` opens the message in Slack."""
    said = _MENTION.sub(lambda found: shown.names.get(found[1], found[1]), _LINES[event.kind](event, shown, t))
    said = kit.unmarked(said)
    told = [said, "", state_line(shown, t), ""]
    if link:
        told += [t.gettext("Open the message in Slack: {link}", link=link), ""]
    told.append(t.gettext("You get this by mail because the message could not be delivered in Slack in time."))
    return said.splitlines()[0], "\n".join(told) + "\n"


def _requested(event: StopEvent, shown: StopShown, t: Translator) -> str:
    values = event.values
    lever = f"*{words.lever_name(_lever(event, shown), t)}*"
    count = values.get("projects")
    project = kit.name(str(values["project"])) if values.get("project") else None
    what = project or words.projects_count(count if isinstance(count, int) else len(shown.current), t)
    time = t.exact_clock(event.at)
    if values.get("by") is None:
        said = t.gettext(
            "⏳ Requested by the budget's rule: {lever} · {what} · {time}", lever=lever, what=what, time=time
        )
    else:
        person = _by(event, shown, t)
        said = t.gettext(
            "⏳ Requested by {person}: {lever} · {what} · {time}", person=person, lever=lever, what=what, time=time
        )
    reason = values.get("reason")
    if isinstance(reason, str) and reason.strip():
        said += "\n" + words.reason_words(reason, t)
    return said


def _joined(event: StopEvent, shown: StopShown, t: Translator) -> str:
    return t.gettext("{person} asked for the same · {time}", person=_by(event, shown, t), time=t.exact_clock(event.at))


def _set(event: StopEvent, shown: StopShown, t: Translator) -> str:
    done = words.SET[_hold_lever(event, shown)](t.exact_clock(event.at), t)
    facts = [f"⛔ {_project(event, shown)}", done, _after(event, t), t.gettext("checking by usage")]
    return " · ".join(fact for fact in facts if fact)


def _enforced(event: StopEvent, shown: StopShown, t: Translator) -> str:
    facts = [t.gettext("{project}: OpenAI refuses its calls now", project=_project(event, shown)), _after(event, t)]
    return " · ".join(fact for fact in facts if fact)


def _trouble(event: StopEvent, shown: StopShown, t: Translator) -> str:
    found = _trouble_of(event)
    why = words.trouble_words(found, t) if found else t.gettext("for a reason we do not know")
    given = {"who": _who(shown, t), "project": _project(event, shown), "why": why}
    hold = _hold(event, shown)
    if found is HoldTrouble.PROJECT_GONE and hold is not None and hold.former is not None:
        kept = denied_words(t, is_wanted=not event.values.get("is_letting_go"))
        return t.gettext("⚠️ [{who}] {project}: {what}.", who=given["who"], project=given["project"], what=kept)
    if event.values.get("is_letting_go"):
        said = t.gettext("⚠️ [{who}] {project} is not put back yet ({why}). We keep trying.", **given)
    else:
        said = t.gettext("⚠️ [{who}] {project} is not in force yet ({why}). We keep trying; spending goes on.", **given)
    return "\n".join([said, *_help(found, t)])


def _failed(event: StopEvent, shown: StopShown, t: Translator) -> str:
    found = _trouble_of(event)
    why = words.trouble_words(found, t) if found else t.gettext("for a reason we do not know")
    said = t.gettext(
        "🚨 [{who}] {project} could not be stopped ({why}). Nothing was changed; spending goes on.",
        who=_who(shown, t),
        project=_project(event, shown),
        why=why,
    )
    return "\n".join([said, *_help(found, t)])


def _proved(event: StopEvent, shown: StopShown, t: Translator) -> str:
    lever = _hold_lever(event, shown)
    label = words.PROVED[lever](t)
    last = instant_of(event.values.get("last_request_at"))
    leak, unpriced = money(event.values, "leak"), words.unpriced_of(event.values)
    facts = words.zero_words(lever, leak, last, shown, t, unpriced)
    said = t.gettext("✅ [{who}] {project}: {state}", who=_who(shown, t), project=_project(event, shown), state=label)
    return " · ".join([said, *facts, t.clock(event.at)])


def _unproved(event: StopEvent, shown: StopShown, t: Translator) -> str:
    reason = str(event.values.get("reason") or "usage_goes_on")
    lever = _hold_lever(event, shown)
    label = words.unproved_label(lever, reason, t)
    said = t.gettext("🚨 [{who}] {project}: {state}", who=_who(shown, t), project=_project(event, shown), state=label)
    values = {**event.values, "reason": reason}
    facts = [said, words.usage_words(values, partial(words.when, shown=shown, t=t), t, lever)]
    leak, unpriced = money(event.values, "leak"), words.unpriced_of(event.values)
    if lever is Lever.STOP and leak is not None and (leak.amount > 0 or unpriced):
        facts.append(words.leak_words(leak, t, unpriced))
    return f"{' · '.join(facts)}\n{_next(event, t)}"


def _lost(event: StopEvent, shown: StopShown, t: Translator) -> str:
    return t.gettext(
        "🚨 [{who}] {project} is no longer stopped: {what}. Spending may go on.",
        who=_who(shown, t),
        project=_project(event, shown),
        what=kit.escape(words.changed_by(event, shown, t)),
    )


def _reopened(event: StopEvent, shown: StopShown, t: Translator) -> str:
    given = {"who": _who(shown, t), "project": _project(event, shown)}
    if event.values.get("is_month_turn"):
        return t.gettext(
            "[{who}] {project}: a new month began, and with it OpenAI's count. Calls pass until one cent is spent; we "
            "watch until it is quiet again.",
            **given,
        )
    return t.gettext("🚨 [{who}] {project}: calls again although the limit stands. We look again by usage.", **given)


def _approved(event: StopEvent, shown: StopShown, t: Translator) -> str:
    values, given = event.values, str(event.values.get("way") or "")
    way = words.way_name(ApprovalWay(given), t) if given in set(ApprovalWay) else t.gettext("let spending go on")
    said = t.gettext(
        "▶️ {person} approved: {way} · {time}", person=_by(event, shown, t), way=way, time=t.exact_clock(event.at)
    )
    until = instant_of(values.get("until"))
    terms = words.allowance(until, money(values, "amount"), shown, t)
    if values.get("restops") and terms:
        terms.append(words.end_words(until, shown, t))
    return " · ".join([said, *(kit.escape(term) for term in terms)])


def _restored(event: StopEvent, shown: StopShown, t: Translator) -> str:
    hold, is_kept = _hold(event, shown), bool(event.values.get("kept"))
    facts = [t.gettext("↩️ {project} is restored", project=_project(event, shown)), t.exact_clock(event.at)]
    if hold is not None:
        facts.append(kit.escape(words.former_words(hold, t, is_kept=is_kept)))
    return " · ".join(facts)


def _first_traffic(event: StopEvent, shown: StopShown, t: Translator) -> str:
    return t.gettext(
        "{project}: first successful call since the restore · {time}",
        project=_project(event, shown),
        time=t.clock(event.at),
    )


def _surged(event: StopEvent, shown: StopShown, t: Translator) -> str:
    amount, usual = money(event.values, "amount"), money(event.values, "usual")
    return t.gettext(
        "🚨 [{who}] {project} spends unusually again after the restore: {amount} (usually {usual}) · {time}",
        who=_who(shown, t),
        project=_project(event, shown),
        amount=_short(amount, t),
        usual=_short(usual, t),
        time=t.clock(event.at),
    )


def _allowance_ended(event: StopEvent, shown: StopShown, t: Translator) -> str:
    given = {"who": _who(shown, t), "what": kit.escape(words.what(shown, t)), "time": t.clock(event.at)}
    if event.values.get("reason") == "amount":
        said = t.gettext("⏰ [{who}] {what}: the allowed amount is spent · {time}.", **given)
    else:
        said = t.gettext("⏰ [{who}] {what}: the allowed time is over · {time}.", **given)
    return f"{said} {_after_allowance(event, t)}"


def _after_allowance(event: StopEvent, t: Translator) -> str:
    if event.values.get("restops"):
        is_first = event.values.get("turn") == 0
        return t.gettext("It is stopped now.") if is_first else t.gettext("It is stopped again now.")
    match event.values.get("instead"):
        case "held":
            return t.gettext("Another stop holds it already, so it stays stopped.")
        case "nothing":
            return t.gettext("No project is left here that could be stopped again.")
    return t.gettext("It was not to be stopped again; spending goes on.")


def _cause(event: StopEvent, shown: StopShown, t: Translator) -> str:
    by = event.values.get("by")
    text = str(event.values.get("text") or "-")
    return f"📌 {words.cause_line(text, str(by) if by else None, shown, t)}"


def _closed(event: StopEvent, shown: StopShown, t: Translator) -> str:
    """The note of the next day."""
    values = event.values
    facts = [
        t.gettext(
            "✅ [{who}] {what}: the day of watching after the restore is over.",
            who=_who(shown, t),
            what=kit.escape(words.what(shown, t)),
        )
    ]
    low, high = money(values, "saved_low"), money(values, "saved_high")
    if low is not None and high is not None and high.amount > 0:
        facts.append(words.range_words(low, high, t))
    else:
        facts.append(t.gettext("How much loss was avoided cannot be said."))
    leak = money(values, "leak")
    if leak is not None:
        facts.append(words.leak_words(leak, t, words.unpriced_of(values)))
    cause = values.get("cause") or shown.stop.cause
    if cause:
        facts.append(words.cause_line(str(cause), shown.stop.cause_by, shown, t))
    else:
        facts.append(t.gettext("Cause: nobody has told it yet"))
    return f"{facts[0]}\n{' · '.join(facts[1:])}"


def _next(event: StopEvent, t: Translator) -> str:
    """What to do when a lever did not end the spending."""
    given = str(event.values.get("next_lever") or "")
    if given in set(Lever):
        return t.gettext("Next: “{lever}”, the red button of the message.", lever=words.lever_name(Lever(given), t))
    return t.gettext(
        "What is left is done by hand: delete the project's API keys in the OpenAI console. That cannot be undone."
    )


def _help(trouble: HoldTrouble | None, t: Translator) -> list[str]:
    found = words.help_with(trouble, t) if trouble else None
    return [found] if found else []


def _trouble_of(event: StopEvent) -> HoldTrouble | None:
    given = event.values.get("trouble")
    return HoldTrouble(given) if given in set(HoldTrouble) else None


def _lever(event: StopEvent, shown: StopShown) -> Lever:
    given = event.values.get("lever")
    return Lever(given) if given in set(Lever) else shown.stop.lever


def _hold(event: StopEvent, shown: StopShown) -> Hold | None:
    """The hold an event is about: a project may have had several, and a late line speaks of that of its time."""
    project_id, name = event.values.get("project_id"), event.values.get("project")
    mine = [one for one in shown.holds if one.project_id == project_id or one.name == name]
    by_then = [one for one in mine if one.requested_at <= event.at]
    return max(by_then or mine, key=lambda one: one.id or 0, default=None)


def _hold_lever(event: StopEvent, shown: StopShown) -> Lever:
    hold = _hold(event, shown)
    return hold.lever if hold is not None else shown.stop.lever


def _project(event: StopEvent, shown: StopShown) -> str:
    hold = _hold(event, shown)
    given = event.values.get("project")
    return kit.name(str(given)) if given else kit.name(hold.name) if hold else "-"


def _who(shown: StopShown, t: Translator) -> str:
    return kit.escape(words.who(shown, t))


def _by(event: StopEvent, shown: StopShown, t: Translator) -> str:
    by = event.values.get("by")
    return kit.escape(words.actor(str(by) if by is not None else None, shown, t))


def _after(event: StopEvent, t: Translator) -> str:
    seconds = event.values.get("seconds")
    if not isinstance(seconds, int):
        return ""
    return t.ngettext("{count} second after the request", "{count} seconds after the request", seconds)


def _short(amount: Money | None, t: Translator) -> str:
    return figures.short(amount, t) if amount is not None else t.gettext("unknown")


_LINES: dict[StopEventKind, Callable[[StopEvent, StopShown, Translator], str]] = {
    StopEventKind.REQUESTED: _requested,
    StopEventKind.JOINED: _joined,
    StopEventKind.SET: _set,
    StopEventKind.ENFORCED: _enforced,
    StopEventKind.TROUBLE: _trouble,
    StopEventKind.FAILED: _failed,
    StopEventKind.PROVED: _proved,
    StopEventKind.UNPROVED: _unproved,
    StopEventKind.LOST: _lost,
    StopEventKind.REOPENED: _reopened,
    StopEventKind.SECOND_ASKED: asked_line,
    StopEventKind.LAPSED: lapsed_line,
    StopEventKind.DECLINED: declined_line,
    StopEventKind.APPROVED: _approved,
    StopEventKind.RESTORED: _restored,
    StopEventKind.FIRST_TRAFFIC: _first_traffic,
    StopEventKind.SURGED: _surged,
    StopEventKind.ALLOWANCE_ENDED: _allowance_ended,
    StopEventKind.CAUSE_PINNED: _cause,
    StopEventKind.CLOSED: _closed,
}
