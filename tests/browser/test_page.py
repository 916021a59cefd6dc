"""The workspace round the messages: places, people, buttons, writing, the line to the server."""

from __future__ import annotations

import asyncio
import re
import time

from playwright.async_api import Locator, Page, expect

from tests.browser import gallery
from tests.browser.chromium import module
from tests.browser.conftest import Visitor
from tests.browser.pretend import PretendSlack


async def what_is_dangerous_is_asked(page: Page, slack: PretendSlack) -> None:
    """Refusing or Escape sends nothing, agreeing sends once."""
    slack.posts.clear()
    button = page.locator("[data-action=delete_key]")
    dialog = page.get_by_role("alertdialog", name="키를 삭제할까요?")
    await button.click()
    await expect(dialog.get_by_role("button", name="그만두기")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await button.click()
    await dialog.get_by_role("button", name="그만두기").click()
    assert not [path for path, _ in slack.posts if path == "/_page/action"]
    await button.click()
    await dialog.get_by_role("button", name="삭제", exact=True).click()
    assert (await slack.next("/_page/action"))["action"]["value"] == "key-1"


async def a_menu_is_reached_by_keyboard(page: Page, slack: PretendSlack) -> None:
    """Enter opens it, arrows move, Enter chooses."""
    await page.locator("[data-action=more]").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="확인")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    sent = await slack.next("/_page/action")
    assert sent["action"] == {
        "type": "overflow",
        "block_id": "acts",
        "action_id": "more",
        "selected_option": gallery.option("30분 조용히", "snooze", "메시지만 멈춥니다"),
    }


async def test_a_button_a_choice_and_a_menu_send_what_slack_would_send(visitor: Visitor, slack: PretendSlack) -> None:
    """Value, text and style go with a button, which waits visibly until the answer; what failed is said.

    A choice is sent at once, with the option and the state of the whole message; what is dangerous is asked first.
    """
    slack.holds["/_page/action"] = asyncio.Event()
    page = await visitor.sees()
    button = page.locator("[data-block=acts][data-action=share]")
    await button.click()
    assert (await slack.next("/_page/action"))["action"] == {
        "type": "button",
        "block_id": "acts",
        "action_id": "share",
        "text": gallery.plain("공유"),
        "value": "share-7d",
        "style": "primary",
    }
    await expect(button).to_have_attribute("aria-busy", "true")
    slack.holds["/_page/action"].set()
    await expect(button).not_to_have_attribute("aria-busy", "true")

    await page.locator("[data-action=period] .select-open").click()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    chosen = gallery.option("지난 30일", "30d")
    assert await slack.next("/_page/action") == {
        "user": "U0JIHOON01",
        "container": {"type": "message", "channel_id": "C0FINOPS01", "message_ts": gallery.ts(2)},
        "action": {"type": "static_select", "block_id": "acts", "action_id": "period", "selected_option": chosen},
        "state": {"values": {"acts": {"period": {"type": "static_select", "selected_option": chosen}}}},
    }

    await what_is_dangerous_is_asked(page, slack)
    await a_menu_is_reached_by_keyboard(page, slack)
    slack.answers["/_page/action"] = lambda _: {"ok": False, "error": "operation_timeout"}
    await page.locator("[data-action=open_settings]").click()
    await expect(page.locator(".notice.error")).to_contain_text("앱이 응답하지 않았습니다 (operation_timeout)")


async def test_a_channel_ends_where_its_words_end_and_today(visitor: Visitor, slack: PretendSlack) -> None:
    """The table read out beside a chart takes no room below the last message.

    The clock of the stage may be moved ahead of this machine's: nothing that was said is of tomorrow.
    """
    categories = [f"7/{day}" for day in range(1, 21)]
    data = [{"label": label, "value": 1} for label in categories]
    chart = {"type": "bar", "series": [{"name": "비용", "data": data}], "axis_config": {"categories": categories}}
    drawn = {"type": "data_visualization", "title": "일별 비용", "chart": chart}
    ts = f"{time.time() + 5 * 86_400:.6f}"
    message = {"ts": ts, "channel": "C0FINOPS01", "bot_id": "B0FINOPSBT", "text": "일별 비용", "blocks": [drawn]}
    slack.state["messages"]["C0FINOPS01"] = [message]
    page = await visitor.sees()
    await expect(page.locator(".day").last).to_contain_text("오늘")
    await page.locator(".chart svg .bar").first.wait_for()
    left = await page.evaluate(
        "(() => { const box = document.querySelector('.stream');"
        " const last = [...document.querySelectorAll('.message')].pop();"
        " box.scrollTop = box.scrollHeight;"
        " return box.getBoundingClientRect().bottom - last.getBoundingClientRect().bottom; })()"
    )
    assert left < 40


async def test_a_thread_opens_beside_the_channel_and_takes_replies(visitor: Visitor, slack: PretendSlack) -> None:
    """Replies stand only in the thread; a reply names its thread."""
    page = await visitor.sees()
    await expect(page.locator("#main").get_by_text("7월 3일부터 캐시를 켰습니다.")).to_have_count(0)
    await page.get_by_role("button", name="댓글 2개").click()
    thread = page.get_by_role("complementary", name="스레드")
    await expect(thread.get_by_text("7월 3일부터 캐시를 켰습니다.")).to_be_visible()
    await thread.get_by_role("textbox").fill("고맙습니다")
    await page.keyboard.press("Enter")
    assert await slack.next("/_page/message") == {
        "user": "U0JIHOON01",
        "channel": "C0FINOPS01",
        "text": "고맙습니다",
        "thread_ts": gallery.ROOT,
    }
    await slack.tell(
        {
            "type": "message",
            "channel": "C0FINOPS01",
            "message": gallery.said(gallery.ts(40), "U0JIHOON01", "고맙습니다", thread_ts=gallery.ROOT),
        }
    )
    await expect(thread.get_by_text("고맙습니다")).to_be_visible()
    await thread.get_by_role("textbox").fill("/finops status")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("스레드에서는 슬래시 명령을 쓸 수 없습니다.")
    await thread.get_by_role("button", name="닫기").click()
    await expect(thread).to_have_count(0)


async def a_composition_ends_without_sending(page: Page, slack: PretendSlack) -> None:
    """Enter that ends a syllable belongs to the input method; Safari tells of it when the composition is over."""
    slack.posts.clear()

    async def ends(box: Locator) -> None:
        for sign in ("isComposing: true", "keyCode: 229"):
            await box.evaluate(
                f"node => node.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', {sign}, bubbles: true }}))"
            )

    box = page.locator("#main").get_by_role("textbox")
    await box.fill("한")
    await ends(box)
    await expect(box).to_have_value("한")

    await slack.tell({"type": "views", "views": [gallery.STEP]})
    field = page.locator("[data-block=name]")
    await field.fill("데이터팀")
    await ends(field)
    await page.locator("[data-block=lead] .select-open").click()
    await ends(page.locator(".list-search"))
    await expect(page.locator(".list-panel")).to_be_visible()
    assert not [path for path, _ in slack.posts if path in {"/_page/message", "/_page/submit"}]


async def test_what_is_written_is_completed_escaped_and_sent(visitor: Visitor, slack: PretendSlack) -> None:
    """Names become mentions, markup text, Shift+Enter a line; a slash lists the commands, and what failed is kept.

    What is only composed is not sent.
    """
    page = await visitor.sees()
    box = page.locator("#main").get_by_role("textbox")
    await box.click()
    await page.keyboard.type("@Fin")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a<b & #마케팅팀 ")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("둘째 줄")
    await page.keyboard.press("Enter")
    assert (await slack.next("/_page/message"))["text"] == "<@U0FINOPSBT> a&lt;b &amp; <#C0MARKET01|마케팅팀> \n둘째 줄"
    await expect(box).to_have_value("")

    await box.fill("/f")
    await expect(page.get_by_role("option", name="/finops")).to_contain_text("AI 비용 보기와 설정")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/finops ")
    await page.keyboard.type("status 7d")
    slack.answers["/_page/command"] = lambda _: {"ok": False, "error": "operation_timeout"}
    await page.keyboard.press("Enter")
    assert await slack.next("/_page/command") == {
        "user": "U0JIHOON01",
        "channel": "C0FINOPS01",
        "text": "/finops status 7d",
    }
    await expect(page.locator(".notice")).to_contain_text("/finops 명령이 실패했습니다 (operation_timeout)")
    await expect(box).to_have_value("/finops status 7d")
    await a_composition_ends_without_sending(page, slack)


async def test_live_events_change_only_what_they_name(visitor: Visitor, slack: PretendSlack) -> None:
    """New, changed and deleted messages, unread counts, notices; an untouched message keeps its node.

    What only one person sees says so and cannot be replied to; it is replaced and taken away in the same way.
    A lost line comes back, and what was said meanwhile is read anew.
    """
    page = await visitor.sees()
    await page.evaluate("document.querySelector('.message').dataset.same = 'yes'")
    new = gallery.bot(gallery.ts(50), "수집 10/180일")
    await slack.tell({"type": "message", "channel": "C0FINOPS01", "message": new})
    await expect(page.get_by_text("수집 10/180일")).to_be_in_viewport()
    await slack.tell({"type": "message_changed", "channel": "C0FINOPS01", "message": {**new, "text": "수집 180/180일"}})
    await expect(page.get_by_text("수집 180/180일")).to_be_visible()
    await slack.tell({"type": "message_deleted", "channel": "C0FINOPS01", "ts": new["ts"]})
    await expect(page.get_by_text("수집 180/180일")).to_have_count(0)
    await slack.tell(
        {"type": "message", "channel": "C0DATA0001", "message": gallery.said(gallery.ts(51), "U0SEOYEON1", "봐 주세요")}
    )
    await expect(page.locator("a.entry", has_text="데이터팀").locator(".badge")).to_have_text("1")
    await slack.tell({"type": "notice", "text": "앱이 늦게 답했습니다.", "level": "warning"})
    await expect(page.locator(".notice.warning")).to_contain_text("앱이 늦게 답했습니다.")

    whisper = page.locator(".message.ephemeral")
    await expect(whisper.locator(".only-you")).to_have_text("나만 볼 수 있는 메시지")
    await expect(whisper.locator("[data-do=open-thread]")).to_have_count(0)
    said = {**gallery.bot(gallery.ts(12), "공유했습니다."), "ephemeral_for": "U0JIHOON01"}
    await slack.tell({"type": "ephemeral_replaced", "channel": "C0FINOPS01", "ts": gallery.ts(12), "message": said})
    await expect(whisper).to_contain_text("공유했습니다.")
    await slack.tell({"type": "ephemeral_deleted", "channel": "C0FINOPS01", "ts": gallery.ts(12)})
    await expect(whisper).to_have_count(0)
    assert await page.locator(".message").first.get_attribute("data-same") == "yes"

    slack.state["messages"]["C0FINOPS01"].append(gallery.bot(gallery.ts(60), "그동안 온 말"))
    await slack.hang_up()
    await expect(page.get_by_text("그동안 온 말")).to_be_visible()
    await expect(page.locator("#line")).to_be_empty()


async def test_home_is_where_one_begins_and_draws_what_the_app_publishes(visitor: Visitor, slack: PretendSlack) -> None:
    """A newcomer is met by the app, not by an empty channel, and a channel that is gone becomes the first.

    The app hears that its Home is opened; Home is calm until the app publishes, and the live view replaces it.
    """
    slack.state["home"] = None
    page = await visitor.sees(place="")
    assert page.url.endswith("#/app/home")
    assert (await slack.next("/_page/home"))["tab"] == "home"
    await page.evaluate("location.hash = '#/C0GONE0001'")
    await page.wait_for_url("**#/C0FINOPS01")
    await page.get_by_role("group", name="앱").get_by_role("link").click()
    assert await slack.next("/_page/home") == {"user": "U0JIHOON01", "tab": "home"}
    await expect(page.get_by_text("홈 탭을 준비하고 있습니다")).to_be_visible()
    await slack.tell({"type": "home", "view": gallery.HOME})
    await expect(page.get_by_text("한빛소프트의 AI 비용")).to_be_visible()
    await page.get_by_role("button", name="이어서 하기").click()
    assert (await slack.next("/_page/action"))["container"] == {"type": "view", "view_id": "V0HOME"}
    await page.get_by_role("tab", name="메시지").click()
    await expect(page.get_by_text("으로 시작하세요.")).to_be_visible()


async def test_a_reader_elsewhere_reads_their_own_clock_and_language_and_so_does_the_next(visitor: Visitor) -> None:
    """Noon in Seoul is 11 p.m. in New York, and the page speaks English there.

    Then Sakura takes the seat and reads Japanese; the choice outlives a reload.
    """
    page = await visitor.sees(user="U0EMMA0001")
    await expect(page.locator(".time").first).to_have_text("11:00 PM")
    await expect(page.locator(".only-you")).to_have_text("Only visible to you")
    await expect(page.locator(".workspace small")).to_have_text("Viewing as Emma Clark")
    await page.locator(".rail-me").click()
    await page.get_by_role("menuitemradio", name="佐藤さくら").click()
    await expect(page.locator(".only-you")).to_have_text("あなただけに表示されています")
    assert await page.evaluate("document.documentElement.lang") == "ja"
    await page.reload()
    await expect(page.locator(".workspace small")).to_have_text("佐藤さくら さんとして表示中")


async def test_the_lab_offers_keys_and_faults(visitor: Visitor, slack: PretendSlack) -> None:
    """A switch posts what the server said it would post; a foreign address is refused."""
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await visitor.sees()
    await page.get_by_role("button", name="실험실").click()
    lab = page.get_by_role("complementary", name="실험실")
    await lab.get_by_role("button", name="복사: 마케팅팀 Admin 키").click()
    assert (await page.evaluate("navigator.clipboard.readText()")).endswith("abc1")
    await lab.get_by_role("button", name="Slack 429").click()
    assert await slack.next("/_sim/slack/faults") == {"error": "ratelimited"}
    elsewhere = f"{module('api')}.then((m) => m.labAction({{ path: '//x.example/' }})).catch(() => 'refused')"
    assert await page.evaluate(elsewhere) == "refused"


async def escape_closes_one_thing_at_a_time(page: Page) -> None:
    """The drawer, then the thread beneath it."""
    thread = page.get_by_role("complementary", name="스레드")
    await page.evaluate("document.querySelector('[data-do=open-drawer]').click()")
    await page.keyboard.press("Escape")
    await expect(page.locator("body")).not_to_have_class(re.compile("drawer-open"))
    await expect(thread).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(thread).to_have_count(0)


async def test_a_phone_shows_everything_without_sideways_scrolling(phone: Visitor, slack: PretendSlack) -> None:
    """Channel, charts, Home, thread, modal and drawer fit 390 pixels; Escape closes one thing at a time."""
    page = await phone.sees(f"C0FINOPS01/{gallery.ROOT}")
    await escape_closes_one_thing_at_a_time(page)
    shown = {"app/home": ".home-blocks", "C0MARKET01": ".chart-pie", "C0FINOPS01": ".data-table"}
    for place, drawn in {f"C0FINOPS01/{gallery.ROOT}": ".pane .message", **shown}.items():
        await page.evaluate("place => { location.hash = `#/${place}` }", place)
        await expect(page.locator(drawn).first).to_be_visible()
        assert (
            max(await page.locator(":root, .stream").evaluate_all("(all) => all.map((each) => each.scrollWidth)"))
            <= 390
        )
    wide = page.locator(".table-scroll").first
    await wide.evaluate("(node) => { node.firstElementChild.style.width = '700px'; node.scrollLeft = 1000; }")
    assert await wide.evaluate("""(node) => {
        const left = (each) => Math.round(each.getBoundingClientRect().left);
        return node.scrollLeft > 100 && left(node.querySelector('tbody tr > *')) === left(node) + 1;
    }"""), "the name of a row stays while its figures are looked through"
    await expect(page.locator(".sidebar")).not_to_be_in_viewport()
    await page.get_by_role("button", name="메뉴 열기").click()
    await page.locator("a.entry", has_text="마케팅팀").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("마케팅팀")
    await expect(page.locator(".sidebar")).not_to_be_in_viewport()
    await slack.tell({"type": "views", "views": [gallery.STEP]})
    await expect(page.locator("[data-block=channel]")).to_contain_text("마케팅팀")  # the conversation in view
    await slack.tell({"type": "views", "views": [gallery.EVERY_INPUT]})
    dialog = page.get_by_role("dialog", name="모든 입력")
    await expect(dialog).to_be_visible()
    assert await dialog.locator(".modal-body").evaluate("(node) => node.scrollWidth <= node.clientWidth")


async def test_every_control_has_a_name_and_a_phone_does_not_enlarge_the_page_when_one_writes(
    phone: Visitor, slack: PretendSlack
) -> None:
    """A screen reader can say what each button, link and field is.

    Safari enlarges where letters are smaller than 16 pixels: in the channel, in windows, in the lab.
    """
    form = {"label": "메일", "fields": [{"name": "to", "label": "받는 사람"}], "action": {"path": "/_sim/mail"}}
    slack.state["lab"] = [{"title": "메일", "items": [form]}]
    slack.state["views"] = [gallery.EVERY_INPUT]
    page = await phone.sees("C0MARKET01")
    await page.evaluate("document.querySelector('.sidebar-foot [data-do=toggle-lab]').click()")
    await expect(page.locator(".lab-field")).to_have_count(1)
    small = await page.locator("textarea, select, input:not([type=checkbox], [type=radio], [type=file])").evaluate_all(
        "all => all.filter(it => parseFloat(getComputedStyle(it).fontSize) < 16).map(it => it.className)"
    )
    assert small == []
    nameless = await page.locator("button, a[href], input, textarea").evaluate_all("""(all) => all.filter((node) => {
        const label = ['aria-label', 'aria-labelledby', 'title'].some((name) => node.getAttribute(name));
        return !label && !node.textContent.trim() && !node.labels?.length && node.id !== 'veil';
    }).map((node) => node.outerHTML)""")
    assert nameless == []
