"""Whole payloads: a list of blocks, or a view, against every limit Slack documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from demo.slack.blockkit.blocks import BLOCKS
from demo.slack.blockkit.node import Check, Node, Problem, Report, Surface, boolean, by_type, only_on, shape, string
from demo.slack.blockkit.objects import plain

MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
MOST_VIEW_BYTES = 250_000

_RULES: dict[Surface, Check] = {
    surface: by_type({kind: only_on(rule, *where) for kind, (rule, where) in BLOCKS.items()})
    for surface in ("message", "modal", "home")
}


def check(blocks: Any, surface: Surface, *, careful: bool = False, at: str = "/blocks") -> list[Problem]:
    """Everything Slack would refuse in these blocks on this surface; empty when it would take them.

    `careful` holds to the smaller number where copies of the documentation disagree (chart series and segments 6,
    data tables 101 rows and 10,000 characters, option values 75). `at` is where the blocks stand in the payload.
    """
    report = Report(surface, careful)
    _check_list(Node(blocks, at, report))
    return report.problems


def check_view(view: Any, *, careful: bool = False, at: str = "/view") -> list[Problem]:
    """Everything Slack would refuse in this modal or Home, apart from its size (`view_too_large`)."""
    kind = view.get("type") if isinstance(view, dict) else None
    report = Report("home" if kind == "home" else "modal", careful)
    by_type({"modal": _modal, "home": _home})(Node(view, at, report))
    return report.problems


def too_large(view: Any) -> bool:
    """Whether a view is beyond what Slack takes at all."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > MOST_VIEW_BYTES


def _check_list(node: Node) -> None:
    if not isinstance(node.value, list):
        node.say("must provide an array")
        return
    most = MOST_BLOCKS[node.surface]
    if len(node.value) > most:
        node.say(f"no more than {most} items allowed")
    rule = _RULES[node.surface]
    for index in range(len(node.value)):
        rule(node.child(index))
    _ids_are_unique(node)
    _one_focus(node)


def _walk(node: Node) -> Iterator[Node]:
    for index, block in enumerate(node.value):
        if isinstance(block, dict):
            here = node.child(index)
            yield here
            if block.get("type") == "container" and isinstance(block.get("child_blocks"), list):
                yield from _walk(here.child("child_blocks"))


def _elements(block: Node) -> Iterator[Node]:
    for name in ("accessory", "element"):
        if isinstance(block.get(name), dict):
            yield block.child(name)
    for name in ("elements", "actions"):
        if isinstance(block.get(name), list):
            parts = block.child(name)
            for index, part in enumerate(parts.value):
                if isinstance(part, dict):
                    yield parts.child(index)
                    if part.get("type") == "card":
                        yield from _elements(parts.child(index))


def _ids_are_unique(node: Node) -> None:
    seen: set[str] = set()
    for block in _walk(node):
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                block.child("block_id").say(f'`block_id` "{block_id}" already exists')
            seen.add(block_id)
        actions: set[str] = set()
        for element in _elements(block):
            action_id = element.get("action_id")
            if isinstance(action_id, str):
                if action_id in actions:
                    element.child("action_id").say(f'`action_id` "{action_id}" already exists')
                actions.add(action_id)


def _one_focus(node: Node) -> None:
    focused = [part for block in _walk(node) for part in _elements(block) if part.get("focus_on_load") is True]
    for part in focused[1:]:
        part.child("focus_on_load").say("only one element can have focus_on_load set to true")


def _inputs_need_submit(node: Node) -> None:
    blocks = node.get("blocks")
    if not isinstance(blocks, list) or node.get("submit") is not None:
        return
    if any(isinstance(block, dict) and block.get("type") == "input" for block in blocks):
        node.say("missing required field: submit")


_common: dict[str, Check] = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
_modal = shape(
    {"title": plain(24), "blocks": _check_list},
    {
        **_common,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
    _inputs_need_submit,
)
_home = shape({"blocks": _check_list}, _common)
