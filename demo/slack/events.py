"""The Events API: which events the app hears, how they are wrapped, and the three retries."""

from __future__ import annotations

import asyncio
from typing import Any

from demo.slack.delivery import Courier
from demo.slack.journal import Delivery
from demo.slack.state import World
from demo.slack.wire import JSON, random_id

_REASONS = {
    "operation_timeout": "http_timeout",
    "dispatch_failed": "connection_failed",
    "http_service_error": "http_error",
    "http_client_error": "http_error",
}
_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.mpim": "mpim:history",
    "member_joined_channel": "channels:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "user_change": "users:read",
}


class Events:
    """Sends what happens to the app, if it subscribed and may know."""

    def __init__(self, world: World, courier: Courier) -> None:
        self._world = world
        self._courier = courier
        self._tasks: set[asyncio.Task[None]] = set()
        self.last: JSON | None = None

    def happened(self, event: JSON, subscription: str | None = None) -> JSON | None:
        """Deliver an event in the background; the envelope, or None when the app does not listen to it."""
        if not self._hears(subscription or str(event["type"])):
            return None
        envelope = self.wrapped(event)
        self.last = envelope
        self._start(self._with_retries(envelope))
        return envelope

    def echoed(self, event: JSON, subscription: str) -> None:
        """Deliver what the app did itself, once: `last` stays what others did, and nothing waits for it again."""
        if self._hears(subscription):
            self._start(self._courier.deliver("event", "event", self.wrapped(event)))

    def _hears(self, name: str) -> bool:
        app = self._world.config.app
        return name in app.events and _SCOPES.get(name) in (None, *app.scopes)

    def wrapped(self, event: JSON) -> JSON:
        """The envelope round an event."""
        app = self._world.config.app
        who = {"enterprise_id": None, "team_id": self._world.team_id, "user_id": app.bot_user_id}
        return {
            "token": "verification-token",
            "team_id": self._world.team_id,
            "context_team_id": self._world.team_id,
            "context_enterprise_id": None,
            "api_app_id": app.app_id,
            "event": {**event, "event_ts": event.get("event_ts") or event.get("ts") or self._world.stamps.next()},
            "type": "event_callback",
            "event_id": random_id("Ev"),
            "event_time": int(self._world.clock().timestamp()),
            "authorizations": [{**who, "is_bot": True, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
            "event_context": f"4-{random_id('')}",
        }

    async def redeliver(
        self, envelope: JSON | None = None, retry_num: int = 1, reason: str = "http_timeout"
    ) -> Delivery:
        """Deliver an event again with Slack's retry headers, by default the last one."""
        again = envelope or self.last
        if again is None:
            raise LookupError("no event was delivered yet")
        return await self._courier.deliver("event", "event", again, retry_num, reason)

    async def settled(self) -> None:
        """Wait until nothing is on its way any more."""
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    def in_background(self, work: Any) -> None:
        """Let something go on that nobody waits for, but that `settled` knows of."""
        self._start(work)

    async def close(self) -> None:
        """Give up on what is still on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)

    def _start(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _with_retries(self, envelope: JSON) -> None:
        delivery = await self._courier.deliver("event", "event", envelope)
        for retry_num, delay in enumerate(self._world.config.event_retry_delays, 1):
            if delivery.ok or delivery.answer == "no-retry":
                return
            await asyncio.sleep(delay)
            reason = _REASONS.get(delivery.error or "", "unknown_error")
            delivery = await self._courier.deliver("event", "event", envelope, retry_num, reason)
