"""What somebody asked for, as the trail of refusals names it: the id of a button, window or command, and its subject.

What comes from Slack may be anything somebody sent: only what has the form of an id is taken over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from finops.audit import COMMAND
from handlers.visit import Visit

_ID = re.compile(r"[1-9][0-9]{0,17}")
# What windows call the rows they are about, the nearest first.
_NAMED = {"budget": "budget", "project": "project", "key": "key", "team": "team"}
_SUBJECT = re.compile(r"[a-z_]{1,20}:[1-9][0-9]{0,17}")


def by_command(visit: Visit, name: str) -> None:
    """A command, by its English name."""
    visit.asked = f"{COMMAND}{name}"


def by_click(visit: Visit, action_id: str, value: str) -> None:
    """A button or menu, and what it carries."""
    visit.asked = action_id
    which = value.partition("/")[0]
    if _SUBJECT.fullmatch(which):
        visit.about = which
    elif _ID.fullmatch(which):
        visit.about = f"{action_id.partition('.')[0]}:{which}"


def by_window(visit: Visit, callback_id: str, carried: Mapping[str, Any]) -> None:
    """A submitted window, and the ids it carries: the target of a stop, or the first row it names."""
    visit.asked = callback_id
    target = carried.get("target")
    if isinstance(target, str) and _SUBJECT.fullmatch(target):
        visit.about = target
        return
    rows = ((kind, carried.get(name)) for name, kind in _NAMED.items())
    visit.about = next((f"{kind}:{row}" for kind, row in rows if type(row) is int and row > 0), "")
