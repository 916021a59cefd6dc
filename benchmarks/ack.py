"""How fast Slack is acknowledged, against a bare Bolt app in the same run.

    python -m benchmarks.ack [--seconds 3] [--rounds 3] [--concurrency 64]

Both servers run in their own process; this one signs the requests, plays Slack's Web API and receives the answers.
Bare Bolt only acknowledges. Ours also does what was asked, while the next requests are already coming in: how many
answers reached people is printed, and between rounds we wait for the last of them.
Targets: p50 at one request at a time <= 0.25x, throughput >= 1.0x and p99 <= 1.25x at 64, nothing above 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from dataclasses import dataclass

import aiohttp

from benchmarks.stage import PretendSlack, Server, a_request, a_workspace, deliver, percentile, person, server, until

ONE_AT_A_TIME = 1
PROJECTS, DAYS = 50, 60
PEOPLE = 256
LAST_ANSWER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Round:
    """One server under load for a while; milliseconds, requests a second, and CPU milliseconds for each request."""

    p50: float
    p99: float
    worst: float
    rate: float
    cpu: float
    answered: int = 0
    asked: int = 0
    last_answer: float = 0.0


async def load(url: str, kind: str, respond_to: str, concurrency: int, seconds: float) -> list[float]:
    """Latencies in milliseconds of every request acknowledged in `seconds`, `concurrency` at a time."""
    latencies: list[float] = []
    until_then = time.perf_counter() + seconds
    people = itertools.cycle(person(number) for number in range(PEOPLE))

    async def one_client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() < until_then:
            latencies.append(await deliver(session, url, a_request(kind, next(people), respond_to)))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one_client(session) for _ in range(concurrency)))
    return latencies


async def one_round(slack: PretendSlack, one: Server, kind: str, respond_to: str, many: int, seconds: float) -> Round:
    """Load, then wait until nothing is left to do."""
    answered, cpu, begun = slack.answers, one.cpu_seconds, time.perf_counter()
    latencies = await load(one.url, kind, respond_to, many, seconds)
    cpu, elapsed, last, at = one.cpu_seconds - cpu, time.perf_counter() - begun, slack.answers, time.perf_counter()
    while time.perf_counter() - at < 1.0 and time.perf_counter() - begun < LAST_ANSWER_SECONDS:
        await asyncio.sleep(0.02)
        if slack.answers != last:
            last, at = slack.answers, time.perf_counter()
    return Round(
        statistics.median(latencies), percentile(latencies, 0.99), max(latencies), len(latencies) / elapsed,
        cpu * 1000 / len(latencies), last - answered, len(latencies), at - begun,
    )  # fmt: skip


async def measure(seconds: float, rounds: int, concurrency: int) -> None:
    slack = PretendSlack()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/finops.db"
        await a_workspace(database, PROJECTS, DAYS)
        async with (
            slack.running() as slack_url,
            server("bare", slack_url, database) as bare,
            server("ours", slack_url, database) as ours,
        ):
            respond_to = f"{slack_url}/respond"
            async with aiohttp.ClientSession() as session:
                for number in range(PEOPLE):  # everybody is met before the clock runs
                    await deliver(session, ours.url, a_request("command", person(number), respond_to))
            await until(lambda: slack.answers >= PEOPLE, LAST_ANSWER_SECONDS)
            for kind in ("command", "button"):
                for one in (bare, ours):
                    await one_round(slack, one, kind, respond_to, 2, 0.5)
                for many in (ONE_AT_A_TIME, concurrency):
                    found: dict[str, list[Round]] = {"bare": [], "ours": []}
                    for _ in range(rounds):  # in turn, so that a noisy neighbour disturbs both
                        found["bare"].append(await one_round(slack, bare, kind, respond_to, many, seconds))
                        found["ours"].append(await one_round(slack, ours, kind, respond_to, many, seconds))
                    report(f"{kind:8} c={many:<3}", found["bare"], found["ours"])


def report(name: str, bare: list[Round], ours: list[Round]) -> None:
    """Medians of the rounds; the ratios are medians of the ratios of neighbouring rounds."""

    def middle(rounds: list[Round], measure: str) -> float:
        return float(statistics.median(getattr(one, measure) for one in rounds))

    def ratio(measure: str) -> float:
        pairs = zip(ours, bare, strict=True)
        return float(statistics.median(getattr(a, measure) / getattr(b, measure) for a, b in pairs))

    for who, rounds in (("bare", bare), ("ours", ours)):
        print(
            f"{name} {who}  p50 {middle(rounds, 'p50'):7.2f} ms  p99 {middle(rounds, 'p99'):7.2f} ms  "
            f"max {max(one.worst for one in rounds):7.1f} ms  {middle(rounds, 'rate'):6.0f} /s  "
            f"CPU {middle(rounds, 'cpu'):5.2f} ms"
        )
    asked, answered = sum(one.asked for one in ours), sum(one.answered for one in ours)
    print(
        f"{name} ratio p50 {ratio('p50'):6.2f}x     p99 {ratio('p99'):6.2f}x     rate {ratio('rate'):5.2f}x     "
        f"CPU {ratio('cpu'):5.2f}x"
    )
    print(
        f"{name} answers to people: {answered} of {asked}, the last {middle(ours, 'last_answer'):.1f} s after begin\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    asyncio.run(measure(given.seconds, given.rounds, given.concurrency))
