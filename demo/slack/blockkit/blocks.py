"""Every block: its fields, its limits, and the surfaces it exists on."""

from __future__ import annotations

from demo.slack.blockkit import elements
from demo.slack.blockkit.node import (
    Check,
    Node,
    Surface,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    integer,
    one_of,
    shape,
    string,
)
from demo.slack.blockkit.objects import ident, plain, slack_file, slack_icon, text, url
from demo.slack.blockkit.rich_text import rich_text
from demo.slack.blockkit.tables import data_table, data_visualization, table

_id: dict[str, Check] = {"block_id": ident}

section = shape(
    {},
    {
        **_id,
        "text": text(3000),
        "fields": array(text(2000), 1, 10),
        "accessory": by_type(elements.IN_SECTION),
        "expand": boolean,
    },
    at_least_one("text", "fields"),
)
actions = shape({"elements": array(by_type(elements.IN_ACTIONS), 1, 25)}, _id)
_context_element = by_type(
    {
        "image": elements.image,
        "plain_text": shape({"text": string(3000, 1)}, {"emoji": boolean}),
        "mrkdwn": shape({"text": string(3000, 1)}, {"verbatim": boolean}),
    }
)
context = shape({"elements": array(_context_element, 1, 10)}, _id)
context_actions = shape({"elements": array(by_type(elements.IN_CONTEXT_ACTIONS), 1, 5)}, _id)
divider = shape({}, _id)
header = shape({"text": plain(150)}, {**_id, "level": integer(1, 4)})
image = shape(
    {"alt_text": string(2000, 1)},
    {**_id, "image_url": url, "slack_file": slack_file, "title": plain(2000)},
    exactly_one("image_url", "slack_file"),
)


def _no_dispatch_of_files(node: Node) -> None:
    element = node.get("element")
    if node.get("dispatch_action") and isinstance(element, dict) and element.get("type") == "file_input":
        node.say("dispatch_action is not supported with file_input")


input_block = shape(
    {"label": plain(2000), "element": by_type(elements.IN_INPUT)},
    {**_id, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    _no_dispatch_of_files,
)


def _markdown_sum(node: Node) -> None:
    words = node.get("text")
    if isinstance(words, str) and node.report.count("markdown characters", len(words)) > 12_000:
        node.say("the markdown blocks of a payload must be less than 12001 characters together")


markdown = shape({"text": string(None, 1)}, _id, _markdown_sum)
alert = shape({"text": text(200)}, {**_id, "level": one_of("default", "info", "warning", "error", "success")})

_card_image = by_type({"image": elements.image})
_card_fields: dict[str, Check] = {
    **_id,
    "hero_image": _card_image,
    "icon": _card_image,
    "slack_icon": by_type({"icon": slack_icon}),
    "title": text(150),
    "subtitle": text(150),
    "body": text(200),
    "subtext": text(200),
    "actions": array(by_type({"button": elements.button}), 1, 3),
}


def _one_icon(node: Node) -> None:
    if node.get("icon") is not None and node.get("slack_icon") is not None:
        node.say("must provide only one of: icon, slack_icon")


card = shape({}, _card_fields, at_least_one("hero_image", "title", "actions", "body"), _one_icon)
carousel = shape({"elements": array(by_type({"card": card}), 1, 10)}, _id)

_sources = array(by_type({"url": shape({"url": url, "text": string(None, 1)})}))


def _task(*statuses: str) -> Check:
    return shape(
        {"task_id": string(None, 1), "title": string(None, 1)},
        {**_id, "status": one_of(*statuses), "details": rich_text, "output": rich_text, "sources": _sources},
    )


task_card = _task("in_progress", "complete", "error")


def _one_plan(node: Node) -> None:
    if node.report.count("plan") > 1:
        node.say("no more than 1 plan block allowed")


plan = shape(
    {"title": string(None, 1)},
    {**_id, "tasks": array(by_type({"task_card": _task("pending", "in_progress", "complete", "error")}))},
    _one_plan,
)
video = shape(
    {"alt_text": string(None, 1), "video_url": url, "thumbnail_url": url, "title": plain(199)},
    {
        **_id,
        "title_url": url,
        "description": plain(199),
        "provider_icon_url": url,
        "provider_name": string(49),
        "author_name": string(49),
    },
)
call = shape({"call_id": string(None, 1)}, {**_id, "api_decoration_available": boolean, "call": anything})


def file_block(node: Node) -> None:
    """Apps read this block in messages and cannot post it."""
    node.say("file blocks cannot be posted by apps")


auth_provider = shape(
    {"value": string(150, 1), "name": plain(75), "is_connected": boolean},
    {
        **_id,
        "description": plain(150),
        "icon_url": url,
        "auth_url": url,
        "disconnect_url": url,
        "connected_identity": plain(75),
        "connected_context": plain(75),
        "accessory": by_type({"overflow": elements.overflow}),
        "fallback": anything,
    },
)

_CHILDREN: dict[str, Check] = {
    "actions": actions,
    "context": context,
    "divider": divider,
    "file": file_block,
    "header": header,
    "image": image,
    "input": input_block,
    "rich_text": rich_text,
    "section": section,
    "table": table,
    "video": video,
}
container = shape(
    {"child_blocks": array(by_type(_CHILDREN), 1, 10)},
    {
        **_id,
        "title": plain(150),
        "rich_text_title": rich_text,
        "subtitle": plain(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": anything,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    exactly_one("title", "rich_text_title"),
)

_M: tuple[Surface, ...] = ("message",)
_MH: tuple[Surface, ...] = ("message", "home")
_ALL: tuple[Surface, ...] = ("message", "modal", "home")

BLOCKS: dict[str, tuple[Check, tuple[Surface, ...]]] = {
    "actions": (actions, _ALL),
    "alert": (alert, ("modal",)),
    "auth_provider": (auth_provider, _M),
    "call": (call, _M),
    "card": (card, _MH),  # documented for modals too, reported to fail there
    "carousel": (carousel, _MH),
    "container": (container, _MH),
    "context": (context, _ALL),
    "context_actions": (context_actions, _M),
    "data_table": (data_table, _MH),
    "data_visualization": (data_visualization, _M),
    "divider": (divider, _ALL),
    "file": (file_block, _M),
    "header": (header, _ALL),
    "image": (image, _ALL),
    "input": (input_block, _ALL),
    "markdown": (markdown, _M),
    "plan": (plan, _M),
    "rich_text": (rich_text, _ALL),
    "section": (section, _ALL),
    "table": (table, _MH),  # documented for Home too; not everybody has seen one there, so the product sends none
    "task_card": (task_card, _M),
    "video": (video, _ALL),
}
