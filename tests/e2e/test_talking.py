"""Feedback and interviews through signed requests: three people, three languages, one form, one answer, one booking."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from blocks import feedback
from demo.clock import StageClock
from demo.slack import Person
from demo.slack.cast import TEAM_ID
from finops.feedback import FeedbackCategory
from finops.interviews import OfferWish
from handlers.addresses import BOT
from tests.e2e.stages import (
    EMMA,
    JIHOON,
    MARKETING,
    SAKURA,
    SEOYEON,
    Stage,
    a_trace,
    answer_to,
    ids,
    scene,
    window,
    words_of,
)

UTC_MORNING = timedelta(hours=3)


@pytest.fixture
def clock() -> StageClock:
    """Shortly after a UTC midnight, so that tomorrow is tomorrow for everybody."""
    moving = StageClock()
    moving.move_to_next_day()
    moving.advance(UTC_MORNING)
    return moving


@pytest.fixture
async def stage(
    sqlite_template: Path, tmp_path: Path, clock: StageClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """Requests signed as Slack signs them; feedback is read in the channel of the marketing team."""
    monkeypatch.setattr("jobs.interviews.LOOK_EVERY_SECONDS", 0.3)
    shutil.copy(sqlite_template, tmp_path / "stage.db")
    more = {"socket_mode": False, "FINOPS_FEEDBACK_CHANNEL": MARKETING, "FINOPS_EDIT_EVERY_SECONDS": "1"}
    url = f"sqlite:///{tmp_path / 'stage.db'}"
    async with scene(url, a_trace(days=1), clock=clock, FINOPS_ADMINS=JIHOON, **more) as running:
        yield running
        assert running.slack.complaints == []


async def reads(stage: Stage, person: Person, channel: str, words: str) -> dict[str, Any]:
    """The newest message with these words, once it is there."""

    def found() -> list[dict[str, Any]]:
        return [one for one in person.messages(channel) if words in words_of(one)]

    await stage.slack.until(lambda: bool(found()), 15)
    return found()[-1]


async def sees(stage: Stage, person: Person, words: str) -> dict[str, Any]:
    """The window in front of somebody, once it says this."""
    await stage.slack.until(lambda: person.view is not None and words in words_of(person.view), 15)
    assert person.view is not None
    return person.view


async def files_of(stage: Stage, person: Person, count: int) -> list[Any]:
    """The calendar files somebody was sent, once there are so many, as a calendar reads them."""

    def sent() -> list[dict[str, Any]]:
        return [file for one in person.messages(person.dm) for file in one.get("files", [])]

    await stage.slack.until(lambda: len(sent()) >= count, 15)
    return [Calendar.from_ical(stage.slack.hub.contents[one["id"]]) for one in sent()]


async def test_feedback_goes_there_and_its_answer_back(stage: Stage) -> None:
    """Emma asks in English, 佐藤 answers nobody may, 이지훈 decides and answers in Korean, once."""
    emma, sakura, jihoon = (stage.slack.person(one) for one in (EMMA, SAKURA, JIHOON))
    await emma.command("/finops feedback Why is Monday's digest")
    form = await window(stage, emma, ids.VIEW_FEEDBACK)
    assert "May we answer you?" in words_of(form)
    typed = {ids.FEEDBACK_CATEGORY: FeedbackCategory.QUESTION.value, ids.FEEDBACK_TEXT: "Why *so* early? <!channel>"}
    assert (await emma.submits(values=typed))["ok"]
    await sees(stage, emma, "their answer comes to you")
    emma.closes(everything=True)
    root = await reads(stage, jihoon, MARKETING, "so* early? &lt;!channel&gt;")
    assert "Emma" in words_of(root)
    assert EMMA not in str(root)

    await sakura.command("/finops フィードバック")
    await window(stage, sakura, ids.VIEW_FEEDBACK)
    await sakura.submits(values={ids.FEEDBACK_TEXT: "助かっています", ids.FEEDBACK_CONTACT: feedback.NO})
    await sees(stage, sakura, "お名前なしで")
    nameless = await reads(stage, jihoon, MARKETING, "助かっています")
    assert SAKURA not in str(nameless)
    assert ids.FEEDBACK_ANSWER not in str(nameless)
    sakura.closes(everything=True)

    await emma.clicks(root, ids.FEEDBACK_DONE)
    await stage.slack.until(lambda: any("admin" in words_of(one) for one in emma.ephemerals(MARKETING)), 15)
    await jihoon.clicks(root, ids.FEEDBACK_PLANNED)
    root = await reads(stage, jihoon, MARKETING, "상태: 예정")
    await jihoon.clicks(root, ids.FEEDBACK_ANSWER)
    await window(stage, jihoon, ids.VIEW_FEEDBACK_ANSWER)
    await jihoon.submits(values={ids.FEEDBACK_ANSWER_TEXT: "한국 시간 오전 9시입니다."})
    await reads(stage, emma, emma.dm, "한국 시간 오전 9시입니다.")
    assert ids.FEEDBACK_ANSWER not in str(await reads(stage, jihoon, MARKETING, "님이 답변함"))
    jihoon.closes(everything=True)
    assert sum("한국 시간" in words_of(one) for one in emma.messages(emma.dm)) == 1


async def test_without_a_channel_every_administrator_reads_feedback_and_sees_one_state(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """What one administrator does stands in everybody's message; of two who answer at once the first is heard."""
    shutil.copy(sqlite_template, tmp_path / "stage.db")
    admins = {"FINOPS_ADMINS": f"{JIHOON},{SEOYEON}", "FINOPS_EDIT_EVERY_SECONDS": "1"}
    async with scene(f"sqlite:///{tmp_path / 'stage.db'}", a_trace(days=1), socket_mode=False, **admins) as stage:
        sakura, jihoon, seoyeon = (stage.slack.person(one) for one in (SAKURA, JIHOON, SEOYEON))
        for one in (jihoon, seoyeon):
            await answer_to(stage, one, "/finops help")
        await sakura.command("/finops フィードバック")
        await window(stage, sakura, ids.VIEW_FEEDBACK)
        await sakura.submits(values={ids.FEEDBACK_TEXT: "円でも見たいです"})
        hers = await reads(stage, seoyeon, seoyeon.dm, "円でも見たいです")
        his = await reads(stage, jihoon, jihoon.dm, "円でも見たいです")
        await seoyeon.clicks(hers, ids.FEEDBACK_PLANNED)
        assert "박서연" in words_of(await reads(stage, jihoon, jihoon.dm, "상태: 예정"))
        await reads(stage, seoyeon, seoyeon.dm, "상태: 예정")
        for one, message in ((jihoon, his), (seoyeon, hers)):
            await one.clicks(message, ids.FEEDBACK_ANSWER)
            await window(stage, one, ids.VIEW_FEEDBACK_ANSWER)
        await jihoon.submits(values={ids.FEEDBACK_ANSWER_TEXT: "다음 달에 됩니다"})
        await reads(stage, sakura, sakura.dm, "다음 달에 됩니다")
        await seoyeon.submits(values={ids.FEEDBACK_ANSWER_TEXT: "이번 주에 됩니다"})
        await sees(stage, seoyeon, "이미 답변했습니다")
        assert "이번 주에" not in str(sakura.messages(sakura.dm))
        told = await reads(stage, seoyeon, seoyeon.dm, "님이 답변함")
        assert ids.FEEDBACK_ANSWER not in str(told)
        assert stage.slack.complaints == []


async def test_a_message_is_what_feedback_is_about(stage: Stage) -> None:
    """The shortcut takes the place of a message along, and none of its words."""
    emma, jihoon = stage.slack.person(EMMA), stage.slack.person(JIHOON)
    said = await emma.says(MARKETING, "비밀 회의록")
    await emma.shortcut(ids.FEEDBACK_MESSAGE, said["message"] if "message" in said else emma.messages(MARKETING)[-1])
    await window(stage, emma, ids.VIEW_FEEDBACK)
    await emma.submits(values={ids.FEEDBACK_TEXT: "Not clear to me"})
    root = await reads(stage, jihoon, MARKETING, "Not clear to me")
    assert f"channel={MARKETING}&amp;message_ts=" in str(root) or f"channel={MARKETING}&message_ts=" in str(root)
    assert "비밀 회의록" not in str(root)


async def test_an_interview_is_offered_booked_moved_and_reminded_of(stage: Stage, clock: StageClock) -> None:
    """이지훈 offers in Seoul, 佐藤 books in Tokyo, Emma comes too late in New York; calendars follow every change."""
    jihoon, sakura, emma = (stage.slack.person(one) for one in (JIHOON, SAKURA, EMMA))
    await jihoon.command("/finops 인터뷰")
    await sees(stage, jihoon, "제안한 시간")
    await jihoon.clicks(jihoon.view, ids.INTERVIEW_OFFER)
    form = await window(stage, jihoon, ids.VIEW_INTERVIEW_OFFER)
    assert "Asia/Seoul" in words_of(form)
    refused = await jihoon.submits(values={ids.INTERVIEW_TIMES: "14:00, 언제든"})
    assert "언제든" in str(refused["errors"])
    await jihoon.submits(values={ids.INTERVIEW_TIMES: "14:00, 16:30", ids.INTERVIEW_PLACE: "회의실 3"})
    await sees(stage, jihoon, "시간 2개를 제안했습니다")
    jihoon.closes(everything=True)

    for person, command in ((sakura, "/finops インタビュー"), (emma, "/finops interview")):
        await person.command(command)
        await sees(stage, person, "14:00" if person is sakura else "Times are in your time zone, America/New_York, E")
        await person.clicks(person.view, ids.INTERVIEW_BOOK)
        await window(stage, person, ids.VIEW_INTERVIEW_BOOK)
    await sakura.submits(values={ids.INTERVIEW_NOTE: "月曜の要約"})
    await sees(stage, sakura, "予約しました")
    await emma.submits()
    late = await sees(stage, emma, "a moment ago")
    tomorrow = clock().astimezone(ZoneInfo("Asia/Seoul")).date() + timedelta(days=1)
    left = datetime.combine(tomorrow, time(16, 30), ZoneInfo("Asia/Seoul")).astimezone(ZoneInfo("America/New_York"))
    hers_then = f"{left:%H:%M}–{left + timedelta(minutes=30):%H:%M}"  # an hour later in summer
    assert [when["text"]["text"][-11:] for when in _options(late)] == [hers_then]
    emma.closes(everything=True)
    told = await reads(stage, jihoon, jihoon.dm, "인터뷰를 예약했습니다")
    assert "月曜の要約" in words_of(told)

    [hers] = await files_of(stage, sakura, 1)
    assert [
        one for one in jihoon.messages(jihoon.dm) if one.get("files")
    ] == []  # one message told him, and has the button
    await jihoon.clicks(told, ids.INTERVIEW_FILE)
    [his] = await files_of(stage, jihoon, 1)
    [event] = hers.walk("VEVENT")
    assert (hers["METHOD"], event["SEQUENCE"], event["LOCATION"]) == ("REQUEST", 0, "회의실 3")
    assert his.walk("VEVENT")[0]["UID"] == event["UID"]
    assert "佐藤さくら" in event["SUMMARY"]

    await sakura.clicks(sakura.view, ids.INTERVIEW_MOVE)
    await window(stage, sakura, ids.VIEW_INTERVIEW_BOOK)
    [free] = [one["value"] for one in _options(sakura.view)]
    await sakura.submits(values={ids.INTERVIEW_SLOT: free})
    await sees(stage, sakura, "に変更しました")
    _, moved = await files_of(stage, sakura, 2)
    [later] = moved.walk("VEVENT")
    assert (later["UID"], later["SEQUENCE"]) == (event["UID"], 1)
    assert later.decoded("DTSTART") - event.decoded("DTSTART") == timedelta(hours=2, minutes=30)
    sakura.closes(everything=True)

    clock.advance(later.decoded("DTSTART") - timedelta(minutes=59) - clock())
    # The reminder looks at this clock, not at the wall's: it comes by itself.
    await reads(stage, sakura, sakura.dm, "一時間以内に")
    await reads(stage, jihoon, jihoon.dm, "한 시간 안에")

    await sakura.command("/finops インタビュー")
    await sees(stage, sakura, "あなたのインタビュー")
    await sakura.clicks(sakura.view, ids.INTERVIEW_CANCEL)
    await sees(stage, sakura, "キャンセルしました")
    await jihoon.clicks(await reads(stage, jihoon, jihoon.dm, "인터뷰를 취소했습니다"), ids.INTERVIEW_FILE)
    _, off = await files_of(stage, jihoon, 2)
    assert (off["METHOD"], off.walk("VEVENT")[0]["SEQUENCE"]) == ("CANCEL", 2)


async def test_what_was_done_in_another_window_is_said_with_what_there_is_now(stage: Stage, clock: StageClock) -> None:
    """Booked, withdrawn and given up elsewhere while a window stood open: nothing is done twice."""
    jihoon, sakura, interviews = (
        stage.slack.person(JIHOON), stage.slack.person(SAKURA), stage.product[BOT].interviews
    )  # fmt: skip
    for person in (jihoon, sakura):
        await answer_to(stage, person, "/finops help")
    host, visitor = [await stage.product[BOT].people.known(TEAM_ID, one) for one in (JIHOON, SAKURA)]
    assert host is not None
    assert visitor is not None
    tomorrow = clock().date() + timedelta(days=1)
    first, *_, last = await interviews.offer(host, OfferWish(JIHOON, tomorrow, "10 11 12", 30, "", "Asia/Seoul"))

    await sakura.command("/finops インタビュー")
    await sakura.clicks(await sees(stage, sakura, "10:00–10:30"), ids.INTERVIEW_BOOK, first.id)
    await window(stage, sakura, ids.VIEW_INTERVIEW_BOOK)
    await interviews.withdraw(host, first.id)
    await sakura.submits(values={ids.INTERVIEW_NOTE: "月曜の要約"})
    late = await sees(stage, sakura, "もう受け付けていません")
    assert [one["value"] for one in _options(late)] == [str(last.id - 1), str(last.id)]
    assert "月曜の要約" in str(late)

    booked = (await interviews.book(visitor, last.id, "")).meeting.booking
    await sakura.submits(values={ids.INTERVIEW_SLOT: str(last.id - 1)})
    mine = await sees(stage, sakura, "すでに")
    assert "12:00–12:30" in words_of(mine)

    await interviews.cancel(visitor, booked.id)
    await sakura.clicks(mine, ids.INTERVIEW_CANCEL)
    assert "11:00–11:30" in words_of(await sees(stage, sakura, "何も変更していません"))


def _options(view: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the menu of times offers."""
    assert view is not None
    [menu] = [one["element"] for one in view["blocks"] if one.get("block_id") == ids.INTERVIEW_SLOT]
    options: list[dict[str, Any]] = menu["options"]
    return options
