"""Behaviour: what people did about their spending, found in the trail, the provider's log and the usage itself.

The rules for usage are published in docs/effects.md; change both together. They look at whole charge days of one
project, and at hours only to say on which day it happened:

1. A model changed: thirty points of the tokens went from some models to others, and it stayed for two days. A model
   that was in use already has to win a quarter and the other to lose one: where one only rests, nobody changed models.
2. Batch, or the cache, was adopted: its share rose by twenty points, and stayed for two days.
3. A project went silent: nothing for three days, after seven of something.

The share of a day is compared with the median of the seven used days before it, and counts only where it leaves what
the fourteen before had seen: a project whose mix swings every weekend has not changed anything on a Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from finops.audit import AuditEntry, Outcome
from finops.frozen import frozen
from finops.incidents import Fact

MODEL_MOVED, SHARE_ROSE = Fraction(30, 100), Fraction(20, 100)
STAYS_DAYS = 2
SILENT_DAYS, USED_DAYS = 3, 7
USUAL_DAYS, SEEN_DAYS = 7, 14
# What lies so near to what was seen before is no news.
_NEAR = Fraction(5, 100)
# A day with less than this of the usual tokens says nothing about habits.
_LEAST_OF_USUAL = Fraction(5, 100)
# Of what happened so long after an alert or a digest nobody can say that it answered it.
ANSWERS_WITHIN = timedelta(days=7)
# A model with less than this on its best day is new; one that was in use before has to win what another loses.
_NEW_MODEL, _MORE, _LESS = Fraction(10, 100), Fraction(125, 100), Fraction(75, 100)
_ZERO = Fraction(0)


class ActionKind(StrEnum):
    """What somebody did about their spending."""

    STOPPED = "stopped"
    RESTORED = "restored"
    BUDGET_MADE = "budget_made"
    BUDGET_CHANGED = "budget_changed"
    KEY_CONNECTED = "key_connected"  # a provider's key given to us, or another in its place
    RECORDING_BEGAN = "recording_began"  # a token was made: from now on value is recorded
    KEY_CREATED = "key_created"
    KEY_DELETED = "key_deleted"
    PROJECT_ARCHIVED = "project_archived"
    RATE_LIMIT_CHANGED = "rate_limit_changed"
    SERVICE_ACCOUNT_CHANGED = "service_account_changed"
    MODEL_CHANGED = "model_changed"
    BATCH_ADOPTED = "batch_adopted"
    CACHE_ADOPTED = "cache_adopted"
    WENT_SILENT = "went_silent"


class ActionSource(StrEnum):
    """Where an action was found."""

    TRAIL = "trail"
    PROVIDER = "provider"
    USAGE = "usage"


class Preceded(StrEnum):
    """What told people before they acted."""

    ALERT = "alert"
    DIGEST = "digest"


@frozen
class Told:
    """Something that told people of their spending: of these projects and teams, or (both empty) of everything."""

    kind: Preceded
    id: int
    at: datetime
    project_ids: frozenset[int] = frozenset()
    team_ids: frozenset[int] = frozenset()


@frozen
class Action:
    """Something that was done, once for each `key` of a workspace.

    `actor` is a user id, or the provider's name of somebody; '' where nobody knows. `preceded` is the alert or digest
    before it, of the same project or team, at most seven days old.
    """

    at: datetime
    day: date
    kind: ActionKind
    source: ActionSource
    key: str
    project_id: int | None = None
    team_id: int | None = None
    actor: str = ""
    details: Mapping[str, Fact] = field(default_factory=dict)
    preceded: Told | None = None
    id: int | None = None


class Habit(NamedTuple):
    """How one project called its models in one bucket (a day or an hour, from the minute `start` on).

    `models` are tokens by model; the batched and cached ones are among `tokens` and `input_tokens`.
    """

    start: int
    models: Mapping[str, int]
    tokens: int
    batch_tokens: int
    input_tokens: int
    cached_tokens: int


class Sighting(NamedTuple):
    """A habit that changed, on the day `start` begins (minutes since 1970); what it was and what it is now."""

    kind: ActionKind
    start: int
    before: Decimal | None = None
    now: Decimal | None = None
    from_model: str = ""
    to_model: str = ""


_DAY = 1440
_TRAIL: Mapping[str, ActionKind] = {
    "stop.requested": ActionKind.STOPPED,
    "stop.restored": ActionKind.RESTORED,
    "budget.created": ActionKind.BUDGET_MADE,
    "budget.changed": ActionKind.BUDGET_CHANGED,
    "budget.enabled": ActionKind.BUDGET_CHANGED,
    "budget.disabled": ActionKind.BUDGET_CHANGED,
    "budget.deleted": ActionKind.BUDGET_CHANGED,
    "key.registered": ActionKind.KEY_CONNECTED,
    "key.replaced": ActionKind.KEY_CONNECTED,
    "key.deleted": ActionKind.KEY_DELETED,
    "token.made": ActionKind.RECORDING_BEGAN,
}


def of_trail(entry: AuditEntry) -> ActionKind | None:
    """What an act in our own trail was; None for refusals, and for what is no act on spending.

    Of what the product did itself only stops count: a budget's policy is what somebody decided before.
    """
    kind = _TRAIL.get(entry.action) if entry.outcome == Outcome.DONE else None
    return kind if entry.actor is not None or kind is ActionKind.STOPPED else None


TRAIL_NOUNS = tuple(sorted({name.partition(".")[0] for name in _TRAIL}))


def sightings(days: Sequence[Habit], first: int, end: int) -> list[Sighting]:
    """What changed in one project between two minutes, from its whole days, oldest first and none after `end`.

    A day that nothing is told of was not used. `end` is where the whole, read days end: what has not stayed for its
    days by then is not told yet.
    """
    used = [day for day in days if day.tokens > 0 and day.start < end]
    found = [
        sighting
        for kind in (ActionKind.MODEL_CHANGED, ActionKind.BATCH_ADOPTED, ActionKind.CACHE_ADOPTED)
        for sighting in _moved(kind, used)
    ]
    found += _silences(used, end)
    return sorted((one for one in found if first <= one.start < end), key=lambda one: (one.start, one.kind))


def moment(sighting: Sighting, hours: Sequence[Habit]) -> int:
    """The minute at which it happened, as hours tell it: of the day before, the day itself and the day after.

    Where no hours are known it is the beginning of the day it was seen on.
    """
    if sighting.kind is ActionKind.WENT_SILENT:
        last = max((hour.start for hour in hours if hour.tokens > 0 and hour.start < sighting.start), default=None)
        return sighting.start if last is None else last + 60
    near = [
        hour
        for hour in sorted(hours)
        if hour.tokens > 0 and sighting.start - _DAY <= hour.start < sighting.start + 2 * _DAY
    ]
    if len({hour.start // _DAY for hour in near}) < STAYS_DAYS:
        return sighting.start
    split = _split([(_level(sighting, hour), _weight(sighting.kind, hour)) for hour in near])
    return sighting.start if split is None else near[split].start


def preceding(at: datetime, project_id: int | None, team_id: int | None, told: Iterable[Told]) -> Told | None:
    """The last that was told of a project or team within the seven days before; an alert before a digest."""
    found = [
        one
        for one in told
        if timedelta(0) <= at - one.at <= ANSWERS_WITHIN
        and (
            not (one.project_ids or one.team_ids)
            or (project_id is not None and project_id in one.project_ids)
            or (team_id is not None and team_id in one.team_ids)
        )
    ]
    return max(found, key=lambda one: (one.kind is Preceded.ALERT, one.at, one.id), default=None)


# --- shares ---------------------------------------------------------------------------------------------------------


def _moved(kind: ActionKind, used: Sequence[Habit]) -> list[Sighting]:
    found: list[Sighting] = []
    since = 0
    for i in range(USED_DAYS, len(used) - STAYS_DAYS + 1):
        if i < since:
            continue
        seen = used[max(0, i - SEEN_DAYS) : i]
        stayed = used[i : i + STAYS_DAYS]
        if stayed[-1].start - stayed[0].start > _DAY * USUAL_DAYS or not _says(kind, seen, stayed):
            continue
        sighting = _model_moved(seen, stayed) if kind is ActionKind.MODEL_CHANGED else _rose(kind, seen, stayed)
        if sighting is not None:
            found.append(sighting)
            since = i + USUAL_DAYS  # until the new habit is the usual one
    return found


def _says(kind: ActionKind, seen: Sequence[Habit], stayed: Sequence[Habit]) -> bool:
    usual = median(_weight(kind, day) for day in seen[-USUAL_DAYS:])
    return usual > 0 and all(_weight(kind, day) >= _LEAST_OF_USUAL * Fraction(usual) for day in stayed)


def _model_moved(seen: Sequence[Habit], stayed: Sequence[Habit]) -> Sighting | None:
    """The models' shares moved as a whole: half of the sum of all differences, which is what went elsewhere."""
    names = sorted({name for day in (*seen, *stayed) for name in day.models})
    usual = {name: median(_share_of(name, day) for day in seen[-USUAL_DAYS:]) for name in names}

    def moved(day: Habit) -> Fraction:
        return sum((abs(_share_of(name, day) - usual[name]) for name in names), _ZERO) / 2

    gains = {name: min(_share_of(name, day) for day in stayed) - usual[name] for name in names}
    to, lost = max(names, key=lambda name: (gains[name], name)), min(names, key=lambda name: (gains[name], name))
    highest = max(_share_of(to, day) for day in seen)
    if min(map(moved, stayed)) < MODEL_MOVED or min(_share_of(to, day) for day in stayed) < highest + _NEAR:
        return None
    if not _changed_hands(lost, to, highest, seen, stayed):
        return None
    now = median(_share_of(to, day) for day in stayed)
    return Sighting(ActionKind.MODEL_CHANGED, stayed[0].start, _told(usual[to]), _told(now), lost, to)


def _changed_hands(lost: str, to: str, highest: Fraction, seen: Sequence[Habit], stayed: Sequence[Habit]) -> bool:
    """Whether one model took over from another: a model that only rests lets the share of the others rise as well."""
    if highest < _NEW_MODEL:
        return True
    usual = seen[-USUAL_DAYS:]
    more = min(day.models.get(to, 0) for day in stayed) >= _MORE * Fraction(
        median(day.models.get(to, 0) for day in usual)
    )
    less = max(day.models.get(lost, 0) for day in stayed) <= _LESS * Fraction(
        median(day.models.get(lost, 0) for day in usual)
    )
    return more and less


def _rose(kind: ActionKind, seen: Sequence[Habit], stayed: Sequence[Habit]) -> Sighting | None:
    usual, now = median(_share(kind, day) for day in seen[-USUAL_DAYS:]), min(_share(kind, day) for day in stayed)
    if now - usual < SHARE_ROSE or now < max(_share(kind, day) for day in seen) + _NEAR:
        return None
    return Sighting(kind, stayed[0].start, _told(usual), _told(now))


def _silences(used: Sequence[Habit], end: int) -> list[Sighting]:
    found = []
    for i, day in enumerate(used):
        next_start = used[i + 1].start if i + 1 < len(used) else end
        silent = (next_start - day.start) // _DAY - 1
        window = used[max(0, i - SEEN_DAYS + 1) : i + 1]
        recent = [one for one in window if one.start > day.start - SEEN_DAYS * _DAY]
        usual_gap = max(((b.start - a.start) // _DAY - 1 for a, b in pairwise(recent)), default=0)
        if silent >= SILENT_DAYS and len(recent) >= USED_DAYS and silent > usual_gap:
            found.append(Sighting(ActionKind.WENT_SILENT, day.start + _DAY))
    return found


def _share_of(model: str, day: Habit) -> Fraction:
    return Fraction(day.models.get(model, 0), day.tokens) if day.tokens else _ZERO


def _share(kind: ActionKind, day: Habit) -> Fraction:
    part = day.batch_tokens if kind is ActionKind.BATCH_ADOPTED else day.cached_tokens
    whole = _weight(kind, day)
    return Fraction(part, whole) if whole else _ZERO


def _weight(kind: ActionKind, day: Habit) -> int:
    return day.input_tokens if kind is ActionKind.CACHE_ADOPTED else day.tokens


def _level(sighting: Sighting, hour: Habit) -> Fraction:
    """How far an hour shows the new habit."""
    if sighting.kind is not ActionKind.MODEL_CHANGED:
        return _share(sighting.kind, hour)
    return _share_of(sighting.to_model, hour) - _share_of(sighting.from_model, hour)


def _split(levels: Sequence[tuple[Fraction, int]]) -> int | None:
    """Where two levels part best: the split with the least squared deviation, each hour by its weight."""
    whole = sum(weight for _, weight in levels)
    total = sum((level * weight for level, weight in levels), _ZERO)
    best: tuple[Fraction, int] | None = None
    left, weight_left = _ZERO, 0
    for i, (level, weight) in enumerate(levels[:-1], start=1):
        left, weight_left = left + level * weight, weight_left + weight
        right, weight_right = total - left, whole - weight_left
        if not weight_left or not weight_right:
            continue
        apart = left * left / weight_left + right * right / weight_right
        if best is None or apart > best[0]:
            best = apart, i
    return None if best is None else best[1]


def _told(share: Fraction | float) -> Decimal:
    return round(Decimal(Fraction(share).numerator) / Decimal(Fraction(share).denominator), 3)
