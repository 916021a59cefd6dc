"""Takes the pictures of the README from the running page: `python docs/pictures/take.py` (needs a Chromium).

`take.py runaway` takes those of the alert and the stop only, `take.py tour` the others.

The stage, its people and the product are those of `run.py demo`; nothing is drawn by hand.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
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
from demo.slack.cast import DATA, EMMA, FINOPS, JIHOON, MARKETING, MINSU, SAKURA, TEAM_ID  # noqa: E402
from demo.stage import Stage, staged  # noqa: E402
from demo.story import LIMIT, PROVED_WITHIN, RESTORED_WITHIN, SETTINGS  # noqa: E402
from demo.story_time import MINUTE, caught_up, waited  # noqa: E402
from demo.story_told import dollars, month_so_far, set_former_limit  # noqa: E402
from demo.trace import Trace, read_trace  # noqa: E402
from finops.holds import HoldState  # noqa: E402
from handlers.addresses import STORAGE  # noqa: E402
from tests.browser.chromium import DESKTOP, PHONE, chromium, look, picture, settled, window  # noqa: E402

MESSAGE = ".message"
WINDOW = "dialog.modal"
BREACH = Decimal("742.2")  # dollars at 14:00 in Seoul, as in the story of the product
# As wide as a screen, and as high as it takes to see the whole thing without scrolling.
WHOLE = (980, 1400)
WHOLE_PHONE = (PHONE[0], 1080)


async def main(*only: str) -> None:
    trace = read_trace(DEMO_TRACE)
    with tempfile.TemporaryDirectory() as folder:
        async with chromium() as browser:
            if "runaway" not in only:
                await the_tour(trace, f"sqlite:///{Path(folder) / 'tour.db'}", browser)
            if "tour" not in only:
                await the_runaway(trace, f"sqlite:///{Path(folder) / 'runaway.db'}", browser)


async def the_tour(trace: Trace, database: str, browser: Browser) -> None:
    """Home, setting up, and the status in three languages."""
    async with staged(trace, ListPrices(), database) as stage:
        jihoon = stage.slack.person(JIHOON)
        await onboard(stage, jihoon, first_team(stage, trace), lambda _: None)
        await add_marketing(stage, lambda _: None)
        await try_an_alert(stage, jihoon)
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


async def try_an_alert(stage: Stage, person: Person) -> None:
    """The last step of the set-up: a test alert, and its button."""
    await person.opens_home()
    await stage.slack.until(lambda: ids.TRIAL_SEND in str(person.home), 20)
    await person.clicks(person.home or "", ids.TRIAL_SEND)
    await stage.slack.until(lambda: bool(tried(stage)), 20)
    await person.clicks(tried(stage)[0], ids.TRIAL_PRESS)
    await settled_view(stage.slack, person)
    person.closes(everything=True)
    await stage.slack.until(lambda: not tried(stage), 20)


def tried(stage: Stage) -> list[people.Message]:
    """The test alerts nobody has answered yet."""
    return [
        one for channel in (DATA, MARKETING) for one in stage.slack.messages(channel) if ids.TRIAL_PRESS in str(one)
    ]


async def the_runaway(trace: Trace, database: str, browser: Browser) -> None:
    """The alert, the stop from its button, the proof, the restore; and what the provider sees meanwhile."""
    clock, name, settings = StageClock(), runaway.APPLICATION, dict[str, Any](SETTINGS)
    async with staged(trace, ListPrices(), database, clock=clock, **settings) as stage:
        jihoon, minsu = stage.slack.person(JIHOON), stage.slack.person(MINSU)
        wish = Wish("마케팅팀", MARKETING, MINSU, stage.props.marketing_key, MARKETING_PROJECTS)
        await onboard(stage, jihoon, wish, lambda _: None)
        await set_budget(stage, jihoon, name, f"{LIMIT}", lambda _: None)
        await caught_up(stage, clock)
        lab.show(stage)
        await until_the_breach(stage, clock, name)
        await the_alert(stage, clock, browser)
        await people.presses(jihoon, people.root_message(stage, name), ids.INCIDENT_STOP)
        await settled_view(stage.slack, jihoon)
        await on_both(stage, browser, JIHOON, "stop-window", WINDOW)
        await people.submits(stage, jihoon, {ids.STOP_REASON: people.REASON})
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
        await caught_up(stage, clock)
        await on_both(stage, browser, MINSU, "restored", MESSAGE)


async def until_the_breach(stage: Stage, clock: StageClock, name: str) -> None:
    """A loop from nine to two o'clock in Seoul, as strong as it takes; the project has a limit of its own already."""
    dawn = clock.move_to_next_day().replace(minute=0, second=0, microsecond=0)
    noon = dawn + timedelta(hours=5)
    usual = dollars(stage, name, dawn, noon)
    stage.openai.boost(name, Fraction(BREACH) / Fraction(usual), dawn)
    await set_former_limit(stage, name, month_so_far(stage, name, dawn + timedelta(days=1)))
    # The alert takes a minute for each language.
    for moment in (noon - timedelta(minutes=30), noon - 3 * MINUTE):
        clock.advance(moment - clock())
        await caught_up(stage, clock)


async def the_alert(stage: Stage, clock: StageClock, browser: Browser) -> None:
    """The same message in the language of its channel, Korean last: in that the story goes on."""
    for language, sign in (("en", "exceeded"), ("ja", "超過"), ("ko", "초과")):
        async with stage.product[STORAGE].writing() as store:
            team = next(one for one in await store.teams.all(TEAM_ID) if one.channel_id == MARKETING)
            await store.teams.update(TEAM_ID, team.id, locale=language)
        clock.advance(MINUTE)
        await caught_up(stage, clock)
        for size, end in ((WHOLE, ""), (WHOLE_PHONE, "-phone")):
            if language == "ko" or not end:
                async with window(browser, size, sharp=True) as context:
                    page = await context.new_page()
                    await look(page, stage.slack.url, MINSU, MARKETING)
                    shown = page.locator(MESSAGE).filter(has_text=sign).first
                    await shown.wait_for()
                    await settled(page)
                    await shown.screenshot(path=HERE / f"alert{end}-{language}.png", animations="disabled")


async def on_both(stage: Stage, browser: Browser, user: str, name: str, what: str) -> None:
    """The same at a desk and on a phone."""
    for size, end in ((WHOLE, ""), (WHOLE_PHONE, "-phone")):
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
    asyncio.run(main(*sys.argv[1:]))
