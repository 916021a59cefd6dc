"""A team's channel speaks the language of whoever made the team, until somebody chooses another; through the wire."""

from __future__ import annotations

import shutil
from pathlib import Path

from demo.slack import Person
from demo.slack.cast import User
from handlers.visit import SLACKBOT
from tests.e2e.stages import (
    EMMA,
    JIHOON,
    MARKETING,
    MINSU,
    SEOYEON,
    Stage,
    answer_to,
    ids,
    scene,
    set_up,
    window,
    with_only,
    words_of,
)  # fmt: skip

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


async def test_a_name_is_found_with_the_very_letters_that_stand_for_marks(quick_stage: Stage) -> None:
    """A Korean keyboard's tilde is the one that messages show for a mark; stars are copied from a message as they look
    there: in commands, in the search among all projects, and among the team's own."""
    quick_stage.openai.organization.named("batch").name = "1∼3월 *행사*"
    person = await set_up(quick_stage, "1∼3월 *행사*")
    for typed in ("1∼3월 *행사*", "1~3월 ∗행사∗", "1∼3"):
        assert "1∼3월 ∗행사∗ · " in words_of(await answer_to(quick_stage, person, f"/finops 상태 {typed}"))
    await person.command("/finops 프로젝트")
    listed = await window(quick_stage, person, ids.VIEW_INFO)
    for typed in ("1∼3월 *", "1~3월 ∗"):
        [found] = await person.options(listed, ids.PROJECT_FIND, typed)
        assert found["text"]["text"].startswith("1∼3월 *행사*")
    await person.clicks(listed, ids.PROJECT_NEW)
    picker = await window(quick_stage, person, ids.SETUP_PROJECTS)
    for typed in ("1∼3", "∗행사∗"):
        [found] = await person.options(picker, ids.PROJECTS, typed)
        assert found["text"]["text"].startswith("1∼3월 *행사*")


async def test_what_nobody_sees_in_a_pasted_word_is_no_part_of_it(quick_stage: Stage) -> None:
    """Blanks of no width and marks of direction, as web pages bring them along: in names, keys, ids and commands.

    The key may not list projects.
    """
    person = quick_stage.slack.person(JIHOON)
    await person.command("/finops setup")
    await window(quick_stage, person, ids.SETUP_TEAM)
    fields = {ids.TEAM_NAME: "마케팅\u200b팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
    assert (await person.submits(None, fields))["ok"]
    await window(quick_stage, person, ids.SETUP_KEY)
    assert (await person.submits(None, {ids.KEY: f"\ufeff{quick_stage.props.usage_only_key}\u200b"}))["ok"]
    await window(quick_stage, person, ids.SETUP_KEY_DONE)
    await person.submits(None, {})
    known = quick_stage.openai.organization.named("batch").id
    await says_how_projects_are_found(quick_stage, person, known)
    assert (await person.submits(None, {ids.PROJECT_TYPED: f"\u2066{known}\u2069"}))["ok"]
    told = words_of(await window(quick_stage, person, ids.VIEW_INFO))
    assert "1개를 등록했습니다" in told
    assert known in told
    person.closes(everything=True)
    await person.command("/finops team")
    await person.clicks(await window(quick_stage, person, ids.VIEW_INFO), ids.TEAM_NEW)
    await window(quick_stage, person, ids.SETUP_TEAM)
    refused = await person.submits(None, fields | {ids.TEAM_NAME: "마케팅팀\u200b"})
    assert "이름을 쓰는 팀이 이미 있습니다" in str(refused["errors"])
    assert (await person.submits(None, fields | {ids.TEAM_NAME: "R&D *팀*"}))["ok"]
    person.closes(everything=True)
    await person.command("/finops team")
    await person.clicks(await window(quick_stage, person, ids.VIEW_INFO), ids.TEAM_NEW)
    await window(quick_stage, person, ids.SETUP_TEAM)
    refused = await person.submits(None, fields | {ids.TEAM_NAME: "R&D *팀*"})
    assert "R&D *팀*" in str(refused["errors"]), "an error is plain text: neither an entity nor what looks like a star"
    person.closes(everything=True)
    assert "마케팅팀 ·" in words_of(await answer_to(quick_stage, person, "/finops 상태 \u200b마케팅\u200b팀"))


async def says_how_projects_are_found(stage: Stage, person: Person, known: str) -> None:
    """A menu that finds nothing can say nothing: the window of a key that may not list projects does, before anybody
    types a name in vain."""
    asked = await window(stage, person, ids.SETUP_PROJECTS)
    assert "이름이 아닌 Project ID(proj_…)로 찾을 수 있습니다" in words_of(asked)
    assert await person.options(asked, ids.PROJECTS, "chatbot") == []
    found = await person.options(asked, ids.PROJECTS, known)
    assert [one["value"] for one in found] == [known]
    refused = await person.submits(None, {ids.PROJECT_TYPED: "proj_nobody"})
    assert "목록 권한이 없고" in refused["errors"][ids.PROJECT_TYPED]


async def test_slackbot_leads_no_team_though_slack_describes_it_as_a_person(quick_stage: Stage) -> None:
    """The menu of people offers it, and nothing reaches it: an alert to the lead would be read by nobody."""
    quick_stage.slack.world.users[SLACKBOT] = User(SLACKBOT, "slackbot", "Slackbot")
    person = quick_stage.slack.person(JIHOON)
    await person.command("/finops setup")
    await window(quick_stage, person, ids.SETUP_TEAM)
    fields = {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: SLACKBOT, ids.TEAM_CHANNEL: MARKETING}
    refused = await person.submits(None, fields)
    assert refused["errors"] == {ids.TEAM_LEAD: "봇은 팀 담당자가 될 수 없습니다. 사람을 선택해 주세요."}


async def test_before_anything_is_set_up_a_status_says_how_to_begin(quick_stage: Stage) -> None:
    """Not that the provider cannot be read: there is none yet. The button says who may begin."""
    minsu = quick_stage.slack.person(MINSU)
    shown = await answer_to(quick_stage, minsu, "/finops 상태")
    assert "아직 Admin API Key가 등록되지 않아" in words_of(shown)
    assert "확인할 수 없습니다" not in words_of(shown)
    await minsu.clicks(shown, ids.SETUP_NEXT)
    assert "Slack 워크스페이스 관리자가" in words_of(await window(quick_stage, minsu))
    minsu.closes(everything=True)
    checked = words_of(await answer_to(quick_stage, minsu, "/finops 점검"))
    assert "키: 사용 0개" in checked
    assert "모든 연결" not in checked, "there is none"


async def test_a_second_team_closed_half_way_is_gone_on_with(set_up_stage: Stage) -> None:
    """The key of the first team is refused with what to do; `/finops setup` knows what is missing, until nothing is."""
    person, slack = await with_only(set_up_stage, "chatbot-experiment"), set_up_stage.slack
    await person.command("/finops team")
    await person.clicks(await window(set_up_stage, person, ids.VIEW_INFO), ids.TEAM_NEW)
    await window(set_up_stage, person, ids.SETUP_TEAM)
    assert len(person.views) == 1, "the list would be uncovered without the new team"
    fields = {ids.TEAM_NAME: "데이터팀", ids.TEAM_LEAD: SEOYEON, ids.TEAM_CHANNEL: "C0DATA0001"}
    assert (await person.submits(None, fields))["ok"]
    await window(set_up_stage, person, ids.SETUP_KEY)
    refused = await person.submits(None, {ids.KEY: set_up_stage.props.marketing_key})
    assert "콘솔에서 새로 만들어" in str(refused["errors"])
    person.closes(everything=True)

    await person.command("/finops setup")
    unfinished = await window(set_up_stage, person, ids.VIEW_INFO)
    assert "*데이터팀*: 아직 Admin API Key가 없습니다" in words_of(unfinished)
    await person.clicks(unfinished, ids.KEY_NEW)
    await window(set_up_stage, person, ids.SETUP_KEY)
    assert (await person.submits(None, {ids.KEY: set_up_stage.props.data_team_key}))["ok"]
    await window(set_up_stage, person, ids.SETUP_KEY_DONE)
    person.closes(everything=True)

    await person.command("/finops setup")
    unfinished = await window(set_up_stage, person, ids.VIEW_INFO)
    assert "*데이터팀*: 아직 등록된 프로젝트가 없습니다" in words_of(unfinished)
    await person.clicks(unfinished, ids.PROJECT_NEW)
    picker = await window(set_up_stage, person, ids.SETUP_PROJECTS)
    [free] = await person.options(picker, ids.PROJECTS, "batch")
    assert (await person.submits(None, {ids.PROJECTS: [free["value"]]}))["ok"]
    await slack.until(lambda: "batch" in words_of(person.view), 15)
    person.closes(everything=True)
    await person.command("/finops setup")
    assert "설정을 모두 마쳤습니다" in words_of(await window(set_up_stage, person, ids.VIEW_INFO))


async def test_nobody_is_sent_for_ids_that_another_key_of_the_organization_finds_by_name(set_up_stage: Stage) -> None:
    """The window after it looks with every key of the organization, so what this one may not is no trouble."""
    person = set_up_stage.slack.person(JIHOON)
    await person.command("/finops team")
    await person.clicks(await window(set_up_stage, person, ids.VIEW_INFO), ids.TEAM_NEW)
    await window(set_up_stage, person, ids.SETUP_TEAM)
    fields = {ids.TEAM_NAME: "데이터팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
    assert (await person.submits(None, fields))["ok"]
    await window(set_up_stage, person, ids.SETUP_KEY)
    assert (await person.submits(None, {ids.KEY: set_up_stage.props.usage_only_key}))["ok"]
    done = words_of(await window(set_up_stage, person, ids.SETUP_KEY_DONE))
    assert "Project ID" not in done
    assert "이 키로는 비용을 볼 수만 있고 지출을 차단할 수는 없습니다" in done
    await person.submits(None, {})
    asked = await window(set_up_stage, person, ids.SETUP_PROJECTS)
    assert await person.options(asked, ids.PROJECTS, "chatbot")
