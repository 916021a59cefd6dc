"""`@frozen` promises what `@dataclass(frozen=True, slots=True)` does: one suite, held against both."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from dataclasses import KW_ONLY, FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest

from finops.frozen import frozen

Decorator = Callable[[type[Any]], type[Any]]


def declared(make: Decorator) -> SimpleNamespace:
    """The same classes, made by the one or by the other."""

    @make
    class Line:
        """A line of a bill."""

        project: str
        amount: Decimal = Decimal(0)
        notes: list[str] = field(default_factory=list)
        seen: int = field(default=0, compare=False)
        token: bytes = field(default=b"", repr=False)

        @property
        def is_free(self) -> bool:
            return not self.amount

    @make
    class Taxed(Line):
        """With what comes on top."""

        tax: Decimal = Decimal(1)

    @make
    class Limit:
        """Checks itself at birth."""

        amount: int

        def __post_init__(self) -> None:
            if self.amount <= 0:
                raise ValueError("a limit is above zero")

    @make
    class Name:
        """Compares as people do."""

        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Name) and self.text.casefold() == other.text.casefold()

        def __hash__(self) -> int:
            return hash(self.text.casefold())

        def __repr__(self) -> str:
            return f"<{self.text}>"

    @make
    class Pair:
        """Two places."""

        left: object
        right: object

    @make
    class Nothing:
        """No field at all."""

    return SimpleNamespace(Line=Line, Taxed=Taxed, Limit=Limit, Name=Name, Pair=Pair, Nothing=Nothing)


@pytest.fixture(params=[dataclass(frozen=True, slots=True), frozen], ids=["standard library", "ours"])
def of(request: pytest.FixtureRequest) -> SimpleNamespace:
    return declared(request.param)


def test_fields_are_given_by_place_or_name_and_default(of: SimpleNamespace) -> None:
    line = of.Line("chatbot", amount=Decimal("2.5"))
    assert (line.project, line.amount, line.notes, line.seen, line.token) == ("chatbot", Decimal("2.5"), [], 0, b"")
    assert of.Line("a").notes is not of.Line("a").notes
    assert of.Line("a").is_free
    assert [one.name for one in fields(of.Line)] == ["project", "amount", "notes", "seen", "token"]
    assert is_dataclass(line)
    assert asdict(of.Pair(1, of.Limit(2))) == {"left": 1, "right": {"amount": 2}}


@pytest.mark.parametrize(("given", "named"), [((), {}), ((1, 2, 3, 4, 5, 6), {}), (("a",), {"project": "b"})])
def test_what_cannot_be_given_is_refused(of: SimpleNamespace, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="__init__"):
        of.Line(*given, **named)
    with pytest.raises(TypeError, match="colour"):
        of.Line("a", colour="red")


def test_an_object_never_changes(of: SimpleNamespace) -> None:
    line = of.Line("chatbot")
    with pytest.raises(FrozenInstanceError, match="'project'"):
        line.project = "other"
    with pytest.raises(FrozenInstanceError, match="'project'"):
        del line.project
    with pytest.raises((FrozenInstanceError, TypeError)):  # a slip of the standard library's: TypeError
        line.colour = "red"
    assert not hasattr(line, "__dict__")
    assert replace(line, seen=3) == line
    assert replace(line, project="other").project == "other"


def test_equal_is_what_has_equal_fields_and_the_same_class(of: SimpleNamespace) -> None:
    assert of.Pair(1, "a") == of.Pair(1, "a") != of.Pair("a", 1)
    assert hash(of.Pair(1, "a")) == hash(of.Pair(1, "a"))
    assert of.Line("a", seen=1) == of.Line("a", seen=2)
    assert of.Line("a") != of.Taxed("a")
    assert of.Line("a") != "a"
    assert of.Limit(1) == of.Limit(1) != of.Limit(2)
    assert len({of.Limit(1), of.Limit(1), of.Limit(2), of.Nothing(), of.Nothing()}) == 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(of.Line("a"))


def test_what_a_class_says_itself_holds(of: SimpleNamespace) -> None:
    assert of.Name("Chatbot") == of.Name("chatbot")
    assert hash(of.Name("Chatbot")) == hash(of.Name("chatbot"))
    assert repr(of.Name("Chatbot")) == "<Chatbot>"
    with pytest.raises(ValueError, match="above zero"):
        of.Limit(0)


def test_a_subclass_has_the_fields_of_both(of: SimpleNamespace) -> None:
    taxed = of.Taxed("a", tax=Decimal(2))
    assert (taxed.project, taxed.tax, taxed.is_free) == ("a", Decimal(2), True)
    assert isinstance(taxed, of.Line)


def test_it_is_shown_by_its_names_without_its_secrets(of: SimpleNamespace) -> None:
    shown = repr(of.Line("chatbot", token=b"xoxb"))
    assert shown.endswith("Line(project='chatbot', amount=Decimal('0'), notes=[], seen=0)")
    assert repr(of.Nothing()).endswith("Nothing()")


def test_it_is_matched_described_and_copied(of: SimpleNamespace) -> None:
    match of.Pair(1, 2):
        case of.Pair(left, right=2):
            assert left == 1
        case _:
            pytest.fail("no match")
    assert list(inspect.signature(of.Line).parameters) == ["project", "amount", "notes", "seen", "token"]
    assert get_type_hints(of.Line.__init__)["amount"] is Decimal
    line = of.Line("a", notes=["b"])
    assert copy.copy(line) == line
    deep = copy.deepcopy(line)
    assert deep == line
    assert deep.notes is not line.notes


@frozen
class Kept:
    """Where pickle finds it."""

    project: str
    amount: Decimal


def test_it_survives_being_pickled() -> None:
    kept = Kept("chatbot", Decimal("0.1"))
    assert pickle.loads(pickle.dumps(kept)) == kept


def test_what_it_cannot_do_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match=r"Odd\.later.*@dataclass"):

        @frozen
        class Odd:
            later: int = field(init=False)

    with pytest.raises(TypeError, match=r"Named\.only.*@dataclass"):

        @frozen
        class Named:
            _: KW_ONLY
            only: int
