"""Costs that no team answers for, on Home: project by project, with who most likely does, and the way to register."""

from __future__ import annotations

from blocks import ids, kit
from finops.approvals import HomeReader
from finops.owners import Because, Suggested, Unowned
from locales import Translator

Parts = list[kit.Block | kit.Either]


def unowned(reader: HomeReader, t: Translator) -> Parts:
    """The largest of them; nothing where every cost has its team, or for whoever registers none."""
    if not reader.unowned:
        return []
    lines = [t.gettext("*Unallocated · last 7 days*"), *(_line(one, t) for one in reader.unowned)]
    more = reader.unowned_count - len(reader.unowned)
    if more > 0:
        lines.append(t.ngettext("and {count} more", "and {count} more", more))
    register = kit.button(t.gettext("Register projects"), ids.PROJECT_NEW, reader.unowned_team)
    return [kit.section("\n".join(lines), register)]


def _line(one: Unowned, t: Translator) -> str:
    amount = kit.escape(t.money(one.amount))
    if not one.name:
        return t.gettext("• {amount} · the provider names no project for it", amount=amount)
    told = f"• *{kit.name(one.name)}*  {amount}"
    if one.suggested is None:
        return t.gettext("{project} · nothing tells whose it is", project=told)
    team = kit.name(one.team)
    return f"{told} · {_guess(one.suggested, team, t)}"


def _guess(guess: Suggested, team: str, t: Translator) -> str:
    """Which team, and what makes us think so: a suggestion is no allocation."""
    match guess.because:
        case Because.EXCLUDED:
            return t.gettext("excluded by {team}", team=team)
        case Because.NAME:
            return t.gettext("perhaps {team}: called like {project}", team=team, project=kit.name(guess.like))
        case Because.KEY:
            return t.gettext("perhaps {team}: it registered the organization's key", team=team)
