"""What is told about budgets: how each stands, what could be chosen, what is recommended, what a file would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum

from finops.budget_diff import BudgetDiff
from finops.budgets import Budget, BudgetPeriod, BudgetScope, Usual
from finops.estimates import Spent
from finops.figures import Scope
from finops.frozen import frozen
from finops.money import Money
from finops.value import NO_VALUE, ValueFigure

# Who changed a budget from the command line: no member of the workspace.
OPERATOR = "operator"

Place = tuple[BudgetScope, int | None]
"""What a budget limits: the kind of scope and its id, None where it needs none."""


@frozen
class ScopeChoice:
    """Something a budget may limit, by name; `team_name` is whose a project is.

    `is_gone`: it was removed meanwhile. `is_excluded`: a project left out of collecting, on which no budget works.
    """

    kind: BudgetScope
    id: int | None = None
    name: str = ""
    team_name: str = ""
    is_gone: bool = False
    is_excluded: bool = False

    @property
    def key(self) -> str:
        """As buttons and menus carry it: `workspace`, `team:12`."""
        return self.kind.value if self.id is None else f"{self.kind.value}:{self.id}"

    @property
    def place(self) -> Place:
        return self.kind, self.id


def place_of(key: str) -> Place | None:
    """What a menu's `ScopeChoice.key` names; None for anything else."""
    kind, _, id_ = key.partition(":")
    if kind not in set(BudgetScope):
        return None
    if kind in {BudgetScope.WORKSPACE, BudgetScope.EVERY_PROJECT}:
        return (BudgetScope(kind), None) if not id_ else None
    return (BudgetScope(kind), int(id_)) if id_.isdecimal() and len(id_) < 16 else None


@frozen
class BudgetStanding:
    """A budget and what is spent of it now.

    A default for every project stands as the project nearest to it does (`fullest`), and works on `projects` of them.
    `spent` None: it does not work (disabled, its scope is gone or left out), or on nothing. `value` is what it bought.
    """

    budget: Budget
    scope: ScopeChoice
    spent: Spent | None = None
    percent: int | None = None
    projects: int = 0
    fullest: Scope | None = None
    may_change: bool = False
    value: ValueFigure = NO_VALUE


@frozen
class Suggestion:
    """What is usual for a scope in a period, and the limit that suits it; None where there is nothing to compare.

    For every project alone, both are of the project that spent most (`of`): a limit it keeps, all others keep.
    """

    usual: Usual
    recommended: Money | None = None
    of: Scope | None = None


@frozen
class FirstStep:
    """A good first budget where there is none: for what, how often, and how much."""

    scope: ScopeChoice
    period: BudgetPeriod
    suggestion: Suggestion


@frozen
class BudgetsReport:
    """All budgets of a workspace, the fullest first, or those that cover one scope; and what this person may do.

    `changers` are whom to ask: the user ids of those who may change the budgets this person may not.
    """

    budgets: tuple[BudgetStanding, ...] = ()
    covering: ScopeChoice | None = None
    may_add: bool = False
    is_admin: bool = False
    changers: tuple[str, ...] = ()
    first: FirstStep | None = None


@frozen
class ImportPlan:
    """What a file would change. `mark` stands for the budgets as they were when this was worked out, and for the file.

    `names` has every scope of the difference. `others`: budgets that files do not speak of (disabled, or their scope
    is gone), which stay as they are.
    """

    diff: BudgetDiff
    names: Mapping[Place, ScopeChoice]
    mark: str
    others: int = 0
    is_applied: bool = False


class FileMistake(StrEnum):
    """What can be wrong in a file of budgets. The comment names the values that come with it."""

    TOO_LARGE = "too_large"
    NOT_YAML = "not_yaml"  # problem
    NOT_A_FILE = "not_a_file"  # no mapping with version and budgets
    VERSION = "version"  # given
    BUDGETS = "budgets"  # not a list of them
    NOT_A_BUDGET = "not_a_budget"
    UNKNOWN_FIELD = "unknown_field"  # field, suggestion ('' for none)
    TWICE = "twice"  # field
    MISSING = "missing"  # field
    NOT_WORDS = "not_words"  # field: a list or a mapping where words belong
    SCOPE = "scope"  # given
    UNKNOWN_SCOPE = "unknown_scope"  # given, suggestion ('' for none)
    AMBIGUOUS = "ambiguous"  # given
    PERIOD = "period"  # given
    ACTION = "action"  # given
    AMOUNT = "amount"  # field, given, mistake (finops.amounts.AmountMistake)
    LEVELS = "levels"  # given
    MANY_LEVELS = "many_levels"  # most
    LEVEL_TWICE = "level_twice"  # given
    FLOOR = "floor"  # floor, amount
    CHANNEL = "channel"  # given
    CHANNEL_MISSING = "channel_missing"
    NEEDS_TWO = "needs_two"  # given: neither true nor false
    SAME_BUDGET = "same_budget"  # first: the line of the other
    SECRET = "secret"  # noqa: S105 - the text holds a key


@frozen
class MistakeInFile:
    """One mistake: the line it stands in (1 is the first), what kind, and the words to say it with."""

    line: int
    code: FileMistake
    values: Mapping[str, str] = field(default_factory=dict)


def changes_count(diff: BudgetDiff) -> int:
    """How many budgets applying it would touch."""
    return len(diff.added) + len(diff.changed) + len(diff.removed)


def in_order(standings: Sequence[BudgetStanding]) -> tuple[BudgetStanding, ...]:
    """The fullest first; those that do not work last, disabled ones after them; else by name and period."""
    return tuple(
        sorted(
            standings,
            key=lambda one: (
                not one.budget.is_enabled,
                one.percent is None,
                -(one.percent or 0),
                one.scope.kind,
                one.scope.name.casefold(),
                one.budget.id,
            ),
        )
    )
