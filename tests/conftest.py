"""The few nouns every test may ask for."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.databases",)

# Nothing here leaves the machine. Reading its 140 certificates cost every client that was opened 35 ms of CPU; one
# authority, whose key nobody has, does as well. A test about TLS names its own.
DATA = Path(__file__).parent / "data"
os.environ |= {"SSL_CERT_FILE": str(DATA / "trusted-authority.pem"), "SSL_CERT_DIR": str(DATA / "none")}
# Nor does anything ask the machine's proxy, to which 127.0.0.1 is another machine.
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["NO_PROXY"] = "*"
if importlib.util.find_spec("sniffio") is None:
    # httpcore looks for it on every path again for each lock it makes; told once that it is not here, it believes it.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# Looked through for garbage at every 700 new objects, imports and tests alone cost a twentieth of the CPU.
gc.set_threshold(50_000, 10, 10)

# A machine that is busy with something else is slow, not wrong: no deadline for a single example.
settings.register_profile("house", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
# For whoever has an hour: `python3 run.py test --hypothesis-profile=deep`.
settings.register_profile("deep", deadline=None, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as processors: a story waits for browsers, other processes and moved clocks half its time."""
    return len(os.sched_getaffinity(0)) * 3 // 2 if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_configure() -> None:
    """Let SIGTERM and a closed terminal end the tests as Ctrl-C does: no server and no browser goes on running.

    A signal that whoever started us ignores (`nohup`) stays ignored.
    """
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupted)


def _interrupted(number: int, _: object) -> None:
    """Once: a terminal that closes says so twice, and the second would end the clearing away."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is long begins first: left to the last, one worker waits in it while the others have nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Modules and tests live until the end: the collector need not walk through them again for every test's litter."""
    gc.freeze()


class FakeClock:
    """Time that stands still until a test moves it. Call it, as the product does, for the moment it shows."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> datetime:
        """Move forward by `days=`, `hours=`, `minutes=`, `seconds=` …; returns the new moment."""
        step = timedelta(**parts)
        if step < timedelta(0):
            raise ValueError("time moves forward")
        self.moment += step
        return self.moment


@pytest.fixture
def clock() -> FakeClock:
    """Monday 6 July 2026, 10:00 in Seoul (01:00 UTC): one hour into a charge day."""
    return FakeClock(datetime(2026, 7, 6, 1, 0, tzinfo=UTC))
