"""A stop in words: how it stands, what is held, what went wrong; each said once for all places."""

from __future__ import annotations

from finops.stop_report import StopShown
from locales import Translator


def state_line(shown: StopShown, t: Translator) -> str:
    """How it stands in one line of plain text: for Home and lists."""
    raise NotImplementedError
