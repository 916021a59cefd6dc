"""Files for spreadsheets: CSV as they open it, with every name readable and no word taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

# With the mark of its encoding: without it spreadsheets misread every Korean name.
ENCODING = "utf-8-sig"
# What a spreadsheet would take for a formula, also behind blanks; people chose some of these words.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(cell: str) -> str:
    """A cell no spreadsheet takes for a formula: with an apostrophe in front where it would."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def second(at: datetime) -> str:
    """A time as it stands in a cell: in UTC, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows as text, each with its line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def file(rows: Iterable[Iterable[object]]) -> bytes:
    """A whole file of these rows, the names of the columns among them."""
    return lines(rows).encode(ENCODING)
