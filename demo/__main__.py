"""`python3 run.py demo`: the whole product on this machine, with a Slack to use it in and no account anywhere.

demo                               start, set up a first team, and serve the page until Ctrl-C
demo --fresh                       the same with nothing set up: onboard by hand
demo --once --json                 play the onboarding once, print the figures as one JSON object, and end
demo --story runaway --json        play breach, stop, proof, restore and the day after, print the timeline, and end
demo --story monday --json         play a week's end: events recorded, the digest in Slack and by mail, and end
demo --story life --json           play weeks in which people act, and what the bills say of it, and end
demo --trace FILE --prices FILE    with your own traffic (CSV, see demo/README.md)
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import io
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import StorageError
from bot import logs
from bot.settings import SettingsError
from demo import lab, story, story_life, story_monday
from demo.budgeting import set_budget
from demo.clock import StageClock
from demo.onboarding import Stuck, Wish, onboard, onboard_another
from demo.once import amiss, play
from demo.openai.__main__ import DEMO_TRACE
from demo.prices import ListPrices, PriceError, Prices, read_prices
from demo.props import Props
from demo.runaway import APPLICATION
from demo.slack.cast import DATA, JIHOON, MARKETING, MINSU, SEOYEON
from demo.stage import Stage, staged, stay_on_this_machine
from demo.trace import Trace, TraceError, read_trace
from finops.periods import charge_day

PAGE_PORT = 8600
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MARKETING_PROJECTS = (APPLICATION, "ad-copy-writer")
STORIES: dict[str, dict[str, str]] = {
    "runaway": story.SETTINGS,
    "monday": story_monday.SETTINGS,
    "life": story_life.SETTINGS,
}
FIRST_TEAM = ("search-assistant", "doc-summary", "fraud-check", "meeting-notes")


def say(words: str) -> None:
    sys.stderr.write(f"demo: {words}\n")
    sys.stderr.flush()


class Unheard(RuntimeError):
    """What a run came to did not reach standard output; the text says why."""


def put(words: str) -> None:
    """Write to standard output: in UTF-8, as JSON is, whatever the machine calls its language."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except OSError as error:
        # What is left of it would be written once more at the end, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Unheard(f"standard output takes no more: {error.strerror}") from error


def end_on_signals() -> None:
    """Let SIGTERM and a closed terminal end what runs as Ctrl-C does: its folder is cleared away, its port is free.

    A signal that whoever started us ignores (`nohup`) stays ignored.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is None or sys.platform == "win32":  # an event loop of Windows listens to none
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, task.cancel)


async def run(given: argparse.Namespace, trace: Trace, prices: Prices) -> int:
    """Raise the stage and play what was asked for."""
    end_on_signals()
    with tempfile.TemporaryDirectory(prefix="finops-demo-") as folder:
        database = from_here(given.database) if given.database else f"sqlite:///{Path(folder) / 'demo.sqlite3'}"
        clock, is_alone = StageClock(), given.once or given.story is not None
        props = Props.beside(database, charge_day(clock())) if given.database else Props.fresh()
        pace: dict[str, Any] = STORIES[given.story] if given.story else {}
        scene = staged(
            trace, prices, database, props=props, clock=clock, socket_mode=not given.http,
            page_port=0 if is_alone else given.port, **pace,
        )  # fmt: skip
        async with scene as stage:
            if is_alone:
                wrong = None
                if given.once:
                    told: Any = await play(stage, say)
                    wrong = amiss(told, trace)
                elif given.story == "monday":
                    told = await story_monday.monday(stage, clock, say)
                elif given.story == "life":
                    told = await story_life.life(stage, clock, say)
                else:
                    told = await story.runaway(stage, clock, say, lab.application(stage))
                put(json.dumps(asdict(told), ensure_ascii=False, indent=None if given.json else 2) + "\n")
                if wrong is not None:
                    say(wrong)
                return 0 if wrong is None else 1
            return await serve(stage, trace, is_fresh=given.fresh)


def from_here(address: str) -> str:
    """An address whose file is named from where we stand, and one name for one file: its keys lie under that.

    The product would look for it beside app.py.
    """
    kind, slashes, path = address.partition(":///")
    return f"{kind}{slashes}{Path(path).resolve()}" if kind == "sqlite" else address


async def serve(stage: Stage, trace: Trace, *, is_fresh: bool) -> int:
    """Serve the page until interrupted, with a first team in it so that there is something to look at."""
    lab.show(stage)
    if not is_fresh:
        person = stage.slack.person(JIHOON)
        await onboard(stage, person, first_team(stage, trace), say)
        if APPLICATION in trace.applications:
            await add_marketing(stage, say)
    put(welcome(stage.slack.url, is_fresh=is_fresh))
    if not is_fresh:
        await story_monday.connect(stage, say)  # the page can be used meanwhile
    await asyncio.Event().wait()
    return 0


def welcome(url: str, *, is_fresh: bool) -> str:
    """Where to go; and, for whoever onboards by hand, where the key is that a window will ask for."""
    keys = "  Copy an Admin key from the flask (실험실, at the left) first: the window that asks for one covers it.\n"
    return f"\n  FinOps for AI is ready: {url}\n{keys if is_fresh else ''}  Ctrl-C ends it.\n\n"


async def add_marketing(stage: Stage, say: Callable[[str], None]) -> None:
    """The team of the story, with the budget that its experiment will burn through."""
    person = stage.slack.person(JIHOON)
    wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, MARKETING_PROJECTS)
    await onboard_another(stage, person, wish, say)
    await set_budget(stage, person, APPLICATION, f"{story.LIMIT}", say)


def first_team(stage: Stage, trace: Trace) -> Wish:
    """A team to find on arrival. The other projects stay unclaimed: something is left to register by hand."""
    known = tuple(name for name in FIRST_TEAM if name in trace.applications) or trace.applications[:3]
    return Wish("데이터팀", DATA, SEOYEON, stage.props.data_team_key, known)


def port(text: str) -> int:
    """A port as it is typed; 0 takes any."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"should be a number from 0 to 65535, not {text!r}")
    return int(text)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="play the onboarding once and end")
    parser.add_argument("--story", choices=tuple(STORIES), help="play a story and end")
    parser.add_argument("--json", action="store_true", help="with --once or --story: one line of JSON")
    parser.add_argument("--fresh", action="store_true", help="set nothing up beforehand")
    parser.add_argument("--trace", type=Path, default=DEMO_TRACE, help="hourly traffic, CSV, plain or gzipped")
    parser.add_argument("--prices", type=Path, help="CSV of prices (default: dated list prices)")
    parser.add_argument("--database", help="keep everything in this database (sqlite:///… or postgresql://…)")
    parser.add_argument("--port", type=port, default=PAGE_PORT, help=f"of the page (default {PAGE_PORT}; 0 takes any)")
    parser.add_argument("--http", action="store_true", help="deliver over signed HTTP instead of Socket Mode")
    parser.add_argument("--verbose", action="store_true", help="show the product's own log")
    return parser


def unusable(error: OSError, port: int) -> str | None:
    """What this machine does not let us have, in a sentence; None where it may be a mistake of ours."""
    if "attempting to bind" in str(error) and error.errno in {errno.EADDRINUSE, errno.EACCES}:
        is_taken = error.errno == errno.EADDRINUSE
        why = "is in use" if is_taken else "may not be opened by you"
        return f"port {port} {why}. Choose another: python3 run.py demo --port 0"
    if error.errno in FULL or (error.errno in {errno.EACCES, errno.EROFS} and error.filename):
        return f"{error.filename or tempfile.gettempdir()} cannot be written to: {error.strerror}"
    return None


def main() -> int:
    given = arguments().parse_args()
    stay_on_this_machine()
    logs.configure("info" if given.verbose else "error", "text")
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    try:
        trace = read_trace(given.trace)
        prices = read_prices(given.prices) if given.prices else ListPrices()
        return asyncio.run(run(given, trace, prices))
    except (TraceError, PriceError, SettingsError, StorageError, Stuck, Unheard) as error:
        say(str(error))
        return 2
    except TimeoutError:
        say("something did not come to an end in time; run it again with --verbose to see what")
        return 2
    except OSError as error:
        if (said := unusable(error, given.port)) is None:
            raise
        say(said)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        if not (given.once or given.story):
            return 0
        say("ended before its end" + (": run it again, it goes on from here" if given.database else ""))
        return 130


if __name__ == "__main__":
    sys.exit(main())
