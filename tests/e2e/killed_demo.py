"""`run.py demo --once --json` again and again, dying by SIGKILL at given words: run by test_killed.

Forks for each run, so that Python's imports are paid once. Told: the address of the database, the trace, the prices,
and the words on standard error at which one run after the other dies. Prints what the run that lived printed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from demo import props
from demo.__main__ import main


def run(arguments: list[str], kill_at: str | None) -> int:
    """One run in a process of its own, killed as soon as it says `kill_at`; how it ended."""
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hears)
        os.dup2(says, 2)
        sys.argv = ["run.py demo", *arguments]
        sys.exit(main())
    os.close(says)
    with open(hears, encoding="utf-8") as lines:
        for line in lines:
            sys.stderr.write(line)
            if kill_at is not None and kill_at in line:
                os.kill(child, signal.SIGKILL)
                break
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    database_url, trace, prices, *deaths = sys.argv[1:]
    props.VAR = Path(trace).parent  # not in the checkout, where nobody would clear it away
    scripted = ["--once", "--json", "--trace", trace, "--prices", prices, "--database", database_url]
    for words in deaths:
        ended = run(scripted, words)
        if ended != -signal.SIGKILL:
            sys.exit(f"the run that was to die at {words!r} ended with {ended}")
    sys.exit(run(scripted, None))
