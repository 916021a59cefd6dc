"""The windows of a stop: who is hit, by how much, and what an action does not do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocks import bad_news, ids, kit, stop_form
from blocks.stop_form import ApprovalDraft, StopDraft
from bot.errors import Refusal, RefusalCode, explain
from finops.stop_report import StopShown
from tests.unit import saying_live, slack_limits
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, reader
from tests.unit.stop_windows import VIEWS, texts


def test_the_sentence_of_the_requirements_is_kept() -> None:
    """The warning, the two buttons, and a reason that nobody leaves out; without an alert it has to be typed."""
    view = stop_form.confirm(told.a_radius(), reader("ko"))
    assert "*이 프로젝트의 키를 사용하는 모든 애플리케이션이 중단됩니다. 계속하시겠습니까?*" in texts(view)
    assert (view["submit"]["text"], view["close"]["text"]) == ("예, 즉시 차단", "취소")
    reason = next(block for block in view["blocks"] if block.get("block_id") == ids.STOP_REASON)
    assert reason["optional"] is False
    assert kit.metadata(view) == {
        "target": "incident:12",
        "seen": told.ASKED_AT.isoformat(),
        "projects": [1],
        "team_projects": [1, 2, 3],
    }


@pytest.mark.parametrize(
    ("language", "suspected", "reached"),
    [
        ("ko", "재시도 루프 의심", "일일 한도 $500의 148% 사용"),
        ("en", "Likely a retry loop", "Daily limit $500: 148% spent"),
        ("ja", "リトライループの疑い", "1日の上限 $500 の 148% を使用"),
    ],
)
def test_from_an_alert_the_reason_stands_there_already(language: str, suspected: str, reached: str) -> None:
    """Two clicks stop it: what is suspected is the reason, or what was reached where nobody can tell why."""
    t = reader(language)
    shown = replace(saying_live.shown(), cause=saying_live.LOOP)
    reasons = [stop_form.drafted(replace(shown, cause=cause), t).reason for cause in (shown.cause, None)]
    assert reasons == [suspected, reached]
    view = stop_form.confirm(told.a_radius(), t, stop_form.drafted(shown, t))
    [given] = [block["element"] for block in view["blocks"] if block.get("block_id") == ids.STOP_REASON]
    assert given["initial_value"] == suspected


@pytest.mark.parametrize(("language", "question"), [
    ("ko", "이 프로젝트 3개의 키를 사용하는 모든 애플리케이션이 중단됩니다. 계속하시겠습니까?"),
    ("en", "Every application that uses the keys of these 3 projects stops. Continue?"),
    ("ja", "これら3件のプロジェクトのキーを使うすべてのアプリケーションが停止します。続けますか？"),
])  # fmt: skip
def test_the_question_before_a_stop_of_several_projects_is_about_all_of_them(language: str, question: str) -> None:
    """Whoever stops a team reads that all of it stops, not one project."""
    radius = told.a_radius()
    assert question in texts(stop_form.confirm(replace(radius, projects=radius.team_projects), reader(language)))


def test_a_window_of_hundreds_of_projects_carries_no_more_than_it_can() -> None:
    """What is cut off would be no ids at all."""
    one = told.a_radius().projects[0]
    many = tuple(replace(one, project_id=9_999_000 + number) for number in range(260))
    for shown, is_carried in ((many[:120], True), (many, False)):
        view = stop_form.confirm(replace(told.a_radius(), projects=shown, team_projects=shown), reader("ko"))
        assert kit.metadata(view)["target"] == "incident:12"
        assert ("projects" in kit.metadata(view)) is is_carried


def test_the_window_says_who_spends_most_where_no_stop_reaches_it() -> None:
    for language in LANGUAGES:
        said = texts(stop_form.confirm(replace(told.a_radius(), stranger="proj_1<x>"), reader(language)))
        assert "proj_1&lt;x&gt;" in said
        assert "/finops" in said


def test_the_window_names_who_is_hit() -> None:
    """Keys with their last characters and owners, the last hour, who leads."""
    shown = texts(stop_form.confirm(told.a_radius(), reader("ko")))
    for fact in ("18,432", "$45.20", "<@U0MINSU001>", "prod-1 ...ab1 · 박서연 · 마지막 사용", "소유자 확인 불가"):
        assert fact in shown
    assert "팀의 다른 프로젝트: ad-copy-writer, batch" in shown
    assert "팀의 모든 프로젝트 (3개)" in shown


def test_a_budget_that_was_first_is_no_person() -> None:
    """What stops by itself is not called 님 or さん, in the window and in the answer to a click that came second."""
    held = replace(told.a_stop(), requested_by=None)
    for language, honours in (("ko", " 님"), ("ja", "さん")):
        t = reader(language)
        said = texts(stop_form.confirm(replace(told.a_radius(), held=held), t))
        news = explain(Refusal(RefusalCode.STOP_UNDER_WAY, person=None, at=told.ASKED_AT))
        for words in (said, bad_news.sentence(news, t)):
            assert honours not in words
            assert t.gettext("the budget's rule") in words


def test_where_no_key_may_stop_the_window_says_whom_to_ask() -> None:
    """Before the question, in each language, with the way to the keys; and it can be tried all the same."""
    for language in LANGUAGES:
        view = stop_form.confirm(replace(told.a_radius(), may_stop=False), reader(language))
        assert "management: write" in texts(view).lower()
        assert ids.KEY_MANAGE in str(view["blocks"][1])
        assert "submit" in view
        assert slack_limits.of_view(view) == []
        assert "management: write" not in texts(stop_form.confirm(told.a_radius(), reader(language))).lower()


def test_what_cannot_be_seen_is_never_zero_in_the_window() -> None:
    """Neither requests, nor spending, nor keys; and one unknown part makes the sum unknown."""
    for language in LANGUAGES:
        blind = texts(stop_form.confirm(told.blind_radius(), reader(language)))
        assert "$0" not in blind
        assert "*0*" not in blind
    both = told.a_radius(projects=told.a_radius().team_projects)
    fields = stop_form.confirm(both, reader("ko"))["blocks"][2]["fields"]
    assert [field["text"].split("\n")[1] for field in fields[:3]] == ["*확인 불가*"] * 3


@pytest.mark.parametrize(
    ("language", "sure"),
    [
        ("ko", "○ 추정 · 14:03 기준(KST)"),
        ("en", "○ estimate · as of 01:03 EDT"),
        ("ja", "○ 推定 · 14:03 時点 (JST)"),
    ],
)
def test_the_last_hour_says_how_sure_it_is_and_when_it_ended(language: str, sure: str) -> None:
    """Whoever decides about a stop sees an estimate, and of when; of an hour nobody saw there is nothing to say."""
    assert sure in texts(stop_form.confirm(told.a_radius(), reader(language)))
    assert sure not in texts(stop_form.confirm(told.blind_radius(), reader(language)))


def test_each_action_says_what_it_does_not_do() -> None:
    """Two of the five stop no spending, and two let some of it go on."""
    view = stop_form.confirm(told.a_radius(), reader("ko"))
    radio = next(block for block in view["blocks"] if block.get("block_id") == ids.STOP_WHAT)["element"]
    told_by = {option["value"]: option["description"]["text"] for option in radio["options"]}
    assert list(told_by) == ["stop", "cheap", "slow", "collecting_off", "excluded"]
    assert told_by["collecting_off"] == "수집만 중단됩니다. 지출은 멈추지 않습니다."
    assert told_by["excluded"] == "이 프로젝트를 집계에서 뺍니다. 지출은 멈추지 않습니다."
    assert all("지출은 계속됩니다" in told_by[each] for each in ("slow", "cheap"))
    assert radio["initial_option"]["value"] == "stop"
    draft = StopDraft(what="slow", breadth="team", reason="새벽 배치")
    again = stop_form.confirm(told.a_radius(), reader("ko"), draft)
    assert texts(again).count("새벽 배치") == 1
    chosen = [
        block["element"]["initial_option"]["value"] for block in again["blocks"] if "initial_option" in str(block)
    ]
    assert chosen == ["slow", "team"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_description_of_a_choice_is_cut(language: str) -> None:
    """75 characters are little; an ellipsis would cut off what a choice does not do."""
    for build in VIEWS.values():
        for block in build(reader(language))["blocks"]:
            for option in block.get("element", {}).get("options", ()):
                assert kit.ELLIPSIS not in str(option)


def test_the_approval_window_says_the_real_end_of_the_day() -> None:
    """The charge day ends at 09:00 in Seoul; the budget is no choice where there is none."""
    t = reader("ko")
    view = VIEWS["approve"](t)
    assert "7월 7일 09:00 KST까지" in texts(view)
    assert "2인 승인" in texts(view)
    assert "사용 $742 · 한도 $500 (148%)" in texts(view)
    assert (view["title"]["text"], view["submit"]["text"]) == ("지출 승인", "승인")
    assert VIEWS["restore_on_terms"](t)["title"]["text"] == "조건부 복구"
    inputs = [block["block_id"] for block in VIEWS["restore_without_budget"](t)["blocks"] if block["type"] == "input"]
    assert inputs == [ids.APPROVE_WAY, ids.APPROVE_UNTIL, ids.APPROVE_RESTOPS]
    facts = stop_form.approval_of(saying_live.shown(), told.PROVED_AT)
    draft = ApprovalDraft(way="budget", limit="800", amount="100", until=told.DAY_END, restops=False)
    again = stop_form.approve(facts, t, draft, "Type an amount.")
    assert [block["element"].get("initial_value") for block in again["blocks"] if "plain_text" in str(block)][
        -1
    ] is None
    assert "initial_options" not in str(again)
    assert ("800" in texts(again), "100" in texts(again)) == (True, True)


@pytest.mark.parametrize(
    ("language", "sure"), [("ko", "(148%) · 추정 · 7월 6일"), ("en", "(148%) · estimate · as of Jul 6")]
)
def test_the_amount_that_is_approved_says_how_sure_it_is_and_of_when(language: str, sure: str) -> None:
    """It decides how much more: five minutes of a loop are a hundred dollars."""
    assert sure in texts(VIEWS["approve"](reader(language)))


def test_what_is_stopped_is_not_offered_to_be_stopped_again() -> None:
    """It stands above, with its ways back; what is slowed, or goes on all the same, can be stopped further."""
    t = reader("ko")

    def offered(*held: StopShown) -> list[str]:
        blocks = stop_form.listed(told.a_list(held=held), t)["blocks"]
        accessories = [block["accessory"] for block in blocks if "accessory" in block]
        return [one["value"] for one in accessories if one["action_id"] == ids.STOP_OPEN]

    every = ["team:1", "project:1", "project:2"]
    assert offered(told.proved()) == ["team:1", "project:2"]
    for held in (told.slowed(), told.unproved(), told.restored()):
        assert offered(held) == every
    alone = told.a_list(held=(told.proved(),), stoppable=told.a_list().stoppable[1:2])
    window = stop_form.listed(alone, t)
    assert "프로젝트가 없습니다" not in texts(window)
    assert window["blocks"][-1]["type"] != "divider"


def test_where_nothing_can_be_stopped_the_window_says_who_may_and_how_projects_come() -> None:
    """To an admin, who may stop everything there is, it said that an admin could."""
    said = texts(stop_form.listed(told.a_list(held=(), stoppable=()), reader("ko")))
    assert "차단하실 수 있는 프로젝트가 없습니다" in said
    assert "승인자" in said
    assert "`/finops 설정`" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_of_what_can_be_restored_offers_nothing_to_stop(language: str) -> None:
    """Whatever could be stopped: its title speaks of restoring, and it tells where stopping is."""
    t = reader(language)
    for held in ((), told.a_list().held):
        window = stop_form.listed(told.a_list(held=held), t, is_resume=True)
        assert ids.STOP_OPEN not in str(window)
        assert "ad-copy-writer" not in texts(window)
        assert "`/finops " in texts(window)
        assert (ids.STOP_RESTORE in str(window)) is bool(held)
    assert ids.STOP_OPEN in str(stop_form.listed(told.a_list(), t))
