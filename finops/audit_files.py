"""The audit trail as a file: CSV for people, JSON lines for programs, which can calculate every hash anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from finops import spreadsheets
from finops.audit import AuditRow, canonical
from finops.spreadsheets import safe

CSV = "csv"
JSONL = "jsonl"
FORMS = (CSV, JSONL)
_COLUMNS = ("seq", "at", "actor", "action", "subject", "outcome", "details", "prev_hash", "hash")


def lines(rows: Iterable[AuditRow], workspace_id: str, form: str) -> Iterator[str]:
    """The file line by line, each with its line end. Raises ValueError for another form than `csv` or `jsonl`."""
    if form not in FORMS:
        raise ValueError(f"a trail is written as {' or '.join(FORMS)}, not as {form}")
    if form == CSV:
        yield head(form)
    for row in rows:
        yield line(row, workspace_id, form)


def head(form: str) -> str:
    """What stands above the first row: the names of the columns in a CSV, nothing in JSON lines."""
    return spreadsheets.lines([_COLUMNS]) if form == CSV else ""


def line(row: AuditRow, workspace_id: str, form: str) -> str:
    """One row, with its line end."""
    return _csv(row) if form == CSV else _json(row, workspace_id)


def encoded(rows: Iterable[AuditRow], workspace_id: str, form: str) -> bytes:
    """The whole file."""
    return "".join(lines(rows, workspace_id, form)).encode(encoding_of(form))


def encoding_of(form: str) -> str:
    """How the lines are to be written."""
    return spreadsheets.ENCODING if form == CSV else "utf-8"


def _json(row: AuditRow, workspace_id: str) -> str:
    """What was hashed, in the order in which it was hashed, and the two hashes."""
    told = json.loads(canonical(workspace_id, row.seq, row.entry))
    return json.dumps({**told, "prev_hash": row.prev_hash, "hash": row.hash}, separators=(",", ":")) + "\n"


def _csv(row: AuditRow) -> str:
    entry = row.entry
    details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True) if entry.details else ""
    told = (entry.actor or "", entry.action, entry.subject, entry.outcome, details)
    cells = (row.seq, entry.at.isoformat(), *(safe(str(each)) for each in told), row.prev_hash, row.hash)
    return spreadsheets.lines([cells])
