"""Monday's digest in Slack and by mail: what the money bought, where it did not, why it moved, and one next step."""

from __future__ import annotations

from blocks import digest_daily, digest_mail, digest_report, digest_root, digest_rules, digest_thread, kit
from finops.digest import DailyCard, DigestShown
from finops.digest_thread import thread_keys
from finops.frozen import frozen
from locales import Translator


@frozen
class ThreadLine:
    """One message of a digest's thread. `key` is its own within the digest, for the outbox."""

    key: str
    message: kit.Message


def root(shown: DigestShown, t: Translator) -> kit.Message:
    """The root message, in the version asked for: understood in two seconds, forwarded unedited."""
    return digest_root.root(shown.digest, shown.version, t)


def line(shown: DigestShown, key: str, t: Translator) -> kit.Message | None:
    """The message of the thread with this key (finops.digest.thread_keys); None where there is nothing to say."""
    return digest_thread.line(shown, key, t)


def thread(shown: DigestShown, t: Translator) -> list[ThreadLine]:
    """The details below the root, in order: all projects, why, what it was spent on, the basis, ratings asked for."""
    made = [(key, line(shown, key, t)) for key in thread_keys(shown)]
    return [ThreadLine(key, message) for key, message in made if message is not None]


def report(
    shown: DigestShown, t: Translator, *, can_share: bool = True, can_set: bool = False, mark: str = ""
) -> kit.Message:  # fmt: skip
    """The answer to `/finops report`: the week as it was told, what has moved since, and the whole table.

    `can_share`: there is a channel to show it in. `can_set`: this reader may change where and when digests go. `mark`
    tells this rendering from the next.
    """
    return digest_report.report(shown, t, can_share=can_share, can_set=can_set, mark=mark)


def shared(shown: DigestShown, t: Translator, by: str) -> kit.Message:
    """The report for a channel, without private buttons; `by` (a user id) showed it."""
    return digest_report.shared(shown, t, by)


def daily(card: DailyCard, t: Translator) -> kit.Message:
    """The daily card: yesterday beside what it bought, and today so far."""
    return digest_daily.daily(card, t)


def mail(shown: DigestShown, t: Translator, link: str | None = None, workspace: str = "") -> tuple[str, str, str]:
    """The same as a mail: subject, plain text, HTML. `link` opens the message in Slack; `workspace` '' is not named."""
    return digest_mail.written(shown, t, link, workspace)


def rule(t: Translator) -> kit.View:
    """The window behind 기준: how projects are ranked, in words."""
    return digest_rules.window(t)
