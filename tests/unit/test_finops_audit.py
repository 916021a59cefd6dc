"""The audit trail: whatever is done to a chain afterwards is found and named; an untouched one is always fine."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.audit import (
    GENESIS,
    AuditEntry,
    AuditHead,
    AuditProblem,
    AuditRow,
    AuditVerdict,
    Outcome,
    row_after,
    verified,
)
from finops.audit_files import CSV, JSONL, lines
from finops.spreadsheets import safe

WORKSPACE = "T0FINOPS01"
NOW = datetime(2026, 7, 3, 5, 9, 1, 250_000, tzinfo=UTC)

facts = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.lists(st.integers(), max_size=3))
entries = st.builds(
    AuditEntry,
    at=st.datetimes(
        *(datetime(year, 1, 1) for year in (2020, 2100)),  # noqa: DTZ001 - the zone is drawn beside them
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
    ),
    actor=st.none() | st.sampled_from(["U0JIHOON01", "U0MINSU001"]),
    action=st.sampled_from(["team.created", "budget.changed", "key.deleted"]),
    subject=st.sampled_from(["", "team:1", "budget:12"]),
    outcome=st.sampled_from(list(Outcome)),
    details=st.dictionaries(st.sampled_from(["name", "amount", "levels", "by"]), facts, max_size=3),
)
chains = st.lists(entries, min_size=1, max_size=7).map(lambda some: chained(some))


def chained(some: Sequence[AuditEntry]) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for entry in some:
        rows.append(row_after((rows[-1].seq, rows[-1].hash) if rows else None, WORKSPACE, entry))
    return rows


def head_of(rows: Sequence[AuditRow]) -> AuditHead:
    return AuditHead(rows[-1].seq, rows[-1].hash, is_genuine=True)


def judged(rows: Sequence[AuditRow], head: AuditHead | None) -> tuple[AuditProblem | None, int | None]:
    verdict = verified(WORKSPACE, rows, head)
    assert verdict.ok == (verdict.problem is None)
    return verdict.problem, verdict.first_bad_seq


@given(rows=chains)
@settings(max_examples=20)
def test_an_untouched_chain_is_always_fine(rows: list[AuditRow]) -> None:
    assert verified(WORKSPACE, rows, head_of(rows)) == AuditVerdict(ok=True, rows=len(rows), head=rows[-1].hash)


def test_a_workspace_in_which_nothing_was_done_is_fine() -> None:
    assert verified(WORKSPACE, [], None) == AuditVerdict(ok=True, rows=0, head=GENESIS)


@given(rows=chains, data=st.data())
@settings(max_examples=40)
def test_any_edit_of_any_field_is_found_where_it_is(rows: list[AuditRow], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    field = data.draw(
        st.sampled_from(["seq", "prev_hash", "hash", "at", "actor", "action", "subject", "outcome", "details"])
    )
    match field:
        case "seq":
            edited = replace(row, seq=data.draw(st.integers(-1, 20).filter(lambda seq: seq != row.seq)))
        case "prev_hash" | "hash":
            other = data.draw(st.sampled_from(["", "f" * 64, "x", row.hash[:-1] + "g"]))
            edited = replace(row, **{field: other})  # type: ignore[arg-type]
        case "at":
            # The smallest there is to change: one microsecond.
            edited = replace(row, entry=replace(row.entry, at=row.entry.at.replace(microsecond=0)))
            if edited == row:
                edited = replace(row, entry=replace(row.entry, at=row.entry.at.replace(microsecond=1)))
        case "details":
            told = data.draw(st.dictionaries(st.sampled_from(["name", "amount"]), facts, max_size=2))
            if json.dumps(told, sort_keys=True) == json.dumps(dict(row.entry.details), sort_keys=True):
                told = {**told, "more": None}
            edited = replace(row, entry=replace(row.entry, details=told))
        case _:
            before = getattr(row.entry, field) or ""
            changed = replace(row.entry, **{field: f"{before} "})  # type: ignore[arg-type]
            edited = replace(row, entry=changed)
    assert judged([*rows[:place], edited, *rows[place + 1 :]], head_of(rows)) == (AuditProblem.EDITED, place + 1)


@given(rows=chains.filter(lambda rows: len(rows) > 1), data=st.data(), renumbered=st.booleans())
@settings(max_examples=20)
def test_any_removal_is_found_where_the_gap_is(rows: list[AuditRow], data: st.DataObject, *, renumbered: bool) -> None:
    """Also where the rows after the gap were numbered anew to hide it."""
    start = data.draw(st.integers(0, len(rows) - 2))
    end = data.draw(st.integers(start + 1, len(rows) - 1))
    left = [*rows[:start], *rows[end:]]
    if renumbered:
        left = [replace(row, seq=seq) for seq, row in enumerate(left, 1)]
    assert judged(left, head_of(rows)) == (AuditProblem.REMOVED, start + 1)


@given(rows=chains.filter(lambda rows: len(rows) > 1), data=st.data(), renumbered=st.booleans())
@settings(max_examples=20)
def test_any_swap_is_found_at_its_first_row(rows: list[AuditRow], data: st.DataObject, *, renumbered: bool) -> None:
    first = data.draw(st.integers(0, len(rows) - 2))
    second = data.draw(st.integers(first + 1, len(rows) - 1))
    swapped = list(rows)
    swapped[first], swapped[second] = rows[second], rows[first]
    if renumbered:
        swapped = [replace(row, seq=seq) for seq, row in enumerate(swapped, 1)]
    assert judged(swapped, head_of(rows)) == (AuditProblem.REORDERED, first + 1)


@given(rows=chains, data=st.data())
@settings(max_examples=20)
def test_any_cut_off_end_is_found(rows: list[AuditRow], data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(rows) - 1))
    assert judged(rows[:kept], head_of(rows)) == (AuditProblem.CUT_OFF, kept + 1)


@given(rows=chains, data=st.data())
@settings(max_examples=20)
def test_a_chain_calculated_anew_does_not_fit_the_sealed_head(rows: list[AuditRow], data: st.DataObject) -> None:
    """Whoever can write to the database can also calculate hashes; what they cannot do is seal the last one."""
    place = data.draw(st.integers(0, len(rows) - 1))
    acts = [row.entry for row in rows]
    acts[place] = replace(acts[place], actor="U0NOBODY01")
    forged = chained(acts)
    assert judged(forged, head_of(rows)) == (AuditProblem.REWRITTEN, len(rows))
    assert judged(forged, replace(head_of(forged), is_genuine=False)) == (AuditProblem.HEAD_FORGED, None)
    assert judged(rows, None) == (AuditProblem.HEAD_FORGED, None)


def test_rows_put_behind_the_sealed_end_are_found() -> None:
    rows = chained([AuditEntry(NOW, None, "team.created")] * 3)
    assert judged(rows, head_of(rows[:2])) == (AuditProblem.ADDED, 3)


def test_the_chain_of_one_workspace_is_not_that_of_another() -> None:
    rows = chained([AuditEntry(NOW, None, "team.created")])
    assert verified("T0OTHER001", rows, head_of(rows)).problem is AuditProblem.EDITED


def test_a_fact_is_never_a_float_and_a_time_has_a_zone() -> None:
    with pytest.raises(TypeError, match="amount"):
        row_after(None, WORKSPACE, AuditEntry(NOW, None, "budget.created", details={"amount": 0.5}))  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="zone"):
        row_after(None, WORKSPACE, AuditEntry(NOW.replace(tzinfo=None), None, "budget.created"))


@pytest.mark.parametrize("details", [{"amount": 0.5}, {"a": {"b": 1}}, ["x"], None, {"amount": float("nan")}])
def test_whatever_somebody_put_in_the_place_of_facts_is_found(details: Any) -> None:
    """Also what we would never write: looking at it must not fail."""
    rows = chained([AuditEntry(NOW, None, "team.created")])
    edited = replace(rows[0], entry=replace(rows[0].entry, details=details))
    assert judged([edited], head_of(rows)) == (AuditProblem.EDITED, 1)


# --- files -----------------------------------------------------------------------------------------------------------


def test_json_lines_are_enough_to_calculate_every_hash_anew() -> None:
    """As docs/audit.md tells auditors to, with nothing of ours."""
    rows = chained([AuditEntry(NOW, "U0JIHOON01", "team.created", "team:1", details={"name": "마케팅팀"})] * 3)
    before = "0" * 64
    for line in lines(rows, WORKSPACE, JSONL):
        row = json.loads(line)
        told = {name: value for name, value in row.items() if name not in {"prev_hash", "hash"}}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        assert row["prev_hash"] == before
        before = hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
        assert row["hash"] == before


def test_no_spreadsheet_takes_a_name_for_a_formula() -> None:
    entry = AuditEntry(NOW, "@U", "=cmd", "+1", details={"name": '=HYPERLINK("http://x";"y")', "ends_with": "abc1"})
    text = "".join(lines(chained([entry]), WORKSPACE, CSV))
    head, row = csv.reader(io.StringIO(text, newline=""))
    told = dict(zip(head, row, strict=True))
    assert (told["actor"], told["action"], told["subject"]) == ("'@U", "'=cmd", "'+1")
    assert json.loads(told["details"])["name"].startswith("=HYPERLINK"), "inside braces it is no formula"
    assert told["at"] == "2026-07-03T05:09:01.250000+00:00"


@given(st.text(max_size=6))
@settings(max_examples=20)
def test_a_safe_cell_never_begins_like_a_formula(cell: str) -> None:
    assert not safe(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert safe(cell).endswith(cell)
