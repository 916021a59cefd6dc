"""What a person does and what it makes of the app's answer: commands, presses, messages, Home."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from demo.slack import payloads
from demo.slack.cast import Channel
from demo.slack.config import Command
from demo.slack.content import elements_of, every_block, find_element
from demo.slack.journal import Delivery
from demo.slack.state import View, shown
from demo.slack.typed import escaped, linked, linked_addresses
from demo.slack.values import FIELDS, Offered, options_of, overlaid
from demo.slack.wire import JSON, ApiError, copied
from demo.slack.words import failure, say

if TYPE_CHECKING:
    from demo.slack.hub import Hub

_MENTION = re.compile(r"(?<![\w<])([@#])([^\s@#<>]+)")


class Interactions:
    """Turns a person's deeds into payloads, delivers them, and shows the person what came of it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._world = hub.world
        self.offered: dict[str, Offered] = {}  # what external selects showed, by view id or channel:ts

    # -- slash commands

    async def command(self, user_id: str, channel_id: str, typed: str) -> JSON:
        """A person typed a slash command: `{ok, error?, message?, response?}`."""
        channel = self._here(user_id, channel_id)
        name, _, text = typed.strip().partition(" ")
        locale = self._world.user(user_id).locale
        registered = next((each for each in self._world.config.app.commands if each.command == name), None)
        if registered is None:
            return self._told(user_id, say(locale, "unknown_command", what=name), "unknown_command")
        self._world.read[(user_id, channel_id)] = self._world.stamps.next()
        fields = payloads.command_fields(self._world, user_id, channel, name, self._escaped(registered, text.strip()))
        fields["response_url"] = self._hub.url + self._hub.hooks.issue("commands", channel_id, user_id)
        fields["trigger_id"] = self._hub.triggers.issue(user_id)
        delivery = await self._hub.courier.deliver("command", "command", fields)
        if not delivery.ok:
            return self._failed(user_id, name, delivery)
        return self._answered(user_id, channel_id, name, delivery)

    def _answered(self, user_id: str, channel_id: str, what: str, delivery: Delivery) -> JSON:
        answer = delivery.answer
        if answer in (None, "", {}):
            return {"ok": True}
        body = answer if isinstance(answer, dict) else {"text": str(answer)}
        try:
            shown_now = self._hub.hooks.answer(channel_id, user_id, body)
        except ApiError as refusal:
            self._hub.complain("answer to a command", f"{refusal.code} {refusal.more}")
            return self._told(user_id, failure(self._world.user(user_id).locale, what, refusal.code), refusal.code)
        return {"ok": True, "response": shown_now.get("message")}

    def _escaped(self, registered: Command, text: str) -> str:
        """The words of a command as an app hears them that wants channels, users and links escaped."""
        if not registered.should_escape:
            return text

        def escape(found: re.Match[str]) -> str:
            sign, name = found.groups()
            if sign == "#":
                channel = next((each for each in self._world.channels.values() if each.name == name), None)
                return f"<#{channel.id}|{channel.name}>" if channel else found.group()
            users = self._world.users.values()
            user = next((each for each in users if name in (each.name, each.real_name)), None)
            return f"<@{user.id}|{user.name}>" if user else found.group()

        return _MENTION.sub(escape, linked_addresses(escaped(text)))

    # -- presses and choices

    async def action(self, user_id: str, container: JSON, action: JSON, state: JSON | None = None) -> JSON:
        """A person pressed or chose something in a message, a modal or Home: `{ok, error?, message?}`."""
        values = (state or {}).get("values") or {}
        if container.get("type") == "view":
            view = self._hub.views.find(container.get("view_id"), None)
            if view.user_id != user_id:
                raise ApiError("not_found")
            blocks, key = view.blocks, view.id
            payload = self._in_view(user_id, view, overlaid(blocks, values))
        else:
            message, channel = self._message(user_id, container)
            blocks, key = message.get("blocks", []), f"{channel.id}:{message['ts']}"
            payload = self._in_message(user_id, channel, message, overlaid(blocks, values))
        element, entry = self._entry(blocks, action, self.offered.get(key, {}))
        if not _sends(blocks, action["block_id"]):
            return {"ok": True, "sent": False}
        payload["actions"] = [entry]
        from_modal = container.get("type") == "view" and payload["view"]["type"] == "modal"
        payload["trigger_id"] = self._hub.triggers.issue(user_id, from_modal=from_modal)
        delivery = await self._hub.courier.deliver("interactive", "block_actions", payload)
        if not delivery.ok:
            words = element.get("text", {}).get("text") if isinstance(element.get("text"), dict) else None
            return self._failed(user_id, words or say(self._world.user(user_id).locale, "button"), delivery)
        return {"ok": True, "sent": True}

    def _entry(self, blocks: list[JSON], action: JSON, offered: Offered) -> tuple[JSON, JSON]:
        ids = (str(action.get("block_id")), str(action.get("action_id")))
        element = find_element(blocks, *ids)
        if element is None:
            raise ApiError("no_such_action")
        kind = element["type"]
        chosen: JSON = {}
        name = "selected_option" if kind == "overflow" else FIELDS.get(kind, ("value", "", None))[0]
        if kind not in ("button", "icon_button", "workflow_button"):
            chosen = {name: copied(action.get(name))}
            _was_on_the_list(element, chosen[name], offered.get(ids))
        if kind == "feedback_buttons":
            chosen = {"value": action.get("value")}
        entry = payloads.pressed(element, ids[0], chosen, self._world.stamps.next())
        return element, entry

    def _in_view(self, user_id: str, view: View, values: JSON) -> JSON:
        payload = payloads.common(self._world, "block_actions", user_id)
        payload["container"] = {"type": "view", "view_id": view.id}
        payload["view"] = payloads.with_values(view, values)
        return payload

    def _in_message(self, user_id: str, channel: Channel, message: JSON, values: JSON) -> JSON:
        payload = payloads.common(self._world, "block_actions", user_id)
        ephemeral = message.get("ephemeral_for") is not None
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id}
        payload["container"] = {**container, "is_ephemeral": ephemeral}
        if message.get("thread_ts"):
            payload["container"]["thread_ts"] = message["thread_ts"]
        payload["channel"] = payloads.channel_field(channel)
        if not ephemeral:
            payload["message"] = payloads.message_field(message)
        payload["state"] = {"values": values}
        path = self._hub.hooks.issue("actions", channel.id, user_id, message["ts"], is_ephemeral=ephemeral)
        payload["response_url"] = self._hub.url + path
        return payload

    def _message(self, user_id: str, container: JSON) -> tuple[JSON, Channel]:
        channel = self._here(user_id, str(container.get("channel_id")))
        ts = str(container.get("message_ts"))
        message = self._world.ephemeral(channel.id, user_id, ts) or self._world.message(channel.id, ts)
        if message is None:
            raise ApiError("message_not_found")
        return message, channel

    async def shortcut(self, user_id: str, callback_id: str, channel_id: str | None = None, ts: str = "") -> JSON:
        """A person used a shortcut, on a message or from anywhere."""
        payload = payloads.common(self._world, "message_action" if channel_id else "shortcut", user_id)
        payload |= {"callback_id": callback_id, "action_ts": self._world.stamps.next()}
        if channel_id:
            message, channel = self._message(user_id, {"channel_id": channel_id, "message_ts": ts})
            payload |= {"channel": payloads.channel_field(channel), "message_ts": ts}
            payload["message"] = payloads.message_field(message)
            payload["response_url"] = self._hub.url + self._hub.hooks.issue("app", channel_id, user_id, ts)
        payload["trigger_id"] = self._hub.triggers.issue(user_id)
        delivery = await self._hub.courier.deliver("interactive", str(payload["type"]), payload)
        return {"ok": True} if delivery.ok else self._failed(user_id, callback_id, delivery)

    # -- words and places

    def say(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> JSON:
        """A person wrote a message; the app hears of it where it may."""
        channel = self._here(user_id, channel_id)
        if channel.is_archived:
            raise ApiError("is_archived")
        message: JSON = {"user": user_id, "text": linked(text)}
        if thread_ts:
            message["thread_ts"] = thread_ts
        stored = self._world.post(channel.id, message)
        self._world.read[(user_id, channel_id)] = stored["ts"]
        bot = self._world.config.app.bot_user_id
        if bot in channel.members:
            told = {**copied(stored), "channel": channel.id, "event_ts": stored["ts"]}
            family = (
                "im" if channel.is_im else "mpim" if channel.is_mpim else "group" if channel.is_private else "channel"
            )
            plural = family if family.endswith("im") else f"{family}s"
            self._hub.events.happened({**told, "channel_type": family}, f"message.{plural}")
            if f"<@{bot}>" in text and not channel.is_im:
                self._hub.events.happened({**told, "type": "app_mention"})
        return shown(channel.id, stored)

    def reword(self, user_id: str, channel_id: str, ts: str, text: str) -> None:
        """A person edited a message of theirs; an app whose name stands in it hears of it as of a new one.

        github.com/slackapi/bolt-js/issues/960
        """
        channel, bot = self._here(user_id, channel_id), self._world.config.app.bot_user_id
        message = self._world.message(channel.id, ts)
        if message is None or message["user"] != user_id:
            raise ApiError("cant_update_message")
        self._world.edit(channel.id, message, user_id, {"text": linked(text)})
        if bot in channel.members and f"<@{bot}>" in text and not channel.is_im:
            told = {**copied(message), "type": "app_mention", "channel": channel.id}
            self._hub.events.happened({**told, "event_ts": message["edited"]["ts"]})

    def open_home(self, user_id: str, tab: str = "home") -> None:
        """A person opened the app's Home (or its messages tab)."""
        channel = self._world.open_dm({user_id, self._world.config.app.bot_user_id})
        event: JSON = {"type": "app_home_opened", "user": user_id, "channel": channel.id, "tab": tab}
        home = self._world.homes.get(user_id)
        if home is not None and tab == "home":
            event["view"] = copied(home.body)
        self._hub.events.happened(event)

    # -- shared

    def _here(self, user_id: str, channel_id: str) -> Channel:
        self._world.user(user_id)
        channel = self._world.channels.get(channel_id)
        if channel is None or not self._world.visible_to(user_id, channel):
            raise ApiError("channel_not_found")
        if user_id not in channel.members:
            raise ApiError("not_in_channel")
        return channel

    def _failed(self, user_id: str, what: str, delivery: Delivery) -> JSON:
        error = delivery.error or "dispatch_failed"
        self._hub.complain("no good answer", f"{delivery.kind}: {error}")
        return self._told(user_id, failure(self._world.user(user_id).locale, what, error), error)

    def _told(self, user_id: str, text: str, error: str) -> JSON:
        self._world.notice(user_id, text)
        return {"ok": False, "error": error, "message": text}


def _sends(blocks: list[JSON], block_id: str) -> bool:
    """Whether a choice in this block is sent at once: in input blocks only with `dispatch_action`."""
    for block in every_block(blocks):
        if block["block_id"] == block_id and block["type"] == "input":
            return bool(block.get("dispatch_action"))
    return True


def _was_on_the_list(element: JSON, chosen: Any, offered: list[JSON] | None) -> None:
    options = {option["value"] for option in options_of(element, offered)}
    several = chosen if isinstance(chosen, list) else [chosen]
    for each in several:
        if isinstance(each, dict) and "value" in each and each["value"] not in options:
            raise ApiError("invalid_option")


def locate(blocks: list[JSON], action_id: str, value: Any = None, block_id: str | None = None) -> tuple[JSON, JSON]:
    """The block and element a person means by an action id; of several buttons the one with this value or text."""
    found = [
        (block, element)
        for block in every_block(blocks)
        for element in elements_of(block)
        if element.get("action_id") == action_id and block_id in (None, block["block_id"])
    ]
    if len(found) > 1 and value is not None:
        meant = [
            (block, element)
            for block, element in found
            if element.get("value") == value
            or (isinstance(element.get("text"), dict) and element["text"].get("text") == value)
            or (
                (element["type"] in FIELDS or element["type"] == "overflow")
                and any(value in (each["value"], each["text"]["text"]) for each in options_of(element))
            )
        ]
        found = meant or found
    if not found:
        there = sorted({str(each.get("action_id")) for block in every_block(blocks) for each in elements_of(block)})
        raise LookupError(f"nothing here has the action id {action_id!r}; there are {there}")
    return found[0]
