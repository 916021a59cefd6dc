"""Monday's digest in Slack: what the money bought, where it did not, why it moved, and the one next step."""

from __future__ import annotations

from dataclasses import dataclass

from blocks import kit
from finops.digest import DailyCard, DigestShown
from locales import Translator


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One message of a digest's thread. `key` is its own within the digest, for the outbox."""

    key: str
    message: kit.Message


def root(shown: DigestShown, t: Translator) -> kit.Message:
    """The root message, in the version asked for: understood in two seconds, forwarded unedited."""
    return kit.message(shown.digest.scope.name, [])


def line(shown: DigestShown, key: str, t: Translator) -> kit.Message | None:
    """The message of the thread with this key (finops.digest.thread_keys); None where there is nothing to say."""
    return next((each.message for each in thread(shown, t) if each.key == key), None)


def thread(shown: DigestShown, t: Translator) -> list[ThreadLine]:
    """The details below the root, in order: all projects, what it was spent on and why, ratings asked for."""
    return []


def report(shown: DigestShown, t: Translator, *, can_share: bool = True, can_set: bool = False) -> kit.Message:
    """The answer to `/finops report`: the week as it was told, what has moved since, and the whole table.

    `can_share`: there is a channel to show it in. `can_set`: this reader may change where and when digests go.
    """
    return root(shown, t)


def shared(shown: DigestShown, t: Translator, by: str) -> kit.Message:
    """The report for a channel, without private buttons; `by` (a user id) showed it."""
    return root(shown, t)


def daily(card: DailyCard, t: Translator) -> kit.Message:
    """The daily card: yesterday beside what it bought, and today so far."""
    return kit.message(card.scope.name, [])


def mail(shown: DigestShown, t: Translator, link: str | None = None) -> tuple[str, str, str]:
    """The same as a mail: subject, plain text, HTML. `link` opens the message in Slack."""
    return "", "", ""


def rule(t: Translator) -> kit.View:
    """The window behind 기준: how projects are ranked, in words."""
    return {}
