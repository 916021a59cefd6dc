"""The two ways between Slack and us, on real sockets: what comes in is unpacked as Bolt would, answers share a line."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.internals import parse_body
from slack_sdk.errors import SlackApiError

from blocks import kit
from finops.secret import Secret
from handlers import status
from handlers.authorizing import clients
from handlers.door import unpacked
from handlers.visit import Respond, visit_of
from tests.unit.listening import JIHOON, FakeBot, FakeSlack, a_visit

WORDS = {"text": "답", "response_type": "ephemeral", "replace_original": False}


class ResponseUrl:
    """An address that answers belong at: what was said there, over which connections. `drops` breaks some of them.

    It says `body` to all of them; `breaks_off` promises more of it than it sends.
    """

    def __init__(self) -> None:
        self.said: list[dict[str, object]] = []
        self.connections: set[object] = set()
        self.drops = 0
        self.body = "ok"
        self.breaks_off = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        self.said.append(await request.json())
        if self.breaks_off:
            begun = web.StreamResponse(headers={"Content-Length": "100"})
            await begun.prepare(request)
            await begun.write(self.body.encode())
            request.transport.abort()
            return begun
        if self.drops:
            self.drops -= 1
            request.transport.close()
        return web.Response(text=self.body)

    @asynccontextmanager
    async def responding(self) -> AsyncIterator[Respond]:
        application = web.Application()
        application.router.add_post("/answers", self.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with clients(f"{address}/api/", ssl.create_default_context()) as client:
                yield Respond(f"{address}/answers", client(Secret("none")))
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("container", "message", "thread"),
    [
        ({"message_ts": "2.0", "thread_ts": "1.0"}, {"ts": "2.0"}, {"thread_ts": "1.0"}),
        ({"message_ts": "2.0", "thread_ts": "1.0"}, {"subtype": "thread_broadcast"}, {}),
        ({"message_ts": "1.0", "thread_ts": "1.0"}, {"ts": "1.0"}, {}),
        ({"message_ts": "1.0"}, {"ts": "1.0"}, {}),
        ({"type": "view"}, None, {}),
    ],
)
async def test_an_answer_stands_where_the_click_was(
    container: dict[str, str], message: dict[str, str] | None, thread: dict[str, str]
) -> None:
    """In the thread whose reply was clicked; in the channel for what stands there, also where it has replies."""
    slack = ResponseUrl()
    async with slack.responding() as respond:
        context = AsyncBoltContext({"response_url": respond.address, "client": respond.client})
        visit = visit_of(FakeBot(), {"container": container, "message": message}, context, respond.client)  # type: ignore[arg-type]
        await visit.answer(kit.line("답"))
        await visit.answer(kit.line("답"), replaces=True)
    assert [{"thread_ts": one["thread_ts"]} if "thread_ts" in one else {} for one in slack.said] == [thread, {}]


async def test_answers_share_a_connection() -> None:
    """A hundred people pressing a button are not a hundred handshakes with Slack."""
    slack = ResponseUrl()
    async with slack.responding() as respond:
        for _ in range(3):
            assert (await respond(**WORDS)).status_code == 200
    assert slack.said == [WORDS, WORDS, WORDS]
    assert len(slack.connections) == 1


async def test_a_connection_that_breaks_is_tried_once_more() -> None:
    """The other side may close a line that rested just as we take it up again."""
    slack = ResponseUrl()
    async with slack.responding() as respond:
        assert (await respond(**WORDS)).status_code == 200
        slack.drops = 1
        assert (await respond(**WORDS)).status_code == 200
    assert len(slack.said) == 3


@pytest.mark.parametrize("body", ["ok", "", '{"ok":true}'])
async def test_what_slack_took_is_said_once(body: str) -> None:
    slack, api = ResponseUrl(), FakeSlack()
    slack.body = body
    async with slack.responding() as respond:
        await a_visit(FakeBot(), api, respond=respond).answer(kit.message("답", [kit.section("답")]))
    assert (len(slack.said), api.told("chat.postMessage")) == (1, [])


@pytest.mark.parametrize(
    "odd",
    [
        {"body": '{"ok":false,"error":"expired_url"}'},
        {"body": '{"ok":false,"error":"channel_is_archived"}'},
        {"body": "<html><body>502 Bad Gateway</body></html>"},
        {"body": '{"ok":tr'},
        {"body": "o", "breaks_off": True},
        {"drops": 99},
    ],
    ids=str,
)  # fmt: skip
async def test_an_answer_that_was_not_shown_arrives_as_a_direct_message(
    odd: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal in a 200, a page of a gateway, a line that breaks again and again: whoever asked is answered."""
    monkeypatch.setattr("handlers.visit._PATIENCE_SECONDS", (0.0, 0.0))
    slack, api = ResponseUrl(), FakeSlack()
    for name, value in odd.items():
        setattr(slack, name, value)
    async with slack.responding() as respond:
        await a_visit(FakeBot(), api, respond=respond).answer(kit.message("답", [kit.section("답")]))
    [direct] = api.told("chat.postMessage")
    assert (direct["channel"], direct["text"]) == (JIHOON, "답")
    assert len(slack.said) <= 2, "each of them may have been shown"


async def test_what_reached_no_channel_is_not_told_as_shared() -> None:
    """Neither we nor the address of the click may speak there: whoever pressed Share is not told that it is shared."""
    slack, api = ResponseUrl(), FakeSlack()
    slack.body = '{"ok":false,"error":"channel_is_archived"}'
    api.refuses["chat.postMessage"] = "not_in_channel"
    async with slack.responding() as respond:
        with pytest.raises(SlackApiError):
            await status.share(a_visit(FakeBot(), api, respond=respond), "workspace//last_7_days/1")
    assert [said["response_type"] for said in slack.said] == ["in_channel"]


@given(st.dictionaries(st.text(), st.text()).filter(lambda form: "payload" not in form))
def test_a_form_is_unpacked_as_bolt_would(form: dict[str, str]) -> None:
    """Whatever somebody types behind a command arrives as they typed it."""
    text = urlencode(form, errors="replace")
    kind = "application/x-www-form-urlencoded"
    if not text.startswith("{"):
        assert unpacked(text, kind) == parse_body(text, kind)


@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_click_is_unpacked_as_bolt_would(is_ascii: bool) -> None:
    """A click carries the whole message it was made on, in any language, percent signs and all."""
    payload = {"type": "block_actions", "message": {"text": "지난 7일 비용 +12.5% & 사용량 = 3 🎉 é\\u0000"}}
    text = urlencode({"payload": json.dumps(payload, ensure_ascii=is_ascii)})
    kind = "application/x-www-form-urlencoded"
    assert unpacked(text, kind) == parse_body(text, kind) == payload


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "application/json"), ('{"type": "url_verification"}', "application/json"), ("a=%zz&a=2&b&=c&%ff", "")],
)
def test_odd_bodies_are_unpacked_as_bolt_would(text: str, kind: str) -> None:
    """Nothing, an event, and a form that nobody wrote properly."""
    assert unpacked(text, kind) == parse_body(text, kind)
