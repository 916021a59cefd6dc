"""SIGKILL half-way through the scripted run, then run again on the same database: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from bot.settings import CHECKOUT
from tests.e2e import killed_demo
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


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_killed_and_run_again_the_ledger_is_exact(database_url: str, tmp_path: Path) -> None:
    """Killed while a key is registered, then while collecting; the third run finishes, and its figures equal an
    independent calculation. The proxies that its machine names, to which 127.0.0.1 is another one, are never asked."""
    trace, prices = written(tmp_path)
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://[::1]:9"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", killed_demo.__name__, database_url, str(trace), str(prices), "Admin key", "collecting",
        cwd=CHECKOUT, env=os.environ | {"PYTHONPATH": str(CHECKOUT), "TMPDIR": str(tmp_path)} | proxies,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    told = json.loads(out)
    ours = expected(a_trace())
    assert {name: Decimal(amount) for name, amount in told["by_project"].items()} == ours
    assert Decimal(told["ledger_total"]) == Decimal(told["provider_total"]) == sum(ours.values())
