"""A team's channel speaks the language of whoever made the team, until somebody chooses another; through the wire."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.stages import EMMA, MARKETING, MINSU, ids, scene, window, words_of

COSTS = "/v1/organization/costs"


async def test_emma_makes_a_team_and_its_channel_is_told_in_english_until_she_chooses_japanese(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """Where everybody else is Korean: an alarm in English, and the alarm's end in what was chosen since."""
    path = tmp_path / "teams.db"
    shutil.copy(sqlite_template, path)
    async with scene(f"sqlite:///{path}", FINOPS_BLIND_AFTER_MINUTES="0", FINOPS_ADMINS=EMMA) as stage:
        emma, slack = stage.slack.person(EMMA), stage.slack
        await emma.command("/finops setup")
        first = await window(stage, emma, ids.SETUP_TEAM)
        assert "The channel is told in English" in words_of(first)
        assert ids.TEAM_LANGUAGE not in str(first)
        fields = {ids.TEAM_NAME: "Marketing", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
        assert (await emma.submits(None, fields))["ok"]
        await window(stage, emma, ids.SETUP_KEY)
        assert (await emma.submits(None, {ids.KEY: stage.props.marketing_key}))["ok"]
        await window(stage, emma, ids.SETUP_KEY_DONE)
        emma.closes(everything=True)

        stage.openai.fail(path=COSTS, status=401)
        await emma.command("/finops collect")
        await slack.until(lambda: "cannot be read" in str(slack.messages(MARKETING)), 15)

        await emma.command("/finops team")
        await emma.clicks(await window(stage, emma, ids.VIEW_INFO), ids.TEAM_EDIT)
        edited = await window(stage, emma, ids.VIEW_TEAM_EDIT)
        [menu] = [one["element"] for one in edited["blocks"] if one["block_id"] == ids.TEAM_LANGUAGE]
        assert menu["initial_option"]["text"]["text"] == "English"
        assert (await emma.submits(None, {ids.TEAM_LANGUAGE: "ja"}))["ok"]
        await slack.until(lambda: "Marketing* was saved" in words_of(emma.view), 15)

        stage.openai.faults.clear()
        await emma.command("/finops collect")
        await slack.until(lambda: "cannot be read" not in str(slack.messages(MARKETING)), 15)
        assert "再び確認できています" in str(slack.messages(MARKETING))
        assert slack.complaints == []
