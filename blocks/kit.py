"""Block Kit, small and safe: Slack's limits, escaping, and truncation that says it truncated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import Any
from unicodedata import east_asian_width
from urllib.parse import urlencode

from blocks.fitting import ELLIPSIS as ELLIPSIS
from blocks.fitting import fitting, paragraph
from blocks.steady import steady
from finops.frozen import frozen
from finops.written import MARKS

Block = dict[str, Any]
View = dict[str, Any]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
SECTION_TEXT = 3000
HEADER_TEXT = 150
FIELD_TEXT = 2000
FIELDS = 10
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
OPTION_TEXT = 75
OPTIONS = 100
VIEW_TITLE = 24
PLACEHOLDER = 150
FALLBACK_TEXT = 3000
METADATA = 3000
TEXT_AREA = 3000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
TABLE_ROWS = 100
DATA_ROWS = 100
NAME = 60
AMOUNT = 40


_MARK = re.compile(r"[*_~`]")
_ALIKE = {ord(mark): alike for alike, mark in MARKS.items()}
_ENDS = frozenset(".。!?…:：,、")  # of a sentence, or of what leads on to the next one


@frozen
class Either:
    """A block a workspace may not know yet (a chart, a table) and the same facts in blocks that every one knows."""

    rich: Block
    plain: Sequence[Block]


@frozen
class Message:
    """A message: `text` is the notification and what a screen reader says, `blocks` what eyes see."""

    text: str
    blocks: list[Block]
    plain_blocks: list[Block]

    def arguments(self, *, plain: bool = False) -> dict[str, Any]:
        """For chat.postMessage, chat.update or a response url. `plain` is the answer to a refusal of the blocks."""
        return {"text": self.text, "blocks": self.plain_blocks if plain else self.blocks}


def message(text: str, parts: Iterable[Block | Either]) -> Message:
    """A message that fits: what is beyond 50 blocks is left out; the plain one is not too long together either."""
    every = list(parts)
    return Message(
        clip(spoken(text) or "-", FALLBACK_TEXT),
        steady(rich(every)[:MESSAGE_BLOCKS]),
        steady(fitting(plain(every)[:MESSAGE_BLOCKS])),
    )


def line(text: str) -> Message:
    """A message of one paragraph: what stands in a thread, or says one thing."""
    return message(text, [section(text)])


def spoken(text: str) -> str:
    """Several lines as the one that a notification has: what ends no sentence is kept apart from what follows it."""
    said = ""
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        gap = "" if not said else " " if said[-1] in _ENDS else " | "
        said += gap + line
    return said


def rich(parts: Iterable[Block | Either]) -> list[Block]:
    """The parts with their charts and tables."""
    return [part.rich if isinstance(part, Either) else part for part in parts]


def plain(parts: Iterable[Block | Either]) -> list[Block]:
    """The parts in words only."""
    return [block for part in parts for block in (part.plain if isinstance(part, Either) else [part])]


def clip(text: str, limit: int) -> str:
    """The text, or as much of it as fits with an ellipsis that admits the rest."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def message_link(workspace_id: str, channel_id: str, ts: str) -> str:
    """The address that opens a message in Slack, for whoever may see its channel."""
    asked = {"team": workspace_id, "channel": channel_id, "message_ts": ts}
    return f"https://slack.com/app_redirect?{urlencode(asked)}"


def mention(user_id: object, otherwise: str = "-") -> str:
    """A person as mrkdwn: Slack shows their name. What is no user id mentions nobody, `otherwise` stands there."""
    given = "" if user_id is None else str(user_id)
    return f"<@{given}>" if given.isalnum() else otherwise


def mentions(user_ids: Iterable[object], most: int = 5) -> str:
    """The first few of several people, whom to ask; '' where there is nobody."""
    return ", ".join([each for one in user_ids if (each := mention(one, ""))][:most])


def is_direct(channel_id: str) -> bool:
    """Whether it is a direct conversation: neither to be mentioned, nor everybody's to open."""
    return channel_id.startswith("D")


def escape(text: str) -> str:
    """Text somebody typed, shown in mrkdwn as it is: no mention, no link, no broken entity, nothing bold or struck.

    Slack knows no escape for its marks: what stands in their place looks alike, where they could mark something.
    """
    return harmless(_MARK.sub(_alike, text))


def harmless(text: str) -> str:
    """Text that somebody may have set out themselves: no mention, no link, no broken entity; bold stays bold."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _alike(found: re.Match[str]) -> str:
    """What looks like a mark. A line within or between words marks nothing: my_project and 6/29 ~ 7/5 stay."""
    mark, text = found[0], found.string
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    is_plain = (before.isalnum() and after.isalnum()) or (before.isspace() and after.isspace())
    return mark if is_plain and mark in "_~" else mark.translate(_ALIKE)


def is_key(text: str) -> bool:
    """Whether what a button carries has the form of an id of ours: digits, and no more than a database holds."""
    return text.isdecimal() and len(text) < 16


def name(text: str, limit: int = NAME) -> str:
    """A name somebody typed, on one line, short enough, and harmless in mrkdwn."""
    return escape(bare(text, limit))


def bare(text: str, limit: int = NAME) -> str:
    """A name for plain text places, where nothing is interpreted: one line, short enough."""
    return clip(" ".join(text.split()) or "-", limit)


def unmarked(mrkdwn: str) -> str:
    """Our own mrkdwn as plain words, for mail and errors beside an input: no stars, and names as they were typed."""
    return unescape(mrkdwn.replace("*", "")).translate(MARKS)


def width(text: str) -> int:
    """How wide a text is in letters of one width: a Korean, Chinese or Japanese one takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, HEADER_TEXT)}


def section(text: str, accessory: Block | None = None, block_id: str | None = None) -> Block:
    """A paragraph of mrkdwn. Too long, it ends at the last whole line and shows that it was cut."""
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": paragraph(text, SECTION_TEXT)}}
    if accessory:
        block["accessory"] = accessory
    return _with_id(block, block_id)


def fields(texts: Sequence[str]) -> Block:
    return {
        "type": "section",
        "fields": [{"type": "mrkdwn", "text": paragraph(text, FIELD_TEXT)} for text in texts[:FIELDS]],
    }


def context(*texts: str) -> Block:
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": paragraph(text, FIELD_TEXT)} for text in texts[:CONTEXT_ELEMENTS]],
    }


def divider() -> Block:
    return {"type": "divider"}


def preformatted(text: str) -> Block:
    """Aligned text, shown letter for letter: nothing in it is interpreted."""
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": clip(text, SECTION_TEXT)}]}
        ],
    }


def table(rows: Sequence[Sequence[str]], *, right: Iterable[int] = ()) -> Block:
    """A table whose first row is its head; the columns in `right` hold numbers."""
    aligned = set(right)
    width = len(rows[0])
    return {
        "type": "table",
        "column_settings": [{"align": "right" if n in aligned else "left", "is_wrapped": n == 0} for n in range(width)],
        "rows": [[{"type": "raw_text", "text": cell or "-"} for cell in row] for row in rows[:TABLE_ROWS]],
    }


def data_table(caption: str, rows: Sequence[Sequence[str | Block]], *, page_size: int = 10) -> Block:
    """A table that readers sort and page; the first row is its head. A cell that is a number brings its own block.

    At most 100 rows below the head (DATA_ROWS) and 10,000 characters in all are the caller's to keep.
    """
    return {
        "type": "data_table",
        "caption": clip(caption, HEADER_TEXT) or "-",
        "rows": [
            [cell if isinstance(cell, dict) else {"type": "raw_text", "text": cell or "-"} for cell in row]
            for row in rows[: DATA_ROWS + 1]
        ],
        "page_size": page_size,
    }


def alert(text: str, level: str = "warning") -> Block:
    """A notice at the top of a modal; a section, because alert blocks are too new to rely on."""
    sign = {"warning": ":warning:", "error": ":no_entry:", "success": ":white_check_mark:"}.get(
        level, ":information_source:"
    )
    return section(f"{sign} {text}")


def actions(*elements: Block | None, block_id: str | None = None) -> Block:
    return _with_id({"type": "actions", "elements": [e for e in elements if e][:ACTION_ELEMENTS]}, block_id)


def button(
    text: str,
    action_id: str,
    value: str | int | None = None,
    *,
    style: str | None = None,
    confirm: Block | None = None,
    url: str | None = None,
) -> Block:
    """A button. `value` is a key to look things up by; whoever clicks is judged at the click."""
    element: Block = {"type": "button", "text": _plain(text, BUTTON_TEXT), "action_id": action_id}
    if value is not None:
        element["value"] = str(value)[:BUTTON_VALUE]
    for key, given in (("style", style), ("confirm", confirm), ("url", url)):
        if given:
            element[key] = given
    return element


def feedback(action_id: str, good: tuple[str, str], bad: tuple[str, str]) -> Either:
    """Thumbs up and down below a message, each a text and a value; two plain buttons where a workspace has none."""
    plain_buttons = actions(button(good[0], f"{action_id}.good", good[1]), button(bad[0], f"{action_id}.bad", bad[1]))
    thumbs: Block = {"type": "feedback_buttons", "action_id": action_id}
    for key, (text, value) in (("positive_button", good), ("negative_button", bad)):
        thumbs[key] = {"text": _plain(text, BUTTON_TEXT), "value": value}
    return Either({"type": "context_actions", "elements": [thumbs]}, [plain_buttons])


def confirm(title: str, text: str, yes: str, no: str, *, is_danger: bool = False) -> Block:
    """The question before something hard to undo: what happens, and what does not."""
    return {
        "title": _plain(title, CONFIRM_TITLE),
        "text": {"type": "mrkdwn", "text": clip(text, CONFIRM_TEXT)},
        "confirm": _plain(yes, CONFIRM_BUTTON),
        "deny": _plain(no, CONFIRM_BUTTON),
        "style": "danger" if is_danger else "primary",
    }


def option(text: str, value: str | int, description: str | None = None) -> Block:
    block: Block = {"text": _plain(bare(text, OPTION_TEXT), OPTION_TEXT), "value": str(value)}
    if description:
        block["description"] = _plain(bare(description, OPTION_TEXT), OPTION_TEXT)
    return block


def text_input(
    name_: str, label: str, *, hint: str | None = None, placeholder: str | None = None, initial: str | None = None,
    is_optional: bool = False, max_length: int = 80,
) -> Block:  # fmt: skip
    element = typed(max_length, initial, placeholder)
    return input_block(name_, label, element, hint=hint, is_optional=is_optional)


def typed(
    max_length: int, initial: str | None = None, placeholder: str | None = None, *, is_multiline: bool = False
) -> Block:
    """What is typed into, up to so many characters; of what stands in it already an ellipsis admits what is cut."""
    element: Block = {"type": "plain_text_input", "max_length": max_length}
    if is_multiline:
        element["multiline"] = True
    if placeholder:
        element["placeholder"] = _plain(placeholder, PLACEHOLDER)
    if initial:
        element["initial_value"] = clip(initial, max_length)
    return element


def input_block(name_: str, label: str, element: Block, *, hint: str | None = None, is_optional: bool = False) -> Block:
    """A labelled input. Its block id is its name, so an error can point at it and typed text survives an update."""
    block: Block = {
        "type": "input",
        "block_id": name_,
        "label": _plain(label, 2000),
        "element": {"action_id": name_, **element},
        "optional": is_optional,
    }
    if hint:
        block["hint"] = _plain(hint, 2000)
    return block


def select(action_id: str, placeholder: str, options: Sequence[Block], selected: str | int | None = None) -> Block:
    """A menu of at most 100 entries; `selected` names the value that stands when it opens."""
    element: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": _plain(placeholder, PLACEHOLDER),
        "options": list(options[:OPTIONS]),
    }
    chosen = [entry for entry in options[:OPTIONS] if entry["value"] == str(selected)]
    if chosen:
        element["initial_option"] = chosen[0]
    return element


def channel_select(channel_id: str | None) -> Block:
    """The choice of a channel of our own: where somebody outside reads along, nobody is told of money."""
    element: Block = {
        "type": "conversations_select",
        "filter": {
            "include": ["public", "private"],
            "exclude_bot_users": True,
            "exclude_external_shared_channels": True,
        },
    }
    if channel_id and channel_id[0] in "CG":
        element["initial_conversation"] = channel_id
    return element


def modal(
    title: str,
    parts: Iterable[Block | Either],
    *,
    close: str,
    callback_id: str,
    submit: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> View:
    """A modal. `metadata` holds ids only; everything else is read again when it comes back."""
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": _plain(title, VIEW_TITLE),
        "close": _plain(close, VIEW_TITLE),
        "blocks": steady(plain(parts)[:VIEW_BLOCKS]),
        "private_metadata": json.dumps(metadata or {}, separators=(",", ":"))[:METADATA],
    }
    if submit:
        view["submit"] = _plain(submit, VIEW_TITLE)
    return view


def home(parts: Iterable[Block | Either]) -> View:
    """Home, in blocks that every workspace shows there. Tables are documented for it and were seen to be left out
    (github.com/TightknitAI/slack-block-kit-validator): nothing would say that they are missing.
    """
    return {"type": "home", "blocks": steady(plain(parts)[:VIEW_BLOCKS])}


def metadata(view: Mapping[str, Any]) -> dict[str, Any]:
    """The ids a view carried; nothing when somebody sent something else."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clip(text, limit), "emoji": True}


def _with_id(block: Block, block_id: str | None) -> Block:
    if block_id:
        block["block_id"] = block_id
    return block
