"""Open modals and published Homes: their ids, hashes, stacks and the app's own external ids."""

from __future__ import annotations

import secrets

from demo.slack.content import dressed
from demo.slack.state import View, World
from demo.slack.wire import JSON, ApiError, random_id

DEEPEST_STACK = 3


class Views:
    """What `views.*` and the answers to submissions do to the screens of people."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, view_id: str | None, external_id: str | None) -> View:
        """An open view by its id or by the app's own; `not_found` once it was closed."""
        for view in self._all():
            if view.id == view_id or (external_id is not None and view.body["external_id"] == external_id):
                return view
        raise ApiError("not_found")

    def external_id_is_free(self, given: JSON, but: str | None) -> None:
        """An external id names one view of the whole workspace."""
        wanted = given.get("external_id")
        if wanted and any(view.body["external_id"] == wanted and view.id != but for view in self._all()):
            raise ApiError("duplicate_external_id")

    def room_for_another(self, user_id: str) -> None:
        """Three modals on top of each other and no more."""
        if len(self._world.stacks[user_id]) >= DEEPEST_STACK:
            raise ApiError("push_limit_reached")

    def open(self, user_id: str, given: JSON) -> View:
        """A new stack with this modal; what was open before is gone."""
        self._forget(user_id)
        return self._place(user_id, given)

    def push(self, user_id: str, given: JSON) -> View:
        """A modal on top of the stack."""
        self.room_for_another(user_id)
        return self._place(user_id, given)

    def replace(self, view: View, given: JSON) -> View:
        """New content under the same id, with a new hash."""
        previous = view.body
        view.body = self._body(view.id, given, previous["previous_view_id"], previous["root_view_id"])
        self._show(view)
        return view

    def publish(self, user_id: str, given: JSON) -> View:
        """A person's Home, new or over the old one."""
        known = self._world.homes.get(user_id)
        if known is not None:
            return self.replace(known, given)
        view_id = random_id("V")
        view = View(view_id, user_id, self._body(view_id, given, None, view_id), self._world.config.app.app_id)
        self._world.homes[user_id] = view
        self._show(view)
        return view

    def pop(self, user_id: str) -> None:
        """Close the top modal; the one below shows again."""
        self._world.views.pop(self._world.stacks[user_id].pop())
        self._world.show_stack(user_id)

    def clear(self, user_id: str) -> None:
        """Close every modal of a person."""
        self._forget(user_id)
        self._world.show_stack(user_id)

    def _all(self) -> list[View]:
        return [*self._world.views.values(), *self._world.homes.values()]

    def _forget(self, user_id: str) -> None:
        for view_id in self._world.stacks[user_id]:
            self._world.views.pop(view_id)
        self._world.stacks[user_id].clear()

    def _place(self, user_id: str, given: JSON) -> View:
        stack = self._world.stacks[user_id]
        view_id = random_id("V")
        body = self._body(view_id, given, stack[-1] if stack else None, stack[0] if stack else view_id)
        view = View(view_id, user_id, body, self._world.config.app.app_id)
        self._world.views[view_id] = view
        stack.append(view_id)
        self._show(view)
        return view

    def _show(self, view: View) -> None:
        if view.body["type"] == "home":
            self._world.show_home(view.user_id)
        else:
            self._world.show_stack(view.user_id)

    def _body(self, view_id: str, given: JSON, previous: str | None, root: str) -> JSON:
        world = self._world
        body: JSON = {
            "id": view_id,
            "team_id": world.team_id,
            "type": given["type"],
            "blocks": dressed(given["blocks"]),
            "private_metadata": given.get("private_metadata") or "",
            "callback_id": given.get("callback_id") or "",
            "external_id": given.get("external_id") or "",
            "state": {"values": {}},
            "hash": f"{world.stamps.next().split('.')[0]}.{secrets.token_hex(4)}",
            "title": given.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
            "clear_on_close": bool(given.get("clear_on_close")),
            "notify_on_close": bool(given.get("notify_on_close")),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": previous,
            "root_view_id": root,
            "app_id": world.config.app.app_id,
            "app_installed_team_id": world.team_id,
            "bot_id": world.config.app.bot_id,
        }
        if "submit_disabled" in given:
            body["submit_disabled"] = bool(given["submit_disabled"])
        return body
