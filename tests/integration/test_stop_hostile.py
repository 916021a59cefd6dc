"""Stops under attack, through the wire: who may not gets nothing done, is told who may, and stands in the trail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from blocks import ids
from bot import telling
from demo.slack.cast import DATA, FINANCE_GROUP, FINOPS, TEAM_ID
from demo.slack.faults import Fault
from finops.budgets import BudgetOn, BudgetPeriod, BudgetScope, BudgetTerms
from finops.charges import FigureState
from finops.crossings import Context, evaluate
from finops.estimates import Spent
from finops.figures import Scope
from finops.money import Money
from finops.queries import ScopeKind
from finops.stops import StopState
from tests.e2e.stages import EMMA, JIHOON, MINSU, SAKURA, SEOYEON, words_of
from tests.integration.stop_wire import FORMER_CENTS, NEIGHBOUR, WAIT, Company, chosen, company

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Who, and from which workspace, may do nothing to the projects of 마케팅팀.
STRANGERS = {
    "a member": (EMMA, TEAM_ID),
    "an approver of another team": (SAKURA, TEAM_ID),
    "another workspace's admin": (EMMA, NEIGHBOUR),
}
CLICKS = (
    ids.INCIDENT_STOP, ids.INCIDENT_APPROVE, ids.STOP_OPEN, ids.STOP_APPROVE, ids.STOP_RESTORE, ids.STOP_AGREE,
    ids.STOP_DECLINE, ids.STOP_RETRY, ids.STOP_FIRMER,
)  # fmt: skip


FILLED: dict[str, dict[str, Any]] = {
    ids.VIEW_STOP: {ids.STOP_WHAT: chosen("stop"), ids.STOP_REASON: {"value": "테스트"}},
    ids.VIEW_APPROVE: {ids.APPROVE_WAY: chosen("restore")},
    ids.VIEW_STOP_LEAD: {ids.LEAD_TEXT: {"value": "테스트"}},
    ids.VIEW_STOP_CAUSE: {ids.CAUSE_TEXT: {"value": "테스트"}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    async with company(tmp_path_factory.mktemp("hostile")) as running:
        yield running
        assert running.stage.slack.complaints == []


async def test_what_one_alert_stopped_another_shows_and_a_click_on_its_old_button_is_answered(house: Company) -> None:
    """The project's own alert and its team's, each in a channel of its own: edited there, and nothing is posted."""
    project = house.projects["beside"]
    own = await an_alert(house, BudgetScope.PROJECT, project.id, DATA)
    team = await an_alert(house, BudgetScope.TEAM, house.marketing.id, FINOPS)
    await house.stage.slack.until(lambda: bool(alerts(house, DATA) and alerts(house, FINOPS)), WAIT)
    shown = {"target": f"incident:{team}", "seen": house.clock().isoformat(), "projects": [project.id]}
    filled = FILLED[ids.VIEW_STOP]
    await house.sends(house.submission(MINSU, ids.VIEW_STOP, shown, view_id="V0BESIDE1", **filled))
    await house.stage.slack.until(lambda: "차단됨 - beside" in alerts(house, DATA)[0]["text"], WAIT)
    [told] = alerts(house, DATA)
    assert "다른 알림에서 적용했습니다" in words_of(told)
    assert "요청: 김민수" in words_of(told)
    assert f"'{ids.INCIDENT_STOP}'" not in str(told["blocks"])
    await house.until("beside", StopState.STOPPED)
    before = await house.standing()
    await house.sends(house.click(JIHOON, ids.INCIDENT_STOP, f"incident:{own}"))
    assert f"<@{MINSU}>" in house.cleared(JIHOON)
    await house.sends(house.stopping(JIHOON, f"incident:{own}", view_id="V0BESIDE2"))
    known = (await house.bot.incidents.shown(TEAM_ID, own)).budget.updated_at.isoformat()
    await house.sends(house.approving(JIHOON, f"incident:{own}", view_id="V0BESIDE3", decided=[known]))
    assert await house.standing() == before
    assert len(alerts(house, DATA)) == 1


async def an_alert(house: Company, kind: BudgetScope, scope_id: int, channel_id: str) -> int:
    """An alert of $742 under a new budget of $500 a day, as evaluating would have told it; its id."""
    now, spent = house.clock(), Money.of("742")
    terms = BudgetTerms(kind, scope_id, BudgetPeriod.DAY, Money.of("500"), channel_id=channel_id)
    async with house.bot.storage.writing() as store:
        budget = await store.budgets.create(TEAM_ID, terms, by=JIHOON, at=now)
        on = BudgetOn(budget, Scope(ScopeKind(kind.value), scope_id, ""), house.marketing)
        found = Spent(spent, FigureState.ESTIMATE, now, spent, unpriced=False, drift_margin=Decimal(0))
        change = evaluate(None, on, found, Context(), now)
        assert change is not None
        return (await telling.keep(store, change, None, (MINSU,), now)).id or 0


def alerts(house: Company, channel_id: str) -> list[dict[str, Any]]:
    """The messages in a channel that are about a daily limit, as they stand now."""
    every = house.stage.slack.messages(channel_id)
    return [one for one in every if one.get("thread_ts", one["ts"]) == one["ts"] and "일일 한도 $" in one["text"]]


@pytest.mark.parametrize("who", STRANGERS)
async def test_who_may_not_gets_nothing_done_by_any_button(house: Company, who: str) -> None:
    """Every button of a stop in force: refused in private, with the names of those who can, and written down."""
    user_id, workspace = STRANGERS[who]
    before = await house.standing()
    for action_id in CLICKS:
        await house.sends(house.click(user_id, action_id, f"stop:{house.held.id}", workspace))
        said = house.cleared(user_id)
        assert said, f"{action_id} was left without an answer"
        if workspace == TEAM_ID:
            assert f"<@{MINSU}>" in said, f"{action_id} does not say who can"
        else:
            assert not {"held", "마케팅팀", MINSU} & set(said.split())
    assert await house.standing() == before
    assert not house.is_spoken_of(user_id)
    if workspace == TEAM_ID:
        assert {row.entry.action for row in await house.refusals(user_id)} >= set(CLICKS)


async def test_a_slack_that_does_not_say_who_is_in_a_group_gives_no_right_and_takes_none(house: Company) -> None:
    """Emma approves through a user group alone: nothing is done, nobody says that she may not, and a moment later she
    may. Of a team that she has nothing to do with, she is refused as ever."""
    jihoon = await house.bot.people.present(TEAM_ID, JIHOON)
    assert jihoon is not None
    await house.bot.teams.update(jihoon, house.marketing.id, approvers=[FINANCE_GROUP])
    faults, emma = house.stage.slack.hub.faults, house.stage.slack.person(EMMA)
    faults.add(Fault("usergroups.users.list", error="internal_error", times=None))
    try:
        before, refused = await house.standing(), len(await house.refusals(EMMA))
        for action_id in CLICKS:
            await house.sends(house.click(EMMA, action_id, f"stop:{house.held.id}"))
            said = house.cleared(EMMA)
            assert "알 수 없습니다. 아무것도 실행하지 않았습니다." in said, action_id
            assert f"<@{MINSU}>" in said, action_id
            assert "만 할 수 있는" not in said, action_id
        for command in ("차단", "복구"):
            await emma.command(f"/finops {command}", FINOPS)
            await house.stage.slack.until(lambda: "빠져 있을 수 있습니다" in words_of(emma.views), WAIT)
            said = house.cleared(EMMA)
            assert "없습니다" not in said.replace("빠져 있을 수 있습니다", ""), command
        await house.sends(house.click(EMMA, ids.PROJECT_DETAIL, house.target("held")))
        assert "직접 복구하실 수 있는지 알 수 없습니다" in house.cleared(EMMA)
        for action_id in (ids.BUDGET_NEW, ids.KEY_MANAGE):  # her own language from here on: these look her up anew
            await house.sends(house.click(EMMA, action_id, ""))
            assert "Slack did not say who is in the user group" in house.cleared(EMMA), action_id
        assert await house.standing() == before
        assert len(await house.refusals(EMMA)) == refused
        await house.sends(house.click(EMMA, ids.STOP_OPEN, house.target("edited")))
        assert "Only the lead or an approver of *데이터팀*" in house.cleared(EMMA)
        faults.clear()
        await house.sends(house.click(EMMA, ids.STOP_APPROVE, f"stop:{house.held.id}"))
        assert "Restore on terms" in house.cleared(EMMA)
    finally:
        faults.clear()
        await house.bot.teams.update(jihoon, house.marketing.id, approvers=[])


@pytest.mark.parametrize("who", STRANGERS)
async def test_who_may_not_gets_nothing_done_by_any_window(house: Company, who: str) -> None:
    """Filled in as one would to do harm, without ever having been shown the window."""
    user_id, workspace = STRANGERS[who]
    before = await house.standing()
    target, held = house.target("chatbot-experiment"), f"stop:{house.held.id}"
    for payload in (
        house.stopping(user_id, target, workspace),
        house.stopping(user_id, target, workspace, **{ids.STOP_WHAT: chosen("collecting_off")}),
        house.stopping(user_id, target, workspace, **{ids.STOP_WHAT: chosen("excluded")}),
        house.approving(user_id, held, workspace),
        house.approving(user_id, held, workspace, **{ids.APPROVE_WAY: chosen("restore")}),
    ):
        said = words_of((await house.sends(payload))["view"])
        if workspace == TEAM_ID:
            assert f"<@{MINSU}>" in said
        else:
            assert "chatbot-experiment" not in said
    assert await house.standing() == before
    if workspace == TEAM_ID:
        assert {ids.VIEW_STOP, ids.VIEW_APPROVE} <= {row.entry.action for row in await house.refusals(user_id)}


@pytest.mark.parametrize(("secret", "age"), [("another secret", 0), (None, 600)], ids=["forged", "ten minutes old"])
async def test_a_request_that_slack_did_not_sign_just_now_is_not_heard(
    house: Company, secret: str | None, age: int
) -> None:
    """A forged signature, and a true one of ten minutes ago: 401, and nothing happens, nothing is said."""
    before, told = await house.standing(), len(house.stage.slack.calls)
    target = house.target("chatbot-experiment")
    for payload in (house.stopping(MINSU, target), house.click(MINSU, ids.STOP_RESTORE, f"stop:{house.held.id}")):
        status, _ = await house.posts(payload, secret=secret, age=age)
        assert status == 401
    assert await house.standing() == before
    # The stage goes on editing its own messages; nobody who asked is answered.
    answers = {"views.open", "views.update", "views.push", "chat.postEphemeral"}
    assert [one.method for one in house.stage.slack.calls[told:] if one.method in answers] == []


async def test_the_same_request_again_does_nothing_again(house: Company) -> None:
    """Somebody kept what Slack sent, signature and all, and sends it once more within five minutes."""
    status, stopping = await house.posts(house.stopping(MINSU, house.target("twice")))
    assert status == 200
    stop = await house.until("twice", StopState.STOPPED)
    _, restoring = await house.posts(house.click(MINSU, ids.STOP_RESTORE, f"stop:{stop.id}"))
    await house.until("twice", StopState.RESTORED)
    assert house.changes("twice") == 2
    before = await house.standing()
    for letter in (stopping, restoring, stopping):
        assert await house.again(letter) == 200
    assert await house.standing() == before
    assert house.limit("twice") == FORMER_CENTS


async def test_an_approval_and_a_word_to_the_lead_said_again_count_once(house: Company) -> None:
    """A later second would allow more, or make the lead's telephone ring again."""
    await house.sends(house.stopping(JIHOON, house.target("allowed")))
    stop = await house.until("allowed", StopState.STOPPED)
    text = {ids.LEAD_TEXT: {"value": "확인 부탁드립니다"}}
    _, telling = await house.posts(house.submission(JIHOON, ids.VIEW_STOP_LEAD, {"target": f"stop:{stop.id}"}, **text))
    minsu = house.stage.slack.person(MINSU)
    await house.stage.slack.until(lambda: "확인 부탁드립니다" in words_of(minsu.messages(minsu.dm)), WAIT)
    _, approving = await house.posts(
        house.approving(JIHOON, f"stop:{stop.id}", decided=[stop.requested_at.isoformat()])
    )
    allowed = await house.until("allowed", StopState.ALLOWED)
    for letter in (telling, approving):
        assert await house.again(letter) == 200
    assert await house.until("allowed", StopState.ALLOWED) == allowed
    assert len([one for one in minsu.messages(minsu.dm) if "확인 부탁드립니다" in one["text"]]) == 1


@pytest.mark.parametrize(
    "metadata",
    [
        "", "{}", "[]", "not json", '{"target":12}', '{"target":"incident:999999"}', '{"target":"stop:999999"}',
        '{"target":"project:-1"}', '{"target":"team:0"}', '{"target":"workspace:1"}', '{"target":"project:١"}',
        '{"target":"project:1 OR 1=1"}', '{"target":"' + "9" * 2900 + '"}',
    ],
)  # fmt: skip
async def test_a_window_with_nonsense_for_ids_does_nothing(house: Company, metadata: str) -> None:
    """Even an admin's: an answer, and nothing else."""
    before = await house.standing()
    for callback_id, filled in FILLED.items():
        answer = await house.sends(house.submission(JIHOON, callback_id, metadata, **filled))
        assert answer["response_action"] == "update", callback_id
    assert await house.standing() == before


async def test_ids_of_another_workspace_are_nobodys(house: Company) -> None:
    """An admin here, whose window carries the neighbour's project: it is not found, and not touched."""
    before = await house.standing()
    metadata = {"target": f"project:{house.neighbours.id}", "seen": house.clock().isoformat(), "decided": []}
    for callback_id, filled in FILLED.items():
        answer = await house.sends(house.submission(JIHOON, callback_id, metadata, **filled))
        assert answer["response_action"] == "update", callback_id
        assert "옆집팀" not in words_of(answer["view"])
    assert await house.standing() == before


async def test_a_window_turned_to_another_teams_project_is_refused(house: Company) -> None:
    """The lead of one team edits the id in their own window: they are told whose it is, and it is written down."""
    before = await house.standing()
    minsu = house.stage.slack.person(MINSU)
    await house.sends(house.click(MINSU, ids.STOP_OPEN, house.target("chatbot-experiment")))
    view = minsu.view
    assert view is not None
    known = json.loads(view["private_metadata"]) | {"target": house.target("edited")}
    house.stage.slack.world.views[view["id"]].body["private_metadata"] = json.dumps(known)
    await minsu.submits(view["id"], {ids.STOP_WHAT: "stop", ids.STOP_REASON: "테스트"})
    await house.quiet()
    assert f"<@{SEOYEON}>" in house.cleared(MINSU)
    assert await house.standing() == before
    assert ids.VIEW_STOP in {row.entry.action for row in await house.refusals(MINSU)}


@pytest.mark.parametrize("key", ["projects", "team_projects"])
async def test_a_window_with_another_teams_project_among_those_it_showed_stops_nothing(
    house: Company, key: str
) -> None:
    """Whatever a window carries as shown: only what is the target's, or its team's, is stopped; else it fills anew."""
    before = await house.standing()
    minsu = house.stage.slack.person(MINSU)
    await house.sends(house.click(MINSU, ids.STOP_OPEN, house.target("chatbot-experiment")))
    view = minsu.view
    assert view is not None
    known = json.loads(view["private_metadata"])
    known[key] = [*known[key], house.projects["edited"].id]
    house.stage.slack.world.views[view["id"]].body["private_metadata"] = json.dumps(known)
    breadth = "project" if key == "projects" else "team"
    filled = {ids.STOP_WHAT: "stop", ids.STOP_BREADTH: breadth, ids.STOP_REASON: "테스트"}
    assert (await minsu.submits(view["id"], filled))["ok"]
    await house.quiet()
    assert await house.standing() == before
    fresh = minsu.view
    assert fresh is not None
    assert house.projects["edited"].id not in json.loads(fresh["private_metadata"])[key]


async def test_two_people_at_once_are_one_stop_and_the_second_learns_who_was_first(house: Company) -> None:
    """Both read the window, both press within the same moment."""
    target = house.target("at-once")
    answers = await asyncio.gather(
        *(house.sends(house.stopping(who, target, view_id=f"V0{who}")) for who in (MINSU, JIHOON))
    )
    stop = await house.until("at-once", StopState.STOPPED)
    said = [words_of(answer["view"]) for answer in answers]
    assert stop.requested_by in (MINSU, JIHOON)
    assert any(f"<@{stop.requested_by}>" in one for one in said)
    assert (house.limit("at-once"), house.changes("at-once")) == (1, 1)
    assert len([one for one in (await house.standing())[2][0] if one.scope_id == stop.scope_id]) == 1


async def test_many_clicks_are_one(house: Company) -> None:
    """Five windows submitted at once are one stop; five times "restore" puts back once."""
    target = house.target("many-times")
    windows = [house.stopping(MINSU, target, view_id=f"V0MANY{number}") for number in range(5)]
    await asyncio.gather(*map(house.sends, windows))
    stop = await house.until("many-times", StopState.STOPPED)
    assert (house.limit("many-times"), house.changes("many-times")) == (1, 1)
    clicks = [house.click(MINSU, ids.STOP_RESTORE, f"stop:{stop.id}") for _ in range(5)]
    await asyncio.gather(*map(house.sends, clicks))
    await house.until("many-times", StopState.RESTORED)
    assert (house.limit("many-times"), house.changes("many-times")) == (FORMER_CENTS, 2)


async def test_a_window_submitted_an_hour_later_shows_how_it_is_now_instead(house: Company) -> None:
    """What it said of who is hit was true an hour ago; the fresh one can be submitted."""
    minsu = house.stage.slack.person(MINSU)
    await house.sends(house.click(MINSU, ids.STOP_OPEN, house.target("late")))
    before = house.limit("late")  # an hour moves what other tests stopped; this project is ours
    view = minsu.view
    assert view is not None
    house.clock.advance(timedelta(hours=1))
    filled = {ids.STOP_WHAT: "stop", ids.STOP_REASON: "테스트"}
    assert (await minsu.submits(view["id"], filled))["ok"]
    fresh = minsu.view
    assert fresh is not None
    assert (fresh["id"], fresh["callback_id"]) == (view["id"], ids.VIEW_STOP)
    assert fresh["private_metadata"] != view["private_metadata"]
    assert words_of(fresh) != words_of(view)
    assert (house.limit("late"), house.changes("late")) == (before, 0)
    await minsu.submits(fresh["id"], filled)
    await house.until("late", StopState.STOPPED)
    assert house.limit("late") == 1


async def test_home_tells_of_a_stop_only_whom_it_waits_for(house: Company) -> None:
    """With its one button and the way to its message; pressed by somebody else, it is refused in a window of theirs."""
    for user_id, is_mine in ((JIHOON, True), (MINSU, True), (EMMA, False), (SAKURA, False)):
        person = house.stage.slack.person(user_id)
        before = person.home
        await person.opens_home()
        await house.stage.slack.until(lambda who=person, old=before: who.home is not None and who.home != old, WAIT)
        home = person.home
        assert home is not None
        said = words_of(home["blocks"])
        assert ("마케팅팀 · held" in said, "내 승인" in said, "|메시지 보기>" in said) == (is_mine,) * 3
        assert (f"stop:{house.held.id}" in json.dumps(home)) == is_mine
    view = {"id": "V0HOME0001", "type": "home", "callback_id": "", "private_metadata": ""}
    click = house.click(SAKURA, ids.STOP_RESTORE, f"stop:{house.held.id}") | {"view": view, "channel": None}
    standing = await house.standing()
    await house.sends(click)
    assert f"<@{MINSU}>" in house.cleared(SAKURA)
    assert await house.standing() == standing


async def test_the_private_answer_about_a_project_leads_to_its_stop_for_those_who_may(house: Company) -> None:
    """Everybody sees that it is stopped; only who answers for it can put it back from there, or stop another."""
    for user_id, may in ((MINSU, True), (EMMA, False)):
        for name, said, button in (("held", "⛔", ids.STOP_RESTORE), ("many-times", "", ids.STOP_OPEN)):
            person = house.stage.slack.person(user_id)
            before = len(person.ephemerals(FINOPS))
            await person.command(f"/finops status {name}", FINOPS)
            await house.stage.slack.until(lambda who=person, n=before: len(who.ephemerals(FINOPS)) > n, WAIT)
            answer = person.ephemerals(FINOPS)[-1]
            assert said in words_of(answer)
            assert (button in json.dumps(answer)) == may
        house.cleared(user_id)
