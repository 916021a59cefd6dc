"""The audit trail: who did what to what, as a chain of rows in which every row holds the hash of the one before.

An edited row no longer has its hash, a removed one leaves its successor without the row it names, and the last hash is
kept sealed (`AuditHead`), so that a cut-off end, or a chain calculated anew, is found as well. docs/audit.md says what
this proves and what it cannot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum

from finops.frozen import frozen
from finops.incidents import Fact

# What the first row names as the row before it.
GENESIS = "0" * 64


class Outcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditProblem(StrEnum):
    """What is wrong with a chain."""

    EDITED = "edited"  # a row is not what was written
    REMOVED = "removed"  # rows before this one are gone
    REORDERED = "reordered"  # a row stands in another one's place
    CUT_OFF = "cut_off"  # the newest rows are gone
    ADDED = "added"  # rows follow that the sealed head does not know
    REWRITTEN = "rewritten"  # the rows fit each other, but not the sealed head: they were calculated anew
    HEAD_FORGED = "head_forged"  # the head is gone, or its seal is not ours


@frozen
class AuditEntry:
    """One act. `actor` is a user id, None for the product itself; `action` is `<noun>.<verb past>`.

    `subject` names what it was done to (`project:12`, empty for the workspace). `details` are ids and facts, amounts as
    decimal strings; never a secret, a prompt or an e-mail address. What was read back may be anything: somebody may
    have edited it.
    """

    at: datetime
    actor: str | None
    action: str
    subject: str = ""
    outcome: str = Outcome.DONE
    details: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def noun(self) -> str:
        """The kind of thing it was about: the action up to its first dot."""
        return self.action.partition(".")[0]


@frozen
class AuditRow:
    """An act in its place: `seq` counts from 1 without a gap within a workspace."""

    seq: int
    prev_hash: str
    hash: str
    entry: AuditEntry


@frozen
class AuditHead:
    """The end of a chain as it was sealed last: the `seq` and hash of its newest row.

    `is_genuine` says whether the seal opens with our keys and holds this very seq and hash.
    """

    seq: int
    hash: str
    is_genuine: bool


@frozen
class AuditFilter:
    """Which rows are looked for; what is left out does not narrow. `since` is included.

    `nouns` are kinds of things (`AuditEntry.noun`), any of them.
    """

    nouns: tuple[str, ...] = ()
    actor: str | None = None
    outcome: str | None = None
    since: datetime | None = None


COMMAND = "command."
"""How a refusal names a command that was typed; a button or window has the name of its id."""


class AuditKind(StrEnum):
    """What the acts one may look for were about."""

    ALL = "all"
    STOPS = "stops"
    BUDGETS = "budgets"
    INCIDENTS = "incidents"
    KEYS = "keys"
    PROJECTS = "projects"
    TEAMS = "teams"  # and who administers, and what they set for everybody
    COLLECTING = "collecting"
    LEARNING = "learning"  # polls, decisions, feedback, interviews
    REFUSALS = "refusals"  # of any kind


_NOUNS: dict[AuditKind, tuple[str, ...]] = {
    AuditKind.STOPS: ("stop", "lead"),
    AuditKind.BUDGETS: ("budget", "budgets"),
    AuditKind.INCIDENTS: ("incident",),
    AuditKind.KEYS: ("key",),
    AuditKind.PROJECTS: ("project", "token", "target", "caps"),
    AuditKind.TEAMS: ("team", "admin", "app", "digest", "currency", "audit"),
    AuditKind.COLLECTING: ("collection", "collect", "bill"),
    AuditKind.LEARNING: ("poll", "decision", "effect", "feedback", "interview"),
}


def filter_of(kind: AuditKind, actor: str | None = None, since: datetime | None = None) -> AuditFilter:
    """The filter for acts about one kind of thing, by one person, from a moment on; None: by all, of all time."""
    outcome = Outcome.REFUSED if kind is AuditKind.REFUSALS else None
    return AuditFilter(_NOUNS.get(kind, ()), actor, outcome, since)


@frozen
class AuditVerdict:
    """Whether a chain is intact. `rows` were looked at; `first_bad_seq` is where the first thing is wrong.

    `head` is the hash of the newest row, to be noted down elsewhere; GENESIS of an empty chain.
    """

    ok: bool
    rows: int
    first_bad_seq: int | None = None
    problem: AuditProblem | None = None
    head: str = GENESIS


@frozen
class AuditPage:
    """What a window of the trail shows: the newest rows first. `has_older` says whether more follow.

    `verdict` is of the whole chain, as it was looked at `checked_at`.
    """

    rows: tuple[AuditRow, ...]
    has_older: bool
    verdict: AuditVerdict
    checked_at: datetime


def canonical(workspace_id: str, seq: int, entry: AuditEntry) -> bytes:
    """The one way to write a row: JSON with sorted keys, no blanks, ASCII, the time in UTC to the microsecond."""
    details = entry.details
    if isinstance(details, Mapping):
        details = {name: list(each) if isinstance(each, tuple) else each for name, each in details.items()}
    written = {
        "action": str(entry.action),
        "actor": entry.actor,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "details": details,
        "outcome": str(entry.outcome),
        "seq": seq,
        "subject": entry.subject,
        "workspace": workspace_id,
    }
    return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def hash_of(prev_hash: str, workspace_id: str, seq: int, entry: AuditEntry) -> str:
    """The hash of a row in hex: SHA-256 over the hash of the row before, a line break and `canonical`."""
    return hashlib.sha256(str(prev_hash).encode() + b"\n" + canonical(workspace_id, seq, entry)).hexdigest()


def row_after(prev: tuple[int, str] | None, workspace_id: str, entry: AuditEntry) -> AuditRow:
    """The row that follows the newest one, given by its seq and hash; None: the first of the workspace.

    Raises ValueError for a time without a zone, and TypeError for a fact of another type: a float has no one way to be
    written.
    """
    if entry.at.tzinfo is None:
        raise ValueError("an act happened at a time with a zone")
    for name, value in entry.details.items():
        parts = value if isinstance(value, list | tuple) else (value,)
        if not all(part is None or isinstance(part, str | int) for part in parts):
            raise TypeError(f"a fact is words, whole numbers or nothing: {name}")
    seq, prev_hash = (prev[0] + 1, prev[1]) if prev is not None else (1, GENESIS)
    return AuditRow(seq, prev_hash, hash_of(prev_hash, workspace_id, seq, entry), entry)


class Verifying:
    """Looks at a chain row by row, in the order of `seq`, however long it is; `verdict` tells what was found."""

    def __init__(self, workspace_id: str) -> None:
        self._workspace_id = workspace_id
        self._rows = 0
        self._last = GENESIS
        self._bad: AuditRow | None = None
        self._place = 0  # where the bad row stands
        self._wanted = ""  # the hash the bad row should have named
        self._turned_up = False  # whether a later row named it

    def look(self, row: AuditRow) -> None:
        """Take the next row."""
        self._rows += 1
        if self._bad is not None:
            self._turned_up = self._turned_up or row.prev_hash == self._wanted
        elif row.seq != self._rows or row.prev_hash != self._last or not self._is_itself(row, row.seq):
            self._bad, self._place, self._wanted = row, self._rows, self._last
        self._last = row.hash

    def verdict(self, head: AuditHead | None) -> AuditVerdict:
        """What is wrong first. `head` is as of the same moment as the rows; None where none is kept."""
        if self._bad is not None:
            return self._broken(self._place, self._named(self._bad, head))
        if head is None:
            return self._broken(None, AuditProblem.HEAD_FORGED) if self._rows else AuditVerdict(ok=True, rows=0)
        if not head.is_genuine:
            return self._broken(None, AuditProblem.HEAD_FORGED)
        if self._rows < head.seq:
            return self._broken(self._rows + 1, AuditProblem.CUT_OFF)
        if self._rows > head.seq:
            return self._broken(head.seq + 1, AuditProblem.ADDED)
        if self._last != head.hash:
            return self._broken(self._rows, AuditProblem.REWRITTEN)
        return AuditVerdict(ok=True, rows=self._rows, head=self._last)

    def _named(self, bad: AuditRow, head: AuditHead | None) -> AuditProblem:
        """What was done to the first bad row: it is itself elsewhere, or it is not itself at all."""
        if bad.prev_hash != self._wanted:
            # No number of a forged row or end: somebody would have us count for years.
            most = max(self._rows, head.seq if head is not None and head.is_genuine else 0)
            if self._is_itself(bad, bad.seq) or any(self._is_itself(bad, seq) for seq in range(1, most + 1)):
                return AuditProblem.REORDERED if self._turned_up else AuditProblem.REMOVED
        return AuditProblem.EDITED

    def _is_itself(self, row: AuditRow, seq: int) -> bool:
        return row.hash == hash_of(row.prev_hash, self._workspace_id, seq, row.entry)

    def _broken(self, seq: int | None, problem: AuditProblem) -> AuditVerdict:
        return AuditVerdict(ok=False, rows=self._rows, first_bad_seq=seq, problem=problem, head=self._last)


def verified(workspace_id: str, rows: Iterable[AuditRow], head: AuditHead | None) -> AuditVerdict:
    """Whether these rows, in the order of `seq`, are the whole chain of a workspace as it was written."""
    verifying = Verifying(workspace_id)
    for row in rows:
        verifying.look(row)
    return verifying.verdict(head)
