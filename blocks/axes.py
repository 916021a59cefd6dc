"""The five axes of a bill in words and in a picture."""

from __future__ import annotations

from blocks import kit
from finops.axes import Axes
from locales import Translator

Parts = list[kit.Block | kit.Either]


def line(axes: Axes, t: Translator) -> str:
    """Every axis with its share on one line, the biggest named with what is typical; harmless in mrkdwn."""
    raise NotImplementedError


def details(axes: Axes, t: Translator) -> Parts:
    """The line, and a picture of the shares: a native chart, or bars of text where a screen cannot draw it."""
    raise NotImplementedError
