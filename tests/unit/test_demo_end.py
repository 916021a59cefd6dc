"""The local workspace begins with what is named, and ends as cleanly by a signal as by Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import tempfile
from pathlib import Path

import pytest

from demo.__main__ import arguments, end_on_signals, from_here, main, unusable, welcome
from demo.props import Props


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

    before = signal.signal(number, signal.SIG_DFL)  # `nohup python3 run.py test` ignores it
    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(stage())
    finally:
        signal.signal(number, before)
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


def test_a_database_that_is_named_lies_where_its_player_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product would look for it beside app.py, as it does for what its settings name."""
    monkeypatch.chdir(tmp_path)
    assert from_here("sqlite:///my.sqlite3") == f"sqlite:///{tmp_path / 'my.sqlite3'}"
    for address in (f"sqlite:///{tmp_path / 'other.sqlite3'}", "postgresql://finops@localhost/finops"):
        assert from_here(address) == address


def test_whoever_onboards_by_hand_is_told_where_the_keys_are() -> None:
    """The window that asks for one covers the drawer that has them."""
    assert [("실험실" in welcome("http://127.0.0.1:8600", is_fresh=fresh)) for fresh in (True, False)] == [True, False]


@pytest.mark.parametrize("typed", ["65536", "99999", "-1", "page", "９"])
def test_a_port_that_is_none_is_said_in_a_sentence(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that no port has ended in a traceback."""
    assert arguments().parse_args(["--port", "65535"]).port == 65535
    with pytest.raises(SystemExit):
        arguments().parse_args([f"--port={typed}"])
    assert "should be a number from 0 to 65535" in capsys.readouterr().err


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What the workspace does to the process's logs lasts only until the end of a test."""
    caplog.set_level(logging.CRITICAL, "slack_sdk")
    monkeypatch.setattr("demo.__main__.logs.configure", lambda *_: None)


@pytest.mark.usefixtures("logs")
def test_a_database_that_cannot_be_opened_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the product says it: whoever named a folder, or a server that is not there, read a traceback first."""
    monkeypatch.setattr("sys.argv", ["demo", "--once", "--database", f"sqlite:///{tmp_path}"])
    monkeypatch.setattr("demo.props.VAR", tmp_path / "var")
    assert main() == 2
    assert "cannot be opened: unable to open database file" in capsys.readouterr().err


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize("place", ["/finops/var", None])
def test_what_cannot_be_written_is_said_in_a_sentence(
    place: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout that is only for reading, a disk that is full."""

    def beside(_: str) -> Props:
        raise OSError(errno.ENOSPC, "No space left on device", place)

    monkeypatch.setattr(Props, "beside", beside)
    monkeypatch.setattr("sys.argv", ["demo", "--once", "--database", "sqlite:///unused.sqlite3"])
    assert main() == 2
    assert f"{place or tempfile.gettempdir()} cannot be written to: No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EADDRINUSE, "port 80 is in use"), (errno.EACCES, "port 80 may not be opened by you")]
)
def test_a_port_that_cannot_be_had_is_said_in_a_sentence(number: int, said: str) -> None:
    """Another has it; or it is below 1024, and we are not root: then it ended in a traceback."""
    refused = OSError(number, "error while attempting to bind on address ('127.0.0.1', 80): no")
    assert said in (unusable(refused, 80) or "")
