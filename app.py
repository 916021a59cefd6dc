"""The front door: read the settings, wire every room together, serve.

python3 run.py run              serve (Socket Mode, HTTP, or both, as the settings say)
python3 run.py run doctor       say what is right and what is wrong with tokens, scopes, database, keys and clock
python3 run.py run new-key      print a new master key for FINOPS_KEYS
python3 run.py run rotate-keys  seal every stored secret again with the first key of FINOPS_KEYS
python3 run.py run manifest     print the Slack manifest for HTTP at FINOPS_PUBLIC_URL
python3 run.py run budgets export FILE            write every budget in force to a file (- for the screen)
python3 run.py run budgets import FILE [--apply]  say what a file would change; with --apply, change it
python3 run.py run audit verify                   say whether the audit trail is as it was written; exit 1 where not
python3 run.py run audit export FILE [csv|jsonl]  write the audit trail to a file (- for the screen)
"""

from __future__ import annotations

import gc

# What the imports make stays: looking through it for garbage would take a tenth of the start, and later, again and
# again, a fifth of a second in which nobody is acknowledged.
gc.disable()

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

import handlers
import jobs
from bot import Bot, Clock
from bot.logs import configure
from bot.metrics import Metrics
from bot.settings import CHECKOUT, Settings, SettingsError, read_env_file
from handlers import authorizing, door, installing, manifest, operating, pricing, socket_mode
from handlers.addresses import BOT, METRICS, PAGES, SERVED, SLACK, SOCKET, STORAGE, routes
from providers import PROVIDERS
from providers.http import http_client, tls_context
from storage import KeyRing, open_storage
from storage.errors import StorageError as StorageError  # whoever builds the house may meet it, too

gc.freeze()
gc.enable()

SHUTDOWN_SECONDS = 20


def utc_now() -> datetime:
    """The real time: the only clock there is outside the demo. Everybody else is handed one."""
    return datetime.now(UTC)


def build(settings: Settings, *, clock: Clock = utc_now) -> web.Application:
    """The whole product as one web application; what it opens is closed again, in reverse order, when it ends.

    Raises SettingsError when the operator's prices cannot be used.
    """
    pricing.check(settings)

    async def house(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.enter_context(app[METRICS].counting_errors())
            ring = KeyRing.from_text(settings.ring_text.reveal())
            opening = stack.enter_async_context(open_storage(settings.database_url.reveal(), ring))
            # One for all ways out: reading the machine's certificates takes a while, and keeps nobody from working.
            storage, tls = await asyncio.gather(opening, asyncio.to_thread(tls_context))
            timeout, hosts = settings.provider_timeout_seconds, settings.plaintext_hosts
            http = await stack.enter_async_context(http_client(timeout=timeout, plaintext_hosts=hosts, tls=tls))
            http.event_hooks["response"].append(app[METRICS].provider_answered)
            providers = {name: provider(http, settings.openai_base_url, clock) for name, provider in PROVIDERS.items()}
            bot = Bot(storage, providers, clock, settings.policy(), partial(pricing.opened, settings))
            client = await stack.enter_async_context(authorizing.clients(settings.slack_api_url, tls))
            installations = installing.Installations(storage, client(None), settings, clock)
            token = settings.slack_bot_token
            source = installations if token is None else authorizing.OneWorkspace(client(token))
            authorizer = authorizing.Authorizer(source, clock)
            slack = door.bolt(settings, client(None), authorizer)
            installing.watch_removals(slack, installations, authorizer)
            work = handlers.register(slack, bot)
            stack.push_async_callback(work.drain)
            slack_clients = authorizing.Clients(authorizer, client)
            await stack.enter_async_context(jobs.running(bot, slack_clients, clock, settings, app[METRICS]))
            app[BOT], app[SLACK], app[STORAGE] = bot, slack, storage
            if settings.uses_oauth:
                app[PAGES] = installing.Pages(settings, client(None), installations, clock)
            if settings.slack_app_token is not None:
                socket = socket_mode.SocketDoor(slack, settings.slack_app_token.reveal(), app[METRICS])
                app[SOCKET] = await stack.enter_async_context(socket.opened())
            yield

    app = web.Application()
    app[METRICS] = Metrics()
    app.cleanup_ctx.append(house)
    app.add_routes(routes(settings))
    return app


async def operate(command: str, settings: Settings, words: Sequence[str] = ()) -> tuple[str, bool]:
    """Do one of an operator's commands: what to print, and whether all is well."""
    ring = KeyRing.from_text(settings.ring_text.reveal())
    async with open_storage(settings.database_url.reveal(), ring) as storage:
        if command in operating.ORDERS:
            return await operating.ORDERS[command](Bot(storage, {}, utc_now, settings.policy()), words, settings)
        if command == "rotate-keys":
            return f"{await operating.resealed(storage)} secrets sealed again, with key {ring.primary_id!r}.\n", True
        async with authorizing.clients(settings.slack_api_url, tls_context()) as client:
            return await operating.examined(Bot(storage, {}, utc_now, settings.policy()), client, settings)


def serve(settings: Settings) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); then finish what was begun, for at most SHUTDOWN_SECONDS."""
    with door.listening(settings):
        # No access log: the address of an OAuth redirect holds its code.
        web.run_app(
            build(settings), host=settings.host, port=settings.port, ssl_context=door.serving_tls(settings),
            shutdown_timeout=SHUTDOWN_SECONDS, access_log=None, print=door.told(settings), **SERVED,
        )  # fmt: skip


def main(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "serve"
    if not operating.is_known(arguments):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if command == "new-key":
        sys.stdout.write(KeyRing.generate(f"k{utc_now():%Y%m%d}").to_text() + "\n")
        return 0
    report, is_well = "", True
    try:
        environ = read_env_file(CHECKOUT / ".env") | dict(os.environ)
        if command == "manifest":
            sys.stdout.write(manifest.as_text(manifest.http_manifest(Settings.public_address(environ))))
            return 0
        settings = Settings.from_env(environ)
        configure(settings.log_level, settings.log_format)
        if command == "serve":
            serve(settings)
        else:
            report, is_well = asyncio.run(operate(command, settings, arguments[1:]))
    except (SettingsError, StorageError) as problem:
        sys.exit(f"{problem}")
    sys.stdout.write(report)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
