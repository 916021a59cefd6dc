"""The front door: the real application on a real socket, against the simulated Slack."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import re
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


async def test_health_readiness_and_metrics_are_served(slack, web_client, tmp_path):
    """An operator's three addresses answer as soon as the application serves."""
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        async with web_client.get(f"{url}/healthz") as answer:
            assert answer.status == 200
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"database": True})
        slack.deliver_to(f"{url}/slack/events")
        assert await slack.verify_url()
        async with web_client.get(f"{url}/metrics") as answer:
            page = await answer.text()
    assert 'finops_slack_requests_total{door="http",status="200"} 1.0' in page
    assert "finops_slack_answer_seconds_bucket" in page


async def test_what_fails_where_nobody_is_told_can_raise_an_alarm(slack, web_client, tmp_path):
    """A background job that fails has only its line in the log; an operator's monitoring sees that there was one."""
    heard = logging.getLogger().handlers[:]
    async with serving(settings_for(slack, tmp_path)) as (url, application):
        async with web_client.get(f"{url}/metrics") as answer:
            assert "finops_errors_total{" not in await answer.text()
        with closing(sqlite3.connect(tmp_path / "finops.sqlite3")) as database:
            database.execute("ALTER TABLE workspaces RENAME TO mislaid")
        await look_around(application[addresses.BOT], datetime(2026, 7, 6, 1, tzinfo=UTC))
        async with web_client.get(f"{url}/metrics") as answer:
            page = await answer.text()
    assert re.search(r'finops_errors_total{logger="bot.errors"} [1-9]', page), page
    assert logging.getLogger().handlers == heard  # of an application that is over, nothing is left to count


async def test_socket_mode_needs_no_address_and_readiness_tells_when_it_is_open(slack, web_client, tmp_path):
    """A command arrives through the socket; without an HTTP secret there is no HTTP door at all."""
    async with serving(settings_for(slack, tmp_path, socket_mode=True)) as (url, _):
        await slack.connected()
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"database": True, "slack": True})
        result = await slack.person(JIHOON).command("/finops help", FINOPS)
        assert result["ok"]
        async with web_client.post(f"{url}/slack/events") as answer:
            assert answer.status == 404


async def test_readiness_fails_while_slack_is_away(slack, web_client, tmp_path):
    """A copy whose socket is closed gets no traffic, but is not restarted for it."""
    slack.fail("apps.connections.open", error="internal_error", times=100)
    async with serving(settings_for(slack, tmp_path, socket_mode=True)) as (url, _):
        async with web_client.get(f"{url}/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"database": True, "slack": False})
        async with web_client.get(f"{url}/healthz") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("how", ["signature", "stale", "unsigned"])
async def test_impostors_get_401(slack, tmp_path, how):
    """A wrong signature, a ten-minute-old one and none at all are refused alike."""
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        assert await slack.forge(how) == 401


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [(each, "v0=00") for each in ("not-a-number", "1e9", "", "-1", "１７００", "9" * 5000)] + [("now", "v0=é")],
    ids=["words", "exponent", "empty", "negative", "wide", "endless", "signature"],
)
async def test_headers_that_cannot_be_read_get_401(slack, web_client, tmp_path, timestamp, signature):
    """Nonsense in a header is a refusal, never a failure of ours."""
    sent_at = str(int(front_door.utc_now().timestamp())) if timestamp == "now" else timestamp
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        headers = {"X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": signature}
        async with web_client.post(f"{url}/slack/events", data="command=/finops", headers=headers) as answer:
            assert answer.status == 401


JSON, FORM = "application/json", "application/x-www-form-urlencoded"


UNREADABLE = {
    "broken": (JSON, b"{"),
    "list": (JSON, b"[1, 2]"),
    "null": (JSON, b"null"),
    "deep": (JSON, b"[" * 100_000),
    "charset": (f"{JSON}; charset=nonsense", b"{"),
    "payload": (FORM, b"payload=%7B"),
}


@pytest.mark.parametrize(("kind", "body"), UNREADABLE.values(), ids=UNREADABLE)
async def test_a_body_that_cannot_be_read_is_a_strangers_until_it_is_signed(
    slack, web_client, tmp_path, log_lines, kind, body
):
    """It gets 401, and no stranger fills the log; what is signed and cannot be read is no failure of ours either."""
    settings = settings_for(slack, tmp_path)
    assert settings.slack_signing_secret is not None
    now = str(int(front_door.utc_now().timestamp()))
    signed = SignatureVerifier(settings.slack_signing_secret.reveal()).generate_signature(timestamp=now, body=body)
    async with serving(settings) as (url, _):
        for status, signature, sent in (
            (401, "v0=00", body),
            (401, "v0=00", b"\xff" + body),
            (404, signed or "", body),
        ):
            headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": now, "X-Slack-Signature": signature}
            async with web_client.post(f"{url}/slack/events", data=sent, headers=headers) as answer:
                assert answer.status == status
    assert "Traceback" not in log_lines.getvalue()


async def test_nobody_has_us_unpack_what_is_not_wanted(slack, web_client, tmp_path, monkeypatch):
    """A megabyte that anybody may send, unpacked to a gigabyte on the loop, would cost Slack's three seconds."""
    unpacked: list[str] = []
    made = DeflateBuffer.__init__

    def noted(self: DeflateBuffer, out: Any, encoding: str, *more: Any) -> None:
        unpacked.append(encoding)
        made(self, out, encoding, *more)

    monkeypatch.setattr(DeflateBuffer, "__init__", noted)
    bomb = gzip.compress(b" " * 2**24)
    headers = {"Content-Encoding": "gzip", "Content-Type": JSON, "Authorization": "Bearer nobody"}
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        for path, status in (("v1/events", 401), ("v1/traces", 401), ("slack/events", 401), ("healthz", 405)):
            async with web_client.post(f"{url}/{path}", data=bomb, headers=headers) as answer:
                assert answer.status == status
    assert unpacked == []


async def test_the_product_is_served_as_it_is_in_tests(slack, tmp_path, monkeypatch):
    """What is decided of serving stands in one place."""
    handed: dict[str, Any] = {}
    monkeypatch.setattr(front_door.web, "run_app", lambda _, **how: handed.update(how))
    front_door.serve(settings_for(slack, tmp_path))
    assert handed.items() >= addresses.SERVED.items()


async def test_what_an_impostor_sent_is_not_logged(slack, web_client, tmp_path, log_lines):
    """A stranger cannot write into our logs."""
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        now = str(int(front_door.utc_now().timestamp()))
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": "v0=00"}
        async with web_client.post(f"{url}/slack/events", data="text=written-by-a-stranger", headers=headers) as answer:
            assert answer.status == 401
    assert "written-by-a-stranger" not in log_lines.getvalue()


async def test_what_is_written_to_the_database_is_not_logged(slack, tmp_path, log_lines):
    """Who voted what stands there, and what was said without a name: no level of the log shows it."""
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        await slack.person(JIHOON).command("/finops help", FINOPS)
    assert "INSERT INTO" not in log_lines.getvalue()
    assert "users.info" in log_lines.getvalue()


@pytest.mark.parametrize(("client_id", "client_secret"), [("1.2", "x"), ("", "")])
async def test_oauth_variables_in_the_environment_change_nothing(
    slack, tmp_path, monkeypatch, log_lines, client_id, client_secret
):
    """Bolt would switch to OAuth, drop our token and reverse a token check on seeing these, and say so."""
    monkeypatch.setenv("SLACK_CLIENT_ID", client_id)
    monkeypatch.setenv("SLACK_CLIENT_SECRET", client_secret)
    monkeypatch.setenv("SLACK_VERIFICATION_TOKEN", "verification-token")
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        result = await slack.person(JIHOON).command("/finops help", FINOPS)
        assert result["ok"]
        call = await slack.next("auth.test")
        assert call.ok
    assert "InstallationStore" not in log_lines.getvalue()


async def test_a_database_that_takes_nothing_more_leaves_nobody_without_an_answer(slack, tmp_path):
    """On a full disk a person whom we never met cannot be remembered; they are told all the same, with a reference."""
    async with serving(settings_for(slack, tmp_path, FINOPS_LOCALE="en")) as (url, _):
        with closing(sqlite3.connect(tmp_path / "finops.sqlite3")) as database:
            database.execute("CREATE TRIGGER full BEFORE INSERT ON people BEGIN SELECT RAISE(ABORT, 'full'); END")
        slack.deliver_to(f"{url}/slack/events")
        await slack.person(JIHOON).command("/finops status", FINOPS)
    [told] = slack.person(JIHOON).ephemerals(FINOPS)
    assert "Tell your admin this reference" in str(told["blocks"])


@pytest.mark.parametrize("locale", ["ko", "en", "ja"])
async def test_where_slack_refuses_our_token_people_read_it_in_our_words(slack, tmp_path, locale):
    """Bolt would apologize in English for an unknown reason. Which language is the reader's nobody tells us then."""
    slack.hub.tokens.revoke_all()
    async with serving(settings_for(slack, tmp_path, FINOPS_LOCALE=locale)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        await slack.person(JIHOON).command("/finops status", FINOPS)
    [told] = slack.person(JIHOON).ephemerals(FINOPS)
    assert told["text"] == bad_news.locked_out(translator_for(locale))


async def test_the_token_is_asked_about_once(slack, tmp_path):
    """auth.test is not repeated for every click."""
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        for _ in range(3):
            await slack.person(JIHOON).command("/finops help", FINOPS)
    assert [call.method for call in slack.calls].count("auth.test") == 1


async def test_a_signed_request_from_slacks_own_code_is_accepted(slack, web_client, tmp_path):
    """Our door understands slack_sdk's signatures, not only our simulator's."""
    settings = settings_for(slack, tmp_path)
    assert settings.slack_signing_secret is not None
    body = '{"type":"url_verification","challenge":"abc"}'
    now = str(int(front_door.utc_now().timestamp()))
    signature = SignatureVerifier(settings.slack_signing_secret.reveal()).generate_signature(timestamp=now, body=body)
    headers = {
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": signature or "",
        "Content-Type": "application/json",
    }
    async with (
        serving(settings) as (url, _),
        web_client.post(f"{url}/slack/events", data=body, headers=headers) as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"challenge": "abc"})


async def test_shutdown_finishes_what_was_begun(slack, tmp_path):
    """A command acknowledged before SIGTERM is answered before the process ends."""
    slack.fail("users.info", delay_seconds=0.3, times=1)
    async with serving(settings_for(slack, tmp_path)) as (url, _):
        slack.deliver_to(f"{url}/slack/events")
        assert (await slack.person(JIHOON).command("/finops help", FINOPS))["ok"]
    assert slack.person(JIHOON).ephemerals(FINOPS)
    assert slack.complaints == []


async def test_no_secret_reaches_a_log_line_or_the_database(slack, tmp_path, log_lines):
    """A journey at debug level, failures included, leaves no token, signing secret or response_url anywhere."""
    settings = settings_for(slack, tmp_path, SLACK_APP_TOKEN=slack.config.app_token)
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
    for canary in canaries:
        assert canary not in written
    assert "/commands/T" not in written
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for canary in canaries:
        assert canary.encode() not in stored
