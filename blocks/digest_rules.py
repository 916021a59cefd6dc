"""The window behind "how this is ranked": the published rule, in the words of docs/digest.md."""

from __future__ import annotations

from blocks import ids, kit
from finops.advice import OUTWEIGHS
from finops.ranking import AT_MOST_BELOW, LEAST_OUTCOMES, LEAST_SHARE, MOST_EACH, TRAILING_WEEKS
from finops.verdict import LEAST_JUDGED, NO_MORE_WELL, STILL_WELL
from locales import Translator


def window(t: Translator) -> kit.View:
    """How projects are ranked and a week is judged."""
    told = [
        (t.gettext("What is compared"), _compared(t)),
        (t.gettext("Who is ranked"), _who(t)),
        (t.gettext("The verdict on the week"), _verdict(t)),
        (t.gettext("The next step"), _step(t)),
    ]
    made = [kit.section(f"*{head}*\n{_lines(sentences)}") for head, sentences in told]
    made.append(
        kit.context(t.gettext("The rule decides, no person and no model: the same week gives the same ranking."))
    )
    # i18n: title of a modal, 24 characters
    return kit.modal(t.gettext("How this is ranked"), made, close=t.gettext("Close"), callback_id=ids.VIEW_INFO)


def summary(t: Translator) -> str:
    """The rule in two sentences of plain text, for places without a window."""
    first = t.gettext(
        "Ranked by successes a dollar, weighted by feedback, against each project's own target or the median of its "
        "last {count} weeks.",
        count=t.number(TRAILING_WEEKS),
    )
    return t.pgettext("sentences", "{first} {second}", first=first, second=_least(t))


def _compared(t: Translator) -> list[str]:
    return [
        t.gettext("Value for money is successes by dollar, weighted by the feedback score where {count} calls or more "
                  "have one, in this week and in those it is compared with.", count=t.number(LEAST_OUTCOMES)),
        t.gettext("It is compared with the project's own baseline: the target its team set, else the median of its "
                  "last {count} weeks. Projects are never compared with one another.",
                  count=t.number(TRAILING_WEEKS)),
    ]  # fmt: skip


def _who(t: Translator) -> list[str]:
    return [
        _least(t),
        t.gettext("Best: at or above the baseline. Needs improvement: at least {share} below it, and the whole 95% "
                  "interval lies below it. At most {count} each.",
                  share=t.percent(1 - AT_MOST_BELOW), count=t.number(MOST_EACH)),
        t.gettext("Whoever is between counts as about as usual, and is in neither list."),
        t.gettext("Chosen is by the careful end of the 95% interval, so that few outcomes move nobody by chance."),
    ]  # fmt: skip


def _least(t: Translator) -> str:
    return t.gettext(
        "Ranked is who spent at least {share} of the whole and recorded at least {outcomes} outcomes; all others are "
        "named with the reason.",
        share=t.percent(LEAST_SHARE), outcomes=t.number(LEAST_OUTCOMES),
    )  # fmt: skip


def _verdict(t: Translator) -> list[str]:
    return [
        t.gettext("🟢 of the money that can be judged, less than {share} went to projects that need improvement.",
                  share=t.percent(STILL_WELL)),
        t.gettext("🟡 from {share} on; 🔴 from {most} on.", share=t.percent(STILL_WELL), most=t.percent(NO_MORE_WELL)),
        t.gettext("⚪ less than {share} of the money can be judged.", share=t.percent(LEAST_JUDGED)),
    ]  # fmt: skip


def _step(t: Translator) -> list[str]:
    return [
        t.gettext("What is worth most comes first: the part of the rise that its cause explains, or what the project "
                  "would have saved at its own baseline."),
        t.gettext("Where many calls fail and at least {times} times as much was lost as the cause explains, to look at "
                  "the failures comes first.", times=t.number(OUTWEIGHS)),
        t.gettext("What ran away is named and taken off: nobody saves it again each week. What may go on is told by "
                  "the day."),
        t.gettext("Then: record what the dearest silent project brings, set a budget where none watches, look at a "
                  "rise. It is advice; nothing is changed by itself."),
    ]  # fmt: skip


def _lines(sentences: list[str]) -> str:
    return "\n".join(f"• {kit.escape(each)}" for each in sentences)
