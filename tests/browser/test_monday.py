"""Monday in the page: one press in the laboratory, the digest in its channel, and the same week in the mailbox."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from demo import lab, story_monday
from demo.slack.cast import DATA, JIHOON, SEOYEON
from demo.stage import Stage
from tests.browser.conftest import Visitor, Window
from tests.e2e.mondays import SETTINGS, four_weeks, on_a_wednesday
from tests.e2e.stages import scene


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Two teams, and the laboratory beside them; nothing is recorded yet."""
    monkeypatch.setattr("jobs.digester.LOOK_EVERY_SECONDS", 0.3)
    database, clock = shutil.copy(sqlite_template, tmp_path / "stage.db"), on_a_wednesday()
    async with scene(f"sqlite:///{database}", four_weeks(), clock=clock, **SETTINGS) as running:
        lab.show(running)
        await story_monday.set_up(running, lambda _: None)
        yield running
        assert running.slack.complaints == []


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_a_person_connects_an_application_and_sends_monday(desk: Window, pocket: Window, stage: Stage) -> None:
    """The token is made in the window and pasted nowhere; then the week stands in the channel and in the mailbox."""
    person = Visitor(desk, stage.slack.url)
    page = await person.sees(DATA, JIHOON)
    await page.locator(".composer textarea").fill("/finops project doc-summary")
    await page.keyboard.press("Enter")
    window = page.get_by_role("dialog").last
    await window.get_by_role("button", name="이벤트 토큰 만들기").click()
    await page.get_by_role("dialog").last.get_by_role("textbox").fill("web-backend")
    await page.get_by_role("dialog").last.get_by_role("button", name="만들기").click()
    await expect(page.get_by_role("dialog").last).to_contain_text("fin_")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog").last).not_to_contain_text("fin_")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await page.get_by_role("button", name="실험실").first.click()
    drawer = page.get_by_role("complementary", name="실험실")
    await expect(drawer.locator("div.lab-row", has_text="doc-summary")).to_contain_text("기록 중")
    await drawer.get_by_role("textbox", name="이벤트 토큰").fill("fin_short")
    await drawer.get_by_text("과거 4주 기록 보내기").click()  # the words beside a button press it, too
    await expect(page.locator(".notice.success")).to_contain_text("건을 보냈습니다")
    await expect(drawer.get_by_role("textbox", name="이벤트 토큰")).to_have_value("fin_short")
    await drawer.get_by_role("button", name="연결", exact=True).click()
    await expect(page.locator(".notice.error")).to_contain_text("fin_으로 시작합니다")
    await drawer.get_by_role("button", name="지금 월요일 보내기").click()

    digest = page.locator(".message", has_text="[데이터팀] AI 비용")
    await digest.locator(".chart").first.wait_for(timeout=30_000)
    await expect(digest).to_contain_text("doc-summary")
    await page.keyboard.press("Escape")
    await digest.locator(".thread-link").click()
    await expect(page.get_by_role("complementary", name="스레드")).to_contain_text("meeting-notes")

    mail = (await stage.mailbox.sink.arrived(1, 30))[0]
    await page.get_by_role("link", name="메일함").click()
    await page.locator(".mail-row", has_text=mail.subject).click()
    await expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("doc-summary")
    refused = [said for said in person.complaints if "400" in said]
    assert person.complaints == refused[:1], "the browser notes the token that was refused, and nothing else"
    person.complaints.clear()
    await person.leaves()

    reader = Visitor(pocket, stage.slack.url)
    page = await reader.sees(DATA, SEOYEON)
    await expect(page.locator(".message", has_text="[데이터팀] AI 비용").locator(".chart").first).to_be_visible()
    assert await fits(page)
    await page.evaluate("location.hash = '#/mail/1'")
    body = page.frame_locator(".mail-frame").locator("body")
    await expect(body).to_contain_text("doc-summary")
    assert await body.evaluate("node => node.ownerDocument.documentElement.scrollWidth") <= 390
    assert await fits(page)
    await reader.leaves()
