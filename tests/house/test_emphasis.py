"""Slack draws `*bold*` only where no letter touches it, and a Korean or Japanese particle is a letter."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from bot.settings import CHECKOUT

GLUED = re.compile(r"(?<![\w*])\*[^*\s][^*\n]*\*(?=\w)|(?<=\w)\*[^*\s,.][^*\n]*\*")


@pytest.mark.parametrize("language", ["ko", "en", "ja"])
def test_no_emphasis_touches_a_letter(language: str) -> None:
    """A glued particle would show the asterisks: put a noun or a space between."""
    with (CHECKOUT / "locales" / language / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    texts = [text for each in catalogue for text in ([each.string] if isinstance(each.string, str) else each.string)]
    assert [text for text in texts if GLUED.search(text)] == []
