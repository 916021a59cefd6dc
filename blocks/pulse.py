"""The pulse below the digest, week by week: who found it helpful, in numbers and bars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from blocks import charts
from finops.pulse import LEAST, PulseState, PulseWeek
from locales import Translator

_BAR_WIDTH = 10


def lines(weeks: Sequence[PulseWeek], t: Translator) -> list[str]:
    """A heading and a line for each week, newest first, as mrkdwn."""
    title = t.gettext("*Was the digest helpful?*")
    if not weeks:
        return [title, t.gettext("Nobody was asked in these eight weeks. Below every digest told in a channel we ask.")]
    said = [title, *(f"• {t.days(one.days)}: {_week(one, t)}" for one in reversed(weeks))]
    if any(one.state is PulseState.FEW for one in weeks):
        said.append(
            t.gettext("With fewer than {count} answers none is told, so that nobody can be guessed.", count=LEAST)
        )
    return said


def _week(one: PulseWeek, t: Translator) -> str:
    match one.state:
        case PulseState.NOT_ASKED:
            return t.gettext("nobody was asked")
        case PulseState.OPEN:
            return t.gettext("can still be answered; told when it closes")
        case PulseState.FEW:
            return t.gettext("too few answers")
    bar = charts.bar(Decimal(one.good), Decimal(one.answers), _BAR_WIDTH) if one.good else ""
    told = t.gettext(
        "{share} helpful · {good} yes, {fair} so-so, {poor} no",
        share=t.share(one.share),
        good=t.number(one.good),
        fair=t.number(one.fair),
        poor=t.number(one.poor),
    )
    return f"{bar} {told}".strip()
