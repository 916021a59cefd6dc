"""Every message, word for word, in three languages; beside each snapshot the number or sentence that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import bad_news, charts, collection, doctor, home, ids, keys, kit, projects, setup, status, teams, trials
from blocks import help as help_
from finops.charges import FigureState
from finops.figures import DayFigure, Figure, Scope, SetupProgress, increase
from finops.money import Money
from finops.periods import Period
from finops.queries import NamedPeriod, PeriodName, ScopeKind
from finops.registry import KnownProject
from finops.trials import Trial
from locales import Translator
from tests.unit.saying import (
    BLIND,
    CREDENTIAL,
    DATA_TEAM,
    LANGUAGES,
    NOTHING,
    PROGRESS,
    TEAM,
    TODAY,
    WEEK,
    a_figure,
    a_home,
    a_known_project,
    a_project,
    a_status,
    a_trend,
    an_empty_home,
    reader,
)

SINCE = datetime(2026, 7, 5, 22, 40, tzinfo=UTC)
UNTIL = datetime(2026, 7, 6, 0, 55, tzinfo=UTC)


@dataclass(frozen=True)
class News:
    """Bad news, or a finding of the doctor."""

    code: str
    kind: str = "refusal"
    level: str = "ok"
    values: dict[str, object] = field(default_factory=dict)
    reference: str | None = None


def not_yet() -> Any:
    today = Period(TODAY, TODAY + timedelta(days=1))
    return a_status(
        query=NamedPeriod(PeriodName.TODAY, today),
        figure=Figure(None, today, FigureState.BLIND, None, open_days=1),
        increase=None,
        breakdown=NOTHING,
        trend=(),
    )


def blind() -> Any:
    return a_status(
        figure=Figure(None, WEEK, FigureState.BLIND, None, unread_days=7, blind_since=SINCE),
        increase=None,
        breakdown=NOTHING,
        trend=a_trend((None,) * 7),
    )


def of_a_project() -> Any:
    yesterday = Period(TODAY - timedelta(days=1), TODAY)
    return a_status(
        scope=Scope(ScopeKind.PROJECT, 1, "chatbot-experiment"),
        query=NamedPeriod(PeriodName.YESTERDAY, yesterday),
        figure=a_figure("0.0042", yesterday, FigureState.SETTLED),
        previous=a_figure("0", yesterday.before(), FigureState.SETTLED),
        increase=None,
        trend=a_trend(("0.0042",)),
        other_currencies=(Money.of("12000", "KRW"), Money.of("0.5", "EUR")),
    )


JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
FINDINGS = [
    News("slack_token"),
    News("slack_scopes", level="warn", values={"missing": ("usergroups:read",)}),
    News("clock", values={"skew_seconds": -1.2}),
    News("database", values={"dialect": "sqlite", "milliseconds": 3}),
    News("keys", level="fail", values={"enabled": 1, "disabled": 2}),
    News("key_expiry", level="warn", values={"ends_with": "abc1", "days_left": 3}),
    News("connection", level="fail", values={"name": "한빛소프트", "since": SINCE, "code": "key_rejected"}),
    News("collection", values={"name": "한빛소프트", "age_minutes": 200}),
    News("queue", level="warn", values={"waiting": 2, "oldest_minutes": 14}),
]
EMPTY = SetupProgress(has_team=False, has_key=False, has_projects=False, has_charges=False, is_proved=False)
HALF = SetupProgress(has_team=True, has_key=False, has_projects=False, has_charges=False, team_id=1, is_proved=False)
WAITING = SetupProgress(has_team=True, has_key=True, has_projects=True, has_charges=False, team_id=1)
UNPROVED = replace(WAITING, is_proved=False)
TRIAL = Trial("trial:1:1", "T0FINOPS01", TEAM.id, "C0MARKET01", "U0JIHOON01", SINCE)
PRESSED = replace(
    TRIAL,
    delivered_at=SINCE + timedelta(milliseconds=840),
    pressed_by="U0MINSU001",
    clicked_at=SINCE + timedelta(seconds=30),
    heard_at=SINCE + timedelta(seconds=30, milliseconds=120),
)
PROJECTS = [a_project(), a_project(2, "batch", excluded=True)]
Said = Callable[[Translator], kit.Message]
Seen = Callable[[Translator], kit.View]

MESSAGES: dict[str, Said] = {
    "status": lambda t: status.message(a_status(), t, mark="1", may_register=True),
    "status_member": lambda t: status.message(a_status(), t, mark="1"),
    "status_shared": lambda t: status.message(a_status(), t, shared_by="U0JIHOON01"),
    "status_not_yet": lambda t: status.message(not_yet(), t),
    "status_blind": lambda t: status.message(blind(), t),
    "status_project": lambda t: status.message(of_a_project(), t),
    "status_nothing": lambda t: status.message(
        a_status(figure=a_figure("0", WEEK, FigureState.SETTLED), increase=None, breakdown=NOTHING, trend=()), t
    ),
    "collection_progress": lambda t: collection.progress(PROGRESS, t),
    "collection_started": lambda t: collection.started((PROGRESS,), ("Beta",), t),
    "collection_first_chart": lambda t: collection.first_chart(PROGRESS, a_status(), t),
    "collection_finished": lambda t: collection.finished(PROGRESS, t, restated_days=2),
    "collection_empty": lambda t: collection.finished(PROGRESS, t, is_empty=True),
    "collection_failed": lambda t: collection.failed(PROGRESS, "key_rejected", {}, "K7Q2XW", t),
    "collection_retrying": lambda t: collection.failed(PROGRESS, "unavailable", {}, None, t, retry_at=UNTIL),
    "collection_blind": lambda t: collection.blind("한빛소프트", SINCE, "unavailable", {}, t),
    "collection_limited": lambda t: collection.failed(
        PROGRESS, "rate_limited", {"retry_after": 1.0}, None, t, retry_at=UNTIL
    ),
    "collection_nonsense": lambda t: collection.blind("한빛소프트", SINCE, "unexpected_response", {}, t),
    "collection_blinked": lambda t: collection.recovered("한빛소프트", SINCE, SINCE + timedelta(seconds=20), t),
    "collection_recovered": lambda t: collection.recovered("한빛소프트", SINCE, UNTIL, t),
    "help_admin": lambda t: help_.message(t, is_admin=True),
    "help_member": lambda t: help_.message(t, is_admin=False),
    "help_with_names": lambda t: help_.message(
        t, is_admin=False, teams=["마케팅팀"], projects=["x" * 41, "a`b", "R&D bot"]
    ),
    "help_unknown": lambda t: help_.unknown(t, "sttaus", "status"),
    "doctor": lambda t: doctor.message(FINDINGS, t, has_buttons=True),
    "doctor_to_be_tried": lambda t: doctor.message(
        [News("trial", level="warn")], t, has_buttons=True, teams=[TEAM, DATA_TEAM]
    ),
    "trial": lambda t: trials.message(TRIAL, t),
    "trial_pressed": lambda t: trials.message(PRESSED, t),
    "trial_delivered": lambda t: trials.answer(replace(TRIAL, delivered_at=SINCE + timedelta(seconds=1)), t),
    "trial_uninvited": lambda t: trials.answer(replace(TRIAL, trouble="not_in_channel"), t),
    "trial_repeated": lambda t: trials.repeated(PRESSED, t),
    "key_expires_in_days": lambda t: keys.expiring(t, TEAM, CREDENTIAL, UNTIL, 3),
    "key_expires_today": lambda t: keys.expiring(t, TEAM, CREDENTIAL, UNTIL, 1),
    "key_expired": lambda t: keys.expiring(t, TEAM, CREDENTIAL, SINCE, 0),
    "key_replaced_in_time": lambda t: keys.replaced(t, "abc1", "abc2", "U0JIHOON01", SINCE, UNTIL),
    "key_refused": lambda t: keys.refused(t, is_admin_key=True),
    "bad_news_refusal": lambda t: bad_news.message(News("not_admin", values={"admins": ("U0JIHOON01",)}), t),
    "bad_news_outage": lambda t: bad_news.message(News("unavailable", kind="outage", reference="K7Q2XW"), t),
    "bad_news_bug": lambda t: bad_news.message(News("internal", kind="bug", reference="K7Q2XW"), t),
}
VIEWS: dict[str, Seen] = {
    "home": lambda t: home.view(a_home(), t),
    "home_troubled": lambda t: home.view(a_home(blind=(BLIND,), collections=(PROGRESS,)), t),
    "home_read_at_two_times": lambda t: home.view(
        a_home(last_month=a_figure("1850.4", JUNE, FigureState.SETTLED, as_of=SINCE)), t
    ),
    "home_empty": lambda t: home.view(an_empty_home(EMPTY), t),
    "home_half_set_up": lambda t: home.view(an_empty_home(HALF, team_count=1), t),
    "home_waiting": lambda t: home.view(an_empty_home(WAITING, collections=(PROGRESS,)), t),
    "home_to_be_tried": lambda t: home.view(an_empty_home(UNPROVED, collections=(PROGRESS,)), t),
    "home_member": lambda t: home.view(an_empty_home(HALF, is_admin=False), t),
    "setup_team": lambda t: setup.team(t, user_id="U0JIHOON01", channel_id="C0MARKET01"),
    "setup_team_further": lambda t: setup.team(t, user_id="U0JIHOON01", is_further=True),
    "setup_key": lambda t: setup.key(t, TEAM),
    "setup_projects": lambda t: setup.projects(t, TEAM, found=204, may_list=True),
    "setup_projects_unlisted": lambda t: setup.projects(t, TEAM, may_list=False),
    "setup_waiting": lambda t: setup.waiting(t, [collection.line(PROGRESS, t)], UNPROVED),
    "setup_loading": setup.loading,
    "setup_checking": setup.checking,
    "key_registered": lambda t: keys.registered(
        t, TEAM, CREDENTIAL, organization="한빛소프트", rights=CREDENTIAL.rights, projects_found=204
    ),
    "key_registered_beside": lambda t: keys.registered(
        t, TEAM, CREDENTIAL, organization="한빛소프트", rights=CREDENTIAL.rights, is_shared=True, others=["다른회사"]
    ),
    "keys": lambda t: keys.manage(t, [TEAM, DATA_TEAM], TEAM, [CREDENTIAL]),
    "keys_with_an_end": lambda t: keys.manage(t, [TEAM], TEAM, [replace(CREDENTIAL, expires_at=UNTIL)]),
    "projects_registered": lambda t: projects.registered(
        t,
        TEAM,
        PROJECTS,
        [a_known_project(3, "taken", DATA_TEAM)],
        collection_started=True,
        has_history=False,
        is_setup=True,
    ),
    "projects": lambda t: projects.manage(t, [TEAM, DATA_TEAM], TEAM, PROJECTS, chosen=PROJECTS[0]),
    "project_edit": lambda t: projects.edit(t, PROJECTS[0], TEAM),
    "teams": lambda t: teams.manage(t, [TEAM, DATA_TEAM]),
    "team_edit": lambda t: teams.edit(t, TEAM),
    "team_approvers": lambda t: teams.approvers(t, TEAM, [("S0FINANCE1", "재무팀")]),
}


@pytest.fixture
def words(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MESSAGES)
def test_messages_word_for_word(words: SnapshotAssertion, name: str, language: str) -> None:
    """Reviewed like copy: a change of wording shows as a change of this file."""
    assert MESSAGES[name](reader(language)).arguments() == words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_windows_and_home_word_for_word(words: SnapshotAssertion, name: str, language: str) -> None:
    """The same for windows and Home."""
    assert VIEWS[name](reader(language)) == words


def said(message: kit.Message) -> str:
    return f"{message.text}\n{message.blocks}"


def test_the_golden_increase_reads_the_same_in_every_language() -> None:
    """742 against 50 is 1,384 % more."""
    for language in LANGUAGES:
        assert "1,384%" in MESSAGES["status"](reader(language)).text


@pytest.mark.parametrize(("now", "before"), [("-120", "50"), ("50", "-120"), ("-3", "-4")])
def test_a_period_of_more_credits_than_cost_is_not_compared_and_not_called_one_without_charges(
    now: str, before: str
) -> None:
    """Nobody spends 340 % less, and a credit is not nothing."""
    was, is_now = a_figure(before, WEEK.before(), FigureState.SETTLED), a_figure(now, WEEK, FigureState.SETTLED)
    report = a_status(figure=is_now, previous=was, increase=increase(is_now, was))
    told = said(status.message(report, reader("ko")))
    assert (
        f"크레딧이 비용보다 많은 기간이 있어 비교하지 않았습니다(직전 기간 {reader('ko').money(was.amount)})." in told
    )
    assert "%" not in status.message(report, reader("ko")).text


def test_the_headline_answers_who_when_and_how_much_in_one_line() -> None:
    """Two seconds: whose, which period, how much."""
    blocks = MESSAGES["status"](reader("ko")).blocks
    assert blocks[0]["text"]["text"] == "전체 · 최근 7일 · $742.00"
    assert blocks[2]["elements"][0]["text"] == (
        "◐ 잠정 · 6월 29일 09:00부터 7월 6일 09:00까지 · 7월 6일 09:05 기준(KST)"
    )


def test_amounts_in_the_table_add_up_to_the_total_shown() -> None:
    """412.205 and 29.695 both end in half a cent; what is shown still sums to 742.00."""
    table = next(block for block in MESSAGES["status"](reader("en")).blocks if block["type"] == "table")
    *parts, whole = [row[2]["text"] for row in table["rows"][1:]]
    cents = sum(int(part.replace("$", "").replace(".", "").replace(",", "")) for part in parts)
    assert (cents, whole) == (74200, "$742.00")


def test_the_same_amount_is_written_the_same_everywhere_in_a_message() -> None:
    """The unallocated cost is $29.69 in the table, so it is nowhere $29.70."""
    assert "29.70" not in said(MESSAGES["status"](reader("ko")))


def test_a_day_we_could_not_read_is_left_out_of_the_chart_and_named() -> None:
    """An empty bar would read as zero."""
    blocks = MESSAGES["status"](reader("ko")).blocks
    chart = next(block for block in blocks if block["type"] == "data_visualization")
    assert "7/1" not in chart["chart"]["axis_config"]["categories"]
    assert "7/1" in str(blocks)


def test_what_is_unknown_is_never_shown_as_zero() -> None:
    """Neither today's costs before they are collected nor those of a provider we cannot read."""
    for name in ("status_not_yet", "status_blind"):
        for language in LANGUAGES:
            assert "$0" not in said(MESSAGES[name](reader(language)))
    assert "확인 불가" in MESSAGES["status_blind"](reader("ko")).text
    assert "집계 전" in MESSAGES["status_not_yet"](reader("ko")).text


def test_less_than_a_cent_is_not_nothing() -> None:
    """$0.0042 would round to $0.00."""
    assert "$0.0042" in MESSAGES["status_project"](reader("ko")).text


def test_a_shared_report_has_no_buttons_and_says_who_shared_it() -> None:
    """Others see the figures, not our way of asking again."""
    message = MESSAGES["status_shared"](reader("ko"))
    assert "actions" not in [block["type"] for block in message.blocks]
    assert "<@U0JIHOON01> 님이 공유했습니다" in str(message.blocks)


@pytest.mark.parametrize("channel_id", ["C0MARKET01", "D0JIHOON01"])
def test_where_it_was_shared_is_named_by_what_has_a_name(channel_id: str) -> None:
    """Slack shows `<#D0JIHOON01>` as it is, or as an unknown channel: a direct conversation is none."""
    told = status.shared(reader("ko"), channel_id).text
    assert told == ("이 대화에 공유했습니다." if channel_id.startswith("D") else "<#C0MARKET01> 채널에 공유했습니다.")


def test_the_sentences_of_the_requirements_are_kept() -> None:
    """The two success messages, letter for letter."""
    t = reader("ko")
    assert "Admin API Key가 등록되었습니다 (ends with ...abc1)" in str(VIEWS["key_registered"](t))
    view = projects.registered(t, TEAM, PROJECTS, [], collection_started=False, has_history=False)
    assert "Project ID가 등록되었습니다. 내일부터 비용 데이터가 수집됩니다." in str(view)


def test_who_registered_nothing_is_led_back_to_the_choice() -> None:
    """Every project chosen was another team's: the set-up went on to try an alert, and the team stayed empty."""
    t = reader("ko")
    taken = [KnownProject(1, "proj_1", "chatbot", is_archived=False, team_id=TEAM.id + 1, team_name="데이터팀")]
    chosen = [
        str(projects.registered(t, TEAM, own, taken, collection_started=False, has_history=True, is_setup=True))
        for own in (PROJECTS, [])
    ]
    assert [ids.PROJECT_NEW in each for each in chosen] == [False, True]
    assert [ids.TRIAL_SEND in each for each in chosen] == [True, False]


def test_disabling_a_key_says_that_spending_does_not_stop() -> None:
    """Before, in the question, and after, in the answer."""
    t = reader("ko")
    assert "수집만 중단됩니다" in str(VIEWS["keys"](t))
    assert "지출은 멈추지 않습니다" in keys.changed_words(t, "disabled", CREDENTIAL, still_collected=False)


def test_every_change_of_a_key_or_project_has_its_own_words() -> None:
    """Four things can happen to a key, three to a project, with or without another key."""
    for language in LANGUAGES:
        t = reader(language)
        told = {
            keys.changed_words(t, change, CREDENTIAL, still_collected=still)
            for change in ("disabled", "enabled", "deleted", "replaced")
            for still in (True, False)
        }
        assert len(told) == 6
        assert len({projects.changed_words(t, change, PROJECTS[0]) for change in ("excluded", "included", "gone")}) == 3


def test_set_up_never_asks_more_than_three_things_at_once() -> None:
    """At most three inputs a step; who comes back for more teams, or for a change, finds the language besides."""
    for name, most in (
        ("setup_team", 3), ("setup_key", 3), ("setup_projects", 3), ("setup_team_further", 4), ("team_edit", 4),
    ):  # fmt: skip
        inputs = [block for block in VIEWS[name](reader("ko"))["blocks"] if block["type"] == "input"]
        assert 1 <= len(inputs) <= most


def test_a_member_is_not_offered_what_would_be_refused() -> None:
    """Registering is for admins and leads; others learn whom to ask, and may still share."""
    t = reader("ko")
    assert "project.new" in str(MESSAGES["status"](t).blocks)
    assert "project.new" not in str(MESSAGES["status_member"](t).blocks)
    assert "관리자가 프로젝트를 등록하면" in str(MESSAGES["status_member"](t).blocks)


def test_every_cost_stands_beside_its_value() -> None:
    """Nobody has recorded outcomes yet, and the report says so; where there is no cost there is nothing to compare."""
    t = reader("ko")
    for name in ("status", "status_shared", "status_project", "collection_first_chart"):
        assert "성과 기록 없음" in str(MESSAGES[name](t).blocks)
    assert "성과 기록 없음" in str(VIEWS["home"](t))
    assert "성과 기록 없음" not in str(MESSAGES["status_not_yet"](t).blocks)


def test_the_check_up_speaks_of_time_as_people_do() -> None:
    """Just now, minutes, hours; and none instead of zero."""
    t = reader("ko")
    told = [doctor.words(News("collection", values={"name": "A", "age_minutes": n}), t) for n in (0, 12, 60, 190)]
    assert [words.split("비용을 ")[1] for words in told] == [
        "방금 수집했습니다.",
        "12분 전에 수집했습니다.",
        "1시간 전에 수집했습니다.",
        "3시간 전에 수집했습니다.",
    ]
    assert doctor.words(News("queue", values={"waiting": 0, "oldest_minutes": 0}), t) == "대기 중인 수집이 없습니다."
    assert "1초" in doctor.words(News("clock", values={"skew_seconds": 0.2}), t)
    off = [doctor.words(News("clock", level="fail", values={"skew_seconds": n}), t) for n in (-400.0, 34674.0, 7200)]
    assert [words.split(" 다릅니다")[0].removeprefix("서버 시계가 Slack과 ") for words in off] == [
        "7분",
        "9시간 38분",
        "2시간",
    ]


def test_a_shorter_week_does_not_read_as_a_drop() -> None:
    """30 days are four weeks and two days; the bar of two days says so."""
    points = [DayFigure(date(2026, 6, 6), Money.of("80"), FigureState.SETTLED, 2)]
    points += [DayFigure(date(2026, 6, 8 + 7 * n), Money.of("280"), FigureState.SETTLED, 7) for n in range(3)]
    for name, label in (("ko", "6/6-6/7"), ("en", "Jun 6-Jun 7"), ("ja", "6/6-6/7")):
        [drawn] = charts.trend(points, reader(name))
        assert isinstance(drawn, kit.Either)
        assert drawn.rich["chart"]["axis_config"]["categories"][0] == label
        assert [len(label) <= 20 for label in drawn.rich["chart"]["axis_config"]["categories"]] == [True] * 4


def test_figures_of_different_times_say_which_is_which() -> None:
    """Last month was read last night, the rest this morning; on most days one time is enough."""
    context = next(b for b in VIEWS["home_read_at_two_times"](reader("ko"))["blocks"] if b["type"] == "context")
    said_ = context["elements"][0]["text"]
    assert said_.startswith("어제, 지난주, 이번 달 누적: 7월 6일 09:05 기준(KST) · 지난달: 7월 6일 07:40 기준(KST)")


def test_a_key_just_typed_is_told_what_became_of_it() -> None:
    """Nothing stood on it: no talk of teams and stored costs, but that it was not saved."""
    said_ = bad_news.typed_key_words(News("key_rejected", kind="outage"), reader("ko"))
    assert "저장하지 않았습니다" in said_
    assert bad_news.typed_key_words(News("unavailable", kind="outage"), reader("ko")) == bad_news.sentence(
        News("unavailable", kind="outage"), reader("ko")
    )


def test_home_of_a_newcomer_teaches_the_next_step() -> None:
    """One primary button: the step that is due, and none that would be refused."""
    for name, label in (("home_empty", "설정 시작하기"), ("home_half_set_up", "키 등록")):
        blocks = VIEWS[name](reader("ko"))["blocks"]
        buttons = [e for block in blocks if block["type"] == "actions" for e in block["elements"]]
        assert [b["text"]["text"] for b in buttons if b.get("style") == "primary"] == [label]
    assert "setup.next" not in str(VIEWS["home_member"](reader("ko")))


def test_home_shows_state_and_time_on_every_figure() -> None:
    """Yesterday, last week, this month so far, last month; and the table of the last seven days."""
    blocks = VIEWS["home"](reader("ko"))["blocks"]
    at = next(number for number, block in enumerate(blocks) if "fields" in block)
    fields = blocks[at]["fields"]
    assert len(fields) == 4
    assert "기준(KST)" in blocks[at + 1]["elements"][0]["text"]
    for each in fields:
        assert any(state in each["text"] for state in ("잠정", "확정"))
    largest = next(block for block in blocks if "상위 5개 프로젝트" in str(block.get("text")))
    assert largest["text"]["text"] == "*상위 5개 프로젝트 · 최근 7일*\n◐ 잠정 · 6/29 ~ 7/5"


def test_the_open_day_is_not_said_to_be_in_the_month_so_far() -> None:
    """On 6 July the month to date ends with 5 July, and not a day later."""
    field_ = next(block for block in VIEWS["home"](reader("ko"))["blocks"] if "fields" in block)["fields"][2]
    assert "7/1 ~ 7/5" in field_["text"]


def test_a_question_in_a_button_comes_back_whole() -> None:
    """Keys only: kind, id, period, and what tells renderings apart."""
    question = status.Question(ScopeKind.TEAM, 7, "days:14", "1783.5")
    assert status.Question.parse(str(question)) == question
    assert status.Question.parse("workspace//last_7_days") == status.Question(ScopeKind.WORKSPACE, None, "last_7_days")
    for nonsense in ("", "team", "team/7", "galaxy/1/today", "team/x/today"):
        assert status.Question.parse(nonsense) is None


def test_buttons_carry_keys_never_names_or_amounts() -> None:
    """What a button sends back is looked up again; it proves nothing by itself."""
    for name, build in (MESSAGES | VIEWS).items():
        surface = build(reader("ko"))
        blocks = surface.blocks if isinstance(surface, kit.Message) else surface["blocks"]
        for block in blocks:
            for element in block.get("elements", []):
                value = element.get("value", "") if block["type"] == "actions" else ""
                assert "$" not in value, name
                assert "마케팅" not in value, name


def test_a_shifted_month_reads_naturally_in_another_time_zone() -> None:
    """A charge day begins at 20:00 of the day before in New York, and says so."""
    assert reader("en").span(Period(date(2026, 7, 5), TODAY)) == "24 hours from Jul 4 20:00"
