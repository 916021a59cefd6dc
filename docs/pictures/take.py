"""Takes the pictures of the README from the running page: `python docs/pictures/take.py` (needs a Chromium).

The stage, its people and the product are those of `run.py demo`; nothing is drawn by hand.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from playwright.async_api import Browser  # noqa: E402

from blocks import ids  # noqa: E402
from demo import lab, runaway  # noqa: E402
from demo import story_people as people  # noqa: E402
from demo.__main__ import MARKETING_PROJECTS, add_marketing, first_team  # noqa: E402
from demo.budgeting import set_budget  # noqa: E402
from demo.clock import StageClock  # noqa: E402
from demo.onboarding import Wish, onboard, settled_view  # noqa: E402
from demo.openai.__main__ import DEMO_TRACE  # noqa: E402
from demo.prices import ListPrices  # noqa: E402
from demo.slack import Person  # noqa: E402
from demo.slack.cast import EMMA, FINOPS, JIHOON, MARKETING, MINSU, SAKURA, TEAM_ID  # noqa: E402
from demo.stage import Stage, staged  # noqa: E402
from demo.story import LIMIT, PROVED_WITHIN, RESTORED_WITHIN, SETTINGS  # noqa: E402
from demo.story_time import MINUTE, caught_up, waited  # noqa: E402
from demo.story_told import month_so_far, set_former_limit  # noqa: E402
from demo.trace import Trace, read_trace  # noqa: E402
from finops.holds import HoldState  # noqa: E402
from handlers.addresses import STORAGE  # noqa: E402
from tests.browser.chromium import DESKTOP, PHONE, chromium, look, picture, settled, window  # noqa: E402

MESSAGE = ".message"


async def main() -> None:
    trace = read_trace(DEMO_TRACE)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            staged(trace, ListPrices(), f"sqlite:///{Path(folder) / 'pictures.db'}") as stage,
            chromium() as browser,
        ):
            jihoon = stage.slack.person(JIHOON)
            await onboard(stage, jihoon, first_team(stage, trace), lambda _: None)
            await add_marketing(stage, lambda _: None)
            await jihoon.opens_home()
            async with window(browser, DESKTOP, sharp=True) as context:
                page = await context.new_page()
                await look(page, stage.slack.url, JIHOON, "app/home")
                await page.get_by_text("최근 14일").first.wait_for()
                await picture(page, HERE / "home-ko.png")
                await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
                await picture(page, HERE / "home-phone-ko.png")
                await page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
                await ask_for_the_key(stage, jihoon)
                await settled(page)
                await page.get_by_role("dialog").wait_for()
                await picture(page, HERE / "setup-key-ko.png")
                jihoon.closes(everything=True)
            for user, name in ((JIHOON, "ko"), (EMMA, "en"), (SAKURA, "ja")):
                async with window(browser, (980, 1200), sharp=True) as context:
                    page = await context.new_page()
                    await look(page, stage.slack.url, user, FINOPS)
                    person = stage.slack.person(user)
                    before = len(person.ephemerals(FINOPS))
                    await person.command("/finops status", FINOPS)
                    await stage.slack.until(lambda p=person, n=before: len(p.ephemerals(FINOPS)) > n, 20)  # type: ignore[misc]
                    shown = page.locator(MESSAGE).last
                    await shown.wait_for()
                    await shown.screenshot(path=HERE / f"status-{name}.png", animations="disabled")
            await the_alert(stage, browser)
        async with chromium() as browser:
            await the_stop(trace, f"sqlite:///{Path(folder) / 'stop.db'}", browser)


async def the_alert(stage: Stage, browser: Browser) -> None:
    """The message of a runaway in the language of its channel: a push for each, so that it speaks anew."""
    for language, sign in (("ko", "초과"), ("en", "exceeded"), ("ja", "超過")):
        async with stage.product[STORAGE].writing() as store:
            team = next(one for one in await store.teams.all(TEAM_ID) if one.channel_id == MARKETING)
            await store.teams.update(TEAM_ID, team.id, locale=language)
        runaway.start(stage.openai)
        async with window(browser, (980, 1200), sharp=True) as context:
            page = await context.new_page()
            await look(page, stage.slack.url, MINSU, MARKETING)
            shown = page.locator(MESSAGE).filter(has_text=sign).first
            await shown.wait_for(timeout=30_000)
            await settled(page)
            await shown.screenshot(path=HERE / f"alert-{language}.png", animations="disabled")
        if language == "ko":
            async with window(browser, PHONE, sharp=True) as context:
                page = await context.new_page()
                await look(page, stage.slack.url, MINSU, MARKETING)
                await page.locator(MESSAGE).first.wait_for()
                await page.locator(MESSAGE).first.screenshot(path=HERE / "alert-phone-ko.png", animations="disabled")


async def the_stop(trace: Trace, database: str, browser: Browser) -> None:
    """From the alert's button to the restore, and the provider's traffic beside it; desktop and phone, in Korean."""
    clock, name = StageClock(), runaway.APPLICATION
    settings: dict[str, Any] = SETTINGS
    async with staged(trace, ListPrices(), database, clock=clock, **settings) as stage:
        jihoon, minsu = stage.slack.person(JIHOON), stage.slack.person(MINSU)
        wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, MARKETING_PROJECTS)
        await onboard(stage, jihoon, wish, lambda _: None)
        await set_budget(stage, jihoon, name, f"{LIMIT}", lambda _: None)
        lab.show(stage)
        runaway.start(stage.openai)
        await caught_up(stage, clock)
        await set_former_limit(stage, name, month_so_far(stage, name, clock()) + LIMIT)
        await people.presses(jihoon, people.root_message(stage, name), ids.INCIDENT_STOP)
        await settled_view(stage.slack, jihoon)
        await jihoon.types({ids.STOP_REASON: people.REASON})
        await on_both(stage, browser, JIHOON, "stop-window", "dialog.modal")
        await people.submits(stage, jihoon, {})
        await waited(stage, clock, lambda hold: hold.state is HoldState.PROVED, PROVED_WITHIN, MINUTE)
        await people.writes_to_the_lead(stage, jihoon, name)
        await caught_up(stage, clock)
        await people.tells_the_cause(stage, minsu)
        await caught_up(stage, clock)
        await on_both(stage, browser, MINSU, "stopped", MESSAGE)
        await the_traffic(stage, browser)
        runaway.end(stage.openai)
        await people.restores(stage, minsu, name)
        await waited(stage, clock, lambda hold: hold.state is HoldState.RELEASED, RESTORED_WITHIN, MINUTE)
        await on_both(stage, browser, MINSU, "restored", MESSAGE)


async def on_both(stage: Stage, browser: Browser, user: str, name: str, what: str) -> None:
    """The same at a desk and on a phone."""
    for size, end in (((980, 1200), ""), (PHONE, "-phone")):
        async with window(browser, size, sharp=True) as context:
            page = await context.new_page()
            await look(page, stage.slack.url, user, MARKETING)
            shown = page.locator(what).first
            await shown.wait_for()
            await shown.screenshot(path=HERE / f"{name}{end}-ko.png", animations="disabled")


async def the_traffic(stage: Stage, browser: Browser) -> None:
    """What the provider refuses, beside the message that says so."""
    for size, end in ((DESKTOP, ""), (PHONE, "-phone")):
        async with window(browser, size, sharp=True) as context:
            page = await context.new_page()
            await look(page, stage.slack.url, MINSU, MARKETING)
            await page.locator(".pulse").click()
            await page.locator(".traffic rect.refused").first.wait_for()
            await picture(page, HERE / f"traffic{end}-ko.png")


async def ask_for_the_key(stage: Stage, person: Person) -> None:
    """Open the set-up of a further team as far as the window for its Admin key."""
    await person.command("/finops team", FINOPS)
    await person.clicks(await settled_view(stage.slack, person), ids.TEAM_NEW)
    await stage.slack.until(lambda: person.view is not None and person.view["callback_id"] == ids.SETUP_TEAM, 10)
    await person.submits(None, {ids.TEAM_NAME: "고객지원팀", ids.TEAM_LEAD: MINSU, ids.TEAM_CHANNEL: FINOPS})
    await stage.slack.until(lambda: person.view is not None and person.view["callback_id"] == ids.SETUP_KEY, 10)


if __name__ == "__main__":
    asyncio.run(main())
