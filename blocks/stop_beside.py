"""A stop where somebody looks at a project: how it stands, and the buttons for those who may act on it."""

from __future__ import annotations

from blocks import ids, kit, stops
from blocks import stop_words as words
from blocks.stop_state import status
from finops.levers import Lever
from finops.stop_report import StopShown
from finops.stops import IN_FORCE, Pending, StopState
from locales import Translator


def line(shown: StopShown | None, t: Translator) -> str | None:
    """How a project's stop stands, as mrkdwn; None where nobody stopped it."""
    if shown is None:
        return None
    told, count = status(shown, t), len(shown.current)
    if count > 1:
        together = t.ngettext("one stop for {count} project", "one stop for {count} projects", count)
        told = f"{told} · {together}"
    if shown.stop.pending is not None:
        told = f"{told}\n{words.pending_words(shown.stop.pending, shown, t)}"
    if shown.ask is None or shown.stop.state not in IN_FORCE:
        return told
    if shown.lacks_groups:
        said = t.gettext(
            "Slack did not say which user groups you belong to, so nobody knows whether it is yours to restore. Open "
            "this again in a moment, or ask {people}.",
            people=words.people(shown.ask, t),
        )
        return f"{told}\n{said}"
    said = t.gettext("It is not yours to restore. Ask {people}.", people=words.people(shown.ask, t))
    return f"{told}\n{said}"


def buttons(project_id: int, shown: StopShown | None, t: Translator) -> list[kit.Block]:
    """The way to the window before a stop, or out of the one in force; nothing while it is being put back.

    For who may act on the project: of anybody else the same buttons would only be refused. So would they of a stop of
    more than the project, which others answer for.
    """
    is_others = shown is not None and shown.ask is not None
    if shown is not None and shown.stop.pending is not None and not is_others:
        if shown.is_own_wish:  # nobody can agree with themselves
            return [kit.button(t.gettext("Withdraw"), ids.STOP_DECLINE, f"stop:{shown.stop.id}")]
        return [agree_button(shown, shown.stop.pending, t)]  # a second wish beside the first would count for nothing
    stop = kit.button(t.gettext("Stop spending"), ids.STOP_OPEN, f"project:{project_id}")
    if shown is None or shown.stop.state is StopState.ALLOWED:
        return [stop]
    if shown.stop.state not in IN_FORCE:
        return []
    further = [stop] if shown.stop.lever is not Lever.STOP else []  # it is only slowed down
    return further if is_others else [*further, _restore(shown, t)]


def wish_of(shown: StopShown, pending: Pending, t: Translator) -> str:
    """What the first person asked the second one for; plain text."""
    terms = words.allowance(pending.until, pending.amount, shown, t)
    return ", ".join([words.way_name(pending.way, t), *terms])


def agree_button(shown: StopShown, pending: Pending, t: Translator) -> kit.Block:
    """The second person's word, after one question: away from the message nothing else says what it lets happen."""
    wish = kit.escape(wish_of(shown, pending, t))
    said = t.gettext("It takes effect at once: {wish}.", wish=wish)
    if shown.stop.state is StopState.STOPPED:
        said = t.gettext("It takes effect at once: {wish}. Spending begins again.", wish=wish)
    agree = t.pgettext("button", "Agree")
    question = kit.confirm(t.gettext("Agree?"), said, agree, t.gettext("Cancel"))
    return kit.button(agree, ids.STOP_AGREE, f"stop:{shown.stop.id}", style="primary", confirm=question)


def _restore(shown: StopShown, t: Translator) -> kit.Block:
    """The same question as in its message; of a stop of several it says that all of them spend again."""
    key, count = f"stop:{shown.stop.id}", len(shown.current)
    if count < 2:
        return stops.restore_button(key, t)
    question = kit.confirm(
        t.gettext("Restore?"),
        t.ngettext(
            "One stop holds {count} project: it spends again, with its former limit exactly as it was.",
            "One stop holds {count} projects: all of them spend again, with their former limits exactly as they were.",
            count,
        ),
        t.gettext("Restore"),
        t.gettext("Cancel"),
    )
    return kit.button(t.gettext("Restore"), ids.STOP_RESTORE, key, confirm=question)
