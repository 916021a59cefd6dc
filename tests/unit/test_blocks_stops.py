"""Stops, word for word, in three languages; beside each snapshot the sentence, button or limit that matters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import bad_news, ids, incidents, kit, live, stop_form, stop_lead, stop_thread, stops
from blocks.stop_form import ApprovalDraft, StopDraft, StopWhat
from finops.budgets import BudgetPeriod
from finops.figures import Scope
from finops.holds import HoldState, HoldTrouble
from finops.incident_report import LiveReport
from finops.incidents import Fact, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.periods import Period
from finops.proof import CALLED
from finops.queries import ScopeKind
from finops.stop_report import Stoppable, StopShown, StopTarget
from finops.stops import StopEventKind
from locales import Translator
from tests.unit import saying_live, slack_limits
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, TEAM, names, reader
from tests.unit.test_blocks_limits import refused, refused_view
from tests.unit.test_blocks_words import News

STOPS: dict[str, Callable[[], StopShown]] = {
    "requested": told.requested,
    "held": told.held,
    "proved": told.proved,
    "unproved": told.unproved,
    "slowed": told.slowed,
    "partly": told.partly,
    "no_right": told.no_right,
    "lost": told.lost,
    "asked": told.asked,
    "pending": told.pending,
    "lapsed": told.lapsed,
    "lapsed_restore": told.lapsed_restore,
    "restoring": told.restoring,
    "restored": told.restored,
    "allowed": told.allowed,
    "over": told.over,
}
VIEWS: dict[str, Callable[[Translator], kit.View]] = {
    "confirm": lambda t: stop_form.confirm(told.a_radius(), t),
    "confirm_blind": lambda t: stop_form.confirm(told.blind_radius(), t, problem="Not fresh"),
    "confirm_held": lambda t: stop_form.confirm(told.held_radius(), t),
    "approve": lambda t: stop_form.approve(
        stop_form.approval_of(saying_live.shown(budget=saying_live.a_budget(needs_two=True)), told.PROVED_AT), t
    ),
    "restore_on_terms": lambda t: stop_form.approve(
        stop_form.approval_of(told.in_incident(told.proved()), told.PROVED_AT), t
    ),
    "restore_without_budget": lambda t: stop_form.approve(stop_form.approval_of(told.proved(), told.PROVED_AT), t),
    "listed": lambda t: stop_form.listed(told.a_list(), t),
    "listed_nothing": lambda t: stop_form.listed(told.a_list(stoppable=(), held=()), t, is_resume=True),
    "done": lambda t: stop_form.done(told.requested(), t),
    "collecting_off": lambda t: stop_form.collection_changed(StopWhat.COLLECTING_OFF, ["abc1"], t),
    "excluded": lambda t: stop_form.collection_changed(StopWhat.EXCLUDED, ["chatbot-experiment"], t),
    "lead": lambda t: stop_lead.window(told.a_draft(), t),
    "lead_of_a_team": lambda t: stop_lead.window(told.a_draft(**told.OF_A_TEAM), t),
    "lead_knowing_little": lambda t: stop_lead.window(told.bare_draft(), t),
    "cause": lambda t: stop_lead.cause_window(StopTarget(incident_id=12), t),
    "sent": lambda t: stop_lead.sent("U0MINSU001", t),
    "thanks": stop_lead.thanks,
}


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", STOPS)
def test_a_stop_word_for_word(said: SnapshotAssertion, name: str, language: str) -> None:
    """In its alert, where the rest of the message is known already, and as a message of its own."""
    t, shown = reader(language), STOPS[name]()
    inside = incidents.root(told.in_incident(shown), t)
    own = stops.root(replace(shown, stop=replace(shown.stop, incident_id=None)), t)
    kept = [block for block in inside.blocks if block["type"] not in ("data_visualization", "context_actions")]
    assert {"alert": inside.text, "blocks": kept, "own": own.arguments(), "line": stops.state_line(shown, t)} == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_thread_of_a_stop_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """One line for everything that can happen."""
    t = reader(language)
    assert {name: stop_thread.line(each, told.shown(), t).text for name, each in told.EVENTS.items()} == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_windows_of_stops_word_for_word(said: SnapshotAssertion, name: str, language: str) -> None:
    """Reviewed like copy."""
    assert VIEWS[name](reader(language)) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_message_to_the_lead_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """What was typed, who sent it, and one button."""
    t = reader(language)
    text = stop_lead.prepared(told.a_draft(), t)
    assert stop_lead.message(text, "U0JIHOON01", StopTarget(incident_id=12), t).arguments() == said


def test_the_sentence_of_the_requirements_is_kept() -> None:
    """The warning, the two buttons, and a reason that has to be typed."""
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
        said = texts(stop_form.confirm(replace(told.a_radius(), stranger="proj_<x>"), reader(language)))
        assert "proj_&lt;x&gt;" in said
        assert "/finops" in said


def test_the_window_names_who_is_hit() -> None:
    """Keys with their last characters and owners, the last hour, who leads."""
    shown = texts(stop_form.confirm(told.a_radius(), reader("ko")))
    for fact in ("18,432", "$45.20", "<@U0MINSU001>", "prod-1 ...ab1 · 박서연 · 마지막 사용", "소유자 확인 불가"):
        assert fact in shown
    assert "팀의 다른 프로젝트: ad-copy-writer, batch" in shown
    assert "팀의 모든 프로젝트 (3개)" in shown


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


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("requested", "⏳ 차단 요청됨 · 이지훈 · 14:03:22"),
        ("held", "⛔ 차단됨 · 한도 1센트 적용 14:03:25 · 사용량으로 확인 중"),
        ("proved", "✅ 차단 확인됨 · 요청 후 $1.84 추가 발생 · 14:09 이후 0"),
        ("unproved", "🚨 차단되지 않음 · 사용량이 계속 발생 · 요청 후 $1.84 추가 발생"),
        ("partly", "⛔ 2/3 프로젝트 차단됨 · chatbot 실패 (OpenAI 응답 없음, 다시 시도 중)"),
        ("no_right", "🚨 차단 실패 · 중지 권한 없음"),
        ("restored", "↩️ 복구됨 · 김민수 · 15:10 · 이전 한도 $1,000 그대로"),
        ("allowed", "▶️ 허용됨 · $842까지 · 7월 7일 09:00 KST까지 · 끝나면 자동으로 다시 차단 · 김민수"),
    ],
)
def test_the_line_in_the_place_of_the_buttons(name: str, line: str) -> None:
    """Who and when, then what is so, then what was proved."""
    assert stops.state_line(STOPS[name](), reader("ko")) == line


def test_the_phone_shows_the_state_first_and_always_two_lines() -> None:
    """Whatever happens, the notification says who, what, how much."""
    t = reader("ko")
    for name, build in STOPS.items():
        first, second = incidents.root(told.in_incident(build()), t).text.split("\n")
        assert first
        assert second
        if name == "held":
            assert first == "⛔ [마케팅팀] 차단됨 - chatbot-experiment · 일일 한도 $500, 현재 $744 (148%)"
        outside = stops.root(build(), t).text.split("\n")
        assert len(outside) == 2


@pytest.mark.parametrize("name", STOPS)
def test_at_most_one_primary_and_one_danger_and_none_of_the_buttons_that_were_pressed(name: str) -> None:
    """The stop button is gone while it works; acknowledging and silence stay in reach."""
    blocks = incidents.root(told.in_incident(STOPS[name]()), reader("ko")).blocks
    elements = _elements(blocks)
    styles = [each.get("style") for each in elements]
    assert styles.count("primary") <= 1
    assert styles.count("danger") <= 1
    actions = [each["action_id"] for each in elements]
    assert len(actions) == len(set(actions))
    assert {ids.INCIDENT_DETAIL, ids.INCIDENT_SILENCE, ids.INCIDENT_MORE} <= set(actions)
    assert "12/acknowledge" in str(elements)
    if name in ("requested", "held", "proved", "restoring"):
        assert ids.INCIDENT_STOP not in actions
    if name in ("requested", "restoring"):
        assert actions == [ids.INCIDENT_DETAIL, ids.INCIDENT_SILENCE, ids.INCIDENT_MORE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_while_others_use_up_the_same_limit_nothing_is_in_order_and_they_can_be_stopped_too(language: str) -> None:
    """Not a word of "confirmed" for all of it; the way to the window is back, and what was done can be undone."""
    t = reader(language)
    beside = Scope(ScopeKind.PROJECT, 2, "ad-copy-writer")
    message = incidents.root(told.in_incident(replace(told.proved(), rest=(beside,))), t)
    first, second = message.text.split("\n")
    assert first.startswith("🚨")
    assert second.startswith("🚨")
    assert "1/2" in second
    assert "ad-copy-writer" in second
    actions = [(each["action_id"], each.get("style")) for each in _elements(message.blocks)]
    assert actions[:2] == [(ids.INCIDENT_STOP, "danger"), (ids.STOP_RESTORE, None)]
    assert (ids.STOP_RETRY, "danger") not in actions

    stranger = Scope(ScopeKind.PROJECT, None, "proj_1")
    message = incidents.root(told.in_incident(replace(told.proved(), rest=(stranger,))), t)
    assert message.text.startswith("🚨")
    assert "/finops" in str(message.blocks)
    assert ids.INCIDENT_STOP not in [each["action_id"] for each in _elements(message.blocks)]


def test_an_alert_says_who_spends_most_where_no_stop_reaches_it() -> None:
    for language in LANGUAGES:
        alert = told.in_incident(told.over(), IncidentState.OPEN)
        assert "proj_1" in str(incidents.root(replace(alert, stop=None, stranger="proj_1"), reader(language)).blocks)


def test_what_can_be_done_next_follows_from_what_is() -> None:
    """The way back when it holds, the next lever when it does not, the second person when one is needed."""
    t = reader("ko")

    def buttons(shown: StopShown) -> list[tuple[str, str | None]]:
        return [(each["action_id"], each.get("style")) for each in _elements(kit.plain(stops.parts(shown, t)))]

    assert buttons(told.proved())[0] == (ids.STOP_RESTORE, "primary")
    assert buttons(told.proved())[1:] == [(ids.STOP_APPROVE, None), (ids.STOP_LEAD, None)]
    assert buttons(told.slowed())[0] == (ids.STOP_FIRMER, "danger")
    assert buttons(told.unproved())[0] == (ids.STOP_RETRY, "danger")
    assert "직접" in str(stops.parts(told.unproved(), t))
    assert buttons(told.pending()) == [(ids.STOP_AGREE, "primary"), (ids.STOP_DECLINE, None)]
    assert buttons(told.asked())[0] == (ids.INCIDENT_STOP, "danger")
    assert (ids.KEY_MANAGE, None) in buttons(told.no_right())
    assert "api.management.write" in str(stops.parts(told.no_right(), t))
    assert buttons(told.restored())[0] == (ids.STOP_CAUSE, "primary")
    outside = replace(told.allowed(), stop=replace(told.allowed().stop, incident_id=None))
    assert (ids.STOP_OPEN, "danger") in buttons(outside)
    everything = replace(outside, scope=Scope(ScopeKind.WORKSPACE, None, ""))
    assert buttons(everything) == [(ids.STOP_APPROVE, None), (ids.STOP_LEAD, None)]


def test_nobody_is_rung_by_the_story_of_a_stop() -> None:
    """Names, not mentions: in the thread, in the root and of the second person."""
    t = reader("ko")
    for build in STOPS.values():
        assert "<@" not in str(kit.plain(stops.parts(build(), t)))
    for event in told.EVENTS.values():
        assert "<@" not in stop_thread.line(event, told.shown(), t).text


def test_every_kind_of_stop_event_has_its_line() -> None:
    """Nothing that can happen to a stop is without words, and an event that lacks its facts still is a sentence."""
    assert {event.kind for event in told.EVENTS.values()} == set(StopEventKind)
    for language in LANGUAGES:
        for kind in StopEventKind:
            bare = replace(told.event(kind), values={})
            assert len(stop_thread.line(bare, told.shown(), reader(language)).text) > 5


def test_calls_without_a_price_are_no_part_of_the_leak_and_no_zero() -> None:
    """Beside what leaked stands how many calls it leaves out; where that is all there is, nobody says "nothing"."""
    t = reader("ko")
    some = told.shown(told.a_stop(), told.a_hold(leak_unpriced=3))
    assert "요청 후 $1.84 추가 발생 (가격을 모르는 호출 3건 제외)" in stops.state_line(some, t)
    known = told.shown(told.a_stop(), told.a_hold(leak_unpriced=0))
    assert "제외" not in stops.state_line(known, t)
    only = told.shown(told.a_stop(), told.a_hold(leak=Money.zero(), leak_unpriced=1200))
    assert "호출 1,200건의 가격을 몰라 요청 후 추가 발생 확인 불가" in stops.state_line(only, t)
    assert "추가 발생 없음" not in stops.state_line(only, t)
    event = told.event(StopEventKind.CLOSED, leak="1.84", currency="USD", unpriced=3)
    assert "3건 제외" in stop_thread.line(event, some, t).text


def test_unseen_usage_is_not_called_spending() -> None:
    """We do not know that it goes on; we say that we do not know."""
    t = reader("ko")
    unseen = told.shown(told.a_stop(), told.a_hold(HoldState.UNPROVED, leak=None, last_request_at=None))
    assert stops.state_line(unseen, t) == "🚨 차단 미확인 · 사용량을 볼 수 없어 확실하지 않음"
    since = told.SET_AT.isoformat()
    for kinds, at, said in (
        ("images", since, "이미지 사용량을 14:03부터 읽지 못해 확인할 수 없습니다"),
        ("images,embeddings", None, "이미지, 임베딩 사용량을 한 번도 읽지 못해 확인할 수 없습니다"),
        ("images,embeddings,completions,moderations,<nonsense>", since,
         "이미지, 임베딩, 텍스트 외 1가지 사용량을 14:03부터 읽지 못해 확인할 수 없습니다"),
        (",".join(CALLED), since, "사용량을 14:03부터 읽지 못해 확인할 수 없습니다"),
    ):  # fmt: skip
        event = told.event(StopEventKind.UNPROVED, reason="usage_unseen", unread=kinds, unread_since=at)
        seen = replace(unseen, events=(event,))
        assert stops.state_line(seen, t) == f"🚨 차단 미확인 · {said}"
        assert said in stop_thread.line(event, seen, t).text
    proved = told.shown(told.a_stop(), told.a_hold(leak=None, last_request_at=None))
    assert stops.state_line(proved, t) == "✅ 차단 확인됨 · 요청 후 추가 발생 확인 불가 · 요청 이후 0"


@pytest.mark.parametrize(
    ("lever", "line"),
    [
        (Lever.SLOW, "✅ 속도 제한 확인됨 · 14:09 이후 평소 속도를 넘는 호출 없음 · 그 밖의 지출은 계속됨"),
        (Lever.CHEAP, "✅ 저렴한 모델만 허용 확인됨 · 14:09 이후 다른 모델 호출 없음 · 그 밖의 지출은 계속됨"),
    ],
)
def test_a_gentler_lever_never_claims_that_spending_ended(lever: Lever, line: str) -> None:
    """What it refuses has ended; the rest goes on, and so does what is spent."""
    shown = told.shown(told.a_stop(lever=lever), told.a_hold(lever=lever))
    assert stops.state_line(shown, reader("ko")) == line
    assert line.split(" · ")[1] in stop_thread.line(told.EVENTS["proved"], shown, reader("ko")).text
    goes_on = told.shown(told.a_stop(lever=lever), told.a_hold(HoldState.UNPROVED, lever=lever))
    assert "추가 발생" not in stops.state_line(goes_on, reader("ko"))


def test_what_was_before_is_named_as_it_was() -> None:
    """A limit with its amount, none as none, and somebody else's change as theirs."""
    t = reader("ko")
    none = told.a_hold(HoldState.RELEASED, former={"spend_limit": None}, target=told.CENT)
    for hold, words in ((none, "이전처럼 한도 없음"), (told.a_hold(HoldState.RELEASED), "이전 한도 $1,000 그대로")):
        assert words in stops.state_line(told.shown(told.restored().stop, hold), t)
    kept = replace(told.restored(), events=(told.EVENTS["restored_kept"],))
    assert "그사이 OpenAI에서 바뀐 설정은 그대로 둠" in stops.state_line(kept, t)


def test_the_loss_avoided_is_a_range_and_only_said_when_known() -> None:
    """One number would pretend to know; unknown is said, and nothing saved is not boasted of."""
    t = reader("ko")
    assert "막은 손실 추정 $180 ~ $260" in str(stops.parts(told.over(), t))
    assert "막은 손실" not in str(stops.parts(replace(told.over(), saved=None), t))
    holding = replace(told.proved(), saved=replace(told.SAVED, until=told.DAY_END, is_over=False))
    assert "지금까지 $180" in str(stops.parts(holding, t))
    assert "차단이 이어지면 최대 $260" in str(stops.parts(holding, t))
    assert "막은 손실은 확인 불가" in stop_thread.line(told.EVENTS["closed_unknown"], told.shown(), t).text


def test_the_closed_alert_keeps_the_story_of_its_stop() -> None:
    """The last amount first, then what was stopped, saved and why."""
    t = reader("ko")
    closed = incidents.root(replace(saying_live.over("resolved"), stop=told.over()), t)
    assert closed.text.startswith("✅ [마케팅팀]")
    for words in ("막은 손실 추정", "원인: 재시도 로직 버그 · 김민수", "하루 동안의 관찰이 끝났습니다"):
        assert words in str(closed.blocks)
    assert refused(closed) == []
    failed = incidents.root(replace(saying_live.over(), stop=told.no_right()), t)
    assert [each["action_id"] for each in _elements(failed.blocks)] == [
        ids.INCIDENT_DETAIL, ids.INCIDENT_BUDGET, ids.STOP_CAUSE
    ]  # fmt: skip
    assert "차단 실패" in str(failed.blocks)


def test_an_alert_speaks_for_itself_again_when_its_stop_is_over() -> None:
    """An allowance ended, spending goes on: the red button is back, and so is the headline."""
    message = incidents.root(told.in_incident(told.over(), IncidentState.OPEN), reader("ko"))
    assert message.text.startswith("🚨 [마케팅팀] 일일 한도 $500 초과")
    assert ids.INCIDENT_STOP in str(message.blocks)


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


def test_the_prepared_message_is_polite_and_says_why() -> None:
    """742 against 50 is 14.8 times; a suspicion is called one, and nothing unknown is made up."""
    text = stop_lead.prepared(told.a_draft(), reader("ko"))
    assert text.startswith("김민수님, 안녕하세요.\nchatbot-experiment의 오늘 비용이 $742로 평소의 14.8배입니다.")
    assert "호출 수가 15배 늘어 재시도 루프가 의심됩니다." in text
    assert "확인 부탁드립니다." in text
    assert "루프" not in stop_lead.prepared(told.bare_draft(), reader("ko"))


SPANS = {
    BudgetPeriod.DAY: (Period(date(2026, 7, 6), date(2026, 7, 7)), ("오늘", "7월 6일(월)"), ("今日", "7月6日(月)")),
    BudgetPeriod.WEEK: (Period(date(2026, 7, 6), date(2026, 7, 13)), ("이번 주", "7/6 ~ 7/12"), ("今週", "7/6 ~ 7/12")),
    BudgetPeriod.MONTH: (Period(date(2026, 7, 1), date(2026, 8, 1)), ("이번 달", "2026년 7월"), ("今月", "2026年7月")),
}


@pytest.mark.parametrize("period", BudgetPeriod)
def test_the_prepared_message_names_the_period_of_the_amount(period: BudgetPeriod) -> None:
    """Today only where it is today's: a week, a month, and what is over by its date."""
    window, korean, japanese = SPANS[period]
    for is_over in (False, True):
        draft = told.a_draft(period=period, window=window, is_over=is_over)
        said = f"chatbot-experiment의 {korean[is_over]} 비용이 $742로 평소의 14.8배입니다."
        assert said in stop_lead.prepared(draft, reader("ko"))
        assert f"chatbot-experiment の{japanese[is_over]}のコスト" in stop_lead.prepared(draft, reader("ja"))
        english = stop_lead.prepared(draft, reader("en"))
        assert ("today" in english) is (period is BudgetPeriod.DAY and not is_over)
        assert "2026" in english if is_over and period is BudgetPeriod.MONTH else "$742" in english
        assert ("이번" in said, "오늘" in said) == ("이번" in korean[is_over], korean[is_over] == "오늘")


def test_the_prepared_message_gives_a_project_its_own_amount_and_the_team_the_whole() -> None:
    """What the limit is about is said of the team: its sum, how unusual, how much of the limit."""
    draft = told.a_draft(**told.OF_A_TEAM)
    assert stop_lead.prepared(draft, reader("ko")).splitlines()[1:4] == [
        "chatbot-experiment의 이번 주 비용은 $312입니다.",
        "마케팅팀 전체로는 $742이며, 평소의 14.8배입니다.",
        "한도 $500의 148%입니다.",
    ]
    assert "마케팅팀 as a whole comes to $742, 14.8 times the usual." in stop_lead.prepared(draft, reader("en"))
    assert "마케팅팀 全体では $742" in stop_lead.prepared(draft, reader("ja"))
    everything = replace(draft, scope=Scope(ScopeKind.WORKSPACE, None, ""), increase=None, spent=None)
    said = stop_lead.prepared(everything, reader("ko"))
    assert "워크스페이스 전체로는 $742입니다." in said
    assert "chatbot-experiment의 이번 주 비용이 평소와 다릅니다." in said


def test_the_cause_is_what_was_chosen_and_what_was_typed() -> None:
    """Either is enough; "something else" alone says nothing."""
    t = reader("ko")
    assert stop_lead.cause_words("retry_bug", None, t) == "재시도 로직 버그"
    assert stop_lead.cause_words("batch", " 새벽 배치 ", t) == "배치 작업 - 새벽 배치"
    assert stop_lead.cause_words("other", "모델 변경", t) == "모델 변경"
    assert stop_lead.cause_words("other", " ", t) == ""
    assert stop_lead.cause_words(None, None, t) == ""


def test_the_window_about_one_project_of_a_large_team_carries_which_one_it_showed() -> None:
    """More ids than fit: those of the team are looked up at the submission, the target's own never."""
    large = tuple(told.a_project(number) for number in range(300))
    carried = json.loads(
        stop_form.confirm(replace(told.a_radius(), team_projects=large), reader("ko"))["private_metadata"]
    )
    assert carried["projects"] == [one.project_id for one in told.a_radius().projects]
    assert "team_projects" not in carried


def test_home_puts_what_is_stopped_first() -> None:
    """Each with its state in the second line."""
    t = reader("ko")
    report = LiveReport(incidents=(saying_live.shown(), told.in_incident(told.proved())), incident_count=2)
    blocks = kit.plain(live.incidents(report, t))
    assert blocks[0]["text"]["text"] == "차단 중 1건 · 열린 알림 2건"
    assert "✅ 차단 확인됨 · 요청 후 $1.84 추가 발생" in blocks[1]["text"]["text"]


def test_a_refusal_of_a_stop_says_what_holds() -> None:
    """Nothing was changed, and who can or what would."""
    t = reader("ko")
    values: dict[str, object] = {"person": "U0JIHOON01", "at": told.ASKED_AT, "state": "restored", "end": told.DAY_END}
    assert bad_news.sentence(News("stop_under_way", values=values), t).startswith("<@U0JIHOON01> 님이 7월 6일 14:03에")
    assert "한도는 바뀌지 않았습니다" in bad_news.sentence(News("unknown_stop"), t)
    held = {bad_news.sentence(News("stop_not_held", values={"state": each}), t) for each in ("failed", "restoring")}
    assert len(held | {bad_news.sentence(News("stop_not_held", values=values), t)}) == 3
    assert "7월 7일 09:00 KST" in bad_news.sentence(News("approval_until", values=values), t)
    assert "이미 사용한 금액" in bad_news.sentence(News("approval_amount", values={"mistake": "below"}), t)
    assert "<@U1>" in bad_news.sentence(News("approval_same_person", values={"admins": ("U1", "<!here>")}), t)
    assert "예산 정책" in bad_news.sentence(News("stop_changed", values={"person": None}), t)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_a_stop_is_refused_by_slack(language: str) -> None:
    """Rich and plain, root and thread and window."""
    t = reader(language)
    for build in STOPS.values():
        assert refused(stops.root(build(), t)) == []
        assert refused(incidents.root(told.in_incident(build()), t)) == []
        assert refused_view(stop_form.done(build(), t)) == []
    for event in told.EVENTS.values():
        assert refused(stop_thread.line(event, told.shown(), t)) == []
    for view in VIEWS.values():
        assert refused_view(view(t)) == []


@given(names, st.integers(0, 50), st.integers(0, 200), st.sampled_from(LANGUAGES), st.booleans())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_however_much_there_is_it_fits_and_is_only_shown(
    name: str, projects: int, keys: int, language: str, is_known: bool
) -> None:
    """Fifty projects, two hundred keys, three thousand characters of reason, called <!channel>: it rings nobody."""
    t, long = reader(language), (f"{name} <!channel> & <@U0JIHOON01> " * 200)[:3000]
    held = tuple(
        told.a_hold(HoldState.SET if is_known else HoldState.SAVED, number, long[:80] or "-",
                    trouble=None if is_known else HoldTrouble.UNAVAILABLE)
        for number in range(1, projects + 1)
    )  # fmt: skip
    stop = told.a_stop(reason=long, cause=long, cause_by="U0MINSU001")
    shown = replace(
        told.shown(stop, scope=Scope(ScopeKind.TEAM, 1, long[:200]), team=replace(TEAM, name=long[:200])),
        holds=held, names={"U0JIHOON01": long[:80], "U0MINSU001": long[:80]},
    )  # fmt: skip
    key = told.a_key(1, name=long[:90], owner=long[:90], ends_with=long[:20])
    hit = tuple(
        told.a_project(number, long[:90], keys=(key,) * keys if is_known else None) for number in range(projects + 1)
    )
    radius = told.a_radius(
        projects=hit[:1] if is_known else hit, team_projects=hit, cheap_models=(long[:90], long[90:180]),
        connection_keys=tuple((number, long[:20]) for number in range(keys)), levers=tuple(Lever),
    )  # fmt: skip
    scope = Scope(ScopeKind.PROJECT, 1, long[:90])
    listed = told.a_list(stoppable=(Stoppable(scope, TEAM, None),) * 200, held=(shown,) * 60)
    views = (
        stop_form.confirm(radius, t, StopDraft(reason=long), kit.escape(long)),
        stop_form.confirm(replace(radius, held=stop), t),
        stop_form.approve(
            stop_form.approval_of(shown, told.PROVED_AT), t, ApprovalDraft(amount=long, limit=long), kit.escape(long)
        ),
        stop_form.listed(listed, t),
        stop_form.done(shown, t),
        stop_form.collection_changed(StopWhat.EXCLUDED, [long] * 50, t),
        stop_lead.window(told.a_draft(lead_name=long, project=long), t, long, kit.escape(long)),
    )
    wild: dict[str, Fact] = dict.fromkeys(("project", "text", "reason", "by"), long)
    messages = (
        stops.root(shown, t),
        incidents.root(told.in_incident(shown), t),
        stop_lead.message(long, "U0JIHOON01", StopTarget(stop_id=5), t),
        *(stop_thread.line(replace(each, values=dict(each.values) | wild), shown, t) for each in told.EVENTS.values()),
    )  # fmt: skip
    for view in views:
        assert refused_view(view) == []
        assert not [text for text in slack_limits.mrkdwn(view) if "<!" in text]
    for message in messages:
        assert refused(message) == []
        assert "<!" not in message.text


def texts(view: Any) -> str:
    """Every text of a surface, one after the other."""
    if isinstance(view, dict):
        own = [view["text"]] if isinstance(view.get("text"), str) else []
        own += [str(view[key]) for key in ("initial_value",) if key in view]
        return "\n".join([*own, *(texts(value) for value in view.values() if isinstance(value, dict | list))])
    return "\n".join(texts(value) for value in view)


def _elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
