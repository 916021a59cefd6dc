"""A replica as the replay holds it: a process that takes orders, dies by SIGKILL, and is started again.

All are forked from one process that has imported the program already: that takes longer than anything a replica does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.settings import CHECKOUT
from demo.replay_replica import BORN, READY

_LONGEST_LINE = 2**24


class Died(Exception):
    """The process is no more, or not yet; nobody knows whether the order was done."""


@asynccontextmanager
async def nursery(log_level: str) -> AsyncIterator[socket.socket]:
    """The process that replicas are forked from: whoever hands it one end of a pair holds a new one by the other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "demo.replay_replica", str(theirs.fileno()), log_level, cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, pass_fds=[theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        try:
            yield ours
        finally:
            ours.close()  # which ends it
            await process.wait()


class Replica:
    """A process that plays one copy of the product; it dies by SIGKILL and can be started again."""

    def __init__(self, settings: Mapping[str, str], clock: Path, nursery: socket.socket) -> None:
        self._told = json.dumps({"settings": dict(settings), "clock": str(clock)}).encode() + b"\n"
        self._nursery = nursery
        self._line: _Line | None = None
        self._ready: asyncio.Task[bool] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Begin to start; `ready` waits until it stands."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._nursery, [b"+"], [theirs.fileno()])
        self._line = line = _Line(*await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE))
        line.orders.write(self._told)
        self._ready = asyncio.create_task(line.stands())

    async def ready(self) -> bool:
        """Wait until it takes orders; False when it has died meanwhile."""
        return self._ready is not None and await asyncio.shield(self._ready)

    @property
    def is_up(self) -> bool:
        return self._ready is not None and self._ready.done() and self._ready.result()

    async def ask(self, order: str, **given: Any) -> Any:
        """Give an order and wait until it is done: its answer. Raises Died when the process did before that."""
        async with self._one_at_a_time:
            line = self._line
            if line is None or not self.is_up:
                raise Died
            with contextlib.suppress(ConnectionError):
                line.orders.write(json.dumps({"order": order, **given}).encode() + b"\n")
                await line.orders.drain()
            return await line.heard(order)

    async def kill(self) -> None:
        """SIGKILL, now."""
        if self._line is not None:
            self._ready = None
            await self._line.killed()
            self._line = None

    async def end(self) -> None:
        """Let it finish: its orders end."""
        if self._line is None:
            return
        self._line.orders.write_eof()
        try:
            await asyncio.wait_for(self._line.ended(), 20)
        except TimeoutError:
            await self.kill()


class _Line:
    """What a process is held by, from its birth to its death."""

    def __init__(self, answers: asyncio.StreamReader, orders: asyncio.StreamWriter) -> None:
        self.orders = orders
        self._told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(answers))
        self._born = asyncio.create_task(self.heard(BORN))

    async def stands(self) -> bool:
        """Wait until it takes orders; False when it died instead."""
        try:
            await self._born
            await self.heard(READY)
        except Died:
            return False
        return True

    async def heard(self, order: str) -> Any:
        """The answer to an order; one that nobody waited for any more is passed over."""
        while (told := await self._told.get()) is not None:
            if told["order"] == order:
                return told["told"]
        self._told.put_nowait(None)
        raise Died

    async def killed(self) -> None:
        """End it, whatever it is doing, and wait until it is gone."""
        with contextlib.suppress(Died, ProcessLookupError):
            os.kill(await asyncio.shield(self._born), signal.SIGKILL)
        await self.ended()

    async def ended(self) -> None:
        """Wait until it is gone, and let go of it."""
        await asyncio.shield(self._reading)
        self.orders.close()
        with contextlib.suppress(ConnectionError):
            await self.orders.wait_closed()

    async def _read(self, answers: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            async for line in answers:
                self._told.put_nowait(json.loads(line))
        self._told.put_nowait(None)
