"""Logs: one line per event, whoever wrote it, and no secret in any of them.

Our lines and those of every library pass through one formatter, and its last step but one masks whatever looks like
a secret, tracebacks included. `reference` ids and the workspace travel as context variables (structlog.contextvars).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from finops.keys import redacted

MASK = "[redacted]"
# Beyond keys and tokens (finops.keys): a response_url or webhook is a bearer address, and so is an OAuth code.
BEARERS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"xox[a-z]?[-.][A-Za-z0-9.-]+|xapp-[A-Za-z0-9-]+"), MASK),
    (re.compile(r"https?://[^\s\"'<>]*?/(?:commands|actions|app|services|workflows)/[TE][A-Z0-9]+/[^\s\"'<>]+"), MASK),
    (re.compile(r"(?i)\b((?:client_secret|refresh_token|code|state|token|ticket|password)=)[^&\s\"']+"), rf"\1{MASK}"),
    # Slack's library tells of an installation that failed "with code: …", which is good for ten minutes.
    (re.compile(r"(with code: )\S+"), rf"\1{MASK}"),
    # The same in a dictionary that a library prints. Short values are words (`'code': 'invalid_auth'`), not secrets.
    (re.compile(r"""(?i)(["'](?:client_secret|\w*token|code|state|ticket)["']: ?\[?["'])[^"']{20,}"""), rf"\1{MASK}"),
    (re.compile(r"(?i)((?:postgres(?:ql)?(?:\+\w+)?)://[^:/@\s]+:)[^@\s]+@"), rf"\1{MASK}@"),
)
# Bolt logs the whole body of a request whose signature is wrong, at INFO: a stranger would write into our logs.
# SQLite's driver logs each statement twice, at DEBUG, with the values in it: who voted what, and what nobody signed.
CHATTY = {
    "aiosqlite": logging.INFO,
    "slack_bolt.RequestVerification": logging.WARNING,
    "httpx": logging.WARNING,
    "apscheduler": logging.WARNING,
    "alembic.runtime.plugins": logging.WARNING,
}


def masked(text: str) -> str:
    """The text without anything that opens a door."""
    for pattern, replacement in BEARERS:
        text = pattern.sub(replacement, text)
    return redacted(text)


def mask_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask every string of a log event, however deep it lies."""
    return {key: _mask(value) for key, value in event.items()}


def _mask(value: object) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(key): _mask(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_mask(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return masked(repr(value))


def formatter(log_format: str) -> logging.Formatter:
    """One JSON object per line (`json`), or a line for people (`text`); the same masking in both."""
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask_event,
            renderer,
        ],
    )


def configure(level: str = "info", log_format: str = "json", stream: TextIO | None = None) -> logging.Handler:
    """Send every log line of this process through `formatter` to `stream` (standard error); returns the handler."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, quietest in CHATTY.items():
        logging.getLogger(name).setLevel(max(quietest, logging.getLevelName(level.upper())))
    logging.captureWarnings(capture=True)
    return handler
