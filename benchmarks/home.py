"""How soon the Home tab is there: 1,000 projects x 400 days, people opening it fifty times a second.

    python -m benchmarks.home [--projects 1000] [--days 400] [--rate 50] [--seconds 10] [--rounds 3]

From the moment Slack sends `app_home_opened` to the moment `views.publish` arrives, through the whole product in its
own process; then the facts alone (all queries and the arithmetic on them), one question at a time, in this process.
Targets: published p95 <= 1 s at 50 requests a second, acknowledged within 500 ms, facts p95 <= 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime

import aiohttp

from benchmarks.stage import (
    KEYS,
    WORKSPACE,
    PretendSlack,
    Server,
    a_request,
    a_workspace,
    deliver,
    percentile,
    person,
    server,
    until,
)
from bot import Bot, Policy
from finops.registry import Person, Role
from storage import KeyRing, open_storage

PEOPLE = 500
QUESTIONS = 60
LAST_ONE_SECONDS = 60.0


async def opened(slack: PretendSlack, ours: Server, rate: float, seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds to the acknowledgement and to the published view, of everyone who opened Home in that time."""
    sent: dict[str, float] = {}
    slack.published.clear()

    async def opens(session: aiohttp.ClientSession, user_id: str) -> float:
        sent[user_id] = time.perf_counter()
        return await deliver(session, ours.url, a_request("home", user_id, ""))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        begun, visits = time.perf_counter(), list[asyncio.Task[float]]()
        for number in range(min(PEOPLE, int(rate * seconds))):  # on the clock, however slow the answers are
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            visits.append(asyncio.create_task(opens(session, person(number))))
        acknowledged = await asyncio.gather(*visits)
    if not await until(lambda: len(slack.published) == len(sent), LAST_ONE_SECONDS):
        raise SystemExit(f"only {len(slack.published)} of {len(sent)} Home tabs were published")
    return acknowledged, [(slack.published[user] - at) * 1000 for user, at in sent.items()]


async def facts(database: str) -> list[float]:
    """Milliseconds of each of some questions for the facts of Home, one after another."""
    someone = Person(
        workspace_id=WORKSPACE, user_id=person(1), name="jihoon", role=Role.ADMIN, locale="ko-KR",
        timezone="Asia/Seoul", is_workspace_admin=False, seen_at=datetime.now(UTC),
    )  # fmt: skip
    took = []
    async with open_storage(database, KeyRing.from_text(KEYS)) as storage:
        bot = Bot(storage, {}, lambda: datetime.now(UTC), Policy())
        for _ in range(QUESTIONS):
            begun = time.perf_counter()
            report = await bot.reports.home(WORKSPACE, someone)
            took.append((time.perf_counter() - begun) * 1000)
        print(f"a Home tab of {report.project_count:,} projects, last month {report.last_month.amount}")
    return took[5:]


async def measure(projects: int, days: int, rate: float, seconds: float, rounds: int) -> None:
    slack = PretendSlack()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/finops.db"
        await a_workspace(database, projects, days)
        asked = await facts(database)
        print(f"facts      p50 {statistics.median(asked):7.1f} ms  p95 {percentile(asked, 0.95):7.1f} ms")
        async with slack.running() as slack_url, server("ours", slack_url, database) as ours:
            for number in range(rounds + 1):
                before = ours.cpu_seconds
                acknowledged, published = await opened(slack, ours, rate, seconds)
                cpu = (ours.cpu_seconds - before) * 1000 / len(published)
                if number == 0:
                    continue  # everybody is met in this one
                print(
                    f"round {number}    published p50 {statistics.median(published):7.1f} ms  "
                    f"p95 {percentile(published, 0.95):7.1f} ms  max {max(published):7.1f} ms   "
                    f"ack p50 {statistics.median(acknowledged):5.2f} ms  max {max(acknowledged):5.1f} ms   "
                    f"CPU {cpu:5.1f} ms for each of {len(published)} at {rate:.0f} /s"
                )
            print(f"resident   {ours.resident_mib:5.0f} MiB afterwards")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(measure(given.projects, given.days, given.rate, given.seconds, given.rounds))
