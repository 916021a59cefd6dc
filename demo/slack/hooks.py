"""`response_url`: five answers within thirty minutes to something a person did."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.slack.arguments import Arguments
from demo.slack.content import read_content
from demo.slack.state import World, shown
from demo.slack.wire import JSON, ApiError


@dataclass(slots=True)
class Hook:
    """Where an answer goes: to one person in one channel, and which message it may replace."""

    channel_id: str
    user_id: str
    expires_at: datetime
    uses_left: int
    message_ts: str | None = None
    is_ephemeral: bool = False


class Hooks:
    """Every `response_url` handed out, by the secret in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Hook] = {}

    def issue(
        self, kind: str, channel_id: str, user_id: str, message_ts: str | None = None, *, is_ephemeral: bool = False
    ) -> str:
        """The path of a new `response_url`."""
        secret = secrets.token_hex(16)
        config = self._world.config
        expires = self._world.clock() + timedelta(seconds=config.response_url_seconds)
        self._known[secret] = Hook(channel_id, user_id, expires, config.response_url_uses, message_ts, is_ephemeral)
        return f"/hooks/{kind}/{self._world.team_id}/{secret}"

    def use(self, secret: str, body: JSON) -> JSON:
        """Answer through a `response_url`."""
        hook = self._known.get(secret)
        if hook is None:
            raise ApiError("no_service")
        if self._world.clock() >= hook.expires_at:
            raise ApiError("expired_url")
        if hook.uses_left <= 0:
            raise ApiError("used_url")
        answer = self._act(hook, Arguments(body))
        hook.uses_left -= 1
        return answer

    def answer(self, channel_id: str, user_id: str, body: JSON) -> JSON:
        """Show what the body of an acknowledgement says, as a `response_url` would."""
        hook = Hook(channel_id, user_id, self._world.clock(), 1)
        return self._act(hook, Arguments(body))

    def _act(self, hook: Hook, args: Arguments) -> JSON:
        original = self._original(hook)
        if args.flag("delete_original"):
            if original is None:
                raise ApiError("message_not_found")
            self._remove(hook, original)
            return {}
        content = read_content(args, self._world)
        if "slack_file" in str(content.blocks):
            raise ApiError("invalid_blocks")  # private images are refused here
        fields = content.fields()
        if args.flag("replace_original") and original is not None:
            drop = [name for name in ("blocks", "attachments") if name not in fields]
            if hook.is_ephemeral:
                self._world.replace_whisper(hook.channel_id, hook.user_id, original, fields, drop)
            else:
                self._world.edit(hook.channel_id, original, self._world.config.app.bot_user_id, fields, drop=drop)
            return {"message": shown(hook.channel_id, original)}
        fields |= self._by_app()
        thread_ts = args.string("thread_ts")
        if thread_ts is not None:
            fields["thread_ts"] = thread_ts
        kind = args.string("response_type") or "ephemeral"
        if kind not in ("ephemeral", "in_channel"):
            raise ApiError("invalid_response_type")
        if kind == "in_channel":
            stored = self._world.post(hook.channel_id, fields)
        else:
            fields.pop("metadata", None)
            stored = self._world.whisper(hook.channel_id, hook.user_id, fields)
        return {"message": shown(hook.channel_id, stored)}

    def _original(self, hook: Hook) -> JSON | None:
        if hook.message_ts is None:
            return None
        if hook.is_ephemeral:
            return self._world.ephemeral(hook.channel_id, hook.user_id, hook.message_ts)
        return self._world.message(hook.channel_id, hook.message_ts)

    def _remove(self, hook: Hook, original: JSON) -> None:
        if hook.is_ephemeral:
            self._world.unwhisper(hook.channel_id, hook.user_id, original)
        else:
            self._world.delete(hook.channel_id, original)

    def _by_app(self) -> JSON:
        app = self._world.config.app
        return {"user": app.bot_user_id, "bot_id": app.bot_id, "app_id": app.app_id}
