"""The history of a stop, one line for each thing that happened: in its thread, some to be seen in the channel."""

from __future__ import annotations

from blocks import kit
from finops.stop_report import StopShown
from finops.stops import StopEvent
from locales import Translator


def line(event: StopEvent, shown: StopShown, t: Translator) -> kit.Message:
    """One thing that happened, in its own words: a broadcast line is read without its thread."""
    raise NotImplementedError
