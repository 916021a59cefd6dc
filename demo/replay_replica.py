"""One replica of the product in a process of its own, so that SIGKILL is SIGKILL: started by demo.replay.

The first line on standard input is a JSON object: the settings, and the file of the clock. Each further one is an
order: to do what the real product's alarms ring for in real minutes, or to be looked at. Each is answered in JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import logs
from bot.settings import Settings
from demo.replay_clock import SharedClock
from demo.replay_eyes import LOOKS
from demo.stage import playing
from handlers.addresses import BOT

READY, READ, DECIDE, COLLECT = "ready", "read", "decide", "collect"


async def obey(product: web.Application, order: str, given: dict[str, Any]) -> Any:
    """Ring one alarm, or look. Reading and collecting are begun, everything else is done when this returns."""
    bot = product[BOT]
    match order:
        case "read":
            bot.wake_watch.set()
        case "decide":
            await bot.evaluating.everywhere()
            bot.wake_outbox.set()
        case "collect":
            await bot.collecting.due(bot.clock())
        case _:
            return await LOOKS[order](product, given)
    return None


async def play() -> None:
    """Stand until the orders end."""
    orders = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    told = json.loads(await orders.readline())
    async with playing(Settings.from_env(told["settings"]), SharedClock(Path(told["clock"]))) as (product, _):
        _say(READY, None)
        while line := await orders.readline():
            given = json.loads(line)
            _say(given["order"], await obey(product, given["order"], given))


def _say(order: str, told: Any) -> None:
    sys.stdout.write(json.dumps({"order": order, "told": told}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logs.configure(sys.argv[1] if len(sys.argv) > 1 else "error", "text")
    asyncio.run(play())
