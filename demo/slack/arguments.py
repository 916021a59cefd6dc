"""The arguments of a call: by name, with the conversions Slack makes and the refusals it gives."""

from __future__ import annotations

import json
from typing import Any

from demo.slack.wire import JSON, ApiError


class Arguments:
    """Arguments by name, with the conversions Slack makes and the refusals it gives."""

    def __init__(self, values: JSON) -> None:
        self.values = values

    def string(self, name: str) -> str | None:
        """A string, None where it was not given or given empty."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | dict | list):
            raise ApiError.arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def required(self, name: str) -> str:
        """A string that has to be there."""
        value = self.string(name)
        if value is None:
            raise ApiError.arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in any of the spellings Slack takes."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        return str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self.values.get(name)
        if value in (None, ""):
            return default
        try:
            found = int(str(value))
        except ValueError:
            raise ApiError.arguments(f"must provide an integer [json-pointer:/{name}]") from None
        if not lowest <= found <= highest:
            raise ApiError("invalid_limit") if name == "limit" else ApiError.arguments(f"{name} is out of range")
        return found

    def words(self, name: str) -> list[str]:
        """A list of ids, given as a list or with commas."""
        value = self.values.get(name)
        if value in (None, ""):
            return []
        if isinstance(value, list):
            return [str(each) for each in value]
        return [each.strip() for each in str(value).split(",") if each.strip()]

    def structure(self, name: str, error: str | ApiError) -> Any:
        """A JSON value, given as such or as a string of JSON; `error` when it is no JSON."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                raise (error if isinstance(error, ApiError) else ApiError(error)) from None
        return value
