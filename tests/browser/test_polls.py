"""Polls in the page: three people of three languages ask and vote, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from demo.slack.cast import EMMA, JIHOON, MARKETING, SAKURA
from demo.stage import Stage
from tests.browser.conftest import Visitor, Window
from tests.e2e.stages import a_trace, answer_to, scene, set_up

PICTURES = os.environ.get("FINOPS_TEST_PICTURES")  # a folder, for whoever wants to look


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    """A team's channel with three people in it."""
    database = shutil.copy(sqlite_template, tmp_path / "stage.db")
    async with scene(f"sqlite:///{database}", a_trace(days=2), FINOPS_EDIT_EVERY_SECONDS="1") as running:
        await set_up(running)
        for who, command in ((EMMA, "/finops status"), (SAKURA, "/finops 状態")):
            person = running.slack.person(who)
            person.joins(MARKETING)
            await answer_to(running, person, command)
        yield running
        assert running.slack.complaints == []


async def pictured(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def types(page: Page, command: str) -> None:
    await page.locator(".composer textarea").fill(command)
    await page.keyboard.press("Enter")


async def test_three_people_play_a_poll_in_the_page(desk: Window, pocket: Window, stage: Stage) -> None:
    """이지훈 asks in Korean, Emma votes in English at her desk, 佐藤さくら in Japanese on her phone; it fits both."""
    asker = Visitor(desk, stage.slack.url)
    page = await asker.sees(MARKETING, JIHOON)
    await types(page, "/finops 투표")
    window = page.get_by_role("dialog").last
    await expect(window).to_contain_text("질문")
    await window.get_by_role("textbox").nth(0).fill("다음 분기에 무엇을 먼저 줄일까요?")
    await window.get_by_role("textbox").nth(1).fill("챗봇 실험\n광고 문구 생성\n야간 배치")
    await window.get_by_text("익명", exact=True).click()
    await pictured(page, "window")
    await window.get_by_role("button", name="올리기").click()
    await expect(page.get_by_role("dialog").last).to_contain_text("곧")
    await page.keyboard.press("Escape")
    message = page.locator(".message", has_text="다음 분기에 무엇을 먼저 줄일까요?").last
    await expect(message).to_contain_text("난수")
    await message.get_by_role("button", name="투표하기").nth(0).click()
    await expect(page.locator("body")).to_contain_text("감사합니다")
    await pictured(page, "asked")

    page = await Visitor(desk, stage.slack.url).sees(MARKETING, EMMA)
    message = page.locator(".message", has_text="다음 분기에 무엇을 먼저 줄일까요?").first
    await message.get_by_role("button", name="투표하기").nth(1).click()
    await expect(page.locator("body")).to_contain_text("Thank you")
    await pictured(page, "emma")

    phone = await Visitor(pocket, stage.slack.url).sees(MARKETING, SAKURA)
    message = phone.locator(".message", has_text="다음 분기에 무엇을 먼저 줄일까요?").first
    await message.get_by_role("button", name="투표하기").nth(1).click()
    await expect(phone.locator("body")).to_contain_text("ありがとうございます")
    await expect(message).to_contain_text("3명 투표")
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await pictured(phone, "phone")

    page = await Visitor(desk, stage.slack.url).sees(MARKETING, JIHOON)
    await stage.slack.person(JIHOON).command("/finops 투표 목록", MARKETING)
    await expect(page.locator("body")).to_contain_text("투표 목록")
    await pictured(page, "list")
