"""Feedback and interviews in the page: three people, three languages and two time zones, on desks and on a phone."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from icalendar import Calendar
from playwright.async_api import Locator, Page, expect

from demo.clock import StageClock
from demo.slack.cast import DATA, EMMA, FINOPS, JIHOON, SAKURA
from demo.stage import Stage
from tests.browser.conftest import Visitor, Window
from tests.e2e.stages import a_trace, scene

PICTURES = os.environ.get("FINOPS_TEST_PICTURES")  # a folder, for whoever wants to look
DIRECTLY = "app/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clock() -> StageClock:
    """Noon in Seoul, and the evening before in New York: tomorrow there is not tomorrow here."""
    moving = StageClock()
    moving.move_to_next_day()
    moving.advance(timedelta(hours=3))
    return moving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, clock: StageClock
) -> AsyncIterator[Stage]:
    """One stage for both flows; nothing is collected, and feedback is read in the data team's channel."""
    database = shutil.copy(sqlite_template, tmp_path_factory.mktemp("talking") / "stage.db")
    url = f"sqlite:///{database}"
    async with scene(
        url, a_trace(days=1), clock=clock,
        FINOPS_FEEDBACK_CHANNEL=DATA, FINOPS_ADMINS=JIHOON, FINOPS_EDIT_EVERY_SECONDS="1",
    ) as running:  # fmt: skip
        yield running
        assert running.slack.complaints == []


class Three(NamedTuple):
    """What the three of them look at: two desks and a phone."""

    jihoon: Page
    emma: Page
    sakura: Page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three(stage: Stage, desk: Window, pocket: Window) -> AsyncIterator[Three]:
    """Their pages, open all the time as Slack is; they complain of nothing."""
    at_desk, on_phone = Visitor(desk, stage.slack.url), Visitor(pocket, stage.slack.url)
    yield Three(
        *await asyncio.gather(at_desk.sees(DATA, JIHOON), at_desk.sees(DIRECTLY, EMMA), on_phone.sees(FINOPS, SAKURA))
    )
    await at_desk.leaves()
    await on_phone.leaves()


async def goes(page: Page, place: str) -> None:
    await page.bring_to_front()
    await page.evaluate("place => { location.hash = `#/${place}` }", place)
    await expect(page.locator(".composer textarea")).to_be_visible()


async def pictured(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def types(page: Page, command: str) -> None:
    await page.bring_to_front()  # a page behind another one draws late
    await page.locator(".composer textarea").fill(command)
    await page.keyboard.press("Enter")


def window_of(page: Page) -> Locator:
    return page.locator("dialog.modal")


def message_of(page: Page, words: str) -> Locator:
    return page.locator(".message", has_text=words).last


async def presses(place: Locator, name: str) -> None:
    await place.get_by_role("button", name=name, exact=True).first.click()


async def agrees(page: Page, name: str) -> None:
    """Says yes to what a button asks before it acts."""
    await page.locator("dialog.confirm").get_by_role("button", name=name).click()


async def closes(page: Page) -> None:
    await page.locator("dialog.modal [data-do=clear-views]").click()
    await expect(window_of(page)).to_have_count(0)


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


async def test_feedback_is_read_decided_and_answered_by_people_of_three_languages(three: Three, stage: Stage) -> None:
    """Emma may be answered, 佐藤さくら may not, 이지훈 sees which is which and answers whom he can."""
    await stage.slack.person(JIHOON).says(FINOPS, "이번 주 요약을 월요일 아침에 올리겠습니다.")
    jihoon, emma, sakura = three
    await goes(sakura, FINOPS)
    await goes(jihoon, DATA)
    await types(emma, "/finops feedback Why is Monday's digest")
    window = window_of(emma)
    await expect(window).to_contain_text("May we answer you?")
    await window.get_by_role("textbox").fill("")
    await presses(window, "Send")
    await expect(window.locator(".has-error")).to_have_count(1)
    await window.get_by_role("textbox").fill("Why does the digest come so early?\nIt is Sunday evening in New York.")
    await window.get_by_role("combobox").click()
    await emma.get_by_role("option", name="Question").click()
    await pictured(emma, "feedback-en")
    await presses(window, "Send")
    await expect(window).to_contain_text("their answer comes to you")
    await pictured(emma, "feedback-thanks-en")
    await closes(emma)

    said = message_of(sakura, "이번 주 요약")
    await said.hover()
    await said.get_by_role("button", name="その他の操作").click()
    await pictured(sakura, "shortcut-ja")
    await sakura.get_by_role("menuitem", name="ご意見").click()
    window = window_of(sakura)
    await expect(window).to_contain_text("フィードバック")
    await window.get_by_role("textbox").fill("数字の見方が分かりやすくて助かっています。")
    await window.get_by_role("radio").last.check()
    await pictured(sakura, "feedback-ja")
    assert await fits(sakura)
    await presses(window, "送信")
    await expect(window).to_contain_text("お名前なしで")
    await pictured(sakura, "feedback-thanks-ja")
    assert await fits(sakura)
    await closes(sakura)

    await jihoon.bring_to_front()
    nameless = message_of(jihoon, "助かっています")
    await expect(nameless).to_contain_text("연락을 원하지")
    await expect(nameless.get_by_role("button", name="답변하기")).to_have_count(0)
    root = message_of(jihoon, "early?")
    await expect(root).to_contain_text("Emma Clark")
    await pictured(jihoon, "triage-ko")
    await presses(root, "예정")
    await expect(root).to_contain_text("상태: 예정")
    await presses(root, "답변하기")
    window = window_of(jihoon)
    await window.get_by_role("textbox").fill(
        "한국 시간 월요일 오전 9시에 맞추었습니다. 뉴욕 시간으로 바꿀 수 있습니다."
    )
    await pictured(jihoon, "answer-ko")
    await window.get_by_role("button", name="보내기").dblclick()
    await expect(window).to_contain_text("Emma Clark")
    await pictured(jihoon, "answered-ko")
    await closes(jihoon)
    await expect(root).to_contain_text("답변함")
    await pictured(jihoon, "triage-answered-ko")

    await emma.bring_to_front()
    answer = message_of(emma, "An answer to your feedback")
    await expect(answer).to_contain_text("한국 시간 월요일 오전 9시")
    await pictured(emma, "answer-en")
    assert sum("오전 9시" in str(one) for one in stage.slack.person(EMMA).messages(stage.slack.person(EMMA).dm)) == 1


async def three_times_are_offered(jihoon: Page) -> None:
    """In the administrator's own zone."""
    await types(jihoon, "/finops 인터뷰")
    await presses(window_of(jihoon), "시간 제안")
    window = window_of(jihoon)
    await expect(window).to_contain_text("Asia/Seoul")
    await window.get_by_role("textbox").first.fill("10:00, 14:30, 16:00")
    await window.get_by_role("textbox").nth(1).fill("회의실 3")
    await pictured(jihoon, "offer-ko")
    await presses(window, "제안")
    await expect(window).to_contain_text("시간 3개를 제안했습니다")
    await pictured(jihoon, "board-admin-ko")
    await closes(jihoon)


async def one_of_two_gets_a_time(emma: Page, sakura: Page) -> None:
    """Both look at ten o'clock in Seoul; whoever comes second is told, and takes the next."""
    await types(sakura, "/finops インタビュー")
    hers = window_of(sakura)
    await expect(hers).to_contain_text("10:00")
    await pictured(sakura, "board-ja")
    assert await fits(sakura)
    await hers.get_by_role("button", name="予約").first.click()
    await expect(hers.get_by_role("combobox")).to_contain_text("10:00")
    await pictured(sakura, "book-ja")

    await types(emma, "/finops interview")
    window = window_of(emma)
    await expect(window).to_contain_text("America/New_York")
    await pictured(emma, "board-en")
    await presses(window, "Book")
    await window.get_by_role("textbox").fill("The Monday digest")
    await pictured(emma, "book-en")
    await window.get_by_role("button", name="Book").dblclick()
    await expect(window).to_contain_text("Booked")
    await pictured(emma, "booked-en")
    await closes(emma)

    await hers.get_by_role("button", name="予約").click()
    await expect(hers).to_contain_text("たった今")
    await pictured(sakura, "taken-ja")
    assert await fits(sakura)
    await hers.get_by_role("combobox").click()
    await sakura.get_by_role("option").first.click()
    await hers.get_by_role("button", name="予約").click()
    await expect(hers).to_contain_text("予約しました：")
    await pictured(sakura, "booked-ja")
    assert await fits(sakura)
    await closes(sakura)


async def all_is_told_and_a_time_withdrawn(jihoon: Page) -> None:
    """Both have a time; then the host himself cannot come to one."""
    await jihoon.bring_to_front()
    for words in ("Emma Clark 님이 인터뷰를 예약", "佐藤さくら 님이 인터뷰를 예약"):
        await expect(message_of(jihoon, words)).to_be_visible()
    await pictured(jihoon, "told-ko")

    await types(jihoon, "/finops 인터뷰")
    booked = window_of(jihoon).locator(".section", has_text="Emma Clark")
    await expect(booked).to_contain_text("10:00–10:30")
    await presses(booked, "철회")
    await pictured(jihoon, "withdraw-ko")
    await agrees(jihoon, "철회")
    await expect(window_of(jihoon)).to_contain_text("시간을 철회했습니다")
    assert await fits(jihoon)
    await closes(jihoon)


async def a_calendar_can_read_the_file(emma: Page, clock: StageClock) -> None:
    """It is of the time that the page tells in her own zone."""
    await emma.bring_to_front()
    file = emma.locator(".message-file a")
    await expect(file).to_have_count(1)
    async with emma.expect_download() as coming:
        await file.click()
    [event] = Calendar.from_ical((await (await coming.value).path()).read_bytes()).walk("VEVENT")
    begins: datetime = event.decoded("DTSTART")
    assert (event["SEQUENCE"], begins > clock()) == (0, True)
    theirs = f"{begins.astimezone(ZoneInfo('America/New_York')):%H:%M}–"
    await expect(message_of(emma, "withdrew the time")).to_contain_text(theirs)
    await pictured(emma, "withdrawn-en")


async def test_an_interview_is_offered_booked_and_withdrawn_in_two_zones(three: Three, clock: StageClock) -> None:
    """Of two who want one time one gets it; everybody reads it in their own zone, and calendars can read the file."""
    jihoon, emma, sakura = three
    for page in (sakura, jihoon):
        await goes(page, DIRECTLY)
    await three_times_are_offered(jihoon)
    await one_of_two_gets_a_time(emma, sakura)
    await all_is_told_and_a_time_withdrawn(jihoon)
    await a_calendar_can_read_the_file(emma, clock)
