"""Why it moved: the parts that add up to the difference, and the answer to `/finops why`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial

from blocks import figures, ids, kit, value
from blocks.status import Question
from blocks.why_words import endpoint_name, factor_name, sentence, times
from finops.figures import is_comparable
from finops.frozen import frozen
from finops.money import Money, total
from finops.why import Factor, Mover, UsualHours, Why, WhyKind, WhyPart, WhyReport
from locales import Translator

__all__ = ["against", "cause", "details", "hours", "lines", "message", "sentence"]

Parts = list[kit.Block | kit.Either]
# Beyond so many times the amount before, no percentage is told.
_MOST_TIMES = 100
# Below this share of both bills, it is said how much usage accounts for.
_TOLD_BELOW = Decimal("0.95")
_MOST = Decimal("0.5")
_NOTHING = "-"
_SHARES = (Factor.CACHE, Factor.TIER, Factor.MODEL_MIX)


def details(why: Why, t: Translator) -> Parts:
    """The parts as a table: what each factor added or took, and how it moved itself; the amounts add up as shown."""
    is_told = why.covered is None or why.covered >= _TOLD_BELOW
    missing: Parts = [] if is_told else [kit.context(kit.escape(_coverage(why.covered or Decimal(0), t)))]
    if why.kind is WhyKind.UNKNOWN and missing:
        return missing
    rows = _rows(why, t)
    if not rows:
        return []
    head = [t.pgettext("column", "Factor"), t.pgettext("column", "Effect"), t.pgettext("column", "Change")]
    return [kit.Either(kit.table([head, *rows], right=(1,)), [kit.section(lines(why, t))]), *missing]


def lines(why: Why, t: Translator) -> str:
    """The same parts as lines of mrkdwn, for places that hold no table; '' where there are none."""
    return "\n".join(
        f"• {kit.escape(row[0])}  *{kit.escape(row[1])}*" + (f"  {kit.escape(row[2])}" if row[2] != _NOTHING else "")
        for row in _rows(why, t)
    )


def against(why: Why, t: Translator) -> str:
    """What `lines` compares, as plain text: which hours with which, and what they cost; '' of whole days."""
    if why.hours is None:
        return ""
    now, before = _both(why, t)
    amounts = t.gettext("{now}, usually {before}", now=now, before=before)
    return f"{amounts} ({hours(why, t)})"


def hours(why: Why, t: Translator) -> str:
    """Which hours are compared with which, as plain text; '' of whole days."""
    return "" if why.hours is None else _hours(why.hours, why.compared.days, t)


def _hours(hours: UsualHours, of: int, t: Translator) -> str:
    start, end = t.moment(hours.start), t.moment(hours.end)
    # The date once, where both have the same.
    end = end.removeprefix(start.removesuffix(t.clock(hours.start)))
    zone = t.zone_name(hours.start)
    if hours.days >= of:
        return t.gettext(
            "{start} to {end} {zone}, compared with the mean of the same hours on the {days} days before",
            start=start, end=end, zone=zone, days=t.number(of),
        )  # fmt: skip
    return t.ngettext(
        "{start} to {end} {zone}, compared with the same hours on {count} of the {days} days before",
        "{start} to {end} {zone}, compared with the mean of the same hours on {count} of the {days} days before",
        hours.days,
        start=start, end=end, zone=zone, days=t.number(of),
    )  # fmt: skip


def _rows(why: Why, t: Translator) -> list[list[str]]:
    """Factor, amount and how it moved, largest first, with the total last; the amounts shown add up to it."""
    told = [part for part in why.parts if part.amount]
    if not told:
        return []
    shown = _shown(why, t)
    amounts = t.amounts([part.amount for part in told], shown.places, shown.difference)
    rows = [
        [factor_name(part.factor, t), _signed(part.amount, amount), _moved(part, t)]
        for part, amount in zip(told, amounts, strict=True)
    ]
    return [*rows, [t.gettext("Total"), shown.signed(t), _NOTHING]]


@frozen
class _Shown:
    """Both bills as one message shows them, and their difference, which is what lies between those."""

    places: int
    now: Money
    before: Money
    difference: Money

    def signed(self, t: Translator) -> str:
        return _signed(self.difference, t.money(self.difference, self.places))


def _shown(why: Why, t: Translator) -> _Shown:
    larger = max(why.now, why.before, key=lambda one: abs(one.amount))
    places = max(t.places(larger), t.places(why.difference))
    [now], [before] = t.rounded([why.now], places), t.rounded([why.before], places)
    return _Shown(places, now, before, now - before)


def _both(why: Why, t: Translator) -> tuple[str, str]:
    """What is compared, now and before, as the message shows it."""
    shown = _shown(why, t)
    [now] = t.amounts([why.now], shown.places, shown.now)
    [before] = t.amounts([why.before], shown.places, shown.before)
    return now, before


def message(report: WhyReport, t: Translator, *, shared_by: str | None = None, mark: str | None = "") -> kit.Message:
    """The answer to `/finops why`. `shared_by` (a user id) makes it the public version, without buttons.

    `mark` goes into the buttons, to tell this rendering from the next; None where there is no channel to share it in.
    """
    headline = t.gettext(
        "{scope} · {period} · {difference}",
        scope=figures.scope_name(report.scope, t),
        period=t.period(report.query),
        difference=_difference(report, t),
    )
    parts: Parts = [kit.header(headline)]
    is_told = _is_told(report)
    said = _said(report, t)
    compared = _compared(report, t) if report.figure.amount is not None else ""
    if report.figure.amount is None:
        parts.append(kit.section(t.gettext("There is no amount to explain yet.")))
    else:
        parts.append(kit.section(f"*{kit.escape(said)}*\n{kit.escape(compared)}"))
    parts.append(kit.context(*_trust(report, t)))
    if is_told:
        parts += details(report.why, t)
        if report.movers:
            moved = [_mover(one, amount, t) for one, amount in zip(report.movers, _moves(report, t), strict=True)]
            parts.append(kit.section("\n".join([t.gettext("*Projects that moved most*"), *moved])))
    if shared_by is None:
        parts.append(_buttons(report, t, mark))
    else:
        parts.append(kit.context(t.gettext("Shared by {person}", person=kit.mention(shared_by))))
    return kit.message(kit.escape(" | ".join(filter(None, (headline, said, compared)))), parts)


def _signed(amount: Money, text: str) -> str:
    """A difference: with its sign, also when it is more; none is not an amount of nothing."""
    if not amount.amount:
        return f"±{text}"
    return f"+{text}" if amount.amount > 0 and not text.startswith(("<", "-")) else text


def _is_told(report: WhyReport) -> bool:
    """Whether there is a difference to tell: what was never read is not nothing."""
    return is_comparable(report.figure, report.previous) or (report.is_usual and report.figure.amount is not None)


def _difference(report: WhyReport, t: Translator) -> str:
    why = report.why
    if not _is_told(report):
        return t.gettext("unknown")
    difference = _shown(why, t).signed(t)
    # Of next to nothing, everything is a large multiple.
    if why.before.amount <= 0 or abs(why.difference.amount) > why.before.amount * _MOST_TIMES:
        return difference
    percent = t.percent(abs(why.difference.amount) / why.before.amount)
    if percent == t.percent(Decimal(0)):
        return difference
    sign = "+" if why.difference.amount > 0 else "-" if why.difference.amount < 0 else ""
    return f"{difference} ({sign}{percent})"


def _said(report: WhyReport, t: Translator) -> str:
    """The cause; of a wider scope with the project that most of the difference is in."""
    if not _is_told(report):
        return figures.comparison(report.figure, report.previous, None, t)
    return cause(report.why, [(one.name, one.why) for one in report.movers], t)


def cause(whole: Why, projects: Iterable[tuple[str, Why]], t: Translator) -> str:
    """Why a wider scope moved, in one sentence of plain text, by the names and reasons of the projects that moved.

    The project that more than half of the difference is in, if one is, is named and speaks for the whole: what all
    requests together did would hide it.
    """
    shares = [(own.difference.ratio_of(whole.difference) or Decimal(0), name, own) for name, own in projects]
    share, name, lead = max(shares, key=lambda one: one[0], default=(Decimal(0), "", whole))
    if share <= _MOST or whole.kind is WhyKind.UNCHANGED:
        return sentence(whole, t)
    return t.gettext("{project}: {cause}", project=kit.bare(name), cause=sentence(lead, t, is_first=False))


def _compared(report: WhyReport, t: Translator) -> str:
    why = report.why
    if not _is_told(report):
        return " ".join([figures.amount(report.figure, t), *figures.gaps(report.figure, t)])
    now, before = _both(why, t)
    if report.is_usual:
        return t.gettext("{now} today so far, usually {before} by this time of day", now=now, before=before)
    return t.gettext(
        "{now} ({days}), {before} before ({days_before})",
        now=now,
        days=t.days(why.period),
        before=before,
        days_before=t.days(why.compared),
    )


def _trust(report: WhyReport, t: Translator) -> list[str]:
    told = [kit.escape(figures.trust(report.figure, t))]
    if report.is_usual and report.why.hours is not None:
        told.append(kit.escape(hours(report.why, t)))
    if report.figure.amount is not None:
        told.append(kit.escape(value.line(report.value, t)))
    return told


def _moves(report: WhyReport, t: Translator) -> list[str]:
    """How much each project moved: with all that is not told of, they add up to the difference as shown."""
    moves = [one.why.difference for one in report.movers]
    rest = report.why.difference - total(moves, report.why.difference.currency)
    shown = _shown(report.why, t)
    said = t.amounts([*moves, *([rest] if rest else [])], shown.places, shown.difference)
    return [_signed(amount, words) for amount, words in zip(moves, said, strict=False)]


def _mover(mover: Mover, moved: str, t: Translator) -> str:
    return f"• *{kit.name(mover.name)}*  {kit.escape(moved)}  {kit.escape(sentence(mover.why, t, is_first=False))}"


def _moved(part: WhyPart, t: Translator) -> str:
    """How a factor itself moved, short enough for a column."""
    if part.factor is Factor.TOOLS:
        return endpoint_name(part.subject, t) if part.subject else _NOTHING
    if part.factor is Factor.PRICE:
        return f"×{times(part.change, t)}" if part.change is not None else _NOTHING
    if part.before is None or part.now is None:
        return _NOTHING
    subject = kit.bare(part.subject) if part.subject is not None and part.factor is not Factor.TIER else ""
    if part.factor in _SHARES:
        what = t.pgettext("why", "batch share") if part.factor is Factor.TIER else subject
        if part.factor is Factor.TIER and part.before == part.now:
            return kit.bare(part.subject) if part.subject else _NOTHING
        moved = _seen(t.share, partial(t.percent, places=1), part.before, part.now)
    else:
        what, moved = subject, _seen(t.number, partial(t.number, places=1), part.before, part.now)
    return f"{what} {moved}".strip() if moved else _NOTHING


def _seen(short: Callable[[Decimal], str], finer: Callable[[Decimal], str], before: Decimal, now: Decimal) -> str:
    """From what to what, finer where both would read the same: "48 → 48" beside $41 more is no reason.

    '' where even a tenth does not show it.
    """
    for say in (short, finer):
        if say(before) != say(now):
            return f"{say(before)} → {say(now)}"
    return ""


def _coverage(covered: Decimal, t: Translator) -> str:
    return t.gettext(
        "Usage accounts for {share} of what was billed in both periods; the rest cannot be split.",
        share=t.percent(covered),
    )


def _buttons(report: WhyReport, t: Translator, mark: str | None) -> kit.Block:
    question = str(Question(report.scope.kind, report.scope.id, report.query.name, mark or ""))
    share = None
    if mark is not None and report.figure.amount is not None:
        share = kit.button(t.pgettext("button", "Share"), ids.WHY_SHARE, question)
    return kit.actions(
        share,
        kit.button(t.gettext("Refresh"), ids.WHY_REFRESH, question),
        kit.button(t.pgettext("button", "Cost"), ids.STATUS_SHOW, question),
    )
