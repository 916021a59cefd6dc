"""The message about a stop: asked for, in force, proved, put back; always the present, history in its thread."""

from __future__ import annotations

from blocks import kit
from finops.stop_report import StopShown
from locales import Translator

Parts = list[kit.Block | kit.Either]


def root(shown: StopShown, t: Translator) -> kit.Message:
    """The root message of a stop outside of any incident."""
    raise NotImplementedError


def parts(shown: StopShown, t: Translator, more: tuple[kit.Block | None, ...] = ()) -> Parts:
    """What was done about the spending, for the root message of an incident: state, projects and buttons.

    `more` are the message's own buttons and menus, in the same row after those of the stop.
    """
    raise NotImplementedError
