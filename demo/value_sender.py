"""The applications of a stage: each records its calls at the product's real `POST /v1/events` once it has a token.

Nobody types a token in: whoever runs an application copies it from the window in Slack into the application's
settings, and here that is done for them (or by hand, in the laboratory). From then on the application records what it
does, at the pace of the trace; what it did in the four weeks before is in its logs, and is sent when it is asked for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.lab_words import words
from demo.openai import SimulatedOpenAI
from demo.openai.traffic import DAY, HOUR, Key
from demo.trace import NOTHING
from demo.value import Recorded, calls_of, one_in, retry_of
from finops.periods import charge_day, minute_of, monday_of

PAST = timedelta(days=28)
BATCH = 500
LOOK_SECONDS = 5.0
TOKEN = re.compile(r"\bfin_[A-Za-z0-9_-]{43}")
_TRIES = 5
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class NotTaken(RuntimeError):
    """The product did not take events; the text is what it said."""


TROUBLE = (NotTaken, ClientError, OSError, TimeoutError)


@dataclass(slots=True)
class Connected:
    """One application that has a token. It has told of every minute before `until`; `count` events were new to us."""

    token: str
    until: int
    count: int = 0
    trouble: str = ""


@dataclass
class Applications:
    """Every application of the trace; `url` is the product's, `when_changed` is called after each change to show."""

    openai: SimulatedOpenAI
    clock: Callable[[], datetime]
    url: str = ""
    is_on: bool = True
    when_changed: Callable[[], None] | None = None
    connected: dict[str, Connected] = field(default_factory=dict)
    _handed: set[str] = field(default_factory=set)
    _handing: set[asyncio.Task[None]] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._traffic = self.openai.tenant().traffic
        self._every = one_in(self._traffic.trace)
        # The week that differs is the one in which the stage began, however far its clock is moved.
        self._changed_on = monday_of(charge_day(self.clock()))

    @property
    def names(self) -> tuple[str, ...]:
        """Every application there is."""
        return self._traffic.trace.applications

    async def connect(self, application: str, token: str) -> None:
        """Give an application its token: from now on it records. Raises NotTaken for a token the product refuses."""
        if application not in self.names:
            raise NotTaken(f"there is no application {application!r}; there are: {', '.join(self.names)}")
        if not TOKEN.fullmatch(token):
            raise NotTaken(words("이벤트 토큰은 fin_으로 시작합니다. 프로젝트 창에서 만든 값을 그대로 붙여 넣으세요."))
        now = minute_of(self.clock())
        known = self.connected.get(application)
        one = Connected(token, now, known.count if known else 0)
        async with self._turn:
            await self._told(one, [])  # is it worth anything?
            self.connected[application] = one
        self._changed()

    def hand(self, application: str, token: str) -> None:
        """The same in the background; one that is refused can still be pasted, where it is said what is wrong."""
        if token in self._handed:
            return
        self._handed.add(token)
        task = asyncio.create_task(self._taken(application, token))
        self._handing.add(task)
        task.add_done_callback(self._handing.discard)

    async def settled(self) -> None:
        """Wait until every token that was handed over was tried."""
        await asyncio.gather(*self._handing)

    async def tell_past(self, application: str | None = None) -> int:
        """Send what the connected applications (or one) did in the last four weeks; how many events were new."""
        end = self._now()
        start = minute_of(self.clock() - PAST)
        found = 0
        async with self._turn:
            for name, one in self.connected.items():
                if application in (None, name):
                    found += await self._told(one, self.events(name, start, max(start, end)))
        self._changed()
        return found

    async def catch_up(self) -> int:
        """Send what the connected applications did since they last told of it; how many events were new.

        While they are switched off that is nothing, and it is not made up for later.
        """
        end, found = self._now(), 0
        async with self._turn:
            for name, one in self.connected.items():
                start, one.until = one.until, max(end, one.until)
                if self.is_on and start < end and not one.trouble:
                    found += await self._told(one, self.events(name, start, end))
        if found:
            self._changed()
        return found

    async def run(self) -> None:
        """Record at the pace of the trace until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(*TROUBLE):  # an application does not stop working because its events are not taken
                await self.catch_up()

    def _now(self) -> int:
        """The minute it is; of every one before it is decided by then what the provider let through."""
        now = minute_of(self.clock())
        self.openai.tenant().levers.advance(now)
        return now

    def switch(self, *, is_on: bool) -> None:
        """Let the applications record, or not."""
        self.is_on = is_on
        for one in self.connected.values():
            one.until = minute_of(self.clock())
        self._changed()

    async def _taken(self, application: str, token: str) -> None:
        with suppress(*TROUBLE):
            await self.connect(application, token)

    def events(self, application: str, start: int, end: int) -> Iterator[Recorded]:
        """What an application records of the minutes from `start` up to `end`."""
        for model in self._traffic.models_of(application):
            key = (application, model)
            for day in range(start // DAY, -(-end // DAY)):
                yield from self._planned(key, day, start, end)
            for hour in range(max(start, self._traffic.live_from) // HOUR, -(-end // HOUR)):
                yield from self._retried(key, hour, max(start, hour * HOUR), min(end, hour * HOUR + HOUR))

    def _planned(self, key: Key, day: int, start: int, end: int) -> Iterator[Recorded]:
        hours = [self._traffic.planned_hour(key, hour) for hour in range(24 * day, 24 * day + 24)]
        for call in calls_of(*key, day, hours, self._every[key[0]], self._changed_on):
            minute = minute_of(call.at)
            if start <= minute < end and not self._is_refused(key, minute):
                yield call

    def _is_refused(self, key: Key, minute: int) -> bool:
        """Whether the provider let nothing through when it was last asked, in that minute or the hour before it: then
        there is nothing that could be recorded.
        """
        traffic = self._traffic
        for asked in range(minute, max(minute - HOUR, traffic.live_from - 1), -1):
            if traffic.minute(key, asked) != NOTHING:
                return False
            if traffic.unboosted(key, asked, asked + 1) != NOTHING:
                return True
        return False

    def _retried(self, key: Key, hour: int, first: int, last: int) -> Iterator[Recorded]:
        """What a retry loop adds: the same question again and again, and never an answer."""
        usage = self._traffic.planned_hour(key, hour)
        for number in range(self._extra(key, hour, first), self._extra(key, hour, last)):
            yield retry_of(*key, hour, number, usage, self._every[key[0]])

    def _extra(self, key: Key, hour: int, until: int) -> int:
        """How many events of calls too many there were in an hour up to a minute."""
        start = hour * HOUR
        happened, planned = self._traffic.happened(key, start, until), self._traffic.unboosted(key, start, until)
        return max(0, happened.requests - planned.requests) // self._every[key[0]]

    async def _told(self, one: Connected, events: Iterable[Recorded]) -> int:
        """Hand events over, oldest of each model first; how many were new. An empty request tries the token."""
        bodies = [event.body() for event in events]
        found = 0
        async with ClientSession(timeout=ClientTimeout(total=60)) as http:
            for at in range(0, max(1, len(bodies)), BATCH):
                found += await self._posted(http, one, bodies[at : at + BATCH])
        one.count += found
        return found

    async def _posted(self, http: ClientSession, one: Connected, bodies: list[dict[str, Any]]) -> int:
        headers = {"Authorization": f"Bearer {one.token}"}
        for _ in range(_TRIES):
            async with http.post(f"{self.url}/v1/events", json={"events": bodies}, headers=headers) as answer:
                if answer.status in _BUSY:
                    await asyncio.sleep(min(float(answer.headers.get("Retry-After", "1")), 5.0))
                    continue
                told = await answer.json()
                if answer.status == HTTPStatus.OK:
                    return int(told["accepted"])
                if answer.status == HTTPStatus.UNAUTHORIZED:
                    one.trouble = "토큰이 해지됨"
                raise NotTaken(f"{answer.status}: {told}")
        raise NotTaken("the product is busy")

    def _changed(self) -> None:
        if self.when_changed is not None:
            self.when_changed()
