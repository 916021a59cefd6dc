"""The addresses we answer at, and the keys under which the running application keeps what they need."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot import Bot
from bot.metrics import Metrics
from bot.settings import Settings
from handlers import door, operating, recording
from handlers.installing import INSTALL_PATH, Pages
from handlers.manifest import EVENTS_PATH, REDIRECT_PATH
from handlers.socket_mode import SocketDoor
from storage import Storage

BOT = web.AppKey("bot", Bot)
SLACK = web.AppKey("slack", AsyncApp)
STORAGE = web.AppKey("storage", Storage)
METRICS = web.AppKey("metrics", Metrics)
SOCKET = web.AppKey("socket", SocketDoor)
PAGES = web.AppKey("pages", Pages)
# How the application is served, by whomever: bodies come as they were sent, and are unpacked where one is wanted.
SERVED: dict[str, Any] = {"auto_decompress": False}


def routes(settings: Settings) -> list[web.RouteDef]:
    """What is served: the operator's three, where applications record their calls, Slack's door over HTTP, and the two
    pages of an installation."""
    served = [web.get("/healthz", healthy), web.get("/readyz", ready), web.get("/metrics", measured)]
    served += [web.post(recording.EVENTS, events), web.post(recording.TRACES, traces)]
    if settings.slack_signing_secret is not None:
        served.append(web.post(EVENTS_PATH, slack_calls))
    if settings.uses_oauth:
        served += [web.get(INSTALL_PATH, install), web.get(REDIRECT_PATH, redirected)]
    return served


async def slack_calls(request: web.Request) -> web.Response:
    return await door.receive(request.app[SLACK], request.app[METRICS], request)


async def events(request: web.Request) -> web.Response:
    return await recording.receive_events(request.app[BOT].recording, request.app[METRICS], request)


async def traces(request: web.Request) -> web.Response:
    return await recording.receive_traces(request.app[BOT].recording, request.app[METRICS], request)


async def install(request: web.Request) -> web.Response:
    return await request.app[PAGES].install(request)


async def redirected(request: web.Request) -> web.Response:
    return await request.app[PAGES].redirect(request)


async def healthy(_: web.Request) -> web.Response:
    """The process answers: restart it when it does not."""
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """Whether to send work here: 200 when all we stand on answers, else 503 and what does not."""
    state = await operating.readiness(request.app[STORAGE], request.app.get(SOCKET))
    return web.json_response(state, status=200 if all(state.values()) else 503)


async def measured(request: web.Request) -> web.Response:
    body, headers = request.app[METRICS].page()
    return web.Response(body=body, headers=headers)
