"""What a person enters is sent exactly as Slack would send it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser import gallery
from tests.browser.chromium import look
from tests.browser.conftest import Visitor, Window, visiting
from tests.browser.pretend import PretendSlack

JSON = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def at_home(desk: Window, server: PretendSlack) -> AsyncIterator[Visitor]:
    """The app's Home, opened once for all: whatever is asked of a person stands in a window in front of it."""
    server.forget(gallery.STATE)
    async with visiting(desk, server) as someone:
        await someone.sees("app/home")
        yield someone


@pytest_asyncio.fixture(loop_scope="session")
async def page(at_home: Visitor, slack: PretendSlack) -> AsyncIterator[Page]:
    """Home with no window open; one that was closed leaves nothing behind, neither writing nor choice nor list."""
    [home] = at_home.pages
    await home.bring_to_front()
    await slack.tell({"type": "views", "views": []})
    await expect(home.locator("dialog, .list-panel")).to_have_count(0)
    yield home
    assert at_home.complaints == []


async def opens(page: Page, slack: PretendSlack, *views: JSON) -> None:
    """The app opens a window, or several over each other."""
    await slack.tell({"type": "views", "views": list(views)})
    await expect(page.get_by_role("dialog")).to_be_visible()


async def pick(page: Page, block: str, *names: str) -> None:
    """Choose options of a select by name."""
    await page.locator(f"[data-block={block}] .select-open").click()
    for name in names:
        await page.get_by_role("option", name=name, exact=True).click()
    if len(names) > 1:
        await page.keyboard.press("Escape")


async def test_a_submission_carries_every_value_in_slacks_shape(page: Page, slack: PretendSlack) -> None:
    """Typed, chosen and untouched fields alike, keyed by block and action."""
    slack.answers["/_page/options"] = lambda body: {"options": [gallery.option(f"{body['value']}-prod", "proj_1")]}
    await opens(page, slack, gallery.EVERY_INPUT)
    await page.locator("[data-block=text]").fill("마케팅팀")
    await page.locator("[data-block=number]").fill("500")
    await pick(page, "static", "test")
    await pick(page, "multi", "gpt-5-mini")
    await page.keyboard.press("Escape")
    await page.locator("[data-block=external] .select-open").click()
    await page.keyboard.type("chat")
    await page.get_by_role("option", name="chat-prod").click()
    await page.keyboard.press("Escape")
    await page.get_by_text("초과").click()
    await page.get_by_text("멈추기").click()
    await page.locator("[data-block=date] .select-open").click()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.locator("[data-block=time] .select-open").click()
    await page.keyboard.type("14:05")
    await page.keyboard.press("Enter")
    await page.locator("[data-block=datetime] [data-do=open-times]").click()
    await page.keyboard.type("1830")
    await page.keyboard.press("Enter")
    await page.locator("[data-block=rich]").fill("*중요*\n- 하나")
    await page.get_by_role("button", name="저장").click()
    sent = await slack.next("/_page/submit")
    values = sent.pop("values")
    moment = values.pop("datetime")["v"]["selected_date_time"]
    assert moment % 86400 == (18 * 60 + 30) * 60 - 9 * 3600
    rich = values.pop("rich")["v"]
    assert rich["rich_text_value"]["elements"][0]["elements"] == [
        {"type": "text", "text": "중요", "style": {"bold": True}}
    ]
    assert rich["rich_text_value"]["elements"][1]["type"] == "rich_text_list"
    assert sent == {"user": "U0JIHOON01", "view_id": "V0EVERY"}
    assert values == {
        "text": {"v": {"type": "plain_text_input", "value": "마케팅팀"}},
        "long": {"v": {"type": "plain_text_input", "value": None}},
        "email": {"v": {"type": "email_text_input", "value": None}},
        "url": {"v": {"type": "url_text_input", "value": None}},
        "number": {"v": {"type": "number_input", "value": "500"}},
        "static": {"v": {"type": "static_select", "selected_option": gallery.option("test", "test")}},
        "multi": {
            "v": {
                "type": "multi_static_select",
                "selected_options": [gallery.option("gpt-5", "gpt-5"), gallery.option("gpt-5-mini", "mini")],
            }
        },
        "external": {
            "v": {"type": "multi_external_select", "selected_options": [gallery.option("chat-prod", "proj_1")]}
        },
        "users": {"v": {"type": "multi_users_select", "selected_users": []}},
        "channels": {"v": {"type": "channels_select", "selected_channel": None}},
        "checks": {
            "v": {
                "type": "checkboxes",
                "selected_options": [
                    gallery.option("초과", "breach", "한도에 닿을 때"),
                    gallery.option("요약", "digest"),
                ],
            }
        },
        "radio": {"v": {"type": "radio_buttons", "selected_option": gallery.option("멈추기", "stop")}},
        "date": {"v": {"type": "datepicker", "selected_date": "2026-07-07"}},
        "time": {"v": {"type": "timepicker", "selected_time": "14:05"}},
        "file": {"v": {"type": "file_input", "files": []}},
    }


async def test_an_external_select_asks_as_one_types_and_says_what_it_is_doing(page: Page, slack: PretendSlack) -> None:
    """Too short, loading, found, nothing found, failed: each has its words; the next word replaces one that found."""
    slack.answers["/_page/options"] = lambda body: {
        "options": [gallery.option(body["value"], body["value"])] if body["value"] in {"ab", "ads"} else []
    }
    await opens(page, slack, gallery.EVERY_INPUT)
    await page.locator("[data-block=external] .select-open").click()
    panel = page.locator(".list-panel")
    await expect(panel.get_by_text("1자 이상 입력하세요")).to_be_visible()
    slack.holds["/_page/options"] = asyncio.Event()
    await page.keyboard.type("ab")
    await expect(panel.get_by_text("불러오는 중")).to_be_visible()
    asked = await slack.next("/_page/options")
    assert asked == {
        "user": "U0JIHOON01",
        "container": {"type": "view", "view_id": "V0EVERY"},
        "block_id": "external",
        "action_id": "v",
        "value": "ab",
    }
    slack.holds["/_page/options"].set()
    await expect(panel.get_by_role("option", name="ab")).to_be_visible()
    await page.get_by_role("option", name="ab").click()
    await page.keyboard.type("ads")
    await expect(panel.get_by_role("option", name="ads")).to_be_visible()
    await page.keyboard.type("x")
    await expect(panel.get_by_text("결과가 없습니다")).to_be_visible()
    slack.answers["/_page/options"] = lambda _: {"ok": False, "error": "timeout"}
    await page.keyboard.type("y")
    await expect(panel.get_by_role("button", name="다시 시도")).to_be_visible()


async def test_the_page_refuses_what_slacks_own_client_refuses(page: Page, slack: PretendSlack) -> None:
    """Empty required fields, short texts, wrong numbers and addresses never leave the page; fixing one clears it."""
    await opens(page, slack, gallery.EVERY_INPUT)
    await page.locator("[data-block=long]").fill("가")
    await page.locator("[data-block=email]").fill("nobody")
    await page.locator("[data-block=url]").fill("ftp:x")
    await page.locator("[data-block=number]").fill("501")
    await page.get_by_role("button", name="저장").click()
    said = page.locator(".input.has-error .field-error")
    await expect(said).to_have_text(
        [
            "3자 이상 입력하세요",
            "이메일 주소 형식이 아닙니다",
            "http:// 또는 https://로 시작하는 주소를 입력하세요",
            "500 이하여야 합니다",
            "필수 입력란입니다",
            "필수 입력란입니다",
            "필수 입력란입니다",
        ]
    )
    assert not [path for path, _ in slack.posts if path == "/_page/submit"]
    await page.locator("[data-block=number]").fill("5")
    await expect(said).to_have_count(6)


async def test_a_view_is_submitted_once_and_the_apps_errors_appear_under_their_fields(
    page: Page, slack: PretendSlack
) -> None:
    """The button waits and cannot be pressed twice; then the sentence stands under the field, the writing stays."""
    slack.answers["/_page/submit"] = lambda _: {"ok": True, "errors": {"name": "같은 이름의 팀이 있습니다."}}
    slack.holds["/_page/submit"] = asyncio.Event()
    await opens(page, slack, {**gallery.STEP, "blocks": gallery.STEP["blocks"][:2]})
    name, button = page.locator("[data-block=name]"), page.locator("[data-do=submit-view]")
    await name.fill("마케팅팀")
    await page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-busy", "true")
    await button.click()
    slack.holds["/_page/submit"].set()
    await expect(page.locator(".field-error").first).to_have_text("같은 이름의 팀이 있습니다.")
    await expect(button).not_to_have_attribute("aria-busy", "true")
    await expect(name).to_be_focused()
    await expect(name).to_have_value("마케팅팀")
    await expect(name).to_have_attribute("aria-invalid", "true")
    assert len([path for path, _ in slack.posts if path == "/_page/submit"]) == 1


async def test_the_stack_is_what_the_server_says_and_keeps_what_was_typed(page: Page, slack: PretendSlack) -> None:
    """Push, pop and update follow the server; a field that stays keeps its writing, one that changed starts anew.

    Whoever pressed the last button of a long window misses no warning of the next; the same window stays put.
    """
    await opens(page, slack, gallery.STEP)
    await page.locator("[data-block=name]").fill("데이터팀")
    await slack.tell({"type": "views", "views": [gallery.STEP, gallery.EVERY_INPUT]})
    await expect(page.get_by_role("dialog", name="모든 입력")).to_be_visible()
    await page.get_by_role("button", name="뒤로").click()
    assert await slack.next("/_page/close") == {"user": "U0JIHOON01", "view_id": "V0EVERY"}
    updated: JSON = copy.deepcopy(gallery.STEP)
    updated["hash"] = "2"
    updated["blocks"][0]["text"]["text"] = "*2 / 3*"
    await slack.tell({"type": "views", "views": [updated]})
    await expect(page.get_by_text("2 / 3")).to_be_visible()
    await expect(page.locator("[data-block=name]")).to_have_value("데이터팀")
    await slack.tell({"type": "views", "views": []})
    await expect(page.locator("dialog")).to_have_count(0)

    await slack.tell({"type": "views", "views": [{**gallery.EVERY_INPUT, "callback_id": "detail"}]})
    await expect(page.get_by_role("dialog", name="모든 입력")).to_be_visible()
    body = page.locator("dialog .modal-body")
    await body.evaluate("node => { node.scrollTop = 200 }")
    for callback, title, top in (("detail", "그대로", 200), ("stop", "차단", 0)):
        view = {**gallery.EVERY_INPUT, "callback_id": callback, "title": gallery.plain(title), "hash": title}
        await slack.tell({"type": "views", "views": [view]})
        await expect(page.get_by_role("dialog", name=title)).to_be_visible()
        assert await body.evaluate("node => node.scrollTop") == top


async def test_a_draft_is_shown_whole_and_a_long_one_from_its_beginning(page: Page, slack: PretendSlack) -> None:
    """Four lines of fourteen, and those the last, are no draft to read before sending it."""
    [box] = [one for one in gallery.EVERY_INPUT["blocks"] if one.get("block_id") == "long"]
    for count, is_whole in ((14, True), (90, False)):
        draft = {"initial_value": "\n".join(f"{number}번째 줄" for number in range(count))}
        view = gallery.EVERY_INPUT | {"id": f"V{count}", "blocks": [box | {"element": box["element"] | draft}]}
        await slack.tell({"type": "views", "views": [view]})
        field = page.get_by_role("dialog").locator("textarea")
        await expect(field).to_have_value(draft["initial_value"])
        await expect(field).to_be_focused()
        top, hidden = await field.evaluate("it => [it.scrollTop, it.scrollHeight - it.clientHeight]")
        assert (top, hidden <= 0) == (0, is_whole)
        await expect(page.get_by_role("button", name="저장")).to_be_in_viewport()


async def test_a_field_grows_with_its_text_also_where_no_style_does_it(desk: Window, slack: PretendSlack) -> None:
    """Safari and older Firefox do not know field-sizing: there the page measures."""
    page = await desk.context.new_page()
    await page.add_init_script("""CSS.supports = () => false;
        const fixed = new CSSStyleSheet();
        fixed.replaceSync("textarea.field { field-sizing: fixed }");
        addEventListener("DOMContentLoaded", () => { document.adoptedStyleSheets = [fixed]; });""")
    [box] = [one for one in gallery.EVERY_INPUT["blocks"] if one.get("block_id") == "long"]
    draft = {"initial_value": "\n".join(f"{number}번째 줄" for number in range(14))}
    slack.state["views"] = [gallery.EVERY_INPUT | {"blocks": [box | {"element": box["element"] | draft}]}]
    await look(page, slack.url, "U0JIHOON01", "app/home")
    field = page.get_by_role("dialog").locator("textarea")
    whole = "it => it.scrollHeight <= it.clientHeight"
    drawn = await field.bounding_box()
    assert drawn
    assert await field.evaluate(whole)
    await field.press("ControlOrMeta+End")
    tall = await page.locator(".modal-body").evaluate("""body => {
        const { get } = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
        Object.defineProperty(HTMLTextAreaElement.prototype, "scrollHeight", { configurable: true, get() {
            window.shortest = Math.min(window.shortest ?? Infinity, body.scrollHeight);
            return get.call(this);
        } });
        return body.scrollHeight;
    }""")
    await field.press("Enter")
    assert await page.evaluate("window.shortest") >= tall, "Firefox would scroll the window at each letter"
    grown = await field.bounding_box()
    assert grown
    assert grown["height"] > drawn["height"]
    assert await field.evaluate(whole)
    await field.fill("한 줄")
    shrunk = await field.bounding_box()
    assert shrunk
    assert shrunk["height"] < drawn["height"]
    await page.close()


async def test_what_opens_in_a_long_window_is_seen_whole_and_moves_nothing(page: Page, slack: PretendSlack) -> None:
    """Only the fields scroll: Firefox scrolled the window itself, its title away; and no list ends below the screen.

    A time is written as a date is, not as the hour beside a message; a dark window had a white bar in Firefox.
    """
    await opens(page, slack, gallery.EVERY_INPUT)
    assert await page.get_by_role("dialog").evaluate("it => it.scrollHeight <= it.clientHeight")
    await page.locator("[data-block=time]").evaluate("it => it.scrollIntoView({ block: 'end' })")
    look_of = "it => { const { fontSize, color } = getComputedStyle(it); return [fontSize, color]; }"
    date, time = (page.locator(f"[data-block={name}] .select-text") for name in ("date", "time"))
    assert await time.evaluate(look_of) == await date.evaluate(look_of)
    await page.locator("[data-block=time] .select-open").click()
    await expect(page.locator(".list-panel")).to_be_in_viewport(ratio=1)
    for box in (page.locator(".modal-body"), page.locator(".list-panel .list")):
        assert await box.evaluate("it => getComputedStyle(it).scrollbarColor") != "auto"


async def test_a_list_closes_before_its_window_and_stays_open_whatever_happens_elsewhere(
    page: Page, slack: PretendSlack
) -> None:
    """One Escape, one thing closed, and focus returns to the field.

    A message that comes in draws the page again, the window with it; another window has other lists.
    """
    await opens(page, slack, gallery.STEP)
    opener, panel = page.locator("[data-block=lead] .select-open"), page.locator(".list-panel")
    await opener.click()
    await expect(panel).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(opener).to_be_focused()
    await opener.click()
    left_to_the_browser = await page.locator(".list-search").evaluate(
        "node => node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }))"
    )
    assert not left_to_the_browser, "Safari would close the modal with the list"
    await expect(panel).to_have_count(0)

    await opener.click()
    await slack.tell({"type": "views", "views": [gallery.STEP]})
    await slack.tell({"type": "notice", "text": "다시 그렸습니다", "level": "info"})
    await expect(page.get_by_text("다시 그렸습니다")).to_be_visible()
    await expect(panel).to_be_visible()
    await slack.tell({"type": "views", "views": [{**gallery.STEP, "id": "V0OTHER"}]})
    await expect(panel).to_have_count(0)
    await page.keyboard.press("Escape")
    assert await slack.next("/_page/close") == {"user": "U0JIHOON01", "view_id": "V0OTHER"}


async def test_focus_stays_inside_an_open_modal_and_escape_keeps_the_one_below_a_question(
    page: Page, slack: PretendSlack
) -> None:
    """However often one presses Tab, nothing behind the modal is reached.

    Also after an Escape the modal answered by showing another view: the browser would close both at once.
    """
    dangerous = gallery.MESSAGES["C0FINOPS01"][2]["blocks"][5]
    below = {**gallery.STEP, "id": "V0BELOW", "blocks": [dangerous]}
    await opens(page, slack, below, gallery.STEP)
    await expect(page.locator("[data-block=name]")).to_be_focused()
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
        )

    await page.keyboard.press("Escape")
    await slack.next("/_page/close")
    await slack.tell({"type": "views", "views": [below]})
    await page.locator("dialog [data-action=delete_key]").click()
    question = page.get_by_role("alertdialog")
    await expect(question).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(page.locator("dialog.modal[open]")).to_have_count(1)


async def test_an_input_acts_only_when_its_block_dispatches_and_an_action_tells_the_fields_of_today(
    page: Page, slack: PretendSlack
) -> None:
    """With dispatch_action a choice is an action of the view; a button an update left alone reports its new field."""
    radio = next(block for block in gallery.EVERY_INPUT["blocks"] if block.get("block_id") == "radio")
    button = {"type": "button", "action_id": "check", "text": gallery.plain("확인")}
    row = {"type": "actions", "block_id": "row", "elements": [button]}
    await opens(page, slack, {**gallery.EVERY_INPUT, "blocks": [{**radio, "dispatch_action": True}]})
    await page.get_by_text("멈추기").click()
    sent = await slack.next("/_page/action")
    assert sent["container"] == {"type": "view", "view_id": "V0EVERY"}
    assert sent["action"]["selected_option"]["value"] == "stop"

    await slack.tell({"type": "views", "views": [{**gallery.STEP, "blocks": [row]}]})
    await expect(page.get_by_role("button", name="확인")).to_be_visible()
    await slack.tell(
        {"type": "views", "views": [{**gallery.STEP, "hash": "2", "blocks": [row, gallery.STEP["blocks"][1]]}]}
    )
    await page.locator("[data-block=name]").fill("새 팀")
    await page.get_by_role("button", name="확인").click()
    sent = await slack.next("/_page/action")
    assert sent["state"] == {"values": {"name": {"v": {"type": "plain_text_input", "value": "새 팀"}}}}
