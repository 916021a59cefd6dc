"""SIGKILL half-way through the scripted run, then run again on the same database: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.settings import CHECKOUT
from tests.e2e.stages import PRICES, a_trace, expected


def written(folder: Path) -> tuple[Path, Path]:
    """The trace and the prices of these tests as the files a stranger would give."""
    trace, prices = folder / "trace.csv", folder / "prices.csv"
    lines = ["hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"]
    for series in a_trace().series:
        for hour, usage in series.hours.items():
            counts = f"{usage.requests},{usage.input},{usage.output},{usage.cached}"
            lines.append(f"{hour},{series.application},{series.model},{counts}")
    trace.write_text("\n".join(lines) + "\n", encoding="utf-8")
    header = "model,input_usd_per_mtok,cached_input_usd_per_mtok,output_usd_per_mtok"
    rows = [f"{name},{rates.input},{rates.cached_input},{rates.output}" for name, rates in PRICES.by_model.items()]
    prices.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return trace, prices


async def once(folder: Path, database_url: str, kill_at: str | None = None) -> dict[str, Any] | None:
    """`run.py demo --once --json` as a process of its own; killed as soon as it says `kill_at`."""
    trace, prices = written(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo", "--once", "--json", "--trace", str(trace), "--prices", str(prices),
        "--database", database_url, cwd=CHECKOUT, env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    heard = []
    async for line in process.stderr:
        heard.append(line.decode())
        if kill_at and kill_at in heard[-1]:
            process.kill()
            break
    out, _ = await process.communicate()
    if kill_at:
        assert process.returncode == -9
        return None
    assert process.returncode == 0, "".join(heard)
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kill_at", ["Admin key", "collecting"])
async def test_killed_and_run_again_the_ledger_is_exact(database_url: str, tmp_path: Path, kill_at: str) -> None:
    """Whatever was under way is finished by the next run; figures equal an independent calculation."""
    await once(tmp_path, database_url, kill_at)
    told = await once(tmp_path, database_url)
    assert told is not None
    ours = expected(a_trace())
    assert {name: Decimal(amount) for name, amount in told["by_project"].items()} == ours
    assert Decimal(told["ledger_total"]) == Decimal(told["provider_total"]) == sum(ours.values())
