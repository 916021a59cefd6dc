"""Polls in the page: three people of three languages ask and vote, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from blocks import ids
from demo.slack.cast import EMMA, JIHOON, MARKETING, SAKURA, TEAM_ID
from demo.stage import Stage
from finops.registry import Person
from handlers.addresses import BOT, STORAGE
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


async def test_three_people_vote_on_what_comes_next_and_read_what_is_decided(
    desk: Window, pocket: Window, stage: Stage
) -> None:
    """From the empty page to a decision in Korean, read in English at a desk and in Japanese on a phone."""
    jihoon = await Visitor(desk, stage.slack.url).sees(MARKETING, JIHOON)
    await types(jihoon, "/finops 결정")
    await jihoon.get_by_role("button", name="다음 기능 투표").click()
    window = jihoon.get_by_role("dialog").last
    await window.get_by_role("button", name="올리기").click()
    await expect(jihoon.get_by_role("dialog").last).to_contain_text("곧")
    await jihoon.keyboard.press("Escape")
    poll = jihoon.locator(".message", has=jihoon.get_by_role("button", name="투표하기")).last
    await expect(poll).to_be_visible()
    for who in (EMMA, SAKURA, JIHOON):
        person = stage.slack.person(who)
        message = next(one for one in reversed(stage.slack.messages(MARKETING)) if ids.POLL_VOTE in str(one["blocks"]))
        await person.clicks(message, ids.POLL_VOTE, "1/2" if who != EMMA else "1/1")
    await expect(poll).to_contain_text("3명 투표")
    await stage.product[BOT].voting.close(await person_of(stage, JIHOON), 1)
    await types(jihoon, "/finops 결정")
    page = jihoon.locator(".message", has_text="다음 기능: 투표 결과와 결정").last
    await expect(page).to_contain_text("67%")
    await page.locator(".select-open").first.click()
    await jihoon.get_by_role("option", name="계획", exact=True).click()
    await expect(jihoon.locator("body")).to_contain_text("결정: 계획 · 이지훈")
    await pictured(jihoon, "decisions-ko")

    emma = await Visitor(desk, stage.slack.url).sees(MARKETING, EMMA)
    await types(emma, "/finops decisions")
    page = emma.locator(".message", has_text="What comes next").last
    await expect(page).to_contain_text("Decided: planned · 이지훈")
    await expect(page.locator(".select-open")).to_have_count(0)
    await pictured(emma, "decisions-en")

    sakura = await Visitor(pocket, stage.slack.url).sees(MARKETING, SAKURA)
    await types(sakura, "/finops 決定")
    await expect(sakura.locator(".message").last).to_contain_text("67%")
    assert await sakura.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await pictured(sakura, "decisions-ja")


async def person_of(stage: Stage, user_id: str) -> Person:
    async with stage.product[STORAGE].reading() as store:
        person = await store.people.get(TEAM_ID, user_id)
    assert person is not None
    return person
