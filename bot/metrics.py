"""Metrics: what an operator watches. One registry per application, so that two in one process never mix."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# Slack gives three seconds: the buckets are finest where an answer becomes too late.
ACK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


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

    def page(self) -> tuple[bytes, dict[str, str]]:
        """The metrics as Prometheus reads them, with the headers that say so."""
        return generate_latest(self.registry), {"Content-Type": CONTENT_TYPE_LATEST}
