"""Unchanged: most of what is read again says what it said before. What we know to be stored is not even decoded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from finops.frozen import frozen
from finops.usage import Endpoint, UsageReading

_REMEMBERED = 1_000  # connections times endpoints
_MINUTES = 180
_NOTHING: Mapping[int, int] = MappingProxyType({})


@frozen
class _Told:
    """What one endpoint told of its newest minutes at our last reading, as fingerprints."""

    at: datetime
    version: str
    marks: Mapping[int, int]


class Unchanged:
    """An optimisation only: forgetting all of it costs time and nothing else.

    Holds as long as nobody else has stored a reading since: then what we told the database may not stand there now.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[int, Endpoint], _Told] = OrderedDict()

    def known(
        self, connection_id: int, endpoint: Endpoint, stored_at: datetime | None, version: str
    ) -> Mapping[int, int]:
        """The fingerprints of minutes that stand in the database just so.

        `stored_at` is when the reading that stands there was made, `version` that of the prices.
        """
        told = self._told.get((connection_id, endpoint))
        return _NOTHING if told is None or told.at != stored_at or told.version != version else told.marks

    def remember(self, connection_id: int, reading: UsageReading, at: datetime, version: str) -> None:
        """The reading by minutes made at `at` stands in the database now."""
        oldest = reading.end - _MINUTES
        marks = {start: mark for start, mark in reading.marks.items() if start >= oldest}
        self._told[connection_id, reading.endpoint] = _Told(at, version, marks)
        self._told.move_to_end((connection_id, reading.endpoint))
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def forget(self, connection_id: int, endpoint: Endpoint) -> None:
        """What stands in the database is not what we told it."""
        self._told.pop((connection_id, endpoint), None)
