"""What an operator asks: is it ready, what is wrong, and is every secret sealed with the newest key."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from blocks import doctor
from bot import Bot
from bot.results import Level, SlackCheck
from bot.settings import Settings
from finops.secret import Secret
from handlers.authorizing import NewClient
from handlers.checking import slack_check
from handlers.door import SocketDoor
from handlers.visit import Visit
from locales import translator_for
from storage import Storage


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
    """The doctor's report on every workspace, for a terminal, and whether nothing in it fails."""
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


async def resealed(storage: Storage) -> int:
    """Seal every secret again that an older key sealed; tells how many there were."""
    async with storage.writing() as store:
        return await store.reseal_all()


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
    try:
        check = await slack_check(visit)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return SlackCheck(bot_token_ok=False, error=type(error).__name__), name
    if settings.slack_app_token is None:
        return check, name
    try:
        await visit.client.apps_connections_open(app_token=settings.slack_app_token.reveal())
    except SlackApiError:
        return replace(check, app_token_ok=False), name
    return replace(check, app_token_ok=True), name
