"""What can be set about the simulated Slack: its app, its patience and its pace."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_SCOPES = (
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
DEFAULT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "member_joined_channel",
    "message.im",
    "subteam_members_changed",
    "tokens_revoked",
    "user_change",
)


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command the app registered."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(slots=True)
class AppConfig:
    """The app as Slack knows it: what its manifest says."""

    name: str = "FinOps"
    app_id: str = "A0FINOPSBT"
    bot_user_id: str = "U0FINOPSBT"
    bot_id: str = "B0FINOPSBT"
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    events: tuple[str, ...] = DEFAULT_EVENTS
    commands: tuple[Command, ...] = (Command("/finops", "AI 비용 보기와 설정", "[setup|status|help]"),)
    shortcuts: tuple[tuple[str, str], ...] = ()  # callback id and name, of those in the menu of a message
    home_tab_enabled: bool = True
    messages_tab_enabled: bool = True
    redirect_urls: tuple[str, ...] = ()
    token_rotation: bool = False

    def apply_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Take name, commands, scopes and events from a parsed `manifest.yml`."""
        features = manifest.get("features", {})
        settings = manifest.get("settings", {})
        oauth = manifest.get("oauth_config", {})
        self.name = manifest.get("display_information", {}).get("name", self.name)
        self.commands = tuple(
            Command(
                each["command"],
                each.get("description", ""),
                each.get("usage_hint", ""),
                bool(each.get("should_escape", False)),
            )
            for each in features.get("slash_commands", [])
        )
        offered = [each for each in features.get("shortcuts", []) if each.get("type") == "message"]
        self.shortcuts = tuple((each["callback_id"], each["name"]) for each in offered)
        home = features.get("app_home", {})
        self.home_tab_enabled = bool(home.get("home_tab_enabled", False))
        self.messages_tab_enabled = bool(home.get("messages_tab_enabled", False))
        scopes = oauth.get("scopes", {})
        # Whoever installs the app ticks what is optional, too.
        self.scopes = (*scopes.get("bot", ()), *scopes.get("bot_optional", ()))
        self.redirect_urls = tuple(oauth.get("redirect_urls", ()))
        self.events = tuple(settings.get("event_subscriptions", {}).get("bot_events", ()))
        self.token_rotation = bool(settings.get("token_rotation_enabled", False))


def _token(prefix: str) -> Callable[[], str]:
    return lambda: f"{prefix}-{secrets.randbelow(10**12):012d}-{secrets.token_hex(16)}"


@dataclass(slots=True)
class SlackConfig:
    """Secrets (random unless given), patience and pace of one simulated Slack."""

    app: AppConfig = field(default_factory=AppConfig)
    bot_token: str = field(default_factory=_token("xoxb"))
    app_token: str = field(default_factory=lambda: f"xapp-1-A0FINOPSBT-{secrets.token_hex(16)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    client_id: str = "1000000000001.2000000000002"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    rate_limits: bool = True
    rate_scale: float = 1.0  # 2.0 allows twice what Slack does
    post_burst: int = 10  # messages a channel takes at once before one a second holds
    monotonic: Callable[[], float] = time.monotonic
    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    event_retry_delays: tuple[float, float, float] = (0.0, 60.0, 300.0)
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    socket_ticket_seconds: float = 30.0
    unknown_blocks: frozenset[str] = frozenset()  # kinds of blocks this workspace does not know yet
    careful_block_limits: bool = False  # where documentation copies disagree, hold the app to the smaller number
