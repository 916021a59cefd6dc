"""One replica of the product in a process of its own, so that SIGKILL is SIGKILL: forked for demo.replay.

Through its socket come lines of JSON. The first holds the settings, and the file of the clock. Each further one is an
order: to do what the real product's alarms ring for in real minutes, or to be looked at. Each is answered in JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import logs
from bot.settings import Settings
from demo.replay_clock import SharedClock
from demo.replay_eyes import LOOKS
from demo.stage import playing
from handlers.addresses import BOT

BORN, READY, READ, DECIDE, COLLECT = "born", "ready", "read", "decide", "collect"


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


async def play(line: socket.socket) -> None:
    """Stand until the orders end."""
    orders, answers = await asyncio.open_connection(sock=line, limit=2**20)

    def say(order: str, told: Any) -> None:
        answers.write(json.dumps({"order": order, "told": told}).encode() + b"\n")

    say(BORN, os.getpid())
    told = json.loads(await orders.readline())
    async with playing(Settings.from_env(told["settings"]), SharedClock(Path(told["clock"]))) as (product, _):
        say(READY, None)
        while ordered := await orders.readline():
            given = json.loads(ordered)
            say(given["order"], await obey(product, given["order"], given))


def main() -> None:
    """Fork for each socket that is handed in, and outlive all children: until then their numbers are nobody else's."""
    logs.configure(sys.argv[2], "text")
    gc.freeze()  # what was imported is nobody's garbage
    with socket.socket(fileno=int(sys.argv[1])) as door:
        while handed := socket.recv_fds(door, 1, 1)[1]:
            with socket.socket(fileno=handed[0]) as line:
                if os.fork() == 0:
                    door.close()
                    asyncio.run(play(line))
                    return
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()
