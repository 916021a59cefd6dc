"""The verdict on a week: how much of what was spent bought at least what it used to, and how much did not."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from finops.digest import Digest
from finops.frozen import frozen
from finops.money import EXACT, Money, total
from finops.ranking import is_below

# Judged is a week of which at least this share of the spending can be judged; the rest decides nothing.
LEAST_JUDGED = Decimal("0.25")
# Of what can be judged, below its baseline: less than a quarter is well, half or more is not.
STILL_WELL, NO_MORE_WELL = Decimal("0.25"), Decimal("0.5")


class Word(StrEnum):
    """The verdict in one word."""

    WELL = "well"
    MIXED = "mixed"
    POOR = "poor"
    OPEN = "open"  # too little is recorded to say


@frozen
class Verdict:
    """What was spent at its baseline or better (also by who is as usual), below it, and where nothing tells.

    Below is who is below by the rule of the ranking (`finops.ranking.is_below`), whether or not it is in the list.
    The three are the whole, unless credits make that smaller than what its projects cost: then `open` is zero.
    """

    word: Word
    well: Money
    poor: Money
    open: Money


def verdict(digest: Digest) -> Verdict | None:
    """The verdict on a week; None while its cost is unknown, and where nothing was spent."""
    whole = digest.total.amount
    if whole is None or whole.amount <= 0:
        return None
    ranked = [one for one in digest.projects if one.ratio is not None and one.cost.currency == whole.currency]
    well = total((one.cost for one in ranked if not is_below(one)), whole.currency)
    poor = total((one.cost for one in ranked if is_below(one)), whole.currency)
    judged = well + poor
    left = whole - judged
    return Verdict(_word(poor, judged, whole), well, poor, left if left.amount > 0 else Money.zero(whole.currency))


def _word(poor: Money, judged: Money, whole: Money) -> Word:
    if judged.amount <= 0 or judged.amount < EXACT.multiply(whole.amount, LEAST_JUDGED):
        return Word.OPEN
    share = EXACT.divide(poor.amount, judged.amount)
    if share < STILL_WELL:
        return Word.WELL
    return Word.MIXED if share < NO_MORE_WELL else Word.POOR
