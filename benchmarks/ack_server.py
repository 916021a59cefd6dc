"""One server to be measured: `bare` is Bolt as shipped with one listener, `ours` is the whole product.

    python -m benchmarks.ack_server bare|ours SLACK_API_URL SIGNING_SECRET DATABASE_URL KEYS

Prints its port on the first line and serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

BOT_TOKEN = "-".join(("xoxb", "1", "benchmark"))


def bare(api_url: str, signing_secret: str) -> web.Application:
    """Bolt with nothing around it: a command and a button that acknowledge."""
    slack = AsyncApp(
        token=BOT_TOKEN, signing_secret=signing_secret, client=AsyncWebClient(token=BOT_TOKEN, base_url=api_url)
    )

    @slack.command("/finops")
    async def command(ack: Any) -> None:
        await ack()

    @slack.action("status.refresh")
    async def action(ack: Any) -> None:
        await ack()

    return slack.web_app()


def ours(api_url: str, signing_secret: str, database_url: str, keys: str) -> web.Application:
    """The product as it is deployed over HTTP."""
    # httpx loads these where it finds them; only an environment for development has them (requirements.lock does not).
    sys.modules.update({"click": None, "rich": None})  # type: ignore[dict-item]
    import app
    from bot.logs import configure
    from bot.settings import Settings

    settings = Settings.from_env({
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": signing_secret,
        "SLACK_API_URL": api_url,
        "DATABASE_URL": database_url,
        "FINOPS_KEYS": keys,
        "FINOPS_PLAINTEXT_HOSTS": "127.0.0.1",
        "FINOPS_ADMINS": "U0000000001",
    })  # fmt: skip
    configure(settings.log_level, settings.log_format)
    return app.build(settings)


async def serve(kind: str, api_url: str, signing_secret: str, database_url: str, keys: str) -> None:
    is_bare = kind == "bare"
    application = bare(api_url, signing_secret) if is_bare else ours(api_url, signing_secret, database_url, keys)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:6]))
