"""Takes the pictures of weeks of life from the running page: `python docs/pictures/take_life.py` (needs a Chromium).

What people did and what came of it in three languages, and the page of decisions. The stage and its story are those of
`run.py demo --story life`; it takes about two minutes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from demo import story_life  # noqa: E402
from demo.clock import StageClock  # noqa: E402
from demo.openai.__main__ import DEMO_TRACE  # noqa: E402
from demo.prices import ListPrices  # noqa: E402
from demo.slack.cast import EMMA, FINOPS, JIHOON, SAKURA  # noqa: E402
from demo.stage import Stage, staged  # noqa: E402
from demo.trace import read_trace  # noqa: E402
from tests.browser.chromium import PHONE, chromium, look, settled, window  # noqa: E402

WIDE, NARROW = (980, 2000), (PHONE[0], 2400)
PICTURES = (
    (JIHOON, "/finops 효과", WIDE, "effect-ko"),
    (JIHOON, "/finops 효과", NARROW, "effect-phone-ko"),
    (EMMA, "/finops effect", WIDE, "effect-en"),
    (SAKURA, "/finops 効果", WIDE, "effect-ja"),
    (JIHOON, "/finops 결정", WIDE, "decisions-ko"),
)


async def main() -> None:
    clock = StageClock()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'life.db'}"
        scene = staged(read_trace(DEMO_TRACE), ListPrices(), database, clock=clock, **story_life.SETTINGS)
        async with chromium() as browser, scene as stage:
            await story_life.life(stage, clock, said)
            for user, command, size, name in PICTURES:
                await asked(stage, user, command)
                async with window(browser, size, sharp=True) as context:
                    page = await look(await context.new_page(), stage.slack.url, user, FINOPS)
                    answer = page.locator(".message").last
                    await answer.wait_for()
                    await settled(page)
                    await answer.screenshot(path=HERE / f"{name}.png", animations="disabled")


def said(words: str) -> None:
    sys.stderr.write(f"{words}\n")


async def asked(stage: Stage, user: str, command: str) -> None:
    """A command, once what only this person reads in answer is there."""
    person = stage.slack.person(user)
    before = len(person.ephemerals(FINOPS))
    await person.command(command, FINOPS)
    await stage.slack.until(lambda: len(person.ephemerals(FINOPS)) > before, 20)


if __name__ == "__main__":
    asyncio.run(main())
