"""Budgets as a YAML file: written so that people can read it, read whole or refused whole. See docs/budgets.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bot.budget_scopes import ScopeBook
from finops.amounts import AmountUnusable, amount_typed, as_typed
from finops.budget_report import FileMistake, MistakeInFile, ScopeChoice
from finops.budgets import (
    DEFAULT_LEVELS,
    HIGHEST_LEVEL,
    BudgetAction,
    BudgetPeriod,
    BudgetScope,
    BudgetTerms,
)
from finops.frozen import frozen
from finops.keys import contains_key, redacted
from finops.money import Money
from finops.suggest import closest

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

LARGEST_TEXT = 1_000_000
MOST_MISTAKES = 20
# The levels of a budget stand four deep. What stands far deeper is no file of budgets, and takes ever longer to read.
DEEPEST = 20
# More than anybody wants to hear, and fewer than a menu of Slack can offer.
MOST_LEVELS = 50
VERSION = "1"
_FIELDS = ("scope", "period", "amount", "levels", "action", "floor", "channel", "needs_two")
_NEEDED = ("scope", "period", "amount")
_WORKSPACE, _EVERY_PROJECT, _TEAM, _PROJECT = "workspace", "every project", "team", "project"
_QUOTED = 60
_YES_AND_NO = {"true": True, "yes": True, "false": False, "no": False}
_HEAD = """\
# FinOps budgets, taken in again by /finops budget import
version: 1
"""


class FileRefused(ValueError):
    """The file cannot be used, and nothing of it counts: every mistake with the line it stands in."""

    def __init__(self, mistakes: Iterable[MistakeInFile]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda one: one.line))[:MOST_MISTAKES]
        super().__init__(", ".join(f"line {one.line}: {one.code}" for one in self.mistakes))


def written(budgets: Iterable[BudgetTerms], book: ScopeBook) -> str:
    """The budgets as a file: by scope and period, what is as usual left out. Reading it gives the same budgets."""
    lines = [_HEAD]
    rows = sorted(
        ((_scope_words(book.choice(one.scope_kind, one.scope_id), book), one) for one in budgets),
        key=lambda row: (_ORDER[row[1].scope_kind], row[0].casefold(), _LENGTHS[row[1].period], row[1].amount.amount),
    )
    lines.append("budgets:" if rows else "budgets: []")
    for words, terms in rows:
        lines += ["", f"  - scope: {_scalar(words)}", f"    period: {terms.period.value}"]
        lines.append(f"    amount: {_money(terms.amount)}")
        if terms.levels != DEFAULT_LEVELS:
            lines.append(f"    levels: [{', '.join(map(str, terms.levels))}]")
        if terms.action is not BudgetAction.NOTIFY:
            lines.append(f"    action: {terms.action.value}")
        if terms.silent_below:
            lines.append(f"    floor: {_money(terms.silent_below)}")
        if terms.channel_id:
            lines.append(f"    channel: {terms.channel_id}")
        if terms.needs_two:
            lines.append("    needs_two: true")
    return "\n".join(lines) + "\n"


def read(text: str, book: ScopeBook) -> list[BudgetTerms]:
    """The budgets of a file. Raises FileRefused with every mistake; then nothing of it counts."""
    import yaml  # late: few read a file, and every start would pay for it

    if len(text) > LARGEST_TEXT:
        raise FileRefused([MistakeInFile(1, FileMistake.TOO_LARGE)])
    for number, line in enumerate(text.split("\n"), 1):
        if contains_key(line):
            raise FileRefused([MistakeInFile(number, FileMistake.SECRET)])
    try:
        root = _composed(_without_fence(text))
    except yaml.MarkedYAMLError as error:
        line_number = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = {"problem": str(error.problem or "")}
        raise FileRefused([MistakeInFile(line_number, FileMistake.NOT_YAML, problem)]) from None
    except yaml.YAMLError:
        raise FileRefused([MistakeInFile(1, FileMistake.NOT_YAML, {"problem": ""})]) from None
    reader = _Reader(book)
    budgets = reader.whole(root)
    if reader.mistakes:
        raise FileRefused(reader.mistakes)
    return budgets


def _composed(text: str) -> Node | None:
    """The document as it is written, without a meaning; one that nests too deeply is left at that place."""
    import yaml  # late, as above

    class Shallow(yaml.BaseLoader):
        depth = 0

        def compose_node(self, parent: Node | None, index: int) -> Node | None:
            self.depth += 1
            if self.depth > DEEPEST:
                raise yaml.MarkedYAMLError(problem_mark=None if parent is None else parent.start_mark)
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return yaml.compose(text, Loader=Shallow)


@frozen
class _Said:
    """Words of the file and the line they stand in; `many` where a list of them stands."""

    line: int
    words: str = ""
    many: tuple[str, ...] | None = None


class _Reader:
    """Reads everything it can, so that all mistakes are told at once."""

    def __init__(self, book: ScopeBook) -> None:
        self.mistakes: list[MistakeInFile] = []
        self._book = book
        self._names = [f"{_TEAM}:{one.name}" for one in book.teams.values()]
        self._names += [f"{_PROJECT}:{one.name}" for one in book.projects.values()]

    def whole(self, root: Node | None) -> list[BudgetTerms]:
        from yaml.nodes import MappingNode, ScalarNode, SequenceNode  # late, as above

        if not isinstance(root, MappingNode):
            self._wrong(1 if root is None else _line(root), FileMistake.NOT_A_FILE)
            return []
        parts = dict(self._entries(root, ("version", "budgets")))
        version = parts.get("version")
        if not isinstance(version, ScalarNode) or version.value.strip() != VERSION:
            given = version.value if isinstance(version, ScalarNode) else ""
            self._wrong(_line(version or root), FileMistake.VERSION, given=_short(given))
        listed = parts.get("budgets")
        if not isinstance(listed, SequenceNode):
            self._wrong(_line(listed or root), FileMistake.BUDGETS)
            return []
        found: list[BudgetTerms] = []
        first: dict[tuple[object, ...], int] = {}
        for node in listed.value:
            if not isinstance(node, MappingNode):
                self._wrong(_line(node), FileMistake.NOT_A_BUDGET)
                continue
            terms = self._budget(node)
            if terms is None:
                continue
            place = (terms.scope_kind, terms.scope_id, terms.period, terms.amount)
            if place in first:
                self._wrong(_line(node), FileMistake.SAME_BUDGET, first=str(first[place]))
            first.setdefault(place, _line(node))
            found.append(terms)
        return found

    def _budget(self, node: MappingNode) -> BudgetTerms | None:
        before = len(self.mistakes)
        said = {name: self._said(name, each) for name, each in self._entries(node, _FIELDS)}
        for name in _NEEDED:
            if name not in said:
                self._wrong(_line(node), FileMistake.MISSING, field=name)
        scope = self._scope(said["scope"]) if "scope" in said else None
        period = self._one_of(said.get("period"), BudgetPeriod, FileMistake.PERIOD)
        amount = self._amount("amount", said.get("amount"))
        levels = self._levels(said["levels"]) if "levels" in said else DEFAULT_LEVELS
        action = self._one_of(said.get("action"), BudgetAction, FileMistake.ACTION) or BudgetAction.NOTIFY
        floor = self._amount("floor", said.get("floor"), may_be_zero=True)
        if amount is not None and floor is not None and amount < floor:
            told = {"floor": as_typed(floor), "amount": as_typed(amount)}
            self._wrong(said["floor"].line, FileMistake.FLOOR, **told)
        channel = self._channel(said.get("channel"))
        needs_two = self._needs_two(said.get("needs_two"))
        if scope is not None and scope.kind is BudgetScope.WORKSPACE and not channel and "channel" not in said:
            self._wrong(_line(node), FileMistake.CHANNEL_MISSING)
        if len(self.mistakes) > before or scope is None or period is None or amount is None:
            return None
        return BudgetTerms(*scope.place, period, amount, levels, action, floor or None, channel, needs_two)

    def _entries(self, node: MappingNode, known: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
        """The known fields of a mapping, each once; what else stands there is a mistake."""
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value) if isinstance(key.value, str) else ""
            if name not in known:
                guess = closest(name, known) or ""
                self._wrong(_line(key), FileMistake.UNKNOWN_FIELD, field=_short(name), suggestion=guess)
            elif name in seen:
                self._wrong(_line(key), FileMistake.TWICE, field=name)
            else:
                seen.add(name)
                yield name, value

    def _said(self, name: str, node: Any) -> _Said:
        from yaml.nodes import ScalarNode, SequenceNode  # late, as above

        if isinstance(node, ScalarNode):
            return _Said(_line(node), _uncurled(node.value.strip()))
        if name == "levels" and isinstance(node, SequenceNode) and all(isinstance(e, ScalarNode) for e in node.value):
            return _Said(_line(node), many=tuple(str(each.value).strip() for each in node.value))
        self._wrong(_line(node), FileMistake.NOT_WORDS, field=name)
        return _Said(_line(node), many=())

    def _scope(self, said: _Said) -> ScopeChoice | None:
        if said.many is not None:
            return None
        words = " ".join(said.words.split())
        if words.casefold() == _WORKSPACE:
            return ScopeChoice(BudgetScope.WORKSPACE)
        if words.casefold() == _EVERY_PROJECT:
            return ScopeChoice(BudgetScope.EVERY_PROJECT)
        kind, colon, name = words.partition(":")
        if not colon or not name.strip() or kind.casefold().strip() not in {_TEAM, _PROJECT}:
            self._wrong(said.line, FileMistake.SCOPE, given=_short(words))
            return None
        is_team = kind.casefold().strip() == _TEAM
        book = self._book
        found = (book.teams_named(name) or book.teams_joined(name)) if is_team else book.projects_named(name)
        if len(found) == 1:
            return found[0]
        if found:
            self._wrong(said.line, FileMistake.AMBIGUOUS, given=_short(words))
        else:
            guess = closest(words, self._names) or ""
            self._wrong(said.line, FileMistake.UNKNOWN_SCOPE, given=_short(words), suggestion=guess)
        return None

    def _one_of(self, said: _Said | None, kind: Any, mistake: FileMistake) -> Any:
        if said is None or said.many is not None:
            return None
        if said.words.casefold() in set(kind):
            return kind(said.words.casefold())
        self._wrong(said.line, mistake, given=_short(said.words))
        return None

    def _amount(self, name: str, said: _Said | None, *, may_be_zero: bool = False) -> Money | None:
        if said is None or said.many is not None:
            return None
        try:
            return amount_typed(said.words, may_be_zero=may_be_zero)
        except AmountUnusable as error:
            told = {"field": name, "given": _short(said.words), "mistake": error.mistake.value}
            self._wrong(said.line, FileMistake.AMOUNT, **told)
            return None

    def _levels(self, said: _Said) -> tuple[int, ...]:
        given = said.many if said.many is not None else (said.words,)
        levels: list[int] = []
        for words in given:
            digits = words.removesuffix("%").strip()
            digits = digits.lstrip("0") if digits.isascii() else ""
            if not digits.isdecimal() or len(digits) > len(str(HIGHEST_LEVEL)) or int(digits) > HIGHEST_LEVEL:
                self._wrong(said.line, FileMistake.LEVELS, given=_short(words))
            elif int(digits) in levels:
                self._wrong(said.line, FileMistake.LEVEL_TWICE, given=str(int(digits)))
            else:
                levels.append(int(digits))
        if not given:
            self._wrong(said.line, FileMistake.LEVELS, given="")
        if len(levels) > MOST_LEVELS:
            self._wrong(said.line, FileMistake.MANY_LEVELS, most=str(MOST_LEVELS))
        return tuple(sorted(levels)) or DEFAULT_LEVELS

    def _channel(self, said: _Said | None) -> str | None:
        if said is None or said.many is not None:
            return None
        channel = said.words
        if channel[:1] in {"C", "G"} and channel.isalnum() and channel.isascii() and channel.isupper():
            return channel
        self._wrong(said.line, FileMistake.CHANNEL, given=_short(channel))
        return None

    def _needs_two(self, said: _Said | None) -> bool:
        if said is None or said.many is not None:
            return False
        words = said.words.casefold()
        if words not in _YES_AND_NO:
            self._wrong(said.line, FileMistake.NEEDS_TWO, given=_short(said.words))
        return _YES_AND_NO.get(words, False)

    def _wrong(self, line: int, code: FileMistake, **values: str) -> None:
        self.mistakes.append(MistakeInFile(line, code, values))


_ORDER = {
    BudgetScope.WORKSPACE: 0,
    BudgetScope.EVERY_PROJECT: 1,
    BudgetScope.TEAM: 2,
    BudgetScope.PROJECT: 3,
}
_LENGTHS = {BudgetPeriod.DAY: 0, BudgetPeriod.WEEK: 1, BudgetPeriod.MONTH: 2}


def _scope_words(scope: ScopeChoice, book: ScopeBook) -> str:
    """A scope as files call it; a project whose name is not its own alone goes by its provider's id."""
    if scope.kind is BudgetScope.WORKSPACE:
        return _WORKSPACE
    if scope.kind is BudgetScope.EVERY_PROJECT:
        return _EVERY_PROJECT
    if scope.kind is BudgetScope.TEAM:
        return f"{_TEAM}:{scope.name}"
    named = book.projects_named(scope.name)
    if [one.id for one in named] == [scope.id]:
        return f"{_PROJECT}:{scope.name}"
    return f"{_PROJECT}:{book.projects[scope.id or 0].provider_project_id}"


def _scalar(words: str) -> str:
    import yaml  # late, as above

    told: str = yaml.safe_dump(words, allow_unicode=True, default_style='"', width=10_000)
    return told.strip()


def _money(amount: Money) -> str:
    return f'"{as_typed(amount)} {amount.currency}"'


def _without_fence(text: str) -> str:
    """The text without the code marks that copying from a message brings along; lines keep their numbers."""
    lines = text.removeprefix("\ufeff").replace("\u00a0", " ").split("\n")
    return "\n".join("" if line.strip() in {"```", "```yaml", "```yml"} else line for line in lines)


def _uncurled(words: str) -> str:
    """Words without the curly quotes that phones type in the place of straight ones."""
    return words[1:-1].strip() if words[:1] in set("“”") and words[-1:] in set("“”") else words


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _short(words: str) -> str:
    told = " ".join(redacted(words).split())
    return told if len(told) <= _QUOTED else told[: _QUOTED - 1] + "…"
