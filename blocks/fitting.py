"""How long a message may be in all: paragraphs that admit they were cut, and a message that Slack takes whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Block = dict[str, Any]

ELLIPSIS = "…"
# Slack refuses blocks by their sum, too (`msg_blocks_too_long`), and documents no number. Its people speak of 12,000
# characters of text with some room for what holds them (github.com/slackapi/bolt-js/issues/2509); 11,341 of them were
# refused in blocks of rich text (github.com/slackapi/bolt-js/issues/2867).
MESSAGE_TEXT = 10_000
_SHORTEST = 100
# Tables and charts have limits of their own; a question before a deed is never cut.
_NEVER_CUT = frozenset({"confirm", "rows", "chart"})
_TEXTS = frozenset({"mrkdwn", "text"})


def paragraph(text: str, limit: int) -> str:
    """The text, or as much of it as fits: up to the last whole line, and what shows that it was cut."""
    if len(text) <= limit:
        return text or " "
    kept = text[: limit - 2]
    return (kept[: kept.rfind("\n")] if "\n" in kept else kept[: max(kept.rfind(" "), limit // 2)]) + "\n" + ELLIPSIS


def fitting(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, no longer together than Slack takes: what is longest is cut first, and every block stays."""
    found, limit = list(blocks), 3000
    while characters(found) > MESSAGE_TEXT and limit > _SHORTEST:
        limit = max(limit * 9 // 10, _SHORTEST)
        found = _cut(found, limit)
    return found


def characters(part: Any) -> int:
    """The characters of text in blocks; those of tables and charts are counted by limits of their own."""
    if isinstance(part, dict):
        own = part.get("text")
        inner = sum(characters(value) for name, value in part.items() if name not in ("rows", "chart"))
        return inner + (len(own) if isinstance(own, str) else 0)
    return sum(map(characters, part)) if isinstance(part, list) else 0


def _cut(part: Any, limit: int) -> Any:
    if isinstance(part, list):
        return [_cut(each, limit) for each in part]
    if not isinstance(part, dict):
        return part
    cut = {name: value if name in _NEVER_CUT else _cut(value, limit) for name, value in part.items()}
    if part.get("type") in _TEXTS and isinstance(part.get("text"), str):
        cut["text"] = paragraph(part["text"], limit)
    return cut
