"""J2 as a person walks it: the real page, the real product, in Korean, from an empty Home to a shared bill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from demo import lab
from demo.prices import FilePrices, Rates
from demo.slack.cast import FINOPS, JIHOON, SEOYEON
from demo.stage import Stage, staged
from demo.trace import parse_trace
from tests.browser.conftest import Visitor, Window
from tests.e2e.stages import easy_slack

HEAD = "hour,application,model,requests,input_tokens,output_tokens"
PRICES = FilePrices("prices of this test", {"big": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))})


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running, nothing set up: ten days of two applications, and a project that spends nothing."""
    rows = [f"{hour},{name},big,3,4000000,100000" for hour in range(0, 240, 6) for name in ("chat", "ads")]
    scene = staged(
        parse_trace([HEAD, *rows, "239,chat,big,1,10,1"]), PRICES, f"sqlite:///{tmp_path / 'stage.db'}",
        slack=easy_slack(), FINOPS_BACKFILL_DAYS="21",
    )  # fmt: skip
    async with scene as running:
        lab.show(running)
        yield running
        assert running.slack.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def person(desk: Window, stage: Stage) -> AsyncIterator[Visitor]:
    """Somebody at a desk, looking at the real page."""
    someone = Visitor(desk, stage.slack.url)
    yield someone
    await someone.leaves()


async def pressed(page: Page, name: str) -> None:
    """Press the button of that name in the window in front."""
    await page.get_by_role("dialog").get_by_role("button", name=name, exact=True).last.click()


async def typed(page: Page, text: str) -> None:
    """Write into the channel."""
    box = page.locator(".composer textarea")
    await box.fill(text)
    await box.press("Enter")


async def a_team_is_set_up(page: Page, stage: Stage) -> None:
    """Team, key, projects: what is wrong is said in the window; closed half-way, it goes on from Home."""
    window = page.get_by_role("dialog")
    await expect(page.locator(".home-body")).to_contain_text("5단계 중 0단계 완료")
    await page.get_by_role("button", name="설정 시작하기").click()
    await window.get_by_label("팀 이름").fill("마케팅팀")
    await window.get_by_role("combobox").last.click()
    await page.get_by_role("option", name="마케팅팀").click()
    await pressed(page, "팀 만들기")

    key = window.get_by_role("textbox", name="Admin API Key")
    await key.fill(next(iter(stage.openai.organization.projects.values())).keys[0].secret)
    await pressed(page, "키 등록")
    await expect(window).to_contain_text("프로젝트 키(sk-proj-)입니다")
    await key.fill(stage.props.revoked_key)
    await pressed(page, "키 등록")
    await expect(window).to_contain_text("저장하지 않았습니다")
    await key.fill(stage.props.marketing_key)
    await pressed(page, "키 등록")
    await expect(window).to_contain_text("Admin API Key가 등록되었습니다 (ends with ...abc1)")
    await expect(window).to_contain_text("한빛소프트")

    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await page.get_by_role("button", name="프로젝트 선택").click()
    await window.get_by_role("combobox").click()
    await page.keyboard.type("cha")
    await page.get_by_role("option", name="chat").click()
    await page.keyboard.type("ads")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Escape")
    await pressed(page, "등록")
    await expect(window).to_contain_text("마케팅팀 소속 프로젝트 1개를 등록했습니다.")
    await pressed(page, "완료")
    await expect(page.locator(".home-body")).to_contain_text("어제 AI 비용 $88.00", timeout=15_000)


async def it_is_changed_in_windows_that_close_one_by_one(page: Page) -> None:
    """A project's details, a project without a past, and a key kept after all."""
    window = page.get_by_role("dialog")
    await page.get_by_role("button", name="프로젝트 관리 · 1개").click()
    await window.get_by_role("combobox").click()
    await page.get_by_role("option", name="chat").click()
    await pressed(page, "수정")
    await window.get_by_label("비용 센터").fill("MKT-001")
    await window.get_by_role("combobox", name="담당자").click()
    await page.get_by_role("option", name="김민수").click()
    await pressed(page, "저장")
    await expect(window).to_contain_text("chat 정보를 저장했습니다.")
    await expect(window).to_contain_text("비용 센터: MKT-001")
    await expect(window).to_contain_text("담당자: @김민수")

    await pressed(page, "프로젝트 등록")
    await expect(window).to_contain_text("한 프로젝트는 한 팀에만 속합니다.")  # the window before has a list, too
    await window.get_by_role("combobox").click()
    await page.keyboard.type("sandbox")
    await page.get_by_role("option", name="sandbox").click()
    await page.keyboard.press("Escape")
    await pressed(page, "등록")
    await expect(window).to_contain_text("Project ID가 등록되었습니다. 내일부터 비용 데이터가 수집됩니다.")
    await pressed(page, "완료")
    await expect(window).to_have_count(0)  # nothing below that does not know of it yet

    await page.get_by_role("button", name="키 관리").click()
    await pressed(page, "교체")
    await expect(window).to_contain_text("끝자리가 ...abc1인 키를 대신합니다.")
    await page.keyboard.press("Escape")
    await pressed(page, "삭제")
    await expect(page.get_by_role("alertdialog")).to_contain_text("지출은 멈추지 않습니다")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await expect(window).to_contain_text("사용 중")
    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)


async def it_is_checked_over(page: Page) -> None:
    """What is not proved yet is named, and its button proves it."""
    await page.get_by_role("tab", name="메시지").click()
    await expect(page.locator(".messages")).to_contain_text("첫 차트가 준비되었습니다")
    await typed(page, "/finops 점검")
    check = page.locator(".message", has_text="점검 결과 · 확인할 항목 1개")
    await expect(check).to_contain_text("아직 테스트 알림으로 버튼을 확인하지 않았습니다")
    await expect(check).to_contain_text("Socket Mode가 연결되어 있습니다")
    await expect(check).to_contain_text("대기 중인 수집이 없습니다.")
    await check.get_by_role("button", name="버튼 시험").click()
    await expect(page.locator(".messages")).to_contain_text("버튼이 잘 작동합니다.")


async def its_bill_is_shared(page: Page) -> None:
    """Once, however often the button is pressed."""
    await page.get_by_role("link", name="finops", exact=True).click()
    await expect(page.get_by_label("#finops에 메시지 보내기")).to_be_visible()  # the bot's own has a box, too
    await typed(page, "/finops 상태 어제")
    report = page.locator(".message", has_text="전체 · 어제 · $88.00")
    await expect(report).to_contain_text("잠정")
    await expect(report).to_contain_text("성과 기록 없음")
    await report.get_by_role("button", name="공유", exact=True).dblclick()
    await expect(page.locator(".messages")).to_contain_text("님이 공유했습니다")


async def test_a_newcomer_onboards_a_team_changes_it_and_shares_its_bill(person: Visitor, stage: Stage) -> None:
    """Progress, chart, Home, check-up, status, share: every promised sentence on the screen; a member may not all."""
    page = await person.sees(place="", user=JIHOON)
    await a_team_is_set_up(page, stage)
    await it_is_changed_in_windows_that_close_one_by_one(page)
    await it_is_checked_over(page)
    await its_bill_is_shared(page)

    other = await person.sees(place=FINOPS, user=SEOYEON)
    await expect(other.locator(".message", has_text="전체 · 어제 · $88.00")).to_have_count(1)
    await typed(other, "/finops 팀")
    await expect(other.get_by_role("dialog")).to_contain_text("관리자만 할 수 있는 작업입니다.")
