"""Value in words: one line beside every amount, the window about one project, tokens shown once, one-tap ratings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import digest, event_tokens, home, ids, kit, project_detail, ratings, status, value
from finops.caps import SEED_CAPS, Cap, CapSeen, CapsUnreadable, read_caps, written
from finops.charges import FigureState
from finops.digest import DigestVersion
from finops.figures import HomeValues, Scope, breakdown_of, increase
from finops.money import Money, to_units
from finops.project_report import ProjectReport, TokenShown
from finops.queries import NamedPeriod, PeriodName, ScopeKind
from finops.value import NO_VALUE, Interval, ValueFigure, ValueSource, ValueSums, figure, named
from tests.unit import digesting as told
from tests.unit.saying import (
    LANGUAGES,
    SHARES,
    TEAM,
    WEEK,
    a_figure,
    a_home,
    a_project,
    a_status,
    a_trend,
    names,
    reader,
    status_reports,
)
from tests.unit.test_blocks_limits import hurried, languages, refused, refused_view

USED_AT = datetime(2026, 7, 5, 23, 12, tzinfo=UTC)


def a_value(good: int = 1204, bad: int = 96, cost: str = "25.60", asked: int = 1400) -> ValueFigure:
    """1,204 successes of 1,300 calls that the provider saw 1,400 of."""
    sums = ValueSums(calls=good + bad, successes=good, failures=bad, scored=40, score_sum=33_000)
    return figure(sums, Money.of(cost), asked)


RATED = figure(ValueSums(), ratings=[("U1", 1000), ("U2", 500), ("U3", 1000)])
COUNTED = figure(ValueSums(calls=1204))
FAILED = figure(ValueSums(calls=12, failures=12))
UNPRICED = figure(ValueSums(calls=10, successes=8, failures=2))


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ko", "성공 1,204건 · 1건당 $0.020 (추정, $0.019~0.020)"),
        ("en", "1,204 successes · $0.020 each (estimate, $0.019 to 0.020)"),
        ("ja", "成功 1,204件 · 1件あたり $0.020 (推定、$0.019～0.020)"),
    ],
)
def test_one_line_says_what_the_money_bought(language: str, told: str) -> None:
    """How many, what one cost, between what, and that it is an estimate."""
    assert value.line(a_value(), reader(language)) == told


@pytest.mark.parametrize(
    ("figure_", "line", "cell"),
    [
        (NO_VALUE, "성과 기록 없음", "성과 기록 없음"),
        (RATED, "3명 평가 83점(100점 만점)", "83점(100점 만점)"),
        (COUNTED, "호출 1,204건 기록 · 결과 기록 없음", "성과 기록 없음"),
        (FAILED, "결과 12건 중 성공 없음", "성공 0건"),
        (UNPRICED, "성공 8건 · 성공률 80% (49~94%)", "성공 8건"),
        (a_value(10, 0, "42", 10), "성공 10건 · 1건당 $4.20 (추정, $4.20~5.81)", "성공 1건당 $4.20"),
    ],
)
def test_what_is_not_known_is_said_and_never_a_zero(figure_: ValueFigure, line: str, cell: str) -> None:
    t = reader("ko")
    assert value.line(figure_, t) == line
    assert value.cell(figure_, t) == cell


@pytest.mark.parametrize(
    ("asked", "ends", "cell", "facts"),
    [
        (
            2600,
            "(추정, $0.010~0.011)",
            "성공 1건당 $0.011",
            "전체 호출의 50% 기록됨",
        ),  # half of them speak for the bill
        (2601, "(추정, $0.021~0.022) · 전체 호출의 50% 기준", "성공 1건당 $0.021 (호출의 50% 기준)", None),
        (13_000, "(추정, $0.021~0.022) · 전체 호출의 10% 기준", "성공 1건당 $0.021 (호출의 10% 기준)", None),
        (216_667, "(추정, $0.021~0.022) · 전체 호출의 0.6% 기준", "성공 1건당 $0.021 (호출의 0.6% 기준)", None),
        (10**8, "(추정, $0.021~0.022) · 전체 호출의 <0.1% 기준", "성공 1건당 $0.021 (호출의 <0.1% 기준)", None),
    ],
)
def test_a_figure_of_few_calls_says_so_beside_the_cost(asked: int, ends: str, cell: str, facts: str | None) -> None:
    """So that nobody multiplies it with the cost of all of them."""
    t, few = reader("ko"), figure(some_sums(1204, 96, "25.60"), Money.of("25.60"), asked)
    assert value.line(few, t).endswith(ends)
    assert value.cell(few, t) == cell
    assert value.coverage(few, t) == facts
    assert str(status.message(a_status(value=few), t).blocks).count("전체 호출의") == 1


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("ko", "성공 6건 · 전체 호출 중 결과 확인 0.6%"),
        ("en", "6 successes · outcome known for 0.6% of the calls"),
        ("ja", "成功 6件 · 全呼び出しのうち結果が分かるのは 0.6%"),
    ],
)
def test_a_few_known_ends_of_many_calls_are_told_as_what_they_are(language: str, told: str) -> None:
    few = figure(ValueSums(calls=1000, successes=6), Money.of("200"), 1000)
    assert value.line(few, reader(language)) == told


def test_a_line_has_one_share_and_no_second_one_of_another_whole() -> None:
    """44% recorded, and the end of a quarter of those known: of all calls that is 11%, and nobody multiplies."""
    t, sums = reader("ko"), ValueSums(calls=440, successes=100, failures=10)
    assert value.line(figure(sums, Money.of("200"), 1000), t) == "성공 100건 · 전체 호출 중 결과 확인 11%"
    assert value.line(figure(sums, Money.of("200"), None), t) == "성공 100건 · 기록된 호출 중 결과 확인 25%"


def test_how_much_was_recorded_stands_once_in_the_small_print_of_a_digest() -> None:
    """Not in the line of what the money bought, which has its own figures; in Slack and by mail, in both versions."""
    t, seen = reader("ko"), "전체 호출의 55% 기록됨"
    half = told.a_digest(value=figure(some_sums(1204, 96, "25.60"), Money.of("25.60"), 2364))
    for version in DigestVersion:
        shown = told.shown(half, version)
        root, (_, text, page) = digest.root(shown, t), digest.mail(shown, t)
        [place] = [block["type"] for block in root.plain_blocks if seen in str(block)]
        assert place == "context"
        assert [line for line in text.split("\n") if seen in line] == [seen]
        assert page.count(seen) == 1


def test_a_report_says_its_value_beside_each_of_its_amounts() -> None:
    """Under the headline, in the notification, and in the table of projects; the unallocated has none."""
    shares = [replace(each, value=a_value() if n == 0 else NO_VALUE) for n, each in enumerate(SHARES)]
    message = status.message(a_status(value=a_value(), breakdown=breakdown_of(shares)), reader("ko"))
    assert "성공 1건당 $0.020" in str(message.blocks)
    assert "성공 1,204건" in message.text
    [table] = [block for block in message.blocks if block["type"] == "table"]
    column = [row[2]["text"] for row in table["rows"]]
    assert column[0] == "성과"
    assert column.count("성공 1건당 $0.020") == 1
    assert column[-2:] == ["-", "-"]


def test_home_says_the_value_of_each_amount_or_once_that_there_is_none() -> None:
    t = reader("ko")
    assert str(home.view(a_home(), t)).count("성과 기록 없음") == 1
    shown = str(home.view(a_home(value=HomeValues(last_week=a_value())), t))
    assert shown.count("성공 1,204건 · 1건당 $0.020 (추정") == 1
    assert shown.count("성과 기록 없음") == 3


def some_sums(good: int, bad: int, cost: str) -> ValueSums:
    nano, rest = to_units(Decimal(cost))
    calls = good + bad
    return ValueSums(calls=calls, successes=good, failures=bad, priced=calls, cost_nano=nano, cost_rest=rest)


def a_report(**changes: Any) -> ProjectReport:
    now, before = a_figure("25.60"), a_figure("20.00", WEEK.before())
    query = NamedPeriod(PeriodName.LAST_7_DAYS, WEEK)
    scope = Scope(ScopeKind.PROJECT, 1, "chatbot-experiment")
    found = a_status(
        scope=scope, query=query, figure=now, previous=before, increase=increase(now, before),
        trend=a_trend(("3.10", "3.30", None, "4.20", "4.80", "5.10", "5.10")), value=changes.pop("value", a_value()),
    )  # fmt: skip
    days = [a_value(n * 40, n) if n else NO_VALUE for n in (3, 4, 0, 5, 5, 6, 7)]
    given: dict[str, Any] = {
        "project": a_project(),
        "team": TEAM,
        "status": found,
        "trend_values": tuple(days),
        "tasks": tuple(named([("summary", some_sums(900, 40, "12")), ("reply", some_sums(304, 56, "11.2"))])),
        "experiments": tuple(named([("short-prompt", some_sums(300, 9, "2.1")), ("", ValueSums())])[:1]),
        "caps": (CapSeen(1, "sales", SEED_CAPS["sales"], 3, Money.of("0.031"), Money.of("1.8")),),
        "target": Money.of("0.018"),
        "last_event_at": USED_AT,
        "tokens": (TokenShown(5, "web-backend", "x7Qa", "U0JIHOON01", USED_AT, USED_AT),),
    }
    return ProjectReport(**(given | changes))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_about_one_project_word_for_word(language: str, said: SnapshotAssertion) -> None:
    """For who answers for it, for a member, and before anything is recorded."""
    t = reader(language)
    bare: Any = {"value": NO_VALUE, "tasks": (), "experiments": (), "caps": (), "target": None, "trend_values": (),
                 "last_event_at": None}  # fmt: skip
    views = [
        project_detail.view(a_report(), t),
        project_detail.view(a_report(tokens=None), t),
        project_detail.view(a_report(tokens=(), **bare), t, notice="ok"),
        project_detail.target(t, a_project(), "0.018", "last_7_days"),
        project_detail.caps(t, "*: 0.05 / 5", 1, "last_7_days", "problem"),
        event_tokens.new(t, a_project(), "last_7_days"),
        event_tokens.made(t, a_project(), "fin_" + "x" * 43, a_report().tokens[0], "https://finops.example"),  # type: ignore[index]
    ]
    assert [fault for view in views for fault in refused_view(view)] == []
    assert views == said


def test_caps_that_do_not_fit_are_not_saved_as_others() -> None:
    """The window takes as much as Slack does. Cut within an amount, the last cap would be another one."""
    small, large = Money.of("0.5"), Money.of("500")
    whole = written(
        [*(Cap(f"{number:050}", small, Money.of("5")) for number in range(49)), Cap("x" * 50, small, large)]
    )
    assert read_caps(whole[:3000])[-1].per_user_day == Money.of("50")
    view = project_detail.caps(reader("ko"), whole, 1, "last_7_days")
    [field] = [one["element"] for one in view["blocks"] if one.get("block_id") == ids.CAPS_TEXT]
    with pytest.raises(CapsUnreadable):
        read_caps(field["initial_value"])


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("0.018", "⚠️ 목표($0.018)보다 10% 높습니다"),
        ("0.04", "✅ 목표($0.04)보다 51% 낮습니다"),
        ("0.0197", "목표와 같습니다($0.0197)"),
    ],
)
def test_a_target_says_how_far_away_it_is(goal: str, words: str) -> None:
    assert words in str(project_detail.view(a_report(target=Money.of(goal)), reader("ko")))


def test_who_may_not_manage_has_no_button_for_it() -> None:
    shown = str(project_detail.view(a_report(tokens=None), reader("ko")))
    assert not [one for one in (ids.TOKEN_NEW, ids.TOKEN_REVOKE, ids.TARGET_EDIT, ids.CAPS_EDIT) if one in shown]
    assert "x7Qa" not in shown


def test_a_range_narrower_than_its_figure_is_left_out() -> None:
    """79% (79~79%) tells nobody anything; a wide one is told."""
    found = ValueFigure(ValueSource.EVENTS, outcomes=9, success_ratio=Decimal("0.7901"))
    narrow = replace(found, success_interval=Interval(Decimal("0.7899"), Decimal("0.7903")))
    assert value.ratio(narrow, reader("ko")) == "79%"
    wide = replace(found, success_interval=Interval(Decimal("0.5"), Decimal("0.9")))
    assert value.ratio(wide, reader("ko")) == "79% (50~90%)"


@given(status_reports, names, languages, st.booleans())
@settings(hurried, max_examples=10)
def test_any_project_fits_slack(report: Any, name: str, language: str, manages: bool) -> None:
    """Whatever the amounts and names are."""
    tokens = tuple(TokenShown(n, name, "abcd", "U1", USED_AT) for n in range(20)) if manages else None
    found = replace(
        a_report(tokens=tokens),
        status=replace(report, value=a_value()),
        project=replace(a_project(), name=name or "-"),
        trend_values=(NO_VALUE,) * len(report.trend),
        tasks=tuple(named([(f"{name}{n}", some_sums(n, 1, "0.001")) for n in range(12)])),
    )
    assert refused_view(project_detail.view(found, reader(language))) == []


@dataclass(frozen=True)
class AProject:
    project_id: int
    name: str


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rating_is_asked_with_three_buttons_that_say_what_they_carry(language: str) -> None:
    t = reader(language)
    question, buttons = ratings.rating_block(AProject(12, "batch <jobs>"), WEEK, t)
    assert "batch &lt;jobs&gt;" in question["text"]["text"]
    carried = [ratings.parsed(each["value"]) for each in buttons["elements"]]
    assert carried == [(12, WEEK.start, score) for score in (1000, 500, 0)]
    assert refused(kit.message("x", [question, buttons])) == []
    said = set()
    for how in ({}, {"was_changed": True}, {"is_same": True}):
        told = ratings.thanks("batch <jobs>", 12, WEEK.start, 500, t, **how)
        assert refused(told) == []
        [back] = told.blocks[-1]["elements"]
        assert (back["action_id"], ratings.parsed(back["value"])) == (ids.RATE_WITHDRAW, (12, WEEK.start, 500))
        said.add(told.text)
    assert len(said) == 3
    assert refused(ratings.withdrawn("batch <jobs>", t)) == []


@given(st.text(max_size=40))
def test_a_rating_somebody_made_up_is_none(text: str) -> None:
    found = ratings.parsed(text)
    assert found is None or found[2] in ratings.SCORES


def test_a_project_today_is_not_held_against_yesterday() -> None:
    """Half a day is not less than a whole one; it was said that nothing had been charged the day before."""
    report = a_report()
    today = replace(report.status.figure, state=FigureState.ESTIMATE)
    told = str(
        project_detail.view(replace(report, status=replace(report.status, figure=today, increase=None)), reader("ko"))
    )
    assert "직전 기간" not in told
