"""What was done, asked for by three people through signed requests, each in their own language."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from blocks import ids as names
from demo.clock import StageClock
from demo.slack import Person
from tests.e2e.stages import EMMA, JIHOON, SAKURA, Stage, a_trace, scene, words_of


@pytest.fixture
def clock() -> StageClock:
    """Three hours into a UTC day: what was done before is learned."""
    moving = StageClock()
    moving.move_to_next_day()
    moving.advance(timedelta(hours=3))
    return moving


@pytest.fixture
async def stage(sqlite_template: Path, tmp_path: Path, clock: StageClock) -> AsyncIterator[Stage]:
    """Requests signed as Slack signs them."""
    shutil.copy(sqlite_template, tmp_path / "stage.db")
    url = f"sqlite:///{tmp_path / 'stage.db'}"
    async with scene(url, a_trace(days=1), clock=clock, socket_mode=False, FINOPS_ADMINS=JIHOON) as running:
        yield running
        assert running.slack.complaints == []


async def hears(stage: Stage, person: Person, words: str) -> None:
    """The answer that only this person sees."""

    def told() -> list[str]:
        return [words_of(one) for one in person.messages(person.dm)]

    await stage.slack.until(lambda: any(words in each for each in told()), 15)


async def test_three_people_ask_what_came_of_it_in_their_own_languages(stage: Stage) -> None:
    emma, sakura, jihoon = (stage.slack.person(one) for one in (EMMA, SAKURA, JIHOON))
    await emma.command("/finops effect")
    await hears(stage, emma, "What was done, and what came of it")
    await sakura.command("/finops 効果")
    await hears(stage, sakura, "対応とその効果")
    await jihoon.command("/finops 효과")
    await hears(stage, jihoon, "조치와 그 효과")
    await hears(stage, jihoon, "잴 수 없음")
    assert names.LEARNING_SHOW not in str(jihoon.home)  # nothing was done yet
