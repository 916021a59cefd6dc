"""`/_sim/slack/…`: making the simulated Slack fail, looking into its journal, and starting over."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from demo.slack import payloads
from demo.slack.cast import JIHOON
from demo.slack.faults import Fault
from demo.slack.hub import Hub
from demo.slack.journal import Call, Delivery
from demo.slack.wire import JSON, ApiError


def call_json(call: Call) -> JSON:
    """A call of the journal for a reader; tokens stay out of it."""
    return {
        "method": call.method,
        "args": call.args,
        "at": call.at.isoformat(),
        "status": call.status,
        "ok": call.ok,
        "error": call.error,
        "response": call.response,
    }


def delivery_json(delivery: Delivery) -> JSON:
    """A delivery of the journal for a reader."""
    return {
        "kind": delivery.kind,
        "transport": delivery.transport,
        "ok": delivery.ok,
        "status": delivery.status,
        "error": delivery.error,
        "seconds": round(delivery.seconds, 4),
        "retry_num": delivery.retry_num,
        "payload": delivery.payload,
        "answer": delivery.answer,
    }


class Control:
    """The levers behind the stage."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Put the levers into the server."""
        router.add_post("/_sim/slack/faults", self._add_fault)
        router.add_get("/_sim/slack/faults", self._list_faults)
        router.add_delete("/_sim/slack/faults", self._clear_faults)
        router.add_get("/_sim/slack/calls", self._calls)
        router.add_get("/_sim/slack/deliveries", self._deliveries)
        router.add_get("/_sim/slack/complaints", self._complaints)
        router.add_post("/_sim/slack/reset", self._reset)
        router.add_post("/_sim/slack/deliver", self._deliver)
        router.add_post("/_sim/slack/disconnect", self._disconnect)
        router.add_post("/_sim/slack/revoke", self._revoke)
        router.add_post("/_sim/slack/settings", self._settings)
        router.add_post("/_sim/slack/people", self._people)

    async def _add_fault(self, request: web.Request) -> web.StreamResponse:
        try:
            fault = Fault.from_json(await request.json())
        except (ApiError, ValueError) as wrong:
            return web.json_response({"ok": False, "error": str(wrong)}, status=400)
        self._hub.faults.add(fault)
        return web.json_response({"ok": True, "fault": fault.to_json()})

    async def _list_faults(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"faults": [each.to_json() for each in self._hub.faults.standing]})

    async def _clear_faults(self, _: web.Request) -> web.StreamResponse:
        self._hub.faults.clear()
        return web.json_response({"ok": True})

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("method")
        calls = [call_json(each) for each in self._hub.journal.calls if wanted in (None, each.method)]
        return web.json_response({"calls": calls})

    async def _deliveries(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"deliveries": [delivery_json(each) for each in self._hub.journal.deliveries]})

    async def _complaints(self, _: web.Request) -> web.StreamResponse:
        found = [{"what": each.what, "detail": each.detail} for each in self._hub.journal.complaints]
        return web.json_response({"complaints": found})

    async def _reset(self, _: web.Request) -> web.StreamResponse:
        self._hub.faults.clear()
        self._hub.limiter.forget()
        self._hub.journal.forget()
        return web.json_response({"ok": True})

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        """Deliver something odd: an event again (`event`), or a forgery (`forge`: signature, stale, unsigned)."""
        body: Any = await request.json() if request.can_read_body else {}
        forgery = body.get("forge")
        if forgery is not None:
            status = await self._hub.courier.forge("command", self.a_command(), forgery)
            return web.json_response({"ok": True, "status": status})
        try:
            retry_num, reason = int(body.get("retry_num", 1)), str(body.get("retry_reason", "http_timeout"))
            delivery = await self._hub.events.redeliver(body.get("event"), retry_num, reason)
        except LookupError as nothing:
            return web.json_response({"ok": False, "error": str(nothing)}, status=409)
        return web.json_response({"ok": True, "delivery": delivery_json(delivery)})

    def a_command(self) -> JSON:
        """The form of a slash command, as a forger would imitate it."""
        channel = self._hub.world.channels["C0FINOPS01"]
        fields = payloads.command_fields(
            self._hub.world, JIHOON, channel, self._hub.config.app.commands[0].command, "help"
        )
        return {**fields, "trigger_id": "1.1.f", "response_url": f"{self._hub.url}/hooks/commands/T/forged"}

    async def _disconnect(self, request: web.Request) -> web.StreamResponse:
        body: Any = await request.json() if request.can_read_body else {}
        await self._hub.socket.disconnect(str(body.get("reason", "refresh_requested")))
        return web.json_response({"ok": True})

    async def _revoke(self, _: web.Request) -> web.StreamResponse:
        self._hub.uninstall()
        return web.json_response({"ok": True})

    async def _settings(self, request: web.Request) -> web.StreamResponse:
        """Change patience and pace while it runs: `rate_limits`, `rate_scale`, `ack_seconds`, retry delays."""
        body: Any = await request.json()
        config = self._hub.config
        config.rate_limits = bool(body.get("rate_limits", config.rate_limits))
        config.rate_scale = float(body.get("rate_scale", config.rate_scale))
        config.ack_seconds = float(body.get("ack_seconds", config.ack_seconds))
        delays = body.get("event_retry_delays")
        if isinstance(delays, list) and len(delays) == 3:
            config.event_retry_delays = (float(delays[0]), float(delays[1]), float(delays[2]))
        return web.json_response({"ok": True})

    async def _people(self, request: web.Request) -> web.StreamResponse:
        """Change somebody, as Slack's administrators do: `user`, and `is_admin`, `is_restricted`, `deleted` …"""
        body: Any = await request.json()
        try:
            told = self._hub.describe(str(body.pop("user", "")), **{name: bool(value) for name, value in body.items()})
        except ApiError as wrong:
            return web.json_response({"ok": False, "error": str(wrong)}, status=400)
        return web.json_response({"ok": True, "told": told is not None})
