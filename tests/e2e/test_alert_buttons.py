"""An alert in its channel, pressed by three people through the wire: what each may do, and what all of them see."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from blocks import ids
from demo import runaway
from demo.clock import StageClock
from demo.slack import Person
from demo.slack.interactions import locate
from demo.trace import Trace, parse_trace
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from handlers.addresses import BOT
from tests.e2e.stages import EMMA, JIHOON, MARKETING, MINSU, Stage, is_read, scene, set_up, window, words_of
from tests.integration.stop_wire import at_six

WAIT = 40.0
DAYS = 5


def a_steady_trace() -> Trace:
    """Two calls a minute, day and night: a loop is such calls many times over."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens"]
    rows += [f"{hour},chatbot-experiment,big,120,1200000,12000" for hour in range(DAYS * 24)]
    return parse_trace(rows)


async def looks_again(stage: Stage, clock: StageClock) -> None:
    """Let a minute pass, and wait until usage was read in it."""
    clock.advance(timedelta(minutes=1))
    now = clock()
    async with asyncio.timeout(WAIT):
        while not await is_read(stage, now):
            stage.product[BOT].wake_watch.set()  # a clock that was moved rings no alarm
            await asyncio.sleep(0.02)


async def alerted(stage: Stage, clock: StageClock) -> dict[str, Any]:
    """A daily budget of $500 for the team, and a loop that breaks it; the message that says so."""
    await set_up(stage, "chatbot-experiment")
    bot = stage.product[BOT]
    async with bot.storage.reading() as store:
        [workspace] = await store.workspaces.all()
    [team] = await bot.teams.all(workspace.id)
    terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.DAY, Money.of("500"))
    async with bot.storage.writing() as store:
        await store.budgets.create(team.workspace_id, terms, by=JIHOON, at=bot.clock())
    runaway.start(stage.openai)
    await looks_again(stage, clock)
    await stage.slack.until(lambda: bool(roots(stage)), WAIT)
    return roots(stage)[0]


def roots(stage: Stage) -> list[dict[str, Any]]:
    """The alerts in the team's channel, as they stand now."""
    return [
        message
        for message in stage.slack.messages(MARKETING)
        if "일일 한도 $500 초과" in message["text"] and message.get("thread_ts", message["ts"]) == message["ts"]
    ]


async def refused(stage: Stage, person: Person, action_id: str, value: str) -> str:
    """What only this person sees after pressing what they may not."""
    before = len(person.ephemerals(MARKETING))
    await person.clicks(roots(stage)[0], action_id, value)
    await stage.slack.until(lambda: len(person.ephemerals(MARKETING)) > before, WAIT)
    return words_of(person.ephemerals(MARKETING)[-1])


async def test_three_people_press_the_buttons_of_one_alert(quick_url: str) -> None:
    """Acknowledged by a member, silenced by the lead and not by the member, judged by an admin, seen by all."""
    clock = at_six(StageClock())
    async with scene(quick_url, a_steady_trace(), clock=clock, FINOPS_POLL_SECONDS="60") as stage:
        root = await alerted(stage, clock)
        jihoon, minsu, emma = (stage.slack.person(each) for each in (JIHOON, MINSU, EMMA))
        assert root["blocks"][0]["text"]["text"].startswith("🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $")
        assert "chatbot-experiment" in root["blocks"][1]["text"]["text"]

        await emma.clicks(root, ids.INCIDENT_MORE, "확인")
        await stage.slack.until(lambda: "확인함 · Emma" in words_of(roots(stage)[0]), WAIT)
        assert f"/{ids.MORE_ACKNOWLEDGE}" not in str(roots(stage)[0]["blocks"])

        await emma.clicks(roots(stage)[0], ids.INCIDENT_SILENCE)
        assert f"<@{MINSU}>" in words_of(await window(stage, emma))
        emma.closes()
        await minsu.clicks(roots(stage)[0], ids.INCIDENT_SILENCE)
        await window(stage, minsu, ids.VIEW_SILENCE)
        await minsu.submits(None, {ids.SILENCE_FOR: "4시간"})
        assert "알림을 껐습니다" in words_of(await window(stage, minsu, ids.VIEW_INFO))
        minsu.closes()
        await stage.slack.until(lambda: "알림 꺼짐 · 김민수" in words_of(roots(stage)[0]), WAIT)
        await minsu.clicks(roots(stage)[0], ids.INCIDENT_END_SILENCE)
        await stage.slack.until(lambda: ids.INCIDENT_SILENCE in str(roots(stage)[0]["blocks"]), WAIT)

        # He looks at the first message still: of all its edits since, none has taken the button from under him.
        seen, _ = locate(root["blocks"], ids.INCIDENT_DETAIL)
        await jihoon.clicks(roots(stage)[0], ids.INCIDENT_DETAIL, block_id=seen["block_id"])
        shown = words_of(await window(stage, jihoon, ids.VIEW_INFO))
        assert "최근 7일과 오늘" in shown
        assert "Project ID" in shown
        assert "chatbot-experiment production ..." in shown, "a key by its name"
        assert "key_" not in shown
        jihoon.closes()
        [project] = [one for one in stage.openai.organization.projects.values() if one.name == "chatbot-experiment"]
        stage.openai.fail(path=f"/v1/organization/projects/{project.id}/api_keys", status=500)
        await jihoon.clicks(roots(stage)[0], ids.INCIDENT_DETAIL)
        assert "key_" in words_of(await window(stage, jihoon, ids.VIEW_INFO)), "by its id, where nobody tells the name"
        stage.openai.faults.clear()
        jihoon.closes()
        assert "의견 감사합니다" in await refused(stage, jihoon, ids.INCIDENT_FEEDBACK, f"{_id(root)}/good")

        await minsu.clicks(roots(stage)[0], ids.INCIDENT_MORE, "예산 변경")
        assert "500" in str(await window(stage, minsu, ids.VIEW_BUDGET))

        await the_steps_are_ticked(stage, minsu, emma)

        await jihoon.opens_home()
        await stage.slack.until(lambda: "열린 알림 1건" in words_of(jihoon.home), WAIT)
        assert len(roots(stage)) == 1
        assert stage.slack.complaints == []


async def the_steps_are_ticked(stage: Stage, minsu: Person, emma: Person) -> None:
    """Below the alert, once however often they are asked for; each sees what the other ticked, and who it was."""

    def steps() -> list[dict[str, Any]]:
        return [one for one in stage.slack.messages(MARKETING) if ids.INCIDENT_STEP in str(one["blocks"])]

    async def tick(person: Person, number: int, *, is_done: bool = True) -> None:
        box = [block["block_id"] for block in steps()[0]["blocks"] if "accessory" in block][number]
        await person.clicks(steps()[0], ids.INCIDENT_STEP, ["done"] if is_done else [], block_id=box)

    await minsu.clicks(roots(stage)[0], ids.INCIDENT_MORE, "대응 순서")
    await stage.slack.until(lambda: bool(steps()), WAIT)
    assert steps()[0]["thread_ts"] == roots(stage)[0]["ts"]
    await tick(minsu, 0)
    await stage.slack.until(lambda: "4개 중 1개 완료" in steps()[0]["text"], WAIT)
    assert "stand in the thread" in await refused(stage, emma, ids.INCIDENT_MORE, "대응 순서")
    await tick(emma, 1)
    await stage.slack.until(lambda: "4개 중 2개 완료" in steps()[0]["text"], WAIT)
    assert f"✅ <@{MINSU}>" in words_of(steps()[0])
    assert f"✅ <@{EMMA}>" in words_of(steps()[0])
    await tick(minsu, 1, is_done=False)
    await stage.slack.until(lambda: "4개 중 1개 완료" in steps()[0]["text"], WAIT)
    assert f"✅ <@{EMMA}>" not in words_of(steps()[0])
    assert len(steps()) == 1

    gone = steps()[0]["ts"]
    stage.slack.world.delete(MARKETING, stage.slack.world.message(MARKETING, gone) or {})
    assert not steps()
    await minsu.clicks(roots(stage)[0], ids.INCIDENT_MORE, "대응 순서")
    await stage.slack.until(lambda: bool(steps()), WAIT)
    assert steps()[0]["thread_ts"] == roots(stage)[0]["ts"]
    assert f"✅ <@{MINSU}>" in words_of(steps()[0])


def _id(root: dict[str, Any]) -> str:
    """The incident's id, as its buttons carry it."""
    elements = [each for block in root["blocks"] if block["type"] == "actions" for each in block["elements"]]
    return str(next(each["value"] for each in elements if each["action_id"] == ids.INCIDENT_DETAIL))
