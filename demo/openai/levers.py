"""Levers: what limits, permissions and archiving let through, minute by minute, as time passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from demo.billing import spent
from demo.openai.organization import Organization, Project, SpendLimit
from demo.openai.traffic import DAY, Key, Traffic, day_minute
from demo.prices import Prices
from demo.trace import NOTHING, Usage
from finops.money import EXACT

CLOSED, FORBIDDEN, TOO_MANY = 401, 403, 429


@dataclass(slots=True)
class Refusals:
    """Calls that were refused in one minute: for a limit (429), or for anything else."""

    limited: int = 0
    others: int = 0


@dataclass(slots=True)
class Month:
    """What a project has spent so far in one month, counted minute by minute."""

    first_day: date
    spent: Decimal


class Levers:
    """Decides, for projects somebody pulled a lever on, what every minute lets through.

    Call `advance` before anything is read or changed: a minute is decided once, by the levers as they stood.
    """

    def __init__(self, organization: Organization, traffic: Traffic, prices: Prices) -> None:
        self.organization = organization
        self.traffic = traffic
        self.prices = prices
        self._decided_until = 0
        self._months: dict[str, Month] = {}  # by project id; the projects that are watched
        self._refused: dict[str, dict[int, Refusals]] = {}  # by project id and minute
        self._today: dict[Key, tuple[int, int]] = {}  # requests of the day, and up to which minute they are counted

    def watch(self, projects: Sequence[Project], now: int) -> None:
        """From now on, decide every minute of these projects."""
        self.advance(now)
        for project in projects:
            if project.id not in self._months:
                first = _month_of(now)
                self._months[project.id] = Month(first, self._spent(project, day_minute(first), now))

    def advance(self, now: int) -> None:
        """Decide every minute that has passed, for every watched project."""
        for minute in range(self._decided_until, now) if self._months else ():
            watched = [self.organization.projects[identifier] for identifier in self._months]
            whole = self.organization_blocks(minute)
            for project in watched:
                self._decide(project, minute, is_blocked=whole or self.blocks(project, minute))
        self._decided_until = now

    def decided_until(self, project: Project) -> int:
        """Up to which minute it is settled what got through of a project: 0 for one nobody pulled a lever on."""
        return self._decided_until if project.id in self._months else 0

    def blocks(self, project: Project, minute: int) -> bool:
        """Whether the project's own spend limit refuses calls in this minute."""
        return _reached(project.spend_limits, minute, lambda: self.month_to_date(project, minute))

    def month_to_date(self, project: Project, minute: int) -> Decimal:
        """Tracked spend of the month: usage x price, as far as it has happened."""
        first = _month_of(minute)
        month = self._months.get(project.id)
        if month is None:
            return self._spent(project, day_minute(first), minute)
        return month.spent if month.first_day == first else Decimal(0)

    def permits(self, project: Project, model: str) -> bool:
        """Whether the model permissions of the project let this model be called."""
        policy = project.model_permissions
        if policy is None:
            return True
        is_named = model in policy["model_ids"]
        return is_named if policy["mode"] == "allow_list" else not is_named

    def refuse(self, project: Project, minute: int, status: int, requests: int = 1) -> None:
        """Count calls that were refused with that status."""
        if requests:
            refusals = self._refused.setdefault(project.id, {}).setdefault(minute, Refusals())
            if status == TOO_MANY:
                refusals.limited += requests
            else:
                refusals.others += requests

    def refused(self, project: Project, minute: int) -> Refusals:
        """How many calls of a project were refused in a minute that has passed."""
        return self._refused.get(project.id, {}).get(minute, Refusals())

    def left_today(self, project: Project, model: str, minute: int) -> int | None:
        """How many more calls of a model the project may make in the UTC day; None: as many as it likes."""
        most = project.rate_limits.get(model, {}).get("max_requests_per_1_day")
        if most is None:
            return None
        key, first = (project.application, model), minute - minute % DAY
        until, made = self._today.get(key, (-1, 0))
        if until != minute or minute == first:
            made = self.traffic.happened(key, first, minute).requests
        self._today[key] = (minute, made)
        return max(0, most - made)

    def organization_blocks(self, minute: int) -> bool:
        """Whether the organization's spend limit refuses every call in this minute."""

        def so_far() -> Decimal:
            found = Decimal(0)
            for project in self.organization.projects.values():
                found = EXACT.add(found, self.month_to_date(project, minute))
            return found

        return _reached(self.organization.spend_limits, minute, so_far)

    def _decide(self, project: Project, minute: int, *, is_blocked: bool) -> None:
        has_key = any(key.id == project.main_key_id for key in project.keys)
        is_closed = project.archived_at is not None or not has_key
        month = self._months[project.id]
        first = _month_of(minute)
        if month.first_day != first:
            month.first_day, month.spent = first, Decimal(0)
        for model in self.traffic.models_of(project.application):
            key = (project.application, model)
            asked = self.traffic.planned(key, minute)
            let_through, status = NOTHING, TOO_MANY
            if is_closed or not self.permits(project, model):
                status = CLOSED if is_closed else FORBIDDEN
            elif not is_blocked:
                left = self.left_today(project, model, minute)
                let_through = _throttled(asked, project.rate_limits.get(model, {}), left)
            self.traffic.hold(key, minute, let_through)
            self.refuse(project, minute, status, asked.requests - let_through.requests)
            happened = self.traffic.minute(key, minute)
            if (counted := self._today.get(key)) is not None and counted[0] == minute:
                self._today[key] = (minute + 1, counted[1] + happened.requests)
            month.spent = EXACT.add(month.spent, self._cost(model, happened, minute))

    def _spent(self, project: Project, start: int, end: int) -> Decimal:
        found = Decimal(0)
        for model in self.traffic.models_of(project.application):
            for minute in range(start, end, DAY):
                usage = self.traffic.happened((project.application, model), minute, min(end, minute + DAY))
                found = EXACT.add(found, self._cost(model, usage, minute))
        return found

    def _cost(self, model: str, usage: Usage, minute: int) -> Decimal:
        rates = self.prices.rates(model, _day_of(minute))
        return Decimal(0) if rates is None else spent(usage, rates)


def _reached(limits: Sequence[SpendLimit], minute: int, so_far: Callable[[], Decimal]) -> bool:
    standing = [limit for limit in limits if limit.counts_from <= minute]
    if not standing or standing[-1].cents is None:
        return False
    return EXACT.multiply(so_far(), Decimal(100)) >= standing[-1].cents


def _throttled(asked: Usage, limits: dict[str, int], left_today: int | None) -> Usage:
    """What rate limits let through: whole requests, each with its share of the tokens."""
    allowed = min(asked.requests, limits.get("max_requests_per_1_minute", asked.requests))
    allowed = allowed if left_today is None else min(allowed, left_today)
    tokens, most = asked.input + asked.output, limits.get("max_tokens_per_1_minute")
    if most is not None and tokens:
        allowed = min(allowed, asked.requests * most // tokens)
    return asked if allowed == asked.requests else asked.scaled(allowed, asked.requests)


_FIRST_DAY = date(1970, 1, 1).toordinal()


def _day_of(minute: int) -> date:
    return date.fromordinal(_FIRST_DAY + minute // DAY)


def _month_of(minute: int) -> date:
    return _day_of(minute).replace(day=1)
