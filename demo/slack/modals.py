"""Submitting, closing and searching in modals, and what the app's answers do to the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.slack import payloads
from demo.slack.blockkit.node import Node, Report, array
from demo.slack.blockkit.objects import option, option_group
from demo.slack.content import find_element, read_view
from demo.slack.state import View
from demo.slack.values import overlaid, problems, stateful
from demo.slack.wire import JSON, ApiError
from demo.slack.words import say

if TYPE_CHECKING:
    from demo.slack.hub import Hub

_DEFAULT_MIN_QUERY = 3


class Modals:
    """A person's dealings with modals."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._world = hub.world

    async def submit(self, user_id: str, view_id: str, typed: JSON) -> JSON:
        """A person pressed the submit button: `{ok, errors?, error?, message?}`; `by` says whose errors they are."""
        view = self._top(user_id, view_id)
        if view.body["submit"] is None:
            raise ApiError("view_has_no_submit")
        values = overlaid(view.blocks, typed)
        user = self._world.user(user_id)
        offered = self._hub.interactions.offered.get(view.id, {})
        own = problems(view.blocks, values, offered, user.locale)
        if own:
            return {"ok": False, "errors": own, "by": "slack"}
        payload = payloads.common(self._world, "view_submission", user_id)
        payload["trigger_id"] = self._hub.triggers.issue(user_id, from_modal=True)
        payload["view"] = payloads.with_values(view, values)
        payload["response_urls"] = self._response_urls(user_id, view, values)
        delivery = await self._hub.courier.deliver("interactive", "view_submission", payload)
        if not delivery.ok:
            self._hub.complain("no good answer", f"view_submission: {delivery.error}")
            return self._trouble(user_id, delivery.error or "dispatch_failed")
        try:
            return self._obey(user_id, view, delivery.answer)
        except ApiError as refusal:
            self._hub.complain("answer to a submission", f"{refusal.code} {refusal.more}")
            return self._trouble(user_id, refusal.code)

    def _obey(self, user_id: str, view: View, answer: Any) -> JSON:
        views = self._hub.views
        if answer in (None, "", {}):
            if self._world.stacks[user_id][-1:] == [view.id]:
                views.pop(user_id)
            return {"ok": True}
        action = answer.get("response_action") if isinstance(answer, dict) else None
        if action == "errors":
            return {"ok": False, "errors": self._errors(view, answer.get("errors")), "by": "app"}
        if action == "clear":
            views.clear(user_id)
            return {"ok": True}
        if action not in ("update", "push"):
            raise ApiError("invalid_response_action")
        given = read_view(answer.get("view"), self._world, "modal")
        views.external_id_is_free(given, view.id if action == "update" else None)
        if action == "update":
            if view.id in self._world.views:
                views.replace(view, given)
        else:
            views.push(user_id, given)
        return {"ok": True}

    def _errors(self, view: View, given: Any) -> JSON:
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if not isinstance(given, dict) or not given:
            raise ApiError("invalid_errors")
        for block_id, text in given.items():
            if block_id not in inputs:
                raise ApiError("invalid_errors", detail=f"{block_id} is no input block of this view")
            if not isinstance(text, str) or not text:
                raise ApiError("invalid_errors", detail=f"{block_id} has no text")
        return given

    def _response_urls(self, user_id: str, view: View, values: JSON) -> list[JSON]:
        told = []
        for block, element in stateful(view.blocks):
            if element.get("response_url_enabled"):
                held = values[block["block_id"]][element["action_id"]]
                channel_id = held.get("selected_conversation") or held.get("selected_channel")
                if channel_id:
                    path = self._hub.hooks.issue("app", channel_id, user_id)
                    ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                    told.append({**ids, "channel_id": channel_id, "response_url": self._hub.url + path})
        return told

    def close(self, user_id: str, view_id: str, *, everything: bool = False) -> JSON:
        """A person closed a modal (or, with `everything`, the whole stack); the app hears of it where it asked to."""
        view = self._top(user_id, view_id)
        cleared = everything or view.body["clear_on_close"]
        stack = list(self._world.stacks[user_id]) if cleared else [view.id]
        gone = [self._world.views[each] for each in reversed(stack)]
        if cleared:
            self._hub.views.clear(user_id)
        else:
            self._hub.views.pop(user_id)
        for each in gone:
            if each.body["notify_on_close"]:
                payload = payloads.common(self._world, "view_closed", user_id)
                payload |= {"view": payloads.with_values(each, {}), "is_cleared": cleared}
                self._hub.events.in_background(self._hub.courier.deliver("interactive", "view_closed", payload))
        return {"ok": True}

    async def options(self, user_id: str, container: JSON, block_id: str, action_id: str, word: str) -> JSON:
        """A person types into an external select: `{options}` or `{option_groups}`, empty when the app failed."""
        payload = payloads.common(self._world, "block_suggestion", user_id)
        if container.get("type") == "view":
            view = self._hub.views.find(container.get("view_id"), None)
            blocks, key = view.blocks, view.id
            payload["container"] = {"type": "view", "view_id": view.id}
            payload["view"] = payloads.with_values(view, overlaid(blocks, {}))
        else:
            channel_id, ts = str(container.get("channel_id")), str(container.get("message_ts"))
            message = self._world.ephemeral(channel_id, user_id, ts) or self._world.message(channel_id, ts)
            if message is None:
                raise ApiError("message_not_found")
            blocks, key = message.get("blocks", []), f"{channel_id}:{ts}"
            payload["container"] = {"type": "message", "channel_id": channel_id, "message_ts": ts}
            payload["channel"] = payloads.channel_field(self._world.channels[channel_id])
        element = find_element(blocks, block_id, action_id)
        if element is None or not element["type"].endswith("external_select"):
            raise ApiError("no_such_action")
        if len(word) < element.get("min_query_length", _DEFAULT_MIN_QUERY):
            return {"options": []}
        payload |= {"action_id": action_id, "block_id": block_id, "value": word}
        delivery = await self._hub.courier.deliver("interactive", "block_suggestion", payload)
        offered = _offered(delivery.answer) if delivery.ok else None
        if offered is None:
            self._hub.complain("answer to a search", f"{delivery.error or 'invalid options'}: {delivery.answer}")
            return {"options": [], "error": say(self._world.user(user_id).locale, "options")}
        flat = list(offered.get("options", []))
        for group in offered.get("option_groups", []):
            flat += group["options"]
        known = self._hub.interactions.offered.setdefault(key, {}).setdefault((block_id, action_id), [])
        known += [each for each in flat if each not in known]
        return offered

    def _top(self, user_id: str, view_id: str) -> View:
        if self._world.stacks[user_id][-1:] != [view_id]:
            raise ApiError("not_found")
        return self._world.views[view_id]

    def _trouble(self, user_id: str, error: str) -> JSON:
        text = say(self._world.user(user_id).locale, "submit")
        self._world.notice(user_id, text)
        return {"ok": False, "error": error, "message": text}


def _offered(answer: Any) -> JSON | None:
    """The options of an answer, None when Slack would not show them."""
    if not isinstance(answer, dict) or ("options" in answer) == ("option_groups" in answer):
        return None
    name = "options" if "options" in answer else "option_groups"
    report = Report("modal")
    array(option if name == "options" else option_group, 0, 100)(Node(answer[name], f"/{name}", report))
    return None if report.problems else {name: answer[name]}
