"""The weather of a storm: a provider that fails, people who change its settings elsewhere, keys, and time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchmarks.storms.checks import look
from benchmarks.storms.provider import LATE, Mood
from benchmarks.storms.world import CHEAP, DEAR, FULL_KEY, World
from demo.openai import ALL_RIGHTS, MANAGEMENT_WRITE, KeyState
from demo.openai.faults import Fault
from finops.levers import Json
from finops.registry import CredentialState

PROJECTS = "/v1/organization/projects"
STATUSES = (500, 503, 429, 403, 401, 404)
KINDS = ("drop", "nonsense_json", "wrong_shape", "html", "flat_error", "acted_500", "acted_drop")
MOODS = ("unreachable", "timeout", "acted_timeout", LATE)


@dataclass
class Outcome:
    """What came of one run."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)  # the acts, in order


class Weather:
    """What happens around the product in one run."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = world.chance
        self.outcome = Outcome(seed)
        self.keys = [key for key in world.openai.organization.admin_keys if key.secret == FULL_KEY]

    async def _fault(self) -> None:
        """The provider, or the way to it, fails from now on for a while."""
        chance = self.chance
        method = chance.choice((None, "GET", "POST", "POST", "DELETE"))
        times = chance.choice((1, 1, 2, 3, 8, None))
        kind = chance.choice((*STATUSES, *KINDS, *MOODS))
        if kind in MOODS:
            if not self.world.moods:
                self.world.moods.append(Mood(str(kind), min(times or 9, 3), method))
            return
        path, is_lie = PROJECTS, kind in (404, "flat_error") and method in (None, "GET")
        if is_lie and any(one.status == 404 or one.kind == "flat_error" for one in self.world.openai.faults.standing):
            return  # one that says the same untruth again and again tells the truth, for all that anybody can know
        if is_lie and chance.random() < 0.5:
            path, method, times = f"{PROJECTS}/{chance.choice(self.world.projects).provider_project_id}", None, None
        elif is_lie:
            times = 1
        if isinstance(kind, int):
            wait = chance.choice((None, 3, 40)) if kind == 429 else None
            self.world.openai.faults.add(Fault(path, status=kind, times=times, method=method, retry_after=wait))
        else:
            method = None if kind.startswith("acted") else method
            self.world.openai.faults.add(Fault(path, kind=kind, times=times, method=method))

    async def _clear(self) -> None:
        self.world.openai.faults.clear()
        self.world.moods.clear()

    async def _elsewhere(self) -> None:
        """Somebody changes a setting on the provider's own pages."""
        world, chance = self.world, self.chance
        project = chance.choice(world.projects).provider_project_id
        parts = list(world.openai.standing(project))
        held = {(one.provider_project_id, one.lever) for one in (await look(world)).holds if one.is_active}
        part = chance.choice([one for one in parts if (project, one.lever) in held] or parts)
        if any(one.part == part for one in world.openai.late):
            return
        value: Json
        if part.name == "spend_limit":
            value = None if chance.random() < 0.3 else limit_of(chance.randint(2, 10**7))
        elif part.name == "model_permissions":
            value = None if chance.random() < 0.3 else self._permissions()
        else:
            value = {"max_requests_per_1_minute": chance.randint(3, 9000)}
        if value is None and world.openai.standing(project)[part] is None:
            return
        world.counts["elsewhere"] += world.openai.change_elsewhere(part, value)

    async def _keys(self) -> None:
        """A key is switched off or on here, or loses or gets back its right or its life at the provider."""
        world, [key] = self.world, self.keys
        match self.chance.randrange(4):
            case 0:
                async with world.storage.writing() as store:
                    [one] = [
                        each
                        for each in await store.credentials.all(world.workspace_id)
                        if each.ends_with == FULL_KEY[-4:]
                    ]
                    is_on = one.state == CredentialState.ENABLED
                    after = CredentialState.DISABLED if is_on else CredentialState.ENABLED
                    await store.credentials.set_state(world.workspace_id, one.id, after)
            case 1:
                key.rights = ALL_RIGHTS - {MANAGEMENT_WRITE} if MANAGEMENT_WRITE in key.rights else ALL_RIGHTS
            case 2:
                key.state = KeyState.REVOKED if key.state is KeyState.ACTIVE else KeyState.ACTIVE
            case _:
                key.rights, key.state = ALL_RIGHTS, KeyState.ACTIVE

    async def _time(self) -> None:
        """Time goes by: seconds, minutes, over midnight, or over the month's end."""
        now = self.world.clock()
        seconds = self.chance.choice((10, 40, 95, 95, 300, 300, 1200, 5400))
        if self.chance.random() < 0.06:
            midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
            seconds = int((midnight - now).total_seconds()) + self.chance.choice((1, 600))
        await self.world.advance(seconds=seconds)

    def _permissions(self) -> dict[str, Any]:
        models = self.chance.sample((DEAR, CHEAP, "gpt-4.1"), self.chance.randint(1, 3))
        return {"mode": self.chance.choice(("allow_list", "deny_list")), "model_ids": models}


def limit_of(cents: int) -> dict[str, Json]:
    """A spend limit as the provider takes it."""
    return {"threshold_amount": cents, "currency": "USD", "interval": "month"}
