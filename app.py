"""The front door: read the settings, wire every room together, serve.

python3 app.py              serve (Socket Mode, HTTP, or both, as the settings say)
python3 app.py doctor       say what is right and what is wrong with tokens, scopes, database, keys and clock
python3 app.py new-key      print a new encryption key for FINOPS_KEYS
python3 app.py rotate-keys  seal every stored secret again with the first key of FINOPS_KEYS
python3 app.py manifest     print the Slack manifest for HTTP at FINOPS_PUBLIC_URL
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from aiohttp import web
from slack_bolt.async_app import AsyncApp

import handlers
import jobs
from bot import Bot, Clock
from bot.metrics import Metrics
from bot.settings import Settings
from handlers import authorizing, door, installing
from providers import PROVIDERS
from providers.http import http_client, tls_context
from storage import KeyRing, Storage, open_storage

BOT = web.AppKey("bot", Bot)
SLACK = web.AppKey("slack", AsyncApp)
STORAGE = web.AppKey("storage", Storage)
METRICS = web.AppKey("metrics", Metrics)
SOCKET = web.AppKey("socket", door.SocketDoor)
PAGES = web.AppKey("pages", installing.Pages)
SHUTDOWN_SECONDS = 20


def utc_now() -> datetime:
    """The real time: the only clock there is outside the demo. Everybody else is handed one."""
    return datetime.now(UTC)


def build(settings: Settings, *, clock: Clock = utc_now) -> web.Application:
    """The whole product as one web application; what it opens is closed again, in reverse order, when it ends."""

    async def house(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ring = KeyRing.from_text(settings.ring_text.reveal())
            storage = await stack.enter_async_context(open_storage(settings.database_url.reveal(), ring))
            http = await stack.enter_async_context(
                http_client(timeout=settings.provider_timeout_seconds, plaintext_hosts=settings.plaintext_hosts)
            )
            http.event_hooks["response"].append(app[METRICS].provider_answered)
            providers = {name: provider(http, settings.openai_base_url, clock) for name, provider in PROVIDERS.items()}
            bot = Bot(storage, providers, clock, settings.policy())
            client = await stack.enter_async_context(authorizing.clients(settings.slack_api_url, tls_context()))
            installations = installing.Installations(storage, client(None), settings, clock)
            token = settings.slack_bot_token
            source = installations if token is None else authorizing.OneWorkspace(client(token))
            authorizer = authorizing.Authorizer(source, clock)
            slack = door.bolt(settings.slack_signing_secret, client(None), authorizer)
            installing.watch_removals(slack, installations, authorizer)
            work = handlers.register(slack, bot)
            stack.push_async_callback(work.drain)
            slack_clients = authorizing.Clients(authorizer, client)
            await stack.enter_async_context(jobs.running(bot, slack_clients, clock, settings))
            app[BOT], app[SLACK], app[STORAGE] = bot, slack, storage
            app[PAGES] = installing.Pages(settings, client(None), installations, clock)
            if settings.slack_app_token is not None:
                socket = door.SocketDoor(slack, settings.slack_app_token.reveal(), app[METRICS])
                app[SOCKET] = await stack.enter_async_context(socket.opened())
            yield

    app = web.Application()
    app[METRICS] = Metrics()
    app.cleanup_ctx.append(house)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", measured)
    if settings.slack_signing_secret is not None:
        app.router.add_post("/slack/events", slack_calls)
    if settings.uses_oauth:
        app.router.add_get(installing.INSTALL_PATH, lambda request: request.app[PAGES].install(request))
        app.router.add_get(installing.REDIRECT_PATH, lambda request: request.app[PAGES].redirect(request))
    return app


async def slack_calls(request: web.Request) -> web.Response:
    return await door.receive(request.app[SLACK], request.app[METRICS], request)


async def healthy(_: web.Request) -> web.Response:
    """The process answers: restart it when it does not."""
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """Whether to send work here: 200 when the database answers and Slack's socket, if used, is open; else 503."""
    state = {"database": await request.app[STORAGE].answers()}
    if SOCKET in request.app:
        state["slack"] = await request.app[SOCKET].is_open()
    return web.json_response(state, status=200 if all(state.values()) else 503)


async def measured(request: web.Request) -> web.Response:
    body, headers = request.app[METRICS].page()
    return web.Response(body=body, headers=headers)


def serve(settings: Settings) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); then finish what was begun, for at most SHUTDOWN_SECONDS."""
    tls = None
    if settings.tls_certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_cert_chain(settings.tls_certificate, settings.tls_key)
    # No access log: the address of an OAuth redirect holds its code.
    web.run_app(
        build(settings), host=settings.host, port=settings.port, ssl_context=tls,
        shutdown_timeout=SHUTDOWN_SECONDS, access_log=None, print=None,
    )  # fmt: skip
