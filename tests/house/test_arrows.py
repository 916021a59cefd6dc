"""The arrows between rooms run one way, and the front door is opened from outside only."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from tests.house.tree import ROOMS, ROOT, imports, modules, named


def test_arrows_run_one_way():
    """import-linter's contracts in pyproject.toml hold; its words name the module and line when they do not."""
    checked = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_only_stages_and_tests_import_the_front_door():
    """app.py knows every room; a room that knew app.py would close a circle."""
    allowed = {"demo", "tests", "benchmarks"}
    guilty = [
        named(path, node)
        for path in modules()
        if named(path).split("/")[0] not in allowed
        for name, node in imports(path)
        if name.split(".")[0] == "app"
    ]
    assert guilty == []


def test_the_demo_uses_the_product_only_through_its_front_door():
    """The stage set knows the front door, settings, logs, the keys of the running application, the ids on
    its buttons, and finops.

    So the product cannot have a branch for the demo, and every demo is an end-to-end test.
    """
    allowed = ("app.", "bot.settings.", "bot.logs.", "handlers.addresses.", "blocks.ids.", "finops.", "demo.")
    guilty = [
        f"{named(path, node)} imports {name}"
        for path in modules("demo")
        for name, node in imports(path)
        if name.split(".")[0] in {*ROOMS, "app", "demo"} and not f"{name}.".startswith(allowed)
    ]
    assert guilty == []


def test_no_room_knows_the_demo_or_the_tests():
    """Nothing in the product asks whether it is on stage."""
    guilty = [
        named(path, node)
        for path in modules(*ROOMS, "app.py")
        for name, node in imports(path)
        if name.split(".")[0] in {"demo", "tests", "benchmarks"}
    ]
    assert guilty == []


def test_knowledge_needs_nothing_but_python():
    """finops/ runs where nothing is installed."""
    guilty = [
        f"{named(path, node)} imports {name}"
        for path in modules("finops")
        for name, node in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"finops"}
    ]
    assert guilty == []


def test_no_installed_distribution_has_one_of_our_names():
    """A package called `bot` or `jobs` in site-packages would be imported in our place, or we in its."""
    ours = {*ROOMS, "app", "demo", "run", "tests", "benchmarks"}
    provided = importlib.metadata.packages_distributions()
    # An editable install of this very project is not a stranger.
    strangers = {name: set(provided.get(name, ())) - {"finops-for-ai"} for name in ours}
    assert {name: found for name, found in strangers.items() if found} == {}
