"""The protocol the browser page speaks: what it is shown, what it is told as it happens, and what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp

from demo.slack import SimulatedSlack
from demo.slack.cast import BOT, DATA, EMMA, FINOPS, GENERAL, MARKETING, MINSU, SEOYEON
from tests.simulators.slack_kit import (
    a_config,
    actions,
    bolt_for,
    button,
    client_of,
    entry,
    home,
    modal,
    over_http,
    plain,
)

JSON = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(config=a_config()) as started:
        yield started


class Browser:
    """What a page does over the wire."""

    def __init__(self, slack: SimulatedSlack, session: aiohttp.ClientSession, user: str) -> None:
        self._slack, self._session, self._user = slack, session, user

    async def state(self) -> JSON:
        async with self._session.get(f"{self._slack.url}/_page/state", params={"user": self._user}) as response:
            told: JSON = await response.json()
            return told

    async def does(self, what: str, **body: Any) -> JSON:
        async with self._session.post(f"{self._slack.url}/_page/{what}", json={"user": self._user, **body}) as response:
            told: JSON = await response.json()
            return told

    async def live(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self._session.ws_connect(f"{self._slack.url}/_page/live?user={self._user}")
        assert await socket.receive_json(timeout=2) == {"type": "hello"}
        return socket


@pytest.fixture
async def browser(slack: SimulatedSlack) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession() as session:
        yield Browser(slack, session, MINSU)


async def test_a_screen_shows_the_workspace_as_one_person_sees_it(slack: SimulatedSlack, browser: Browser) -> None:
    client = client_of(slack)
    await client.chat_postMessage(channel=FINOPS, text="모두에게")
    await client.chat_postEphemeral(channel=FINOPS, user=MINSU, text="너에게만")
    await client.chat_postEphemeral(channel=FINOPS, user=EMMA, text="엠마에게만")
    await client.chat_postMessage(channel=DATA, text="데이터팀에만")
    await client.views_publish(user_id=MINSU, view=home())
    state = await browser.state()
    assert state["workspace"]["name"] == "한빛소프트"
    assert (state["me"]["id"], state["me"]["name"], state["me"]["locale"]) == (MINSU, "김민수", "ko-KR")
    channels = {each["id"]: (each["is_member"], each["unread"]) for each in state["channels"]}
    assert channels == {FINOPS: (True, 1), MARKETING: (True, 0), DATA: (False, 0), GENERAL: (True, 0)}
    assert [(each["user_id"], each["bot"], each["name"]) for each in state["dms"]] == [(BOT, True, "FinOps")]
    assert [each["text"] for each in state["messages"][FINOPS]] == ["모두에게", "너에게만"]
    assert state["messages"][FINOPS][1]["ephemeral_for"] == MINSU
    assert DATA not in state["messages"]
    assert state["home"]["blocks"][0]["type"] == "divider"
    assert state["commands"][0]["command"] == "/finops"
    assert state["app"]["bot_user_id"] == BOT
    assert {each["id"]: each["initials"] for each in state["users"]}[EMMA] == "EC"
    await browser.does("read", channel=FINOPS)
    assert {each["id"]: each["unread"] for each in (await browser.state())["channels"]}[FINOPS] == 0


async def test_a_screen_is_told_what_happens_to_it_and_nothing_else(slack: SimulatedSlack, browser: Browser) -> None:
    client = client_of(slack)
    live = await browser.live()
    await client.chat_postMessage(channel=DATA, text="not theirs")
    await client.chat_postEphemeral(channel=FINOPS, user=EMMA, text="not theirs")
    ts = (await client.chat_postMessage(channel=FINOPS, text="a")).data["ts"]
    await client.chat_update(channel=FINOPS, ts=ts, text="b")
    await client.chat_delete(channel=FINOPS, ts=ts)
    await client.chat_postEphemeral(channel=FINOPS, user=MINSU, text="c")
    await client.views_publish(user_id=MINSU, view=home())
    await client.views_open(
        trigger_id=slack.hub.triggers.issue(MINSU), view=modal(entry("w", {"type": "plain_text_input"}))
    )
    slack.set_lab({"keys": ["sk-admin-…abc1"]})
    told = [await live.receive_json(timeout=2) for _ in range(7)]
    await live.close()
    kinds = ["message", "message_changed", "message_deleted", "ephemeral", "home", "views", "lab"]
    assert [each["type"] for each in told] == kinds
    assert (told[0]["channel"], told[0]["message"]["text"], told[1]["message"]["text"]) == (FINOPS, "a", "b")
    assert told[2]["ts"] == ts
    assert told[5]["views"][0]["title"]["text"] == "설정"
    assert (await browser.state())["lab"] == {"keys": ["sk-admin-…abc1"]}


async def test_an_open_page_is_let_go_when_the_workspace_ends() -> None:
    """It is told, and not cut off."""
    async with aiohttp.ClientSession() as session:
        async with SimulatedSlack(config=a_config()) as slack:
            live = await Browser(slack, session, MINSU).live()
            last = asyncio.create_task(live.receive(timeout=2))
        assert (await last)[:2] == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.OK)


async def test_a_person_does_everything_from_the_page(slack: SimulatedSlack, browser: Browser) -> None:
    app: AsyncApp = bolt_for(slack)

    @app.command("/finops")
    async def command(ack: Any, command: JSON, client: Any) -> None:
        await ack("네")
        search = entry("p", {"type": "external_select", "min_query_length": 0})
        view = modal(entry("w", {"type": "plain_text_input"}), search, callback_id="v")
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    @app.options("p")
    async def search(ack: Any, payload: JSON) -> None:
        await ack(options=[{"text": plain("챗봇"), "value": "proj_1"}])

    @app.view("v")
    async def submitted(ack: Any, view: JSON, client: Any, body: JSON) -> None:
        word = view["state"]["values"]["w"]["w"]["value"]
        if word == "no":
            await ack(response_action="errors", errors={"w": "안 됩니다"})
            return
        await ack()
        await client.chat_postMessage(channel=body["user"]["id"], text=word, blocks=[actions(button("go"))])

    @app.action("go")
    async def pressed(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="눌렀습니다", replace_original=True)

    async with over_http(slack, app):
        assert (await browser.does("message", channel=FINOPS, text="안녕"))["message"]["user"] == MINSU
        assert (await browser.does("command", channel=FINOPS, text="/finops"))["response"]["text"] == "네"
        opened = await slack.next("views.open")
        view_id = opened.response["view"]["id"]
        container = {"type": "view", "view_id": view_id}
        offered = await browser.does("options", container=container, block_id="p", action_id="p", value="챗")
        values = {
            "w": {"w": {"type": "plain_text_input", "value": "no"}},
            "p": {"p": {"type": "external_select", "selected_option": offered["options"][0]}},
        }
        refused = await browser.does("submit", view_id=view_id, values=values)
        assert refused == {"ok": False, "errors": {"w": "안 됩니다"}, "by": "app"}
        values["w"]["w"]["value"] = "됩니다"
        assert await browser.does("submit", view_id=view_id, values=values) == {"ok": True}
        posted = await slack.next("chat.postMessage")
        assert posted.message is not None
        where = {"type": "message", "channel_id": posted.message["channel"], "message_ts": posted.message["ts"]}
        action = {"type": "button", "block_id": "acts", "action_id": "go", "value": "1"}
        assert await browser.does("action", container=where, action=action, state={"values": {}}) == {
            "ok": True,
            "sent": True,
        }
        await slack.next("response_url")
        await browser.does("home")
        await slack.settled()
    state = await browser.state()
    assert [each["text"] for each in state["messages"]["D0MINSU001"]] == ["눌렀습니다"]
    assert state["views"] == []


async def test_what_cannot_be_done_is_said_and_breaks_nothing(slack: SimulatedSlack, browser: Browser) -> None:
    assert (await browser.does("message", channel=DATA, text="a"))["error"] == "not_in_channel"
    assert (await browser.does("message", channel="C0NONE", text="a"))["error"] == "channel_not_found"
    assert (await browser.does("message", text="a"))["error"] == "bad_request"
    assert (await browser.does("close", view_id="V0NONE"))["error"] == "not_found"
    gone = {"type": "message", "channel_id": FINOPS, "message_ts": "1.0"}
    assert (await browser.does("action", container=gone, action={}))["error"] == "message_not_found"
    await client_of(slack).chat_postMessage(channel=FINOPS, text="a", blocks=[actions(button("go"))])
    here = {**gone, "message_ts": slack.messages(FINOPS)[0]["ts"]}
    made_up = {"type": "button", "block_id": "acts", "action_id": "made-up"}
    assert (await browser.does("action", container=here, action=made_up))["error"] == "no_such_action"
    live = await browser.live()
    assert (await browser.does("command", channel=FINOPS, text="/finops"))["error"] == "dispatch_failed"
    notice = await live.receive_json(timeout=2)
    assert (notice["type"], notice["level"]) == ("notice", "error")
    await live.close()


async def test_pages_of_strangers_are_refused(slack: SimulatedSlack) -> None:
    async with aiohttp.ClientSession(headers={"Sec-Fetch-Site": "cross-site"}) as session:
        async with session.post(f"{slack.url}/_page/command", json={}) as response:
            assert response.status == 403
        async with session.get(f"{slack.url}/page/../slack/server.py") as response:
            assert response.status == 404


async def test_one_who_joins_a_channel_sees_it_appear(slack: SimulatedSlack) -> None:
    async with aiohttp.ClientSession() as session:
        live = await Browser(slack, session, SEOYEON).live()
        slack.person(SEOYEON).joins(MARKETING)
        told = await live.receive_json(timeout=2)
        assert (told["type"], told["channel"]["id"], told["channel"]["is_member"]) == ("channel", MARKETING, True)
        await live.close()
