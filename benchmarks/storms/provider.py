"""The provider of a storm: the simulated OpenAI in all its moods, and the truth about every setting of its projects.

The truth is what would stand there if we had never been: what people set before us and elsewhere. Everything we send
is held against it as it arrives, so a wrong write is found even if a later one mends it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx
from aiohttp import test_utils, web

from benchmarks.storms.fate import Fate
from demo.openai import SimulatedOpenAI
from demo.openai.faults import Fault, Faults
from demo.openai.limits import Limits
from finops.levers import Json, Lever

REPLICA = "x-replica"
LATE = "late"
_PATH = re.compile(r"/v1/organization/projects/([^/]+)/(spend_limit|model_permissions|rate_limits)(?:/([^/]+))?")
_LEVERS = {"spend_limit": Lever.STOP, "model_permissions": Lever.CHEAP, "rate_limits": Lever.SLOW}
_PLAYED = web.RequestKey("played", str)


class Part(NamedTuple):
    """One setting of one project, named as the product names it."""

    project_id: str
    name: str

    @property
    def lever(self) -> Lever:
        return _LEVERS.get(self.name, Lever.SLOW)


@dataclass
class Truth:
    """What people want each setting to be, and what was wrong with what we sent.

    `also` are values that are right as well: where somebody changed a setting between our last look and our write, no
    product can know. Such races are counted.
    """

    theirs: dict[Part, Json] = field(default_factory=dict)
    history: dict[Part, list[Json]] = field(default_factory=dict)
    also: dict[Part, list[Json]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    races: int = 0
    writes: int = 0
    _changes: Counter[Part] = field(default_factory=Counter)
    _seen: dict[tuple[str, str, Lever], dict[Part, int]] = field(default_factory=dict)
    _written: set[tuple[str, Part]] = field(default_factory=set)

    def begin(self, parts: dict[Part, Json]) -> None:
        self.theirs |= parts
        for part, value in parts.items():
            self.history.setdefault(part, []).append(value)

    def changed_elsewhere(self, part: Part, value: Json) -> None:
        """Somebody else decided."""
        self.theirs[part] = value
        self.history[part].append(value)
        self.also[part].clear()
        self._changes[part] += 1

    def looked(self, replica: str, project_id: str, lever: Lever) -> None:
        """A replica has seen how a lever stands."""
        parts = [part for part in self.theirs if part.project_id == project_id and part.lever is lever]
        self._seen[replica, project_id, lever] = {part: self._changes[part] for part in parts}
        self._written -= {(replica, part) for part in parts}

    def sends(self, replica: str, part: Part) -> int:
        """A replica is about to change a part; the number of changes elsewhere that it knows of."""
        self.writes += 1
        if (replica, part) in self._written:
            self.wrong.append(f"{part.name} was written twice by {replica} without a look in between")
        self._written.add((replica, part))
        return self._seen.get((replica, part.project_id, part.lever), {}).get(part, 0)

    def refused(self, replica: str, part: Part) -> None:
        """Not with this key: another one may be tried at once."""
        self._written.discard((replica, part))

    def arrived(self, part: Part, known: int) -> None:
        """What a replica sent is done, by one who knew of `known` changes."""
        if known < self._changes[part]:
            self.races += 1
            self.also[part] = [*self.history[part]]

    def is_right(self, part: Part, value: Json) -> bool:
        return value == self.theirs[part] or value in self.also[part]


@dataclass
class Late:
    """A change that the provider carries out only when nobody waits for the answer any more."""

    request: httpx.Request
    at: datetime
    part: Part
    known: int


class StormyFaults(Faults):
    """Faults that are counted by kind."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(clock)
        self.counts: Counter[str] = Counter()

    def take(self, request: web.Request) -> Fault | None:
        fault = None if request.headers.get(REPLICA) == LATE else super().take(request)
        if fault is not None:
            named = str(fault.kind or fault.status)
            self.counts[named] += 1
            request[_PLAYED] = named
        return fault


class StormyOpenAI(SimulatedOpenAI):
    """The simulated OpenAI, which tells the truth of everything that arrives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: StormyFaults = StormyFaults(self.clock)
        self.truth = Truth()
        self.late: list[Late] = []
        self.before_write: Callable[[Part, Json], Awaitable[None]] | None = None
        self._application: web.Application | None = None

    @property
    def wired(self) -> web.Application:
        """The server as an application to be asked without a network."""
        if self._application is None:
            self._application = self.app()
            self._application.freeze()
        return self._application

    def limits_of(self) -> Limits:
        tenant = self.tenant()
        return Limits(tenant.organization, tenant.levers, self.behaviour, self.clock())

    def standing(self, project_id: str) -> dict[Part, Json]:
        """Every setting of a project as it is now, in the words of the product."""
        project, limits = self.organization.projects[project_id], self.limits_of()
        cents, policy = project.spend_limit_cents, project.model_permissions
        limit = None if cents is None else {"threshold_amount": cents, "currency": "USD", "interval": "month"}
        allowed = None if policy is None else {"mode": policy["mode"], "model_ids": sorted(policy["model_ids"])}
        found: dict[Part, Json] = {
            Part(project_id, "spend_limit"): limit,  # type: ignore[dict-item]
            Part(project_id, "model_permissions"): allowed,
        }
        for one in limits.rate_limits(project):
            fields = {name: value for name, value in one.items() if name not in ("object", "id", "model")}
            found[Part(project_id, f"rate_limit:{one['id']}")] = fields
        return found

    def change_elsewhere(self, part: Part, value: Json) -> bool:
        """Somebody changes a setting on the provider's own pages; whether that changed anything."""
        project, limits = self.organization.projects[part.project_id], self.limits_of()
        before = self.standing(part.project_id)[part]
        match part.name:
            case "spend_limit" if value is None:
                limits.delete_spend_limit(project)
            case "spend_limit":
                limits.set_spend_limit(project, value)  # type: ignore[arg-type]
            case "model_permissions" if value is None:
                limits.delete_model_permissions(project)
            case "model_permissions":
                limits.set_model_permissions(project, value)  # type: ignore[arg-type]
            case _:
                name = part.name.removeprefix("rate_limit:")
                limits.set_rate_limit(project, name, value, self.organization.person())  # type: ignore[arg-type]
        after = self.standing(part.project_id)[part]
        if after != before:
            self.truth.changed_elsewhere(part, after)
        return after != before

    async def land(self) -> None:
        """Carry out what was to come late."""
        due = [one for one in self.late if one.at <= self.clock()]
        self.late = [one for one in self.late if one.at > self.clock()]
        for one in due:
            one.request.headers[REPLICA] = LATE
            await asked(self.wired, one.request)
            self.truth.arrived(one.part, one.known)

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        found, replica = _PATH.fullmatch(request.path), request.headers.get(REPLICA, "")
        if found is None or replica == LATE:
            return await super()._answer(request, handler)
        project_id, lever = found[1], _LEVERS[found[2]]
        if request.method == "GET":
            response = await super()._answer(request, handler)
            if request.get(_PLAYED) is None and response.status in (200, 404):
                self.truth.looked(replica, project_id, lever)
            return response
        part = part_of(found)
        value: Json = None if request.method == "DELETE" else await request.json()
        if self.before_write is not None:
            await self.before_write(part, value)
        known, before = self.truth.sends(replica, part), self.standing(project_id)
        try:
            response = await super()._answer(request, handler)
            if response.status in (401, 403):
                self.truth.refused(replica, part)
            return response
        finally:
            if self.standing(project_id) != before:
                self.truth.arrived(part, known)


def part_of(found: re.Match[str]) -> Part:
    return Part(found[1], f"rate_limit:{found[3]}" if found[2] == "rate_limits" else found[2])


@dataclass
class Mood:
    """How the way to the provider fails, for so many calls: what no answer can tell."""

    kind: str  # unreachable, timeout, acted_timeout, late
    times: int
    method: str | None = None


class Wire(httpx.AsyncBaseTransport):
    """The way from one replica to the provider: no network, but everything a network does."""

    def __init__(self, openai: StormyOpenAI, fate: Fate, moods: list[Mood], replica: str) -> None:
        self._openai = openai
        self._fate = fate
        self._moods = moods
        self._replica = replica

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers[REPLICA] = self._replica
        await self._fate.step("before a call")
        mood = self._mood(request)
        async with self._fate.turns.inside():
            if mood == LATE and self._put_off(request):
                raise httpx.ReadTimeout("late", request=request)
            if mood in ("timeout", LATE):
                raise httpx.ReadTimeout("no answer", request=request)
            if mood == "unreachable":
                raise httpx.ConnectError("nobody there", request=request)
            answer = await asked(self._openai.wired, request)
        await self._fate.step("after a call")
        if mood == "acted_timeout":
            raise httpx.ReadTimeout("no answer", request=request)
        return answer

    def _mood(self, request: httpx.Request) -> str | None:
        for mood in self._moods:
            if mood.method in (None, request.method):
                mood.times -= 1
                if mood.times <= 0:
                    self._moods.remove(mood)
                self._openai.faults.counts[mood.kind] += 1
                return mood.kind
        return None

    def _put_off(self, request: httpx.Request) -> bool:
        """Keep a change for later: one at a time, for two that pass each other are beyond anybody."""
        found = _PATH.fullmatch(request.url.path)
        if found is None or request.method == "GET" or self._openai.late:
            return False
        part, truth = part_of(found), self._openai.truth
        known = truth.sends(self._replica, part)
        at = self._openai.clock() + timedelta(seconds=self._fate.turns.chance.choice((1, 20, 100, 400)))
        self._openai.late.append(Late(request, at, part, known))
        return True


async def asked(application: web.Application, request: httpx.Request) -> httpx.Response:
    """What the server's own handlers answer; a connection that they close is a broken one."""
    path = request.url.raw_path.decode()
    asked = test_utils.make_mocked_request(
        request.method, path, dict(request.headers), app=application, client_max_size=1_000_000,
        loop=asyncio.get_running_loop(), transport=_NOWHERE, protocol=_PROTOCOL, writer=_PROTOCOL,
    )  # fmt: skip
    asked._read_bytes = request.content
    response = await application._handle(asked)
    if not isinstance(response, web.Response):
        raise httpx.RemoteProtocolError("closed", request=request)
    await application.on_response_prepare.send(asked, response)
    body = response.body if isinstance(response.body, bytes) else b""
    return httpx.Response(response.status, headers=dict(response.headers), content=body, request=request)


class _Transport:
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        """Nothing is open."""


class _Protocol:
    """The least of a connection that a request of aiohttp wants to know."""

    ssl_context = peername = sockname = None

    def __init__(self, transport: _Transport) -> None:
        self.transport = transport


_NOWHERE = _Transport()
_PROTOCOL: Any = _Protocol(_NOWHERE)
