"""An application as people have it: the `openai` client, OpenTelemetry's instrumentation of it, and no line of ours."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from demo.prices import FilePrices, Rates
from finops.value import ValueSums
from handlers import recording
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import MOMENT, WORKSPACE, Tenant
from tests.house.tree import ROOT
from tests.integration.recording_world import TOKEN, a_door
from tests.integration.test_front_door import log_lines
from tests.integration.test_recording import CANARY, bytes_in
from tests.integration.test_recording_traces import around
from tests.simulators.openai_kit import a_desk

__all__ = ["log_lines"]

PRICES = FilePrices("the test's prices", {name: Rates(*map(Decimal, "210")) for name in ("gpt-5.4", "big", "small")})


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


async def test_an_instrumented_application_is_recorded_by_its_settings_alone(
    storage: Storage, tenant: Tenant, clock: FakeClock, log_lines: io.StringIO, tmp_path: Path
) -> None:
    """Model, tokens, time and failure arrive; the prompt, which it is told to capture and sends, is kept nowhere."""
    async with a_door(storage, tenant, clock) as door, a_desk(now=MOMENT, prices=PRICES) as desk:
        settings = {
            "OPENAI_BASE_URL": f"{desk.openai.address}/v1",
            "OPENAI_API_KEY": desk.openai.project("chat").keys[0].secret,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{door.url}{recording.TRACES}",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"Authorization=Bearer%20{TOKEN}",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            # With "true", the older conventions, it would go to OpenTelemetry's logs and not be sent to us at all.
            "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-m", "tests.integration.recording_application", CANARY,
            MOMENT.isoformat(), cwd=ROOT, stdout=asyncio.subprocess.PIPE, env=os.environ | settings,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 50)
        assert process.returncode == 0
        answered, failed = json.loads(output)
        sent = {
            "input_tokens": answered["gen_ai.usage.input_tokens"],
            "output_tokens": answered["gen_ai.usage.output_tokens"],
        }
        assert CANARY in json.loads(answered["gen_ai.input.messages"])[0]["parts"][0]["content"]
        assert failed["gen_ai.request.model"] == "gpt-nobody-has"

        sums = await door.sums()
        dollars = sent["input_tokens"] + 2 * sent["output_tokens"]
        assert sums == ValueSums(
            calls=2, failures=1, timed=2, latency_ms=sums.latency_ms, priced=1, cost_nano=dollars * 10**9, **sent
        )
        assert sums.latency_ms > 0
        async with storage.reading() as store:
            rows = await store.value.days(WORKSPACE, around(MOMENT))
        assert {row.model for row in rows} == {"gpt-5.4", "gpt-nobody-has"}
        for place in (log_lines.getvalue().encode(), door.metrics.page()[0], bytes_in(tmp_path)):
            assert CANARY.encode() not in place
        assert b"gpt-nobody-has" in bytes_in(tmp_path)
