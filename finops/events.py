"""Recorded calls: what applications tell of a call and of how it ended, put together in whatever order it arrives."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from finops.frozen import frozen
from finops.value import Outcome, ValueSums

# An older event is refused, so that its id need not be kept for ever and a replay can never count twice.
OLDEST = timedelta(days=30)
# Clocks differ; an event from further ahead tells of a call that was not made yet.
FURTHEST_AHEAD = timedelta(minutes=10)
# So many calls alike one event tells of at the most.
MOST_CALLS = 1_000_000
_NANO = 10**9

LONGEST_TOKEN_NAME = 40
TOKEN_PREFIX = "fin_"  # noqa: S105 - what every token begins with, and no token
_TOKEN = re.compile(TOKEN_PREFIX + "[A-Za-z0-9_-]{43}")


def is_token(text: str) -> bool:
    """Whether this has the form of an event token: `fin_` and 43 letters, which hold 256 random bits."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(text: str) -> str:
    """What is kept of a token: its SHA-256. A token is random, so nobody finds it from that."""
    return hashlib.sha256(text.encode()).hexdigest()


@frozen
class RecordedCall:
    """What one event tells of one call, or of several alike. What is None, or a name that is '', was not told.

    Of several `calls` the names, the outcome and the score are each one's; tokens and latency are all of theirs.
    `event_id` makes it count once; `request_id` names the call it tells of, so that a later event may tell how the
    call ended. `user_key` is a keyed hash of the application's own user id. `score` is in thousandths (0 to 1000).
    `cost_nano` and `cost_rest` are the estimate of the call (finops.money), None where it cannot be priced.
    """

    event_id: str
    request_id: str
    at: datetime
    task: str = ""
    intent: str = ""
    experiment: str = ""
    segment: str = ""
    model: str = ""
    user_key: str = ""
    calls: int = 1
    outcome: Outcome | None = None
    score: int | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    cost_nano: int | None = None
    cost_rest: int | None = None

    @property
    def tells_tokens(self) -> bool:
        return self.input_tokens is not None or self.output_tokens is not None


@frozen
class ToldCall:
    """An event as an application told it: `user` is its own user id in the open, which is kept nowhere.

    `provider` is whose model it was ('' where it does not say).
    """

    call: RecordedCall
    user: str = ""
    provider: str = ""


class Call(NamedTuple):
    """What all events together tell of one call, or of `calls` alike. A tuple, because there are very many.

    `at` is the time of the earliest of them: the call came before its end. `outcome_at` and `score_at` are the times
    of the events that told those.
    """

    at: datetime
    task: str = ""
    intent: str = ""
    experiment: str = ""
    segment: str = ""
    model: str = ""
    user_key: str = ""
    calls: int = 1
    outcome: Outcome | None = None
    outcome_at: datetime | None = None
    score: int | None = None
    score_at: datetime | None = None
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    cost_nano: int | None = None
    cost_rest: int | None = None

    @property
    def is_priced(self) -> bool:
        return self.cost_nano is not None

    @property
    def cost(self) -> tuple[int, int]:
        """The estimate of all its calls as nano-units and rest; nothing where it has none."""
        return self.cost_nano or 0, self.cost_rest or 0

    @property
    def cost_of_one(self) -> tuple[int, int]:
        """The same of one of its calls, rounded down to the rest."""
        nano, rest = self.cost
        return divmod((nano * _NANO + rest) // self.calls, _NANO)

    def sums(self) -> ValueSums:
        """Its calls as sums: counts are theirs, and tokens, latency and cost were told of all of them together."""
        calls, (nano, rest) = self.calls, self.cost
        return ValueSums(
            calls=calls,
            successes=calls * (self.outcome is Outcome.SUCCESS),
            failures=calls * (self.outcome is Outcome.FAILURE),
            scored=calls * (self.score is not None),
            score_sum=calls * (self.score or 0),
            timed=calls * (self.latency_ms is not None),
            latency_ms=self.latency_ms or 0,
            input_tokens=self.input_tokens or 0,
            cached_input_tokens=self.cached_input_tokens or 0,
            output_tokens=self.output_tokens or 0,
            priced=calls * self.is_priced,
            cost_nano=nano,
            cost_rest=rest,
        )


# What an event tells of a call under the call's own names.
_TOLD_BY_ONE = tuple(name for name in Call._fields if name not in ("outcome_at", "score_at"))


def told(known: Call | None, event: RecordedCall) -> Call:
    """What is known of a call once an event has told more of it.

    What is unknown is filled in. A name, the tokens (together with their cost) or the latency told twice stays as it
    was told first; of two outcomes or scores the one of the later event counts, and of two counts of calls the larger:
    who tells only how they ended need not count them again. So the order in which the events of a
    call arrive matters only where they contradict each other.
    """
    if known is None:
        return _first(event)
    fresh = _first(event)
    changes: dict[str, Any] = {
        name: getattr(fresh, name)
        for name in ("task", "intent", "experiment", "segment", "model", "user_key")
        if not getattr(known, name)
    }
    if event.tells_tokens and known.input_tokens is None and known.output_tokens is None:
        for name in ("input_tokens", "cached_input_tokens", "output_tokens", "cost_nano", "cost_rest"):
            changes[name] = getattr(fresh, name)
    if known.latency_ms is None:
        changes["latency_ms"] = fresh.latency_ms
    if event.outcome is not None and (known.outcome_at is None or known.outcome_at <= event.at):
        changes |= {"outcome": event.outcome, "outcome_at": event.at}
    if event.score is not None and (known.score_at is None or known.score_at <= event.at):
        changes |= {"score": event.score, "score_at": event.at}
    return known._replace(at=min(known.at, event.at), calls=max(known.calls, event.calls), **changes)


def _first(event: RecordedCall) -> Call:
    same: dict[str, Any] = {name: getattr(event, name) for name in _TOLD_BY_ONE}
    return Call(
        **same,
        outcome_at=None if event.outcome is None else event.at,
        score_at=None if event.score is None else event.at,
    )
