"""A person at their screen, for tests and for the scripted demo: they type, press, fill in and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from demo.slack.hub import Hub
from demo.slack.interactions import locate
from demo.slack.journal import Call
from demo.slack.state import shown
from demo.slack.typed import escaped
from demo.slack.values import FIELDS, overlaid, shaped, stateful
from demo.slack.wire import JSON, ApiError

Where = Call | Mapping[str, Any] | str
"""A call that posted something, a message, a view, or a view id."""


class Person:
    """One of the cast. Keeps what they typed into open modals, as a browser does."""

    def __init__(self, hub: Hub, user_id: str) -> None:
        self._hub = hub
        self._world = hub.world
        self.user = hub.world.user(user_id)
        self.id = user_id
        self._typed: dict[str, JSON] = {}

    # -- reading

    @property
    def dm(self) -> str:
        """The channel id of their direct message with the app."""
        return self._world.open_dm({self.id, self._world.config.app.bot_user_id}).id

    @property
    def views(self) -> list[JSON]:
        """Their open modals, the top one last."""
        return self._world.stack(self.id)

    @property
    def view(self) -> JSON | None:
        """The modal in front of them, None when there is none."""
        return self.views[-1] if self._world.stacks[self.id] else None

    @property
    def home(self) -> JSON | None:
        """Their Home, None while the app has not published one."""
        known = self._world.homes.get(self.id)
        return None if known is None else dict(known.body)

    def ephemerals(self, channel: str) -> list[JSON]:
        """What only they see in a channel, oldest first."""
        return [shown(channel, each) for each in self._world.ephemerals[(self.id, channel)]]

    def messages(self, channel: str) -> list[JSON]:
        """What they see in a channel: messages and what is only for them, in order."""
        said = [shown(channel, each) for each in self._world.messages[channel]]
        return sorted(said + self.ephemerals(channel), key=lambda each: str(each["ts"]))

    # -- doing

    async def command(self, text: str, channel: str | None = None) -> JSON:
        """Type a slash command, by default in the direct message with the app: `{ok, error?, response?}`."""
        return await self._hub.interactions.command(self.id, channel or self.dm, text)

    async def clicks(self, where: Where, action_id: str, value: Any = None, block_id: str | None = None) -> JSON:
        """Press a button or make a choice; a confirm dialog is agreed to. `{ok, error?, sent?}`.

        `value` is what is chosen (an option's value or text, a user, a date); of several buttons with the same
        action id it is the value or text of the one meant.
        """
        container, blocks, key = self._find(where)
        block, element = locate(blocks, action_id, value, block_id)
        action: JSON = {"type": element["type"], "block_id": block["block_id"], "action_id": action_id}
        if element["type"] in FIELDS:
            held = await self._hold(container, block, element, value)
            action |= held
            if container["type"] == "view":
                self._typed.setdefault(key, {}).setdefault(block["block_id"], {})[action_id] = held
        elif element["type"] == "overflow":
            option = next((each for each in element["options"] if value in (each["value"], each["text"]["text"])), None)
            if option is None:
                raise LookupError(f"{action_id} does not offer {value!r}")
            action["selected_option"] = option
        elif element["type"] == "feedback_buttons":
            action["value"] = value
        values = overlaid(blocks, self._typed.get(key, {}))
        return await self._hub.interactions.action(self.id, container, action, {"values": values})

    async def types(self, values: Mapping[str, Any], view: Where | None = None) -> None:
        """Fill inputs of a modal without submitting; keys are block ids or action ids, values plain Python."""
        container, blocks, key = self._find(view or self._top())
        typed = self._typed.setdefault(key, {})
        for name, plain in values.items():
            block, element = _meant(blocks, name)
            if isinstance(plain, Mapping) and element["action_id"] in plain:
                held = dict(plain[element["action_id"]])
            else:
                held = await self._hold(container, block, element, plain)
            typed.setdefault(block["block_id"], {})[element["action_id"]] = held

    async def submits(self, view: Where | None = None, values: Mapping[str, Any] | None = None) -> JSON:
        """Fill in and press submit: `{ok}` or `{ok: False, errors}`; `by` says whether Slack or the app refused."""
        _, blocks, key = self._find(view or self._top())
        if values:
            await self.types(values, view)
        result = await self._hub.modals.submit(self.id, key, overlaid(blocks, self._typed.get(key, {})))
        if key not in self._world.views:
            self._typed.pop(key, None)
        return result

    async def options(self, where: Where, action_id: str, word: str, block_id: str | None = None) -> list[JSON]:
        """Type a word into an external select and read what the app offers, groups flattened."""
        container, blocks, _ = self._find(where)
        block, element = locate(blocks, action_id, None, block_id)
        found = await self._hub.modals.options(self.id, container, block["block_id"], element["action_id"], word)
        groups = found.get("option_groups", [])
        return list(found.get("options", [])) + [option for group in groups for option in group["options"]]

    def closes(self, view: Where | None = None, *, everything: bool = False) -> JSON:
        """Close the modal in front, or with `everything` the whole stack."""
        _, _, key = self._find(view or self._top())
        self._typed.pop(key, None)
        return self._hub.modals.close(self.id, key, everything=everything)

    async def opens_home(self, tab: str = "home") -> None:
        """Open the app's Home; the app hears of it in the background."""
        self._hub.interactions.open_home(self.id, tab)

    async def says(self, channel: str, text: str, thread_ts: str | None = None) -> JSON:
        """Write a message; the app hears of it in the background where it may."""
        return self._hub.interactions.say(self.id, channel, escaped(text), thread_ts)

    def rewords(self, message: JSON, text: str) -> None:
        """Edit a message of their own."""
        self._hub.interactions.reword(self.id, str(message["channel"]), str(message["ts"]), escaped(text))

    async def shortcut(self, callback_id: str, message: Where | None = None) -> JSON:
        """Use a shortcut, on a message or from anywhere."""
        if message is None:
            return await self._hub.interactions.shortcut(self.id, callback_id)
        container, _, _ = self._find(message)
        ids = container["channel_id"], container["message_ts"]
        return await self._hub.interactions.shortcut(self.id, callback_id, *ids)

    def joins(self, channel: str) -> None:
        """Enter a public channel."""
        self._hub.join(self._world.channels[channel], self.id)

    def invites_app(self, channel: str) -> None:
        """Bring the app into a channel."""
        self._hub.join(self._world.channels[channel], self._world.config.app.bot_user_id, self.id)

    # -- finding

    def _top(self) -> str:
        stack = self._world.stacks[self.id]
        if not stack:
            raise LookupError(f"{self.user.real_name} has no modal open")
        return stack[-1]

    def _find(self, where: Where) -> tuple[JSON, list[JSON], str]:
        """The container for a payload, the blocks as they are now, and the key of what was typed there."""
        if isinstance(where, Call):
            found = where.message or where.response.get("view")
            if found is None:
                raise LookupError(f"{where.method} put nothing on a screen ({where.error})")
            where = found
        if isinstance(where, str) or "ts" not in where:
            view_id = where if isinstance(where, str) else str(where["id"])
            view = self._hub.views.find(view_id, None)
            return {"type": "view", "view_id": view.id}, view.blocks, view.id
        channel, ts = str(where["channel"]), str(where["ts"])
        message = self._world.ephemeral(channel, self.id, ts) or self._world.message(channel, ts)
        if message is None:
            raise ApiError("message_not_found")
        container = {"type": "message", "channel_id": channel, "message_ts": ts}
        return container, message.get("blocks", []), f"{channel}:{ts}"

    async def _hold(self, container: JSON, block: JSON, element: JSON, plain: Any) -> JSON:
        """A plain value as this element holds it; what an external select shows is asked of the app first."""
        ids = (block["block_id"], element["action_id"])
        key = container.get("view_id") or f"{container['channel_id']}:{container['message_ts']}"
        if element["type"].endswith("external_select"):
            for word in plain if isinstance(plain, list | tuple) else [plain]:
                if isinstance(word, str) and word:
                    await self._hub.modals.options(self.id, container, *ids, word)
        return shaped(element, plain, self._hub.interactions.offered.get(str(key), {}).get(ids))


def _meant(blocks: list[JSON], name: str) -> tuple[JSON, JSON]:
    for block, element in stateful(blocks):
        if name in (block["block_id"], element["action_id"]):
            return block, element
    there = [f"{block['block_id']}/{element['action_id']}" for block, element in stateful(blocks)]
    raise LookupError(f"nothing to fill in is called {name!r}; there are {there}")
