"""The data blocks: table, data_table and data_visualization, with the sums that run over a whole message."""

from __future__ import annotations

from typing import Any

from demo.slack.blockkit.node import (
    Check,
    Node,
    array,
    boolean,
    by_type,
    integer,
    number,
    one_of,
    shape,
    string,
)
from demo.slack.blockkit.objects import ident
from demo.slack.blockkit.rich_text import rich_text

# https://docs.slack.dev/tools/node-slack-sdk/reference/types/interfaces/RawTextElement
_raw_text = shape({"text": string(None, 1)})
_raw_number = shape({"value": number()}, {"text": string()})
_CELLS: dict[str, Check] = {"raw_text": _raw_text, "raw_number": _raw_number, "rich_text": rich_text}
_PLAIN_CELLS: dict[str, Check] = {"raw_text": _raw_text, "raw_number": _raw_number}
_column = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def characters_of(cell: Any) -> int:
    """The characters a reader sees in a cell."""
    if isinstance(cell, dict):
        if cell.get("type") == "raw_number":
            return len(str(cell.get("text", cell.get("value", ""))))
        return sum(
            len(value) if key == "text" and isinstance(value, str) else characters_of(value)
            for key, value in cell.items()
            if key in ("text", "elements", "fallback")
        )
    if isinstance(cell, list):
        return sum(characters_of(each) for each in cell)
    return 0


def _columns_settings(node: Node) -> None:
    if not isinstance(node.value, list):
        node.say("must provide an array")
        return
    if len(node.value) > 20:
        node.say("no more than 20 items allowed")
    for index, each in enumerate(node.value):
        if each is not None:  # null skips a column
            _column(node.child(index))


def _table_sums(node: Node) -> None:
    if node.report.count("table") > 1:
        node.say("no more than 1 table block allowed")
    if characters_of(node.get("rows")) > 10_000:
        node.say("table must be less than 10001 characters in total")


table = shape(
    {"rows": array(array(by_type(_CELLS), 1, 20), 1, 100)},
    {"column_settings": _columns_settings, "block_id": ident},
    _table_sums,
)


def _data_rows(node: Node) -> None:
    most = 101 if node.report.careful else 201
    if not isinstance(node.value, list):
        node.say("must provide an array")
        return
    if len(node.value) > most:
        node.say(f"no more than {most} items allowed")
    if len(node.value) < 2:
        node.say("no fewer than 2 items required")
    width: int | None = None
    for index in range(len(node.value)):
        row = node.child(index)
        array(by_type(_CELLS if index else _PLAIN_CELLS), 1, 20)(row)
        if isinstance(row.value, list):
            width = len(row.value) if width is None else width
            if len(row.value) != width:
                row.say(f"every row must have {width} cells")


def _data_sums(node: Node) -> None:
    most = 10_000 if node.report.careful else 20_000
    here = characters_of(node.get("rows"))
    if here > most:
        node.say(f"data_table must be less than {most + 1} characters in total")
    elif node.report.count("data_table characters", here) > most:
        node.say(f"the data tables of a message must be less than {most + 1} characters together")
    rows, column = node.get("rows"), node.get("row_header_column_index")
    if isinstance(column, int) and isinstance(rows, list) and rows and isinstance(rows[0], list) and rows[0]:
        integer(0, len(rows[0]) - 1)(node.child("row_header_column_index"))


data_table = shape(
    {"caption": string(None, 1), "rows": _data_rows},
    {"page_size": integer(1, 100), "row_header_column_index": integer(0), "block_id": ident},
    _data_sums,
)

_label = string(20, 1)
_segment = shape({"label": _label, "value": number(above=0)})
_series = shape({"name": _label, "data": array(shape({"label": _label, "value": number()}), 1, 20)})
_axis = shape({"categories": array(_label, 1, 20)}, {"x_label": string(50), "y_label": string(50)})


def _up_to(item: Check) -> Check:
    def check(node: Node) -> None:
        array(item, 1, 6 if node.report.careful else 12)(node)

    return check


def _points_match_categories(node: Node) -> None:
    axis = node.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    series = node.get("series")
    if not isinstance(series, list):
        return
    names = [each.get("name") for each in series if isinstance(each, dict)]
    if len(set(map(str, names))) != len(names):
        node.child("series").say("series names must be unique")
    if not isinstance(categories, list):
        return
    if len(set(map(str, categories))) != len(categories):
        node.child("axis_config").child("categories").say("categories must be unique")
    for index, each in enumerate(series):
        data = each.get("data") if isinstance(each, dict) else None
        if isinstance(data, list):
            labels = sorted(str(point.get("label")) for point in data if isinstance(point, dict))
            if labels != sorted(map(str, categories)):
                node.child("series").child(index).say("data must have exactly one point for each category")


_drawn = shape({"series": _up_to(_series), "axis_config": _axis}, {}, _points_match_categories)
_chart = by_type({"pie": shape({"segments": _up_to(_segment)}), "bar": _drawn, "line": _drawn, "area": _drawn})


def _charts_in_message(node: Node) -> None:
    if node.report.count("data_visualization") > 2:
        node.say("no more than 2 data_visualization blocks allowed")


data_visualization = shape({"title": string(50, 1), "chart": _chart}, {"block_id": ident}, _charts_in_message)
