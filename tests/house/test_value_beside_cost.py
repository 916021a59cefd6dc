"""No cost without its value: a report that bears an amount bears what it bought, and whoever words one says it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.house.tree import ROOT, imports, modules, named, parsed

AMOUNTS = re.compile(r"\b(Figure|Breakdown|Spent)\b")
VALUES = re.compile(r"\b(ValueFigure|HomeValues)\b")
# Reports whose amounts have their value elsewhere; each line says where.
VALUED_ELSEWHERE = {
    "Figure": "an amount itself",
    "IncidentDetail": "in its `shown`, which is about the same scope and period",
    "ProjectReport": "in its `status`",
}
# Modules that word such a report without a word of value; each line says who does.
SAID_ELSEWHERE = {
    "blocks/incident_silence.py": "a window over the message that says it, about being told and not about money",
    "blocks/incident_thread.py": "lines below a root message that says it (blocks/incidents.py)",
}


def classes() -> Iterator[ast.ClassDef]:
    """Every class of finops/."""
    for path in modules("finops"):
        yield from (node for node in parsed(path).body if isinstance(node, ast.ClassDef))


def fields(node: ast.ClassDef) -> list[str]:
    """The types of a class's fields, as they are written."""
    return [ast.unparse(each.annotation) for each in node.body if isinstance(each, ast.AnnAssign)]


@cache
def reports() -> frozenset[str]:
    """The names of all classes that bear an amount to be shown."""
    return frozenset(
        node.name for node in classes() if any(AMOUNTS.search(each) for each in fields(node)) and node.name != "Figure"
    )


def test_every_report_of_an_amount_has_a_field_for_its_value():
    """A figure, a spent amount or a breakdown never travels without what it bought."""
    guilty = [
        node.name
        for node in classes()
        if node.name in reports()
        and node.name not in VALUED_ELSEWHERE
        and not any(VALUES.search(each) for each in fields(node))
    ]
    assert guilty == []


def test_every_part_of_a_breakdown_has_a_value():
    """The rows of a table are amounts as well."""
    [share] = [node for node in classes() if node.name == "Share"]
    assert any(VALUES.search(each) for each in fields(share))


def worded(node: ast.FunctionDef) -> set[str]:
    """The reports that a function of blocks/ is handed."""
    given = " ".join(ast.unparse(each.annotation) for each in node.args.args if each.annotation is not None)
    return {name for name in reports() if re.search(rf"\b{name}\b", given)}


def test_whoever_words_a_report_says_its_value():
    """A module whose public functions make a message or window of a report speaks through blocks.value."""
    guilty = []
    for path in modules("blocks"):
        speakers = [
            node
            for node in parsed(path).body
            if isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and node.returns is not None
            and re.search(r"Message|View", ast.unparse(node.returns))
            and worded(node)
        ]
        # What is too long for one file has its parts beside it: blocks/digest.py speaks through blocks/digest_*.py.
        parts = [path, *path.parent.glob(f"{path.stem}_*.py")]
        says = any(re.fullmatch(r"blocks\.value(\..+)?", name) for each in parts for name, _ in imports(each))
        if speakers and not says and named(path) not in SAID_ELSEWHERE:
            guilty += [f"{named(path, node)} {node.name}: {sorted(worded(node))}" for node in speakers]
    assert guilty == []


def test_the_exceptions_are_still_needed():
    """Nobody stays excused for what is no longer there."""
    known = {node.name for node in classes()}
    assert set(VALUED_ELSEWHERE) <= known
    assert all((ROOT / path).is_file() for path in SAID_ELSEWHERE)
