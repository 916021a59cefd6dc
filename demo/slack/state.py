"""What the simulated workspace holds: people, conversations, messages, views; and who is told when it changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from demo.slack import cast
from demo.slack.cast import Channel, User, UserGroup
from demo.slack.config import SlackConfig
from demo.slack.wire import JSON, ApiError, Clock, Stamps, copied, random_id


@dataclass(frozen=True, slots=True)
class Change:
    """Something a person's screen should show; `audience` is None for everybody in the channel."""

    event: JSON
    audience: str | None = None
    channel: str | None = None


@dataclass(slots=True)
class View:
    """An open modal or a published Home."""

    id: str
    user_id: str
    body: JSON
    app_id: str

    @property
    def blocks(self) -> list[JSON]:
        """The blocks of the view."""
        found: list[JSON] = self.body["blocks"]
        return found


@dataclass(slots=True)
class World:
    """The whole workspace. Only `api` and `interactions` change it; everything else looks."""

    config: SlackConfig
    clock: Clock
    stamps: Stamps
    team_id: str = cast.TEAM_ID
    team_name: str = cast.TEAM_NAME
    team_domain: str = cast.TEAM_DOMAIN
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    messages: dict[str, list[JSON]] = field(default_factory=lambda: defaultdict(list))
    ephemerals: dict[tuple[str, str], list[JSON]] = field(default_factory=lambda: defaultdict(list))
    scheduled: dict[str, JSON] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    stacks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    homes: dict[str, View] = field(default_factory=dict)
    read: dict[tuple[str, str], str] = field(default_factory=dict)
    bookmarks: dict[str, list[JSON]] = field(default_factory=lambda: defaultdict(list))
    pins: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, JSON] = field(default_factory=dict)
    lab: JSON = field(default_factory=dict)
    watchers: list[Callable[[Change], None]] = field(default_factory=list)

    @classmethod
    def furnished(cls, config: SlackConfig, clock: Clock) -> World:
        """한빛소프트 on its first morning: everybody there, nothing said."""
        world = cls(config, clock, Stamps(clock))
        for user in cast.people():
            world.users[user.id] = user
        for channel in cast.channels():
            world.channels[channel.id] = channel
        for group in cast.groups():
            world.groups[group.id] = group
        for user in cast.people():
            if not user.is_bot:
                world.open_dm({user.id, config.app.bot_user_id})
        return world

    # -- looking

    def user(self, user_id: str) -> User:
        """A person by id, or `user_not_found`."""
        found = self.users.get(user_id)
        if found is None:
            raise ApiError("user_not_found")
        return found

    def dm_between(self, members: set[str]) -> Channel | None:
        """The direct message of exactly these members, if it was ever opened."""
        for channel in self.channels.values():
            if (channel.is_im or channel.is_mpim) and channel.members == members:
                return channel
        return None

    def message(self, channel_id: str, ts: str) -> JSON | None:
        """A message of a channel by timestamp, the stored one."""
        return next((each for each in self.messages[channel_id] if each["ts"] == ts), None)

    def visible_to(self, user_id: str, channel: Channel) -> bool:
        """Whether a person can see the channel at all."""
        return user_id in channel.members or not (channel.is_private or channel.is_im or channel.is_mpim)

    # -- changing

    def tell(self, event: JSON, *, audience: str | None = None, channel: str | None = None) -> None:
        """Tell every watcher; the event is a copy, so later changes do not reach back."""
        change = Change(copied(event), audience, channel)
        for watcher in list(self.watchers):
            watcher(change)

    def open_dm(self, members: Iterable[str]) -> Channel:
        """The direct message of these members, opened if it was not."""
        wanted = set(members)
        known = self.dm_between(wanted)
        if known is not None:
            return known
        many = len(wanted) > 2
        human = next((each for each in sorted(wanted) if each != self.config.app.bot_user_id), "")
        channel_id = random_id("G" if many else "D") if many or human not in self.users else "D0" + human[2:]
        if channel_id in self.channels:
            channel_id = random_id("D")
        names = "mpdm-" + "--".join(sorted(self.users[each].name for each in wanted if each in self.users)) + "-1"
        dm = Channel(channel_id, names if many else "directmessage", wanted, is_im=not many, is_mpim=many)
        self.channels[channel_id] = dm
        self.tell({"type": "channel", "channel": {"id": dm.id, "name": dm.name}}, channel=dm.id)
        return dm

    def post(self, channel_id: str, message: JSON) -> JSON:
        """Put a message into a channel, counting it in its thread, and tell everybody there."""
        stored = {"type": "message", "ts": self.stamps.next(), "team": self.team_id, **message}
        self.messages[channel_id].append(stored)
        thread = stored.get("thread_ts")
        if thread and thread != stored["ts"]:
            parent = self.message(channel_id, thread)
            if parent is not None:
                repliers = parent.setdefault("reply_users", [])
                if stored["user"] not in repliers:
                    repliers.append(stored["user"])
                parent.update(
                    thread_ts=thread,
                    reply_count=parent.get("reply_count", 0) + 1,
                    reply_users_count=len(repliers),
                    latest_reply=stored["ts"],
                )
                self._say_changed(channel_id, parent)
        self.tell({"type": "message", "channel": channel_id, "message": shown(channel_id, stored)}, channel=channel_id)
        return stored

    def edit(self, channel_id: str, message: JSON, by: str, changes: JSON, *, drop: Iterable[str] = ()) -> None:
        """Change a message in place, mark it as edited, and tell everybody there."""
        for name in drop:
            message.pop(name, None)
        message.update(changes)
        message["edited"] = {"user": by, "ts": self.stamps.next()}
        self._say_changed(channel_id, message)

    def delete(self, channel_id: str, message: JSON) -> None:
        """Take a message out of a channel and out of its thread's count."""
        self.messages[channel_id].remove(message)
        parent_ts = message.get("thread_ts")
        parent = self.message(channel_id, parent_ts) if parent_ts else None
        if parent is not None and parent is not message and "reply_count" in parent:
            parent["reply_count"] -= 1
            self._say_changed(channel_id, parent)
        self.tell({"type": "message_deleted", "channel": channel_id, "ts": message["ts"]}, channel=channel_id)

    def whisper(self, channel_id: str, user_id: str, message: JSON) -> JSON:
        """Show an ephemeral message to one person; nothing is kept but what their screen holds."""
        stored = {"type": "message", "ts": self.stamps.next(), "team": self.team_id, **message}
        stored["ephemeral_for"] = user_id
        self.ephemerals[(user_id, channel_id)].append(stored)
        event = {"type": "ephemeral", "channel": channel_id, "message": shown(channel_id, stored)}
        self.tell(event, audience=user_id)
        return stored

    def ephemeral(self, channel_id: str, user_id: str, ts: str) -> JSON | None:
        """An ephemeral message on one person's screen."""
        return next((each for each in self.ephemerals[(user_id, channel_id)] if each["ts"] == ts), None)

    def replace_whisper(self, channel_id: str, user_id: str, message: JSON, changes: JSON, drop: Iterable[str]) -> None:
        """Change an ephemeral message on the screen it is on."""
        for name in drop:
            message.pop(name, None)
        message.update(changes)
        event = {"type": "ephemeral_replaced", "channel": channel_id, "ts": message["ts"]}
        self.tell({**event, "message": shown(channel_id, message)}, audience=user_id)

    def unwhisper(self, channel_id: str, user_id: str, message: JSON) -> None:
        """Take an ephemeral message off the screen it is on."""
        self.ephemerals[(user_id, channel_id)].remove(message)
        self.tell({"type": "ephemeral_deleted", "channel": channel_id, "ts": message["ts"]}, audience=user_id)

    def show_stack(self, user_id: str) -> None:
        """Tell a person's screen which modals are open, the top one last."""
        bodies = [self.views[view_id].body for view_id in self.stacks[user_id]]
        self.tell({"type": "views", "views": bodies}, audience=user_id)

    def stack(self, user_id: str) -> list[JSON]:
        """The open modals of a person, the top one last."""
        return [copied(self.views[view_id].body) for view_id in self.stacks[user_id]]

    def show_home(self, user_id: str) -> None:
        """Tell a person's screen what their Home is now."""
        self.tell({"type": "home", "view": self.homes[user_id].body}, audience=user_id)

    def notice(self, user_id: str, text: str, level: str = "error") -> None:
        """Show a line of Slack's own to one person."""
        self.tell({"type": "notice", "text": text, "level": level}, audience=user_id)

    def touched(self, channel_id: str, message: JSON) -> None:
        """Tell everybody in a channel that a message looks different now, without marking it as edited."""
        self._say_changed(channel_id, message)

    def _say_changed(self, channel_id: str, message: JSON) -> None:
        event = {"type": "message_changed", "channel": channel_id, "message": shown(channel_id, message)}
        self.tell(event, channel=channel_id)


def shown(channel_id: str, message: JSON) -> JSON:
    """A message as a screen gets it: what is stored, and where it stands."""
    told = {**copied(message), "channel": channel_id}
    if message.get("subtype") == "thread_broadcast":
        told["reply_broadcast"] = True
    return told
