"""The guard: whatever breaks, the person hears one calm sentence where they are looking, and work is never lost."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import psycopg
import pytest
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from bot.errors import Refusal, RefusalCode, explain
from handlers import asking
from handlers.guard import Work, guarded
from handlers.visit import Visit, WindowClosed
from providers.contract import Unavailable
from storage.errors import Conflict
from tests.unit.listening import SAKURA, FakeBot, FakeRespond, FakeSlack, a_visit


async def failing(error: Exception, **more: object) -> tuple[FakeSlack, FakeRespond]:
    slack, respond = FakeSlack(), FakeRespond()

    async def work(visit: Visit) -> None:
        if more.pop("opens", False):
            await visit.loading()
        raise error

    user_id = more.pop("user_id", "U0JIHOON01")
    await guarded(a_visit(FakeBot(), slack, str(user_id), respond=respond), work)
    return slack, respond


async def test_a_refusal_is_said_to_the_person_only_and_names_who_can() -> None:
    """No log at error level: nothing is broken."""
    _, respond = await failing(Refusal(RefusalCode.NOT_ADMIN, admins=("U0JIHOON01",)))
    assert respond.said[0]["response_type"] == "ephemeral"
    assert "<@U0JIHOON01>" in respond.said[0]["text"]


@pytest.mark.parametrize("code", [RefusalCode.NOT_ADMIN, RefusalCode.UNKNOWN_TEAM])
async def test_what_somebody_may_not_is_recorded_once_however_often_it_is_explained(code: RefusalCode) -> None:
    """A handler that says it beside an input explains it itself; what is no question of rights is nobody's attempt."""
    bot = FakeBot()
    visit = a_visit(bot, FakeSlack(), SAKURA, respond=FakeRespond())
    asking.by_click(visit, "budget.delete", "12")

    async def work(_: Visit) -> None:
        refusal = Refusal(code, team="마케팅팀", admins=("U0JIHOON01",))
        explain(refusal)
        raise refusal

    await guarded(visit, work)
    told = (visit.workspace_id, SAKURA, "budget.delete", "not_admin", "budget:12", {"team": "마케팅팀"})
    assert bot.refusals == ([told] if code is RefusalCode.NOT_ADMIN else [])
    explain(Refusal(code))
    assert len(bot.refusals) <= 1, "what nobody asked for is nobody's attempt"


@pytest.mark.parametrize(
    ("action", "value", "about"),
    [
        ("stop.open", "project:3", "project:3"),
        ("incident.more", "12/acknowledge", "incident:12"),
        ("budget.new", "team:3/day", "team:3"),
        ("team.manage", "", ""),
        ("key.new", "sk-" + "admin-" + "hanbit0000000000000000abc1", ""),
        ("key.new", "-1", ""),
    ],
)
async def test_of_a_button_only_what_has_the_form_of_an_id_is_recorded(action: str, value: str, about: str) -> None:
    visit = a_visit(FakeBot(), FakeSlack())
    asking.by_click(visit, action, value)
    assert (visit.asked, visit.about) == (action, about)
    asking.by_window(visit, "project.save", {"team": 3, "project": 7, "seen": "x"})
    assert (visit.asked, visit.about) == ("project.save", "project:7")


async def test_an_outage_says_whose_turn_it_is() -> None:
    """OpenAI is away: calm, true, and what was stored is kept."""
    _, respond = await failing(Unavailable("no answer from 10.0.0.1"))
    assert "OpenAI가 응답하지 않습니다" in respond.said[0]["text"]
    assert "10.0.0.1" not in str(respond.said)


async def test_a_bug_gives_a_reference_that_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The person reads it out, the developer finds the traceback."""
    with caplog.at_level(logging.ERROR):
        _, respond = await failing(KeyError("secret detail"))
    (record,) = [record for record in caplog.records if record.exc_info]
    assert str(record.reference) in str(respond.said[0]["blocks"])  # type: ignore[attr-defined]
    assert "secret detail" not in str(respond.said)


@pytest.mark.parametrize(
    "error",
    [
        SlackApiError("no", {"ok": False, "error": "fatal_error"}),
        SlackApiError("no", {"ok": False, "error": "ratelimited"}),
        SlackApiError("a page of a gateway", {}),
        aiohttp.ServerDisconnectedError(),
        TimeoutError(),
    ],
    ids=repr,
)
async def test_what_slack_did_is_not_told_as_our_fault(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is sent to the administrator for it, and no alarm about us goes off."""
    _, respond = await failing(error)
    assert "Slack이 FinOps에" in respond.said[0]["text"]
    assert "저희 쪽에서" not in str(respond.said)
    (told,) = [record for record in caplog.records if record.message == "slack trouble"]
    assert str(told.reference) in str(respond.said[0]["blocks"])  # type: ignore[attr-defined]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_slack_refuses_of_ours_is_our_fault() -> None:
    _, respond = await failing(SlackApiError("no", {"ok": False, "error": "invalid_blocks"}))
    assert "저희 쪽에서" in respond.said[0]["text"]


@pytest.mark.parametrize("has_address", [True, False])
async def test_a_window_that_cannot_be_filled_leaves_nobody_in_front_of_an_hourglass(has_address: bool) -> None:
    """The answer comes where the command was typed, or directly; a window that was closed wants none."""
    slack, respond = FakeSlack(), FakeRespond()
    visit = a_visit(FakeBot(), slack, respond=respond if has_address else None)
    visit.channel_id = None

    async def work(visit: Visit) -> None:
        await visit.loading()
        slack.refuses["views.update"] = "internal_error"
        raise Refusal(RefusalCode.NOTHING_TO_COLLECT)

    await guarded(visit, work)
    directly = [] if has_address else ["U0JIHOON01"]
    assert [call["channel"] for call in slack.told("chat.postMessage")] == directly
    assert len(respond.said) == has_address


async def test_bad_news_appears_in_the_window_that_was_opened() -> None:
    """Where the person is looking, in their language."""
    slack, respond = await failing(Refusal(RefusalCode.NOT_ADMIN, admins=()), opens=True, user_id=SAKURA)
    (update,) = slack.told("views.update")
    assert update["view_id"] == "V1"
    assert "管理者" in str(update["view"])
    assert respond.said == []


async def test_a_window_closed_meanwhile_ends_the_matter() -> None:
    """Nobody waits for it: no message, no alarm."""
    slack, respond = await failing(WindowClosed())
    assert respond.said == []
    assert slack.calls == []


async def test_a_window_that_opened_too_late_asks_to_press_again() -> None:
    """A click is good for three seconds; that is nobody's bug."""
    slack, respond = FakeSlack(), FakeRespond()
    slack.refuses["views.open"] = "expired_trigger_id"
    await guarded(a_visit(FakeBot(), slack, respond=respond), lambda visit: visit.loading())
    assert "다시 눌러 주세요" in respond.said[0]["text"]


async def test_who_is_given_up_to_somebody_else_at_the_same_moment_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    """Two who waited for each other in the database are no fault of ours that a reference would find."""
    _, respond = await failing(Conflict("what", "this transaction wanted"))
    assert "같은 순간에" in respond.said[0]["text"]
    assert [one.levelname for one in caplog.records] == ["WARNING"]


async def test_while_the_database_is_away_whoever_asked_is_told_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """In the usual language, for theirs stands in the database; saying it broke, and they were told nothing at all."""
    bot, respond = FakeBot(), FakeRespond()

    async def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, psycopg.OperationalError("connection refused"))

    bot.people.present = bot.people.known = away

    async def work(visit: Visit) -> None:
        await visit.person()

    await guarded(a_visit(bot, FakeSlack(), respond=respond), work)
    (told,) = [one for one in caplog.records if one.message == "not done while the database is away"]
    assert str(told.reference) in str(respond.said[0]["blocks"])  # type: ignore[attr-defined]
    assert {one.levelname for one in caplog.records} == {"WARNING"}


async def test_slack_being_away_while_we_say_so_is_logged_and_over(caplog: pytest.LogCaptureFixture) -> None:
    """There is no other way to reach the person."""
    slack = FakeSlack()
    slack.refuses["chat.postEphemeral"] = "internal_error"

    async def work(_: Visit) -> None:
        raise Refusal(RefusalCode.NOTHING_TO_COLLECT)

    await guarded(a_visit(FakeBot(), slack), work)
    assert "bad news not delivered" in caplog.text


async def test_shutting_down_waits_for_what_was_begun() -> None:
    """Work that was promised is finished first."""
    work, go, done = Work(), asyncio.Event(), []

    async def promised() -> None:
        await go.wait()
        done.append(True)

    work.start(promised())
    assert work.count == 1
    draining = asyncio.create_task(work.drain())
    go.set()
    await asyncio.wait_for(draining, 1)
    assert (done, work.count) == ([True], 0)


async def test_shutting_down_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """What hangs is cancelled, and said."""
    work = Work()
    task = work.start(asyncio.Event().wait())
    await work.drain(timeout=0.01)
    assert task.cancelled()
    assert "work cancelled at shutdown" in caplog.text
