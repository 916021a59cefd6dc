"""The mailbox of the page: mail is read as its receiver reads it, and can do nothing to who looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest_asyncio
from playwright.async_api import Page, expect

from demo.lab import offer
from demo.mail import Mail, MailSink
from demo.mailbox import Mailbox
from demo.slack import SimulatedSlack
from tests.browser.chromium import DESKTOP, PHONE
from tests.browser.conftest import Visitor, Window

MONDAY = datetime(2026, 7, 6, tzinfo=UTC)
HTML = """<html><body style="margin:0;background:#fafafa"><h1 style="color:#0b7a5b">지난주 $4,000</h1>
<p id="said">doc-summary가 가장 좋았습니다.</p><script>document.getElementById("said").textContent = "hacked"</script>
<img src="http://tracker.example/pixel.png" alt="" onerror="parent.hacked = 1"></body></html>"""


def a_mail(subject: str, hours: int, html: str | None = None) -> Mail:
    message = EmailMessage()
    message["From"] = "FinOps <finops@hanbit.example>"
    message["Subject"] = subject
    message["Date"] = format_datetime(MONDAY + timedelta(hours=hours))
    message.set_content(f"{subject}\n본문입니다.\n")
    if html is not None:
        message.add_alternative(html, subtype="html")
    return Mail("finops@hanbit.example", ("cfo@hanbit.example", "finance@hanbit.example"), message, None, None)


@pytest_asyncio.fixture(loop_scope="session")
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    """A simulated Slack with a mailbox beside it and nothing else: its address is the second."""
    box = Mailbox(MailSink())
    slack = SimulatedSlack(lambda: MONDAY + timedelta(hours=9))
    await slack.start(routes=box.routes())
    offer(slack, {"sections": []}, box)
    yield box, slack.url
    await slack.stop()


async def width(page: Page) -> int:
    """How wide what is shown is; more than the screen, and it would have to be scrolled sideways."""
    return int(await page.evaluate("document.documentElement.scrollWidth"))


async def test_mail_is_listed_newest_first_read_in_both_forms_and_counted_until_it_is(
    desk: Window, mailbox: tuple[Mailbox, str]
) -> None:
    """A mail that arrives while one looks is counted at once; opening it makes the count smaller."""
    box, url = mailbox
    reader = Visitor(desk, url)
    page = await reader.sees("mail")
    await expect(page.locator(".mail-list")).to_contain_text("아직 온 메일이 없습니다")
    box.sink.keep(a_mail("알림이 전달되지 않았습니다", 1))
    box.sink.keep(a_mail("주간 보고 11/16 - 11/22", 2, HTML))
    rows = page.locator(".mail-row")
    await expect(rows.locator(".mail-subject")).to_have_text(["주간 보고 11/16 - 11/22", "알림이 전달되지 않았습니다"])
    await expect(page.locator(".place-head")).to_contain_text("읽지 않음 2")
    assert (await page.title()).startswith("(2)")

    await rows.first.click()
    mail = page.frame_locator(".mail-frame")
    await expect(mail.get_by_role("heading")).to_have_text("지난주 $4,000")
    assert await mail.get_by_role("heading").evaluate("node => getComputedStyle(node).color") == "rgb(11, 122, 91)"
    await expect(page.locator(".mail-head")).to_contain_text("cfo@hanbit.example, finance@hanbit.example")
    await expect(mail.locator("#said")).to_have_text("doc-summary가 가장 좋았습니다.")
    assert await page.evaluate("window.hacked") is None
    await expect(page.locator(".place-head")).to_contain_text("읽지 않음 1")
    await page.get_by_role("tab", name="텍스트").click()
    await expect(page.locator(".mail-text")).to_contain_text("본문입니다.")
    assert await width(page) <= DESKTOP[0]

    await rows.last.click()
    await expect(page.get_by_role("tab", name="텍스트")).to_have_count(0)
    await expect(page.locator(".mail-text")).to_contain_text("알림이 전달되지 않았습니다")
    await expect(page.locator(".place-head")).not_to_contain_text("읽지 않음")

    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    await expect(rows.first).to_be_hidden()
    await page.get_by_role("button", name="뒤로").click()
    await rows.first.click()
    await expect(page.locator(".mail-text")).to_contain_text("주간 보고")
    await expect(rows.first).to_be_hidden()
    assert await width(page) <= PHONE[0]
    await page.get_by_role("tab", name="HTML").click()
    await expect(mail.get_by_role("heading")).to_be_visible()
    assert await width(page) <= PHONE[0]
    await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    blocked = [said for said in reader.complaints if "Blocked script" in said or "tracker.example" in said]
    assert reader.complaints == blocked, "the browser says what the mail was kept from, and nothing else"
    assert any("tracker.example" in said and "Content Security Policy" in said for said in blocked)
    reader.complaints.clear()
    await reader.leaves()
