"""Conversations: looking them up, opening direct messages, joining, and reading what was said."""

from __future__ import annotations

import re
from decimal import Decimal

from demo.slack.api.request import Request, method, page
from demo.slack.cast import Channel
from demo.slack.limits import Tier
from demo.slack.wire import JSON, ApiError

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def _family(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    if channel.is_mpim:
        return "mpim"
    return "groups" if channel.is_private else "channels"


def channel_json(request: Request, channel: Channel) -> JSON:
    """A conversation as Slack tells it to this app."""
    told: JSON = {
        "id": channel.id,
        "created": 1_700_000_000,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_channel": not (channel.is_private or channel.is_im or channel.is_mpim),
        "is_group": channel.is_private,
        "is_im": channel.is_im,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private or channel.is_im or channel.is_mpim,
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "context_team_id": request.world.team_id,
    }
    if channel.is_im:
        told["user"] = next(iter(sorted(channel.members - {request.bot_user_id})), request.bot_user_id)
        return told
    return {
        **told,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": request.bot_user_id in channel.members,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def seen(request: Request, channel_id: str) -> Channel:
    """A conversation this app can see by id; what it cannot see does not exist for it."""
    channel = request.world.channels.get(channel_id)
    if channel is None or not request.world.visible_to(request.bot_user_id, channel):
        raise ApiError("channel_not_found")
    return channel


def of_types(request: Request) -> list[Channel]:
    """The conversations of the asked types that the app can see; each type needs its own scope."""
    types = request.args.words("types") or ["public_channel"]
    families = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
    for each in types:
        if each not in families:
            raise ApiError("invalid_types")
        request.need(f"{families[each]}:read")
    wanted = {families[each] for each in types}
    hide_archived = request.args.flag("exclude_archived")
    return [
        channel
        for channel in request.world.channels.values()
        if _family(channel) in wanted
        and request.world.visible_to(request.bot_user_id, channel)
        and not (hide_archived and channel.is_archived)
    ]


@method("conversations.list", Tier.TWO, *_READ, takes_json=False)
async def conversations_list(request: Request) -> JSON:
    """The conversations there are."""
    found, metadata = page(request, of_types(request), 100, 999)
    return {"channels": [channel_json(request, channel) for channel in found], "response_metadata": metadata}


@method("conversations.info", Tier.THREE, *_READ, takes_json=False)
async def conversations_info(request: Request) -> JSON:
    """One conversation."""
    channel = seen(request, request.args.required("channel"))
    request.need(f"{_family(channel)}:read")
    told = channel_json(request, channel)
    if request.args.flag("include_num_members"):
        told["num_members"] = len(channel.members)
    return {"channel": told}


@method("conversations.members", Tier.FOUR, *_READ, takes_json=False)
async def conversations_members(request: Request) -> JSON:
    """Who is in a conversation."""
    channel = seen(request, request.args.required("channel"))
    request.need(f"{_family(channel)}:read")
    members, metadata = page(request, sorted(channel.members), 100, 1000)
    return {"members": members, "response_metadata": metadata}


@method("conversations.open", Tier.THREE, "im:write", "mpim:write")
async def conversations_open(request: Request) -> JSON:
    """A direct message with one person or up to eight; the same people always get the same one."""
    users, channel_id = request.args.words("users"), request.args.string("channel")
    if bool(users) == bool(channel_id):
        raise ApiError("users_list_not_supplied" if not users else "channel_and_users_supplied")
    if channel_id:
        channel = seen(request, channel_id)
        if not (channel.is_im or channel.is_mpim):
            raise ApiError("method_not_supported_for_channel_type")
        return _opened(request, channel, already=True)
    people = {user_id for user_id in users if user_id != request.bot_user_id}
    if len(people) > 8:
        raise ApiError("too_many_users")
    if not people:
        raise ApiError("not_enough_users")
    for user_id in people:
        user = request.world.user(user_id)
        if user.deleted:
            raise ApiError("user_disabled")
        if user.is_bot:
            raise ApiError("cannot_dm_bot")
    request.need("im:write" if len(people) == 1 else "mpim:write")
    members = people | {request.bot_user_id}
    known = request.world.dm_between(members)
    if known is None and request.args.flag("prevent_creation"):
        raise ApiError("channel_not_found")
    return _opened(request, known or request.world.open_dm(members), already=known is not None)


def _opened(request: Request, channel: Channel, *, already: bool) -> JSON:
    answer: JSON = {"channel": {"id": channel.id}}
    if request.args.flag("return_im"):
        answer["channel"] = channel_json(request, channel)
    if already:
        answer |= {"no_op": True, "already_open": True}
    return answer


@method("conversations.join", Tier.THREE, "channels:join")
async def conversations_join(request: Request) -> JSON:
    """Enter a public channel."""
    channel = seen(request, request.args.required("channel"))
    if _family(channel) != "channels":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    if request.bot_user_id in channel.members:
        warning = "already_in_channel"
        more: JSON = {"warning": warning, "response_metadata": {"warnings": [warning]}}
        return {"channel": channel_json(request, channel), **more}
    request.hub.join(channel, request.bot_user_id)
    return {"channel": channel_json(request, channel)}


@method("conversations.leave", Tier.THREE, "channels:manage", "channels:write", "groups:write")
async def conversations_leave(request: Request) -> JSON:
    """Leave a channel."""
    channel = seen(request, request.args.required("channel"))
    if request.bot_user_id not in channel.members:
        return {"not_in_channel": True}
    channel.members.discard(request.bot_user_id)
    return {}


def _readable(request: Request) -> Channel:
    channel = seen(request, request.args.required("channel"))
    request.need(f"{_family(channel)}:history")
    if request.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _told(request: Request, message: JSON) -> JSON:
    told = {name: value for name, value in message.items() if name != "user_private"}
    if not request.args.flag("include_all_metadata"):
        told.pop("metadata", None)
    return told


def _within(request: Request, message: JSON) -> bool:
    oldest, latest = _moment(request, "oldest"), _moment(request, "latest")
    inclusive = request.args.flag("inclusive")
    ts = Decimal(message["ts"])
    above = oldest is None or ts > oldest or (inclusive and ts == oldest)
    below = latest is None or ts < latest or (inclusive and ts == latest)
    return above and below


def _moment(request: Request, name: str) -> Decimal | None:
    told = request.args.string(name)
    if told is not None and not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", told):
        raise ApiError(f"invalid_ts_{name}")
    return None if told is None else Decimal(told)


@method("conversations.history", Tier.THREE, *_HISTORY, takes_json=False)
async def conversations_history(request: Request) -> JSON:
    """What was said in a channel, newest first, without the replies in threads."""
    channel = _readable(request)
    said = [
        _told(request, message)
        for message in reversed(request.world.messages[channel.id])
        if message.get("thread_ts") in (None, message["ts"]) or message.get("subtype") == "thread_broadcast"
        if _within(request, message)
    ]
    found, metadata = page(request, said, 100, 999)
    more = bool(metadata["next_cursor"])
    return {"messages": found, "has_more": more, "pin_count": 0, **({"response_metadata": metadata} if more else {})}


@method("conversations.replies", Tier.THREE, *_HISTORY, takes_json=False)
async def conversations_replies(request: Request) -> JSON:
    """A thread: its parent, then the replies, oldest first."""
    channel = _readable(request)
    ts = request.args.required("ts")
    said = [
        message
        for message in request.world.messages[channel.id]
        if message["ts"] == ts or message.get("thread_ts") == ts
    ]
    if not said:
        raise ApiError("thread_not_found")
    found, metadata = page(request, [_told(request, each) for each in said if _within(request, each)], 1000, 1000)
    more = bool(metadata["next_cursor"])
    return {"messages": found, "has_more": more, **({"response_metadata": metadata} if more else {})}
