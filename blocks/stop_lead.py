"""The message to a project's lead, and the answer: prepared words to edit, one tap to tell the cause."""

from __future__ import annotations

from enum import StrEnum

from blocks import kit
from finops.stop_report import LeadDraft, StopTarget
from locales import Translator


class Quick(StrEnum):
    """The values of the menu CAUSE_QUICK."""

    RETRY_BUG = "retry_bug"
    TRAFFIC = "traffic"
    BATCH = "batch"
    OTHER = "other"


def prepared(draft: LeadDraft, t: Translator) -> str:
    """The polite text as it stands in the window before anybody edits it; plain text."""
    raise NotImplementedError


def window(draft: LeadDraft, t: Translator, text: str | None = None, problem: str | None = None) -> kit.View:
    """The window to edit and send it (VIEW_STOP_LEAD, input LEAD_TEXT). Metadata: target."""
    raise NotImplementedError


def message(text: str, by: str, target: StopTarget, t: Translator) -> kit.Message:
    """The direct message itself. `text` as typed, `by` the user id of who sends it."""
    raise NotImplementedError


def cause_window(target: StopTarget, t: Translator, problem: str | None = None) -> kit.View:
    """The window in which the cause is told (VIEW_STOP_CAUSE: CAUSE_QUICK, CAUSE_TEXT). Metadata: target."""
    raise NotImplementedError


def cause_words(quick: str | None, text: str | None, t: Translator) -> str:
    """The cause to pin, from both inputs; '' when neither says anything."""
    raise NotImplementedError


def sent(lead_user_id: str, t: Translator) -> kit.View:
    """After VIEW_STOP_LEAD."""
    raise NotImplementedError


def thanks(t: Translator) -> kit.View:
    """After VIEW_STOP_CAUSE."""
    raise NotImplementedError
