"""Charts of long periods: weeks and months of the calendar, called what they are; cut ends are no drops."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from blocks import charts
from finops.charges import FigureState
from finops.figures import DayFigure
from finops.money import Money
from tests.unit.saying import reader


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
    (NOVEMBER, "ko", "주별 비용 (USD)", ["11/1-11/1", "11/9", "11/16", "11/23", "11/30-11/30"]),
    (AUTUMN, "ko", "월별 비용 (USD)", ["9/21-9/30", "2026-10", "2026-11", "12/1-12/3"]),
    (AUTUMN, "ja", "月別コスト（USD）", ["9/21-9/30", "2026-10", "2026-11", "12/1-12/3"]),
    (AUTUMN, "en", "Cost by month (USD)", ["Sep 21-Sep 30", "2026-10", "2026-11", "Dec 1-Dec 3"]),
])  # fmt: skip
def test_weeks_and_months_are_called_what_they_are(
    points: tuple[DayFigure, ...], language: str, title: str, labels: list[str]
) -> None:
    """Whole ones by their beginning, those that the period cuts by their days: a short bar is no drop."""
    drawn = charts.trend(points, reader(language))
    assert drawn is not None
    assert drawn.rich["title"] == title
    assert drawn.rich["chart"]["axis_config"]["categories"] == labels
    assert all(label in charts.trend_text(points, reader(language)) for label in labels)


def test_a_week_that_was_not_read_is_named_as_a_week() -> None:
    """Its first day alone would say that the six others are in the drawing."""
    assert charts.missing_days(NOVEMBER, reader("ko")) == "△ 확인하지 못해 차트에서 뺀 날: 11/2-11/8"
