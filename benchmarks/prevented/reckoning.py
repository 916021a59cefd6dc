"""What came of every spike, in exact dollars, and of all of them together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from benchmarks.prevented.playing import Hand, Played
from benchmarks.prevented.spikes import Spike
from finops.hypotheses import Prevented
from finops.money import Money, total

TARGET = Decimal("0.9")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One spike: the dollars over its limit had nobody done anything, and what was spent in whose hands."""

    spike: Spike
    breach: datetime
    without: Decimal
    played: dict[Hand, Played]

    def prevented(self, hand: Hand) -> Prevented:
        """The product's own measure of it (G3): what was prevented, and what was spent all the same."""
        without, spent = Money(self.without), Money(self.played[hand].over)
        return Prevented(without - spent, spent)

    def minutes(self, hand: Hand) -> Decimal | None:
        """From the minute the limit was really spent until the stop's limit stood at the provider; None: never."""
        at = self.played[hand].limited_at
        return None if at is None else Decimal((at - self.breach) // _MINUTE)


def share_of(rows: Sequence[Row], hand: Hand) -> Decimal:
    """The share of all dollars over limits that was prevented: every dollar counts the same.

    Raises ValueError where nothing would have gone over.
    """
    each = [row.prevented(hand) for row in rows]
    share = Prevented(total(one.prevented for one in each), total(one.leaked for one in each)).share
    if share is None:
        raise ValueError("nothing went over a limit, so there is no share to tell")
    return share


def median_of(rows: Sequence[Row], hand: Hand) -> Decimal:
    """The share of the spike in the middle: every spike counts the same."""
    return statistics.median([share_of([row], hand) for row in rows])


_HEAD = (
    "spike", "application", "factor", "begins", "limit", "without",
    *("with", "prevented", "minutes") * 2,
)  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Every spike in the order in which it was drawn, and what they come to; dollars in cents, shares in tenths."""
    hands = (Hand.POLICY, Hand.PERSON)
    cells: list[tuple[str, ...]] = [_HEAD]
    for row in rows:
        spike = row.spike
        first = (spike.kind.value, spike.application, f"{spike.factor}x", f"{spike.begins:%a %H:%M}")
        cells.append((*first, _usd(spike.limit), _usd(row.without), *(word for one in hands for word in _of(row, one))))
    widths = [max(len(each[column]) for each in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(_aligned(word, width, at) for at, (word, width) in enumerate(zip(one, widths, strict=True)))
             for one in cells]  # fmt: skip
    left = sum(widths[:6]) + 2 * 6
    lines.insert(0, " " * left + f"{'by itself':<{sum(widths[6:9]) + 6}}a person, five minutes after the alert")
    lines.append("")
    for hand in hands:
        share, median = share_of(rows, hand), median_of(rows, hand)
        lines.append(f"{hand.value}: {share:.1%} of the dollars over the limit prevented; median spike {median:.1%}")
    largest = max(rows, key=lambda row: row.without)
    if others := [row for row in rows if row is not largest]:
        lines.append(f"by itself without the largest spike: {share_of(others, Hand.POLICY):.1%}")
    return "\n".join(lines)


def _of(row: Row, hand: Hand) -> tuple[str, str, str]:
    minutes = row.minutes(hand)
    return _usd(row.played[hand].over), f"{share_of([row], hand):.1%}", "never" if minutes is None else f"{minutes}"


def _usd(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _aligned(word: str, width: int, column: int) -> str:
    return word.ljust(width) if column in (0, 1, 3) else word.rjust(width)
