"""The bill as a file in words: the exact total beside it, and why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocks import export
from finops.bill_file import MOST_LINES, BillFile
from finops.charges import FigureState
from finops.figures import Scope
from finops.money import Money
from finops.queries import PeriodName, ScopeKind, period_named
from tests.unit.saying import LANGUAGES, NOW, TODAY, a_figure, reader
from tests.unit.slack_limits import of_message

LAST_MONTH = period_named(PeriodName.LAST_MONTH, TODAY)
TOTALS = (Money.of("3.5", "EUR"), Money.of("742.000000000000000001"))
FILE = BillFile(Scope(ScopeKind.TEAM, 1, "<!channel>"), LAST_MONTH, NOW, 1234, TOTALS, "a.csv", b"a")


@pytest.mark.parametrize("language", LANGUAGES)
def test_beside_the_file_stands_its_exact_total_its_period_and_its_time(language: str) -> None:
    """Two currencies are no sum; a name calls nobody; the days that are missing are said."""
    t = reader(language)
    figure = a_figure("742", LAST_MONTH.period, unread_days=2)
    said = export.file_words(FILE, figure, t)
    assert "1,234" in said
    assert "3.5 EUR + 742.000000000000000001 USD" in said
    assert "<!channel>" not in said
    assert t.span(LAST_MONTH.period) in said
    assert t.zone_name(NOW) in said
    assert "△" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_says_where_the_file_is_or_why_there_is_none(language: str) -> None:
    """Nothing billed, nothing read, too much for one file and no right to send are four different sentences."""
    t, none = reader(language), replace(FILE, lines=0, totals=(), content=None)
    unknown = a_figure(None, LAST_MONTH.period, FigureState.BLIND, as_of=None)
    figure = a_figure("0", LAST_MONTH.period)
    answers = [
        export.sent(FILE, t),
        export.not_allowed(FILE, t),
        export.no_file(none, figure, t),
        export.no_file(none, unknown, t),
        export.no_file(replace(none, lines=MOST_LINES + 1), figure, t),
    ]
    assert len({one.text for one in answers}) == len(answers)
    assert "1,000,001" in answers[-1].text
    assert [of_message(one.arguments()) for one in answers] == [[]] * len(answers)
