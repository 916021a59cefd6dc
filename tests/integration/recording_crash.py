"""Recording that dies by SIGKILL between any two of its steps, and the next process that is sent the same again.

Told by test_recording_killed; forks once for each. A line for each request that was acknowledged, and at the end one
with what stands.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot import Bot, Policy
from finops.events import RecordedCall, ToldCall
from finops.periods import Period
from finops.value import Outcome
from storage import KeyRing, Storage
from storage.engine import normalised, open_engines
from storage.records_value import Recorded
from tests.databases import MOMENT, WORKSPACE
from tests.integration.mortals import die_after, forked, say
from tests.integration.recording_world import TOKEN

OF_A_REQUEST = 3
EVER = Period(MOMENT.date() - timedelta(days=40), MOMENT.date() + timedelta(days=40))


def a_request(number: int) -> list[ToldCall]:
    """Some calls, and how those of the request before it ended."""
    calls = [f"{number}-{n}" for n in range(OF_A_REQUEST)]
    ends = [f"{number - 1}-{n}" for n in range(OF_A_REQUEST)]
    return [ToldCall(RecordedCall(each, each, MOMENT, task="t"), user="u") for each in calls] + [
        ToldCall(RecordedCall(f"end {each}", each, MOMENT, outcome=Outcome.SUCCESS)) for each in ends
    ]


async def record(url: str, ring: str, numbers: list[int], dies_after: int | None = None) -> list[Recorded]:
    """Send requests one after the other, as a client does that waits for each answer; the last one may be deadly."""
    answers = []
    async with open_engines(normalised(url)) as engines:
        bot = Bot(Storage(engines, KeyRing.from_text(ring)), {}, lambda: MOMENT + timedelta(minutes=1), Policy())
        token = await bot.recording.token(TOKEN)
        for number in numbers:
            if dies_after is not None and number == numbers[-1]:
                die_after(dies_after)
            answers.append(await bot.recording.record(token, a_request(number)))
            say(acknowledged=number)
    return answers


async def sums(url: str) -> dict[str, int]:
    async with open_engines(normalised(url)) as engines, Storage(engines, KeyRing.generate()).reading() as store:
        [found] = (await store.value.sums(WORKSPACE, EVER)).values()
        return found._asdict()


def main(url: str, ring: str) -> None:
    asyncio.run(record(url, ring, [1]))  # once here, so that no child has to prepare the same statements again
    steps = 0
    while forked(lambda steps=steps: asyncio.run(record(url, ring, [2 * steps + 2, 2 * steps + 3], steps))):
        steps += 1
    requests = 2 * steps + 3
    again = asyncio.run(record(url, ring, list(range(1, requests + 1))))
    say(requests=requests, accepted=[each.accepted for each in again], sums=asyncio.run(sums(url)))
