"""The clock of a stage: the real time, moved forward on request, so that an evening can be seen in a minute.

Everything on a stage is handed this one clock, so the product, the simulated Slack and the simulated provider always
agree on what time it is. It never goes back: what was told as the past stays the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

FARTHEST = timedelta(days=14)


class BadMove(ValueError):
    """The clock cannot be moved so; the text says how it can."""


class StageClock:
    """Real time plus what was added to it; call it for the moment it shows."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> datetime:
        """Move forward; returns the new moment. Raises BadMove for a step back or one beyond two weeks."""
        if not timedelta(0) <= by <= FARTHEST:
            raise BadMove(f"the clock moves forward, at most {FARTHEST.days} days at once")
        self._ahead += by
        return self()

    def move_to_next_day(self) -> datetime:
        """Move to one minute after the next UTC midnight, when a new charge day has begun."""
        now = self()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return self.advance(midnight + timedelta(minutes=1) - now)

    def move_to_next_month(self) -> datetime:
        """Move to one minute after the next month begins in UTC, when spend limits open again; however far that is."""
        now = self()
        inside = now.replace(day=1, hour=0, minute=1, second=0, microsecond=0) + timedelta(days=32)
        self._ahead += inside.replace(day=1) - now
        return self()


def route(clock: StageClock) -> web.RouteDef:
    """`POST /_sim/clock` with `{"advance_minutes": 30}` or `{"to": …}`: a time, "next day" or "next month"."""

    async def handle(request: web.Request) -> web.Response:
        try:
            now = moved(clock, await request.json())
        except (BadMove, ValueError, TypeError) as error:
            return web.json_response({"ok": False, "error": str(error)}, status=400)
        return web.json_response({"ok": True, "now": now.isoformat()})

    return web.post("/_sim/clock", handle)


def moved(clock: StageClock, told: Mapping[str, Any]) -> datetime:
    """The clock after such an order, and what it shows then. Raises BadMove, or ValueError for what is no time."""
    if told.get("to") == "next day":
        return clock.move_to_next_day()
    if told.get("to") == "next month":
        return clock.move_to_next_month()
    if "to" in told:
        moment = datetime.fromisoformat(str(told["to"]))
        if moment.tzinfo is None:
            raise BadMove(f"a time needs a zone, such as 2026-11-22T05:00:00Z, not {told['to']!r}")
        return clock.advance(moment - clock())
    if "advance_minutes" in told:
        return clock.advance(timedelta(minutes=float(told["advance_minutes"])))
    raise BadMove('say {"advance_minutes": 30}, {"to": "2026-11-22T05:00:00Z"}, {"to": "next day"} or "next month"')
