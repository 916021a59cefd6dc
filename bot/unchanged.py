"""Unchanged: most of what is read again says what it said before. What we know to be stored is not stored again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime

from finops.usage import Endpoint, UsageReading, Width

_REMEMBERED = 1_000  # connections times endpoints
_MINUTES = 180


@dataclass(frozen=True, slots=True)
class _Told:
    """What one endpoint told of its newest minutes at our last reading, as fingerprints."""

    at: datetime
    version: str
    marks: dict[int, int]


class Unchanged:
    """An optimisation only: forgetting all of it costs time and nothing else.

    Holds as long as nobody else has stored a reading since: then what we told the database may not stand there now.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[int, Endpoint], _Told] = OrderedDict()

    def without(
        self, connection_id: int, reading: UsageReading, stored_at: datetime | None, version: str
    ) -> tuple[UsageReading, dict[int, int]]:
        """The reading less the buckets that stand in the database just so, and the fingerprints of all of them.

        `stored_at` is when the reading that stands there was made, `version` that of the prices.
        """
        if reading.width is not Width.MINUTE:
            return reading, {}
        marks = {bucket.start: hash(bucket.rows) for bucket in reading.buckets}
        told = self._told.get((connection_id, reading.endpoint))
        if told is None or told.at != stored_at or told.version != version:
            return reading, marks
        changed = tuple(bucket for bucket in reading.buckets if told.marks.get(bucket.start) != marks[bucket.start])
        return replace(reading, buckets=changed), marks

    def remember(
        self, connection_id: int, reading: UsageReading, at: datetime, version: str, marks: dict[int, int]
    ) -> None:
        """The reading made at `at` stands in the database now."""
        oldest = reading.end - _MINUTES
        kept = {start: mark for start, mark in marks.items() if start >= oldest}
        self._told[connection_id, reading.endpoint] = _Told(at, version, kept)
        self._told.move_to_end((connection_id, reading.endpoint))
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def forget(self, connection_id: int, endpoint: Endpoint) -> None:
        """What stands in the database is not what we told it."""
        self._told.pop((connection_id, endpoint), None)
