"""The one door to everything: its verbs, and when an environment is made anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.utils import warn_incomplete_worker_reports

import run
from tests.conftest import pytest_configure
from tests.house.tree import ROOT, imports


def test_run_py_needs_nothing_installed():
    """It runs before there is an environment, so it imports Python's own library only."""
    strangers = [name for name, _ in imports(ROOT / "run.py") if name.split(".")[0] not in sys.stdlib_module_names]
    assert strangers == []


def test_without_a_verb_it_says_what_it_can_do():
    """The help names every verb; an unknown one is a failure that shows the same."""
    said = subprocess.run([sys.executable, "run.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for verb in run.VERBS:
        assert f"run.py {verb} " in said
    wrong = subprocess.run([sys.executable, "run.py", "dance"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such thing")
def test_what_it_starts_takes_its_place(tmp_path: Path):
    """One process, one id: to end run.py is to end the product, whoever sends the signal."""
    told = "import os; print(os.getpid(), os.getcwd(), os.environ['X'])"
    ours = f"import run, sys; run.become([sys.executable, '-c', {told!r}], {str(tmp_path)!r}, {{'X': 'y'}})"
    with subprocess.Popen([sys.executable, "-c", ours], cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        said, _ = started.communicate(timeout=30)
    assert said.split() == [str(started.pid), str(tmp_path), "y"]


@pytest.mark.skipif(os.name == "nt", reason="there a process stays beside it")
def test_an_operators_words_are_heard_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A nightly `audit verify` starts in whatever folder cron likes; what it names in words lies there."""
    became: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(run, "environment", lambda _: sys.executable)
    monkeypatch.setattr(run.subprocess, "call", lambda *_, **__: 0)
    monkeypatch.setattr(run, "become", lambda command, folder, _: became.append((command, folder)))
    monkeypatch.chdir(tmp_path)
    run.main(["run", "audit", "verify"])
    [([_, script, *words], folder)] = became
    assert (folder / script).is_file()
    assert (words, folder) == (["audit", "verify"], tmp_path)


def test_ctrl_c_ends_the_tests_without_a_traceback():
    """What the snapshots' library says of tests that did not come to their end is no error."""
    warn_incomplete_worker_reports(received=0, expected=2)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_signal_ends_the_tests_as_ctrl_c_does():
    """Who is ended without a word leaves servers and browsers running; a second word changes nothing."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    kept = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        pytest_configure()
        for number in numbers:
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two small lock files and an environment that looks made."""
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.delenv("FINOPS_VENV", raising=False)
    for name in (run.RUNTIME, run.DEVELOPMENT):
        (tmp_path / name).write_text(f"# {name}\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    return tmp_path


def finished(house: Path, lock: str) -> None:
    (house / ".venv" / f"{lock}.stamp").write_text(run.fingerprint(lock))


def test_a_finished_environment_is_used_again(house: Path):
    """The second start does not install anything; the development environment serves the product too."""
    finished(house, run.DEVELOPMENT)
    assert run.environment(run.DEVELOPMENT) == str(house / ".venv/bin/python")
    assert run.environment(run.RUNTIME) == str(house / ".venv/bin/python")


@pytest.mark.parametrize("spoil", ["changed lock", "interrupted install"])
def test_a_stale_environment_is_made_anew(house: Path, monkeypatch: pytest.MonkeyPatch, spoil: str):
    """A changed lock, or an install that never finished, starts over instead of running with the wrong packages."""
    if spoil == "changed lock":
        finished(house, run.DEVELOPMENT)
        (house / run.DEVELOPMENT).write_text("# another version\n")
    made: list[Path] = []

    class Stop(Exception):
        pass

    def create(folder: Path, *, symlinks: bool = False, **_: object) -> None:
        assert symlinks == (os.name != "nt")
        made.append(folder)
        raise Stop

    monkeypatch.setattr(run.venv, "create", create)  # making a real one takes a minute and the network
    with pytest.raises(Stop):
        run.environment(run.DEVELOPMENT)
    assert made == [house / ".venv"]


def test_an_environment_that_cannot_be_made_is_said_in_a_sentence(house: Path, monkeypatch: pytest.MonkeyPatch):
    """A checkout that cannot be written to, or where a file stands in its place: no traceback, and a way out."""
    monkeypatch.setenv("FINOPS_VENV", run.RUNTIME)  # a file: whoever runs this may be root, to whom nothing is closed
    with pytest.raises(SystemExit, match="FINOPS_VENV may name another folder"):
        run.environment(run.RUNTIME)


def test_a_folder_that_holds_something_else_is_not_cleared(house: Path, monkeypatch: pytest.MonkeyPatch):
    """`FINOPS_VENV=~` would have emptied a home: what is cleared away is an environment, or nothing."""
    (house / "home").mkdir()
    (house / "home" / "letters.txt").touch()
    monkeypatch.setenv("FINOPS_VENV", "home")
    monkeypatch.setattr(run.subprocess, "call", lambda _: 1)
    with pytest.raises(SystemExit, match="holds something else"):
        run.environment(run.RUNTIME)
    assert (house / "home" / "letters.txt").exists()


@pytest.mark.parametrize("named", [None, ""], ids=["not named", "named with nothing"])
def test_an_environment_that_was_half_cleared_away_is_made_anew(
    house: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
):
    """Ctrl-C between, or a file in use on Windows: nobody who named no folder is asked for another one."""
    (house / ".venv" / "pyvenv.cfg").unlink()
    if named is not None:
        monkeypatch.setenv("FINOPS_VENV", named)
    made: list[Path] = []
    monkeypatch.setattr(run.venv, "create", lambda folder, **_: made.append(folder))
    monkeypatch.setattr(run.subprocess, "call", lambda _: 0)
    run.environment(run.RUNTIME)
    assert made == [house / ".venv"]


@pytest.mark.parametrize(
    ("version", "advice"),
    [((3, 14, 8), "Nothing else was changed: try again"), ((3, 15, 0), "3.15 may be too new, use 3.14")],
)
def test_libraries_that_cannot_be_had_are_said_in_a_sentence(
    house: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], advice: str
):
    """pip names one library; that a newer Python than all of them know is used, it does not."""
    monkeypatch.setattr(run.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(run.subprocess, "call", lambda _: 1)
    monkeypatch.setattr(run.sys, "version_info", version)
    with pytest.raises(SystemExit, match=advice):
        run.environment(run.RUNTIME)


@pytest.mark.parametrize("text", ["README.md", "README.ko.md", "CONTRIBUTING.md"])
def test_newcomers_are_told_which_python(text: str):
    """One that everything was tried on."""
    newest = ".".join(map(str, run.NEWEST))
    said = (ROOT / text).read_text(encoding="utf-8")
    assert f"3.11 to {newest}" in said or f"3.11~{newest}" in said


def test_without_a_browser_ci_fails():
    """What is skipped where everything is there is run by nobody."""
    environ = os.environ | {"CI": "true", "PATH": ""}
    words = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*words, "tests/browser/test_page.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 4
    assert "no Chromium on this machine" in ended.stderr


def test_without_a_browser_everybody_else_skips(monkeypatch: pytest.MonkeyPatch):
    """Visibly, with the reason, and the browser's tests alone."""
    from tests.browser import conftest as browser

    monkeypatch.setenv("CI", "")
    monkeypatch.setenv("PATH", "")
    marks: dict[str, dict[str, Any]] = {"browser/test_page.py": {}, "house/test_run.py": {}}

    def item(place: str) -> Any:
        def add(mark: pytest.MarkDecorator, append: bool = True) -> None:
            marks[place][mark.name] = mark.kwargs

        return SimpleNamespace(path=ROOT / "tests" / place, add_marker=add)

    browser.pytest_collection_modifyitems([item(place) for place in marks])
    assert marks["browser/test_page.py"]["skip"] == {"reason": "no Chromium on this machine"}
    assert marks["house/test_run.py"] == {}
