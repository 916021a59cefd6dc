"""Tokens: who a caller is, what it may do, and how OAuth hands tokens out, rotates them and takes them back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from demo.slack.config import SlackConfig
from demo.slack.wire import JSON, ApiError, Clock

LIFETIME = timedelta(hours=12)
CODE_LIFETIME = timedelta(minutes=10)


@dataclass(slots=True)
class Token:
    """A token Slack issued and what stands behind it."""

    value: str
    kind: Literal["bot", "app"]
    scopes: tuple[str, ...]
    user_id: str
    expires_at: datetime | None = None
    revoked: bool = False


@dataclass(slots=True)
class _Code:
    scopes: tuple[str, ...]
    user_id: str
    redirect_uri: str
    expires_at: datetime
    used: bool = False


@dataclass(slots=True)
class Tokens:
    """Every token there is, the codes not yet exchanged, and the refresh tokens not yet used."""

    config: SlackConfig
    clock: Clock
    by_value: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    installer: str | None = None

    def __post_init__(self) -> None:
        app = self.config.app
        self.by_value[self.config.bot_token] = Token(self.config.bot_token, "bot", app.scopes, app.bot_user_id)
        self.by_value[self.config.app_token] = Token(
            self.config.app_token, "app", ("connections:write",), app.bot_user_id
        )

    def grant(self, scopes: tuple[str, ...]) -> None:
        """Give the fixed bot token these scopes, as a re-installation would."""
        self.by_value[self.config.bot_token].scopes = scopes

    def look_up(self, value: str | None) -> Token:
        """The live token behind a value, or Slack's word for what is wrong with it."""
        if not value:
            raise ApiError("not_authed")
        token = self.by_value.get(value)
        if token is None:
            raise ApiError("invalid_auth")
        if token.revoked:
            raise ApiError("token_revoked")
        if token.expires_at is not None and self.clock() >= token.expires_at:
            raise ApiError("token_expired")
        return token

    def authorise(self, user_id: str, scopes: tuple[str, ...], redirect_uri: str) -> str:
        """A person pressed Allow: a code to exchange within ten minutes, once."""
        code = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        self.codes[code] = _Code(scopes, user_id, redirect_uri, self.clock() + CODE_LIFETIME)
        return code

    def exchange(self, code: str, redirect_uri: str | None) -> tuple[Token, str | None, str]:
        """A code for a token: the token, its refresh token when rotation is on, and who installed."""
        found = self.codes.get(code)
        if found is None or found.used or self.clock() >= found.expires_at:
            raise ApiError("invalid_code")
        if redirect_uri != found.redirect_uri:  # whoever named one when asking has to name it again
            raise ApiError("bad_redirect_uri")
        found.used = True
        self.installer = found.user_id
        token, refresh = self._issue(found.scopes)
        return token, refresh, found.user_id

    def rotate(self, refresh_token: str) -> tuple[Token, str | None]:
        """A refresh token for a new pair; the old refresh token is spent."""
        old = self.refresh.pop(refresh_token, None)
        if old is None or old.revoked:
            raise ApiError("invalid_refresh_token")
        return self._issue(old.scopes)

    def revoke_all(self) -> None:
        """The app was uninstalled: nothing it holds works any more."""
        for token in self.by_value.values():
            if token.kind == "bot":
                token.revoked = True
        self.refresh.clear()

    def _issue(self, scopes: tuple[str, ...]) -> tuple[Token, str | None]:
        rotating = self.config.app.token_rotation
        value = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_hex(16)}"
        expires = None
        if rotating:
            value, expires = f"xoxe.{value}", self.clock() + LIFETIME
        token = Token(value, "bot", scopes, self.config.app.bot_user_id, expires)
        self.by_value[value] = token
        refresh = None
        if rotating:
            refresh = f"xoxe-1-{secrets.token_hex(40)}"
            self.refresh[refresh] = token
        return token, refresh


def rotation_fields(token: Token, refresh: str | None, clock: Clock) -> JSON:
    """`refresh_token` and `expires_in` where rotation is on, nothing where it is not."""
    if refresh is None or token.expires_at is None:
        return {}
    return {"refresh_token": refresh, "expires_in": int((token.expires_at - clock()).total_seconds())}
