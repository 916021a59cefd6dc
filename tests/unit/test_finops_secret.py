"""Secrets do not show themselves, and pasted keys are known by their shape."""

from __future__ import annotations

import copy
import logging
import traceback
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.keys import KeyKind, cleaned, contains_key, kind_of, redacted
from finops.secret import Secret

# Assembled, so that no scanner takes them for leaks.
ADMIN = "sk-admin-" + "A1b2C3d4E5f6G7h8abc1"
PROJECT = "sk-proj-" + "A1b2C3d4E5f6_G7h8-xyz9"
SERVICE = "sk-svcacct-" + "A1b2C3d4E5f6G7h8xyz9"
ANTHROPIC = "sk-ant-" + "admin01-A1b2C3d4E5f6G7h8"
USER = "sk-" + "A1b2C3d4E5f6G7h8" * 3
SLACK_BOT = "xoxb-" + "123456789012-123456789012-A1b2C3d4"
SLACK_APP = "xapp-" + "1-A0123-456-abcdef0123456789"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
KINDS = {
    ADMIN: KeyKind.ADMIN,
    PROJECT: KeyKind.PROJECT,
    SERVICE: KeyKind.SERVICE_ACCOUNT,
    ANTHROPIC: KeyKind.ANTHROPIC,
    USER: KeyKind.USER,
    "sk-" + "None-A1b2C3d4E5f6G7h8i9": KeyKind.USER,
    SLACK_BOT: KeyKind.OTHER_SECRET,
    SLACK_APP: KeyKind.OTHER_SECRET,
    AWS: KeyKind.OTHER_SECRET,
    "AIza" + "SyA1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8a": KeyKind.OTHER_SECRET,
    "ghp_" + "A1b2C3d4E5f6G7h8A1b2C3d4": KeyKind.OTHER_SECRET,
}


AROUND = [
    *("KEY", "  KEY\n", '"KEY"', "`KEY`", "<KEY>", "\u200bKEY\ufeff", "Bearer KEY", "Authorization: Bearer KEY"),
    *("OPENAI_KEY=KEY", "export OPENAI_KEY='KEY'"),
]


@dataclass(frozen=True)
class Holder:
    secret: Secret


def test_a_secret_shows_itself_in_no_ordinary_way() -> None:
    """repr, str, format, containers, dataclasses, copies, log lines, tracebacks: masked in all."""
    secret = Secret(ADMIN)
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", f"{secret:>30}", "{} {!r}".format(*[secret] * 2),
        repr([secret]), repr({"key": secret}), repr(Holder(secret)), repr(copy.deepcopy(Holder(secret))),
        logging.LogRecord("x", 10, "x", 1, "key %s", (secret,), None).getMessage(),
    ]  # fmt: skip
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown.append("".join(traceback.format_exception(error)))
    assert not [text for text in shown if ADMIN[-8:] in text]
    assert repr(secret) == "Secret('**********')"
    assert secret.reveal() == ADMIN


def test_secrets_are_equal_by_value_and_to_secrets_only() -> None:
    """A plain text is not a secret, even the same one; non-ASCII does not break the comparison."""
    assert Secret(ADMIN) == Secret(ADMIN)
    assert Secret(ADMIN) != Secret(PROJECT)
    assert Secret("한글비밀") != Secret("비밀한글")
    assert Secret(ADMIN) != ADMIN
    assert len({Secret(ADMIN), Secret(ADMIN)}) == 1
    assert not hasattr(Secret(ADMIN), "__dict__")


def test_only_the_last_four_characters_are_told_and_only_of_a_long_secret() -> None:
    """Four of twenty say which key; four of eight would be half of it."""
    assert Secret(ADMIN).ends_with == "abc1"
    assert Secret("hunter22").ends_with == ""
    with pytest.raises(ValueError, match="empty"):
        Secret("")


@pytest.mark.parametrize(("key", "kind"), KINDS.items(), ids=[key[:9] for key in KINDS])
def test_a_key_is_known_by_its_shape(key: str, kind: KeyKind) -> None:
    """Alone, quoted, with its variable or header in front, or with what a phone adds around it."""
    for around in AROUND:
        pasted = around.replace("OPENAI_KEY", "OPENAI").replace("KEY", key)
        assert kind_of(pasted) is kind
        assert cleaned(pasted) == key
        assert contains_key(pasted)


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "sk-", "sk-admin-", "sk-admin-...abc1", "sk-admin-***", "마케팅팀 지난주", "/finops status 7d"),
        *("task-force-admin-meeting-2026", "risk-management-and-review-2026", "disk-ant-farmland-2026"),
        *("proj_abc123", "org-abc123", "U0JIHOON01", f"{ADMIN} {ADMIN}", "sk-learn-is-a-library-we-use"),
    ],
)
def test_ordinary_words_are_not_keys(text: str) -> None:
    """A refusal for a harmless word would teach people to ignore us."""
    assert kind_of(text) is KeyKind.NOT_A_KEY
    if ADMIN not in text:
        assert not contains_key(text)
        assert redacted(text) == text


@pytest.mark.parametrize("key", KINDS, ids=[key[:9] for key in KINDS])
def test_a_key_inside_a_sentence_is_found_and_taken_out(key: str) -> None:
    """Also between Korean particles and punctuation, where no space tells where it ends."""
    for sentence in (
        f"/finops key {key}",
        f"키는 {key}입니다",
        f"key:{key}.",
        f"<mailto:{key}|x>",
        f"({key})",
        f"키{key}",
    ):
        assert contains_key(sentence)
        assert key[-8:] not in redacted(sentence)
        assert not contains_key(redacted(sentence))


@given(st.text(), st.sampled_from(list(KINDS)), st.text())
def test_no_text_around_a_key_hides_it(before: str, key: str, after: str) -> None:
    """Unless a letter or digit is glued to its beginning, which makes it another word."""
    if before and before[-1].isascii() and before[-1].isalnum():
        before += " "
    text = before + key + after
    assert contains_key(text)
    assert not contains_key(redacted(text))


@given(st.text())
def test_taking_keys_out_twice_is_taking_them_out_once(text: str) -> None:
    """And a text without keys stays as it is."""
    assert redacted(redacted(text)) == redacted(text)
    assert contains_key(text) or redacted(text) == text
