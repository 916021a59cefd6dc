"""From decision to Slack: a thousand alerts at one moment, told by the product to strict simulated Slacks.

    python -m benchmarks.outbox [--teams 1000] [--projects 10] [--workspaces 4] [--limited 5] [--quiet-slack]

Every team has ten projects, a channel and a daily budget, and all of them run away at once. The real evaluation
decides, the real deliverer speaks; `--limited` percent of the channels answer 429 at first. Each workspace has a Slack
in another process, with Slack's own limits (300 posts a minute, one a second in a channel) unless `--quiet-slack`.
Floor: slack_sdk posting the same messages, sixteen at a time, and nothing else.
Target: detected → delivered P99 <= 60 s.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot import Bot, Policy
from bot.metrics import Metrics
from bot.settings import Settings
from demo.slack import SimulatedSlack, SlackConfig
from demo.slack.cast import BOT, Channel
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from finops.periods import charge_day, starts_at
from finops.usage import Endpoint, UsageBucket, UsageReading, UsageRow, Width
from jobs import deliverer_of
from storage import KeyRing, Storage, open_storage

ADMIN = "U0JIHOON01"
ATTO_PER_DOLLAR = 10**18
SPENT_BY_TEAM, LIMIT = 742, "500"
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a simulated Slack is reached, and with which token."""

    url: str
    token: str


class Clients:
    """A client for each workspace, over one connection pool, as app.py makes them."""

    def __init__(self, addresses: dict[str, Address], session: aiohttp.ClientSession) -> None:
        self._addresses, self._session = addresses, session

    async def of(self, workspace_id: str) -> AsyncWebClient:
        address = self._addresses[workspace_id]
        return AsyncWebClient(token=address.token, base_url=address.url, session=self._session, retry_handlers=[])

    def forget(self, workspace_id: str) -> None:
        """There is one token, and it stays."""


def named(workspace: int) -> str:
    return f"T{workspace:010d}"


def channel_of(workspace: int, team: int) -> str:
    return f"C{workspace:03d}{team:07d}"


async def serve(workspaces: int, teams: int, limited: int, *, is_strict: bool) -> None:
    """Simulated Slacks until a line arrives; then what they saw."""
    async with contextlib.AsyncExitStack() as stack:
        slacks = []
        for number in range(workspaces):
            config = SlackConfig(rate_limits=is_strict, post_burst=1)
            slack = await stack.enter_async_context(SimulatedSlack(config=config))
            for team in range(teams):
                channel_id = channel_of(number, team)
                slack.world.channels[channel_id] = Channel(channel_id, f"team-{team}", {ADMIN, BOT})
                if team * limited // 100 != (team + 1) * limited // 100:
                    where = {"channel": channel_id}
                    slack.fail("chat.postMessage", error="ratelimited", retry_after=1 + team % 10, where=where)
            slacks.append(slack)
        print(json.dumps([(slack.api_url, slack.config.bot_token) for slack in slacks]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        calls = [call for slack in slacks for call in slack.calls]
        seen = {
            "limited": sum(call.status == 429 for call in calls),
            "posts": sum(call.ok for call in calls if call.method == "chat.postMessage"),
            "edits": sum(call.ok for call in calls if call.method == "chat.update"),
            "wrong": sorted({str(call.error) for call in calls if not call.ok and call.status != 429}),
        }
        print(json.dumps(seen), flush=True)


@contextlib.asynccontextmanager
async def slacks(
    workspaces: int, teams: int, limited: int, *, is_strict: bool, seen: dict[str, Any]
) -> AsyncIterator[list[Address]]:
    """Simulated Slacks in a process of their own; `seen` is filled with what they saw when the block ends."""
    words = ["--serve", str(workspaces), str(teams), str(limited), "1" if is_strict else "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.outbox", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    yield [Address(url, token) for url, token in json.loads(await process.stdout.readline())]
    output, _ = await process.communicate(b"enough\n")
    seen.update(json.loads(output))


async def furnish(storage: Storage, workspace: int, teams: int, projects: int, now: datetime) -> None:
    """Teams with their projects and budgets, and a day in which each team spends $742 of $500."""
    workspace_id = named(workspace)
    minute = int(now.timestamp()) // 60 - 1
    start = max(minute - minute % 1440, minute - 5)
    rows = []
    async with storage.writing() as store:
        await store.workspaces.ensure(
            workspace_id, name=workspace_id, locale="ko", timezone="Asia/Seoul", installed_by=ADMIN, at=now
        )
        connection = await store.connections.create(
            workspace_id, provider="openai", organization_id=f"org-{workspace_id}", organization_name=None, at=now
        )
        for number in range(teams):
            team = await store.teams.create(
                workspace_id, name=f"team {number}", lead_user_id=ADMIN, channel_id=channel_of(workspace, number),
                locale="ko", approvers=(), created_by=ADMIN, at=now,
            )  # fmt: skip
            accounts = [(f"proj_{number}_{each}", f"project {number}.{each}") for each in range(projects)]
            await store.projects.register(
                workspace_id,
                connection_id=connection.id,
                team_id=team.id,
                projects=accounts,
                registered_by=ADMIN,
                at=now,
            )
            terms = BudgetTerms(BudgetScope.TEAM, team.id, BudgetPeriod.DAY, Money.of(LIMIT))
            await store.budgets.create(workspace_id, terms, by=ADMIN, at=now)
            rows += [a_row(start, account) for account, _ in accounts]
        rows.sort()
        price = SPENT_BY_TEAM * ATTO_PER_DOLLAR // projects
        buckets = (UsageBucket(start, tuple(rows)),)
        reading = UsageReading(Endpoint.COMPLETIONS, Width.MINUTE, start, start + 1, buckets)
        priced = [(row, price, True) for row in rows]
        await store.usage.replace(workspace_id, connection.id, reading, priced, now, start + 1)
        await store.healths.mark_read(workspace_id, connection.id, now)


def a_row(start: int, account: str) -> UsageRow:
    return UsageRow(
        start, Endpoint.COMPLETIONS.value, account, "gpt-5.4", "key_1", "default", is_batch=False,
        requests=1000, input_tokens=1_000_000, output_tokens=400_000,
    )  # fmt: skip


async def alarm(chosen: argparse.Namespace, folder: str) -> list[str]:
    """Decide and tell; the lines of the report."""
    per_workspace = chosen.teams // chosen.workspaces
    workspaces = [named(number) for number in range(chosen.workspaces)]
    seen: dict[str, Any] = {}
    async with contextlib.AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(f"sqlite:///{folder}/finops.db", KeyRing.generate()))
        began = datetime.now(UTC)
        # Just after midnight nothing of the day would be over yet: stand a little into it.
        ahead = max(timedelta(), starts_at(charge_day(began)) + timedelta(minutes=10) - began)

        def clock() -> datetime:
            return datetime.now(UTC) + ahead

        bot = Bot(storage, {}, clock, Policy())
        for number in range(chosen.workspaces):
            await furnish(storage, number, per_workspace, chosen.projects, clock())
        served = slacks(
            chosen.workspaces, per_workspace, chosen.limited, is_strict=not chosen.quiet_slack, seen=seen
        )  # fmt: skip
        async with served as addresses, aiohttp.ClientSession() as session:
            clients = Clients(dict(zip(workspaces, addresses, strict=True)), session)
            deliverer = deliverer_of(bot, clients, clock, settings(folder), Metrics(), "benchmark")
            since, began_at, cpu_before = clock(), time.perf_counter(), time.process_time()
            running = asyncio.create_task(deliverer.run())
            decided = sum([await bot.evaluating.evaluate(workspace_id) for workspace_id in workspaces])
            evaluated, waiting = time.perf_counter() - began_at, 1
            while waiting:
                await asyncio.sleep(0.25)
                async with storage.reading() as store:
                    waiting = await store.outbox.waiting_count()
            told, cpu = time.perf_counter() - began_at, time.process_time() - cpu_before
            deliverer.stop()
            await running
        async with storage.reading() as store:
            clocks = [one for each in workspaces for one in await store.incidents.clocks(each, since)]
    seconds = sorted((one.delivered_at - one.detected_at).total_seconds() for one in clocks)
    p50, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99) - 1]
    floor = await bare(chosen, seen["posts"])
    each = cpu / seen["posts"] * 1000
    return [
        f"{chosen.teams} alerts, {chosen.teams * chosen.projects:,} projects, {chosen.workspaces} workspace(s), "
        f"Slack {'without limits' if chosen.quiet_slack else 'as strict as it says'}",
        f"  decided   {decided} incidents in {evaluated:.1f} s, while the first were told already",
        f"  delivered {len(seconds)} alerts: detected to delivered P50 {p50:.1f} s, P99 {p99:.1f} s, last "
        f"{seconds[-1]:.1f} s (target P99 <= 60){'' if p99 <= 60 else '  MISSED'}",
        f"  all told  {seen['posts']} posts (alerts and the lines in their threads), {seen['edits']} edits in "
        f"{told:.1f} s; Slack said 429 {seen['limited']} times; else wrong: {', '.join(seen['wrong']) or 'nothing'}",
        f"  CPU       {each:.1f} ms for a message, its decision, facts and words included; {floor:.1f} ms for a bare "
        f"post: {each / floor:.1f}x",
    ]


async def bare(chosen: argparse.Namespace, count: int) -> float:
    """Milliseconds of CPU for one post by slack_sdk alone."""
    text = "🚨 [마케팅팀] 일일 한도 $500 초과 - 현재 $742 (148%)"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for _ in range(8)]
    served = slacks(1, chosen.teams, 0, is_strict=False, seen={})
    async with served as [address], aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=address.token, base_url=address.url, session=session, retry_handlers=[])
        turns = asyncio.Semaphore(AT_ONCE)

        async def post(number: int) -> None:
            async with turns:
                await client.chat_postMessage(channel=channel_of(0, number % chosen.teams), text=text, blocks=blocks)

        before = time.process_time()
        await asyncio.gather(*(post(number) for number in range(count)))
        return (time.process_time() - before) / count * 1000


def settings(folder: str) -> Settings:
    return Settings.from_env({
        "SLACK_BOT_TOKEN": "xoxb-" + "1", "SLACK_APP_TOKEN": "xapp-1-" + "A",
        "FINOPS_KEYS": KeyRing.generate().to_text(), "DATABASE_URL": f"sqlite:///{folder}/finops.db",
    })  # fmt: skip


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, default=1_000)
    parser.add_argument("--projects", type=int, default=10, help="of each team")
    parser.add_argument("--workspaces", type=int, default=4)
    parser.add_argument("--limited", type=int, default=5, help="percent of the channels that answer 429 at first")
    parser.add_argument("--quiet-slack", action="store_true", help="a Slack without limits of its own")
    parser.add_argument("--serve", nargs=4, type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args(words)
    if chosen.serve:
        workspaces, teams, limited, is_strict = chosen.serve
        asyncio.run(serve(workspaces, teams, limited, is_strict=bool(is_strict)))
        return
    with tempfile.TemporaryDirectory(prefix="finops-bench-") as folder:
        print("\n".join(asyncio.run(alarm(chosen, folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
