"""Owners: who most likely answers for a provider project that nobody registered, and what makes us think so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

from finops.frozen import frozen
from finops.money import Money
from finops.registry import Project

_BETWEEN = re.compile(r"[\W_]+")
_SHORTEST = 3
# Words that say where something runs, not whose it is.
_PLACES = frozenset(
    {"prod", "production", "dev", "develop", "development", "stg", "stage", "staging", "test", "tests", "qa", "app"}
    | {"api", "the", "new", "old", "default", "project", "proj", "openai"}
)


class Because(StrEnum):
    """Why a team is suggested, the surest first."""

    EXCLUDED = "excluded"  # the project is the team's, and was left out of collecting
    NAME = "name"  # only this team has projects called alike
    KEY = "key"  # only this team registered a key of the organization


@frozen
class Suggested:
    """A team that may be the owner; `like` is the name of its project that is called alike ('' for other reasons)."""

    team_id: int
    because: Because
    like: str = ""


@frozen
class Unowned:
    """What one provider project cost that no team answers for; `name` is '' where the provider names no project.

    `team` is the suggested team's name, '' where there is nothing to go by.
    """

    name: str
    amount: Money
    suggested: Suggested | None = None
    team: str = ""


def suggested(
    account: tuple[int, str | None], name: str, projects: Iterable[Project], key_teams: Collection[int]
) -> Suggested | None:
    """Whose a provider project (connection id and its id there) most likely is; None where two teams are as likely.

    `projects` are all that are registered, of whatever organization: people name alike what belongs together.
    `key_teams` are the teams with a key of this organization.
    """
    registered = list(projects)
    for one in registered:
        if (one.connection_id, one.provider_project_id) == account:
            return Suggested(one.team_id, Because.EXCLUDED)
    words = _telling(name)
    alike: dict[int, str] = {}
    for one in registered:
        if words and words[0] in _telling(one.name):
            alike.setdefault(one.team_id, one.name)
    if len(alike) == 1:
        [(team_id, like)] = alike.items()
        return Suggested(team_id, Because.NAME, like)
    teams = set(key_teams)
    return Suggested(teams.pop(), Because.KEY) if len(teams) == 1 and account[1] is not None else None


def _telling(name: str) -> list[str]:
    """The words of a name that say whose it is."""
    words = [word for word in _BETWEEN.split(name.casefold()) if word]
    return [word for word in words if len(word) >= _SHORTEST and word not in _PLACES and not word.isdigit()]
