"""Triggers, hashes, stacks and response URLs of the simulated Slack, without an app in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from demo.slack import SimulatedSlack
from demo.slack.cast import BOT, EMMA, FINOPS, MINSU
from tests.simulators.slack_kit import (
    a_config,
    actions,
    button,
    client_of,
    entry,
    home,
    modal,
    plain,
    plain_app,
    refusal,
)

JSON = dict[str, Any]


class Hands:
    """A clock somebody turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def slack(hands: Hands) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(hands, a_config()) as started:
        yield started


def trigger(slack: SimulatedSlack, user: str = MINSU, *, from_modal: bool = False) -> str:
    return slack.hub.triggers.issue(user, from_modal=from_modal)


WORD = entry("word", {"type": "plain_text_input"})


async def test_a_trigger_works_once_and_for_three_seconds(slack: SimulatedSlack, hands: Hands) -> None:
    client = client_of(slack)
    used, late = trigger(slack), trigger(slack)
    await client.views_open(trigger_id=used, view=modal(WORD))
    assert (await refusal(client.views_open(trigger_id=used, view=modal(WORD))))["error"] == "exchanged_trigger_id"
    hands.turn(3.01)
    assert (await refusal(client.views_open(trigger_id=late, view=modal(WORD))))["error"] == "expired_trigger_id"
    told = await refusal(client.views_open(trigger_id="1.2.abc", view=modal(WORD)))
    assert told["error"] == "invalid_trigger_id"
    told = await refusal(client.views_open(trigger_id="nonsense", view=modal(WORD)))
    assert told["response_metadata"]["messages"] == ["[ERROR] invalid `trigger_id`"]


async def test_a_refused_view_leaves_its_trigger_unspent(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    kept = trigger(slack)
    told = await refusal(client.views_open(trigger_id=kept, view=modal({"type": "nonsense"})))
    assert told["error"] == "invalid_arguments"
    assert told["response_metadata"]["messages"][0].endswith("[json-pointer:/view/blocks/0/type]")
    await client.views_open(trigger_id=kept, view=modal(WORD))


async def test_a_view_beyond_250_kb_is_too_large(slack: SimulatedSlack) -> None:
    blocks = [{"type": "section", "text": plain("가" * 3000)}] * 30
    told = await refusal(client_of(slack).views_open(trigger_id=trigger(slack), view=modal(*blocks)))
    assert told["error"] == "view_too_large"


async def test_at_most_three_views_lie_on_top_of_each_other(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    await client.views_open(trigger_id=trigger(slack), view=modal(WORD))
    assert (await refusal(client.views_push(trigger_id=trigger(slack), view=modal(WORD))))[
        "error"
    ] == "invalid_trigger_id"
    for _ in range(2):
        await client.views_push(trigger_id=trigger(slack, from_modal=True), view=modal(WORD))
    told = await refusal(client.views_push(trigger_id=trigger(slack, from_modal=True), view=modal(WORD)))
    assert told["error"] == "push_limit_reached"
    assert len(slack.person(MINSU).views) == 3


async def test_a_view_is_updated_by_either_id_and_only_in_the_version_known(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    view = modal(WORD, external_id="setup-1")
    opened = (await client.views_open(trigger_id=trigger(slack), view=view)).data["view"]
    updated = (await client.views_update(view_id=opened["id"], hash=opened["hash"], view=view)).data["view"]
    assert (updated["id"], updated["hash"] != opened["hash"]) == (opened["id"], True)
    told = await refusal(client.views_update(view_id=opened["id"], hash=opened["hash"], view=view))
    assert told["error"] == "hash_conflict"
    await client.views_update(external_id="setup-1", view=view)
    other = trigger(slack, EMMA)
    assert (await refusal(client.views_open(trigger_id=other, view=view)))["error"] == "duplicate_external_id"
    slack.person(MINSU).closes()
    assert (await refusal(client.views_update(view_id=opened["id"], view=view)))["error"] == "not_found"
    await client.views_open(trigger_id=other, view=view)


async def test_home_is_one_view_whose_hash_guards_it(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    first = (await client.views_publish(user_id=MINSU, view=home())).data["view"]
    second = (await client.views_publish(user_id=MINSU, view=home(actions(button("a"))), hash=first["hash"])).data[
        "view"
    ]
    assert first["id"] == second["id"]
    assert (await refusal(client.views_publish(user_id=MINSU, view=home(), hash=first["hash"])))[
        "error"
    ] == "hash_conflict"
    assert (await refusal(client.views_publish(user_id="U0NONE", view=home())))["error"] == "invalid_arguments"
    assert (await refusal(client.views_publish(user_id=MINSU, view=modal(WORD))))["error"] == "invalid_arguments"
    chart = {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
    }
    told = await refusal(client.views_publish(user_id=MINSU, view=home(chart)))
    assert "not supported in Home tabs" in told["response_metadata"]["messages"][0]
    slack.config.app.home_tab_enabled = False
    assert (await refusal(client.views_publish(user_id=MINSU, view=home())))["error"] == "not_enabled"


async def test_typed_words_survive_an_update_only_where_both_ids_stay(slack: SimulatedSlack) -> None:
    client, minsu = client_of(slack), slack.person(MINSU)
    blocks = [entry("kept", {"type": "plain_text_input"}), entry("renamed", {"type": "plain_text_input"})]
    opened = (await client.views_open(trigger_id=trigger(slack), view=modal(*blocks))).data["view"]
    await minsu.types({"kept": "하나", "renamed": "둘"})
    blocks[1]["element"]["action_id"] = "another"
    await client.views_update(view_id=opened["id"], view=modal(*blocks))
    refused = await minsu.submits()
    assert list(refused["errors"]) == ["renamed"]


@pytest.mark.parametrize(
    ("element", "value", "more"),
    [
        ({"type": "plain_text_input"}, "", {}),
        ({"type": "plain_text_input", "max_length": 3}, "네글자야", {}),
        ({"type": "plain_text_input", "min_length": 3}, "둘", {}),
        ({"type": "email_text_input"}, "nobody", {}),
        ({"type": "url_text_input"}, "example", {}),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", {}),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "3"}, "4", {}),
        ({"type": "number_input", "is_decimal_allowed": True}, "NaN", {}),
        ({"type": "users_select"}, None, {}),
        ({"type": "multi_users_select", "max_selected_items": 1}, [MINSU, EMMA], {"optional": True}),
    ],
)
async def test_slack_itself_refuses_what_an_input_does_not_take(
    slack: SimulatedSlack, element: JSON, value: Any, more: JSON
) -> None:
    await client_of(slack).views_open(trigger_id=trigger(slack), view=modal(entry("it", element, **more)))
    result = await slack.person(MINSU).submits(values={"it": value})
    assert (result["ok"], result["by"], list(result["errors"])) == (False, "slack", ["it"])
    assert slack.deliveries == []


async def test_an_input_without_dispatch_action_says_nothing_before_it_is_submitted(slack: SimulatedSlack) -> None:
    element = {"type": "users_select"}
    blocks = [entry("quiet", element), entry("loud", element, dispatch_action=True)]
    opened = (await client_of(slack).views_open(trigger_id=trigger(slack), view=modal(*blocks))).data["view"]
    heard: list[JSON] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append(dict(await request.post()))
        return web.Response()

    async with plain_app(slack, listen):
        assert (await slack.person(MINSU).clicks(opened, "quiet", EMMA))["sent"] is False
        assert (await slack.person(MINSU).clicks(opened, "loud", EMMA))["sent"] is True
    assert len(heard) == 1


async def test_clearing_closes_the_whole_stack(slack: SimulatedSlack) -> None:
    client, minsu = client_of(slack), slack.person(MINSU)
    await client.views_open(trigger_id=trigger(slack), view=modal(WORD))
    await client.views_push(trigger_id=trigger(slack, from_modal=True), view=modal(WORD, clear_on_close=True))
    minsu.closes()
    assert minsu.views == []


async def test_a_response_url_answers_five_times_within_thirty_minutes(slack: SimulatedSlack, hands: Hands) -> None:
    path = slack.hub.hooks.issue("commands", FINOPS, MINSU)
    late = slack.hub.hooks.issue("commands", FINOPS, MINSU)
    async with aiohttp.ClientSession() as session:

        async def post(where: str, **body: Any) -> tuple[int, JSON]:
            async with session.post(slack.url + where, json=body) as response:
                return response.status, await response.json()

        assert await post(path, text="a", blocks=[{"type": "nonsense"}]) != (200, {"ok": True})
        for _ in range(4):
            assert await post(path, text="나만") == (200, {"ok": True})
        assert await post(path, text="모두", response_type="in_channel") == (200, {"ok": True})
        assert await post(path, text="여섯 번째") == (404, {"ok": False, "error": "used_url"})
        hands.turn(1800)
        assert await post(late, text="a") == (404, {"ok": False, "error": "expired_url"})
        assert (await post("/hooks/commands/T/made-up", text="a"))[0] == 404
    assert len(slack.person(MINSU).ephemerals(FINOPS)) == 4
    assert [each["text"] for each in slack.messages(FINOPS)] == ["모두"]
    assert [each.error for each in slack.calls if not each.ok] == [
        "invalid_blocks",
        "used_url",
        "expired_url",
        "no_service",
    ]


async def test_shortcuts_carry_a_trigger_and_a_message_shortcut_its_message(slack: SimulatedSlack) -> None:
    heard: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append(str((await request.post())["payload"]))
        return web.Response()

    await client_of(slack).chat_postMessage(channel=FINOPS, text="이 비용")
    posted = await slack.next("chat.postMessage")
    async with plain_app(slack, listen):
        await slack.person(MINSU).shortcut("explain", posted)
        await slack.person(MINSU).shortcut("anywhere")
    assert "이 비용" in heard[0]
    assert BOT in heard[0]
    assert '"type": "shortcut"' in heard[1]
    assert "response_url" not in heard[1]
