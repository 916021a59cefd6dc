"""Composition objects: text, options, confirm dialogs, filters."""

from __future__ import annotations

from demo.slack.blockkit.node import (
    Check,
    Node,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    one_of,
    shape,
    string,
)

ident = string(255, 1)
url = string(3000, 1)
user_ids = array(string(None, 1))


def plain(longest: int) -> Check:
    """A plain_text object of 1 to `longest` characters."""
    return by_type({"plain_text": shape({"text": string(longest, 1)}, {"emoji": boolean})})


def text(longest: int) -> Check:
    """A plain_text or mrkdwn object of 1 to `longest` characters."""
    words = string(longest, 1)
    return by_type(
        {
            "plain_text": shape({"text": words}, {"emoji": boolean}),
            "mrkdwn": shape({"text": words}, {"verbatim": boolean}),
        }
    )


def _option(label: Check, *, with_url: bool = False) -> Check:
    def value_length(node: Node) -> None:
        string(75 if node.report.careful else 150, 1)(node)

    more: dict[str, Check] = {"description": label}
    if with_url:
        more["url"] = url
    return shape({"text": label, "value": value_length}, more)


option = _option(plain(75))
rich_option = _option(text(75))
overflow_option = _option(plain(75), with_url=True)
option_group = shape({"label": plain(75), "options": array(option, 1, 100)})

confirm = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)

conversation_filter = shape(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 1),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),
)

dispatch_config = shape({"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 1)})
slack_file = shape({}, {"id": string(None, 1), "url": url}, exactly_one("id", "url"))
slack_icon = shape({"name": string(None, 1)})
workflow = shape(
    {"trigger": shape({"url": url}, {"customizable_input_parameters": array(anything)})},
)


def initial_is_offered(node: Node) -> None:
    """What is chosen at first has to be among the choices, to the letter of what describes it.

    github.com/slackapi/python-slack-sdk/issues/1509
    """
    offered = list(node.get("options") or [])
    for group in node.get("option_groups") or []:
        if isinstance(group, dict):
            offered += group.get("options") or []
    keys = {_key(each) for each in offered}
    single, several = node.get("initial_option"), node.get("initial_options")
    if single is not None and _key(single) not in keys:
        node.child("initial_option").say("initial_option must match one of the options")
    if isinstance(several, list):
        for index, each in enumerate(several):
            if _key(each) not in keys:
                node.child("initial_options").child(index).say("initial_options must match the options")


def _key(chosen: object) -> tuple[object, ...]:
    if not isinstance(chosen, dict):
        return ()
    words = (chosen.get("text"), chosen.get("description"))
    return (chosen.get("value"), *(each.get("text") if isinstance(each, dict) else None for each in words))
