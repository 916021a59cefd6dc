"""Every Block Kit limit of the simulated Slack: the last value taken, the first one refused, and where it points."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models import blocks as sdk

from demo.slack.blockkit import Surface, check, check_view, too_large
from tests.simulators.blockkit_kit import JSON, bars, data_table, entry, mrkdwn, option, pie, plain, section, select
from tests.simulators.blockkit_limits import REFUSED, TAKEN


def test_slack_takes_what_is_just_within_its_limits() -> None:
    refused = {name: [str(each) for each in check(blocks, surface)] for name, surface, blocks in TAKEN}
    assert len(refused) == len(TAKEN)
    assert {name: why for name, why in refused.items() if why} == {}


def test_slack_refuses_the_first_value_beyond_a_limit_and_points_at_it() -> None:
    for surface, blocks, pointer, words in REFUSED:
        found = check(blocks, surface)
        is_told = any(each.pointer == pointer and words in each.message for each in found)
        assert is_told, (pointer, words, [str(each) for each in found])


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
    st.sampled_from([None, True, 0, -1, 10**9, 1.5, "", "plain_text", "mrkdwn", "\ud800", "가나다", "x" * 3001]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "element", "rows", "chart", "options"]), inner)
    ),
    max_leaves=6,
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
        ),
        max_size=6,
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
