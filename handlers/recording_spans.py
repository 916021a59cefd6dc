"""Spans of OpenTelemetry as recorded calls: the GenAI conventions, and our own `finops.` attributes beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from finops.events import RecordedCall, ToldCall
from finops.frozen import frozen
from finops.value import Outcome
from handlers import recording_events as fields

# Which attribute tells what: the newest name first, then those that older instrumentations still write. Whatever is
# not named here is not even read: prompts, answers, tools' arguments.
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "cached_input_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.cache_read_input_tokens",  # OpenLLMetry
        "ai.usage.cachedInputTokens",  # Vercel's AI SDK, whose other names are the conventions' own
    ),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "user": ("user.id", "enduser.id"),
    "calls": ("finops.calls",),
    "task": ("finops.task",),
    "intent": ("finops.intent",),
    "experiment": ("finops.experiment",),
    "segment": ("finops.segment",),
    "outcome": ("finops.outcome",),
    "score": ("finops.score",),
    "request_id": ("finops.request_id",),
}
OPERATION = "gen_ai.operation.name"
READ = frozenset(key for keys in ATTRIBUTES.values() for key in keys) | {OPERATION}
# One request to a model each. An agent's or a tool's span holds such calls, and would count them twice.
_CALLS = frozenset(("chat", "generate_content", "text_completion", "embeddings"))


def _provider(value: Any) -> str:
    """Whose model it was. Vercel's AI SDK names the door beside the house: `openai.responses`."""
    named = fields.provider_name(value)
    return "openai" if named.startswith("openai.") else named


_READERS: dict[str, Callable[[Any], Any]] = {
    "model": fields.name,
    "provider": _provider,
    "input_tokens": fields.tokens,
    "cached_input_tokens": fields.tokens,
    "output_tokens": fields.tokens,
    "user": fields.user_id,
    "calls": fields.calls,
    "task": fields.name,
    "intent": fields.name,
    "experiment": fields.name,
    "segment": fields.name,
    "outcome": fields.outcome,
    "score": fields.score,
    "request_id": fields.identity,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_NANO = 2**63
_UNSET, _OK, _ERROR = 0, 1, 2
# In the place of an attribute's value that nobody can read: it refuses the span that is a call, and no other.
UNREADABLE: Any = object()
_OUTCOMES = {_OK: Outcome.SUCCESS, _ERROR: Outcome.FAILURE}


@frozen
class Span:
    """As much of a span as is read, whatever it was written in. Ids are in hex, times in nanoseconds since 1970.

    `attributes` hold those named in READ, of the span, its events, and its resource where the span has none; UNREADABLE
    where a value is not what OTLP writes. `fault` says why nothing of it could be read ('' where it could).
    """

    trace_id: str
    span_id: str
    started: int
    ended: int
    status: int
    attributes: Mapping[str, Any]
    fault: str = ""

    @classmethod
    def at_fault(cls, why: str) -> Span:
        """A span that could not be read; `why` repeats nothing of it."""
        return cls("", "", 0, 0, _UNSET, {}, why)


@dataclass(slots=True)
class ReadSpans:
    """What spans told: calls, how many were refused and why the first of them, and how many tell of no call."""

    told: list[ToldCall] = field(default_factory=list)
    refused: int = 0
    why: str = ""
    ignored: int = 0

    def refuse(self, why: str) -> None:
        self.refused += 1
        self.why = self.why or why


def told_by(spans: list[Span], now: datetime) -> ReadSpans:
    """The calls that spans tell of. One span's mistake refuses that span only: the others still count."""
    read = ReadSpans()
    for span in spans:
        if span.fault:
            read.refuse(span.fault)
            continue
        if not _is_ours(span.attributes):
            read.ignored += 1
            continue
        try:
            read.told.append(_call(span, now))
        except fields.Wrong as wrong:
            read.refuse(str(wrong))
    return read


def _is_ours(attributes: Mapping[str, Any]) -> bool:
    """A call of a model, or word of how one ended."""
    if "finops.request_id" in attributes:
        return True
    operation = attributes.get(OPERATION)
    if operation is not None:
        return not isinstance(operation, str) or operation in _CALLS  # nonsense is ours to refuse, and to say so
    return any(key in attributes for key in ATTRIBUTES["model"])


def _call(span: Span, now: datetime) -> ToldCall:
    if not span.trace_id or not span.span_id:
        raise fields.Wrong("a span has a trace id and a span id")
    if not isinstance(span.attributes.get(OPERATION, ""), str):
        raise fields.Wrong(f"{OPERATION} is a text")
    values = {name: _read(name, span.attributes) for name in _READERS}
    at = _at(span.started)
    if problem := fields.untimely(at, now):
        raise fields.Wrong(f"startTimeUnixNano {problem}")
    for name, problem in fields.too_much(values):
        raise fields.Wrong(f"{ATTRIBUTES[name][0]} {problem}")
    event_id = f"{span.trace_id}:{span.span_id}"
    told = {name: value for name, value in values.items() if value is not None}
    user, provider = told.pop("user", ""), told.pop("provider", "")
    request_id = told.pop("request_id", event_id)
    told.setdefault("outcome", _OUTCOMES.get(span.status))
    # Of a span that tells how another ended, or of many calls, the duration is no call's.
    if request_id == event_id and told.get("calls", 1) == 1:
        told["latency_ms"] = max(0, min((span.ended - span.started) // 10**6, fields.MOST_LATENCY_MS))
    return ToldCall(RecordedCall(event_id, request_id, at, **told), user, provider)


def _read(name: str, attributes: Mapping[str, Any]) -> Any:
    for key in ATTRIBUTES[name]:
        if key in attributes:
            if attributes[key] is UNREADABLE:
                raise fields.Wrong(f"{key} has a value that OTLP does not write")
            try:
                return _READERS[name](attributes[key])
            except fields.Wrong as wrong:
                raise fields.Wrong(f"{key} {wrong}") from None
    return None


def _at(nano: int) -> datetime:
    if not 0 < nano < _LAST_NANO:
        raise fields.Wrong("startTimeUnixNano is a time")
    return _EPOCH + timedelta(microseconds=nano // 1000)
