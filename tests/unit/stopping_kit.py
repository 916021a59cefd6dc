"""Stops and holds to begin with, for tests of what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from finops.holds import Hold, HoldState
from finops.levers import Json, Lever
from finops.queries import ScopeKind
from finops.registry import Project
from finops.stopping import Ask, requested
from finops.stops import Stop, StopChange

NOW = datetime(2026, 7, 6, 1, 0, tzinfo=UTC)
LIMIT: dict[str, Json] = {"threshold_amount": 100_000, "currency": "USD", "interval": "month"}
CENT: dict[str, Json] = {"threshold_amount": 1, "currency": "USD", "interval": "month"}


def a_hold(number: int = 1, **other: Any) -> Hold:
    """A hold that was just asked for."""
    plain = Hold(
        id=number,
        workspace_id="T1",
        stop_id=1,
        project_id=number,
        connection_id=1,
        provider_project_id=f"proj_{number}",
        name=f"project {number}",
        lever=Lever.STOP,
        state=HoldState.REQUESTED,
        is_wanted=True,
        requested_at=NOW,
        updated_at=NOW,
        next_at=NOW,
    )
    return replace(plain, **other)


def a_held(number: int = 1, state: HoldState = HoldState.SET, **other: Any) -> Hold:
    """A hold that stands, or stood, in the place of a limit of a thousand dollars."""
    known = {"former": {"spend_limit": LIMIT}, "target": {"spend_limit": CENT}, "saved_at": NOW, "set_at": NOW}
    return a_hold(number, state=state, **(known | other))


def a_project(number: int = 1) -> Project:
    return Project(
        id=number,
        workspace_id="T1",
        connection_id=1,
        team_id=1,
        provider_project_id=f"proj_{number}",
        name=f"project {number}",
        environment=None,
        service=None,
        cost_center=None,
        lead_user_id=None,
        excluded=False,
        registered_by="U1",
        registered_at=NOW,
    )


def an_ask(**other: Any) -> Ask:
    plain = Ask("T1", None, ScopeKind.PROJECT, 1, "C1", Lever.STOP, "why", "U1")
    return replace(plain, **other)


def a_stop(count: int = 1) -> tuple[Stop, list[Hold]]:
    """A stop of so many projects as it is kept, with its holds."""
    change: StopChange = requested(an_ask(), [a_project(number + 1) for number in range(count)], NOW)
    holds = [replace(one, id=number + 1, stop_id=1) for number, one in enumerate(change.holds)]
    return replace(change.stop, id=1), holds
