"""Alerts, word for word, in three languages; beside each snapshot the number or sentence that matters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import collection, doctor, figures, home, ids, incident_acts, incidents, kit, status, unpriced, why
from blocks import incident_words as words
from finops.budgets import BudgetAction, Usual, UsualMethod
from finops.charges import FigureState
from finops.estimates import Correction, CorrectionBasis, Drift
from finops.figures import Figure, Scope, ScopeKind
from finops.incident_report import IncidentShown, LiveReport
from finops.incidents import EventKind
from finops.money import Money
from finops.periods import Period
from finops.queries import NamedPeriod, PeriodName
from finops.why import WhyKind
from locales import Translator
from tests.unit import saying_live as told
from tests.unit import slack_limits
from tests.unit.saying import LANGUAGES, NOTHING, TODAY, a_home, a_status, names, reader
from tests.unit.test_blocks_limits import refused, refused_view
from tests.unit.test_blocks_words import News

ROOTS: dict[str, Callable[[], IncidentShown]] = {
    "golden": told.shown,
    "warned": told.warned,
    "acknowledged": told.acknowledged,
    "opened_again": told.opened_again,
    "silenced": told.silenced,
    "newcomer": told.newcomer,
    "over": told.over,
    "deleted": lambda: told.over("budget_deleted"),
}
OTHERS: dict[str, Callable[[Translator], kit.Message]] = {
    "thanks": incidents.thanks,
    "unpriced": lambda t: unpriced.message("한빛소프트", ("gpt-9-mystery", "ocr | page"), date(2026, 7, 6), t),
    "usage_unreadable": lambda t: collection.blind("한빛소프트", told.SINCE, "usage_unreadable", {}, t),
    "usage_late": lambda t: collection.blind("한빛소프트", told.SINCE, "usage_late", {}, t),
    "clock_skew": lambda t: collection.blind("한빛소프트", told.SINCE, "clock_skew", {}, t),
}


LIVE = LiveReport(
    today=told.a_spent("742"),
    drift=Drift(14, Decimal(1008), Decimal(1008), Decimal(1000), Decimal("0.03")),
    incidents=(told.shown(), told.warned()),
    incident_count=3,
    unpriced=("gpt-9-mystery",),
)
BLIND_TODAY = replace(told.a_spent("0"), state=FigureState.BLIND)


def of_today() -> Any:
    today = Period(TODAY, TODAY + timedelta(days=1))
    figure = Figure(Money.of("742"), today, FigureState.ESTIMATE, told.AT)
    query = NamedPeriod(PeriodName.TODAY, today)
    return a_status(query=query, figure=figure, increase=None, breakdown=NOTHING, trend=(), live=LIVE)


def of_the_month() -> Any:
    month = Period(date(2026, 7, 1), date(2026, 8, 1))
    return a_status(query=NamedPeriod(PeriodName.THIS_MONTH, month), live=LIVE)


@pytest.fixture
def said(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ROOTS)
def test_the_root_message_word_for_word(said: SnapshotAssertion, name: str, language: str) -> None:
    """Reviewed like copy: a change of wording shows as a change of this file."""
    t = reader(language)
    message = incidents.root(ROOTS[name](), t)
    subject, mail = incidents.mail(ROOTS[name](), t, "https://slack.example/message")
    assert {**message.arguments(), "plain": message.plain_blocks, "subject": subject, "mail": mail.split("\n")} == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_thread_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """One line for everything that can happen."""
    t = reader(language)
    assert {name: incidents.line(event, told.shown(), t).text for name, event in told.EVENTS.items()} == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_behind_it_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """Everything we know, and the same where we know little."""
    t = reader(language)
    details = [told.a_detail(), told.bare_detail(), told.a_detail(shown=told.over())]
    assert [incidents.detail(each, t) for each in details] == said


def test_an_estimate_that_agrees_with_the_bills_is_not_called_corrected() -> None:
    """\"Corrected by ×1.000\" is no correction."""
    agreeing = Correction(Decimal("1.0003"), 14, CorrectionBasis.PROJECT)
    shown = str(incidents.detail(told.a_detail(correction=agreeing), reader("ko")))
    assert "추정 금액이 최근 14일의 청구 비용과 일치하여 보정하지 않았습니다." in shown
    assert "1.000" not in shown


def test_the_window_of_what_is_over_speaks_of_its_day() -> None:
    """No today, no forecast: the day it was about."""
    shown = str(incidents.detail(told.a_detail(shown=told.over()), reader("ko")))
    assert "오늘" not in shown
    assert "예상" not in shown
    assert "7/6" in shown
    assert "✅" in shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OTHERS)
def test_other_news_word_for_word(said: SnapshotAssertion, name: str, language: str) -> None:
    """What has no price, and the new ways to be blind."""
    assert OTHERS[name](reader(language)).arguments() == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_open_day_word_for_word(said: SnapshotAssertion, language: str) -> None:
    """On Home, and in the answers about today and about this month."""
    t = reader(language)
    views = [home.view(a_home(live=LIVE), t)["blocks"][:12], status.message(of_today(), t).arguments()]
    assert [*views, status.message(of_the_month(), t).arguments()] == said


def test_open_alerts_come_before_everything_else_on_home() -> None:
    """The page is for emergencies first; each alert with the way to its details."""
    t = reader("ko")
    blocks = home.view(a_home(live=LIVE), t)["blocks"]
    assert blocks[0]["text"]["text"] == "열린 알림 3건"
    assert blocks[1]["accessory"]["action_id"] == ids.INCIDENT_DETAIL
    assert "외 1건" in str(blocks[3])
    assert blocks[5]["text"]["text"] == "어제 AI 비용 $233.00"
    assert blocks[6]["text"]["text"].startswith("오늘 지금까지  *$742.00*\n○ 추정")
    assert "최근 14일 추정 오차 +0.8%" in str(blocks)
    assert refused_view(home.view(a_home(live=LIVE), t)) == []
    assert home.view(a_home(live=LiveReport()), t) == home.view(a_home(), t)


def test_today_is_an_estimate_and_never_a_smaller_yesterday() -> None:
    """Half a day is compared with nothing; what cannot be seen is no zero."""
    t = reader("ko")
    message = status.message(of_today(), t)
    assert message.text.startswith("전체 · 오늘 · $742.00")
    assert "추정" in message.text
    assert "지난 기간" not in message.text
    assert "적습니다" not in message.text
    assert str(message.blocks).count("오늘 지금까지") == 0
    assert "오늘 지금까지" in str(status.message(of_the_month(), t).blocks)
    for change in ({"amount": None}, {}):
        seen = replace(of_today().figure, state=FigureState.BLIND, **change)
        told_blind = str(status.message(replace(of_today(), figure=seen), t).blocks)
        assert "오늘 지금까지" not in told_blind
        assert "직전 기간" not in told_blind
    blind = home.view(a_home(live=replace(LIVE, today=BLIND_TODAY)), t)
    assert "확인 불가" in str(blind)
    assert "$0" not in str(blind["blocks"][:8])


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        (
            "ko",
            "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)",
            "chatbot-experiment · 평소($50) 대비 1,384% 증가 · 추정 · 14:00 기준",
        ),
        (
            "en",
            "🚨 [마케팅팀] Daily limit $500 exceeded - now $742 (148%)",
            "chatbot-experiment · up 1,384% from usual ($50) · estimate · as of 01:00",
        ),
        (
            "ja",
            "🚨 [마케팅팀] 1日の上限 $500 を超過 - 現在 $742 (148%)",
            "chatbot-experiment · 通常($50)比 1,384% 増加 · 推定 · 14:00 時点",
        ),
    ],
)
def test_the_first_two_lines_are_the_golden_ones(language: str, first: str, second: str) -> None:
    """742 of 500 is 148 %; 742 against 50 is +1,384 %: in the blocks, the notification and the mail."""
    t = reader(language)
    message = incidents.root(told.shown(), t)
    assert message.text == f"{first}\n{second}"
    assert [block["text"]["text"] for block in message.blocks[:2]] == [first, second]
    assert message.plain_blocks[:2] == message.blocks[:2]
    subject, mail = incidents.mail(told.shown(), t)
    assert subject == first
    assert mail.startswith(f"{first}\n{second}\n")


def test_below_the_limit_it_warns_and_says_when_the_limit_falls() -> None:
    """Another sign, other words, and the time that is left."""
    message = incidents.root(told.warned(), reader("ko"))
    assert message.text.startswith("⚠️ [마케팅팀] 일일 한도 $500의 75% 도달 - 현재 $390 (78%)\n")
    assert "15:20에 한도 도달 예상" in str(message.blocks)


def test_what_may_be_done_stands_above_the_chart() -> None:
    """A phone shows it without scrolling; the buttons that decide about the spending stand first in the row."""
    for shown in (told.shown(), told.warned(), told.silenced()):
        kinds = [block["type"] for block in incidents.root(shown, reader("ko")).blocks]
        assert kinds.index("actions") < kinds.index("data_visualization")
        assert kinds.index("actions") <= 4


def test_where_no_key_may_stop_the_button_says_so() -> None:
    """Nothing is promised that the provider would refuse; who presses is told whom to ask."""
    shown = replace(told.shown(), may_stop=False)
    told_as = {
        "ko": "중지 권한 없음 - 요청하기",
        "en": "No right to stop - ask for it",
        "ja": "停止権限なし - 依頼する",
    }
    for language, label in told_as.items():
        stop = next(
            one
            for one in _elements(incidents.root(shown, reader(language)).blocks)
            if one["action_id"] == ids.INCIDENT_STOP
        )
        assert stop["text"]["text"].startswith(label)
        assert "style" not in stop


def test_at_most_one_button_stands_out() -> None:
    """One primary and one danger; a button that was used makes way for who used it and when."""
    for shown in (told.shown(), told.warned(), told.acknowledged(), told.silenced(), told.over()):
        styles = [each.get("style") for each in _elements(incidents.root(shown, reader("ko")).blocks)]
        assert styles.count("primary") <= 1
        assert styles.count("danger") <= 1
    shown_then = str(incidents.root(told.acknowledged(), reader("ko")).blocks)
    assert "12/acknowledge" not in shown_then
    assert "확인함 · 이지훈 · 14:03" in shown_then
    silent = str(incidents.root(told.silenced(), reader("ko")).blocks)
    assert "15:03까지 알림 꺼짐 · 김민수" in silent
    assert ids.INCIDENT_END_SILENCE in silent
    assert ids.INCIDENT_SILENCE not in [
        each["action_id"] for each in _elements(incidents.root(told.silenced(), reader("ko")).blocks)
    ]


def test_at_the_limit_the_red_button_is_first_and_below_it_somebody_takes_care() -> None:
    """Stop, approve, details; what is rarer is in a menu, acknowledging and silence never out of reach."""
    t = reader("ko")
    over, below = (_elements(incidents.root(shown, t).blocks) for shown in (told.shown(), told.warned()))
    assert [each.get("text", {}).get("text") for each in over[:3]] == ["지금 차단하기", "승인", "상세 보기"]
    assert [each.get("style") for each in over[:3]] == ["danger", "primary", None]
    assert [each["action_id"] for each in over[3:]] == [ids.INCIDENT_SILENCE, ids.INCIDENT_MORE]
    rarer = ["12/lead", "12/cause", "12/budget", "12/runbook"]
    assert [option["value"] for option in over[4]["options"]] == ["12/acknowledge", *rarer]
    assert (below[0]["text"]["text"], below[0]["style"]) == ("확인", "primary")
    assert [option["value"] for option in below[-1]["options"]] == ["12/stop", *rarer]
    assert "danger" not in [each.get("style") for each in below]


def test_buttons_carry_the_incident_and_a_choice_and_nothing_else() -> None:
    """What a button sends back is looked up again; it proves nothing by itself."""
    values = [
        value
        for element in _elements(incidents.root(told.shown(), reader("ko")).blocks)
        for value in (
            [element["value"]] if "value" in element else [option["value"] for option in element.get("options", ())]
        )
    ]
    assert values[:4] == ["incident:12", "incident:12", "12", "12"]
    assert values[4:] == ["12/acknowledge", "12/lead", "12/cause", "12/budget", "12/runbook"]
    assert "12/good" in str(incidents.root(told.shown(), reader("ko")).blocks)


def test_a_budget_that_asks_says_so_at_its_limit() -> None:
    """The two buttons are its question."""
    asking = told.shown(budget=told.a_budget(action=BudgetAction.ASK))
    assert "한도에 도달하면 확인을 요청하는 예산입니다" in str(incidents.root(asking, reader("ko")).blocks)
    assert "확인을 요청하는 예산" not in str(incidents.root(told.shown(), reader("ko")).blocks)


def test_the_pinned_cause_stands_in_the_message() -> None:
    """The last word counts."""
    message = incidents.root(told.shown(events=(told.EVENTS["cause"],)), reader("ko"))
    assert "원인: 재시도 로직 버그 · 김민수" in str(message.blocks)


def test_an_amount_never_looks_larger_than_it_is() -> None:
    """$499.60 has not reached $500; less than a hundred keeps its cents, and a whole amount needs none."""
    t = reader("ko")
    shown = [figures.short(Money.of(each), t) for each in ("499.60", "742.99", "50", "48.2", "99.999", "0.004", "1000")]
    assert shown == ["$499", "$742", "$50", "$48.20", "$100", "$0.0040", "$1,000"]


@pytest.mark.parametrize(
    ("limit", "shown"),
    [("5.005", "$5.005"), ("150.5", "$150.50"), ("0.005", "$0.005"), ("500.00", "$500"), ("7E+2", "$700")],
)
def test_a_limit_is_shown_as_it_was_set(limit: str, shown: str) -> None:
    """Whatever is spent of it is cut; the limit itself is what the alert is judged by."""
    root = incidents.root(told.shown(incident=told.an_incident(limit=limit)), reader("ko"))
    assert f"일일 한도 {shown} 초과 - 현재 $742 (148%)" in root.text


def test_an_amount_restated_down_is_shown_as_it_is_and_never_unsaid() -> None:
    """150 % was said and stays said; the root shows what is known now."""
    restated = replace(told.silenced(), percent=40, spent=told.a_spent("200"))
    message = incidents.root(restated, reader("ko"))
    assert message.text.startswith("ℹ️ [마케팅팀] 일일 한도 $500 - 현재 $200 (40%)")
    assert "앞선 알림은 150%였으나" in str(message.blocks)


def test_without_history_it_says_so_instead_of_comparing() -> None:
    """No usual amount, nothing spent usually, less than usual so far."""
    t = reader("ko")
    assert "비교할 과거 기록 없음" in incidents.root(told.newcomer(), t).text
    nothing = told.shown(usual=Usual(Money.zero(), 28, UsualMethod.DAYS), increase=None)
    assert "평소 지출 없음" in incidents.root(nothing, t).text
    less = told.shown(increase=Decimal("-0.2"))
    assert "평소 $50" in incidents.root(less, t).text
    assert "감소" not in incidents.root(less, t).text


def test_the_end_is_calm_and_has_the_final_amount() -> None:
    """No siren, nothing to acknowledge, the way to the details."""
    message = incidents.root(told.over(), reader("ko"))
    assert message.text.startswith("✅ [마케팅팀] 일일 한도 $500 기간 종료 - 최종 $812 (162%)")
    offered = [ids.INCIDENT_DETAIL, ids.INCIDENT_BUDGET, ids.INCIDENT_REVIEW]
    assert [each["action_id"] for each in _elements(message.blocks)] == offered
    assert "오늘" not in str(message.blocks)
    deleted = incidents.root(told.over("budget_deleted"), reader("ko"))
    assert "예산이 삭제되었습니다" in str(deleted.blocks)


def test_a_budget_that_was_deleted_is_not_offered_to_be_changed() -> None:
    """Neither where its alert is over, nor in the menu and the details of one that outlives it."""
    t, gone = reader("ko"), replace(told.shown().budget, is_deleted=True)
    over, held = (replace(one, budget=gone) for one in (told.over("budget_deleted"), told.shown()))
    assert [each["action_id"] for each in _elements(incidents.root(over, t).blocks)] == [
        ids.INCIDENT_DETAIL, ids.INCIDENT_REVIEW
    ]  # fmt: skip
    assert "예산 변경" in str(incidents.root(told.shown(), t).blocks)
    assert "예산 변경" not in str(incidents.root(held, t).blocks)
    assert "예산 변경" not in str(incident_acts.row(held, t))


def test_nobody_is_rung_about_their_own_click() -> None:
    """Names, not mentions: a mention in the thread would notify whoever clicked."""
    for event in told.EVENTS.values():
        assert "<@U0JIHOON01>" not in incidents.line(event, told.shown(), reader("ko")).text
    assert "<@" not in str(incidents.root(told.acknowledged(), reader("ko")).blocks)


def test_an_alert_that_opened_again_says_why_and_offers_to_be_acknowledged() -> None:
    """In place of the name that stood there; once somebody takes care of it anew, only that."""
    again = str(incidents.root(told.opened_again(), reader("ko")).blocks)
    assert "확인 후 2시간 동안 조치가 없어 다시 열렸습니다 · 16:00" in again
    assert ids.MORE_ACKNOWLEDGE in again
    assert "<@" not in again
    taken = replace(told.opened_again(), incident=told.acknowledged().incident)
    assert "다시 열렸습니다" not in str(incidents.root(taken, reader("ko")).blocks)
    assert ids.MORE_ACKNOWLEDGE not in str(incidents.root(told.acknowledged(), reader("ko")).blocks)


def test_the_reminder_rings_who_acknowledged_and_the_end_who_leads() -> None:
    """One person each; where nobody leads, who had acknowledged it."""
    called = {
        name: re.findall(r"<@\w+>", incidents.line(told.EVENTS[name], told.shown(), reader("ko")).text)
        for name in ("reminded", "open_again", "open_again_without_lead")
    }
    assert called == {
        "reminded": ["<@U0MINSU001>"],
        "open_again": ["<@U0SEOYEON1>"],
        "open_again_without_lead": ["<@U0MINSU001>"],
    }


def test_every_kind_of_event_has_its_line() -> None:
    """Nothing that can happen is without words."""
    assert {event.kind for event in told.EVENTS.values()} == set(EventKind)


def test_a_thread_line_says_whose_limit_it_is() -> None:
    """Seen in the channel without its thread, it still answers who and how much."""
    for name in ("quiet", "warning", "jump", "silence_ran_out"):
        line = incidents.line(told.EVENTS[name], told.shown(), reader("ko")).text
        assert "[마케팅팀]" in line
        assert "일일 한도 $500" in line
    assert "75%, 90%, 100% 동시 도달" in incidents.line(told.EVENTS["jump"], told.shown(), reader("ko")).text


def test_the_cause_is_one_sentence_wherever_it_is_said() -> None:
    """In the message, in the window behind it and in the answer to why; where nothing is known nothing is claimed."""
    said = why.sentence(told.LOOP, reader("ko"))
    assert said == "호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심"
    assert words.cause(told.LOOP, reader("ko")) == said
    assert said in str(incidents.root(told.shown(), reader("ko")).blocks)
    for kind in (WhyKind.UNKNOWN, WhyKind.UNCHANGED, WhyKind.BEGUN, WhyKind.ENDED):
        assert words.cause(replace(told.LOOP, kind=kind), reader("ko")) is None
    assert words.cause(None, reader("ko")) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_refused_by_slack(language: str) -> None:
    """Rich and plain, root and thread and window."""
    t = reader(language)
    for build in ROOTS.values():
        assert refused(incidents.root(build(), t)) == []
    for event in told.EVENTS.values():
        assert refused(incidents.line(event, told.shown(), t)) == []
    for detail in (told.a_detail(), told.bare_detail()):
        assert refused_view(incidents.detail(detail, t)) == []


@given(names, st.sampled_from(LANGUAGES), st.decimals("0.000001", 10**9, places=6, allow_nan=False))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_things_are_called_it_fits_and_is_only_shown(name: str, language: str, amount: Decimal) -> None:
    """A team may be called <!channel>; an alert about it rings nobody."""
    t, scope = reader(language), Scope(ScopeKind.TEAM, 1, name)
    shown = told.shown(
        scope=scope,
        headline_project=scope,
        spent=replace(told.a_spent(unpriced=True), amount=Money(amount)),
        names={"U0JIHOON01": name, "U0MINSU001": name},
        incident=told.silenced().incident,
    )
    message = incidents.root(shown, t)
    assert refused(message) == []
    assert refused(unpriced.message(name, [name] * 30, date(2026, 7, 6), t)) == []
    for surface in (message.blocks, [incidents.line(each, shown, t).blocks for each in told.EVENTS.values()]):
        assert not [text for text in slack_limits.mrkdwn(surface) if "<!" in text]
    assert "<!" not in message.text


def test_a_chart_marks_what_is_estimated_in_its_plain_form() -> None:
    """Where a workspace draws no charts, the same days stand there as lines, today's as an estimate."""
    plain = incidents.root(told.shown(), reader("ko")).plain_blocks
    lines = next(block for block in plain if block["type"] == "rich_text")["elements"][0]["elements"][0]["text"]
    assert lines.splitlines()[-1].startswith("7/6")
    assert lines.splitlines()[-1].endswith("$742.00 ○")
    assert len(lines.splitlines()) == 8


def test_the_check_up_speaks_of_usage_alerts_and_prices() -> None:
    """Every finding about what happens live, when all is well and when it is not."""
    findings = [
        News("usage", values={"name": "A", "age_minutes": 3, "lateness_seconds": 250.0}),
        News("usage", level="fail", values={"name": "A", "age_minutes": None}),
        News("drift", values={"name": "A", "ratio": Decimal("1.0078"), "days": 14}),
        News("drift", values={"name": "A", "ratio": None, "days": 0}),
        News("alert_clocks", values={"count": 4, "detected_seconds": 3.2, "available_seconds": 200.0}),
        News("alert_clocks", values={"count": 0, "detected_seconds": None, "available_seconds": None}),
        News("outbox", values={"waiting": 0, "oldest_seconds": 0, "dead": 0}),
        News("outbox", level="warn", values={"waiting": 3, "oldest_seconds": 240, "dead": 1}),
        News("unpriced", values={"names": ()}),
        News("unpriced", level="warn", values={"names": ("gpt-9-mystery",)}),
    ]
    for language in LANGUAGES:
        assert len({doctor.words(finding, reader(language)) for finding in findings}) == len(findings)
    t = reader("ko")
    assert "+0.8%" in doctor.words(findings[2], t)
    agreed = doctor.words(News("drift", values={"name": "A", "ratio": Decimal("1.0001"), "days": 14}), t)
    assert agreed == "*A* 청구 비용이 최근 14일의 추정과 일치합니다.", "nothing is corrected by 0.0%"
    assert "4초" in doctor.words(findings[4], t)


def test_the_check_up_blames_no_key_for_what_the_provider_does() -> None:
    """OpenAI answered nothing for half an hour: two lines in a row said so, and that the key is to be looked at."""
    t = reader("ko")
    down, old = [
        doctor.words(News("usage", level="fail", values={"name": "A", "age_minutes": 40, "code": code}), t)
        for code in ("unavailable", None)
    ]
    assert "OpenAI가 응답하지 않습니다" in down
    assert "/finops 키" not in down
    assert "/finops 키" in old


def _elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
