"""Names as people type them: the whole of one, or as much of its beginning as says which one is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.errors import Refusal, RefusalCode
from finops.suggest import closest
from finops.written import compared


def alike(words: str) -> str:
    """A name as it is compared: neither case nor spelling variants nor the number of blanks make another."""
    return " ".join(compared(words).split())


def begun(words: str, names: Iterable[str]) -> str | None:
    """The name that is meant: the very one, else the only one that begins so, or in which a word begins so.

    `chatbot` is the beginning of `chatbot-experiment`, and of `Old Chatbot`; 마케팅 팀 is 마케팅팀 before it begins
    any other. None where no name begins so; refused with all of them where several do.
    """
    wanted = alike(words)
    if not wanted:
        return None
    known = {alike(name): name for name in reversed(list(names))}
    if wanted in known:
        return known[wanted]
    found = [known[name] for name in known if name.replace(" ", "") == joined(wanted)]
    found = found or [known[name] for name in known if any(name.startswith(wanted, start) for start in _starts(name))]
    if len(found) > 1:
        raise Refusal(RefusalCode.SEVERAL_SCOPES, words=words, choices=tuple(reversed(found)))
    return found[0] if found else None


def unknown(words: str, names: Iterable[str]) -> Refusal:
    """What is said where nothing is called so: what may have been meant, and what there is."""
    choices = tuple(dict.fromkeys(names))
    return Refusal(RefusalCode.UNKNOWN_SCOPE, words=words, suggestion=closest(words, choices), choices=choices)


def joined(words: str) -> str:
    """A name as it is compared where blanks say nothing: 마케팅 팀 is 마케팅팀."""
    return alike(words).replace(" ", "")


def _starts(name: str) -> Iterator[int]:
    """Where the words of a name begin."""
    yield 0
    for at in range(1, len(name)):
        if name[at].isalnum() and not name[at - 1].isalnum():
            yield at
