"""Weeks of life, played through the real wire: `python3 run.py demo --story life --json`.

Two teams as in the story of Monday, with a budget; then the mornings and deeds of demo/life.py. At the end the product
is asked what it found, and the provider is asked, past the product, what the deeds were really worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from demo import story, story_monday
from demo.budgeting import set_budget
from demo.clock import StageClock
from demo.lab_words import in_english
from demo.life import Life, Lived
from demo.life_deeds import DEEDS
from demo.onboarding import Say
from demo.once import plain
from demo.runaway import APPLICATION
from demo.slack.cast import JIHOON, TEAM_ID
from demo.stage import Stage
from demo.story_told import dollars
from finops.behaviour import ActionKind
from finops.effects import Saving
from finops.learning import ActionShown, LearningReport
from finops.money import EXACT, Money
from finops.periods import starts_at
from handlers.addresses import BOT, STORAGE

Json = dict[str, Any]
SETTINGS = story.SETTINGS
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class LifeStory:
    """What was done and what was found; dollars are decimal strings, times ISO.

    `done` is what people did. `found` are the product's actions, newest first, each with what came before it and its
    line of the ledger: what it saved between `low` and `high`, and `truth`, which the provider's own traffic says.
    `told_again` counts actions that a second look adds: none. `complaints` are the simulated Slack's: none.
    """

    first_day: str
    last_day: str
    done: list[Json]
    found: list[Json]
    ledger: Json
    hypotheses: dict[str, str]
    prevented_usd: str
    leaked_usd: str
    digests: list[Json]
    monthly: list[str]
    told_again: int
    complaints: list[str]


async def life(stage: Stage, clock: StageClock, say: Say, weeks: int | None = None) -> LifeStory:
    """Play it. Raises TimeoutError when the product does not keep up, Stuck when a person cannot do their part."""
    await story_monday.set_up(stage, say)
    await set_budget(stage, stage.slack.person(JIHOON), APPLICATION, f"{story.LIMIT}", say)
    await story_monday.connect(stage, say)
    first = clock().date()
    done = await Life(stage, clock, stage.monday, in_english(say), DEEDS, weeks, say).on()
    await story_monday.said(stage)
    return await told(stage, first, clock().date(), done)


async def told(stage: Stage, first: date, last: date, done: Sequence[Lived]) -> LifeStory:
    """What was done between two days, what the product found of it, and what that was really worth."""
    bot = stage.product[BOT]
    again = await bot.behaviour.learn(TEAM_ID)
    async with stage.product[STORAGE].reading() as store:
        jihoon = await store.people.get(TEAM_ID, JIHOON)
    assert jihoon is not None, "who set everything up was met"
    report = await bot.effects.report(jihoon)
    return LifeStory(
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        done=[{"at": one.at.isoformat(), "application": one.application, "deed": one.words["en"]} for one in done],
        found=[_found(stage, one) for one in report.actions],
        ledger={
            "expected_usd": _dollars(report.ledger.expected),
            "verified_usd": plain(report.ledger.verified.amount),
            "verified": report.ledger.verified_count,
            "failed": report.ledger.failed_count,
            "indistinct": report.ledger.indistinct_count,
            "open": report.ledger.open_count,
        },
        hypotheses={one.hypothesis.value: one.verdict.value for one in report.hypotheses},
        prevented_usd=plain(report.prevented.prevented.amount),
        leaked_usd=plain(report.prevented.leaked.amount),
        digests=_digests(report),
        monthly=await _monthly(stage, first, last),
        told_again=again,
        complaints=[f"{one.at:%Y-%m-%d %H:%M} {one.what}: {one.detail}" for one in stage.slack.complaints],
    )


def _found(stage: Stage, shown: ActionShown) -> Json:
    action, saving = shown.action, shown.saving
    told: Json = {
        "day": action.day.isoformat(),
        "kind": action.kind.value,
        "source": action.source.value,
        "project": shown.project,
        "answers": None if action.preceded is None else action.preceded.kind.value,
    }
    if saving is not None:
        told |= {
            "state": saving.state.value,
            "low": _dollars(saving.low),
            "saved": _dollars(saving.verified),
            "high": _dollars(saving.high),
        }
        if action.kind is not ActionKind.STOPPED:  # what would have gone on without a stop is nobody's truth
            told["truth"] = plain(truth(stage, shown.project, action.day, saving))
    return told


def truth(stage: Stage, application: str, day: date, saving: Saving) -> Decimal:
    """What an application cost less in the days of a saving than on the same weekdays before the deed.

    Its traffic repeats itself by the week, so nothing else differs; asked of the simulator, past the product.
    """
    found = Decimal(0)
    for each in saving.period:
        before = each
        while before >= day:
            before -= WEEK
        found = EXACT.add(found, EXACT.subtract(_cost(stage, application, before), _cost(stage, application, each)))
    return found


def _cost(stage: Stage, application: str, day: date) -> Decimal:
    return dollars(stage, application, starts_at(day), starts_at(day + timedelta(days=1)))


def _digests(report: LearningReport) -> list[Json]:
    return [
        {"day": one.day.isoformat(), "state": one.effect.state.value, "saved": _dollars(one.effect.saved)}
        for one in report.digests
    ]


async def _monthly(stage: Stage, first: date, last: date) -> list[str]:
    """The notes of the months that began meanwhile, as they stand in Slack."""
    found = []
    async with stage.product[STORAGE].reading() as store:
        for month in sorted({(first + timedelta(days=n)).replace(day=1) for n in range((last - first).days)}):
            kept = await store.outbox.get(TEAM_ID, f"monthly:{month.isoformat()}")
            if kept is not None and kept.posted_channel_id is not None:
                posted = stage.slack.messages(kept.posted_channel_id)
                found += [one["text"] for one in posted if one["ts"] == kept.ts]
    return found


def _dollars(money: Money | None) -> str | None:
    return None if money is None else plain(money.amount)
