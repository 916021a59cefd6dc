"""Digests: computes a week once, keeps it as it was told, has it told where it is due, and tells it again when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.desk import Desk
from bot.people import People
from finops.digest import DailyCard, DigestChannel, DigestShown, DigestVersion
from finops.queries import ScopeKind
from finops.registry import Person

# What the outbox holds: a root and the lines of its thread, the daily card. Their subjects hold the digest's id (for
# the card: scope and day), the version, the language ('' is the reader's), and for a line its key.
DIGEST, DIGEST_LINE, DAILY = "digest", "digest_line", "daily"


class Digests:
    """Computes, keeps, tells and shows weeks."""

    def __init__(self, desk: Desk, people: People) -> None:
        self._desk = desk
        self._people = people

    async def due(self) -> int:
        """Have every digest and daily card told that is due now; how many were. Each once, whoever asks, however often.

        A digest is due from the hour of its channel, once its week has ended and the morning's collection is through
        (or a quarter of an hour has passed), for six days; older weeks are not told any more.
        """
        raise NotImplementedError

    async def send_now(self, workspace_id: str) -> int:
        """Have the last week told at once wherever it has not been told yet; how many digests that were."""
        raise NotImplementedError

    async def told(self, workspace_id: str, digest_id: int, version: DigestVersion) -> DigestShown:
        """A digest as it was told. Raises Refusal(UNKNOWN_DIGEST)."""
        raise NotImplementedError

    async def report(self, actor: Person, words: str, version: DigestVersion = DigestVersion.TEAM) -> DigestShown:
        """A week of the workspace or a team, asked for in words: as it was then and, where it has moved, as it is now.

        The words are `[team] [week]`: "지난주", "last week", "2026-W46", any date of the week; nothing is last week.
        Refuses a week that has not ended (WEEK_OPEN) and words it cannot place (UNKNOWN_PERIOD, UNKNOWN_SCOPE).
        """
        raise NotImplementedError

    async def report_of(
        self,
        workspace_id: str,
        kind: ScopeKind,
        scope_id: int | None,
        monday: date,
        version: DigestVersion = DigestVersion.TEAM,
    ) -> DigestShown:
        """The same for a scope and week named by a button."""
        raise NotImplementedError

    async def daily(
        self, workspace_id: str, kind: ScopeKind, scope_id: int | None, day: date | None = None
    ) -> DailyCard:
        """The daily card of a charge day (None: yesterday)."""
        raise NotImplementedError

    async def channels(self, actor: Person) -> Sequence[DigestChannel]:
        """Where digests are told, the usual places included; of the teams this person may manage."""
        raise NotImplementedError

    async def configure(
        self,
        actor: Person,
        channel: DigestChannel,
    ) -> DigestChannel:
        """Change where, how and when a digest is told; refuses whoever may not manage its scope."""
        raise NotImplementedError
