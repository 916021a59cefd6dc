"""A replica as the replay holds it: a process that takes orders, dies by SIGKILL, and is started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.settings import CHECKOUT
from demo.replay_replica import READY


class Died(Exception):
    """The process is no more, or not yet; nobody knows whether the order was done."""


class Replica:
    """A process that plays one copy of the product; it dies by SIGKILL and can be started again."""

    def __init__(self, settings: Mapping[str, str], clock: Path, log_level: str) -> None:
        self._told = json.dumps({"settings": dict(settings), "clock": str(clock)}).encode() + b"\n"
        self._log_level = log_level
        self._process: asyncio.subprocess.Process | None = None
        self._ready: asyncio.Task[bool] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Begin to start; `ready` waits until it stands."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "demo.replay_replica", self._log_level, cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(self._told)
        self._ready = asyncio.create_task(self._stands(self._process))

    async def ready(self) -> bool:
        """Wait until it takes orders; False when it has died meanwhile."""
        return self._ready is not None and await asyncio.shield(self._ready)

    @property
    def is_up(self) -> bool:
        return self._ready is not None and self._ready.done() and self._ready.result()

    async def ask(self, order: str, **given: Any) -> Any:
        """Give an order and wait until it is done: its answer. Raises Died when the process did before that."""
        async with self._one_at_a_time:
            process = self._process
            if process is None or process.stdin is None or not self.is_up:
                raise Died
            with contextlib.suppress(ConnectionError):
                process.stdin.write(json.dumps({"order": order, **given}).encode() + b"\n")
                await process.stdin.drain()
            return (await _heard(process, order))["told"]

    async def kill(self) -> None:
        """SIGKILL, now."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self._ready = None
            await self._process.wait()

    async def end(self) -> None:
        """Let it finish: its orders end."""
        if self._process is None or self._process.stdin is None or self._process.returncode is not None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            await self.kill()

    async def _stands(self, process: asyncio.subprocess.Process) -> bool:
        try:
            await _heard(process, READY)
        except Died:
            return False
        return True


async def _heard(process: asyncio.subprocess.Process, order: str) -> dict[str, Any]:
    """The answer to an order; a library that prints something is not listened to."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.startswith(b"{"):
            told: dict[str, Any] = json.loads(line)
            if told["order"] == order:
                return told
    raise Died
