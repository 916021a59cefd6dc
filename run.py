#!/usr/bin/env python3
"""One door to everything: makes the environment, then runs what you asked for inside it.

    python3 run.py demo    the whole product on this machine, no account anywhere
    python3 run.py test    every test
    python3 run.py check   what CI runs: lint, strict types, the arrows between rooms, every test
    python3 run.py run     the real Slack, with the settings of .env

Words after the verb go to what it starts: `run.py demo --once --json`, `run.py test -k money`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
# The newest Python for which all pinned libraries are published ready to run.
NEWEST = (3, 14)
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
# How many is for tests/conftest.py to say; beyond four, each only starts one more database and browser.
TESTS = ("-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
CHECKS = (
    ("-m", "ruff", "check", "."),
    ("-m", "ruff", "format", "--check", "."),
    ("-m", "mypy"),
    ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    TESTS,
)
VERBS = {
    "demo": (RUNTIME, (("-m", "demo"),)),
    "run": (RUNTIME, ((str(HERE / "app.py"),),)),
    "test": (DEVELOPMENT, (TESTS,)),
    "check": (DEVELOPMENT, CHECKS),
}


def environment(lock_name: str) -> str:
    """Return the Python of an environment that holds `lock_name`, making or renewing it when needed.

    The development lock is a superset of the runtime lock, so an environment made for `test` also serves `demo`.
    """
    named = os.environ.get("FINOPS_VENV")
    folder = HERE / (named or ".venv")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and any(stamp(folder, name) == fingerprint(name) for name in {lock_name, DEVELOPMENT}):
        return str(python)
    print(f"run.py: making {folder.name} from {lock_name} (once)", file=sys.stderr, flush=True)
    try:
        # Ours may be half cleared away: Ctrl-C came between, or on Windows somebody was using it.
        if named and folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
            sys.exit(f"run.py: {folder} holds something else, which would be cleared away: name a new folder.")
        # As `python3 -m venv` does: the copy of a Python that looks for its library beside itself would not start.
        venv.create(folder, with_pip=True, clear=True, symlinks=os.name != "nt")
    except subprocess.CalledProcessError:
        sys.exit("run.py: this Python cannot make environments. On Debian or Ubuntu: apt install python3-venv")
    except OSError as problem:
        sys.exit(f"run.py: {folder} cannot be made: {problem.strerror}. FINOPS_VENV may name another folder.")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    code = subprocess.call(
        [*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(HERE / lock_name)]
    )
    if code:
        ours, newest = (".".join(map(str, version[:2])) for version in (sys.version_info, NEWEST))
        advice = f"{ours} may be too new, use {newest}" if sys.version_info[:2] > NEWEST else "try again"
        sys.exit(f"run.py: installing {lock_name} failed; pip says why above. Nothing else was changed: {advice}.")
    (folder / f"{lock_name}.stamp").write_text(fingerprint(lock_name))  # last: an interrupted install starts over
    return str(python)


def fingerprint(lock_name: str) -> str:
    """What an environment was made from: the lock's bytes and this Python."""
    return hashlib.sha256((HERE / lock_name).read_bytes() + sys.version.encode()).hexdigest()


def stamp(folder: Path, lock_name: str) -> str | None:
    path = folder / f"{lock_name}.stamp"
    return path.read_text() if path.exists() else None


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        sys.exit("run.py: Python 3.11 or newer is needed; this is " + sys.version.split()[0])
    if not arguments or arguments[0] not in VERBS:
        print(__doc__)
        return 0 if arguments in ([], ["-h"], ["--help"]) else 2
    lock_name, commands = VERBS[arguments[0]]
    python = environment(lock_name)
    # Dozens of processes import the product: compiled once, and not once each, saves a tenth of the time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    inside = os.environ | {"PYTHONPATH": str(HERE)}
    for command in commands[:-1]:
        if code := subprocess.call([python, *command], cwd=HERE, env=inside):
            return code
    last, folder = [python, *commands[-1], *arguments[1:]], Path.cwd() if arguments[1:] else HERE
    if os.name != "nt":
        become(last, folder, inside)
    # Windows would start it beside us and end us: waiting keeps Ctrl-C in its hands.
    return subprocess.call(last, cwd=folder, env=inside)


def become(command: list[str], folder: Path, environ: dict[str, str]) -> NoReturn:
    """Run a command in our place: who ends us by a signal ends it, and nothing goes on holding the port."""
    sys.stdout.flush()
    os.chdir(folder)
    os.execve(command[0], command, environ)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
