"""What Slack was told and what Slack told the app, in order, and a way to wait for the next of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.slack.wire import JSON


@dataclass(slots=True)
class Call:
    """One call of the Web API, or one use of a `response_url` (method `response_url`)."""

    method: str
    args: JSON
    at: datetime
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    http_method: str = "POST"
    status: int = 200
    response: JSON = field(default_factory=dict)
    message: JSON | None = None  # the message that came of it, with its channel

    @property
    def ok(self) -> bool:
        """Whether Slack answered `ok`."""
        return bool(self.response.get("ok"))

    @property
    def error(self) -> str | None:
        """Slack's error code, when it refused."""
        return self.response.get("error")

    @property
    def text(self) -> str:
        """The text of the message given, if any."""
        return str(self.args.get("text") or "")

    @property
    def blocks(self) -> list[JSON]:
        """The blocks given, in the message or in the view."""
        view = self.args.get("view")
        found = view.get("blocks") if isinstance(view, dict) else self.args.get("blocks")
        return found if isinstance(found, list) else []


@dataclass(slots=True)
class Delivery:
    """One payload handed to the app and what came back."""

    kind: str  # event, block_actions, view_submission, view_closed, block_suggestion, command
    payload: JSON
    at: datetime
    transport: str
    ok: bool = False
    status: int | None = None
    error: str | None = None
    answer: Any = None
    seconds: float = 0.0
    retry_num: int = 0


@dataclass(slots=True)
class Complaint:
    """Something the app did that Slack would have shown as a failure to a person or swallowed in silence."""

    what: str
    detail: str
    at: datetime


class Journal:
    """Every call, delivery and complaint, with awaitable `next`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.complaints: list[Complaint] = []
        self._cursors: dict[str, int] = {}
        self._arrived = asyncio.Condition()

    async def add(self, call: Call) -> None:
        """Write down a finished call and wake whoever waits."""
        self.calls.append(call)
        async with self._arrived:
            self._arrived.notify_all()

    async def add_delivery(self, delivery: Delivery) -> None:
        """Write down a finished delivery and wake whoever waits."""
        self.deliveries.append(delivery)
        async with self._arrived:
            self._arrived.notify_all()

    async def next(self, method: str, timeout_seconds: float, where: Callable[[Call], bool] | None) -> Call:
        """The next call of `method` that no earlier `next(method)` has returned; waits for it."""

        def find() -> Call | None:
            for index in range(self._cursors.get(method, 0), len(self.calls)):
                call = self.calls[index]
                if call.method == method and (where is None or where(call)):
                    self._cursors[method] = index + 1
                    return call
            return None

        found: Call | None = None

        def ready() -> bool:
            nonlocal found
            found = find()
            return found is not None

        await self.wait_until(ready, timeout_seconds, f"no {method} within {timeout_seconds} s")
        assert found is not None
        return found

    async def wait_until(self, true: Callable[[], bool], timeout_seconds: float, otherwise: str) -> None:
        """Wait until something the journal can see has become true."""
        try:
            async with asyncio.timeout(timeout_seconds), self._arrived:
                await self._arrived.wait_for(true)
        except TimeoutError:
            seen = ", ".join(f"{call.method}{'' if call.ok else f' ({call.error})'}" for call in self.calls[-12:])
            raise TimeoutError(f"{otherwise}; the last calls were: {seen or 'none'}") from None

    def forget(self) -> None:
        """Start with empty pages."""
        self.calls.clear()
        self.deliveries.clear()
        self.complaints.clear()
        self._cursors.clear()
