"""Weeks of life in the page: one press, and what people did stands in three languages with what came of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from demo import lab, story_life, story_monday
from demo.lab_words import words
from demo.life import Deed, Life
from demo.life_deeds import moves
from demo.runaway import APPLICATION
from demo.slack.cast import EMMA, JIHOON, MARKETING, SAKURA
from demo.stage import Stage
from tests.browser.conftest import Visitor, Window
from tests.e2e.mondays import SETTINGS, four_weeks, on_a_wednesday
from tests.e2e.stages import answer_to, scene
from tests.simulators.openai_kit import PRICES

PICTURES = os.environ.get("FINOPS_TEST_PICTURES")  # a folder, for whoever wants to look
MOVED = words("호출의 {percent}%를 {model} 모델로 옮깁니다", percent=90, model="small")
DEED = Deed(-1, timedelta(days=3, hours=5), APPLICATION, MOVED, moves(APPLICATION, 90, "small"))


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    """Two teams, the laboratory beside them, and the days until Monday, in which a team does one thing."""
    database, clock = shutil.copy(sqlite_template, tmp_path / "stage.db"), on_a_wednesday()
    async with scene(f"sqlite:///{database}", four_weeks(), prices=PRICES, clock=clock, **SETTINGS) as running:
        lab.show(running)
        running.monday.life = lab.living(Life(running, clock, running.monday, lab.noticed(running), (DEED,), 1))
        await story_monday.set_up(running, lambda _: None)
        for who in (EMMA, SAKURA):
            person = running.slack.person(who)
            person.joins(MARKETING)
            await answer_to(running, person, "/finops status")
        yield running
        assert running.slack.complaints == []


async def pictured(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def asks(window: Window, stage: Stage, user: str, command: str, name: str) -> Page:
    """Somebody asks what was done, and the page holds it without being wider than the screen."""
    page = await Visitor(window, stage.slack.url).sees(MARKETING, user)
    await page.locator(".composer textarea").fill(command)
    await page.keyboard.press("Enter")
    answer = page.locator(".message").last
    await expect(answer).to_contain_text(APPLICATION)
    await pictured(page, name)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return page


async def test_three_people_see_what_was_done_and_that_it_is_early_to_judge(
    desk: Window, pocket: Window, stage: Stage
) -> None:
    hers = await Visitor(pocket, stage.slack.url).sees(MARKETING, EMMA)
    page = await Visitor(desk, stage.slack.url).sees(MARKETING, JIHOON)
    await page.get_by_role("button", name="실험실").first.click()
    drawer = page.get_by_role("complementary", name="실험실")
    await drawer.get_by_role("button", name="살아보기").click()
    for reader, language in ((page, "ko"), (hers, "en")):
        await expect(reader.locator(".notice", has_text=MOVED[language])).to_be_visible(timeout=50_000)
    await expect(page.locator(".notice.success")).to_contain_text("조치 1건", timeout=50_000)
    await page.close()
    await hers.close()
    told = await story_life.told(stage, date(2026, 1, 1), date(2026, 1, 2), [])
    [found] = [one for one in told.found if one["source"] == "usage"]
    assert (found["kind"], found["project"], found["state"]) == ("model_changed", APPLICATION, "expected")
    assert Decimal(found["truth"]) > 0
    assert (told.told_again, told.monthly, told.ledger["open"]) == (0, [], 1)

    page = await asks(desk, stage, JIHOON, "/finops 효과", "effect-ko")
    await expect(page.locator(".message").last).to_contain_text("small")
    await page.locator(".message").last.get_by_role("button", name="내보내기 (CSV)").click()
    await expect(page.locator(".message").last).to_contain_text("파일을 FinOps와의 DM")
    assert any(file["name"].startswith("finops-effect-") for file in stage.slack.world.files.values())
    await page.close()
    page = await asks(desk, stage, EMMA, "/finops effect", "effect-en")
    await expect(page.locator(".message").last).to_contain_text("model")
    await page.close()
    page = await asks(pocket, stage, SAKURA, "/finops 効果", "effect-ja")
    await expect(page.locator(".message").last).to_contain_text("モデル")
