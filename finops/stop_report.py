"""Reports of a stop: what the windows, the root message and the lines of its thread say; values, never words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal

from finops.budgets import Budget, BudgetPeriod
from finops.charges import FigureState
from finops.figures import Scope
from finops.frozen import frozen
from finops.holds import STANDING, Hold, HoldState, leaked
from finops.incidents import Incident
from finops.levers import Lever
from finops.losses import Saved
from finops.money import Money
from finops.periods import Period, starts_at
from finops.queries import ScopeKind
from finops.registry import Team
from finops.stops import ApprovalWay, Stop, StopEvent
from finops.why import Why

LONGEST_LETTER = 2500
LONGEST_CAUSE = 500


@frozen
class StopTarget:
    """What somebody wants to act on: an incident, a stop, or a scope (`project:12`, `team:3`); exactly one is given.

    As text (`str`, `read`) it is what a button or a window carries: looked up again, in the workspace of whoever
    clicks, each time.
    """

    incident_id: int | None = None
    stop_id: int | None = None
    scope: str = ""

    def __str__(self) -> str:
        if self.incident_id is not None:
            return f"incident:{self.incident_id}"
        return f"stop:{self.stop_id}" if self.stop_id is not None else self.scope

    @classmethod
    def read(cls, text: str) -> StopTarget | None:
        """The target a text names; None for anything else."""
        kind, _, number = text.partition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        match kind:
            case "incident":
                return cls(incident_id=int(number))
            case "stop":
                return cls(stop_id=int(number))
            case "project" | "team":
                return cls(scope=f"{kind}:{int(number)}")
        return None


@frozen
class AffectedKey:
    """A key of the provider whose applications stop. `owner` '' where it does not say; `last_used_at` None: never."""

    name: str
    ends_with: str
    owner: str
    is_service_account: bool
    last_used_at: datetime | None


@frozen
class AffectedProject:
    """One project in the blast radius. `requests` and `spent` are of the last hour we saw; None where we cannot see.

    `keys` None: the provider did not tell. `is_held`: its spending is stopped already.
    """

    project_id: int
    name: str
    provider_project_id: str
    lead_user_id: str | None
    requests: int | None
    spent: Money | None
    keys: tuple[AffectedKey, ...] | None
    is_held: bool = False


@frozen
class BlastRadius:
    """What the window before a stop says. `seen_at` is handed back with the answer: a stop needs a fresh look.
    `used_until` is when the last hour of the projects ended.

    `projects` are those of the target, `team_projects` all of its team (the same for a team). `levers` can be chosen;
    `cheap_models` are what stays with "cheap models only". `connection_keys` are our own Admin keys of the
    organization (id, last four characters): what "stop collecting" would disable. `held` is a stop in force.
    `may_stop` is False where none of these keys is known to have the right to stop. `stranger` names who spends most
    where no stop reaches it, for it is not registered or left out of collection; '' for nobody.
    """

    target: StopTarget
    scope: Scope
    team: Team | None
    projects: tuple[AffectedProject, ...]
    team_projects: tuple[AffectedProject, ...]
    levers: tuple[Lever, ...]
    cheap_models: tuple[str, ...]
    usual_pace: int | None  # calls a minute on a usual day; what SLOW holds them at
    seen_at: datetime
    used_until: datetime
    held: Stop | None = None
    connection_keys: tuple[tuple[int, str], ...] = ()
    may_stop: bool = True
    stranger: str = ""


@frozen
class StopShown:
    """A stop as it stands. `requires_second` when an approval needs two people; `names` by user id.

    `saved` is the loss avoided so far, None where it cannot be said. `next_lever` is the firmer one to offer. `rest`
    are the projects that use up the same limit beside what is held, most first; one without an id no stop reaches.
    `ask` is given where one person reads it who may not give it back: the user ids of who may. `lacks_groups`: they may
    all the same, but Slack did not say who is in a user group that may. `is_own_wish`: it was this reader who asked for
    the second person. `incident` is the alert it belongs to. `told_at` is when one person reads it, who may do so days
    after its message was last told.
    """

    stop: Stop
    scope: Scope
    team: Team | None
    holds: tuple[Hold, ...]
    events: tuple[StopEvent, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    requires_second: bool = False
    next_lever: Lever | None = None
    saved: Saved | None = None
    rest: tuple[Scope, ...] = ()
    incident: Incident | None = None
    told_at: datetime | None = None
    ask: tuple[str, ...] | None = None
    lacks_groups: bool = False
    is_own_wish: bool = False

    @property
    def window_end(self) -> datetime | None:
        """The end of the incident's period: what is allowed within it ends with it."""
        return starts_at(self.incident.window.end) if self.incident is not None else None

    @property
    def leak(self) -> Money | None:
        """What was used since the request, over all projects seen; None while nothing could be seen."""
        return leaked(self.current)[0]

    @property
    def leak_unpriced(self) -> int:
        """How many calls since the request have no known price, and are not in `leak`."""
        return leaked(self.current)[1]

    @property
    def leaked(self) -> tuple[Money | None, int]:
        """The same of every time it was stopped: what was used since, and how many calls have no known price."""
        return leaked(self.holds)

    @property
    def current(self) -> tuple[Hold, ...]:
        """The latest hold of each project, by name."""
        latest: dict[int, Hold] = {}
        for hold in sorted(self.holds, key=lambda one: one.id or 0):
            latest[hold.project_id] = hold
        return tuple(sorted(latest.values(), key=lambda one: (one.name, one.project_id)))

    @property
    def set_count(self) -> int:
        """How many projects are held."""
        return sum(hold.state in STANDING for hold in self.current)

    @property
    def is_proved(self) -> bool:
        """Whether every project that is held was seen to spend nothing any more."""
        held = [hold for hold in self.current if hold.state in STANDING]
        return bool(held) and all(hold.state is HoldState.PROVED for hold in held)


@frozen
class LeadDraft:
    """The message to a project's lead before it is sent: facts for the prepared text. `increase` as IncidentShown.

    `spent` is what the project itself spent in `window`, today where that is None; None: unknown. `limit`, `percent`
    and `increase` are those of the alert: of the project, or of `scope` where that is given, which spent `whole` with
    everything in it. `cause` is the alert's, where it speaks of this project. `is_over`: the window is past. `state`
    and `as_of` are how sure and of when these amounts are.
    """

    target: StopTarget
    lead_user_id: str
    lead_name: str
    project: str
    spent: Money | None
    limit: Money | None
    percent: int | None
    increase: Decimal | None
    cause: Why | None
    is_stopped: bool
    period: BudgetPeriod | None = None
    window: Period | None = None
    is_over: bool = False
    scope: Scope | None = None
    whole: Money | None = None
    state: FigureState | None = None
    as_of: datetime | None = None


@frozen
class ApprovalWish:
    """What a person chose and typed in the approval window, not judged yet.

    `until` is for AMOUNT; `amount` is what more may be spent (AMOUNT) or the new limit (BUDGET), as typed. `known` is
    what the window knew to be decided (`decided_at`): anything else is shown first. None: a button without a window.
    """

    way: ApprovalWay
    amount: str = ""
    until: datetime | None = None
    restops: bool = True
    known: Collection[datetime] | None = None


def decided_at(budget: Budget | None, stop: Stop | None) -> tuple[datetime, ...]:
    """When somebody last decided about a budget and a stop; compared for being the same, for clocks may differ."""
    found = [] if budget is None else [budget.updated_at]
    if stop is not None:
        found += [stop.requested_at] if stop.approved_at is None else [stop.requested_at, stop.approved_at]
    return tuple(found)


@frozen
class Stoppable:
    """A project or team that this person may stop. `requests` are of the last hour."""

    scope: Scope
    team: Team
    requests: int | None


_ENDED = frozenset({HoldState.SET, HoldState.PROVED})


@frozen
class StopsListed:
    """What `/finops stop` and `/finops resume` show without a name: what this person may stop, and give back.

    `others` is how many stops are in force besides, which only the people of `ask` (user ids) and their like give back.
    `lacks_groups`: Slack did not say who is in a user group that may more, so something may be missing.
    """

    stoppable: tuple[Stoppable, ...]
    held: tuple[StopShown, ...]
    others: int = 0
    ask: tuple[str, ...] = ()
    lacks_groups: bool = False

    @property
    def spending(self) -> tuple[Stoppable, ...]:
        """What may be stopped and is not yet: of what a full stop holds, the list of those tells all.

        What is only slowed, or not seen to end, is offered still.
        """
        holds = (hold for shown in self.held for hold in shown.holds)
        ended = {one.project_id for one in holds if one.lever is Lever.STOP and one.is_wanted and one.state in _ENDED}
        return tuple(
            one for one in self.stoppable if one.scope.kind is not ScopeKind.PROJECT or one.scope.id not in ended
        )
