"""A stop where somebody looks at a project: how it stands, and the buttons for those who may act on it."""

from __future__ import annotations

from blocks import ids, kit, stops
from blocks.stop_state import status
from finops.levers import Lever
from finops.stop_report import StopShown
from finops.stops import StopState
from locales import Translator

_IN_FORCE = frozenset({StopState.STOPPING, StopState.STOPPED})


def line(shown: StopShown | None, t: Translator) -> str | None:
    """How a project's stop stands, as mrkdwn; None where nobody stopped it."""
    if shown is None:
        return None
    count = len(shown.current)
    if count < 2:
        return status(shown, t)
    together = t.ngettext("one stop for {count} project", "one stop for {count} projects", count)
    return f"{status(shown, t)} · {together}"


def buttons(project_id: int, shown: StopShown | None, t: Translator) -> list[kit.Block]:
    """The way to the window before a stop, or out of the one in force; nothing while it is being put back.

    For who may act on the project: of anybody else the same buttons would only be refused.
    """
    stop = kit.button(t.gettext("Stop spending"), ids.STOP_OPEN, f"project:{project_id}")
    if shown is None or shown.stop.state is StopState.ALLOWED:
        return [stop]
    if shown.stop.state not in _IN_FORCE:
        return []
    further = [stop] if shown.stop.lever is not Lever.STOP else []  # it is only slowed down
    return [*further, _restore(shown, t)]


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
