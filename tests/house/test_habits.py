"""Habits no linter knows: money is never a float, time has one source, files stay readable, secrets stay out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOMS, ROOT, docstring, dotted, files, git, listed, modules, named, nodes, parsed, texts

LONGEST_FILE, LONGEST_TEST = 450, 700  # a file of tests is a list to look things up in
# Seconds, retries and ratios for a progress bar are not money. Each line says what the float is.
FLOATS_THAT_ARE_NOT_MONEY = {
    "providers/http.py": "seconds of Retry-After",
    "blocks/charts.py": "the height of a bar in a picture; the exact amount stands beside it as text",
    "finops/effects.py": "logarithms, which are ratios; what was saved is made from exact amounts again",
    "bot/effects_stats.py": "Student's t",
}


def test_money_is_never_a_float():
    """No call of float() where money passes, except in files listed with what their float is."""
    floats = {
        named(path): named(path, node)
        for path in modules("finops", "providers", "storage", "bot", "blocks", "locales")
        for node in nodes(path)
        if isinstance(node, ast.Call) and dotted(node.func) == "float"
    }
    assert [where for name, where in floats.items() if name not in FLOATS_THAT_ARE_NOT_MONEY] == []
    assert set(FLOATS_THAT_ARE_NOT_MONEY) <= set(floats), "an excuse that nobody needs any more"


def test_no_amount_is_declared_a_float():
    """Nothing called amount, cost, price, total or spent has the type float."""
    money = re.compile(r"(^|_)(amount|cost|price|total|spent|usd)(_|$)")
    guilty = []
    for path in modules(*ROOMS):
        for node in nodes(path):
            name, kind = None, None
            if isinstance(node, ast.AnnAssign):
                name, kind = dotted(node.target), node.annotation
            elif isinstance(node, ast.arg):
                name, kind = node.arg, node.annotation
            if name and kind and money.search(name) and "float" in ast.unparse(kind):
                guilty.append(f"{named(path, node)} {name}")
    assert guilty == []


def test_only_the_front_door_and_the_stage_know_the_time():
    """Everybody else is handed a clock, so that a test can move it."""
    tellers = {"datetime.now", "datetime.datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    guilty = [
        named(path, node)
        for path in modules(*ROOMS, "app.py")
        for node in nodes(path)
        if isinstance(node, ast.Call) and dotted(node.func) in tellers and named(path) != "app.py"
    ]
    assert guilty == []
    in_app = [n for n in ast.walk(parsed(ROOT / "app.py")) if isinstance(n, ast.Call) and dotted(n.func) in tellers]
    assert len(in_app) == 1


def test_only_the_front_door_reads_the_environment():
    """Settings are handed a mapping; os.environ is read by app.py and run.py, and nowhere else in the product."""
    readers = {"os.environ", "os.getenv", "os.environb", "environ", "getenv"}
    guilty = [
        named(path, node)
        for path in modules(*ROOMS)
        for node in nodes(path)
        if isinstance(node, (ast.Attribute, ast.Name)) and dotted(node) in readers and named(path) != "bot/settings.py"
    ]
    assert guilty == []


def test_no_task_is_started_and_forgotten():
    """A task whose handle is dropped may vanish in mid-work, and nobody waits for it at shutdown.

    The tasks of an `async with asyncio.TaskGroup()` are kept and waited for by the group.
    """
    starters = {"create_task", "ensure_future"}
    guilty = [
        named(path, node)
        for path in modules(*ROOMS, "app.py", "demo")
        for node in nodes(path)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and dotted(node.value.func).split(".")[-1] in starters
        and dotted(node.value.func).split(".")[0] not in task_groups(parsed(path))
    ]
    assert guilty == []


def task_groups(tree: ast.Module) -> set[str | None]:
    """The names of the task groups a module opens."""
    return {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncWith)
        for item in node.items
        if isinstance(item.context_expr, ast.Call)
        and dotted(item.context_expr.func) == "asyncio.TaskGroup"
        and isinstance(item.optional_vars, ast.Name)
    }


def test_every_module_opens_with_a_sentence():
    """The first line of a module says what it promises, and ends like a sentence."""
    guilty = []
    for path in modules():
        said = docstring(path)
        if said is None or "migrations/versions" in named(path):
            continue
        first = said.strip().split("\n\n")[0]
        if not first or first.rstrip()[-1] not in ".:!?":
            guilty.append(named(path))
    assert guilty == []


def test_no_file_needs_a_table_of_contents():
    """A Python file can be read in one sitting."""
    lengths = {named(path): len(path.read_text().splitlines()) for path in modules()}
    long = {
        name: length
        for name, length in lengths.items()
        if length > (LONGEST_TEST if name.startswith("tests/") else LONGEST_FILE)
    }
    assert long == {}


def test_the_front_door_stays_small():
    """app.py wires; it does not work."""
    assert len((ROOT / "app.py").read_text().splitlines()) <= 150


def test_no_unfinished_work_is_left_behind():
    """What is not done is in the tracker, not in the tree."""
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    guilty = [
        f"{name}:{number}"
        for name, text in texts()
        if name.endswith((".py", ".js", ".css", ".html"))
        and name != "tests/house/test_habits.py"
        and words.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if words.search(line)
    ]
    assert guilty == []


def test_the_tree_knows_no_particular_machine():
    """Nobody else has our folders: no absolute home or work path, no reference outside the checkout."""
    # Assembled, so that this file does not find itself.
    machine = re.compile(
        "|".join(("/" + "work/", "/" + "root/", "/home/" + r"\w+/", "/Users/" + r"\w+/", "shared" + "/"))
    )
    guilty = [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in texts()
        if machine.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if machine.search(line)
    ]
    assert guilty == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_hold_names_versions_and_hashes_only(lock: str):
    """An address in a lock file is somebody's mirror; an unpinned line is somebody else's version."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--?(?!hash)[a-z]", text, re.MULTILINE)
    entries = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert entries
    assert [line for line in entries if "==" not in line] == []
    assert text.count("--hash=sha256:") >= len(entries)


def test_the_development_lock_holds_the_runtime_lock():
    """What is tested is what runs: every runtime pin stands in the development lock unchanged."""

    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9._\[\]-]+==[^\s\\;]+)", (ROOT / lock).read_text(), re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


def test_no_file_is_too_big_for_git():
    """Anything above a megabyte belongs elsewhere."""
    assert [named(path) for path in files() if path.stat().st_size > 1_000_000] == []


@pytest.fixture
def hook(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tests that are run by a hook of git: the repository that it names to whatever it runs."""
    repository = tmp_path_factory.mktemp("hook") / "git"
    monkeypatch.setenv("GIT_DIR", str(repository))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / "index"))
    return repository


@pytest.mark.usefixtures("hook")
def test_a_download_without_git_is_looked_at_like_a_clone(tmp_path: Path):
    """What was unpacked from a ZIP has no list of its files; what is ignored in a clone is ignored there, too."""
    for name in (".gitignore", "app.py", "var/bills.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("/var/\n")
    assert listed(tmp_path) == (tmp_path / ".gitignore", tmp_path / "app.py")


def test_every_clone_has_the_same_bytes(tmp_path: Path, hook: Path):
    """Git for Windows makes two characters of each line's end; the script of CI would not start with them."""
    for name in (".gitattributes", ".ci/run"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "core.autocrlf", "true")
    git(tmp_path, "add", ".")
    (tmp_path / ".ci/run").unlink()
    git(tmp_path, "checkout", "--quiet", ".")
    assert (tmp_path / ".ci/run").read_bytes() == (ROOT / ".ci/run").read_bytes()
    assert not hook.exists(), "run by a hook, this would have staged that everything was deleted"
