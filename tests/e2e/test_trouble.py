"""When the provider, Slack or a person goes wrong: a true, calm sentence, and a ledger that is never half-written."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import stamina

from blocks import ids
from demo.once import play
from tests.e2e.stages import (
    JIHOON,
    MARKETING,
    MINSU,
    SEOYEON,
    Stage,
    a_trace,
    answer_to,
    expected,
    idle,
    set_up,
    window,
    words_of,
)  # fmt: skip

COSTS = "/v1/organization/costs"


async def at_the_key_window(stage: Stage) -> Any:
    person = stage.slack.person(JIHOON)
    await person.command("/finops setup")
    await window(stage, person)
    await person.submits(None, {ids.TEAM_NAME: "마케팅팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: MARKETING})
    assert (await window(stage, person))["callback_id"] == ids.SETUP_KEY
    return person


@pytest.fixture(autouse=True)
def _retrying_again() -> Iterator[None]:
    yield
    stamina.set_active(True)


@pytest.mark.parametrize("which", ["revoked_key", "project_key", "slack_token", "words"])
async def test_a_wrong_key_is_explained_and_not_kept(quick_stage: Stage, which: str) -> None:
    """Wrong kind, revoked, or no key at all: the window stays, says which, and repeats nothing of it."""
    project = next(iter(quick_stage.openai.organization.projects.values()))
    pasted = {
        "revoked_key": quick_stage.props.revoked_key,
        "project_key": project.keys[0].secret,
        "slack_token": "-".join(("xoxb", "123456789012", "abcdefghijklmnop")),
        "words": "우리 팀 키예요",
    }[which]
    person = await at_the_key_window(quick_stage)
    await person.submits(None, {ids.KEY: pasted})
    view = await window(quick_stage, person)
    assert view["callback_id"] == ids.SETUP_KEY
    assert pasted not in str(quick_stage.slack.deliveries[-1].answer)
    assert pasted not in words_of(view)
    assert "등록되었습니다" not in words_of(view)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401}, {"status": 403}, {"status": 500}, {"status": 503},
        {"status": 429, "code": "insufficient_quota"},
        {"kind": "cut_off"}, {"kind": "nonsense_json"}, {"kind": "wrong_shape"}, {"kind": "html"}, {"kind": "drop"},
    ],
    ids=lambda fault: str(fault.get("status") or fault.get("kind")),
)  # fmt: skip
async def test_a_failing_provider_makes_blind_and_leaves_the_ledger_whole(
    quick_stage: Stage, fault: dict[str, Any]
) -> None:
    """What is stored stays, one message says so, and the recovery edits that same message."""
    person = await set_up(quick_stage)
    before = await play(quick_stage, lambda _: None)
    stamina.set_active(False)  # how long we try again is proved elsewhere
    quick_stage.openai.fail(path=COSTS, **fault)
    await person.command("/finops collect")
    await quick_stage.slack.until(lambda: "확인 불가" in str(quick_stage.slack.messages(MARKETING)), 30)
    blind = [each for each in quick_stage.slack.messages(MARKETING) if "확인 불가" in words_of(each)]
    assert len(blind) == 1
    assert "한빛소프트" in words_of(await answer_to(quick_stage, person, "/finops doctor"))
    quick_stage.openai.faults.clear()
    await person.command("/finops collect")
    await quick_stage.slack.until(lambda: "확인 불가" not in str(quick_stage.slack.messages(MARKETING)), 30)
    await idle(quick_stage)
    after = await play(quick_stage, lambda _: None)
    assert (after.ledger_total, after.by_day) == (before.ledger_total, before.by_day)
    assert len(quick_stage.slack.messages(MARKETING)) == len(blind) + sum(
        "확인 불가" not in words_of(each) and each["ts"] != blind[0]["ts"]
        for each in quick_stage.slack.messages(MARKETING)
    )


async def test_a_busy_provider_is_waited_for(quick_stage: Stage) -> None:
    """429 with Retry-After and passing 500s are retried; nobody hears of them and the bill is exact."""
    quick_stage.openai.fail(path=COSTS, status=429, retry_after=1, times=1)
    quick_stage.openai.fail(path=COSTS, status=500, times=1)
    await set_up(quick_stage)
    told = await play(quick_stage, lambda _: None)
    assert Decimal(told.ledger_total) == sum(expected(a_trace()).values())


@pytest.mark.parametrize(
    "manners",
    [
        {"numbers": "string"}, {"exponent_zero": True}, {"bucket_key": "result"}, {"arrays": "brackets"},
        {"arrays": "bare"}, {"split_rows": True}, {"newest_first": True}, {"extra_keys": False},
    ],
    ids=lambda manners: next(iter(manners)) + "-" + str(next(iter(manners.values()))),
)  # fmt: skip
async def test_every_way_of_spelling_a_bill_gives_the_same_figures(quick_stage: Stage, manners: dict[str, Any]) -> None:
    """Both number spellings, both array spellings, old names, split lines: one bill."""
    quick_stage.openai.behaviour.set(manners)
    told = await play(quick_stage, lambda _: None)
    assert {name: Decimal(amount) for name, amount in told.by_project.items()} == expected(a_trace())


async def test_members_are_refused_politely_and_told_who_can(quick_stage: Stage) -> None:
    """김민수's colleague may look; set-up is for admins, who are named."""
    await set_up(quick_stage)
    member = quick_stage.slack.person(SEOYEON)
    for command in ("team", "key", "project"):
        await member.command(f"/finops {command}")
        await quick_stage.slack.until(lambda: f"<@{JIHOON}>" in words_of(member.views), 10)
        member.closes(everything=True)
    assert f"<@{JIHOON}>" in words_of(await answer_to(quick_stage, member, "/finops collect"))
    assert "$" in words_of(await answer_to(quick_stage, member, "/finops status"))


async def test_a_key_pasted_where_it_does_not_belong_is_refused_with_advice(quick_stage: Stage) -> None:
    """In a command or a direct message: advice to revoke it, never a repetition of it."""
    key = quick_stage.props.marketing_key
    person = quick_stage.slack.person(JIHOON)
    said = words_of(await answer_to(quick_stage, person, f"/finops key {key}", MARKETING))
    assert "폐기" in said
    before = len(quick_stage.slack.messages(person.dm))
    await person.says(person.dm, f"이 키를 써 주세요: {key}")
    await quick_stage.slack.until(lambda: len(quick_stage.slack.messages(person.dm)) > before + 1, 10)
    reply = quick_stage.slack.messages(person.dm)[-1]
    assert "폐기" in words_of(reply)
    told = [call for call in quick_stage.slack.calls if key in str(call.args)]
    assert told == []


async def test_a_retried_event_and_a_double_click_act_once(quick_stage: Stage) -> None:
    """Slack's retry of a message is answered once; ten presses of submit make one team."""
    person = quick_stage.slack.person(JIHOON)
    await person.says(person.dm, "도움말")
    await quick_stage.slack.settled()
    await quick_stage.slack.until(lambda: len(quick_stage.slack.messages(person.dm)) >= 2, 10)
    count = len(quick_stage.slack.messages(person.dm))
    await quick_stage.slack.redeliver(1)
    await answer_to(quick_stage, person, "/finops help")
    assert len(quick_stage.slack.messages(person.dm)) == count


async def test_no_secret_reaches_slack_or_the_database(stage: Stage, database_kind: str, tmp_path: Any) -> None:
    """The canary key is nowhere: not in any call to Slack, not in the bytes of the database."""
    await set_up(stage)
    canary = stage.props.marketing_key
    assert not [call for call in stage.slack.calls if canary in str(call.args)]
    if database_kind == "sqlite":
        for path in tmp_path.glob("finops.db*"):
            assert canary.encode() not in path.read_bytes()
            assert canary[12:40].encode() not in path.read_bytes()


@pytest.mark.parametrize("error", ["ratelimited", "internal_error", "500"])
async def test_when_slack_stumbles_the_ledger_does_not(quick_stage: Stage, error: str) -> None:
    """Posting fails for a while: collecting goes on and the figures are right."""
    quick_stage.slack.fail("chat.postMessage", error=error, times=2, retry_after=0)
    await set_up(quick_stage)
    told = await play(quick_stage, lambda _: None)
    assert Decimal(told.ledger_total) == sum(expected(a_trace()).values())


async def test_typos_and_nonsense_get_a_suggestion(quick_stage: Stage) -> None:
    """`/finops statsu` and a project name with a typo are answered with what was probably meant."""
    person = await set_up(quick_stage)
    assert "status" in words_of(await answer_to(quick_stage, person, "/finops statsu"))
    assert "chatbot-experiment" in words_of(await answer_to(quick_stage, person, "/finops status chatbot-experimnt"))
    assert "$" in words_of(await answer_to(quick_stage, person, "/finops 상태 30일"))


async def test_a_hiccup_of_slack_costs_a_moment_and_no_answer(quick_stage: Stage) -> None:
    """HTTP 500 from Slack's own gateway: windows and private answers are asked for again, and come."""
    person = await set_up(quick_stage)
    quick_stage.slack.fail("*", error="500", times=2)
    shown = await answer_to(quick_stage, person, "/finops status", MARKETING)
    assert "최근 7일" in words_of(shown)
    quick_stage.slack.fail("views.open", error="500", times=2)
    await person.command("/finops 키", MARKETING)
    view = await window(quick_stage, person, ids.VIEW_INFO)
    assert "...abc1" in words_of(view)
