"""What was on the screen can be clicked while the message is edited: the same buttons keep their block's name."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from blocks import kit
from blocks.steady import BLOCK_ID, steady

Block = dict[str, Any]

buttons = st.builds(
    kit.button, st.just("누르기"), st.sampled_from(["stop.open", "key.replace"]), st.none() | st.integers(0, 3)
)
menus = st.builds(
    lambda values: {"type": "overflow", "action_id": "more", "options": [kit.option("하나", one) for one in values]},
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
)
rows = st.lists(buttons | menus, min_size=1, max_size=3).map(lambda pressed: kit.actions(*pressed))
paragraphs = st.builds(kit.section, st.just("글"), st.none() | buttons | menus)
named = st.builds(kit.actions, buttons, block_id=st.just("fate"))


def names(blocks: list[Block]) -> list[str]:
    return [block["block_id"] for block in blocks if "block_id" in block]


@given(st.lists(rows | paragraphs, max_size=8), st.none() | named)
def test_no_two_blocks_share_a_name_and_nothing_else_changes(parts: list[Block], fate: Block | None) -> None:
    blocks = [*parts, *([fate] if fate else [])]
    found = steady(blocks)
    assert len(set(names(found))) == len(names(found))
    assert [{**one, "block_id": None} for one in found] == [{**one, "block_id": None} for one in blocks]
    assert all(len(name) <= BLOCK_ID for name in names(found))
    assert steady(found) == found


def test_an_edit_that_leaves_the_buttons_leaves_their_name() -> None:
    """Words move every minute; what is offered does not."""

    def at(amount: str, *, is_over: bool = False) -> list[Block]:
        allowed = kit.button("허용", "allow", 12) if is_over else None
        return steady([kit.section(f"현재 {amount}"), kit.actions(kit.button("차단", "stop.open", 12), allowed)])

    assert names(at("$445")) == names(at("$742")) == ["stop.open:12"]
    assert names(at("$742", is_over=True)) != names(at("$742"))


def test_a_button_about_something_else_is_another() -> None:
    """A list that lost its first row: the click on it must not reach the next one."""
    first, second = (kit.section("프로젝트", kit.button("차단", "stop.open", f"project:{number}")) for number in (1, 2))
    assert names(steady([first, second]))[1:] == names(steady([second]))


def test_what_keeps_a_state_is_named_anew_by_slack() -> None:
    """With its name a menu would keep what somebody chose, whatever stands in the edit."""
    menu = kit.select("period", "기간", [kit.option("어제", "yesterday")])
    assert names(steady([kit.actions(menu, kit.button("보기", "show")), kit.section("글", menu)])) == []
    assert names(steady([kit.section("글"), kit.actions(kit.button("보기", "x" * 250, "y" * 20))])) == []
