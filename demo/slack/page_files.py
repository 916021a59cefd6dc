"""The page's files, kept by a browser as long as they are what they were: their address bears what is in them.

Fifty files asked for anew at every look were a third of what showing the page costs.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).resolve().parent.parent / "page"
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN = {"Cache-Control": "no-store"}


class PageFiles:
    """Serves `/` and `/page/…`, the latter also as `/page/<edition>/…`, where an edition never changes."""

    def __init__(self) -> None:
        self._edition = ""  # nobody looked yet, and most who start a simulated Slack never do

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put the files' addresses into a server."""
        router.add_get("/", self._index)
        router.add_get("/page/{path:.+}", self._file)

    async def _index(self, _: web.Request) -> web.StreamResponse:
        """The page, asking for the files as they are now: whoever edits one only loads it again."""
        self._edition = _edition()
        html = (PAGE / "index.html").read_text("utf-8").replace('="/page/', f'="/page/{self._edition}/')
        return web.Response(text=html, content_type="text/html", headers=_ASK_AGAIN)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info["path"]
        self._edition = self._edition or _edition()
        inner = asked.removeprefix(f"{self._edition}/")
        path = (PAGE / inner).resolve()
        if not (path.is_relative_to(PAGE) and path.is_file()):
            return web.Response(status=404, text="not found")
        return web.FileResponse(path, headers=_ASK_AGAIN if inner == asked else _KEEP)


def _edition() -> str:
    """Sixteen hexadecimal digits that change with any byte of any file."""
    digest = hashlib.sha256()
    for path in sorted(each for each in PAGE.rglob("*") if each.is_file()):
        digest.update(f"{path.relative_to(PAGE)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
