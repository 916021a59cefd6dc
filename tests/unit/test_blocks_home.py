"""Home for one reader: what waits for them, how well their figures are founded, and where they can go from here."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import figures, home, home_value, ids, incidents, kit, status, stop_beside, stop_form, teams, value
from finops.approvals import ApprovalShown, HomeReader, WaitingFor
from finops.figures import HomeValues, Scope, SetupProgress, Share, breakdown_of
from finops.incident_report import LiveReport
from finops.money import Money
from finops.owners import Because, Suggested, Unowned
from finops.queries import ScopeKind
from finops.value import NO_VALUE, MoneyInterval, ValueFigure, ValueSource
from tests.unit import saying_live
from tests.unit import stopping_said as told
from tests.unit.saying import (
    BLIND,
    DATA_TEAM,
    LANGUAGES,
    NOTHING,
    PROGRESS,
    TEAM,
    a_home,
    a_status,
    an_empty_home,
    reader,
)
from tests.unit.slack_limits import of_view

LINK = "https://hanbit.slack.com/archives/C0MARKET01/p1783314202000100"
WAITING = (
    ApprovalShown(WaitingFor.SECOND, stop=told.pending(), link=LINK),
    ApprovalShown(WaitingFor.LIMIT, incident=saying_live.shown(), link=LINK),
    ApprovalShown(WaitingFor.RESTORE, stop=told.proved(), link=LINK),
    ApprovalShown(WaitingFor.RESTORE, stop=told.slowed()),
    ApprovalShown(WaitingFor.END, stop=told.allowed(), link=LINK),
)
ASKED = (
    ApprovalShown(WaitingFor.SECOND, stop=told.asked(), link=LINK),
    ApprovalShown(WaitingFor.SECOND, stop=told.pending()),
)
APPROVER = HomeReader(WAITING, 7, manages=True, asked=ASKED, asked_count=3)
VALUE = ValueFigure(
    ValueSource.EVENTS, calls=15_000, outcomes=14_000, successes=13_250, cost_per_success=Money.of("0.0142"),
    coverage=Decimal("0.92"), cost_per_success_interval=MoneyInterval(Money.of("0.0131"), Money.of("0.0149")),
)  # fmt: skip


def words_of(view: kit.View) -> str:
    return str(view["blocks"])


def pressed(view: kit.View) -> set[str]:
    """The ids of all that can be pressed."""
    return set(re.findall(r"'action_id': '([a-z_.]+)'", words_of(view)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_my_approvals_word_for_word(snapshot: SnapshotAssertion, language: str) -> None:
    """Each with its name, what is asked, its one button and the way to its message."""
    blocks = home.view(a_home(), reader(language), APPROVER)["blocks"]
    end = next(place for place, block in enumerate(blocks) if block["type"] == "divider")
    assert blocks[: end + 1] == snapshot.use_extension(JSONSnapshotExtension)


def test_who_asked_for_a_second_person_sees_that_it_waits_and_until_when() -> None:
    """With nothing to press: of their own wish there is nothing that they may agree to."""
    view = home.view(a_home(is_admin=False), reader("ko"), HomeReader(asked=ASKED[:1], asked_count=1))
    header, section, divider = view["blocks"][:3]
    assert (header["text"]["text"], divider["type"]) == ("내 요청 · 1건", "divider")
    first, second = section["text"]["text"].splitlines()
    assert first == "*마케팅팀 · chatbot-experiment*  7월 7일 09:00 KST까지 다른 승인자의 동의를 기다립니다"
    assert second.startswith("⏳ 내가 요청한 내용: 정한 금액까지 허용, $842까지, ")
    assert LINK in second
    assert "accessory" not in section
    assert not pressed(view) & {ids.STOP_AGREE, ids.STOP_DECLINE}


def test_who_approves_nothing_sees_nothing_of_it() -> None:
    """No empty heading; a list that could not be read is called so, for that is not the same as none."""
    t = reader("ko")
    assert "내 승인" not in words_of(home.view(a_home(is_admin=False), t))
    assert "내 승인 목록을 지금 읽지 못했습니다" in words_of(home.view(a_home(), t, HomeReader(is_unread=True)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fullest_home_fits_slack(language: str) -> None:
    """Everything at once: alerts, approvals, blindness, collections, a checklist, figures and every door."""
    live = LiveReport(incidents=(saying_live.shown(),) * 5, incident_count=9)
    setup = SetupProgress(has_team=True, has_key=True, has_projects=False, has_charges=True)
    full = a_home(live=live, blind=(BLIND,) * 9, collections=(PROGRESS,) * 9, setup=setup)
    view = home.view(full, reader(language), APPROVER)
    assert of_view(view) == []
    assert len(view["blocks"]) <= 60


def test_a_cost_per_success_says_how_many_and_of_how_much() -> None:
    """`$0.014 a success` of three calls is another thing than of thirteen thousand."""
    t = reader("ko")
    of_it = "성공 13,250건 · 1건당 $0.014 (추정, $0.013~0.015)"
    assert home_value.lines(VALUE, t) == [of_it, "전체 호출의 92% 기록됨"]
    few = replace(VALUE, coverage=Decimal("0.31"))
    assert home_value.lines(few, t) == [of_it, "전체 호출의 31% 기준"]
    whole = replace(VALUE, coverage=Decimal(1))
    assert home_value.lines(whole, t) == [of_it]
    assert home_value.lines(ValueFigure(ValueSource.NONE), t) == ["성과 기록 없음"]
    view = home.view(a_home(value=HomeValues(yesterday=VALUE)), t)
    assert "성공 13,250건" in words_of(view)


NOTHING_YET = SetupProgress(has_team=False, has_key=False, has_projects=False, has_charges=False)
OF_ALL = {ids.BUDGET_MANAGE}
OF_LEADS = {ids.PROJECT_MANAGE, ids.KEY_MANAGE, ids.DIGEST_SETTINGS, ids.STOP_OPEN, ids.STOP_APPROVE}
OF_ADMINS = {ids.TEAM_MANAGE, ids.CURRENCY_MANAGE, ids.AUDIT_SHOW, ids.COLLECT_NOW}
DOORS: dict[str, tuple[Any, HomeReader, set[str]]] = {
    "newcomer": (an_empty_home(NOTHING_YET, is_admin=False), HomeReader(), set()),
    "member": (a_home(is_admin=False), HomeReader(), OF_ALL),
    "lead": (a_home(is_admin=False), HomeReader(manages=True), OF_ALL | OF_LEADS),
    "admin": (a_home(), HomeReader(manages=True), OF_ALL | OF_LEADS | OF_ADMINS),
}


@pytest.mark.parametrize("who", DOORS)
def test_only_what_would_be_granted_has_a_button(who: str) -> None:
    """Settings of a team for who answers for one, of the workspace for admins; budgets are open to all."""
    report, person, granted = DOORS[who]
    view = home.view(report, reader("ko"), person)
    assert pressed(view) & (OF_ALL | OF_LEADS | OF_ADMINS) == granted
    assert ids.SETUP_NEXT not in pressed(view)
    assert ("*설정*" in words_of(view)) == (granted >= OF_LEADS)


FOOT = {
    "newcomer": {
        "의견 나누기": [ids.FEEDBACK_OPEN, ids.INTERVIEW_OPEN],
        "점검과 도움말": [ids.HELP_SHOW, ids.DOCTOR_SHOW],
    },
    "member": {
        "비용과 예산": [ids.STATUS_SHOW, ids.WHY_SHOW, ids.DIGEST_SHOW, ids.BUDGET_MANAGE],
        "의견 나누기": [ids.FEEDBACK_OPEN, ids.POLL_NEW, ids.DECISION_SHOW, ids.INTERVIEW_OPEN],
        "점검과 도움말": [ids.HELP_SHOW, ids.DOCTOR_SHOW],
    },
    "lead": {
        "비용과 예산": [ids.STATUS_SHOW, ids.WHY_SHOW, ids.DIGEST_SHOW, ids.BUDGET_MANAGE],
        "설정": [ids.PROJECT_MANAGE, ids.KEY_MANAGE, ids.DIGEST_SETTINGS],
        "의견 나누기": [ids.FEEDBACK_OPEN, ids.POLL_NEW, ids.DECISION_SHOW, ids.INTERVIEW_OPEN],
        "점검과 도움말": [ids.HELP_SHOW, ids.DOCTOR_SHOW],
        "복구와 차단": [ids.STOP_APPROVE, ids.STOP_OPEN],
    },
    "admin": {
        "비용과 예산": [ids.STATUS_SHOW, ids.WHY_SHOW, ids.DIGEST_SHOW, ids.BUDGET_MANAGE],
        "설정": [ids.PROJECT_MANAGE, ids.TEAM_MANAGE, ids.KEY_MANAGE, ids.DIGEST_SETTINGS, ids.CURRENCY_MANAGE],
        "의견 나누기": [ids.FEEDBACK_OPEN, ids.POLL_NEW, ids.DECISION_SHOW, ids.INTERVIEW_OPEN],
        "점검과 도움말": [ids.HELP_SHOW, ids.DOCTOR_SHOW, ids.AUDIT_SHOW, ids.COLLECT_NOW],
        "복구와 차단": [ids.STOP_APPROVE, ids.STOP_OPEN],
    },
}  # fmt: skip


@pytest.mark.parametrize("who", DOORS)
def test_the_foot_is_in_order_with_five_buttons_a_group_and_the_stop_last(who: str) -> None:
    """What is asked every day first; a group in which nothing is granted has no heading either."""
    report, person, _ = DOORS[who]
    blocks = home.view(report, reader("ko"), person)["blocks"]
    foot = blocks[max(place for place, block in enumerate(blocks) if block["type"] == "divider") + 1 :]
    told = {
        heading["text"]["text"].strip("*"): [button["action_id"] for button in row["elements"]]
        for heading, row in zip(foot[::2], foot[1::2], strict=True)
    }
    assert list(told.items()) == list(FOOT[who].items())
    assert max(map(len, told.values())) <= 5


@pytest.mark.parametrize(
    ("owned", "head"), [(2, "상위 5개 프로젝트"), (6, "상위 6개 프로젝트"), (7, "상위 5개 프로젝트")]
)
def test_the_largest_projects_are_as_many_as_their_heading_says(owned: int, head: str) -> None:
    """Six are listed by name rather than five and "1 other"; what nobody owns is no project."""
    parts = [Share(f"project-{n}", f"{n}", Money.of("10"), project_id=n) for n in range(1, owned + 1)]
    parts.append(Share("", "", Money.of("5"), is_unallocated=True))
    assert head in words_of(home.view(a_home(top=breakdown_of(parts)), reader("ko")))


def test_the_set_up_is_begun_by_admins_and_everybody_else_reads_who_does_it() -> None:
    """Before there is a team as after it: a button that only refuses is none."""
    for begun in (NOTHING_YET, replace(NOTHING_YET, has_team=True, team_id=1)):
        assert ids.SETUP_NEXT in pressed(home.view(an_empty_home(begun), reader("ko")))
        view = home.view(an_empty_home(begun, is_admin=False), reader("ko"))
        assert ids.SETUP_NEXT not in pressed(view)
        assert "관리자가 설정을 마치면 이곳에 비용이 표시됩니다." in words_of(view)
        first = home.view(an_empty_home(begun, is_admin=False, may_begin=True), reader("ko"))
        assert ids.SETUP_NEXT in pressed(first), "who asks for it first becomes the admin"


def test_an_admin_reaches_every_window_about_teams_alerts_and_stops_with_two_presses() -> None:
    """Language and approvers from the list of teams, and an alert's own acts from its details."""
    t = reader("ko")
    first = pressed(home.view(a_home(live=LiveReport(incidents=(saying_live.shown(),), incident_count=1)), t, APPROVER))
    assert {ids.TEAM_MANAGE, ids.INCIDENT_DETAIL, ids.STOP_OPEN} <= first
    assert {ids.TEAM_EDIT, ids.TEAM_APPROVERS} <= pressed(teams.manage(t, [TEAM]))
    acts = {ids.INCIDENT_STOP, ids.INCIDENT_APPROVE, ids.INCIDENT_LEAD, ids.STOP_CAUSE, ids.INCIDENT_BUDGET}
    assert acts <= pressed(incidents.detail(saying_live.a_detail(), t))
    over = replace(saying_live.a_detail(), shown=saying_live.over())
    assert not acts & pressed(incidents.detail(over, t))
    assert ids.STOP_OPEN in pressed(stop_form.listed(told.a_list(), t))


def test_what_nobody_answers_for_is_listed_with_who_most_likely_does() -> None:
    """A suggestion says what it rests on; who registers no projects is not asked. To the cent, as the table above."""
    t = reader("ko")
    found = (
        Unowned("search-prod", Money.of("412.5"), Suggested(2, Because.NAME, "search-dev"), "데이터팀"),
        Unowned("proj_x<1>", Money.of("50"), Suggested(1, Because.KEY), "마케팅팀"),
        Unowned("", Money.of("1.25")),
    )
    person = HomeReader(manages=True, unowned=found, unowned_count=5, unowned_team=1)
    view = home.view(a_home(), t, person)
    [block] = [one for one in view["blocks"] if "미할당 비용" in str(one.get("text"))]
    assert block["text"]["text"].split("\n") == [
        "*미할당 비용 · 최근 7일*",
        "• *search-prod*  $412.50 · 데이터팀 제안 · search-dev 이름과 비슷함",
        "• *proj_x&lt;1&gt;*  $50.00 · 마케팅팀 제안 · 이 조직의 키를 등록한 팀",
        "• $1.25 · 공급자가 프로젝트를 알려 주지 않은 비용",
        "외 2개",
    ]
    assert (block["accessory"]["action_id"], block["accessory"]["value"]) == (ids.PROJECT_NEW, "1")
    assert of_view(view) == []
    assert "미할당 비용" not in words_of(home.view(a_home(), t, HomeReader(manages=True)))


def test_the_list_of_teams_names_the_language_of_each() -> None:
    """By its own name, as the menu does."""
    said = words_of(teams.manage(reader("ko"), [TEAM, replace(DATA_TEAM, locale="ja-JP")]))
    assert "한국어" in said
    assert "日本語" in said


def test_a_project_that_is_stopped_offers_the_way_out_and_another_the_stop() -> None:
    """While it is put back nothing is to be pressed; a stop of several says that all of them spend again."""
    t = reader("ko")

    def ids_of(shown: Any) -> list[str]:
        return [button["action_id"] for button in stop_beside.buttons(3, shown, t)]

    assert ids_of(None) == ids_of(told.allowed()) == [ids.STOP_OPEN]
    assert ids_of(told.proved()) == [ids.STOP_RESTORE]
    assert ids_of(told.slowed()) == [ids.STOP_OPEN, ids.STOP_RESTORE]
    assert ids_of(told.restoring()) == []
    assert ids_of(told.pending()) == [ids.STOP_AGREE]
    assert ids_of(replace(told.pending(), is_own_wish=True)) == [ids.STOP_DECLINE]
    assert stop_beside.line(None, t) is None
    [restore] = stop_beside.buttons(3, told.partly(), t)
    assert "프로젝트 3개" in restore["confirm"]["text"]["text"]
    assert "프로젝트 3개를 함께" in str(stop_beside.line(told.partly(), t))


def test_a_status_shows_the_stop_to_all_and_its_button_to_those_who_may() -> None:
    """Shared, it is about the figures alone."""
    t = reader("ko")
    report = a_status(scope=Scope(ScopeKind.PROJECT, 1, "chatbot-experiment"))

    def acts_of(**more: Any) -> set[str]:
        blocks = status.message(report, t, mark="1", **more).blocks
        return set(re.findall(r"'action_id': '(stop[a-z_.]+)'", str(blocks)))

    assert (acts_of(), acts_of(may_stop=True)) == (set(), {ids.STOP_OPEN})
    assert (acts_of(stop=told.proved()), acts_of(stop=told.proved(), may_stop=True)) == (set(), {ids.STOP_RESTORE})
    assert acts_of(stop=told.pending(), may_stop=True) == {ids.STOP_AGREE}
    assert "차단 확인됨" in str(status.message(report, t, stop=told.proved()).blocks)
    shared = status.message(report, t, shared_by="U0JIHOON01", stop=told.proved(), may_stop=True)
    assert "차단" not in str(shared.blocks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_amount_stands_at_home_without_what_it_bought(language: str) -> None:
    """Each morning nothing is recorded of the open day yet, and on a first day of nothing else: both say so."""
    t = reader(language)
    none = value.none(t)

    def told(live: ValueFigure, *closed: ValueFigure) -> list[int]:
        """How often it is said that nobody recorded anything: of the open day, of the four before it, for all."""
        report = a_home(
            live=LiveReport(today=saying_live.a_spent(), value=live), value=HomeValues(*closed), top=NOTHING
        )
        blocks = home.view(report, t)["blocks"]
        fields = next(place for place, block in enumerate(blocks) if "fields" in block)
        return [str(blocks[place]).count(none) for place in (fields - 1, fields, fields + 1)]

    assert told(NO_VALUE, *[VALUE] * 4) == [1, 0, 0]
    assert told(VALUE, *[NO_VALUE] * 4) == [0, 4, 0]
    assert told(VALUE, *[VALUE] * 4) == [0, 0, 0]
    assert told(NO_VALUE, *[NO_VALUE] * 4) == [0, 0, 1]


def test_what_no_team_answers_for_has_no_recorded_outcome() -> None:
    """Its row of the table says so, as every other does of which nobody recorded anything."""
    recorded = Share("chat", "chat", Money.of("80"), value=VALUE)
    unowned = Share("?", "?", Money.of("20"), is_unallocated=True)
    table = str(figures.parts_table(breakdown_of([recorded, unowned]), reader("ko")))
    assert table.count("성과 기록 없음") == 2  # in the table, and in the lines where Slack has none
