"""An alert about what another alert stopped: true at a glance, with nothing to press that could do nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from blocks import ids, incidents, kit, live
from blocks import incident_words as words
from finops.budgets import BudgetAction, BudgetOn, BudgetPeriod, BudgetScope
from finops.holds import HoldState
from finops.incident_report import HeldElsewhere, IncidentShown, LiveReport, StopUnder
from finops.periods import Period
from finops.stop_report import StopShown
from finops.stops import StopState
from tests.unit import saying_live
from tests.unit import stopping_said as told
from tests.unit.saying import LANGUAGES, reader
from tests.unit.test_blocks_limits import refused

OWN = BudgetOn(saying_live.a_budget("60", scope_kind=BudgetScope.PROJECT), saying_live.PROJECT_SCOPE, None)
HELD = told.shown(told.a_stop(), told.a_hold(HoldState.SET))


def elsewhere(*stops: StopShown, is_all: bool = False, speaks: bool = True, **more: Any) -> HeldElsewhere:
    given: dict[str, Any] = {"on": OWN, "window": saying_live.DAY, "place": ("C0MARKET01", "1783314202.000100")}
    whole = replace(stops[0], holds=tuple(hold for one in stops for hold in one.holds))
    return HeldElsewhere(whole, tuple(StopUnder(one, **(given | more)) for one in stops), is_all, speaks)


def elements(shown: IncidentShown) -> list[dict[str, Any]]:
    blocks = incidents.root(shown, reader("ko")).blocks
    return [one for block in blocks if block["type"] == "actions" for one in block["elements"]]


CASES = {
    "all": saying_live.shown(elsewhere=elsewhere(HELD, is_all=True)),
    "top": saying_live.shown(elsewhere=elsewhere(HELD)),
    "some": saying_live.shown(elsewhere=elsewhere(HELD, speaks=False)),
    "below the limit": replace(saying_live.warned(), elsewhere=elsewhere(HELD, is_all=True)),
    "restored here": replace(told.in_incident(told.restored()), elsewhere=elsewhere(HELD, is_all=True)),
    "failed here": replace(told.in_incident(told.shown(told.a_stop(StopState.FAILED), told.a_hold(HoldState.FAILED))),
                           elsewhere=elsewhere(HELD, is_all=True)),
    "held here": replace(told.in_incident(HELD), elsewhere=elsewhere(told.unproved(), on=None, place=None)),
    "many": saying_live.shown(elsewhere=elsewhere(*[
        told.shown(told.a_stop(), *[told.a_hold(number=100 * n + m, name="<!channel> & |" * 9) for m in range(30)])
        for n in range(9)
    ], is_all=True)),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_slack_takes_it_and_one_button_stands_out(name: str, language: str) -> None:
    """However much is held, in every language, rich and plain; and a name rings nobody."""
    message = incidents.root(CASES[name], reader(language))
    assert refused(message) == []
    assert "<!channel>" not in str(message.blocks)
    styles = [one.get("style") for one in elements(CASES[name])]
    assert (styles.count("primary") <= 1, styles.count("danger") <= 1) == (True, True)


@pytest.mark.parametrize("name", ["all", "below the limit", "restored here", "failed here", "many"])
def test_where_nothing_is_left_nothing_offers_to_stop_it(name: str) -> None:
    """Neither as a button nor in the menu, nor to allow what is stopped; and no question to do so."""
    shown = replace(CASES[name], budget=saying_live.a_budget(action=BudgetAction.ASK))
    said = str(elements(shown))
    assert [each for each in (ids.INCIDENT_STOP, ids.INCIDENT_APPROVE, f"12/{ids.MORE_STOP}'") if each in said] == []
    assert "승인하거나" not in str(incidents.root(shown, reader("ko")).blocks)


def test_the_first_line_says_stopped_and_the_message_by_whom_when_and_where_it_is_restored() -> None:
    """The team's limit, stopped in the alert of the project's own; no speed and no forecast of what stands still."""
    message = incidents.root(CASES["all"], reader("ko"))
    assert message.text.startswith(
        "⛔ [마케팅팀] 차단됨 - chatbot-experiment · 일일 한도 $500, 현재 $742 (148%)\n⛔ 차단됨"
    )
    said = str(message.blocks)
    assert "요청: 이지훈 · 14:03:22 · 사유: 재시도 루프로 보입니다" in said
    link = "https://slack.com/app_redirect?team=T0FINOPS01&channel=C0MARKET01&message_ts=1783314202.000100"
    assert f"다른 알림에서 적용했습니다: <{link}|chatbot-experiment · 일일 한도 $60>" in said
    assert elements(CASES["all"])[0].get("url") == link
    assert "시간당" not in said
    of_yesterday = elsewhere(HELD, window=Period(date(2026, 7, 5), date(2026, 7, 6)))
    assert "일일 한도 $60 · 7/5>" in str(incidents.root(saying_live.shown(elsewhere=of_yesterday), reader("ko")).blocks)


def test_who_is_left_can_be_stopped_and_it_is_red_where_it_runs_away() -> None:
    """The button says that it is about another one; of what goes on as always nothing is red."""
    top, some = elements(CASES["top"])[0], elements(CASES["some"])[0]
    assert (top["text"]["text"], top.get("style")) == ("다른 프로젝트 차단하기", None)
    assert (some["text"]["text"], some["style"]) == ("다른 프로젝트 차단하기", "danger")
    first, second = words.two_lines(CASES["some"], reader("ko"))
    assert first.startswith("🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742")
    assert second.endswith("⛔ chatbot-experiment: 차단됨")


def test_the_incidents_own_stop_speaks_first_and_the_other_one_is_told_beside_it() -> None:
    """Held here: the way to restore it is here, and what is held outside of any alert stands below."""
    message = incidents.root(CASES["held here"], reader("ko"))
    assert message.text.startswith("⛔ [마케팅팀] 차단됨 - chatbot-experiment")
    assert ids.STOP_RESTORE in str(elements(CASES["held here"]))
    assert "알림과 별도로 적용했습니다: 차단 메시지." in str(message.blocks)


@pytest.mark.parametrize(
    ("period", "window", "when"),
    [
        (BudgetPeriod.DAY, saying_live.DAY, "7월 6일(월) $742"),
        (BudgetPeriod.WEEK, Period(date(2026, 6, 29), date(2026, 7, 6)), "6/29 ~ 7/5 $742"),
        (BudgetPeriod.MONTH, Period(date(2026, 6, 1), date(2026, 7, 1)), "6/1 ~ 6/30 $742"),
    ],
)
def test_the_amount_of_a_period_that_is_over_is_not_called_the_present_one(
    period: BudgetPeriod, window: Period, when: str
) -> None:
    """An alert outlives its period while something is held: in its message, its window, its mail and on Home."""
    incident = saying_live.an_incident(period=period, window=window)
    shown = saying_live.shown(incident=incident, budget=saying_live.a_budget(period=period), is_period_over=True)
    t, detail = reader("ko"), saying_live.a_detail
    for one in (shown, replace(shown, stop=HELD)):
        report = LiveReport(incidents=(one,), incident_count=1)
        places = [incidents.root(one, t).text, *incidents.mail(one, t), str(kit.plain(live.incidents(report, t)))]
        for said in (*places, str(incidents.root(one, t).blocks), str(incidents.detail(detail(shown=one), t))):
            assert [word for word in ("현재", "오늘", "예상") if word in said] == []
        assert all(when in said for said in places)
