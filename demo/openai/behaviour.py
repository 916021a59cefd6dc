"""Behaviour: the ways in which a real provider differs from its documentation, each one a switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class NumberSpelling(StrEnum):
    """How `amount.value` is spelled: both happen in live answers."""

    NUMBER = "number"
    STRING = "string"


class ArraySpelling(StrEnum):
    """Which spelling of arrays in a query is understood; the other is ignored, so the answer comes ungrouped."""

    BOTH = "both"
    BRACKETS = "brackets"
    BARE = "bare"


class NoProject(StrEnum):
    """How a row that belongs to no project names its project."""

    NULL = "null"
    EMPTY = "empty"


class BadSetting(ValueError):
    """A behaviour was set to something it cannot be; the text says what it can be."""


@dataclass(slots=True)
class Behaviour:
    """The switches, as they stand. The plain answer of the documentation is the default."""

    numbers: NumberSpelling = NumberSpelling.NUMBER
    exponent_zero: bool = False  # an exact zero is spelled 0E-6176, as decimal128 does
    bucket_key: str = "results"  # older answers said "result"
    extra_keys: bool = True  # organization_id, project_name, *_iso and friends: undocumented, live
    arrays: ArraySpelling = ArraySpelling.BOTH
    split_rows: bool = False  # every line item comes in two rows; both are money
    organization_daily_usd: Decimal | None = None  # a scale tier: billed by the day, to no project
    organization_project: NoProject = NoProject.NULL
    costs_floor_start: bool = False  # start costs at midnight instead of clipping the first bucket
    newest_first: bool = False  # buckets of a page in descending order
    late_hours: int = 0  # costs and usage of the last n hours are not there yet
    fresh_minutes: int = 0  # usage of the last n minutes is still filling up
    missing_every: int = 0  # usage: every n-th bucket of the last 15 minutes is left out of the answer
    repeat_buckets: bool = False  # usage: every bucket comes twice in its page
    batch_hours: int = 0  # the first n hours of a UTC day are asked as batches, at half the price
    enforcement_seconds: int = 60  # how long a lever needs before it bites, or lets go

    def set(self, changes: Mapping[str, Any]) -> None:
        """Change some switches by name, all or none. Raises BadSetting with a sentence."""
        known = {field.name: field for field in fields(self)}
        if unknown := sorted(set(changes) - set(known)):
            raise BadSetting(f"no such behaviour: {', '.join(unknown)}. There are: {', '.join(known)}.")
        for name, value in {name: _read(name, value) for name, value in changes.items()}.items():
            setattr(self, name, value)

    def reset(self) -> None:
        plain = Behaviour()
        for field in fields(self):
            setattr(self, field.name, getattr(plain, field.name))

    def as_json(self) -> dict[str, Any]:
        amount = self.organization_daily_usd
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return told | {"organization_daily_usd": None if amount is None else str(amount)}


_CHOICES: dict[str, type[StrEnum]] = {
    "numbers": NumberSpelling,
    "arrays": ArraySpelling,
    "organization_project": NoProject,
}
_COUNTS = ("late_hours", "fresh_minutes", "missing_every", "batch_hours", "enforcement_seconds")


def _read(name: str, value: Any) -> Any:
    if name in _CHOICES:
        choices = [str(choice) for choice in _CHOICES[name]]
        if value not in choices:
            raise BadSetting(f"{name} is one of {', '.join(choices)}, not {value!r}.")
        return _CHOICES[name](value)
    if name == "bucket_key":
        if value not in ("results", "result"):
            raise BadSetting(f"bucket_key is results or result, not {value!r}.")
        return value
    if name == "organization_daily_usd":
        return None if value is None else decimal_of(name, value)
    if name in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadSetting(f"{name} is a whole number, not {value!r}.")
        return value
    if not isinstance(value, bool):
        raise BadSetting(f"{name} is true or false, not {value!r}.")
    return value


def decimal_of(name: str, value: Any) -> Decimal:
    """An exact number from what a person or a JSON document gave. Raises BadSetting."""
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or isinstance(value, bool):
        raise BadSetting(f"{name} is a number such as 1.25, not {value!r}.")
    return number
