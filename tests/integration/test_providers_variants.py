"""Every way OpenAI has been seen to answer is read to the last digit or refused by name: nothing in between."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from finops.charges import Charge, ChargedDay, merged
from finops.money import from_units, to_units
from finops.periods import Period
from finops.secret import Secret
from providers.contract import CredentialReason, CredentialRejected, RateLimited, Unavailable, UnexpectedResponse
from providers.http import RetryPolicy
from providers.openai import OpenAI
from tests.integration.openai_server import ADMIN_KEY, OpenAIServer, always
from tests.integration.openai_world import http as http
from tests.integration.openai_world import server as server

DATA = Path(__file__).parent.parent / "data"
KEY = Secret(ADMIN_KEY)
ONCE = RetryPolicy(attempts=1)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
VARIANTS = {
    variant["id"]: variant
    for variant in map(json.loads, (DATA / "openai_costs_variants.jsonl").read_text("utf-8").splitlines())
}
Row = tuple[str | None, str | None, str, str, str | None, str | None]


@dataclass(frozen=True)
class Refused:
    pointer: str


def row(value: str, project: str | None = None, item: str | None = None, **rest: str) -> Row:
    return (project, item, value, rest.get("currency", "USD"), rest.get("quantity"), rest.get("unit"))


# What each line says, by day; "sku, input" and the like are the bill's own spelling and stay untouched.
EXPECTED: dict[str, dict[date, list[Row]] | Refused] = {
    "c01": {date(2024, 11, 1): [row("0.06")]},
    "c02": {date(2025, 1, 11): [row("0.13080438340307526")]},
    "c03": {
        date(2025, 1, 11): [
            row("0.127440", "proj_a", "ft-gpt-4o-2024-08-06, input"),
            row("0.003090", "proj_a", "ft-gpt-4o-2024-08-06, output"),
            row("0.000271", "proj_b", "assistants api | file search"),
            row("0.000003", "proj_c", "assistants api | file search"),
        ]
    },
    "c04": {date(2026, 8, 1): [row("12.50", None, "Text tokens")]},
    "c05": {
        date(2026, 8, 1): [
            row("0.06524750000000000000000000000", None, "gpt-5.4-2026-03-05, input", quantity="26099.0", unit="tokens")
        ]
    },
    "c06": {
        date(2026, 8, 1): [row("0", None, "gpt-5.4-2026-03-05, cached input", quantity="0.0", unit="tokens")],
    },
    "c07": {date(2026, 8, 1): [row("0", None, "gpt-4o-mini-2024-07-18, cached input")]},
    "c08": {date(2026, 8, 1): [row("0.0025945", "proj_a", "gpt-5, input")]},
    "c09": {
        date(2026, 8, 1): [
            row("1.25", "proj_a", "gpt-4o-mini-2024-07-18, cached input", quantity="1250", unit="tokens")
        ]
    },
    "c10": {
        date(2026, 8, 1): [
            row("3.2", None, "priority | gpt-5.6-sol, output, long context"),
            row("0.4", None, "gpt-5.6-sol, cache writes"),
            row("0.03", None, "web search tool calls"),
        ]
    },
    "c11": {date(2026, 8, 1): [], date(2026, 8, 2): []},
    "c12": {date(2026, 8, 1): [row("0.5", "proj_a", "gpt-5, input")]},
    "c13": {date(2025, 9, 28): [row("10.1425634")]},
    "c14": {date(2026, 8, 1): [row("-3.25", None, "Promotional credit")]},
    "c15": {
        date(2026, 8, 1): [row("123.4567890123456789", "proj_beta", "gpt-4o, output", quantity="1234567890123456789")]
    },
    "c16": {date(2026, 8, 1): [row("0.10000000000000000555", "proj_abc", "gpt-4o-mini, input")]},
    "c17": {date(2026, 8, 1): [row("1.5", "proj_a", "gpt-4o, output", quantity="1500000")]},
    # A line of the bill without its amount: the day's total is unknown, so none of the day is taken.
    "c18": Refused("/data/0/results/0/amount"),
    # One page of several: the amounts of this one, in one currency however it is spelled.
    "c19": {date(2025, 10, 1): [row("3.25", "proj_test"), row("2.42", "proj_test", "gpt-5")]},
    "c20": {date(2026, 8, 1): [row("320.0", None, "gpt-5.6-luna, output_tokens", currency="JPY")]},
    "c21": {
        date(2025, 10, 6): [
            row("0.25", None, "gpt-4o-mini, input"),
            row("0.05", None, "gpt-4o-mini, input"),
            row("0", None, "dall-e-3"),
            row("1.5"),
        ]
    },
    "c22": Refused("/data/0/end_time"),
    "c23": Refused("/next_page"),
    "c24": {date(2026, 8, 2): [row("2.0")], date(2026, 8, 1): [row("1.0")]},
    "c25": {date(2024, 11, 1): [row("0.06")]},
    "c26": {
        date(2026, 8, 1): [
            row("412.88", "proj_research", "Vector store storage", quantity="41288.0", unit="gibibyte_hours")
        ]
    },
    "c27": {
        date(2026, 9, 20): [
            row("1.2345", None, "gpt-image-2.5-flare image, output"),
            row("1.2345", None, "gpt-image-2.5-sunburst text, cached input"),
            row("1.2345", None, "Vector storage"),
        ]
    },
    "c28": {date(2026, 8, 1): [row("0.06", "proj_abc", "input_tokens", quantity="10000", unit="tokens")]},
}


@pytest.fixture
def openai(server: OpenAIServer, http: httpx.AsyncClient) -> OpenAI:
    return OpenAI(http, server.url, lambda: NOW, ONCE)


def says(server: OpenAIServer, variant: dict[str, object], times: int = 9) -> None:
    """The server answers with the recorded bytes; where they promise another page, with an empty last one."""

    async def recorded(request: web.Request) -> web.StreamResponse:
        if "page" in request.query:
            return web.json_response({"object": "page", "data": [], "has_more": False, "next_page": None})
        return await always(partial(recorded_answer, variant))(request)

    server.faults = [recorded] * times


def recorded_answer(variant: dict[str, object]) -> web.Response:
    status, body = variant["http_status"], variant["body"]
    assert isinstance(status, int)
    assert isinstance(body, str)
    return web.Response(status=status, text=body, content_type="application/json", headers={"x-request-id": "req_v"})


def as_rows(day: ChargedDay) -> list[tuple[object, ...]]:
    return [
        (c.sub_account_id, c.sku_id, c.billed_cost, c.billing_currency, c.consumed_quantity, c.consumed_unit)
        for c in day.charges
    ]


def as_values(rows: list[Row]) -> list[tuple[object, ...]]:
    return [
        (project, item, Decimal(value), currency, Decimal(quantity) if quantity else None, unit)
        for project, item, value, currency, quantity, unit in rows
    ]


def test_every_recorded_variant_has_its_verdict() -> None:
    """A line added to the recordings without an expectation fails here."""
    assert {name for name in VARIANTS if name.startswith("c")} == set(EXPECTED)
    assert {name for name in VARIANTS if name.startswith("e")} == set(ERRORS)


async def test_a_recorded_bill_is_read_exactly_or_refused(
    server: OpenAIServer, http: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    """Digits, projects, items, currencies and quantities as on the wire; or UnexpectedResponse and where.

    And merging and storing what was read loses nothing: repeated lines are added up, and 1e-18 is the grain of the
    ledger.
    """
    for name, expected in EXPECTED.items():
        with subtests.test(name):
            says(server, VARIANTS[name])
            openai = OpenAI(http, server.url, lambda: NOW, ONCE)
            if isinstance(expected, Refused):
                period = Period(date(2026, 6, 1), date(2026, 8, 31))
                with pytest.raises(UnexpectedResponse) as caught:
                    [day async for day in openai.charges(KEY, period)]
                assert caught.value.pointer == expected.pointer
                continue
            period = Period(min(expected), max(expected) + timedelta(days=1))
            days = {day.day: day async for day in openai.charges(KEY, period)}
            assert {at: as_rows(day) for at, day in days.items()} == {
                at: as_values(rows) for at, rows in expected.items()
            }
            assert list(days) == list(expected)
            for at, day in days.items():
                lines = merged(day.charges)
                assert len({(c.sub_account_id, c.sku_id, c.billing_currency) for c in lines}) == len(lines)
                told = sum((Decimal(value) for _, _, value, *_ in expected[at]), Decimal(0))
                assert abs(stored(lines) - told) <= len(lines) * Decimal("0.5e-18")


def stored(charges: Iterable[Charge]) -> Decimal:
    """What the ledger would say of them together."""
    units = [to_units(charge.billed_cost) for charge in charges]
    return from_units(sum(nano for nano, _ in units), sum(rest for _, rest in units))


async def test_the_real_page_comes_to_its_real_total(openai: OpenAI, server: OpenAIServer) -> None:
    """31 days of a real organization: 284.93943937274981134156 dollars before any rounding."""
    body = (DATA / "openai_cookbook_costs_page.json").read_text("utf-8")
    server.faults = [always(lambda: web.Response(text=body, content_type="application/json"))] * 20
    days = [day async for day in openai.charges(KEY, Period(date(2025, 1, 11), date(2025, 2, 11)))]
    charges: list[Charge] = [charge for day in days for charge in day.charges]
    assert len(days) == 31
    assert sum((charge.billed_cost for charge in charges), Decimal(0)) == Decimal("284.93943937274981134156")
    assert stored(charges).quantize(Decimal("1e-9")) == Decimal("284.939439373")


ERRORS: dict[str, type[Exception]] = {
    "e01": CredentialRejected,
    "e02": UnexpectedResponse,
    "e03": UnexpectedResponse,
    "e04": UnexpectedResponse,
    "e05": UnexpectedResponse,
    "e06": UnexpectedResponse,
    "e07": Unavailable,
    "e08": UnexpectedResponse,
    "e09": RateLimited,
}


async def test_a_recorded_error_becomes_the_error_it_is(
    server: OpenAIServer, http: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    """Each carries OpenAI's id of the request, and none of OpenAI's words: they may quote the key."""
    for name, error in ERRORS.items():
        with subtests.test(name):
            says(server, VARIANTS[name])
            openai = OpenAI(http, server.url, lambda: NOW, ONCE)
            with pytest.raises(error) as caught:
                [day async for day in openai.charges(KEY, Period(date(2026, 8, 1), date(2026, 8, 2)))]
            assert getattr(caught.value, "reference", None) == "req_v"
            words = json.loads(str(VARIANTS[name]["body"]))["error"]["message"]
            assert words not in str(caught.value)
            if name == "e01":
                assert isinstance(caught.value, CredentialRejected)
                assert (caught.value.reason, caught.value.scope) == (CredentialReason.MISSING_SCOPE, "api.usage.read")


async def test_personal_data_is_dropped_at_the_door(openai: OpenAI, server: OpenAIServer) -> None:
    """The row names a person; nothing we keep does."""
    says(server, VARIANTS["c08"])
    assert "someone@example.com" in str(VARIANTS["c08"]["body"])
    days = [day async for day in openai.charges(KEY, Period(date(2026, 8, 1), date(2026, 8, 2)))]
    assert "someone" not in repr(days)
    assert "user-1" not in repr(days)
