"""How far the set-up of a workspace has come, for the person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from finops.figures import SetupProgress, SetupStep
from finops.registry import Credential, Person, Project, Team
from finops.roles import may_manage_team


class House(Protocol):
    """As much of a workspace as the set-up is about."""

    @property
    def teams(self) -> Sequence[Team]: ...
    @property
    def projects(self) -> Sequence[Project]: ...
    @property
    def credentials(self) -> Sequence[Credential]: ...


def set_up(house: House, person: Person, *, has_charges: bool, is_proved: bool) -> SetupProgress:
    """What is done, and the team the next step is about: people are led through that of one they may change."""
    keyed = {credential.team_id for credential in house.credentials}
    owning = {project.team_id for project in house.projects}
    managed = [team for team in house.teams if may_manage_team(person, team)]
    teams = managed or list(house.teams)
    without_key = [team.id for team in teams if team.id not in keyed]
    without_projects = [team.id for team in teams if team.id in keyed and team.id not in owning]
    steps = without_projects or without_key or [team.id for team in teams]
    if not keyed:
        steps = without_key or steps
    first = steps[0] if steps else None
    lacks = SetupStep.PROJECTS if first in without_projects else SetupStep.KEY if first in without_key else None
    return SetupProgress(
        has_team=bool(house.teams),
        has_key=bool(keyed),
        has_projects=bool(owning),
        has_charges=has_charges,
        team_id=first,
        is_proved=is_proved,
        lacks=lacks if managed else None,
    )
