"""Slack's documented limits, as a checker: every fault of a message or view with a JSON pointer to it.

Where copies of the documentation disagree, the smaller number counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

JSON = dict[str, Any]
IN_MODALS = {"section", "input", "actions", "context", "divider", "header", "image", "rich_text", "alert"}
IN_HOME = {"section", "input", "actions", "context", "divider", "header", "image", "rich_text"}
IN_MESSAGES = {
    "section",
    "actions",
    "context",
    "divider",
    "header",
    "image",
    "rich_text",
    "table",
    "data_table",
    "data_visualization",
    "context_actions",
}
MENUS = {"static_select", "multi_static_select"}
FEW = {"checkboxes": 10, "radio_buttons": 10, "overflow": 5}
EXTERNAL = {"external_select", "multi_external_select"}
BROADCAST = re.compile(r"<!|<@(?![UW][A-Z0-9]+>)|<#(?![CG][A-Z0-9]+>)")


def of_message(message: JSON) -> list[str]:
    """What Slack would refuse in a message."""
    faults = _text("/text", message.get("text"), 3000)
    blocks = message["blocks"]
    faults += [] if 1 <= len(blocks) <= 50 else [f"/blocks: {len(blocks)} blocks"]
    faults += _each(blocks, IN_MESSAGES)
    for kind, most in (("table", 1), ("data_visualization", 2)):
        count = sum(block["type"] == kind for block in blocks)
        faults += [] if count <= most else [f"/blocks: {count} times {kind}"]
    return faults


def of_view(view: JSON) -> list[str]:
    """What Slack would refuse in a modal or Home view."""
    blocks = view["blocks"]
    faults = [] if 1 <= len(blocks) <= 100 else [f"/blocks: {len(blocks)} blocks"]
    faults += [] if len(json.dumps(view, ensure_ascii=False).encode()) <= 250_000 else ["/: view_too_large"]
    faults += _each(blocks, IN_MODALS if view["type"] == "modal" else IN_HOME)
    if view["type"] != "modal":
        return faults
    for name in ("title", "submit", "close"):
        if name in view:
            faults += _plain(f"/{name}", view[name], 24)
    if any(block["type"] == "input" for block in blocks) and "submit" not in view:
        faults.append("/submit: missing though there are inputs")
    faults += [] if len(view.get("private_metadata", "")) <= 3000 else ["/private_metadata: too long"]
    json.loads(view["private_metadata"])
    return faults + ([] if 1 <= len(view["callback_id"]) <= 255 else ["/callback_id"])


def mrkdwn(surface: Any) -> Iterator[str]:
    """Every text that Slack would interpret."""
    if isinstance(surface, dict):
        if surface.get("type") == "mrkdwn":
            yield surface["text"]
        for value in surface.values():
            yield from mrkdwn(value)
    elif isinstance(surface, list):
        for value in surface:
            yield from mrkdwn(value)


def _each(blocks: list[JSON], allowed: set[str]) -> list[str]:
    faults = []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        faults.append("/blocks: block ids repeat")
    for number, block in enumerate(blocks):
        at = f"/blocks/{number}"
        if block["type"] not in allowed:
            faults.append(f"{at}: {block['type']} is not allowed here")
        faults += [] if len(block.get("block_id", "x")) <= 255 else [f"{at}/block_id"]
        faults += _block(at, block)
    return faults


def _block(at: str, block: JSON) -> list[str]:
    match block["type"]:
        case "section":
            return _section(at, block)
        case "header":
            return _plain(f"{at}/text", block["text"], 150)
        case "context":
            elements = block["elements"]
            faults = [] if 1 <= len(elements) <= 10 else [f"{at}: {len(elements)} elements"]
            return faults + [f for n, e in enumerate(elements) for f in _mrkdwn(f"{at}/elements/{n}", e, 3000)]
        case "actions":
            elements = block["elements"]
            faults = [] if 1 <= len(elements) <= 25 else [f"{at}: {len(elements)} elements"]
            names = [element["action_id"] for element in elements]
            faults += [] if len(names) == len(set(names)) else [f"{at}: action ids repeat"]
            return faults + [f for n, e in enumerate(elements) for f in _element(f"{at}/elements/{n}", e)]
        case "context_actions":
            return [fault for n, each in enumerate(block["elements"]) for fault in _thumbs(f"{at}/elements/{n}", each)]
        case "input":
            faults = _plain(f"{at}/label", block["label"], 2000)
            faults += _plain(f"{at}/hint", block["hint"], 2000) if "hint" in block else []
            return faults + _element(f"{at}/element", block["element"])
        case "rich_text":
            texts = [part["text"] for element in block["elements"] for part in element["elements"]]
            return [] if texts and all(texts) and sum(map(len, texts)) <= 4000 else [f"{at}: text"]
        case "table":
            return _table(at, block)
        case "data_table":
            return _data_table(at, block)
        case "data_visualization":
            return _chart(at, block)
    return []


def _section(at: str, block: JSON) -> list[str]:
    faults = _mrkdwn(f"{at}/text", block["text"], 3000) if "text" in block else []
    fields = block.get("fields")
    if fields is not None:
        faults += [] if 1 <= len(fields) <= 10 else [f"{at}/fields: {len(fields)}"]
        faults += [f for n, field in enumerate(fields) for f in _mrkdwn(f"{at}/fields/{n}", field, 2000)]
    elif "text" not in block:
        faults.append(f"{at}: neither text nor fields")
    return faults + (_element(f"{at}/accessory", block["accessory"]) if "accessory" in block else [])


def _table(at: str, block: JSON) -> list[str]:
    rows = block["rows"]
    faults = [] if 1 <= len(rows) <= 100 else [f"{at}/rows: {len(rows)}"]
    faults += [] if len({len(row) for row in rows}) == 1 and len(rows[0]) <= 20 else [f"{at}/rows: uneven or too wide"]
    texts = [cell["text"] for row in rows for cell in row]
    faults += [] if all(texts) else [f"{at}: an empty cell"]
    return faults + ([] if sum(map(len, texts)) <= 10_000 else [f"{at}: more than 10,000 characters"])


def _data_table(at: str, block: JSON) -> list[str]:
    rows = block["rows"]
    faults = [] if 2 <= len(rows) <= 101 else [f"{at}/rows: {len(rows)}"]
    faults += [] if len({len(row) for row in rows}) == 1 and len(rows[0]) <= 20 else [f"{at}/rows: uneven or too wide"]
    texts = [cell["text"] for row in rows for cell in row]
    faults += [] if all(texts) and block["caption"] else [f"{at}: an empty cell or caption"]
    faults += [] if 1 <= block.get("page_size", 5) <= 100 else [f"{at}/page_size"]
    return faults + ([] if sum(map(len, texts)) <= 10_000 else [f"{at}: more than 10,000 characters"])


def _chart(at: str, block: JSON) -> list[str]:
    faults = [] if 1 <= len(block["title"]) <= 50 else [f"{at}/title"]
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    faults += [] if 1 <= len(categories) <= 20 else [f"{at}/chart: {len(categories)} categories"]
    faults += [] if len(set(categories)) == len(categories) else [f"{at}/chart: categories repeat"]
    faults += [f"{at}/chart: category {name!r}" for name in categories if not 1 <= len(name) <= 20]
    faults += [] if len(chart["axis_config"].get("x_label", "x")) <= 50 else [f"{at}/chart: x_label"]
    faults += [] if 1 <= len(chart["series"]) <= 6 else [f"{at}/chart: {len(chart['series'])} series"]
    for series in chart["series"]:
        faults += [] if 1 <= len(series["name"]) <= 20 else [f"{at}/chart: series name"]
        faults += [] if [point["label"] for point in series["data"]] == categories else [f"{at}/chart: points"]
        faults += [] if all(isinstance(point["value"], int | float) for point in series["data"]) else [f"{at}: value"]
    return faults


def _element(at: str, element: JSON) -> list[str]:
    faults = [] if 1 <= len(element["action_id"]) <= 255 else [f"{at}/action_id"]
    kind = element["type"]
    if kind == "button":
        faults += _plain(f"{at}/text", element["text"], 75)
        faults += [] if len(element.get("value", "")) <= 2000 else [f"{at}/value"]
        faults += [] if element.get("style") in {None, "primary", "danger"} else [f"{at}/style"]
    if kind in MENUS | EXTERNAL | {"plain_text_input"} and "placeholder" in element:
        faults += _plain(f"{at}/placeholder", element["placeholder"], 150)
    if kind in MENUS | FEW.keys():
        options = element["options"]
        most = FEW.get(kind, 100)
        faults += [] if 1 <= len(options) <= most else [f"{at}/options: {len(options)}"]
        faults += [fault for n, option in enumerate(options) for fault in of_option(option, f"{at}/options/{n}")]
    if kind == "plain_text_input":
        faults += [] if element.get("max_length", 1) <= 3000 else [f"{at}/max_length"]
        faults += [] if len(element.get("initial_value", "")) <= element.get("max_length", 3000) else [f"{at}/initial"]
    confirm = element.get("confirm")
    if confirm:
        faults += _plain(f"{at}/confirm/title", confirm["title"], 100)
        faults += _mrkdwn(f"{at}/confirm/text", confirm["text"], 300)
        faults += _plain(f"{at}/confirm/confirm", confirm["confirm"], 30)
        faults += _plain(f"{at}/confirm/deny", confirm["deny"], 30)
    return faults


def _thumbs(at: str, element: JSON) -> list[str]:
    faults = [] if element["type"] == "feedback_buttons" and element["action_id"] else [f"{at}/type"]
    for name in ("positive_button", "negative_button"):
        faults += _plain(f"{at}/{name}", element[name]["text"], 75)
        faults += [] if 1 <= len(element[name]["value"]) <= 2000 else [f"{at}/{name}/value"]
    return faults


def of_option(option: JSON, at: str = "") -> list[str]:
    """What Slack would refuse in an entry of a menu."""
    faults = _plain(f"{at}/text", option["text"], 75)
    faults += _plain(f"{at}/description", option["description"], 75) if "description" in option else []
    return faults + ([] if 1 <= len(option["value"]) <= 75 else [f"{at}/value"])


def _plain(at: str, text: JSON, most: int) -> list[str]:
    return (["not plain_text"] if text["type"] != "plain_text" else []) + _text(at, text["text"], most)


def _mrkdwn(at: str, text: JSON, most: int) -> list[str]:
    return _text(at, text["text"], most)


def _text(at: str, text: str | None, most: int) -> list[str]:
    return [] if text and 1 <= len(text) <= most else [f"{at}: {len(text or '')} characters"]
