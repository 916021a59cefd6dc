"""One replica of the product in a process of its own, so that SIGKILL is SIGKILL: started by demo.replay.

The first line on standard input is a JSON object: the settings, and the file of the clock. Each further line is an
order: what the real product's alarms, which ring in real minutes, ring for. The answer is the order, once it is done.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bot import Bot, logs
from bot.settings import Settings
from demo.replay_clock import SharedClock
from demo.stage import playing
from handlers.addresses import BOT

READ, DECIDE, COLLECT = "read", "decide", "collect"
READY = "ready"


async def obey(bot: Bot, order: str) -> None:
    """Ring one alarm. Reading and collecting are begun, deciding is done when this returns."""
    match order:
        case "read":
            bot.wake_watch.set()
        case "decide":
            await bot.evaluating.everywhere()
        case "collect":
            await bot.collecting.due(bot.clock())
    bot.wake_outbox.set()


async def play() -> None:
    """Stand until the orders end."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    told = json.loads(await orders.readline())
    async with playing(Settings.from_env(told["settings"]), SharedClock(Path(told["clock"]))) as (product, _):
        _say(READY)
        while line := await orders.readline():
            order = line.decode().strip()
            await obey(product[BOT], order)
            _say(order)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logs.configure(sys.argv[1] if len(sys.argv) > 1 else "error", "text")
    asyncio.run(play())
