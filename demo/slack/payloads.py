"""The payloads of interactions, field by field as Slack sends them."""

from __future__ import annotations

from typing import Any

from demo.slack.cast import Channel
from demo.slack.state import View, World
from demo.slack.wire import JSON, copied

# Where the reader of a window is at home, their payloads name that workspace and the organization around it; where the
# app is installed stands in `view.app_installed_team_id` (github.com/slackapi/bolt-js/issues/1614).
_OF_WINDOWS = frozenset({"view_submission", "view_closed"})
TOKEN = "verification-token"  # noqa: S105 - deprecated by Slack, sent all the same, to be ignored


def person(world: World, user_id: str) -> JSON:
    """The person who did something."""
    user = world.users[user_id]
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id or world.team_id}


def common(world: World, kind: str, user_id: str) -> JSON:
    """The fields every interaction carries. A window is where its reader is at home; a message stays where we are."""
    user, team = world.users[user_id], {"id": world.team_id, "domain": world.team_domain}
    is_elsewhere = kind in _OF_WINDOWS and user.team_id not in ("", world.team_id)
    if is_elsewhere:
        team = {"id": user.team_id, "domain": "elsewhere"}
        if user.enterprise_id:
            team |= {"enterprise_id": user.enterprise_id, "enterprise_name": "Elsewhere"}
    return {
        "type": kind,
        "user": person(world, user_id),
        "api_app_id": world.config.app.app_id,
        "token": TOKEN,
        "team": team,
        "enterprise": {"id": user.enterprise_id, "name": "Elsewhere"} if is_elsewhere and user.enterprise_id else None,
        "is_enterprise_install": False,
    }


def with_values(view: View, values: JSON) -> JSON:
    """A view as a payload shows it: with what stands in its inputs."""
    body = copied(view.body)
    body["state"] = {"values": values}
    return body


def message_field(message: JSON) -> JSON:
    """A message as an interaction shows it: `&`, `<` and `>` of its plain texts are entities there.

    github.com/slackapi/bolt-python/issues/513
    """
    told: JSON = _with_entities(message)
    return told


def _with_entities(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_entities(each) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: _with_entities(inner) for name, inner in value.items()}
    if value.get("type") == "plain_text":
        told["text"] = value["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return told


def channel_field(channel: Channel) -> JSON:
    """A channel as an interaction names it."""
    name = "privategroup" if channel.is_private else channel.name
    return {"id": channel.id, "name": "directmessage" if channel.is_im else name}


def pressed(element: JSON, block_id: str, chosen: JSON, action_ts: str) -> JSON:
    """One entry of `actions`: what was pressed or chosen."""
    kind = element["type"]
    entry: JSON = {"type": kind, "block_id": block_id, "action_id": element["action_id"], "action_ts": action_ts}
    for name in ("text", "value", "style", "url", "placeholder", "confirm"):
        if kind in ("button", "icon_button", "workflow_button") or name in ("placeholder", "confirm"):
            value: Any = element.get(name)
            if value is not None:
                entry[name] = copied(value)
    return {**entry, **chosen}


def command_fields(world: World, user_id: str, channel: Channel, command: str, text: str) -> JSON:
    """The form fields of a slash command, without `response_url` and `trigger_id`."""
    return {
        "token": TOKEN,
        "team_id": world.team_id,
        "team_domain": world.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_field(channel)["name"],
        "user_id": user_id,
        "user_name": world.users[user_id].name,
        "command": command,
        "text": text,
        "api_app_id": world.config.app.app_id,
        "is_enterprise_install": "false",
    }
