"""Logs: every line in one form, and no secret in any of them, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import configure, masked
from finops.secret import Secret

# Assembled from parts, so that nobody's scanner takes them for real ones.
CANARIES = {
    "bot token": "xoxb-" + "123456789012-canary",
    "rotating token": "xoxe.xox" + "b-1-canary-canary",
    "refresh token": "xoxe-" + "1-canarycanary",
    "app token": "xapp-" + "1-A012-canary",
    "admin key": "sk-" + "admin-canary1234567890",
    "project key": "sk-" + "proj-canary1234567890",
    "legacy key": "sk-" + "canary1234567890abcdef",
    "bearer": "Bearer " + "canary.canary-canary",
    "response url": "https://hooks.slack.com/" + "commands/T012/345/canary",
    "action url": "https://hooks.slack.com/" + "actions/T012/345/canary",
    "webhook": "https://hooks.slack.com/" + "services/T012/B345/canary",
    "simulated response url": "http://127.0.0.1:9000/" + "commands/T012/345/canary",
    "socket ticket": "wss://wss-primary.slack.com/link/?ticket=" + "canary-canary",
    "oauth code": "GET /slack/oauth_redirect?code=" + "canary&state=canary",
    "oauth code that failed": "Failed to fetch oauth.v2.access result with code: " + "canary.canary - error: x",
    "oauth code in a dictionary": str({"code": "canary" * 5, "state": ["canary" * 5]}),
    "database": "postgresql://finops:" + "canary@db.internal/finops",
}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("debug", "json", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before, level
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("kind", CANARIES)
def test_no_secret_survives_masking(kind: str):
    """Whatever opens a door is masked wherever it stands in a text."""
    assert "canary" not in masked(f"before {CANARIES[kind]} after")


def test_masking_keeps_what_people_need_to_read():
    """A mask that eats ordinary words makes logs useless."""
    text = "OpenAI has not answered since 09:40; task-force met at https://example.com/T012/report 비용 수집"
    text += str({"code": "invalid_api_key", "state": "done"})
    assert masked(text) == text


@pytest.mark.parametrize("kind", CANARIES)
def test_no_secret_reaches_a_log_line(lines: io.StringIO, kind: str):
    """Message, arguments, extras, nested values, exceptions and library lines all pass the same mask."""
    told = CANARIES[kind]
    logging.getLogger("library").debug("calling with %s", told)
    logging.getLogger("bot").info("nested", extra={"payload": {"deep": [told, {"deeper": told}]}, "text": told})
    logging.getLogger("bot").info("object", extra={"thing": Exception(told), "secret": Secret(told)})
    try:
        raise RuntimeError(f"failed at {told}") from ValueError(told)
    except RuntimeError:
        logging.getLogger("bot").exception("it broke: %s", told)
    written = lines.getvalue()
    assert len(written.splitlines()) == 4
    assert "canary" not in written


def test_one_json_object_per_line_with_korean_readable_and_context(lines: io.StringIO):
    """Lines carry level, logger, time, extras, and whatever the request bound; Korean stays Korean."""
    structlog.contextvars.bind_contextvars(workspace="T0FINOPS01")
    logging.getLogger("bot.collecting").warning("마케팅팀 수집 중단", extra={"reference": "k7Q2"})
    line = lines.getvalue()
    assert "마케팅팀" in line
    event = json.loads(line)
    assert event["level"] == "warning"
    assert event["logger"] == "bot.collecting"
    assert event["reference"] == "k7Q2"
    assert event["workspace"] == "T0FINOPS01"
    assert event["timestamp"].endswith("Z")
