"""Metrics: what an operator watches. One registry per application, so that two in one process never mix."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from finops.holds import HoldState
from finops.levers import Lever

# Slack gives three seconds: the buckets are finest where an answer becomes too late.
ACK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
# Promised: within a minute of our seeing it, within five of the provider's telling it.
ALERT_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
# Promised: a limit is set within ten seconds of the click.
STOP_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 900.0)


@dataclass(slots=True)
class Answer:
    """What became of one request from Slack; the caller writes the status before the measuring ends."""

    status: int = 500


class ProviderAddress(Protocol):
    @property
    def host(self) -> str: ...


class ProviderResponse(Protocol):
    """As much of an HTTP response as is counted."""

    @property
    def status_code(self) -> int: ...

    @property
    def url(self) -> ProviderAddress: ...


class _Counted(logging.Handler):
    """Writes nothing down: counts."""

    def __init__(self, errors: Counter) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.labels(record.name).inc()


class Metrics:
    """The counters of one running application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "finops_slack_requests", "Requests from Slack.", ["door", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "finops_slack_answer_seconds",
            "Time from a request's arrival to our answer.",
            ["door"],
            buckets=ACK_SECONDS,
            registry=self.registry,
        )
        self._calls = Counter(
            "finops_provider_responses", "Answers of providers.", ["host", "status"], registry=self.registry
        )

        self._alerts = Histogram(
            "finops_alert_seconds",
            "Time until an alert was delivered, by where the clock starts.",
            ["clock"],
            buckets=ALERT_SECONDS,
            registry=self.registry,
        )
        self._trials = Histogram(
            "finops_trial_seconds",
            "Time of test alerts: until one was delivered, or until its message showed the click.",
            ["step"],
            buckets=ALERT_SECONDS,
            registry=self.registry,
        )
        self._waiting = Gauge("finops_outbox_waiting", "Messages not delivered yet.", registry=self.registry)
        self._oldest = Gauge("finops_outbox_oldest_seconds", "Age of the oldest of them.", registry=self.registry)
        self._lateness = Gauge(
            "finops_provider_lateness_seconds",
            "How long after a minute ended its usage could be seen (p95).",
            ["connection"],
            registry=self.registry,
        )
        self._levers = Counter(
            "finops_levers", "What became of levers at providers.", ["lever", "state"], registry=self.registry
        )
        self._stops = Histogram(
            "finops_stop_seconds",
            "Time from the wish to stop until the provider had taken it.",
            ["lever"],
            buckets=STOP_SECONDS,
            registry=self.registry,
        )
        self._events = Counter(
            "finops_events", "Recorded events, by what became of them.", ["outcome"], registry=self.registry
        )
        self._recording = Histogram(
            "finops_events_seconds",
            "Time from the arrival of recorded events to our answer.",
            ["door", "status"],
            buckets=ACK_SECONDS,
            registry=self.registry,
        )
        self._forgotten = Counter(
            "finops_forgotten_rows", "Rows dropped because they were old, by kind.", ["kind"], registry=self.registry
        )
        self._unwatched = Counter(
            "finops_unwatched_seconds",
            "Seconds in which nobody looked at a connection's usage, told afterwards.",
            ["connection"],
            registry=self.registry,
        )
        self._errors = Counter(
            "finops_errors", "Errors logged, by who logged them.", ["logger"], registry=self.registry
        )
        self._polls = Counter("finops_polls", "Readings of usage, by outcome.", ["result"], registry=self.registry)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show what is known beforehand as zero: Prometheus sees no rise in a counter that begins with one."""
        for clock in ("detected", "available"):
            self._alerts.labels(clock)
        for step in ("delivered", "answered"):
            self._trials.labels(step)
        for outcome in ("accepted", "repeated", "refused", "ignored"):
            self._events.labels(outcome)
        for lever in Lever:
            self._stops.labels(lever)
            for state in (HoldState.SET, HoldState.RELEASED, HoldState.FAILED, HoldState.LOST):
                self._levers.labels(lever, state)
        self._polls.labels("read")

    def lever_moved(self, lever: str, state: str, seconds: float | None = None) -> None:
        """A hold came to a state; `seconds` since the wish when that was being set."""
        self._levers.labels(lever, state).inc()
        if seconds is not None:
            self._stops.labels(lever).observe(seconds)

    @contextmanager
    def answering(self, door: str) -> Iterator[Answer]:
        """Measure one request from Slack that came through `door` (http or socket)."""
        answer, started = Answer(), time.perf_counter()
        try:
            yield answer
        finally:
            self._seconds.labels(door).observe(time.perf_counter() - started)
            self._requests.labels(door, str(answer.status)).inc()

    async def provider_answered(self, response: ProviderResponse) -> None:
        """Count one answer of a provider; a response hook of the HTTP client."""
        self._calls.labels(response.url.host, str(response.status_code)).inc()

    def alert_delivered(self, clock: str, seconds: float) -> None:
        """Measure one alert; `clock` is what the time is counted from: `detected` by us, or `available` to us."""
        self._alerts.labels(clock).observe(max(0.0, seconds))

    def trial(self, step: str, seconds: float) -> None:
        """Measure one test alert, apart from real ones: until it was `delivered`, or its click `answered`."""
        self._trials.labels(step).observe(max(0.0, seconds))

    def outbox(self, waiting: int, oldest_seconds: float) -> None:
        """Say how much waits to be delivered."""
        self._waiting.set(waiting)
        self._oldest.set(oldest_seconds)

    def usage_lateness(self, connection_id: int, seconds: float) -> None:
        """Say how late a connection's usage usually is."""
        self._lateness.labels(str(connection_id)).set(seconds)

    def recorded(self, outcome: str, events: int) -> None:
        """Count events by what became of them: accepted, repeated, refused, or ignored."""
        if events:
            self._events.labels(outcome).inc(events)

    @contextmanager
    def recording(self, door: str) -> Iterator[Answer]:
        """Measure one request with recorded events that came through `door` (events or traces)."""
        answer, started = Answer(), time.perf_counter()
        try:
            yield answer
        finally:
            self._recording.labels(door, str(answer.status)).observe(time.perf_counter() - started)

    def polled(self, result: str) -> None:
        """Count one reading of a connection's usage: `read`, or the code of what went wrong."""
        self._polls.labels(result).inc()

    def unwatched(self, connection_id: int, seconds: float) -> None:
        """Count a stretch in which nobody had looked at a connection, beyond what is usual."""
        self._unwatched.labels(str(connection_id)).inc(seconds)

    def forgot(self, kind: str, rows: int) -> None:
        """Count rows of a kind that were dropped because they were old; a kind of which none were shows as zero."""
        self._forgotten.labels(kind).inc(rows)

    @contextmanager
    def counting_errors(self) -> Iterator[None]:
        """Count every error that is logged meanwhile, whoever logs it: of some, nobody is told in any other way."""
        counted, root = _Counted(self._errors), logging.getLogger()
        root.addHandler(counted)
        try:
            yield
        finally:
            root.removeHandler(counted)

    def page(self) -> tuple[bytes, dict[str, str]]:
        """The metrics as Prometheus reads them, with the headers that say so."""
        return generate_latest(self.registry), {"Content-Type": CONTENT_TYPE_LATEST}
