"""Queries: three languages, one calendar, and a suggestion for every slip."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.periods import Period, week_of
from finops.queries import (
    MAX_DAYS,
    NamedPeriod,
    PeriodName,
    ScopeKind,
    UnknownPeriod,
    day_named,
    parse_status,
    period_named,
    previous_period,
    week_named,
)
from finops.suggest import closest, distance, letters

TODAY = date(2026, 11, 18)  # a Wednesday
todays = st.dates(date(2020, 1, 1), date(2040, 1, 1))
NAMES = [*PeriodName, "days:1", "days:14", "days:90", f"days:{MAX_DAYS}"]
names = st.sampled_from(NAMES)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        (PeriodName.TODAY, date(2026, 11, 18), date(2026, 11, 19)),
        (PeriodName.YESTERDAY, date(2026, 11, 17), date(2026, 11, 18)),
        (PeriodName.LAST_7_DAYS, date(2026, 11, 11), date(2026, 11, 18)),
        (PeriodName.LAST_30_DAYS, date(2026, 10, 19), date(2026, 11, 18)),
        (PeriodName.THIS_WEEK, date(2026, 11, 16), date(2026, 11, 19)),
        (PeriodName.LAST_WEEK, date(2026, 11, 9), date(2026, 11, 16)),
        (PeriodName.THIS_MONTH, date(2026, 11, 1), date(2026, 11, 19)),
        (PeriodName.LAST_MONTH, date(2026, 10, 1), date(2026, 11, 1)),
        ("days:14", date(2026, 11, 4), date(2026, 11, 18)),
        ("week:2026-06-29", date(2026, 6, 29), date(2026, 7, 6)),
        ("week:2026-11-16", date(2026, 11, 16), date(2026, 11, 19)),
        ("day:2026-07-01", date(2026, 7, 1), date(2026, 7, 2)),
        ("day:2026-11-18", date(2026, 11, 18), date(2026, 11, 19)),
    ],
)
def test_a_name_means_these_days(name: str, start: date, end: date) -> None:
    """Weeks begin on Monday; "last N days" are over; this week and month reach into today."""
    assert period_named(name, TODAY) == NamedPeriod(str(name), Period(start, end))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "days:0",
        "days:-1",
        "days:401",
        "days:٣",
        "days:",
        "fortnight",
        "week:",
        "week:2026-06-30",
        "week:20260629",
        "week:2026-11-23",
        "day:2026-11-19",
        "day:2026-02-30",
        "day:1999-01-01",
        "week:0001-01-01",
        "day:2026-W27-1",
        "month:2026-12",
        "month:2026-13",
        "month:2026-1",
        "month:2026-11-01",
    ],
)
def test_an_unknown_name_is_refused(name: str) -> None:
    """Stored names that nobody ever stored."""
    with pytest.raises(UnknownPeriod):
        period_named(name, TODAY)


@given(todays)
def test_named_periods_tile(today: date) -> None:
    """Last week ends where this one starts, last month too, yesterday where today does; whatever day it is."""
    at = {name: period_named(name, today).period for name in PeriodName}
    assert at[PeriodName.LAST_WEEK].end == at[PeriodName.THIS_WEEK].start
    assert at[PeriodName.LAST_MONTH].end == at[PeriodName.THIS_MONTH].start
    assert at[PeriodName.YESTERDAY].end == at[PeriodName.TODAY].start
    assert at[PeriodName.LAST_WEEK].days == 7
    assert at[PeriodName.LAST_WEEK].start.weekday() == 0
    assert at[PeriodName.LAST_MONTH].start.day == 1
    for name in (PeriodName.TODAY, PeriodName.THIS_WEEK, PeriodName.THIS_MONTH):
        assert at[name].end == today + timedelta(days=1)
    for name in (PeriodName.YESTERDAY, PeriodName.LAST_7_DAYS, PeriodName.LAST_30_DAYS):
        assert at[name].end == today


@given(names, todays)
def test_a_period_is_compared_with_days_before_it(name: str, today: date) -> None:
    """The comparison never overlaps, never reaches into today, and a running period is compared like with like."""
    named = period_named(name, today)
    before = previous_period(named, today)
    assert before.end <= named.period.start
    closed = (min(named.period.end, today) - named.period.start).days
    if named.name in (PeriodName.THIS_WEEK, PeriodName.THIS_MONTH):
        assert before.days <= closed
    elif named.name == PeriodName.LAST_MONTH:
        assert (before.start.day, before.end) == (1, named.period.start)
    else:
        assert before.days == named.period.days


@given(todays, st.integers(0, 1800))
def test_a_name_with_a_date_means_the_same_days_ever_after(then: date, later: int) -> None:
    """What a button of an old message names, and what it is compared with, do not move on with the calendar."""
    week = week_of(then).before()
    named, day = period_named(week_named(week.start), then), period_named(day_named(then), then)
    assert named.period == week
    today = then + timedelta(days=later)
    assert period_named(named.name, today) == named
    assert period_named(day.name, today) == day
    assert previous_period(named, today) == week.before()
    assert previous_period(day, today) == day.period.before()


def test_a_week_that_is_not_over_is_compared_like_with_like() -> None:
    """By its date as by its name."""
    assert previous_period(period_named("week:2026-11-16", TODAY), TODAY) == previous_period(
        period_named(PeriodName.THIS_WEEK, TODAY), TODAY
    )


def test_a_month_by_its_name_is_compared_with_the_month_before() -> None:
    """Whole with whole, however long each is; one that runs yet, like this month."""
    march = period_named("month:2026-03", TODAY)
    assert march.period == Period(date(2026, 3, 1), date(2026, 4, 1))
    assert previous_period(march, TODAY) == Period(date(2026, 2, 1), date(2026, 3, 1))
    for day in (date(2026, 3, 1), date(2026, 3, 11), date(2026, 3, 31)):
        running, this = period_named("month:2026-03", day), period_named(PeriodName.THIS_MONTH, day)
        assert running.period == this.period
        assert previous_period(running, day) == previous_period(this, day)


def test_a_long_month_so_far_is_compared_with_the_whole_short_one() -> None:
    """On 31 March, thirty days of March stand against the 28 that February had."""
    today = date(2026, 3, 31)
    march = period_named(PeriodName.THIS_MONTH, today)
    assert previous_period(march, today) == Period(date(2026, 2, 1), date(2026, 3, 1))
    assert previous_period(march, date(2026, 3, 11)) == Period(date(2026, 2, 1), date(2026, 2, 11))


ASKED = {
    PeriodName.TODAY: ["2026-11-18", "today", "오늘", "今日", "TODAY", "きょう"],
    PeriodName.YESTERDAY: ["yesterday", "어제", "昨日"],
    PeriodName.LAST_7_DAYS: ["7d", "7일", "7日", "7 days", "last 7 days", "최근 7일", "지난 7일간", "過去7日間", "７日",
                             "last_7_days", "1w", "일주일"],
    PeriodName.LAST_30_DAYS: ["30d", "30일", "30日", "past 30 days", "최근 30일", "直近30日"],
    PeriodName.THIS_WEEK: ["2026-W47", "week", "this week", "이번주", "이번 주", "今週"],
    PeriodName.LAST_WEEK: ["lastweek", "last week", "last-week", "지난주", "지난 주", "저번주", "先週"],
    PeriodName.THIS_MONTH: ["11월", "2026-11", "November", "month", "this month", "mtd", "이번달", "이번 달", "今月"],
    PeriodName.LAST_MONTH: ["lastmonth", "last month", "지난달", "지난 달", "전월", "先月"],
    "days:14": ["14d", "14일", "2w", "2주", "최근 2주", "2週間", "14 days"],
    "days:90": ["90d", "최근 90일", "last 90 days"],
    "week:2026-06-29": ["2026-W27", "2026w27", "２０２６-Ｗ２７"],
    "week:2026-11-02": ["지지난주", "지지난 주", "2주 전", "2 weeks ago", "week before last", "先々週",
                        "2週間前", "2026-W45"],
    "month:2026-03": ["3월", "3月", "march", "March", "2026년 3월", "2026年3月", "2026-03", "march 2026", "３月"],
    "month:2025-12": ["12월", "december", "2025-12", "December 2025"],
    "day:2026-07-01": ["2026-07-01", "2026.7.1", "2026/07/01", "20260701", "2026年7月1日", "2026년 7월 1일"],
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_periods_are_understood_in_three_languages(name: str) -> None:
    """First or last, with blanks or without; the rest is the scope."""
    for words in ASKED[name]:
        for around in ("{}", "마케팅팀 {}", "{} chatbot-experiment", "  {}  ", "Growth Platform {}"):
            query = parse_status(around.format(words), TODAY)
            assert (query.period.name, query.scope_words) == (name, around.replace("{}", "").strip() or None), words


@pytest.mark.parametrize(
    "scope",
    ["", "마케팅팀", "chatbot-experiment", "Growth", "team alpha", "데이터", "R&D", "モバイル", "weekday-bot", "gpt4"],
)
def test_without_a_period_it_is_the_last_seven_days(scope: str) -> None:
    """And ordinary names are not taken for misspelt periods."""
    query = parse_status(scope, TODAY)
    assert (query.period.name, query.scope_words) == (PeriodName.LAST_7_DAYS, scope or None)


@pytest.mark.parametrize(
    ("text", "words", "suggestion"),
    [
        ("lastwek", "lastwek", "last week"),
        ("마케팅팀 지닌주", "지닌주", "지난 주"),
        ("yestreday", "yestreday", "yesterday"),
        ("monht chatbot", "monht", "month"),
        ("이번딜", "이번딜", "이번 달"),
        ("3개월", "3개월", "90d"),
        ("2 years", "2 years", "400d"),
        ("7x", "7x", "7d"),
        ("0d", "0d", "7d"),
        ("1000일", "1000일", "400d"),
        ("99999w", "99999w", "400d"),
        ("chatbot 2026-W60", "2026-W60", "last week"),
        ("2026-W48", "2026-W48", "last week"),
        ("999주 전", "999주 전", "last week"),
        ("2026-02-30", "2026-02-30", "last week"),
        ("2026-11-19", "2026-11-19", "today"),
        ("9999-12-31", "9999-12-31", "last week"),
        ("13월", "13월", "last week"),
        ("2026-12", "2026-12", "last month"),
        ("march 1999", "march 1999", "last month"),
    ],
)
def test_a_slip_gets_a_suggestion_in_its_own_language(text: str, words: str, suggestion: str) -> None:
    """And the suggestion, typed as it stands, is understood."""
    with pytest.raises(UnknownPeriod) as caught:
        parse_status(text, TODAY)
    assert (caught.value.words, caught.value.suggestion) == (words, suggestion)
    parse_status(suggestion, TODAY)


@pytest.mark.parametrize("text", ["올해", "작년", "지난 분기", "this year", "Last-Year", "tomorrow", "今年", "四半期"])
def test_a_time_nobody_is_told_of_is_no_name_either(text: str) -> None:
    """Nobody looks for a team called 작년; where one is, or begins so, it is meant."""
    with pytest.raises(UnknownPeriod) as caught:
        parse_status(text, TODAY, ["마케팅팀"])
    assert caught.value.suggestion is None
    assert parse_status(text, TODAY, [text]).scope_words == text
    assert parse_status(text, TODAY, [f"{text} 결산"]).scope_words == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("마케팅팀 작년", "작년"),
        ("작년 마케팅팀", "작년"),
        ("team 마케팅팀 7일전", "7일전"),
        ("마케팅팀 지난 분기", "지난 분기"),
        ("chatbot last year", "last year"),
    ],
)
def test_words_beside_a_name_are_no_other_name(text: str, words: str) -> None:
    """ "There is no team 마케팅팀 작년" would send people to look for their team."""
    with pytest.raises(UnknownPeriod) as caught:
        parse_status(text, TODAY, ["마케팅팀", "chatbot"])
    assert (caught.value.words, caught.value.suggestion) == (words, None)


@pytest.mark.parametrize("text", ["project chatbot", "프로젝트 chatbot", "팀 마케팅팀", "チーム 마케팅팀"])
def test_what_kind_a_name_is_of_is_no_period(text: str) -> None:
    """As the help says it, and as the application of the local workspace does."""
    query = parse_status(text, TODAY, ["마케팅팀", "chatbot"])
    assert (query.period.name, query.scope_words) == (PeriodName.LAST_7_DAYS, text)


@pytest.mark.parametrize("text", ["team blue", "Team Blue Ocaen", "team chatbot", "마케팅팀 chatbot", "chatbot 마"])
def test_what_begins_or_nearly_is_a_longer_name_is_no_period(text: str) -> None:
    """Also beside a shorter one that we know."""
    query = parse_status(text, TODAY, ["team", "Team Blue Ocean", "마케팅팀", "chatbot"])
    assert query.period.name == PeriodName.LAST_7_DAYS


@pytest.mark.parametrize("name", ["monty", "Monty", "Last Week", "3개월", "오늘의집", "어제", "2026-W27", "20260701"])
def test_a_known_name_is_never_taken_for_a_period(name: str) -> None:
    """A team may be called anything, even like a period."""
    assert parse_status(name, TODAY, known_scopes=[name]).scope_words == name
    query = parse_status(f"{name} 지난달", TODAY, known_scopes=[name])
    assert (query.scope_words, query.period.name) == (name, PeriodName.LAST_MONTH)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("team Blue", ScopeKind.TEAM, "Blue"),
        ("팀 마케팅 7d", ScopeKind.TEAM, "마케팅"),
        ("프로젝트 chatbot 지난주", ScopeKind.PROJECT, "chatbot"),
        ('project "chat bot"', ScopeKind.PROJECT, "chat bot"),
        ("プロジェクト bot", ScopeKind.PROJECT, "bot"),
        ("team", None, None),
        ("마케팅팀", None, None),
    ],
)
def test_team_and_project_may_be_said(text: str, kind: ScopeKind | None, name: str | None) -> None:
    """They are a reading of the words, not the words themselves."""
    query = parse_status(text, TODAY)
    assert (query.scope_kind, query.scope_name) == (kind, name)
    assert query.scope_words


@given(st.text(max_size=60), todays)
def test_no_text_breaks_the_reading(text: str, today: date) -> None:
    """It is a query or an UnknownPeriod, and never more words than were typed."""
    try:
        query = parse_status(text, today)
    except UnknownPeriod:
        return
    assert query.period.period.days >= 1
    assert len(query.scope_words or "") <= len(text)


# --- suggestions -----------------------------------------------------------------------------------------------------

COMMANDS = [
    "setup",
    "status",
    "team",
    "project",
    "key",
    "collect",
    "help",
    "doctor",
    "설정",
    "상태",
    "프로젝트",
    "도움말",
]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("statsu", "status"),
        ("stauts", "status"),
        ("STATUS", "status"),
        ("projct", "project"),
        ("hlep", "help"),
        ("상테", "상태"),
        ("프로젝드", "프로젝트"),
        ("도움발", "도움말"),
        ("설졍", "설정"),
        ("banana", None),
        ("", None),
        ("x", None),
        ("한글", None),
    ],
)
def test_the_word_most_likely_meant_is_found(typed: str, meant: str | None) -> None:
    """One wrong vowel in Hangul is one slip, not a wrong syllable."""
    assert closest(typed, COMMANDS) == meant


@given(st.text(max_size=12), st.text(max_size=12))
def test_distance_is_a_distance(one: str, other: str) -> None:
    """Nothing to itself, the same both ways, at most the longer word, and silent beyond its bound."""
    found = distance(one, other, 12)
    assert found is not None
    assert (found == 0) == (one == other)
    assert found == distance(other, one, 12) <= max(len(one), len(other))
    for bound in range(4):
        assert distance(one, other, bound) == (found if found <= bound else None)


@given(st.lists(st.text(min_size=1, max_size=10), min_size=1), st.data())
def test_the_right_word_is_its_own_suggestion(choices: list[str], data: st.DataObject) -> None:
    """Whoever types it right is told the same (or its twin in another case)."""
    word = data.draw(st.sampled_from(choices))
    found = closest(word, choices)
    assert found is None or letters(found) == letters(word)


@pytest.mark.parametrize(
    ("text", "scope", "period"),
    [
        ("마케팅팀 지난주", "마케팅팀", "last_week"),
        ("team 마케팅팀 지난주", "team 마케팅팀", "last_week"),
        ("지난주 지난주", "지난주", "last_week"),
        ("today 지난주", "today", "last_week"),
        ("today", "today", "last_7_days"),
    ],
)
def test_a_project_called_like_a_period_takes_it_from_nobody(text: str, scope: str, period: str) -> None:
    query = parse_status(text, TODAY, ["지난주", "today", "마케팅팀"])
    assert (query.scope_words, query.period.name) == (scope, period)
