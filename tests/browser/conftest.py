"""The browser, the pretended server and a window on it; one browser for the whole session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.browser import gallery

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.chromium import chromium, executable, look, window
from tests.browser.pretend import PretendSlack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives the browser, on the session's loop, or is skipped with the reason."""
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if executable() is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


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


class Visitor:
    """Opens pages, and notes what no page may do: complain, or call another host."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        context.on("request", self._request)
        context.on("page", self._page)

    def _request(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if urlsplit(address).scheme not in {"data", "blob"} and not address.startswith(self.url):
            self.strangers.append(address)

    def _page(self, page: Page) -> None:
        page.set_default_timeout(8000)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def sees(self, place: str = "C0FINOPS01", user: str = "U0JIHOON01") -> Page:
        """The page of a person at a place."""
        return await look(self.context, self.url, user, place)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, slack: PretendSlack) -> AsyncIterator[Visitor]:
    """A window of desktop width; afterwards nothing may have been complained of or fetched elsewhere."""
    async with window(browser) as context:
        someone = Visitor(context, slack.url)
        yield someone
        assert someone.complaints == []
        assert someone.strangers == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, slack: PretendSlack) -> AsyncIterator[Visitor]:
    """The same on a phone."""
    async with window(browser, (390, 844)) as context:
        someone = Visitor(context, slack.url)
        yield someone
        assert someone.complaints == []
        assert someone.strangers == []
