"""Stops, word for word, in three languages; beside each snapshot the sentence, button or limit that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import bad_news, ids, incidents, kit, live, stop_form, stop_lead, stop_thread, stops
from blocks.stop_form import ApprovalDraft, StopDraft, StopWhat
from finops.figures import Scope
from finops.holds import HoldState, HoldTrouble
from finops.incident_report import LiveReport
from finops.incidents import Fact, IncidentState
from finops.levers import Lever
from finops.money import Money
from finops.proof import CALLED
from finops.queries import ScopeKind
from finops.stop_report import Stoppable, StopShown, StopTarget
from finops.stops import StopEventKind
from tests.unit import saying_live, slack_limits
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, TEAM, names, reader
from tests.unit.stop_windows import VIEWS
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


def test_what_stops_at_the_end_of_an_allowance_is_not_called_the_rule_of_its_budget() -> None:
    """The budget only told, a person's terms ran out: "the budget's rule" had whoever read it look for one."""
    t = reader("ko")
    ended = told.EVENTS["allowance_time"]
    asked = replace(ended, kind=StopEventKind.REQUESTED)
    by_itself = replace(told.proved(), stop=replace(told.proved().stop, requested_by=None, reason=""))
    said = [
        str(stops.parts(replace(by_itself, events=events), t))
        for events in ((ended,), (asked, ended), (ended, asked), ())
    ]
    assert ["요청: 허용 종료(자동)" in each for each in said] == [True, True, False, False]
    assert ["요청: 예산 정책(자동)" in each for each in said] == [False, False, True, True]


def test_what_was_never_stopped_is_not_stopped_again() -> None:
    """Somebody allowed $100 more before anything was stopped: the end of it brought a stop "again"."""
    t = reader("ko")
    ended = told.EVENTS["allowance_time"]
    first, later = (
        stop_thread.line(replace(ended, values={**ended.values, "turn": turn}), told.shown(), t).text for turn in (0, 1)
    )
    assert first.endswith("자동으로 차단합니다.")
    assert later.endswith("자동으로 다시 차단합니다.")


def test_the_window_is_called_by_what_was_done() -> None:
    """An approver on a phone let spending go on, and read "Stop spending" above it."""
    t = reader("ko")
    made = (told.proved(), told.allowed(), told.restoring(), told.restored())
    titles = [stop_form.done(shown, "U0SEOYEON1", t)["title"]["text"] for shown in made]
    assert titles == ["지출 차단", "지출 승인", "지출 복구", "지출 복구"]


def test_the_loss_avoided_is_a_range_and_only_said_when_known() -> None:
    """One number would pretend to know; unknown is said, and nothing saved is not boasted of."""
    t = reader("ko")
    assert "막은 손실 추정 $180 ~ $260" in str(stops.parts(told.over(), t))
    assert "막은 손실" not in str(stops.parts(replace(told.over(), saved=None), t))
    holding = replace(told.proved(), saved=replace(told.SAVED, until=told.DAY_END, is_over=False))
    assert "지금까지 최소 $180" in str(stops.parts(holding, t))
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
        ids.INCIDENT_DETAIL, ids.INCIDENT_BUDGET, ids.STOP_CAUSE, ids.INCIDENT_REVIEW
    ]  # fmt: skip
    assert "차단 실패" in str(failed.blocks)


def test_an_alert_speaks_for_itself_again_when_its_stop_is_over() -> None:
    """An allowance ended, spending goes on: the red button is back, and so is the headline."""
    message = incidents.root(told.in_incident(told.over(), IncidentState.OPEN), reader("ko"))
    assert message.text.startswith("🚨 [마케팅팀] 일일 한도 $500 초과")
    assert ids.INCIDENT_STOP in str(message.blocks)


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
    assert bad_news.sentence(News("stop_under_way", values=values), t).startswith(
        "7월 6일 14:03에 이미 요청되었습니다(요청: <@U0JIHOON01>)"
    )
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
        assert refused_view(stop_form.done(build(), "U0SEOYEON1", t)) == []
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
        stop_form.done(shown, "U0SEOYEON1", t),
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


def _elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_whoever_asked_may_withdraw_and_is_not_offered_to_agree_with_themselves() -> None:
    """That button could only be refused; in the channel, which all read, it stays."""
    shown, t = told.pending(), reader("ko")
    assert shown.stop.pending is not None
    mine, other = (str(stop_form.done(shown, who, t)) for who in (shown.stop.pending.by, "U0OTHER001"))
    assert ids.STOP_AGREE in other
    assert ids.STOP_AGREE not in mine
    assert (ids.STOP_DECLINE in mine, "철회" in mine, "거절" in mine) == (True, True, False)
    assert ids.STOP_AGREE in str(stops.parts(shown, t))
