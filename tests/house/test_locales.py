"""Words: every sentence of the source stands in every language, whole, with the same placeholders."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from locales import LANGUAGES, Translator, catalogue
from tests.house.tree import modules, named, nodes

ASKING = {"gettext", "ngettext", "pgettext"}

# One concept, one word. A pattern that must not stand in a catalogue, and what is said instead.
ANOTHER_WORD = {
    "ko": {
        "경보|경고|통지": "알림",
        "과금일": "청구일",
        "팀 책임자": "팀 담당자",
        "제공자": "공급자",
        "복원": "복구",
        "호출 횟수|요청 수(?! 있)": "호출 수",
        "Admin 키": "Admin API Key",
    },
    "en": {
        "[Nn]otification": "alert",
        "[Ww]eekly report": "digest",
        "(tokens|cost) per request|[Rr]equests (up|down|unknown)|share of requests": "calls",
    },
    "ja": {
        "通知(?![しすさせ]|でき)": "アラート (通知する is the verb)",
        "警告|警報": "アラート",
        "請求日": "課金日",
        "普段|いつも|平常": "通常",
        "遮断": "停止",
        "復元": "復旧",
        "費用(?!対効果)": "コスト",
        "リクエスト(数|比率|の増加|の減少)": "呼び出し",
        "Admin キー": "Admin API キー",
    },
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_whole(language: str) -> None:
    """Nothing missing, empty, fuzzy or stale; the right number of plural forms; the placeholders of the source.

    After changing a sentence run `.venv/bin/python -m locales` and fill in what it names.
    """
    assert catalogue.problems(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_bringing_it_in_order_again_changes_nothing(
    language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever runs it finds their own words in the difference, and no time that all changes of words would share."""
    kept = catalogue.path_of(language).read_bytes()
    copy = tmp_path / "messages.po"
    copy.write_bytes(kept)
    monkeypatch.setattr(catalogue, "path_of", lambda _: copy)
    assert catalogue.update(language) == []
    assert copy.read_bytes() == kept


def test_every_fault_of_a_catalogue_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself, against a catalogue with one fault of each kind."""
    source = Catalog(fuzzy=False)
    for message in ("gone", "Hello {name}", "Empty", "Doubtful", ("{count} key", "{count} keys")):
        source.add(message)
    faulty = Catalog(locale="en", fuzzy=False)
    faulty.add("Hello {name}", "Hello {nmae}")
    faulty.add("Empty", "")
    faulty.add("Doubtful", "Doubtful", flags=["fuzzy"])
    faulty.add(("{count} key", "{count} keys"), ("{count} key",))
    faulty.add("Nobody asks", "Nobody asks")
    # Why patched: the function reads the real source and the real file, and both are right.
    monkeypatch.setattr(catalogue, "extracted", lambda: source)
    monkeypatch.setattr(catalogue, "read", lambda _: faulty)
    kinds = sorted(problem.split(":")[0] for problem in catalogue.problems("en"))
    assert kinds == [
        "1 plural forms instead of 2",
        "empty",
        "fuzzy",
        "missing",
        "placeholders ['nmae'] instead of ['name']",
        "stale",
    ]


def test_sentences_are_asked_for_where_extraction_can_see_them() -> None:
    """Never inside an f-string (extraction reads it as one word) and never by a variable."""
    guilty = []
    for path in modules("blocks", "locales", "handlers", "jobs"):
        if named(path) == "locales/__init__.py":
            continue
        inside = {id(node) for joined in nodes(path) if isinstance(joined, ast.JoinedStr) for node in ast.walk(joined)}
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
                words = node.args[: {"gettext": 1, "ngettext": 2, "pgettext": 2}[node.func.attr]]
                if id(node) in inside or not all(isinstance(word, ast.Constant) for word in words):
                    guilty.append(named(path, node))
    assert guilty == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_said(language: str) -> None:
    """Filled with something, no translation breaks: a stray brace would."""
    t = Translator(language)
    for message in catalogue.extracted():
        if not message.id:
            continue
        forms = [message.id] if isinstance(message.id, str) else list(message.id)
        values = {name: "x" for _, name, _, _ in string.Formatter().parse(forms[0]) if name and name != "count"}
        if message.context:
            assert t.pgettext(message.context, forms[0], **values)
        elif len(forms) == 1:
            assert t.gettext(forms[0], **values | {"count": "1"})
        else:
            assert t.ngettext(forms[0], forms[1], 2, **values)


def test_korean_particles_never_follow_a_placeholder_by_guesswork() -> None:
    """`{team}이(가)` reads like a form; a fixed noun stands after the placeholder instead."""
    guesses = ("이(가)", "을(를)", "은(는)", "와(과)", "(으)로", "}이 ", "}가 ", "}을 ", "}를 ", "}은 ", "}는 ")
    said = [message.string for message in catalogue.read("ko") if message.id]
    flat = [words for each in said for words in ([each] if isinstance(each, str) else each)]
    assert [words for words in flat for guess in guesses if guess in words] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_thing_has_one_name(language: str) -> None:
    """What is called one thing here and another there is taken for two."""
    said = [message.string for message in catalogue.read(language) if message.id]
    flat = [words for each in said for words in ([each] if isinstance(each, str) else each)]
    others = ANOTHER_WORD[language].items()
    found = [f"{words!r}: say {better}" for words in flat for other, better in others if re.search(other, words)]
    assert found == []


def test_the_requirements_sentences_stand_in_korean_letter_for_letter() -> None:
    """Promised in the requirements, so nobody improves them by accident."""
    t = Translator("ko")
    key = t.gettext("Admin API key registered (ends with ...{ends_with})", ends_with="abc1")
    project = t.gettext("Project ID registered. Cost data is collected from tomorrow.")
    assert key == "Admin API Key가 등록되었습니다 (ends with ...abc1)"
    assert project == "Project ID가 등록되었습니다. 내일부터 비용 데이터가 수집됩니다."
