"""Blocks of any size, written in a word or two."""

from __future__ import annotations

from typing import Any

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
