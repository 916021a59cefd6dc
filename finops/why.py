"""Why it moved: the difference between two periods in parts that add up to it exactly."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from finops.figures import Figure, Scope
from finops.frozen import frozen
from finops.money import Money
from finops.periods import Period
from finops.queries import NamedPeriod
from finops.value import NO_VALUE, ValueFigure


class Factor(StrEnum):
    """What a cost is made of. The parts of these add up to the difference."""

    REQUESTS = "requests"  # how many were made
    INPUT_LENGTH = "input_length"  # input tokens of each
    OUTPUT_LENGTH = "output_length"  # output tokens of each
    MODEL_MIX = "model_mix"  # which models they went to
    CACHE = "cache"  # how much of the input the provider had cached
    TIER = "tier"  # batch, flex, standard, priority
    PRICE = "price"  # the provider's price for the same thing
    TOOLS = "tools"  # what is not tokens: searches, sessions, storage, images
    UNEXPLAINED = "unexplained"  # billed, but usage does not tell what for


class WhyKind(StrEnum):
    """The cause in one word: what the sentence says and the advice follows."""

    RETRY_LOOP = "retry_loop"  # three times the requests or more, each as long as ever
    MORE_TRAFFIC = "more_traffic"
    LESS_TRAFFIC = "less_traffic"
    LONGER_PROMPTS = "longer_prompts"
    SHORTER_PROMPTS = "shorter_prompts"
    LONGER_ANSWERS = "longer_answers"
    SHORTER_ANSWERS = "shorter_answers"
    DEARER_MODEL = "dearer_model"
    CHEAPER_MODEL = "cheaper_model"
    LOST_CACHE = "lost_cache"
    GAINED_CACHE = "gained_cache"
    BATCH_OFF = "batch_off"
    BATCH_ON = "batch_on"
    DEARER_TIER = "dearer_tier"  # priority instead of standard, standard instead of flex
    CHEAPER_TIER = "cheaper_tier"
    DEARER_PRICE = "dearer_price"
    CHEAPER_PRICE = "cheaper_price"
    MORE_TOOLS = "more_tools"
    FEWER_TOOLS = "fewer_tools"
    BEGUN = "begun"  # nothing was spent before
    ENDED = "ended"  # nothing is spent any more
    UNCHANGED = "unchanged"  # less than a tenth either way, and less than a dollar
    UNKNOWN = "unknown"  # the provider did not tell enough to say


@frozen
class WhyPart:
    """One factor's part of the difference, and how the factor itself moved.

    `change` is the new value by the old (15 is fifteen times) where that is a ratio one can say; `before` and `now`
    are the factor's own value (requests, tokens each, cached or batched share 0 to 1), None where it has no such.
    """

    factor: Factor
    amount: Money
    before: Decimal | None = None
    now: Decimal | None = None
    change: Decimal | None = None
    # The name of what moved most within it: a model that came, grew or went.
    subject: str | None = None


@frozen
class Beside:
    """What moved the mean cost of a request: beside it, 77 % more requests are no contradiction to 30 % more cost.

    `change` is the new mean by the old. `part` is what moved it most, under its own `kind` (both None where nothing
    tells); of models it is the mix of all requests, also where none went from one to another, and no part of the sum.
    """

    change: Decimal
    kind: WhyKind | None = None
    part: WhyPart | None = None


@frozen
class UsualHours:
    """What is compared where `before` is the usual: [start, end), and the same hours of `days` of the days before."""

    start: datetime
    end: datetime
    days: int


@frozen
class Why:
    """The difference of `now` and `before` (periods of equal length, or `before` the usual), largest part first.

    The parts add up to `difference` to the last nano-unit. `covered` is the share of both periods' cost that usage
    explains; below one half, `kind` is UNKNOWN and only the whole can be told. `beside` belongs to a cause that is
    requests, where cost did not move as they did. `hours` are those compared; None of whole days.
    """

    period: Period
    compared: Period
    now: Money
    before: Money
    parts: tuple[WhyPart, ...]
    kind: WhyKind
    covered: Decimal | None = None
    beside: Beside | None = None
    hours: UsualHours | None = None

    @property
    def difference(self) -> Money:
        """What is to be explained; negative when less was spent."""
        return self.now - self.before


@frozen
class Mover:
    """One project of a wider scope and why it moved; `project_id` is None of what no registered project owns."""

    project_id: int | None
    name: str
    why: Why


@frozen
class WhyReport:
    """The answer to "why did it move": of whom, when, compared with what; with the value the money bought.

    `movers` are the projects of a wider scope that moved most, largest difference first; none of a project.
    `is_usual`: compared with the same hours of the seven days before, on average, and not with a period.
    """

    scope: Scope
    query: NamedPeriod
    figure: Figure
    previous: Figure
    why: Why
    movers: tuple[Mover, ...] = ()
    value: ValueFigure = NO_VALUE
    is_usual: bool = False
