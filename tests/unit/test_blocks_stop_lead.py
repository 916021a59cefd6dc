"""What is said to a lead about a stop or instead of one: politely, with the amount and period it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from blocks import stop_form, stop_lead
from finops.budgets import BudgetPeriod
from finops.figures import Scope
from finops.periods import Period
from finops.queries import ScopeKind
from finops.why import WhyKind
from tests.unit import saying_live
from tests.unit import stopping_said as told
from tests.unit.saying import reader


def test_the_prepared_message_is_polite_and_says_why() -> None:
    """742 against 50 is 14.8 times; a suspicion is called one, and nothing unknown is made up."""
    text = stop_lead.prepared(told.a_draft(), reader("ko"))
    assert text.startswith("김민수님, 안녕하세요.\nchatbot-experiment의 오늘 비용이 $742로 평소의 14.8배입니다.")
    said = "사용량으로 본 원인: 호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심"
    assert f"{said} (7월 6일 13:40~14:00 KST, 직전 7일 같은 시간대 평균과 비교)" in text
    assert "입니다.\n(추정, 7월 6일 14:03 KST 기준)\n" in text
    assert "추정" not in stop_lead.prepared(told.bare_draft(), reader("ko"))
    assert "확인 부탁드립니다." in text
    assert "루프" not in stop_lead.prepared(told.bare_draft(), reader("ko"))


def test_the_prepared_message_says_of_the_cause_what_the_alert_says() -> None:
    """Three times the calls are no loop by themselves: one sentence for both, with the hours it is about."""
    longer = replace(saying_live.LOOP, kind=WhyKind.MORE_TRAFFIC)
    text = stop_lead.prepared(told.a_draft(cause=longer), reader("ko"))
    assert "호출당 토큰 동일 → 호출 증가 (7월 6일 13:40~14:00 KST" in text
    assert "루프" not in text


@pytest.mark.parametrize(("increase", "said"), [
    ("9999.5", "평소의 10,000.5배입니다."), ("1233", "평소의 1,234배입니다."), ("10000", "비용은 $742입니다."),
    ("48212", "비용은 $742입니다."),
])  # fmt: skip
def test_so_many_times_next_to_nothing_is_not_counted(increase: str, said: str) -> None:
    """Thousands are grouped; beyond ten thousand the amount says more."""
    text = stop_lead.prepared(told.a_draft(increase=Decimal(increase)), reader("ko"))
    assert said in text
    assert ("배입니다" in text) == ("배" in said)


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
