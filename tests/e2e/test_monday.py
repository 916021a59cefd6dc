"""Monday through the wire: events recorded over HTTP, the week told once in Slack and by mail, and answered."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from blocks import ids
from demo import story_monday
from demo.clock import StageClock
from demo.slack.cast import DATA, JIHOON, MARKETING, SEOYEON
from demo.story_people import offered
from demo.value_people import makes_token
from demo.value_sender import NotTaken
from tests.e2e.mondays import SETTINGS, four_weeks, on_a_wednesday
from tests.e2e.stages import Stage, answer_to, scene, words_of


async def rates(stage: Stage) -> None:
    """박서연 says of the project that records nothing that it helped, and changes her mind."""
    seoyeon, root = stage.slack.person(SEOYEON), story_monday.digest_in(stage, DATA)
    assert root is not None
    thread = story_monday.thread_of(stage, DATA, root)
    question = next(one for one in thread if ids.RATE_GOOD in offered(one))
    buttons = [name for name in offered(question) if name in {ids.RATE_GOOD, ids.RATE_FAIR, ids.RATE_POOR}]
    assert len(buttons) == 3
    for button in (buttons[0], buttons[-1]):
        heard = len(seoyeon.ephemerals(DATA))
        assert (await seoyeon.clicks(question, button))["ok"]
        await stage.slack.until(lambda heard=heard: len(seoyeon.ephemerals(DATA)) > heard, 15)  # type: ignore[misc]
        assert "meeting-notes" in words_of(seoyeon.ephemerals(DATA)[-1])


async def takes_the_pulse(stage: Stage) -> None:
    """Below the digest stands one question about it; an answer is thanked for, and everybody sees that one voted."""
    seoyeon, root = stage.slack.person(SEOYEON), story_monday.digest_in(stage, DATA)
    assert root is not None

    def pulse() -> dict[str, Any]:
        return next((one for one in story_monday.thread_of(stage, DATA, root) if "이 리포트가" in words_of(one)), {})

    await stage.slack.until(lambda: bool(pulse()), 15)
    assert "익명" in words_of(pulse())
    await seoyeon.clicks(pulse(), ids.POLL_PULSE_GOOD)
    await stage.slack.until(lambda: "1명 투표" in words_of(pulse()), 15)
    assert "도움 됨" in words_of(seoyeon.ephemerals(DATA)[-1])


async def records_until_its_token_is_revoked(stage: Stage, clock: StageClock) -> None:
    """An application records once a person made its token, copied from the window that shows it; sending the past twice
    changes nothing, and what is revoked is not taken any more."""
    jihoon, applications = stage.slack.person(JIHOON), stage.applications
    applications.connected.clear()
    await makes_token(stage, jihoon, "meeting-notes")
    await applications.settled()
    assert list(applications.connected) == ["meeting-notes"]

    assert await applications.tell_past() > 200
    assert await applications.tell_past() == 0
    clock.advance(timedelta(hours=24))
    assert await applications.catch_up() == 12
    applications.switch(is_on=False)
    clock.advance(timedelta(hours=24))
    assert await applications.catch_up() == 0

    await jihoon.command("/finops project meeting-notes")
    await stage.slack.until(lambda: ids.TOKEN_REVOKE in str(jihoon.view), 15)
    assert "meeting-notes" in words_of(jihoon.view)
    await jihoon.clicks(jihoon.view, ids.TOKEN_REVOKE)  # type: ignore[arg-type]
    await stage.slack.until(lambda: ids.TOKEN_REVOKE not in str(jihoon.view), 15)
    applications.switch(is_on=True)
    clock.advance(timedelta(hours=24))
    with pytest.raises(NotTaken):
        await applications.catch_up()
    assert applications.connected["meeting-notes"].trouble


@pytest.mark.long
async def test_a_week_is_told_once_with_exact_figures_wherever_it_is_due(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded is what was sent, told is what is billed; one is praised, one is to improve, one is asked about.

    The one that recorded nothing begins to, and stops.
    """
    monkeypatch.setattr("jobs.digester.LOOK_EVERY_SECONDS", 0.3)
    clock = on_a_wednesday()
    shutil.copy(sqlite_template, tmp_path / "stage.db")
    async with scene(
        f"sqlite:///{tmp_path / 'stage.db'}", four_weeks(), clock=clock, socket_mode=False, **SETTINGS
    ) as stage:
        told = await story_monday.monday(stage, clock, lambda _: None)

        assert told.recorded == told.sent
        assert len(told.sent) == 5
        assert all(calls >= 70 for calls, _, _ in told.sent.values())
        for name, told_of in told.per_success.items():
            spent = Decimal(told_of["cost_usd"]) * Decimal(told_of["coverage"])
            assert abs(spent / told.recorded[name][1] - Decimal(told_of["told_usd"])) < Decimal("0.001") * spent
        assert {name for name, told_of in told.per_success.items() if told_of["coverage"] != "1.0000"} == {
            "search-assistant"
        }
        assert Decimal(told.total_usd or "0") == Decimal(told.billed_usd) > 0
        assert told.best[0] == "doc-summary"
        assert told.improve[0] == "chatbot-experiment"
        assert not set(told.best) & set(told.improve)
        assert told.unranked["fraud-check"] == "few_outcomes"
        assert told.unranked["meeting-notes"] == "no_value"
        assert told.told_again == 0

        root, *thread = told.messages[MARKETING]
        assert root.startswith("[마케팅팀] ")
        assert thread
        amount = re.search(r"\$[\d,]+", told.messages[stage.slack.person(JIHOON).dm][0])
        assert amount is not None
        assert [mail["to"] for mail in told.mail] == [["cfo@hanbit.example", "finance@hanbit.example"]]
        mail = stage.mailbox.sink.kept[0]
        assert amount[0] in mail.subject
        assert amount[0] in mail.text
        assert amount[0] in (mail.html or "")
        assert "<script" not in (mail.html or "")

        await rates(stage)
        await takes_the_pulse(stage)
        again = await answer_to(stage, stage.slack.person(SEOYEON), "/finops 리포트", DATA)
        assert amount[0] in words_of(again)
        assert "doc-summary" in words_of(again)
        await records_until_its_token_is_revoked(stage, clock)
        assert stage.slack.complaints == []
