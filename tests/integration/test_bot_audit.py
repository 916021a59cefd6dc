"""The audit trail: every act in its own transaction, nothing secret in it, and no change of it goes unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

import app as front_door
from bot import Bot, Policy
from bot.budgets import BudgetWish
from bot.errors import Refusal, RefusalCode
from finops.audit import AuditFilter, AuditKind, AuditProblem, AuditRow, filter_of
from finops.audit_files import JSONL
from finops.budgets import DEFAULT_LEVELS
from finops.registry import Person
from handlers import operating_audit
from storage import Storage
from storage.engine import normalised, open_engines
from tests.conftest import FakeClock
from tests.databases import OTHER_WORKSPACE, on_both_databases
from tests.integration.bot_world import (
    JIHOON,
    KEY,
    MINSU,
    SECOND_KEY,
    SEOYEON,
    WORKSPACE,
    a_team,
)
from tests.integration.live_world import a_runaway

TODAY = date(2026, 7, 6)
SETTINGS: Any = SimpleNamespace(locale="en", collect_timezone="Asia/Seoul")
FILE = 'version: 1\nbudgets:\n  - {scope: "team:마케팅팀", period: day, amount: 800}\n'


@pytest.fixture
def database_kind() -> str:
    """What the bot decides is decided on SQLite; PostgreSQL is asked where the database decides."""
    return "sqlite"


@pytest.fixture
def days() -> int:
    return 3


async def trail(bot: Bot, workspace_id: str = WORKSPACE) -> list[AuditRow]:
    return [row async for row in bot.audit.everything(workspace_id)]


def acts(rows: list[AuditRow]) -> list[tuple[str | None, str, str]]:
    return [(row.entry.actor, row.entry.action, row.entry.subject) for row in rows]


async def test_every_act_of_the_use_cases_is_recorded_with_its_facts_and_without_a_secret(
    bot: Bot, admin: Person, storage: Storage
) -> None:
    """A company from its first admin to a deleted key, in the order in which it was done; then the chain is intact."""
    team = await a_team(bot, admin)
    await bot.teams.update(admin, team.id, approvers=[SEOYEON])
    await bot.teams.update(admin, team.id, approvers=[SEOYEON])  # nothing changed: nothing to record
    key = (await bot.connections.register_key(admin, team.id, KEY)).credential
    await bot.connections.replace_key(admin, key.id, SECOND_KEY)
    [chat] = (await bot.projects.register(admin, team.id, ["proj_chat"])).registered
    await bot.projects.register_all(admin, team.id)
    await bot.projects.exclude(admin, chat.id)
    await bot.projects.include(admin, chat.id)
    await bot.projects.update(admin, chat.id, environment="prod", service=None, cost_center=None, lead=MINSU)
    await bot.projects.unregister(admin, chat.id)
    await bot.collecting.start_manual(admin)
    wish = BudgetWish(f"team:{team.id}", "day", "500", DEFAULT_LEVELS)
    budget = await bot.budgets.create(admin, wish)
    changed = replace(wish, amount="750.5", levels=(75, 100))
    await bot.budgets.update(admin, budget.id, changed, budget.updated_at.isoformat())
    await bot.budgets.switch(admin, budget.id, is_enabled=False)
    await bot.budgets.switch(admin, budget.id, is_enabled=True)
    await bot.budgets.import_apply(admin, FILE, (await bot.budgets.import_diff(admin, FILE)).mark)
    await bot.budgets.delete(admin, budget.id)
    await bot.connections.disable(admin, key.id)
    await bot.connections.enable(admin, key.id)
    await bot.connections.delete(admin, key.id)
    rows = await trail(bot)
    me, connection = admin.user_id, f"connection:{key.connection_id}"
    assert acts(rows) == [
        (None, "admin.appointed", f"person:{me}"),
        (me, "team.created", f"team:{team.id}"),
        (me, "team.changed", f"team:{team.id}"),
        (me, "key.registered", f"key:{key.id}"),
        (me, "key.replaced", f"key:{key.id}"),
        (me, "project.registered", f"project:{chat.id}"),
        (me, "project.registered", f"team:{team.id}"),
        (me, "project.excluded", f"project:{chat.id}"),
        (me, "project.included", f"project:{chat.id}"),
        (me, "project.changed", f"project:{chat.id}"),
        (me, "project.unregistered", f"project:{chat.id}"),
        (me, "collection.requested", connection),
        (me, "budget.created", f"budget:{budget.id}"),
        (me, "budget.changed", f"budget:{budget.id}"),
        (me, "budget.disabled", f"budget:{budget.id}"),
        (me, "budget.enabled", f"budget:{budget.id}"),
        (me, "budget.changed", f"budget:{budget.id}"),
        (me, "budgets.imported", ""),
        (me, "budget.deleted", f"budget:{budget.id}"),
        (me, "key.disabled", f"key:{key.id}"),
        (me, "key.enabled", f"key:{key.id}"),
        (me, "key.deleted", f"key:{key.id}"),
    ]
    facts = [dict(row.entry.details) for row in rows]
    assert facts[4] | {"ends_with_before": "abc1", "ends_with": "abc2", "team": "마케팅팀"} == facts[4]
    assert facts[6]["count"] == len(facts[6]["projects"]) == 2  # type: ignore[arg-type]
    assert facts[9] | {"environment_before": None, "environment_after": "prod", "lead_after": MINSU.user_id} == facts[9]
    told = {"name": "마케팅팀", "amount_before": "500", "amount_after": "750.5", "levels_after": [75, 100]}
    assert facts[13] | told == facts[13]
    assert "period_before" not in facts[13], "only what changed has a before"
    assert facts[16]["is_import"]
    assert KEY not in repr(rows)
    assert SECOND_KEY not in repr(rows)
    assert (await bot.audit.verify(WORKSPACE)).ok


@on_both_databases
async def test_what_people_do_about_an_alert_is_recorded(storage: Storage, clock: FakeClock) -> None:
    world = await a_runaway(storage, clock)
    [incident] = await world.evaluate()
    assert incident.id is not None
    incidents, subject = world.bot.incidents, f"incident:{incident.id}"
    await incidents.acknowledge(world.member, incident.id)
    await incidents.silence(world.lead, incident.id, "1h")
    await incidents.end_silence(world.lead, incident.id)
    for _ in range(2):
        await incidents.feedback(world.member, incident.id, is_helpful=False)
    with pytest.raises(Refusal):
        await incidents.acknowledge(world.admin, incident.id)
    rows = await trail(world.bot)
    assert acts(rows)[1:] == [
        (world.member.user_id, "incident.acknowledged", subject),
        (world.lead.user_id, "incident.silenced", subject),
        (world.lead.user_id, "incident.silence_ended", subject),
        (world.member.user_id, "incident.judged", subject),
    ]
    assert rows[2].entry.details["until"] == (clock() + timedelta(hours=1)).isoformat()
    assert rows[-1].entry.details == {"name": "마케팅팀", "is_helpful": False}


async def test_what_is_not_done_is_not_recorded_and_what_cannot_be_recorded_is_not_done(
    bot: Bot, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction holds both."""
    before = await trail(bot)
    await a_team(bot, admin)
    with pytest.raises(Refusal):
        await a_team(bot, admin)
    assert len(await trail(bot)) == len(before) + 1

    async def broken(*_: object) -> None:
        raise OSError("the disk is full")

    # Why patched: no act of ours makes a real append fail.
    monkeypatch.setattr("storage.audit.Audit.append", broken)
    with pytest.raises(OSError, match="full"):
        await a_team(bot, admin, "데이터팀")
    assert [team.name for team in await bot.teams.all(WORKSPACE)] == ["마케팅팀"]


async def test_only_admins_see_the_trail_and_taking_it_along_is_an_act(bot: Bot, admin: Person) -> None:
    team = await a_team(bot, admin)
    member = await bot.people.meet(WORKSPACE, "한빛소프트", SEOYEON)
    with pytest.raises(Refusal) as refused:
        await bot.audit.page(member, AuditFilter())
    with pytest.raises(Refusal):
        await bot.audit.export(member, AuditFilter(), JSONL)
    assert refused.value.code is RefusalCode.NOT_ADMIN
    await bot.audit.refused(WORKSPACE, member.user_id, "command.audit", "not_admin")
    for number in range(12):
        await bot.teams.update(admin, team.id, name=f"팀 {number}")
    page = await bot.audit.page(admin, AuditFilter())
    assert [row.seq for row in page.rows] == list(range(15, 5, -1))
    assert (page.has_older, page.verdict.ok, page.verdict.rows) == (True, True, 15)
    older = await bot.audit.page(admin, AuditFilter(), page.rows[-1].seq)
    assert [row.seq for row in older.rows] == [5, 4, 3, 2, 1]
    assert not older.has_older
    refusals = await bot.audit.page(admin, filter_of(AuditKind.REFUSALS, member.user_id))
    assert acts(list(refusals.rows)) == [(member.user_id, "command.audit", "")]
    assert await bot.audit.export(admin, filter_of(AuditKind.BUDGETS), JSONL) == ()
    teams = await bot.audit.export(admin, filter_of(AuditKind.TEAMS), JSONL)
    assert [row.seq for row in teams] == [1, 2, *range(4, 16)]
    last = (await trail(bot))[-1].entry
    assert (last.action, last.details) == ("audit.exported", {"form": "jsonl", "rows": 14})


async def test_what_somebody_typed_brings_no_secret_and_no_address_into_the_trail(bot: Bot, admin: Person) -> None:
    """A team may be called anything; a key in its name ends at its recognisable beginning."""
    await a_team(bot, admin, f"{KEY} m@hanbit.io")
    name = (await trail(bot))[-1].entry.details["name"]
    assert name == "sk-admin-… …@…"


# --- somebody changes the database -----------------------------------------------------------------------------------


async def meddle(database_url: str, *statements: str) -> None:
    """Do what only somebody with the database can: take the guards away and change what is written."""
    async with open_engines(normalised(database_url)) as engines, engines.writing.begin() as connection:
        guards = await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for (name,) in guards.all():
            await connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            await connection.execute(text(statement))


MEDDLING = [
    ("UPDATE audit SET actor = 'U0NOBODY01' WHERE seq = 3", AuditProblem.EDITED, 3),
    ("UPDATE audit SET details = 'not even json' WHERE seq = 3", AuditProblem.EDITED, 3),
    ("UPDATE audit SET at = 'yesterday' WHERE seq = 2", AuditProblem.EDITED, 2),
    ("UPDATE audit SET seq = 900000000000000000 WHERE seq = 5", AuditProblem.EDITED, 5),
    ("DELETE FROM audit WHERE seq = 2", AuditProblem.REMOVED, 2),
    ("DELETE FROM audit WHERE seq > 3", AuditProblem.CUT_OFF, 4),
    ("DELETE FROM audit_heads", AuditProblem.HEAD_FORGED, None),
    ("UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)", AuditProblem.HEAD_FORGED, None),
]


@pytest.mark.parametrize(("statement", "problem", "seq"), MEDDLING, ids=[each[0][:40] for each in MEDDLING])
async def test_the_command_names_the_first_bad_row_and_fails(
    storage: Storage, clock: FakeClock, database_url: str, statement: str, problem: AuditProblem, seq: int | None
) -> None:
    bot = Bot(storage, {}, clock, Policy())
    admin = await bot.people.meet(WORKSPACE, "한빛소프트", JIHOON, asks_setup=True)
    await bot.people.meet(OTHER_WORKSPACE, "다른 회사", MINSU)
    for number in range(4):
        await a_team(bot, admin, f"팀 {number}")
    told, is_well = await operating_audit.audit(bot, ["verify"], SETTINGS)
    assert is_well
    assert told.count("✅ The chain is intact") == 2
    assert "5 rows" in told
    assert (await trail(bot))[-1].hash in told
    await meddle(database_url, statement)
    verdict = await bot.audit.verify(WORKSPACE)
    assert (verdict.problem, verdict.first_bad_seq) == (problem, seq)
    told, is_well = await operating_audit.audit(bot, ["verify"], SETTINGS)
    assert not is_well
    assert ("🚨 The chain is broken at row #" in told) == (seq is not None)
    assert "🚨 The chain is broken" in told


async def test_a_trail_is_written_to_a_file(bot: Bot, admin: Person, tmp_path: Path) -> None:
    """CSV for people, JSON lines for programs; which workspace has to be said where there are several."""
    await a_team(bot, admin)
    file = tmp_path / "audit.csv"
    assert await operating_audit.audit(bot, ["export", str(file)], SETTINGS) == (f"{file} written: 2 rows.\n", True)
    assert file.read_bytes().startswith(b"\xef\xbb\xbfseq,at,actor,"), "a spreadsheet reads Korean names"
    told, is_well = await operating_audit.audit(bot, ["export", "-", "jsonl"], SETTINGS)
    assert is_well
    assert [json.loads(line)["hash"] for line in told.splitlines()] == [row.hash for row in await trail(bot)]
    assert not (await operating_audit.audit(bot, ["export", str(tmp_path / "no" / "x.csv")], SETTINGS))[1]
    await bot.people.meet(OTHER_WORKSPACE, "다른 회사", MINSU)
    told, is_well = await operating_audit.audit(bot, ["export", str(file)], SETTINGS)
    assert not is_well
    assert "--workspace" in told
    other = ["export", "-", "csv", "--workspace", OTHER_WORKSPACE]
    assert (await operating_audit.audit(bot, other, SETTINGS))[0].count("\n") == 1, "another workspace's trail is empty"


@pytest.mark.parametrize(
    "words", [["audit"], ["audit", "verify", "x"], ["audit", "export"], ["audit", "export", "f", "xml"]]
)
def test_what_is_no_order_shows_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert front_door.main(words) == 2
    assert "python3 run.py run audit export FILE [csv|jsonl]" in capsys.readouterr().err
