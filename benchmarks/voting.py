"""A crowd at the ballot: many people of two workspaces vote at once, through signed requests.

    python -m benchmarks.voting [--people 500] [--seconds 10] [--database URL]

Half of the people belong to each workspace; their clicks are spread over the seconds. Every third clicks twice, every
fourth changes their mind at once. Slack's rate limits are on, and messages are edited as often as the default setting
allows. Printed: how long a click waits for its acknowledgement, when the last vote was counted, how often the messages
were edited, and whether the database and the final bars are what people chose last. Exits with 1 where they are not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from blocks import ids
from bot import Bot
from bot.results import Profile
from demo.prices import FilePrices, Rates
from demo.slack import SlackConfig, payloads
from demo.slack.cast import DATA, JIHOON, MARKETING, TEAM_ID, User
from demo.slack.delivery import signed, written
from demo.stage import Stage, staged
from demo.trace import parse_trace
from finops.polls import PollDraft, PollShown
from finops.registry import Person
from handlers.addresses import BOT, STORAGE

NEIGHBOUR = "T0OTHER001"
PLACES: Mapping[str, str] = {TEAM_ID: MARKETING, NEIGHBOUR: DATA}
OPTIONS = ("one", "two", "three", "four")
EVERY = 30  # seconds: FINOPS_EDIT_EVERY_SECONDS as it is by default
PATIENCE = 45.0


@dataclass
class Crowd:
    """Who votes for what, last, in each workspace; and what came of it."""

    polls: dict[str, int] = field(default_factory=dict)
    chosen: dict[tuple[str, str], str] = field(default_factory=dict)
    acknowledged: list[float] = field(default_factory=list)
    counted_after: float = 0.0
    edits: dict[str, int] = field(default_factory=dict)
    limited: int = 0
    complaints: int = 0
    wrong: list[str] = field(default_factory=list)

    def expected(self, workspace: str) -> Counter[str]:
        """The votes of each option."""
        return Counter(option for (where, _), option in self.chosen.items() if where == workspace)


def a_stage(database_url: str, every: int = EVERY) -> AbstractAsyncContextManager[Stage]:
    """The product between the simulators, with Slack's limits."""
    prices = FilePrices("benchmark", {"big": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))})
    head = "hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"
    trace = parse_trace([head, "23,chatbot,big,1,10,1,0"])
    return staged(
        trace,
        prices,
        database_url,
        socket_mode=False,
        slack=SlackConfig(rate_limits=True),
        FINOPS_EDIT_EVERY_SECONDS=str(every),
        FINOPS_POLL_SECONDS="3600",
    )


async def voted(stage: Stage, people: int, seconds: float, seed: int = 6) -> Crowd:
    """Ask in both workspaces, let everybody vote, close, and hold what Slack shows against what people chose."""
    bot: Bot = stage.product[BOT]
    crowd, slack = Crowd(), stage.slack
    for workspace in PLACES:
        profile = Profile(
            JIHOON, "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True, is_bot=False, is_guest=False
        )
        asker = await bot.people.meet(workspace, workspace, profile, asks_setup=True)
        closes = bot.clock() + timedelta(days=1)
        draft = PollDraft("?", "\n".join(OPTIONS), PLACES[workspace], closes, is_anonymous=True, is_hidden=False)
        crowd.polls[workspace] = (await bot.voting.ask(asker, draft)).id
    await slack.until(lambda: all(_message(stage, place) for place in PLACES.values()), PATIENCE)
    clicks = _clicks(crowd, stage, people, seconds, random.Random(seed))
    begun = time.perf_counter()
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(_press(stage, http, crowd, begun + at, payload) for at, payload in clicks))
    await _settled(stage, crowd)
    crowd.counted_after = time.perf_counter() - begun
    for workspace, poll_id in crowd.polls.items():
        await bot.voting.close(await _asker(bot, workspace), poll_id)
    await slack.until(lambda: all("data_visualization" in str(_message(stage, p)) for p in PLACES.values()), PATIENCE)
    for workspace, poll_id in crowd.polls.items():
        _judge(stage, crowd, workspace, await bot.voting.told(workspace, poll_id))
    crowd.limited = sum(call.error == "ratelimited" for call in slack.calls)
    crowd.complaints = len(slack.complaints)
    return crowd


async def _asker(bot: Bot, workspace: str) -> Person:
    profile = Profile(JIHOON, "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True, is_bot=False, is_guest=False)
    return await bot.people.meet(workspace, workspace, profile, asks_setup=True)


def _clicks(
    crowd: Crowd, stage: Stage, people: int, seconds: float, luck: random.Random
) -> list[tuple[float, dict[str, Any]]]:
    """When everybody clicks what: what they chose last is what is to be counted."""
    clicks = []
    for number in range(people):
        workspace = (TEAM_ID, NEIGHBOUR)[number % 2]
        user = User(f"U0VOTER{number:04}", f"voter{number}", f"Voter {number}")
        stage.slack.world.users[user.id] = user
        at = luck.random() * seconds
        first, last = luck.sample(range(1, len(OPTIONS) + 1), 2)
        wishes = [first, first] if number % 3 == 0 else [first]
        if number % 4 == 0:
            wishes.append(last)
        for turn, option in enumerate(wishes):
            clicks.append((at + turn * 0.4, _payload(crowd, stage, workspace, user.id, str(option))))
        crowd.chosen[workspace, user.id] = str(wishes[-1])
    return clicks


def _payload(crowd: Crowd, stage: Stage, workspace: str, user_id: str, option: str) -> dict[str, Any]:
    slack, place = stage.slack, PLACES[workspace]
    told = payloads.common(slack.world, "block_actions", user_id)
    value = f"{crowd.polls[workspace]}/{option}"
    return told | {
        "team": {"id": workspace, "domain": "x"},
        "user": told["user"] | {"team_id": workspace},
        "trigger_id": slack.hub.triggers.issue(user_id),
        "container": {"type": "message", "message_ts": "1.1", "channel_id": place, "is_ephemeral": False},
        "channel": {"id": place, "name": "place"},
        "response_url": slack.url + slack.hub.hooks.issue("actions", place, user_id, "1.1"),
        "actions": [{"type": "button", "block_id": "b", "action_id": ids.POLL_VOTE, "value": value}],
    }


async def _press(stage: Stage, http: aiohttp.ClientSession, crowd: Crowd, at: float, payload: dict[str, Any]) -> None:
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    payload["actions"][0]["action_ts"] = f"{time.time_ns() / 1e9:.6f}"
    body, content_type = written("interactive", payload)
    stamp = int(time.time())
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": str(stamp),
        "X-Slack-Signature": signed(stage.slack.config.signing_secret, stamp, body),
    }
    begun = time.perf_counter()
    async with http.post(f"{stage.url}/slack/events", data=body.encode(), headers=headers) as answer:
        await answer.read()
        if answer.status != 200:
            crowd.wrong.append(f"a click was answered {answer.status}")
    crowd.acknowledged.append(time.perf_counter() - begun)


async def _settled(stage: Stage, crowd: Crowd) -> None:
    """Wait until what each of them chose last is what is kept of them; what is not by then is wrong.

    The sums alone would not do: two votes that are still to change may cancel each other out.
    """
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        if all([await _is_kept(stage, crowd, workspace) for workspace in crowd.polls]):
            return
        await asyncio.sleep(0.05)


async def _is_kept(stage: Stage, crowd: Crowd, workspace: str) -> bool:
    async with stage.product[STORAGE].reading() as store:
        poll = await store.polls.get(workspace, crowd.polls[workspace])
        assert poll is not None
        kept = {ballot.voter: ballot.options for ballot in await store.polls.ballots(workspace, poll.id)}
    chosen = {poll.voter(user): (option,) for (where, user), option in crowd.chosen.items() if where == workspace}
    return kept == chosen


def _judge(stage: Stage, crowd: Crowd, workspace: str, told: PollShown) -> None:
    """The database and the bars in the channel against what people chose last."""
    expected = crowd.expected(workspace)
    if _votes(told) != expected or told.people != sum(expected.values()):
        crowd.wrong.append(f"{workspace}: the database says {_votes(told)}, people chose {expected}")
    message = _message(stage, PLACES[workspace])
    drawn = next((block for block in message.get("blocks", []) if block["type"] == "data_visualization"), None)
    bars = {} if drawn is None else {one["label"]: one["value"] for one in drawn["chart"]["series"][0]["data"]}
    if bars != {name: expected[str(number)] for number, name in enumerate(OPTIONS, start=1)}:
        crowd.wrong.append(f"{workspace}: the bars say {bars}, people chose {expected}")
    edited = [c for c in stage.slack.calls if c.method == "chat.update" and c.args.get("ts") == message.get("ts")]
    crowd.edits[workspace] = sum(call.ok for call in edited)


def _votes(told: PollShown) -> Counter[str]:
    return Counter({count.option.id: count.votes for count in told.counts if count.votes})


def _message(stage: Stage, place: str) -> dict[str, Any]:
    found = [one for one in stage.slack.messages(place) if ids.POLL_VOTE in str(one) or "data_visual" in str(one)]
    return found[0] if found else {}


async def run(people: int, seconds: float, database_url: str) -> Crowd:
    """One crowd on a stage of its own."""
    async with a_stage(database_url) as stage:
        return await voted(stage, people, seconds)


def printed(crowd: Crowd, people: int, seconds: float) -> str:
    """The table."""
    waits = statistics.quantiles(crowd.acknowledged, n=100)
    rows = [
        ("people, workspaces, clicks", f"{people}, {len(crowd.polls)}, {len(crowd.acknowledged)} in {seconds:.0f} s"),
        ("a click is acknowledged, p50 and p99", f"{waits[49] * 1000:.0f} ms, {waits[98] * 1000:.0f} ms"),
        ("the last vote counted after", f"{crowd.counted_after:.1f} s"),
        ("edits of each message", ", ".join(map(str, crowd.edits.values()))),
        ("calls that Slack limited, complaints", f"{crowd.limited}, {crowd.complaints}"),
        ("votes that are not what people chose last", "none" if not crowd.wrong else "; ".join(crowd.wrong)),
    ]
    return "\n".join(f"| {name} | {figure} |" for name, figure in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--database")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database or f"sqlite:///{Path(folder) / 'voting.db'}"
        crowd = asyncio.run(run(chosen.people, chosen.seconds, url))
    sys.stdout.write(f"{printed(crowd, chosen.people, chosen.seconds)}\n")
    return 1 if crowd.wrong or crowd.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
