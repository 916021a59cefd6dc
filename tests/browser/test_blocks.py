"""Every block and text is drawn as Slack would draw it, and text never becomes markup."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from blocks import kit
from tests.browser import gallery
from tests.browser.chromium import module
from tests.browser.conftest import Visitor
from tests.browser.pretend import PretendSlack

HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=2</script>\'"&lt;b&gt;'


async def test_each_block_type_has_its_own_drawing(visitor: Visitor) -> None:
    """A block is never dropped; only the invented one says that it cannot be shown."""
    shown = [block for message in gallery.MESSAGES["C0MARKET01"] for block in message.get("blocks", [])]
    page = await visitor.sees("C0MARKET01")
    for kind in {block["type"] for block in shown}:
        await expect(page.locator(f".block-{kind}").first).to_be_visible()
    await expect(page.locator(".unknown")).to_have_text("표시할 수 없는 블록: hologram")
    assert await page.locator(".task-card").count() == 4


async def test_the_renderer_knows_every_block_of_the_platform(visitor: Visitor) -> None:
    """The table of blocks covers Slack's list."""
    page = await visitor.sees()
    known = set(await page.evaluate(f"{module('blocks')}.then((m) => m.blockTypes())"))
    platform = """actions alert auth_provider call card carousel container context context_actions data_table
        data_visualization divider file header image input markdown plan rich_text section table task_card video"""
    assert known == set(platform.split())


async def test_mrkdwn_keeps_slacks_rules(visitor: Visitor) -> None:
    """Bold, italic, strike, code, quotes, lists, links, mentions and the reader's own time."""
    page = await visitor.sees()
    text = page.locator(".message", has=page.locator("h3.header")).locator(".block-section").first
    await expect(text.locator("strong")).to_have_text("$2,453.45")
    await expect(text.locator("em")).to_have_text("3 % 적습니다")
    await expect(text.locator("s")).to_have_text("$2,530.11")
    await expect(text.locator("code")).to_have_text("gpt-5")
    await expect(text.locator("blockquote")).to_have_text("같은 달력, 같은 금액")
    await expect(text.locator("li")).to_have_count(2)
    await expect(text.locator("a")).to_have_attribute("href", "https://example.com/cost")
    await expect(text.locator("time")).to_have_text("2026년 7월 6일 오후 12:00")
    await expect(text.locator(".mention")).to_have_text(["#마케팅팀", "@김민수"])


async def test_markers_count_only_at_the_edge_of_a_word(visitor: Visitor) -> None:
    """As in Slack, an asterisk inside a word or before a particle stays an asterisk."""
    page = await visitor.sees()
    read = f"""(text) => {module("mrkdwn")}.then((m) => m.inlineElements(text)
        .map((each) => [each.text ?? each.name ?? each.url ?? each.user_id, Object.keys(each.style || {{}}).join()]))"""
    assert await page.evaluate(read, "a*b*c *굵게*는 2*3*4") == [["a*b*c *굵게*는 2*3*4", ""]]
    assert await page.evaluate(read, "*굵게*\u200b는") == [["굵게", "bold"], ["\u200b는", ""]]
    assert await page.evaluate(read, "*굵게* `*코드*` :nope: :tada:") == [
        ["굵게", "bold"],
        [" ", ""],
        ["*코드*", "code"],
        [" :nope: ", ""],
        ["tada", ""],
    ]
    assert await page.evaluate(read, "*_둘 다_* <@U1>") == [["둘 다", "bold,italic"], [" ", ""], ["U1", ""]]
    assert await page.evaluate(read, "a &amp;lt; <https://x.example/?a=1&amp;b=2|가&lt;나>") == [
        ["a &lt; ", ""],
        ["가<나", ""],
    ]


async def test_a_name_with_marks_in_it_is_drawn_as_it_is(visitor: Visitor) -> None:
    """Beside our own bold and in it: what a project is called sets nothing."""
    page = await visitor.sees()
    read = f"""(text) => {module("mrkdwn")}.then((m) => m.inlineElements(text)
        .map((each) => [each.text, Object.keys(each.style || {{}}).join()]))"""
    for typed in ("*prod*", "_old_", "~old~ x", "`tmp`", "a*b", "my_project"):
        shown = kit.name(typed)
        assert kit.unmarked(shown) == typed
        assert await page.evaluate(read, f"*{shown}* · {shown}") == [[shown, "bold"], [f" · {shown}", ""]]


async def test_dates_fall_back_when_a_token_is_unknown(visitor: Visitor) -> None:
    """A format we do not know shows the sender's own words."""
    page = await visitor.sees()
    read = f"([at, how]) => {module('times')}.then((m) => m.slackDate(at, how, '그날'))"
    assert await page.evaluate(read, [gallery.NOON, "{date_num} {time}"]) == "2026-07-06 오후 12:00"
    assert await page.evaluate(read, [gallery.NOON, "{epoch}"]) == "그날"
    assert await page.evaluate(read, ["soon", "{date}"]) == "그날"


async def test_a_reader_elsewhere_reads_their_own_clock_and_language(visitor: Visitor) -> None:
    """Noon in Seoul is 11 p.m. in New York, and the page speaks English there."""
    page = await visitor.sees(user="U0EMMA0001")
    await expect(page.locator(".time").first).to_have_text("11:00 PM")
    await expect(page.locator(".only-you")).to_have_text("Only visible to you")
    await expect(page.locator(".workspace small")).to_have_text("Viewing as Emma Clark")


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


async def test_a_chart_can_be_read_without_seeing_it(visitor: Visitor) -> None:
    """The drawing has a name, the numbers are in a table, and the words can be selected."""
    page = await visitor.sees("C0MARKET01")
    chart = page.locator(".chart-bar")
    await expect(chart.get_by_role("img", name="하루 비용 · 두 프로젝트 차트")).to_be_visible()
    await expect(chart.locator(".unseen tr").nth(1).locator("td").first).to_have_text("212.4")
    assert await chart.locator("path.bar").count() == 14
    assert await page.locator(".chart-pie path.slice").count() == 4
    await expect(page.locator(".chart-pie .legend li").first).to_contain_text("62%")
    await expect(page.locator(".chart-pie .pie-total")).to_have_text("2,453.45")


async def test_a_data_table_sorts_and_pages(visitor: Visitor) -> None:
    """Numbers sort as numbers, both ways; the rest is on the next page."""
    page = await visitor.sees()
    table = page.locator(".data-table")
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


async def test_images_of_other_hosts_are_words(visitor: Visitor) -> None:
    """The alt text stands where a picture would have to be fetched from elsewhere."""
    page = await visitor.sees("C0MARKET01")
    await expect(page.get_by_role("img", name="지난 30일 비용: 9,120.77달러")).to_be_visible()
