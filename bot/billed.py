"""What a bill was asked for: whose, when, and what is needed to tell it line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from finops.charges import DayReading
from finops.figures import Figure, Scope
from finops.frozen import frozen
from finops.queries import NamedPeriod
from finops.registry import Connection, Project


@frozen
class Billed:
    """Whose bill of which days was asked for, and how far it can be trusted.

    `accounts` are the provider projects concerned (None: all there are), `projects` all that are registered.
    """

    scope: Scope
    query: NamedPeriod
    figure: Figure
    accounts: Sequence[tuple[int, str | None]] | None
    projects: Sequence[Project]
    team_names: Mapping[int, str]
    connections: Sequence[Connection]
    readings: Mapping[int, Mapping[date, DayReading]]
