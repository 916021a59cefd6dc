"""Through Bolt itself: everything is acknowledged at once, heard once, and answered by the dictionary behind it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from blocks import ids
from bot.errors import Refusal, RefusalCode
from handlers import Work, register
from tests.unit.listening import JIHOON, FakeBot

TEAM = {"id": "T0FINOPS01", "domain": "hanbit"}
USER = {"id": JIHOON, "team_id": TEAM["id"]}
# No address at all: where nobody listens, the client would ask again after a second.
NOWHERE = "http:///respond"


class House:
    """Bolt with our listeners, a bot that knows little, and a Slack that hears nothing."""

    def __init__(self) -> None:
        async def authorize(**_: Any) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None,
                team_id=TEAM["id"],
                team="한빛소프트",
                bot_token="xoxb-none",
                bot_user_id="UB",
                bot_id="BB",
            )

        self.slack = AsyncApp(
            name="finops",  # without one, it is looked for among all callers, which takes as long as the test
            # Nobody listens there, and asking again after a second, as the client would, finds nobody either.
            client=AsyncWebClient(base_url="http://127.0.0.1:9/", retry_handlers=[]),
            signing_secret="unused",
            authorize=authorize,
        )
        self.bot = FakeBot()
        self.work: Work = register(self.slack, self.bot)  # type: ignore[arg-type]

    async def hears(self, body: dict[str, Any]) -> tuple[BoltResponse, float]:
        """Deliver a payload; the answer, and the seconds until it came."""
        started = time.perf_counter()
        answer = await self.slack.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        return answer, time.perf_counter() - started


@pytest.fixture
async def house() -> Any:
    running = House()
    yield running
    await running.work.drain(5)


def a_command(text: str) -> dict[str, Any]:
    return {
        "command": "/finops", "text": text, "team_id": TEAM["id"], "team_domain": "hanbit", "user_id": JIHOON,
        "channel_id": "C0MARKET01", "trigger_id": "1.2.3", "response_url": NOWHERE,
        "is_enterprise_install": "false",
    }  # fmt: skip


def a_click(action_id: str, value: str = "", ts: str = "1783299600.1") -> dict[str, Any]:
    action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": ts}
    return {
        "type": "block_actions", "team": TEAM, "user": USER, "trigger_id": "1.2.3", "actions": [action],
        "channel": {"id": "C0MARKET01"}, "container": {"type": "message", "is_ephemeral": True},
        "response_url": NOWHERE,
    }  # fmt: skip


def an_event(event: dict[str, Any], event_id: str = "Ev1") -> dict[str, Any]:
    inner = {"user": JIHOON, "channel": "D0JIHOON01", **event}
    return {"type": "event_callback", "team_id": TEAM["id"], "event_id": event_id, "event": inner}


async def test_bolt_tries_no_listener(house: House) -> None:
    """For each one it tries, Bolt prepares every argument there could be: more than all the rest costs."""
    assert house.slack._async_listeners == []


async def test_what_we_never_ask_slack_for_is_left_to_bolt(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A shortcut of somebody's own manifest is answered 404, and the log says why."""
    answer, _ = await house.hears({"type": "shortcut", "callback_id": "mine", "team": TEAM, "user": USER})
    assert answer.status == 404
    assert "Unhandled request" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        a_command("status"),
        a_command(""),
        a_click(ids.STATUS_REFRESH, "workspace//last_7_days"),
        a_click(ids.LINK + "admin_keys"),
        a_click("nobody.knows"),
        an_event({"type": "app_home_opened", "tab": "messages"}),
        an_event({"type": "tokens_revoked", "tokens": {"bot": ["UB"]}}),
    ],
)
async def test_everything_is_acknowledged_before_any_work(house: House, body: dict[str, Any]) -> None:
    """Even a button of an old message that nobody answers any more: no warning sign appears beside it."""
    stuck = asyncio.Event()

    async def hang(*_: Any) -> Any:
        await stuck.wait()

    house.bot.people.known = hang
    answer, seconds = await house.hears(body)
    stuck.set()
    assert answer.status == 200
    assert seconds < 1


async def test_a_listener_that_breaks_is_acknowledged_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bolt would answer 404 after three seconds; the person would see a failure."""

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(handlers.ACTIONS, ids.HELP_SHOW, broken)
    answer, seconds = await house.hears(a_click(ids.HELP_SHOW))
    assert answer.status == 200
    assert seconds < 1


async def test_a_form_with_a_mistake_is_answered_in_the_acknowledgement(house: House) -> None:
    """Errors belong to the answer itself."""

    async def submitted(form: Any) -> Any:
        return handlers.submitting.Problem({ids.TEAM_NAME: form.text(ids.TEAM_NAME)}, {})

    view = {
        "id": "V1", "type": "modal", "callback_id": "test.form", "private_metadata": "{}",
        "state": {"values": {ids.TEAM_NAME: {ids.TEAM_NAME: {"value": "마케팅팀"}}}},
    }  # fmt: skip
    handlers.VIEWS["test.form"] = submitted
    try:
        answer, _ = await house.hears({"type": "view_submission", "team": TEAM, "user": USER, "view": view})
    finally:
        del handlers.VIEWS["test.form"]
    assert json.loads(answer.body) == {"response_action": "errors", "errors": {ids.TEAM_NAME: "마케팅팀"}}
    closed, _ = await house.hears(
        {"type": "view_submission", "team": TEAM, "user": USER, "view": view | {"callback_id": "info"}}
    )
    assert (closed.status, closed.body) == (200, "")


async def test_a_menu_is_answered_with_entries_and_empty_when_something_breaks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A menu can show no sentence; it shows nothing rather than an error of Slack's."""
    option = {"text": {"type": "plain_text", "text": "chatbot"}, "value": "proj_1"}
    body = {
        "type": "block_suggestion", "team": TEAM, "user": USER, "action_id": ids.PROJECTS, "block_id": ids.PROJECTS,
        "value": "chat", "container": {"type": "view", "view_id": "V1"}, "view": {"type": "modal", "id": "V1"},
    }  # fmt: skip

    async def found(_: Any, words: str) -> Any:
        return [option] if words == "chat" else []

    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(handlers.OPTIONS, ids.PROJECTS, found)
    answer, _ = await house.hears(body)
    assert json.loads(answer.body) == {"options": [option]}
    monkeypatch.setitem(handlers.OPTIONS, ids.PROJECTS, broken)
    answer, _ = await house.hears(body)
    assert json.loads(answer.body) == {"options": []}


async def test_an_event_that_slack_delivers_again_acts_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack retries three times whenever it is unsure; people hear us once."""
    heard: list[str] = []

    async def hear(_: Any, event: Any) -> None:
        heard.append(event["text"])

    monkeypatch.setitem(handlers.EVENTS, "message", hear)
    for event_id in ("Ev1", "Ev1", "Ev2"):
        event = {"type": "message", "channel_type": "im", "text": event_id, "ts": "1.2"}
        await house.hears(an_event(event, event_id))
    await house.work.drain(5)
    assert heard == ["Ev1", "Ev2"]


async def test_a_mention_that_is_edited_is_answered_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack tells of the edited message as of a new one: a second poll would stand in the channel."""
    heard: list[str] = []

    async def hear(_: Any, event: Any) -> None:
        heard.append(event["text"])

    monkeypatch.setitem(handlers.EVENTS, "app_mention", hear)
    told = {"type": "app_mention", "channel": "C0MARKET01", "ts": "1783299600.000100"}
    again = {"edited": {"user": JIHOON, "ts": "1783299700.000000"}, "text": "first, spelt right"}
    await house.hears(an_event({**told, "text": "first"}, "Ev1"))
    await house.hears(an_event({**told, **again}, "Ev2"))
    await house.hears(an_event({**told, **again, "text": "named us only then", "ts": "1783299600.000200"}, "Ev3"))
    await house.work.drain(5)
    assert heard == ["first", "named us only then"]


async def test_word_of_our_own_messages_costs_nothing(house: House) -> None:
    """Slack tells of every message in a direct conversation, of ours and of each edit: nothing is kept of it."""
    told = [
        {"type": "message", "channel_type": "im", "subtype": "message_changed", "user": None},
        {"type": "message", "channel_type": "im", "text": "status", "user": "UB", "bot_id": "BB"},
    ]
    for number, event in enumerate(told):
        answer, _ = await house.hears(an_event(event, f"Ev{number}"))
        assert answer.status == 200
        assert house.work.count == 0
    assert house.bot.claimed == set()


async def test_two_clicks_on_share_share_once_and_a_new_report_can_be_shared_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others see happens once for each report, however often and on whichever replica it is clicked."""
    shared: list[str] = []

    async def share(_: Any, value: str) -> None:
        shared.append(value)

    monkeypatch.setitem(handlers.ACTIONS, ids.STATUS_SHARE, share)
    for number, mark in enumerate(("1", "1", "2")):
        await house.hears(a_click(ids.STATUS_SHARE, f"workspace//today/{mark}", ts=f"1783299600.{number}"))
    await house.work.drain(5)
    assert shared == ["workspace//today/1", "workspace//today/2"]


async def test_a_share_that_came_to_nothing_can_be_pressed_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was told that it failed pressed a button that did nothing any more, and said nothing."""
    tried: list[str] = []

    async def share(_: Any, value: str) -> None:
        tried.append(value)
        if len(tried) == 1:
            raise Refusal(RefusalCode.UNKNOWN_TEAM)

    monkeypatch.setitem(handlers.ACTIONS, ids.STATUS_SHARE, share)
    for number in range(3):
        await house.hears(a_click(ids.STATUS_SHARE, "workspace//today/1", ts=f"1783299600.{number}"))
        await house.work.drain(5)
    assert tried == ["workspace//today/1"] * 2
