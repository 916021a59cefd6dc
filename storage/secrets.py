"""Secrets at rest: sealed with AES-256-GCM, bound to their row, opened nowhere else.

A sealed secret is `version | length of key id | key id | nonce | ciphertext`. The header and the identity of the row
(table, workspace, column, row id) are authenticated with it, so a value copied into another row, or altered by one
bit, does not open.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import re
from collections.abc import Callable, Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from finops.secret import Secret
from storage.errors import MasterKeyInvalid, SecretUnreadable

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")


class KeyRing:
    """The master keys: the first one seals, every one opens. Never shows a key in print or in an error."""

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        self._keys: dict[str, bytes] = {}
        for key_id, key in keys:
            if not _KEY_ID.fullmatch(key_id):
                raise MasterKeyInvalid("a master key is written id:base64, and the id is 1 to 32 of A-Z a-z 0-9 _ . -")
            if key_id in self._keys:
                raise MasterKeyInvalid(f"master key id {key_id!r} is given twice")
            if len(key) != _KEY_BYTES:
                raise MasterKeyInvalid(f"master key {key_id!r} has {len(key)} bytes; it needs exactly {_KEY_BYTES}")
            self._keys[key_id] = key
        if not self._keys:
            raise MasterKeyInvalid("no master key was given")
        self.primary_id = next(iter(self._keys))

    @classmethod
    def from_text(cls, text: str) -> KeyRing:
        """Read `id:base64[,id:base64…]`. The first key seals; keep the older ones until `rotate-keys` has run."""
        return cls(_parsed(part.strip()) for part in text.split(",") if part.strip())

    @classmethod
    def generate(cls, key_id: str = "k1") -> KeyRing:
        """A ring with one fresh random key."""
        return cls([(key_id, AESGCM.generate_key(bit_length=_KEY_BYTES * 8))])

    def to_text(self) -> str:
        """The form `from_text` reads. This *is* the master key: write it to a 0600 file and nowhere else."""
        return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in self._keys.items())

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    def seal(self, secret: Secret, *identity: str) -> bytes:
        """Encrypt for exactly this row; two seals of one secret differ."""
        return self._sealed(self.primary_id, secret, identity)

    def seal_as(self, before: bytes | None, secret: Secret, *identity: str) -> bytes:
        """`seal`, with the key that sealed `before`; with our oldest where there is none, or it is not ours.

        While the master key is being changed that is the one which every copy of the bot has.
        """
        known = None if before is None else _id_or_none(before)
        return self._sealed(known if known in self._keys else next(reversed(self._keys)), secret, identity)

    def _sealed(self, key_id: str, secret: Secret, identity: tuple[str, ...]) -> bytes:
        name = key_id.encode()
        header = bytes((_VERSION, len(name))) + name + os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[key_id]).encrypt(
            header[-_NONCE_BYTES:], secret.reveal().encode(), _associated(header, identity)
        )
        return header + sealed

    def open(self, token: bytes, *identity: str) -> Secret:
        """Decrypt what `seal` made for this row; raises SecretUnreadable for anything else."""
        key_id = key_id_of(token)
        key = self._keys.get(key_id)
        if key is None:
            raise SecretUnreadable(
                f"{_named(identity)} was sealed with master key {key_id!r}, which is not configured; add it to the ring"
            )
        size = 2 + token[1] + _NONCE_BYTES
        header, sealed = token[:size], token[size:]
        try:
            return Secret(AESGCM(key).decrypt(header[-_NONCE_BYTES:], sealed, _associated(header, identity)).decode())
        except (InvalidTag, ValueError) as problem:
            raise SecretUnreadable(
                f"{_named(identity)} does not open with master key {key_id!r}: it was altered or moved"
            ) from problem

    def pseudonyms(self, *purpose: str) -> Callable[[str], str]:
        """A way to name people without saying who they are, the same for as long as the first key is: 24 letters.

        For one purpose only: two purposes give one person two names. Without the key nobody can try names out.
        """
        key = hmac.digest(self._keys[self.primary_id], json.dumps(["pseudonyms", *purpose]).encode(), "sha256")
        return lambda name: base64.urlsafe_b64encode(hmac.digest(key, name.encode(), "sha256")[:18]).decode()

    def is_current(self, token: bytes) -> bool:
        """Whether the first key of the ring sealed this."""
        return key_id_of(token) == self.primary_id


def key_id_of(token: bytes) -> str:
    """The id of the master key that sealed `token`."""
    if len(token) < 2 or token[0] != _VERSION or len(token) < 2 + token[1] + _NONCE_BYTES:
        raise SecretUnreadable("this is not a sealed secret of a version we know")
    return token[2 : 2 + token[1]].decode("ascii", "replace")


def _id_or_none(token: bytes) -> str | None:
    try:
        return key_id_of(token)
    except SecretUnreadable:
        return None


def _associated(header: bytes, identity: tuple[str, ...]) -> bytes:
    return header + json.dumps(identity).encode()


def _named(identity: tuple[str, ...]) -> str:
    return "the secret " + "|".join(identity)


def _parsed(part: str) -> tuple[str, bytes]:
    key_id, colon, encoded = part.partition(":")
    if not colon:
        raise MasterKeyInvalid("a master key is written id:base64; there is no colon")
    try:
        # Both base64 alphabets, with or without padding: people paste what their tool printed.
        plain = encoded.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
        return key_id.strip(), base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise MasterKeyInvalid(f"master key {key_id.strip()!r} is not base64") from problem
