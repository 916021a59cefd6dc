"""The role of an admin ends when its reason does; through the wire, at the click after Slack said so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from demo.slack import Person
from demo.slack.cast import TEAM_ID
from finops.registry import Role
from handlers import Reception
from handlers.addresses import BOT, SLACK
from tests.e2e.stages import EMMA, JIHOON, SEOYEON, Stage, answer_to, ids, scene, window, words_of


async def role_of(stage: Stage, user_id: str) -> Role:
    person = await stage.product[BOT].people.present(TEAM_ID, user_id)
    assert person is not None
    return person.role


async def told(stage: Stage, person: Person, command: str) -> str:
    """What the window says that a command opens; it is closed again."""
    await person.command(command)
    said = words_of(await window(stage, person))
    person.closes(everything=True)
    return said


async def heard(stage: Stage) -> None:
    """Wait until the app has taken in what Slack told it."""
    await stage.slack.settled()
    [reception] = [one for one in stage.product[SLACK]._async_middleware_list if isinstance(one, Reception)]
    await reception._work.drain()


async def long_unseen(stage: Stage, user_id: str) -> None:
    """Let it be three days since Slack was asked about somebody."""
    async with stage.product[BOT].storage.writing() as store:
        known = await store.people.get(TEAM_ID, user_id)
        assert known is not None
        await store.people.remember(TEAM_ID, replace(known, seen_at=known.seen_at - timedelta(days=3)))


async def test_rights_end_with_their_reason_and_the_refusal_names_who_can(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """이지훈 administers as a Slack admin, then Emma; the one loses it with that, the other by turning into a guest."""
    shutil.copy(sqlite_template, tmp_path / "roles.db")
    async with scene(f"sqlite:///{tmp_path / 'roles.db'}") as stage:
        slack = stage.slack
        jihoon, emma, seoyeon = slack.person(JIHOON), slack.person(EMMA), slack.person(SEOYEON)
        await jihoon.command("/finops setup")
        await window(stage, jihoon, ids.SETUP_TEAM)
        jihoon.closes(everything=True)

        assert slack.describe(JIHOON, is_admin=False) is not None, "the manifest asks for user_change"
        await heard(stage)
        assert "아직 FinOps 관리자가 없습니다" in await told(stage, jihoon, "/finops setup")

        slack.describe(EMMA, is_owner=True)
        await heard(stage)
        await emma.command("/finops setup")
        await window(stage, emma, ids.SETUP_TEAM)
        emma.closes(everything=True)
        assert f"<@{EMMA}>" in await told(stage, jihoon, "/finops audit")

        slack.describe(EMMA, is_restricted=True)
        await heard(stage)
        assert await role_of(stage, EMMA) is Role.OUTSIDER
        assert "Nobody administers FinOps here yet" in await told(stage, emma, "/finops audit")

        slack.describe(SEOYEON, is_admin=True, team_id="T0STRANGER")
        await told(stage, seoyeon, "/finops setup")
        assert await role_of(stage, SEOYEON) is Role.OUTSIDER, "an administrator of another company's Slack"
        slack.describe(SEOYEON, enterprise_id="E0STRANGER")
        await seoyeon.command("/finops feedback")
        await window(stage, seoyeon, ids.VIEW_FEEDBACK)
        await long_unseen(stage, SEOYEON)
        await seoyeon.submits(None, {ids.FEEDBACK_TEXT: "안녕하세요"})
        await heard(stage)
        assert await role_of(stage, SEOYEON) is Role.OUTSIDER, "what they send from a window names their organization"

        async with stage.product[BOT].storage.reading() as store:
            rows = [row.entry async for row in store.audit.all(TEAM_ID)]
        trail = [(one.action, one.subject, one.details["why"]) for one in rows if one.action.startswith("admin.")]
        assert trail == [
            ("admin.appointed", f"person:{JIHOON}", "first"),
            ("admin.removed", f"person:{JIHOON}", "no_slack_admin"),
            ("admin.appointed", f"person:{EMMA}", "first"),
            ("admin.removed", f"person:{EMMA}", "guest"),
        ]
        assert slack.complaints == []


async def test_an_admin_whom_slack_deactivated_unheard_keeps_nobody_out(sqlite_template: Path, tmp_path: Path) -> None:
    """Slack told nobody (we were away): whoever asks for set-up later has Slack asked about the admins there are."""
    shutil.copy(sqlite_template, tmp_path / "unheard.db")
    async with scene(f"sqlite:///{tmp_path / 'unheard.db'}") as stage:
        bot, slack = stage.product[BOT], stage.slack
        jihoon, emma = slack.person(JIHOON), slack.person(EMMA)
        await jihoon.command("/finops setup")
        await window(stage, jihoon, ids.SETUP_TEAM)
        slack.world.users[JIHOON].deleted, slack.world.users[EMMA].is_admin = True, True
        await long_unseen(stage, JIHOON)
        await answer_to(stage, emma, "/finops help")
        await emma.command("/finops setup")
        await window(stage, emma, ids.SETUP_TEAM)
        assert await bot.people.admins(TEAM_ID) == (EMMA,)
        assert await role_of(stage, JIHOON) is Role.OUTSIDER
