"""What is suggested in place of a period nobody knows can be typed as it stands, in the language of the answer."""

from __future__ import annotations

from datetime import date

import pytest

from blocks import bad_news, period_words
from finops.queries import UnknownPeriod, parse_status
from tests.unit.saying import LANGUAGES, reader

TODAY = date(2026, 7, 6)
KO, JA = reader("ko"), reader("ja")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suggestion_is_understood_when_it_is_typed(language: str) -> None:
    """In every language it means what it means in English."""
    for suggestion in ("today", "last week", "last month", "7d", "90d", "400d"):
        said = period_words.in_reply("몰라요", suggestion, reader(language))
        assert said is not None, suggestion
        assert parse_status(said, TODAY) == parse_status(suggestion, TODAY), suggestion


@pytest.mark.parametrize(
    ("words", "korean", "japanese"),
    [("3개월", "90일", "90日"), ("13월", "지난주", "先週"), ("999주 전", "지난주", "先週"), ("7x", "7일", "7日"),
     ("lastwek", "last week", "last week"), ("지닌주", "지난 주", "지난 주")],
)  # fmt: skip
def test_a_slip_is_answered_in_the_language_it_was_typed_in_or_else_in_the_readers(
    words: str, korean: str, japanese: str
) -> None:
    """Digits and single letters are no language."""
    with pytest.raises(UnknownPeriod) as caught:
        parse_status(words, TODAY)
    suggestion = caught.value.suggestion
    assert period_words.in_reply(words, suggestion, KO) == korean
    assert period_words.in_reply(words, suggestion, JA) == japanese


@pytest.mark.parametrize("words", ["2020-01-01", "2026-02-30", "20200101", "2020년 1월 1일", "2020年1月", "2026-W60"])
def test_a_date_no_bill_can_tell_of_is_no_slip_for_today(words: str) -> None:
    """What can be typed is listed instead."""
    values = {"words": words, "suggestion": "today"}
    said = bad_news.refusal_words("unknown_period", values, KO)
    assert "말씀이신가요" not in said
    assert "`오늘`, `어제`, `7일`, `지난주`" in said
