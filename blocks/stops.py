"""The message about a stop: asked for, in force, proved, put back; always the present, history in its thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from blocks import ids, kit
from blocks import stop_words as words
from blocks.stop_lapse import lapse_words
from blocks.stop_state import Look, help_words, hold_line, label, look, sign, state_line, status, takes_over
from finops.holds import FINAL, STANDING, HoldState
from finops.levers import Lever
from finops.stop_report import StopShown
from locales import Translator

__all__ = ["cause_button", "label", "lapsed", "over", "parts", "root", "state_line", "story", "takes_over"]

Parts = list[kit.Block | kit.Either]
_PROJECTS_SHOWN = 10
_STRANGERS_SHOWN = 3
_CONSOLE = "https://platform.openai.com/settings/organization/projects"


def root(shown: StopShown, t: Translator) -> kit.Message:
    """The root message of a stop outside of any incident."""
    first = f"{sign(shown)} [{words.who(shown, t)}] {label(shown, t)} - {words.what(shown, t)}"
    second = state_line(shown, t)
    text = kit.clip(f"{kit.escape(first)}\n{kit.escape(second)}", kit.FALLBACK_TEXT)
    return replace(kit.message(text, [kit.header(first), *parts(shown, t)]), text=text)


def parts(shown: StopShown, t: Translator, more: Sequence[kit.Block | None] = (), reader: str | None = None) -> Parts:
    """What was done about the spending, for the root message of an incident: state, projects and buttons.

    `more` are the message's own buttons and menus, in the same row after those of the stop. `reader` is who alone
    reads it (a user id): nobody can agree to what they asked for themselves.
    """
    found: Parts = []
    seen = look(shown)
    if seen not in (Look.ASKED, Look.CLOSED):
        found.append(kit.section("\n".join([status(shown, t), *_projects(shown, t)])))
    if shown.stop.pending is not None:
        found.append(kit.section(words.pending_words(shown.stop.pending, shown, t)))
    found += lapsed(shown, t)
    helped = help_words(shown, t) or _last_resort(shown, t)
    if helped:
        found.append(kit.section(helped))
    notes = _notes(shown, t)
    if notes:
        found.append(kit.context("\n".join(notes)))
    row = [*_buttons(shown, t, reader), *(element for element in more if element)]
    if row:
        found.append(kit.actions(*row, block_id=f"stop_{shown.stop.id}"))
    return found


def story(shown: StopShown, t: Translator) -> Parts:
    """The same when its incident is closed: what was done and what came of it; nothing to press but the cause."""
    found: Parts = []
    if look(shown) not in (Look.ASKED, Look.CLOSED):
        found.append(kit.section("\n".join([status(shown, t), *_projects(shown, t)])))
    found += lapsed(shown, t)
    notes = _notes(shown, t)
    return [*found, kit.context("\n".join(notes))] if notes else found


def lapsed(shown: StopShown, t: Translator) -> Parts:
    """That nobody agreed in time to what somebody asked for, until something else is decided."""
    said = lapse_words(shown, t)
    return [kit.section(said)] if said else []


def over(shown: StopShown, t: Translator) -> list[str]:
    """That the stop is over, as mrkdwn; nothing where there never was one, but only a wish that came to nothing."""
    is_wish = not shown.stop.turn and shown.stop.approved_at is None
    return [] if is_wish else [words.over_line(shown, t)]


def _projects(shown: StopShown, t: Translator) -> list[str]:
    """Each project of several, and of those beside what is held that no stop reaches."""
    holds = shown.current
    if len(holds) + len(shown.rest) < 2:
        return []
    lines = [hold_line(hold, shown, t) for hold in holds[:_PROJECTS_SHOWN]]
    left = len(holds) - _PROJECTS_SHOWN
    if left > 0:
        lines.append(t.ngettext("and {count} more project", "and {count} more projects", left))
    strangers = [one.name for one in shown.rest if one.id is None]
    return [*lines, *(words.unreached_words(one, t) for one in strangers[:_STRANGERS_SHOWN])]


def _notes(shown: StopShown, t: Translator) -> list[str]:
    """Who asked and why; what it kept from being spent; why it happened."""
    stop, seen = shown.stop, look(shown)
    lines = over(shown, t) if seen is Look.CLOSED else []
    if seen is Look.REQUESTED:
        lines += [words.reason_words(stop.reason, t)] if stop.reason.strip() else []
    elif stop.turn:
        lines.append(words.request_line(shown, t))
    saved = words.saved_words(shown.saved, t)
    if saved and seen in (Look.PROVED, Look.RESTORING, Look.RESTORED, Look.CLOSED):
        lines.append(saved)
    if stop.cause:
        lines.append(words.cause_line(stop.cause, stop.cause_by, shown, t))
    return lines


def _last_resort(shown: StopShown, t: Translator) -> str | None:
    """Usage goes on under the firmest lever: what is left is done by hand."""
    if look(shown) is not Look.UNPROVED or shown.next_lever is not None:
        return None
    return t.gettext(
        "What is left is done by hand: delete the project's API keys in the OpenAI console. That cannot be undone."
    )


def _buttons(shown: StopShown, t: Translator, reader: str | None) -> list[kit.Block]:
    """What may be done now; at most one primary and one danger."""
    key = _key(shown)
    if shown.stop.pending is not None:
        agree = kit.button(t.pgettext("button", "Agree"), ids.STOP_AGREE, key, style="primary")
        decline = kit.button(t.pgettext("button", "Decline"), ids.STOP_DECLINE, key)
        again = [_now(shown, t)] if look(shown) is Look.ASKED or _is_beside(shown) else []
        if shown.stop.pending.by == reader:
            withdraw = kit.button(t.gettext("Withdraw"), ids.STOP_DECLINE, key)
            return [each for each in (*again, withdraw) if each is not None]
        return [each for each in (*again, agree, decline) if each is not None]
    return [each for each in _BUTTONS[look(shown)](shown, t) if each is not None]


def _key(shown: StopShown) -> str:
    return f"stop:{shown.stop.id}"


def _lead(shown: StopShown, t: Translator) -> kit.Block:
    return kit.button(t.gettext("Message the lead"), ids.STOP_LEAD, _key(shown))


def _held(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    return [restore_button(_key(shown), t, "primary"), conditional_button(_key(shown), t), _lead(shown, t)]


def _partly(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    # Of those beside it the window shows who spends most; what failed is tried again with it or after it.
    is_stuck = any(hold.state not in STANDING for hold in shown.current)
    return [
        _now(shown, t) if _is_beside(shown) else None,
        _retry(_key(shown), t, style=None if _is_beside(shown) else "danger") if is_stuck else None,
        restore_button(_key(shown), t),
        _keys(shown, t),
        _lead(shown, t),
    ]


def _is_beside(shown: StopShown) -> bool:
    """Whether somebody goes on under the same limit whom a stop reaches."""
    return any(one.id is not None for one in shown.rest)


def _unproved(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    if shown.next_lever is None:
        console = kit.button(t.gettext("Open the console"), ids.LINK + "projects", url=_CONSOLE)
        firm = [_retry(_key(shown), t, style="danger"), console]
    else:
        firm = [_firmer(shown.next_lever, _key(shown), t)]
    return [*firm, restore_button(_key(shown), t), _lead(shown, t)]


def _failed(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    approve = None
    if shown.stop.incident_id is not None:
        value = f"incident:{shown.stop.incident_id}"
        approve = kit.button(t.pgettext("button", "Approve"), ids.INCIDENT_APPROVE, value, style="primary")
    return [_now(shown, t), approve, _keys(shown, t), _lead(shown, t)]


def _allowed(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    change = kit.button(t.gettext("Change the terms"), ids.STOP_APPROVE, _key(shown))
    return [_now(shown, t), change, _lead(shown, t)]


def _restored(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    return [cause_button(shown, t), _window(shown, t.gettext("Stop again"), None), _lead(shown, t)]


def _in_trouble(shown: StopShown, t: Translator) -> list[kit.Block | None]:
    """Under way: nothing to press, unless it does not come on."""
    if not any(hold.trouble is not None or hold.state is HoldState.FAILED for hold in shown.current):
        return []
    return [_retry(_key(shown), t), _keys(shown, t)]


_BUTTONS: dict[Look, Callable[[StopShown, Translator], list[kit.Block | None]]] = {
    Look.ASKED: lambda shown, t: [_now(shown, t)],
    Look.REQUESTED: _in_trouble,
    Look.HELD: _held,
    Look.PARTIAL: _partly,
    Look.PROVED: _held,
    Look.UNPROVED: _unproved,
    Look.FAILED: _failed,
    Look.LOST: _failed,
    Look.RESTORING: _in_trouble,
    Look.RESTORED: _restored,
    Look.ALLOWED: _allowed,
    Look.CLOSED: lambda shown, t: [cause_button(shown, t)],
}


def restore_button(key: str, t: Translator, style: str | None = None) -> kit.Block:
    """Put everything back, after one question."""
    question = kit.confirm(
        t.gettext("Restore?"),
        t.gettext("The former limits are put back exactly as they were. Spending begins again."),
        t.gettext("Restore"),
        t.gettext("Cancel"),
    )
    return kit.button(t.gettext("Restore"), ids.STOP_RESTORE, key, style=style, confirm=question)


def conditional_button(key: str, t: Translator) -> kit.Block:
    """Put it back for a while: the way to the approval window."""
    return kit.button(t.gettext("Restore on terms"), ids.STOP_APPROVE, key)


def _retry(key: str, t: Translator, style: str | None = None) -> kit.Block:
    return kit.button(t.gettext("Try again"), ids.STOP_RETRY, key, style=style)


def _firmer(lever: Lever, key: str, t: Translator) -> kit.Block:
    """The window before a stop, with the next firmer lever chosen."""
    return kit.button(words.lever_name(lever, t), ids.STOP_FIRMER, key, style="danger")


def _now(shown: StopShown, t: Translator) -> kit.Block | None:
    return _window(shown, t.gettext("Stop now"), "danger")


def _window(shown: StopShown, text: str, style: str | None) -> kit.Block | None:
    """The way to the window before a stop of the same spending; None where nothing names it."""
    if shown.stop.incident_id is not None:
        return kit.button(text, ids.INCIDENT_STOP, f"incident:{shown.stop.incident_id}", style=style)
    target = words.target_of(shown.scope)
    return kit.button(text, ids.STOP_OPEN, target, style=style) if target else None


def cause_button(shown: StopShown, t: Translator) -> kit.Block | None:
    """The way to tell the cause, as long as nobody has."""
    if shown.stop.cause:
        return None
    return kit.button(t.gettext("Tell the cause"), ids.STOP_CAUSE, _key(shown), style="primary")


def _keys(shown: StopShown, t: Translator) -> kit.Block | None:
    """Where only another key helps."""
    if any(hold.trouble in FINAL for hold in shown.current) and help_words(shown, t):
        return kit.button(t.gettext("Manage keys"), ids.KEY_MANAGE)
    return None
