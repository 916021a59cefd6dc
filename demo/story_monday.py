"""Monday, played through the real wire: `python3 run.py demo --story monday --json`.

Two teams record what their calls came to; one project tells too little to be judged and one nothing at all. The clock
goes to Monday 09:00 in Seoul, the bill of the week is read, and the week is told: in each team's channel, to the
administrators, and by mail. Then the product is asked once more, and has nothing to add.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from blocks import ids
from demo.clock import StageClock
from demo.monday import OnToMonday, next_monday
from demo.onboarding import Say, Wish, onboard, onboard_another
from demo.once import plain
from demo.slack.cast import DATA, JIHOON, MARKETING, MINSU, SEOYEON, TEAM_ID
from demo.stage import Stage
from demo.story_told import dollars
from demo.value import SILENT, Tally, tallied
from demo.value_people import makes_token
from finops.digest import DigestProject
from finops.money import EXACT
from finops.periods import Period, charge_day, minute_of, monday_of, starts_at
from finops.queries import ScopeKind
from handlers.addresses import BOT, STORAGE

Json = dict[str, Any]
TEAMS = {
    "마케팅팀": (MARKETING, MINSU, ("chatbot-experiment", "ad-copy-writer")),
    "데이터팀": (DATA, SEOYEON, ("doc-summary", "search-assistant", "fraud-check", "meeting-notes")),
}
# What this story waits for is rung, not polled.
SETTINGS = {"FINOPS_POLL_SECONDS": "60", "FINOPS_EDIT_EVERY_SECONDS": "1"}
ANSWER_SECONDS = 60.0
_BUTTON = ids.DIGEST_RULE  # only a digest says how it was ranked


@dataclass(frozen=True, slots=True)
class Monday:
    """What was told: names in the order told, exact dollars as strings, and every text by the channel it stands in.

    `sent` is what the applications sent for the week, `recorded` what the product counts: calls, successes, failures.
    `per_success` is what each project's success is told to have cost, in dollars, with the cost and the share of its
    calls that are recorded. `told_again` counts messages and mails after the product was asked to look once more.
    """

    week: dict[str, str]
    told_at: str
    total_usd: str | None
    billed_usd: str
    best: list[str]
    improve: list[str]
    unranked: dict[str, str]
    ratios: dict[str, str]
    sent: dict[str, list[int]]
    recorded: dict[str, list[int]]
    per_success: dict[str, dict[str, str]]
    messages: dict[str, list[str]]
    mail: list[Json]
    told_again: int


def teams_of(stage: Stage) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """The teams of the story with what of their applications this trace has; a trace of strangers is one team's."""
    known = stage.applications.names
    found = {
        name: (channel, lead, tuple(one for one in mine if one in known))
        for name, (channel, lead, mine) in TEAMS.items()
    }
    left = {name: team for name, team in found.items() if team[2]}
    return left or {"마케팅팀": (MARKETING, MINSU, known)}


async def monday(stage: Stage, clock: StageClock, say: Say) -> Monday:
    """Play it. Raises TimeoutError when the product does not keep up, Stuck when a person cannot do their part."""
    await set_up(stage, say)
    await connect(stage, say)
    monday = next_monday(clock())
    say(f"on to {monday:%Y-%m-%d %H:%M} UTC")
    go = OnToMonday(clock, stage.applications, stage.product)
    await go()
    channels = [channel for channel, _, _ in teams_of(stage).values()]
    places = [*channels, stage.slack.person(JIHOON).dm]
    await stage.slack.until(lambda: all(digest_in(stage, place) is not None for place in places), ANSWER_SECONDS)
    await said(stage)
    await stage.mailbox.sink.arrived(1, ANSWER_SECONDS)
    say("told")
    before = _spoken(stage)
    await stage.product[BOT].digests.due()
    await said(stage)
    return await _told(stage, monday, places, _spoken(stage) - before)


async def set_up(stage: Stage, say: Say) -> None:
    """Both teams, by 이지훈."""
    person = stage.slack.person(JIHOON)
    for number, (name, (channel, lead, mine)) in enumerate(teams_of(stage).items()):
        key = stage.props.data_team_key if number else stage.props.marketing_key
        wish = Wish(name, channel, lead, key, mine)
        await (onboard_another if number else onboard)(stage, person, wish, say)


async def connect(stage: Stage, say: Say) -> None:
    """Event tokens by the real window, copied into the applications, and the four weeks that lie in their logs."""
    person = stage.slack.person(JIHOON)
    async with stage.product[STORAGE].reading() as store:
        registered = {project.name for project in await store.projects.all(TEAM_ID) if not project.excluded}
    for name in stage.applications.names:
        if name in registered and name not in SILENT:
            await stage.applications.connect(name, await makes_token(stage, person, name))
    count = await stage.applications.tell_past()
    say(f"{len(stage.applications.connected)} applications sent {count} events of four weeks")


def digest_in(stage: Stage, channel: str) -> Json | None:
    """The last week's digest in a channel: the newest message of ours there that is no answer in a thread."""
    roots = [
        one
        for one in stage.slack.messages(channel)
        if one.get("bot_id") and one.get("thread_ts", one["ts"]) == one["ts"] and is_digest(one)
    ]
    return roots[-1] if roots else None


def is_digest(message: Json) -> bool:
    """Whether a message is a week's digest."""
    blocks = message.get("blocks", [])
    return any(element.get("action_id") == _BUTTON for block in blocks for element in block.get("elements") or [])


def thread_of(stage: Stage, channel: str, root: Json) -> list[Json]:
    """The messages below it, oldest first."""
    said, ts = stage.slack.messages(channel), root["ts"]
    return [one for one in said if one.get("thread_ts") == ts and one["ts"] != ts]


async def said(stage: Stage) -> None:
    """Wait until the outbox is empty."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:
            async with stage.product[STORAGE].reading() as store:
                if not await store.outbox.waiting_count():
                    return
            await asyncio.sleep(0.05)  # the outbox is in a database


def sent_in(stage: Stage, week: Period) -> dict[str, Tally]:
    """What the connected applications sent for a week, counted here and nowhere else."""
    start, end = (minute_of(starts_at(day)) for day in (week.start, week.end))
    applications = stage.applications
    found: dict[str, Tally] = {}
    for name in applications.connected:
        events = tallied(applications.events(name, start, end))
        found[name] = events.get((name, monday_of(week.start)), Tally())
    return found


def _spoken(stage: Stage) -> int:
    """How many messages and mails there are by now."""
    said = [call for call in stage.slack.calls if call.ok and call.method == "chat.postMessage"]
    return len(said) + len(stage.mailbox.sink.kept)


def _per_success(line: DigestProject) -> dict[str, str]:
    """What a success cost, as told, beside what it was reckoned from."""
    one = line.value.cost_per_success
    assert one is not None
    return {
        "told_usd": plain(one.amount),
        "cost_usd": plain(line.cost.amount),
        "coverage": f"{line.value.coverage:.4f}" if line.value.coverage is not None else "",
    }


async def _told(stage: Stage, monday: datetime, places: Sequence[str], told_again: int) -> Monday:
    """Read it all back: the figures from the product's memory, the bill from the provider, the words from Slack."""
    week = Period(charge_day(monday) - timedelta(days=7), charge_day(monday))
    shown = await stage.product[BOT].digests.report_of(TEAM_ID, ScopeKind.WORKSPACE, None, week.start)
    digest = shown.digest
    async with stage.product[STORAGE].reading() as store:
        names = {project.id: project.name for project in await store.projects.all(TEAM_ID)}
        sums = await store.value.sums(TEAM_ID, week)
    billed = Decimal(0)
    for name in stage.applications.names:
        for day in range(week.days):
            start = starts_at(week.start + timedelta(days=day))
            billed = EXACT.add(billed, dollars(stage, name, start, start + timedelta(days=1)))
    roots = {place: root for place in places if (root := digest_in(stage, place)) is not None}
    return Monday(
        week={"start": str(week.start), "end": str(week.end)},
        told_at=digest.computed_at.isoformat(),
        total_usd=None if digest.total.amount is None else plain(digest.total.amount.amount),
        billed_usd=plain(billed),
        best=[one.name for one in digest.best],
        improve=[one.name for one in digest.improve],
        unranked={one.name: one.unranked.value for one in digest.others if one.unranked is not None},
        ratios={one.name: f"{one.ratio:.3f}" for one in digest.projects if one.ratio is not None},
        sent={name: [tally.calls, tally.successes, tally.failures] for name, tally in sent_in(stage, week).items()},
        recorded={names[id_]: [each.calls, each.successes, each.failures] for id_, each in sums.items()},
        per_success={one.name: _per_success(one) for one in digest.projects if one.value.cost_per_success is not None},
        messages={
            place: [root["text"], *(one["text"] for one in thread_of(stage, place, root))]
            for place, root in roots.items()
        },
        mail=[
            {"to": list(mail.recipients), "subject": mail.subject, "html_characters": len(mail.html or "")}
            for mail in stage.mailbox.sink.kept
        ],
        told_again=told_again,
    )
