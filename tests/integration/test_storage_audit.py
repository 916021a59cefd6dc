"""The audit trail in the database: only ever added to, one unbroken chain, and whatever is done to it is found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from finops.audit import (
    GENESIS,
    AuditEntry,
    AuditFilter,
    AuditHead,
    AuditProblem,
    AuditRow,
    AuditVerdict,
    Outcome,
    row_after,
    verified,
)
from finops.secret import Secret
from storage import KeyRing, Storage, append_only
from storage.engine import normalised
from storage.migrate import run_on
from tests.databases import OTHER_WORKSPACE, WORKSPACE, Tenant, a_copy, a_tenant

NOW = datetime(2026, 7, 6, 5, 0, 0, 7, tzinfo=UTC)
FACTS = {
    "amount": "0.000000000000000007",
    "by": None,
    "levels": [50, 100],
    "loud": True,
    "n": 2**60,
    "é\u0000": "ü\u0000'",
}


def an_act(number: int = 0, **given: object) -> AuditEntry:
    act = AuditEntry(NOW + timedelta(minutes=number), "U1", "budget.changed", f"budget:{number}", Outcome.DONE, FACTS)
    return replace(act, **given)  # type: ignore[arg-type]


async def appended(storage: Storage, count: int = 1, first: int = 0) -> list[AuditRow]:
    kept = []
    for number in range(first, first + count):
        async with storage.writing() as store:
            kept.append(await store.audit.append(WORKSPACE, an_act(number)))
    return kept


async def told(storage: Storage, workspace_id: str = WORKSPACE) -> tuple[list[AuditRow], AuditHead | None]:
    async with storage.reading() as store:
        return [row async for row in store.audit.all(workspace_id)], await store.audit.head(workspace_id)


async def verdict(storage: Storage) -> AuditVerdict:
    return verified(WORKSPACE, *await told(storage))


async def tampered(database_url: str, *statements: tuple[str, dict[str, object]] | str) -> None:
    """Do what an intruder with all rights on the database, but without the master key, could do."""

    def do(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in ("audit", "audit_heads"):
                for made in append_only.made("sqlite", name):
                    connection.execute(text("DROP TRIGGER " + made.split()[2]))
        for each in statements:
            statement, values = (each, {}) if isinstance(each, str) else each
            connection.execute(text(statement), values)

    await run_on(normalised(database_url), do)


async def test_an_act_comes_back_as_it_was_written(storage: Storage, tenant: Tenant) -> None:
    """Word for word, to the microsecond, in an unbroken chain of its own for each workspace."""
    await a_tenant(storage, OTHER_WORKSPACE)
    first, second = await appended(storage, 2)
    by_us = an_act(actor=None, details={}, outcome=Outcome.REFUSED)
    async with storage.writing() as store:
        theirs = await store.audit.append(OTHER_WORKSPACE, by_us)
    assert (theirs.seq, theirs.prev_hash, first.prev_hash, second.prev_hash) == (1, GENESIS, GENESIS, first.hash)
    rows, head = await told(storage)
    assert rows == [first, second]
    assert [row.entry for row in rows] == [an_act(0), an_act(1)]
    assert head == AuditHead(2, second.hash, is_genuine=True)
    assert await told(storage, OTHER_WORKSPACE) == ([theirs], AuditHead(1, theirs.hash, is_genuine=True))
    assert (await verdict(storage)).ok
    assert await told(storage, "T0NOBODY01") == ([], None)


async def test_an_act_that_did_not_happen_is_not_recorded(storage: Storage, tenant: Tenant) -> None:
    """The row shares the act's transaction, and leaves no gap when that fails."""

    async def fail() -> None:
        async with storage.writing() as store:
            await store.audit.append(WORKSPACE, an_act())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    [row] = await appended(storage)
    assert row.seq == 1
    assert (await verdict(storage)).ok


async def test_acts_of_many_at_once_are_one_chain(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """The first acts of a workspace too, from several copies of the program, some with many acts in one."""
    async with a_copy(database_url, ring) as beside:

        async def act(number: int) -> None:
            async with (storage, beside)[number % 2].writing() as store:
                await store.audit.append(WORKSPACE, an_act(number))
                await store.audit.extend(WORKSPACE, [an_act(number), an_act(number)])

        await asyncio.gather(*(act(number) for number in range(8)))
    rows, head = await told(storage)
    assert [row.seq for row in rows] == list(range(1, 25))
    assert verified(WORKSPACE, rows, head) == AuditVerdict(ok=True, rows=24, head=rows[-1].hash)


REFUSED = {
    "UPDATE audit SET actor = 'U9' WHERE seq = 1": {"sqlite", "postgresql"},
    "DELETE FROM audit WHERE seq = 2": {"sqlite", "postgresql"},
    "DELETE FROM audit_heads": {"sqlite", "postgresql"},
    "UPDATE audit_heads SET seq = 1": {"sqlite", "postgresql"},
    "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1": {"sqlite"},
    "TRUNCATE audit": {"postgresql"},
    "TRUNCATE audit_heads": {"postgresql"},
}


async def test_the_database_changes_and_removes_no_row(database_kind: str, storage: Storage, tenant: Tenant) -> None:
    """Whoever asks, by whatever program."""
    await appended(storage, 2)
    before = await told(storage)

    async def ask(statement: str) -> None:
        async with storage.writing() as store:
            await store.audit._db.execute(text(statement))

    for statement in (each for each, kinds in REFUSED.items() if database_kind in kinds):
        with pytest.raises(IntegrityError, match="audit trail"):
            await ask(statement)
    assert await told(storage) == before


CUT = "DELETE FROM audit WHERE seq > 2"
MOVED = "UPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)"
ANOTHER_SEAL = KeyRing.generate().seal(Secret("4:x"), "audit_heads", WORKSPACE, "sealed", WORKSPACE)
# What is done, what is found then, and what is found after further acts.
TAMPERINGS: dict[str, tuple[Sequence[tuple[str, dict[str, object]] | str], AuditProblem, AuditProblem]] = {
    "an edited row": (["UPDATE audit SET actor = 'U9' WHERE seq = 2"], AuditProblem.EDITED, AuditProblem.EDITED),
    "a removed row": (["DELETE FROM audit WHERE seq = 2"], AuditProblem.REMOVED, AuditProblem.REMOVED),
    "a cut-off end": ([CUT], AuditProblem.CUT_OFF, AuditProblem.REMOVED),
    "a cut-off end, and the end moved": ([CUT, MOVED], AuditProblem.HEAD_FORGED, AuditProblem.HEAD_FORGED),
    "the end taken away": (["DELETE FROM audit_heads"], AuditProblem.HEAD_FORGED, AuditProblem.HEAD_FORGED),
    "all rows taken away": (["DELETE FROM audit"], AuditProblem.CUT_OFF, AuditProblem.REMOVED),
    "another seal": (
        [("UPDATE audit_heads SET sealed = :seal", {"seal": ANOTHER_SEAL})],
        AuditProblem.HEAD_FORGED,
        AuditProblem.HEAD_FORGED,
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
async def test_whatever_is_done_to_the_trail_is_found_and_stays_to_be_seen(
    database_url: str, storage: Storage, tenant: Tenant, how: str
) -> None:
    """At once and after further acts, which are recorded none the less: no later seal covers it up."""
    await appended(storage, 4)
    statements, at_once, later = TAMPERINGS[how]
    await tampered(database_url, *statements)
    found = await verdict(storage)
    assert (found.ok, found.problem) == (False, at_once)
    new = await appended(storage, 2, first=9)
    found = await verdict(storage)
    assert (found.ok, found.problem) == (False, later)
    rows, _ = await told(storage)
    assert rows[-2:] == new


async def test_a_chain_calculated_anew_is_found(database_url: str, storage: Storage, tenant: Tenant) -> None:
    """Anybody can calculate hashes, and write them down as the end too; nobody can seal them without the master key."""
    kept = await appended(storage, 3)
    forged: list[AuditRow] = []
    for row in kept:
        last = (forged[-1].seq, forged[-1].hash) if forged else None
        forged.append(row_after(last, WORKSPACE, replace(row.entry, actor="U9")))
    change = "UPDATE audit SET actor = 'U9', prev_hash = :prev, hash = :hash WHERE seq = :seq"
    anew = [(change, {"seq": row.seq, "prev": row.prev_hash, "hash": row.hash}) for row in forged]
    await tampered(database_url, *anew)
    assert (await verdict(storage)).problem is AuditProblem.REWRITTEN
    async with storage.writing() as store:
        await store.audit._db.execute(text("UPDATE audit_heads SET hash = :hash"), {"hash": forged[-1].hash})
    assert (await verdict(storage)).problem is AuditProblem.HEAD_FORGED
    await appended(storage)
    assert (await verdict(storage)).problem is AuditProblem.HEAD_FORGED


async def test_a_row_that_is_no_row_any_more_is_told_and_not_stumbled_over(
    database_url: str, database_kind: str, storage: Storage, tenant: Tenant
) -> None:
    """Something else in the place of facts, or on SQLite of a time: the trail can still be read and verified."""
    await appended(storage, 3)
    nonsense = ["UPDATE audit SET details = '[1.5]' WHERE seq = 2"]
    if database_kind == "sqlite":
        nonsense = ["UPDATE audit SET details = 'x{', at = 'yesterday' WHERE seq = 2"]
    await tampered(database_url, *nonsense)
    found = await verdict(storage)
    assert (found.problem, found.first_bad_seq) == (AuditProblem.EDITED, 2)
    async with storage.reading() as store:
        assert len(await store.audit.page(WORKSPACE, AuditFilter())) == 3


async def test_rows_are_looked_for_by_kind_person_outcome_and_time_page_by_page(
    storage: Storage, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, each row once; a kind is a whole word, not its beginning."""
    monkeypatch.setattr("storage.audit._AT_ONCE", 2)
    acts = [
        an_act(0, action="budget.changed"),
        an_act(1, action="budgets.imported", actor="U2"),
        an_act(2, action="stop.requested", actor=None),
        an_act(3, action="budget", outcome=Outcome.REFUSED),
        an_act(4, action="budget_.x%"),
    ]
    async with storage.writing() as store:
        for act in acts:
            await store.audit.append(WORKSPACE, act)
    looked_for = {
        (1, 4): AuditFilter(("budget",)),
        (1, 3, 4): AuditFilter(("stop", "budget")),
        (2,): AuditFilter(actor="U2"),
        (4,): AuditFilter(("budget", "budgets"), outcome=Outcome.REFUSED),
        (3, 4, 5): AuditFilter(since=NOW + timedelta(minutes=2)),
        (1, 2, 3, 4, 5): AuditFilter(),
        (): AuditFilter(("budge",)),
    }
    async with storage.reading() as store:
        for seqs, wanted in looked_for.items():
            assert tuple([row.seq async for row in store.audit.all(WORKSPACE, wanted)]) == seqs
            assert await store.audit.count(WORKSPACE, wanted) == len(seqs)
            newest = await store.audit.page(WORKSPACE, wanted, limit=2)
            assert [row.seq for row in newest] == sorted(seqs, reverse=True)[:2]
            if len(seqs) > 2:
                older = await store.audit.page(WORKSPACE, wanted, newest[-1].seq, limit=2)
                assert [row.seq for row in older] == sorted(seqs, reverse=True)[2:4]
            assert [row async for row in store.audit.all(OTHER_WORKSPACE, wanted)] == []


async def test_copies_of_which_some_have_the_new_master_key_already_agree(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """One after the other is restarted with a new key in front: none takes what another wrote for a forgery."""
    fresh = KeyRing.generate("k2")
    async with a_copy(database_url, KeyRing.from_text(f"{fresh.to_text()},{ring.to_text()}")) as restarted:
        for copy in (restarted, storage, restarted, storage):  # the first act of all is one of the new copy
            await appended(copy)
            assert (await verdict(storage)).ok
            assert (await verdict(restarted)).ok
        async with restarted.writing() as store:
            assert await store.reseal_all() == 1
        await appended(restarted)
    async with a_copy(database_url, fresh) as rotated:
        await appended(rotated)
        assert (await verdict(rotated)).ok
        assert len((await told(rotated))[0]) == 6


async def test_the_seal_follows_the_master_key(
    database_url: str, storage: Storage, tenant: Tenant, ring: KeyRing
) -> None:
    """Rotated, the old key can go. A forged end is not made ours by it; a lost key keeps nobody from acting."""
    await appended(storage, 2)
    fresh = KeyRing.generate("k2")
    async with a_copy(database_url, KeyRing.from_text(f"{fresh.to_text()},{ring.to_text()}")) as both:
        async with both.writing() as store:
            assert await store.reseal_all() == 1
        async with both.writing() as store:
            assert await store.reseal_all() == 0
    async with a_copy(database_url, fresh) as rotated:
        assert (await verdict(rotated)).ok
        await appended(rotated)
        assert (await verdict(rotated)).ok
    assert (await verdict(storage)).problem is AuditProblem.HEAD_FORGED
    await appended(storage)
    assert (await verdict(storage)).problem is AuditProblem.HEAD_FORGED
    async with a_copy(database_url, fresh) as rotated:
        async with rotated.writing() as store:
            assert await store.reseal_all() == 0
        assert (await verdict(rotated)).problem is AuditProblem.HEAD_FORGED
        assert len((await told(rotated))[0]) == 4
