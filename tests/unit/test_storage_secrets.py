"""Sealed secrets open only for the row, the bytes and the key they were sealed with."""

from __future__ import annotations

import base64
import os

import pytest

from finops.secret import Secret
from storage.errors import MasterKeyInvalid, SecretUnreadable
from storage.secrets import KeyRing, key_id_of

PLAIN = Secret("sk-" + "admin-" + "canary" * 8)
ROW = ("credentials", "T0FINOPS01", "sealed", "1")


def a_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def test_a_sealed_secret_opens_for_its_row() -> None:
    """What went in comes out."""
    ring = KeyRing.generate()
    assert ring.open(ring.seal(PLAIN, *ROW), *ROW) == PLAIN


def test_two_seals_of_one_secret_differ_and_neither_shows_it() -> None:
    """A fresh nonce each time: equal keys cannot be recognised in the database."""
    ring = KeyRing.generate()
    one, other = ring.seal(PLAIN, *ROW), ring.seal(PLAIN, *ROW)
    assert one != other
    assert PLAIN.reveal().encode() not in one + other


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("credentials", "T0FINOPS01", "sealed", "2"),
        ("credentials", "T0OTHER001", "sealed", "1"),
        ("installations", "T0FINOPS01", "sealed", "1"),
        ("credentials", "T0FINOPS01", "other", "1"),
        ("credentials", "T0FINOPS01|sealed", "1"),
        ("credentials", "T0FINOPS01", "sealed1", ""),
    ],
)
def test_a_secret_moved_to_another_row_does_not_open(elsewhere: tuple[str, ...]) -> None:
    """Whoever can write the database still cannot make one team's key act for another."""
    ring = KeyRing.generate()
    with pytest.raises(SecretUnreadable, match="altered or moved"):
        ring.open(ring.seal(PLAIN, *ROW), *elsewhere)


def test_no_flipped_bit_goes_unnoticed() -> None:
    """Version, key id, nonce, text and tag are all authenticated."""
    ring = KeyRing.generate()
    sealed = ring.seal(PLAIN, *ROW)
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(SecretUnreadable):
            ring.open(bytes(broken), *ROW)


@pytest.mark.parametrize("token", [b"", b"\x01", b"\x01\x02k1", b"\x02\x02k1" + bytes(40), b"plain text, not sealed"])
def test_what_is_not_a_sealed_secret_is_refused(token: bytes) -> None:
    """Nonsense in the column is an error, never a value."""
    with pytest.raises(SecretUnreadable):
        KeyRing.generate().open(token, *ROW)


def test_a_truncated_secret_does_not_open() -> None:
    """Half a token is no token."""
    ring = KeyRing.generate()
    with pytest.raises(SecretUnreadable):
        ring.open(ring.seal(PLAIN, *ROW)[:20], *ROW)


def test_an_unknown_key_id_is_named() -> None:
    """The operator learns which master key is missing."""
    sealed = KeyRing.generate("old").seal(PLAIN, *ROW)
    with pytest.raises(SecretUnreadable, match="'old'"):
        KeyRing.generate("new").open(sealed, *ROW)


def test_an_older_key_of_the_ring_still_opens_and_the_first_one_seals() -> None:
    """Rotation needs no pause."""
    old = KeyRing.from_text(f"old:{a_key()}")
    both = KeyRing.from_text(f"new:{a_key()},{old.to_text()}")
    sealed = old.seal(PLAIN, *ROW)
    assert both.open(sealed, *ROW) == PLAIN
    assert not both.is_current(sealed)
    assert key_id_of(both.seal(PLAIN, *ROW)) == both.primary_id == "new"


def test_a_ring_reads_what_it_writes_and_what_people_paste() -> None:
    """Both base64 alphabets, with and without padding and spaces."""
    key = b"\xfb\xff" * 16
    for text in (base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode().rstrip("=")):
        ring = KeyRing.from_text(f" k1:{text} , ")
        assert ring.to_text() == f"k1:{base64.b64encode(key).decode()}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no master key"),
        ("hunter2hunter2", "no colon"),
        ("k1:" + base64.b64encode(b"hunter2").decode(), "7 bytes"),
        ("k1:hunter2!!", "not base64"),
        ("k1:비밀", "not base64"),
        ("k 1:" + base64.b64encode(bytes(32)).decode(), "id is 1 to 32"),
        ("k1:" + base64.b64encode(bytes(32)).decode() + ",k1:" + base64.b64encode(bytes(32)).decode(), "twice"),
    ],
)
def test_a_malformed_master_key_is_refused_without_being_shown(text: str, reason: str) -> None:
    """The sentence says what is wrong and never quotes the key."""
    with pytest.raises(MasterKeyInvalid, match=reason) as refusal:
        KeyRing.from_text(text)
    assert "hunter2" not in str(refusal.value)


def test_a_ring_never_prints_its_keys() -> None:
    """Ids only, in a log as in a debugger."""
    ring = KeyRing.generate("k7")
    assert repr(ring) == str(ring) == "KeyRing(k7)"
