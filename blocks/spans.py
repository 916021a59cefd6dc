"""Spans of time in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from locales import Translator


def duration(seconds: float, t: Translator) -> str:
    """A length of time in whole seconds, in whole minutes from two minutes on, in hours too from two hours on."""
    if seconds < 120:
        return t.ngettext("{count} second", "{count} seconds", max(1, ceil(seconds)))
    hours, minutes = divmod(ceil(seconds / 60), 60)
    if hours < 2:
        return t.ngettext("{count} minute", "{count} minutes", 60 * hours + minutes)
    told = [t.ngettext("{count} hour", "{count} hours", hours)]
    told += [t.ngettext("{count} minute", "{count} minutes", minutes)] if minutes else []
    return " ".join(told)


def between(since: datetime, until: datetime, t: Translator) -> str:
    """How long it is between two moments that are shown to the minute: what a reader would count."""
    length = until - since
    if length >= timedelta(minutes=2):
        length = until.replace(second=0, microsecond=0) - since.replace(second=0, microsecond=0)
    return duration(length.total_seconds(), t)
