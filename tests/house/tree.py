"""What house tests look at: the files git knows or would take, and their syntax trees."""

from __future__ import annotations

import ast
import gc
import os
import subprocess
import tempfile
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("finops", "providers", "storage", "bot", "blocks", "handlers", "jobs", "locales")
_BEFORE_THE_FIRST_WORD = {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL}
PICTURES = frozenset({".png", ".gz", ".ico", ".woff2"})


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, committed or about to be; ignored ones are nobody's business."""
    return listed(ROOT)


def listed(root: Path) -> tuple[Path, ...]:
    """Every file below a folder that is not ignored there: of a clone, whoever owns it, or an unpacked ZIP."""
    with tempfile.TemporaryDirectory() as empty:
        chosen = ["-c", "safe.directory=*"]
        if not (root / ".git").exists():
            git(root, "init", "--quiet", "--bare", empty)
            chosen += ["--git-dir", empty, "--work-tree", str(root)]
        names = git(root, *chosen, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return tuple(sorted(path for name in names.split("\0") if name and (path := root / name).is_file()))


def git(folder: Path, *words: str) -> str:
    """What git says in a folder, and never of another: in a hook, the environment names the hook's repository."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *words], cwd=folder, env=environ, capture_output=True, check=True, text=True).stdout


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
    """The syntax tree of a file; it lives until the end, so the collector never needs to walk through it."""
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(parsed(path)))


def docstring(path: Path) -> str | None:
    """What a module says first, None where it says nothing at all; the rest of it is not even read."""
    with path.open("rb") as file:
        tokens = (one for one in tokenize.tokenize(file.readline) if one.type not in _BEFORE_THE_FIRST_WORD)
        first = next(tokens)
        if first.type == tokenize.ENDMARKER:
            return None
        is_all = first.type == tokenize.STRING and next(tokens).type == tokenize.NEWLINE
    return str(ast.literal_eval(first.string)) if is_all else ""


def named(path: Path, node: ast.AST | None = None) -> str:
    """Where something is, as an editor opens it."""
    place = path.relative_to(ROOT).as_posix()
    return place if node is None else f"{place}:{getattr(node, 'lineno', 0)}"


def imports(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Everything a file imports, by its full name (`bot.settings.Settings`), late imports included."""
    for node in nodes(path):
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
