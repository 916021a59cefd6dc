"""The door Slack comes in by over HTTP, and how it is served: requests are measured, and none is logged whole."""

from __future__ import annotations

import errno
import json
import logging
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.logger.messages import (
    info_default_oauth_settings_loaded,
    warning_client_prioritized_and_token_skipped,
)
from slack_sdk.web.async_client import AsyncWebClient
from yarl import query_to_pairs

from blocks import bad_news
from bot.metrics import Metrics
from bot.settings import LOOPBACK, Settings, SettingsError
from handlers.authorizing import Authorizer
from locales import translator_for

log = logging.getLogger(__name__)

# Bolt finds SLACK_BOT_TOKEN in the environment and warns that it goes unused: by Bolt, but not by us. And it finds
# SLACK_CLIENT_ID, empty ones too (a container is given every line of .env), and tells of stores in files: not ours.
_NOT_SO = {warning_client_prioritized_and_token_skipped(), info_default_oauth_settings_loaded()}
logging.getLogger("slack_bolt.AsyncApp").addFilter(lambda line: line.getMessage() not in _NOT_SO)
# Of a time in seconds; Python refuses to read a number of thousands of digits.
_MOST_DIGITS = 20
# Somebody else listens there, it is no address of this machine, or only root may listen there.
_NOT_TO_BE_HAD = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})


def bolt(settings: Settings, client: AsyncWebClient, authorizer: Authorizer) -> AsyncApp:
    """Bolt without its traps: nothing comes from the environment, no body is logged.

    `authorize` is always ours, so that OAuth variables in the environment change nothing; the ssl_check middleware is
    off because its token check is the wrong way round. Without a signing secret (Socket Mode) a random one stands in:
    no request could be signed with it. What Bolt tells people where our token is refused is in our words.
    """
    signing_secret = settings.slack_signing_secret
    slack = AsyncApp(
        name="finops",
        signing_secret=signing_secret.reveal() if signing_secret else secrets.token_hex(32),
        client=client,
        authorize=authorizer,  # type: ignore[arg-type] # Bolt takes an AsyncAuthorize and does not say so
        ssl_check_enabled=False,
        user_facing_authorize_error_message=bad_news.locked_out(translator_for(settings.locale)),
    )
    # Bolt logs the whole body of a wrongly signed request at INFO, and sets the level anew for each app.
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.WARNING)
    return slack


class Letter(AsyncBoltRequest):
    """One HTTP request as Bolt reads it, with its body unpacked by us: Bolt's way takes a millisecond for a message."""

    def __init__(self, text: str, request: web.Request) -> None:
        super().__init__(
            body=unpacked(text, request.content_type),
            query=request.query_string,
            headers=request.headers,  # type: ignore[arg-type] # read as a mapping
            mode="socket_mode",  # in which Bolt takes a body as it is
        )
        self.raw_body, self.mode = text, "http"  # in which Bolt wants a signature, and proves it on the text


def unpacked(text: str, content_type: str) -> dict[str, Any]:
    """What Slack sent: an event or a question is JSON, a command is a form, everything else JSON in a form's field.

    Of what cannot be read, nothing: whether Slack sent it is not proved here yet, and no stranger makes us fail.
    """
    try:
        if content_type == "application/json" or text.startswith("{"):
            return dict(json.loads(text)) if text else {}
        form = dict(query_to_pairs(text))
        return dict(json.loads(form["payload"])) if "payload" in form else form
    except (ValueError, TypeError, RecursionError):
        return {}


async def receive(slack: AsyncApp, metrics: Metrics, request: web.Request) -> web.Response:
    """Answer one HTTP request from Slack; 401 unless it is signed and fresh."""
    with metrics.answering("http") as answer:
        if not _may_be_signed(request.headers):
            answer.status = 401
            return web.json_response({"error": "invalid request"}, status=401)
        # Bytes that are no text, whatever encoding is named, are none that Slack signed: the signature will say so.
        text = (await request.read()).decode(errors="replace")
        response = await slack.async_dispatch(Letter(text, request))
        answer.status = response.status
        return await to_aiohttp_response(response)


def _may_be_signed(headers: Mapping[str, str]) -> bool:
    """Whether the headers can be looked at: Bolt's verifier takes them for a number and for ASCII, and would fail."""
    sent_at, signature = headers.get("X-Slack-Request-Timestamp", "0"), headers.get("X-Slack-Signature", "")
    return sent_at.isdecimal() and len(sent_at) <= _MOST_DIGITS and signature.isascii()


@contextmanager
def listening(settings: Settings) -> Iterator[None]:
    """Serve inside: an address that cannot be had is a setting to be mended. Raises SettingsError, which names it."""
    try:
        yield
    except OSError as problem:
        # From Python 3.13 on asyncio says nothing but "could not bind" where no address is this machine's.
        is_elsewhere = problem.errno is None and "could not bind" in str(problem)
        if not (is_elsewhere or problem.errno in _NOT_TO_BE_HAD or isinstance(problem, socket.gaierror)):
            raise
        why = "it is no address of this machine" if is_elsewhere else problem.strerror or type(problem).__name__
        raise SettingsError(
            [f"FINOPS_HOST {settings.host} and PORT {settings.port} cannot be served on: {why}."]
        ) from None


def told(settings: Settings) -> Callable[[str], None]:
    """What is called once we serve: it says where in the log, and when that is to others without TLS."""

    def tell(_: str) -> None:
        where = {"address": settings.own_address}
        log.info("serving", extra=where)
        if settings.tls_certificate is None and settings.host not in LOOPBACK:
            log.warning("served without TLS, allowed as a named exception", extra=where)

    return tell


def serving_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.3 with the operator's certificate; None where a proxy, or Socket Mode, stands in front of us."""
    if settings.tls_certificate is None:
        return None
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return tls
