"""The local workspace ends as cleanly by a signal as by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from pathlib import Path

import pytest

from demo.__main__ import end_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_no_folder_behind(number: signal.Signals) -> None:
    """A kill, or a terminal that is closed."""
    seen: list[Path] = []

    async def stage() -> None:
        end_on_signals()
        with tempfile.TemporaryDirectory() as folder:
            seen.append(Path(folder))
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stage())
    assert not seen[0].exists()


def test_a_signal_that_is_ignored_stays_so() -> None:
    """`nohup python3 run.py demo` outlives its terminal."""

    async def stage() -> None:
        end_on_signals()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        asyncio.run(stage())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
