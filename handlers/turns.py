"""Taking turns: answering Slack comes first, then everybody's work, a little at a time and in a fair order."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]

# Work that computes gains nothing from company: more of it at once only makes every acknowledgement wait for more.
AT_ONCE = 2
# Work that waits (for Slack, a provider, the database) does: while our thread is mostly idle, more may begin.
AT_MOST = 64
IDLE_BELOW = 0.5
# Requests come faster than work can be done: then it waits for calmer moments, and only a trickle goes on.
RUSH_PER_SECOND = 200
TRICKLE_SECONDS = 0.3
LOOK_SECONDS = 0.01
# A rush is over when none was seen for so long: requests come in waves.
CALM_SECONDS = 0.25
# So many may wait; half a minute of work. Who comes later is told so.
MOST_WAITING = 2000


class Turns:
    """A queue with one line for each person, served in turn: who asks a hundred things delays only themselves.

    `begin` starts a job; `done` is to be called when it has ended.
    """

    def __init__(
        self, begin: Callable[[Job], None], *, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING
    ) -> None:
        self._begin = begin
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._lines: OrderedDict[str, deque[Job]] = OrderedDict()
        self._waiting = self._under_way = self._came = 0
        self._told: set[str] = set()
        self._is_rush = self._is_hurrying = False
        self._looking: asyncio.TimerHandle | None = None
        self._looked_at = self._looked_at_cpu = self._began_at = 0.0
        self._rushed_at = -CALM_SECONDS

    def __len__(self) -> int:
        return self._waiting

    def join(self, whose: str, job: Job, instead: Job | None = None) -> None:
        """Stand in line. Where too many wait already, `instead` is done first of all, once for each person."""
        self._came += 1
        if self._waiting < self._most_waiting:
            self._lines.setdefault(whose, deque()).append(job)
        elif instead is not None and whose not in self._told:
            self._told.add(whose)
            self._lines.setdefault(whose, deque()).appendleft(instead)
            self._lines.move_to_end(whose, last=False)
        else:
            return
        self._waiting += 1
        self._serve()

    def done(self) -> None:
        """A job has ended: the next one may begin."""
        self._under_way -= 1
        self._serve()

    def hurry(self) -> None:
        """Nobody comes any more: begin whatever waits, as fast as it goes."""
        self._at_once, self._is_hurrying, self._is_rush = AT_MOST, True, False
        self._serve()

    def close(self) -> int:
        """Nothing more begins; how many were still waiting."""
        left, self._waiting = self._waiting, 0
        self._lines.clear()
        return left

    def _serve(self) -> None:
        while self._waiting and self._under_way < self._at_once and not self._is_rush:
            self._next()
        if self._waiting and self._looking is None:
            self._came, self._looked_at, self._looked_at_cpu = 0, time.monotonic(), time.thread_time()
            self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """How busy were we since the last look? Begin another job where that costs nobody anything."""
        self._looking = None
        now = time.monotonic()
        passed = now - self._looked_at
        if self._came > RUSH_PER_SECOND * passed:
            self._rushed_at = now
        self._is_rush = now - self._rushed_at < CALM_SECONDS and not self._is_hurrying
        is_idle = not self._is_rush and time.thread_time() - self._looked_at_cpu < IDLE_BELOW * passed
        if self._waiting and self._under_way < AT_MOST and (is_idle or now - self._began_at > TRICKLE_SECONDS):
            self._next()
        self._serve()

    def _next(self) -> None:
        whose, line = self._lines.popitem(last=False)
        job = line.popleft()
        if line:
            self._lines[whose] = line  # at the end: everybody else comes first
        self._waiting -= 1
        if self._waiting < self._most_waiting // 2:
            self._told.clear()
        self._under_way += 1
        self._began_at = time.monotonic()
        self._begin(job)
