"""A digest as it is kept: JSON that says every figure exactly, and is still read when figures have been added to it."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from finops.digest import Digest
from finops.money import Money
from finops.periods import Period

_DOLLAR = "USD"

Read = Callable[[Any], Any]


def encoded(digest: Digest) -> dict[str, Any]:
    """The digest as JSON: amounts and ratios as exact digits, times with their zone, nothing that is at its default."""
    facts = _written(digest)
    assert isinstance(facts, dict)
    return facts


def decoded(facts: Mapping[str, Any]) -> Digest:
    """The digest that `encoded` gave, exactly. What it does not name is at its default, names it has too many are left.

    Raises ValueError, KeyError or TypeError for anything else.
    """
    digest = _reader(Digest)(facts)
    assert isinstance(digest, Digest)
    return digest


def _written(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case Decimal():
            return str(value)
        case Money():
            return str(value.amount) if value.currency == _DOLLAR else f"{value.amount} {value.currency}"
        case Period():
            return f"{value.start.isoformat()}/{value.end.isoformat()}"
        case date():  # and every datetime, which is one
            return value.isoformat()
        case tuple():
            return [_written(each) for each in value]
    kind: Any = type(value)
    return {name: _written(each) for name, default in _names(kind) if (each := getattr(value, name)) != default}


@cache
def _names(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass, each with what it may be left out for."""
    if not is_dataclass(kind):
        raise TypeError(f"{kind} is not kept in a digest")
    return tuple((each.name, each.default) for each in fields(kind))


@cache
def _reader(kind: Any) -> Read:
    if get_origin(kind) in (Union, types.UnionType):
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if get_origin(kind) is tuple:
        first, *others = get_args(kind)
        if others == [...]:
            each = _reader(first)
            return lambda values: tuple(map(each, values))
        each_of = [_reader(one) for one in (first, *others)]
        return lambda values: tuple(read(value) for read, value in zip(each_of, values, strict=True))
    if kind in _PLAIN:
        return _PLAIN[kind]
    if issubclass(kind, Enum):
        named: Read = kind
        return named
    return _reader_of_fields(kind)


def _reader_of_fields(kind: Any) -> Read:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name, _ in _names(kind)}
    needed = [name for name, default in _names(kind) if default is MISSING]

    def read(value: Any) -> Any:
        if missing := [name for name in needed if name not in value]:
            raise KeyError(missing[0])
        return kind(**{name: readers[name](each) for name, each in value.items() if name in readers})

    return read


def _money(value: str) -> Money:
    amount, _, currency = value.partition(" ")
    return Money(Decimal(amount), currency or _DOLLAR)


def _period(value: str) -> Period:
    start, _, end = value.partition("/")
    return Period(date.fromisoformat(start), date.fromisoformat(end))


_PLAIN: Mapping[Any, Read] = {
    str: str,
    int: int,
    bool: bool,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Money: _money,
    Period: _period,
}
