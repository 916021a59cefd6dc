"""What the tests of the simulated OpenAI share: a clock, a small trace, a running server and a strict client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from demo.openai import SimulatedOpenAI
from demo.prices import FilePrices, Rates
from demo.trace import Trace, parse_trace

CONTRACT = json.loads((Path(__file__).parent.parent / "data" / "openai-admin-paths.json").read_text("utf-8"))
HEADER = "hour,application,model,requests,input_tokens,output_tokens,cached_input_tokens"
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
PRICES = FilePrices(
    "the test's prices",
    {
        "big": Rates(Decimal("2.50"), Decimal("1.25"), Decimal(10)),
        "small": Rates(Decimal("0.15"), Decimal("0.075"), Decimal("0.60")),
    },
)


class FakeClock:
    """A time that moves only when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


def a_trace(rows: Iterable[str] | None = None, days: int = 10) -> Trace:
    """Ten days of three applications, different in every hour, unless rows are given."""
    if rows is None:
        rows = [
            line
            for hour in range(days * 24)
            for line in (
                f"{hour},chat,big,{100 + hour % 24},{90_000 + hour * 7},{8_000 + hour},{30_000 + hour}",
                f"{hour},chat,small,{400 + hour % 7},{60_001 + hour * 3},{5_003 + hour},",
                f"{hour},search,small,{1000 + hour % 5},{700_013 + hour},{20_011 + hour},0",
                *([f"{hour},nightly,big,1,1000,100,0"] if hour % 24 == 3 else []),
            )
        ]
    return parse_trace([HEADER, *rows])


@cache
def _plain_trace() -> Trace:
    return a_trace()


@dataclass
class Desk:
    """A running simulator with a client that holds its first Admin key."""

    openai: SimulatedOpenAI
    http: httpx.AsyncClient
    clock: FakeClock

    async def get(self, path: str, expect: int = 200, **params: Any) -> Any:
        return self._read(await self.http.get(f"/v1{path}", params=_spelled(params) or None), expect)

    async def post(self, path: str, body: Mapping[str, Any] | None = None, expect: int = 200) -> Any:
        return self._read(await self.http.post(f"/v1{path}", json=body or {}), expect)

    async def delete(self, path: str, expect: int = 200) -> Any:
        return self._read(await self.http.delete(f"/v1{path}"), expect)

    async def control(self, order: str, body: Mapping[str, Any] | None = None, expect: int = 200) -> Any:
        return self._read(await self.http.post(f"/_sim/openai/{order}", json=body or {}), expect)

    async def costs(self, since: datetime, until: datetime | None = None, **params: Any) -> list[dict[str, Any]]:
        """Every bucket of a costs query, all pages."""
        asked = {"start_time": since, "limit": 180, **({"end_time": until} if until else {}), **params}
        buckets: list[dict[str, Any]] = []
        page = await self.get("/organization/costs", **asked)
        while True:
            buckets += page["data"]
            if not page["has_more"]:
                return buckets
            page = await self.get("/organization/costs", **asked, page=page["next_page"])

    async def usage(self, family: str = "completions", **params: Any) -> list[dict[str, Any]]:
        page = await self.get(f"/organization/usage/{family}", **params)
        return page["data"]

    async def as_key(self, secret: str | None, path: str, method: str = "GET", **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {"Authorization": ""}
        return await self.http.request(method, path, headers=headers, json=body or None)

    def project_id(self, name: str) -> str:
        return self.openai.project(name).id

    def valid(self, operation: str, body: Any) -> None:
        """Hold an answer against the published contract; the first difference fails the test."""
        _validator(operation).validate(body)

    def _read(self, response: httpx.Response, expect: int) -> Any:
        assert response.status_code == expect, response.text[:500]
        return json.loads(response.text, parse_float=Decimal)


@cache
def _validator(operation: str) -> Draft202012Validator:
    schema = CONTRACT["responses"].get(operation, {"$ref": f"#/components/schemas/{operation}"})
    return Draft202012Validator({**schema, "components": CONTRACT["components"]})


def _spelled(params: Mapping[str, Any]) -> dict[str, Any]:
    """Times as Unix seconds, arrays in brackets; a name with a trailing underscore keeps the bare spelling."""
    spelled: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, datetime):
            spelled[name] = int(value.timestamp())
        elif isinstance(value, list):
            spelled[name.removesuffix("_") if name.endswith("_") else f"{name}[]"] = value
        else:
            spelled[name] = value
    return spelled


@asynccontextmanager
async def a_desk(trace: Trace | None = None, now: datetime = NOON, **options: Any) -> AsyncIterator[Desk]:
    clock = FakeClock(now)
    async with SimulatedOpenAI(trace or _plain_trace(), options.pop("prices", PRICES), clock, **options) as openai:
        headers = {"Authorization": f"Bearer {openai.admin_key}"}
        # Reading the machine's certificates takes longer than most tests, and nothing here is encrypted.
        async with httpx.AsyncClient(base_url=openai.address, headers=headers, timeout=10, verify=False) as http:
            yield Desk(openai, http, clock)


def independent_bill(trace: Trace) -> dict[tuple[int, str], Decimal]:
    """Dollars by (days before the last midnight, application), worked out from the rows alone."""
    bill: dict[tuple[int, str], Decimal] = {}
    for series in trace.series:
        rates = PRICES.by_model[series.model]
        for hour, usage in series.hours.items():
            key = ((trace.last_hour - hour) // 24 + 1, series.application)
            dollars = usage.uncached * rates.input + usage.cached * rates.cached_input + usage.output * rates.output
            bill[key] = bill.get(key, Decimal(0)) + dollars / 1_000_000
    return bill
