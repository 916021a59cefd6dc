"""The thread below Monday's digest: which messages it has, in their order."""

from __future__ import annotations

from enum import StrEnum

from finops.agenda import agenda
from finops.digest import Digest, DigestProject, DigestShown
from finops.value import ValueSource


class ThreadKey(StrEnum):
    """The messages of a digest's thread; what more than one is needed for has a number behind it: `projects:2`."""

    AGENDA = "agenda"  # what a weekly review has to decide
    PROJECTS = "projects"  # every project
    WHY = "why"
    AXES = "axes"
    BASIS = "basis"  # what the figures stand on, and who is not ranked for what reason
    RATE = "rate"  # one tap for projects that record nothing


# Projects in one table, and tables in a thread: beyond them only the sum is told.
TABLE_PROJECTS, TABLES = 60, 3
# Projects asked about with one tap, dearest first: a longer questionnaire is answered by nobody.
RATED_PROJECTS = 5


def to_rate(digest: Digest) -> tuple[DigestProject, ...]:
    """The projects people are asked about: what cost money and records nothing, dearest first."""
    silent = [one for one in digest.others if one.value.source is not ValueSource.EVENTS and one.cost.amount > 0]
    return tuple(sorted(silent, key=lambda one: (-one.cost.amount, one.name, one.project_id))[:RATED_PROJECTS])


def thread_keys(shown: DigestShown) -> tuple[str, ...]:
    """The keys of the thread's messages in order: what the outbox is told to send, each by its own key."""
    digest, keys = shown.digest, list[str]()
    if agenda(digest):
        keys.append(ThreadKey.AGENDA)
    tables = min(TABLES, -(-len(digest.projects) // TABLE_PROJECTS))
    keys += [ThreadKey.PROJECTS if n == 0 else f"{ThreadKey.PROJECTS}:{n + 1}" for n in range(tables)]
    if digest.why is not None or any(one.why is not None for one in digest.improve):
        keys.append(ThreadKey.WHY)
    if digest.axes is not None and digest.axes.shares:
        keys.append(ThreadKey.AXES)
    keys.append(ThreadKey.BASIS)
    if to_rate(digest):
        keys.append(ThreadKey.RATE)
    return tuple(map(str, keys))
