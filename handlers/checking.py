"""The check-up: what only we can ask Slack, and the test of a button's way there and back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime

from blocks import doctor
from blocks.answered import error_code
from bot.results import SlackCheck
from handlers import manifest
from handlers.authorizing import DEAD_TOKEN
from handlers.outages import SLACK_FAILS
from handlers.visit import Visit


async def examine(visit: Visit) -> None:
    """`/finops doctor`"""
    if visit.channel_id is None and visit.trigger_id is not None:
        await visit.loading()
    check = await slack_check(visit)
    if visit.came_by_socket:
        check = replace(check, app_token_ok=True)
    with suppress(*SLACK_FAILS):  # what Slack does not tell stays as it is
        await visit.meet_unseen_admins()
    findings = await visit.bot.doctor.examine(visit.workspace_id, check)
    teams = await visit.bot.teams.managed_by(await visit.person(), await visit.groups())
    told = doctor.message(findings, await visit.words(), has_buttons=visit.channel_id is not None, teams=teams)
    await visit.answer(told)


async def ping(visit: Visit) -> None:
    """The test button was pressed: Slack says when, our clock says when it arrived."""
    clicked = visit.clicked_at
    seconds = visit.bot.clock().timestamp() - float(clicked) if clicked.replace(".", "", 1).isdecimal() else 0.0
    await visit.answer(doctor.pong(seconds, await visit.words()))


async def slack_check(visit: Visit) -> SlackCheck:
    """Ask Slack who we are: the token, its scopes, and Slack's own clock."""
    try:
        answer = await visit.client.auth_test()
    except SLACK_FAILS as error:
        code = error_code(error)
        return SlackCheck(bot_token_ok=False if code in DEAD_TOKEN else None, error=code)
    headers = {str(name).lower(): str(value) for name, value in (answer.headers or {}).items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = tuple(scope for scope in manifest.scopes() if scope not in granted) if granted else ()
    skew = None
    if "date" in headers:
        skew = visit.bot.clock().timestamp() - parsedate_to_datetime(headers["date"]).timestamp()
    return SlackCheck(bot_token_ok=True, missing_scopes=missing, clock_skew_seconds=skew)
