"""An application of somebody else's: the `openai` client with OpenTelemetry's own instrumentation, content and all.

Run by test_recording_application in a process of its own, set up by environment variables only, as docs/events.md says.
Prints the attributes of each span as it was exported. Imports nothing of ours, which would take as long as the rest.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

import time_machine
from openai import OpenAI, PermissionDeniedError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def main(prompt: str, now: datetime) -> None:
    """Ask once for an answer, and once for a model that nobody has."""
    seen, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(seen))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    with time_machine.travel(now), OpenAI(max_retries=0) as client:
        for model in ("gpt-5.4", "gpt-nobody-has"):
            try:
                client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
            except PermissionDeniedError:
                assert model == "gpt-nobody-has"
    provider.shutdown()
    sys.stdout.write(json.dumps([dict(span.attributes or {}) for span in seen.get_finished_spans()]))


if __name__ == "__main__":
    main(sys.argv[1], datetime.fromisoformat(sys.argv[2]))
