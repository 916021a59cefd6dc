"""How fast Slack is acknowledged, against a bare Bolt app in the same run.

    python -m benchmarks.ack [--seconds 4] [--concurrency 64]

Both servers run in their own process; this one signs the requests, plays Slack's Web API and receives the answers.
Targets (perf.md 1 of the design): p50 at one request at a time <= 0.25x, throughput >= 1.0x and p99 <= 1.25x at 64,
nothing above 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
ONE_AT_A_TIME, ROUNDS = 1, 3
_serial = itertools.count()


class PretendSlack:
    """The least of Slack that both servers need: who is calling, and somewhere to send answers."""

    def __init__(self) -> None:
        self.answers = 0

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "auth.test":
            return web.json_response({
                "ok": True, "team_id": "T0000000001", "team": "Bench", "user_id": "U0BOT00001", "bot_id": "B0BOT00001",
                "url": "https://bench.example/", "user": "finops",
            })  # fmt: skip
        if method == "users.info":
            person = {
                "id": "U0000000001", "name": "jihoon", "real_name": "이지훈", "locale": "ko-KR", "tz": "Asia/Seoul",
                "is_admin": True, "profile": {},
            }  # fmt: skip
            return web.json_response({"ok": True, "user": person})
        return web.json_response({"ok": True, "channel": "D0000000001", "ts": "1.1"})

    async def answer(self, _: web.Request) -> web.Response:
        self.answers += 1
        return web.Response(text="ok")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        application = web.Application()
        application.router.add_route("*", "/api/{method}", self.api)
        application.router.add_post("/respond", self.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def request_body(kind: str, respond_to: str) -> str:
    """What Slack would post for a `/finops status` or for a click on its refresh button."""
    serial = next(_serial)
    if kind == "command":
        return urlencode({
            "command": "/finops", "text": "status", "team_id": "T0000000001", "channel_id": "C0000000001",
            "user_id": "U0000000001", "response_url": respond_to, "trigger_id": f"1.{serial}.t", "api_app_id": "A1",
        })  # fmt: skip
    payload = {
        "type": "block_actions", "team": {"id": "T0000000001"}, "user": {"id": "U0000000001"}, "api_app_id": "A1",
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0000000001", "is_ephemeral": True},
        "channel": {"id": "C0000000001"}, "response_url": respond_to, "trigger_id": f"2.{serial}.t",
        "actions": [{"type": "button", "action_id": "status.refresh", "block_id": "b", "value": "workspace||last_7_days",
                     "action_ts": f"{serial}.000"}],
    }  # fmt: skip
    return urlencode({"payload": json.dumps(payload)})


async def load(url: str, kind: str, respond_to: str, concurrency: int, seconds: float) -> list[float]:
    """Latencies in milliseconds of every request answered in `seconds`, `concurrency` at a time."""
    verifier, latencies = SignatureVerifier(SIGNING_SECRET), []
    until = time.perf_counter() + seconds

    async def one_client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() < until:
            body = request_body(kind, respond_to)
            now = str(int(time.time()))
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Slack-Request-Timestamp": now,
                "X-Slack-Signature": verifier.generate_signature(timestamp=now, body=body) or "",
            }
            begun = time.perf_counter()
            async with session.post(f"{url}/slack/events", data=body, headers=headers) as response:
                await response.read()
                if response.status != 200:
                    raise SystemExit(f"{kind}: answered {response.status}: {await response.text()}")
            latencies.append((time.perf_counter() - begun) * 1000)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(one_client(session) for _ in range(concurrency)))
    return latencies


@contextlib.asynccontextmanager
async def server(kind: str, slack_url: str, folder: Path) -> AsyncIterator[str]:
    """A server of its own process, warmed up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.ack_server", kind, f"{slack_url}/api/", SIGNING_SECRET,
        f"sqlite:///{folder / f'{kind}.sqlite3'}", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = (await process.stdout.readline()).decode().strip()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 30)
        if process.returncode is None:
            process.kill()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def measure(seconds: float, concurrency: int) -> None:
    pretend = PretendSlack()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            pretend.running() as slack_url,
            server("bare", slack_url, Path(folder)) as bare,
            server("ours", slack_url, Path(folder)) as ours,
        ):
            respond_to = f"{slack_url}/respond"
            for kind in ("command", "button"):
                for url in (bare, ours):
                    await load(url, kind, respond_to, 2, 1.0)
                for many in (ONE_AT_A_TIME, concurrency):
                    await compare(kind, many, bare, ours, respond_to, seconds)


async def compare(kind: str, many: int, bare: str, ours: str, respond_to: str, seconds: float) -> None:
    """Rounds in turn, so that a noisy neighbour disturbs both; medians of the rounds."""
    rounds: dict[str, list[tuple[float, float, float, float]]] = {"bare": [], "ours": []}
    for _ in range(ROUNDS):
        for name, url in (("bare", bare), ("ours", ours)):
            latencies = await load(url, kind, respond_to, many, seconds)
            rounds[name].append((
                statistics.median(latencies), percentile(latencies, 0.99), len(latencies) / seconds, max(latencies)
            ))  # fmt: skip
            await asyncio.sleep(1.0)  # let work that was only acknowledged finish before the other side is measured
    figures = {name: [statistics.median(column) for column in zip(*found, strict=True)] for name, found in rounds.items()}
    for name, (p50, p99, rate, worst) in figures.items():
        print(f"{kind:8} c={many:<3} {name:5} p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  max {worst:7.1f} ms  {rate:7.0f} /s")
    (a50, a99, arate, _), (b50, b99, brate, _) = figures["bare"], figures["ours"]
    print(f"{kind:8} c={many:<3} ratio p50 {b50 / a50:5.2f}x     p99 {b99 / a99:5.2f}x          rate {brate / arate:5.2f}x\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    asyncio.run(measure(given.seconds, given.concurrency))
