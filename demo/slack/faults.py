"""Failures on demand: the next calls of a method answer an error, late, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from demo.slack.wire import JSON, ApiError

ODD_ANSWERS = ("html", "plain", "truncated", "cut_off")


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of `method` (`*` is any; `None` times is until taken away)."""

    method: str
    error: str | None = None  # ratelimited, internal_error, or any other Slack code
    status: int | None = None  # an HTTP status instead of an answer
    times: int | None = 1
    retry_after: int = 1
    delay_seconds: float = 0.0
    drop_connection: str | None = None  # "before" Slack did it, or "after" it did
    answer: str | None = None  # Slack did it, and its answer is none: one of ODD_ANSWERS
    where: JSON = field(default_factory=dict)  # only calls with these arguments

    @classmethod
    def from_json(cls, body: Any) -> Fault:
        """Read what was posted to `/_sim/slack/faults`; `error` may be an HTTP status in digits."""
        if not isinstance(body, dict) or not isinstance(body.get("method"), str):
            raise ApiError.arguments("missing required field: method")
        error: Any = body.get("error")
        status: Any = body.get("status")
        if isinstance(error, int) or (isinstance(error, str) and error.isdigit()):
            error, status = None, int(error)
        drop = body.get("drop_connection")
        if drop is True:
            drop = "before"
        if drop not in (None, False, "before", "after"):
            raise ApiError.arguments('drop_connection must be true, "before" or "after"')
        answer = body.get("answer")
        if answer not in (None, *ODD_ANSWERS):
            raise ApiError.arguments(f"answer must be one of {', '.join(ODD_ANSWERS)}")
        times: Any = body.get("times", 1)
        return cls(
            method=body["method"],
            error=error,
            status=status,
            times=None if times in (None, "always") else int(times),
            retry_after=int(body.get("retry_after", 1)),
            delay_seconds=float(body.get("delay_seconds", 0)),
            drop_connection=drop or None,
            answer=answer,
            where=dict(body.get("where") or {}),
        )

    def to_json(self) -> JSON:
        """The same in words, for whoever asks which faults stand."""
        return {
            "method": self.method,
            "error": self.error,
            "status": self.status,
            "times": self.times,
            "retry_after": self.retry_after,
            "delay_seconds": self.delay_seconds,
            "drop_connection": self.drop_connection,
            "answer": self.answer,
            "where": self.where,
        }


class Faults:
    """The faults that stand, oldest first."""

    def __init__(self) -> None:
        self.standing: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault stand."""
        self.standing.append(fault)

    def take(self, method: str, args: JSON) -> Fault | None:
        """The fault that meets this call, used up by one."""
        for fault in self.standing:
            if fault.method not in ("*", method):
                continue
            if any(args.get(name) != value for name, value in fault.where.items()):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.standing.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        """Take all faults away."""
        self.standing.clear()
