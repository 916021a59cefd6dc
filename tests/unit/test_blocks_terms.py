"""The glossary word for word, in three languages; and that each word is found by whoever types it."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from blocks import terms
from handlers.commands import ALIASES, SUBCOMMANDS
from locales import Translator
from tests.unit.saying import LANGUAGES, reader
from tests.unit.slack_limits import of_message

# Requirement 6.12 names these; those before them stand beside our own figures.
DEMANDED = (
    "showback", "chargeback", "unit economics", "commitment discount", "idle detection", "right-sizing",
    "cost per token", "value realization", "visibility", "optimization", "accountability", "continuous improvement",
)  # fmt: skip
STANDING = ("추정", "잠정", "확정", "확인 불가", "미할당", "평소", "청구일", "막은 손실")


def keys_of(t: Translator) -> list[str]:
    [menu] = [block for block in terms.listed(t).blocks if block["type"] == "actions"]
    return [option["value"] for option in menu["elements"][0]["options"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_glossary_word_for_word(snapshot: SnapshotAssertion, language: str) -> None:
    """Every term, each message within Slack's limits."""
    t = reader(language)
    listed = terms.listed(t)
    assert of_message(listed.arguments()) == []
    said = {}
    for key in keys_of(t):
        term = terms.of_key(key)
        assert term is not None
        told = terms.message(t, term)
        assert of_message(told.arguments()) == []
        said[key] = [told.text, *(text for block in told.blocks for text in re.findall(r"`.*?`", str(block)))]
    assert {"list": listed.arguments(), "terms": said} == snapshot.use_extension(JSONSnapshotExtension)


def test_what_is_demanded_and_what_stands_beside_figures_is_explained() -> None:
    assert [word for word in (*DEMANDED, *STANDING) if terms.find(word) is None] == []


def test_a_word_is_found_in_every_language_and_spelling() -> None:
    """However it is spelled there; and no two terms share a name."""
    keys = keys_of(reader("ko"))
    for language in LANGUAGES:
        names = {key: terms.of_key(key).name(reader(language)) for key in keys}  # type: ignore[union-attr]
        assert {key: terms.find(name).key for key, name in names.items()} == {key: key for key in keys}  # type: ignore[union-attr]
    for typed in ("Right-Sizing", "right sizing", "RIGHTSIZING", "적정규모조정"):
        assert terms.find(typed) is terms.of_key("right_sizing")
    assert terms.find("") is terms.find("`") is terms.find("nonsense") is terms.of_key("gone") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_beside_a_term_is_understood(language: str) -> None:
    for key in keys_of(reader(language)):
        told = terms.message(reader(language), terms.of_key(key))  # type: ignore[arg-type]
        for word in re.findall(r"`/finops (.+?)`", str(told.blocks[1])):
            assert word in SUBCOMMANDS or word in ALIASES


def test_a_slip_is_answered_with_what_was_meant() -> None:
    """And with all there is; what was typed rings nobody."""
    assert "`/finops 도움말 쇼백`" in terms.unknown(reader("ko"), "쇼벡").text
    said = terms.unknown(reader("ko"), "`<!here>`")
    assert "<!here>" not in str(said.arguments())
    assert of_message(said.arguments()) == []
    assert keys_of(reader("ko"))[0] in str(said.blocks)
