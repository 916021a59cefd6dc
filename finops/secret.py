"""Secrets: values that can be used but not shown by accident."""

from __future__ import annotations

from hmac import compare_digest

MASK = "Secret('**********')"


class Secret:
    """A value that never shows itself: `repr`, `str` and formatting are masked; only `reveal()` tells it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("a secret cannot be empty")
        self._value = value

    def reveal(self) -> str:
        """The plain value, for the one place that must send or seal it."""
        return self._value

    @property
    def ends_with(self) -> str:
        """The last four characters, which people recognise a key by; nothing of a secret too short to spare them."""
        return self._value[-4:] if len(self._value) >= 12 else ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)
