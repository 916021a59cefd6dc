"""Charts: Slack's own drawing where a workspace knows it, the same facts in aligned text everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from blocks import kit
from finops.charges import FigureState
from finops.figures import Breakdown, DayFigure, Share
from finops.money import Money, total
from finops.periods import starts_at
from locales import Translator

POINTS = 20
LABEL = 20
TITLE = 50
_BAR_WIDTH = 14
_DAY, _WEEK = 1, 7
_EIGHTHS = " ▏▎▍▌▋▊▉"
_NAMED = 5  # days that a sentence names


def trend(
    points: Sequence[DayFigure], t: Translator, title: str | None = None, whole: Money | None = None
) -> list[kit.Block | kit.Either]:
    """Spending day by day (or week by week, month by month), oldest first; nothing when fewer than two are known.

    Where the days make up `whole`, which stands beside them, they add up to it as shown.

    A day we could not read is left out of the drawing and named below it: an empty bar would read as zero. So is one of
    which we read a part, and a week or month that lacks a day: a bar too short reads as a drop.
    """
    known = [(point, point.amount) for point in points if point.amount is not None][-POINTS:]
    if len(known) < 2:
        return []
    currency = known[0][1].currency
    longest = _longest(points)
    title = title or _titled(longest, currency, t)
    amounts = [amount for _, amount in known]
    if _is_whole(amounts, whole):
        amounts = heights(amounts, t)
    bars = [(_label(point, longest, t), amount) for (point, _), amount in zip(known, amounts, strict=True)]
    starts = t.clock(starts_at(known[-1][0].day))
    # i18n: axis of a chart, 50 characters
    axis = t.gettext("Charge day, from {time}", time=starts)
    drawn = kit.Either(
        _bars(title, bars, t, axis), [kit.section(f"*{title}*"), kit.preformatted(trend_text(points, t, whole))]
    )
    lacking = missing_days(points, t)
    return [drawn, kit.context(lacking)] if lacking else [drawn]


def trend_title(points: Sequence[DayFigure], t: Translator) -> str:
    """What each of the points is: a day, a week or a month."""
    longest = _longest(points)
    if longest <= _DAY:
        return t.gettext("Cost by day")
    return t.gettext("Cost by week") if longest <= _WEEK else t.gettext("Cost by month")


def projects(breakdown: Breakdown, t: Translator) -> kit.Either | None:
    """The largest projects of a single day, side by side; None when there is nothing to compare."""
    if len(breakdown.shares) < 2:
        return None
    # i18n: title of a chart, 50 characters
    title = t.gettext("Cost by project ({currency})", currency=breakdown.total.currency)
    labels: dict[str, Money] = {}
    # As the table below says them: rounded so that they make up the whole, with the others that it does not draw.
    amounts = t.rounded(breakdown.amounts)
    for share, amount in list(zip(breakdown.shares, amounts, strict=False))[:POINTS]:
        label = kit.bare(share_name(share, t), LABEL)
        number = 1
        while label in labels:
            number += 1
            label = f"{kit.bare(share_name(share, t), LABEL - len(str(number)) - 1)} {number}"
        labels[label] = amount
    return kit.Either(_bars(title, list(labels.items()), t, None), [])


def compared(title: str, series: Sequence[tuple[str, Sequence[tuple[str, Money]]]]) -> kit.Block:
    """Bars side by side: every series, by name, of the same labels in the same order, at most 20."""
    labels = [kit.clip(label, LABEL) for label, _ in series[0][1]]
    drawn = [
        {
            "name": kit.clip(name, LABEL),
            "data": [
                {"label": label, "value": _height(amount)} for label, (_, amount) in zip(labels, points, strict=True)
            ],
        }
        for name, points in series
    ]
    return {
        "type": "data_visualization",
        "title": kit.clip(title, TITLE),
        "chart": {"type": "bar", "series": drawn, "axis_config": {"categories": labels}},
    }


def heights(amounts: Sequence[Money], t: Translator) -> list[Money]:
    """The parts of a whole as bars, rounded as the text beside them: Slack prints the height of the bar one points at.

    What rounds to nothing stays what it is: no bar would read as nothing spent.
    """
    return [shown or exact for exact, shown in zip(amounts, t.rounded(amounts), strict=True)]


def cell(amount: Money, text: str) -> kit.Block:
    """A cell of a data table that reads as `text` and is sorted by its amount."""
    return {"type": "raw_number", "value": _height(amount), "text": text}


def bar(amount: Decimal, peak: Decimal, width: int = _BAR_WIDTH) -> str:
    """A bar of text, in eighths of a letter, of `width` letters at `peak`."""
    return _bar(amount, peak, width)


def share_name(share: Share, t: Translator) -> str:
    """What a part is called: the project, or that nobody registered it."""
    return t.gettext("Unallocated") if share.is_unallocated else share.name


def missing_days(points: Sequence[DayFigure], t: Translator) -> str | None:
    """What a drawing leaves out, and what it draws too short, for it was not (wholly) read; None where it is whole."""
    missing = [_named(point, t) for point in points if point.amount is None]
    left_out = _left_out(missing[:_NAMED], len(missing) - _NAMED, t) if missing else None
    return "\n".join(filter(None, (left_out, partly_read(points, t)))) or None


def partly_read(points: Sequence[DayFigure], t: Translator) -> str | None:
    """What a drawing draws too short, for only a part of it was read; None where it draws nothing so."""
    partly = [_named(point, t) for point in points if point.amount is not None and point.unread_days]
    return _short(partly[:_NAMED], len(partly) - _NAMED, t) if partly else None


def asked_again(days: Sequence[str], t: Translator) -> str:
    """That nobody knows these days yet, and that nobody has to do anything about it."""
    named = ", ".join([*days[:_NAMED], *([kit.ELLIPSIS] if len(days) > _NAMED else [])])
    return t.gettext("△ Not (wholly) read yet: {days}. Every daily collection asks for them again.", days=named)


def unread(points: Sequence[DayFigure], t: Translator) -> list[str]:
    """The days among those that were not (wholly) read, by name; not those before the first that is known.

    Nobody asks for these again: they may be from before there was anything to be billed.
    """
    first = next((n for n, point in enumerate(points) if point.amount is not None), len(points))
    return [_named(point, t) for point in points[first:] if point.amount is None or point.unread_days]


def _left_out(days: Sequence[str], more: int, t: Translator) -> str:
    if more > 0:
        return t.ngettext(
            "△ Not read and left out of the chart: {days} and {count} more day.",
            "△ Not read and left out of the chart: {days} and {count} more days.",
            more,
            days=", ".join(days),
        )
    return t.gettext("△ Not read and left out of the chart: {days}.", days=", ".join(days))


def _short(days: Sequence[str], more: int, t: Translator) -> str:
    if more > 0:
        return t.ngettext(
            "△ Only partly read, so the chart shows too little: {days} and {count} more day.",
            "△ Only partly read, so the chart shows too little: {days} and {count} more days.",
            more,
            days=", ".join(days),
        )
    return t.gettext("△ Only partly read, so the chart shows too little: {days}.", days=", ".join(days))


def _named(point: DayFigure, t: Translator) -> str:
    return t.short_day(point.day) if point.span_days == _DAY else _ends(point, t)


def trend_text(points: Sequence[DayFigure], t: Translator, whole: Money | None = None) -> str:
    """Spending day by day as aligned lines: date, bar, amount, state. A day we could not (wholly) read says so.

    Where the days make up `whole`, which stands beside them, they add up to it as shown.
    """
    amounts = [point.amount for point in points]
    peak = max((amount.amount for amount in amounts if amount is not None), default=Decimal(0))
    longest = _longest(points)
    days = [_label(point, longest, t) for point in points]
    known = [amount for amount in amounts if amount is not None]
    said = iter(t.amounts(known) if _is_whole(known, whole) else [t.money(amount) for amount in known])
    texts = [next(said) if amount is not None else "" for amount in amounts]
    wide_day, wide_text = max(map(len, days), default=0), max(map(len, texts), default=0)
    lines = []
    for point, day, text in zip(points, days, texts, strict=True):
        if point.amount is None:
            lines.append(f"{day:<{wide_day}}  {t.badge(point.state)}")
            continue
        bar = _bar(point.amount.amount, peak)
        sign = t.sign(FigureState.BLIND if point.unread_days else point.state)
        lines.append(f"{day:<{wide_day}}  {bar:<{_BAR_WIDTH}}  {text:>{wide_text}} {sign}")
    return "\n".join(lines)


def lines(rows: Sequence[tuple[str, Money]], t: Translator, *, are_parts: bool = False) -> str:
    """Amounts as aligned lines: what, bar, how much. `are_parts` of one whole add up to it as shown."""
    peak = max((amount.amount for _, amount in rows), default=Decimal(0))
    amounts = [amount for _, amount in rows]
    texts = t.amounts(amounts) if are_parts else [t.money(amount) for amount in amounts]
    wide, wide_text = max((kit.width(label) for label, _ in rows), default=0), max(map(len, texts), default=0)
    return "\n".join(
        f"{label}{' ' * (wide - kit.width(label))}  {_bar(amount.amount, peak):<{_BAR_WIDTH}}  {text:>{wide_text}}"
        for (label, amount), text in zip(rows, texts, strict=True)
    )


def _is_whole(amounts: Sequence[Money], whole: Money | None) -> bool:
    return whole is not None and bool(amounts) and total(amounts, amounts[0].currency) == whole


def _longest(points: Sequence[DayFigure]) -> int:
    return max((point.span_days for point in points), default=_DAY)


def _titled(longest: int, currency: str, t: Translator) -> str:
    if longest <= _DAY:
        return t.gettext("Cost by day ({currency})", currency=currency)
    if longest <= _WEEK:
        return t.gettext("Cost by week ({currency})", currency=currency)
    return t.gettext("Cost by month ({currency})", currency=currency)


def _label(point: DayFigure, longest: int, t: Translator) -> str:
    """A day; a whole week by its Monday, a whole month by its number. What the period cut short names its days, too,
    not to read as a drop.

    In letters that are as wide as each other: a count of days in Korean or Japanese would push its row aside.
    """
    end = point.day + timedelta(days=point.span_days)
    if longest <= _WEEK:
        return t.short_day(point.day) if point.span_days == longest else _ends(point, t)
    return f"{point.day:%Y-%m}" if point.day.day == end.day == 1 else _ends(point, t)


def _ends(point: DayFigure, t: Translator) -> str:
    """The first and the last day of a point."""
    return f"{t.short_day(point.day)}-{t.short_day(point.day + timedelta(days=point.span_days - 1))}"


def _bar(amount: Decimal, peak: Decimal, width: int = _BAR_WIDTH) -> str:
    """A bar in eighths of a letter. The smallest spending still shows: nothing drawn means nothing spent."""
    if peak <= 0 or amount <= 0:
        return ""
    eighths = max(1, int(amount / peak * width * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _bars(title: str, bars: Sequence[tuple[str, Money]], t: Translator, axis: str | None) -> kit.Block:
    # i18n: name of the only series of a chart, 20 characters
    series = kit.clip(t.gettext("Cost"), LABEL)
    labels = [kit.clip(label, LABEL) for label, _ in bars]
    axis_config: kit.Block = {"categories": labels}
    if axis:
        axis_config["x_label"] = kit.clip(axis, TITLE)
    data = [{"label": label, "value": _height(amount)} for label, (_, amount) in zip(labels, bars, strict=True)]
    return {
        "type": "data_visualization",
        "title": kit.clip(title, TITLE),
        "chart": {"type": "bar", "series": [{"name": series, "data": data}], "axis_config": axis_config},
    }


def _height(amount: Money) -> float:
    # Slack draws JSON numbers. This is the height of a bar, never read back; the exact amount stands beside it as text.
    return float(round(amount.amount, 2 if abs(amount.amount) >= 1 else 6))
