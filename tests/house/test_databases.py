"""What the tests keep in memory: a server whose tests were killed takes none for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.databases import forget_the_dead


def test_servers_whose_tests_were_killed_are_forgotten_and_no_others(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folders = {
        "finops-postgres-killed": (f"{gone.pid}\n/somewhere\n", True),
        "finops-postgres-ended": (None, True),
        "finops-postgres-torn": ("", True),
        "finops-postgres-running": (f"{os.getpid()}\n/somewhere\n", True),
        "finops-postgres-starting": (None, False),
        "somebody-elses": (f"{gone.pid}\n", True),
    }
    for name, (told, is_old) in folders.items():
        data = tmp_path / name / "data"
        data.mkdir(parents=True)
        if told is not None:
            (data / "postmaster.pid").write_text(told)
        if is_old:
            os.utime(tmp_path / name, (0, 0))
    forget_the_dead(str(tmp_path))
    assert {one.name for one in tmp_path.iterdir()} == {
        "finops-postgres-running",
        "finops-postgres-starting",
        "somebody-elses",
    }
