"""What an operator's orders have in common: which workspace, and where what is written goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot import Bot

SCREEN = "-"


def without_workspace(words: Sequence[str]) -> tuple[list[str], str]:
    """The words of an order without `--workspace ID`, and the id; '' where none is named."""
    left = list(words)
    if "--workspace" not in left[:-1]:
        return left, ""
    place = left.index("--workspace")
    return left[:place] + left[place + 2 :], left[place + 1]


async def workspace(bot: Bot, named: str) -> str:
    """The workspace that is meant: the one named, else the only one there is; '' where that is not to be said."""
    known = [one.id for one in await bot.people.workspaces()]
    if named:
        return named if named in known else ""
    return known[0] if len(known) == 1 else ""


async def which(bot: Bot) -> str:
    """What to answer where it is not to be said which workspace is meant."""
    there = ", ".join([one.id for one in await bot.people.workspaces()]) or "none yet"
    return f"Say which workspace with --workspace ID. There are: {there}.\n"


def written(file: str, text: str, encoding: str = "utf-8") -> tuple[str, bool]:
    """The text in a file, or for the screen; what to print, and that it went well."""
    if file == SCREEN:
        return text, True
    Path(file).write_text(text, encoding=encoding, newline="")
    return f"{file} written.\n", True
