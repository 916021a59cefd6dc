"""docs/openapi/events.yaml says what the server does: its questions are taken, and its answers are those given."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from handlers.recording_events import FIELDS
from storage import Storage
from tests.conftest import FakeClock
from tests.databases import Tenant
from tests.house.tree import ROOT
from tests.integration.recording_world import Door, a_door
from tests.integration.test_recording import A_CALL, DECLINED, FAULTS
from tests.integration.test_recording_traces import a_json_span, in_json

DOCUMENT = yaml.safe_load((ROOT / "docs/openapi/events.yaml").read_text())


@pytest.fixture
def database_kind() -> str:
    """What the database decides is tested in test_storage_value, on both."""
    return "sqlite"


@pytest.fixture
async def door(storage: Storage, tenant: Tenant, clock: FakeClock) -> AsyncIterator[Door]:
    async with a_door(storage, tenant, clock) as opened:
        yield opened


def schema_of(path: str, status: str) -> dict[str, Any]:
    """What the document says is answered there, in JSON."""
    answers = DOCUMENT["paths"][path]["post"]["responses"]
    answer = answers.get(status, answers.get("default"))
    assert answer is not None, f"{status} is not documented"
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return answer["content"]["application/json"]["schema"]


def holds(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value is as a schema of the document says."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


EVENT = {"$ref": "#/components/schemas/Event"}


def test_the_document_is_itself_in_order() -> None:
    """Every schema is one, and every reference leads somewhere."""
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    for reference in references(DOCUMENT):
        found = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_it_names_the_fields_that_are_read() -> None:
    """All of them, and no other."""
    assert set(DOCUMENT["components"]["schemas"]["Event"]["properties"]) == set(FIELDS)


def test_what_is_refused_is_outside_the_document() -> None:
    """But for what a schema cannot say: when it is, what a text means, and how much so many calls may have had."""
    beyond = {"time", "score", "latency_ms", "output_tokens"}
    for event, field in FAULTS:
        assert not holds(EVENT, event) or field in beyond or event.get("id") == "\x00", event
    assert holds(EVENT, A_CALL)


async def test_the_page_for_people_names_the_same_fields_and_its_example_works(door: Door) -> None:
    """What is copied from docs/events.md is taken, every field of it."""
    page = (ROOT / "docs/events.md").read_text()
    table = page.partition("## An event")[2].partition("\n\nEvents of one")[0]
    named = [name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(FIELDS)
    [example] = re.findall(r"-d '(\{.*?\})'", page)
    assert (await door.post(json.loads(example)))[1] == {"accepted": 1, "repeated": 0, "dropped_fields": {}}


async def test_every_answer_is_as_documented(door: Door) -> None:
    """Success, each refusal and each fault, of both addresses."""
    requests: list[dict[str, Any]] = [{"body": A_CALL | {"prompt": "x"}}, {"body": [event for event, _ in FAULTS]}]
    seen = set()
    for request_of in [*requests, *(each for each, _ in DECLINED)]:
        status, body = await door.post(**request_of)
        assert holds(schema_of("/v1/events", str(status)), body), body
        seen.add(status)
    assert seen == {200, 400, 401, 413, 415, 422}
    headers = {"Content-Type": "application/json"}
    for data in (in_json(a_json_span()), in_json(a_json_span(spanId="")), b"nonsense"):
        status, body = await door.post(path="/v1/traces", data=data, headers=headers)
        assert holds(schema_of("/v1/traces", str(status)), body), json.dumps(body)
