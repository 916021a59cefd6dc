"""Charts of long periods: weeks and months of the calendar, called what they are; cut ends are no drops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from blocks import axes, charts, collection, digest_daily, figures, incidents, kit, status
from finops.axes import Axes, Axis, AxisShare
from finops.charges import FigureState
from finops.figures import CollectionProgress, DayFigure
from finops.money import Money
from finops.periods import Period
from locales import Translator
from tests.unit import saying_live as live
from tests.unit.digesting import a_card
from tests.unit.saying import a_figure, a_status, a_trend, reader


def a_point(first: date, last: date, amount: str | None = "50") -> DayFigure:
    money = None if amount is None else Money.of(amount)
    return DayFigure(first, money, FigureState.SETTLED, (last - first).days + 1)


NOVEMBER = (
    a_point(date(2026, 11, 1), date(2026, 11, 1)),
    a_point(date(2026, 11, 2), date(2026, 11, 8), None),
    *(
        a_point(monday, monday + timedelta(days=6))
        for monday in (date(2026, 11, 9), date(2026, 11, 16), date(2026, 11, 23))
    ),
    a_point(date(2026, 11, 30), date(2026, 11, 30)),
)
AUTUMN = (
    a_point(date(2026, 9, 21), date(2026, 9, 30)),
    a_point(date(2026, 10, 1), date(2026, 10, 31)),
    a_point(date(2026, 11, 1), date(2026, 11, 30)),
    a_point(date(2026, 12, 1), date(2026, 12, 3)),
)


@pytest.mark.parametrize(("points", "language", "title", "labels"), [
    (NOVEMBER, "ko", "주별 비용(USD)", ["11/1-11/1", "11/9", "11/16", "11/23", "11/30-11/30"]),
    (AUTUMN, "ko", "월별 비용(USD)", ["9/21-9/30", "2026-10", "2026-11", "12/1-12/3"]),
    (AUTUMN, "ja", "月別コスト（USD）", ["9/21-9/30", "2026-10", "2026-11", "12/1-12/3"]),
    (AUTUMN, "en", "Cost by month (USD)", ["Sep 21-Sep 30", "2026-10", "2026-11", "Dec 1-Dec 3"]),
])  # fmt: skip
def test_weeks_and_months_are_called_what_they_are(
    points: tuple[DayFigure, ...], language: str, title: str, labels: list[str]
) -> None:
    """Whole ones by their beginning, those that the period cuts by their days: a short bar is no drop."""
    drawn, *_ = charts.trend(points, reader(language))
    assert isinstance(drawn, kit.Either)
    assert drawn.rich["title"] == title
    assert drawn.rich["chart"]["axis_config"]["categories"] == labels
    assert all(label in charts.trend_text(points, reader(language)) for label in labels)


def test_a_week_that_was_not_read_is_named_as_a_week() -> None:
    """Its first day alone would say that the six others are in the drawing."""
    assert charts.missing_days(NOVEMBER, reader("ko")) == "△ 확인하지 못해 차트에서 뺀 날: 11/2-11/8"


@pytest.mark.parametrize(("language", "said"), [
    ("ko", "△ 일부만 확인해 차트에 실제보다 적게 나온 날: 11/9-11/15"),
    ("ja", "△ 一部しか確認できず、グラフに実際より少なく表れている日: 11/9-11/15"),
    ("en", "△ Only partly read, so the chart shows too little: Nov 9-Nov 15."),
])  # fmt: skip
def test_what_was_read_in_part_is_no_cheap_day(language: str, said: str) -> None:
    """Of two organizations one was not read, or a day of a week: its bar is too short, and looks like a drop."""
    partly = replace(NOVEMBER[2], unread_days=2, state=FigureState.PROVISIONAL)
    points = (*NOVEMBER[:2], partly, *NOVEMBER[3:])
    told = charts.missing_days(points, reader(language))
    assert told is not None
    assert told.splitlines()[1:] == [said]
    assert charts.trend_text(points, reader(language)).count("△") == 1
    many = [replace(partly, day=partly.day + timedelta(days=7 * n)) for n in range(7)]
    [sentence] = (charts.missing_days(many, reader(language)) or "").splitlines()
    assert sentence.startswith(said.rstrip("."))
    assert charts.missing_days(NOVEMBER[2:], reader(language)) is None


LACKING = (*a_trend(("10", None, "12")), replace(a_trend(("4",), date(2026, 7, 7))[0], unread_days=1))
DONE = CollectionProgress(1, "x", "backfill", 7, 7, "done")


@pytest.mark.parametrize("told", [
    lambda t: status.message(a_status(trend=LACKING), t),
    lambda t: collection.first_chart(DONE, a_status(trend=LACKING), t),
    lambda t: digest_daily.daily(a_card(trend=LACKING), t),
    lambda t: incidents.root(live.shown(trend=LACKING), t),
    lambda t: incidents.root(replace(live.over(), trend=LACKING), t),
], ids=["status", "first chart", "daily card", "alert", "alert that is over"])  # fmt: skip
def test_every_chart_names_what_it_lacks(told: Callable[[Translator], kit.Message]) -> None:
    """Below the drawing: neither a day left out nor a bar too short reads as little spent."""
    blocks = told(reader("ko")).blocks
    at = next(n for n, block in enumerate(blocks) if block["type"] == "data_visualization")
    assert blocks[at + 1]["elements"][0]["text"].splitlines() == [
        "△ 확인하지 못해 차트에서 뺀 날: 7/4",
        "△ 일부만 확인해 차트에 실제보다 적게 나온 날: 7/6",
    ]


def test_the_axes_drawn_add_up_to_the_whole() -> None:
    """Slack prints the height of a bar: three thirds of $100 are no $99.99."""
    third = Money.of("33.333333333")
    shares = tuple(AxisShare(axis, third, Decimal("0.3333"), None) for axis in (Axis.INPUT, Axis.OUTPUT, Axis.TOOLS))
    *_, drawn = axes.details(Axes(shares, Money.of("99.999999999")), reader("ko"))
    assert isinstance(drawn, kit.Either)
    [series] = drawn.rich["chart"]["series"]
    assert sum(Decimal(str(point["value"])) for point in series["data"]) == 100


def test_the_first_chart_adds_up_to_the_amount_above_it() -> None:
    status = a_status(figure=a_figure("100.005", unread_days=0), trend=a_trend(("33.335",) * 3))
    told = collection.first_chart(CollectionProgress(1, "x", "backfill", 7, 7, "done"), status, reader("ko"))
    [drawn] = [block for block in told.blocks if block["type"] == "data_visualization"]
    heights = [Decimal(str(point["value"])) for point in drawn["chart"]["series"][0]["data"]]
    assert "$100.00" in str(told.blocks[0])
    assert sum(heights) == 100


def test_the_card_of_a_day_that_is_unknown_says_what_becomes_of_it() -> None:
    """Where no outage is told. Of a day before there was anything, or of one that is known, there is nothing to say."""
    told = "△ 아직 다 확인하지 못한 날: 7/5. 매일 비용을 수집할 때 다시 조회합니다."
    unknown = a_figure(None, unread_days=1, period=Period(date(2026, 7, 5), date(2026, 7, 6)))
    before = a_figure("10", unread_days=0)
    t = reader("ko")
    assert figures.awaited(unknown, before, t) == [told]
    assert told in str(digest_daily.daily(a_card(figure=unknown, previous=before, increase=None), t).blocks)
    assert figures.awaited(unknown, replace(unknown, as_of=None), t) == []
    assert figures.awaited(before, before, t) == []
    assert figures.awaited(replace(unknown, blind_since=live.AT), before, t) == []
