"""Catalogues: sentences found in the source, their translations, and what is wrong between the two."""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LANGUAGES = ("ko", "en", "ja")
_HERE = Path(__file__).parent
_SPEAKING_ROOMS = ("blocks", "locales", "handlers", "jobs")

MessageKey = tuple[str, str | None]


class _Catalogue(Catalog):
    """A catalogue whose header says what is read again, and no more.

    Babel's also tells when it was written: of two changes of words, one would always be in the other's way.
    """

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def path_of(language: str) -> Path:
    """Where a language keeps its words."""
    return _HERE / language / "messages.po"


def read(language: str) -> Catalog:
    """The catalogue of a language, as translators wrote it."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def load(language: str) -> GNUTranslations:
    """A catalogue ready for look-ups, compiled in memory: no compiled file can ever be stale."""
    compiled = BytesIO()
    write_mo(compiled, read(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def extracted() -> Catalog:
    """Every sentence the source asks a translator for, with the comments meant for people; looked for once."""
    found = Catalog(fuzzy=False)
    for room in _SPEAKING_ROOMS:
        folder = _HERE.parent / room
        if not folder.is_dir():
            continue
        for name, line, message, comments, context in extract_from_dir(
            folder, method_map=[("**.py", "python")], comment_tags=["i18n:"], strip_comment_tags=True
        ):
            found.add(message, locations=[(f"{room}/{name}", line)], auto_comments=comments, context=context)
    return found


def update(language: str) -> list[str]:
    """Bring a language's file up to date with the source; returns the sentences that now need a translator."""
    before = read(language) if path_of(language).exists() else Catalog(locale=language)
    name = before.locale.english_name
    header = f"# The words of FinOps for AI in {name}; `.venv/bin/python -m locales` keeps them in order."
    after = _Catalogue(locale=language, charset="utf-8", fuzzy=False, header_comment=header)
    waiting = []
    for message in _sentences(extracted()):
        known = before.get(_msgid(message), message.context)
        words = known.string if known else ("" if isinstance(message.id, str) else ("",) * after.num_plurals)
        if language == "en" and not _is_translated(words):
            words = message.id
        if not _is_translated(words):
            waiting.append(_msgid(message))
        after.add(message.id, words, auto_comments=message.auto_comments, context=message.context)
    path_of(language).parent.mkdir(exist_ok=True)
    with path_of(language).open("wb") as file:
        write_po(file, after, width=120, omit_header=False, sort_output=True)
    return waiting


def problems(language: str) -> list[str]:
    """What a reader of `language` would stumble over: one line for each fault, none when the catalogue is whole."""
    source = {_key(message): message for message in _sentences(extracted())}
    catalogue = read(language)
    known = {_key(message): message for message in _sentences(catalogue)}
    found = [f"missing: {key[0]!r}" for key in source if key not in known]
    found += [f"stale: {key[0]!r}" for key in known if key not in source]
    for key, message in known.items():
        if message.fuzzy:
            found.append(f"fuzzy: {key[0]!r}")
        found += [f"{fault}: {key[0]!r}" for fault in _faults(message, catalogue.num_plurals)]
    return found


def _faults(message: Message, plural_forms: int) -> Iterator[str]:
    sources = _forms(message.id)
    forms = _forms(message.string)
    if not _is_translated(message.string):
        yield "empty"
        return
    if len(sources) > 1 and len(forms) != plural_forms:
        yield f"{len(forms)} plural forms instead of {plural_forms}"
    wanted = set().union(*(placeholders(text) for text in sources))
    for form in forms:
        if placeholders(form) != wanted:
            yield f"placeholders {sorted(placeholders(form))} instead of {sorted(wanted)}"


def placeholders(text: str) -> set[str]:
    """The names between braces; a translation keeps exactly these."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _sentences(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _msgid(message: Message) -> str:
    return _forms(message.id)[0]


def _key(message: Message) -> MessageKey:
    return _msgid(message), message.context


def _forms(words: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [words] if isinstance(words, str) else list(words or ())


def _is_translated(words: str | list[str] | tuple[str, ...] | None) -> bool:
    return bool(words) and all(_forms(words))
