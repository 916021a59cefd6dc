"""What the benchmarks share: the least of Slack, servers in processes of their own, a workspace full of bills."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from finops.charges import Charge, ChargedDay
from finops.secret import Secret
from storage import KeyRing, open_storage

SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
KEYS = f"bench:{base64.b64encode(bytes(range(32))).decode()}"
WORKSPACE, CHANNEL = "T0000000001", "C0000000001"
_TICKS = os.sysconf("SC_CLK_TCK")
_serial = itertools.count()


def person(number: int) -> str:
    """The id of one of our many users."""
    return f"U{number:010d}"


class PretendSlack:
    """The least of Slack that a server needs: who is calling, and somewhere to send answers."""

    def __init__(self) -> None:
        self.answers = 0
        self.published: dict[str, float] = {}

    async def api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "auth.test":
            return web.json_response({
                "ok": True, "team_id": WORKSPACE, "team": "Bench", "user_id": "U0BOT00001", "bot_id": "B0BOT00001",
                "url": "https://bench.example/", "user": "finops",
            })  # fmt: skip
        if method == "users.info":
            who = {"id": "U", "name": "jihoon", "real_name": "이지훈", "locale": "ko-KR", "tz": "Asia/Seoul",
                   "is_admin": True, "profile": {}}  # fmt: skip
            return web.json_response({"ok": True, "user": who})
        if method == "views.publish":
            now, told = time.perf_counter(), await request.text()
            sent = json.loads(told)
            assert sent["view"]["type"] == "home", told[:200]
            self.published[sent["user_id"]] = now
        return web.json_response({"ok": True, "channel": "D0000000001", "ts": "1.1"})

    async def answer(self, _: web.Request) -> web.Response:
        self.answers += 1
        return web.Response(text="ok")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve on 127.0.0.1; the address."""
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


def a_request(kind: str, user_id: str, respond_to: str) -> str:
    """What Slack would post for `/finops status`, for a click on its refresh button, or for a look at Home."""
    serial = next(_serial)
    if kind == "command":
        return urlencode({
            "command": "/finops", "text": "status", "team_id": WORKSPACE, "channel_id": CHANNEL, "user_id": user_id,
            "response_url": respond_to, "trigger_id": f"1.{serial}.t", "api_app_id": "A1",
        })  # fmt: skip
    if kind == "home":
        return json.dumps({
            "type": "event_callback", "team_id": WORKSPACE, "api_app_id": "A1", "event_id": f"Ev{serial}",
            "event": {"type": "app_home_opened", "user": user_id, "tab": "home", "channel": "D0000000001"},
            "authorizations": [{"team_id": WORKSPACE, "user_id": "U0BOT00001", "is_bot": True}],
        })  # fmt: skip
    payload = {
        "type": "block_actions", "team": {"id": WORKSPACE}, "user": {"id": user_id}, "api_app_id": "A1",
        "container": {"type": "message", "message_ts": "1.1", "channel_id": CHANNEL, "is_ephemeral": True},
        "channel": {"id": CHANNEL}, "response_url": respond_to, "trigger_id": f"2.{serial}.t",
        "actions": [{"type": "button", "action_id": "status.refresh", "block_id": "b",
                     "value": "workspace//last_7_days", "action_ts": f"{serial}.000"}],
    }  # fmt: skip
    return urlencode({"payload": json.dumps(payload)})


_verifier = SignatureVerifier(SIGNING_SECRET)


async def deliver(session: aiohttp.ClientSession, url: str, body: str) -> float:
    """Sign and post one request; the milliseconds until it was acknowledged."""
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json" if body.startswith("{") else "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": _verifier.generate_signature(timestamp=now, body=body) or "",
    }
    begun = time.perf_counter()
    async with session.post(f"{url}/slack/events", data=body, headers=headers) as response:
        told = await response.text()
    if response.status != 200:
        raise SystemExit(f"answered {response.status}: {told}")
    return (time.perf_counter() - begun) * 1000


@dataclass(slots=True)
class Server:
    """A server of its own process."""

    url: str
    pid: int

    @property
    def cpu_seconds(self) -> float:
        """All the processor time it has used."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    @property
    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.asynccontextmanager
async def server(kind: str, slack_url: str, database_url: str) -> AsyncIterator[Server]:
    """`bare` Bolt or `ours`, listening."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.ack_server", kind, f"{slack_url}/api/", SIGNING_SECRET, database_url, KEYS,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = (await process.stdout.readline()).decode().strip()
        if not port:
            raise SystemExit(f"the {kind} server did not start")
        yield Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 30)
        if process.returncode is None:
            process.kill()


async def a_workspace(database_url: str, projects: int, days: int) -> None:
    """Fill a database: one team, one connection with a key, `projects` that cost something on each of `days` days.

    The connection is made now, so that no daily reading is due while we measure.
    """
    now = datetime.now(UTC)
    names = [f"proj_{number:05d}" for number in range(projects)]
    async with open_storage(database_url, KeyRing.from_text(KEYS)) as storage:
        async with storage.writing() as store:
            await store.workspaces.ensure(
                WORKSPACE, name="Bench", locale="ko", timezone="Asia/Seoul", installed_by=None, at=now
            )
            team = await store.teams.create(
                WORKSPACE, name="마케팅팀", lead_user_id=person(0), channel_id=CHANNEL, locale="ko", approvers=(),
                created_by=person(0), at=now,
            )  # fmt: skip
            connection = await store.connections.create(
                WORKSPACE, provider="openai", organization_id="org-bench", organization_name="Bench", at=now
            )
            await store.credentials.add(
                WORKSPACE, connection_id=connection.id, team_id=team.id, secret=Secret("-".join(("sk", "admin", "b"))),
                rights=("usage.read",), registered_by=person(0), at=now,
            )  # fmt: skip
            await store.projects.register(
                WORKSPACE, connection_id=connection.id, team_id=team.id, projects=[(name, name) for name in names],
                registered_by=person(0), at=now,
            )  # fmt: skip
        for back in range(1, days + 1):
            day = now.date() - timedelta(days=back)
            charges = tuple(
                Charge(day, name, "gpt-4o, output", Decimal(number % 97 + back % 7) / 100)
                for number, name in enumerate(names)
            )
            async with storage.writing() as store:
                await store.charges.replace_day(WORKSPACE, connection.id, ChargedDay(day, charges), now)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def until(is_so: Any, seconds: float) -> bool:
    """Look every now and then whether it is so; whether it was, in time."""
    deadline = time.perf_counter() + seconds
    while not is_so():
        if time.perf_counter() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
