"""Interactive elements: what each may hold, and in which blocks and on which surfaces it may stand."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from demo.slack.blockkit.node import (
    Check,
    Node,
    anything,
    array,
    boolean,
    exactly_one,
    integer,
    matching,
    one_of,
    only_on,
    shape,
    string,
)
from demo.slack.blockkit.objects import (
    confirm,
    conversation_filter,
    dispatch_config,
    ident,
    initial_is_offered,
    option,
    option_group,
    overflow_option,
    plain,
    rich_option,
    slack_file,
    url,
    user_ids,
    workflow,
)
from demo.slack.blockkit.rich_text import rich_text

_placeholder = plain(150)
_date = matching(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "must be a date in the form YYYY-MM-DD")
_time = matching(r"([01]\d|2[0-3]):[0-5]\d", "must be a time in the form HH:mm")
_common: dict[str, Check] = {"action_id": ident, "focus_on_load": boolean, "confirm": confirm}
_select: dict[str, Check] = {**_common, "placeholder": _placeholder}
_most: dict[str, Check] = {"max_selected_items": integer(1)}
_typed: dict[str, Check] = {
    "action_id": ident,
    "placeholder": _placeholder,
    "focus_on_load": boolean,
    "dispatch_action_config": dispatch_config,
}

button = shape(
    {"text": plain(75)},
    {
        "action_id": ident,
        "url": url,
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "confirm": confirm,
        "accessibility_label": string(75),
        "agent_prompt": string(4000),
        "agent_prompt_display": anything,
        "visible_to_user_ids": user_ids,
    },
)
icon_button = shape(
    {"icon": one_of("trash"), "text": plain(75)},
    {
        "action_id": ident,
        "value": string(2000),
        "confirm": confirm,
        "accessibility_label": string(75),
        "visible_to_user_ids": user_ids,
    },
)
_feedback = shape({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
feedback_buttons = shape({"positive_button": _feedback, "negative_button": _feedback}, {"action_id": ident})
workflow_button = shape(
    {"text": plain(75), "workflow": workflow},
    {"action_id": ident, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
)
overflow = shape({"options": array(overflow_option, 1, 5)}, {"action_id": ident, "confirm": confirm})
checkboxes = shape(
    {"options": array(rich_option, 1, 10)},
    {**_common, "initial_options": array(rich_option, 1, 10)},
    initial_is_offered,
)
radio_buttons = shape(
    {"options": array(rich_option, 1, 10)}, {**_common, "initial_option": rich_option}, initial_is_offered
)
_offer: dict[str, Check] = {"options": array(option, 1, 100), "option_groups": array(option_group, 1, 100)}
static_select = shape(
    {}, {**_select, **_offer, "initial_option": option}, exactly_one("options", "option_groups"), initial_is_offered
)
multi_static_select = shape(
    {},
    {**_select, **_offer, **_most, "initial_options": array(option, 1, 100)},
    exactly_one("options", "option_groups"),
    initial_is_offered,
)
external_select = shape({}, {**_select, "initial_option": option, "min_query_length": integer(0)})
multi_external_select = shape(
    {}, {**_select, **_most, "initial_options": array(option, 1, 100), "min_query_length": integer(0)}
)


def response_url_only_in_modal_inputs(node: Node) -> None:
    """`response_url_enabled` means nothing outside an input block of a modal."""
    if node.get("response_url_enabled") and (node.surface != "modal" or not node.pointer.endswith("/element")):
        node.say("response_url_enabled is only supported in input blocks of modals")


users_select = shape({}, {**_select, "initial_user": string()})
multi_users_select = shape({}, {**_select, **_most, "initial_users": array(string())})
channels_select = shape(
    {},
    {**_select, "initial_channel": string(), "response_url_enabled": boolean},
    response_url_only_in_modal_inputs,
)
multi_channels_select = shape({}, {**_select, **_most, "initial_channels": array(string())})
_conversations: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": conversation_filter}
conversations_select = shape(
    {},
    {**_select, **_conversations, "initial_conversation": string(), "response_url_enabled": boolean},
    response_url_only_in_modal_inputs,
)
multi_conversations_select = shape({}, {**_select, **_most, **_conversations, "initial_conversations": array(string())})
datepicker = shape({}, {**_select, "initial_date": _date})
timepicker = shape({}, {**_select, "initial_time": _time, "timezone": string(None, 1)})
# https://docs.slack.dev/reference/block-kit/block-elements/datetime-picker-element
datetimepicker = only_on(
    shape({}, {**_common, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}), "message", "modal"
)


def _lengths_agree(node: Node) -> None:
    least, most, initial = node.get("min_length"), node.get("max_length"), node.get("initial_value")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        node.say("min_length must be less than or equal to max_length")
    if isinstance(initial, str) and isinstance(most, int) and len(initial) > most:
        node.child("initial_value").say(f"must be less than {most + 1} characters")


plain_text_input = shape(
    {},
    {
        **_typed,
        "initial_value": string(3000),
        "multiline": boolean,
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
    },
    _lengths_agree,
)
email_text_input = only_on(shape({}, {**_typed, "initial_value": string()}), "modal")
url_text_input = only_on(shape({}, {**_typed, "initial_value": string()}), "modal")


def _decimal(node: Node) -> None:
    try:
        Decimal(node.value if isinstance(node.value, str) else "no")
    except InvalidOperation:
        node.say("must be a number written as a string")


def _bounds_agree(node: Node) -> None:
    try:
        low, high = (Decimal(node.get(name)) for name in ("min_value", "max_value"))
    except (InvalidOperation, TypeError):
        return
    if low > high:
        node.say("min_value must be less than or equal to max_value")


number_input = only_on(
    shape(
        {"is_decimal_allowed": boolean},
        {**_typed, "initial_value": _decimal, "min_value": _decimal, "max_value": _decimal},
        _bounds_agree,
    ),
    "modal",
)
file_input = only_on(
    shape({}, {"action_id": ident, "filetypes": array(string(None, 1), 1), "max_files": integer(1, 10)}), "modal"
)
rich_text_input = only_on(
    shape({}, {**_typed, "initial_value": rich_text, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}),
    "modal",
    "home",
)
image = shape(
    {"alt_text": string(2000, 1)}, {"image_url": url, "slack_file": slack_file}, exactly_one("image_url", "slack_file")
)

_anywhere: dict[str, Check] = {
    "checkboxes": checkboxes,
    "radio_buttons": radio_buttons,
    "static_select": static_select,
    "multi_static_select": multi_static_select,
    "external_select": external_select,
    "multi_external_select": multi_external_select,
    "users_select": users_select,
    "multi_users_select": multi_users_select,
    "channels_select": channels_select,
    "multi_channels_select": multi_channels_select,
    "conversations_select": conversations_select,
    "multi_conversations_select": multi_conversations_select,
    "datepicker": datepicker,
    "timepicker": timepicker,
}
_pressed: dict[str, Check] = {"button": button, "overflow": overflow, "workflow_button": workflow_button}

IN_SECTION: dict[str, Check] = {**_anywhere, **_pressed, "image": image}
IN_ACTIONS: dict[str, Check] = {**_anywhere, **_pressed, "datetimepicker": datetimepicker}
IN_INPUT: dict[str, Check] = {
    **_anywhere,
    "datetimepicker": datetimepicker,
    "plain_text_input": plain_text_input,
    "email_text_input": email_text_input,
    "url_text_input": url_text_input,
    "number_input": number_input,
    "file_input": file_input,
    "rich_text_input": rich_text_input,
}
IN_CONTEXT_ACTIONS: dict[str, Check] = {"feedback_buttons": feedback_buttons, "icon_button": icon_button}
