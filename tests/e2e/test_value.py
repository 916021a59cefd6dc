"""One project through the wire: its window, a token shown once, calls recorded with it, a target, a rating."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from blocks import kit, ratings
from bot import Bot
from bot.value import of_projects
from demo.slack import Person
from finops.periods import Period, charge_day
from finops.registry import Project
from finops.value import ValueFigure, ValueSource
from handlers.addresses import BOT
from tests.e2e.stages import JIHOON, MARKETING, SEOYEON, Stage, answer_to, ids, scene, window, words_of
from tests.unit.saying import reader
from tests.unit.test_blocks_value import AProject

APPLICATION = "chatbot-experiment"


async def opened(stage: Stage, person: Person, words: str, command: str = f"/finops 프로젝트 {APPLICATION}") -> str:
    """What the project's window says, once it says this."""
    if person.view is None:
        await person.command(command)
    await stage.slack.until(lambda: person.view is not None and words in words_of(person.view), 15)
    return words_of(person.view)


async def told(stage: Stage, token: str, *events: dict[str, Any]) -> int:
    """What an application hears that records its calls."""
    wire = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{stage.url}/v1/events", json=list(events), headers=wire) as answer,
    ):
        return answer.status


async def test_a_project_is_connected_recorded_judged_and_disconnected(begun: dict[str, Any]) -> None:
    """이지훈 makes a token and sets a target, the application records, 박서연 sees the value, the token is revoked."""
    async with scene(**begun) as stage:
        jihoon, seoyeon = stage.slack.person(JIHOON), stage.slack.person(SEOYEON)
        said = await opened(stage, jihoon, "성과 기록 없음")
        assert "이벤트 토큰" in said
        assert "이벤트 토큰 만들기" not in await opened(stage, seoyeon, "성과 기록 없음")
        seoyeon.closes(everything=True)

        await jihoon.clicks(jihoon.view, ids.TOKEN_NEW)
        await window(stage, jihoon, ids.VIEW_TOKEN_NEW)
        await jihoon.submits(values={ids.TOKEN_NAME: "web-backend"})
        made = await opened(stage, jihoon, "지금 한 번만")
        token = re.search(r"fin_[\w-]{43}", made).group()  # type: ignore[union-attr]
        assert f"curl {stage.url}/v1/events" in made
        jihoon.closes()
        assert token not in await opened(stage, jihoon, "web-backend")

        calls = [{"id": f"call-{n}", "task": "요약", "outcome": "success" if n else "failure"} for n in range(10)]
        assert await told(stage, token, *calls) == 200
        await jihoon.clicks(jihoon.view, ids.TARGET_EDIT)
        await window(stage, jihoon, ids.VIEW_TARGET)
        await jihoon.submits(values={ids.TARGET_AMOUNT: "많이"})
        assert jihoon.view["callback_id"] == ids.VIEW_TARGET
        await jihoon.submits(values={ids.TARGET_AMOUNT: "0.02"})
        await opened(stage, jihoon, "$0.02")
        jihoon.closes(everything=True)
        today = await answer_to(stage, seoyeon, f"/finops 상태 {APPLICATION} 오늘")
        assert "성공 9건" in words_of(today)
        await seoyeon.clicks(today, ids.PROJECT_DETAIL)
        assert "요약" in words_of(await window(stage, seoyeon))
        seoyeon.closes(everything=True)

        await opened(stage, jihoon, "web-backend")
        await jihoon.clicks(jihoon.view, ids.TOKEN_REVOKE)
        await opened(stage, jihoon, "폐기되었습니다")
        assert await told(stage, token, {"id": "late"}) == 401
        await rates_another(stage, seoyeon)
        assert stage.slack.complaints == []


async def rates_another(stage: Stage, seoyeon: Person) -> None:
    """One tap rates a project that records nothing, the same again changes nothing, another changes it, and it can be
    taken back; only who taps sees what was kept."""
    bot = stage.product[BOT]
    seoyeon.joins(MARKETING)
    [workspace] = await bot.people.workspaces()
    project = next(one for one in await bot.projects.all(workspace.id) if one.name != APPLICATION)
    today = charge_day(bot.clock())
    week = Period(monday := today - timedelta(days=today.weekday()), monday + timedelta(days=7))
    asked = kit.message("?", ratings.rating_block(AProject(project.id, project.name), week, reader("ko")))
    settings = stage.slack.client_settings()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(settings["SLACK_BOT_TOKEN"], settings["SLACK_API_URL"], session=session)
        root = await client.chat_postMessage(channel=MARKETING, text="주간 리포트")
        await client.chat_postMessage(channel=MARKETING, thread_ts=root["ts"], **asked.arguments())
    posted = stage.slack.messages(MARKETING)[-1]
    taps = ((ids.RATE_GOOD, "감사합니다"), (ids.RATE_GOOD, "그대로입니다"), (ids.RATE_POOR, "바꾸었습니다"))
    for number, (button, words) in enumerate(taps):
        await seoyeon.clicks(posted, button)
        await stage.slack.until(partial(_has_heard, seoyeon, number + 1), 15)
        heard = seoyeon.ephemerals(MARKETING)[-1]
        assert words in words_of(heard)
        assert heard["thread_ts"] == root["ts"], "whoever answers in a thread looks there for the answer"
    rated = await value_of(bot, project, week)
    assert (rated.source, rated.raters, rated.feedback) == (ValueSource.RATINGS, 1, 0)
    await seoyeon.clicks(seoyeon.ephemerals(MARKETING)[-1], ids.RATE_WITHDRAW)
    await stage.slack.until(lambda: "거두었습니다" in str(seoyeon.ephemerals(MARKETING)), 15)
    rated = await value_of(bot, project, week)
    assert (rated.source, rated.raters) == (ValueSource.NONE, 0)


async def value_of(bot: Bot, project: Project, week: Period) -> ValueFigure:
    async with bot.storage.reading() as store:
        return (await of_projects(store, project.workspace_id, week, [project]))[project.id]


def _has_heard(person: Person, times: int) -> bool:
    return len(person.ephemerals(MARKETING)) >= times
