"""Traces: who called which model in which hour, read from a CSV file in the documented form.

`hour,application,model,requests,input_tokens,output_tokens[,cached_input_tokens]`; `hour` is a whole number counted
from any start and `input_tokens` includes the cached ones. Columns may stand in any order, others are ignored. What
else people may write is in demo/README.md.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from unicodedata import category

from finops.written import visible

REQUIRED = ("hour", "application", "model", "requests", "input_tokens", "output_tokens")
CACHED = "cached_input_tokens"
LONGEST_HOURS = 10 * 366 * 24
MOST_MISTAKES_TOLD = 20
# Who counts with a table that knows fractions (pandas, where one cell of a column is empty) writes 300 as 300.0.
_WHOLE_NUMBER = re.compile(r"([0-9]{1,18})(?:\.0+)?")
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_GZIP_MAGIC = b"\x1f\x8b"


class TraceError(ValueError):
    """The trace cannot be used; the text says, one sentence a line, which line is wrong and why."""


class Usage(NamedTuple):
    """What one application asked of one model in some time. `uncached` and `cached` together are the input."""

    requests: int = 0
    uncached: int = 0
    cached: int = 0
    output: int = 0

    @property
    def input(self) -> int:
        return self.uncached + self.cached

    def plus(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.uncached + other.uncached,
            self.cached + other.cached,
            self.output + other.output,
        )

    def minus(self, other: Usage) -> Usage:
        return Usage(
            self.requests - other.requests,
            self.uncached - other.uncached,
            self.cached - other.cached,
            self.output - other.output,
        )

    def scaled(self, numerator: int, denominator: int) -> Usage:
        """Every count times a ratio, rounded down: cached tokens can never outgrow the input."""
        return Usage(*(count * numerator // denominator for count in self))


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Series:
    """One application's use of one model, hour by hour. An hour without requests has no entry."""

    application: str
    model: str
    hours: Mapping[int, Usage]
    tells_cached: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """Every series of a trace, ordered by application and model. Never empty."""

    series: tuple[Series, ...]
    first_hour: int
    last_hour: int

    @property
    def applications(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.application for one in self.series))

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({one.model for one in self.series}))


def read_trace(path: Path) -> Trace:
    """Read a trace file, plain or gzipped. Raises TraceError naming every mistake with its line number."""
    try:
        raw = path.read_bytes()
        if raw.startswith(_GZIP_MAGIC):
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8-sig")
    except EOFError as error:
        raise TraceError(f"{path}: the gzip file ends too early; copy it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise TraceError(f"{path}: the gzip file is damaged ({error}); copy it again.") from error
    except OSError as error:
        raise TraceError(f"{path}: the file cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TraceError(
            f"{path} line {line}: this is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from error
    return parse_trace(io.StringIO(text, newline=""), str(path))


def parse_trace(lines: Iterable[str], source: str = "trace") -> Trace:
    """Read a trace from lines of CSV. Rows that repeat hour, application and model are added up."""
    rows = Rows(lines)
    mistakes: list[str] = []
    hours: dict[tuple[str, str], dict[int, Usage]] = {}
    tells_cached: set[tuple[str, str]] = set()
    try:
        columns = _columns(next(rows, []), f"{source} line {rows.line}")
        for row in rows:
            read = _row(row, columns)
            if isinstance(read, str):
                mistakes.append(f"{source} line {rows.line}: {read}")
                if len(mistakes) > MOST_MISTAKES_TOLD:
                    break
                continue
            key, hour, usage, has_cached = read
            series = hours.setdefault(key, {})
            seen = series.get(hour)
            series[hour] = usage if seen is None else seen.plus(usage)
            if has_cached:
                tells_cached.add(key)
    except csv.Error as error:
        mistakes.append(f"{source} line {rows.line}: this is not CSV: {error}. Look at its quotation marks.")
    if mistakes:
        told = mistakes[:MOST_MISTAKES_TOLD]
        rest = ["... and more; these come first."] if len(mistakes) > MOST_MISTAKES_TOLD else []
        raise TraceError("\n".join(told + rest))
    if not hours:
        raise TraceError(f"{source}: there is no row below the header; a trace needs at least one hour.")
    return _trace(hours, tells_cached, source)


class Rows:
    """The rows of a CSV file that hold anything; `line` is where the last one begins, for a cell may have several."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._reader = csv.reader(lines, strict=True)
        self.line = 1

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        while True:
            self.line = self._reader.line_num + 1
            row = next(self._reader)
            if any(map(str.strip, row)):
                return row


def _trace(hours: dict[tuple[str, str], dict[int, Usage]], tells_cached: set[tuple[str, str]], source: str) -> Trace:
    first = min(min(series) for series in hours.values())
    last = max(max(series) for series in hours.values())
    if last - first >= LONGEST_HOURS:
        raise TraceError(
            f"{source}: the hours run from {first} to {last}, more than ten years. "
            "hour counts hours, not seconds or minutes."
        )
    series = tuple(
        Series(application, model, hours[application, model], (application, model) in tells_cached)
        for application, model in sorted(hours)
    )
    return Trace(series, first, last)


def _columns(header: list[str], where: str) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        given = f"it reads {','.join(header)[:80]!r}" if header else "the file is empty"
        raise TraceError(
            f"{where}: the header has no {', '.join(missing)}; {given}. "
            f"A trace is CSV with commas and starts with: {','.join(REQUIRED)}[,{CACHED}]"
        )
    known = (*REQUIRED, CACHED)
    if twice := sorted({name for name in names if name in known and names.count(name) > 1}):
        raise TraceError(f"{where}: the header names {', '.join(twice)} twice.")
    return {name: names.index(name) for name in known if name in names} | {"": len(names)}


def _row(row: list[str], columns: dict[str, int]) -> tuple[tuple[str, str], int, Usage, bool] | str:
    """One row's key, hour, counts and whether it told of cached tokens; or a sentence that says what is wrong."""
    if len(row) != columns[""]:
        advice = "A name with a comma needs quotation marks." if len(row) > columns[""] else "The end of it is missing."
        return f"{len(row)} columns where the header has {columns['']}. {advice}"
    application, model = row[columns["application"]].strip(), row[columns["model"]].strip()
    for name, cell in (("application", application), ("model", model)):
        if wrong := _name_problem(cell):
            return f"{name} {wrong}."
    numbers: dict[str, int] = {}
    for name in ("hour", "requests", "input_tokens", "output_tokens", CACHED):
        if name not in columns:
            continue
        cell = row[columns[name]].strip()
        if name == CACHED and not cell:
            continue
        if (found := _WHOLE_NUMBER.fullmatch(cell)) is None:
            advice = " Count the hours from any start: 0, 1, 2." if name == "hour" else ""
            return f"{name} must be a whole number of at most 18 digits, not {cell[:40]!r}.{advice}"
        numbers[name] = int(found[1])
    cached = numbers.get(CACHED, 0)
    if cached > numbers["input_tokens"]:
        return f"{CACHED} ({cached}) cannot exceed input_tokens ({numbers['input_tokens']}), which includes them."
    usage = Usage(numbers["requests"], numbers["input_tokens"] - cached, cached, numbers["output_tokens"])
    return (application, model), numbers["hour"], usage, CACHED in numbers


@lru_cache(maxsize=4096)
def _name_problem(name: str) -> str | None:
    """What is wrong with a name, None for nothing. Whatever people see may stand in it: emoji newer than this Python,
    too, and the joiners that hold them together."""
    if not visible(name).strip():
        return "is empty"
    if any(category(letter) in _BREAKS for letter in name):
        return f"may not hold line breaks, tabs or other control characters: {name[:40]!r}"
    return None
