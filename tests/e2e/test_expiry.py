"""A key about to expire: the warning's one button leads to the window that replaces this very key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from demo.openai import AdminKey
from handlers.addresses import BOT
from jobs.announcer import Announcer
from tests.e2e.stages import Stage, ids, set_up, window, words_of

FRESH_KEY = "sk-" + "admin-" + "fresh0000000000000000new1"


class OneWorkspace:
    """The clients app.py hands out, for the workspace of the stage."""

    def __init__(self, stage: Stage) -> None:
        token = stage.slack.config.bot_token
        self._client = AsyncWebClient(token=token, base_url=stage.slack.api_url, retry_handlers=[])

    async def of(self, _: str) -> AsyncWebClient:
        return self._client


async def test_the_button_of_the_warning_replaces_the_key(quick_stage: Stage) -> None:
    """From the direct message to a key with another end, without a command; then there is nothing to warn of."""
    stage, keys = quick_stage, quick_stage.openai.organization.admin_keys
    [expiring] = [key for key in keys if key.secret == stage.props.marketing_key]
    expiring.expires_at = datetime.now(UTC) + timedelta(days=2, hours=12)
    keys.append(AdminKey(FRESH_KEY))
    person = await set_up(stage)
    bot = stage.product[BOT]
    await Announcer(bot, OneWorkspace(stage)).tell_expiring()

    def warnings() -> list[dict[str, object]]:
        return [one for one in stage.slack.messages(person.dm) if "3일 뒤 만료됩니다" in one["text"]]

    await stage.slack.until(lambda: bool(warnings()), 10)  # the program's own look may have been first
    [warning] = warnings()
    await person.clicks(warning, ids.KEY_REPLACE)
    assert "abc1" in words_of(await window(stage, person, ids.VIEW_KEY_REPLACE))
    assert (await person.submits(None, {ids.KEY: FRESH_KEY}))["ok"]
    shown = words_of(await window(stage, person, ids.VIEW_INFO))
    assert "new1" in shown
    assert "만료일" not in shown
    assert await bot.connections.expiring() == []
