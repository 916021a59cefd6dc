"""One clock for several processes: the real time and what was added to it, which all of them read from one file."""

from __future__ import annotations

import mmap
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_ADDED = struct.Struct("<q")  # microseconds
_INSTANT = timedelta(microseconds=1)


class SharedClock:
    """Real time plus what the file says; call it for the moment it shows. Whoever moves it moves it for everybody."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(_ADDED.pack(0))
        handle = os.open(path, os.O_RDWR)
        try:
            self._file = mmap.mmap(handle, _ADDED.size)
        finally:
            os.close(handle)

    def __call__(self) -> datetime:
        (added,) = _ADDED.unpack(self._file)
        return datetime.now(UTC) + timedelta(microseconds=added)

    def move_to(self, moment: datetime) -> None:
        """From now on it is `moment`. Eight bytes are written at once, so nobody reads half a move."""
        self._file[:] = _ADDED.pack((moment - datetime.now(UTC)) // _INSTANT)
