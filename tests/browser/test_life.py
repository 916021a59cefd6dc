"""Weeks of life in the page: one press, and what people did stands in three languages with what came of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

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
DEED = Deed(-1, timedelta(days=5, hours=5), APPLICATION, MOVED, moves(APPLICATION, 90, "small"))


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Stage]:
    """Two teams, the laboratory beside them, and the weekend until Monday, in which a team does one thing."""
    database, clock = shutil.copy(sqlite_template, tmp_path / "stage.db"), on_a_wednesday()
    clock.advance(timedelta(days=2))
    known = SETTINGS | {"FINOPS_BACKFILL_DAYS": "15"}  # a fortnight before is what a deed is compared with
    async with scene(f"sqlite:///{database}", four_weeks(), prices=PRICES, clock=clock, **known) as running:
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


async def asks(page: Page, command: str, name: str) -> Locator:
    """The answer to somebody who asks what was done; the page holds it without being wider than the screen."""
    await page.bring_to_front()
    await page.locator(".composer textarea").fill(command)
    await page.keyboard.press("Enter")
    answer = page.locator(".message").last
    await expect(answer).to_contain_text(APPLICATION)
    await pictured(page, name)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return answer


async def test_three_people_see_what_was_done_and_that_it_is_early_to_judge(
    desk: Window, pocket: Window, stage: Stage
) -> None:
    at_desk, on_phone = Visitor(desk, stage.slack.url), Visitor(pocket, stage.slack.url)
    emma = await on_phone.sees(MARKETING, EMMA)
    jihoon = await at_desk.sees(MARKETING, JIHOON)
    await jihoon.get_by_role("button", name="실험실").first.click()
    drawer = jihoon.get_by_role("complementary", name="실험실")
    await drawer.get_by_role("button", name="살아보기").click()
    for reader, language in ((jihoon, "ko"), (emma, "en")):
        await reader.locator(".notice", has_text=MOVED[language]).wait_for(timeout=50_000)
    await jihoon.locator(".notice.success", has_text="조치 1건").wait_for(timeout=50_000)
    told = await story_life.told(stage, date(2026, 1, 1), date(2026, 1, 2), [])
    [found] = [one for one in told.found if one["source"] == "usage"]
    assert (found["kind"], found["project"], found["state"]) == ("model_changed", APPLICATION, "expected")
    assert Decimal(found["truth"]) > 0
    assert (told.told_again, told.monthly, told.ledger["open"]) == (0, [], 1)

    answer = await asks(jihoon, "/finops 효과", "effect-ko")
    await expect(answer).to_contain_text("small")
    await answer.get_by_role("button", name="내보내기 (CSV)").click()
    await expect(answer).to_contain_text("파일을 FinOps와의 DM")
    assert any(file["name"].startswith("finops-effect-") for file in stage.slack.world.files.values())
    await expect(await asks(emma, "/finops effect", "effect-en")).to_contain_text("model")
    sakura = await at_desk.sees(MARKETING, SAKURA)
    await expect(await asks(sakura, "/finops 効果", "effect-ja")).to_contain_text("モデル")
    await at_desk.leaves()
    await on_phone.leaves()
