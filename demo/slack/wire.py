"""The small words every room of the simulated Slack shares: JSON, the clock, ids, timestamps and errors."""

from __future__ import annotations

import itertools
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

JSON = dict[str, Any]
Told = TypeVar("Told")
Clock = Callable[[], datetime]

_LETTERS = string.ascii_uppercase + string.digits


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


def copied(told: Told) -> Told:
    """JSON of one's own. Every look at a screen is one, and `deepcopy`, which knows more than JSON, takes ten times as
    long over it."""
    if isinstance(told, dict):
        return {name: copied(each) for name, each in told.items()}  # type: ignore[return-value]
    if isinstance(told, list):
        return [copied(each) for each in told]  # type: ignore[return-value]
    return told


def random_id(prefix: str, length: int = 10) -> str:
    """An id as Slack writes them: a letter for the kind, then capitals and digits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def short_id() -> str:
    """The kind of id Slack invents for a block or an element that came without one."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))


class Stamps:
    """Message timestamps: seconds and a counter of six digits, never twice the same, never backwards."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """The next `ts`."""
        now = int(self._clock().timestamp() * 1_000_000)
        self._last = max(now, self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


class Counter:
    """Numbers that count up from one, for ids a reader can follow."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def next(self) -> int:
        """The next number."""
        return next(self._numbers)


class ApiError(Exception):
    """Slack says no: `{"ok": false, "error": code}` with HTTP 200, as logical errors always are."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more

    @classmethod
    def arguments(cls, *messages: str) -> ApiError:
        """`invalid_arguments`, saying which."""
        return cls("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})

    def body(self) -> JSON:
        """The answer on the wire."""
        return {"ok": False, "error": self.code, **self.more}
