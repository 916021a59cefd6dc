"""What no test reads, drifts: the documents are held to the code they speak of."""

from __future__ import annotations

import ast
import builtins
import csv
import re
import shlex
import sqlite3
import stat
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from aiohttp import web

import jobs
import run
from app import SHUTDOWN_SECONDS
from blocks import help as help_
from bot.metrics import Metrics
from bot.settings import CHECKOUT, Settings, read_env_file
from demo import clock, once, replay, runaway, story_life, story_monday, story_told, value_levers
from demo.__main__ import arguments as demo_arguments
from demo.mailbox import Mailbox
from demo.openai import control as openai_control
from demo.slack.control import Control as SlackControl
from finops import bill_file, learning
from finops.audit_files import head
from handlers import guard, recording
from handlers.addresses import routes
from handlers.commands import ALIASES, SUBCOMMANDS
from locales import catalogue, translator_for
from storage import KeyRing
from tests.house.tree import ROOMS, ROOT, files, modules, texts

READMES = ("README.md", "README.ko.md")
PAGES = sorted(path for path in files() if path.suffix == ".md")


@cache
def written() -> dict[str, str]:
    """Every page by its name, with what it says."""
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}


def commands_of(page: str) -> list[str]:
    """Every command of the page's shell blocks, without comments and continuations."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", written()[page], re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [command for line in lines if (command := shlex.join(shlex.split(line, comments=True)))]


def test_every_setting_is_in_the_example_and_in_the_documentation():
    """Names and their order agree in three places: code, .env.example, docs/settings.md."""
    table = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert table == Settings.names()
    example = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(example) == sorted(Settings.names())


def test_documented_defaults_are_the_defaults():
    """The default column says what the code does."""
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    for one in fields(Settings):
        name, default = one.metadata["name"], one.metadata["default"] or ""
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.split("|")[2].strip().strip("`") == default.replace(str(CHECKOUT), "<checkout>"), name


def test_the_example_is_a_readable_env_file(tmp_path):
    """Copying .env.example gives a file our own reader understands."""
    copy = tmp_path / ".env"
    copy.write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")
    copy.chmod(0o600)
    assert set(read_env_file(copy)) == set(Settings.names())


def test_commands_in_documents_exist():
    """A verb of run.py in a code block is one that it knows."""
    said = [(page, line, shlex.split(line)) for page in written() for line in commands_of(page)]
    asked = [(page, line, words[2]) for page, line, words in said if words[:2] == ["python3", "run.py"]]
    assert len(asked) > 10
    assert [(page, line) for page, line, verb in asked if verb not in run.VERBS] == []


def test_no_document_asks_the_systems_python_for_the_bot():
    """`python3 app.py` finds no library where nothing but the system's Python is: run.py knows the right one."""
    said = [(page, line) for page in written() for line in commands_of(page)]
    assert [(page, line) for page, line in said if line.startswith("python3 app.py")] == []


@pytest.mark.parametrize(
    ("page", "file"),
    [("export", ",".join(bill_file.COLUMNS)), ("effects", learning.exported(()).decode()), ("audit", head("csv"))],
    ids=["export", "effects", "audit"],
)
def test_every_column_of_a_file_is_explained(page: str, file: str):
    """Whoever opens it in a spreadsheet finds each of them on the page of its command."""
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    columns = next(csv.reader([file.lstrip("\ufeff").splitlines()[0]]))
    assert [column for column in columns if f"`{column}`" not in text] == []


def test_nobody_is_sent_to_the_systems_python_for_a_room():
    """Nor for `python3 -m`, in a comment or the head of a file that was written by one."""
    asked = re.compile(rf"python3 -m (?:{'|'.join(ROOMS)})\b")
    assert [name for name, text in texts() if asked.search(text)] == []


def test_recorded_answers_say_where_they_are_from():
    """Every file beside the tests that somebody else wrote, with its origin and licence."""
    page = (ROOT / "tests/data/README.md").read_text(encoding="utf-8")
    told = {name for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}
    assert told == {path.name for path in files() if path.parent == ROOT / "tests/data"} - {"README.md"}


def test_python_in_documents_can_be_pasted():
    """Every name in a block of Python comes from somewhere in it: whoever pastes it gets no NameError."""
    code = re.compile(r"```python\n(.*?)```", re.DOTALL)
    blocks = [(page, block) for page, text in written().items() for block in code.findall(text)]
    assert blocks
    for page, block in blocks:
        names = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Name)]
        imported = {
            one.asname or one.name
            for node in ast.walk(ast.parse(block))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for one in node.names
        }
        told = imported | {node.id for node in names if isinstance(node.ctx, ast.Store)} | set(dir(builtins))
        assert {node.id for node in names} - told == set(), (page, block)


def test_every_metric_is_in_the_operators_page():
    """A number that nobody explained is a number nobody watches."""
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    ours = {metric.name for metric in Metrics().registry.collect() if metric.name.startswith("finops_")}
    assert len(ours) > 10
    assert sorted(name for name in ours if not re.search(rf"`{name}(_total)?[`{{]", page)) == []


def test_alarms_ask_for_metrics_there_are():
    """By a name and labels that are told from the first reading on; what cannot be is looked for as new, too."""
    [written] = re.findall(r"```yaml\n(groups:.*?)```", (ROOT / "docs/operating.md").read_text("utf-8"), re.DOTALL)
    samples = [each for metric in Metrics().registry.collect() for each in metric.samples]
    for rule in yaml.safe_load(written)["groups"][0]["rules"]:
        for name, chosen in re.findall(r"(finops_\w+)(?:{([^}]*)})?", rule["expr"]):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', chosen))
            told = any(each.name == name and labels.items() <= each.labels.items() for each in samples)
            assert told or f"({name} unless {name} offset" in rule["expr"], (rule["alert"], name)


def test_every_address_is_in_the_operators_page():
    """What is served stands in the table, and what stands there is served."""
    environ = {
        "SLACK_SIGNING_SECRET": "0" * 32,
        "SLACK_CLIENT_ID": "1.1",
        "SLACK_CLIENT_SECRET": "x",
        "FINOPS_PUBLIC_URL": "https://finops.example.com",
        "FINOPS_KEYS": KeyRing.generate().to_text(),
    }
    served = {f"{route.method} {route.path}" for route in routes(Settings.from_env(environ))}
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`((?:GET|POST) /[^`]+)`", page)) == served


def test_a_proxy_passes_on_what_the_public_may_ask_for():
    """Every address but the operator's three, and as much of a body as we take ourselves."""
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    [written] = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    passed_on = dict(re.findall(r"location = (\S+) +{ proxy_pass [^;]+;(?: client_max_body_size (\d+)m;)?", written))
    served = set(re.findall(r"`(?:GET|POST) (/[^`]+)`", page))
    assert passed_on.keys() == served - {"/healthz", "/readyz", "/metrics"}
    assert int(passed_on[recording.EVENTS]) * 2**20 == recording.MOST_EVENT_BYTES
    assert int(passed_on[recording.TRACES]) * 2**20 == recording.MOST_TRACE_BYTES


def test_a_container_is_given_the_time_to_end_that_it_may_take():
    """Whoever waits for us: requests, then jobs, then what people asked for; the operator's page says how long."""
    longest = SHUTDOWN_SECONDS + jobs.DRAIN_SECONDS + guard.DRAIN_SECONDS
    given = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["bot"]["stop_grace_period"]
    assert longest < int(given.removesuffix("s"))
    assert f"and {longest:.0f}\nseconds at the very most" in (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def test_the_image_holds_the_whole_product():
    """A room that is copied nowhere is missed at the first start, and not by any other test."""
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    context = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in (*ROOMS, "app.py", "manifest.yml"):
        assert re.search(rf"^COPY {re.escape(name)} ", recipe, re.MULTILINE), name
        assert f"!{name}" in context


def test_the_image_is_readable_for_the_bots_user_however_the_checkout_was_made(tmp_path):
    """A checkout made under `umask 077` made an image whose bot could not open app.py."""
    (tmp_path / "blocks").mkdir(mode=0o700)
    (tmp_path / "blocks/kit.py").touch(mode=0o600)
    [command] = re.findall(r"^RUN (chmod .*?) &&", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    subprocess.run(shlex.split(command.replace("/app", str(tmp_path))), check=True)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("blocks", "blocks/kit.py")] == [0o755, 0o644]


def test_what_compose_takes_from_the_settings_is_a_setting():
    """The port of this machine too: without one of its own for each, a second copy could not start."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= {*Settings.names(), "POSTGRES_PASSWORD"}
    bot = yaml.safe_load(text)["services"]["bot"]
    assert bot["ports"] == [f"127.0.0.1:${{PORT:-3000}}:{bot['environment']['PORT']}"]


def test_a_database_in_a_container_is_copied_by_the_command_of_the_operators_page(tmp_path):
    """While it is written to, and a second time over the first copy: neither sqlite3 nor pg_dump is in the image."""
    words = [word for line in commands_of("docs/operating.md") for word in shlex.split(line)]
    [program] = [word for word in words if "import sqlite3" in word]
    with closing(sqlite3.connect(tmp_path / "finops.sqlite3")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        for day in (1, 2):
            database.execute(f"CREATE TABLE day_{day} (cost TEXT)")
            subprocess.run([sys.executable, "-c", program.replace("/data/", f"{tmp_path}/")], check=True)
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT name FROM sqlite_master").fetchall() == [("day_1",), ("day_2",)]


def test_words_after_the_slash_command_are_understood():
    """Whatever a page says to type in Slack, in whichever language, is a word that the command knows."""
    said = {(page, word) for page, text in written().items() for word in re.findall(r"`/finops ([^\s`]+)", text)}
    assert len(said) > 50
    assert sorted((page, word) for page, word in said if word not in {*SUBCOMMANDS, *ALIASES}) == []


def test_every_command_stands_in_its_table():
    """With every other word it is understood by, in three languages."""
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", page, re.MULTILINE)
    table = {name: set(re.findall(r"`([^`]+)`", words)) for name, words in rows}
    assert table == {name: {word for word, meant in ALIASES.items() if meant == name} for name in SUBCOMMANDS}


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_the_help_names_every_command(language: str):
    """In the reader's words, for an admin."""
    said = help_.message(translator_for(language, "Asia/Seoul"), is_admin=True)
    words = set(re.findall(r"`/finops ([^\s`]+)", str(said.blocks)))
    assert {ALIASES.get(word, word) for word in words} == SUBCOMMANDS.keys()


def test_every_order_of_the_stage_stands_in_its_readme():
    """What can be made to fail, and every other lever; no lever is told of that is not there."""
    pulled = [str(route.resource.canonical) for route in levers().routes() if route.resource]
    text = (ROOT / "demo/README.md").read_text(encoding="utf-8")
    told = set()
    for row in re.findall(r"^\| (`(?:GET|POST|DELETE) /_sim/.+?) \| ", text, re.MULTILINE):
        parent = ""
        for words in re.findall(r"`([^`?]+)[^`]*`", row):
            path = words.split()[-1]
            if path.startswith("/"):
                told.add(path if path.startswith("/_sim/") else parent + path)
                parent = path.rpartition("/")[0] if path.startswith("/_sim/") else parent
    assert told == {path.replace("{number}", "1") for path in pulled}


@pytest.mark.parametrize("told", [once.Told, story_told.Runaway, story_monday.Monday, story_life.LifeStory])
def test_every_key_that_a_story_prints_is_explained(told: type[Any]):
    """What a script prints is read by another one."""
    text = (ROOT / "demo/README.md").read_text(encoding="utf-8")
    keys = {key for row in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    assert {one.name for one in fields(told)} - keys == set()


@pytest.mark.parametrize(
    ("page", "parser"),
    [("demo/README.md", demo_arguments), ("docs/replay.md", replay.arguments)],
    ids=["demo", "replay"],
)
def test_every_option_of_the_stage_is_explained(page: str, parser: Callable[[], ArgumentParser]):
    """Also on a page, and not in `--help` alone."""
    text = (ROOT / page).read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z]+", parser().format_usage()))
    assert sorted(option for option in options if not re.search(rf"{option}\b", text)) == []


def levers() -> web.UrlDispatcher:
    """Every address of the stage's levers; none of them is pulled."""
    nobody: Any = SimpleNamespace(when_arrived=None, kept=[])
    router = web.UrlDispatcher()
    router.add_routes(openai_control.routes(nobody))
    router.add_routes(value_levers.routes(nobody, nobody))
    router.add_routes([*runaway.routes(nobody), clock.route(nobody), *Mailbox(nobody).routes()])
    SlackControl(nobody).add_routes(router)
    return router


def test_every_benchmark_stands_in_their_table():
    """Every module of benchmarks/ that can be run, and no other."""
    page = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    alone = {path.stem for path in modules("benchmarks") if path.parent.name == "benchmarks"}
    alone = {name for name in alone if "__main__" in (ROOT / f"benchmarks/{name}.py").read_text(encoding="utf-8")}
    runs = alone - {"ack_server"} | {path.parent.name for path in modules("benchmarks") if path.stem == "__main__"}
    assert set(re.findall(r"^\| `python -m benchmarks\.(\w+)` \|", page, re.MULTILINE)) == runs


def test_modules_in_documents_can_be_run():
    """`python -m benchmarks.home`, wherever it is said, names a module that is there."""
    asked = re.compile(r"python3? -m ((?:benchmarks|demo|handlers|locales)[\w.]*)")
    said = {(page, name.rstrip(".")) for page, text in written().items() for name in asked.findall(text)}
    assert len(said) > 10
    assert sorted((page, name) for page, name in said if find_spec(name) is None) == []


def test_every_page_is_found_from_the_readme():
    """By links, however many: a page that nobody is sent to is read by nobody."""
    found, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        found.add(page)
        links = re.findall(r"\]\(([^)#\s:]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        ahead += {(page.parent / link).resolve() for link in links} - found - set(ahead)
    pages = {path for path in PAGES if path.parent in (ROOT, ROOT / "docs", ROOT / "demo", ROOT / "benchmarks")}
    assert sorted(path.name for path in pages - found) == []


def test_every_picture_is_shown_on_some_page():
    """A picture that no page leads to is taken anew each time for nobody."""
    shown = set()
    for page in PAGES:
        links = re.findall(r"\]\(([^)#\s:]+\.png)\)", page.read_text(encoding="utf-8"))
        shown |= {(page.parent / link).resolve() for link in links}
    assert sorted(path.name for path in files() if path.suffix == ".png" and path not in shown) == []


def test_make_says_what_run_says():
    """The Makefile has the verbs of run.py, all of them and no others."""
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == set(run.VERBS)


def test_links_between_documents_lead_somewhere():
    """Every relative link, pictures included, names a file that is there, and a heading that it has."""
    broken = []
    for page, text in written().items():
        folder = (ROOT / page).parent
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r"<img[^>]+src=\"([^\"]+)\"", text)
        links = [link for link in links if "://" not in link and not link.startswith("mailto:")]
        broken += [(page, link) for link in links if not (folder / link).exists()]
        for link, place in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
            if place not in headings((folder / link).resolve() if link else ROOT / page):
                broken.append((page, f"{link}#{place}"))
    assert broken == []


def test_files_that_documents_name_are_there():
    """`finops/ranking.py`, wherever a page sends a reader into the code, is there: from the root, or beside it."""
    missing = []
    for page, whole in written().items():
        text = re.sub(r"```.*?```", "", whole, flags=re.DOTALL)
        named = set(re.findall(r"`([a-z_]+/[\w./-]+\.(?:py|md|yaml|yml|js|css|gz|csv))`", text))
        there = (ROOT, (ROOT / page).parent)
        missing += sorted((page, name) for name in named if not any((folder / name).exists() for folder in there))
    assert missing == []


@cache
def headings(page: Path) -> set[str]:
    """A page's headings as addresses within it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = (re.sub(r"[^\w\- ]", "", line.lower()) for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE))
    return {line.strip().replace(" ", "-") for line in plain}


@pytest.mark.parametrize("readme", READMES)
def test_the_first_screen_says_how_to_start(readme: str):
    """The two commands a newcomer needs stand in the first screen, in this order."""
    first_screen = "\n".join((ROOT / readme).read_text(encoding="utf-8").splitlines()[:40])
    assert "python3 run.py demo" in first_screen
    assert first_screen.index("python3 run.py demo") < first_screen.index("python3 run.py test")


def test_the_korean_readme_is_a_twin():
    """Both READMEs have the same sections and run the same commands."""

    def shape(page: str) -> tuple[list[int], list[str]]:
        text = (ROOT / page).read_text(encoding="utf-8")
        outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        return [len(marks) for marks in re.findall(r"^(#+) ", outside, re.MULTILINE)], commands_of(page)

    assert shape("README.md") == shape("README.ko.md")


def test_the_tour_leads_through_every_room():
    """docs/rooms.md names every folder of Python, and no other."""
    page = (ROOT / "docs/rooms.md").read_text(encoding="utf-8")
    rooms = {path.relative_to(ROOT).parts[0] for path in modules() if path.parent != ROOT} - {"docs"}
    assert set(re.findall(r"^(\w+)/  ", page, re.MULTILINE)) == rooms


def test_decisions_are_numbered_and_short():
    """One page per decision: numbered without gaps, with context, decision and consequence, in fifteen lines or so."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for heading in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert heading in text, page.name
        assert len(text.splitlines()) <= 20, page.name


def test_ci_runs_the_readmes_own_test_command():
    """What CI runs is what a newcomer is told to run."""
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "run.py check" in ci
    assert "run.py test" in ci
    assert re.search(r"\bgit\b.* clone ", ci)
