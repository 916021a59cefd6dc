"""`python3 run.py run audit …`: is every trail as it was written, and one of them as a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TextIO

from blocks import audit as words_of
from bot import Bot
from bot.settings import Settings
from finops.audit_files import CSV, FORMS, JSONL, encoding_of, head, line
from finops.frozen import frozen
from handlers.operating_order import SCREEN, which, without_workspace, workspace
from locales import translator_for


@frozen
class _Order:
    """What is to be done with the trail. `file` '': verify it."""

    workspace: str
    file: str = ""
    form: str = CSV


def is_order(words: Sequence[str]) -> bool:
    """Whether `audit` was followed by what it can do: `verify`, or `export FILE` and a form."""
    return _order(words) is not None


async def audit(bot: Bot, words: Sequence[str], settings: Settings) -> tuple[str, bool]:
    """Say of every workspace whether its chain is intact, or write one trail to a file; and whether all is well."""
    order = _order(words)
    assert order is not None, "an order is understood before anything is opened"
    if not order.file:
        return await _verified(bot, order, settings)
    workspace_id = await workspace(bot, order.workspace)
    if not workspace_id:
        return await which(bot), False
    try:
        return await _exported(bot, workspace_id, order), True
    except OSError as error:
        return f"{order.file}: {error.strerror}.\n", False


async def _verified(bot: Bot, order: _Order, settings: Settings) -> tuple[str, bool]:
    t = translator_for(settings.locale, settings.collect_timezone)
    parts, is_well = [], True
    for one in await bot.people.workspaces():
        if order.workspace in {"", one.id}:
            verdict = await bot.audit.verify(one.id)
            is_well = is_well and verdict.ok
            parts.append(words_of.report(f"{one.name} ({one.id})", verdict, t))
    if not parts:
        return await which(bot) if order.workspace else "There is no workspace yet.\n", not order.workspace
    return "\n".join(parts), is_well


async def _exported(bot: Bot, workspace_id: str, order: _Order) -> str:
    async with aclosing(bot.audit.everything(workspace_id)) as rows:
        if order.file == SCREEN:
            return head(order.form) + "".join([line(row, workspace_id, order.form) async for row in rows])
        count = 0
        with _opened(order) as file:
            file.write(head(order.form))
            async for row in rows:
                file.write(line(row, workspace_id, order.form))
                count += 1
    return f"{order.file} written: {count} rows.\n"


def _opened(order: _Order) -> TextIO:
    return Path(order.file).open("w", encoding=encoding_of(order.form), newline="")


def _order(words: Sequence[str]) -> _Order | None:
    left, named = without_workspace(words)
    match left:
        case ["verify"]:
            return _Order(named)
        case ["export", file] if not file.startswith("--"):
            return _Order(named, file, JSONL if file.endswith((".jsonl", ".ndjson")) else CSV)
        case ["export", file, form] if form in FORMS:
            return _Order(named, file, form)
    return None
