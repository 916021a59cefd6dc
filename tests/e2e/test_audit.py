"""The audit trail through the wire: an admin reads who did what and takes it along; whoever may not is on it."""

from __future__ import annotations

from demo.slack import Person
from demo.slack.cast import TEAM_ID
from handlers.addresses import BOT
from tests.e2e.stages import JIHOON, SEOYEON, Stage, ids, window, words_of


async def shows(stage: Stage, person: Person, *words: str) -> str:
    """What the window in front of the person says, once it says all of this."""
    await stage.slack.until(lambda: all(word in words_of(person.view or {}) for word in words), 15)
    return words_of(person.view or {})


async def presses(stage: Stage, person: Person, action_id: str, value: str | None, *words: str) -> str:
    """The window after a press, once it says this."""
    assert person.view is not None
    await person.clicks(person.view, action_id, value)
    return await shows(stage, person, *words)


async def test_an_admin_sees_who_did_what_and_who_may_not_is_told_so_and_recorded(set_up_stage: Stage) -> None:
    """Set-up, a refused look, filters, the next page, and the file in the direct messages."""
    stage, admin = set_up_stage, set_up_stage.slack.person(JIHOON)
    bot, member = stage.product[BOT], stage.slack.person(SEOYEON)
    await member.command("/finops 감사")
    assert "기록 체인" not in await shows(stage, member, "관리자")
    await admin.command("/finops audit")
    shown = words_of(await window(stage, admin))
    assert "✅ 기록 체인이 온전합니다: 5건" in shown
    assert "<@U0SEOYEON1> · 권한 없이 `/finops audit` 작업을 시도했습니다 (관리자만 가능) · 거절" in shown
    assert "*마케팅팀* 소속으로 프로젝트 4개를 등록했습니다: ad-copy-writer, batch" in shown
    assert "<@U0JIHOON01> · 팀을 만들었습니다: *마케팅팀* · 완료" in shown

    assert admin.view is not None
    await admin.clicks(admin.view, ids.AUDIT_KIND, "refusals")
    await stage.slack.until(lambda: "팀을 만들었습니다" not in words_of(admin.view or {}), 15)
    await presses(stage, admin, ids.AUDIT_PERSON, JIHOON, "해당하는 기록이 없습니다")
    await presses(stage, admin, ids.AUDIT_EVERYBODY, None, "권한 없이")
    person = await bot.people.known(TEAM_ID, JIHOON)
    assert person is not None
    [team] = await bot.teams.all(TEAM_ID)
    for number in range(10):
        await bot.teams.update(person, team.id, name=f"{number}번 팀")
    await presses(stage, admin, ids.AUDIT_KIND, "all", "9번 팀", "이전 기록")
    await presses(stage, admin, ids.AUDIT_OLDER, None, "팀을 만들었습니다", "최근 기록")
    await presses(stage, admin, ids.AUDIT_NEWER, None, "9번 팀")
    await presses(stage, admin, ids.AUDIT_CSV, None, "파일을 DM으로 보내 드렸습니다")
    [message] = [one for one in admin.messages(admin.dm) if one.get("files")]
    assert [file["name"][-4:] for file in message["files"]] == [".csv"]
    assert "감사 기록 15건입니다. ✅ 기록 체인이 온전합니다" in message["text"]
    assert (await bot.audit.verify(TEAM_ID)).rows == 16
