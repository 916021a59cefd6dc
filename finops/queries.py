"""Queries: what a person asks for in words (ko, ja, en), as a scope and a period of the one calendar."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from finops import written
from finops.frozen import frozen
from finops.periods import Period, monday_of, week_of
from finops.suggest import closest
from finops.written import MOST_WEEKS_BACK, squeezed

MAX_DAYS = 400


class PeriodName(StrEnum):
    """The periods that have a name; any other number of days is called `days:N`.

    These move on with the calendar. What is to stay is called `week:2026-06-29` (a Monday), `day:2026-07-01` or
    `month:2026-06`.
    """

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    LAST_30_DAYS = "last_30_days"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"


class ScopeKind(StrEnum):
    """Whose spending a report is about."""

    WORKSPACE = "workspace"
    TEAM = "team"
    PROJECT = "project"


@frozen
class NamedPeriod:
    """A period and what it is called: a `PeriodName` value, `days:N`, `week:2026-06-29`, `day:2026-07-01` or
    `month:2026-06`."""

    name: str
    period: Period


@frozen
class StatusQuery:
    """A request for spending: of whom (None: everybody) and when.

    `scope_words` are the words as typed. When they begin with "team" or "project", `scope_kind` and `scope_name` hold
    that reading of them; try the whole words first, because a team may well be called "Team Blue".
    """

    scope_words: str | None
    period: NamedPeriod
    scope_kind: ScopeKind | None = None
    scope_name: str | None = None


class ScopeAsked(NamedTuple):
    """A scope in a person's words; `kind` and `name` only where they begin with "team" or "project"."""

    words: str
    kind: ScopeKind | None = None
    name: str = ""


class UnknownPeriod(ValueError):
    """A word that looks like a period and is not one; `suggestion` is what may have been meant, as one may type it."""

    def __init__(self, words: str, suggestion: str | None) -> None:
        super().__init__(f"no period is called {words!r}" + (f"; {suggestion!r} is" if suggestion else ""))
        self.words = words
        self.suggestion = suggestion


_WEEK, _DAY, _MONTH = "week:", "day:", "month:"
DEFAULT_PERIOD = PeriodName.LAST_7_DAYS

# As people type them; blanks, hyphens and underscores do not matter. The first of each row is the one we suggest.
_ALIASES: dict[PeriodName, tuple[str, ...]] = {
    PeriodName.TODAY: ("today", "오늘", "금일", "今日", "本日", "きょう"),
    PeriodName.YESTERDAY: ("yesterday", "어제", "전일", "昨日", "前日", "きのう"),
    PeriodName.LAST_7_DAYS: ("7d", "last 7 days", "최근 일주일", "일주일", "過去一週間", "直近一週間", "一週間"),
    PeriodName.LAST_30_DAYS: ("30d", "last 30 days", "최근 한달", "한달", "過去一か月", "一か月", "一ヶ月"),
    PeriodName.THIS_WEEK: ("week", "this week", "이번 주", "금주", "주간", "今週"),
    PeriodName.LAST_WEEK: ("last week", "previous week", "지난 주", "저번 주", "전주", "先週", "前週"),
    PeriodName.THIS_MONTH: (
        "month", "this month", "month to date", "mtd", "이번 달", "이달", "당월", "금월", "월간", "今月", "当月",
    ),
    PeriodName.LAST_MONTH: ("last month", "previous month", "지난 달", "저번 달", "전월", "先月", "前月"),
}  # fmt: skip
# Times that people ask for and nobody is told of by one word: they are no names of teams.
_UNTOLD = frozenset({
    "올해", "금년", "작년", "내년", "내일", "분기", "이번분기", "지난분기",
    "今年", "昨年", "去年", "来年", "明日", "四半期",
    "year", "thisyear", "lastyear", "ytd", "yeartodate", "quarter", "thisquarter", "lastquarter", "tomorrow",
})  # fmt: skip
# What the answer itself calls the whole workspace, as people type it back; compared when `squeezed`.
EVERYTHING = frozenset({"everything", "all", "전체", "모두", "全体", "すべて", "全部"})
_QUOTES = "\"'`“”‘’「」 "
_KINDS = {
    "team": ScopeKind.TEAM, "팀": ScopeKind.TEAM, "チーム": ScopeKind.TEAM,
    "project": ScopeKind.PROJECT, "프로젝트": ScopeKind.PROJECT, "プロジェクト": ScopeKind.PROJECT,
}  # fmt: skip


_BY_ALIAS = {squeezed(alias): name for name, aliases in _ALIASES.items() for alias in aliases}
# A typo is answered in the language it was typed in, with the alias as people write it.
_SPELLINGS = tuple(alias for aliases in _ALIASES.values() for alias in aliases)
_UNITS = {
    **dict.fromkeys(("d", "day", "days", "일", "일간", "日", "日間"), 1),
    **dict.fromkeys(("w", "wk", "week", "weeks", "주", "주간", "週", "週間"), 7),
}
_COUNTED = re.compile(r"(?:최근|지난|과거|last|past|過去|直近)?(\d{1,6})(\D{1,5})")
# Longest first: "last 7 days" is one period, not the scope "last" and 7 of something.
_MOST_WORDS = 4


def period_named(name: str, today: date) -> NamedPeriod:
    """The period of that name (`PeriodName` value, `days:N`, or `week:`, `day:`, `month:` and which) on day `today`.

    "Last N days" are closed days, ending before today. This week and this month reach up to and including today. A
    week is named by its Monday; what lies after today, and what is longer ago than anybody keeps bills, has no name.
    Raises UnknownPeriod.
    """
    monday = monday_of(today)
    first = today.replace(day=1)
    tomorrow = today + timedelta(days=1)
    match name:
        case PeriodName.TODAY:
            period = Period(today, tomorrow)
        case PeriodName.YESTERDAY:
            period = Period(today - timedelta(days=1), today)
        case PeriodName.LAST_7_DAYS:
            period = Period(today - timedelta(days=7), today)
        case PeriodName.LAST_30_DAYS:
            period = Period(today - timedelta(days=30), today)
        case PeriodName.THIS_WEEK:
            period = Period(monday, tomorrow)
        case PeriodName.LAST_WEEK:
            period = Period(monday - timedelta(days=7), monday)
        case PeriodName.THIS_MONTH:
            period = Period(first, tomorrow)
        case PeriodName.LAST_MONTH:
            period = Period((first - timedelta(days=1)).replace(day=1), first)
        case _:
            dated = _dated_period(name, today)
            if dated is not None:
                return NamedPeriod(name, dated)
            count = re.fullmatch(r"days:([1-9]\d{0,3})", name)
            if count is None or int(count[1]) > MAX_DAYS:
                raise UnknownPeriod(name, None)
            period = Period(today - timedelta(days=int(count[1])), today)
    return NamedPeriod(str(name), period)


def week_named(day: date) -> str:
    """What the week of a day is called, today and ever after: `week:2026-06-29`."""
    return f"{_WEEK}{week_of(day).start.isoformat()}"


def day_named(day: date) -> str:
    """What a day is called, today and ever after: `day:2026-07-01`."""
    return f"{_DAY}{day.isoformat()}"


def month_named(day: date) -> str:
    """What the month of a day is called, today and ever after: `month:2026-07`."""
    return f"{_MONTH}{day.isoformat()[:7]}"


def _dated_period(name: str, today: date) -> Period | None:
    """The days of what is named by its date; None for any other name, and for what no bill can tell of."""
    kind, colon, rest = name.partition(":")
    if f"{kind}{colon}" not in (_WEEK, _DAY, _MONTH):
        return None
    written_out = f"{rest}-01" if f"{kind}{colon}" == _MONTH else rest
    try:
        day = date.fromisoformat(written_out)
    except ValueError:
        return None
    earliest = week_of(today).start - timedelta(days=7 * MOST_WEEKS_BACK)
    if written_out != day.isoformat() or not earliest <= day <= today:
        return None
    if f"{kind}{colon}" == _MONTH:
        return Period(day, min((day + timedelta(days=31)).replace(day=1), today + timedelta(days=1)))
    if f"{kind}{colon}" == _DAY:
        return Period(day, day + timedelta(days=1))
    week = week_of(day)
    return Period(day, min(week.end, today + timedelta(days=1))) if week.start == day else None


def previous_period(named: NamedPeriod, today: date) -> Period:
    """What a period is fairly compared with: as many days before it, the month before, or last week's same days."""
    period = named.period
    closed = max(0, (min(period.end, today) - period.start).days)
    match named.name:
        case PeriodName.LAST_MONTH:
            return Period((period.start - timedelta(days=1)).replace(day=1), period.start)
        case PeriodName.THIS_MONTH:
            start = (period.start - timedelta(days=1)).replace(day=1)
            return Period(start, min(start + timedelta(days=closed), period.start))
        case PeriodName.THIS_WEEK:
            start = period.start - timedelta(days=7)
            return Period(start, start + timedelta(days=closed))
    if named.name.startswith(_WEEK):  # also one that is not over yet
        start = period.start - timedelta(days=7)
        return Period(start, start + timedelta(days=closed))
    if named.name.startswith(_MONTH):
        start = (period.start - timedelta(days=1)).replace(day=1)
        is_over = period.end <= today
        return Period(start, period.start if is_over else min(start + timedelta(days=closed), period.start))
    return period.before()


def parse_status(
    text: str, today: date, known_scopes: Collection[str] = (), default: PeriodName = DEFAULT_PERIOD
) -> StatusQuery:
    """Read a request such as `마케팅팀 지난주`, `7d chatbot` or nothing at all; where no period is named, the default.

    The period stands first or last, the other words are the scope. Raises UnknownPeriod when a word looks like a
    period but is not; names in `known_scopes` are never mistaken for one, unless another of them stands beside it.
    """
    words = text.split()
    scopes = {squeezed(name) for name in known_scopes}
    if squeezed(text) in scopes:
        return _query(words, period_named(default, today))

    def is_known(words: list[str]) -> bool:
        rest = words[1:] if words and words[0].casefold() in _KINDS else []
        return squeezed(" ".join(words)) in scopes or squeezed(" ".join(rest)) in scopes

    # A team may be called "Last Week": the reading that leaves a name we know goes first, and beside such a name that
    # is a period again. One project called "지난주" takes nobody else's last week away.
    ways = [one for one in readings(words) if is_known(one[1]) or squeezed(" ".join(one[0])) not in scopes]
    ways.sort(key=lambda way: not is_known(way[1]))
    for inside, outside in ways:
        name = _name_of(" ".join(inside), today)
        if name is not None:
            return _query(outside, period_named(name, today))
    for inside, _ in ways:
        _refuse_if_meant_as_period(" ".join(inside))
        if squeezed(" ".join(inside)) in _UNTOLD and not any(name.startswith(squeezed(text)) for name in scopes):
            raise UnknownPeriod(" ".join(inside), None)
    if not is_known(words):
        _refuse_beside_a_name(ways, is_known, scopes)
    return _query(words, period_named(default, today))


def readings(words: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Every way to take a few words off the end or the beginning as the period, longest first."""
    for size in range(min(_MOST_WORDS, len(words)), 0, -1):
        yield words[-size:], words[:-size]
        if size < len(words):
            yield words[:size], words[size:]


def _name_of(words: str, today: date) -> str | None:
    said = squeezed(words)
    if said in _BY_ALIAS:
        return _BY_ALIAS[said]
    if (dated := _dated_name(words, today)) is not None:
        return dated
    counted = _COUNTED.fullmatch(said)
    if counted is None or counted[2] not in _UNITS:
        return None
    days = int(counted[1]) * _UNITS[counted[2]]
    if not 1 <= days <= MAX_DAYS:
        raise UnknownPeriod(words, f"{MAX_DAYS}d" if days else "7d")
    return {7: PeriodName.LAST_7_DAYS.value, 30: PeriodName.LAST_30_DAYS.value}.get(days, f"days:{days}")


def _dated_name(words: str, today: date) -> str | None:
    """The name of a month, week or day that is written by its date or how long ago it was; None for anything else."""
    back = written.weeks_back(words)
    try:
        week, day, month = written.iso_week(words), written.day(words), written.month(words, today)
    except ValueError as error:
        raise UnknownPeriod(words, "last week") from error
    if month is not None:
        return _month_name(words, month, today)
    if back is not None:
        if not 1 <= back <= MOST_WEEKS_BACK:
            raise UnknownPeriod(words, "last week")
        week = week_of(today - timedelta(days=7 * back))
    # What is open now has a name of its own.
    if day is not None:
        name, usual, is_open = day_named(day), PeriodName.TODAY, day == today
    elif week is not None:
        name, usual, is_open = week_named(week.start), PeriodName.THIS_WEEK, today in week
    else:
        return None
    if _dated_period(name, today) is None:
        raise UnknownPeriod(words, "last week" if day is None else "today")
    return usual if is_open else name


def _month_name(words: str, month: date, today: date) -> str:
    if _dated_period(month_named(month), today) is None:
        raise UnknownPeriod(words, "last month")
    return PeriodName.THIS_MONTH if month_named(month) == month_named(today) else month_named(month)


_OTHER_UNITS = {
    **dict.fromkeys(("m", "mo", "month", "months", "개월", "달", "か月", "ヶ月", "カ月", "月"), 30),
    **dict.fromkeys(("y", "year", "years", "년", "年"), 365),
}


def _refuse_if_meant_as_period(words: str) -> None:
    said = squeezed(words)
    counted = _COUNTED.fullmatch(said)
    if counted and counted[2] in _OTHER_UNITS:
        days = int(counted[1]) * _OTHER_UNITS[counted[2]]
        raise UnknownPeriod(words, f"{min(days, MAX_DAYS)}d" if days else "7d")
    if counted and said[0].isdigit() and counted[2].isascii() and len(counted[2]) == 1:
        days = int(counted[1])
        raise UnknownPeriod(words, f"{days}d" if 1 <= days <= MAX_DAYS else "7d")
    # Two letters are near too much; a scope of two or three letters is no typo of a period.
    if len(said) >= 3:
        suggestion = closest(said, [squeezed(alias) for alias in _SPELLINGS])
        if suggestion is not None:
            raise UnknownPeriod(words, next(alias for alias in _SPELLINGS if squeezed(alias) == suggestion))


def _refuse_beside_a_name(
    ways: Iterable[tuple[list[str], list[str]]], is_known: Callable[[list[str]], bool], scopes: Collection[str]
) -> None:
    """Beside a name we know, other words can only be when: "there is no team 마케팅팀 작년" would be no answer.

    Unless they are a name as well, or all of it is how a longer name begins or is nearly spelled.
    """
    for inside, outside in ways:
        said = squeezed(" ".join(inside))
        whole = {squeezed(" ".join([*inside, *outside])), squeezed(" ".join([*outside, *inside]))}
        is_name = any(name.startswith(one) for one in (said, *whole) for name in scopes)
        if outside and is_known(outside) and not is_name and all(closest(one, scopes) is None for one in whole):
            raise UnknownPeriod(" ".join(inside), None)


def scope_asked(text: str) -> ScopeAsked:
    """What a person calls a team or project, as typed: "team X" says of which kind X is."""
    words = text.strip(_QUOTES)
    first, _, rest = words.partition(" ")
    kind = _KINDS.get(first.casefold())
    if kind is not None and rest.strip():
        return ScopeAsked(words, kind, rest.strip(_QUOTES))
    return ScopeAsked(words)


def _query(words: list[str], period: NamedPeriod) -> StatusQuery:
    asked = scope_asked(" ".join(words))
    return (
        StatusQuery(asked.words, period, asked.kind, asked.name or None) if asked.words else StatusQuery(None, period)
    )
