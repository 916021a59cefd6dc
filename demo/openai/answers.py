"""Answers: errors in the provider's words, and reading what a query asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web

from demo.openai.behaviour import ArraySpelling

Item = TypeVar("Item", bound=Mapping[str, Any])
_INTEGER = re.compile(r"-?\d{1,15}")


class Refused(Exception):
    """A request that is answered with an error body instead of a result."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, kind=kind, param=param, code=code)


def error_body(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """The error body of the contract: all four keys, always."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def not_found(what: str, identifier: str) -> Refused:
    return Refused(404, f"{what} with id '{identifier}' not found.", code="not_found")


def answer(body: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status, dumps=lambda value: json.dumps(value, ensure_ascii=False))


class Query:
    """The parameters of one request, read strictly: what the provider refuses is refused in its words."""

    def __init__(self, request: web.Request, arrays: ArraySpelling) -> None:
        self._request = request
        self._arrays = arrays

    def text(self, name: str) -> str | None:
        return self._request.query.get(name)

    def integer(self, name: str) -> int | None:
        value = self._request.query.get(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise Refused(400, f"Invalid type for '{name}'.", param=name, code="invalid_type")
        return int(value)

    def flag(self, name: str) -> bool | None:
        value = self._request.query.get(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise Refused(400, f"Invalid type for '{name}'.", param=name, code="invalid_type")
        return value.lower() == "true"

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self._request.query.get(name, default)
        if value not in choices:
            told = ", ".join(f"'{choice}'" for choice in choices)
            raise Refused(400, f"Invalid value: '{value}'. Supported values are: {told}.", param=name)
        return value

    def array(self, name: str) -> tuple[str, ...]:
        """All values of an array, in whichever spelling is understood; the other one is ignored in silence."""
        names = {
            ArraySpelling.BOTH: (f"{name}[]", name),
            ArraySpelling.BRACKETS: (f"{name}[]",),
            ArraySpelling.BARE: (name,),
        }[self._arrays]
        return tuple(value for spelled in names for value in self._request.query.getall(spelled, []))

    def choices(self, name: str, known: Sequence[str]) -> tuple[str, ...]:
        """An array whose values must be known ones, each once."""
        values = self.array(name)
        if any(value not in known for value in values):
            raise Refused(400, f"Invalid {name}", code=None)
        return tuple(dict.fromkeys(values))

    def limit(self, default: int, most: int) -> int:
        limit = self.integer("limit")
        if limit is None:
            return default
        if limit > most:
            raise Refused(
                400,
                f"Invalid limit provided: {limit}. Limit must be less than or equal to {most}.",
                code="invalid_request_error",
            )
        if limit < 1:
            raise Refused(400, f"Invalid limit provided: {limit}. Limit must be at least 1.", param="limit")
        return limit

    # -- cursors are bound to the exact query they were given for

    def cursor(self) -> int | None:
        """Where the page that was asked for begins (Unix seconds); None for the first page."""
        token = self._request.query.get("page")
        if token is None:
            return None
        try:
            told = json.loads(base64.urlsafe_b64decode(token.removeprefix("page_")))
            is_ours, start = token.startswith("page_") and told["query"] == self._fingerprint(), int(told["start"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, "Invalid page token.") from error
        if not is_ours:
            raise Refused(400, "Invalid page token.")
        return start

    def next_page(self, start: int) -> str:
        told = json.dumps({"start": start, "query": self._fingerprint()})
        return "page_" + base64.urlsafe_b64encode(told.encode()).decode()

    def _fingerprint(self) -> str:
        asked = sorted((name, value) for name, value in self._request.query.items() if name != "page")
        return hashlib.sha256(json.dumps([self._request.path, asked]).encode()).hexdigest()[:16]


def listed(items: Sequence[Item], query: Query, *, default: int = 20, most: int = 100) -> web.Response:
    """One page of a list that is walked with `after` (and `before`), by id."""
    limit = query.limit(default, most)
    identifiers = [item["id"] for item in items]
    first, end = 0, len(items)
    if (after := query.text("after")) is not None:
        first = _position(identifiers, after, "after") + 1
    if (before := query.text("before")) is not None:
        end = _position(identifiers, before, "before")
        first = max(first, end - limit)
    page = items[first : min(end, first + limit)]
    return answer(
        {
            "object": "list",
            "data": list(page),
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": first + len(page) < end,
        }
    )


def _position(identifiers: list[str], wanted: str, param: str) -> int:
    if wanted not in identifiers:
        raise Refused(400, f"Invalid value for '{param}': no item with id '{wanted}'.", param=param)
    return identifiers.index(wanted)


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object a request carries; anything else is refused."""
    try:
        body = await request.json()
    except ValueError as error:
        raise Refused(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise Refused(400, "The JSON body of your request must be an object.")
    return body


def whole_number(body: Mapping[str, Any], name: str, least: int) -> int:
    value = body.get(name)
    if value is None:
        raise Refused(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(400, f"Invalid type for '{name}': expected an integer.", param=name, code="invalid_type")
    if value < least:
        message = f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {value}."
        raise Refused(400, message, param=name, code="integer_below_min_value")
    return value


def text_field(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    return value
