"""Polls through the wire: people of three languages ask, vote, change their minds, add, close and export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from benchmarks import voting
from blocks import poll_forms, polls
from demo.clock import StageClock
from demo.slack import Person
from finops.polls import NextFeature
from handlers.addresses import STORAGE
from tests.e2e.stages import (
    EMMA,
    JIHOON,
    MARKETING,
    SAKURA,
    SEOYEON,
    Stage,
    answer_to,
    ids,
    scene,
    window,
    words_of,
)

QUESTION = "다음 회의는 언제?"
DAYS = "월요일\n화요일\n수요일"


@pytest.fixture
def moving() -> StageClock:
    """A clock that can be moved on."""
    return StageClock()


@pytest.fixture
async def talk(begun: dict[str, Any], moving: StageClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A stage where edits follow at once and everybody of this test is in the team's channel."""
    monkeypatch.setattr("jobs.voting.LOOK_EVERY_SECONDS", 0.2)
    async with scene(**begun, clock=moving, FINOPS_EDIT_EVERY_SECONDS="1") as stage:
        for who in (SEOYEON, EMMA, SAKURA):
            stage.slack.person(who).joins(MARKETING)
        yield stage
        assert stage.slack.complaints == []


async def posted(stage: Stage, *words: str) -> dict[str, Any]:
    """The message in the channel that says all this, once it does."""

    def found() -> list[dict[str, Any]]:
        return [one for one in stage.slack.messages(MARKETING) if all(each in words_of(one) for each in words)]

    await stage.slack.until(lambda: bool(found()), 15)
    return found()[-1]


async def heard(stage: Stage, person: Person, words: str, place: str = MARKETING) -> dict[str, Any]:
    """What only this person sees, once it says this."""
    await stage.slack.until(lambda: any(words in words_of(one) for one in person.ephemerals(place)), 15)
    return next(one for one in reversed(person.ephemerals(place)) if words in words_of(one))


async def asks(stage: Stage, person: Person, question: str, options: str, **chosen: Any) -> dict[str, Any]:
    """Fill in the window and read the message that it posts."""
    await person.command("/finops 투표", MARKETING)
    await window(stage, person, ids.VIEW_POLL)
    answer = await person.submits(values={ids.POLL_QUESTION: question, ids.POLL_OPTIONS: options, **chosen})
    assert answer["ok"], answer
    person.closes(everything=True)
    return await posted(stage, question)


async def manages(stage: Stage, person: Person, wanted: str) -> None:
    """Choose something in the menu of the newest poll of the list."""
    found = await answer_to(stage, person, "/finops 투표 목록", MARKETING)
    value = next(block["accessory"]["options"][0]["value"] for block in found["blocks"] if "accessory" in block)
    await person.clicks(found, ids.POLL_MORE, f"{value.partition('/')[0]}/{wanted}")


async def test_three_people_vote_in_three_languages(talk: Stage) -> None:
    """Anonymous and hidden: said before the first vote, counted once, changed, closed by whoever asked, exported."""
    jihoon, emma, sakura = (talk.slack.person(who) for who in (JIHOON, EMMA, SAKURA))
    await answer_to(talk, emma, "/finops status")  # known in her language before she votes
    secret = {ids.POLL_SECRECY: poll_forms.ANONYMOUS}
    message = await asks(talk, jihoon, QUESTION, DAYS, **secret)
    for said in ("익명", "KST 마감", "난수", "결과는 투표한 사람에게", "아직 투표한 사람이 없습니다"):
        assert said in words_of(message), said

    for _ in range(3):
        await jihoon.clicks(message, ids.POLL_VOTE, "1/2")
    assert "화요일" in words_of(await heard(talk, jihoon, "감사합니다"))
    await heard(talk, jihoon, "투표는 그대로입니다")
    assert not any("바꾸었습니다" in words_of(one) for one in jihoon.ephemerals(MARKETING))
    await sakura.clicks(message, ids.POLL_VOTE, "1/1")
    await emma.clicks(message, ids.POLL_VOTE, "1/3")
    await heard(talk, emma, "Thank you")
    await emma.clicks(message, ids.POLL_VOTE, "1/2")
    assert "67%" in words_of(await heard(talk, emma, "Your vote is now"))
    hidden = await posted(talk, QUESTION, "3명 투표")
    assert "67%" not in words_of(hidden)
    seoyeon = talk.slack.person(SEOYEON)
    await seoyeon.clicks(message, ids.POLL_RESULTS)
    await heard(talk, seoyeon, "투표한 뒤에")

    kept = await sakura_takes_hers_back(talk, sakura)
    assert len(kept) == 2
    assert not [voter for voter in kept if voter.startswith("U0")]
    await manages(talk, jihoon, polls.MORE_CLOSE)
    closed = await posted(talk, QUESTION, "마감함", "2표")
    assert "투표하기" not in words_of(closed)
    assert any(block["type"] == "data_visualization" for block in closed["blocks"])
    assert not any("accessory" in block for block in closed["blocks"])
    await manages(talk, jihoon, polls.MORE_EXPORT)
    await heard(talk, jihoon, "DM")
    [file] = talk.slack.world.files.values()
    assert file["name"] == "finops-poll-1.csv"


async def sakura_takes_hers_back(stage: Stage, sakura: Person) -> list[str]:
    """佐藤さくら votes and takes it back, in Japanese once we know her; what the database calls the voters left."""
    await sakura.clicks(await heard(stage, sakura, "투표하신 답"), ids.POLL_WITHDRAW)
    await heard(stage, sakura, "거두었습니다")
    await posted(stage, QUESTION, "2명 투표")
    async with stage.product[STORAGE].reading() as store:
        [workspace] = await store.workspaces.all()
        return [ballot.voter for ballot in await store.polls.ballots(workspace.id, 1)]


async def test_several_answers_options_of_others_and_the_end_in_time(talk: Stage, moving: StageClock) -> None:
    """By name and open: a window to choose in, an option added by another, a reminder, the end by the clock."""
    jihoon, sakura, seoyeon = (talk.slack.person(who) for who in (JIHOON, SAKURA, SEOYEON))
    await answer_to(talk, sakura, "/finops 状態")
    chosen = {ids.POLL_HOW_MANY: poll_forms.SEVERAL, ids.POLL_WAYS: [poll_forms.ADDING]}
    message = await asks(talk, jihoon, "무엇을 볼까요?", "비용\n성과", **chosen)
    assert "기명" in words_of(message)
    await sakura.clicks(message, ids.POLL_ADD)
    await window(talk, sakura, ids.VIEW_POLL_OPTION)
    refused = await sakura.submits(values={ids.POLL_OPTION: "비용"})
    assert "重複" in str(refused["errors"])
    await sakura.submits(values={ids.POLL_OPTION: "원인"})
    sakura.closes(everything=True)
    message = await posted(talk, "무엇을 볼까요?", "원인")
    for person, answers in ((sakura, ["1", "3"]), (seoyeon, ["3"]), (sakura, ["3", "2"])):
        await person.clicks(message, ids.POLL_CHOOSE)
        await window(talk, person, ids.VIEW_POLL_VOTE)
        await person.submits(values={ids.POLL_CHOICES: answers})
        person.closes(everything=True)
    await posted(talk, "무엇을 볼까요?", "100% · 2표", f"<@{SAKURA}>")

    await manages(talk, jihoon, polls.MORE_DECIDES)
    await heard(talk, jihoon, "결정 페이지에 표시됩니다")

    moving.advance(timedelta(days=2, hours=10))
    await posted(talk, "에 마감됩니다", "2명 투표")
    moving.advance(timedelta(days=1))
    await posted(talk, "무엇을 볼까요?", "마감됨")
    line = await posted(talk, "가장 많은 답: 원인 (2표)")
    await seoyeon.clicks(line, ids.DECISION_SHOW)
    assert "공동" not in words_of(await heard(talk, seoyeon, "1위 · *원인*"))
    assert "골라서" not in words_of(await posted(talk, "무엇을 볼까요?", "100% · 2표"))


async def test_the_ready_made_poll_and_bad_input(talk: Stage) -> None:
    """Emma asks what to build next in one click; a question with a key in it is not kept; nobody else may close it."""
    emma, seoyeon = talk.slack.person(EMMA), talk.slack.person(SEOYEON)
    await answer_to(talk, emma, "/finops status")
    await emma.command("/finops poll", MARKETING)
    first = await window(talk, emma, ids.VIEW_POLL)
    await emma.clicks(first, ids.POLL_READY)
    await talk.slack.until(lambda: len(emma.views) == 2, 15)
    assert f"'initial_conversation': '{MARKETING}'" in str(emma.view), "the channel that was chosen stays chosen"
    emma.closes(everything=True)
    await emma.command("/finops poll Where do we eat?", MARKETING)
    assert "'initial_value': 'Where do we eat?'" in str(await window(talk, emma, ids.VIEW_POLL)), "as it was typed"
    emma.closes(everything=True)
    await emma.command("/finops poll next", MARKETING)
    await window(talk, emma, ids.VIEW_POLL)
    key = "sk-" + "admin-" + "a" * 40
    refused = await emma.submits(values={ids.POLL_QUESTION_READY: f"Is {key} fine?"})
    assert ids.POLL_QUESTION_READY in refused["errors"]
    await emma.submits(values={ids.POLL_QUESTION_READY: "What next?"})
    message = await posted(talk, "What next?")
    assert len([block for block in message["blocks"] if "accessory" in block]) == len(NextFeature)
    await seoyeon.clicks(message, ids.POLL_VOTE, "1/4")
    await heard(talk, seoyeon, "감사합니다")
    async with talk.product[STORAGE].reading() as store:
        [workspace] = await store.workspaces.all()
        assert key not in str(await store.polls.latest(workspace.id, 9))


async def test_what_was_voted_is_decided_on_one_page(talk: Stage) -> None:
    """From the empty page to a decision: asked, voted, closed, decided by an admin, read, shared, taken along."""
    jihoon, emma, seoyeon = (talk.slack.person(who) for who in (JIHOON, EMMA, SEOYEON))
    empty = await answer_to(talk, seoyeon, "/finops 결정", MARKETING)
    assert "투표를 올려 보세요" in words_of(empty)
    await seoyeon.clicks(empty, ids.POLL_READY)
    await window(talk, seoyeon, ids.VIEW_POLL)
    await seoyeon.submits(values={ids.POLL_QUESTION_READY: "다음 기능은?"})
    message = await posted(talk, "다음 기능은?")
    for person, choice in ((jihoon, 2), (seoyeon, 2), (emma, 4)):
        await person.clicks(message, ids.POLL_VOTE, f"1/{choice}")
    await posted(talk, "다음 기능은?", "3명 투표")
    await manages(talk, jihoon, polls.MORE_CLOSE)
    await posted(talk, "다음 기능은?", "마감함")
    line = await posted(talk, "가장 많은 답", "2표")

    await emma.clicks(line, ids.DECISION_SHOW)
    seen = await heard(talk, emma, "What comes next")
    assert "67%" in words_of(seen)
    assert ids.DECISION_SET not in str(seen["blocks"])
    page = await answer_to(talk, jihoon, "/finops 決定", MARKETING)
    await decides(jihoon, page, "1/2/planned")
    page = await heard(talk, jihoon, "결정: *계획* · 이지훈")
    await jihoon.clicks(page, ids.DECISION_EXPORT)
    page = await heard(talk, jihoon, "DM")
    assert any(file["name"].startswith("finops-decisions-") for file in talk.slack.world.files.values())
    await jihoon.clicks(page, ids.DECISION_SHARE)
    shared = await posted(talk, "투표 결과와 결정", "*계획*", f"<@{JIHOON}>")
    assert "action_id" not in str(shared["blocks"])

    await jihoon.opens_home()
    await talk.slack.until(lambda: ids.DECISION_SHOW in str(jihoon.home), 15)
    await jihoon.clicks(jihoon.home or {}, ids.DECISION_SHOW)
    await talk.slack.until(lambda: ids.DECISION_SET in str(jihoon.view), 15)
    await decides(jihoon, jihoon.view or {}, "1/4/declined")
    await talk.slack.until(lambda: "*하지 않음* · 이지훈" in str(jihoon.view), 15)


async def decides(person: Person, page: dict[str, Any], value: str) -> None:
    """Choose in the menu that offers this."""
    block = next(one for one in page["blocks"] if value in str(one.get("accessory", {}).get("options")))
    await person.clicks(page, ids.DECISION_SET, value, block["block_id"])


async def test_a_crowd_of_two_workspaces_votes_at_once(quick_url: str) -> None:
    """Double clicks and second thoughts through signed requests: the database and the bars are what people chose last.

    With Slack's limits on; `python -m benchmarks.voting` is the same with five hundred people.
    """
    async with voting.a_stage(quick_url) as stage:
        crowd = await voting.voted(stage, people=24, seconds=0.5)
    assert crowd.wrong == []
    assert (crowd.limited, crowd.complaints) == (0, 0)
    assert len(crowd.acknowledged) > len(crowd.chosen) == 24
    assert all(1 <= edits <= 2 for edits in crowd.edits.values()), crowd.edits
