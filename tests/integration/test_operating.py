"""What an operator types: every command, right and wrong, on a database of their own."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

import app as front_door
from bot.settings import SettingsError
from demo.slack import SimulatedSlack
from finops.secret import Secret
from handlers import door, manifest
from storage import KeyRing, open_storage
from storage.records import Installation
from tests.house.tree import ROOT
from tests.integration.test_front_door import JIHOON, folder, serving, settings_for

__all__ = ["folder"]

TEAM = "T0FINOPS01"


@pytest.fixture(autouse=True)
def _quiet_afterwards() -> Iterator[None]:
    """`main` configures logging for its process; this one goes on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with nothing of ours in it, and no .env beside app.py."""
    monkeypatch.setattr(front_door, "CHECKOUT", tmp_path)
    for name in front_door.Settings.names():
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_new_key_prints_a_key_that_can_be_used(capsys: pytest.CaptureFixture[str]):
    """What is printed can be pasted into FINOPS_KEYS as it is."""
    assert front_door.main(["new-key"]) == 0
    printed = capsys.readouterr().out.strip()
    assert KeyRing.from_text(printed).to_text() == printed


def test_mistakes_are_said_without_a_traceback(environ: pytest.MonkeyPatch):
    """An operator who forgot everything reads sentences, all of them, and the process fails."""
    with pytest.raises(SystemExit) as stopped:
        front_door.main([])
    assert "SLACK_BOT_TOKEN" in str(stopped.value)
    assert "FINOPS_KEYS" in str(stopped.value)


def test_an_unknown_command_shows_the_commands(capsys: pytest.CaptureFixture[str]):
    """A typo costs nothing."""
    assert front_door.main(["doktor"]) == 2
    assert "python3 run.py run doctor" in capsys.readouterr().err


def test_the_manifest_is_printed_with_our_address(environ: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """It can be pasted into Slack, and every URL in it is the operator's."""
    environ.setenv("FINOPS_PUBLIC_URL", "https://costs.example.org")
    assert front_door.main(["manifest"]) == 0, "tokens are had from the app, and the app from this"
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed == manifest.http_manifest("https://costs.example.org")
    assert manifest.EXAMPLE_URL not in str(printed)


@pytest.mark.parametrize(("address", "said"), [("", "is missing"), ("costs.example.org", "should be a web address")])
def test_a_manifest_without_an_address_is_no_manifest(environ: pytest.MonkeyPatch, address: str, said: str):
    """Somebody else's address, pasted into Slack, would get every command."""
    environ.setenv("FINOPS_PUBLIC_URL", address)
    with pytest.raises(SystemExit, match=f"FINOPS_PUBLIC_URL {said}"):
        front_door.main(["manifest"])


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_an_address_that_cannot_be_had_is_said_in_a_sentence(environ: pytest.MonkeyPatch, tmp_path: Path, host: str):
    """No traceback for a port that somebody else has, nor for a host that is not this machine."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environ.setenv("SLACK_BOT_TOKEN", "xoxb-" + "1-a")
        environ.setenv("SLACK_SIGNING_SECRET", "0" * 32)
        environ.setenv("FINOPS_KEYS", KeyRing.generate().to_text())
        environ.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'finops.sqlite3'}")
        environ.setenv("FINOPS_HOST", host)
        environ.setenv("FINOPS_PLAINTEXT_HOSTS", host)
        environ.setenv("PORT", port)
        with pytest.raises(SystemExit, match=rf"FINOPS_HOST {host} and PORT {port} cannot be served on: .+\."):
            front_door.main([])


def test_a_database_that_cannot_be_opened_is_said_in_a_sentence(environ: pytest.MonkeyPatch, tmp_path: Path):
    """No traceback for a wrong address."""
    (tmp_path / "file").write_text("")
    environ.setenv("SLACK_BOT_TOKEN", "xoxb-" + "1-a")
    environ.setenv("SLACK_SIGNING_SECRET", "0" * 32)
    environ.setenv("FINOPS_KEYS", KeyRing.generate().to_text())
    environ.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'finops.sqlite3'}")
    with pytest.raises(SystemExit, match="cannot be made"):
        front_door.main(["rotate-keys"])


async def test_rotating_keys_leaves_nothing_under_the_old_one(folder: Path):
    """After it, the new key alone opens every secret."""
    url = f"sqlite:///{folder / 'finops.sqlite3'}"
    old, new = KeyRing.generate("old"), KeyRing.generate("new")
    installation = Installation(
        app_id="A1", enterprise_id=None, enterprise_name=None, team_id=TEAM, team_name="한빛소프트",
        is_enterprise_install=False, user_id=JIHOON, bot_token=Secret("xoxb-" + "1-a"), bot_id="B1", bot_user_id="U1",
        bot_scopes=("commands",), installed_at=datetime(2026, 7, 1, tzinfo=UTC),
    )  # fmt: skip
    async with open_storage(url, old) as storage, storage.writing() as store:
        await store.installations.save(installation)
    async with SimulatedSlack() as slack:
        settings = settings_for(slack, folder, FINOPS_KEYS=f"{new.to_text()},{old.to_text()}", DATABASE_URL=url)
        said, is_well = await front_door.operate("rotate-keys", settings)
        assert (said, is_well) == ("1 secrets sealed again, with key 'new'.\n", True)
        said, _ = await front_door.operate("rotate-keys", settings)
        assert said.startswith("0 secrets")
    async with open_storage(url, new) as storage, storage.reading() as store:
        assert await store.installations.find(None, TEAM, is_enterprise_install=False) == installation


async def test_the_doctor_says_what_is_right_and_what_is_wrong(folder: Path):
    """Tokens are tried at Slack, app-level token included; a revoked one fails the report."""
    async with SimulatedSlack() as slack:
        settings = settings_for(slack, folder, socket_mode=True, FINOPS_LOCALE="en")
        async with serving(settings):
            await slack.connected()
            await slack.person(JIHOON).opens_home()
            await asyncio.wait_for(slack.next("views.publish"), 5)
        said, _ = await front_door.operate("doctor", settings)
        assert "✓ Slack accepts our token." in said
        assert "✓ Socket Mode is connected." in said
        slack.hub.tokens.revoke_all()
        said, is_well = await front_door.operate("doctor", settings)
        assert "✗ Slack refuses our token (token_revoked)." in said
        assert "Slack grants" not in said, "nobody asked it"
        assert not is_well
        slack.fail("auth.test", error="internal_error", times=9)
        said, _ = await front_door.operate("doctor", settings)
        assert "✗ Slack could not be asked (internal_error)" in said
    said, is_well = await front_door.operate("doctor", settings)
    assert "✗ Slack could not be asked (ClientConnectorError)" in said
    for unknown in ("refuses our token", "Slack grants", "Socket Mode"):
        assert unknown not in said, "Slack is away, and told nothing"
    assert not is_well


async def test_the_doctor_finds_nothing_wrong_before_the_first_start(tmp_path: Path):
    """Whoever follows the README asks it first: what is next is told, and that it is not done yet is no failure."""
    async with SimulatedSlack() as slack:
        slack.use_manifest(manifest.socket_manifest())
        settings = settings_for(slack, tmp_path, socket_mode=True, FINOPS_LOCALE="en")
        said, is_well = await front_door.operate("doctor", settings)
    assert "! Nobody administers FinOps yet. A Slack workspace admin begins with /finops setup." in said
    assert is_well, said


async def test_the_doctor_names_prices_that_would_keep_the_bot_from_starting(folder: Path):
    """It is asked before the first start: what that would refuse, it must not call well."""
    wrong = folder / "prices.yaml"
    wrong.write_text("- model: gpt-5\n  input_per_mtok: free\n")
    async with SimulatedSlack() as slack:
        settings = settings_for(slack, folder, FINOPS_PRICES=str(wrong))
        with pytest.raises(SettingsError, match=r"prices\.yaml"):
            await front_door.operate("doctor", settings)


async def test_the_real_process_starts_serves_and_ends_calmly(tmp_path: Path):
    """`python3 app.py` with nothing but its environment answers a command; SIGTERM ends it with 0 and no traceback."""
    async with SimulatedSlack() as slack:
        environ = {
            "PATH": os.environ["PATH"],
            "PORT": "0",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'finops.sqlite3'}",
            "FINOPS_KEYS": KeyRing.generate().to_text(),
            "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            **slack.client_settings(),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "app.py"), env=environ, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
        )
        try:
            await slack.connected(timeout_seconds=30)
            assert (await slack.person(JIHOON).command("/finops help"))["ok"]
            process.terminate()
            _, errors = await asyncio.wait_for(process.communicate(), 30)
        finally:
            if process.returncode is None:
                process.kill()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert slack.person(JIHOON).messages(slack.person(JIHOON).dm), "what was begun is finished"
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [line["address"] for line in lines if line["event"] == "serving"] == ["http://127.0.0.1:0"]
    # The bot token stands in the environment, as in a container, and nothing is said of it.
    warnings = [line["event"] for line in lines if line["level"] == "warning"]
    assert warnings == ["Slack is reached without TLS, allowed as a named exception"]


@pytest.mark.parametrize(("host", "is_told"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
async def test_serving_others_without_tls_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str, is_told: bool
):
    """A setting allows it, by name; the log says that it is so."""
    async with SimulatedSlack() as slack:
        settings = settings_for(slack, tmp_path, FINOPS_HOST=host, FINOPS_PLAINTEXT_HOSTS=f"127.0.0.1,{host}")
    with caplog.at_level(logging.INFO, "handlers.door"):
        door.told(settings)("")
    assert ["without TLS" in line.message for line in caplog.records] == ([False, True] if is_told else [False])
    assert all(line.__dict__["address"] == f"http://{host}:{settings.port}" for line in caplog.records)
