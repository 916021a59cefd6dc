"""Polls in the page: three people of three languages ask and vote, on a desk and on a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from demo.slack.cast import EMMA, JIHOON, MARKETING, SAKURA, TEAM_ID
from demo.stage import Stage
from finops.registry import Person
from handlers.addresses import BOT, STORAGE
from tests.browser.conftest import Visitor, Window
from tests.e2e.stages import a_trace, answer_to, scene, set_up

QUESTION = "다음 분기에 무엇을 먼저 할까요?"
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


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def types(page: Page, command: str) -> None:
    await page.bring_to_front()  # a page behind another one draws late
    await page.locator(".composer textarea").fill(command)
    await page.keyboard.press("Enter")


async def votes(page: Page, option: int, thanks: str, name: str) -> Locator:
    """Somebody votes and is thanked in their language; the poll."""
    await page.bring_to_front()
    poll = page.locator(".message", has_text=QUESTION).first
    await poll.get_by_role("button", name="투표하기").nth(option).click()
    await expect(page.locator("body")).to_contain_text(thanks)
    await pictured(page, name)
    return poll


async def test_three_people_vote_on_what_comes_next_and_read_what_is_decided(
    desk: Window, pocket: Window, stage: Stage
) -> None:
    """From the empty page to a decision: 이지훈 asks in Korean, Emma votes at her desk, 佐藤さくら on her phone."""
    at_desk, on_phone = Visitor(desk, stage.slack.url), Visitor(pocket, stage.slack.url)
    jihoon = await at_desk.sees(MARKETING, JIHOON)
    await types(jihoon, "/finops 결정")
    await jihoon.get_by_role("button", name="다음 기능 투표").click()
    window = jihoon.get_by_role("dialog").last
    await window.get_by_role("textbox").first.fill(QUESTION)
    await window.get_by_text("익명", exact=True).click()
    await pictured(jihoon, "window")
    await window.get_by_role("button", name="올리기").click()
    await expect(jihoon.get_by_role("dialog").last).to_contain_text("곧")
    await jihoon.keyboard.press("Escape")
    await expect(jihoon.locator(".message", has_text=QUESTION)).to_contain_text("난수")
    asked = await votes(jihoon, 1, "감사합니다", "asked")

    emma = await at_desk.sees(MARKETING, EMMA)
    await votes(emma, 0, "Thank you", "emma")
    sakura = await on_phone.sees(MARKETING, SAKURA)
    await votes(sakura, 1, "ありがとうございます", "phone")
    assert await fits(sakura)
    await expect(asked).to_contain_text("3명 투표")

    await stage.product[BOT].voting.close(await person_of(stage, JIHOON), 1)
    await types(jihoon, "/finops 결정")
    page = jihoon.locator(".message", has_text="투표 결과와 결정").last
    await expect(page).to_contain_text("67%")
    await page.locator(".select-open").first.click()
    await jihoon.get_by_role("option", name="계획", exact=True).click()
    await expect(jihoon.locator("body")).to_contain_text("결정: 계획 · 이지훈")
    await pictured(jihoon, "decisions-ko")

    await types(emma, "/finops decisions")
    page = emma.locator(".message", has_text="Decided: planned · 이지훈").last
    await expect(page).to_be_visible()
    await expect(page.locator(".select-open")).to_have_count(0)
    await pictured(emma, "decisions-en")

    await types(sakura, "/finops 決定")
    await expect(sakura.locator(".message").last).to_contain_text("67%")
    assert await fits(sakura)
    await pictured(sakura, "decisions-ja")
    await at_desk.leaves()
    await on_phone.leaves()


async def person_of(stage: Stage, user_id: str) -> Person:
    async with stage.product[STORAGE].reading() as store:
        person = await store.people.get(TEAM_ID, user_id)
    assert person is not None
    return person
