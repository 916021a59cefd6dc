"""J2: a newcomer onboards a team inside Slack and sees a bill that is exact."""

from __future__ import annotations

from decimal import Decimal

from blocks import ids
from demo.once import play
from demo.slack import Person
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
    window,
    with_only,
    words_of,
)  # fmt: skip


async def test_over_signed_http_the_three_windows_say_what_a_newcomer_needs(quick_url: str) -> None:
    """Team, key, projects: the words of the requirements, the key never shown, the first chart at the end.

    Delivered with signatures instead of through Socket Mode; a stranger's requests are refused.
    """
    async with scene(quick_url, socket_mode=False) as stage:
        await walks_through_the_windows(stage, stage.slack.person(JIHOON))
        for how in ("signature", "stale", "unsigned"):
            assert await stage.slack.forge(how) == 401
        assert await stage.slack.verify_url()
        assert stage.slack.complaints == []


async def walks_through_the_windows(stage: Stage, person: Person) -> None:
    """As a newcomer does."""
    await person.command("/finops setup")
    assert (await window(stage, person))["callback_id"] == ids.SETUP_TEAM
    fields = {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
    assert (await person.submits(None, fields))["ok"]
    assert (await window(stage, person))["callback_id"] == ids.SETUP_KEY
    key = stage.props.marketing_key
    assert (await person.submits(None, {ids.KEY: key}))["ok"]
    done = await window(stage, person)
    assert "Admin API Key가 등록되었습니다 (ends with ...abc1)" in words_of(done)
    assert "한빛소프트" in words_of(done)
    assert key not in words_of(done)
    assert (await person.submits(None, {}))["ok"]
    picker = await window(stage, person)
    offered = await person.options(picker, ids.PROJECTS, "chat")
    assert [option["text"]["text"] for option in offered] == ["chatbot-experiment"]
    assert (await person.submits(None, {ids.PROJECTS: [offered[0]["value"]]}))["ok"]
    await stage.slack.until(lambda: "chart" in str(stage.slack.messages(person.dm)), 20)


async def test_costs_of_unclaimed_projects_stay_visible_as_unallocated(set_up_stage: Stage) -> None:
    """Parts add up to the whole: what no team claimed is shown, never hidden, and says whom it waits for.

    박서연 is offered neither to claim it nor to try an alert: she would be refused. The team's lead gets both buttons.
    """
    person, ours = await with_only(set_up_stage, "chatbot-experiment"), expected(a_trace())
    shown = words_of(await answer_to(set_up_stage, person, "/finops status 30d"))
    assert "미할당" in shown
    assert f"{sum(ours.values()).quantize(Decimal('0.01'))}" in shown
    for who, may in ((SEOYEON, False), (MINSU, True)):
        other = set_up_stage.slack.person(who)
        offered = await answer_to(set_up_stage, other, "/finops status 30d")
        assert "미할당" in words_of(offered)
        assert (ids.PROJECT_NEW in str(offered)) is may
        await other.command("/finops setup")
        told = await window(set_up_stage, other, ids.VIEW_INFO)
        assert "설정을 모두 마쳤습니다" in words_of(told)
        assert (ids.TRIAL_SEND in str(told)) is may


async def test_an_id_can_be_typed_and_is_verified(set_up_stage: Stage) -> None:
    """A typed Project ID is checked with the provider; a wrong one is refused beside its input."""
    person = await with_only(set_up_stage, "chatbot-experiment")
    await person.command("/finops project")
    view = await window(set_up_stage, person)
    await person.clicks(view, ids.PROJECT_NEW)
    await window(set_up_stage, person, ids.SETUP_PROJECTS)
    answer = await person.submits(None, {ids.PROJECT_TYPED: "proj_doesnotexist"})
    assert answer["ok"] is False
    assert "proj_doesnotexist" in str(answer["errors"])
    known = set_up_stage.openai.organization.named("batch").id
    assert (await person.submits(None, {ids.PROJECT_TYPED: known}))["ok"]
    assert "batch" in words_of(await window(set_up_stage, person))


async def test_two_teams_with_keys_of_one_organization_are_collected_once(set_up_stage: Stage) -> None:
    """The second key shares the connection: the same total, and a project has one owner."""
    stage, person = set_up_stage, await with_only(set_up_stage, "chatbot-experiment")
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


async def test_what_a_project_is_for_is_said_in_a_window_of_its_own(set_up_stage: Stage) -> None:
    """Environment, service, cost center and lead; a bot answers for nothing, and what others typed is escaped."""
    person = set_up_stage.slack.person(JIHOON)
    await person.command("/finops 프로젝트")
    [offered] = await person.options(await window(set_up_stage, person, ids.VIEW_INFO), ids.PROJECT_FIND, "batch")
    await person.clicks(person.view, ids.PROJECT_FIND, offered["value"])
    await set_up_stage.slack.until(lambda: ids.PROJECT_EDIT in str(person.view), 15)
    await person.clicks(person.view, ids.PROJECT_EDIT)
    await window(set_up_stage, person, ids.VIEW_PROJECT_EDIT)
    bot = set_up_stage.slack.config.app.bot_user_id
    refused = await person.submits(None, {ids.PROJECT_LEAD: bot})
    assert "봇은 팀 담당자가 될 수 없습니다" in str(refused["errors"])
    fields = {ids.PROJECT_ENVIRONMENT: "production", ids.PROJECT_SERVICE: "<!channel>", ids.PROJECT_LEAD: MINSU}
    assert (await person.submits(None, fields))["ok"]
    await set_up_stage.slack.until(lambda: "저장했습니다" in words_of(person.view), 15)
    told = words_of(person.view)
    assert "환경: production" in told
    assert "&lt;!channel&gt;" in told
    assert f"<@{MINSU}>" in told
    await person.clicks(person.view, ids.PROJECT_EDIT)
    again = await window(set_up_stage, person, ids.VIEW_PROJECT_EDIT)
    assert "'initial_value': 'production'" in str(again)


async def test_a_key_in_its_own_place_is_not_called_replaced_and_a_replaced_one_is_gone(
    set_up_stage: Stage,
) -> None:
    """Whoever pastes the old key by mistake would revoke it next; whose keys these are stands beside each."""
    person = set_up_stage.slack.person(JIHOON)
    await person.command("/finops 키")
    listed = await window(set_up_stage, person, ids.VIEW_INFO)
    assert "한빛소프트" in words_of(listed)
    for key, said in (
        (set_up_stage.props.marketing_key, "지금 쓰고 있는 것과 같은 키(...abc1)입니다."),
        (set_up_stage.props.data_team_key, "키를 교체했습니다."),
    ):
        await person.clicks(await window(set_up_stage, person, ids.VIEW_INFO), ids.KEY_REPLACE)
        await window(set_up_stage, person, ids.VIEW_KEY_REPLACE)
        assert (await person.submits(None, {ids.KEY: key}))["ok"]
        await set_up_stage.slack.until(lambda said=said: said in words_of(person.view), 15)
    # Closing what says so uncovered the list with the old key, still in use.
    await set_up_stage.slack.until(lambda: "abc1" not in str(person.views), 15)
    assert "...data" in words_of(person.view)
