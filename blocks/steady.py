"""Buttons that stay where they were: a click on its way while a message is edited still finds what was clicked.

Slack names every block that has no name, and anew at each edit; a click names the block that was on the screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

Block = dict[str, Any]

BLOCK_ID = 255
# Only what keeps no state: a menu of choices that kept its name would keep what was chosen, too, whatever we send.
_STATELESS = frozenset({"button", "overflow"})


def steady(blocks: Sequence[Block]) -> list[Block]:
    """The blocks; one of nothing but buttons is named after what they do and to what, unless it has a name.

    The same buttons have the same name in every edit, others have another, and no two blocks of a message share one.
    """
    taken = Counter(block["block_id"] for block in blocks if "block_id" in block)
    found = []
    for block in blocks:
        deeds = "+".join(_deeds(block))
        if "block_id" in block or not deeds or len(deeds) > BLOCK_ID - 4:
            found.append(block)
            continue
        taken[deeds] += 1
        found.append(block | {"block_id": deeds if taken[deeds] == 1 else f"{deeds}#{taken[deeds]}"})
    return found


def _deeds(block: Block) -> Iterator[str]:
    """What can be pressed here, each as an action id and what it is about; nothing where something has a state."""
    pressed = block["elements"] if block["type"] == "actions" else [block["accessory"]] if "accessory" in block else []
    if all(one["type"] in _STATELESS for one in pressed):
        for one in pressed:
            about = [one["value"]] if "value" in one else [entry["value"] for entry in one.get("options", ())]
            yield ":".join([one["action_id"], *about])
