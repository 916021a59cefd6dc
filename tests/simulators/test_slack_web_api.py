"""The simulated Web API as slack_sdk calls it: what it takes, what it refuses, in Slack's words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import AppConfig, SimulatedSlack
from demo.slack.cast import BOT, DATA, EMMA, FINANCE_GROUP, FINOPS, GENERAL, JIHOON, MARKETING, MINSU, SAKURA, SEOYEON
from tests.simulators.slack_kit import a_config, actions, button, client_of, home, plain, refusal

JSON = dict[str, Any]
ALL = (
    *AppConfig().scopes,
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "chat:write.customize",
    "files:read",
    "files:write",
    "groups:history",
    "mpim:read",
    "mpim:write",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
)
# Four sections, each as long as a section may be.
LONG_TOGETHER = [{"type": "section", "text": plain("가" * 3000)}] * 4


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(config=a_config(app=AppConfig(scopes=ALL))) as started:
        yield started


@pytest.fixture
def client(slack: SimulatedSlack) -> AsyncWebClient:
    return client_of(slack)


# -- tokens and scopes


async def test_every_wrong_token_is_named_for_what_is_wrong_with_it(slack: SimulatedSlack) -> None:
    assert (await refusal(client_of(slack, "xoxb-made-up").auth_test()))["error"] == "invalid_auth"
    async with aiohttp.ClientSession() as session, session.post(slack.api_url + "auth.test") as response:
        assert await response.json() == {"ok": False, "error": "not_authed"}
    app = client_of(slack, slack.config.app_token)
    assert (await refusal(app.auth_test()))["error"] == "not_allowed_token_type"
    bot = client_of(slack)
    assert (await refusal(bot.api_call("apps.connections.open")))["error"] == "not_allowed_token_type"
    await bot.auth_revoke()
    assert (await refusal(bot.auth_test()))["error"] == "token_revoked"


async def test_a_token_inside_a_json_body_counts_for_nothing(slack: SimulatedSlack) -> None:
    body = {"token": slack.config.bot_token, "channel": FINOPS, "text": "hi"}
    async with aiohttp.ClientSession() as session:
        async with session.post(slack.api_url + "chat.postMessage", json=body) as response:
            assert (await response.json())["error"] == "not_authed"
        async with session.post(slack.api_url + "chat.postMessage", data=body) as response:
            assert (await response.json())["ok"] is True
        broken = {"Authorization": f"Bearer {slack.config.bot_token}", "Content-Type": "application/json"}
        async with session.post(slack.api_url + "chat.postMessage", data="{", headers=broken) as response:
            assert (await response.json())["error"] == "invalid_json"
        async with session.post(slack.api_url + "chat.postMessage", data="[]", headers=broken) as response:
            assert (await response.json())["error"] == "json_not_object"


async def test_a_missing_scope_says_which_and_what_was_provided() -> None:
    async with SimulatedSlack(config=a_config(app=AppConfig(scopes=("chat:write",)))) as slack:
        told = await refusal(client_of(slack).users_info(user=MINSU))
        assert told == {"ok": False, "error": "missing_scope", "needed": "users:read", "provided": "chat:write"}


async def test_answers_carry_the_granted_and_the_accepted_scopes(client: AsyncWebClient) -> None:
    response = await client.users_info(user=MINSU)
    assert "users:read" in response.headers["x-oauth-scopes"].split(",")
    assert response.headers["x-accepted-oauth-scopes"] == "users:read"


async def test_an_unknown_method_is_unknown(client: AsyncWebClient) -> None:
    assert (await refusal(client.api_call("chat.shout")))["error"] == "unknown_method"


async def test_api_test_echoes_and_fails_on_request(client: AsyncWebClient) -> None:
    assert (await client.api_test(hello="there")).data["args"]["hello"] == "there"
    assert (await refusal(client.api_test(error="my_error")))["error"] == "my_error"


async def test_the_token_says_who_it_is(client: AsyncWebClient) -> None:
    told = (await client.auth_test()).data
    assert (told["team_id"], told["user_id"], told["bot_id"]) == ("T0FINOPS01", BOT, "B0FINOPSBT")
    assert (await client.team_info()).data["team"]["name"] == "한빛소프트"
    assert [each["id"] for each in (await client.auth_teams_list()).data["teams"]] == ["T0FINOPS01"]
    assert (await client.bots_info(bot="B0FINOPSBT")).data["bot"]["user_id"] == BOT


# -- people


async def test_the_locale_is_told_only_when_asked_for(client: AsyncWebClient) -> None:
    assert "locale" not in (await client.users_info(user=SAKURA)).data["user"]
    user = (await client.users_info(user=SAKURA, include_locale=True)).data["user"]
    assert (user["locale"], user["tz"], user["tz_offset"]) == ("ja-JP", "Asia/Tokyo", 32400)
    assert user["profile"]["email"] == "sakura@hanbit.example"
    assert (await refusal(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"


async def test_a_change_of_a_person_is_told_where_the_app_listens_and_may_know() -> None:
    """As `users.info` describes them from then on; of the deactivated Slack tells no rights at all."""
    for config, is_told in (
        (a_config(), True),
        (a_config(app=AppConfig(events=("app_mention",))), False),
        (a_config(app=AppConfig(scopes=("chat:write",))), False),
    ):
        async with SimulatedSlack(config=config) as slack:
            told = slack.describe(MINSU, is_ultra_restricted=True)
            assert (told is not None) is is_told
            if told is None:
                continue
            event, now = (
                told["event"],
                (await client_of(slack).users_info(user=MINSU, include_locale=True)).data["user"],
            )
            assert (event["type"], event["user"] | {"updated": 0}) == ("user_change", now | {"updated": 0})
            assert (now["is_restricted"], now["is_ultra_restricted"]) == (True, True)
            async with aiohttp.ClientSession() as session:
                for body, status in (({"user": MINSU, "deleted": True}, 200), ({"user": MINSU, "nonsense": True}, 400)):
                    async with session.post(f"{slack.url}/_sim/slack/people", json=body) as response:
                        assert response.status == status
            gone = (await client_of(slack).users_info(user=MINSU)).data["user"]
            assert gone["deleted"]
            assert not {"is_admin", "is_restricted", "tz"} & gone.keys()


async def test_people_are_listed_page_by_page(client: AsyncWebClient) -> None:
    first = (await client.users_list(limit=4)).data
    cursor = first["response_metadata"]["next_cursor"]
    second = (await client.users_list(limit=4, cursor=cursor)).data
    assert [each["id"] for each in first["members"] + second["members"]] == [JIHOON, MINSU, SEOYEON, SAKURA, EMMA, BOT]
    assert second["response_metadata"]["next_cursor"] == ""
    assert (await refusal(client.users_list(cursor="!!!")))["error"] == "invalid_cursor"
    assert (await refusal(client.users_list(limit=0)))["error"] == "invalid_limit"


async def test_people_are_found_by_address(client: AsyncWebClient) -> None:
    found = (await client.users_lookupByEmail(email="Emma@hanbit.example")).data
    assert found["user"]["id"] == EMMA
    assert (await refusal(client.users_lookupByEmail(email="who@hanbit.example")))["error"] == "users_not_found"


async def test_addresses_stay_hidden_without_their_scope() -> None:
    async with SimulatedSlack(config=a_config(app=AppConfig(scopes=("users:read",)))) as slack:
        assert "email" not in (await client_of(slack).users_info(user=EMMA)).data["user"]["profile"]


async def test_user_groups_are_listed_with_their_people(client: AsyncWebClient) -> None:
    groups = (await client.usergroups_list(include_users=True)).data["usergroups"]
    assert [(each["id"], each["users"]) for each in groups] == [(FINANCE_GROUP, [SAKURA, EMMA])]
    assert (await client.usergroups_users_list(usergroup=FINANCE_GROUP)).data["users"] == [SAKURA, EMMA]
    assert (await refusal(client.usergroups_users_list(usergroup="S0NONE")))["error"] == "no_such_subteam"


# -- conversations


async def test_channels_are_listed_by_type_and_each_type_needs_its_scope(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    channels = (await client.conversations_list()).data["channels"]
    assert {each["id"]: each["is_member"] for each in channels} == {
        FINOPS: True,
        MARKETING: True,
        DATA: True,
        GENERAL: False,
    }
    assert {each["user"] for each in (await client.conversations_list(types="im")).data["channels"]} >= {MINSU, EMMA}
    assert (await refusal(client.conversations_list(types="secret")))["error"] == "invalid_types"
    slack.hub.tokens.grant(("channels:read",))
    told = await refusal(client.conversations_list(types="public_channel,private_channel"))
    assert (told["error"], told["needed"]) == ("missing_scope", "groups:read")


async def test_a_private_channel_without_us_does_not_exist(slack: SimulatedSlack) -> None:
    slack.world.channels[MARKETING].is_private = True
    client = client_of(slack)
    assert (await client.conversations_info(channel=MARKETING)).data["channel"]["is_private"] is True
    slack.world.channels[MARKETING].members.discard(BOT)
    assert (await refusal(client.conversations_info(channel=MARKETING)))["error"] == "channel_not_found"
    assert (await refusal(client.chat_postMessage(channel=MARKETING, text="hi")))["error"] == "channel_not_found"


async def test_opening_a_direct_message_twice_gives_the_same_one(client: AsyncWebClient) -> None:
    first = (await client.conversations_open(users=MINSU)).data["channel"]["id"]
    assert first == "D0MINSU001"
    again = (await client.conversations_open(users=[MINSU], return_im=True)).data
    assert (again["channel"]["id"], again["channel"]["user"], again["already_open"]) == (first, MINSU, True)
    many = (await client.conversations_open(users=f"{MINSU},{EMMA}")).data["channel"]["id"]
    assert many.startswith("G")
    assert (await refusal(client.conversations_open(users=[SEOYEON, EMMA], prevent_creation=True)))[
        "error"
    ] == "channel_not_found"
    assert (await refusal(client.conversations_open(users="U0NOBODY")))["error"] == "user_not_found"
    assert (await refusal(client.conversations_open(users=[f"U{index}" for index in range(9)])))[
        "error"
    ] == "too_many_users"


async def test_members_joining_and_leaving(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    assert (await client.conversations_members(channel=DATA)).data["members"] == sorted([JIHOON, SEOYEON, SAKURA, BOT])
    assert (await client.conversations_join(channel=GENERAL)).data["channel"]["is_member"] is True
    assert (await client.conversations_join(channel=GENERAL)).data["warning"] == "already_in_channel"
    await client.conversations_leave(channel=GENERAL)
    assert BOT not in slack.world.channels[GENERAL].members
    assert len((await client.users_conversations(types="public_channel")).data["channels"]) == 3


async def test_history_and_replies_leave_each_others_messages_alone(client: AsyncWebClient) -> None:
    parent = (
        await client.chat_postMessage(channel=FINOPS, text="parent", metadata={"event_type": "e", "event_payload": {}})
    ).data
    reply = (await client.chat_postMessage(channel=FINOPS, text="reply", thread_ts=parent["ts"])).data
    await client.chat_postMessage(channel=FINOPS, text="broadcast", thread_ts=parent["ts"], reply_broadcast=True)
    history = (await client.conversations_history(channel=FINOPS)).data["messages"]
    assert [each["text"] for each in history] == ["broadcast", "parent"]
    assert (history[1]["reply_count"], "metadata" in history[1]) == (2, False)
    with_metadata = (await client.conversations_history(channel=FINOPS, include_all_metadata=True)).data["messages"]
    assert with_metadata[1]["metadata"]["event_type"] == "e"
    replies = (await client.conversations_replies(channel=FINOPS, ts=parent["ts"])).data["messages"]
    assert [each["text"] for each in replies] == ["parent", "reply", "broadcast"]
    assert (await refusal(client.conversations_replies(channel=FINOPS, ts="1.0")))["error"] == "thread_not_found"
    older = (await client.conversations_history(channel=FINOPS, latest=reply["ts"])).data["messages"]
    assert [each["text"] for each in older] == ["parent"]
    assert (await refusal(client.conversations_history(channel=GENERAL)))["error"] == "not_in_channel"


# -- messages


async def test_a_message_arrives_with_ids_for_its_blocks(slack: SimulatedSlack) -> None:
    posted = (await client_of(slack).chat_postMessage(channel="#finops", text="hi", blocks=[actions(button("a"))])).data
    assert posted["channel"] == FINOPS
    (message,) = slack.messages(FINOPS)
    assert (message["ts"], message["bot_id"], message["blocks"][0]["block_id"]) == (posted["ts"], "B0FINOPSBT", "acts")
    bare = (await client_of(slack).chat_postMessage(channel=FINOPS, text="hi", blocks=[{"type": "divider"}])).data
    assert bare["message"]["blocks"][0]["block_id"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": GENERAL, "text": "a"}, "not_in_channel"),
        ({"channel": "C0NONE", "text": "a"}, "channel_not_found"),
        ({"channel": BOT, "text": "a"}, "cannot_dm_bot"),
        ({"channel": FINOPS, "text": ""}, "no_text"),
        ({"channel": FINOPS, "text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"channel": FINOPS, "markdown_text": "m" * 12_001}, "msg_too_long"),
        ({"channel": FINOPS, "text": "a", "thread_ts": "1.0"}, "thread_not_found"),
        ({"channel": FINOPS, "text": "a", "metadata": {"event_type": "e"}}, "invalid_metadata_schema"),
        ({"channel": FINOPS, "text": "a", "metadata": "x"}, "invalid_metadata_format"),
        ({"channel": FINOPS, "text": "a", "blocks": "x"}, "invalid_blocks_format"),
        ({"channel": FINOPS, "text": "a", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"channel": FINOPS, "text": "a", "blocks": LONG_TOGETHER}, "msg_blocks_too_long"),
        ({"channel": FINOPS, "text": "a", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"text": "a"}, "invalid_arguments"),
    ],
)
async def test_posting_is_refused_for_the_right_reason(client: AsyncWebClient, args: JSON, error: str) -> None:
    assert (await refusal(client.api_call("chat.postMessage", json=args)))["error"] == error


async def test_invalid_blocks_are_named_with_a_json_pointer(client: AsyncWebClient) -> None:
    blocks = [{"type": "divider"}, {"type": "header", "text": plain("가" * 151)}]
    told = await refusal(client.chat_postMessage(channel=FINOPS, text="a", blocks=blocks))
    assert told["error"] == "invalid_blocks"
    message = "[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]"
    assert told["response_metadata"]["messages"] == [message]


async def test_an_archived_channel_takes_nothing(slack: SimulatedSlack) -> None:
    """A post is refused by one word and an edit by another."""
    stands = (await client_of(slack).chat_postMessage(channel=FINOPS, text="a")).data
    slack.world.channels[FINOPS].is_archived = True
    assert (await refusal(client_of(slack).chat_postMessage(channel=FINOPS, text="a")))["error"] == "is_archived"
    edit = client_of(slack).chat_update(channel=FINOPS, ts=str(stands["ts"]), text="b")
    assert (await refusal(edit))["error"] == "is_inactive"


async def test_who_was_deactivated_is_written_to_by_no_address(slack: SimulatedSlack) -> None:
    """Neither by the id of the person nor by that of a conversation that was open before."""
    client = client_of(slack)
    open_before = str((await client.conversations_open(users=MINSU)).data["channel"]["id"])
    slack.describe(MINSU, deleted=True)
    for address in (MINSU, open_before):
        assert (await refusal(client.chat_postMessage(channel=address, text="a")))["error"] == "channel_not_found"
    assert (await refusal(client.conversations_open(users=MINSU)))["error"] == "user_disabled"


@pytest.mark.parametrize("name", ["oldest", "latest"])
async def test_a_moment_that_is_none_is_refused(slack: SimulatedSlack, name: str) -> None:
    slack.hub.tokens.grant((*slack.config.app.scopes, "channels:history"))
    client = client_of(slack)
    await client.chat_postMessage(channel=FINOPS, text="a")
    told = await refusal(client.conversations_history(channel=FINOPS, **{name: "yesterday"}))
    assert told["error"] == f"invalid_ts_{name}"


async def test_public_channels_are_open_with_their_scope(slack: SimulatedSlack) -> None:
    slack.hub.tokens.grant(("chat:write", "chat:write.public"))
    assert (await client_of(slack).chat_postMessage(channel=GENERAL, text="a")).data["ok"] is True


async def test_a_long_text_is_cut_with_a_warning_and_a_long_update_refused(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    posted = (await client.chat_postMessage(channel=FINOPS, text="a" * 40_001)).data
    assert (posted["warning"], len(posted["message"]["text"])) == ("message_truncated", 40_000)
    told = await refusal(client.chat_update(channel=FINOPS, ts=posted["ts"], text="a" * 4001))
    assert told["error"] == "msg_too_long"


@pytest.mark.parametrize(("more", "reads"), [({}, "&lt;@U0MINSU001&gt; & a"), ({"parse": "none"}, "<@U0MINSU001> & a")])
async def test_the_text_of_an_edit_is_taken_for_typed_unless_told_otherwise(
    slack: SimulatedSlack, more: JSON, reads: str
) -> None:
    client = client_of(slack)
    posted = (await client.chat_postMessage(channel=FINOPS, text=f"<@{MINSU}> & a")).data
    assert slack.messages(FINOPS)[0]["text"] == f"<@{MINSU}> & a"
    await client.chat_update(channel=FINOPS, ts=posted["ts"], text=f"<@{MINSU}> & a", **more)
    assert slack.messages(FINOPS)[0]["text"] == reads


async def test_a_reply_cannot_be_a_parent(client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel=FINOPS, text="parent")).data["ts"]
    reply = (await client.chat_postMessage(channel=FINOPS, text="reply", thread_ts=parent)).data["ts"]
    told = await refusal(client.chat_postMessage(channel=FINOPS, text="a", thread_ts=reply))
    assert told["error"] == "cannot_reply_to_message"


async def test_updating_with_text_alone_drops_the_blocks(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    metadata = {"event_type": "e", "event_payload": {"id": 1}}
    blocks = [{"type": "divider"}]
    ts = (await client.chat_postMessage(channel=FINOPS, text="a", blocks=blocks, metadata=metadata)).data["ts"]
    await client.chat_update(channel=FINOPS, ts=ts, text="b", blocks=[*blocks, *blocks])
    assert len(slack.messages(FINOPS)[0]["blocks"]) == 2
    await client.chat_update(channel=FINOPS, ts=ts, text="c")
    (message,) = slack.messages(FINOPS)
    assert (message["text"], "blocks" in message, message["metadata"]["event_type"]) == ("c", False, "e")
    assert message["edited"]["user"] == BOT
    await client.chat_update(channel=FINOPS, ts=ts, text="d", metadata={})
    assert "metadata" not in slack.messages(FINOPS)[0]


async def test_only_own_messages_can_be_changed(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    theirs = (await slack.person(MINSU).says(FINOPS, "내 글"))["ts"]
    assert (await refusal(client.chat_update(channel=FINOPS, ts=theirs, text="a")))["error"] == "cant_update_message"
    assert (await refusal(client.chat_delete(channel=FINOPS, ts=theirs)))["error"] == "cant_delete_message"
    assert (await refusal(client.chat_update(channel=FINOPS, ts="1.0", text="a")))["error"] == "message_not_found"
    assert (await refusal(client.chat_update(channel=MINSU, ts=theirs, text="a")))["error"] == "channel_not_found"
    mine = (await client.chat_postMessage(channel=MINSU, text="dm")).data
    assert mine["channel"] == "D0MINSU001"
    await client.chat_delete(channel=mine["channel"], ts=mine["ts"])
    assert slack.messages("D0MINSU001") == []


async def test_deleting_a_reply_counts_down(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    parent = (await client.chat_postMessage(channel=FINOPS, text="parent")).data["ts"]
    reply = (await client.chat_postMessage(channel=FINOPS, text="reply", thread_ts=parent)).data["ts"]
    await client.chat_delete(channel=FINOPS, ts=reply)
    assert slack.messages(FINOPS)[0]["reply_count"] == 0


async def test_an_ephemeral_message_is_seen_by_one_and_kept_by_nobody(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    ts = (await client.chat_postEphemeral(channel=FINOPS, user=MINSU, text="너만")).data["message_ts"]
    assert [each["text"] for each in slack.person(MINSU).ephemerals(FINOPS)] == ["너만"]
    assert slack.person(EMMA).ephemerals(FINOPS) == []
    assert slack.messages(FINOPS) == []
    assert (await refusal(client.chat_update(channel=FINOPS, ts=ts, text="a")))["error"] == "message_not_found"
    told = await refusal(client.chat_postEphemeral(channel=DATA, user=MINSU, text="a"))
    assert told["error"] == "user_not_in_channel"
    assert (await refusal(client.chat_postEphemeral(channel=GENERAL, user=MINSU, text="a")))[
        "error"
    ] == "not_in_channel"
    assert (await refusal(client.chat_postEphemeral(channel=FINOPS, user="U0X", text="a")))["error"] == "user_not_found"


async def test_echoing_the_blocks_of_an_image_back_is_refused(slack: SimulatedSlack) -> None:
    """Slack adds what it measured to image blocks, and refuses to hear it again."""
    client = client_of(slack)
    image = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "표"}
    posted = (await client.chat_postMessage(channel=FINOPS, text="a", blocks=[image])).data
    told = await refusal(
        client.chat_update(channel=FINOPS, ts=posted["ts"], text="b", blocks=posted["message"]["blocks"])
    )
    assert told["error"] == "invalid_blocks"


async def test_a_permalink_leads_to_a_message_that_exists(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=FINOPS, text="a")).data["ts"]
    link = (await client.chat_getPermalink(channel=FINOPS, message_ts=ts)).data["permalink"]
    assert link.endswith(f"/archives/{FINOPS}/p{ts.replace('.', '')}")
    assert (await refusal(client.chat_getPermalink(channel=FINOPS, message_ts="1.0")))["error"] == "message_not_found"


async def test_scheduled_messages_wait_for_their_time(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    now = int(slack.hub.clock().timestamp())
    kept = (await client.chat_scheduleMessage(channel=FINOPS, text="later", post_at=now + 60)).data
    assert (await refusal(client.chat_scheduleMessage(channel=FINOPS, text="a", post_at=now - 1)))[
        "error"
    ] == "time_in_past"
    far = now + 121 * 86_400
    assert (await refusal(client.chat_scheduleMessage(channel=FINOPS, text="a", post_at=far)))[
        "error"
    ] == "time_too_far"
    assert len((await client.chat_scheduledMessages_list()).data["scheduled_messages"]) == 1
    assert await slack.post_scheduled() == []
    await client.chat_deleteScheduledMessage(channel=FINOPS, scheduled_message_id=kept["scheduled_message_id"])
    assert (await client.chat_scheduledMessages_list()).data["scheduled_messages"] == []


# -- neighbours


async def test_blocks_validate_answers_without_a_token(slack: SimulatedSlack) -> None:
    client = AsyncWebClient(base_url=slack.api_url)
    assert (await client.blocks_validate(blocks=[{"type": "divider"}])).data["ok"] is True
    told = await refusal(client.blocks_validate(blocks=[{"type": "section", "text": {"type": "invalid", "text": "a"}}]))
    assert (told["error"], told["errors"][0]["pointer"]) == ("invalid_blocks", "/0/text/type")
    told = await refusal(client.blocks_validate(view={"type": "modal", "blocks": []}))
    assert told["error"] == "invalid_view"
    told = await refusal(client.blocks_validate(message={"blocks": [{"type": "alert", "text": plain("a")}]}))
    assert (told["error"], told["errors"][0]["pointer"]) == ("invalid_message", "/blocks/0")
    assert (await refusal(client.blocks_validate()))["error"] == "invalid_arguments"
    assert (await refusal(client.blocks_validate(blocks="{")))["error"] == "invalid_arguments"


async def test_reactions_pins_and_bookmarks(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    ts = (await client.chat_postMessage(channel=FINOPS, text="a")).data["ts"]
    await client.reactions_add(channel=FINOPS, timestamp=ts, name="eyes")
    assert (await refusal(client.reactions_add(channel=FINOPS, timestamp=ts, name="eyes")))[
        "error"
    ] == "already_reacted"
    reactions = (await client.reactions_get(channel=FINOPS, timestamp=ts)).data["message"]["reactions"]
    assert reactions == [{"name": "eyes", "users": [BOT], "count": 1}]
    await client.reactions_remove(channel=FINOPS, timestamp=ts, name="eyes")
    assert (await refusal(client.reactions_remove(channel=FINOPS, timestamp=ts, name="eyes")))["error"] == "no_reaction"
    await client.pins_add(channel=FINOPS, timestamp=ts)
    assert (await client.pins_list(channel=FINOPS)).data["items"][0]["message"]["ts"] == ts
    await client.bookmarks_add(channel_id=FINOPS, title="표", type="link", link="https://example.com")
    assert (await client.bookmarks_list(channel_id=FINOPS)).data["bookmarks"][0]["title"] == "표"


async def test_files_go_up_in_three_steps_and_only_known_ones_show_in_blocks(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    unknown = [{"type": "image", "slack_file": {"id": "F0NONE"}, "alt_text": "표"}]
    told = await refusal(client.chat_postMessage(channel=FINOPS, text="a", blocks=unknown))
    assert told["response_metadata"]["messages"] == ["[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"]
    uploaded = (
        await client.files_upload_v2(filename="a.csv", content="day,cost", channel=FINOPS, initial_comment="표")
    ).data
    file_id = uploaded["files"][0]["id"]
    assert slack.messages(FINOPS)[-1]["files"][0]["name"] == "a.csv"
    assert FINOPS in (await client.files_info(file=file_id)).data["file"]["shares"]["public"]
    known = [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "표"}]
    assert (await client.chat_postMessage(channel=FINOPS, text="a", blocks=known)).data["ok"] is True


async def test_the_bytes_of_a_file_come_bare_or_in_a_form(slack: SimulatedSlack) -> None:
    """Slack shows `curl -F`, and its SDK for Node sends a form; its SDK for Python sends them bare."""
    client, content = client_of(slack), "요일,비용\r\n".encode()
    form = aiohttp.FormData()
    form.add_field("body", content, filename="Untitled", content_type="application/octet-stream")
    async with aiohttp.ClientSession() as http:
        for body in (form, content):
            asked = await client.files_getUploadURLExternal(filename="a.csv", length=len(content))
            async with http.post(asked["upload_url"], data=body) as answer:
                assert (answer.status, await answer.text()) == (200, f"OK - {len(content)}")
            assert slack.hub.contents[asked["file_id"]] == content
        asked = await client.files_getUploadURLExternal(filename="a.csv", length=1)
        nothing = aiohttp.FormData({"body": "no file"}, default_to_multipart=True)
        async with http.post(asked["upload_url"], data=nothing) as answer:
            assert answer.status == 400


async def test_files_are_refused_before_anything_is_shared(slack: SimulatedSlack) -> None:
    """Nothing of nothing, no novel for a description, and no file where the app is no member."""
    client = client_of(slack)
    assert (await refusal(client.files_getUploadURLExternal(filename="a", length=0)))["error"] == "missing_argument"
    long = await refusal(client.files_getUploadURLExternal(filename="a", length=1, alt_txt="a" * 1001))
    assert long["error"] == "alt_txt_too_large"
    away = client.files_upload_v2(filename="a.csv", content="day,cost", channel=GENERAL)
    assert (await refusal(away))["error"] == "not_in_channel"
    assert (slack.messages(GENERAL), slack.world.files) == ([], {})


async def test_a_workspace_that_does_not_know_a_block_refuses_messages_and_views_differently(
    slack: SimulatedSlack,
) -> None:
    slack.config.unknown_blocks = frozenset({"video"})
    urls = dict.fromkeys(("video_url", "thumbnail_url"), "https://a")
    client, blocks = client_of(slack), [{"type": "video", "alt_text": "a", "title": plain("a"), **urls}]
    assert (await refusal(client.chat_postMessage(channel=FINOPS, text="a", blocks=blocks)))[
        "error"
    ] == "invalid_blocks"
    told = await refusal(client.views_publish(user_id=MINSU, view={"type": "home", "blocks": blocks}))
    assert told["error"] == "invalid_arguments"
    assert told["response_metadata"]["messages"] == [
        "[ERROR] unsupported type: video [json-pointer:/view/blocks/0/type]"
    ]


# -- the journal


async def test_the_journal_hands_out_each_call_once_and_waits_for_the_next(slack: SimulatedSlack) -> None:
    client = client_of(slack)
    await client.chat_postMessage(channel=FINOPS, text="one")
    await client.chat_postMessage(channel=FINOPS, text="two")
    assert (await slack.next("chat.postMessage")).text == "one"
    assert (await slack.next("chat.postMessage")).text == "two"
    with pytest.raises(TimeoutError, match=r"no chat\.postMessage .* chat\.postMessage, chat\.postMessage"):
        await slack.next("chat.postMessage", timeout_seconds=0.01)
    await client.views_publish(user_id=MINSU, view=home())
    assert (await slack.next("views.publish")).blocks == [{"type": "divider"}]


async def test_every_answer_is_dated_by_the_clock_of_the_workspace() -> None:
    """An app that measures how far its own clock is off finds none on a stage whose clock was moved."""
    played = datetime(2026, 3, 9, 9, 30, 15, tzinfo=UTC)
    async with SimulatedSlack(lambda: played, a_config()) as slack:
        answer = await client_of(slack).auth_test()
        assert [parsedate_to_datetime(str(answer.headers["Date"]))] == [played]
