"""How a stop stands, in words: one for all of it, and a line for each of its projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial

from blocks import kit
from blocks import stop_words as words
from blocks.stop_gone import denied_words, gone_words, is_denied, is_gone
from finops.holds import FINAL, STANDING, Hold, HoldState, HoldTrouble
from finops.levers import Lever
from finops.stop_report import StopShown
from finops.stops import StopEventKind, StopState
from locales import Translator

_NAMED = 3


class Look(StrEnum):
    """How a stop looks as a whole: its state, and what its projects tell beside it."""

    ASKED = "asked"
    REQUESTED = "requested"
    HELD = "held"
    PARTIAL = "partial"
    PROVED = "proved"
    UNPROVED = "unproved"
    FAILED = "failed"
    LOST = "lost"
    RESTORING = "restoring"
    RESTORED = "restored"
    ALLOWED = "allowed"
    CLOSED = "closed"


SIGNS = {
    Look.ASKED: "⏳",
    Look.REQUESTED: "⏳",
    Look.HELD: "⛔",
    Look.PARTIAL: "⛔",
    Look.PROVED: "✅",
    Look.UNPROVED: "🚨",
    Look.FAILED: "🚨",
    Look.LOST: "🚨",
    Look.RESTORING: "⏳",
    Look.RESTORED: "↩️",
    Look.ALLOWED: "▶️",
    Look.CLOSED: "✅",
}
_LOOKS = {
    StopState.ASKED: Look.ASKED,
    StopState.RESTORING: Look.RESTORING,
    StopState.RESTORED: Look.RESTORED,
    StopState.ALLOWED: Look.ALLOWED,
    StopState.CLOSED: Look.CLOSED,
}


def look(shown: StopShown) -> Look:
    """The one word for all of it; what is worst speaks."""
    if shown.stop.state in _LOOKS:
        return _LOOKS[shown.stop.state]
    states = [hold.state for hold in shown.current]
    if shown.stop.state is StopState.FAILED:
        return Look.LOST if HoldState.LOST in states else Look.FAILED
    if HoldState.UNPROVED in states:
        return Look.UNPROVED
    if shown.stop.state is StopState.STOPPING:
        return Look.REQUESTED
    if shown.rest or any(state not in STANDING for state in states):
        return Look.PARTIAL  # never in order as a whole while others use up the same limit
    return Look.PROVED if shown.is_proved else Look.HELD


def sign(shown: StopShown) -> str:
    """A sign for quick eyes; the word beside it carries the meaning."""
    seen = look(shown)
    return SIGNS[Look.UNPROVED] if seen is Look.PARTIAL and shown.rest else SIGNS[seen]


def takes_over(shown: StopShown | None) -> bool:
    """Whether the first line of an incident speaks of its stop: something is held, was put back, or went wrong."""
    return shown is not None and shown.stop.state not in (StopState.ASKED, StopState.CLOSED)


def label(shown: StopShown, t: Translator) -> str:
    """How it stands in a word or two: Stopped, 2/3 projects stopped, Not stopped."""
    seen, lever = look(shown), shown.stop.lever
    match seen:
        case Look.REQUESTED:
            return words.REQUESTED[lever](t)
        case Look.HELD:
            return words.HELD[lever](t)
        case Look.PARTIAL:
            return _PARTIAL[lever](shown, t)
        case Look.PROVED:
            return words.PROVED[lever](t)
        case Look.UNPROVED:
            failing = [hold for hold in shown.current if hold.state is HoldState.UNPROVED]
            reasons = {_doubt(hold, shown)["reason"] for hold in failing}
            return words.unproved_label(lever, words.UNSEEN if reasons == {words.UNSEEN} else "", t)
        case Look.FAILED:
            return words.FAILED[lever](t)
        case Look.LOST if all(is_gone(hold) for hold in _lost_ones(shown)):
            return gone_words(t)
        case _:
            return _STATES[seen](t)


def state_line(shown: StopShown, t: Translator) -> str:
    """How it stands in one line of plain text: for Home and lists."""
    facts = [f"{sign(shown)} {label(shown, t)}", *(kit.bare(fact, 300) for fact in _facts(shown, t))]
    return " · ".join(facts)


def status(shown: StopShown, t: Translator) -> str:
    """The same as mrkdwn: what stands in the place of the buttons that were pressed."""
    said = f"*{sign(shown)} {label(shown, t)}*"
    return " · ".join([said, *(kit.escape(fact) for fact in _facts(shown, t))])


def _facts(shown: StopShown, t: Translator) -> list[str]:
    """What belongs to the word of `label`, as plain text: who and when, since when nothing is spent, what is wrong."""
    stop, holds = shown.stop, shown.current
    only = holds[0] if len(holds) == 1 else None
    match look(shown):
        case Look.REQUESTED:
            found = [words.actor(stop.requested_by, shown, t), words.exact(stop.requested_at, shown, t)]
            if only is None and shown.set_count:
                done = t.gettext(
                    "{count} of {total} projects done", count=t.number(shown.set_count), total=t.number(len(holds))
                )
                found.append(done)
            return found + _troubles(shown, t)
        case Look.HELD:
            set_ = [_set(only, shown, t)] if only is not None else [words.projects_count(len(holds), t)]
            return [*set_, t.gettext("checking by usage"), *_denied(shown, t)]
        case Look.PARTIAL:
            return [*_beside(shown, t), *_troubles(shown, t), *_denied(shown, t)]
        case Look.PROVED:
            return [*_proof(shown, t), *_denied(shown, t)]
        case Look.UNPROVED:
            return [*_unproved(shown, t), *_denied(shown, t)]
        case Look.FAILED:
            if only is not None and only.trouble is not None:
                return [words.trouble_words(only.trouble, t)]
            return _troubles(shown, t)
        case Look.LOST:
            return [] if all(is_gone(hold) for hold in _lost_ones(shown)) else [_lost(shown, t)]
        case Look.RESTORING:
            found = [by] if (by := words.approvers(shown, t)) else []
            found += [words.exact(stop.approved_at, shown, t)] if stop.approved_at else []
            return found + _troubles(shown, t)
        case Look.RESTORED:
            return _restored(shown, t)
        case Look.ALLOWED:
            return _allowed(shown, t)
        case Look.CLOSED:
            kept = words.saved_words(shown.saved, t)
            return [kept] if kept else []
        case _:
            return []


def _beside(shown: StopShown, t: Translator) -> list[str]:
    """Who goes on under the same limit, as plain text; only the first few by name."""
    if not shown.rest:
        return []
    named = ", ".join(kit.bare(one.name) for one in shown.rest[:_NAMED])
    found = [t.gettext("still spending: {projects}", projects=named)]
    more = len(shown.rest) - _NAMED
    if more > 0:
        found.append(t.ngettext("and {count} more project", "and {count} more projects", more))
    return found


def hold_line(hold: Hold, shown: StopShown, t: Translator) -> str:
    """One project of several, as mrkdwn: its name and how far it has come."""
    return f"• *{kit.name(hold.name)}*  {kit.escape(_hold(hold, shown, t))}"


def _hold(hold: Hold, shown: StopShown, t: Translator) -> str:
    if hold.is_active and not hold.is_wanted and hold.trouble is None:
        return t.gettext("being put back")
    if is_denied(hold):
        return words.trouble_of(hold, t)
    match hold.state:
        case HoldState.SET:
            return " · ".join([_set(hold, shown, t), t.gettext("checking by usage")])
        case HoldState.PROVED:
            return " · ".join(
                [
                    f"✅ {words.PROVED[hold.lever](t)}",
                    *words.zero_words(hold.lever, hold.leak, hold.last_request_at, shown, t, hold.leak_unpriced or 0),
                ]
            )
        case HoldState.UNPROVED:
            doubt = _doubt(hold, shown)
            return " · ".join(
                [
                    f"🚨 {words.unproved_label(hold.lever, str(doubt['reason']), t)}",
                    words.usage_words(doubt, partial(words.when, shown=shown, t=t), t, hold.lever),
                ]
            )
        case HoldState.RELEASED:
            when_ = [words.exact(hold.released_at, shown, t)] if hold.released_at else []
            return " · ".join([f"↩️ {_STATES[Look.RESTORED](t)}", *when_, words.former_words(hold, t)])
        case HoldState.LOST:
            return f"🚨 {_lost_word(hold, t)}"
    if hold.trouble is not None:
        return words.trouble_of(hold, t)
    return f"⏳ {words.REQUESTED[hold.lever](t)}" if hold.is_wanted else t.gettext("nothing was changed")


def help_words(shown: StopShown, t: Translator) -> str | None:
    """Who can help where only a person can; None where nobody is needed. As mrkdwn."""
    found = {hold.trouble for hold in shown.current if hold.trouble in FINAL}
    for trouble in (HoldTrouble.NO_RIGHT, HoldTrouble.NO_KEY, HoldTrouble.KEY_REJECTED):
        if trouble in found:
            return words.help_with(trouble, t)
    return None


def _troubles(shown: StopShown, t: Translator) -> list[str]:
    """Which projects failed and why; without the name where there is only one."""
    holds = shown.current
    found = [hold for hold in holds if hold.trouble is not None and hold.state not in STANDING]
    found += [hold for hold in holds if hold.state is HoldState.LOST]
    found += [hold for hold in holds if not hold.is_wanted and hold.state in STANDING and hold.trouble is not None]
    said = []
    for hold in found[:_NAMED]:
        why = _lost_word(hold, t) if hold.state is HoldState.LOST else words.trouble_of(hold, t)
        said.append(f"{kit.bare(hold.name)} {why}" if len(holds) > 1 else why)
    more = len(found) - len(said)
    if more > 0:
        said.append(t.ngettext("and {count} more project", "and {count} more projects", more))
    return said


def _denied(shown: StopShown, t: Translator) -> list[str]:
    """Which of the projects that are held the provider denies, and what becomes of them."""
    found = [hold for hold in shown.current if is_denied(hold) and hold.is_wanted and hold.state in STANDING]
    if not found:
        return []
    said = denied_words(t, is_wanted=True)
    names = ", ".join(kit.bare(hold.name) for hold in found[:_NAMED])
    return [f"{names}: {said}" if len(shown.current) > 1 else said]


def _lost_ones(shown: StopShown) -> list[Hold]:
    return [hold for hold in shown.current if hold.state is HoldState.LOST]


def _lost_word(hold: Hold, t: Translator) -> str:
    return gone_words(t) if is_gone(hold) else _STATES[Look.LOST](t)


def _set(hold: Hold, shown: StopShown, t: Translator) -> str:
    return words.SET[hold.lever](words.exact(hold.set_at, shown, t) if hold.set_at else "-", t)


def _proof(shown: StopShown, t: Translator) -> list[str]:
    ends = [hold.last_request_at for hold in shown.current if hold.last_request_at is not None]
    return words.zero_words(shown.stop.lever, shown.leak, max(ends, default=None), shown, t, shown.leak_unpriced)


def _unproved(shown: StopShown, t: Translator) -> list[str]:
    failing = [hold for hold in shown.current if hold.state is HoldState.UNPROVED]
    names = [kit.bare(hold.name) for hold in failing[:_NAMED]] if len(shown.current) > 1 else []
    found = [", ".join(names)] if names else []
    time = partial(words.when, shown=shown, t=t)
    found.append(words.usage_words(_doubt(failing[0], shown), time, t, failing[0].lever))
    known = [hold for hold in failing if hold.leak is not None]
    if shown.stop.lever is Lever.STOP and any(bool(hold.leak) or hold.leak_unpriced for hold in known):
        found.append(words.leak_words(shown.leak, t, shown.leak_unpriced))
    return found


def _doubt(hold: Hold, shown: StopShown) -> Mapping[str, object]:
    """Why a hold is not proved: `reason` and what belongs to it, as it was told, or as far as it can be seen."""
    for event in reversed(shown.events):
        is_it = event.values.get("project_id") == hold.project_id or event.values.get("project") == hold.name
        if event.kind is StopEventKind.UNPROVED and is_it and event.values.get("reason"):
            return event.values
    return {"reason": "usage_goes_on" if hold.last_request_at is not None else words.UNSEEN}


def _lost(shown: StopShown, t: Translator) -> str:
    for event in reversed(shown.events):
        if event.kind is StopEventKind.LOST:
            return words.changed_by(event, shown, t)
    return t.gettext("somebody changed the setting at OpenAI")


def _restored(shown: StopShown, t: Translator) -> list[str]:
    stop, holds = shown.stop, shown.current
    found = [by] if (by := words.approvers(shown, t)) else []
    found += [words.when(stop.restored_at, shown, t)] if stop.restored_at else []
    if len(holds) == 1:
        found.append(words.former_words(holds[0], t, is_kept=_was_kept(holds[0], shown)))
    elif holds:
        found.append(words.projects_count(len(holds), t))
    return found


def _was_kept(hold: Hold, shown: StopShown) -> bool:
    """Whether somebody else's change was left as it was when this was put back."""
    return any(
        event.kind is StopEventKind.RESTORED and event.values.get("kept") and event.values.get("project") == hold.name
        for event in shown.events
    )


def _allowed(shown: StopShown, t: Translator) -> list[str]:
    stop = shown.stop
    found = words.allowance(stop.allowed_until, stop.allowed_ceiling, shown, t)
    if stop.restops:
        found.append(words.end_words(stop.allowed_until, shown, t))
    if by := words.approvers(shown, t):
        found.append(by)
    return found


def _count(shown: StopShown, t: Translator) -> dict[str, object]:
    return {"count": t.number(shown.set_count), "total": t.number(len(shown.current) + len(shown.rest))}


_PARTIAL: dict[Lever, Callable[[StopShown, Translator], str]] = {
    Lever.STOP: lambda shown, t: t.gettext("{count}/{total} projects stopped", **_count(shown, t)),
    Lever.SLOW: lambda shown, t: t.gettext("{count}/{total} projects slowed down", **_count(shown, t)),
    Lever.CHEAP: lambda shown, t: t.gettext("{count}/{total} projects on cheap models", **_count(shown, t)),
}
_STATES: dict[Look, Callable[[Translator], str]] = {
    Look.ASKED: lambda t: t.gettext("Waiting for approval"),
    Look.LOST: lambda t: t.gettext("Undone elsewhere"),
    Look.RESTORING: lambda t: t.gettext("Being restored"),
    Look.RESTORED: lambda t: t.gettext("Restored"),
    Look.ALLOWED: lambda t: t.gettext("Allowed"),
    Look.CLOSED: lambda t: t.gettext("The stop is over"),
}
