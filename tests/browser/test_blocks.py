"""Every block and text is drawn as Slack would draw it, and text never becomes markup."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from blocks import kit
from tests.browser import gallery
from tests.browser.chromium import module
from tests.browser.conftest import Visitor, Window
from tests.browser.pretend import PretendSlack

HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=2</script>\'"&lt;b&gt;'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def library(desk: Window, server: PretendSlack) -> AsyncIterator[Page]:
    """A page opened once for all who only read: nothing is told there.

    Nothing is pressed either but the buttons of one table, which one test looks at.
    """
    server.forget(gallery.STATE)
    someone = Visitor(desk, server.url)
    yield await someone.sees()
    await someone.leaves()


async def open_at(library: Page, channel: str, name: str) -> Page:
    """The page, in front, at a channel."""
    await library.bring_to_front()
    await library.evaluate("channel => { location.hash = `#/${channel}` }", channel)
    await expect(library.get_by_role("heading", level=1)).to_have_text(name)
    return library


@pytest_asyncio.fixture(loop_scope="session")
async def finops(library: Page) -> Page:
    """#finops, for reading."""
    return await open_at(library, "C0FINOPS01", "finops")


@pytest_asyncio.fixture(loop_scope="session")
async def marketing(library: Page) -> Page:
    """마케팅팀, for reading."""
    return await open_at(library, "C0MARKET01", "마케팅팀")


async def test_each_block_type_has_its_own_drawing(marketing: Page) -> None:
    """A block is never dropped; only the invented one says that it cannot be shown."""
    shown = [block for message in gallery.MESSAGES["C0MARKET01"] for block in message.get("blocks", [])]
    for kind in {block["type"] for block in shown}:
        await expect(marketing.locator(f".block-{kind}").first).to_be_visible()
    await expect(marketing.locator(".unknown")).to_have_text("표시할 수 없는 블록: hologram")
    assert await marketing.locator(".task-card").count() == 4


async def test_the_renderer_knows_every_block_of_the_platform(finops: Page) -> None:
    """The table of blocks covers Slack's list."""
    known = set(await finops.evaluate(f"{module('blocks')}.then((m) => m.blockTypes())"))
    platform = """actions alert auth_provider call card carousel container context context_actions data_table
        data_visualization divider file header image input markdown plan rich_text section table task_card video"""
    assert known == set(platform.split())


async def test_mrkdwn_keeps_slacks_rules(finops: Page) -> None:
    """Bold, italic, strike, code, quotes, lists, links, mentions and the reader's own time."""
    text = finops.locator(".message", has=finops.locator("h3.header")).locator(".block-section").first
    await expect(text.locator("strong")).to_have_text("$2,453.45")
    await expect(text.locator("em")).to_have_text("3 % 적습니다")
    await expect(text.locator("s")).to_have_text("$2,530.11")
    await expect(text.locator("code")).to_have_text("gpt-5")
    await expect(text.locator("blockquote")).to_have_text("같은 달력, 같은 금액")
    await expect(text.locator("li")).to_have_count(2)
    await expect(text.locator("a")).to_have_attribute("href", "https://example.com/cost")
    await expect(text.locator("time")).to_have_text("2026년 7월 6일 오후 12:00")
    await expect(text.locator(".mention")).to_have_text(["#마케팅팀", "@김민수"])


async def test_markers_count_only_at_the_edge_of_a_word(finops: Page) -> None:
    """As in Slack, an asterisk inside a word or before a particle stays an asterisk."""
    read = f"""(text) => {module("mrkdwn")}.then((m) => m.inlineElements(text)
        .map((each) => [each.text ?? each.name ?? each.url ?? each.user_id, Object.keys(each.style || {{}}).join()]))"""
    assert await finops.evaluate(read, "a*b*c *굵게*는 2*3*4") == [["a*b*c *굵게*는 2*3*4", ""]]
    assert await finops.evaluate(read, "*굵게*\u200b는") == [["굵게", "bold"], ["\u200b는", ""]]
    assert await finops.evaluate(read, "*굵게* `*코드*` :nope: :tada:") == [
        ["굵게", "bold"],
        [" ", ""],
        ["*코드*", "code"],
        [" :nope: ", ""],
        ["tada", ""],
    ]
    assert await finops.evaluate(read, "*_둘 다_* <@U1>") == [["둘 다", "bold,italic"], [" ", ""], ["U1", ""]]
    assert await finops.evaluate(read, "a &amp;lt; <https://x.example/?a=1&amp;b=2|가&lt;나>") == [
        ["a &lt; ", ""],
        ["가<나", ""],
    ]


async def test_a_name_with_marks_in_it_is_drawn_as_it_is(finops: Page) -> None:
    """Beside our own bold and in it: what a project is called sets nothing."""
    read = f"""(text) => {module("mrkdwn")}.then((m) => m.inlineElements(text)
        .map((each) => [each.text, Object.keys(each.style || {{}}).join()]))"""
    for typed in ("*prod*", "_old_", "~old~ x", "`tmp`", "a*b", "my_project"):
        shown = kit.name(typed)
        assert kit.unmarked(shown) == typed
        assert await finops.evaluate(read, f"*{shown}* · {shown}") == [[shown, "bold"], [f" · {shown}", ""]]


async def test_dates_fall_back_when_a_token_is_unknown(finops: Page) -> None:
    """A format we do not know shows the sender's own words."""
    read = f"([at, how]) => {module('times')}.then((m) => m.slackDate(at, how, '그날'))"
    assert await finops.evaluate(read, [gallery.NOON, "{date_num} {time}"]) == "2026-07-06 오후 12:00"
    assert await finops.evaluate(read, [gallery.NOON, "{epoch}"]) == "그날"
    assert await finops.evaluate(read, ["soon", "{date}"]) == "그날"


async def test_hostile_text_stays_text_everywhere(visitor: Visitor, slack: PretendSlack) -> None:
    """No name, text, option or url of a message can run anything."""
    link: dict[str, Any] = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "link", "url": "javascript:window.hit=3", "text": "눌러요"},
                    {"type": "text", "text": HOSTILE},
                ],
            }
        ],
    }
    cell = {"type": "raw_text", "text": HOSTILE}
    pie = {"type": "pie", "segments": [{"label": HOSTILE, "value": 1}]}
    evil = "javascript:window.hit=7"
    blocks = [
        gallery.section(f"{HOSTILE} <javascript:window.hit=4|여기>"),
        {"type": "header", "text": gallery.plain(HOSTILE)},
        {"type": "markdown", "text": f"{HOSTILE} [여기](javascript:window.hit=5) **{HOSTILE}**"},
        {"type": "image", "image_url": "javascript:window.hit=6", "alt_text": HOSTILE},
        {"type": "table", "rows": [[cell]]},
        {"type": "data_table", "caption": HOSTILE, "rows": [[cell], [cell]]},
        {"type": "data_visualization", "title": HOSTILE, "chart": pie},
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "x", "text": gallery.plain(HOSTILE), "url": evil}],
        },
        link,
    ]
    slack.state["messages"]["C0FINOPS01"] = [gallery.bot(gallery.ts(1), HOSTILE, blocks, username=HOSTILE)]
    slack.state["channels"][0].update(name=HOSTILE, topic=HOSTILE)
    slack.state["workspace"]["name"] = HOSTILE
    page = await visitor.sees()
    await expect(page.locator("h3.header")).to_have_text(HOSTILE)
    assert await page.evaluate("window.hit") is None
    assert await page.locator("img[src=x], main script, a[href^=javascript]").count() == 0
    assert await page.locator(".image-stand-in").get_attribute("aria-label") == HOSTILE


async def test_a_chart_can_be_read_without_seeing_it(marketing: Page) -> None:
    """The drawing has a name, the numbers are in a table, and the words can be selected."""
    chart = marketing.locator(".chart-bar")
    await expect(chart.get_by_role("img", name="하루 비용 · 두 프로젝트 차트")).to_be_visible()
    await expect(chart.locator(".unseen tr").nth(1).locator("td").first).to_have_text("212.4")
    assert await chart.locator("path.bar").count() == 14
    assert await marketing.locator(".chart-pie path.slice").count() == 4
    await expect(marketing.locator(".chart-pie .legend li").first).to_contain_text("62%")
    await expect(marketing.locator(".chart-pie .pie-total")).to_have_text("2,453.45")


async def test_a_data_table_sorts_and_pages(finops: Page) -> None:
    """Numbers sort as numbers, both ways; the rest is on the next page."""
    table = finops.locator(".data-table")
    first = table.locator("tbody tr").first
    await expect(first).to_contain_text("chatbot-prod")
    cost = table.get_by_role("button", name="비용 기준 정렬")
    await cost.click()
    await expect(first).to_contain_text("데이터 라벨링")
    await cost.click()
    await expect(first).to_contain_text("chatbot-prod")
    await table.get_by_role("button", name="다음").click()
    await expect(table.locator("tbody tr")).to_have_count(2)
    await expect(table.locator(".pager span")).to_have_text("7행 중 6–7")


async def test_images_of_other_hosts_are_words(marketing: Page) -> None:
    """The alt text stands where a picture would have to be fetched from elsewhere."""
    await expect(marketing.get_by_role("img", name="지난 30일 비용: 9,120.77달러")).to_be_visible()


async def test_a_button_for_others_is_not_shown(finops: Page) -> None:
    """visible_to_user_ids hides it from everybody else."""
    await expect(finops.locator("[data-action=hidden]")).to_have_count(0)


async def test_the_page_speaks_three_languages_completely(finops: Page) -> None:
    """Every sentence stands in Korean, Japanese and English, with the same values in it."""
    words = await finops.evaluate(f"{module('words')}.then((m) => m.WORDS)")
    told = {
        language: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in sentences.items() if key != "reply1"}
        for language, sentences in words.items()
    }
    assert told["ja"] == told["ko"] == told["en"]


async def test_a_stage_without_a_mailbox_shows_none(finops: Page) -> None:
    """Nothing leads to what is not there."""
    await expect(finops.get_by_role("link", name="메일함")).to_have_count(0)
