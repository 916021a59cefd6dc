"""Checks: what must hold of a storm at any moment, and what must hold when it is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.storms.provider import Part
from benchmarks.storms.world import World
from bot.audit import Audit
from bot.telling import root_key, stop_key
from finops.audit import AuditFilter
from finops.holds import FINAL, STANDING, TOLD_AFTER, Hold, HoldState, HoldTrouble
from finops.incidents import SPEAKING, Incident, IncidentState
from finops.stopping import incident_state, latest
from finops.stops import UNDER_WAY, Stop, StopEvent, StopEventKind, StopState
from storage.stops_sql import HOLDS, STOPS

FINAL_STATES = frozenset({StopState.CLOSED, StopState.FAILED})


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything kept about stops, at one moment."""

    stops: tuple[Stop, ...]
    holds: tuple[Hold, ...]
    incidents: tuple[Incident, ...]
    events: dict[int, list[StopEvent]]

    def of(self, stop: Stop) -> list[Hold]:
        return [one for one in self.holds if one.stop_id == stop.id]


async def look(world: World) -> Seen:
    """Read it, as somebody whom nothing kills."""
    workspace_id = world.workspace_id
    async with world.storage.reading() as store:
        stops = await store.stops._stops(STOPS, workspace_id)
        holds = await store.stops._holds(HOLDS, workspace_id)
        numbers = {one.incident_id for one in stops if one.incident_id is not None}
        incidents = [await store.incidents.get(workspace_id, one) for one in sorted(numbers)]
        events = {one.id or 0: await store.stops.events(workspace_id, one.id or 0) for one in stops}
    return Seen(tuple(stops), tuple(holds), tuple(one for one in incidents if one is not None), events)


def at_any_moment(world: World, seen: Seen) -> Iterator[str]:
    """What is wrong now."""
    for hold in seen.holds:
        name = f"hold {hold.id} ({hold.lever}, {hold.name}, {hold.state})"
        if hold.is_active and hold.next_at is None:
            yield f"{name} is active and nobody will look at it"
        for part, value in (hold.former or {}).items():
            whose = Part(hold.provider_project_id, part)
            if value not in world.openai.truth.history[whose]:
                yield f"{name} takes {value} for what {part} was before, which nobody ever set"
        if _is_silent(hold, seen.events[hold.stop_id]):
            yield f"{name} is in trouble ({hold.trouble}) and nobody was told"
    held = Counter((one.provider_project_id, one.lever) for one in seen.holds if one.is_active)
    yield from (f"{lever} of {project} is held {count} times" for (project, lever), count in held.items() if count > 1)
    yield from _mirrored(seen)
    yield from _untouched(world, seen)


def _is_silent(hold: Hold, events: Sequence[StopEvent]) -> bool:
    """Whether somebody should have been told of a hold that does not come on."""
    is_unsettled = hold.is_active and not (hold.is_wanted and hold.state in STANDING)
    if not is_unsettled or hold.trouble is None or hold.trouble_since is None:
        return False
    begun = hold.release_at or hold.requested_at
    if hold.saved_at == hold.updated_at:
        return False  # it came on since
    if hold.release_at is None and not hold.is_wanted and hold.updated_at == hold.trouble_since:
        return False  # given up a moment ago, and killed then: whoever looks next puts it back and tells
    if hold.trouble not in FINAL and hold.updated_at - hold.trouble_since < TOLD_AFTER:
        return False
    return not any(one.key.startswith(f"trouble:{hold.id}:") and one.at >= begun for one in events)


def _mirrored(seen: Seen) -> Iterator[str]:
    newest = {one.incident_id: one for one in seen.stops}
    for incident in seen.incidents:
        stop = newest[incident.id]
        wanted, is_closed = incident_state(stop), incident.state is IncidentState.CLOSED
        is_alike = incident.state in SPEAKING or is_closed if wanted is None else incident.state is wanted
        may_be_closed = stop.state not in UNDER_WAY | {StopState.RESTORED}
        if not is_alike and not (is_closed and may_be_closed):
            yield f"incident {incident.id} shows {incident.state}, its stop {stop.id} is {stop.state}"


def _untouched(world: World, seen: Seen) -> Iterator[str]:
    """What nobody holds is as people want it."""
    held = {(one.provider_project_id, one.lever) for one in seen.holds if one.is_active or one.next_at is not None}
    gone = _gone(seen)
    waiting = {one.part for one in world.openai.late}
    for project in world.projects:
        for part, value in world.openai.standing(project.provider_project_id).items():
            is_ours = (part.project_id, part.lever) in held or part in waiting or part in gone
            if not is_ours and not world.openai.truth.is_right(part, value):
                wanted = world.openai.truth.theirs[part]
                yield f"{part.name} of {project.name} is {value}, and was {wanted} before us"


def _gone(seen: Seen) -> set[Part]:
    """What was given up because the provider denied for an hour that there is such a project."""
    return {
        Part(one.provider_project_id, name)
        for one in seen.holds
        if one.state is HoldState.LOST and one.trouble is HoldTrouble.PROJECT_GONE
        for name in one.former or {}
    }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a storm in the end."""

    restores: int
    exact: int
    lost: int
    hanging: int
    messages: int
    wrong: tuple[str, ...]


async def in_the_end(world: World, asked: set[int]) -> Verdict:
    """Everything that must be true when the storm is over and a few days went by; `asked` are stops people got."""
    seen, wrong = await look(world), [*world.openai.truth.wrong]
    wrong += at_any_moment(world, seen)
    known = {one.id: one for one in seen.stops}
    lost = [one for one in asked if one not in known]
    wrong += [f"stop {one} is gone" for one in lost]
    hanging = [one for one in seen.stops if one.state not in FINAL_STATES]
    wrong += [f"stop {one.id} is still {one.state}" for one in hanging]
    stuck = [one for one in seen.holds if one.is_active]
    wrong += [f"hold {one.id} ({one.lever}, {one.name}) is still {one.state} ({one.trouble})" for one in stuck]
    is_right = {
        part: world.openai.truth.is_right(part, value)
        for project in world.projects
        for part, value in world.openai.standing(project.provider_project_id).items()
    }
    gone = _gone(seen)
    wrong += [
        f"{part.name} of {world.project_of(part).name} ended as {world.openai.standing(part.project_id)[part]}"
        f" instead of {world.openai.truth.theirs[part]}"
        for part, right in is_right.items()
        if not right and part not in gone
    ]
    let_go = [one for one in seen.holds if one.state is HoldState.RELEASED and one.former is not None]
    exact = [one for one in let_go if all(is_right[Part(one.provider_project_id, name)] for name in one.former or {})]
    for stop in seen.stops:
        wrong += _told(stop, seen.of(stop), seen.events[stop.id or 0])
    messages = await _messages(world, seen, wrong)
    await _audited(world, seen, wrong)
    return Verdict(len(let_go), len(exact), len(lost), len(hanging) + len(stuck), messages, tuple(dict.fromkeys(wrong)))


def _told(stop: Stop, holds: Sequence[Hold], events: Sequence[StopEvent]) -> Iterator[str]:
    """Each thing that happened has its event, once."""
    kinds = Counter(one.kind for one in events)
    keys = {one.key for one in events}
    if kinds[StopEventKind.REQUESTED] + kinds[StopEventKind.ALLOWANCE_ENDED] < stop.turn:
        yield f"stop {stop.id} took hold {stop.turn} times and told {kinds[StopEventKind.REQUESTED]}"
    for hold in holds:
        if hold.set_at is not None and f"set:{hold.id}" not in keys:
            yield f"hold {hold.id} was set and nobody was told"
    for hold in latest(holds):
        wanted = {HoldState.FAILED: "failed", HoldState.LOST: "lost", HoldState.RELEASED: "restored"}.get(hold.state)
        is_told = wanted is None or f"{wanted}:{hold.id}" in keys
        if not is_told and (hold.state is not HoldState.RELEASED or hold.release_at is not None):
            yield f"hold {hold.id} is {hold.state} and nobody was told"
    proofs: dict[object, list[StopEventKind]] = defaultdict(list)
    for event in events:
        if event.kind in (StopEventKind.PROVED, StopEventKind.REOPENED):
            proofs[event.key.split(":")[1]].append(event.kind)
    for number, told in proofs.items():
        if any(one is two for one, two in pairwise(told)):
            yield f"hold {number} was told {' '.join(told)}"


async def _messages(world: World, seen: Seen, wrong: list[str]) -> int:
    """Every stop has its root message, every said event its line under that root; how many they are."""
    count = 0
    async with world.storage.reading() as store:
        for stop in seen.stops:
            own, root = stop_key(stop.id or 0), stop_key(stop.id or 0)
            if stop.incident_id is not None:
                root = root_key(stop.incident_id)
            if await store.outbox.get(world.workspace_id, root) is None:
                wrong.append(f"stop {stop.id} has no message")
            count += root == own
            for event in seen.events[stop.id or 0]:
                if not event.is_said:
                    continue
                line = await store.outbox.get(world.workspace_id, f"{own}:{event.key}")
                if line is None or line.thread_key != root:
                    wrong.append(f"stop {stop.id}: {event.key} has no line in the thread of {root}")
                count += 1
    return count


async def _audited(world: World, seen: Seen, wrong: list[str]) -> None:
    """The trail is whole, and tells of every event of every stop once."""
    bot = world.replicas[0].bot
    audit: Audit = bot.audit
    verdict = await audit.verify(world.workspace_id)
    if not verdict.ok:
        wrong.append(f"the audit trail is broken at {verdict.first_bad_seq}: {verdict.problem}")
    told: Counter[tuple[str, str]] = Counter()
    async with world.storage.reading() as store:
        async for row in store.audit.all(world.workspace_id, AuditFilter(nouns=("stop",))):
            told[row.entry.subject, row.entry.action] += 1
    kept = Counter((f"stop:{one}", f"stop.{each.kind}") for one, events in seen.events.items() for each in events)
    wrong += [
        f"{place[0]}: {place[1]} happened {kept[place]} times, the audit trail tells {told[place]}"
        for place in sorted(told | kept)
        if told[place] != kept[place]
    ]
