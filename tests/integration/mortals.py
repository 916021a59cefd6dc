"""Processes to be killed: each is forked from one that has imported the program already.

Importing costs more than all that a process does until it dies; here it is paid once for all stories of a test run.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any, NoReturn

from sqlalchemy import Engine, event

from tests.house.tree import ROOT


@dataclass
class Mortal:
    """A process that lives its story, until that ends or somebody kills it."""

    pid: int
    lines: asyncio.StreamReader
    status: int | None = None

    async def said(self) -> AsyncIterator[dict[str, Any]]:
        """What it says, line by line, until it is over; it must end well."""
        while self.status is None:
            told = await self._line()
            if "ended" in told:
                self.status = told["ended"]
            else:
                yield told
        assert self.status == 0

    async def killed(self) -> None:
        """Kill it and its children; nothing is left of them afterwards."""
        os.killpg(self.pid, signal.SIGKILL)
        while self.status is None:
            self.status = (await self._line()).get("ended")

    async def _line(self) -> dict[str, Any]:
        line = await self.lines.readline()
        assert line, "the parent of all stories is no more"
        told: dict[str, Any] = json.loads(line)
        assert "trouble" not in told, told["trouble"]
        return told


class Mortals:
    """Where such processes come from, one at a time: their parent starts with the first, and anew after a failure."""

    def __init__(self) -> None:
        self._parent: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mortals:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    async def told(self, story: str, *given: str) -> list[dict[str, Any]]:
        """All that a process says whose story ends by itself."""
        async with self.begun(story, *given) as mortal:
            return [line async for line in mortal.said()]

    @asynccontextmanager
    async def begun(self, story: str, *given: str) -> AsyncIterator[Mortal]:
        """A process that lives the `main` of a module of this folder; after the block it is gone, whatever happened."""
        parent = self._parent = self._parent or _a_parent()
        assert parent.stdin is not None
        assert parent.stdout is not None
        reader = asyncio.StreamReader()
        pipe = os.fdopen(os.dup(parent.stdout.fileno()), "rb", 0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        mortal = None
        try:
            parent.stdin.write(f"{json.dumps([story, *given])}\n".encode())
            parent.stdin.flush()
            mortal = Mortal(json.loads(await reader.readline())["pid"], reader)
            yield mortal
        finally:
            transport.close()
            if mortal is None or mortal.status is None:
                if mortal is not None:
                    with suppress(ProcessLookupError):
                        os.killpg(mortal.pid, signal.SIGKILL)
                self._end()

    def _end(self) -> None:
        if self._parent is not None:
            self._parent.kill()
            self._parent.communicate()
            self._parent = None


def _a_parent() -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE  # its end is the parent's, whatever became of the tests
    return subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True)


def say(**what: Any) -> None:
    """A line to the test, at once: whoever dies next has said it."""
    os.write(sys.stdout.fileno(), f"{json.dumps(what)}\n".encode())


def forked(live: Callable[[], Any]) -> bool:
    """Whether a child was killed that lives like this."""
    child = os.fork()
    if child == 0:
        _live(live)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status == -signal.SIGKILL


class Rehearsed(Exception):
    """All was done, and nothing is kept: so that no child has to prepare the same statements again."""


def die_after(steps: int) -> Callable[[], None]:
    """Kill this process at the next step after so many: a statement that writes, the commit, a call of the answer."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > steps:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            count()

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", count)
    return count


def _live(live: Callable[[], Any]) -> NoReturn:
    status = 1
    try:
        live()
        status = 0
    except BaseException:  # noqa: BLE001 - told to the test, whatever it is
        say(trouble=traceback.format_exc())
    finally:
        os._exit(status)


def main() -> None:
    """Fork for each line that names a story; who lives it says its number first, and how it ended is said last."""
    for line in sys.stdin:
        story, *given = json.loads(line)
        begin = import_module(f"tests.integration.{story}").main
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            say(pid=os.getpid())
            _live(partial(begin, *given))
        say(ended=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
