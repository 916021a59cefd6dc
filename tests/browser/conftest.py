"""The browser, the pretended server and a window on it; one browser for the whole session."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser import gallery
from tests.databases import is_ci

if not is_ci():
    pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, ViewportSize, expect

from tests.browser.chromium import DESKTOP, PHONE, chromium, executable, look, window
from tests.browser.pretend import PretendSlack

HERE = Path(__file__).parent
NO_CHROMIUM = "no Chromium on this machine"
# What is true is seen at once; a machine that is busy with something else is slow, not wrong.
expect.set_options(timeout=15_000)
# Told one by one as they are made, sixty requests of a page cost more than all that is asserted of it.
CALLED = "[location.href, ...performance.getEntriesByType('resource').map(it => it.name)]"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives the browser, on the session's loop, or is skipped with the reason."""
    ours = [item for item in items if str(item.path).startswith(f"{HERE}{os.sep}")]
    is_missing = executable() is None
    if ours and is_missing and is_ci():
        raise pytest.UsageError(NO_CHROMIUM)
    for item in ours:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if is_missing:
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[PretendSlack]:
    """One pretended server."""
    slack = PretendSlack(gallery.STATE)
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
def slack(server: PretendSlack) -> PretendSlack:
    """The pretended server with the gallery's state, having heard nothing."""
    server.forget(gallery.STATE)
    return server


class Window:
    """A window whose tabs are used again: opening one costs the browser twice what it costs to show our page."""

    def __init__(self, context: BrowserContext, size: tuple[int, int]) -> None:
        self.context = context
        self._size = ViewportSize(width=size[0], height=size[1])
        self._idle: list[Page] = []

    async def tab(self) -> Page:
        """A tab in front; what it still shows is of no interest to anybody."""
        if not self._idle:
            page = await self.context.new_page()
            await page.set_viewport_size(self._size)
            return page
        page = self._idle.pop()
        await page.bring_to_front()
        return page

    def take_back(self, page: Page) -> None:
        """Keep a tab for whoever looks next."""
        self._idle.append(page)


class Visitor:
    """Opens pages, and notes what no page may do: complain, or call another host."""

    def __init__(self, window: Window, url: str, visit: int = 0) -> None:
        self.window = window
        self.context = window.context
        self.url = url
        self.visit = visit
        self.complaints: list[str] = []
        self.pages: list[Page] = []

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            self.complaints.append(said.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    async def sees(self, place: str = "C0FINOPS01", user: str = "U0JIHOON01") -> Page:
        """The page of a person at a place."""
        page = await self.window.tab()
        self.pages.append(page)
        page.set_default_timeout(8000)
        page.on("console", self._console)
        page.on("pageerror", self._error)
        return await look(page, self.url, user, place, self.visit)

    async def leaves(self) -> None:
        """Leave every page; nothing may have been complained of or fetched elsewhere.

        Of a server that ends nothing stays open, as a page would go on asking it. The pretended one is there for all:
        its page makes way for the next, since an empty one between them costs a third of another look.
        """
        strangers: list[str] = []
        for page in self.pages:
            page.remove_listener("console", self._console)
            page.remove_listener("pageerror", self._error)
            called: list[str] = await page.evaluate(CALLED)
            strangers += [url for url in called if not url.startswith((self.url, "data:", "blob:"))]
            if not self.visit:
                await page.goto("about:blank")
            self.window.take_back(page)
        assert self.complaints == []
        assert strangers == []


@asynccontextmanager
async def visiting(window: Window, slack: PretendSlack) -> AsyncIterator[Visitor]:
    """Somebody who looks at the pretended server, and is heard there as long as they do."""
    someone = Visitor(window, slack.url, slack.welcome())
    yield someone
    slack.visits.discard(someone.visit)
    await someone.leaves()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """What the tabs share, whatever their size, so that the page's modules are fetched and compiled once."""
    async with window(browser) as shared:
        yield shared


@pytest.fixture(scope="session")
def desk(context: BrowserContext) -> Window:
    """A window of desktop width."""
    return Window(context, DESKTOP)


@pytest.fixture(scope="session")
def pocket(context: BrowserContext) -> Window:
    """A window of phone width."""
    return Window(context, PHONE)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(desk: Window, slack: PretendSlack) -> AsyncIterator[Visitor]:
    """Somebody at a desk."""
    async with visiting(desk, slack) as someone:
        yield someone


@pytest_asyncio.fixture(loop_scope="session")
async def phone(pocket: Window, slack: PretendSlack) -> AsyncIterator[Visitor]:
    """Somebody with a phone."""
    async with visiting(pocket, slack) as someone:
        yield someone
