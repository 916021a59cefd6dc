"""Help: what can be asked, by example; and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from blocks import ids, kit, terms
from finops.queries import PeriodName
from locales import Translator

# A longer name is cut, and what is cut names nothing.
_LONGEST_EXAMPLE = 40


def message(t: Translator, *, is_admin: bool, teams: Iterable[str] = (), projects: Iterable[str] = ()) -> kit.Message:
    """What `/finops` alone answers: the few things people do every day, then the rest.

    The examples name the first of `teams` and `projects` that can be typed as it stands; made-up ones where none can.
    """
    # i18n: a team and a project in examples of commands, where none is registered yet
    team, project = _example(teams) or t.pgettext("example", "Marketing"), _example(projects) or "chatbot"
    headline = t.gettext("FinOps shows what AI costs, whose it is, and how sure the figure is.")
    everyday = [
        t.gettext("`/finops status` — the last 7 days, everything"),
        t.gettext("`/finops status {team} last week` — a team or project, any period", team=team),
        t.gettext("`/finops status month` — `today`, `yesterday`, `7d`, `30d`, `week`, `month`, `last month`"),
        t.gettext("`/finops why {team}` — why the cost moved, part by part", team=team),
        t.gettext("`/finops report` — last week: what the money bought, where it did not, why it moved"),
        t.gettext("`/finops daily` — yesterday beside what it bought, and today so far"),
        t.gettext("`/finops poll` — ask the channel something; `list` closes and exports"),
        t.gettext(
            "`/finops project {project}` — one project: cost beside what it bought, why it moved", project=project
        ),
        t.gettext("`/finops budget` — what may be spent, and how much of it is left"),
        t.gettext(
            "`/finops stop {project}` — stop the spending of a project or team; alone it lists what can be stopped",
            project=project,
        ),
        t.gettext(
            "`/finops resume {project}` — restore it as it was, or on terms; alone it lists what is stopped",
            project=project,
        ),
        t.gettext("`/finops effect` — what was done about the cost, and whether it changed anything"),
        t.gettext("`/finops export` — last month's bill as a CSV, line by line; a team, project or period may follow"),
        t.gettext("`/finops price` — what a million tokens cost; with a model, what it cost before, too"),
        t.gettext("`/finops term` — what the words mean; `/finops help {word}` explains one", word=terms.example(t)),
        t.gettext("`/finops decisions` — what was voted to come next, and what is decided about it"),
        t.gettext("`/finops feedback` — tell us what you think · `/finops interview` — talk with us"),
    ]
    parts = [kit.section(f"*{headline}*"), kit.section("\n".join(everyday))]
    if is_admin:
        administration = [
            t.gettext("`/finops setup` — team, key and projects, step by step"),
            t.gettext("`/finops team` · `/finops key` · `/finops project` — see and change them"),
            t.gettext("`/finops collect` — read the provider now"),
            t.gettext("`/finops currency` — won or yen beside the dollars, at a rate you set"),
            t.gettext("`/finops audit` — who did what, and whether the record is whole"),
            t.gettext("`/finops doctor` — what works, what does not, and what to do"),
        ]
        parts.append(kit.section("\n".join(administration)))
    else:
        parts.append(kit.section(t.gettext("`/finops doctor` — what works, what does not, and what to do")))
    parts.append(
        kit.context(
            t.gettext(
                "Answers about money are visible only to you until you press Share. Keys are entered only in a "
                "window, never in a message."
            )
        )
    )
    parts.append(
        kit.actions(kit.button(t.gettext("Last 7 days"), ids.STATUS_SHOW, f"workspace//{PeriodName.LAST_7_DAYS}"))
    )
    return kit.message(f"{headline} | {' | '.join(everyday)}", parts)


def _example(names: Iterable[str]) -> str:
    """The first name that stands in an example as it is; '' where none does."""
    fitting = (name for name in names if "`" not in name and kit.bare(name, _LONGEST_EXAMPLE) == name)
    return kit.harmless(next(fitting, ""))


def unknown(t: Translator, typed: str, suggestion: str | None) -> kit.Message:
    """A word that is no command: what was probably meant, else where help is."""
    word = kit.name(typed, 40)
    if suggestion:
        sentence = t.gettext(
            "I don't know `{word}`. Did you mean `/finops {suggestion}`?", word=word, suggestion=suggestion
        )
    else:
        sentence = t.gettext("I don't know `{word}`. See what can be asked: `/finops help`", word=word)
    return kit.message(sentence, [kit.section(sentence), kit.actions(kit.button(t.gettext("Help"), ids.HELP_SHOW))])


def by_button(t: Translator, action_id: str) -> kit.Message:
    """What was asked needs a window, and only a click can open one."""
    sentence = t.gettext("This opens in a window of its own.")
    return kit.message(
        sentence, [kit.section(sentence), kit.actions(kit.button(t.gettext("Open"), action_id, style="primary"))]
    )
