"""Recording that dies by SIGKILL between any two of its steps, and the next process that is sent the same again.

Run by test_recording_killed; forks once per step. A line of JSON for each request that was acknowledged, and at the end
one with what stands.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event

from bot import Bot, Policy
from finops.events import RecordedCall, ToldCall
from finops.value import Outcome
from storage import KeyRing, open_storage
from storage.records_value import Recorded
from tests.databases import MOMENT, WORKSPACE
from tests.integration.recording_world import TOKEN

OF_A_REQUEST = 3


def a_request(number: int) -> list[ToldCall]:
    """Some calls, and how those of the request before it ended."""
    calls = [f"{number}-{n}" for n in range(OF_A_REQUEST)]
    ends = [f"{number - 1}-{n}" for n in range(OF_A_REQUEST)]
    return [ToldCall(RecordedCall(each, each, MOMENT, task="t"), user="u") for each in calls] + [
        ToldCall(RecordedCall(f"end {each}", each, MOMENT, outcome=Outcome.SUCCESS)) for each in ends
    ]


def die_after(steps: int) -> None:
    """Kill this process at the next step after so many: a statement that writes, or the commit."""
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen > steps:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            count()

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", lambda _: count())


def say(**what: Any) -> None:
    os.write(sys.stdout.fileno(), f"{json.dumps(what)}\n".encode())


async def record(url: str, ring: str, numbers: list[int], dies_after: int | None = None) -> list[Recorded]:
    """Send requests one after the other, as a client does that waits for each answer; the last one may be deadly."""
    answers = []
    async with open_storage(url, KeyRing.from_text(ring)) as storage:
        bot = Bot(storage, {}, lambda: MOMENT + timedelta(minutes=1), Policy())
        token = await bot.recording.token(TOKEN)
        for number in numbers:
            if dies_after is not None and number == numbers[-1]:
                die_after(dies_after)
            answers.append(await bot.recording.record(token, a_request(number)))
            say(acknowledged=number)
    return answers


async def sums(url: str) -> dict[str, int]:
    async with open_storage(url, KeyRing.generate()) as storage, storage.reading() as store:
        from tests.integration.test_storage_value import EVER

        [found] = (await store.value.sums(WORKSPACE, EVER)).values()
        return found._asdict()


def main() -> None:
    url, ring = sys.argv[1:]
    asyncio.run(record(url, ring, []))  # once here, so that no child has to import the driver again
    for steps in range(100):
        child = os.fork()
        if child == 0:
            asyncio.run(record(url, ring, [2 * steps + 1, 2 * steps + 2], steps))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            break
    requests = 2 * steps + 2
    again = asyncio.run(record(url, ring, list(range(1, requests + 1))))
    say(requests=requests, accepted=[each.accepted for each in again], sums=asyncio.run(sums(url)))


if __name__ == "__main__":
    main()
