"""The page's own sources keep its promises before any browser reads them."""

from __future__ import annotations

import re

from demo.slack.page_files import PAGE

SCRIPTS = sorted((PAGE / "js").glob("*.js"))
STYLES = sorted((PAGE / "css").glob("*.css"))


async def test_no_text_is_ever_made_into_markup() -> None:
    """There is one way to make an element (dom.js), and it takes no HTML."""
    ways = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    assert [script.name for script in SCRIPTS if ways.search(script.read_text("utf-8"))] == []


async def test_nothing_is_loaded_from_elsewhere() -> None:
    """Modules, styles and pictures are files of this folder, and the page's policy forbids others."""
    index = (PAGE / "index.html").read_text("utf-8")
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in index
    assert re.findall(r'(?:src|href)="(?!/page/)', index) == []
    for script in SCRIPTS:
        assert re.findall(r'from "(?!\./)', script.read_text("utf-8")) == [], script.name
    for style in STYLES:
        assert not re.search(r"url\(|@import", style.read_text("utf-8")), style.name


async def test_a_file_can_be_read_in_one_sitting() -> None:
    """No module or stylesheet is longer than 400 lines, and each begins by saying what it is."""
    for path in [*SCRIPTS, *STYLES]:
        text = path.read_text("utf-8")
        assert text.count("\n") <= 400, path.name
        assert text.startswith(("// ", "/* ")), path.name
