"""Budgets through the wire: the first one, mistakes beside their inputs, two at once, and files. As people do it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from demo.slack import Person
from finops.budgets import Budget, BudgetAction, BudgetPeriod, BudgetScope
from finops.money import Money
from handlers.addresses import BOT
from tests.e2e.stages import (
    JIHOON,
    MARKETING,
    MINSU,
    SEOYEON,
    Stage,
    answer_to,
    ids,
    scene,
    window,
    with_only,
    words_of,
)

together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def furnished(begun_together: dict[str, Any]) -> AsyncIterator[Stage]:
    """One stage for all tests that only make budgets: every project is registered, bill and usage are known."""
    async with scene(**begun_together) as running:
        yield running
        assert running.slack.complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def house(furnished: Stage) -> AsyncIterator[Stage]:
    """The same without a budget and with every window closed, whatever the test before did."""
    assert await kept(furnished) == []
    yield furnished
    for who in (JIHOON, MINSU, SEOYEON):
        if (person := furnished.slack.person(who)).view is not None:
            person.closes(everything=True)
    for budget in await kept(furnished):
        await furnished.product[BOT].budgets.delete(await _an_admin(furnished), budget.id)


async def kept(stage: Stage) -> list[Budget]:
    async with stage.product[BOT].storage.reading() as store:
        [workspace] = await store.workspaces.all()
        return await store.budgets.all(workspace.id)


async def shows(stage: Stage, person: Person, words: str) -> dict[str, Any]:
    """The window in front of the person, once it says something."""
    await stage.slack.until(lambda: person.view is not None and words in words_of(person.view), 15)
    assert person.view is not None
    return person.view


async def opens(stage: Stage, person: Person, command: str = "/finops 예산") -> dict[str, Any]:
    """The window a command opens, whatever was open before."""
    if person.view is not None:
        person.closes(everything=True)
    await person.command(command)
    return await window(stage, person)


async def a_form(stage: Stage, person: Person, scope: str, amount: str = "500", **more: Any) -> dict[str, Any]:
    """The window for a new budget, filled in but not submitted."""
    await person.clicks(await opens(stage, person), ids.BUDGET_NEW, "예산 추가")
    view = await window(stage, person, ids.VIEW_BUDGET)
    [option] = [one for one in await person.options(view, ids.BUDGET_SCOPE, "") if one["text"]["text"] == scope]
    await person.clicks(view, ids.BUDGET_SCOPE, option["value"])
    await shows(stage, person, "중앙값" if scope != "sandbox" else "비교할")
    await person.types({ids.BUDGET_AMOUNT: amount, **more})
    assert person.view is not None
    return person.view


async def saves(stage: Stage, person: Person, notice: str) -> dict[str, Any]:
    answer = await person.submits()
    assert answer["ok"], answer
    return await shows(stage, person, notice)


@together
async def test_the_first_budget_is_two_clicks_away(house: Stage) -> None:
    """The empty list recommends one by what the team usually spends; the window has it filled in; saved, it stands."""
    person = house.slack.person(JIHOON)
    view = await opens(house, person)
    assert "아직 예산이 없습니다" in words_of(view)
    assert "지난 4주 중앙값" in words_of(view)
    await person.clicks(view, ids.BUDGET_NEW, "이 예산으로 시작하기")
    form = await window(house, person, ids.VIEW_BUDGET)
    assert "권장" in words_of(form)
    shown = words_of(await saves(house, person, "예산을 추가했습니다"))
    [budget] = await kept(house)
    assert (budget.scope_kind, budget.period, budget.action) == (
        BudgetScope.TEAM, BudgetPeriod.DAY, BudgetAction.NOTIFY,
    )  # fmt: skip
    assert budget.amount.amount > 0
    assert "마케팅팀" in shown
    assert "■" in shown or "□" in shown


async def test_every_mistake_stands_beside_its_input_and_typed_words_survive(set_up_stage: Stage) -> None:
    """Whatever people type for an amount; what was understood is kept to the last digit."""
    person = set_up_stage.slack.person(JIHOON)
    await a_form(set_up_stage, person, "마케팅팀")
    for typed, told in (
        ("abc", "숫자로 입력해 주세요"), ("0", "0보다 커야"), ("-5", "0보다 커야"), ("500원", "미국 달러"),
        ("1,5", "숫자로 입력해 주세요"), ("999999999999", "$900,000,000까지"),
    ):  # fmt: skip
        answer = await person.submits(None, {ids.BUDGET_AMOUNT: typed})
        assert told in answer["errors"][ids.BUDGET_AMOUNT], typed
    answer = await person.submits(None, {ids.BUDGET_AMOUNT: "500달러", ids.BUDGET_FLOOR: "501"})
    assert list(answer["errors"]) == [ids.BUDGET_FLOOR]
    assert (await person.submits(None, {ids.BUDGET_LEVELS: [], ids.BUDGET_FLOOR: "10"}))["by"] == "slack"
    assert await kept(set_up_stage) == []
    await person.types({ids.BUDGET_AMOUNT: "$1,000.50", ids.BUDGET_LEVELS: ["75", "100"]})
    await person.clicks(person.view, ids.BUDGET_PERIOD, BudgetPeriod.WEEK.value)
    await shows(set_up_stage, person, "비교할 이력이 아직 없습니다")
    await saves(set_up_stage, person, "예산을 추가했습니다")
    [budget] = await kept(set_up_stage)
    assert (budget.amount, budget.levels, budget.floor, budget.period) == (
        Money.of("1000.50"), (75, 100), Money.of(10), BudgetPeriod.WEEK,
    )  # fmt: skip
    await a_form(set_up_stage, person, "마케팅팀", "1000.5")
    await person.clicks(person.view, ids.BUDGET_PERIOD, BudgetPeriod.WEEK.value)
    assert "같은 예산이 이미 있습니다" in str((await person.submits())["errors"])


@together
async def test_a_press_fills_in_what_is_recommended_and_nothing_else(house: Stage) -> None:
    """The floor, the channel and the two-person rule that somebody filled in before stay."""
    person = house.slack.person(JIHOON)
    view = await a_form(
        house, person, "마케팅팀", "7",
        **{ids.BUDGET_FLOOR: "0.5", ids.BUDGET_CHANNEL: MARKETING, ids.BUDGET_NEEDS_TWO: ["two"]},
    )  # fmt: skip
    await person.clicks(view, ids.BUDGET_FILL)
    await house.slack.until(lambda: f"{ids.BUDGET_AMOUNT}.1" in str(person.view), 15)
    await saves(house, person, "예산을 추가했습니다")
    [budget] = await kept(house)
    assert budget.amount != Money.of(7)
    assert (budget.floor, budget.channel_id, budget.needs_two) == (Money.of("0.5"), MARKETING, True)


@together
async def test_a_limit_is_shown_as_it_was_typed(house: Stage) -> None:
    """To its last digit: it is judged by what was typed, not by $5 or $150."""
    person = house.slack.person(JIHOON)
    for typed, shown in (("$5.005", "$5.005"), ("150.5", "$150.50"), ("0.005", "$0.005"), ("7.00", "$7")):
        await a_form(house, person, "마케팅팀", typed)
        assert f"일일 한도 {shown} 예산을 추가했습니다" in words_of(await saves(house, person, "예산을 추가했습니다"))


@together
async def test_the_whole_workspace_needs_a_channel_and_a_saved_budget_says_that_it_stops(house: Stage) -> None:
    """Slack itself asks for the channel; the answer to saving says what happens at 100%."""
    person = house.slack.person(JIHOON)
    await a_form(house, person, "전체", **{ids.BUDGET_ACTION: "stop"})
    refused = await person.submits()
    assert list(refused["errors"]) == [ids.BUDGET_CHANNEL]
    await person.types({ids.BUDGET_CHANNEL: MARKETING})
    shown = words_of(await saves(house, person, "예산을 추가했습니다"))
    assert "해당 프로젝트의 지출을 자동으로 차단하고 알립니다" in shown


@together
async def test_a_pasted_key_is_neither_kept_nor_repeated(house: Stage) -> None:
    """In the amount or in a file: refused with advice, and it appears in nothing we say."""
    person = house.slack.person(JIHOON)
    key = house.props.data_team_key
    await a_form(house, person, "마케팅팀")
    answer = await person.submits(None, {ids.BUDGET_FLOOR: key[:40]})
    assert "폐기" in answer["errors"][ids.BUDGET_FLOOR]
    await person.types({ids.BUDGET_FLOOR: key[:40]})
    await person.clicks(person.view, ids.BUDGET_PERIOD, "month")
    await shows(house, person, "비교할 이력이 아직 없습니다")
    await opens(house, person, "/finops budget import")
    answer = await person.submits(None, {ids.BUDGET_FILE: f"version: 1\nbudgets: [] # {key}"})
    assert "폐기" in answer["errors"][ids.BUDGET_FILE]
    said = [call.args for call in house.slack.calls if call.method.startswith(("views", "chat"))]
    assert key[:40] not in str(said)
    assert await kept(house) == []


@together
async def test_a_member_looks_and_is_told_who_decides(house: Stage) -> None:
    """박서연 sees the budget and no button; 김민수, who leads the team, has one. What is everybody's is for admins."""
    person = house.slack.person(JIHOON)
    await a_form(house, person, "마케팅팀")
    await saves(house, person, "예산을 추가했습니다")
    member = house.slack.person(SEOYEON)
    view = await opens(house, member)
    assert "일일 한도 $500" in words_of(view)
    assert f"<@{JIHOON}>" in words_of(view)
    assert ids.BUDGET_EDIT not in str(view)
    await opens(house, member, "/finops budget export")
    assert "관리자" in words_of(await shows(house, member, JIHOON))
    lead = house.slack.person(MINSU)
    await a_form(house, lead, "batch")
    offered = [one["text"]["text"] for one in await lead.options(lead.view, ids.BUDGET_SCOPE, "")]
    assert "전체" not in offered
    assert "마케팅팀" in offered
    await saves(house, lead, "예산을 추가했습니다")
    assert len(await kept(house)) == 2


@together
async def test_of_two_at_once_the_second_sees_what_the_first_made(house: Stage) -> None:
    """Nothing is overwritten in silence: the window shows the budget as it is, and can be saved again."""
    person = house.slack.person(JIHOON)
    await a_form(house, person, "마케팅팀")
    await saves(house, person, "예산을 추가했습니다")
    lead = house.slack.person(MINSU)
    for one in (person, lead):
        view = await opens(house, one)
        await one.clicks(view, ids.BUDGET_EDIT)
        await window(house, one, ids.VIEW_BUDGET)
    await lead.types({ids.BUDGET_AMOUNT: "800"})
    await saves(house, lead, "예산을 저장했습니다")
    answer = await person.submits(None, {ids.BUDGET_AMOUNT: "900"})
    assert answer["ok"]
    view = await shows(house, person, "입력하신 내용은 저장하지 않았습니다")
    assert f"<@{MINSU}>" in words_of(view)
    assert "'initial_value': '800'" in str(view)
    assert [one.amount for one in await kept(house)] == [Money.of(800)]
    await person.types({ids.BUDGET_AMOUNT: "900"})
    await saves(house, person, "예산을 저장했습니다")
    assert [one.amount for one in await kept(house)] == [Money.of(900)]


@together
async def test_off_on_and_gone_each_says_what_it_does(house: Stage) -> None:
    """And whoever presses in a window that is older than the deletion is told so."""
    person, lead = house.slack.person(JIHOON), house.slack.person(MINSU)
    await a_form(house, person, "마케팅팀")
    await saves(house, person, "예산을 추가했습니다")
    old = await opens(house, lead)
    for press, told in (
        (ids.BUDGET_DISABLE, "예산을 껐습니다"),
        (ids.BUDGET_ENABLE, "다시 켰습니다"),
        (ids.BUDGET_DELETE, "삭제했습니다"),
    ):
        await person.clicks(person.view, ids.BUDGET_EDIT)
        await window(house, person, ids.VIEW_BUDGET)
        await person.clicks(person.view, press)
        await shows(house, person, told)
    assert await kept(house) == []
    await lead.clicks(old, ids.BUDGET_EDIT)
    await shows(house, lead, "그사이 삭제되어")


async def test_a_file_shows_what_it_would_change_before_it_does(set_up_stage: Stage) -> None:
    """Exported, changed, looked at, applied; and when something moved meanwhile, looked at again."""
    stage, person = set_up_stage, set_up_stage.slack.person(JIHOON)
    await a_form(stage, person, "마케팅팀")
    await saves(stage, person, "예산을 추가했습니다")
    exported = await opens(stage, person, "/finops 예산 내보내기")
    text = exported["blocks"][1]["elements"][0]["elements"][0]["text"]
    assert '- scope: "team:마케팅팀"' in text
    await person.clicks(exported, ids.BUDGET_IMPORT)
    await window(stage, person, ids.VIEW_BUDGET_IMPORT)
    wrong = await person.submits(None, {ids.BUDGET_FILE: text.replace("day", "hour")})
    assert "7행: period 값은" in wrong["errors"][ids.BUDGET_FILE]
    wanted = text.replace("500 USD", "800 USD") + '\n  - {scope: "every project", period: day, amount: 75}\n'
    assert (await person.submits(None, {ids.BUDGET_FILE: wanted}))["ok"]
    shown = words_of(await shows(stage, person, "바뀌는 내용"))
    assert "$500 → $800" in shown
    assert "모든 프로젝트 각각" in shown
    assert [one.amount for one in await kept(stage)] == [Money.of(500)]
    await stage.product[BOT].budgets.delete(await _an_admin(stage), (await kept(stage))[0].id)
    assert (await person.submits())["ok"]
    shown = words_of(await shows(stage, person, "그사이 예산이나 파일이 바뀌어"))
    assert "추가 2개" in shown
    assert await kept(stage) == []
    assert (await person.submits())["ok"]
    await shows(stage, person, "예산 2개를 변경했습니다")
    assert {one.amount for one in await kept(stage)} == {Money.of(800), Money.of(75)}
    assert stage.slack.complaints == []


async def _an_admin(stage: Stage) -> Any:
    known = await stage.product[BOT].people.known((await kept(stage))[0].workspace_id, JIHOON)
    assert known is not None
    return known


async def test_every_way_leads_to_budgets(set_up_stage: Stage) -> None:
    """Home, the project window and its card, a name after the command, a direct message, a typo."""
    person = set_up_stage.slack.person(JIHOON)
    await a_form(set_up_stage, person, "batch")
    await saves(set_up_stage, person, "예산을 추가했습니다")
    person.closes(everything=True)
    await person.opens_home()
    await set_up_stage.slack.until(lambda: ids.BUDGET_MANAGE in str(person.home), 15)
    assert person.home is not None
    await person.clicks(person.home, ids.BUDGET_MANAGE)
    await shows(set_up_stage, person, "batch")
    person.closes(everything=True)
    await person.command("/finops project")
    [offered] = await person.options(await window(set_up_stage, person, ids.VIEW_INFO), ids.PROJECT_FIND, "ad-copy")
    await person.clicks(person.view, ids.PROJECT_FIND, offered["value"])
    await set_up_stage.slack.until(lambda: ids.PROJECT_EDIT in str(person.view), 15)
    await person.clicks(person.view, ids.BUDGET_COVERING, "예산")
    view = await shows(set_up_stage, person, "적용되는 예산")
    assert "ad-copy-writer" in words_of(view)
    await person.clicks(view, ids.BUDGET_NEW)
    form = await window(set_up_stage, person, ids.VIEW_BUDGET)
    chosen = next(block for block in form["blocks"] if block.get("block_id") == ids.BUDGET_SCOPE)
    assert chosen["element"]["initial_option"]["text"]["text"] == "ad-copy-writer"
    assert "batch" in words_of(await opens(set_up_stage, person, "/finops 예산 BATCH"))
    assert "batch" in words_of(await opens(set_up_stage, person, "/finops budget batsh"))
    person.closes(everything=True)
    shown = await answer_to(set_up_stage, person, "/finops 예신")
    assert "/finops 예산" in words_of(shown)
    await person.says(person.dm, "예산")
    await set_up_stage.slack.until(lambda: ids.BUDGET_MANAGE in str(set_up_stage.slack.messages(person.dm)), 15)


async def test_a_project_that_vanishes_while_the_window_is_open(set_up_stage: Stage) -> None:
    """The mistake stands beside the menu, and another scope can be chosen."""
    person = await with_only(set_up_stage, "batch")
    await a_form(set_up_stage, person, "batch")
    bot = set_up_stage.product[BOT]
    async with bot.storage.reading() as store:
        [workspace] = await store.workspaces.all()
        [project] = await store.projects.all(workspace.id)
    async with bot.storage.writing() as store:
        await store.projects.unregister(workspace.id, project.id)
    refused = await person.submits()
    assert "그사이 없어졌습니다" in refused["errors"][ids.BUDGET_SCOPE]
    [team] = [one for one in await person.options(person.view, ids.BUDGET_SCOPE, "마케팅") if "team" in one["value"]]
    await person.clicks(person.view, ids.BUDGET_SCOPE, team["value"])
    await saves(set_up_stage, person, "예산을 추가했습니다")
