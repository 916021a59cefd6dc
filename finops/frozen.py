"""`@frozen`: what `@dataclass(frozen=True, slots=True)` promises, made in a quarter of its time.

The standard library writes, compiles and runs six functions for each class, one after another; for three hundred
classes that was a quarter of a start. Only `__init__` differs enough to be written: the rest is shared and told the
names. `dataclasses` still does what it alone may: fields, slots, `replace`, patterns. See docs/decisions/0032.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")
Values = Callable[[Any], tuple[Any, ...]]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make of a class with annotated fields one whose objects never change and are equal when their fields are.

    Raises TypeError for fields that are not parameters, or only by keyword: those ask for the standard library's own.
    """
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    described = fields(made)  # type: ignore[arg-type]  # it is one now
    for one in described:
        if one.kw_only or not one.init:
            raise TypeError(f"{cls.__qualname__}.{one.name}: @frozen takes fields by place or name. Use @dataclass.")
    own: dict[str, Callable[..., Any]] = {
        "__init__": _initialising(made, described),
        **_comparing(_values([one.name for one in described if one.compare])),
        "__repr__": _showing([one.name for one in described if one.repr]),
        **_SHARED,
    }
    for name, function in own.items():
        if cls.__dict__.get(name) is None:  # Python itself puts `__hash__ = None` beside an `__eq__`
            setattr(made, name, function)
    return made


def _initialising(made: type, described: Sequence[Field[Any]]) -> Callable[..., None]:
    """`__init__`, written for these fields: each goes straight into its slot."""
    given = {f"_put_{one.name}": getattr(made, one.name).__set__ for one in described}
    parameters, lines = ["self"], []
    for one in described:
        name = value = one.name
        if one.default_factory is not MISSING:
            given |= {f"_make_{name}": one.default_factory, "_missing": MISSING}
            value = f"_make_{name}() if {name} is _missing else {name}"
            parameters.append(f"{name}=_missing")
        elif one.default is not MISSING:
            given[f"_default_{name}"] = one.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"_put_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    body = "; ".join(lines or ["pass"])
    text = f"def make({', '.join(given)}):\n def __init__({', '.join(parameters)}): {body}\n return __init__"
    scope: dict[str, Any] = {}
    # In the namespace of its module, where what its annotations name is found.
    exec(text, sys.modules[made.__module__].__dict__, scope)  # noqa: S102  names of fields are identifiers
    function: Callable[..., None] = scope["make"](**given)
    function.__qualname__ = f"{made.__qualname__}.__init__"
    function.__annotations__ = {one.name: one.type for one in described} | {"return": None}
    return function


def _values(names: list[str]) -> Values:
    """Reads all of these attributes of an object, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _comparing(values: Values) -> dict[str, Callable[..., Any]]:
    def equal(self: object, other: object) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": lambda self: hash(values(self))}


def _showing(names: list[str]) -> Callable[[object], str]:
    def shown(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return shown


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for one, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)


_SHARED: dict[str, Callable[..., Any]] = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _restore,
}
