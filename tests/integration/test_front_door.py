"""The front door: the real application on a real socket, against the simulated Slack."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.http_parser import DeflateBuffer
from slack_sdk.signature import SignatureVerifier

import app as front_door
from blocks import bad_news
from bot.logs import configure
from bot.settings import Settings
from demo.slack import SimulatedSlack
from handlers import addresses
from jobs import look_around
from locales import translator_for
from storage.secrets import KeyRing

JIHOON, FINOPS = "U0JIHOON01", "C0FINOPS01"


def settings_for(slack: SimulatedSlack, folder: Path, *, oauth: bool = False, socket_mode: bool = False, **more: str):
    return Settings.from_env(
        {
            "DATABASE_URL": f"sqlite:///{folder / 'finops.sqlite3'}",
            "FINOPS_KEYS": KeyRing.generate().to_text(),
            "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "FINOPS_COLLECT_CRON": "0 0 1 1 *",
            **slack.client_settings(oauth=oauth, socket_mode=socket_mode),
            **more,
        }
    )


@asynccontextmanager
async def serving(settings: Settings, **how: Any) -> AsyncIterator[tuple[str, web.Application]]:
    """The application under an address of its own, until the block ends."""
    application = front_door.build(settings, **how)
    runner = web.AppRunner(application, access_log=None, **addresses.SERVED)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}", application
    finally:
        await runner.cleanup()


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """Where the application's database stands, with its tables; how it makes them itself is told in test_operating."""
    shutil.copy(sqlite_template, tmp_path / "finops.sqlite3")
    return tmp_path


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as simulated:
        yield simulated


@pytest.fixture
async def web_client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Everything this process logs, at the lowest level, in the form an operator reads."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("debug", "json", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


async def test_health_readiness_and_metrics_are_served(slack, web_client, folder):
    """An operator's three addresses answer as soon as the application serves; every request is counted, and for all of
    them together Slack is asked once whose token ours is."""
    async with serving(settings_for(slack, folder)) as (url, _):
        async with web_client.get(f"{url}/healthz") as answer:
            assert answer.status == 200
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"database": True})
        slack.deliver_to(f"{url}/slack/events")
        assert await slack.verify_url()
        for _ in range(3):
            await slack.person(JIHOON).command("/finops help", FINOPS)
        async with web_client.get(f"{url}/metrics") as answer:
            page = await answer.text()
    assert 'finops_slack_requests_total{door="http",status="200"} 4.0' in page
    assert "finops_slack_answer_seconds_bucket" in page
    assert [call.method for call in slack.calls].count("auth.test") == 1


async def test_what_fails_where_nobody_is_told_can_raise_an_alarm(slack, web_client, folder):
    """A background job that fails has only its line in the log; an operator's monitoring sees that there was one."""
    heard = logging.getLogger().handlers[:]
    async with serving(settings_for(slack, folder)) as (url, application):
        async with web_client.get(f"{url}/metrics") as answer:
            assert "finops_errors_total{" not in await answer.text()
        with closing(sqlite3.connect(folder / "finops.sqlite3")) as database:
            database.execute("ALTER TABLE workspaces RENAME TO mislaid")
        await look_around(application[addresses.BOT], datetime(2026, 7, 6, 1, tzinfo=UTC))
        async with web_client.get(f"{url}/metrics") as answer:
            page = await answer.text()
    assert re.search(r'finops_errors_total{logger="bot.errors"} [1-9]', page), page
    assert logging.getLogger().handlers == heard  # of an application that is over, nothing is left to count


async def test_socket_mode_needs_no_address_and_readiness_tells_when_it_is_open(slack, web_client, folder):
    """A command arrives through the socket; without an HTTP secret there is no HTTP door at all."""
    async with serving(settings_for(slack, folder, socket_mode=True)) as (url, _):
        await slack.connected()
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"database": True, "slack": True})
        result = await slack.person(JIHOON).command("/finops help", FINOPS)
        assert result["ok"]
        async with web_client.post(f"{url}/slack/events") as answer:
            assert answer.status == 404


async def test_readiness_fails_while_slack_is_away(slack, web_client, folder):
    """A copy whose socket is closed gets no traffic, but is not restarted for it."""
    slack.fail("apps.connections.open", error="internal_error", times=100)
    async with serving(settings_for(slack, folder, socket_mode=True)) as (url, _):
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"database": True, "slack": False})
        async with web_client.get(f"{url}/healthz") as answer:
            assert answer.status == 200


async def test_impostors_get_401(slack, web_client, folder):
    """A wrong signature, a ten-minute-old one and none at all; nonsense in a header is a refusal, too, never a failure
    of ours."""
    now = str(int(front_door.utc_now().timestamp()))
    times = ("not-a-number", "1e9", "", "-1", "１７００", "9" * 5000)
    async with serving(settings_for(slack, folder)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        for how in ("signature", "stale", "unsigned"):
            assert (how, await slack.forge(how)) == (how, 401)
        for sent_at, signature in (*((each, "v0=00") for each in times), (now, "v0=é")):
            headers = {"X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": signature}
            async with web_client.post(f"{url}/slack/events", data="command=/finops", headers=headers) as answer:
                assert (sent_at[:20], answer.status) == (sent_at[:20], 401)


JSON, FORM = "application/json", "application/x-www-form-urlencoded"


UNREADABLE = {
    "broken": (JSON, b"{"),
    "list": (JSON, b"[1, 2]"),
    "null": (JSON, b"null"),
    "deep": (JSON, b"[" * 100_000),
    "charset": (f"{JSON}; charset=nonsense", b"{"),
    "payload": (FORM, b"payload=%7B"),
}


async def test_a_body_that_cannot_be_read_is_a_strangers_until_it_is_signed(slack, web_client, folder, log_lines):
    """It gets 401, and no stranger fills the log or writes into it; what is signed and cannot be read is no failure of
    ours either. The signatures are those of Slack's own code: what they sign and can be read is answered."""
    settings = settings_for(slack, folder)
    assert settings.slack_signing_secret is not None
    now = str(int(front_door.utc_now().timestamp()))
    ours = SignatureVerifier(settings.slack_signing_secret.reveal())
    async with serving(settings) as (url, _):

        async def answered(kind: str, body: bytes, signature: str | None) -> tuple[int, str]:
            headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": now, "X-Slack-Signature": signature or ""}
            async with web_client.post(f"{url}/slack/events", data=body, headers=headers) as answer:
                return answer.status, await answer.text()

        for name, (kind, body) in UNREADABLE.items():
            signed = ours.generate_signature(timestamp=now, body=body)
            tries = ((body, "v0=00"), (b"\xff" + body, "v0=00"), (body, signed))
            statuses = [(await answered(kind, sent, signature))[0] for sent, signature in tries]
            assert (name, statuses) == (name, [401, 401, 404])
        assert (await answered(FORM, b"text=written-by-a-stranger", "v0=00"))[0] == 401
        asked = b'{"type":"url_verification","challenge":"abc"}'
        status, said = await answered(JSON, asked, ours.generate_signature(timestamp=now, body=asked))
        assert (status, json.loads(said)) == (200, {"challenge": "abc"})
    assert "Traceback" not in log_lines.getvalue()
    assert "written-by-a-stranger" not in log_lines.getvalue()


async def test_nobody_has_us_unpack_what_is_not_wanted(slack, web_client, folder, monkeypatch):
    """A megabyte that anybody may send, unpacked to a gigabyte on the loop, would cost Slack's three seconds."""
    unpacked: list[str] = []
    made = DeflateBuffer.__init__

    def noted(self: DeflateBuffer, out: Any, encoding: str, *more: Any) -> None:
        unpacked.append(encoding)
        made(self, out, encoding, *more)

    monkeypatch.setattr(DeflateBuffer, "__init__", noted)
    bomb = gzip.compress(b" " * 2**24)
    headers = {"Content-Encoding": "gzip", "Content-Type": JSON, "Authorization": "Bearer nobody"}
    async with serving(settings_for(slack, folder)) as (url, _):
        for path, status in (("v1/events", 401), ("v1/traces", 401), ("slack/events", 401), ("healthz", 405)):
            async with web_client.post(f"{url}/{path}", data=bomb, headers=headers) as answer:
                assert answer.status == status
    assert unpacked == []


async def test_the_product_is_served_as_it_is_in_tests(slack, folder, monkeypatch):
    """What is decided of serving stands in one place."""
    handed: dict[str, Any] = {}
    monkeypatch.setattr(front_door.web, "run_app", lambda _, **how: handed.update(how))
    front_door.serve(settings_for(slack, folder))
    assert handed.items() >= addresses.SERVED.items()


@pytest.mark.parametrize(("client_id", "client_secret"), [("1.2", "x"), ("", "")])
async def test_oauth_variables_in_the_environment_change_nothing(
    slack, folder, monkeypatch, log_lines, client_id, client_secret
):
    """Bolt would switch to OAuth, drop our token and reverse a token check on seeing these, and say so."""
    monkeypatch.setenv("SLACK_CLIENT_ID", client_id)
    monkeypatch.setenv("SLACK_CLIENT_SECRET", client_secret)
    monkeypatch.setenv("SLACK_VERIFICATION_TOKEN", "verification-token")
    async with serving(settings_for(slack, folder)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        result = await slack.person(JIHOON).command("/finops help", FINOPS)
        assert result["ok"]
        call = await slack.next("auth.test")
        assert call.ok
    assert "InstallationStore" not in log_lines.getvalue()


async def test_a_database_that_takes_nothing_more_leaves_nobody_without_an_answer(slack, folder):
    """On a full disk a person whom we never met cannot be remembered; they are told all the same, with a reference."""
    async with serving(settings_for(slack, folder, FINOPS_LOCALE="en")) as (url, _):
        with closing(sqlite3.connect(folder / "finops.sqlite3")) as database:
            database.execute("CREATE TRIGGER full BEFORE INSERT ON people BEGIN SELECT RAISE(ABORT, 'full'); END")
        slack.deliver_to(f"{url}/slack/events")
        await slack.person(JIHOON).command("/finops status", FINOPS)
    [told] = slack.person(JIHOON).ephemerals(FINOPS)
    assert "Tell your admin this reference" in str(told["blocks"])


async def test_where_slack_refuses_our_token_people_read_it_in_our_words(slack, folder):
    """Bolt would apologize in English for an unknown reason. Which language is the reader's nobody tells us then: it is
    the operator's."""
    slack.hub.tokens.revoke_all()
    async with serving(settings_for(slack, folder, FINOPS_LOCALE="ja")) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        await slack.person(JIHOON).command("/finops status", FINOPS)
    [told] = slack.person(JIHOON).ephemerals(FINOPS)
    assert told["text"] == bad_news.locked_out(translator_for("ja"))


async def test_shutdown_finishes_what_was_begun(slack, folder):
    """A command acknowledged before SIGTERM is answered before the process ends."""
    slack.fail("users.info", delay_seconds=0.3, times=1)
    async with serving(settings_for(slack, folder)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
    assert slack.person(JIHOON).ephemerals(FINOPS)
    assert slack.complaints == []


async def test_no_secret_reaches_a_log_line_or_the_database(slack, folder, log_lines):
    """A journey at debug level, failures included, leaves no token, signing secret or response_url anywhere.

    Nor does any level of the log show what is written to the database: who voted what, and what was said without a
    name.
    """
    settings = settings_for(slack, folder, SLACK_APP_TOKEN=slack.config.app_token)
    canaries = [
        slack.config.bot_token,
        slack.config.app_token,
        slack.config.signing_secret,
        settings.ring_text.reveal(),
    ]
    async with serving(settings) as (url, application):
        slack.deliver_to(f"{url}/slack/events")
        jihoon = slack.person(JIHOON)
        await jihoon.command("/finops status", FINOPS)
        await jihoon.opens_home()
        slack.fail("views.publish", error="internal_error", times=1)
        await jihoon.opens_home()
        slack.fail("users.info", status=500, times=1)
        await jihoon.command("/finops doctor", FINOPS)
        await asyncio.wait_for(slack.settled(), 5)
        canaries += [call.args.get("response_url", slack.config.bot_token) for call in slack.calls]
        assert application[addresses.BOT] is not None
    written = log_lines.getvalue() + repr(settings)
    assert len(written.splitlines()) > 20, "the journey should leave debug lines"
    assert "users.info" in written
    assert "INSERT INTO" not in written
    for canary in canaries:
        assert canary not in written
    assert "/commands/T" not in written
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    for canary in canaries:
        assert canary.encode() not in stored
