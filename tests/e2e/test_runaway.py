"""The golden case of the product, through the wire: $50 a day, a retry loop, $742 of $500 at 14:00 in Seoul."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from blocks import ids
from demo import story
from demo import story_people as people
from demo.budgeting import set_budget
from demo.clock import StageClock
from demo.onboarding import Wish, onboard
from demo.prices import FilePrices, Rates
from demo.slack.cast import JIHOON, MARKETING, MINSU
from demo.slack.journal import Call
from demo.stage import Stage
from demo.story_time import BRIEFLY, caught_up
from demo.trace import Trace, parse_trace
from tests.e2e.stages import scene

APPLICATION = "chatbot-experiment"
PRICES = FilePrices("the golden case", {"gpt-golden": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))})
QUICK = story.SETTINGS | {"FINOPS_BACKFILL_DAYS": "8"}


def silent(words: str) -> None:
    del words


def golden_trace(days: int = 30) -> Trace:
    """A thousand calls of five cents a day, all of them between 09:00 and 14:00 in Seoul."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    working = [hour for hour in range(days * 24) if hour % 24 < 5]
    rows += [f"{hour},{APPLICATION},gpt-golden,200,4000000,0,0" for hour in working]
    rows.append(f"{days * 24 - 1},ad-copy-writer,gpt-golden,1,1000,0,0")
    return parse_trace(rows)


async def set_up(stage: Stage) -> None:
    person = stage.slack.person(JIHOON)
    wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, (APPLICATION,))
    await onboard(stage, person, wish, silent)
    await set_budget(stage, person, APPLICATION, "$500", silent)


def in_channel(stage: Stage) -> list[Call]:
    return [
        call
        for call in stage.slack.calls
        if call.ok and call.method == "chat.postMessage" and call.args.get("channel") == MARKETING
    ]


def root_text(stage: Stage) -> str:
    """What the one message in the channel says now."""
    said = stage.slack.person(JIHOON).messages(MARKETING)
    roots = [message for message in said if message.get("thread_ts", message["ts"]) == message["ts"]]
    own = [one for one in roots if "$500" in one["text"]]
    assert len(own) == 1, [one["text"] for one in roots]
    return str(own[0]["text"])


@pytest.mark.long
async def test_742_of_500_dollars_reads_as_promised_escalates_in_place_and_ends_with_the_day(quick_url: str) -> None:
    """One root message that always shows the present, a thread that tells the story, one closing; word for word."""
    clock = StageClock()
    async with scene(quick_url, golden_trace(), prices=PRICES, clock=clock, **QUICK) as stage:
        await set_up(stage)
        dawn = clock.move_to_next_day().replace(minute=0, second=0, microsecond=0)
        stage.openai.boost(APPLICATION, Fraction(1484, 100), dawn)

        clock.advance(dawn + timedelta(hours=2, seconds=20) - clock())
        await caught_up(stage, clock)
        assert in_channel(stage) == [], "59 per cent is no news to a channel"

        clock.advance(dawn + timedelta(hours=3, seconds=20) - clock())
        await caught_up(stage, clock)
        assert root_text(stage) == (
            "⚠️ [마케팅팀] 일일 한도 $500의 75% 도달 - 현재 $445 (89%)\n"
            "chatbot-experiment · 평소($50) 대비 790% 증가 · 추정 · 12:00 기준"
        )

        clock.advance(dawn + timedelta(hours=5, seconds=20) - clock())
        await caught_up(stage, clock)
        assert root_text(stage) == (
            "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)\n"
            "chatbot-experiment · 평소($50) 대비 1,384% 증가 · 추정 · 14:00 기준"
        )
        root, *lines = in_channel(stage)
        assert "호출 수 15배, 호출당 토큰 동일 → 재시도 루프 의심" in str(
            stage.slack.person(JIHOON).messages(MARKETING)
        )
        assert [line.args["thread_ts"] for line in lines] == [root.response["ts"]] * len(lines)
        assert [line.args.get("reply_broadcast", False) for line in lines] == [False, False, True]

        clock.move_to_next_day()
        await caught_up(stage, clock, until_closed=True)
        assert root_text(stage).startswith("✅ [마케팅팀] 일일 한도 $500 기간 종료 - 최종 $742 (148%)")
        assert stage.slack.complaints == []


def as_said(texts: list[str]) -> list[str]:
    """The texts of a stop without what depends on the minute: each lasting state once, in order."""
    found: list[str] = []
    for text in texts:
        plain = re.sub(r"\d\d:\d\d(:\d\d)?", "00:00", re.sub(r"(현재|마지막) \$\d+ \(\d+%\)", r"\1 $0 (0%)", text))
        first = plain.splitlines()[0]
        # A passing state may be over before it was shown.
        if "차단" in first or "복구" in first or "종료" in first:
            found += [] if plain in found or "요청됨" in first or "복구 중" in first else [plain]
    return found


@pytest.mark.long
async def test_a_stop_is_proved_by_usage_and_what_was_before_comes_back_exactly(quick_url: str) -> None:
    """The whole story by people's clicks: its root message word for word, its limits as the provider tells them; and
    once it is over, a review with owner and day in its thread."""
    clock = StageClock()
    async with scene(quick_url, golden_trace(), prices=PRICES, clock=clock, **QUICK) as stage:
        told = await story.runaway(stage, clock, silent, pace=BRIEFLY)
        await leaves_a_review(stage, clock)
        assert stage.slack.complaints == []

    assert told.limit_before is not None
    assert told.limit_stopped is not None
    assert told.limit_after == told.limit_before
    assert told.is_restored_exactly
    cent = {"threshold_amount": 1, "currency": "USD", "interval": "month", "enforcement": {"status": "enforcing"}}
    assert told.limit_stopped == told.limit_before | cent
    assert told.leak_usd is not None
    assert told.leak_usd == told.leak_billed_usd
    assert Decimal(0) < Decimal(told.leak_usd) < 10, "two or three minutes of two and a half dollars"
    times = [
        told.breach_at, told.detected_at, told.delivered_at, told.stop_requested_at, told.limit_set_at,
        told.enforced_at, told.proved_at, told.approved_at, told.restored_at, told.first_traffic_at, told.closed_at,
    ]  # fmt: skip
    assert None not in times
    assert times == sorted(times, key=str)

    leaked, former = f"${Decimal(told.leak_usd):.2f}", f"${told.limit_before['threshold_amount'] // 100:,}"
    now = "chatbot-experiment · 일일 한도 $500, 현재 $0 (0%)"
    assert as_said(told.root_texts)[:3] == [
        f"⛔ [마케팅팀] 차단됨 - {now}\n⛔ 차단됨 · 한도 1센트 적용 00:00 · 사용량으로 확인 중",
        f"✅ [마케팅팀] 차단 확인됨 - {now}\n✅ 차단 확인됨 · 요청 후 {leaked} 추가 발생 · 00:00 이후 0",
        f"↩️ [마케팅팀] 복구됨 - {now}\n↩️ 복구됨 · 김민수 · 00:00 · 이전 한도 {former} 그대로",
    ]
    assert told.root_texts[-1].startswith("✅ [마케팅팀] 일일 한도 $500 알림 종료 - 마지막 $5")
    assert told.cause == people.CAUSE
    assert sum(people.CAUSE in line for line in told.thread_texts) == 2, "when it was told, and in the last note"


async def leaves_a_review(stage: Stage, clock: StageClock) -> None:
    """이지훈 completes the draft: the story in order, how long it took, cost, cause, prevention; who, until when."""
    jihoon, [root] = stage.slack.person(JIHOON), _reviewable(stage)
    await jihoon.clicks(root, ids.INCIDENT_REVIEW)
    await stage.slack.until(lambda: (jihoon.view or {}).get("callback_id") == ids.VIEW_REVIEW, 15)
    draft = str(jihoon.view["blocks"][0]["element"]["initial_value"])  # type: ignore[index]
    told = ["지출 급증 시작", "한도의 100% 도달", "지출 차단 요청 · 이지훈", "공급자에 적용됨", "사용량으로 확인됨"]
    told += [
        "복구됨",
        "복구 후 첫 정상 호출",
        "첫 알림부터 종료까지",
        "한도 초과 금액: $",
        "추가 발생",
        "막은 손실 추정 $",
    ]
    places = [draft.index(words) for words in [*told, people.CAUSE, "재시도 로직을 점검하고"]]
    assert places == sorted(places)
    assert re.search(r"09:00 KST 지출 급증 시작\n.* 한도의 100% 도달", draft)

    yesterday, tomorrow = (str((clock() + timedelta(days=days)).date()) for days in (-1, 1))
    refused = await jihoon.submits(None, {ids.REVIEW_DUE: yesterday})
    assert refused["errors"] == {ids.REVIEW_DUE: "오늘이나 그 이후의 날짜를 선택해 주세요."}
    assert (await jihoon.submits(None, {ids.REVIEW_TEXT: draft + " 코드 리뷰 강화", ids.REVIEW_DUE: tomorrow}))["ok"]
    await caught_up(stage, clock)
    line = stage.slack.messages(MARKETING)[-1]
    assert line["thread_ts"] == root["ts"]
    assert "코드 리뷰 강화" in str(line["blocks"])
    assert f"담당 <@{MINSU}>" in line["text"]


def _reviewable(stage: Stage) -> list[people.Message]:
    return [one for one in stage.slack.messages(MARKETING) if ids.INCIDENT_REVIEW in people.offered(one)]
