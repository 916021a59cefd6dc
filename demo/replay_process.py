"""A replica as the replay holds it: a process that takes orders, dies by SIGKILL, and is started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.settings import CHECKOUT
from demo.replay_replica import READY


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
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(self._told)
        self._ready = asyncio.create_task(self._heard(self._process, READY))

    async def ready(self) -> bool:
        """Wait until it takes orders; False when it has died meanwhile."""
        return self._ready is not None and await asyncio.shield(self._ready)

    @property
    def is_up(self) -> bool:
        return self._ready is not None and self._ready.done() and self._ready.result()

    async def order(self, order: str) -> bool:
        """Give an order and wait until it is done; False when the process died before it was."""
        async with self._one_at_a_time:
            process = self._process
            if process is None or process.stdin is None or not self.is_up:
                return False
            with contextlib.suppress(ConnectionError):
                process.stdin.write(f"{order}\n".encode())
                await process.stdin.drain()
            return await self._heard(process, order)

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

    async def _heard(self, process: asyncio.subprocess.Process, word: str) -> bool:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.decode().strip() == word:
                return True
        return False
