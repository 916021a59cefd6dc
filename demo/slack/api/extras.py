"""The neighbours: validating blocks, reactions, pins, bookmarks and external files."""

from __future__ import annotations

import json
from typing import Any

from demo.slack.api.conversations import seen
from demo.slack.api.request import Request, method
from demo.slack.blockkit import Problem, check, check_view
from demo.slack.cast import Channel
from demo.slack.limits import Tier
from demo.slack.wire import JSON, ApiError, random_id

LONGEST_TO_VALIDATE = 100_000
LONGEST_ALT_TEXT = 1_000


@method("blocks.validate", Tier.FOUR, token=None)
async def blocks_validate(request: Request) -> JSON:
    """Say what is wrong with blocks, a message or a view, with a pointer for each problem."""
    names = ("blocks", "message", "view")
    given = {name: request.args.values[name] for name in names if request.args.values.get(name) not in (None, "")}
    if len(given) != 1:
        raise _said("must provide exactly one of `blocks`, `view`, or `message`")
    ((name, value),) = given.items()
    if isinstance(value, str):
        if len(value) > LONGEST_TO_VALIDATE:
            raise _said(f"`{name}` must be less than {LONGEST_TO_VALIDATE + 1} characters")
        try:
            value = json.loads(value)
        except ValueError:
            raise _said(f"`{name}` must be valid JSON") from None
    problems = _problems(name, value, careful=request.world.config.careful_block_limits)
    if problems:
        told = [{"code": "failed_constraint", "message": each.message, "pointer": each.pointer} for each in problems]
        raise ApiError(f"invalid_{name}", errors=told)
    return {}


def _problems(name: str, value: Any, *, careful: bool) -> list[Problem]:
    if name == "view":
        return check_view(value, careful=careful, at="")
    if name == "message":
        blocks = value.get("blocks", []) if isinstance(value, dict) else value
        return check(blocks, "message", careful=careful)
    return check(value, "message", careful=careful, at="")


def _said(message: str) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": [message]})


def _message(request: Request) -> tuple[Channel, JSON]:
    channel = seen(request, request.args.required("channel"))
    message = request.world.message(channel.id, request.args.required("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    if request.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    return channel, message


@method("reactions.add", Tier.THREE, "reactions:write")
async def reactions_add(request: Request) -> JSON:
    """Add a reaction."""
    name = request.args.required("name").strip(":")
    channel, message = _message(request)
    reactions: list[JSON] = message.setdefault("reactions", [])
    found = next((each for each in reactions if each["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if request.bot_user_id in found["users"]:
        raise ApiError("already_reacted")
    found["users"].append(request.bot_user_id)
    found["count"] += 1
    request.world.touched(channel.id, message)
    return {}


@method("reactions.remove", Tier.TWO, "reactions:write")
async def reactions_remove(request: Request) -> JSON:
    """Take a reaction back."""
    name = request.args.required("name").strip(":")
    channel, message = _message(request)
    for found in message.get("reactions", []):
        if found["name"] == name and request.bot_user_id in found["users"]:
            found["users"].remove(request.bot_user_id)
            found["count"] -= 1
            message["reactions"] = [each for each in message["reactions"] if each["count"]]
            request.world.touched(channel.id, message)
            return {}
    raise ApiError("no_reaction")


@method("reactions.get", Tier.THREE, "reactions:read", takes_json=False)
async def reactions_get(request: Request) -> JSON:
    """The reactions of a message."""
    channel, message = _message(request)
    return {"type": "message", "channel": channel.id, "message": message}


@method("pins.add", Tier.TWO, "pins:write")
async def pins_add(request: Request) -> JSON:
    """Pin a message."""
    channel, message = _message(request)
    pinned = request.world.pins[channel.id]
    if message["ts"] in pinned:
        raise ApiError("already_pinned")
    pinned.append(message["ts"])
    return {}


@method("pins.list", Tier.TWO, "pins:read", takes_json=False)
async def pins_list(request: Request) -> JSON:
    """The pinned messages of a channel."""
    channel = seen(request, request.args.required("channel"))
    found = [request.world.message(channel.id, ts) for ts in request.world.pins[channel.id]]
    return {"items": [{"type": "message", "channel": channel.id, "message": each} for each in found if each]}


@method("bookmarks.add", Tier.TWO, "bookmarks:write")
async def bookmarks_add(request: Request) -> JSON:
    """Add a link to the top of a channel."""
    channel = seen(request, request.args.required("channel_id"))
    if request.args.required("type") != "link":
        raise ApiError("invalid_bookmark_type")
    bookmark: JSON = {
        "id": random_id("Bk"),
        "channel_id": channel.id,
        "title": request.args.required("title"),
        "link": request.args.required("link"),
        "emoji": request.args.string("emoji") or "",
        "type": "link",
        "app_id": request.world.config.app.app_id,
    }
    request.world.bookmarks[channel.id].append(bookmark)
    return {"bookmark": bookmark}


@method("bookmarks.list", Tier.THREE, "bookmarks:read")
async def bookmarks_list(request: Request) -> JSON:
    """The links at the top of a channel."""
    channel = seen(request, request.args.required("channel_id"))
    return {"bookmarks": request.world.bookmarks[channel.id]}


@method("files.getUploadURLExternal", Tier.FOUR, "files:write", takes_json=False)
async def files_get_upload_url(request: Request) -> JSON:
    """An address to post the bytes of a file to."""
    filename = request.args.required("filename")
    length = request.args.number("length", 0, 0, 10**9)
    if length < 1:
        raise ApiError("missing_argument")
    if len(request.args.string("alt_txt") or "") > LONGEST_ALT_TEXT:
        raise ApiError("alt_txt_too_large")
    file_id = random_id("F")
    ticket: JSON = {"id": file_id, "name": filename, "size": length, "state": "waiting"}
    ticket["alt_txt"] = request.args.string("alt_txt") or ""
    request.hub.uploads[file_id] = ticket
    return {"upload_url": f"{request.hub.url}/upload/v1/{file_id}", "file_id": file_id}


@method("files.completeUploadExternal", Tier.FOUR, "files:write")
async def files_complete_upload(request: Request) -> JSON:
    """Finish uploads; with a channel, share them there in a message of their own."""
    given = request.args.structure("files", "invalid_arguments")
    if not isinstance(given, list) or not given:
        raise ApiError.arguments("missing required field: files")
    finished: list[JSON] = []
    for each in given:
        ticket = request.hub.uploads.get(each.get("id", "") if isinstance(each, dict) else "")
        if ticket is None or ticket["state"] != "uploaded":
            raise ApiError("file_not_found")
        title = each.get("title") or ticket["name"]
        address = f"{request.hub.url}/files/{ticket['id']}/{ticket['name']}"
        file = {"id": ticket["id"], "name": ticket["name"], "title": title, "size": ticket["size"], "shares": {}}
        finished.append({**file, "url_private": address, "permalink": address, "user": request.bot_user_id})
    channel_id = request.args.string("channel_id")
    channel = seen(request, channel_id) if channel_id else None
    if channel is not None and request.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")  # chat:write.public opens no channel to files
    for file in finished:
        request.hub.uploads[file["id"]]["state"] = "complete"
        request.world.files[file["id"]] = file
    if channel is not None:
        _share(request, channel, finished)
    return {"files": [{"id": file["id"], "title": file["title"]} for file in finished]}


def _share(request: Request, channel: Channel, files: list[JSON]) -> None:
    from demo.slack.api.chat import by_app, may_write, thread_of

    may_write(request, channel)
    text = request.args.string("initial_comment") or ""
    extra = thread_of(request, channel)
    stored = request.world.post(channel.id, {**by_app(request), "text": text, "files": files, **extra})
    for file in files:
        file["shares"] = {"public": {channel.id: [{"ts": stored["ts"]}]}}


@method("files.info", Tier.FOUR, "files:read", takes_json=False)
async def files_info(request: Request) -> JSON:
    """One file."""
    file = request.world.files.get(request.args.required("file"))
    if file is None:
        raise ApiError("file_not_found")
    return {"file": file, "comments": [], "response_metadata": {"next_cursor": ""}}
