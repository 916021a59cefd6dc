"""A real Bolt app against the simulated Slack, over HTTP and over Socket Mode: the fake is a verified one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from demo.slack import SimulatedSlack
from demo.slack.cast import BOT, EMMA, FINOPS, JIHOON, MINSU, SAKURA
from demo.slack.delivery import signed
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
    over_socket,
    plain,
    plain_app,
)

JSON = dict[str, Any]
Mode = Callable[[SimulatedSlack, AsyncApp], AbstractAsyncContextManager[None]]
BOTH = pytest.mark.parametrize("over", [over_http, over_socket], ids=["http", "socket"])


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(config=a_config()) as started:
        yield started


@pytest.fixture
def app(slack: SimulatedSlack) -> AsyncApp:
    return bolt_for(slack)


def test_our_signature_is_slacks() -> None:
    """The vector Slack documents."""
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signed("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, body) == expected


@BOTH
async def test_a_command_opens_a_modal_and_answers_through_the_response_url(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    heard: list[JSON] = []

    @app.command("/finops")
    async def listen(ack: Any, command: JSON, client: Any, respond: Any) -> None:
        await ack()
        heard.append(command)
        view = modal(entry("name", {"type": "plain_text_input"}), private_metadata=command["channel_id"])
        await client.views_open(trigger_id=command["trigger_id"], view=view)
        await respond("열었습니다")

    minsu = slack.person(MINSU)
    async with over(slack, app):
        typed = "/finops setup R&D <1> @서연 #finops https://x.example/?a=1&b=2"
        assert await minsu.command(typed, FINOPS) == {"ok": True}
        await slack.next("response_url")
    link = "<https://x.example/?a=1&amp;b=2>"
    assert heard[0]["text"] == f"setup R&amp;D &lt;1&gt; @서연 <#{FINOPS}|finops> {link}"
    assert (heard[0]["channel_name"], heard[0]["user_id"], heard[0]["is_enterprise_install"]) == (
        "finops",
        MINSU,
        "false",
    )
    assert minsu.view is not None
    assert minsu.view["private_metadata"] == FINOPS
    assert [each["text"] for each in minsu.ephemerals(FINOPS)] == ["열었습니다"]
    assert slack.person(EMMA).view is None
    assert slack.complaints == []


@BOTH
async def test_an_answer_inside_the_acknowledgement_is_shown_to_the_person(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    @app.command("/finops")
    async def listen(ack: Any, command: JSON) -> None:
        if command["text"] == "all":
            await ack(text="모두에게", response_type="in_channel")
        elif command["text"] == "bad":
            await ack(text="a", blocks=[{"type": "nonsense"}])
        else:
            await ack("너에게만")

    minsu = slack.person(MINSU)
    async with over(slack, app):
        told = await minsu.command("/finops", FINOPS)
        assert told["response"]["text"] == "너에게만"
        await minsu.command("/finops all", FINOPS)
        refused = await minsu.command("/finops bad", FINOPS)
    assert [each["text"] for each in slack.messages(FINOPS)] == ["모두에게"]
    assert refused["error"] == "invalid_blocks"
    assert "/blocks/0/type" in slack.complaints[0].detail


@BOTH
async def test_a_button_edits_the_message_it_stands_in(slack: SimulatedSlack, app: AsyncApp, over: Mode) -> None:
    heard: list[JSON] = []

    @app.action("approve")
    async def listen(ack: Any, body: JSON, respond: Any) -> None:
        await ack()
        heard.append(body)
        await respond(text="승인됨", replace_original=True)

    header = {"type": "header", "text": plain("A & B <배치>")}
    blocks = [header, actions(button("approve", "7", confirm=_confirm()), button("approve-not", "8"))]
    await client_of(slack).chat_postMessage(channel=FINOPS, text="승인할까요?", blocks=blocks)
    posted = await slack.next("chat.postMessage")
    async with over(slack, app):
        assert await slack.person(JIHOON).clicks(posted, "approve") == {"ok": True, "sent": True}
        await slack.next("response_url")
    (message,) = slack.messages(FINOPS)
    assert (message["text"], "blocks" in message) == ("승인됨", False)
    (body,) = heard
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": FINOPS,
        "is_ephemeral": False,
    }
    assert (body["actions"][0]["value"], body["actions"][0]["block_id"], body["user"]["id"]) == ("7", "acts", JIHOON)
    assert body["message"]["text"] == "승인할까요?"
    assert body["message"]["blocks"][0]["text"]["text"] == "A &amp; B &lt;배치&gt;"
    assert body["state"] == {"values": {}}


async def test_a_window_of_somebody_elsewhere_says_where_they_are_at_home(slack: SimulatedSlack, app: AsyncApp) -> None:
    """Over Slack Connect: a click in our channel names our workspace, a window theirs, and where we are installed."""
    heard: list[JSON] = []

    @app.action("open")
    async def show(ack: Any, body: JSON, client: Any) -> None:
        await ack()
        heard.append(body)
        await client.views_open(trigger_id=body["trigger_id"], view=modal({"type": "divider"}, callback_id="v"))

    @app.view("v")
    async def sent(ack: Any, body: JSON) -> None:
        await ack()
        heard.append(body)

    slack.describe(MINSU, team_id="T0ELSEWHER", enterprise_id="E0ELSEWHER")
    minsu = slack.person(MINSU)
    await client_of(slack).chat_postMessage(channel=FINOPS, text="a", blocks=[actions(button("open"))])
    async with over_socket(slack, app):
        await minsu.clicks(await slack.next("chat.postMessage"), "open")
        await slack.next("views.open")
        await minsu.submits()
    clicked, submitted = heard
    ours = slack.world.team_id
    assert (clicked["team"]["id"], clicked["user"]["team_id"], clicked["enterprise"]) == (ours, "T0ELSEWHER", None)
    assert (submitted["team"]["id"], submitted["enterprise"]["id"]) == ("T0ELSEWHER", "E0ELSEWHER")
    assert submitted["view"]["app_installed_team_id"] == ours
    theirs = (await client_of(slack).users_info(user=MINSU)).data["user"]["enterprise_user"]
    assert (theirs["enterprise_id"], theirs["teams"]) == ("E0ELSEWHER", ["T0ELSEWHER"])


@BOTH
async def test_an_ephemeral_message_changes_and_goes_only_through_its_response_url(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    @app.action("next")
    async def replace(ack: Any, body: JSON, respond: Any) -> None:
        await ack()
        assert body["container"]["is_ephemeral"] is True
        assert "message" not in body
        await respond(text="둘째", replace_original=True, blocks=[actions(button("gone"))])

    @app.action("gone")
    async def remove(ack: Any, respond: Any) -> None:
        await ack()
        await respond(delete_original=True)

    minsu = slack.person(MINSU)
    await client_of(slack).chat_postEphemeral(channel=FINOPS, user=MINSU, text="첫째", blocks=[actions(button("next"))])
    async with over(slack, app):
        await minsu.clicks(minsu.ephemerals(FINOPS)[0], "next")
        await slack.next("response_url")
        (whisper,) = minsu.ephemerals(FINOPS)
        assert whisper["text"] == "둘째"
        await minsu.clicks(whisper, "gone")
        await slack.next("response_url")
    assert minsu.ephemerals(FINOPS) == []
    assert slack.messages(FINOPS) == []


@BOTH
async def test_every_input_arrives_in_its_own_shape(slack: SimulatedSlack, app: AsyncApp, over: Mode) -> None:
    choices = [{"text": plain("하나"), "value": "1"}, {"text": plain("둘"), "value": "2"}]
    given: list[tuple[str, JSON, Any, Any]] = [
        ("text", {"type": "plain_text_input"}, "마케팅", {"value": "마케팅"}),
        ("mail", {"type": "email_text_input"}, "a@b.example", {"value": "a@b.example"}),
        ("link", {"type": "url_text_input"}, "https://a.example", {"value": "https://a.example"}),
        ("count", {"type": "number_input", "is_decimal_allowed": True}, 1.5, {"value": "1.5"}),
        ("one", {"type": "static_select", "options": choices}, "2", {"selected_option": choices[1]}),
        ("many", {"type": "multi_static_select", "options": choices}, ["둘", "1"], {"selected_options": choices[::-1]}),
        ("ticks", {"type": "checkboxes", "options": choices}, ["1"], {"selected_options": choices[:1]}),
        ("radio", {"type": "radio_buttons", "options": choices}, "1", {"selected_option": choices[0]}),
        ("who", {"type": "users_select"}, MINSU, {"selected_user": MINSU}),
        ("whos", {"type": "multi_users_select"}, [MINSU, EMMA], {"selected_users": [MINSU, EMMA]}),
        ("where", {"type": "conversations_select"}, FINOPS, {"selected_conversation": FINOPS}),
        ("room", {"type": "channels_select"}, FINOPS, {"selected_channel": FINOPS}),
        ("day", {"type": "datepicker"}, "2026-11-21", {"selected_date": "2026-11-21"}),
        ("hour", {"type": "timepicker"}, "09:00", {"selected_time": "09:00"}),
        ("moment", {"type": "datetimepicker"}, 1_795_298_412, {"selected_date_time": 1_795_298_412}),
    ]
    blocks = [entry(name, element) for name, element, _, _ in given]
    stands = {
        "type": "section",
        "block_id": "side",
        "text": plain("옆"),
        "accessory": {**given[4][1], "action_id": "side"},
    }
    heard: list[JSON] = []

    @app.command("/finops")
    async def listen(ack: Any, command: JSON, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=modal(*blocks, stands, callback_id="all"))

    @app.view("all")
    async def submitted(ack: Any, view: JSON) -> None:
        await ack()
        heard.append(view["state"]["values"])

    minsu = slack.person(MINSU)
    async with over(slack, app):
        await minsu.command("/finops")
        await slack.next("views.open")
        assert await minsu.submits(values={name: value for name, _, value, _ in given}) == {"ok": True}
    expected: JSON = {name: {name: {"type": element["type"], **held}} for name, element, _, held in given}
    expected["side"] = {"side": {"type": "static_select", "selected_option": None}}
    assert heard == [expected]
    assert minsu.view is None


@BOTH
async def test_a_submission_is_answered_with_errors_update_push_clear_or_nothing(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    def step(number: int) -> JSON:
        return modal(entry("word", {"type": "plain_text_input"}), callback_id="step", private_metadata=str(number))

    @app.command("/finops")
    async def listen(ack: Any, command: JSON, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=step(1))

    @app.view("step")
    async def submitted(ack: Any, view: JSON) -> None:
        word = view["state"]["values"]["word"]["word"]["value"]
        if word == "errors":
            await ack(response_action="errors", errors={"word": "그 이름은 이미 있습니다"})
        elif word in ("update", "push"):
            await ack(response_action=word, view=step(int(view["private_metadata"]) + 1))
        elif word == "clear":
            await ack(response_action="clear")
        elif word == "wrong":
            await ack(response_action="errors", errors={"nowhere": "?"})
        else:
            await ack()

    minsu = slack.person(MINSU)
    async with over(slack, app):
        await minsu.command("/finops")
        await slack.next("views.open")
        result = await minsu.submits(values={"word": "errors"})
        assert result == {"ok": False, "errors": {"word": "그 이름은 이미 있습니다"}, "by": "app"}
        assert minsu.view is not None
        before = minsu.view
        assert await minsu.submits(values={"word": "update"}) == {"ok": True}
        assert (minsu.view["id"], minsu.view["private_metadata"]) == (before["id"], "2")
        assert minsu.view["hash"] != before["hash"]
        await minsu.submits(values={"word": "push"})
        assert (len(minsu.views), minsu.view["previous_view_id"], minsu.view["root_view_id"]) == (
            2,
            before["id"],
            before["id"],
        )
        await minsu.submits(values={"word": "push"})
        assert len(minsu.views) == 3
        assert (await minsu.submits(values={"word": "push"}))["error"] == "push_limit_reached"
        assert (await minsu.submits(values={"word": "wrong"}))["error"] == "invalid_errors"
        await minsu.submits(values={"word": "close"})
        assert len(minsu.views) == 2
        await minsu.submits(values={"word": "clear"})
        assert minsu.views == []
    assert [each.what for each in slack.complaints] == ["answer to a submission"] * 2


@BOTH
async def test_searching_asks_the_app_and_only_what_it_offered_can_be_chosen(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    element = {"type": "external_select", "min_query_length": 2}

    @app.command("/finops")
    async def listen(ack: Any, command: JSON, client: Any) -> None:
        await ack()
        await client.views_open(
            trigger_id=command["trigger_id"], view=modal(entry("project", element), callback_id="v")
        )

    @app.options("project")
    async def search(ack: Any, payload: JSON) -> None:
        if payload["value"] == "broken":
            await ack(options=[{"text": plain("가" * 76), "value": "1"}])
        else:
            option = {"text": plain(f"{payload['value']} 프로젝트"), "value": f"proj_{payload['value']}"}
            await ack(option_groups=[{"label": plain("프로젝트"), "options": [option]}])

    @app.view("v")
    async def submitted(ack: Any) -> None:
        await ack()

    minsu = slack.person(MINSU)
    async with over(slack, app):
        await minsu.command("/finops")
        opened = await slack.next("views.open")
        assert await minsu.options(opened, "project", "x") == []
        assert [each["value"] for each in await minsu.options(opened, "project", "챗봇")] == ["proj_챗봇"]
        assert await minsu.options(opened, "project", "broken") == []
        made_up = {
            "project": {"type": "external_select", "selected_option": {"text": plain("?"), "value": "proj_made_up"}}
        }
        refused = await minsu.submits(values={"project": made_up})
        assert refused["by"] == "slack"
        assert await minsu.submits(values={"project": "proj_챗봇"}) == {"ok": True}
    assert [each.what for each in slack.complaints] == ["answer to a search"]


@BOTH
async def test_home_is_published_when_it_is_opened(slack: SimulatedSlack, app: AsyncApp, over: Mode) -> None:
    heard: list[JSON] = []

    @app.event("app_home_opened")
    async def opened(event: JSON, client: Any) -> None:
        heard.append(event)
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=home(actions(button("go"))))

    @app.action("go")
    async def pressed(ack: Any, body: JSON, client: Any) -> None:
        await ack()
        assert body["container"]["type"] == "view"
        assert "message" not in body
        await client.views_open(trigger_id=body["trigger_id"], view=modal({"type": "divider"}))

    sakura = slack.person(SAKURA)
    async with over(slack, app):
        await sakura.opens_home()
        await slack.next("views.publish")
        assert sakura.home is not None
        await sakura.clicks(sakura.home, "go")
        await slack.next("views.open")
        await sakura.opens_home()
        await slack.next("views.publish")
        await slack.settled()
    assert ("view" in heard[0], heard[1]["view"]["id"]) == (False, sakura.home["id"])
    assert len(sakura.views) == 1


@BOTH
async def test_mentions_and_direct_messages_reach_the_app(slack: SimulatedSlack, app: AsyncApp, over: Mode) -> None:
    heard: asyncio.Queue[JSON] = asyncio.Queue()

    @app.event("app_mention")
    async def mentioned(event: JSON) -> None:
        await heard.put(event)

    @app.event("message")
    async def told(event: JSON) -> None:
        await heard.put(event)

    minsu = slack.person(MINSU)
    async with over(slack, app):
        await minsu.says(FINOPS, "그냥 하는 말")
        said = await minsu.says(FINOPS, f"<@{BOT}> 안녕")
        first = await asyncio.wait_for(heard.get(), 2)
        minsu.rewords(said, f"<@{BOT}> 안녕하세요")
        edited = await asyncio.wait_for(heard.get(), 2)
        await minsu.says(minsu.dm, "a<b & search.py, ml@x.example, https://x.example/?a=1&b=2 <#C0MARKET01|마케팅팀>")
        second = await asyncio.wait_for(heard.get(), 2)
        await slack.settled()
    assert (first["type"], first["channel"], first["user"]) == ("app_mention", FINOPS, MINSU)
    assert (edited["type"], edited["ts"], edited["edited"]["user"]) == ("app_mention", first["ts"], MINSU)
    assert "edited" not in first
    assert (second["type"], second["channel_type"]) == ("message", "im")
    assert second["text"] == (
        "a&lt;b &amp; <http://search.py|search.py>, <mailto:ml@x.example|ml@x.example>,"
        " <https://x.example/?a=1&amp;b=2> <#C0MARKET01|마케팅팀>"
    )
    assert heard.empty()


@BOTH
async def test_the_app_hears_of_its_own_messages_where_it_hears_of_anybodys(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    """In a direct conversation: posted, edited, taken back. In a channel it hears of none."""

    @app.event("message")
    async def listen() -> None:
        pass

    client, dm = client_of(slack), slack.person(MINSU).dm
    async with over(slack, app):
        posted = (await client.chat_postMessage(channel=dm, text="a")).data
        await client.chat_update(channel=dm, ts=posted["ts"], text="b")
        await client.chat_delete(channel=dm, ts=posted["ts"])
        await client.chat_postMessage(channel=FINOPS, text="a")
        await slack.settled()
    told = [each.payload["event"] for each in slack.deliveries]
    assert [each.get("subtype") for each in told] == [None, "message_changed", "message_deleted"]
    assert (told[0]["bot_id"], told[1]["message"]["text"], told[2]["deleted_ts"]) == ("B0FINOPSBT", "b", posted["ts"])
    assert all(each.ok for each in slack.deliveries if each.payload["event"].get("bot_id")), "Bolt passes over it"


@BOTH
async def test_closing_is_told_only_to_an_app_that_asked(slack: SimulatedSlack, app: AsyncApp, over: Mode) -> None:
    heard: asyncio.Queue[JSON] = asyncio.Queue()

    @app.command("/finops")
    async def listen(ack: Any, command: JSON, client: Any) -> None:
        await ack()
        more = {"notify_on_close": True} if command["text"] else {}
        await client.views_open(
            trigger_id=command["trigger_id"], view=modal({"type": "divider"}, callback_id="v", **more)
        )

    @app.view_closed("v")
    async def closed(ack: Any, body: JSON) -> None:
        await ack()
        await heard.put(body)

    minsu = slack.person(MINSU)
    async with over(slack, app):
        for text in ("", " notify"):
            await minsu.command(f"/finops{text}")
            await slack.next("views.open")
            minsu.closes()
        body = await asyncio.wait_for(heard.get(), 2)
        await slack.settled()
    assert (body["type"], body["is_cleared"], heard.empty()) == ("view_closed", False, True)


@BOTH
async def test_what_nobody_listens_to_is_an_error_the_person_reads(
    slack: SimulatedSlack, app: AsyncApp, over: Mode
) -> None:
    slack.config.ack_seconds = 0.2
    async with over(slack, app):
        told = await slack.person(MINSU).command("/finops", FINOPS)
        unknown = await slack.person(EMMA).command("/nothing", FINOPS)
    assert told["ok"] is False
    assert "/finops" in told["message"]
    assert unknown == {"ok": False, "error": "unknown_command", "message": "/nothing is not a valid command."}


async def test_without_an_app_the_person_reads_that_it_cannot_be_reached(slack: SimulatedSlack) -> None:
    assert (await slack.person(EMMA).command("/finops", FINOPS))["error"] == "dispatch_failed"
    slack.deliver_to("http://127.0.0.1:9/slack/events")
    assert (await slack.person(EMMA).command("/finops", FINOPS))["error"] == "dispatch_failed"


async def test_an_app_that_does_not_answer_in_time_shows_slacks_own_words(slack: SimulatedSlack) -> None:
    slack.config.ack_seconds = 0.05
    never = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with plain_app(slack, hang):
        told = await slack.person(MINSU).command("/finops", FINOPS)
        never.set()
    assert told["error"] == "operation_timeout"
    assert told["message"].startswith("앱이 응답하지 않았습니다")
    assert slack.deliveries[-1].error == "operation_timeout"


async def test_forged_stale_and_unsigned_requests_are_refused_by_bolt(slack: SimulatedSlack, app: AsyncApp) -> None:
    @app.command("/finops")
    async def listen(ack: Any) -> None:
        await ack()

    async with over_http(slack, app):
        assert await slack.verify_url()
        assert [await slack.forge(how) for how in ("signature", "stale", "unsigned")] == [401, 401, 401]


async def test_sockets_come_back_when_slack_asks_them_to(slack: SimulatedSlack, app: AsyncApp) -> None:
    @app.command("/finops")
    async def listen(ack: Any) -> None:
        await ack("여기")

    async with over_socket(slack, app):
        first = await slack.next("apps.connections.open")
        await slack.hub.socket.disconnect()
        second = await slack.next("apps.connections.open")
        await slack.connected()
        assert first.response["url"] != second.response["url"]
        assert (await slack.person(MINSU).command("/finops", FINOPS))["ok"] is True


def _confirm() -> JSON:
    return {
        "title": plain("정말요?"),
        "text": plain("되돌릴 수 없습니다"),
        "confirm": plain("네"),
        "deny": plain("아니요"),
    }
