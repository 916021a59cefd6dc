"""One call of the Web API: the workspace, the arguments, who calls; and the table of methods."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from demo.slack.arguments import Arguments
from demo.slack.limits import Tier
from demo.slack.state import World
from demo.slack.tokens import Token
from demo.slack.wire import JSON, ApiError

if TYPE_CHECKING:
    from demo.slack.hub import Hub

T = TypeVar("T")


@dataclass(slots=True)
class Request:
    """A call on its way: the workspace, the arguments, the caller."""

    hub: Hub
    method: str
    args: Arguments
    caller: Token | None
    headers: dict[str, str]

    @property
    def world(self) -> World:
        """The workspace."""
        return self.hub.world

    @property
    def token(self) -> Token:
        """The caller, who must have shown a token."""
        if self.caller is None:
            raise ApiError("not_authed")
        return self.caller

    @property
    def bot_user_id(self) -> str:
        """The app's own user."""
        return self.world.config.app.bot_user_id

    def has(self, scope: str) -> bool:
        """Whether the caller was granted a scope."""
        return scope in self.token.scopes

    def need(self, *any_of: str) -> None:
        """Go on only with one of these scopes."""
        if not any(self.has(scope) for scope in any_of):
            needed, provided = ",".join(any_of), ",".join(self.token.scopes)
            raise ApiError("missing_scope", needed=needed, provided=provided)


Handler = Callable[[Request], Awaitable[JSON]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the Web API: how it is called and what it costs."""

    name: str
    handler: Handler
    tier: Tier
    scopes: tuple[str, ...]  # any one of them; empty needs none
    token: str | None  # "bot", "app", or None where no token is asked for
    takes_json: bool


METHODS: dict[str, Method] = {}


def method(
    name: str,
    tier: Tier,
    *scopes: str,
    token: str | None = "bot",  # noqa: S107 - a kind of token
    takes_json: bool = True,
) -> Callable[[Handler], Handler]:
    """Put a function into the table of methods."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, tier, scopes, token, takes_json)
        return handler

    return register


def page(request: Request, items: Sequence[T], default: int, highest: int) -> tuple[list[T], JSON]:
    """One page of a list by `cursor` and `limit`, and the `response_metadata` that leads on."""
    limit = request.args.number("limit", default, 1, highest)
    cursor = request.args.string("cursor")
    start = 0
    if cursor is not None:
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except (ValueError, binascii.Error):
            raise ApiError("invalid_cursor") from None
    following = ""
    if start + limit < len(items):
        following = base64.b64encode(f"next:{start + limit}".encode()).decode()
    return list(items[start : start + limit]), {"next_cursor": following}
