"""The bill as a file in words: what stands beside it, and what the person who asked is told."""

from __future__ import annotations

from blocks import figures, kit
from finops.bill_file import MOST_LINES, BillFile, exact
from finops.figures import Figure
from finops.queries import ScopeKind
from locales import Translator


def file_words(file: BillFile, figure: Figure, t: Translator) -> str:
    """What stands beside the file: whose and when, the exact total, how sure, and what it lacks."""
    total = " + ".join(f"{exact(one.amount)} {one.currency}" for one in file.totals)
    lines = t.ngettext(
        "{count} line, exactly {total} in all: one for each charge day (UTC), provider project and line item.",
        "{count} lines, exactly {total} in all: one for each charge day (UTC), provider project and line item.",
        file.lines,
        total=total,
    )
    return "\n".join((_subject(file, t), lines, figures.trust(figure, t), *figures.gaps(figure, t)))


def sent(file: BillFile, t: Translator) -> kit.Message:
    """The file lies in the direct messages."""
    return _told(file, t.gettext("The file is in your direct messages with FinOps."), t)


def not_allowed(file: BillFile, t: Translator) -> kit.Message:
    """No file may be sent here."""
    return _told(file, t.gettext("FinOps may not send files here (files:write)."), t)


def no_file(file: BillFile, figure: Figure, t: Translator) -> kit.Message:
    """Why there is no file: nothing was billed, nothing is known yet, or there is too much of it for one."""
    if file.lines > MOST_LINES:
        words = t.gettext(
            "{count} lines are more than the {limit} that one file holds. Name a team, a project or a shorter period.",
            count=t.number(file.lines),
            limit=t.number(MOST_LINES),
        )
        return _told(file, words, t)
    if figure.amount is None:
        words = t.gettext("No bill has been read for this period yet, so there is no file.")
    else:
        words = t.gettext("Nothing was billed in this period, so there is no file.")
    return _told(file, "\n".join((words, figures.trust(figure, t), *figures.gaps(figure, t))), t)


def _told(file: BillFile, words: str, t: Translator) -> kit.Message:
    return kit.line(f"{_subject(file, t)}\n{words}")


def _subject(file: BillFile, t: Translator) -> str:
    is_all = file.scope.kind is ScopeKind.WORKSPACE
    scope = t.gettext("Everything") if is_all else kit.name(file.scope.name)
    return t.gettext("Bill · {scope} · {period}", scope=scope, period=t.period(file.query))
