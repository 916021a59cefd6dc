"""One Chromium for the tests and for taking pictures of the page."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

DESKTOP = (1280, 860)
PHONE = (390, 844)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Suggestions below an address nobody types: pages of the browser's own, for each window a second's work.
    # The last such list is the one that counts, so Playwright's own is said again where a page could notice.
    "--disable-features=WebUIOmniboxAimPopup,WebUIOmniboxPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI,"
    "AimEnabled,HttpsUpgrades,LensOverlay,MediaRouter,OptimizationHints,PaintHolding",
]


def executable() -> str | None:
    """Where this machine keeps its Chromium, or None; nothing is ever downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A running browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, size: tuple[int, int] = DESKTOP, *, dark: bool = False, locale: str = "ko-KR", sharp: bool = False
) -> AsyncIterator[BrowserContext]:
    """A fresh window of a size; `sharp` draws two pixels for one, for pictures."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=locale,
        device_scale_factor=2 if sharp else 1,
        reduced_motion="reduce",
    )
    yield context
    await context.close()


async def settled(page: Page) -> Page:
    """Wait until the page has drawn what the server said, and has read it once more with its line open."""
    await page.wait_for_selector("body[data-ready=yes][data-line=open]")
    await page.evaluate("document.fonts.ready")
    return page


async def look(page: Page, url: str, user: str, place: str = "", visit: int = 0) -> Page:
    """Let a page look as a person at a place: "C0FINOPS01", "app/home", "app/messages", "C…/thread ts".

    Another visit is another address, loaded anew in a tab that shows the one before.
    """
    await page.goto(f"{url}/?user={user}&visit={visit}{f'#/{place}' if place else ''}")
    return await settled(page)


def module(name: str) -> str:
    """JavaScript that promises one of the page's own modules, as the page itself has it."""
    return f"import(new URL('{name}.js', document.querySelector('script').src))"


async def picture(page: Page, path: Path) -> Path:
    """Save what is on the screen as a PNG, without a blinking caret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path, animations="disabled", caret="hide")
    return path
