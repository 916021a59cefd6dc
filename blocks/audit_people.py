"""Acts about people in words: who becomes an admin, who is none any more, whom a test alert or a message reached.

For blocks.audit_words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from blocks import kit, runbooks
from finops.audit import AuditEntry
from finops.incidents import Fact
from locales import Translator

USER = re.compile(r"[UW][A-Z0-9]{2,30}")


class Facts(Protocol):
    """The facts of an act, each as words."""

    t: Translator
    entry: AuditEntry

    def get(self, name: str) -> Fact:
        """A fact as it is; None where there is none."""

    def word(self, name: str = "name") -> str:
        """A name as it was then."""


def _appointed(facts: Facts) -> str:
    return _because(facts, facts.t.gettext("made {person} an admin", person=_person(facts)))


def _removed(facts: Facts) -> str:
    return _because(facts, facts.t.gettext("{person} is no admin any more", person=_person(facts)))


def _ticked(facts: Facts) -> str:
    step = runbooks.title(str(facts.get("step") or ""), facts.t) or "-"
    if facts.get("is_done"):
        return facts.t.gettext("ticked a step below an alert: {step}", step=step)
    return facts.t.gettext("said that a step below an alert is not done: {step}", step=step)


def _because(facts: Facts, told: str) -> str:
    why = _WHY.get(str(facts.get("why")))
    return f"{told} ({why(facts.t)})" if why is not None else told


def _person(facts: Facts) -> str:
    return _named(facts.entry.subject.removeprefix("person:"))


def _named(given: str) -> str:
    return f"<@{given}>" if USER.fullmatch(given) else kit.name(given)


_WHY: dict[str, Callable[[Translator], str]] = {
    "named": lambda t: t.gettext("the operator's settings name them"),
    "installed": lambda t: t.gettext("they installed the app"),
    "first": lambda t: t.gettext("the first Slack admin who asked for set-up"),
    "unnamed": lambda t: t.gettext("the operator's settings no longer name them"),
    "no_slack_admin": lambda t: t.gettext("they no longer administer Slack"),
    "no_reason": lambda t: t.gettext("neither the settings nor Slack make them one"),
    "guest": lambda t: t.gettext("a guest, or of another company"),
    "deactivated": lambda t: t.gettext("deactivated in Slack"),
    "bot": lambda t: t.gettext("a bot"),
}
SAID: dict[str, Callable[[Facts], str]] = {
    "admin.appointed": _appointed,
    "admin.removed": _removed,
    "lead.told": lambda f: f.t.gettext("wrote to the lead {person}", person=_named(str(f.get("lead") or "-"))),
    "incident.reviewed": lambda f: f.t.gettext(
        "posted a review of an alert; {person} is to see to it until {day}",
        person=_named(str(f.get("owner") or "-")),
        day=str(f.get("due") or "-"),
    ),
    "incident.runbook_put": lambda f: f.t.gettext("put the steps to take below an alert"),
    "incident.step_ticked": _ticked,
    "team.tested": lambda f: f.t.gettext("sent a test alert to the channel of *{name}*", name=f.word()),
}
