"""Everything one simulated Slack is made of, put together once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from demo.slack.api.people import described
from demo.slack.cast import Channel
from demo.slack.config import SlackConfig
from demo.slack.delivery import Courier
from demo.slack.events import Events
from demo.slack.faults import Faults
from demo.slack.hooks import Hooks
from demo.slack.interactions import Interactions
from demo.slack.journal import Complaint, Journal
from demo.slack.limits import Limiter
from demo.slack.modals import Modals
from demo.slack.socket import SocketMode
from demo.slack.state import Change, World
from demo.slack.tokens import Tokens
from demo.slack.triggers import Triggers
from demo.slack.views import Views
from demo.slack.wire import JSON, ApiError, Clock


class Hub:
    """The parts of a simulated Slack, each knowing the others through here."""

    def __init__(self, config: SlackConfig, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.url = ""
        self.world = World.furnished(config, clock)
        self.journal = Journal()
        self.limiter = Limiter(config)
        self.faults = Faults()
        self.tokens = Tokens(config, clock)
        self.triggers = Triggers(config, clock)
        self.views = Views(self.world)
        self.hooks = Hooks(self.world)
        self.socket = SocketMode(config, clock)
        self.courier = Courier(config, clock, self.journal, self.socket)
        self.events = Events(self.world, self.courier)
        self.interactions = Interactions(self)
        self.modals = Modals(self)
        self.uploads: dict[str, JSON] = {}
        self.contents: dict[str, bytes] = {}
        self.world.watchers.append(self._echo)

    def happened(self, event: JSON) -> None:
        """Tell the app of an event, if it listens."""
        self.events.happened(event)

    def _echo(self, change: Change) -> None:
        """The app hears of its own messages, too, and of each edit of them, where it hears of anybody's."""
        channel, event = self.world.channels.get(change.channel or ""), change.event
        if channel is None or not channel.is_im or self.config.app.bot_user_id not in channel.members:
            return
        message = event.get("message", {})
        told = {"type": "message", "channel": channel.id, "channel_type": "im"}
        if event["type"] == "message" and message.get("bot_id"):
            self.events.echoed({**message, **told}, "message.im")
        elif event["type"] == "message_changed" and "edited" in message:
            self.events.echoed({**told, "subtype": "message_changed", "message": message, "hidden": True}, "message.im")
        elif event["type"] == "message_deleted":
            self.events.echoed({**told, "subtype": "message_deleted", "deleted_ts": event["ts"]}, "message.im")

    def complain(self, what: str, detail: str) -> None:
        """Note something the app did that a person saw fail."""
        self.journal.complaints.append(Complaint(what, detail, self.clock()))

    def join(self, channel: Channel, user_id: str, inviter: str | None = None) -> None:
        """Somebody enters a channel; the app hears of it where it is."""
        channel.members.add(user_id)
        self.world.tell({"type": "channel", "channel": {"id": channel.id, "name": channel.name}}, audience=user_id)
        if self.config.app.bot_user_id in channel.members:
            event = {"type": "member_joined_channel", "user": user_id, "channel": channel.id, "channel_type": "C"}
            self.happened({**event, "team": self.world.team_id, **({"inviter": inviter} if inviter else {})})

    def describe(self, user_id: str, **changes: Any) -> JSON | None:
        """Slack's administrators change somebody (`is_admin`, `is_restricted`, `deleted` …); the app hears of it.

        What the app was told, None when it does not listen.
        """
        user = self.world.user(user_id)
        if not changes.keys() <= {each.name for each in fields(user)}:
            raise ApiError("invalid_arguments")
        for name, value in changes.items():
            setattr(user, name, value)
        app, now = self.config.app, int(self.clock().timestamp())
        told = described(self.world, user, with_email="users:read.email" in app.scopes, with_locale=True)
        return self.events.happened({"type": "user_change", "user": told, "cache_ts": now})

    def uninstall(self) -> None:
        """The app leaves the workspace: tokens die, and it is told, in either order."""
        bot = self.config.app.bot_user_id
        self.tokens.revoke_all()
        self.happened({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}})
        self.happened({"type": "app_uninstalled"})
        for channel in self.world.channels.values():
            if not channel.is_im:
                channel.members.discard(bot)
