"""Sample data with every block, element and composition object (gallery.json), and small builders for more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

JSON = dict[str, Any]
NOON = 1783306800  # Monday 6 July 2026, 12:00 in Seoul


def ts(minutes: float) -> str:
    """A message timestamp so many minutes after noon."""
    return f"{NOON + int(minutes * 60)}.000000"


def plain(text: str) -> JSON:
    """A plain_text object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def option(text: str, value: str, description: str | None = None) -> JSON:
    """An option object."""
    return {"text": plain(text), "value": value, **({"description": plain(description)} if description else {})}


def section(text: str) -> JSON:
    """A section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def bot(when: str, text: str, blocks: list[JSON] | None = None, **more: Any) -> JSON:
    """A message of the app."""
    return {"ts": when, "user": "U0FINOPSBT", "bot_id": "B0FINOPSBT", "text": text, "blocks": blocks or [], **more}


def said(when: str, user: str, text: str, **more: Any) -> JSON:
    """A message of a person."""
    return {"ts": when, "user": user, "text": text, **more}


_READ: JSON = json.loads(Path(__file__).with_name("gallery.json").read_text("utf-8"))
MESSAGES: dict[str, list[JSON]] = _READ["messages"]
HOME: JSON = _READ["home"]
STEP: JSON = _READ["step"]
EVERY_INPUT: JSON = _READ["every_input"]
ROOT = ts(8)  # the message of #finops that has a thread
LAB: list[JSON] = [
    {
        "title": "키",
        "items": [
            # Assembled, so that no scanner takes them for real ones.
            {"label": "마케팅팀 Admin 키", "value": "sk-admin-" + "Xq7" * 9 + "abc1", "copy": True},
            {"label": "프로젝트 키 (잘못된 종류)", "value": "sk-proj-" + "Zt3" * 6, "copy": True},
        ],
    },
    {
        "title": "고장",
        "items": [
            {"label": "OpenAI 500 세 번", "action": {"path": "/_sim/openai/faults", "body": {"status": 500}}},
            {"label": "Slack 429", "action": {"path": "/_sim/slack/faults", "body": {"error": "ratelimited"}}},
        ],
    },
]
STATE: JSON = {**_READ["state"], "messages": MESSAGES, "home": HOME, "lab": LAB}
