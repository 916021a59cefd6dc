"""Roll-ups of usage: what a reading changes about what we hold, and by how much that moves hours and days. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress, repeat
from operator import itemgetter, lt, ne
from typing import NamedTuple

from finops.frozen import frozen
from finops.usage import COUNTS, UsageReading, UsageRow, Width
from storage.errors import AmountOutOfRange

NANO = 10**9
KEY = ("start", "group_id")
VALUES = (*COUNTS, "estimate_nano", "estimate_rest", "unpriced")
# Ten thousand such rows still add up to what the database holds exactly.
_LARGEST = 9 * 10**14

Group = tuple[str, str, str, str, bool]
"""Who used what: sub-account, model, API key, service tier, whether in batch; '' where the provider names nothing."""

Row = tuple[int, ...]
"""One group of one bucket: its KEY, then some or all of its VALUES."""

_NANO_AT, _REST_AT = VALUES.index("estimate_nano"), VALUES.index("estimate_rest")
_FIRST_COUNT = UsageRow._fields.index(COUNTS[0])
# Time and group as one number, so that sorting and looking up compare numbers: no group's id comes near this.
_GROUPS = 1 << 40


class Block(NamedTuple):
    """Rows of one endpoint by columns, sorted by KEY: a poll of a hundred thousand makes no object per row.

    `values` are the columns by their place in VALUES; one that is absent is 0 in every row, as most are.
    """

    starts: Sequence[int]
    groups: Sequence[int]
    values: Mapping[int, Sequence[int]]

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.starts)

    @property
    def buckets(self) -> list[int]:
        """The starts of which it holds anything, ascending."""
        return sorted(set(self.starts))

    def places(self, width: int = 1) -> list[int]:
        """Bucket of `width` minutes and group of each row, as one number."""
        return [
            (start - start % width) * _GROUPS + group for start, group in zip(self.starts, self.groups, strict=True)
        ]

    def rows(self, told: Iterable[int] = range(len(VALUES))) -> list[Row]:
        """Row by row, with the values of these places."""
        nothing = [0] * self.size
        return list(zip(self.starts, self.groups, *(self.values.get(at, nothing) for at in told), strict=True))

    def taken(self, order: Sequence[int]) -> Block:
        """Some of the rows, by number, in that order."""
        return Block(
            [self.starts[n] for n in order],
            [self.groups[n] for n in order],
            {at: [column[n] for n in order] for at, column in self.values.items()},
        )

    def only(self, buckets: Collection[int]) -> Block:
        """The rows of some buckets."""
        kept = [n for n, start in enumerate(self.starts) if start in buckets]
        return self if len(kept) == self.size else self.taken(kept)


NOTHING = Block((), (), {})


class Told(NamedTuple):
    """What a reading told, before its groups have their numbers; rows that count nothing are left out."""

    starts: Sequence[int]
    groups: Sequence[Group]
    values: Mapping[int, Sequence[int]]

    def numbered(self, ids: Mapping[Group, int]) -> Block:
        """Its rows as they will be stored: sorted, and none twice."""
        block = Block(self.starts, [ids[group] for group in self.groups], self.values)
        places = block.places()
        if all(map(lt, places, places[1:])):
            return block
        if len(set(places)) < len(places):
            return moved(Differences(block, NOTHING, ()), 1).block()
        return block.taken(sorted(range(len(places)), key=places.__getitem__))


def prepare(reading: UsageReading, priced: Sequence[tuple[UsageRow, int, bool]]) -> Told:
    """Take a reading apart. Slow for very many rows: call it in a thread.

    Raises AmountOutOfRange rather than keep what would not add up exactly.
    """
    if not all(each[0].requests for each in priced):
        priced = [each for each in priced if any(each[0][_FIRST_COUNT:])]
    rows = [each[0] for each in priced]
    starts = list(map(itemgetter(0), rows))
    buckets = {bucket.start for bucket in reading.buckets}
    if not buckets.issuperset(starts) or not {reading.endpoint}.issuperset(map(itemgetter(1), rows)):
        raise ValueError(f"rows that the reading of {reading.endpoint} did not tell")
    columns: list[Sequence[int]] = [list(map(itemgetter(_FIRST_COUNT + n), rows)) for n in range(len(COUNTS))]
    attos = list(map(itemgetter(1), priced))
    columns += [[atto // NANO for atto in attos], [atto % NANO for atto in attos]]
    columns.append([0 if is_priced else uncounted(row) for row, _, is_priced in priced])
    values = {at: column for at, column in enumerate(columns) if any(column)}
    for column in values.values():
        if max(column) > _LARGEST or min(column) < 0:
            raise AmountOutOfRange(f"usage of {reading.endpoint} beyond what is kept exactly: {max(column)}")
    return Told(starts, list(map(_group, rows)), values)


_group = itemgetter(slice(_FIRST_COUNT - 5, _FIRST_COUNT))


def uncounted(row: UsageRow) -> int:
    """How much of a row without a price is missing from the estimate: never nothing."""
    return row.requests or row.quantity or 1


def usage_row(row: Row, endpoint: str, group: Group) -> UsageRow:
    """A stored row, of all VALUES, as the provider told it, or as a sum of such."""
    return UsageRow._make((row[0], endpoint, *group, *row[len(KEY) : len(KEY) + len(COUNTS)]))


class Differences(NamedTuple):
    """What is told and was not held so, what was held and is told otherwise, and the keys of what is gone."""

    fresh: Block
    gone: Block
    removed: Sequence[Row]


UNCHANGED = Differences(NOTHING, NOTHING, ())


def differences(told: Block, held: Block) -> Differences:
    """Compare what a reading told with what is held of the same buckets."""
    if not held.size:
        return Differences(told, NOTHING, ())
    columns = sorted({*told.values, *held.values})
    mine, theirs = told.rows(columns), held.rows(columns)
    fresh: list[int] = []
    gone: list[int] = []
    removed: list[Row] = []
    for start in sorted({*told.starts, *held.starts}):
        now, before = _of(told, start), _of(held, start)
        new, old = mine[now.start : now.stop], theirs[before.start : before.stop]
        if new == old:
            continue
        if told.groups[now.start : now.stop] == held.groups[before.start : before.stop]:
            changed = list(map(ne, new, old))
            fresh += compress(now, changed)
            gone += compress(before, changed)
            continue
        known, still, kept = set(old), set(new), {row[:2] for row in new}
        fresh += [n for n in now if mine[n] not in known]
        gone += [n for n in before if theirs[n] not in still]
        removed += [row[:2] for row in old if row[:2] not in kept]
    everything = told if len(fresh) == told.size else told.taken(fresh)
    return Differences(everything, held.taken(gone), removed)


def _of(block: Block, start: int) -> range:
    """The numbers of the rows of one bucket."""
    return range(bisect_left(block.starts, start), bisect_left(block.starts, start + 1))


class Moves(NamedTuple):
    """By how much coarser rows move: for each place (bucket and group), the sums of the columns that move at all."""

    places: Sequence[int]
    sums: Mapping[int, Sequence[int]]

    @property
    def buckets(self) -> set[int]:
        """The starts of what moves."""
        return {place // _GROUPS for place in self.places}

    @property
    def shrinks(self) -> bool:
        """Whether anything became less, so that something may have come to nothing."""
        return any(min(column, default=0) < 0 for column in self.sums.values())

    def without(self, buckets: Collection[int]) -> Moves:
        """All but those of some buckets."""
        if not buckets:
            return self
        kept = [n for n, place in enumerate(self.places) if place // _GROUPS not in buckets]
        return Moves(
            [self.places[n] for n in kept], {at: [column[n] for n in kept] for at, column in self.sums.items()}
        )

    def widened(self, width: int) -> Moves:
        """The same moves, added up to still coarser buckets."""
        coarser = [place - place // _GROUPS % width * _GROUPS for place in self.places]
        numbers = {place: n for n, place in enumerate(dict.fromkeys(coarser))}
        at = [numbers[place] for place in coarser]
        return Moves(
            list(numbers), {name: _added(column, at, [0] * len(numbers)) for name, column in self.sums.items()}
        )

    def and_also(self, other: Moves) -> Moves:
        """Both, where they move different buckets."""
        before, after = [0] * len(self.places), [0] * len(other.places)
        columns = sorted({*self.sums, *other.sums})
        return Moves(
            [*self.places, *other.places],
            {at: [*self.sums.get(at, before), *other.sums.get(at, after)] for at in columns},
        )

    def block(self) -> Block:
        """As rows, sorted; the rest of an amount is in 0 ≤ rest < 1e9. What moves by nothing is left out."""
        sums = dict(self.sums)
        if _REST_AT in sums:
            rests = sums[_REST_AT]
            nanos = sums.get(_NANO_AT, repeat(0, len(rests)))
            sums[_NANO_AT] = [nano + rest // NANO for nano, rest in zip(nanos, rests, strict=True)]
            sums[_REST_AT] = [rest % NANO for rest in rests]
        moving = [n for n, moves in enumerate(zip(*sums.values(), strict=True)) if any(moves)]
        order = sorted(moving, key=self.places.__getitem__)
        places = [self.places[n] for n in order]
        values = {at: [column[n] for n in order] for at, column in sums.items()}
        return Block([place // _GROUPS for place in places], [place % _GROUPS for place in places], values)


def moved(changed: Differences, width: int) -> Moves:
    """The differences added up to buckets of `width` minutes, exactly."""
    more, less = changed.fresh.places(width), changed.gone.places(width)
    numbers = {place: n for n, place in enumerate(dict.fromkeys((*more, *less)))}
    to, off = [numbers[place] for place in more], [numbers[place] for place in less]
    sums: dict[int, Sequence[int]] = {}
    for at in sorted({*changed.fresh.values, *changed.gone.values}):
        column = _added(changed.fresh.values.get(at, ()), to, [0] * len(numbers))
        sums[at] = _added((-value for value in changed.gone.values.get(at, ())), off, column)
    return Moves(list(numbers), sums)


def _added(values: Iterable[int], at: Sequence[int], sums: list[int]) -> list[int]:
    """Add each value to the sum of its number. Values that are absent are all 0."""
    for n, value in zip(at, values, strict=False):
        sums[n] += value
    return sums


@frozen
class Stretch:
    """An unbroken stretch of time that was read: [start, end), minutes since 1970."""

    start: int
    end: int

    def covers(self, start: int, width: int) -> bool:
        """Whether a whole bucket lies in it."""
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


def whole_buckets(start: int, end: int, width: Width) -> tuple[int, int]:
    """The part of [start, end) that whole buckets of this width fill."""
    return -(-start // width) * width, end - end % width
