"""J2: a newcomer onboards a team inside Slack and sees a bill that is exact."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from blocks import ids
from demo.once import play
from tests.e2e.stages import (
    JIHOON,
    MARKETING,
    MINSU,
    SEOYEON,
    Stage,
    a_trace,
    answer_to,
    expected,
    scene,
    set_up,
    window,
    words_of,
)  # fmt: skip


async def test_the_bill_is_exact_to_the_last_digit_per_project_and_day(stage: Stage) -> None:
    """Ledger, provider and our own sum agree, far below the nano-dollar; asked twice, nothing doubles."""
    ours = expected(a_trace())
    first = await play(stage, lambda _: None)
    assert {name: Decimal(amount) for name, amount in first.by_project.items()} == ours
    assert Decimal(first.ledger_total) == Decimal(first.provider_total) == sum(ours.values())
    assert sum(map(Decimal, first.by_day.values())) == sum(ours.values())
    assert len(first.by_day) == 5
    again = asdict(await play(stage, lambda _: None)) | {"messages": [], "seconds": 0}
    assert again == asdict(first) | {"messages": [], "seconds": 0}


async def test_the_three_windows_say_what_a_newcomer_needs(quick_stage: Stage) -> None:
    """Team, key, projects: the words of the requirements, the key never shown, the first chart at the end."""
    person = quick_stage.slack.person(JIHOON)
    await person.command("/finops setup")
    assert (await window(quick_stage, person))["callback_id"] == ids.SETUP_TEAM
    fields = {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
    assert (await person.submits(None, fields))["ok"]
    assert (await window(quick_stage, person))["callback_id"] == ids.SETUP_KEY
    key = quick_stage.props.marketing_key
    assert (await person.submits(None, {ids.KEY: key}))["ok"]
    done = await window(quick_stage, person)
    assert "Admin API Key가 등록되었습니다 (ends with ...abc1)" in words_of(done)
    assert "한빛소프트" in words_of(done)
    assert key not in words_of(done)
    assert (await person.submits(None, {}))["ok"]
    picker = await window(quick_stage, person)
    offered = await person.options(picker, ids.PROJECTS, "chat")
    assert [option["text"]["text"] for option in offered] == ["chatbot-experiment"]
    assert (await person.submits(None, {ids.PROJECTS: [offered[0]["value"]]}))["ok"]
    await quick_stage.slack.until(lambda: "chart" in str(quick_stage.slack.messages(person.dm)), 20)


async def test_costs_of_unclaimed_projects_stay_visible_as_unallocated(quick_stage: Stage) -> None:
    """Parts add up to the whole: what no team claimed is shown, never hidden."""
    person = await set_up(quick_stage, "chatbot-experiment")
    shown = words_of(await answer_to(quick_stage, person, "/finops status 30d"))
    assert "미할당" in shown
    ours = expected(a_trace())
    assert f"{sum(ours.values()).quantize(Decimal('0.01'))}" in shown


async def test_over_signed_http_the_same_journey_works(tmp_path: Path) -> None:
    """HTTP delivery with signatures instead of Socket Mode; a stranger's requests are refused."""
    async with scene(f"sqlite:///{tmp_path / 'http.db'}", socket_mode=False) as stage:
        await set_up(stage)
        for how in ("signature", "stale", "unsigned"):
            assert await stage.slack.forge(how) == 401
        assert await stage.slack.verify_url()
        assert stage.slack.complaints == []


async def test_an_id_can_be_typed_and_is_verified(quick_stage: Stage) -> None:
    """A typed Project ID is checked with the provider; a wrong one is refused beside its input."""
    person = quick_stage.slack.person(JIHOON)
    await set_up(quick_stage, "chatbot-experiment")
    await person.command("/finops project")
    view = await window(quick_stage, person)
    await person.clicks(view, ids.PROJECT_NEW)
    await window(quick_stage, person, ids.SETUP_PROJECTS)
    answer = await person.submits(None, {ids.PROJECT_TYPED: "proj_doesnotexist"})
    assert answer["ok"] is False
    assert "proj_doesnotexist" in str(answer["errors"])
    known = quick_stage.openai.organization.named("batch").id
    assert (await person.submits(None, {ids.PROJECT_TYPED: known}))["ok"]
    assert "batch" in words_of(await window(quick_stage, person))


async def test_two_teams_with_keys_of_one_organization_are_collected_once(stage: Stage) -> None:
    """The second key shares the connection: the same total, and a project has one owner."""
    person = await set_up(stage, "chatbot-experiment")
    await person.command("/finops team")
    await person.clicks(await window(stage, person), ids.TEAM_NEW)
    await window(stage, person, ids.SETUP_TEAM)
    await person.submits(None, {ids.TEAM_NAME: "데이터팀", ids.TEAM_LEAD: SEOYEON, ids.TEAM_CHANNEL: "C0DATA0001"})
    await window(stage, person, ids.SETUP_KEY)
    await person.submits(None, {ids.KEY: stage.props.data_team_key})
    await window(stage, person, ids.SETUP_KEY_DONE)
    await person.submits(None, {})
    picker = await window(stage, person, ids.SETUP_PROJECTS)
    taken = (await person.options(picker, ids.PROJECTS, "chatbot"))[0]
    free = (await person.options(picker, ids.PROJECTS, "batch"))[0]
    assert "마케팅팀" in str(taken)
    await person.submits(None, {ids.PROJECTS: [taken["value"], free["value"]]})
    said = words_of(await window(stage, person, ids.VIEW_INFO))
    assert "마케팅팀" in said
    told = await play(stage, lambda _: None)
    assert Decimal(told.ledger_total) == Decimal(told.provider_total) == sum(expected(a_trace()).values())


async def test_what_a_project_is_for_is_said_in_a_window_of_its_own(quick_stage: Stage) -> None:
    """Environment, service, cost center and lead; a bot answers for nothing, and what others typed is escaped."""
    person = await set_up(quick_stage, "batch")
    await person.command("/finops 프로젝트")
    [offered] = await person.options(await window(quick_stage, person, ids.VIEW_INFO), ids.PROJECT_FIND, "batch")
    await person.clicks(person.view, ids.PROJECT_FIND, offered["value"])
    await quick_stage.slack.until(lambda: ids.PROJECT_EDIT in str(person.view), 15)
    await person.clicks(person.view, ids.PROJECT_EDIT)
    await window(quick_stage, person, ids.VIEW_PROJECT_EDIT)
    bot = quick_stage.slack.config.app.bot_user_id
    refused = await person.submits(None, {ids.PROJECT_LEAD: bot})
    assert "봇은 팀 담당자가 될 수 없습니다" in str(refused["errors"])
    fields = {ids.PROJECT_ENVIRONMENT: "production", ids.PROJECT_SERVICE: "<!channel>", ids.PROJECT_LEAD: MINSU}
    assert (await person.submits(None, fields))["ok"]
    await quick_stage.slack.until(lambda: "저장했습니다" in words_of(person.view), 15)
    told = words_of(person.view)
    assert "환경: production" in told
    assert "&lt;!channel&gt;" in told
    assert f"<@{MINSU}>" in told
    await person.clicks(person.view, ids.PROJECT_EDIT)
    again = await window(quick_stage, person, ids.VIEW_PROJECT_EDIT)
    assert "'initial_value': 'production'" in str(again)


async def test_a_member_is_not_offered_what_would_be_refused(quick_stage: Stage) -> None:
    """박서연 sees the cost nobody claimed and whom it waits for; the team's lead gets the button."""
    await set_up(quick_stage, "batch")
    for who, may in ((SEOYEON, False), (MINSU, True)):
        shown = await answer_to(quick_stage, quick_stage.slack.person(who), "/finops status 30d")
        assert "미할당" in words_of(shown)
        assert (ids.PROJECT_NEW in str(shown)) is may


async def test_a_key_that_is_put_in_its_own_place_is_not_called_replaced(quick_stage: Stage) -> None:
    """Whoever pastes the old key by mistake would revoke it next; whose keys these are stands beside each."""
    person = await set_up(quick_stage, "batch")
    await person.command("/finops 키")
    listed = await window(quick_stage, person, ids.VIEW_INFO)
    assert "한빛소프트" in words_of(listed)
    for key, said in (
        (quick_stage.props.marketing_key, "지금 쓰고 있는 것과 같은 키(...abc1)입니다."),
        (quick_stage.props.data_team_key, "키를 교체했습니다."),
    ):
        await person.clicks(await window(quick_stage, person, ids.VIEW_INFO), ids.KEY_REPLACE)
        await window(quick_stage, person, ids.VIEW_KEY_REPLACE)
        assert (await person.submits(None, {ids.KEY: key}))["ok"]
        await quick_stage.slack.until(lambda said=said: said in words_of(person.view), 15)
