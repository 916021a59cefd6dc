"""The grammar the Block Kit rules are written in: a value with its place, and small checks that combine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Surface = Literal["message", "modal", "home"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing Slack would refuse: where (a JSON pointer) and why."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


@dataclass(slots=True)
class Report:
    """What one check has found so far, and the sums that run over a whole payload."""

    surface: Surface
    careful: bool = False
    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str, amount: int = 1) -> int:
        """Add to a running sum and say where it stands."""
        self.counts[what] = self.counts.get(what, 0) + amount
        return self.counts[what]


@dataclass(frozen=True, slots=True)
class Node:
    """A value inside the payload, its JSON pointer, and the report it belongs to."""

    value: Any
    pointer: str
    report: Report

    @property
    def surface(self) -> Surface:
        """Where the payload is going to be shown."""
        return self.report.surface

    def say(self, message: str) -> None:
        """Refuse this value."""
        self.report.problems.append(Problem(self.pointer, message))

    def child(self, key: str | int) -> Node:
        """The value under a key or an index."""
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        return Node(self.value[key], f"{self.pointer}/{escaped}", self.report)

    def get(self, key: str) -> Any:
        """The plain value under a key, None where there is none or this is no object."""
        return self.value.get(key) if isinstance(self.value, dict) else None


Check = Callable[[Node], None]


def anything(_: Node) -> None:
    """No rule of ours."""


def string(longest: int | None = None, shortest: int = 0) -> Check:
    """A string of `shortest` to `longest` characters."""

    def check(node: Node) -> None:
        if not isinstance(node.value, str):
            node.say("must provide a string")
        elif longest is not None and len(node.value) > longest:
            node.say(f"must be less than {longest + 1} characters")
        elif len(node.value) < shortest:
            node.say(f"must be more than {shortest - 1} characters")

    return check


def matching(pattern: str, says: str) -> Check:
    """A string of a given form."""
    compiled = re.compile(pattern)

    def check(node: Node) -> None:
        if not isinstance(node.value, str) or not compiled.fullmatch(node.value):
            node.say(says)

    return check


def boolean(node: Node) -> None:
    """True or false."""
    if not isinstance(node.value, bool):
        node.say("must provide a boolean")


def integer(lowest: int, highest: int | None = None) -> Check:
    """A whole number within bounds."""

    def check(node: Node) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            node.say("must provide an integer")
        elif node.value < lowest:
            node.say(f"must be greater than or equal to {lowest}")
        elif highest is not None and node.value > highest:
            node.say(f"must be less than or equal to {highest}")

    return check


def number(*, above: float | None = None) -> Check:
    """A number, if wanted above a bound."""

    def check(node: Node) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            node.say("must provide a number")
        elif above is not None and node.value <= above:
            node.say(f"must be greater than {above:g}")

    return check


def one_of(*values: str) -> Check:
    """One of a few words."""

    def check(node: Node) -> None:
        if node.value not in values:
            node.say(f"must be one of: {', '.join(values)}")

    return check


def array(item: Check, fewest: int = 0, most: int | None = None) -> Check:
    """A list of `fewest` to `most` items, each by the rule."""

    def check(node: Node) -> None:
        if not isinstance(node.value, list):
            node.say("must provide an array")
            return
        if most is not None and len(node.value) > most:
            node.say(f"no more than {most} items allowed")
        if len(node.value) < fewest:
            node.say(f"no fewer than {fewest} item{'s' if fewest > 1 else ''} required")
        for index in range(len(node.value)):
            item(node.child(index))

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *more: Check) -> Check:
    """An object with these fields and no others; then further rules over the whole."""
    known = {"type": anything, **(optional or {}), **required}

    def check(node: Node) -> None:
        if not isinstance(node.value, dict):
            node.say("must provide an object")
            return
        for name in required:
            if node.value.get(name) is None:
                node.say(f"missing required field: {name}")
        for name, value in node.value.items():
            rule = known.get(name)
            if rule is None:
                node.say(f"invalid additional property: {name}")
            elif value is not None:
                rule(node.child(name))
        for rule in more:
            rule(node)

    return check


def exactly_one(*names: str) -> Check:
    """Exactly one of the fields is there."""

    def check(node: Node) -> None:
        there = [name for name in names if node.get(name) is not None]
        if not there:
            node.say(f"missing required field: {' or '.join(names)}")
        elif len(there) > 1:
            node.say(f"must provide only one of: {', '.join(names)}")

    return check


def at_least_one(*names: str) -> Check:
    """At least one of the fields is there."""

    def check(node: Node) -> None:
        if all(node.get(name) is None for name in names):
            node.say(f"missing required field: {' or '.join(names)}")

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` chooses the rule."""

    def check(node: Node) -> None:
        if not isinstance(node.value, dict):
            node.say("must provide an object")
            return
        kind = node.value.get("type")
        if kind is None:
            node.say("missing required field: type")
            return
        rule = kinds.get(kind) if isinstance(kind, str) else None
        if rule is None:
            Node(kind, f"{node.pointer}/type", node.report).say(f"unsupported type: {kind}")
        else:
            rule(node)

    return check


def only_on(rule: Check, *surfaces: Surface) -> Check:
    """A rule for things that exist on these surfaces only."""

    def check(node: Node) -> None:
        if node.surface not in surfaces:
            node.say(f"{node.get('type')} is not supported in {_named(node.surface)}")
        else:
            rule(node)

    return check


def _named(surface: Surface) -> str:
    return {"message": "messages", "modal": "modals", "home": "Home tabs"}[surface]
