"""Figures: what is said of a period adds up, says how sure it is, and never takes unknown for zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.charges import DayReading, FigureState
from finops.figures import (
    TREND_POINTS,
    Figure,
    SetupProgress,
    SetupStep,
    Share,
    breakdown_of,
    figure_of,
    increase,
    readings_of_all,
    trend_of,
)
from finops.money import Money, total
from finops.periods import Period
from finops.queries import MAX_DAYS

NOW = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
TODAY = NOW.date()
WEEK = Period(date(2026, 6, 29), TODAY)


def a_reading(day: date, *, at: datetime = NOW, unchanged_reads: int = 0) -> DayReading:
    return DayReading(day, at, at, unchanged_reads)


def read(*days: date) -> dict[date, DayReading]:
    return {day: a_reading(day) for day in days}


starts = st.dates(date(2026, 1, 1), date(2026, 7, 6))


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[Period, dict[date, Money], dict[date, DayReading]]:
    """A period up to the present, with amounts and readings on some of its days."""
    start = draw(starts)
    period = Period(start, min(start + timedelta(days=draw(st.integers(0, 200))), TODAY + timedelta(days=1)))
    days = list(period)
    some = st.sets(st.sampled_from(days)) if days else st.just(set())
    amounts = st.decimals(-100, 100, places=9)
    cells = {day: Money(draw(amounts)) for day in draw(some)}
    readings = {day: a_reading(day, unchanged_reads=draw(st.integers(0, 3))) for day in draw(some)}
    return period, cells, readings


@given(ledgers())
def test_a_figure_is_the_sum_of_what_is_known_and_counts_the_rest(
    ledger: tuple[Period, dict[date, Money], dict[date, DayReading]],
) -> None:
    """What is neither unread nor open was read; no amount at all only when nothing is known."""
    period, cells, readings = ledger
    figure = figure_of(period, cells, readings, NOW)
    assert figure.unread_days + figure.open_days == sum(day not in readings for day in period)
    if figure.amount is None:
        assert not cells
        assert not readings
        assert (figure.state, figure.as_of) == (FigureState.BLIND, None)
    else:
        assert figure.amount == total(cells.values())


@given(ledgers())
def test_a_trend_adds_up_to_its_figure(
    ledger: tuple[Period, dict[date, Money], dict[date, DayReading]],
) -> None:
    """However it is grouped: few enough points, no gap, no overlap, one total, no unread day forgotten."""
    period, cells, readings = ledger
    trend = trend_of(period, cells, readings, NOW)
    figure = figure_of(period, cells, readings, NOW)
    assert len(trend) <= TREND_POINTS
    assert total(point.amount for point in trend if point.amount) == (figure.amount or Money.zero())
    day = period.start
    for point in trend:
        assert point.day == day
        assert 0 <= point.unread_days <= point.span_days
        assert (point.amount is None) <= (point.unread_days == point.span_days)
        day += timedelta(days=point.span_days)
    assert day <= period.end
    assert all(open_day >= TODAY for open_day in Period(day, period.end))
    assert sum(point.unread_days for point in trend) == figure.unread_days + sum(
        day not in readings
        for day in period
        if TODAY <= day < period.start + timedelta(sum(p.span_days for p in trend))
    )


def test_a_long_trend_is_grouped_by_the_weeks_and_months_of_the_calendar() -> None:
    """Each ties to what is told of the same week or month elsewhere; the ends may be cut by the period."""

    def spans(days: int, end: date = TODAY) -> list[tuple[date, int]]:
        period = Period(end - timedelta(days=days), end)
        trend = trend_of(period, {}, read(*period), NOW)
        assert {point.amount for point in trend} == {Money.zero()}
        return [(point.day, point.span_days) for point in trend]

    assert spans(20) == [(TODAY - timedelta(days=n), 1) for n in range(20, 0, -1)]
    assert spans(30) == [(date(2026, 6, 6), 2), *[(date(2026, 6, 8) + timedelta(days=7 * n), 7) for n in range(4)]]
    # June by itself: its last two days are the beginning of a week that goes on.
    assert spans(30, date(2026, 7, 1)) == [
        *[(date(2026, 6, 1) + timedelta(days=7 * n), 7) for n in range(4)],
        (date(2026, 6, 29), 2),
    ]
    assert spans(180) == [
        (date(2026, 1, 7), 25), (date(2026, 2, 1), 28), (date(2026, 3, 1), 31), (date(2026, 4, 1), 30),
        (date(2026, 5, 1), 31), (date(2026, 6, 1), 30), (date(2026, 7, 1), 5),
    ]  # fmt: skip
    assert len(spans(MAX_DAYS)) <= TREND_POINTS


def test_a_read_day_without_costs_is_a_true_zero_and_an_unread_one_is_unknown() -> None:
    """Two days read, five not: the amount speaks for two."""
    figure = figure_of(WEEK, {date(2026, 6, 29): Money.of(3)}, read(date(2026, 6, 29), date(2026, 6, 30)), NOW)
    assert figure == Figure(Money.of(3), WEEK, FigureState.PROVISIONAL, NOW, unread_days=5)
    assert figure_of(WEEK, {}, read(*WEEK), NOW).amount == Money.zero()
    assert figure_of(WEEK, {}, {}, NOW, currency="JPY").amount is None
    assert figure_of(WEEK, {}, read(*WEEK), NOW, currency="JPY").amount == Money.zero("JPY")


def test_a_figure_is_settled_only_when_all_its_days_are() -> None:
    """One moving day makes the week provisional, and so does one that was never read; as_of is when we last heard."""
    settled = {
        day: a_reading(day, at=datetime(2026, 7, 5, 23, tzinfo=UTC), unchanged_reads=2)
        for day in Period(date(2026, 6, 29), date(2026, 7, 2))
    }
    early = figure_of(Period(date(2026, 6, 29), date(2026, 7, 2)), {}, settled, NOW)
    assert (early.state, early.as_of) == (FigureState.SETTLED, datetime(2026, 7, 5, 23, tzinfo=UTC))
    lacking = figure_of(Period(date(2026, 6, 28), date(2026, 7, 2)), {}, settled, NOW)
    assert (lacking.state, lacking.unread_days) == (FigureState.PROVISIONAL, 1)
    whole = figure_of(WEEK, {}, settled | {date(2026, 7, 5): a_reading(date(2026, 7, 5))}, NOW)
    assert (whole.state, whole.as_of) == (FigureState.PROVISIONAL, NOW)


def test_the_open_day_is_not_blindness() -> None:
    """Today is not collected yet; that is a state of the calendar, not of our eyes."""
    today = figure_of(Period(TODAY, TODAY + timedelta(days=1)), {}, {}, NOW)
    assert (today.amount, today.unread_days, today.open_days) == (None, 0, 1)
    assert today.is_not_yet_collected
    assert not figure_of(WEEK, {}, {}, NOW).is_not_yet_collected
    month = figure_of(Period(date(2026, 7, 1), TODAY + timedelta(days=1)), {}, read(*WEEK), NOW)
    assert (month.unread_days, month.open_days) == (0, 1)
    assert trend_of(Period(TODAY, TODAY + timedelta(days=1)), {}, {}, NOW) == ()


def test_a_day_counts_as_read_when_every_connection_was_read() -> None:
    """What one connection told is counted; what the other did not tell keeps the day unread."""
    older = a_reading(date(2026, 6, 29), at=NOW - timedelta(hours=5), unchanged_reads=3)
    one = {date(2026, 6, 29): older, date(2026, 6, 30): a_reading(date(2026, 6, 30))}
    other = {date(2026, 6, 29): a_reading(date(2026, 6, 29), unchanged_reads=1)}
    both = readings_of_all([one, other])
    assert both == {date(2026, 6, 29): DayReading(date(2026, 6, 29), older.read_at, NOW, 1)}
    assert readings_of_all([]) == {}
    cells = {date(2026, 6, 30): Money.of(2)}
    assert figure_of(WEEK, cells, both, NOW).amount == Money.of(2)
    assert figure_of(WEEK, cells, {}, NOW).state is FigureState.PROVISIONAL


# --- breakdowns ------------------------------------------------------------------------------------------------------


def a_share(name: str, amount: str, *, is_unallocated: bool = False) -> Share:
    return Share(name, f"key:{name}", Money.of(amount), is_unallocated=is_unallocated)


shares = st.lists(
    st.tuples(st.text(min_size=1, max_size=5), st.decimals(-100, 100, places=9)), max_size=30, unique_by=lambda t: t[0]
).map(lambda named: [Share(name, f"key:{name}", Money(amount)) for name, amount in named])


@given(shares, st.decimals(-100, 100, places=9), st.integers(1, 10))
def test_shares_and_others_make_the_whole(parts: list[Share], nobodys: Decimal, top: int) -> None:
    """Exactly; largest first, nobody's cost always last; ratios add up to one where they exist."""
    nobody = Share("", "unallocated", Money(nobodys), is_unallocated=True)
    shown = breakdown_of([*parts, nobody], top)
    assert total(share.amount for share in shown.shares) + (shown.others or Money.zero()) == shown.total
    assert shown.total == total(part.amount for part in [*parts, nobody])
    amounts = [share.amount.amount for share in shown.shares if not share.is_unallocated]
    assert amounts == sorted(amounts, reverse=True)
    assert any(share.is_unallocated for share in shown.shares) == bool(nobodys)
    assert len(shown.shares) <= top + 2
    assert (shown.others is None) == (shown.others_count == 0)
    assert shown.others_count != 1
    assert sum(bool(part.amount) for part in [*parts, nobody]) == len(shown.shares) + shown.others_count
    ratios = [share.ratio for share in shown.shares]
    if shown.total.amount > 0:
        rest = shown.others.ratio_of(shown.total) if shown.others else Decimal(0)
        assert abs(sum((ratio for ratio in ratios if ratio is not None), rest or Decimal(0)) - 1) < Decimal("1e-20")
    else:
        assert set(ratios) <= {None}


def test_the_largest_are_named_and_ties_go_by_name() -> None:
    """Top two of five, nobody's six cents besides."""
    parts = [a_share("나", "1"), a_share("가", "1"), a_share("c", "5"), a_share("d", "0.5"), a_share("e", "0.25")]
    shown = breakdown_of([*parts, a_share("", "0.06", is_unallocated=True), a_share("zero", "0")], top=2)
    assert [(share.name, share.amount) for share in shown.shares] == [
        ("c", Money.of(5)), ("가", Money.of(1)), ("", Money.of("0.06")),
    ]  # fmt: skip
    assert (shown.others, shown.others_count) == (Money.of("1.75"), 3)
    assert breakdown_of([], top=5).total == Money.zero()
    assert breakdown_of([], top=5, currency="JPY").total == Money.zero("JPY")


# --- increases -------------------------------------------------------------------------------------------------------


def a_figure(amount: str | None, **rest: object) -> Figure:
    money = None if amount is None else Money.of(amount)
    return Figure(money, WEEK, FigureState.PROVISIONAL, NOW, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (a_figure("742"), a_figure("50"), Decimal("13.84")),
        (a_figure("75"), a_figure("50"), Decimal("0.5")),
        (a_figure("25"), a_figure("50"), Decimal("-0.5")),
        (a_figure("50"), a_figure("50"), Decimal(0)),
        (a_figure("0"), a_figure("50"), Decimal(-1)),
        (a_figure("75", open_days=1), a_figure("50"), Decimal("0.5")),
        (a_figure("50"), a_figure("0"), None),
        (a_figure("50"), a_figure("-1"), None),
        (a_figure("-120"), a_figure("50"), None),
        (a_figure(None), a_figure("50"), None),
        (a_figure("50"), a_figure(None), None),
        (a_figure("50", unread_days=1), a_figure("50"), None),
        (a_figure("50"), a_figure("50", unread_days=1), None),
        (a_figure("50"), a_figure("50", open_days=1), None),
        (Figure(Money.of(5, "JPY"), WEEK, FigureState.SETTLED, NOW), a_figure("50"), None),
    ],
)
def test_an_increase_is_told_only_where_it_is_honest(now: Figure, before: Figure, expected: Decimal | None) -> None:
    """742 against 50 is +1,384 %, never 1,484 %; against the unknown there is none, and nobody spends 340 % less."""
    assert increase(now, before) == expected


@pytest.mark.parametrize(
    ("progress", "step"),
    [
        ((False, False, False, False), SetupStep.TEAM),
        ((True, False, False, False), SetupStep.KEY),
        ((True, True, False, False), SetupStep.PROJECTS),
        ((True, True, True, False), SetupStep.WAIT),
        ((True, True, True, True), SetupStep.DONE),
        ((True, True, False, True), SetupStep.PROJECTS),
    ],
)
def test_set_up_knows_its_next_step(progress: tuple[bool, bool, bool, bool], step: SetupStep) -> None:
    """Team, key, projects, then waiting for the first bill."""
    assert SetupProgress(*progress).next_step is step


def test_an_alert_is_tried_when_there_is_a_team_with_a_key_and_projects() -> None:
    """Not before; and also where the first bill came faster."""
    ready = SetupProgress(has_team=True, has_key=True, has_projects=True, has_charges=False, is_proved=False)
    assert ready.next_step is replace(ready, has_charges=True).next_step is SetupStep.TRIAL
    assert replace(ready, has_projects=False).next_step is SetupStep.PROJECTS
