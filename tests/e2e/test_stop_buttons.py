"""A runaway stopped, proved, explained and let go on, by the buttons of its alert and of a direct message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from blocks import ids, kit
from bot.telling import stop_key
from demo import runaway
from demo.clock import StageClock
from demo.openai.organization import SpendLimit
from demo.slack import Person
from demo.slack.cast import TEAM_ID
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from finops.stops import StopEventKind
from handlers.addresses import BOT, METRICS
from jobs.rendering import Rendering
from tests.e2e.stages import JIHOON, MARKETING, MINSU, Stage, scene, set_up, window, words_of
from tests.e2e.test_alert_buttons import a_steady_trace, looks_again
from tests.integration.stop_wire import at_six

WAIT = 15.0
APPLICATION = "chatbot-experiment"
# Far above what is spent in a month, so that it lets everything through.
FORMER_CENTS = 100_000_000


def root(stage: Stage) -> dict[str, Any]:
    """The one message about it, as it stands now."""
    roots = [one for one in stage.slack.messages(MARKETING) if one.get("thread_ts", one["ts"]) == one["ts"]]
    [alert] = [one for one in roots if "마케팅팀" in one["text"]]
    return alert


async def shows(stage: Stage, *words: str) -> str:
    """Wait until the message says all of this; everything it says."""
    await stage.slack.until(lambda: all(word in words_of(root(stage)) for word in words), WAIT)
    return words_of(root(stage))


def limit(stage: Stage) -> int | None:
    """The project's spend limit at the provider, in cents."""
    return stage.openai.organization.named(APPLICATION).spend_limit_cents


async def alerted(stage: Stage, clock: StageClock) -> None:
    """A daily budget of $500 for the team, and a loop that breaks it."""
    stage.openai.organization.named(APPLICATION).spend_limits.append(SpendLimit(FORMER_CENTS, 0))
    await set_up(stage, APPLICATION)
    bot = stage.product[BOT]
    [team] = await bot.teams.all(TEAM_ID)
    terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.DAY, Money.of("500"))
    async with bot.storage.writing() as store:
        await store.budgets.create(team.workspace_id, terms, by=JIHOON, at=bot.clock())
    runaway.start(stage.openai)
    await looks_again(stage, clock)
    await stage.slack.until(lambda: any("$500" in one["text"] for one in stage.slack.messages(MARKETING)), WAIT)


async def told(stage: Stage) -> list[StopEventKind]:
    """What happened so far, in order."""
    bot = stage.product[BOT]
    async with bot.storage.reading() as store:
        [stop] = await store.stops.active(TEAM_ID)
        return [event.kind for event in await store.stops.events(TEAM_ID, stop.id or 0)]


async def mailed(stage: Stage, kind: StopEventKind) -> tuple[str, str]:
    """What would be mailed of it if Slack were away."""
    bot = stage.product[BOT]
    async with bot.storage.reading() as store:
        [stop] = await store.stops.active(TEAM_ID)
        [event] = [one for one in await store.stops.events(TEAM_ID, stop.id or 0) if one.kind is kind]
        line = await store.outbox.get(TEAM_ID, f"{stop_key(stop.id or 0)}:{event.key}")
    assert line is not None
    return await Rendering(bot).letter(line, None)


async def proved(stage: Stage, clock: StageClock) -> None:
    """Let minutes pass, each looked at as it ends, until usage has shown that nothing is spent any more."""
    clock.advance(timedelta(minutes=5))
    async with asyncio.timeout(WAIT):
        while StopEventKind.PROVED not in await told(stage):
            await looks_again(stage, clock)


@pytest.mark.long
async def test_a_runaway_is_stopped_proved_explained_and_let_go_on(quick_url: str) -> None:
    """김민수 is asked and answers, 이지훈 stops it, usage proves it, 김민수 says why and lets it go on: the provider's
    limit is what it was."""
    clock = at_six(StageClock())
    async with scene(
        quick_url, a_steady_trace(), clock=clock, FINOPS_POLL_SECONDS="60", FINOPS_EDIT_EVERY_SECONDS="1"
    ) as stage:
        await alerted(stage, clock)
        jihoon, minsu = stage.slack.person(JIHOON), stage.slack.person(MINSU)
        await answers_in_words(stage, jihoon, minsu)

        await jihoon.clicks(root(stage), ids.INCIDENT_STOP)
        asked = words_of(await window(stage, jihoon, ids.VIEW_STOP))
        assert "이 프로젝트의 키를 사용하는 모든 애플리케이션이 중단됩니다. 계속하시겠습니까?" in asked
        assert "예, 즉시 차단" in asked
        await jihoon.submits()  # two clicks, and nothing typed: the alert has told the reason
        await stage.slack.until(lambda: limit(stage) == 1, WAIT)
        assert "사유: 재시도 루프 의심" in await shows(stage, "⛔")
        jihoon.closes(everything=True)

        await proved(stage, clock)
        said = await shows(stage, "✅", "차단 확인")
        assert "$" in said
        subject, letter = await mailed(stage, StopEventKind.PROVED)
        assert APPLICATION in subject
        assert "차단 확인" in letter

        await jihoon.clicks(root(stage), ids.INCIDENT_MORE, _more(stage, ids.MORE_ACKNOWLEDGE))
        await shows(stage, "확인함 · 이지훈")
        await jihoon.clicks(root(stage), ids.STOP_LEAD)
        prepared = words_of(await window(stage, jihoon, ids.VIEW_STOP_LEAD))
        assert APPLICATION in prepared
        heard = len(minsu.messages(minsu.dm))
        await jihoon.submits()
        await stage.slack.until(lambda: len(minsu.messages(minsu.dm)) > heard, WAIT)
        await minsu.clicks(minsu.messages(minsu.dm)[-1], ids.STOP_CAUSE)
        await window(stage, minsu, ids.VIEW_STOP_CAUSE)
        await minsu.submits(values={ids.CAUSE_QUICK: "retry_bug", ids.CAUSE_TEXT: "3번 재시도"})
        await shows(stage, "재시도 로직 버그", "3번 재시도")
        minsu.closes(everything=True)

        runaway.end(stage.openai)
        await minsu.clicks(root(stage), ids.STOP_APPROVE)
        await window(stage, minsu, ids.VIEW_APPROVE)
        assert (await minsu.submits(values={ids.APPROVE_WAY: "end_of_day", ids.APPROVE_RESTOPS: ["restops"]}))["ok"]
        await shows(stage, "▶️", "김민수")
        assert limit(stage) == FORMER_CENTS
        measured = stage.product[METRICS].page()[0].decode()
        assert 'finops_levers_total{lever="stop",state="released"} 1.0' in measured
        assert 'finops_stop_seconds_count{lever="stop"} 1.0' in measured
        assert stage.slack.complaints == []


def _more(stage: Stage, choice: str) -> str:
    """What the menu of rarer actions carries for a choice."""
    elements = [each for block in root(stage)["blocks"] if block["type"] == "actions" for each in block["elements"]]
    [menu] = [each for each in elements if each["action_id"] == ids.INCIDENT_MORE]
    return next(option["value"] for option in menu["options"] if option["value"].endswith(f"/{choice}"))


async def answers_in_words(stage: Stage, jihoon: Person, minsu: Person) -> None:
    """김민수 writes back as to a colleague: beside the message, then below it with the word of a command in front;
    what a lead answers in words can be pinned as the cause."""
    await jihoon.clicks(root(stage), ids.INCIDENT_MORE, _more(stage, ids.MORE_LEAD))
    await window(stage, jihoon, ids.VIEW_STOP_LEAD)
    await jihoon.submits()
    await stage.slack.until(lambda: APPLICATION in words_of(minsu.messages(minsu.dm)), WAIT)
    [letter] = minsu.messages(minsu.dm)
    jihoon.closes(everything=True)

    def answers(text: str) -> list[dict[str, Any]]:
        return [one for one in minsu.messages(minsu.dm) if one.get("bot_id") and text in words_of(one)]

    for said, thread_ts in (
        ("네, 방금 배포한 코드에 재시도 로직 버그가 있었습니다. 수정하겠습니다.", None),
        ("차단 감사합니다. 원인은 retry.py의 A & B <배치> 작업입니다: https://ci.example/7?a=1&b=2", letter["ts"]),
    ):
        await minsu.says(minsu.dm, said, thread_ts)
        await stage.slack.until(lambda said=said: answers(said), WAIT)
        [offer] = answers(said)
        assert offer.get("thread_ts") == thread_ts
        assert "원인으로 고정할까요?" in words_of(offer)
        await minsu.clicks(offer, ids.STOP_CAUSE)
        assert said in str(await window(stage, minsu, ids.VIEW_STOP_CAUSE))
        assert (await minsu.submits())["ok"]
        pinned = kit.escape(f"원인: {said} · 김민수")
        await stage.slack.until(lambda pinned=pinned: pinned in words_of(stage.slack.messages(MARKETING)), WAIT)
        minsu.closes(everything=True)

    await minsu.says(minsu.dm, "고맙습니다")
    await stage.slack.until(lambda: answers("`고맙습니다` 명령은 알지 못합니다"), WAIT)
