"""A team's channel speaks the language of whoever made the team, until somebody chooses another; through the wire."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.stages import EMMA, JIHOON, MARKETING, MINSU, Stage, answer_to, ids, scene, window, words_of

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


async def test_what_nobody_sees_in_a_pasted_word_is_no_part_of_it(quick_stage: Stage) -> None:
    """Blanks of no width and marks of direction, as web pages bring them along: in names, keys, ids and commands."""
    person = quick_stage.slack.person(JIHOON)
    await person.command("/finops setup")
    await window(quick_stage, person, ids.SETUP_TEAM)
    fields = {ids.TEAM_NAME: "마케팅\u200b팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
    assert (await person.submits(None, fields))["ok"]
    await window(quick_stage, person, ids.SETUP_KEY)
    assert (await person.submits(None, {ids.KEY: f"\ufeff{quick_stage.props.marketing_key}\u200b"}))["ok"]
    await window(quick_stage, person, ids.SETUP_KEY_DONE)
    await person.submits(None, {})
    await window(quick_stage, person, ids.SETUP_PROJECTS)
    known = quick_stage.openai.organization.named("batch").id
    assert (await person.submits(None, {ids.PROJECT_TYPED: f"\u2066{known}\u2069"}))["ok"]
    assert "batch" in words_of(await window(quick_stage, person, ids.VIEW_INFO))
    person.closes(everything=True)
    await person.command("/finops team")
    await person.clicks(await window(quick_stage, person, ids.VIEW_INFO), ids.TEAM_NEW)
    await window(quick_stage, person, ids.SETUP_TEAM)
    refused = await person.submits(None, fields | {ids.TEAM_NAME: "마케팅팀\u200b"})
    assert "이름을 쓰는 팀이 이미 있습니다" in str(refused["errors"])
    person.closes(everything=True)
    assert "마케팅팀 ·" in words_of(await answer_to(quick_stage, person, "/finops 상태 \u200b마케팅\u200b팀"))
