"""What an operator asks: is it ready, what is wrong, and is every secret sealed with the newest key."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from blocks import bad_news, budget_files, budget_words, doctor
from bot import Bot
from bot.budget_files import MOST_MISTAKES
from bot.errors import Refusal, RefusalCode, explain
from bot.results import Level, SlackCheck
from bot.settings import Settings
from finops.frozen import frozen
from finops.secret import Secret
from handlers import operating_audit, pricing
from handlers.authorizing import NewClient
from handlers.checking import slack_check
from handlers.operating_audit import audit
from handlers.operating_order import SCREEN, which, without_workspace, workspace, written
from handlers.outages import SLACK_FAILS
from handlers.socket_mode import SocketDoor
from handlers.visit import Visit
from locales import translator_for
from storage import Storage

_COMMANDS = frozenset({"serve", "doctor", "rotate-keys", "new-key", "manifest"})


async def readiness(storage: Storage, socket: SocketDoor | None) -> dict[str, bool]:
    """Which of the things we stand on answer now: the database, and Slack's socket where one is used."""
    try:
        await storage.ping()
        state = {"database": True}
    except (SQLAlchemyError, OSError, TimeoutError):
        state = {"database": False}
    if socket is not None:
        state["slack"] = await socket.is_open()
    return state


async def examined(bot: Bot, new_client: NewClient, settings: Settings) -> tuple[str, bool]:
    """The doctor's report on every workspace, for a terminal, and whether nothing in it fails.

    Raises SettingsError where the operator's prices would keep the bot from starting.
    """
    pricing.check(settings)
    tokens = await _tokens(bot, settings)
    t = translator_for(settings.locale, settings.collect_timezone)
    parts, is_well = [], True
    for workspace_id, token in sorted(tokens.items()):
        check, name = await _asked(bot, new_client, settings, workspace_id, token)
        findings = await bot.doctor.examine(workspace_id, check)
        is_well = is_well and all(finding.level is not Level.FAIL for finding in findings)
        parts.append(f"{name}\n{doctor.text(findings, t)}\n")
    if not tokens:
        parts.append("The app is not installed in any workspace yet.\n")
    return "\n".join(parts), is_well


def is_known(arguments: Sequence[str]) -> bool:
    """Whether the front door understands this: nothing is opened for a typo."""
    command, *words = arguments or ["serve"]
    if command == "budgets":
        return _order(words) is not None
    if command == "audit":
        return operating_audit.is_order(words)
    return command in _COMMANDS and not words


async def budgets(bot: Bot, words: Sequence[str], settings: Settings) -> tuple[str, bool]:
    """Write the budgets to a file, or say what one would change and, when told so, change it; and whether that went."""
    order = _order(words)
    assert order is not None, "an order is understood before anything is opened"
    workspace_id = await workspace(bot, order.workspace)
    if not workspace_id:
        return await which(bot), False
    try:
        if not order.is_import:
            return written(order.file, await bot.budgets.as_file(workspace_id))
        text = _text_of(order.file)
    except (OSError, UnicodeDecodeError) as error:
        return f"{order.file}: {getattr(error, 'strerror', None) or 'the file is not UTF-8 text'}.\n", False
    t = translator_for(settings.locale, settings.collect_timezone)
    try:
        plan = await bot.budgets.plan(workspace_id, text)
        if order.is_applied and not plan.diff.is_empty:
            plan = await bot.budgets.apply(workspace_id, text, plan.mark)
    except Refusal as refusal:
        if refusal.code is not RefusalCode.BUDGET_FILE:
            return f"{bad_news.sentence(explain(refusal), t)}\n", False
        return f"{budget_words.file_mistakes(refusal.values, t, limit=MOST_MISTAKES)}\n", False
    return budget_files.report(plan, t), plan.is_applied or plan.diff.is_empty or not order.is_applied


# What an operator orders with words of its own.
ORDERS: dict[str, Callable[[Bot, Sequence[str], Settings], Awaitable[tuple[str, bool]]]] = {
    "budgets": budgets,
    "audit": audit,
}


async def resealed(storage: Storage) -> int:
    """Seal every secret again that an older key sealed; tells how many there were."""
    async with storage.writing() as store:
        return await store.reseal_all()


@frozen
class _Order:
    """What is to be done with a file of budgets."""

    is_import: bool
    file: str
    is_applied: bool
    workspace: str


def _order(words: Sequence[str]) -> _Order | None:
    """The order in the words after `budgets`; None when they make none."""
    left, named = without_workspace(words)
    is_applied = "--apply" in left
    if is_applied:
        left.remove("--apply")
    if len(left) != 2 or left[0] not in {"export", "import"} or (is_applied and left[0] == "export"):
        return None
    return _Order(left[0] == "import", left[1], is_applied, named)


def _text_of(file: str) -> str:
    return sys.stdin.read() if file == SCREEN else Path(file).read_text(encoding="utf-8-sig")


async def _tokens(bot: Bot, settings: Settings) -> dict[str, Secret]:
    """Whom to examine: each installed workspace with its token. One from the settings goes by the name it had last."""
    async with bot.storage.reading() as store:
        if settings.slack_bot_token is not None:
            known = await store.workspaces.all()
            return {(known[0].id if known else ""): settings.slack_bot_token}
        return {one.team_id: one.bot_token for one in await store.installations.all() if one.team_id and one.bot_token}


async def _asked(
    bot: Bot, new_client: NewClient, settings: Settings, workspace_id: str, token: Secret
) -> tuple[SlackCheck, str]:
    visit = Visit(bot=bot, client=new_client(token), workspace_id=workspace_id, workspace_name="", user_id="")
    workspace = await bot.people.workspace(workspace_id)
    name = workspace.name if workspace else workspace_id or "Slack"
    check = await slack_check(visit)
    if settings.slack_app_token is None or check.bot_token_ok is None:
        return check, name
    try:
        await visit.client.apps_connections_open(app_token=settings.slack_app_token.reveal())
    except SLACK_FAILS:
        return replace(check, app_token_ok=False), name
    return replace(check, app_token_ok=True), name
