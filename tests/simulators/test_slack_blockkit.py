"""Every Block Kit limit of the simulated Slack: the last value taken, the first one refused, and where it points."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models import blocks as sdk

from demo.slack.blockkit import Surface, check, check_view, too_large

JSON = dict[str, Any]


def plain(length: int) -> JSON:
    return {"type": "plain_text", "text": "가" * length}


def mrkdwn(length: int) -> JSON:
    return {"type": "mrkdwn", "text": "가" * length}


def option(value: str = "v", text: int = 1, **more: Any) -> JSON:
    return {"text": plain(text), "value": value, **more}


def options(count: int) -> list[JSON]:
    return [option(f"v{index}") for index in range(count)]


def section(**more: Any) -> JSON:
    return {"type": "section", "text": mrkdwn(1), **more}


def button(**more: Any) -> JSON:
    return {"type": "button", "text": plain(1), **more}


def actions(*elements: JSON) -> JSON:
    return {"type": "actions", "elements": list(elements)}


def entry(element: JSON, **more: Any) -> JSON:
    return {"type": "input", "label": plain(1), "element": element, **more}


def select(**more: Any) -> JSON:
    return {"type": "static_select", **more}


def confirm(title: int = 1, text: int = 1, yes: int = 1, no: int = 1, **more: Any) -> JSON:
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(no), **more}


def picture(**more: Any) -> JSON:
    return {"type": "image", "alt_text": "a", **more}


def raw(text: str) -> JSON:
    return {"type": "raw_text", "text": text}


def table(rows: int, cells: int, text: str = "a") -> JSON:
    return {"type": "table", "rows": [[raw(text) for _ in range(cells)] for _ in range(rows)]}


def data_table(rows: int, cells: int, text: str = "a", **more: Any) -> JSON:
    return {"type": "data_table", "caption": "c", "rows": table(rows, cells, text)["rows"], **more}


def pie(count: int, label: int = 1, value: float = 1, title: int = 1) -> JSON:
    segments = [{"label": "가" * label, "value": value} for _ in range(count)]
    return {"type": "data_visualization", "title": "t" * title, "chart": {"type": "pie", "segments": segments}}


def bars(series: int = 1, points: int = 2, kind: str = "bar", **more: Any) -> JSON:
    categories = [f"c{index}" for index in range(points)]
    data = [{"label": each, "value": -1.5} for each in categories]
    drawn = [{"name": f"s{index}", "data": data} for index in range(series)]
    chart = {"type": kind, "series": drawn, "axis_config": {"categories": categories}, **more}
    return {"type": "data_visualization", "title": "t", "chart": chart}


def rich(*elements: JSON) -> JSON:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def card(**more: Any) -> JSON:
    return {"type": "card", "title": plain(1), **more}


def container(*children: JSON, **more: Any) -> JSON:
    return {"type": "container", "title": plain(1), "child_blocks": list(children), **more}


TAKEN: list[tuple[str, Surface, list[JSON]]] = [
    ("50 blocks in a message", "message", [{"type": "divider"}] * 50),
    ("100 blocks in a modal", "modal", [{"type": "divider"}] * 100),
    ("100 blocks in Home", "home", [{"type": "divider"}] * 100),
    ("section of 3,000", "message", [section(text=mrkdwn(3000))]),
    ("10 fields of 2,000", "message", [{"type": "section", "fields": [mrkdwn(2000)] * 10}]),
    ("section with expand", "message", [section(expand=True)]),
    ("header of 150 with level", "home", [{"type": "header", "text": plain(150), "level": 4}]),
    ("25 actions", "message", [actions(*[button(action_id=str(index)) for index in range(25)])]),
    ("10 context elements", "modal", [{"type": "context", "elements": [mrkdwn(1)] * 10}]),
    ("context with an image", "home", [{"type": "context", "elements": [picture(image_url="https://a")]}]),
    ("button at its limits", "message", [actions(button(text=plain(75), value="v" * 2000, url="u" * 3000))]),
    ("button label and prompt", "message", [actions(button(accessibility_label="a" * 75, agent_prompt="p" * 4000))]),
    (
        "danger with confirm",
        "modal",
        [actions(button(style="danger", confirm=confirm(100, 300, 30, 30, style="danger")))],
    ),
    ("ids of 255", "message", [section(block_id="b" * 255), actions(button(action_id="a" * 255))]),
    ("same action id in two blocks", "message", [actions(button(action_id="a")), actions(button(action_id="a"))]),
    (
        "5 overflow options, one a link",
        "home",
        [actions({"type": "overflow", "options": [option(url="https://a")] * 5})],
    ),
    (
        "10 checkboxes in mrkdwn",
        "modal",
        [entry({"type": "checkboxes", "options": [option() | {"text": mrkdwn(75)}] * 10})],
    ),
    ("10 radio buttons", "message", [actions({"type": "radio_buttons", "options": options(10)})]),
    ("100 options", "message", [section(accessory=select(options=options(100), placeholder=plain(150)))]),
    ("option at its limits", "modal", [entry(select(options=[option("v" * 150, 75, description=plain(75))]))]),
    ("100 groups", "modal", [entry(select(option_groups=[{"label": plain(75), "options": options(1)}] * 100))]),
    ("initial option on the list", "modal", [entry(select(options=options(2), initial_option=option("v1")))]),
    ("external select without a query", "modal", [entry({"type": "multi_external_select", "min_query_length": 0})]),
    (
        "dates and times",
        "modal",
        [
            entry({"type": "datepicker", "initial_date": "2026-11-21"}),
            entry({"type": "timepicker", "initial_time": "23:59"}),
        ],
    ),
    ("datetime", "message", [actions({"type": "datetimepicker", "initial_date_time": 1_795_298_412})]),
    ("text input at its limits", "modal", [entry({"type": "plain_text_input", "min_length": 0, "max_length": 3000})]),
    ("modal inputs", "modal", [entry({"type": "email_text_input"}), entry({"type": "url_text_input"})]),
    (
        "number input",
        "modal",
        [entry({"type": "number_input", "is_decimal_allowed": True, "min_value": "-1.5", "max_value": "9"})],
    ),
    ("file input", "modal", [entry({"type": "file_input", "max_files": 10})]),
    ("rich text input in Home", "home", [entry({"type": "rich_text_input", "max_lines": 100})]),
    ("input in a message", "message", [entry({"type": "plain_text_input"})]),
    (
        "response_url_enabled in a modal input",
        "modal",
        [
            entry(
                {"type": "conversations_select", "response_url_enabled": True, "default_to_current_conversation": True}
            )
        ],
    ),
    (
        "conversation filter",
        "modal",
        [entry({"type": "conversations_select", "filter": {"include": ["public", "private"]}})],
    ),
    ("label and hint of 2,000", "modal", [entry({"type": "plain_text_input"}, label=plain(2000), hint=plain(2000))]),
    ("image at its limits", "message", [picture(image_url="u" * 3000, title=plain(2000)) | {"alt_text": "a" * 2000}]),
    ("image from a file", "home", [picture(slack_file={"id": "F1"})]),
    ("alert of 200", "modal", [{"type": "alert", "text": mrkdwn(200), "level": "warning"}]),
    (
        "card at its limits",
        "message",
        [
            card(
                title=plain(150),
                subtitle=mrkdwn(150),
                body=mrkdwn(200),
                subtext=plain(200),
                actions=[button(action_id=str(i)) for i in range(3)],
            )
        ],
    ),
    ("10 cards", "home", [{"type": "carousel", "elements": [card()] * 10}]),
    ("10 children", "home", [container(*[{"type": "divider"}] * 10, width="full", is_collapsible=True)]),
    ("12,000 of markdown", "message", [{"type": "markdown", "text": "m" * 6000}] * 2),
    ("table of 100 x 20", "message", [table(100, 20)]),
    ("table of 10,000 characters", "home", [table(10, 10, "a" * 100)]),
    (
        "column settings with a gap",
        "message",
        [table(1, 2) | {"column_settings": [None, {"align": "right", "is_wrapped": True}]}],
    ),
    ("numbers in a table", "message", [{"type": "table", "rows": [[raw("a"), {"type": "raw_number", "value": 1.5}]]}]),
    ("data table of 201 rows", "message", [data_table(201, 2, page_size=100, row_header_column_index=1)]),
    ("data table of 20 columns in Home", "home", [data_table(2, 20)]),
    ("data table of 20,000 characters", "message", [data_table(2, 10, "a" * 1000)]),
    ("pie of 12", "message", [pie(12, 20, 0.01, 50)]),
    (
        "two charts of 12 series",
        "message",
        [
            bars(12, 20),
            bars(
                1,
                1,
                "area",
            ),
        ],
    ),
    (
        "rich text",
        "modal",
        [
            rich(
                {"type": "text", "text": "a", "style": {"bold": True}},
                {"type": "emoji", "name": "x"},
                {"type": "date", "timestamp": 1, "format": "{date}"},
            )
        ],
    ),
    (
        "rich text list",
        "message",
        [
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_list",
                        "style": "bullet",
                        "indent": 1,
                        "elements": rich({"type": "user", "user_id": "U1"})["elements"],
                    },
                    {"type": "rich_text_preformatted", "border": 1, "elements": [{"type": "text", "text": "▁▂"}]},
                ],
            }
        ],
    ),
    (
        "context actions",
        "message",
        [
            {
                "type": "context_actions",
                "elements": [
                    {"type": "icon_button", "icon": "trash", "text": plain(1)},
                    {
                        "type": "feedback_buttons",
                        "positive_button": {"text": plain(75), "value": "y"},
                        "negative_button": {"text": plain(1), "value": "n"},
                    },
                ],
            }
        ],
    ),
    (
        "plan with a pending task",
        "message",
        [
            {
                "type": "plan",
                "title": "p",
                "tasks": [{"type": "task_card", "task_id": "1", "title": "t", "status": "pending"}],
            }
        ],
    ),
]

REFUSED: list[tuple[Surface, list[JSON], str, str]] = [
    ("message", [{"type": "divider"}] * 51, "/blocks", "no more than 50"),
    ("modal", [{"type": "divider"}] * 101, "/blocks", "no more than 100"),
    ("home", [{"type": "divider"}] * 101, "/blocks", "no more than 100"),
    ("message", [{"type": "nonsense"}], "/blocks/0/type", "unsupported type"),
    ("message", [{}], "/blocks/0", "missing required field: type"),
    ("message", ["divider"], "/blocks/0", "must provide an object"),  # type: ignore[list-item]
    ("message", [section(text=mrkdwn(3001))], "/blocks/0/text/text", "less than 3001"),
    ("message", [section(text=mrkdwn(0))], "/blocks/0/text/text", "more than 0"),
    ("message", [{"type": "section"}], "/blocks/0", "text or fields"),
    ("message", [{"type": "section", "fields": [mrkdwn(1)] * 11}], "/blocks/0/fields", "no more than 10"),
    ("message", [{"type": "section", "fields": [mrkdwn(2001)]}], "/blocks/0/fields/0/text", "less than 2001"),
    ("message", [section(text={"type": "mrkdwn", "text": "a", "emoji": True})], "/blocks/0/text", "emoji"),
    ("message", [section(colour="red")], "/blocks/0", "invalid additional property: colour"),
    ("message", [section(accessory={"type": "plain_text_input"})], "/blocks/0/accessory/type", "unsupported type"),
    ("message", [{"type": "header", "text": plain(151)}], "/blocks/0/text/text", "less than 151"),
    ("message", [{"type": "header", "text": mrkdwn(1)}], "/blocks/0/text/type", "unsupported type"),
    ("message", [{"type": "header", "text": plain(1), "level": 5}], "/blocks/0/level", "less than or equal to 4"),
    ("message", [actions(*[button()] * 26)], "/blocks/0/elements", "no more than 25"),
    ("message", [actions()], "/blocks/0/elements", "no fewer than 1"),
    ("message", [actions({"type": "plain_text_input"})], "/blocks/0/elements/0/type", "unsupported type"),
    ("message", [{"type": "context", "elements": [mrkdwn(1)] * 11}], "/blocks/0/elements", "no more than 10"),
    ("message", [{"type": "context", "elements": [button()]}], "/blocks/0/elements/0/type", "unsupported type"),
    ("message", [actions(button(text=plain(76)))], "/blocks/0/elements/0/text/text", "less than 76"),
    ("message", [actions(button(value="v" * 2001))], "/blocks/0/elements/0/value", "less than 2001"),
    ("message", [actions(button(url="u" * 3001))], "/blocks/0/elements/0/url", "less than 3001"),
    ("message", [actions(button(style="default"))], "/blocks/0/elements/0/style", "primary, danger"),
    ("message", [actions(button(accessibility_label="a" * 76))], "/blocks/0/elements/0/accessibility_label", "76"),
    ("message", [actions(button(agent_prompt="a" * 4001))], "/blocks/0/elements/0/agent_prompt", "4001"),
    ("message", [actions(button(confirm=confirm(title=101)))], "/blocks/0/elements/0/confirm/title/text", "101"),
    ("message", [actions(button(confirm=confirm(text=301)))], "/blocks/0/elements/0/confirm/text/text", "301"),
    ("message", [actions(button(confirm=confirm(yes=31)))], "/blocks/0/elements/0/confirm/confirm/text", "31"),
    ("message", [actions(button(confirm=confirm(no=31)))], "/blocks/0/elements/0/confirm/deny/text", "31"),
    ("message", [actions(button(confirm=confirm(style="red")))], "/blocks/0/elements/0/confirm/style", "danger"),
    ("message", [section(block_id="b" * 256)], "/blocks/0/block_id", "less than 256"),
    ("message", [actions(button(action_id="b" * 256))], "/blocks/0/elements/0/action_id", "less than 256"),
    ("message", [section(block_id="b"), section(block_id="b")], "/blocks/1/block_id", "already exists"),
    ("message", [actions(button(action_id="a"), button(action_id="a"))], "/blocks/0/elements/1/action_id", "already"),
    ("message", [actions({"type": "overflow", "options": options(6)})], "/blocks/0/elements/0/options", "more than 5"),
    ("message", [actions({"type": "overflow", "options": []})], "/blocks/0/elements/0/options", "fewer than 1"),
    ("message", [actions({"type": "checkboxes", "options": options(11)})], "/blocks/0/elements/0/options", "10"),
    ("message", [actions({"type": "radio_buttons", "options": options(11)})], "/blocks/0/elements/0/options", "10"),
    ("modal", [entry(select(options=options(101)))], "/blocks/0/element/options", "no more than 100"),
    ("modal", [entry(select(options=[]))], "/blocks/0/element/options", "no fewer than 1"),
    ("modal", [entry(select())], "/blocks/0/element", "options or option_groups"),
    ("modal", [entry(select(options=options(1), option_groups=[]))], "/blocks/0/element", "only one of"),
    ("modal", [entry(select(options=[option(text=76)]))], "/blocks/0/element/options/0/text/text", "less than 76"),
    ("modal", [entry(select(options=[option("v" * 151)]))], "/blocks/0/element/options/0/value", "less than 151"),
    (
        "modal",
        [entry(select(options=[option(description=plain(76))]))],
        "/blocks/0/element/options/0/description/text",
        "76",
    ),
    ("modal", [entry(select(options=[option(url="https://a")]))], "/blocks/0/element/options/0", "property: url"),
    (
        "modal",
        [entry(select(options=[option() | {"text": mrkdwn(1)}]))],
        "/blocks/0/element/options/0/text/type",
        "mrkdwn",
    ),
    ("modal", [entry(select(options=options(1), placeholder=plain(151)))], "/blocks/0/element/placeholder/text", "151"),
    (
        "modal",
        [entry(select(options=options(1), initial_option=option("x")))],
        "/blocks/0/element/initial_option",
        "match",
    ),
    (
        "modal",
        [entry(select(option_groups=[{"label": plain(76), "options": options(1)}]))],
        "/blocks/0/element/option_groups/0/label/text",
        "76",
    ),
    (
        "modal",
        [entry({"type": "multi_users_select", "max_selected_items": 0})],
        "/blocks/0/element/max_selected_items",
        "1",
    ),
    ("modal", [entry({"type": "datepicker", "initial_date": "21.11.2026"})], "/blocks/0/element/initial_date", "YYYY"),
    ("modal", [entry({"type": "timepicker", "initial_time": "24:00"})], "/blocks/0/element/initial_time", "HH:mm"),
    ("modal", [section(accessory={"type": "datetimepicker"})], "/blocks/0/accessory/type", "unsupported type"),
    ("modal", [entry({"type": "plain_text_input", "max_length": 3001})], "/blocks/0/element/max_length", "3000"),
    (
        "modal",
        [entry({"type": "plain_text_input", "min_length": 5, "max_length": 4})],
        "/blocks/0/element",
        "min_length",
    ),
    ("message", [entry({"type": "email_text_input"})], "/blocks/0/element", "not supported in messages"),
    ("home", [entry({"type": "url_text_input"})], "/blocks/0/element", "not supported in Home"),
    (
        "home",
        [entry({"type": "number_input", "is_decimal_allowed": True})],
        "/blocks/0/element",
        "not supported in Home",
    ),
    ("modal", [entry({"type": "number_input"})], "/blocks/0/element", "is_decimal_allowed"),
    (
        "modal",
        [entry({"type": "number_input", "is_decimal_allowed": True, "min_value": 1})],
        "/blocks/0/element/min_value",
        "string",
    ),
    (
        "modal",
        [entry({"type": "number_input", "is_decimal_allowed": True, "min_value": "2", "max_value": "1"})],
        "/blocks/0/element",
        "min_value",
    ),
    ("message", [entry({"type": "rich_text_input"})], "/blocks/0/element", "not supported in messages"),
    ("modal", [entry({"type": "file_input", "max_files": 11})], "/blocks/0/element/max_files", "10"),
    ("modal", [entry({"type": "file_input"}, dispatch_action=True)], "/blocks/0", "dispatch_action"),
    (
        "modal",
        [section(accessory={"type": "channels_select", "response_url_enabled": True})],
        "/blocks/0/accessory",
        "modals",
    ),
    ("modal", [entry({"type": "plain_text_input"}, label=plain(2001))], "/blocks/0/label/text", "2001"),
    ("modal", [entry({"type": "plain_text_input"}, hint=plain(2001))], "/blocks/0/hint/text", "2001"),
    ("modal", [entry(button())], "/blocks/0/element/type", "unsupported type"),
    (
        "modal",
        [
            entry({"type": "plain_text_input", "focus_on_load": True}),
            entry({"type": "plain_text_input", "focus_on_load": True}),
        ],
        "/blocks/1/element/focus_on_load",
        "only one",
    ),
    ("message", [picture()], "/blocks/0", "image_url or slack_file"),
    ("message", [picture(image_url="https://a", slack_file={"id": "F"})], "/blocks/0", "only one of"),
    ("message", [{"type": "image", "image_url": "https://a"}], "/blocks/0", "alt_text"),
    ("message", [picture(image_url="u" * 3001)], "/blocks/0/image_url", "3001"),
    ("message", [picture(image_url="https://a", title=plain(2001))], "/blocks/0/title/text", "2001"),
    ("message", [picture(image_url="https://a", image_width=3)], "/blocks/0", "image_width"),
    ("message", [{"type": "alert", "text": plain(1)}], "/blocks/0", "not supported in messages"),
    ("modal", [{"type": "alert", "text": plain(201)}], "/blocks/0/text/text", "201"),
    ("modal", [{"type": "alert", "text": plain(1), "level": "loud"}], "/blocks/0/level", "must be one of"),
    ("message", [{"type": "card", "subtitle": plain(1)}], "/blocks/0", "hero_image or title"),
    ("message", [card(body=plain(201))], "/blocks/0/body/text", "201"),
    ("message", [card(actions=[button(action_id=str(i)) for i in range(4)])], "/blocks/0/actions", "no more than 3"),
    ("modal", [card()], "/blocks/0", "not supported in modals"),
    ("message", [{"type": "carousel", "elements": [card()] * 11}], "/blocks/0/elements", "no more than 10"),
    ("message", [container(*[{"type": "divider"}] * 11)], "/blocks/0/child_blocks", "no more than 10"),
    ("message", [container()], "/blocks/0/child_blocks", "no fewer than 1"),
    ("message", [container({"type": "markdown", "text": "a"})], "/blocks/0/child_blocks/0/type", "unsupported type"),
    ("message", [container({"type": "divider"}, width="huge")], "/blocks/0/width", "narrow"),
    ("modal", [container({"type": "divider"})], "/blocks/0", "not supported in modals"),
    ("message", [{"type": "markdown", "text": "m" * 6001}] * 2, "/blocks/1", "12001 characters together"),
    ("modal", [{"type": "markdown", "text": "m"}], "/blocks/0", "not supported in modals"),
    ("message", [table(101, 1)], "/blocks/0/rows", "no more than 100"),
    ("message", [table(1, 21)], "/blocks/0/rows/0", "no more than 20"),
    ("message", [table(10, 10, "a" * 101)], "/blocks/0", "10001 characters"),
    ("message", [table(1, 1), table(1, 1)], "/blocks/1", "no more than 1 table"),
    ("modal", [table(1, 1)], "/blocks/0", "not supported in modals"),
    ("message", [data_table(1, 1)], "/blocks/0/rows", "no fewer than 2"),
    ("message", [data_table(202, 1)], "/blocks/0/rows", "no more than 201"),
    ("message", [data_table(2, 21)], "/blocks/0/rows/0", "no more than 20"),
    ("message", [data_table(2, 10, "a" * 1001)], "/blocks/0", "20001 characters"),
    ("message", [data_table(2, 10, "a" * 600)] * 2, "/blocks/1", "together"),
    ("message", [data_table(2, 2, page_size=101)], "/blocks/0/page_size", "100"),
    ("message", [data_table(2, 2, row_header_column_index=2)], "/blocks/0/row_header_column_index", "1"),
    ("message", [{"type": "data_table", "rows": table(2, 1)["rows"]}], "/blocks/0", "caption"),
    (
        "message",
        [{"type": "data_table", "caption": "c", "rows": [[raw("a")], [raw("a"), raw("b")]]}],
        "/blocks/0/rows/1",
        "1 cells",
    ),
    (
        "message",
        [{"type": "data_table", "caption": "c", "rows": [[rich()], [raw("a")]]}],
        "/blocks/0/rows/0/0/type",
        "rich_text",
    ),
    ("message", [pie(13)], "/blocks/0/chart/segments", "no more than 12"),
    ("message", [pie(1, label=21)], "/blocks/0/chart/segments/0/label", "less than 21"),
    ("message", [pie(1, value=0)], "/blocks/0/chart/segments/0/value", "greater than 0"),
    ("message", [pie(1, title=51)], "/blocks/0/title", "less than 51"),
    ("message", [pie(1), pie(1), pie(1)], "/blocks/2", "no more than 2"),
    ("message", [bars(13)], "/blocks/0/chart/series", "no more than 12"),
    ("message", [bars(1, 21)], "/blocks/0/chart/series/0/data", "no more than 20"),
    ("message", [bars(1, 2, axis_config={"categories": ["c0", "c9"]})], "/blocks/0/chart/series/0", "each category"),
    (
        "message",
        [bars(1, 2, axis_config={"categories": ["c0", "c1"], "x_label": "x" * 51})],
        "/blocks/0/chart/axis_config/x_label",
        "51",
    ),
    ("message", [bars(1, 1, axis_config={"categories": ["c" * 21]})], "/blocks/0/chart/axis_config/categories/0", "21"),
    ("message", [bars(1, 1, "radar")], "/blocks/0/chart/type", "unsupported type"),
    ("home", [bars()], "/blocks/0", "not supported in Home"),
    ("modal", [bars()], "/blocks/0", "not supported in modals"),
    ("message", [{"type": "file", "external_id": "e", "source": "remote"}], "/blocks/0", "cannot be posted"),
    ("message", [rich({"type": "text", "text": ""})], "/blocks/0/elements/0/elements/0/text", "more than 0"),
    ("message", [rich({"type": "shout", "text": "a"})], "/blocks/0/elements/0/elements/0/type", "unsupported type"),
    (
        "message",
        [{"type": "task_card", "task_id": "1", "title": "t", "status": "pending"}],
        "/blocks/0/status",
        "one of",
    ),
    ("home", [{"type": "context_actions", "elements": []}], "/blocks/0", "not supported in Home"),
]


@pytest.mark.parametrize(("surface", "blocks"), [each[1:] for each in TAKEN], ids=[each[0] for each in TAKEN])
def test_slack_takes_what_is_just_within_its_limits(surface: Surface, blocks: list[JSON]) -> None:
    assert check(blocks, surface) == []


@pytest.mark.parametrize(("surface", "blocks", "pointer", "words"), REFUSED)
def test_slack_refuses_the_first_value_beyond_a_limit_and_points_at_it(
    surface: Surface, blocks: list[JSON], pointer: str, words: str
) -> None:
    found = check(blocks, surface)
    assert any(each.pointer == pointer and words in each.message for each in found), [str(each) for each in found]


def test_two_series_of_one_name_are_refused() -> None:
    """A legend with the same name twice says nothing."""
    block = bars(2)
    block["chart"]["series"][1]["name"] = "s0"
    assert [each.message for each in check([block], "message")] == ["series names must be unique"]


@pytest.mark.parametrize(
    "block",
    [
        pie(7),
        bars(7),
        data_table(102, 1),
        data_table(2, 10, "a" * 501),
        section(accessory=select(options=[option("v" * 76)])),
    ],
)
def test_careful_holds_to_the_smaller_number_where_the_documentation_disagrees(block: JSON) -> None:
    assert check([block], "message") == []
    assert check([block], "message", careful=True) != []


def modal(**more: Any) -> JSON:
    return {"type": "modal", "title": plain(24), "blocks": [{"type": "divider"}], **more}


@pytest.mark.parametrize(
    ("view", "pointer", "words"),
    [
        (modal(title=plain(25)), "/view/title/text", "less than 25"),
        (modal(submit=plain(25)), "/view/submit/text", "less than 25"),
        (modal(close=plain(25)), "/view/close/text", "less than 25"),
        (modal(private_metadata="p" * 3001), "/view/private_metadata", "3001"),
        (modal(callback_id="c" * 256), "/view/callback_id", "256"),
        (modal(external_id="c" * 256), "/view/external_id", "256"),
        (modal(blocks=[entry({"type": "plain_text_input"})]), "/view", "submit"),
        (modal(blocks=[section(text=mrkdwn(3001))]), "/view/blocks/0/text/text", "3001"),
        (modal(colour="red"), "/view", "invalid additional property"),
        ({"type": "home", "blocks": [], "title": plain(1)}, "/view", "invalid additional property: title"),
        ({"type": "modal", "blocks": []}, "/view", "missing required field: title"),
        ({"type": "home", "blocks": [bars()]}, "/view/blocks/0", "not supported in Home"),
        ({"type": "page"}, "/view/type", "unsupported type"),
        ("view", "/view", "must provide an object"),
    ],
)
def test_a_view_beyond_its_limits_is_refused_with_a_pointer(view: Any, pointer: str, words: str) -> None:
    found = check_view(view)
    assert any(each.pointer == pointer and words in each.message for each in found), [str(each) for each in found]


def test_a_view_at_its_limits_is_taken() -> None:
    view = modal(
        submit=plain(24), close=plain(24), private_metadata="p" * 3000, blocks=[entry({"type": "users_select"})]
    )
    assert check_view(view) == []
    assert not too_large(view)
    assert too_large(modal(blocks=[section(text=plain(3000))] * 30))


def test_what_the_sdk_builds_is_taken() -> None:
    """The checker is a verified one: the library's own builders pass, with what they fill in themselves."""
    built = [
        sdk.HeaderBlock(text="지출"),
        sdk.SectionBlock(
            text="*굵게*", accessory=sdk.ButtonElement(text="열기", action_id="a", value="v", style="primary")
        ),
        sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="_기준_")]),
        sdk.ActionsBlock(
            elements=[
                sdk.StaticSelectElement(
                    placeholder="고르기",
                    action_id="s",
                    options=[sdk.Option(value="1", text="하나", description="첫째")],
                ),
                sdk.OverflowMenuElement(action_id="o", options=[sdk.Option(value="1", text="하나")]),
                sdk.DatePickerElement(action_id="d", initial_date="2026-11-21"),
            ]
        ),
        sdk.InputBlock(label="이름", element=sdk.PlainTextInputElement(action_id="i", max_length=80), hint="짧게"),
        sdk.ImageBlock(image_url="https://example.com/a.png", alt_text="표"),
        sdk.DividerBlock(),
    ]
    assert check([each.to_dict() for each in built], "message") == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "element", "rows", "chart", "options"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(
    blocks=st.lists(
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    ["section", "actions", "input", "table", "data_table", "data_visualization", "rich_text"]
                )
            },
            optional=dict.fromkeys(("text", "elements", "element", "rows", "chart", "block_id", "label"), json_values),
        )
    ),
    surface=st.sampled_from(["message", "modal", "home"]),
)
def test_no_nonsense_makes_the_checker_itself_fail(blocks: list[JSON], surface: Surface) -> None:
    """Whatever an app sends, the answer is a list of problems, each with a pointer that leads into the payload."""
    for problem in check(blocks, surface):
        here: Any = {"blocks": blocks}
        for part in problem.pointer.split("/")[1:]:
            here = here[int(part)] if isinstance(here, list) else here[part]
    json.dumps([str(each) for each in check(blocks, surface)])
