"""Rate limits, injected faults, event retries, Socket Mode's manners and OAuth of the simulated Slack."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import ApiError, AppConfig, SimulatedSlack
from demo.slack.cast import BOT, EMMA, FINOPS, GENERAL, JIHOON, MARKETING, MINSU, SEOYEON
from tests.simulators.slack_kit import a_config, client_of, plain_app, refusal

JSON = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(config=a_config()) as started:
        yield started


# -- rate limits


async def test_a_channel_takes_a_burst_and_then_one_message_a_second() -> None:
    now = [1000.0]
    async with SimulatedSlack(config=a_config(post_burst=2, monotonic=lambda: now[0])) as slack:
        client = client_of(slack)
        for _ in range(2):
            await client.chat_postMessage(channel=FINOPS, text="a")
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.config.bot_token}"}) as session:
            body = {"channel": FINOPS, "text": "a"}
            async with session.post(slack.api_url + "chat.postMessage", json=body) as response:
                assert (response.status, response.headers["Retry-After"]) == (429, "1")
                assert await response.json() == {"ok": False, "error": "ratelimited"}
        await client.chat_postMessage(channel=MARKETING, text="another channel is free")
        now[0] += 1
        await client.chat_postMessage(channel=FINOPS, text="a")
        assert (await refusal(client.chat_postMessage(channel=FINOPS, text="a")))["error"] == "ratelimited"


async def test_tiers_hold_for_each_method_on_its_own() -> None:
    now = [0.0]
    async with SimulatedSlack(config=a_config(monotonic=lambda: now[0])) as slack:
        client = client_of(slack)
        for _ in range(20):
            await client.users_list()
        assert (await refusal(client.users_list()))["error"] == "ratelimited"
        await client.users_info(user=MINSU)
        now[0] += 3.0
        await client.users_list()


async def test_limits_can_be_switched_off() -> None:
    async with SimulatedSlack(config=a_config(rate_limits=False)) as slack:
        for _ in range(25):
            await client_of(slack).users_list()
        assert [call.status for call in slack.calls] == [200] * 25


# -- faults


async def test_the_sdk_waits_as_long_as_it_is_told_and_posts_once(slack: SimulatedSlack) -> None:
    slack.fail("chat.postMessage", error="ratelimited", retry_after=0)
    client = client_of(slack)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    handler = client.retry_handlers[-1]
    handler.interval_calculator.calculate_sleep_duration = lambda attempt: 0.0  # type: ignore[attr-defined]
    await client.chat_postMessage(channel=FINOPS, text="a")
    assert [each.status for each in slack.calls] == [429, 200]
    assert len(slack.messages(FINOPS)) == 1


async def test_faults_come_over_http_and_are_used_up(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    async with aiohttp.ClientSession() as session:

        async def add(**fault: Any) -> int:
            async with session.post(f"{slack.url}/_sim/slack/faults", json=fault) as response:
                return response.status

        assert await add(method="users.info", error="internal_error", times=2) == 200
        assert await add(method="users.info", error="503") == 200
        assert await add(method="*", error="fatal_error", where={"channel": GENERAL}) == 200
        assert await add(error="no method") == 400
        async with session.get(f"{slack.url}/_sim/slack/faults") as response:
            assert len((await response.json())["faults"]) == 3
        for _ in range(2):
            assert (await refusal(client.users_info(user=MINSU)))["error"] == "internal_error"
        async with session.get(f"{slack.api_url}users.info", params={"user": MINSU}) as response:
            assert response.status == 503
        await client.chat_postMessage(channel=FINOPS, text="a")
        assert (await refusal(client.chat_postMessage(channel=GENERAL, text="a")))["error"] == "fatal_error"
        async with session.get(f"{slack.url}/_sim/slack/calls", params={"method": "chat.postMessage"}) as response:
            told = (await response.json())["calls"]
        assert [(each["args"]["text"], each["ok"]) for each in told] == [("a", True), ("a", False)]
        assert slack.config.bot_token not in json.dumps(told)
        async with session.post(f"{slack.url}/_sim/slack/reset") as response:
            assert (await response.json())["ok"] is True
    assert slack.calls == []


async def test_a_dropped_connection_may_come_before_or_after_slack_did_it(slack: SimulatedSlack) -> None:
    """The default retry of slack_sdk posts twice when the answer is lost: the trap the product has to avoid."""
    slack.fail("chat.postMessage", drop_connection="before")
    with pytest.raises(aiohttp.ClientError):
        await client_of(slack).chat_postMessage(channel=FINOPS, text="a")
    assert slack.messages(FINOPS) == []
    slack.fail("chat.postMessage", drop_connection="after")
    careless = AsyncWebClient(token=slack.config.bot_token, base_url=slack.api_url)
    await careless.chat_postMessage(channel=FINOPS, text="a")
    assert len(slack.messages(FINOPS)) == 2


@pytest.mark.parametrize("kind", ["html", "plain", "truncated", "cut_off"])
async def test_an_answer_may_be_none_though_slack_did_it(slack: SimulatedSlack, kind: str) -> None:
    """A gateway's page, its plain words (Slack's library breaks on them), half an answer that looks whole, a line that
    breaks in the middle."""
    slack.fail("chat.postMessage", answer=kind)
    with pytest.raises((SlackApiError, aiohttp.ClientError, AttributeError)):
        await client_of(slack).chat_postMessage(channel=FINOPS, text="a")
    assert [message["text"] for message in slack.messages(FINOPS)] == ["a"]
    with pytest.raises(ApiError):
        slack.fail("chat.postMessage", answer="poetry")


async def test_a_slow_answer_is_slow(slack: SimulatedSlack) -> None:
    slack.fail("auth.test", delay_seconds=0.3)
    client = AsyncWebClient(token=slack.config.bot_token, base_url=slack.api_url, timeout=0.05, retry_handlers=[])  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        await client.auth_test()


# -- events


async def test_an_event_is_retried_three_times_with_slacks_headers(slack: SimulatedSlack) -> None:
    heard: list[tuple[str | None, str | None, str]] = []

    async def fail(request: web.Request) -> web.Response:
        body = await request.json()
        headers = request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")
        heard.append((*headers, body["event_id"]))
        return web.Response(status=500)

    async with plain_app(slack, fail):
        await slack.person(MINSU).opens_home()
        await slack.settled()
    assert [each[:2] for each in heard] == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_error"),
        ("3", "http_error"),
    ]
    assert len({each[2] for each in heard}) == 1


async def test_no_retry_is_honoured_and_success_ends_it(slack: SimulatedSlack) -> None:
    answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"}), web.Response(status=500), web.Response()]
    heard = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal heard
        heard += 1
        return answers[heard - 1]

    async with plain_app(slack, answer):
        await slack.person(MINSU).opens_home()
        await slack.settled()
        assert heard == 1
        await slack.person(MINSU).opens_home()
        await slack.settled()
    assert heard == 3
    assert [each.retry_num for each in slack.deliveries] == [0, 0, 1]


async def test_an_event_nobody_subscribed_to_or_may_read_is_not_sent() -> None:
    app = AppConfig(scopes=("chat:write",), events=("message.im", "app_home_opened"))
    async with SimulatedSlack(config=a_config(app=app)) as slack:
        minsu = slack.person(MINSU)
        await minsu.says(minsu.dm, "안녕")
        await minsu.says(FINOPS, f"<@{BOT}> 안녕")
        await slack.settled()
        assert slack.deliveries == []


async def test_joining_and_inviting_are_told(slack: SimulatedSlack) -> None:
    heard: list[JSON] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append((await request.json())["event"])
        return web.Response()

    async with plain_app(slack, listen):
        slack.person(JIHOON).invites_app(GENERAL)
        slack.person(SEOYEON).joins(MARKETING)
        await slack.settled()
        again = await slack.redeliver(2, "http_timeout")
    joined = sorted((each["user"], each["channel"]) for each in heard)
    assert (BOT, GENERAL) in joined
    assert (SEOYEON, MARKETING) in joined
    assert (again.ok, again.retry_num) == (True, 2)


# -- sockets


async def test_each_payload_goes_to_one_of_several_sockets_and_an_answer_is_read_only_where_allowed(
    slack: SimulatedSlack,
) -> None:
    heard: list[tuple[int, JSON]] = []
    client = AsyncWebClient(token=slack.config.app_token, base_url=slack.api_url)

    async def listen(number: int, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            envelope = json.loads(message.data)
            heard.append((number, envelope))
            if "envelope_id" in envelope:
                await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": f"{number}"}})

    async with aiohttp.ClientSession() as session:
        sockets, listeners = [], []
        for number in range(2):
            address = (await client.apps_connections_open(app_token=slack.config.app_token)).data["url"]
            sockets.append(await session.ws_connect(address))
            listeners.append(asyncio.create_task(listen(number, sockets[-1])))
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(address)
        await slack.connected(2)
        minsu = slack.person(MINSU)
        answers = [(await minsu.command("/finops", FINOPS))["response"]["text"] for _ in range(2)]
        await minsu.opens_home()
        await slack.settled()
        for socket in sockets:
            await socket.close()
        await asyncio.gather(*listeners)
    assert sorted(answers) == ["0", "1"]
    kinds = [(each["type"], each.get("accepts_response_payload")) for _, each in heard]
    assert kinds[:2] == [("hello", None)] * 2
    assert kinds[2:] == [("slash_commands", True)] * 2 + [("events_api", False)]
    assert slack.deliveries[-1].answer is None


async def test_an_eleventh_socket_is_sent_away(slack: SimulatedSlack) -> None:
    async with aiohttp.ClientSession() as session:
        open_sockets = [await session.ws_connect(slack.hub.socket.ticket()) for _ in range(11)]
        hello = await open_sockets[9].receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 10)
        assert (await open_sockets[10].receive_json())["reason"] == "too_many_websockets"
        for socket in open_sockets:
            await socket.close()


# -- OAuth

REDIRECT = "https://bot.example/slack/oauth_redirect"
SDK_WARNS = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk 3.47


def oauth_config(**more: Any) -> Any:
    return a_config(app=AppConfig(redirect_urls=(REDIRECT,), **more))


def the_link(slack: SimulatedSlack, **more: str) -> str:
    asked = {
        "client_id": slack.config.client_id,
        "scope": "chat:write,commands",
        "state": "s1",
        "redirect_uri": REDIRECT,
        **more,
    }
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{slack.url}/oauth/v2/authorize?{query}"


@SDK_WARNS
async def test_installing_gives_a_code_that_is_exchanged_once() -> None:
    async with SimulatedSlack(config=oauth_config()) as slack:
        went = parse_qs(urlsplit(slack.authorise(the_link(slack), JIHOON)).query)
        assert went["state"] == ["s1"]
        client = AsyncWebClient(base_url=slack.api_url)
        keys = {"client_id": slack.config.client_id, "client_secret": slack.config.client_secret}
        code = {"code": went["code"][0], "redirect_uri": REDIRECT}
        wrong = await refusal(client.oauth_v2_access(**{**keys, "client_secret": "x"}, **code))
        assert wrong["error"] == "bad_client_secret"
        for elsewhere in (None, "https://bot.example/elsewhere"):
            wrong = await refusal(client.oauth_v2_access(**keys, **{**code, "redirect_uri": elsewhere}))
            assert wrong["error"] == "bad_redirect_uri"
        told = (await client.oauth_v2_access(**keys, **code)).data
        assert (told["scope"], told["authed_user"]["id"], told["team"]["id"]) == (
            "chat:write,commands",
            JIHOON,
            "T0FINOPS01",
        )
        assert (await client_of(slack, told["access_token"]).auth_test()).data["user_id"] == BOT
        assert (await refusal(client.oauth_v2_access(**keys, **code)))["error"] == "invalid_code"
        assert (await refusal(client.oauth_v2_access(**keys, code="x")))["error"] == "invalid_code"


@SDK_WARNS
async def test_a_rotating_token_expires_and_its_refresh_token_works_once() -> None:
    now = [datetime(2026, 11, 21, tzinfo=UTC)]
    async with SimulatedSlack(lambda: now[0], oauth_config(token_rotation=True)) as slack:
        client = AsyncWebClient(base_url=slack.api_url)
        keys = {"client_id": slack.config.client_id, "client_secret": slack.config.client_secret}
        code = parse_qs(urlsplit(slack.authorise(the_link(slack), JIHOON)).query)["code"][0]
        first = (await client.oauth_v2_access(**keys, code=code, redirect_uri=REDIRECT)).data
        assert (first["access_token"][:10], first["expires_in"]) == ("xoxe.xoxb-", 43_200)
        now[0] += timedelta(hours=12)
        assert (await refusal(client_of(slack, first["access_token"]).auth_test()))["error"] == "token_expired"
        again = {**keys, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        second = (await client.oauth_v2_access(**again)).data
        assert (await client_of(slack, second["access_token"]).auth_test()).data["ok"] is True
        assert (await refusal(client.oauth_v2_access(**again)))["error"] == "invalid_refresh_token"


async def test_the_authorize_page_asks_a_person_and_refuses_strange_links() -> None:
    async with SimulatedSlack(config=oauth_config()) as slack, aiohttp.ClientSession() as session:
        async with session.get(the_link(slack)) as response:
            page = await response.text()
        assert "이지훈" in page
        assert "chat:write" in page
        form = {"user": EMMA, "answer": "allow"}
        async with session.post(the_link(slack), data=form, allow_redirects=False) as response:
            assert response.status == 302
            assert "code=" in response.headers["Location"]
        async with session.post(the_link(slack), data={"answer": "deny"}, allow_redirects=False) as response:
            assert "error=access_denied" in response.headers["Location"]
        strange = [
            {"redirect_uri": each} for each in ("https://evil.example/", f"{REDIRECT}.evil.example/", "ftp://a/")
        ]
        for more in ({"client_id": "x"}, {"scope": ""}, *strange):
            async with session.get(the_link(slack, **more)) as response:
                assert response.status == 400


async def test_uninstalling_kills_the_tokens_and_is_told(slack: SimulatedSlack) -> None:
    heard: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append((await request.json())["event"]["type"])
        return web.Response()

    keys = {"client_id": slack.config.client_id, "client_secret": slack.config.client_secret}
    async with plain_app(slack, listen):
        await client_of(slack).apps_uninstall(**keys)
        await slack.settled()
    assert sorted(heard) == ["app_uninstalled", "tokens_revoked"]
    assert (await refusal(client_of(slack).auth_test()))["error"] == "token_revoked"


async def test_a_manifest_decides_commands_scopes_and_events(slack: SimulatedSlack) -> None:
    slack.use_manifest(
        {
            "display_information": {"name": "비용봇"},
            "features": {
                "app_home": {"home_tab_enabled": True},
                "slash_commands": [{"command": "/cost", "description": "비용", "should_escape": True}],
            },
            "oauth_config": {"scopes": {"bot": ["commands"]}},
            "settings": {"event_subscriptions": {"bot_events": ["app_home_opened"]}},
        }
    )
    assert (await refusal(client_of(slack).users_info(user=MINSU)))["error"] == "missing_scope"
    assert (await slack.person(MINSU).command("/finops", FINOPS))["error"] == "unknown_command"
    assert slack.page_state(MINSU)["commands"] == [{"command": "/cost", "description": "비용", "usage_hint": ""}]
