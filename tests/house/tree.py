"""What house tests look at: the files git knows or would take, and their syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("finops", "providers", "storage", "bot", "blocks", "handlers", "jobs", "locales")
PICTURES = frozenset({".png", ".gz", ".ico", ".woff2"})


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, committed or about to be; ignored ones are nobody's business."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file()))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file with its content, named from the root."""
    for path in files():
        if path.suffix not in PICTURES:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def modules(*rooms: str) -> list[Path]:
    """The Python files of some rooms (top-level folders, or files such as app.py); of all when none is named."""
    return [
        path for path in files() if path.suffix == ".py" and (not rooms or path.relative_to(ROOT).parts[0] in rooms)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(path: Path, node: ast.AST | None = None) -> str:
    """Where something is, as an editor opens it."""
    place = path.relative_to(ROOT).as_posix()
    return place if node is None else f"{place}:{getattr(node, 'lineno', 0)}"


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Everything a file imports, by its full name (`bot.settings.Settings`), late imports included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute, empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""
