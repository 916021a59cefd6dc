"""A stage for a test: the whole product between the two simulators, over a small trace nobody else knows."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from blocks import ids
from demo.onboarding import Wish, collected, onboard, settled_view, words_of
from demo.prices import FilePrices, Prices, Rates
from demo.props import Props
from demo.slack import Person, SlackConfig
from demo.slack.cast import EMMA, JIHOON, MARKETING, MINSU, SAKURA, SEOYEON, TEAM_ID
from demo.stage import Stage, staged
from demo.trace import Trace, parse_trace
from finops.periods import charge_day
from handlers.addresses import BOT
from jobs import delivery_pace

# Prices with digits far below a nano-dollar: exactness is proved where rounding would show.
PRICES = FilePrices("prices of this test", {
    "big": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10)),
    "odd": Rates(Decimal("0.0333333"), Decimal("0.0123457"), Decimal("0.1234567")),
})  # fmt: skip
DAYS = 5
__all__ = ["EMMA", "JIHOON", "MARKETING", "MINSU", "SAKURA", "SEOYEON", "Make", "Stage", "ids", "words_of"]

Make = Callable[..., AbstractAsyncContextManager[Stage]]


def a_trace(
    days: int = DAYS, applications: tuple[str, ...] = ("chatbot-experiment", "ad-copy-writer", "batch")
) -> Trace:
    """Some hours of every day, different for each application; numbers with no pattern that could hide a mistake."""
    rows = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    for number, application in enumerate(applications):
        for hour in range(number, days * 24, 5 + number):
            model = ("big", "odd")[(hour + number) % 2]
            tokens = 1000 + 7919 * ((hour * 31 + number * 17) % 97)
            rows.append(f"{hour},{application},{model},{1 + hour % 9},{tokens},{tokens // 3},{tokens // 4}")
    rows.append(f"{days * 24 - 1},{applications[0]},big,1,10,1,0")
    return parse_trace(rows)


def expected(trace: Trace) -> dict[str, Decimal]:
    """What each application costs, computed here and nowhere else: tokens x price, exactly."""
    found: dict[str, Decimal] = {}
    for series in trace.series:
        rates = PRICES.by_model[series.model]
        for usage in series.hours.values():
            cost = usage.uncached * rates.input + usage.cached * rates.cached_input + usage.output * rates.output
            found[series.application] = found.get(series.application, Decimal(0)) + cost / 1_000_000
    return found


def easy_slack() -> SlackConfig:
    """Slack for what is about neither speed nor limits: a machine with its hands full is late, not wrong."""
    return SlackConfig(rate_limits=False, ack_seconds=10, trigger_seconds=10)


@asynccontextmanager
async def scene(
    database_url: str, trace: Trace | None = None, *, prices: Prices = PRICES, **how: Any
) -> AsyncIterator[Stage]:
    """The stage over a database; Slack without a speed limit unless a test is about it."""
    slack = how.setdefault("slack", easy_slack())
    how.setdefault("FINOPS_BACKFILL_DAYS", "8")
    # Usage is read once, and again only in tests that are about it: nobody waits for the others to poll.
    how.setdefault("FINOPS_POLL_SECONDS", "3600")
    with pytest.MonkeyPatch.context() as patched:
        if not slack.rate_limits:
            # Where Slack takes posts as they come, the second between two in a channel is only waited for.
            patched.setattr(delivery_pace, "POST_EVERY", 0.01)
        async with staged(trace or a_trace(), prices, database_url, **how) as running:
            yield running


@pytest.fixture
def quick_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated database on SQLite, for what does not depend on the database."""
    shutil.copy(sqlite_template, path := tmp_path / "stage.db")
    return f"sqlite:///{path}"


@pytest.fixture
async def quick_stage(quick_url: str) -> AsyncIterator[Stage]:
    """Everything running, nothing set up; on SQLite."""
    async with scene(quick_url, FINOPS_BLIND_AFTER_MINUTES="0") as running:
        yield running


class Beginning:
    """How most stories begin, played once and copied: 이지훈 has set up his team, and bill and usage were read.

    It is played anew when the day turns, for its bill ends with the day before.
    """

    def __init__(self, template: Path, folder: Path) -> None:
        self._template, self._path = template, folder / "beginning.db"
        self._props, self._day = Props.fresh(), date.min

    def copied_into(self, folder: Path) -> dict[str, Any]:
        """Put the database there: its address and what opens it, as `scene` takes them. Not inside a running loop."""
        if self._day != (today := charge_day(datetime.now(UTC))):
            shutil.copy(self._template, self._path)
            self._props, self._day = replace(Props.fresh(), begun=str(today)), today
            asyncio.run(self._play())
        shutil.copy(self._path, path := folder / "stage.db")
        return {"database_url": f"sqlite:///{path}", "props": self._props}

    async def _play(self) -> None:
        async with scene(f"sqlite:///{self._path}", props=self._props) as running:
            began = running.product[BOT].clock()
            await set_up(running)
            async with asyncio.timeout(30):
                while not await is_read(running, began):  # noqa: ASYNC110 - what was read is in a database
                    await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def beginning(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """For stages that begin where the set-up ended."""
    return Beginning(sqlite_template, tmp_path_factory.mktemp("beginning"))


@pytest.fixture
def begun(beginning: Beginning, tmp_path: Path) -> dict[str, Any]:
    """A database in which the set-up is over, as `scene` takes it."""
    return beginning.copied_into(tmp_path)


@pytest.fixture(scope="module")
def begun_together(beginning: Beginning, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same for all tests of a module."""
    return beginning.copied_into(tmp_path_factory.mktemp("together"))


@pytest.fixture
async def set_up_stage(begun: dict[str, Any]) -> AsyncIterator[Stage]:
    """이지훈 has registered every project of his team; on SQLite."""
    async with scene(**begun, FINOPS_BLIND_AFTER_MINUTES="0") as running:
        yield running


async def with_only(stage: Stage, *names: str) -> Person:
    """Of the projects that 이지훈 registered, only these: himself."""
    bot = stage.product[BOT]
    async with bot.storage.writing() as store:
        for project in await store.projects.all(TEAM_ID):
            if project.name not in names:
                await store.projects.unregister(TEAM_ID, project.id)
    return stage.slack.person(JIHOON)


async def set_up(stage: Stage, *projects: str, team: str = "마케팅팀", key: str | None = None) -> Person:
    """이지훈 has set up a team with these projects (none named: all) and the first collection is over."""
    person = stage.slack.person(JIHOON)
    wish = Wish(team, MARKETING, MINSU, key or stage.props.marketing_key, projects or None)
    await onboard(stage, person, wish, lambda _: None)
    return person


async def window(stage: Stage, person: Person, callback_id: str | None = None) -> dict[str, Any]:
    """The window in front of the person once it is no hourglass; with `callback_id`, once it is that window."""
    if callback_id is not None:
        await stage.slack.until(lambda: person.view is not None and person.view["callback_id"] == callback_id, 15)
    return await settled_view(stage.slack, person)


async def answer_to(stage: Stage, person: Person, command: str, channel: str | None = None) -> dict[str, Any]:
    """Type a command and read what only this person sees in answer."""
    place = channel or person.dm
    before = len(person.ephemerals(place))
    await person.command(command, place)
    await stage.slack.until(lambda: len(person.ephemerals(place)) > before, 15)
    return person.ephemerals(place)[-1]


async def is_read(stage: Stage, since: datetime) -> bool:
    """Whether the usage of every connection was read at this moment or later."""
    async with stage.product[BOT].storage.reading() as store:
        healths = await store.healths.all(TEAM_ID)
    return bool(healths) and all(one.read_at is not None and one.read_at >= since for one in healths)


async def idle(stage: Stage) -> None:
    """Wait until nothing is collected any more."""
    await asyncio.wait_for(collected(stage), 30)
