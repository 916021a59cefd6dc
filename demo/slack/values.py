"""What stands in the inputs of a view: at first, after typing, and whether Slack would let it be submitted."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from demo.slack.content import elements_of, every_block
from demo.slack.wire import JSON, copied
from demo.slack.words import say

# element type -> (the field its value stands in, the field of its initial value, what an empty one holds)
FIELDS: dict[str, tuple[str, str, Any]] = {
    "plain_text_input": ("value", "initial_value", None),
    "email_text_input": ("value", "initial_value", None),
    "url_text_input": ("value", "initial_value", None),
    "number_input": ("value", "initial_value", None),
    "rich_text_input": ("rich_text_value", "initial_value", None),
    "static_select": ("selected_option", "initial_option", None),
    "external_select": ("selected_option", "initial_option", None),
    "radio_buttons": ("selected_option", "initial_option", None),
    "users_select": ("selected_user", "initial_user", None),
    "channels_select": ("selected_channel", "initial_channel", None),
    "conversations_select": ("selected_conversation", "initial_conversation", None),
    "datepicker": ("selected_date", "initial_date", None),
    "timepicker": ("selected_time", "initial_time", None),
    "datetimepicker": ("selected_date_time", "initial_date_time", None),
    "checkboxes": ("selected_options", "initial_options", []),
    "multi_static_select": ("selected_options", "initial_options", []),
    "multi_external_select": ("selected_options", "initial_options", []),
    "multi_users_select": ("selected_users", "initial_users", []),
    "multi_channels_select": ("selected_channels", "initial_channels", []),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", []),
    "file_input": ("files", "", []),
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://\S+")
Offered = dict[tuple[str, str], list[JSON]]


def stateful(blocks: list[JSON]) -> list[tuple[JSON, JSON]]:
    """The blocks and elements that hold a value."""
    return [
        (block, element)
        for block in every_block(blocks)
        for element in elements_of(block)
        if element.get("type") in FIELDS
    ]


def initial(blocks: list[JSON]) -> JSON:
    """`state.values` before anybody touched anything."""
    values: JSON = {}
    for block, element in stateful(blocks):
        kind = element["type"]
        name, first, empty = FIELDS[kind]
        chosen = element.get(first) if first else None
        held = {"type": kind, name: copied(empty if chosen is None else chosen)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = held
    return values


def overlaid(blocks: list[JSON], typed: JSON) -> JSON:
    """The initial values with what was typed over them, where both ids and the type are still the same."""
    values = initial(blocks)
    for block_id, actions in (typed or {}).items():
        for action_id, held in actions.items():
            here = values.get(block_id, {}).get(action_id)
            if here is not None and isinstance(held, dict) and held.get("type", here["type"]) == here["type"]:
                values[block_id][action_id] = {**here, **copied(held)}
    return values


def shaped(element: JSON, plain: Any, offered: list[JSON] | None = None) -> JSON:
    """A plain Python value as Slack holds it for this kind of element."""
    kind = element["type"]
    name, _, empty = FIELDS[kind]
    if isinstance(plain, dict) and (name in plain or plain.get("type") == kind):
        return {"type": kind, **plain}
    if plain in (None, "", []):
        return {"type": kind, name: copied(empty)}
    if name == "selected_option":
        return {"type": kind, name: _choice(element, plain, offered)}
    if name == "selected_options":
        several = plain if isinstance(plain, list | tuple) else [plain]
        return {"type": kind, name: [_choice(element, each, offered) for each in several]}
    if empty == []:
        return {"type": kind, name: list(plain) if isinstance(plain, list | tuple) else [plain]}
    if name == "value":
        return {"type": kind, name: str(plain)}
    return {"type": kind, name: plain}


def options_of(element: JSON, offered: list[JSON] | None = None) -> list[JSON]:
    """Every option an element shows; for an external select what the app last offered."""
    found = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        found += group["options"]
    chosen = element.get("initial_option")
    first = list(element.get("initial_options") or []) + ([chosen] if chosen else [])
    return found + list(offered or []) + (first if element["type"].endswith("external_select") else [])


def _choice(element: JSON, plain: Any, offered: list[JSON] | None) -> JSON:
    if isinstance(plain, dict):
        return plain
    for option in options_of(element, offered):
        if plain in (option["value"], option["text"]["text"]):
            return option
    shown = [option["text"]["text"] for option in options_of(element, offered)]
    raise LookupError(f"{element.get('action_id')} does not offer {plain!r}; it shows {shown}")


def problems(blocks: list[JSON], values: JSON, offered: Offered, locale: str) -> dict[str, str]:
    """What Slack itself would say under the inputs instead of sending the submission, by block id."""
    found: dict[str, str] = {}
    for block, element in stateful(blocks):
        if block["type"] != "input":
            continue
        block_id = block["block_id"]
        held = values.get(block_id, {}).get(element["action_id"], {})
        name, _, _ = FIELDS[element["type"]]
        value = held.get(name)
        if value in (None, "", []):
            if not block.get("optional"):
                found[block_id] = say(locale, "required")
        else:
            said = _wrong(element, value, offered.get((block_id, element["action_id"])), locale)
            if said:
                found[block_id] = said
    return found


def _wrong(element: JSON, value: Any, offered: list[JSON] | None, locale: str) -> str | None:
    kind = element["type"]
    if kind == "plain_text_input":
        most, least = element.get("max_length", 3000), element.get("min_length", 0)
        if len(value) > most:
            return say(locale, "long", most=most)
        return say(locale, "short", least=least) if len(value) < least else None
    if kind == "email_text_input" and not _EMAIL.fullmatch(value):
        return say(locale, "email")
    if kind == "url_text_input" and not _URL.fullmatch(value):
        return say(locale, "url")
    if kind == "number_input" and not _number_fits(element, value):
        return say(locale, "number")
    if "selected_option" in FIELDS[kind][0]:
        allowed = {option["value"] for option in options_of(element, offered)}
        chosen = value if isinstance(value, list) else [value]
        if any(not isinstance(each, dict) or each.get("value") not in allowed for each in chosen):
            return say(locale, "choice")
    if isinstance(value, list) and len(value) > element.get("max_selected_items", len(value)):
        return say(locale, "choice")
    return None


def _number_fits(element: JSON, value: str) -> bool:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    if not number.is_finite() or (not element["is_decimal_allowed"] and number != number.to_integral_value()):
        return False
    low, high = element.get("min_value"), element.get("max_value")
    return (low is None or number >= Decimal(low)) and (high is None or number <= Decimal(high))
