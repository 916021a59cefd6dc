"""One project in detail: its cost beside what it bought, why it moved, what it was paid for, and who records it."""

from __future__ import annotations

from datetime import datetime

from finops.axes import Axes
from finops.caps import CapSeen
from finops.figures import StatusReport
from finops.frozen import frozen
from finops.learning import ActionShown
from finops.money import Money
from finops.registry import Project, Team
from finops.stop_report import StopShown
from finops.value import NamedValue, ValueFigure
from finops.why import Why


@frozen
class TokenShown:
    """What may be told about an event token. The token itself is told once, when it is made."""

    id: int
    name: str
    ends_with: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None = None


@frozen
class ProjectReport:
    """Everything the window about one project says of one period.

    `trend_values` are what each point of the report's trend bought. `tasks`, `experiments` and `segments` tell the
    value apart by name, each empty where the application names none. `tokens` are None for those who may not see them.
    `actions` are what was done last about its spending, and `stop` is under what its spending stands now, if anything.
    """

    project: Project
    team: Team | None
    status: StatusReport
    trend_values: tuple[ValueFigure, ...] = ()
    tasks: tuple[NamedValue, ...] = ()
    experiments: tuple[NamedValue, ...] = ()
    segments: tuple[NamedValue, ...] = ()
    why: Why | None = None
    axes: Axes | None = None
    caps: tuple[CapSeen, ...] = ()
    target: Money | None = None
    last_event_at: datetime | None = None
    tokens: tuple[TokenShown, ...] | None = None
    actions: tuple[ActionShown, ...] = ()
    stop: StopShown | None = None

    @property
    def value(self) -> ValueFigure:
        """What the whole amount bought."""
        return self.status.value

    @property
    def may_manage(self) -> bool:
        """Whether the reader answers for the project."""
        return self.tokens is not None
