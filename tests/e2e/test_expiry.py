"""A key about to expire: the warning's one button leads to the window that replaces this very key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from demo.openai import AdminKey
from handlers.addresses import BOT
from tests.e2e.stages import Stage, ids, set_up, window, words_of

FRESH_KEY = "sk-" + "admin-" + "fresh0000000000000000new1"


async def test_the_button_of_the_warning_replaces_the_key(quick_stage: Stage) -> None:
    """From the direct message to a key with another end, without a command; then there is nothing to warn of."""
    stage, keys = quick_stage, quick_stage.openai.organization.admin_keys
    [expiring] = [key for key in keys if key.secret == stage.props.marketing_key]
    expiring.expires_at = datetime.now(UTC) + timedelta(days=2, hours=12)
    keys.append(AdminKey(FRESH_KEY))
    person = await set_up(stage)
    bot = stage.product[BOT]
    await bot.expiring.everywhere()  # the program's own look may have been first

    def warnings() -> list[dict[str, object]]:
        return [one for one in stage.slack.messages(person.dm) if "3일 뒤 만료됩니다" in one["text"]]

    await stage.slack.until(lambda: bool(warnings()), 10)
    [warning] = warnings()
    await person.clicks(warning, ids.KEY_REPLACE)
    assert "abc1" in words_of(await window(stage, person, ids.VIEW_KEY_REPLACE))
    assert (await person.submits(None, {ids.KEY: FRESH_KEY}))["ok"]
    shown = words_of(await window(stage, person, ids.VIEW_INFO))
    assert "new1" in shown
    assert "만료일" not in shown
    assert await bot.expiring.warnings() == []
