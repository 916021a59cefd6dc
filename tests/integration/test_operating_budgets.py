"""`python3 run.py run budgets …`: files of any length, looked at before they are applied."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import app as front_door
from finops.budget_report import OPERATOR
from finops.budgets import BudgetPeriod, BudgetScope, BudgetTerms
from finops.money import Money
from handlers import operating
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import OTHER_WORKSPACE, WORKSPACE, a_tenant
from tests.integration.live_world import World, a_runaway

SETTINGS: Any = SimpleNamespace(locale="en", collect_timezone="Asia/Seoul")


@pytest.fixture
def database_kind() -> str:
    """What a command prints does not depend on the database."""
    return "sqlite"


@pytest.fixture
async def world(storage: Storage, clock: FakeClock) -> World:
    return await a_runaway(storage, clock)


async def told(world: World, *words: str) -> tuple[str, bool]:
    return await operating.budgets(world.bot, words, SETTINGS)


@pytest.mark.parametrize(
    "words",
    [
        ["budgets"],
        ["budgets", "export"],
        ["budgets", "delete", "file"],
        ["budgets", "export", "file", "--apply"],
        ["budgets", "import", "file", "--workspace"],
        ["doctor", "export", "file"],
    ],
)
def test_what_is_no_order_shows_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is opened for a typo."""
    assert front_door.main(words) == 2
    assert "python3 run.py run budgets import FILE [--apply]" in capsys.readouterr().err


async def test_a_file_is_written_looked_at_and_applied(world: World, tmp_path: Path) -> None:
    """Export, change, see the difference, apply; then there is nothing left to do."""
    file = tmp_path / "budgets.yaml"
    assert await told(world, "export", str(file)) == (f"{file} written.\n", True)
    assert await told(world, "export", "-") == (file.read_text(encoding="utf-8"), True)
    file.write_text(file.read_text(encoding="utf-8").replace("500 USD", "800"), encoding="utf-8")
    said, is_well = await told(world, "import", str(file))
    assert (said, is_well) == (
        "✏️ 1 changed\n• 마케팅팀 · Daily limit · $500 → $800\n\n"
        "Nothing was changed yet. To apply it, run it again with --apply.\n",
        True,
    )
    said, is_well = await told(world, "import", str(file), "--apply")
    assert is_well
    assert said.endswith("1 budget was changed as in the file.\n")
    async with world.storage.reading() as store:
        [budget] = await store.budgets.all(WORKSPACE)
    assert (budget.amount, budget.updated_by) == (Money.of(800), OPERATOR)
    again, is_well = await told(world, "import", str(file), "--apply")
    assert is_well
    assert again.endswith("Nothing would change: the budgets are as in the file.\n")


async def test_more_budgets_than_slack_shows_go_out_and_in_again(world: World, tmp_path: Path) -> None:
    """Far more than Slack shows: that is what the command is for."""
    async with world.storage.writing() as store:
        projects, _ = await store.projects.register(
            WORKSPACE, connection_id=world.tenant.connection.id, team_id=world.tenant.team_id,
            projects=[(f"proj_{number}", f"project {number}") for number in range(120)],
            registered_by=world.admin.user_id, at=world.clock(),
        )  # fmt: skip
        for number, project in enumerate(projects, 1):
            terms = BudgetTerms(BudgetScope.PROJECT, project.id, BudgetPeriod.DAY, Money.of(number))
            await store.budgets.create(WORKSPACE, terms, by=world.admin.user_id, at=world.clock())
    file = tmp_path / "budgets.yaml"
    await told(world, "export", str(file))
    said, is_well = await told(world, "import", str(file), "--apply")
    assert (is_well, "121 stay as they are" in said) == (True, True)


async def test_what_cannot_be_read_or_used_fails_with_a_sentence(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback: not for a missing file, not for other bytes, not for mistakes, all of which are told."""
    assert await told(world, "import", str(tmp_path / "none.yaml")) == (
        f"{tmp_path / 'none.yaml'}: No such file or directory.\n", False,
    )  # fmt: skip
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    said, is_well = await told(world, "import", str(tmp_path / "bytes.yaml"))
    assert ("UTF-8" in said, is_well) == (True, False)
    monkeypatch.setattr("sys.stdin", io.StringIO("version: 2\nbudgets:\n" + "  - {scope: planet}\n" * 7))
    said, is_well = await told(world, "import", "-", "--apply")
    assert not is_well
    assert said.startswith("The file was not taken over, and nothing was changed:\nLine 1: version must be 1")
    assert len(said.splitlines()) > 20
    said, is_well = await told(world, "export", str(tmp_path / "none" / "budgets.yaml"))
    assert ("No such file or directory" in said, is_well) == (True, False)


async def test_of_several_workspaces_one_is_named(world: World) -> None:
    """Budgets of one never end up in another."""
    await a_tenant(world.storage, OTHER_WORKSPACE, "org-2")
    said, is_well = await told(world, "export", "-")
    assert (said, is_well) == (
        f"Say which workspace with --workspace ID. There are: {WORKSPACE}, {OTHER_WORKSPACE}.\n", False,
    )  # fmt: skip
    assert "마케팅팀" in (await told(world, "export", "-", "--workspace", WORKSPACE))[0]
    assert "budgets: []" in (await told(world, "export", "-", "--workspace", OTHER_WORKSPACE))[0]
    assert (await told(world, "export", "-", "--workspace", "T0NOBODY01"))[1] is False
