"""The five axes of an AI bill: what kind of thing was paid for, read out of the bill's own line items."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from finops.frozen import frozen
from finops.money import Money


class Axis(StrEnum):
    """What kind of thing was paid for: one of five, or what is none of them and shown all the same, never hidden.

    TRAINING is paid once for a model and not for using it: out of scope, so nothing is made of it beyond its share.
    UNMAPPED is what a line item's name does not tell.
    """

    INPUT = "input"
    OUTPUT = "output"
    EMBEDDING = "embedding"
    TOOLS = "tools"  # external calls: searches, tools
    STORAGE = "storage"  # storage and compute: vector stores, sessions
    TRAINING = "training"
    UNMAPPED = "unmapped"


# What is none of the five: told only of a bill that has it.
BESIDE = frozenset((Axis.TRAINING, Axis.UNMAPPED))


@frozen
class AxisShare:
    """One axis of a whole. `ratio` is None where no share exists (the whole is zero or negative).

    `typical` is the range the field calls usual, from and to (0.4 to 0.6); None for what is none of the five.
    """

    axis: Axis
    amount: Money
    ratio: Decimal | None
    typical: tuple[Decimal, Decimal] | None


@frozen
class Axes:
    """A bill by axis: the amounts add up to `total`, and the ratios (rounded to a tenth of a percent) to one."""

    shares: tuple[AxisShare, ...]
    total: Money

    @property
    def biggest(self) -> AxisShare | None:
        """The axis to look at first; None when nothing was paid, or for training alone."""
        paid = [share for share in self.shares if share.ratio is not None and share.amount.amount > 0]
        known = [share for share in paid if share.axis is not Axis.TRAINING]
        return max(known, key=lambda share: share.amount.amount, default=None)
