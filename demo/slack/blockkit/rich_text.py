"""Rich text: sections, lists, quotes and preformatted text, and what may stand in a line."""

from __future__ import annotations

from demo.slack.blockkit.node import Check, anything, array, boolean, by_type, integer, one_of, shape, string

_style = shape(
    {},
    {
        "bold": boolean,
        "italic": boolean,
        "strike": boolean,
        "code": boolean,
        "underline": boolean,
        "highlight": boolean,
        "client_highlight": boolean,
        "unlink": boolean,
    },
)
_styled: dict[str, Check] = {"style": _style}
_name = string(None, 1)

_INLINE: dict[str, Check] = {
    "text": shape({"text": string(None, 1)}, _styled),
    "link": shape({"url": _name}, {**_styled, "text": string(), "unsafe": boolean}),
    "emoji": shape({"name": _name}, {**_styled, "unicode": string(), "skin_tone": integer(1, 6), "url": string()}),
    "user": shape({"user_id": _name}, _styled),
    "usergroup": shape({"usergroup_id": _name}, _styled),
    "channel": shape({"channel_id": _name}, _styled),
    "team": shape({"team_id": _name}, _styled),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, _styled),
    "color": shape({"value": _name}, _styled),
    "date": shape(
        {"timestamp": integer(0), "format": _name},
        {**_styled, "url": string(), "fallback": string(), "unsafe": boolean},
    ),
}
_inline = by_type(_INLINE)
_section = shape({"elements": array(_inline)})
_list = shape(
    {"style": one_of("bullet", "ordered"), "elements": array(by_type({"rich_text_section": _section}))},
    {"indent": integer(0, 8), "offset": integer(0), "border": integer(0, 1)},
)
_quote = shape({"elements": array(_inline)}, {"border": integer(0, 1)})
_preformatted = shape(
    {"elements": array(by_type({"text": _INLINE["text"], "link": _INLINE["link"]}))},
    {"border": integer(0, 1), "language": anything},
)

rich_text = by_type(
    {
        "rich_text": shape(
            {
                "elements": array(
                    by_type(
                        {
                            "rich_text_section": _section,
                            "rich_text_list": _list,
                            "rich_text_quote": _quote,
                            "rich_text_preformatted": _preformatted,
                        }
                    )
                )
            },
            {"block_id": string(255)},
        )
    }
)
