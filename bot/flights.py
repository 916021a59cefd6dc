"""Flights: many who ask the same at once share one answer, and nobody gets one older than their question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Flights(Generic[K, V]):
    """At most one answer for each key is being worked out, and at most one more is waited for.

    Whoever asks while one is under way boards the next: it starts after they asked, so it sees what they just wrote.
    A crowd therefore costs two answers instead of hundreds, and nothing is ever remembered.
    """

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._boarding: dict[K, asyncio.Task[V]] = {}
        self._flying: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """An answer that was begun after this call."""
        boarding = self._boarding.get(key)
        if boarding is None:
            boarding = asyncio.create_task(self._fly(key, self._flying.get(key)), name=f"flight {key}")
            self._boarding[key] = boarding
        # One passenger giving up must not turn the others back.
        return await asyncio.shield(boarding)

    async def _fly(self, key: K, before: asyncio.Task[V] | None) -> V:
        if before is not None:
            await asyncio.wait([before])
        flight = self._boarding.pop(key)
        self._flying[key] = flight
        try:
            return await self._work(key)
        finally:
            if self._flying.get(key) is flight:
                del self._flying[key]
