"""The page's files are asked for once in the life of what is in them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from demo.slack import page_files
from demo.slack.page_files import PageFiles

KEPT, ASKED_AGAIN = "public, max-age=31536000, immutable", "no-store"
Asked = TestClient[web.Request, web.Application]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of one script."""
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="/page/js/main.js"></script>')
    (tmp_path / "js" / "main.js").write_text("old")
    monkeypatch.setattr(page_files, "PAGE", tmp_path)
    return tmp_path


@pytest.fixture
async def asked(folder: Path) -> AsyncIterator[Asked]:
    app = web.Application()
    PageFiles().add_routes(app.router)
    async with TestClient(TestServer(app)) as client:
        yield client


async def script_of(asked: Asked) -> str:
    """Where the page as it is now says that its script is."""
    async with asked.get("/") as response:
        assert response.headers["Cache-Control"] == ASKED_AGAIN
        [address] = re.findall(r'src="([^"]+)"', await response.text())
        return str(address)


async def got(asked: Asked, address: str) -> tuple[str, str]:
    async with asked.get(address) as response:
        response.raise_for_status()
        return await response.text(), response.headers["Cache-Control"]


async def test_what_is_in_a_file_is_in_its_address(asked: Asked, folder: Path) -> None:
    """Kept for good under the address that the page names; edited, it has another, and the old one is not kept."""
    old = await script_of(asked)
    assert re.fullmatch(r"/page/[0-9a-f]{16}/js/main\.js", old)
    assert await got(asked, old) == ("old", KEPT)
    assert await script_of(asked) == old

    (folder / "js" / "main.js").write_text("new")
    new = await script_of(asked)
    assert new != old
    assert await got(asked, new) == ("new", KEPT)
    with pytest.raises(aiohttp.ClientResponseError, match="404"):
        await got(asked, old)


async def test_an_address_named_before_the_stage_was_started_again_holds(asked: Asked, folder: Path) -> None:
    """A page that stands open asks for its files without asking for itself first."""
    named = await script_of(asked)
    app = web.Application()
    PageFiles().add_routes(app.router)
    async with TestClient(TestServer(app)) as again:
        assert await got(again, named) == ("old", KEPT)


async def test_an_address_without_an_edition_is_asked_for_each_time(asked: Asked) -> None:
    assert await got(asked, "/page/js/main.js") == ("old", ASKED_AGAIN)


@pytest.mark.parametrize("path", ["/page/../secret", "/page/js", "/page/%2e%2e/secret", "/page/nothing.js"])
async def test_only_files_of_the_page_are_given(asked: Asked, folder: Path, path: str) -> None:
    (folder.parent / "secret").write_text("secret")
    edition = (await script_of(asked)).split("/")[2]
    for address in (path, path.replace("/page/", f"/page/{edition}/", 1)):
        async with asked.get(address) as response:
            assert response.status == 404
