"""From the click to the limit: signed window submissions into the real server, against a slow and failing provider.

    python -m benchmarks.stops [--stops 100] [--at-once 10] [--latency 2]

Every call of the provider takes `--latency` seconds, and each stop meets one 500: on a reading, or on the change
itself, before or after it was made. Floor: the fewest calls that such a stop can take, one after the other.
Targets: limit set P99 <= 10 s; the click acknowledged P99 <= 500 ms while 64 are sent at a time. Client, both
simulators and the product share one process here: benchmarks.ack measures acknowledgements with a process for each.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.stage import percentile
from blocks import ids
from bot.results import Profile
from demo.openai.faults import Fault
from demo.openai.organization import SpendLimit
from demo.prices import FilePrices, Rates
from demo.slack import SlackConfig, payloads
from demo.slack.cast import JIHOON, MARKETING, TEAM_ID
from demo.slack.delivery import signed, written
from demo.stage import Stage, staged
from demo.trace import Trace, parse_trace
from handlers.addresses import BOT

FORMER_CENTS = 50_000
LOAD = 64
PRICES = FilePrices("benchmark", {"big": Rates(Decimal("2.5"), Decimal("1.25"), Decimal(10))})
FAULTS: Sequence[dict[str, Any]] = (
    {"status": 500, "method": "GET"},
    {"status": 500, "method": "POST"},
    {"kind": "acted_500", "method": "POST"},
)


def a_trace(names: Sequence[str]) -> Trace:
    """One call of each application, an hour ago."""
    head = "hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"
    return parse_trace([head, *(f"23,{name},big,1,10,1,0" for name in names)])


class Company:
    """A team with many projects, and somebody who may stop them."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, projects: dict[str, int]) -> None:
        self.stage, self.http, self.projects = stage, http, projects
        self.windows = itertools.count(1)

    async def clicked(self, name: str) -> float:
        """Send the filled window of a stop; seconds until it was acknowledged."""
        slack, bot = self.stage.slack, self.stage.product[BOT]
        metadata = {"target": f"project:{self.projects[name]}", "seen": bot.clock().isoformat()}
        chosen = {"type": "radio_buttons", "selected_option": {"value": "stop"}}
        typed = {ids.STOP_WHAT: chosen, ids.STOP_REASON: {"type": "plain_text_input", "value": "benchmark"}}
        told = payloads.common(slack.world, "view_submission", JIHOON)
        payload = told | {
            "trigger_id": slack.hub.triggers.issue(JIHOON),
            "response_urls": [],
            "view": {
                "id": f"V{next(self.windows):09}", "type": "modal", "hash": "1.a", "callback_id": ids.VIEW_STOP,
                "private_metadata": json.dumps(metadata),
                "state": {"values": {key: {key: value} for key, value in typed.items()}},
            },
        }  # fmt: skip
        return await self._sent(payload)

    async def pressed(self, name: str) -> float:
        """Press the button that opens that window; seconds until it was acknowledged."""
        slack = self.stage.slack
        told = payloads.common(slack.world, "block_actions", JIHOON)
        action = {"type": "button", "block_id": "b", "action_id": ids.STOP_OPEN, "action_ts": f"{time.time():.6f}"}
        payload = told | {
            "trigger_id": slack.hub.triggers.issue(JIHOON),
            "container": {"type": "message", "message_ts": "1.1", "channel_id": MARKETING, "is_ephemeral": False},
            "channel": {"id": MARKETING, "name": "marketing"},
            "actions": [action | {"value": f"project:{self.projects[name]}"}],
        }
        return await self._sent(payload)

    async def _sent(self, payload: dict[str, Any]) -> float:
        config = self.stage.slack.config
        body, content_type = written("interactive", payload)
        stamp = int(time.time())
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": str(stamp),
            "X-Slack-Signature": signed(config.signing_secret, stamp, body),
        }
        begun = time.perf_counter()
        async with self.http.post(f"{self.stage.url}/slack/events", data=body.encode(), headers=headers) as answer:
            assert answer.status == 200, answer.status
            await answer.read()
        return time.perf_counter() - begun

    async def stopped(self, name: str) -> tuple[float, float]:
        """Seconds until the click was acknowledged, and until the provider had the limit."""
        begun = time.perf_counter()
        ack = await self.clicked(name)
        project = self.stage.openai.organization.named(name)
        async with asyncio.timeout(120):
            while project.spend_limit_cents != 1:  # noqa: ASYNC110 - a simulated provider rings no bell
                await asyncio.sleep(0.01)
        return ack, time.perf_counter() - begun


async def furnished(stage: Stage, http: aiohttp.ClientSession, names: Sequence[str]) -> Company:
    """Everything in place, and a limit on every project."""
    bot, openai = stage.product[BOT], stage.openai
    profile = Profile(JIHOON, "이지훈", "ko-KR", "Asia/Seoul", is_workspace_admin=True)
    admin = await bot.people.meet(TEAM_ID, "한빛소프트", profile, asks_setup=True)
    team = await bot.teams.create(admin, "마케팅팀", profile, MARKETING)
    await bot.connections.register_key(admin, team.id, stage.props.marketing_key)
    wanted = [openai.organization.named(name).id for name in names]
    for name in names:
        openai.organization.named(name).spend_limits.append(SpendLimit(FORMER_CENTS, 0))
    done = await bot.projects.register(admin, team.id, wanted)
    return Company(stage, http, {one.name: one.id for one in done.registered})


def weathered(stage: Stage, names: Sequence[str], latency: float) -> None:
    """One 500 for each project, of each kind in turn, and latency for every call."""
    for number, name in enumerate(names):
        path = f"/v1/organization/projects/{stage.openai.organization.named(name).id}/spend_limit"
        how = FAULTS[number % len(FAULTS)]
        stage.openai.faults.add(Fault(path, times=1, delay_seconds=latency, **how))
    stage.openai.faults.add(Fault("/v1/organization/", delay_seconds=latency))


async def measured(stops: int, at_once: int, latency: float) -> bool:
    names = [f"project-{number:03}" for number in range(stops)]
    how: dict[str, Any] = {"FINOPS_BACKFILL_DAYS": "1", "FINOPS_POLL_SECONDS": "3600"}
    how |= {"slack": SlackConfig(rate_limits=False), "socket_mode": False}
    with tempfile.TemporaryDirectory(prefix="finops-stops-") as folder:
        url = f"sqlite:///{Path(folder) / 'stage.db'}"
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=LOAD)) as http,
            staged(a_trace(names), PRICES, url, **how) as stage,
        ):
            company = await furnished(stage, http, names)
            weathered(stage, names, latency)
            gate, found = asyncio.Semaphore(at_once), list[tuple[float, float]]()

            async def one(name: str) -> None:
                async with gate:
                    found.append(await company.stopped(name))

            await asyncio.gather(*(one(name) for name in names))
            # Two readings at one moment, the change, a 500 somewhere and what is asked or sent again for it.
            floor = 3 * latency
            limit = [seconds for _, seconds in found]
            acks = [1000 * ack for ack, _ in found]
            print(f"{stops} stops, {at_once} at once, {latency:g} s for each call of the provider, one 500 in each")
            print(
                f"click to limit set  p50 {statistics.median(limit):6.2f} s  p99 {percentile(limit, 0.99):6.2f} s  "
                f"max {max(limit):6.2f} s   p99 is {percentile(limit, 0.99) / floor:.2f}x of {floor:g} s of calls"
            )
            print(f"acknowledged        p50 {statistics.median(acks):6.1f} ms p99 {percentile(acks, 0.99):6.1f} ms")
            again = list[float]()
            for start in range(0, 5 * LOAD, LOAD):
                wave = [names[(start + number) % len(names)] for number in range(LOAD)]
                again += [1000 * each for each in await asyncio.gather(*(company.pressed(name) for name in wave))]
            late = percentile(again, 0.99)
            print(f"button, {LOAD} at a time p50 {statistics.median(again):6.1f} ms p99 {late:6.1f} ms")
            return percentile(limit, 0.99) <= 10 and late <= 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--latency", type=float, default=2.0)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    return 0 if asyncio.run(measured(given.stops, given.at_once, given.latency)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
