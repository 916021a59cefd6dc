"""Messages: posting, changing, deleting, whispering, scheduling."""

from __future__ import annotations

from demo.slack.api.request import Request, method
from demo.slack.cast import Channel
from demo.slack.content import LONGEST_UPDATE, Content, not_too_long, read_content
from demo.slack.limits import Tier
from demo.slack.wire import JSON, ApiError, copied, random_id

FURTHEST_SECONDS = 120 * 86_400


def by_app(request: Request) -> JSON:
    """The fields that say the app wrote a message."""
    app = request.world.config.app
    profile = {"id": app.bot_id, "app_id": app.app_id, "name": app.name, "team_id": request.world.team_id}
    return {"user": app.bot_user_id, "bot_id": app.bot_id, "app_id": app.app_id, "bot_profile": profile}


def destination(request: Request, *, may_open_dm: bool = True) -> Channel:
    """The conversation a message goes to: an id, a name of a public channel, or a person's id."""
    asked = request.args.required("channel")
    world = request.world
    if asked in world.users and may_open_dm:
        user = world.users[asked]
        if user.is_bot:
            raise ApiError("cannot_dm_bot")
        if user.deleted:
            raise ApiError("channel_not_found")
        if not world.config.app.messages_tab_enabled:
            raise ApiError("messages_tab_disabled")
        return world.open_dm({asked, request.bot_user_id})
    channel = world.channels.get(asked) or next(
        (each for each in world.channels.values() if each.name == asked.removeprefix("#") and not each.is_im), None
    )
    if channel is None or not world.visible_to(request.bot_user_id, channel) or _is_left(request, channel):
        raise ApiError("channel_not_found")
    return channel


def _is_left(request: Request, channel: Channel) -> bool:
    """Whether nobody reads a direct conversation any more: its person was deactivated."""
    others = channel.members - {request.bot_user_id}
    return channel.is_im and all(user.deleted for each in others if (user := request.world.users.get(each)))


def may_write(request: Request, channel: Channel) -> None:
    """Whether the app may post there."""
    if channel.is_archived:
        raise ApiError("is_archived")
    if request.bot_user_id not in channel.members and not request.has("chat:write.public"):
        raise ApiError("not_in_channel")


def thread_of(request: Request, channel: Channel) -> JSON:
    """The `thread_ts` asked for, which has to be a parent's and never a reply's."""
    thread_ts = request.args.string("thread_ts")
    if thread_ts is None:
        return {}
    parent = request.world.message(channel.id, thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.get("thread_ts") not in (None, thread_ts):
        raise ApiError("cannot_reply_to_message")
    more: JSON = {"thread_ts": thread_ts, "parent_user_id": parent.get("user")}
    if request.args.flag("reply_broadcast"):
        more["subtype"] = "thread_broadcast"
    return more


def _customised(request: Request) -> JSON:
    names = ("username", "icon_emoji", "icon_url")
    given = {name: value for name in names if (value := request.args.string(name)) is not None}
    if given:
        request.need("chat:write.customize")
    return given


def _warned(content: Content) -> JSON:
    if not content.warnings:
        return {}
    return {"warning": ",".join(content.warnings), "response_metadata": {"warnings": content.warnings}}


@method("chat.postMessage", Tier.POST, "chat:write")
async def post_message(request: Request) -> JSON:
    """Post a message."""
    channel = destination(request)
    may_write(request, channel)
    content = not_too_long(read_content(request.args, request.world))
    extra = {**thread_of(request, channel), **_customised(request)}
    stored = request.world.post(channel.id, {**by_app(request), **content.fields(), **extra})
    return {"channel": channel.id, "ts": stored["ts"], "message": copied(stored), **_warned(content)}


@method("chat.postEphemeral", Tier.FOUR, "chat:write")
async def post_ephemeral(request: Request) -> JSON:
    """Whisper to one person in a channel both are in."""
    channel = destination(request, may_open_dm=False)
    user_id = request.args.required("user")
    if request.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("is_archived")
    if user_id not in request.world.users:
        raise ApiError("user_not_found")
    if user_id not in channel.members:
        raise ApiError("user_not_in_channel")
    content = read_content(request.args, request.world)
    content.metadata = None  # ignored for ephemeral messages
    extra = thread_of(request, channel)
    stored = request.world.whisper(channel.id, user_id, {**by_app(request), **content.fields(), **extra})
    return {"message_ts": stored["ts"]}


def _own(request: Request, channel: Channel, refusal: str) -> JSON:
    message = request.world.message(channel.id, request.args.required("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if message.get("bot_id") != request.world.config.app.bot_id:
        raise ApiError(refusal)
    return message


def _by_id(request: Request) -> Channel:
    channel = request.world.channels.get(request.args.required("channel"))
    if channel is None or not request.world.visible_to(request.bot_user_id, channel):
        raise ApiError("channel_not_found")
    return channel


@method("chat.update", Tier.THREE, "chat:write")
async def update(request: Request) -> JSON:
    """Change an own message; text without blocks drops the blocks."""
    channel = _by_id(request)
    message = _own(request, channel, "cant_update_message")
    if channel.is_archived:
        raise ApiError("is_inactive")  # an edit is refused by another word than a post
    content = not_too_long(read_content(request.args, request.world, longest=LONGEST_UPDATE))
    changes: JSON = {}
    drop: list[str] = []
    if content.text is not None:
        # Parsed as a client would unless told otherwise (https://docs.slack.dev/reference/methods/chat.update): links
        # and mentions are taken for typed (github.com/shaharia-lab/slackcli/pull/120).
        is_verbatim = request.args.string("parse") == "none"
        changes["text"] = content.text if is_verbatim else content.text.replace("<", "&lt;").replace(">", "&gt;")
    for name, given in (("blocks", content.blocks), ("attachments", content.attachments)):
        if given:
            changes[name] = given
        elif given is not None or (name == "blocks" and content.text is not None):
            drop.append(name)
    if content.metadata:
        changes["metadata"] = content.metadata
    elif content.metadata is not None:
        drop.append("metadata")
    request.world.edit(channel.id, message, request.bot_user_id, changes, drop=drop)
    told = copied(message)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": told, **_warned(content)}


@method("chat.delete", Tier.THREE, "chat:write")
async def delete(request: Request) -> JSON:
    """Delete an own message."""
    channel = _by_id(request)
    message = _own(request, channel, "cant_delete_message")
    request.world.delete(channel.id, message)
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.getPermalink", Tier.MANY, takes_json=False)
async def get_permalink(request: Request) -> JSON:
    """A link to a message."""
    channel = _by_id(request)
    ts = request.args.required("message_ts")
    if request.world.message(channel.id, ts) is None:
        raise ApiError("message_not_found")
    link = f"https://{request.world.team_domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


@method("chat.scheduleMessage", Tier.THREE, "chat:write")
async def schedule_message(request: Request) -> JSON:
    """Keep a message until its time."""
    channel = destination(request)
    may_write(request, channel)
    post_at = request.args.number("post_at", 0, 0, 10**11)
    now = request.world.clock().timestamp()
    if post_at <= now:
        raise ApiError("time_in_past")
    if post_at > now + FURTHEST_SECONDS:
        raise ApiError("time_too_far")
    content = not_too_long(read_content(request.args, request.world))
    extra = thread_of(request, channel)
    message = {**by_app(request), **content.fields(), **extra}
    scheduled_id = random_id("Q")
    entry = {"id": scheduled_id, "channel_id": channel.id, "post_at": post_at, "date_created": int(now)}
    request.world.scheduled[scheduled_id] = {**entry, "message": message}
    return {"channel": channel.id, "scheduled_message_id": scheduled_id, "post_at": post_at, "message": message}


@method("chat.scheduledMessages.list", Tier.THREE)
async def scheduled_messages(request: Request) -> JSON:
    """What still waits for its time."""
    wanted = request.args.string("channel")
    entries = [
        {
            **{name: entry[name] for name in ("id", "channel_id", "post_at", "date_created")},
            "text": entry["message"]["text"],
        }
        for entry in request.world.scheduled.values()
        if wanted in (None, entry["channel_id"])
    ]
    return {"scheduled_messages": entries, "response_metadata": {"next_cursor": ""}}


@method("chat.deleteScheduledMessage", Tier.THREE, "chat:write")
async def delete_scheduled(request: Request) -> JSON:
    """Take a waiting message back."""
    _by_id(request)
    if request.world.scheduled.pop(request.args.required("scheduled_message_id"), None) is None:
        raise ApiError("invalid_scheduled_message_id")
    return {}
