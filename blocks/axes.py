"""The five axes of a bill in words and in a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blocks import charts, kit
from finops.axes import BESIDE, Axes, Axis, AxisShare
from finops.money import Money
from locales import Translator

Parts = list[kit.Block | kit.Either]


def line(axes: Axes, t: Translator) -> str:
    """Every axis with its share on one line, the biggest named with what is typical; harmless in mrkdwn."""
    charged = [share for share in axes.shares if share.ratio is not None and share.amount.amount > 0]
    ratios = t.shares([share.ratio for share in charged])
    told = [f"{name(share.axis, t)} {ratio}" for share, ratio in zip(charged, ratios, strict=True)]
    given_back = [
        f"{name(share.axis, t)} {t.money(share.amount)}"
        for share in axes.shares
        if share.axis in BESIDE and share.amount.amount < 0
    ]
    lines = [" · ".join(told + given_back), _biggest(axes, t)]
    return "\n".join(kit.escape(each) for each in lines if each)


def details(axes: Axes, t: Translator) -> Parts:
    """The line, and a picture of the shares: a native chart, or bars of text where a screen cannot draw it."""
    charged = [share for share in axes.shares if share.amount.amount > 0]
    made: Parts = [kit.section(line(axes, t))] if axes.shares and line(axes, t) else []
    if len(charged) < 2:
        return made
    # i18n: title of a chart, 50 characters
    title = t.gettext("Cost by axis ({currency})", currency=axes.total.currency)
    bars = [(kit.bare(name(share.axis, t), charts.LABEL), share.amount) for share in charged]
    drawn = list(zip((label for label, _ in bars), charts.heights([amount for _, amount in bars], t), strict=True))
    return [*made, kit.Either(_drawn(title, drawn, t), [kit.preformatted(charts.lines(bars, t, are_parts=True))])]


def name(axis: Axis, t: Translator) -> str:
    """What kind of thing is paid for, as people call it."""
    return _NAMES[axis](t)


def _drawn(title: str, bars: list[tuple[str, Money]], t: Translator) -> kit.Block:
    # i18n: name of the only series of a chart, 20 characters
    return charts.compared(title, [(t.gettext("Cost"), bars)])


def _biggest(axes: Axes, t: Translator) -> str:
    """The axis to look at first, and whether it is as large as is usual in the field."""
    share = axes.biggest
    if share is None or share.ratio is None:
        return ""
    axis = name(share.axis, t)
    if share.axis is Axis.UNMAPPED or share.typical is None:
        return t.gettext("Most of it carries no name that tells what it is for.")
    given = {"axis": axis, "range": _range(share, t)}
    low, high = share.typical
    if share.ratio > high:
        return t.gettext("Largest: {axis} - above what is typical ({range})", **given)
    if share.ratio < low:
        return t.gettext("Largest: {axis} - below what is typical ({range})", **given)
    return t.gettext("Largest: {axis} - as is typical ({range})", **given)


def _range(share: AxisShare, t: Translator) -> str:
    assert share.typical is not None
    low, high = share.typical
    return t.pgettext("range", "{low} to {high}", low=t.percent(low).removesuffix("%"), high=t.percent(high))


_NAMES: Mapping[Axis, Callable[[Translator], str]] = {
    Axis.INPUT: lambda t: t.pgettext("axis", "Input"),
    Axis.OUTPUT: lambda t: t.pgettext("axis", "Output"),
    Axis.EMBEDDING: lambda t: t.pgettext("axis", "Embedding"),
    Axis.TOOLS: lambda t: t.pgettext("axis", "Tools"),
    Axis.STORAGE: lambda t: t.pgettext("axis", "Storage & compute"),
    # i18n: what training a model cost, which FinOps shows and does not analyse; 20 characters
    Axis.TRAINING: lambda t: t.pgettext("axis", "Training (off scope)"),
    Axis.UNMAPPED: lambda t: t.pgettext("axis", "Unmapped"),
}
