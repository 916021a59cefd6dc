"""Keys: what kind of secret a pasted text is, decided by its shape alone and before anybody is asked."""

from __future__ import annotations

import re
from enum import StrEnum


class KeyKind(StrEnum):
    """What a pasted text is. Only ADMIN can read an organization's bill."""

    ADMIN = "admin"
    PROJECT = "project"
    SERVICE_ACCOUNT = "service_account"
    USER = "user"
    ANTHROPIC = "anthropic"
    OTHER_SECRET = "other_secret"  # noqa: S105 - a kind of key, not a key
    NOT_A_KEY = "not_a_key"


_BODY = r"[A-Za-z0-9_\-]"
# First match wins: the legacy user key ("sk-" and letters) would swallow all the newer kinds.
_SHAPES: tuple[tuple[KeyKind, str], ...] = (
    (KeyKind.ADMIN, rf"sk-admin-{_BODY}{{8,}}"),
    (KeyKind.PROJECT, rf"sk-proj-{_BODY}{{8,}}"),
    (KeyKind.SERVICE_ACCOUNT, rf"sk-svcacct-{_BODY}{{8,}}"),
    (KeyKind.ANTHROPIC, rf"sk-ant-{_BODY}{{8,}}"),
    (KeyKind.USER, rf"sk-(?:None-)?(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9]{_BODY}{{18,}}"),
    (KeyKind.OTHER_SECRET, rf"(?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-{_BODY}{{8,}}"),
    (KeyKind.OTHER_SECRET, r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    (KeyKind.OTHER_SECRET, rf"fin_{_BODY}{{43}}"),  # our own event tokens
    (KeyKind.OTHER_SECRET, r"AIza[A-Za-z0-9_\-]{35}"),
    (KeyKind.OTHER_SECRET, r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
)
_WHOLE = tuple((kind, re.compile(shape)) for kind, shape in _SHAPES)
# Inside a sentence: not in the middle of a word ("task-force-…"), however long the key goes on.
_INSIDE = re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(shape for _, shape in _SHAPES) + ")")
# What copying brings along: blanks, quotes, code marks, invisible joiners, the words before the key.
_WRAPPING = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff\"'`“”‘’<>,;"
_BEFORE = re.compile(r"^(?:authorization\s*:\s*)?(?:bearer\s+|(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*)", re.IGNORECASE)


def cleaned(text: str) -> str:
    """The key inside what a person pasted: without quotes, line ends, `Bearer` or `OPENAI_ADMIN_KEY=` around it."""
    return _BEFORE.sub("", text.strip(_WRAPPING)).strip(_WRAPPING)


def kind_of(text: str) -> KeyKind:
    """The kind of key a pasted text is, by its shape; whether it works only the provider can say."""
    key = cleaned(text)
    return next((kind for kind, shape in _WHOLE if shape.fullmatch(key)), KeyKind.NOT_A_KEY)


def contains_key(text: str) -> bool:
    """Whether any part of the text has the shape of a secret; such text is refused and never repeated."""
    return _INSIDE.search(text) is not None


def redacted(text: str) -> str:
    """The text with every secret replaced by its recognisable beginning: `sk-admin-…`."""
    return _INSIDE.sub(lambda found: _beginning(found.group()) + "…", text)


def _beginning(key: str) -> str:
    known = r"fin_|sk-(?:admin|proj|svcacct|ant)-|sk-|xox[a-z]|xapp-|AKIA|ASIA|AIza|gh[pousr]_|github_pat_"
    prefix = re.match(known, key)
    return prefix.group() if prefix else ""
