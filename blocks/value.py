"""Value in words: what the money bought, said beside every cost."""

from __future__ import annotations

from decimal import Decimal

from finops.charges import FigureState
from finops.money import EXACT, Money
from finops.value import ENOUGH_COVERAGE, ValueFigure, ValueSource
from locales import Translator

_WHOLE_COVERAGE = Decimal("0.995")
_PERCENT, _TENTH = Decimal("0.01"), Decimal("0.001")
_POINTS = 100


def line(figure: ValueFigure, t: Translator) -> str:
    """The value of a scope in one line of plain text (escape it for mrkdwn): successes and what one of them cost.

    Where less than half of the calls are recorded, it says so: nobody is to set it off against the whole cost. Of how
    many calls it speaks is told by one share, never by two of different wholes; `coverage` is for the small print.
    """
    match figure.source:
        case ValueSource.RATINGS:
            return _rated(figure, t)
        case ValueSource.EVENTS:
            return " · ".join(_recorded(figure, t))
    return none(t)


def none(t: Translator) -> str:
    """What stands beside a cost of which nobody recorded what it brought."""
    return t.gettext("No outcomes recorded")


def cell(figure: ValueFigure, t: Translator) -> str:
    """The same for a cell of a table: what one success cost, the ratings, or that nothing is recorded."""
    if figure.source is ValueSource.RATINGS:
        return _points(figure.feedback, t)
    if figure.source is ValueSource.NONE or not figure.outcomes:
        return none(t)
    if figure.cost_per_success is None:
        return successes(figure, t)
    amount = each(figure.cost_per_success, t)
    if _is_partial(figure):
        return t.gettext("{amount} a success ({share} of calls)", amount=amount, share=covered(figure, t))
    return t.gettext("{amount} a success", amount=amount)


def successes(figure: ValueFigure, t: Translator) -> str:
    """How many calls succeeded."""
    return t.ngettext("{count} success", "{count} successes", figure.successes)


def each(money: Money, t: Translator) -> str:
    """What one success costs: to the cent, and below a dollar with two digits that mean something."""
    return t.money(money, _places(money))


def per_success(figure: ValueFigure, t: Translator) -> str | None:
    """What one success cost and between what, with the state beside the amount; None where nobody can tell."""
    one, between = figure.cost_per_success, figure.cost_per_success_interval
    if one is None:
        return None
    state = t.state(FigureState.ESTIMATE)
    if between is None or between.high is None:
        return t.gettext("{amount} each ({state})", amount=each(one, t), state=state)
    places = _places(one)
    sign = t.money(Money.zero(one.currency), 0).removesuffix("0")
    if t.money(between.low, places) == t.money(between.high, places):
        return t.gettext("{amount} each ({state})", amount=each(one, t), state=state)  # narrower than a reader sees
    low, high = t.money(between.low, places), t.money(between.high, places).removeprefix(sign)
    return t.gettext("{amount} each ({state}, {low} to {high})", amount=each(one, t), state=state, low=low, high=high)


def ratio(figure: ValueFigure, t: Translator) -> str | None:
    """The share of successes and between what it lies; None without any outcome."""
    if figure.success_ratio is None:
        return None
    share = t.share(figure.success_ratio)
    between = figure.success_interval
    if between is None or between.high is None or t.percent(between.low) == t.percent(between.high):
        return share  # narrower than a reader sees
    # i18n: a share of successes, and the interval it lies in at 95 %
    return t.gettext(
        "{share} ({low} to {high})", share=share, low=_digits(between.low, t), high=t.percent(between.high)
    )


def _digits(share: Decimal, t: Translator) -> str:
    return t.percent(share).removesuffix("%")


def feedback(figure: ValueFigure, t: Translator) -> str | None:
    """What people thought of it, of a hundred points; None where nobody said."""
    return None if figure.feedback is None else _points(figure.feedback, t)


def basis(figure: ValueFigure, t: Translator) -> str | None:
    """On what the figure stands, where less than half of the calls are recorded; `line` ends with it."""
    return t.gettext("based on {share} of the calls", share=covered(figure, t)) if _is_partial(figure) else None


def coverage(figure: ValueFigure, t: Translator) -> str | None:
    """How much of what the provider saw was recorded, where that is not all of it, and `basis` does not say it."""
    if figure.coverage is None or figure.coverage >= _WHOLE_COVERAGE or _is_partial(figure):
        return None
    return t.gettext("{share} of the calls recorded", share=covered(figure, t))


def covered(figure: ValueFigure, t: Translator) -> str:
    """The share of the calls that are recorded: below one percent to its tenth, never more than all."""
    return _share(min(figure.coverage or Decimal(0), Decimal(1)), t)


def _share(share: Decimal, t: Translator) -> str:
    if not 0 < share < _PERCENT:
        return t.share(share)
    return t.percent(share, 1) if share >= _TENTH else f"<{t.percent(_TENTH, 1)}"


def _is_partial(figure: ValueFigure) -> bool:
    return figure.source is ValueSource.EVENTS and figure.coverage is not None and figure.coverage < ENOUGH_COVERAGE


def _recorded(figure: ValueFigure, t: Translator) -> list[str]:
    seen = [one for one in (basis(figure, t),) if one]
    if not figure.outcomes:
        calls = t.ngettext("{count} call recorded", "{count} calls recorded", figure.calls)
        return [calls, t.gettext("none with an outcome"), *seen]
    if not figure.successes:
        return [t.ngettext("no success in {count} outcome", "no success in {count} outcomes", figure.outcomes), *seen]
    cost, share = per_success(figure, t), ratio(figure, t)
    if cost is None and figure.outcomes < ENOUGH_COVERAGE * figure.calls:
        return [successes(figure, t), _known(figure, t)]
    told = cost or (t.gettext("success rate {share}", share=share) if share else "")
    return [successes(figure, t), *([told] if told else []), *seen]


def _known(figure: ValueFigure, t: Translator) -> str:
    """For how much of the calls an outcome is known; of those the provider saw, where it told."""
    known = EXACT.divide(Decimal(figure.outcomes), Decimal(figure.calls))
    if figure.coverage is None:
        return t.gettext("outcome known for {share} of the recorded calls", share=_share(known, t))
    of_all = EXACT.multiply(known, min(figure.coverage, Decimal(1)))
    return t.gettext("outcome known for {share} of the calls", share=_share(of_all, t))


def _rated(figure: ValueFigure, t: Translator) -> str:
    return t.ngettext(
        "rated {points} by {count} person",
        "rated {points} by {count} people",
        figure.raters,
        points=_points(figure.feedback, t),
    )


def _points(share: Decimal | None, t: Translator) -> str:
    points = t.number((share or Decimal(0)) * _POINTS)
    return t.gettext("{points} of 100 points", points=points)


def _places(money: Money) -> int:
    return 2 if not money.amount or abs(money.amount) >= 1 else max(2, 1 - money.amount.adjusted())
