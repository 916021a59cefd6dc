"""The manifest asks for exactly what the code hears and uses, in both forms."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from blocks import ids
from handlers import ACTIONS, COMMANDS, EVENTS, OPTIONS, SHORTCUTS, VIEWS, manifest
from handlers.commands import ALIASES, SUBCOMMANDS
from tests.house.tree import ROOT, modules

SCHEMA = json.loads((ROOT / "tests/data/slack-manifest.schema.2.0.0.json").read_text())
FORMS: list[dict[str, Any]] = [manifest.socket_manifest(), manifest.http_manifest()]
# Web API methods of the product and the scope each needs; views and auth.test need none.
SCOPE_OF_METHOD = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "files.upload.v2": "files:write",
    "usergroups.list": "usergroups:read",
    "usergroups.users.list": "usergroups:read",
}
# What reads a channel needs the right kind of history; a direct conversation's is im:history, which events ask for.
HISTORY = {"conversations.history", "conversations.replies"}
HISTORY_SCOPES = {"channels:history", "groups:history"}
SCOPE_OF_EVENT = {"app_mention": "app_mentions:read", "message.im": "im:history"}


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_are_valid(form: dict[str, Any]) -> None:
    """By Slack's own schema, and by the lengths it checks only online."""
    jsonschema.validate(form, SCHEMA)
    described = form["display_information"]
    assert len(described["name"]) <= 35
    assert len(described["description"]) <= 140
    assert 175 <= len(described["long_description"]) <= 4000


def test_the_http_twin_is_written_from_the_source() -> None:
    """Run `.venv/bin/python -m handlers.manifest` after changing manifest.yml."""
    assert manifest.HTTP_TWIN.read_text(encoding="utf-8") == manifest.twin_text()
    assert yaml.safe_load(manifest.HTTP_TWIN.read_text(encoding="utf-8")) == manifest.http_manifest()


def test_only_addresses_differ_between_the_forms() -> None:
    """Scopes, commands and events are the same whichever way Slack reaches us."""
    socket, http = FORMS
    assert socket["oauth_config"]["scopes"] == http["oauth_config"]["scopes"]
    assert (
        socket["settings"]["event_subscriptions"]["bot_events"] == http["settings"]["event_subscriptions"]["bot_events"]
    )
    assert "url" not in str(socket).replace("redirect_urls", "")
    assert {command["url"] for command in http["features"]["slash_commands"]} == {
        "https://finops.example.com/slack/events"
    }
    assert http["settings"]["interactivity"]["message_menu_options_url"].startswith("https://")


def test_commands_are_exactly_those_registered() -> None:
    """A command nobody answers, or an answer nobody can ask for, would both be silent."""
    assert {command["command"] for command in FORMS[0]["features"]["slash_commands"]} == set(COMMANDS)


@pytest.mark.parametrize("form", FORMS)
def test_the_hint_names_every_word_the_command_knows(form: dict[str, Any]) -> None:
    """In English and in Korean, once each, within what Slack takes; and each Korean word is understood."""
    [command] = form["features"]["slash_commands"]
    assert len(command["usage_hint"]) <= 1000
    pairs = [pair.split() for pair in command["usage_hint"].strip("[]").split(" | ")]
    assert sorted(name for name, _ in pairs) == sorted(SUBCOMMANDS)
    assert [ALIASES.get(word) for _, word in pairs] == [name for name, _ in pairs]


def test_shortcuts_are_exactly_those_registered() -> None:
    """A shortcut nobody answers would show in the menu of every message and do nothing."""
    shortcuts = FORMS[0]["features"]["shortcuts"]
    assert {one["callback_id"] for one in shortcuts} == set(SHORTCUTS)
    assert {one["type"] for one in shortcuts} == {"message"}
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in shortcuts)


def test_events_are_exactly_those_registered() -> None:
    """Slack calls messages in a direct conversation `message.im` in the manifest and `message` on the wire."""
    asked = set(FORMS[0]["settings"]["event_subscriptions"]["bot_events"])
    assert {event.split(".")[0] for event in asked} == set(EVENTS)
    assert {event for event in asked if "." in event} == {"message.im"}


def test_scopes_are_exactly_those_used() -> None:
    """No scope without a reason, no call without its scope."""
    scopes = FORMS[0]["oauth_config"]["scopes"]
    text = "\n".join(path.read_text() for path in modules("handlers", "jobs"))
    spelled = text.replace("_", ".").lower()
    used = {scope for method, scope in SCOPE_OF_METHOD.items() if method.lower().replace("_", ".") in spelled}
    used |= {
        SCOPE_OF_EVENT[event]
        for event in FORMS[0]["settings"]["event_subscriptions"]["bot_events"]
        if event in SCOPE_OF_EVENT
    }
    assert all(method in spelled for method in HISTORY)
    used |= HISTORY_SCOPES
    granted = set(scopes["bot"]) | set(scopes["bot_optional"])
    assert granted - used == {"commands", "chat:write.public"}
    assert used <= granted
    assert set(scopes["bot"]).isdisjoint(scopes["bot_optional"])


def test_every_scope_has_its_reason_where_people_look() -> None:
    """SECURITY.md names each scope, and of each whether it may be left out."""
    scopes = FORMS[0]["oauth_config"]["scopes"]
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for row in re.findall(r"^\| (`.+?) \|", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE):
        said["(optional)" in row].update(re.findall(r"`([a-z:_.]+)`", row))
    assert said == {True: set(scopes["bot_optional"]), False: set(scopes["bot"])}


def test_history_is_read_in_one_place_and_asked_for_as_an_option() -> None:
    """Only the outbox reads a channel, looking for its own message after a crash; without the scopes all else works."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in modules("handlers", "jobs", "bot", "blocks", "storage")
        if re.search(r"conversations[._](history|replies)", path.read_text())
    }
    assert readers == {"jobs/delivery_speaker.py"}
    assert set(FORMS[0]["oauth_config"]["scopes"]["bot_optional"]) >= HISTORY_SCOPES


def test_every_id_the_blocks_use_is_heard() -> None:
    """A button, window or picker without a listener would do nothing when pressed."""
    named = {name: value for name, value in vars(ids).items() if name.isupper()}
    answered = set(ACTIONS) | set(VIEWS) | set(OPTIONS) | set(SHORTCUTS)
    inputs = {value for value in named.values() if re.fullmatch(r"[a-z_]+", value)} - {ids.VIEW_INFO, ids.VIEW_LOADING}
    passive = {ids.LINK, ids.VIEW_INFO, ids.VIEW_LOADING} | (inputs - {ids.PROJECTS})
    assert set(named.values()) - answered == passive
    assert answered <= set(named.values())
