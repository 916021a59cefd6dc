"""Estimates: usage times price, held against the bill each morning and corrected by what that taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from finops.charges import Charge, FigureState
from finops.money import EXACT, Money

TRAILING_DAYS = 14
LEAST_RATIO, MOST_RATIO = Decimal("0.5"), Decimal(2)
# What an estimate may be wrong by as long as no bill has told otherwise, and what it may be at the very best.
MARGIN_UNMEASURED, LEAST_MARGIN = Decimal("0.2"), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DriftSample:
    """One day of one project and model: what we estimated from usage and list prices (uncorrected), what was billed.

    Model '' holds what cannot be told by model: tools, storage, and names that only one side knows.
    """

    day: date
    sub_account_id: str
    model: str
    estimated: Decimal
    billed: Decimal


class CorrectionBasis(StrEnum):
    """Where a correction comes from: this model in this project, this model anywhere, or nowhere yet."""

    PROJECT = "project"
    MODEL = "model"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Correction:
    """What to multiply an estimate by, from 0.5 to 2; `days` is how many days taught it."""

    ratio: Decimal
    days: int
    basis: CorrectionBasis

    def __post_init__(self) -> None:
        if not LEAST_RATIO <= self.ratio <= MOST_RATIO:
            raise ValueError(f"a correction is from {LEAST_RATIO} to {MOST_RATIO}, not {self.ratio}")

    def apply(self, estimate: Decimal) -> Decimal:
        """The corrected estimate, rounded half-even to 18 decimals as amounts are kept."""
        return EXACT.multiply(estimate, self.ratio).quantize(_ATTO, None, EXACT)


_ATTO = Decimal(1).scaleb(-18)
UNCORRECTED = Correction(Decimal(1), 0, CorrectionBasis.NONE)


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of one connection that hold on one day."""

    by_project: Mapping[tuple[str, str], Correction]
    by_model: Mapping[str, Correction]

    def of(self, sub_account_id: str, model: str) -> Correction:
        """The correction for a project's use of a model: its own, else the model's anywhere, else none (1)."""
        return self.by_project.get((sub_account_id, model)) or self.by_model.get(model) or UNCORRECTED


@dataclass(frozen=True, slots=True)
class Drift:
    """How far estimates lay from the bill over `days` days, before and after correction (as it stood each morning).

    `worst_ratio` is the largest distance of one corrected day from its bill: 0.03 is 3 per cent.
    """

    days: int
    estimated: Decimal
    corrected: Decimal
    billed: Decimal
    worst_ratio: Decimal

    @property
    def ratio(self) -> Decimal | None:
        """By how much the uncorrected estimate was too high (0.008 is 0.8 per cent; negative: too low)."""
        return _over(self.estimated, self.billed)

    @property
    def corrected_ratio(self) -> Decimal | None:
        """By how much the corrected estimate was too high."""
        return _over(self.corrected, self.billed)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scope has spent in a period so far. `estimated` is the part of `amount` that is our own estimate.

    `unpriced` when some usage has no price, so that more was spent than `amount` says. An estimate may be wrong by
    `drift_margin` of itself (0.05 is 5 per cent). `as_of` is until when we know; None when we know nothing.
    """

    amount: Money
    state: FigureState
    as_of: datetime | None
    estimated: Money
    unpriced: bool
    drift_margin: Decimal

    def __post_init__(self) -> None:
        if self.estimated.currency != self.amount.currency:
            raise ValueError("a part of an amount is of the same currency")
        if self.drift_margin < 0:
            raise ValueError(f"a margin is not below zero: {self.drift_margin}")
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise ValueError("what is known is known as of an aware time")


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line of a bill taken apart: "priority | gpt-5.6-sol, output, long context". '' where it does not say.

    `kind` is in small letters: input, cached input, image output, tool, storage, credit, product, …
    """

    model: str
    kind: str
    prefix: str
    suffix: str


def split_line_item(line_item: str | None) -> LineItem:
    """Take a line item apart; whatever is not a model of its own (tools, storage, credits) has the model ''."""
    raise NotImplementedError


def corrections(samples: Iterable[DriftSample], today: date) -> Corrections:
    """What the 14 days before `today` teach about one connection: the sum billed by the sum estimated, from 0.5 to 2.

    Takes about a second per million samples: keep the result for the day.
    """
    raise NotImplementedError


def compare(
    estimates: Mapping[tuple[str, str], Decimal], charges: Iterable[Charge], day: date, currency: str = "USD"
) -> list[DriftSample]:
    """Hold the estimates of one day, by (sub-account id, model), against that day's charges.

    Estimates add up to the samples' exactly, and so do the charges but for credits (a gift is no error of ours) and
    other currencies.
    """
    raise NotImplementedError


def drift(samples: Iterable[DriftSample], today: date) -> Drift | None:
    """How far estimates of the 14 days before `today` lay from the bill; give 28 days of samples. None without any."""
    raise NotImplementedError


def drift_margin(measured: Drift | None) -> Decimal:
    """What an estimate may be wrong by: its worst corrected day, 0.01 at least and 0.5 at most; unmeasured 0.2."""
    raise NotImplementedError


def _over(estimated: Decimal, billed: Decimal) -> Decimal | None:
    return EXACT.divide(EXACT.subtract(estimated, billed), billed) if billed > 0 else None
