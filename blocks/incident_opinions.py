"""Opinions of alerts: why the window of a budget opens by itself after two that found no use in its alerts."""

from __future__ import annotations

from collections.abc import Sequence

from blocks import incident_words as words
from blocks import kit
from finops.incident_report import IncidentShown
from locales import Translator


def because(alerts: Sequence[IncidentShown], t: Translator, alone: str = "") -> str:
    """Which alerts were called unhelpful, and that this is a suggestion; '' without any. Harmless in mrkdwn.

    `alerts` has one for each opinion: the same twice where two people said so of it. `alone` names the project for
    which the window makes a budget of its own, beside the one of every project.
    """
    if not alerts:
        return ""
    told = list(dict.fromkeys(_line(one, t) for one in alerts))
    if len({one.incident.id for one in alerts}) < len(alerts):
        first = t.gettext("This window opened by itself, for two people called this alert “Not helpful”:")
    else:
        first = t.gettext(
            "This window opened by itself, for the last two opinions on alerts of one budget were “Not helpful”:"
        )
    lines = [first, *(f"• {line}" for line in told)]
    lines.append(
        t.gettext(
            "It is a suggestion: another amount or other levels may suit better. Closing this window changes nothing."
        )
    )
    if alone:
        lines.append(
            t.gettext(
                "What you add here is for *{project}* alone; the budget of every project stays as it is.",
                project=kit.name(alone),
            )
        )
    return "\n".join(lines)


def _line(shown: IncidentShown, t: Translator) -> str:
    """The first line of the alert, and which project it is about."""
    return kit.escape(" · ".join(part for part in (words.headline(shown, t), words.whose(shown)) if part))
