"""The page on which a person lets an app into the workspace (`/oauth/v2/authorize`)."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from demo.slack.cast import JIHOON
from demo.slack.hub import Hub

_PAGE = """<!doctype html><html lang="ko"><meta charset="utf-8"><title>{app}</title>
<body style="font-family:sans-serif;max-width:36em;margin:4em auto;line-height:1.6">
<h1>{app}</h1><p><b>{team}</b> 워크스페이스에 접근하려고 합니다.</p><ul>{scopes}</ul>
<form method="post"><select name="user">{people}</select>
<button name="answer" value="allow">허용</button>
<button name="answer" value="deny">취소</button></form></body></html>"""


class OAuthPage:
    """Asks a person and sends the answer back to the app."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put the page into the server."""
        router.add_get("/oauth/v2/authorize", self._ask)
        router.add_post("/oauth/v2/authorize", self._decide)

    def wrong_with(self, client_id: str, scopes: tuple[str, ...], redirect_uri: str) -> str | None:
        """Why Slack would show an error instead of the question."""
        config = self._hub.config
        if client_id != config.client_id:
            return "invalid_client_id"
        if not scopes:
            return "invalid_scope_requested"
        known = config.app.redirect_urls
        if known and not any(_is_below(redirect_uri, each) for each in known):
            return "bad_redirect_uri"
        return None if urlsplit(redirect_uri).scheme in ("http", "https") else "bad_redirect_uri"

    def allow(self, user_id: str, scopes: tuple[str, ...], redirect_uri: str, state: str) -> str:
        """A person agrees: where their browser goes next."""
        code = self._hub.tokens.authorise(user_id, scopes, redirect_uri)
        return _with(redirect_uri, {"code": code, "state": state})

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        scopes, redirect_uri = _asked(request)
        wrong = self.wrong_with(request.query.get("client_id", ""), scopes, redirect_uri)
        if wrong:
            return web.Response(status=400, text=wrong)
        people = [user for user in self._hub.world.users.values() if not user.is_bot]
        html = _PAGE.format(
            app=escape(self._hub.config.app.name),
            team=escape(self._hub.world.team_name),
            scopes="".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes),
            people="".join(f'<option value="{user.id}">{escape(user.real_name)}</option>' for user in people),
        )
        return web.Response(text=html, content_type="text/html")

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        scopes, redirect_uri = _asked(request)
        wrong = self.wrong_with(request.query.get("client_id", ""), scopes, redirect_uri)
        if wrong:
            return web.Response(status=400, text=wrong)
        form = await request.post()
        state = request.query.get("state", "")
        if form.get("answer") == "deny":
            raise web.HTTPFound(_with(redirect_uri, {"error": "access_denied", "state": state}))
        user_id = str(form.get("user") or JIHOON)
        if user_id not in self._hub.world.users:
            return web.Response(status=400, text="user_not_found")
        raise web.HTTPFound(self.allow(user_id, scopes, redirect_uri, state))


def _asked(request: web.Request) -> tuple[tuple[str, ...], str]:
    scopes = tuple(each for each in request.query.get("scope", "").replace(" ", ",").split(",") if each)
    return scopes, request.query.get("redirect_uri", "")


def _is_below(uri: str, registered: str) -> bool:
    """Whether an address is a registered one or lies in a folder of it: the same host to the letter."""
    asked, known = urlsplit(uri), urlsplit(registered)
    folder = known.path.rstrip("/")
    is_path = asked.path.rstrip("/") == folder or asked.path.startswith(f"{folder}/")
    return (asked.scheme, asked.netloc) == (known.scheme, known.netloc) and is_path


def _with(uri: str, more: dict[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(more)}"
