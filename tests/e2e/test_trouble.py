"""When the provider, Slack or a person goes wrong: a true, calm sentence, and a ledger that is never half-written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from blocks import ids
from demo.once import compared, play
from demo.slack.cast import TEAM_ID
from handlers.addresses import BOT, STORAGE
from tests.e2e.stages import (
    JIHOON,
    MARKETING,
    MINSU,
    Stage,
    a_trace,
    answer_to,
    expected,
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


async def test_a_wrong_key_is_explained_and_not_kept(quick_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Wrong kind, revoked, or no key at all: the window stays, says which, and repeats nothing of it.

    What the provider refused is logged once: by two references nobody would find out which of them somebody told.
    """
    project = next(iter(quick_stage.openai.organization.projects.values()))
    person = await at_the_key_window(quick_stage)
    for pasted in (
        quick_stage.props.revoked_key,
        project.keys[0].secret,
        "-".join(("xoxb", "123456789012", "abcdefghijklmnop")),
        "우리 팀 키예요",
    ):
        before = len(quick_stage.slack.deliveries)
        await person.submits(None, {ids.KEY: pasted})
        view = await window(quick_stage, person)
        assert view["callback_id"] == ids.SETUP_KEY
        assert len(quick_stage.slack.deliveries) > before
        assert pasted not in str(quick_stage.slack.deliveries[-1].answer)
        assert pasted not in words_of(view)
        assert "등록되었습니다" not in words_of(view)
    assert [record.message for record in caplog.records].count("provider trouble") == 1


async def test_a_busy_provider_and_a_stumbling_slack_are_waited_for(quick_stage: Stage) -> None:
    """429 with Retry-After and passing 500s of the one, refused and broken posts of the other, all in a first
    collection: each is tried again, nobody hears of them, and the bill is exact."""
    openai, slack = quick_stage.openai, quick_stage.slack
    openai.fail(path=COSTS, status=429, retry_after=1, times=1)
    openai.fail(path=COSTS, status=500, times=1)
    for error in ("ratelimited", "internal_error", "500"):
        slack.fail("chat.postMessage", error=error, retry_after=0)
    await set_up(quick_stage)
    told = await play(quick_stage, lambda _: None)
    assert Decimal(told.ledger_total) == sum(expected(a_trace()).values())
    assert sorted(call.status for call in openai.calls if call.path == COSTS and call.status != 200) == [429, 500]
    assert "ratelimited" in {call.error for call in slack.calls if call.method == "chat.postMessage"}


async def test_every_way_of_spelling_a_bill_gives_the_same_figures(set_up_stage: Stage) -> None:
    """Number and array spellings, old names, split lines: read again, one bill. Each alone: the provider's tests."""
    for manners in (
        {"numbers": "string", "exponent_zero": True, "bucket_key": "result", "arrays": "brackets"},
        {"arrays": "bare", "newest_first": True, "extra_keys": False},
        {"exponent_zero": True, "split_rows": True},
    ):
        set_up_stage.openai.behaviour.reset()
        set_up_stage.openai.behaviour.set(manners)
        began = set_up_stage.product[BOT].clock()
        told = await play(set_up_stage, lambda _: None)
        assert {name: Decimal(amount) for name, amount in told.by_project.items() if name != "sandbox"} == expected(
            a_trace()
        ), manners
        async with set_up_stage.product[STORAGE].reading() as store:
            [days] = (await store.charges.readings(TEAM_ID, compared(set_up_stage))).values()
        assert len(days) == 8
        # What was read as nothing, where something is known, counts as no reading.
        assert all(one.read_at > began for one in days.values()), manners


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


async def test_a_workspace_that_knows_no_tables_and_no_charts_reads_the_same_in_words(set_up_stage: Stage) -> None:
    """Messages and answers; Home has neither anywhere, for Slack leaves them out there and says nothing."""
    set_up_stage.slack.config.unknown_blocks = frozenset({"table", "data_table", "data_visualization"})
    person = set_up_stage.slack.person(JIHOON)
    await play(set_up_stage, lambda _: None)
    await person.opens_home()
    await set_up_stage.slack.settled()
    await set_up_stage.slack.until(lambda: "chatbot-experiment" in words_of(person.home or {}), 10)
    shown = await answer_to(set_up_stage, person, "/finops status")
    assert "chatbot-experiment" in str(shown)
    refused = [call for call in set_up_stage.slack.calls if call.error in ("invalid_blocks", "invalid_arguments")]
    assert {call.method for call in refused} >= {"response_url"}
    assert "views.publish" not in {call.method for call in refused}
