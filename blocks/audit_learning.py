"""Acts of learning in words: polls, what was decided, feedback and interviews. For blocks.audit_words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from blocks import decisions, feedback
from finops.decisions import DecisionState
from finops.feedback import FeedbackState
from finops.incidents import Fact
from locales import Translator


class Facts(Protocol):
    """The facts of an act, each as words."""

    t: Translator

    def get(self, name: str) -> Fact:
        """A fact as it is; None where there is none."""

    def word(self, name: str = "name") -> str:
        """A name as it was then."""

    def chosen(self, name: str, kind: Callable[[str], object], say: Callable[..., str]) -> str:
        """One of a known set, in words; as it is, where it is none of them."""


def _asked(facts: Facts) -> str:
    if facts.get("is_anonymous"):
        return facts.t.gettext("asked an anonymous poll: *{question}*", question=facts.word())
    return facts.t.gettext("asked a poll by name: *{question}*", question=facts.word())


def _added(facts: Facts) -> str:
    if facts.get("is_anonymous"):
        return facts.t.gettext(
            "took an option into the anonymous poll *{question}*; who added it is not kept", question=facts.word()
        )
    return facts.t.gettext(
        "added the option *{option}* to the poll *{question}*", option=facts.word("option"), question=facts.word()
    )


def _decided(facts: Facts) -> str:
    option, question = facts.word("option"), facts.word()
    if facts.get("state") == "open":
        return facts.t.gettext(
            "took back what was decided about *{option}* ({question})", option=option, question=question
        )
    return facts.t.gettext(
        "decided about *{option}* ({question}): {state}",
        option=option,
        question=question,
        state=facts.chosen("state", DecisionState, decisions.state_name),
    )


SAID: dict[str, Callable[[Facts], str]] = {
    "poll.asked": _asked,
    "poll.option_added": _added,
    "poll.closed": lambda f: f.t.gettext("closed the poll *{question}*", question=f.word()),
    "poll.exported": lambda f: f.t.gettext("exported the poll *{question}*", question=f.word()),
    "poll.marked": lambda f: f.t.gettext("had the poll *{question}* decide what comes next", question=f.word()),
    "poll.unmarked": lambda f: f.t.gettext(
        "had the poll *{question}* no longer decide what comes next", question=f.word()
    ),
    "decision.changed": _decided,
    "decision.exported": lambda f: f.t.gettext("exported the decisions"),
    "effect.exported": lambda f: f.t.gettext("exported what was done and what it saved"),
    "feedback.decided": lambda f: f.t.gettext(
        "decided what becomes of feedback: {state}", state=f.chosen("state", FeedbackState, feedback.state_name)
    ),
    "feedback.answered": lambda f: f.t.gettext("answered feedback"),
    "interview.offered": lambda f: f.t.gettext("offered times for interviews"),
    "interview.withdrawn": lambda f: f.t.gettext("withdrew a time for an interview"),
}
