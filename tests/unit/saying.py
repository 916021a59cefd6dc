"""Figures to talk about: small builders that fill in what a test does not care for, and strategies for the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from finops.charges import FigureState
from finops.figures import (
    BlindConnection,
    Breakdown,
    CollectionProgress,
    DayFigure,
    Figure,
    HomeReport,
    Scope,
    SetupProgress,
    Share,
    StatusReport,
    breakdown_of,
    increase,
)
from finops.money import Money
from finops.periods import Period
from finops.queries import NamedPeriod, PeriodName, ScopeKind
from finops.registry import Credential, CredentialState, KnownProject, Project, Team
from locales import Translator, translator_for

TODAY = date(2026, 7, 6)
NOW = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
READ_AT = datetime(2026, 7, 6, 0, 5, tzinfo=UTC)
WEEK = Period(TODAY - timedelta(days=7), TODAY)
LANGUAGES = ("ko", "en", "ja")
READERS = {"ko": ("ko-KR", "Asia/Seoul"), "en": ("en-US", "America/New_York"), "ja": ("ja-JP", "Asia/Tokyo")}


def reader(language: str) -> Translator:
    return translator_for(*READERS[language])


def a_figure(
    amount: str | None = "742.00", period: Period = WEEK, state: FigureState = FigureState.PROVISIONAL, **more: object
) -> Figure:
    defaults: dict[str, object] = {"as_of": READ_AT}
    return Figure(Money.of(amount) if amount is not None else None, period, state, **(defaults | more))  # type: ignore[arg-type]


def a_share(name: str, amount: str, team: str | None = "마케팅팀", *, is_unallocated: bool = False) -> Share:
    return Share(name, name, Money.of(amount), team_name=team, is_unallocated=is_unallocated)


SHARES = (
    a_share("chatbot-experiment", "412.205"),
    a_share("ad-copy-writer", "200.10"),
    a_share("unallocated", "29.695", None, is_unallocated=True),
    a_share("batch", "50"),
    a_share("search", "30"),
    a_share("support <desk> & co", "15"),
    a_share("tiny", "4.995"),
    a_share("speck", "0.005"),
)


def a_trend(amounts: tuple[str | None, ...], end: date = TODAY) -> tuple[DayFigure, ...]:
    start = end - timedelta(days=len(amounts))
    return tuple(
        DayFigure(
            start + timedelta(days=n),
            Money.of(amount) if amount is not None else None,
            FigureState.BLIND if amount is None else FigureState.SETTLED if n < 3 else FigureState.PROVISIONAL,
        )
        for n, amount in enumerate(amounts)
    )


DAYS = ("80.5", "95.25", None, "102.75", "110.5", "120", "233")


def a_status(**changes: object) -> StatusReport:
    """Everything of the last 7 days: 742 against 50 the week before."""
    now, before = a_figure(unread_days=0), a_figure("50", WEEK.before(), FigureState.SETTLED)
    given: dict[str, object] = {
        "scope": Scope(ScopeKind.WORKSPACE, None, ""),
        "query": NamedPeriod(PeriodName.LAST_7_DAYS, WEEK),
        "figure": now,
        "previous": before,
        "increase": increase(now, before),
        "breakdown": breakdown_of(SHARES),
        "trend": a_trend(DAYS),
    }
    return StatusReport(**(given | changes))  # type: ignore[arg-type]


NOTHING = Breakdown((), None, 0, Money.zero())
DONE = SetupProgress(has_team=True, has_key=True, has_projects=True, has_charges=True, team_id=1)


def a_home(**changes: object) -> HomeReport:
    given: dict[str, object] = {
        "yesterday": a_figure("233", Period(TODAY - timedelta(days=1), TODAY)),
        "last_week": a_figure("742", Period(date(2026, 6, 29), TODAY)),
        "last_month": a_figure("1850.4", Period(date(2026, 6, 1), date(2026, 7, 1)), FigureState.SETTLED),
        "month_to_date": a_figure("566.25", Period(date(2026, 7, 1), date(2026, 7, 7)), open_days=1),
        "last_7_days": a_figure(),
        "top": breakdown_of(SHARES),
        "trend": a_trend(DAYS + DAYS),
        "setup": DONE,
        "is_admin": True,
        "team_count": 2,
        "project_count": 1204,
    }
    given["may_begin"] = changes.get("is_admin", True)
    return HomeReport(**(given | changes))  # type: ignore[arg-type]


def an_empty_home(setup: SetupProgress, **changes: object) -> HomeReport:
    day = Period(TODAY - timedelta(days=1), TODAY)
    unknown = Figure(None, day, FigureState.BLIND, None, unread_days=1)
    given: dict[str, object] = dict.fromkeys(("yesterday", "last_week", "last_month", "month_to_date"), unknown)
    return a_home(
        **(given | {"top": NOTHING, "trend": (), "setup": setup, "team_count": 0, "project_count": 0} | changes)
    )


BLIND = BlindConnection("한빛소프트", datetime(2026, 7, 5, 22, 40, tzinfo=UTC), "key_rejected")
PROGRESS = CollectionProgress(7, "한빛소프트", "backfill", 63, 180, "running", Money.of("1204.5"))
TEAM = Team(1, "T0FINOPS01", "마케팅팀", "U0MINSU001", "C0MARKET01", "ko-KR", ("U0JIHOON01",), "U0JIHOON01", NOW)
DATA_TEAM = Team(2, "T0FINOPS01", "데이터팀", "U0SEOYEON1", "C0DATA0001", "ko-KR", (), "U0JIHOON01", NOW)
CREDENTIAL = Credential(
    4, "T0FINOPS01", 1, 1, "abc1", ("usage.read", "management.read"), CredentialState.ENABLED, "U0JIHOON01", NOW
)


def a_project(number: int = 1, name: str = "chatbot-experiment", *, excluded: bool = False) -> Project:
    return Project(
        number, "T0FINOPS01", 1, 1, f"proj_{number}", name, "production", None, None, None, excluded, "U0JIHOON01", NOW
    )


def a_known_project(number: int = 1, name: str = "chatbot", team: Team | None = None) -> KnownProject:
    owner = (team.id, team.name) if team else (None, None)
    return KnownProject(1, f"proj_{number}", name, is_archived=False, team_id=owner[0], team_name=owner[1])


# Names as people and providers write them: markup, mentions, blanks, other scripts, far too long.
names = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["<!channel>", "<@U0JIHOON01>", "a&b<c>", "*bold* `code`", "\n\n", "가" * 200, "<!here|x> & <#C1>"]
    ),
)


def many(each: st.SearchStrategy[Any], fewest: int, most: int) -> st.SearchStrategy[list[Any]]:
    """Up to hundreds, of a dozen that are drawn: what a name does to its place is seen in a few."""
    few = st.lists(each, min_size=1, max_size=12)
    return st.builds(lambda drawn, count: (drawn * count)[:count], few, st.integers(fewest, most))


amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=12, allow_nan=False).map(Money)
states = st.sampled_from(FigureState)
moments = st.integers(1_577_836_800, 1_893_456_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
days = st.dates(date(2020, 1, 1), date(2029, 1, 1))
periods = st.builds(lambda start, length: Period(start, start + timedelta(days=length)), days, st.integers(1, 400))
figures = st.builds(
    Figure,
    st.none() | amounts,
    periods,
    states,
    st.none() | moments,
    st.integers(0, 400),
    st.none() | moments,
    st.integers(0, 3),
)
shares = st.builds(Share, names, st.text(min_size=1), amounts, st.none(), st.none() | names, st.booleans())
breakdowns = st.lists(shares, max_size=30).map(lambda found: breakdown_of(found, 5))


def _tiled(start: date, points: list[tuple[Money | None, FigureState]], span: int) -> tuple[DayFigure, ...]:
    return tuple(
        DayFigure(start + timedelta(days=n * span), amount, state, span) for n, (amount, state) in enumerate(points)
    )


trends = st.builds(
    _tiled, days, st.lists(st.tuples(st.none() | amounts, states), max_size=20), st.sampled_from([1, 7, 14])
)
named_periods = st.builds(
    NamedPeriod,
    st.sampled_from([*(name.value for name in PeriodName), "days:14", "days:1"]),
    periods,
)
scopes = st.builds(Scope, st.sampled_from(ScopeKind), st.integers(1, 10**9), names)
status_reports = st.builds(
    StatusReport,
    scopes,
    named_periods,
    figures,
    figures,
    st.none() | st.decimals(-100, 10**9, places=6),
    breakdowns,
    trends,
    st.lists(amounts, max_size=5).map(tuple),
)
progresses = st.builds(
    CollectionProgress,
    st.integers(1, 10**9),
    names,
    st.just("backfill"),
    st.integers(0, 180),
    st.integers(0, 180),
    st.just("running"),
    st.none() | amounts,
)
setups = st.builds(SetupProgress, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.just(1))
home_reports = st.builds(
    HomeReport,
    figures,
    figures,
    figures,
    figures,
    figures,
    breakdowns,
    trends,
    setups,
    st.lists(st.builds(BlindConnection, names, moments, st.none() | names), max_size=8).map(tuple),
    st.lists(progresses, max_size=8).map(tuple),
    st.lists(amounts, max_size=5).map(tuple),
    st.booleans(),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
