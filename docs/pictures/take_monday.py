"""Takes the pictures of Monday from the running page: `python docs/pictures/take_monday.py` (needs a Chromium).

The digest in its channel and as a mail, the same week read by people of three languages, and one project in detail. The
stage and its story are those of `run.py demo --story monday`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from playwright.async_api import Browser, Locator, Page  # noqa: E402

from demo import story_monday  # noqa: E402
from demo.clock import StageClock  # noqa: E402
from demo.openai.__main__ import DEMO_TRACE  # noqa: E402
from demo.prices import ListPrices  # noqa: E402
from demo.slack.cast import DATA, EMMA, FINOPS, JIHOON, SAKURA, SEOYEON  # noqa: E402
from demo.stage import Stage, staged  # noqa: E402
from demo.trace import read_trace  # noqa: E402
from tests.browser.chromium import PHONE, chromium, look, settled, window  # noqa: E402

WIDE, NARROW = (980, 1600), (PHONE[0], 1600)
WHOLE = (1240, 1600)  # every column of the table of projects
MESSAGE = ".message"


async def main() -> None:
    clock = StageClock()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'monday.db'}"
        scene = staged(read_trace(DEMO_TRACE), ListPrices(), database, clock=clock, **story_monday.SETTINGS)
        async with chromium() as browser, scene as stage:
            await story_monday.monday(stage, clock, lambda _: None)
            for size, end in ((WIDE, ""), (NARROW, "-phone")):
                await the_digest(stage, browser, size, end)
                await the_mail(stage, browser, size, end)
                await the_project(stage, browser, size, end)
            for user, language in ((EMMA, "en"), (SAKURA, "ja")):
                await the_report(stage, browser, user, language)


async def the_digest(stage: Stage, browser: Browser, size: tuple[int, int], end: str) -> None:
    """As it stands in the channel of its team."""
    async with window(browser, size, sharp=True) as context:
        page = await look(await context.new_page(), stage.slack.url, SEOYEON, DATA)
        await taken(page, page.locator(MESSAGE).filter(has_text="AI 비용").first, f"digest{end}-ko")


async def the_mail(stage: Stage, browser: Browser, size: tuple[int, int], end: str) -> None:
    """As a mail program shows it."""
    async with window(browser, (min(size[0], 720), 800), sharp=True) as context:
        page = await context.new_page()
        await page.goto(f"{stage.slack.url}/_sim/mail/1/html")
        await page.screenshot(path=HERE / f"digest-mail{end}-ko.png", full_page=True, animations="disabled")


async def the_project(stage: Stage, browser: Browser, size: tuple[int, int], end: str) -> None:
    """One project: cost beside what it bought."""
    person = stage.slack.person(JIHOON)
    await person.command("/finops project doc-summary", FINOPS)
    await stage.slack.until(lambda: person.view is not None and "doc-summary" in str(person.view), 20)
    async with window(browser, size, sharp=True) as context:
        page = await look(await context.new_page(), stage.slack.url, JIHOON, FINOPS)
        await taken(page, page.locator("dialog.modal").first, f"project{end}-ko")
    person.closes(everything=True)


async def the_report(stage: Stage, browser: Browser, user: str, language: str) -> None:
    """The same week, asked for by somebody who reads another language."""
    person = stage.slack.person(user)
    before = len(person.ephemerals(FINOPS))
    await person.command("/finops report 데이터팀", FINOPS)
    await stage.slack.until(lambda: len(person.ephemerals(FINOPS)) > before, 20)
    async with window(browser, WHOLE, sharp=True) as context:
        page = await look(await context.new_page(), stage.slack.url, user, FINOPS)
        await taken(page, page.locator(MESSAGE).last, f"digest-{language}")


async def taken(page: Page, what: Locator, name: str) -> None:
    """One part of the page, once it is still."""
    await what.wait_for()
    await settled(page)
    await what.screenshot(path=HERE / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    asyncio.run(main())
