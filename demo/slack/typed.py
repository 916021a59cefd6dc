"""What becomes of what people type before an app hears of it: escaped by their client, made into links by Slack.

`&`, `<` and `>` arrive as entities (https://docs.slack.dev/messaging/formatting-message-text/#escaping). What looks
like an address arrives as a link, whether it was meant as one or not: `search.py` as `<http://search.py|search.py>`
(github.com/slackapi/hubot-slack/issues/181, github.com/looker/lookerbot/issues/20).
"""

from __future__ import annotations

import re
from collections.abc import Callable

# A reference that a client put there: <@U…>, <#C…|name>, <!here>, <https://…>.
_REFERENCE = re.compile(r"<(?:[@#!]|https?:|mailto:)[^<>\n]*>")
_ADDRESS = re.compile(
    r"(?P<url>https?://[^\s<>|]+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<domain>(?<![\w@/.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:ai|app|co|com|dev|id|io|jp|kr|md|net|org|py|sh)"
    r"(?:/[^\s<>|]*)?(?![\w.-]))",
    re.ASCII | re.IGNORECASE,
)


def escaped(text: str) -> str:
    """What a client sends for what was typed into it."""
    return _between_references(text, lambda part: part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def linked(text: str) -> str:
    """What Slack makes of a message: addresses are links."""
    return _between_references(text, lambda part: _ADDRESS.sub(_link, part))


def linked_addresses(text: str) -> str:
    """What Slack makes of the words of a command that wants links escaped: only of addresses written in full."""
    return _between_references(text, lambda part: re.sub(r"https?://[^\s<>|]+", r"<\g<0>>", part))


def _link(found: re.Match[str]) -> str:
    if found["url"]:
        return f"<{found[0]}>"
    return f"<mailto:{found[0]}|{found[0]}>" if found["mail"] else f"<http://{found[0]}|{found[0]}>"


def _between_references(text: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for reference in _REFERENCE.finditer(text):
        parts += [change(text[end : reference.start()]), reference[0]]
        end = reference.end()
    return "".join([*parts, change(text[end:])])
