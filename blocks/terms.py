"""Terms: what the words mean that stand beside the figures, and those FinOps brings along; the glossary of `help`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from blocks import ids, kit
from finops.charges import FigureState
from finops.frozen import frozen
from finops.suggest import closest
from finops.written import squeezed
from locales import Translator
from locales.catalogue import LANGUAGES

Say = Callable[[Translator], str]


@frozen
class Term:
    """One word. `key` names it in a menu; `command` is what shows it, where a command does; `spellings` are others."""

    key: str
    name: Say
    meaning: Say
    command: str = ""
    spellings: tuple[str, ...] = ()


def listed(t: Translator) -> kit.Message:
    """Every term by name, in groups, with a menu that tells what one means."""
    headline = t.gettext("What the words mean")
    return _list(t, f"*{headline}*", headline)


def message(t: Translator, term: Term) -> kit.Message:
    """What one term means, what it is called in the other languages, and where it can be seen."""
    name, others = term.name(t), [one for one in _names(term) if one != term.name(t)]
    parts = [
        kit.section(f"*{name}*\n{term.meaning(t)}"),
        kit.context(
            *filter(None, (" · ".join(others), f"`/finops {_TYPED[term.command](t)}`" if term.command else ""))
        ),
        kit.actions(kit.button(t.gettext("All the words"), ids.TERM_LIST)),
    ]
    return kit.message(f"{name}: {term.meaning(t)}", parts)


def unknown(t: Translator, typed: str) -> kit.Message:
    """A word that the glossary lacks: what was probably meant, else that it lacks it; and all there is."""
    meant = closest(typed, [name for term in _TERMS.values() for name in (*_names(term), *term.spellings)])
    if meant is not None:
        sentence = t.gettext(
            "I have no word `{word}`. Did you mean `/finops help {meant}`?", word=kit.name(typed, 40), meant=meant
        )
    else:
        sentence = t.gettext("I have no word `{word}`. These are explained:", word=kit.name(typed, 40))
    return _list(t, sentence, sentence)


def example(t: Translator) -> str:
    """A word to ask for, as the reader would type it."""
    return _TERMS["provisional"].name(t)


def find(words: str) -> Term | None:
    """The term of a name in any of our languages; case, spaces and hyphens do not matter."""
    return _by_name().get(squeezed(words))


def of_key(key: str) -> Term | None:
    """The term that a menu's entry names; None for one that is gone."""
    return _TERMS.get(key)


def _list(t: Translator, lead: str, said: str) -> kit.Message:
    groups = [(heading(t), " · ".join(one.name(t) for one in terms)) for heading, terms in _GROUPS]
    options = [kit.option(one.name(t), one.key) for one in _TERMS.values()]
    parts = [
        kit.section(lead),
        *(kit.section(f"*{heading}*\n{names}") for heading, names in groups),
        kit.actions(kit.select(ids.TERM_SHOW, t.gettext("Choose a word"), options)),
        kit.context(t.gettext("Or ask by name: `/finops help {word}`", word=example(t))),
    ]
    return kit.message(" | ".join((said, *(f"{heading}: {names}" for heading, names in groups))), parts)


def _names(term: Term) -> list[str]:
    """What it is called in each language, each name once: some are the same in two."""
    return list(dict.fromkeys(term.name(Translator(language)) for language in LANGUAGES))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Term]:
    return {squeezed(name): term for term in _TERMS.values() for name in (*_names(term), *term.spellings)}


# What is typed after /finops, in the reader's language.
_TYPED: dict[str, Say] = {
    "audit": lambda t: t.pgettext("command", "audit"),
    "budget": lambda t: t.pgettext("command", "budget"),
    "doctor": lambda t: t.pgettext("command", "doctor"),
    "effect": lambda t: t.pgettext("command", "effect"),
    "export": lambda t: t.pgettext("command", "export"),
    "price": lambda t: t.pgettext("command", "price"),
    "project": lambda t: t.pgettext("command", "project"),
    "report": lambda t: t.pgettext("command", "report"),
    "resume": lambda t: t.pgettext("command", "resume"),
    "status": lambda t: t.pgettext("command", "status"),
    "stop": lambda t: t.pgettext("command", "stop"),
    "team": lambda t: t.pgettext("command", "team"),
    "why": lambda t: t.pgettext("command", "why"),
}
_FIGURES = (
    Term(
        "estimate",
        lambda t: t.state(FigureState.ESTIMATE),
        lambda t: t.gettext(
            "Usage times price, for a day that is not over or not billed yet. The bill takes its place when it comes."
        ),
        "status",
    ),
    Term(
        "provisional",
        lambda t: t.state(FigureState.PROVISIONAL),
        lambda t: t.gettext("Billed, but providers still correct it: the last eight days are read again every day."),
        "status",
    ),
    Term(
        "settled",
        lambda t: t.state(FigureState.SETTLED),
        lambda t: t.gettext(
            "The bill of a day that ended more than 72 hours before it was last read, and that did not change in two "
            "more readings. Should the provider correct it even so, that is told."
        ),
        "status",
    ),
    Term(
        "blind",
        lambda t: t.state(FigureState.BLIND),
        lambda t: t.gettext(
            "We could not look, for example because the key was refused. What nobody knows is never shown as 0."
        ),
        "doctor",
    ),
    Term(
        "charge_day",
        lambda t: t.pgettext("term", "charge day"),
        lambda t: t.gettext(
            "The provider's day, a day by UTC: in Seoul and Tokyo from 09:00 to 09:00 the next morning. Bills, budgets "
            "and alerts count by it."
        ),
    ),
    Term(
        "usual",
        lambda t: t.pgettext("term", "usual"),
        lambda t: t.gettext(
            "The median of the last four weeks (for months, of up to three months). Where too little is known, no "
            "comparison is made."
        ),
        "why",
    ),
    Term(
        "unallocated",
        lambda t: t.pgettext("term", "unallocated"),
        lambda t: t.gettext(
            "What is billed for projects that no team registered, or for none at all. With it the projects add up to "
            "the provider's bill."
        ),
        "status",
    ),
)
_CONTROL = (
    Term(
        "budget",
        lambda t: t.pgettext("term", "budget"),
        lambda t: t.gettext(
            "What a team or project may spend in a day, a week or a month. Each alert level is told once a period."
        ),
        "budget",
    ),
    Term(
        "stop",
        lambda t: t.pgettext("term", "stop"),
        lambda t: t.gettext(
            "The provider refuses calls, because its spend limit is set to one cent. What was set before is kept first."
        ),
        "stop",
    ),
    Term(
        "proof",
        lambda t: t.pgettext("term", "confirmed by usage"),
        lambda t: t.gettext(
            "Five minutes in a row without a call, once the provider has had time to tell of each. Until then a stop "
            "is set, but not confirmed."
        ),
        spellings=("proof", "proved", "confirmed"),
    ),
    Term(
        "restore",
        lambda t: t.pgettext("term", "restore"),
        lambda t: t.gettext(
            "Puts back exactly what the provider had before the stop; a limit that was not there is removed."
        ),
        "resume",
    ),
    Term(
        "avoided",
        lambda t: t.pgettext("term", "loss avoided"),
        lambda t: t.gettext(
            "What a stop kept from being spent: the pace before it, less what is usual and what still got through. An "
            "estimate, and so a range."
        ),
        "effect",
    ),
    Term(
        "cap",
        lambda t: t.pgettext("term", "cap"),
        lambda t: t.gettext(
            "The most that a call, or a user's day, should cost in a segment. What goes above is told, and not stopped."
        ),
        "project",
    ),
)
_VALUE = (
    Term(
        "per_success",
        lambda t: t.pgettext("term", "cost per success"),
        lambda t: t.gettext(
            "Cost divided by the calls that an application recorded as a success. Where none does, it is not known."
        ),
        "project",
    ),
    Term(
        "unit_economics",
        lambda t: t.pgettext("term", "unit economics"),
        lambda t: t.gettext(
            "Cost for one unit of business: a call, a success, a user. It tells growth from waste where a total cannot."
        ),
        "project",
    ),
    Term(
        "value_realization",
        lambda t: t.pgettext("term", "value realization"),
        lambda t: t.gettext(
            "Whether spending brought what it was for. Monday's report holds each project's cost against its successes."
        ),
        "report",
        ("value realisation",),
    ),
    Term(
        "cost_per_token",
        lambda t: t.pgettext("term", "cost per token"),
        lambda t: t.gettext(
            "What a model's input and output cost, usually told for a million tokens. Output costs several times as "
            "much as input."
        ),
        "price",
        ("token", "토큰", "トークン"),
    ),
    Term(
        "cached_input",
        lambda t: t.pgettext("term", "cached input"),
        lambda t: t.gettext(
            "The beginning of a prompt that the provider has just seen, for a fraction of the price. A changed first "
            "line loses it."
        ),
        "why",
        ("cache", "캐시", "キャッシュ", "cached"),
    ),
    Term(
        "batch",
        lambda t: t.pgettext("term", "batch"),
        lambda t: t.gettext("Calls that may be answered within 24 hours, usually for half the price."),
        "why",
        ("batch job", "배치", "バッチ"),
    ),
)
_FINOPS = (
    Term(
        "showback",
        lambda t: t.pgettext("term", "showback"),
        lambda t: t.gettext("Each team is shown what it costs; nothing is charged. Monday's report does that."),
        "report",
    ),
    Term(
        "chargeback",
        lambda t: t.pgettext("term", "chargeback"),
        lambda t: t.gettext(
            "Each team's cost is booked to its account. The CSV has the lines to book; the booking is accounting's."
        ),
        "export",
    ),
    Term(
        "allocation",
        lambda t: t.pgettext("term", "allocation"),
        lambda t: t.gettext("Whose a cost is: the team's that registered the project. The rest is unallocated."),
        "team",
    ),
    Term(
        "commitment_discount",
        lambda t: t.pgettext("term", "commitment discount"),
        lambda t: t.gettext(
            "A lower price for the promise to use so much. Bills have it in them; estimates learn it from the bills."
        ),
    ),
    Term(
        "idle_detection",
        lambda t: t.pgettext("term", "idle detection"),
        lambda t: t.gettext(
            "Finding what costs money and is used by nobody, such as stored vectors of an experiment that ended."
        ),
        spellings=("idle",),
    ),
    Term(
        "right_sizing",
        lambda t: t.pgettext("term", "right-sizing"),
        lambda t: t.gettext(
            "Using the smallest model that still does the task well. Try it on a part first: its effect is measured."
        ),
        "effect",
    ),
    Term(
        "visibility",
        lambda t: t.pgettext("term", "visibility"),
        lambda t: t.gettext("Everybody sees what is spent, on what and by whom, while it can still be changed."),
        "status",
    ),
    Term(
        "optimization",
        lambda t: t.pgettext("term", "optimization"),
        lambda t: t.gettext(
            "The same outcome for less, or more for the same. We advise and measure; changing it is up to people."
        ),
        "effect",
        ("optimisation",),
    ),
    Term(
        "accountability",
        lambda t: t.pgettext("term", "accountability"),
        lambda t: t.gettext("Each cost has a team that answers for it, and each decision the name of who made it."),
        "audit",
    ),
    Term(
        "improvement",
        lambda t: t.pgettext("term", "continuous improvement"),
        lambda t: t.gettext("See, decide, act, measure, and again: every Monday, and after every alert."),
        "report",
    ),
    Term(
        "focus",
        lambda _: "FOCUS",
        lambda t: t.gettext(
            "The FinOps Foundation's open format for bills. The columns of our CSV have its names where it has one."
        ),
        "export",
    ),
)
_GROUPS: tuple[tuple[Say, tuple[Term, ...]], ...] = (
    (lambda t: t.gettext("Amounts"), _FIGURES),
    (lambda t: t.gettext("Budgets and stops"), _CONTROL),
    (lambda t: t.gettext("Value and prices"), _VALUE),
    (lambda _: "FinOps", _FINOPS),
)
_TERMS = {one.key: one for _, terms in _GROUPS for one in terms}
