"""Help: what can be asked, by example; and what was probably meant."""

from __future__ import annotations

from blocks import ids, kit
from finops.queries import PeriodName
from locales import Translator


def message(t: Translator, *, is_admin: bool) -> kit.Message:
    """What `/finops` alone answers: the few things people do every day, then the rest."""
    headline = t.gettext("FinOps shows what AI costs, whose it is, and how sure the figure is.")
    everyday = [
        t.gettext("`/finops status` — the last 7 days, everything"),
        t.gettext("`/finops status Marketing last week` — a team or project, any period"),
        t.gettext("`/finops status month` — `today`, `yesterday`, `7d`, `30d`, `week`, `month`, `last month`"),
        t.gettext("`/finops why Marketing` — why the cost moved, part by part"),
        t.gettext("`/finops report` — last week: what the money bought, where it did not, why it moved"),
        t.gettext("`/finops poll` — ask the channel something; `list` closes and exports"),
        t.gettext("`/finops project chatbot` — one project: cost beside what it bought, why it moved"),
        t.gettext("`/finops budget` — what may be spent, and how much of it is left"),
        t.gettext(
            "`/finops stop chatbot` — stop the spending of a project or team; alone it lists what can be stopped"
        ),
        t.gettext("`/finops resume chatbot` — restore it as it was, or on terms; alone it lists what is stopped"),
        t.gettext("`/finops effect` — what was done about the cost, and whether it changed anything"),
        t.gettext("`/finops export` — last month's bill as a CSV, line by line; a team, project or period may follow"),
        t.gettext("`/finops decisions` — what was voted to come next, and what is decided about it"),
        t.gettext("`/finops feedback` — tell us what you think · `/finops interview` — talk with us"),
    ]
    parts = [kit.section(f"*{headline}*"), kit.section("\n".join(everyday))]
    if is_admin:
        administration = [
            t.gettext("`/finops setup` — team, key and projects, step by step"),
            t.gettext("`/finops team` · `/finops key` · `/finops project` — see and change them"),
            t.gettext("`/finops collect` — read the provider now"),
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
