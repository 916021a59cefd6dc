"""The install self-test through the wire: sent from where people set up, delivered as alerts are, proved by a press."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot import Bot, trials
from bot.results import Profile
from demo.slack.cast import BOT as APP
from demo.slack.cast import TEAM_ID
from finops.registry import Team
from finops.trials import KIND
from handlers.addresses import BOT, METRICS
from tests.e2e.stages import (
    EMMA,
    JIHOON,
    MARKETING,
    MINSU,
    Stage,
    answer_to,
    ids,
    scene,
    window,
    words_of,
)

TOO_LATE = ("이미 눌렀습니다", "방금 다른 분이", "pressed this already", "pressed this a moment ago")
MARK = "테스트입니다. 실제 지출이 아닙니다."


@asynccontextmanager
async def a_stage(template: Path, folder: Path, **variables: str) -> AsyncIterator[Stage]:
    shutil.copy(template, folder / "trial.db")
    async with scene(f"sqlite:///{folder / 'trial.db'}", **variables) as stage:
        yield stage


async def a_team(stage: Stage) -> Team:
    """A team that is told in its channel; nothing is connected to it."""
    bot: Bot = stage.product[BOT]
    admin = await bot.people.meet(
        TEAM_ID, "한빛소프트", Profile(JIHOON, "이지훈", "ko-KR", is_workspace_admin=True), asks_setup=True
    )
    return await bot.teams.create(admin, "마케팅팀", Profile(MINSU, "김민수"), MARKETING, locale="ko")


async def alert_in(stage: Stage, *, count: int = 1) -> dict[str, Any]:
    """The newest test alert in the team's channel, once there are so many."""
    slack = stage.slack

    def found() -> list[dict[str, Any]]:
        return [one for one in slack.messages(MARKETING) if "테스트 알림" in one["text"]]

    await slack.until(lambda: len(found()) >= count, 15)
    return found()[-1]


def counted(stage: Stage, name: str, **labels: str) -> float:
    return float(stage.product[METRICS].registry.get_sample_value(name, labels) or 0.0)


async def test_at_the_end_of_the_set_up_an_alert_is_tried_and_its_press_proves_the_way_back(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """Pressed by a member, twice; measured apart; on Home and in the check-up from then on; and no incident."""
    async with a_stage(sqlite_template, tmp_path) as stage:
        slack = stage.slack
        jihoon, minsu, emma = slack.person(JIHOON), slack.person(MINSU), slack.person(EMMA)
        await jihoon.command("/finops setup")
        await window(stage, jihoon, ids.SETUP_TEAM)
        fields = {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING}
        assert (await jihoon.submits(None, fields))["ok"]
        told = words_of([await answer_to(stage, jihoon, "/finops doctor")])
        assert "아직 테스트 알림으로 버튼을 확인하지 않았습니다" in told
        await window(stage, jihoon, ids.SETUP_KEY)
        assert (await jihoon.submits(None, {ids.KEY: stage.props.marketing_key}))["ok"]
        await window(stage, jihoon, ids.SETUP_KEY_DONE)
        assert (await jihoon.submits(None, {}))["ok"]
        await window(stage, jihoon, ids.SETUP_PROJECTS)
        assert (await jihoon.submits(None, {ids.PROJECTS_ALL: [ids.PROJECTS_ALL]}))["ok"]
        await slack.until(lambda: "이제 알림을 시험해 보세요" in words_of(jihoon.view), 15)

        await jihoon.clicks(jihoon.view, ids.TRIAL_SEND)
        posted = await alert_in(stage)
        assert MARK in posted["text"], "the notification says it, too"
        await slack.until(lambda: "도착했습니다. 그곳에서 버튼을 눌러 주세요" in words_of(jihoon.view), 15)
        assert counted(stage, "finops_trial_seconds_count", step="delivered") == 1
        await jihoon.opens_home()
        await slack.until(lambda: jihoon.home is not None and "*4. 알림 시험하기*" in words_of(jihoon.home), 15)

        assert all(one["ok"] for one in await asyncio.gather(
            *(one.clicks(posted, ids.TRIAL_PRESS) for one in (minsu, emma, minsu))
        ))  # fmt: skip
        await slack.until(lambda: "님이 눌렀습니다" in words_of(slack.messages(MARKETING)), 15)
        pressed = await alert_in(stage)
        assert pressed["ts"] == posted["ts"], "the message is edited"
        said = words_of([pressed])
        assert MARK in said
        assert "전송 요청 → Slack 도착:" in said
        assert "클릭 → FinOps 도착:" in said
        assert ids.TRIAL_PRESS not in str(pressed)

        await slack.until(lambda: len(minsu.ephemerals(MARKETING)) + len(emma.ephemerals(MARKETING)) == 2, 15)
        later = words_of([*minsu.ephemerals(MARKETING), *emma.ephemerals(MARKETING)])
        assert sum(one in later for one in TOO_LATE) >= 1, "and the message names one person"
        assert said.count("님이 눌렀습니다") == 1

        await jihoon.opens_home()
        await slack.until(lambda: ids.TRIAL_SEND not in str(jihoon.home), 15)
        told = words_of([await answer_to(stage, jihoon, "/finops doctor")])
        assert "마지막 테스트 알림은" in told
        assert counted(stage, "finops_trial_seconds_count", step="answered") == 1
        assert counted(stage, "finops_alert_seconds_count", clock="detected") == 0
        async with stage.product[BOT].storage.reading() as store:
            assert await store.incidents.open_ones(TEAM_ID) == []
        assert slack.complaints == []


async def test_what_keeps_a_test_alert_from_its_channel_is_told_to_whoever_asked_with_what_to_do(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """Archived, uninvited, not granted, away: each in words; mended, the same button has it delivered."""
    async with a_stage(sqlite_template, tmp_path, FINOPS_ALERT_EMAILS="") as stage:
        slack, bot = stage.slack, stage.product[BOT]
        jihoon, emma = slack.person(JIHOON), slack.person(EMMA)
        channel = slack.world.channels[MARKETING]
        team = await a_team(stage)
        channel.is_archived = True
        asked = await answer_to(stage, jihoon, "/finops doctor")

        async def told(after: str) -> str:
            before = len(jihoon.ephemerals(jihoon.dm))
            assert (await jihoon.clicks(asked, ids.TRIAL_SEND))["ok"]
            await slack.until(lambda: len(jihoon.ephemerals(jihoon.dm)) > before, 15)
            said = words_of([jihoon.ephemerals(jihoon.dm)[-1]])
            assert after in said, said
            return said

        assert "보내지 못했습니다" in await told("보관된 채널입니다")
        channel.is_archived, channel.is_private = False, True
        channel.members.discard(APP)
        assert f"/invite @FinOps` in <#{MARKETING}>" not in await told("FinOps가 이 채널에 없습니다")
        channel.is_private = False
        channel.members.add(APP)
        for error, words in (
            ("missing_scope", "쓰기 권한(`chat:write`)"),
            ("restricted_action", "게시 권한에서 허용"),
            ("503", "Slack이 응답하지 않습니다"),
        ):
            slack.fail("chat.postMessage", error=error)
            assert "계속 다시 시도합니다" in await told(words)
            slack.hub.faults.clear()
            bot.wake_outbox.set()
        assert "테스트 알림이" in await told("만에")
        await alert_in(stage)
        checked = words_of([await answer_to(stage, jihoon, "/finops doctor")])
        assert "아무도 버튼을 누르지 않았습니다" in checked

        mine = await answer_to(stage, emma, "/finops doctor")
        assert ids.TRIAL_SEND not in str(mine), "not hers to send"
        posted = await alert_in(stage)
        async with bot.storage.writing() as store:
            [kept] = await store.outbox.newest_of(TEAM_ID, KIND, 5)
            assert trials.trial_of(kept).team_id == team.id, "tried again under one key, not many"
            assert await store.outbox.forget_before(kept.wanted_at.replace(year=kept.wanted_at.year + 1)) == 1
        await emma.clicks(posted, ids.TRIAL_PRESS)
        await slack.until(lambda: "This test alert is from long ago" in words_of(emma.ephemerals(MARKETING)), 15)
        assert len([one for one in slack.messages(MARKETING) if "테스트 알림" in one["text"]]) == 1
