"""Comparing what must have been said with what the simulated Slack holds, and the tables of it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from demo.openai.traffic import day_minute
from demo.replay_plan import Plan
from demo.replay_truth import LOUD, Expected, Truth

Message = Mapping[str, Any]
_KEY = re.compile(r"incident:(\d+)(?::(\w+)(?::(\d+))?.*)?")
_CLOSED_AFTER = 120  # minutes into the next day; the play ends in a day of which nothing can be said yet
BLIND_WORDS = ("확인 불가", "다시 읽")


@dataclass(frozen=True, slots=True)
class Clocks:
    """When a root message was wanted and stood: from seeing it, and from when the provider could first have told."""

    detected: timedelta | None
    available: timedelta | None


@dataclass
class Row:
    """One budget on one day: what was to be said, and what was."""

    expected: Expected
    runaways: str
    roots: int = 0
    lines: int = 0
    closings: int = 0
    duplicates: int = 0
    misses: list[str] = field(default_factory=list)
    clocks: Clocks = Clocks(None, None)

    @property
    def is_worth_a_line(self) -> bool:
        return bool(self.expected.may_speak or self.roots or self.misses or self.runaways)


@dataclass
class Comparison:
    """Everything that was compared; `strangers` are messages that nothing explains."""

    rows: list[Row]
    strangers: list[str]
    sights: int

    @property
    def duplicates(self) -> int:
        return sum(row.duplicates for row in self.rows)

    @property
    def misses(self) -> int:
        return sum(len(row.misses) for row in self.rows)

    @property
    def is_exact(self) -> bool:
        return not (self.duplicates or self.misses or self.strangers)


def compared(
    truth: Truth,
    plan: Plan,
    anchor: date,
    messages: Iterable[Message],
    incidents: Mapping[int, tuple[str, date]],
    clocks: Mapping[int, Clocks],
) -> Comparison:
    """Hold everything Slack holds against the truth. `incidents` says by id which budget and day each is about."""
    said: defaultdict[tuple[str, date], list[tuple[str, Message]]] = defaultdict(list)
    strangers, sights = [], 0
    for message in messages:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        found = _KEY.fullmatch(str(payload.get("key", "")))
        if found and int(found[1]) in incidents:
            said[incidents[int(found[1])]].append((str(payload["key"]), message))
        elif any(words in str(message.get("text")) for words in BLIND_WORDS):
            sights += 1
        else:
            strangers.append(str(message.get("text"))[:160])
    rows = []
    for one in truth.expected():
        row = Row(one, _runaways(plan, anchor, one))
        ids = [number for number, where in incidents.items() if where == (one.limit.name, one.day)]
        row.clocks = next((clocks[number] for number in ids if number in clocks), row.clocks)
        _judge(row, truth, said.pop((one.limit.name, one.day), []))
        rows.append(row)
    strangers += [str(message.get("text"))[:160] for each in said.values() for _, message in each]
    return Comparison(rows, strangers, sights)


def _judge(row: Row, truth: Truth, said: Sequence[tuple[str, Message]]) -> None:
    one, times = row.expected, Counter(key for key, _ in said)
    parts = {key: _parts(key) for key in times}
    row.roots = sum(count for key, count in times.items() if parts[key][0] == "root")
    row.lines = sum(count for key, count in times.items() if parts[key][0] == "crossed")
    row.closings = sum(count for key, count in times.items() if parts[key][0] == "closed")
    row.duplicates = sum(count - 1 for count in times.values())
    row.duplicates += max(0, len({key for key in times if parts[key][0] == "root"}) - 1)
    told = {level: message for key, message in said if (level := parts[key][1]) is not None}
    _judge_levels(row, truth, dict(sorted(told.items())))
    if one.must_speak and not row.roots:
        row.misses.append("no message")
    is_over = truth.readings[-1] >= day_minute(one.day + timedelta(days=1)) + _CLOSED_AFTER
    if row.roots and is_over and not row.closings:
        row.misses.append("no closing line")
    for key, message in said:
        if parts[key][0] == "root":
            if is_over and ("edited" not in message or not _is_closed(message)):
                row.misses.append("no closing edit")
            if one.limit.name not in str(message.get("text")):
                row.misses.append(f"{one.limit.name} is not named")


def _judge_levels(row: Row, truth: Truth, told: Mapping[int, Message]) -> None:
    """Each level told once, at the reading that showed it first, and only if it was reached."""
    by_level = {one.level: one for one in row.expected.levels}
    before = 0
    covered: set[int] = set()
    for level, message in told.items():
        at = truth.reading_at(datetime.fromtimestamp(float(message["ts"]), UTC))
        for each in [one for one in by_level.values() if before < one.level <= level]:
            covered.add(each.level)
            is_in_time = each.may <= at and (each.must is None or at <= each.must)
            # Quiet levels are told when the first loud one is: then they have been true for long.
            if each.level >= LOUD and not is_in_time:
                row.misses.append(f"{each.level}% told at reading {at}, expected {each.may}..{each.must}")
        if level not in by_level:
            row.misses.append(f"{level}% was not reached")
        if f"{level}%" not in str(message.get("text")):
            row.misses.append(f"{level}% is not said in its line")
        before = level
    if row.expected.must_speak:
        missing = [one.level for one in by_level.values() if one.must is not None and one.level not in covered]
        row.misses += [f"{level}% not told" for level in missing]


def _parts(key: str) -> tuple[str, int | None]:
    found = _KEY.fullmatch(key)
    assert found is not None
    if found[2] is None:
        return "root", None
    return found[2], int(found[3]) if found[2] == "crossed" and found[3] else None


def _is_closed(message: Message) -> bool:
    """What is over has nothing left to silence."""
    actions = [element for block in message.get("blocks", []) for element in block.get("elements", [])]
    return not any(str(one.get("action_id", "")).startswith("incident.silence") for one in actions)


def _runaways(plan: Plan, anchor: date, one: Expected) -> str:
    number = (one.day - anchor).days
    return ", ".join(
        runaway.words
        for runaway in plan.runaways
        if runaway.application in one.limit.applications
        and runaway.begins < (number + 1) * 1440
        and runaway.ends > number * 1440
    )


def table(rows: Sequence[Row]) -> str:
    """The table of a replay, one line for each budget and day on which something was or should have been said."""
    head = (
        "runaway", "budget", "day", "levels reached", "root", "lines", "closed", "twice", "missed",
        "detected→delivered", "available→delivered",
    )  # fmt: skip
    cells = [
        (
            row.runaways or "-",
            f"{row.expected.limit.name} ${row.expected.limit.amount}",
            str(row.expected.day),
            " ".join(f"{one.level}{'' if one.must is not None else '?'}" for one in row.expected.levels) or "none",
            f"{row.roots}/{int(row.expected.must_speak)}",
            f"{row.lines}/{row.expected.lines if row.expected.must_speak else 0}",
            f"{row.closings}/{int(row.expected.must_speak)}",
            str(row.duplicates),
            "; ".join(row.misses) or "0",
            _seconds(row.clocks.detected),
            _seconds(row.clocks.available),
        )
        for row in rows
        if row.is_worth_a_line
    ]
    return aligned(head, cells)


def aligned(head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be, with two spaces between them."""
    widths = [max(len(line[n]) for line in (head, *cells)) for n in range(len(head))]
    lines = [head, ["-" * width for width in widths], *cells]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _seconds(time: timedelta | None) -> str:
    return "-" if time is None else f"{time.total_seconds():.1f} s"


@dataclass(frozen=True, slots=True)
class Settled:
    """One project and model over the settled days of a replay: estimated, corrected as of each morning, billed."""

    application: str
    model: str
    days: int
    raw: Decimal
    corrected: Decimal
    billed: Decimal

    @property
    def raw_error(self) -> Decimal:
        return (self.raw - self.billed) / self.billed

    @property
    def error(self) -> Decimal:
        return (self.corrected - self.billed) / self.billed


def settled_table(rows: Sequence[Settled]) -> str:
    """Estimates against the settled bill."""
    head = ("project", "model", "days", "estimate $", "corrected $", "bill $", "raw error", "corrected error")
    whole = Settled("all", "", max((row.days for row in rows), default=0), *(
        sum((getattr(row, name) for row in rows), Decimal(0)) for name in ("raw", "corrected", "billed")
    ))  # fmt: skip
    cells = [
        (
            row.application, row.model, str(row.days), f"{row.raw:.2f}", f"{row.corrected:.2f}", f"{row.billed:.2f}",
            f"{row.raw_error:+.3%}", f"{row.error:+.3%}",
        )
        for row in (*rows, whole)
        if row.billed
    ]  # fmt: skip
    return aligned(head, cells)
