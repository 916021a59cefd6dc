"""The local workspace begins with what is named, and ends as cleanly by a signal as by Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import signal
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from demo.__main__ import Unheard, arguments, end_on_signals, from_here, main, put, unusable, welcome
from demo.onboarding import require_room
from demo.once import Told, amiss
from demo.prices import ListPrices
from demo.props import Props
from demo.stage import openai_of
from demo.trace import parse_trace


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
    (tmp_path / "link").symlink_to(tmp_path)
    for typed in ("my.sqlite3", "./my.sqlite3", f"../{tmp_path.name}/my.sqlite3", "link/my.sqlite3"):
        assert from_here(f"sqlite:///{typed}") == f"sqlite:///{tmp_path.resolve() / 'my.sqlite3'}"
    for address in (f"sqlite:///{tmp_path.resolve() / 'other.sqlite3'}", "postgresql://finops@localhost/finops"):
        assert from_here(address) == address


def test_a_database_keeps_the_day_on_which_its_trace_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened again the day after, the provider billed every day anew one day later, and the ledger was another bill."""
    monkeypatch.setattr("demo.props.VAR", tmp_path)
    first = Props.beside("sqlite:///my.sqlite3", date(2026, 11, 20))
    again = Props.beside("sqlite:///my.sqlite3", date(2026, 11, 22))
    assert again == first
    trace = parse_trace(["hour,application,model,requests,input_tokens,output_tokens", "0,chat,gpt-4o,1,1,1"])
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    ends = [openai_of(trace, ListPrices(), lambda: now, props).anchor for props in (again, Props.fresh())]
    assert ends == [datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)]


def test_two_that_begin_a_database_at_once_have_the_same_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later file took the place of the earlier: what was sealed with that one's ring opened never again."""
    monkeypatch.setattr("demo.props.VAR", tmp_path)
    fresh, others = Props.fresh, []

    def meanwhile() -> Props:
        monkeypatch.setattr(Props, "fresh", fresh)
        others.append(Props.beside("sqlite:///my.sqlite3", date(2026, 11, 20)))
        return fresh()

    monkeypatch.setattr(Props, "fresh", meanwhile)
    assert Props.beside("sqlite:///my.sqlite3", date(2026, 11, 20)) == others[0]
    assert len(list(tmp_path.iterdir())) == 1


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

    def beside(*_: object) -> Props:
        raise OSError(errno.ENOSPC, "No space left on device", place)

    monkeypatch.setattr(Props, "beside", beside)
    monkeypatch.setattr("sys.argv", ["demo", "--once", "--database", "sqlite:///unused.sqlite3"])
    assert main() == 2
    assert f"{place or tempfile.gettempdir()} cannot be written to: No space left" in capsys.readouterr().err


def test_a_disk_that_fills_up_while_collecting_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product tries again until there is room: the script waited ten minutes with it."""
    require_room(f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left") as full:
        require_room(f"sqlite:///{tmp_path}/a.db")
    assert (unusable(full.value, 80) or "").startswith(f"{tmp_path} cannot be written to: No space left")
    require_room("postgresql://finops@localhost/finops")


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EADDRINUSE, "port 80 is in use"), (errno.EACCES, "port 80 may not be opened by you")]
)
def test_a_port_that_cannot_be_had_is_said_in_a_sentence(number: int, said: str) -> None:
    """Another has it; or it is below 1024, and we are not root: then it ended in a traceback."""
    refused = OSError(number, "error while attempting to bind on address ('127.0.0.1', 80): no")
    assert said in (unusable(refused, 80) or "")


def test_what_a_run_came_to_is_utf_8_wherever_it_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`LC_ALL=C PYTHONUTF8=0`: everything was played, and then there was a traceback instead of the figures."""
    printed = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(printed, encoding="ascii"))
    put("마케팅팀")
    assert printed.getvalue().decode() == "마케팅팀"


def test_nobody_who_reads_what_a_run_came_to_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe whose reader went away, or a full disk; what is left unwritten makes no noise at the end either."""
    reads, writes = os.pipe()
    os.close(reads)
    with open(writes, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        with pytest.raises(Unheard, match="takes no more: Broken pipe"):
            put("마케팅팀")


@pytest.mark.usefixtures("logs")
@pytest.mark.parametrize(("typed", "ended"), [(["--once"], 130), (["--story", "runaway"], 130), ([], 0)])
def test_a_script_that_was_interrupted_is_no_success(
    typed: list[str], ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has printed nothing; the page, which only a signal ends, has done what it was asked."""

    async def interrupted(*_: object) -> int:
        raise asyncio.CancelledError

    monkeypatch.setattr("demo.__main__.run", interrupted)
    monkeypatch.setattr("sys.argv", ["demo", *typed])
    assert main() == ended


@pytest.mark.parametrize(
    ("ledger", "projects", "said"),
    [
        ("0.3", {"chat": "0.3", "idle": "0"}, None),
        ("0.2999999999", {"chat": "0.2999999999", "idle": "0"}, None),
        ("0.299999999", {"chat": "0.299999999", "idle": "0"}, "differ by -0.000000001 dollars"),
        ("0.3", {"chat": "0.3"}, "not set up: idle, 1 in all"),
    ],
)
def test_a_ledger_that_is_not_the_bill_is_no_success(ledger: str, projects: dict[str, str], said: str | None) -> None:
    """A disk that was full while onboarding gave a ledger of nothing, and the run ended well."""
    header = "hour,application,model,requests,input_tokens,output_tokens"
    trace = parse_trace([header, "0,chat,gpt-4o,1,1,1", "0,idle,gpt-4o,0,0,0"])
    wrong = amiss(Told(ledger, "0.3", projects, {}, {}, "USD", [], 0.0), trace)
    assert (said or "") in (wrong or "")
    assert (wrong is None) == (said is None)
