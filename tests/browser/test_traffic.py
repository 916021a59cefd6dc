"""The provider's traffic beside the channel: whether a stop stops anything is seen, not believed."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from tests.browser import gallery
from tests.browser.conftest import Visitor
from tests.browser.pretend import PretendSlack

PROJECT = "chatbot-experiment"
NOON = gallery.NOON // 60
CENT = {"threshold_amount": 1, "currency": "USD", "interval": "month", "enforcement": {"status": "enforcing"}}


def offered(slack: PretendSlack, answered: list[int], refused: list[int], limit: dict[str, Any] | None) -> None:
    """The lab offers the traffic of one project: what was answered by the minute, then what was refused."""
    counts = [*((count, 0) for count in answered), *((0, count) for count in refused)]
    points = [
        {"minute": NOON + at, "asked": ok + no, "answered": ok, "refused": no} for at, (ok, no) in enumerate(counts)
    ]
    slack.state["lab"] = [{"title": "폭주", "items": [{"traffic": {"project": PROJECT, "minutes": 60}}]}]
    slack.sights["/_sim/openai/traffic"] = {"ok": True, "project": PROJECT, "minutes": points}
    slack.sights["/_sim/openai/limits"] = {"ok": True, "projects": [{"name": PROJECT, "spend_limit": limit}]}


async def test_traffic_is_drawn_and_turns_red_while_one_looks(visitor: Visitor, slack: PretendSlack) -> None:
    """Answered calls, then the limit of a cent, refused calls and no others: two seconds later, by itself."""
    offered(slack, [8] * 40 + [6000] * 15 + [210] * 5, [], None)
    page = await visitor.sees()
    pulse = page.locator(".place-head .pulse")
    await expect(pulse).to_have_text("분당 210회")
    await pulse.click()
    card = page.get_by_role("complementary", name="실험실").locator(".traffic")
    await expect(card.locator("rect.answered")).to_have_count(60)
    await expect(card.locator("rect.refused")).to_have_count(0)
    await expect(card).to_contain_text("한도: 없음")
    await expect(card).to_contain_text("호출 중")
    offered(slack, [8] * 35 + [6000] * 15 + [210] * 5, [190, 220, 205, 210, 200], CENT)
    await expect(pulse).to_have_text("분당 200회 거절")
    await expect(card.locator("rect.refused")).to_have_count(5)
    await expect(card.locator("rect.answered")).to_have_count(55)
    await expect(card).to_contain_text("한도: 1센트 · 적용 중")
    await expect(card.get_by_role("img", name="지난 1분: 성공 0회, 거절 200회")).to_be_visible()


async def test_on_a_phone_it_is_one_tap_away_and_fits(phone: Visitor, slack: PretendSlack) -> None:
    """It stands in the head of the channel, and the picture takes the width of the screen and no more."""
    limit = {"threshold_amount": 300000, "currency": "USD", "interval": "month", "enforcement": {"status": "inactive"}}
    offered(slack, [12345] * 60, [], limit)
    page = await phone.sees()
    await page.locator(".place-head .pulse").click()
    card = page.get_by_role("complementary", name="실험실").locator(".traffic")
    await expect(card).to_contain_text("한도: $3,000.00 · 여유 있음")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
