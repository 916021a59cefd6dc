"""What a message may be made of: text, blocks, markdown, attachments and metadata, as every door checks them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from demo.slack.arguments import Arguments
from demo.slack.blockkit import Problem, Surface, check, check_view, too_large
from demo.slack.state import World
from demo.slack.wire import JSON, ApiError, copied, short_id

LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000
LONGEST_MARKDOWN = 12_000
# A ceiling over all blocks of a posted message exists (msg_blocks_too_long) and is not documented: Slack's people speak
# of 12,000 characters of text and some room for what holds them (github.com/slackapi/bolt-js/issues/2509), and 11,341
# were refused in blocks of rich text, where a response_url took them (github.com/slackapi/bolt-js/issues/2867).
MOST_POSTED_CHARACTERS = 11_000
MOST_METADATA_CHARACTERS = 16_000  # likewise (metadata_too_large)


@dataclass(slots=True)
class Content:
    """The parts of a message that were given; None means not given."""

    text: str | None = None
    blocks: list[JSON] | None = None
    attachments: list[JSON] | None = None
    metadata: JSON | None = None
    warnings: list[str] = field(default_factory=list)

    def fields(self) -> JSON:
        """The fields of a new message."""
        told: JSON = {"text": self.text or ""}
        if self.blocks:
            told["blocks"] = self.blocks
        if self.attachments:
            told["attachments"] = self.attachments
        if self.metadata:
            told["metadata"] = self.metadata
        return told


def not_too_long(content: Content) -> Content:
    """The content of a message that is posted or edited, as opposed to an answer: all its blocks have one ceiling."""
    if _words(content.blocks) > MOST_POSTED_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    return content


def _words(value: Any) -> int:
    """The characters of text in blocks; tables and charts have ceilings of their own."""
    if isinstance(value, list):
        return sum(map(_words, value))
    if not isinstance(value, dict) or value.get("type") in ("table", "data_table", "data_visualization"):
        return 0
    text = value.get("text")
    return (len(text) if isinstance(text, str) else 0) + sum(map(_words, value.values()))


def refused(code: str, problems: list[Problem]) -> ApiError:
    """Slack's refusal of blocks or of a view: a code, and a JSON pointer for each problem."""
    told = [str(problem) for problem in problems]
    return ApiError(code, errors=[each.removeprefix("[ERROR] ") for each in told], response_metadata={"messages": told})


def read_content(args: Arguments, world: World, *, must_say: bool = True, longest: int = LONGEST_TEXT) -> Content:
    """The content of a message from its arguments, or Slack's refusal."""
    content = Content(text=args.string("text"))
    markdown = args.string("markdown_text")
    given = args.structure("blocks", "invalid_blocks_format")
    attachments = args.structure("attachments", "invalid_attachments")
    if markdown is not None:
        if content.text is not None or given:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > LONGEST_MARKDOWN:
            raise ApiError("msg_too_long")
        content.text = markdown
    if given:
        content.blocks = read_blocks(given, world, "message")
    elif given == []:
        content.blocks = []
    if attachments is not None:
        content.attachments = _attachments(attachments)
    if must_say and not content.text and not content.blocks and not content.attachments:
        raise ApiError("no_text")
    if content.text is not None and len(content.text) > longest:
        if longest == LONGEST_UPDATE:
            raise ApiError("msg_too_long")
        content.text = content.text[:longest]
        content.warnings.append("message_truncated")
    content.metadata = _metadata(args.structure("metadata", "invalid_metadata_format"))
    return content


def read_blocks(given: Any, world: World, surface: Surface, *, at: str = "/blocks") -> list[JSON]:
    """Blocks Slack takes, with the ids it adds; or `invalid_blocks` with a pointer for each problem."""
    if not isinstance(given, list):
        raise ApiError("invalid_blocks_format")
    problems = check(given, surface, careful=world.config.careful_block_limits, at=at)
    problems += _unknown_files(given, world, at) + _unknown_blocks(given, world, at)
    if problems:
        raise refused("invalid_blocks", problems)
    return dressed(given)


def read_view(given: Any, world: World, *kinds: str, at: str = "/view") -> JSON:
    """A view Slack takes, as it was given; or `invalid_arguments` with a pointer for each problem."""
    if not isinstance(given, dict):
        raise ApiError.arguments("must provide an object [json-pointer:/view]")
    if given.get("type") not in kinds:
        raise ApiError.arguments(f"must be one of: {', '.join(kinds)} [json-pointer:{at}/type]")
    if too_large(given):
        raise ApiError("view_too_large")
    problems = check_view(given, careful=world.config.careful_block_limits, at=at)
    blocks = given.get("blocks")
    problems += _unknown_files(blocks, world, f"{at}/blocks") + _unknown_blocks(blocks, world, f"{at}/blocks")
    if problems:
        raise refused("invalid_arguments", problems)
    return copied(given)


def dressed(blocks: list[JSON]) -> list[JSON]:
    """The blocks as Slack keeps them: an id for each, and what it measured of images."""
    kept: list[JSON] = copied(blocks)
    for block in every_block(kept):
        block.setdefault("block_id", short_id())
        if block["type"] == "image" and "image_url" in block:
            # Slack adds these and refuses them when an app echoes the blocks of a payload back.
            words = block["alt_text"]
            block |= {
                "fallback": words,
                "image_width": 800,
                "image_height": 450,
                "image_bytes": 1,
                "is_animated": False,
            }
        for element in elements_of(block):
            if element.get("type") not in _WITHOUT_ACTION:
                element.setdefault("action_id", short_id())
    return kept


_WITHOUT_ACTION = {"image", "plain_text", "mrkdwn", "card"}


def every_block(blocks: list[JSON]) -> Iterator[JSON]:
    """All blocks, those inside containers and carousels too."""
    for block in blocks:
        yield block
        yield from every_block(block.get("child_blocks") or [])
        if block.get("type") == "carousel":
            yield from every_block(block["elements"])


def elements_of(block: JSON) -> list[JSON]:
    """The elements of one block."""
    found = [block[name] for name in ("accessory", "element") if isinstance(block.get(name), dict)]
    for name in ("elements", "actions"):
        if isinstance(block.get(name), list) and block.get("type") not in ("rich_text", "carousel"):
            found += block[name]
    return found


def find_element(blocks: list[JSON], block_id: str, action_id: str) -> JSON | None:
    """An element by both its ids."""
    for block in every_block(blocks):
        if block.get("block_id") == block_id:
            for element in elements_of(block):
                if element.get("action_id") == action_id:
                    return element
    return None


def _attachments(given: Any) -> list[JSON]:
    if not isinstance(given, list):
        raise ApiError("invalid_attachments")
    if len(given) > 100:
        raise ApiError("too_many_attachments")
    return copied(given)


def _metadata(given: Any) -> JSON | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ApiError("invalid_metadata_format")
    if not given:
        return {}
    if not isinstance(given.get("event_type"), str) or not isinstance(given.get("event_payload"), dict):
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(given, ensure_ascii=False)) > MOST_METADATA_CHARACTERS:
        raise ApiError("metadata_too_large")
    return copied(given)


def _unknown_blocks(blocks: Any, world: World, at: str) -> list[Problem]:
    """What other workspaces know already."""
    return [
        Problem(f"{at}/{index}/type", f"unsupported type: {block['type']}")
        for index, block in enumerate(blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") in world.config.unknown_blocks
    ]


def _unknown_files(value: Any, world: World, at: str) -> list[Problem]:
    """`slack_file` has to name a file this workspace holds."""
    problems: list[Problem] = []
    if isinstance(value, dict):
        file = value.get("slack_file")
        if isinstance(file, dict) and not _known(file, world):
            problems.append(Problem(f"{at}/slack_file", "invalid slack file"))
        for name, inner in value.items():
            problems += _unknown_files(inner, world, f"{at}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            problems += _unknown_files(inner, world, f"{at}/{index}")
    return problems


def _known(file: JSON, world: World) -> bool:
    if "id" in file:
        return file["id"] in world.files
    return any(file.get("url") in (each.get("url_private"), each.get("permalink")) for each in world.files.values())
