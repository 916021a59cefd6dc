"""Roll-ups of usage: what a reading changes about what we hold, and by how much that moves hours and days. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import add, itemgetter, neg, sub
from typing import Any, NamedTuple

from finops.usage import COUNTS, UsageReading, UsageRow, Width
from storage.errors import AmountOutOfRange

NANO = 10**9
KEY = ("start", "sub_account_id", "model", "api_key_id", "service_tier", "is_batch")
VALUES = (*COUNTS, "estimate_nano", "estimate_rest", "unpriced")
# Ten thousand such rows still add up to what the database holds exactly.
_LARGEST = 9 * 10**14

Row = tuple[Any, ...]
"""One stored group: its KEY, then its VALUES. The workspace, connection and endpoint are the same for all at hand."""

_KEYED = len(KEY)
_NANO_AT, _REST_AT = VALUES.index("estimate_nano"), VALUES.index("estimate_rest")


def prepare(reading: UsageReading, priced: Sequence[tuple[UsageRow, int, bool]]) -> list[Row]:
    """The rows of a reading as they will be stored, those that count nothing left out; sorted, none twice.

    Slow for very many: call it in a thread. Raises AmountOutOfRange rather than keep a sum that is not exact.
    """
    told = {bucket.start for bucket in reading.buckets}
    rows = [
        (row[0], *row[2:], atto // NANO, atto % NANO, 0 if is_priced else _uncounted(row))
        for row, atto, is_priced in priced
        if any(row[7:])
    ]
    if any(row[1] != reading.endpoint for row, _, _ in priced) or not told.issuperset({row[0] for row in rows}):
        raise ValueError(f"rows that the reading of {reading.endpoint} did not tell")
    rows.sort()
    if len({row[:_KEYED] for row in rows}) < len(rows):
        rows = sorted((*key, *_carried(values)) for key, values in _sums(rows, range(len(VALUES))).items())
    for column in list(zip(*rows, strict=True))[_KEYED:]:
        if max(column) > _LARGEST or min(column) < 0:
            raise AmountOutOfRange(f"usage of {reading.endpoint} beyond what is kept exactly: {max(column)}")
    return rows


def usage_row(row: Row, endpoint: str) -> UsageRow:
    """A stored row as the provider told it, or as a sum of such."""
    return UsageRow._make(
        (row[0], endpoint, *row[1 : _KEYED - 1], bool(row[_KEYED - 1]), *row[_KEYED : _KEYED + len(COUNTS)])
    )


def repriced_row(row: Row, atto: int, *, is_priced: bool) -> Row:
    """A stored row with another price."""
    counts = row[_KEYED : _KEYED + len(COUNTS)]
    unpriced = 0 if is_priced else counts[0] or counts[-1] or 1
    return (*row[:_KEYED], *counts, atto // NANO, atto % NANO, unpriced)


def _uncounted(row: UsageRow) -> int:
    return row.requests or row.quantity or 1


class Differences(NamedTuple):
    """What is told and was not held so, what was held and is told otherwise, and the keys of what is gone."""

    fresh: Sequence[Row]
    gone: Sequence[Row]
    removed: Sequence[Row]


def differences(told: Sequence[Row], held: Sequence[Row]) -> Differences:
    """Compare what a reading told with what is held of the same buckets."""
    if not held:
        return Differences(told, (), ())
    known = set(held)
    fresh = [row for row in told if row not in known]
    if len(told) - len(fresh) == len(held):
        return Differences(fresh, (), ())
    still = set(told)
    gone = [row for row in held if row not in still]
    kept = {row[:_KEYED] for row in fresh}
    return Differences(fresh, gone, [row[:_KEYED] for row in gone if row[:_KEYED] not in kept])


class Moves(NamedTuple):
    """By how much each coarser row moves, for the columns (places in VALUES) that move at all."""

    columns: tuple[int, ...]
    by: dict[Row, tuple[int, ...]]

    @property
    def starts(self) -> set[int]:
        return {key[0] for key in self.by}

    def without(self, starts: Collection[int]) -> Moves:
        """All but those of some buckets."""
        if not starts:
            return self
        return Moves(self.columns, {key: values for key, values in self.by.items() if key[0] not in starts})

    def rows(self) -> list[Row]:
        """As rows whose rest is in 0 ≤ rest < 1e9, sorted."""
        return sorted((*key, *self._carried(values)) for key, values in self.by.items())

    def _carried(self, values: tuple[int, ...]) -> tuple[int, ...]:
        full = [0] * len(VALUES)
        for place, value in zip(self.columns, values, strict=True):
            full[place] = value
        return _carried(full)


def moved(changed: Differences, width: int) -> Moves:
    """The differences added up to buckets of `width` minutes, exactly; what comes to nothing is left out."""
    columns = _moving((*changed.fresh, *changed.gone) if changed.gone else changed.fresh)
    if not columns:
        return Moves((), {})
    sums = _sums(changed.fresh, columns, width)
    for key, values in _sums(changed.gone, columns, width).items():
        before = sums.get(key)
        sums[key] = tuple(map(neg, values)) if before is None else tuple(map(sub, before, values))
    return Moves(columns, {key: values for key, values in sums.items() if any(values)})


def widened(moves: Moves, width: int) -> Moves:
    """The same moves, added up to still coarser buckets."""
    sums: dict[Row, tuple[int, ...]] = {}
    for key, values in moves.by.items():
        coarser = (key[0] - key[0] % width, *key[1:])
        before = sums.get(coarser)
        sums[coarser] = values if before is None else tuple(map(add, before, values))
    return Moves(moves.columns, {key: values for key, values in sums.items() if any(values)})


def _moving(rows: Sequence[Row]) -> tuple[int, ...]:
    """The places in VALUES in which any row has something: of twelve counts most are of no use to most models."""
    columns = list(zip(*rows, strict=True))[_KEYED:]
    return tuple(place for place, column in enumerate(columns) if any(column))


def _sums(rows: Iterable[Row], columns: Sequence[int], width: int = 1) -> dict[Row, tuple[int, ...]]:
    values = itemgetter(*(_KEYED + place for place in columns)) if len(columns) > 1 else None
    sums: dict[Row, tuple[int, ...]] = {}
    for row in rows:
        start = row[0]
        key = (start - start % width, *row[1:_KEYED])
        told = values(row) if values else (row[_KEYED + columns[0]],)
        before = sums.get(key)
        sums[key] = told if before is None else tuple(map(add, before, told))
    return sums


def _carried(values: Sequence[int]) -> tuple[int, ...]:
    """With what exceeds a nano-unit carried over, so that the rest stays in 0 ≤ rest < 1e9."""
    more, rest = divmod(values[_REST_AT], NANO)
    return (*values[:_NANO_AT], values[_NANO_AT] + more, rest, *values[_REST_AT + 1 :])


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken stretch of time that was read: [start, end), minutes since 1970."""

    start: int
    end: int

    def covers(self, start: int, width: int) -> bool:
        return self.start <= start and start + width <= self.end


def extended(known: Stretch | None, start: int, end: int) -> Stretch | None:
    """What is read without a gap after another reading: together where they touch, else the later of the two."""
    if end <= start:
        return known
    if known is None or start > known.end:
        return Stretch(start, end)
    if end < known.start:
        return known
    return Stretch(min(known.start, start), max(known.end, end))


def covered_by(stretch: Stretch | None, start: int, width: int) -> bool:
    """Whether a whole bucket lies in what was read."""
    return stretch is not None and stretch.covers(start, width)


def whole_buckets(start: int, end: int, width: Width) -> tuple[int, int]:
    """The part of [start, end) that whole buckets of this width fill."""
    return -(-start // width) * width, end - end % width
